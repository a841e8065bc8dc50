//! Span kind and status.

use super::Text;

/// A span's kind: the number on the wire. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Kind(pub i32);

impl Kind {
    /// No kind given; to be read as internal.
    pub const UNSPECIFIED: Self = Self(0);
    /// Work inside one service.
    pub const INTERNAL: Self = Self(1);
    /// The serving side of a synchronous call.
    pub const SERVER: Self = Self(2);
    /// The calling side of a synchronous call.
    pub const CLIENT: Self = Self(3);
    /// Sends a message.
    pub const PRODUCER: Self = Self(4);
    /// Receives or processes a message.
    pub const CONSUMER: Self = Self(5);

    /// The kind's name in lower case; `unknown` for a number that has none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "unspecified",
            1 => "internal",
            2 => "server",
            3 => "client",
            4 => "producer",
            5 => "consumer",
            _ => "unknown",
        }
    }
}

/// A status code: the number on the wire. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct StatusCode(pub i32);

impl StatusCode {
    /// The default. Not a failure, and not "unknown".
    pub const UNSET: Self = Self(0);
    /// Explicitly marked as successful.
    pub const OK: Self = Self(1);
    /// Failed.
    pub const ERROR: Self = Self(2);

    /// The code's name in lower case; `unknown` for a number that has none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "unset",
            1 => "ok",
            2 => "error",
            _ => "unknown",
        }
    }
}

/// A span's status.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Status {
    /// Unset, ok or error.
    pub code: StatusCode,
    /// What the sender said of it; usually empty.
    pub message: Text,
}

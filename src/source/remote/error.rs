//! Why there is no answer.

use std::time::Duration;

use http::StatusCode;

/// Why a server gave no answer that can be used. `at` is the address that was asked; nothing secret is in any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// No connection.
    #[error("{at}: no connection: {why}")]
    Connect {
        /// The address.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// The connection is not to be trusted, or cannot be made secure.
    #[error("{at}: {why}")]
    Tls {
        /// The address.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// Connected or not, it took too long.
    #[error("{at}: no answer within {after:?}")]
    Timeout {
        /// The address.
        at: String,
        /// What was allowed.
        after: Duration,
    },
    /// It wants other credentials, or another tenant.
    #[error("{at}: refused ({status}): {said}")]
    Denied {
        /// The address.
        at: String,
        /// `401 Unauthorized`, or the like of it.
        status: String,
        /// What the server says of it.
        said: String,
    },
    /// It answers that something is wrong.
    #[error("{at}: {status}: {said}")]
    Refused {
        /// The address.
        at: String,
        /// `500 Internal Server Error`, or the like of it.
        status: String,
        /// What the server says of it.
        said: String,
    },
    /// There is nothing of that name on the server.
    #[error("{at}: {status}")]
    NoSuchPath {
        /// The address.
        at: String,
        /// The status.
        status: StatusCode,
    },
    /// What came is not what was asked for.
    #[error("{at}: {what}")]
    NotThis {
        /// The address.
        at: String,
        /// What came instead.
        what: String,
    },
    /// The answer broke off.
    #[error("{at}: the answer broke off: {why}")]
    CutOff {
        /// The address.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// The answer is larger than may be.
    #[error("{at}: the answer is larger than {limit} bytes; ask for less at once")]
    TooLarge {
        /// The address.
        at: String,
        /// How large it may be.
        limit: usize,
    },
    /// It speaks nothing that is known here.
    #[error("{at} gives none of the answers that were looked for: {}", tried.join("; "))]
    Unknown {
        /// The address.
        at: String,
        /// What was tried and what came of it.
        tried: Vec<String>,
    },
}

impl RemoteError {
    /// Whether nobody can be spoken with there, whatever is asked.
    pub(super) fn is_nobody(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Timeout { .. } | Self::Tls { .. })
    }

    /// Whether the server may answer later: a pause and another try make sense.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::CutOff { .. }
            | Self::Refused { .. }
            | Self::Unknown { .. } => true,
            Self::Tls { .. }
            | Self::Denied { .. }
            | Self::NoSuchPath { .. }
            | Self::NotThis { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}

//! Why a request is refused, and what that is in HTTP, in gRPC and in the counts.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;

use crate::model::RejectReason;
use crate::source::Refused;

/// A request that is not taken, with words for its sender (and for the person at the screen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    pub(super) message: String,
}

/// The kinds of refusal. OTLP senders retry 429, 502, 503 and 504, and over gRPC `UNAVAILABLE`, `CANCELLED`,
/// `DEADLINE_EXCEEDED`, `ABORTED`, `OUT_OF_RANGE` and `DATA_LOSS`: only what may succeed later is answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    TooLarge,
    BadCompression,
    UnknownCoding,
    BrokenBody,
    /// As `BrokenBody`, counted by the feed already.
    BrokenAtIndex,
    Overload(Duration),
    Closed,
    Paused,
    Stalled,
    BrokenOff,
    WrongPath,
    WrongMethod,
    WrongMediaType,
    ForbiddenOrigin,
    WrongProtocol,
}

impl Refusal {
    pub(super) fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes after decompression; send smaller batches");
        Self::new(RefusalKind::TooLarge, message)
    }
}

impl RefusalKind {
    pub(super) fn http(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overload(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Closed | Self::Paused => StatusCode::SERVICE_UNAVAILABLE,
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::WrongPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ForbiddenOrigin => StatusCode::FORBIDDEN,
            Self::BadCompression
            | Self::UnknownCoding
            | Self::BrokenBody
            | Self::BrokenAtIndex
            | Self::BrokenOff
            | Self::WrongProtocol => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn grpc(self) -> Code {
        match self {
            Self::TooLarge => Code::ResourceExhausted,
            Self::Overload(_) | Self::Closed | Self::Paused => Code::Unavailable,
            Self::Stalled => Code::DeadlineExceeded,
            Self::BrokenOff => Code::Cancelled,
            Self::WrongPath | Self::WrongMethod | Self::UnknownCoding | Self::WrongProtocol => Code::Unimplemented,
            Self::ForbiddenOrigin => Code::PermissionDenied,
            Self::BadCompression | Self::BrokenBody | Self::BrokenAtIndex | Self::WrongMediaType => {
                Code::InvalidArgument
            }
        }
    }

    /// The reason it is counted under; none where it is counted elsewhere or is nobody's fault.
    pub(super) fn reason(self) -> Option<RejectReason> {
        match self {
            Self::TooLarge => Some(RejectReason::BodyTooLarge),
            Self::BadCompression => Some(RejectReason::BadCompression),
            Self::BrokenBody | Self::Stalled | Self::BrokenOff => Some(RejectReason::MalformedBody),
            Self::Overload(_) => Some(RejectReason::Overload),
            Self::Paused => Some(RejectReason::Paused),
            Self::BrokenAtIndex | Self::Closed => None,
            Self::UnknownCoding
            | Self::WrongPath
            | Self::WrongMethod
            | Self::WrongMediaType
            | Self::ForbiddenOrigin
            | Self::WrongProtocol => Some(RejectReason::BadRequest),
        }
    }

    /// When the sender shall try again, where it shall.
    pub(super) fn retry(self) -> Option<Duration> {
        match self {
            Self::Overload(after) => Some(after),
            Self::Closed | Self::Paused => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// Whether it is a mistake that a person can mend, and so is shown.
    pub(super) fn is_mishap(self) -> bool {
        !matches!(self, Self::Overload(_) | Self::Closed | Self::Paused | Self::BrokenOff)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Overload { retry_after } => {
                Self::new(RefusalKind::Overload(retry_after), RejectReason::Overload.words())
            }
            Refused::Broken(words) => Self::new(RefusalKind::BrokenAtIndex, words),
            Refused::Closed => Self::new(RefusalKind::Closed, "the receiver is shutting down"),
        }
    }
}

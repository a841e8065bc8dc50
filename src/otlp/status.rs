//! What a receiver answers: `Export…ServiceResponse` and `google.rpc.Status`, in protobuf and in JSON.

use std::time::Duration;

use crate::model::{Receipt, Signal};

/// The encoding of a request, and so of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// The body of a 200 answer: empty (protobuf) or `{}` (JSON) for full success, `partial_success` with the count
/// and the reasons in words where something was refused.
#[must_use]
pub fn response(signal: Signal, encoding: Encoding, receipt: &Receipt) -> Vec<u8> {
    let _ = (signal, encoding, receipt);
    Vec::new()
}

/// The body of an error answer: a `google.rpc.Status` with `code` (gRPC numbering), `message`, and a
/// `google.rpc.RetryInfo` detail where a delay is given.
#[must_use]
pub fn status(encoding: Encoding, code: i32, message: &str, retry: Option<Duration>) -> Vec<u8> {
    let _ = (encoding, code, message, retry);
    Vec::new()
}

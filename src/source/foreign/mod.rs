//! What other tools write, turned into OTLP protobuf at the door.
//!
//! In: the bytes of a body or a file. Out: the same as OTLP protobuf, and how much of it could not be taken. Pure functions: no
//! sockets, no files, no clock. Must never know: who asked, and what becomes of the spans.

pub mod jaeger;
pub mod zipkin;

/// Why a body was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// It is no JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but of another shape.
    #[error("{0}")]
    Shape(String),
    /// The server says what went wrong instead of answering.
    #[error("the server says: {0}")]
    Server(String),
}

//! Wire ↔ model: OTLP protobuf and JSON.
//!
//! In: bytes. Out: calls on a [`Sink`], model values, or protobuf bytes again. Tolerant, and counts what it
//! rejects. Must never know: sockets, async, the index.

pub mod json;
mod put;
pub mod reader;
pub mod sink;
pub mod status;

pub use sink::{AttributeValue, Sink, SpanFields};

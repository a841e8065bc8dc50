//! Wire ↔ model: OTLP protobuf and JSON.
//!
//! In: bytes. Out: calls on a [`Sink`], model values, or protobuf bytes again. Tolerant, and counts what it
//! rejects. Must never know: sockets, async, the index.

mod check;
pub mod decode;
pub mod encode;
pub mod json;
pub mod logs;
pub mod metrics;
pub mod peek;
mod put;
pub mod reader;
pub mod sink;
pub mod status;
mod wire;

pub use sink::{AttributeValue, Sink, SpanFields};

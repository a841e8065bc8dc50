//! The span index: spans at rest, in memory, within a byte budget.
//!
//! In: OTLP protobuf bodies, handed to the one [`Writer`]. Out: receipts, and consistent [`View`]s through any number
//! of [`Reader`]s, which never stop the writer. No word id and no column leaves this room: what crosses its border is
//! text, values, ids and bitmaps of rows. Must never know: prost messages, widgets, async, wall clocks, judgements
//! (it calls the [`Summary`] hook that `run` wires to `analysis`).

mod summary;
mod view;
mod writer;

pub use summary::{SpanFacts, Summary};
pub use view::{Block, Place, Rows, ValueRef, View, ViewStats};
pub use writer::{Options, Reader, Writer, open};

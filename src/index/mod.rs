//! The span index: spans at rest, in memory, within a byte budget.
//!
//! In: OTLP protobuf bodies, handed to the one [`Writer`]. Out: receipts, and consistent [`View`]s through any number
//! of [`Reader`]s, which never stop the writer. No word id and no column leaves this room: what crosses its border is
//! text, values, ids and bitmaps of rows. Must never know: prost messages, widgets, async, wall clocks, judgements
//! (it calls the [`Summary`] hook that `run` wires to `analysis`).
//!
//! How it works, bottom up. A `chunk` is a run of rows in columns; attribute values are 32-bit `word`s. A
//! `segment` is a run of chunks with the dictionaries their columns refer to; it is what eviction frees. The
//! `store` is all segments and the chunk being filled. A body is read by `intake`, the `Sink` of the wire reader,
//! and if it is sound to its end its rows join their `traces` in `commit`; there duplicates are found and the
//! hook is called. Publishing `settle`s the traces that changed and hands a `view` over as one pointer.

mod batch;
mod block;
mod chain;
mod chunk;
mod cold;
mod commit;
mod completion;
mod dictionary;
mod directory;
mod durations;
mod evict;
mod extras;
mod free_text;
mod intake;
mod interner;
mod known;
mod labels;
mod launches;
mod logs;
mod matches;
mod outline;
mod paged;
mod pick;
mod read_row;
mod recent;
mod relations;
mod room;
mod rows;
mod sealed;
mod sealer;
mod segment;
mod services;
mod settle;
mod sieve;
mod sift;
mod sources;
mod spare;
mod store;
mod summary;
mod sweep;
mod thawed;
mod told;
mod traces;
mod twins;
mod values;
mod view;
mod whole;
mod word;
mod writer;

pub use block::{Block, Place, ValueRef};
pub use completion::{UsedOperation, UsedValues};
pub use launches::{Launch, Launches};
pub use matches::Match;
pub use outline::Outline;
pub use relations::Member;
pub use rows::Rows;
pub use services::ServiceCounts;
pub use summary::{CROWD, SpanFacts, Summary, What};
pub use sweep::Sweep;
pub use told::{Told, ToldAttribute};
pub use view::{View, ViewStats};
pub use whole::{NO_ROW, Run, Scattered};
pub use writer::{Options, Reader, Sealing, Writer, open};

//! The language of the project: spans, traces, ids, time, values, source health, receipts.
//!
//! In: nothing. Out: plain values that every other room speaks. Must never know: I/O, clocks, colours,
//! protobuf. The bare words `Span`, `Event`, `Link`, `Resource`, `Status` always mean the ones here.

mod elsewhere;
mod health;
mod id;
mod kind;
mod log;
mod rank;
mod receipt;
mod span;
mod summary;
mod text;
mod time;
mod trace;
mod value;

pub use elsewhere::{Asked, Dependency, Names, Progress, SearchState};
pub use health::{Door, DoorState, Health, Mishap, Reading, ReadingState, ServiceHealth, SourceHealth, Standing};
pub use id::{SourceId, SpanId, SpanKey, TraceId, hex};
pub use kind::{Kind, Status, StatusCode};
pub use log::LogRecord;
pub use rank::{nearest_rank, percentile, percentile_of_unsorted};
pub use receipt::{Receipt, RejectReason, Signal};
pub use span::{Event, Link, Resource, Scope, Span};
pub use summary::{Badges, TraceSummary};
pub use text::Text;
pub use time::{Nanos, Timestamp};
pub use trace::{Category, Oddities, Trace, TraceSpan};
pub use value::{Attribute, Value, lookup};

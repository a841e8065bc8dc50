//! Which service or route is to blame: rate, errors and duration of entry spans, and who calls whom.
//!
//! In: a judged trace with the whole spans of its calls. Out: [`TraceCalls`], small enough to be kept of every trace, and a
//! [`Report`] of many. Must never know: how it is drawn.
//!
//! What is counted follows the Collector's `spanmetrics` and `servicegraph` connectors: entry spans (SERVER, CONSUMER, or
//! without a parent), so that internal spans do not inflate the rate; an edge from the client's span to the server's by its
//! parent, failed if either side failed. Nothing expires here: a trace that grows is read again.

mod calls;
mod names;
mod peer;
mod report;

pub use calls::{Call, Entry, LookedUp, TraceCalls, look_up, trace_calls};
pub use names::{Names, Peer};
pub use report::{Edge, Figures, OperationRow, Report, ServiceRow, report};

#[cfg(test)]
mod tests;

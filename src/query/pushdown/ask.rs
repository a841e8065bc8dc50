//! What a server is asked, and what is known of it.

use crate::model::{Nanos, Timestamp, TraceId};

/// What a server is known to honour. All false: only the time and the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Abilities {
    /// The service and the operation.
    pub names: bool,
    /// Attributes by key and text.
    pub tags: bool,
    /// The least and the greatest duration of a span.
    pub durations: bool,
    /// It takes TraceQL, and nothing else.
    pub traceql: bool,
}

impl Abilities {
    /// Whether a search without a service is sure to be answered. Otherwise every service is asked: some stores of Jaeger find
    /// nothing then, and do not say so.
    #[must_use]
    pub fn any_service(self) -> bool {
        self.traceql
    }
}

/// What a server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One trace.
    Trace(TraceId),
    /// Traces with a span on which all of this holds.
    Search(Search),
}

/// A search: traces of which one span is so in every respect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Its service; `None`: any.
    pub service: Option<String>,
    /// Its name.
    pub operation: Option<String>,
    /// Attributes of it, of its resource or of an event of it: keys with the text that the values are written as.
    pub tags: Vec<(String, String)>,
    /// It lasted at least so long.
    pub min_duration: Option<Nanos>,
    /// It lasted at most so long.
    pub max_duration: Option<Nanos>,
    /// It began then or later.
    pub start: Timestamp,
    /// It began then or earlier.
    pub end: Timestamp,
    /// At most so many traces.
    pub limit: u32,
    /// For servers that take TraceQL: all of the above but times and limit. Empty elsewhere.
    pub traceql: String,
}

/// What was assumed where the filter says nothing. `None`: it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// At most so many traces.
    pub limit: Option<u32>,
    /// Spans that began so long ago at most.
    pub lookback: Option<Nanos>,
}

/// What becomes of a filter where spans live elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushdown {
    /// What the server is asked.
    pub ask: Ask,
    /// Parts of the filter (as [`super::super::chips`] counts them) that the server applies; they are applied again here.
    pub pushed: Vec<usize>,
    /// Parts that are applied here only.
    pub local: Vec<usize>,
    /// What the filter leaves open.
    pub assumed: Assumed,
}

//! What a filter found.

use crate::model::{SpanKey, TraceId};

/// A trace that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The trace.
    pub trace: TraceId,
    /// How many of its spans match; 0 where it matches as a whole (empty filter, only negated terms).
    pub matched: u32,
    /// The first that matches, by start.
    pub first: Option<SpanKey>,
}

/// What a filter found, by first arrival of the traces, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// The traces.
    pub hits: Vec<Hit>,
    /// Whether the search was cancelled before it had seen everything.
    pub partial: bool,
}

/// A part of what a filter finds, by first arrival of the traces, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The traces; older than those of the pages before. None where nothing was found in so much.
    pub hits: Vec<Hit>,
    /// No page follows.
    pub last: bool,
    /// The search was cancelled before it had seen everything.
    pub partial: bool,
    /// The share of what is held that was looked at, up to 1.
    pub seen: f32,
}

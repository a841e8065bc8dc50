//! A consistent state of the index, as readers see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Kind, LogRecord, Nanos, ServiceHealth, Span, SpanKey, StatusCode, Timestamp, Trace, TraceId, TraceSummary,
};

/// A consistent state of the whole index at one publication. Cheap to clone; holds what it shows in memory for as
/// long as it lives.
#[derive(Clone, Debug, Default)]
pub struct View {}

/// Totals of a [`View`].
#[derive(Clone, Debug, Default)]
pub struct ViewStats {
    /// Distinct spans held.
    pub spans: u64,
    /// Traces held.
    pub traces: u64,
    /// Log records held.
    pub logs: u64,
    /// Distinct spans that left to make room.
    pub spans_evicted: u64,
    /// Traces that left to make room.
    pub traces_evicted: u64,
    /// Log records that left to make room.
    pub logs_evicted: u64,
    /// Spans that came more than once.
    pub duplicates: u64,
    /// Bytes held.
    pub bytes: u64,
    /// Per service, since the start.
    pub services: Arc<BTreeMap<String, ServiceHealth>>,
}

/// A set of rows of one [`Block`]: a bitmap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    words: Vec<u64>,
}

impl Rows {
    /// Rows in both sets.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let _ = other;
        self
    }

    /// Rows in either set.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let _ = other;
        self
    }

    /// Rows of this set that are not in `other`.
    #[must_use]
    pub fn minus(self, other: &Self) -> Self {
        let _ = other;
        self
    }

    /// Whether no row is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The rows in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::empty()
    }
}

/// Where an attribute may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the span itself.
    Span,
    /// On its instrumentation scope.
    Scope,
    /// On its resource.
    Resource,
    /// On one of its events.
    Event,
    /// On one of its links.
    Link,
}

/// A borrowed attribute value, as predicates see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// Nothing set.
    Empty,
    /// A string (lossy UTF-8).
    Text(&'a str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An array or a map.
    Composite(&'a crate::model::Value),
}

/// A run of rows that can be scanned: a chunk or a sealed block of a [`View`].
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    view: &'a View,
}

impl View {
    /// Grows with every publication that changed something.
    #[must_use]
    pub fn revision(&self) -> u64 {
        0
    }

    /// Totals.
    #[must_use]
    pub fn stats(&self) -> ViewStats {
        ViewStats::default()
    }

    /// Every trace held, by first arrival, oldest first.
    pub fn traces(&self) -> impl DoubleEndedIterator<Item = TraceId> + '_ {
        std::iter::empty()
    }

    /// The list's line for a trace; `None` where it is not (any longer) held.
    #[must_use]
    pub fn summary(&self, id: TraceId) -> Option<TraceSummary> {
        let _ = id;
        None
    }

    /// The traces that gained spans since the publication numbered `revision`, by first arrival; `None` where that is
    /// too long ago to be known (then everything may have changed).
    #[must_use]
    pub fn changed_since(&self, revision: u64) -> Option<Vec<TraceId>> {
        let _ = revision;
        None
    }

    /// A whole trace in its lean form; `None` where it is not held.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        let _ = id;
        None
    }

    /// One span with everything that was sent of it.
    #[must_use]
    pub fn span(&self, trace: TraceId, key: SpanKey) -> Option<Span> {
        let _ = (trace, key);
        None
    }

    /// The log records of a trace, by time.
    #[must_use]
    pub fn logs(&self, trace: TraceId) -> Vec<LogRecord> {
        let _ = trace;
        Vec::new()
    }

    /// Every block, newest first.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        std::iter::empty()
    }

    /// Attribute keys in use with the number of spans that carry each, most used first; at most `limit`.
    #[must_use]
    pub fn keys(&self, limit: usize) -> Vec<(String, u64)> {
        let _ = limit;
        Vec::new()
    }

    /// Text values in use under `key` (an attribute key, or `service.name`, or `name`) with the number of spans that
    /// carry each, most used first; at most `limit`. Values too many to be kept as words are left out.
    #[must_use]
    pub fn values(&self, key: &str, limit: usize) -> Vec<(String, u64)> {
        let _ = (key, limit);
        Vec::new()
    }
}

impl Block<'_> {
    /// Every live row: superseded duplicates and evicted traces are not in it. All selections below are subsets.
    #[must_use]
    pub fn all(&self) -> Rows {
        let _ = self.view;
        Rows::default()
    }

    /// Rows whose duration (0 where a span ends before it starts) is within `least..=most`.
    #[must_use]
    pub fn select_duration(&self, least: Nanos, most: Nanos) -> Rows {
        let _ = (least, most);
        Rows::default()
    }

    /// Rows that start within `from..=to`.
    #[must_use]
    pub fn select_start(&self, from: Timestamp, to: Timestamp) -> Rows {
        let _ = (from, to);
        Rows::default()
    }

    /// Rows of this kind.
    #[must_use]
    pub fn select_kind(&self, kind: Kind) -> Rows {
        let _ = kind;
        Rows::default()
    }

    /// Rows with this status.
    #[must_use]
    pub fn select_status(&self, status: StatusCode) -> Rows {
        let _ = status;
        Rows::default()
    }

    /// Rows whose `service.name` passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_service(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let _ = test;
        Rows::default()
    }

    /// Rows whose name passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_name(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let _ = test;
        Rows::default()
    }

    /// Rows that carry an attribute under one of `keys` at one of `places` whose value passes `test`; it is called
    /// once per distinct value where values are kept as words.
    #[must_use]
    pub fn select_attribute(&self, keys: &[&str], places: &[Place], test: &dyn Fn(ValueRef<'_>) -> bool) -> Rows {
        let _ = (keys, places, test);
        Rows::default()
    }

    /// Rows where any text passes `test`: name, service, status message, attribute keys and text values of span,
    /// scope and resource, event names and the text values of events.
    #[must_use]
    pub fn select_text(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let _ = test;
        Rows::default()
    }

    /// The trace and key of a row.
    #[must_use]
    pub fn row(&self, row: u32) -> (TraceId, SpanKey) {
        let _ = row;
        (TraceId::default(), SpanKey::default())
    }

    /// When the span of a row began.
    #[must_use]
    pub fn start(&self, row: u32) -> Timestamp {
        let _ = row;
        Timestamp::default()
    }
}

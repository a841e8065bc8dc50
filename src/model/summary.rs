//! One line about a trace, as the list shows it.

use std::sync::Arc;

use super::{Nanos, SourceId, Timestamp, TraceId};

/// What the list says of a trace. Provisional like the trace itself: it changes as spans arrive.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TraceSummary {
    /// The trace.
    pub id: TraceId,
    /// The service of the root span; of the earliest span while the root is missing.
    pub root_service: Arc<str>,
    /// What the root span does, as a label (method and route, span name).
    pub root_label: Arc<str>,
    /// Whether a span without a parent has been seen.
    pub has_root: bool,
    /// Earliest start of all spans held.
    pub start: Timestamp,
    /// Latest end of all spans held.
    pub end: Timestamp,
    /// When its first span arrived here.
    pub first_arrival: Timestamp,
    /// When its latest span arrived here.
    pub last_arrival: Timestamp,
    /// Distinct spans held.
    pub spans: u32,
    /// Distinct spans with status error.
    pub errors: u32,
    /// Different services that took part.
    pub services: u32,
    /// Spans whose parent is not held.
    pub orphans: u32,
    /// What stands out in it.
    pub badges: Badges,
    /// The way its first span came in.
    pub source: SourceId,
}

/// What stands out in a trace, kept up to date while its spans arrive.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Badges {
    /// The longest database span: how long, and its statement or name. Whether that is slow depends on the
    /// trace's duration and is for `analysis` to judge.
    pub longest_db: Option<(Nanos, Arc<str>)>,
    /// The most repeated statement below one parent: how often, and its statement or name.
    pub repeated: Option<(u32, Arc<str>)>,
    /// The type of the first exception, or the status message of the first failed span, by start time.
    pub error: Option<Arc<str>>,
}

impl TraceSummary {
    /// From the earliest start to the latest end of all spans held.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.end.since(self.start)
    }
}

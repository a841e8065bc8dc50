//! The order of the list.

/// The order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Smallest (oldest) first instead of largest (newest) first.
    pub ascending: bool,
}

/// What the list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortKey {
    /// First arrival.
    #[default]
    Time,
    /// Earliest start: the order of what was read from files.
    Start,
    /// Duration.
    Duration,
    /// Number of spans.
    Spans,
    /// Number of failed spans.
    Errors,
}

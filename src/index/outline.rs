//! A trace in a few numbers: what the list is ordered and counted by. All of them are asked for with every search.

use crate::model::{Nanos, Timestamp};

/// What the list is ordered and counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// When its first span arrived.
    pub first_arrival: Timestamp,
    /// Its earliest start; zero where no span has one.
    pub start: Timestamp,
    /// From its earliest start to its latest end.
    pub duration: Nanos,
    /// Spans held.
    pub spans: u32,
    /// Of these, with status error.
    pub errors: u32,
}

impl Outline {
    /// With the earliest start and latest end as [`super::batch::Figures`] have them.
    pub(super) fn new(first_arrival: Timestamp, (start, end): (u64, u64), spans: u32, errors: u32) -> Self {
        let begun = Timestamp(if start == u64::MAX { 0 } else { start });
        let duration = if start == u64::MAX { Nanos(end) } else { Nanos(end.saturating_sub(start)) };
        Self { first_arrival, start: begun, duration, spans, errors }
    }
}

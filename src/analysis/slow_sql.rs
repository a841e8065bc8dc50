//! Which database calls are slow.

use crate::model::{Category, Nanos};

/// When a database call counts as slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Slower than this is slow anywhere.
    pub absolute: Nanos,
    /// At least this long, and more than half of its trace, is slow too.
    pub relative_floor: Nanos,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { absolute: Nanos::from_millis(100), relative_floor: Nanos::from_millis(20) }
    }
}

/// Why a database call is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It took longer than the absolute threshold.
    Absolute,
    /// It took more than half of its trace.
    Share,
}

/// Judges one span of a trace that took `trace` in all. Other spans than database calls are never slow here.
#[must_use]
pub fn judge(thresholds: &Thresholds, category: Category, duration: Nanos, trace: Nanos) -> Option<Slow> {
    if !category.is_database() {
        return None;
    }
    if duration > thresholds.absolute {
        return Some(Slow::Absolute);
    }
    let share = duration >= thresholds.relative_floor && duration.0 > trace.0 / 2;
    share.then_some(Slow::Share)
}

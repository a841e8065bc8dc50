//! Which database calls are slow.

use super::thresholds::Thresholds;
use super::verdict::percent;
use crate::model::{Category, Nanos};

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
    if duration > thresholds.slow_sql {
        return Some(Slow::Absolute);
    }
    let share = duration >= thresholds.slow_sql_floor && duration.0 > trace.0 / 2;
    share.then_some(Slow::Share)
}

/// Why a call is slow, in one line: `slow: 1.82 s, limit 100 ms`, `slow: 79 % of the trace`.
#[must_use]
pub fn explain(thresholds: &Thresholds, slow: Slow, duration: Nanos, trace: Nanos) -> String {
    match slow {
        Slow::Absolute => format!("slow: {duration}, limit {}", thresholds.slow_sql),
        Slow::Share => format!("slow: {} % of the trace", percent(duration, trace)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_long_or_most_of_its_trace() {
        let millis = Nanos::from_millis;
        let cases = [
            (Category::Sql, millis(1_820), millis(2_310), Some(Slow::Absolute)),
            (Category::Database, millis(101), millis(10_000), Some(Slow::Absolute)),
            (Category::Sql, millis(100), millis(10_000), None),
            (Category::Sql, millis(20), millis(39), Some(Slow::Share)),
            (Category::Sql, millis(20), millis(40), None),
            (Category::Sql, Nanos(20_000_001), Nanos(40_000_001), Some(Slow::Share)),
            (Category::Sql, millis(19), millis(19), None),
            (Category::Http, millis(5_000), millis(5_000), None),
        ];
        for (category, duration, trace, expected) in cases {
            assert_eq!(judge(&Thresholds::default(), category, duration, trace), expected, "{duration} of {trace}");
        }
    }

    #[test]
    fn the_reason_is_one_line() {
        let thresholds = Thresholds::default();
        let (duration, trace) = (Nanos::from_millis(1_820), Nanos::from_millis(2_310));
        assert_eq!(explain(&thresholds, Slow::Absolute, duration, trace), "slow: 1.82 s, limit 100 ms");
        assert_eq!(explain(&thresholds, Slow::Share, duration, trace), "slow: 79 % of the trace");
    }
}

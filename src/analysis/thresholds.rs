//! Every number that a judgement turns on, in one table: with its name in the settings, what it means, and its default.

use super::verdict::percent;
use crate::model::Nanos;

/// What sort of number a threshold is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A length of time.
    Time,
    /// A share in percent, 0 to 100.
    Percent,
    /// How many.
    Count,
}

/// A number of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A length of time.
    Time(Nanos),
    /// A share in percent.
    Percent(u8),
    /// How many.
    Count(u32),
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// Its name in the settings.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub about: &'static str,
    /// What sort of number it is.
    pub unit: Unit,
    get: fn(&Thresholds) -> Amount,
    set: fn(&mut Thresholds, Amount) -> bool,
}

impl Threshold {
    /// Its value in `thresholds`.
    #[must_use]
    pub fn get(&self, thresholds: &Thresholds) -> Amount {
        (self.get)(thresholds)
    }
}

macro_rules! table {
    ($($(#[doc = $about:literal])+ $name:ident: $unit:ident($kind:ty) = $default:expr;)+) => {
        /// When something is worth a mark or a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Thresholds {
            $($(#[doc = $about])+ pub $name: $kind,)+
        }

        impl Default for Thresholds {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// All of them, in the order in which they are documented.
        pub const TABLE: &[Threshold] = &[$(Threshold {
            name: stringify!($name),
            about: concat!($($about),+),
            unit: Unit::$unit,
            get: |thresholds| Amount::$unit(thresholds.$name),
            set: |thresholds, amount| match amount {
                Amount::$unit(value) => {
                    thresholds.$name = value;
                    true
                }
                _ => false,
            },
        },)+];
    };
}

table! {
    /// a database call that takes longer is slow
    slow_sql: Time(Nanos) = Nanos::from_millis(100);
    /// a database call of at least this and of more than half of its trace is slow too
    slow_sql_floor: Time(Nanos) = Nanos::from_millis(20);
    /// a database call that takes longer is a finding of the worst sort
    slow_sql_error: Time(Nanos) = Nanos::from_millis(500);
    /// a database call that takes so many times what 95 of 100 calls of its statement take is slower than its past
    past_times: Count(u32) = 3;
    /// of fewer calls that are held nothing is said of a statement's past
    past_count: Count(u32) = 30;
    /// a database call that takes less is never slower than its past
    past_floor: Time(Nanos) = Nanos::from_millis(20);
    /// so many like calls, one after another, are an N+1
    nplus1_count: Count(u32) = 5;
    /// an N+1 that takes longer is a warning
    nplus1_warn: Time(Nanos) = Nanos::from_millis(50);
    /// an N+1 that takes more of its trace is a warning
    nplus1_warn_share: Percent(u8) = 10;
    /// like calls further apart than this are no N+1: something looks again and again
    nplus1_pause: Time(Nanos) = Nanos::from_millis(1_000);
    /// so often the same read with the same values is a duplicate
    dup_count: Count(u32) = 2;
    /// so many calls of one parent at the same time are a fan-out
    fanout_count: Count(u32) = 5;
    /// calls one after another of which less could be saved side by side are not worth a word
    serial_floor: Time(Nanos) = Nanos::from_millis(10);
    /// of which more could be saved, are a finding
    serial_saved: Time(Nanos) = Nanos::from_millis(100);
    /// of which more of the trace could be saved, are a finding too
    serial_share: Percent(u8) = 10;
    /// the longest pause between calls that are said to follow each other at once
    serial_pause: Time(Nanos) = Nanos::from_millis(5);
    /// a span whose own time is more of the critical path dominates the trace
    dominant_share: Percent(u8) = 50;
    /// own time of less than this dominates nothing
    dominant_floor: Time(Nanos) = Nanos::from_millis(50);
    /// a longer stretch between children of a span, in which none of them ran, is a gap
    gap: Time(Nanos) = Nanos::from_millis(100);
    /// a stretch that is more of its span is a gap too, also before the first child and after the last
    gap_share: Percent(u8) = 20;
    /// a shorter stretch is never a gap
    gap_floor: Time(Nanos) = Nanos::from_millis(20);
    /// a message that waited longer before somebody took it up is a finding
    queue_wait: Time(Nanos) = Nanos::from_millis(100);
    /// a span that goes on longer after its parent ended outlives it
    outlive: Time(Nanos) = Nanos::from_millis(5);
    /// clocks as coarse as this explain an overlap: some SDKs know the start of a span in whole milliseconds only
    clock_grain: Time(Nanos) = Nanos::from_millis(1);
}

impl Thresholds {
    /// The row of this name.
    #[must_use]
    pub fn row(name: &str) -> Option<&'static Threshold> {
        TABLE.iter().find(|row| row.name == name)
    }

    /// Sets the row of this name. Answers whether there is one, and the amount is of its unit.
    pub fn set(&mut self, name: &str, amount: Amount) -> bool {
        Self::row(name).is_some_and(|row| (row.set)(self, amount))
    }

    /// Whether a stretch of a span with children in which none of them ran is a gap, of which nobody recorded what happened. Before
    /// its first child and after its last a span reads what it was asked and writes its answer: that is its own code, unless it
    /// is much of the span.
    #[must_use]
    pub fn is_gap(&self, length: Nanos, whole: Nanos, at_an_end: bool) -> bool {
        let much = length >= self.gap_floor && percent(length, whole) >= self.gap_share;
        much || length >= self.gap.max(self.gap_floor) && !at_an_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_set_by_its_name() {
        for row in TABLE {
            let mut thresholds = Thresholds::default();
            let other = match row.get(&thresholds) {
                Amount::Time(Nanos(nanos)) => Amount::Time(Nanos(nanos + 1)),
                Amount::Percent(percent) => Amount::Percent(percent + 1),
                Amount::Count(count) => Amount::Count(count + 1),
            };
            assert!(thresholds.set(row.name, other), "{}", row.name);
            assert_eq!(row.get(&thresholds), other, "{}", row.name);
            assert_ne!(thresholds, Thresholds::default());
            assert!(!row.about.trim().is_empty() && !row.about.contains('|'), "{}", row.name);
        }
        assert!(!Thresholds::default().set("no_such", Amount::Count(1)));
        assert!(!Thresholds::default().set("slow_sql", Amount::Count(1)));
    }
}

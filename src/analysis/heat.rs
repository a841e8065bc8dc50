//! Latency over time, counted in cells: time across, duration upwards on a logarithmic scale.

use crate::index::Outline;
use crate::model::{Nanos, Timestamp};

/// The lengths of time a column may have, in tenths of a second.
const STEPS: [u64; 19] =
    [1, 2, 5, 10, 20, 50, 100, 150, 300, 600, 1_200, 3_000, 6_000, 9_000, 18_000, 36_000, 72_000, 216_000, 864_000];

const TENTH: u64 = Nanos::from_millis(100).0;

const SECOND: u64 = Nanos::from_secs(1).0;

/// The shortest duration that is told apart from none.
const SHORTEST: u64 = 1_000;

/// Traces counted by when they began and how long they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeatMap {
    /// When the first column begins.
    pub from: Timestamp,
    /// How much time a column holds.
    pub step: Nanos,
    /// How many columns there are.
    pub columns: u16,
    /// How many rows there are.
    pub rows: u16,
    /// The shortest duration of the lowest row, and the longest of the highest; shorter ones count in the lowest.
    pub bounds: (Nanos, Nanos),
    /// Traces in each cell, row by row from the lowest, each from the earliest on.
    pub counts: Vec<u32>,
    /// Of those, how many hold an error.
    pub errors: Vec<u32>,
    /// Traces that began before the first column.
    pub before: u64,
    /// Traces that began after the last.
    pub after: u64,
    /// Where each row begins, and where the last ends.
    edges: Vec<Nanos>,
}

/// A stretch of time and of durations, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeatBox {
    /// Traces begin from then on.
    pub from: Timestamp,
    /// To then.
    pub to: Timestamp,
    /// They take at least so long.
    pub least: Nanos,
    /// And at most so long; the largest number there is where there is no bound.
    pub most: Nanos,
}

impl HeatBox {
    /// Whether a trace of this outline lies within.
    #[must_use]
    pub fn holds(&self, outline: &Outline) -> bool {
        (self.from..=self.to).contains(&began(outline)) && (self.least..=self.most).contains(&outline.duration)
    }
}

/// When a trace began: by its spans, or where those do not say, when it arrived.
#[must_use]
pub fn began(outline: &Outline) -> Timestamp {
    if outline.start.0 == 0 { outline.first_arrival } else { outline.start }
}

impl HeatMap {
    /// Counts traces in so many columns and rows. The last column is that of the latest trace that does not begin after `now`; as
    /// much time is shown as holds all but the earliest hundredth, of which what fits is shown too: a few odd clocks do not
    /// press all others into one column.
    #[must_use]
    pub fn of(traces: &[Outline], (columns, rows): (u16, u16), now: Timestamp) -> Self {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let (from, step) = time(traces, columns, now);
        let bounds = durations(traces);
        let cells = usize::from(columns) * usize::from(rows);
        let edges = (0..=rows).map(|row| edge(bounds, rows, row)).collect();
        let mut map = Self { from, step, columns, rows, bounds, edges, ..Self::default() };
        (map.counts, map.errors) = (vec![0; cells], vec![0; cells]);
        for outline in traces {
            let began = began(outline);
            match map.column(began) {
                Some(column) => {
                    let cell = map.cell(column, map.row(outline.duration));
                    map.counts[cell] = map.counts[cell].saturating_add(1);
                    map.errors[cell] = map.errors[cell].saturating_add(u32::from(outline.errors > 0));
                }
                None if began < from => map.before += 1,
                None => map.after += 1,
            }
        }
        map
    }

    /// The place of a cell in `counts`.
    fn cell(&self, column: u16, row: u16) -> usize {
        usize::from(row) * usize::from(self.columns) + usize::from(column)
    }

    /// How many traces lie in a cell, and how many of them hold an error.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> (u32, u32) {
        if column >= self.columns || row >= self.rows {
            return (0, 0);
        }
        let cell = self.cell(column, row);
        let of = |list: &[u32]| list.get(cell).copied().unwrap_or(0);
        (of(&self.counts), of(&self.errors))
    }

    /// The column that a moment lies in.
    #[must_use]
    pub fn column(&self, at: Timestamp) -> Option<u16> {
        let since = at.0.checked_sub(self.from.0)?;
        let column = since.checked_div(self.step.0)?;
        u16::try_from(column).ok().filter(|column| *column < self.columns)
    }

    /// The row that a duration lies in.
    #[must_use]
    pub fn row(&self, duration: Nanos) -> u16 {
        let below = self.edges.partition_point(|edge| *edge <= duration);
        u16::try_from(below).unwrap_or(u16::MAX).saturating_sub(1).min(self.rows.saturating_sub(1))
    }

    /// The shortest duration of a row.
    #[must_use]
    pub fn edge(&self, row: u16) -> Nanos {
        self.edges.get(usize::from(row)).copied().unwrap_or_default()
    }

    /// When a column begins.
    #[must_use]
    pub fn begins(&self, column: u16) -> Timestamp {
        Timestamp(self.from.0.saturating_add(self.step.0.saturating_mul(u64::from(column))))
    }

    /// What lies within these cells, the corners included: the lowest row reaches down to nothing, the highest has no end.
    #[must_use]
    pub fn within(&self, one: (u16, u16), other: (u16, u16)) -> HeatBox {
        let (left, right) = (one.0.min(other.0), one.0.max(other.0));
        let (low, high) = (one.1.min(other.1), one.1.max(other.1));
        let least = if low == 0 { Nanos::ZERO } else { self.edge(low) };
        let most = if high + 1 >= self.rows { Nanos(u64::MAX) } else { Nanos(self.edge(high + 1).0.saturating_sub(1)) };
        let to = Timestamp(self.begins(right.saturating_add(1)).0.saturating_sub(1));
        HeatBox { from: self.begins(left), to, least, most }
    }

    /// How many traces lie within these cells, and how many of them hold an error.
    #[must_use]
    pub fn sum(&self, one: (u16, u16), other: (u16, u16)) -> (u64, u64) {
        let mut sum = (0, 0);
        for row in one.1.min(other.1)..=one.1.max(other.1) {
            for column in one.0.min(other.0)..=one.0.max(other.0) {
                let (count, errors) = self.at(column, row);
                sum = (sum.0 + u64::from(count), sum.1 + u64::from(errors));
            }
        }
        sum
    }

    /// The cells that a box covers, where it covers any: its lower left and upper right corner.
    #[must_use]
    pub fn cells(&self, within: &HeatBox) -> Option<((u16, u16), (u16, u16))> {
        let last = self.begins(self.columns);
        if within.to < self.from || within.from >= last {
            return None;
        }
        let left = self.column(within.from).unwrap_or(0);
        let right = self.column(within.to).unwrap_or_else(|| self.columns.saturating_sub(1));
        Some(((left, self.row(within.least)), (right, self.row(within.most))))
    }
}

/// The first column's start, and how much time a column holds. Columns begin at whole multiples of their length, so that a trace
/// stays in its column as time goes on.
fn time(traces: &[Outline], columns: u16, now: Timestamp) -> (Timestamp, Nanos) {
    let mut begun: Vec<u64> = traces.iter().map(|outline| began(outline).0).collect();
    // The clock of a sender may be a little ahead.
    let soon = now.0.saturating_add(60 * SECOND);
    let latest = begun.iter().copied().filter(|begun| *begun <= soon).max();
    let latest = latest.or_else(|| begun.iter().copied().max()).unwrap_or(now.0);
    let earliest = if begun.is_empty() {
        latest
    } else {
        let hundredth = begun.len() / 100;
        *begun.select_nth_unstable(hundredth).1
    };
    let (latest, earliest) = (latest / TENTH, earliest.min(latest) / TENTH);
    let fits = |step: &u64| latest / step - earliest / step < u64::from(columns);
    let step = STEPS.iter().find(|step| fits(step)).copied().unwrap_or_else(|| {
        // Longer than all: whole days.
        let day = STEPS[STEPS.len() - 1];
        let days = (latest / day - earliest / day) / u64::from(columns) + 1;
        day * days
    });
    let first = (latest / step + 1).saturating_sub(u64::from(columns));
    let step = step.saturating_mul(TENTH);
    (Timestamp(first.saturating_mul(step)), Nanos(step))
}

/// Round durations below and above all but the shortest thousandth: 1, 2 or 5 and zeros.
fn durations(traces: &[Outline]) -> (Nanos, Nanos) {
    let mut all: Vec<u64> = traces.iter().map(|outline| outline.duration.0.max(SHORTEST)).collect();
    if all.is_empty() {
        return (Nanos::from_millis(1), Nanos::from_secs(1));
    }
    let longest = all.iter().copied().max().unwrap_or(SHORTEST);
    let thousandth = all.len() / 1000;
    let shortest = *all.select_nth_unstable(thousandth).1;
    let low = round_down(shortest);
    let high = round_up(longest.saturating_add(1));
    // At least a decade, or a difference of nothing would fill the picture.
    (Nanos(low), Nanos(high.max(low.saturating_mul(10))))
}

/// Where a row begins: rows are equally high on a logarithmic scale.
fn edge((low, high): (Nanos, Nanos), rows: u16, row: u16) -> Nanos {
    let (low, high) = (log(low), log(high));
    let share = f64::from(row) / f64::from(rows.max(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a duration that was one before")]
    let edge = (low + (high - low) * share).exp().round() as u64;
    Nanos(edge)
}

fn round_down(value: u64) -> u64 {
    let mut last = 1;
    for step in rounds() {
        if step > value {
            break;
        }
        last = step;
    }
    last
}

fn round_up(value: u64) -> u64 {
    rounds().find(|step| *step >= value).unwrap_or(u64::MAX)
}

/// 1, 2, 5, 10 and so on.
fn rounds() -> impl Iterator<Item = u64> {
    (0..20_u32)
        .flat_map(|power| [1, 2, 5].map(|digit| 10_u64.checked_pow(power).and_then(|power| power.checked_mul(digit))))
        .flatten()
}

#[expect(clippy::cast_precision_loss, reason = "a place on a scale")]
fn log(duration: Nanos) -> f64 {
    (duration.0.max(1) as f64).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outline(second: u64, millis: u64) -> Outline {
        let start = Timestamp(second * SECOND);
        Outline { first_arrival: start, start, duration: Nanos::from_millis(millis), spans: 1, errors: 0 }
    }

    #[test]
    fn traces_are_counted_where_they_began_and_by_how_long_they_took() {
        let traces = [outline(100, 1), outline(103, 10), outline(103, 10), outline(105, 900)];
        let map = HeatMap::of(&traces, (6, 3), Timestamp(105 * SECOND));
        assert_eq!(
            (map.from, map.step, map.bounds),
            (Timestamp(100 * SECOND), Nanos::from_secs(1), (Nanos::from_millis(1), Nanos::from_secs(1)))
        );
        assert_eq!((map.at(0, 0), map.at(3, 1), map.at(5, 2)), ((1, 0), (2, 0), (1, 0)));
        assert_eq!([0, 1, 2, 3].map(|row| map.edge(row)), [1, 10, 100, 1000].map(Nanos::from_millis));
        assert_eq!((map.before, map.after), (0, 0));
    }

    #[test]
    fn an_odd_clock_does_not_press_all_others_into_one_column() {
        let mut traces: Vec<Outline> = (0..300).map(|number| outline(1_000_000 + number % 60, 5)).collect();
        traces.push(outline(1, 5));
        traces.push(outline(9_000_000, 5));
        let map = HeatMap::of(&traces, (60, 8), Timestamp(1_000_060 * SECOND));
        assert_eq!((map.step, map.before, map.after), (Nanos::from_secs(1), 1, 1));
        assert_eq!(map.counts.iter().sum::<u32>(), 300);
    }

    #[test]
    fn nothing_has_a_map_too() {
        let map = HeatMap::of(&[], (0, 0), Timestamp(7));
        assert_eq!((map.columns, map.rows, map.at(0, 0), map.at(9, 9)), (1, 1, (0, 0), (0, 0)));
    }

    fn some() -> impl Strategy<Value = Vec<Outline>> {
        let one = (any::<u64>(), any::<u64>(), 0_u64..100_000, 0_u64..100_000, 0_u8..9, 0_u32..2);
        let one = one.prop_map(|(odd_start, odd_duration, second, millis, odd, errors)| {
            let usual = outline(1_700_000_000 + second, millis);
            let start = if odd == 0 { Timestamp(odd_start) } else { usual.start };
            let duration = if odd == 1 { Nanos(odd_duration) } else { usual.duration };
            Outline { start, duration, errors, ..usual }
        });
        prop::collection::vec(one, 0..80)
    }

    proptest! {
        #[test]
        fn every_trace_is_counted_once_and_lies_in_the_box_of_its_cell(traces in some(), columns in 1_u16..40, rows in 1_u16..30) {
            let map = HeatMap::of(&traces, (columns, rows), Timestamp(1_700_100_000 * SECOND));
            let shown: u64 = map.counts.iter().copied().map(u64::from).sum();
            prop_assert_eq!(shown + map.before + map.after, traces.len() as u64);
            for row in 0..rows {
                for column in 0..columns {
                    let within = map.within((column, row), (column, row));
                    let inside = traces.iter().filter(|outline| within.holds(outline)).count();
                    prop_assert_eq!(inside, map.at(column, row).0 as usize, "{} {}", column, row);
                }
            }
        }

        #[test]
        fn a_box_of_cells_covers_those_cells(traces in some(), one in (0_u16..20, 0_u16..10), other in (0_u16..20, 0_u16..10)) {
            let map = HeatMap::of(&traces, (20, 10), Timestamp(1_700_100_000 * SECOND));
            let within = map.within(one, other);
            let corners = ((one.0.min(other.0), one.1.min(other.1)), (one.0.max(other.0), one.1.max(other.1)));
            prop_assert_eq!(map.cells(&within), Some(corners));
            let inside = traces.iter().filter(|outline| within.holds(outline)).count() as u64;
            prop_assert_eq!(inside, map.sum(one, other).0);
        }
    }
}

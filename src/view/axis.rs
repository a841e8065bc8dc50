//! The time axis: marks at round steps.

use super::bar::Window;
use super::look::Role;
use super::pen::{Pen, cells};
use super::text;
use crate::model::{Nanos, Timestamp};

/// Columns that a mark with its label needs at least.
const APART: u64 = 10;

/// The shortest round step (1, 2 or 5 and zeros) of which at most so many fit into `length` that labels do not touch.
pub(super) fn step(length: Nanos, columns: u16) -> Nanos {
    let marks = (u64::from(columns) / APART).max(1);
    let mut power = 1_u64;
    loop {
        for digit in [1, 2, 5] {
            let step = power.saturating_mul(digit);
            if step.saturating_mul(marks) >= length.0 || step > u64::MAX / 10 {
                return Nanos(step);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A round length of time, short: `0`, `500ms`, `1.5s`, `2µs`, `3m`.
pub(super) fn label(length: Nanos) -> String {
    let units: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    if length.0 == 0 {
        return "0".to_owned();
    }
    if length.0 >= 120_000_000_000 && length.0.is_multiple_of(1_000_000_000) {
        return length.to_string().replace(' ', "");
    }
    let (size, unit) = units.into_iter().find(|(size, _)| length.0 >= *size).unwrap_or((1, "ns"));
    let thousandths = u128::from(length.0 % size) * 1000 / u128::from(size);
    let decimals = format!("{thousandths:03}");
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}{unit}", length.0 / size)
}

impl Pen<'_> {
    /// Draws the axis of a trace that began at `start` over the window.
    pub(super) fn axis(&mut self, (x, y): (u16, u16), window: Window, start: Timestamp) {
        let style = self.style(Role::Faint);
        let length = window.to.since(window.from);
        if length.0 == 0 {
            self.put((x, y), "0", window.columns, style);
            return;
        }
        let step = step(length, window.columns);
        let first = window.from.since(start).0.div_ceil(step.0);
        let mut free = 0;
        for mark in first.. {
            // Where time ends no further mark is later than the one before it.
            let offset = mark.checked_mul(step.0).filter(|offset| start.0.checked_add(*offset).is_some());
            let Some(offset) = offset.map(Nanos) else { break };
            let Some(column) = window.column(start.plus(offset)) else { break };
            let label = label(offset);
            let width = cells(text::width(&label)) + u16::from(mark > 0);
            if column < free || column + width > window.columns {
                continue;
            }
            let mut at = x + column;
            if mark > 0 {
                at += self.put((at, y), "╵", 1, style);
            }
            self.put((at, y), &label, width, style);
            free = column + width + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_leave_room_for_labels() {
        for (millis, columns, expected) in [(2310, 54, 500), (2310, 31, 1000), (100, 54, 20), (0, 10, 0)] {
            assert_eq!(step(Nanos::from_millis(millis), columns).0 / 1_000_000, expected, "{millis} ms on {columns}");
        }
        assert!(step(Nanos(u64::MAX), 1).0 > 0);
    }

    #[test]
    fn labels_are_short() {
        let shown = [0, 500, 2_000, 1_500_000, 500_000_000, 1_500_000_000, 120_000_000_000].map(|n| label(Nanos(n)));
        assert_eq!(shown, ["0", "500ns", "2µs", "1.5ms", "500ms", "1.5s", "2m0s"]);
    }
}

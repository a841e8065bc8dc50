//! Latency over time as bars on a log scale.

use ratatui::layout::Rect;

use super::super::axis::label;
use super::super::format;
use super::super::look::Role;
use super::super::pen::{Pen, cells};
use super::super::text;
use crate::model::{Nanos, Timestamp};

/// Cells for the labels at the left, with the axis.
const LABELS: u16 = 8;

/// Eighths of a cell, lower blocks.
const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws `values` over the time `between`; the last two lines of the area are for the axis of time.
pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, values: &[Option<Nanos>], (from, to): (Timestamp, Timestamp)) {
    let height = area.height.saturating_sub(2);
    let columns = area.width.saturating_sub(LABELS + 2);
    let known = || values.iter().flatten().map(|value| value.0.max(1));
    let (Some(least), Some(most)) = (known().min(), known().max()) else { return };
    if height < 2 || columns < 8 {
        return;
    }
    let (bottom, top) = (decade_below(least), decade_above(most));
    let (faint, dim) = (pen.style(Role::Faint), pen.style(Role::Dim));
    let x = area.x + LABELS;
    for row in 0..height {
        let tick = if row == 0 || row + 1 == height { "┤" } else { "│" };
        pen.put((x - 1, area.y + row), tick, 1, faint);
    }
    let mut side = |row: u16, value: u64| {
        let name = label(Nanos(value));
        pen.put_right((x - 2, area.y + row), &name, LABELS - 2, dim);
    };
    side(0, top);
    side(height - 1, bottom);
    for column in 0..columns {
        let at = usize::from(column) * values.len() / usize::from(columns);
        let Some(Some(value)) = values.get(at) else { continue };
        let eighths = level(value.0.max(1), (bottom, top), height * 8).max(1);
        let style = pen.style(Role::Dim);
        for row in 0..height {
            let above = (height - 1 - row) * 8;
            let filled = eighths.saturating_sub(above).min(8);
            if filled > 0 {
                pen.put((x + column, area.y + row), BLOCKS[usize::from(filled)], 1, style);
            }
        }
    }
    let line = format!("└{}", "─".repeat(usize::from(columns)));
    pen.put((x - 1, area.y + height), &line, columns + 1, faint);
    let (first, last) = (format::clock(from, &pen.look.zone), format::clock(to, &pen.look.zone));
    pen.put((x, area.y + height + 1), &first, columns, faint);
    if columns > cells(text::width(&first) + text::width(&last)) + 2 && first != last {
        pen.put_right((x + columns, area.y + height + 1), &last, columns, faint);
    }
    pen.put((area.x + 1, area.y + height + 1), "p95", 4, faint);
}

/// The power of ten at or below, and above.
fn decade_below(value: u64) -> u64 {
    10_u64.saturating_pow(value.max(1).ilog10())
}

fn decade_above(value: u64) -> u64 {
    decade_below(value).saturating_mul(10)
}

/// How high a value stands on a log scale between two others, of `steps`.
fn level(value: u64, (bottom, top): (u64, u64), steps: u16) -> u16 {
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let log = |value: u64| (value as f64).log10();
    let share = (log(value) - log(bottom)) / (log(top) - log(bottom)).max(f64::EPSILON);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a few hundred")]
    let level = (share.clamp(0.0, 1.0) * f64::from(steps)).round() as u16;
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_even_for_equal_ratios() {
        let between = (decade_below(2_000_000), decade_above(1_820_000_000));
        assert_eq!(between, (1_000_000, 10_000_000_000));
        assert_eq!([1_000_000, 100_000_000, 10_000_000_000].map(|value| level(value, between, 32)), [0, 16, 32]);
        assert_eq!(decade_above(u64::MAX), u64::MAX);
    }
}

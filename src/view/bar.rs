//! Bars: full blocks to an eighth of a cell on the waterfall, thin lines on the list.

use ratatui::style::{Color, Style};

use super::look::Colours;
use super::pen::Pen;
use crate::model::{Nanos, Timestamp};

/// Left blocks of one to seven eighths.
const LEFT: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// Covered intervals looked at within one cell; of more, so many are sampled.
const SAMPLE: usize = 32;

/// A stretch of time over columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) columns: u16,
}

/// The bar of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar<'a> {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// When children ran: merged and in order.
    pub(super) covered: &'a [(Timestamp, Timestamp)],
    pub(super) colour: Color,
    /// What covered time is drawn in; `None`: in a shade of the colour.
    pub(super) rest: Option<Color>,
}

/// What one cell of a bar holds, in eighths from its left edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) column: u16,
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) covered: bool,
}

impl Window {
    fn eighths(self) -> u64 {
        u64::from(self.columns) * 8
    }

    /// Where `at` stands, in eighths of a cell from the left edge, rounded down; at most the right edge.
    fn place(self, at: Timestamp) -> u64 {
        let whole = u128::from(self.to.since(self.from).0).max(1);
        let part = u128::from(at.since(self.from).0);
        let place = part * u128::from(self.eighths()) / whole;
        u64::try_from(place).unwrap_or(u64::MAX).min(self.eighths())
    }

    /// The moment at so many eighths of a cell.
    pub(super) fn moment(self, eighths: u64) -> Timestamp {
        let whole = u128::from(self.to.since(self.from).0);
        let part = whole * u128::from(eighths) / u128::from(self.eighths().max(1));
        self.from.plus(Nanos(u64::try_from(part).unwrap_or(u64::MAX)))
    }

    /// The column in which `at` stands; `None` outside.
    pub(super) fn column(self, at: Timestamp) -> Option<u16> {
        if at < self.from || at > self.to || self.columns == 0 {
            return None;
        }
        Some(u16::try_from(self.place(at) / 8).unwrap_or(u16::MAX).min(self.columns - 1))
    }
}

/// The cells of a bar. At least an eighth of a cell is visible of anything within the window.
pub(super) fn parts(window: Window, bar: &Bar<'_>) -> Vec<Part> {
    if window.columns == 0 || bar.end < window.from || bar.start > window.to {
        return Vec::new();
    }
    let last = window.eighths();
    let start = window.place(bar.start).min(last - 1);
    let end = window.place(bar.end).clamp(start + 1, last);
    let mut parts = Vec::new();
    for column in start / 8..=(end - 1) / 8 {
        let left = column * 8;
        let (from, to) = (start.max(left), end.min(left + 8));
        let eighth = |value: u64| u8::try_from(value - left).unwrap_or(8);
        let covered = mostly_covered(bar.covered, window.moment(from), window.moment(to));
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        parts.push(Part { column, from: eighth(from), to: eighth(to), covered });
    }
    parts
}

/// Whether more than half of the time from `from` to `to` lies in `covered`. Among very many intervals this is estimated
/// from some of them, so that a row costs the same whatever it holds.
fn mostly_covered(covered: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> bool {
    let first = covered.partition_point(|(_, end)| *end <= from);
    let after = covered.partition_point(|(start, _)| *start < to);
    let inside = covered.get(first..after).unwrap_or_default();
    let step = inside.len() / SAMPLE + 1;
    let sum: u128 =
        inside.iter().step_by(step).map(|(start, end)| u128::from((*end).min(to).since((*start).max(from)).0)).sum();
    sum * (step as u128) * 2 > u128::from(to.since(from).0)
}

impl Pen<'_> {
    /// Draws a bar of the waterfall from column `x` of row `y` on.
    pub(super) fn bar(&mut self, (x, y): (u16, u16), window: Window, bar: &Bar<'_>, emphasis: Style) {
        let plain = self.look.ascii || matches!(self.look.colours, Colours::Ansi | Colours::None);
        for part in parts(window, bar) {
            let at = (x.saturating_add(part.column), y);
            let shade = bar.rest.or_else(|| self.look.shade(bar.colour));
            let colour = if part.covered { shade.unwrap_or(bar.colour) } else { bar.colour };
            let Some(cell) = self.buffer.cell_mut(at).filter(|_| self.area.contains(at.into())) else { continue };
            if plain {
                let symbol = plain_symbol(part);
                cell.set_symbol(symbol).set_style(emphasis.fg(bar.colour));
                continue;
            }
            let behind = cell.bg;
            let width = usize::from(part.to.saturating_sub(part.from));
            let symbol = LEFT.get(width).copied().unwrap_or("█");
            if width >= 8 {
                cell.set_symbol("█").set_style(emphasis.fg(colour));
            } else if part.from == 0 {
                cell.set_symbol(symbol).set_style(emphasis.fg(colour));
            } else if part.to == 8 {
                // There are no right blocks: what stays free at the left is drawn over the bar's colour.
                let free = LEFT.get(usize::from(part.from)).copied().unwrap_or(" ");
                cell.set_symbol(free).set_style(emphasis.fg(behind).bg(colour));
            } else {
                let symbol = if part.from >= 4 { "▕" } else { symbol };
                cell.set_symbol(symbol).set_style(emphasis.fg(colour));
            }
        }
    }

    /// Draws a thin line over so many half cells.
    pub(super) fn thin(&mut self, (x, y): (u16, u16), halves: u16, style: Style) {
        let line = "━".repeat(usize::from(halves / 2));
        let used = self.put((x, y), &line, halves / 2, style);
        if halves % 2 == 1 {
            self.put((x + used, y), "╸", 1, style);
        }
    }
}

/// Where there are no shades: glyphs tell own time and covered time apart, and what is thin is a thin stroke.
fn plain_symbol(part: Part) -> &'static str {
    let width = part.to.saturating_sub(part.from);
    match (part.covered, width) {
        (_, 0..=3) if part.from >= 4 => "▕",
        (_, 0..=1) => "▏",
        (_, 2..=3) => "▎",
        (true, _) => "░",
        (false, _) => "█",
    }
}

/// How long the list's line for `duration` is, in half cells of `columns`: logarithmic, from a millisecond to ten seconds.
pub(super) fn log_halves(duration: Nanos, columns: u16) -> u16 {
    let mut halves = 0;
    let all = columns * 2;
    // Whole steps of a logarithm without floating point: each half cell stands for the same factor.
    while halves < all && duration >= log_mark(halves, columns) {
        halves += 1;
    }
    halves.max(1)
}

/// The duration at which a line reaches beyond `halves` half cells.
pub(super) fn log_mark(halves: u16, columns: u16) -> Nanos {
    let decades = 4.0 * f64::from(halves) / f64::from(columns.max(1) * 2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1e6 and 1e10")]
    let nanos = 10_f64.powf(6.0 + decades) as u64;
    Nanos(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { from: Timestamp(1000), to: Timestamp(1800), columns: 10 };

    fn bar(start: u64, end: u64, covered: &[(Timestamp, Timestamp)]) -> Vec<(u16, u8, u8, bool)> {
        let bar = Bar { start: Timestamp(start), end: Timestamp(end), covered, colour: Color::Blue, rest: None };
        parts(WINDOW, &bar).into_iter().map(|part| (part.column, part.from, part.to, part.covered)).collect()
    }

    #[test]
    fn bars_begin_and_end_on_eighths_of_a_cell() {
        assert_eq!(bar(1000, 1080, &[]), [(0, 0, 8, false)]);
        assert_eq!(bar(1040, 1120, &[]), [(0, 4, 8, false), (1, 0, 4, false)]);
        assert_eq!(bar(1000, 1800, &[]).len(), 10);
    }

    #[test]
    fn the_shortest_span_is_an_eighth_of_a_cell_wherever_it_stands() {
        assert_eq!(bar(1000, 1000, &[]), [(0, 0, 1, false)]);
        assert_eq!(bar(1800, 1800, &[]), [(9, 7, 8, false)]);
        assert_eq!(bar(1435, 1436, &[]), [(5, 3, 4, false)]);
    }

    #[test]
    fn what_lies_outside_the_window_is_cut_off() {
        assert_eq!(bar(0, 999, &[]), []);
        assert_eq!(bar(1801, 2000, &[]), []);
        assert_eq!(bar(0, 1040, &[]), [(0, 0, 4, false)]);
        assert_eq!(bar(1760, 9999, &[]), [(9, 4, 8, false)]);
    }

    #[test]
    fn cells_are_covered_where_children_fill_most_of_them() {
        let covered = [(Timestamp(1050), Timestamp(1160))];
        let cells: Vec<_> = bar(1000, 1240, &covered).into_iter().map(|(_, _, _, covered)| covered).collect();
        assert_eq!(cells, [false, true, false]);
        let many: Vec<_> = (0..400).map(|n| (Timestamp(1000 + 2 * n), Timestamp(1000 + 2 * n + 2))).collect();
        assert!(bar(1000, 1800, &many).iter().all(|(_, _, _, covered)| *covered));
    }

    #[test]
    fn lines_of_the_list_grow_by_the_same_length_for_the_same_factor() {
        let halves = [0, 1, 10, 100, 1000, 10_000, 99_999].map(|ms| log_halves(Nanos::from_millis(ms), 14));
        assert_eq!(halves, [1, 1, 8, 15, 22, 28, 28]);
    }
}

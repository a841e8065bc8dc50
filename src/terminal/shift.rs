//! Finds out whether a frame is the last one scrolled.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;

use super::frame::row;
use super::output::is_blank;

/// Rows are compared in pieces of so many columns: a pane beside the one that scrolled must not hide that it did.
const PIECE: usize = 8;

/// Rows that a frame can have scrolled: a turn of the wheel or two. Of what jumps farther little stays on screen.
const FARTHEST: usize = 12;

/// A band of rows that moves as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// First row of the band.
    pub(super) top: u16,
    /// Last row of the band.
    pub(super) bottom: u16,
    /// Rows that the contents move up; negative: down. Never 0 and never more than the band has.
    pub(super) by: i32,
}

impl Shift {
    /// Where what stands in row `y` after the shift stood before it; `None`: the row has become free.
    pub(super) fn origin(self, y: u16) -> Option<u16> {
        if y < self.top || y > self.bottom {
            return Some(y);
        }
        let origin = u16::try_from(i32::from(y) + self.by).ok()?;
        (self.top..=self.bottom).contains(&origin).then_some(origin)
    }
}

/// What stands in a piece of a row: a number that differs where the piece looks different, and how much is there to draw.
#[derive(Clone, Copy)]
struct Piece {
    hash: u64,
    weight: i64,
}

/// The shift after which the least is to be drawn, as far as that can be guessed; `None` where none seems to help.
pub(super) fn find(shown: &Buffer, next: &Buffer) -> Option<Shift> {
    let (before, after) = (pieces(shown), pieces(next));
    let rows = after.len();
    let farthest = i32::try_from((rows / 2).min(FARTHEST)).unwrap_or_default();
    let stays: Vec<i64> = before.iter().zip(&after).map(|(old, new)| alike(old, new)).collect();
    let mut best = (0, None);
    for by in (-farthest..=farthest).filter(|by| *by != 0) {
        let gain = |y: usize| -> i64 {
            let old = origin(y, by).and_then(|origin| before.get(origin));
            // A row whose origin lies beyond the screen ends every band.
            old.map_or(i64::MIN / 4, |old| alike(old, &after[y]) - stays[y])
        };
        if let Some((top, bottom, sum)) = best_run(rows, gain) {
            let by_rows = usize::try_from(by.unsigned_abs()).unwrap_or_default();
            let freed = if by > 0 { bottom + 1..bottom + 1 + by_rows } else { top.saturating_sub(by_rows)..top };
            let lost: i64 = freed.clone().filter_map(|y| stays.get(y)).sum();
            if sum - lost > best.0 {
                let (top, bottom) = (top.min(freed.start), bottom.max(freed.end.saturating_sub(1)));
                best = (sum - lost, shift(top, bottom.min(rows - 1), by));
            }
        }
    }
    best.1
}

fn shift(top: usize, bottom: usize, by: i32) -> Option<Shift> {
    Some(Shift { top: u16::try_from(top).ok()?, bottom: u16::try_from(bottom).ok()?, by })
}

fn origin(y: usize, by: i32) -> Option<usize> {
    y.checked_add_signed(isize::try_from(by).ok()?)
}

/// The run of rows with the greatest sum of gains: first, last, sum. Kadane's algorithm.
fn best_run(rows: usize, gain: impl Fn(usize) -> i64) -> Option<(usize, usize, i64)> {
    let mut best = None;
    let (mut start, mut sum) = (0, 0_i64);
    for y in 0..rows {
        if sum <= 0 {
            (start, sum) = (y, 0);
        }
        sum = sum.saturating_add(gain(y));
        if sum > best.map_or(0, |(_, _, most)| most) {
            best = Some((start, y, sum));
        }
    }
    best
}

/// How much need not be drawn where `old` already stands in place of `new`.
fn alike(old: &[Piece], new: &[Piece]) -> i64 {
    old.iter().zip(new).filter(|(old, new)| old.hash == new.hash).map(|(_, new)| new.weight).sum()
}

fn pieces(buffer: &Buffer) -> Vec<Vec<Piece>> {
    (0..buffer.area.height).map(|y| row(buffer, y).chunks(PIECE).map(piece).collect()).collect()
}

fn piece(cells: &[Cell]) -> Piece {
    let mut piece = Piece { hash: 0, weight: 1 };
    for cell in cells {
        let mut add = |value: u64| piece.hash = (piece.hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
        add(number(cell.bg));
        if is_blank(cell) {
            continue;
        }
        add(number(cell.fg) << 16 | u64::from(cell.modifier.bits()));
        for letter in cell.symbol().chars() {
            add(u64::from(u32::from(letter)));
        }
        piece.weight += 1;
    }
    piece
}

/// Another number for each colour.
pub(super) fn number(colour: Color) -> u64 {
    match colour {
        Color::Rgb(red, green, blue) => u64::from(u32::from_be_bytes([1, red, green, blue])),
        Color::Indexed(index) => 256 + u64::from(index),
        Color::Reset => 0,
        Color::Black => 1,
        Color::Red => 2,
        Color::Green => 3,
        Color::Yellow => 4,
        Color::Blue => 5,
        Color::Magenta => 6,
        Color::Cyan => 7,
        Color::Gray => 8,
        Color::DarkGray => 9,
        Color::LightRed => 10,
        Color::LightGreen => 11,
        Color::LightYellow => 12,
        Color::LightBlue => 13,
        Color::LightMagenta => 14,
        Color::LightCyan => 15,
        Color::White => 16,
    }
}

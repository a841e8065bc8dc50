//! Two frames → the bytes that turn one into the other.

use ratatui::buffer::{Buffer, Cell};

use super::output::{self, Output};
use super::shift::Shift;

/// Blanks and letters in unchanged cells that are written again rather than jumped over: a jump takes as many bytes.
const JUMP: u16 = 4;

/// The cells of row `y`, counted from the top of `buffer`.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// Writes what turns `shown` into `next`, both of one size, after the rows have been moved by `shift`.
pub(super) fn difference(shown: &Buffer, next: &Buffer, shift: Option<Shift>, out: &mut Output) {
    if let Some(shift) = shift {
        out.scroll((shift.top, shift.bottom), shift.by);
    }
    for y in 0..next.area.height {
        let old = match shift {
            None => Some(y),
            Some(shift) => shift.origin(y),
        };
        let new = row(next, y);
        match old {
            Some(old) => changed(row(shown, old), new, y, out),
            None => draw(new, (0, new.len()), y, out),
        }
    }
}

/// Writes what differs in a row. A wide glyph goes with both its halves, whether it comes, goes or moves: terminals blank the
/// other half of one that is overwritten.
fn changed(old: &[Cell], new: &[Cell], y: u16, out: &mut Output) {
    let mut x = 0;
    while let (Some(before), Some(after)) = (old.get(x), new.get(x)) {
        let (mut old_end, mut new_end) = (x + output::columns(before), x + output::columns(after));
        let same = old_end == new_end && output::look_alike(before, after);
        // Up to where glyphs end in both.
        while old_end != new_end {
            let (cells, end) = if old_end < new_end { (old, &mut old_end) } else { (new, &mut new_end) };
            *end += cells.get(*end).map_or(usize::MAX - *end, output::columns);
        }
        if !same {
            draw(new, (x, new_end.min(new.len())), y, out);
        }
        x = new_end;
    }
}

/// Writes the cells of a row from the first column to before the second.
fn draw(cells: &[Cell], (from, to): (usize, usize), y: u16, out: &mut Output) {
    let mut x = from;
    while let Some(cell) = cells.get(x).filter(|_| x < to) {
        reach(cells, x, y, out);
        let columns = output::columns(cell).min(cells.len() - x);
        out.cell(cell, columns, x + columns >= cells.len());
        x += columns;
    }
}

/// Brings the cursor to column `x`, over a short gap by writing what stands there.
fn reach(cells: &[Cell], x: usize, y: u16, out: &mut Output) {
    let column = u16::try_from(x).unwrap_or(u16::MAX);
    if let Some(at) = out.column_in(y).filter(|at| *at < column && column - at <= JUMP) {
        let gap = cells.get(usize::from(at)..x).unwrap_or_default();
        let jump = if gap.len() == 1 { 3 } else { 4 };
        if gap.len() <= jump && gap.iter().all(|cell| out.is_plain_here(cell)) {
            for cell in gap {
                out.cell(cell, 1, false);
            }
        }
    }
    out.go((column, y));
}

//! Two frames → what is to be written to turn one into the other.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::output::{self, Output};
use super::shift::{self, Shift};

/// Blanks and letters in unchanged cells that are written again rather than jumped over: a jump takes as many bytes.
const JUMP: u16 = 4;

/// The cells of row `y`, counted from the top of `buffer`.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// A run of cells of one row to be written in one style.
#[derive(Clone, Copy, Debug)]
struct Run {
    y: u16,
    /// First column.
    from: usize,
    /// The column after the last.
    to: usize,
    background: Color,
    /// What else must be set: text colour and modifiers; `None` as long as all are blanks.
    ink: Option<(Color, Modifier)>,
}

/// What is to be written for a frame, row by row.
#[derive(Debug, Default)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// What turns `shown` into `next`, both of one size, after the rows have been moved by `shift`.
    pub(super) fn between(shown: &Buffer, next: &Buffer, shift: Option<Shift>) -> Self {
        let mut runs = Self::default();
        for y in 0..next.area.height {
            let old = match shift {
                None => Some(y),
                Some(shift) => shift.origin(y),
            };
            let new = row(next, y);
            match old {
                Some(old) => runs.changed(row(shown, old), new, y),
                None => runs.add(new, (0, new.len()), y),
            }
        }
        runs
    }

    /// What differs in a row. A wide glyph goes with both its halves, whether it comes, goes or moves: terminals blank the other
    /// half of one that is overwritten.
    fn changed(&mut self, old: &[Cell], new: &[Cell], y: u16) {
        let mut x = 0;
        while let (Some(before), Some(after)) = (old.get(x), new.get(x)) {
            let mut new_end = x + output::columns(after);
            if output::look_alike(before, after) {
                x = new_end;
                continue;
            }
            let mut old_end = x + output::columns(before);
            // Up to where glyphs end in both.
            while old_end != new_end {
                let (cells, end) = if old_end < new_end { (old, &mut old_end) } else { (new, &mut new_end) };
                *end += cells.get(*end).map_or(usize::MAX - *end, output::columns);
            }
            self.add(new, (x, new_end.min(new.len())), y);
            x = new_end;
        }
    }

    /// The cells of a row from the first column to before the second.
    fn add(&mut self, cells: &[Cell], (from, to): (usize, usize), y: u16) {
        let mut x = from;
        while let Some(cell) = cells.get(x).filter(|_| x < to) {
            let end = (x + output::columns(cell)).min(cells.len());
            let ink = (!output::is_blank(cell)).then_some((cell.fg, cell.modifier));
            match self.0.last_mut() {
                Some(run)
                    if (run.y, run.to, run.background) == (y, x, cell.bg)
                        && (run.ink == ink || run.ink.is_none() || ink.is_none()) =>
                {
                    run.to = end;
                    run.ink = run.ink.or(ink);
                }
                _ => self.0.push(Run { y, from: x, to: end, background: cell.bg, ink }),
            }
            x = end;
        }
    }

    /// The same ordered by style: to go elsewhere takes fewer bytes than to change colours.
    pub(super) fn by_style(mut self) -> Self {
        self.0.sort_by_key(|run| {
            let (text, modifier) = run.ink.unwrap_or_default();
            (shift::number(run.background), modifier.bits(), shift::number(text))
        });
        self
    }

    /// Writes the cells of `next` that are named here.
    pub(super) fn write(&self, next: &Buffer, out: &mut Output) {
        for run in &self.0 {
            let cells = row(next, run.y);
            let mut x = run.from;
            while let Some(cell) = cells.get(x).filter(|_| x < run.to) {
                reach(cells, x, run.y, out);
                let end = (x + output::columns(cell)).min(cells.len());
                out.cell(cell, end - x, end == cells.len());
                x = end;
            }
        }
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

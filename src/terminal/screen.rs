//! Frames out.

use std::io::{self, BufWriter, Stdout, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::frame::Runs;
use super::output::Output;
use super::shift;

/// Below so many bytes there is nothing to gain by another order.
const FEW: usize = 100;
/// From so many bytes on it is looked whether scrolling would say the same in fewer.
const MUCH: usize = 400;

/// A terminal as something to draw on. Writes only what changed, not a byte where nothing did, by scrolling where that is
/// shorter, and each frame in one piece (DEC mode 2026 where the terminal knows it). Never asks the terminal anything: on a
/// slow line the answer may not come.
#[derive(Debug)]
pub struct Screen<W: Write = BufWriter<Stdout>> {
    out: W,
    /// Whether the terminal has scroll regions.
    scrolls: bool,
    /// What the terminal shows.
    shown: Buffer,
    /// What is drawn for it to show next.
    next: Buffer,
    /// Where the cursor is shown; `None`: it is hidden.
    cursor: Option<Position>,
    /// The bytes of a frame.
    output: Output,
}

impl Screen {
    /// The terminal behind standard output. `scrolls`: it has scroll regions (DECSTBM), as all but the dumbest have.
    ///
    /// # Errors
    /// Where its size cannot be found out.
    pub fn open(scrolls: bool) -> io::Result<Self> {
        crossterm::terminal::size()?;
        Ok(Self::on(BufWriter::with_capacity(64 * 1024, io::stdout()), scrolls))
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// Where they cannot be found out.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// Draws one frame; `draw` fills the buffer and says where the cursor stands, if it is shown.
    ///
    /// # Errors
    /// Where the terminal does not accept output.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<()> {
        let size = self.size()?;
        self.draw_at(size, draw)
    }
}

impl<W: Write> Screen<W> {
    /// A terminal that reads from `out`, its cursor hidden.
    pub fn on(out: W, scrolls: bool) -> Self {
        let nothing = Buffer::empty(Rect::default());
        Self { out, scrolls, shown: nothing.clone(), next: nothing, cursor: None, output: Output::default() }
    }

    /// What is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// The terminal may show anything by now: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.shown = Buffer::empty(Rect::default());
    }

    /// Draws one frame of `columns` by `rows`; `draw` fills the buffer and says where the cursor stands, if it is shown.
    ///
    /// # Errors
    /// Where the terminal does not accept output.
    pub fn draw_at(
        &mut self,
        (columns, rows): (u16, u16),
        draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        let area = Rect::new(0, 0, columns, rows);
        self.output.start();
        if area != self.shown.area {
            self.output.clear();
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.next.reset();
        let cursor = draw(area, &mut self.next);
        self.encode();
        if self.output.bytes.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        self.out.write_all(b"\x1b[?2026h")?;
        if self.cursor.is_some() {
            self.out.write_all(b"\x1b[?25l")?;
        }
        if let Some(position) = cursor {
            self.output.go((position.x, position.y));
            self.output.bytes.extend_from_slice(b"\x1b[?25h");
        }
        self.out.write_all(&self.output.bytes)?;
        self.out.write_all(b"\x1b[?2026l")?;
        self.out.flush()?;
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Puts the bytes that turn what is shown into what is next behind those that are there: the shortest of several ways.
    fn encode(&mut self) {
        let before = self.output.clone();
        let runs = Runs::between(&self.shown, &self.next, None);
        runs.write(&self.next, &mut self.output);
        if self.output.bytes.len() < FEW {
            return;
        }
        self.try_way(&before, &runs.by_style());
        if !self.scrolls || self.output.bytes.len() < MUCH {
            return;
        }
        let Some(shift) = shift::find(&self.shown, &self.next) else { return };
        let mut scrolled = before;
        scrolled.scroll((shift.top, shift.bottom), shift.by);
        self.try_way(&scrolled, &Runs::between(&self.shown, &self.next, Some(shift)).by_style());
    }

    /// Takes `runs` written behind `before`, if that is shorter than what there is.
    fn try_way(&mut self, before: &Output, runs: &Runs) {
        let mut other = before.clone();
        runs.write(&self.next, &mut other);
        if other.bytes.len() < self.output.bytes.len() {
            self.output = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ratatui::style::Style;

    use super::*;

    /// Counts what is written.
    struct Tap<'a>(&'a Cell<usize>);

    impl Write for Tap<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Bytes written for a frame that shows `text`.
    fn written(screen: &mut Screen<Tap<'_>>, count: &Cell<usize>, text: &str) -> usize {
        count.set(0);
        let draw = |_: Rect, buffer: &mut Buffer| {
            buffer.set_string(0, 1, text, Style::new());
            None
        };
        screen.draw_at((80, 24), draw).unwrap();
        count.get()
    }

    #[test]
    fn an_unchanged_frame_writes_not_a_byte_and_a_changed_cell_a_few() {
        let count = Cell::new(0);
        let mut screen = Screen::on(Tap(&count), true);
        assert!(written(&mut screen, &count, "GET /patients 1.82 s") > 20);
        assert_eq!(written(&mut screen, &count, "GET /patients 1.82 s"), 0);
        let few = written(&mut screen, &count, "GET /patients 1.83 s");
        assert!((1..60).contains(&few), "{few}");
    }

    #[test]
    fn another_size_is_drawn_whole_again_at_any_size() {
        let count = Cell::new(0);
        let mut screen = Screen::on(Tap(&count), true);
        written(&mut screen, &count, "x");
        for size in [(1, 1), (0, 0), (80, 24)] {
            screen
                .draw_at(size, |area, buffer| {
                    assert_eq!(buffer.area, area);
                    None
                })
                .unwrap();
        }
        assert!(written(&mut screen, &count, "x") > 0);
    }
}

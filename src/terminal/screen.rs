//! Frames out.

use std::io::{self, BufWriter, Stdout, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// A terminal as something to draw on. Writes only the cells that changed, not a byte where none did, and each frame in one
/// piece (DEC mode 2026 where the terminal knows it). Never asks the terminal anything: on a slow line the answer may not come.
#[derive(Debug)]
pub struct Screen<W: Write = BufWriter<Stdout>> {
    out: CrosstermBackend<W>,
    /// What the terminal shows.
    shown: Buffer,
    /// What is drawn for it to show next.
    next: Buffer,
    /// Where the cursor is shown; `None`: it is hidden.
    cursor: Option<Position>,
}

impl Screen {
    /// The terminal behind standard output.
    ///
    /// # Errors
    /// Where its size cannot be found out.
    pub fn open() -> io::Result<Self> {
        crossterm::terminal::size()?;
        Ok(Self::on(BufWriter::with_capacity(64 * 1024, io::stdout())))
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
    fn on(out: W) -> Self {
        let nothing = Buffer::empty(Rect::default());
        Self { out: CrosstermBackend::new(out), shown: nothing.clone(), next: nothing, cursor: None }
    }

    fn draw_at(
        &mut self,
        (columns, rows): (u16, u16),
        draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        let area = Rect::new(0, 0, columns, rows);
        if area != self.shown.area {
            self.out.clear()?;
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.next.reset();
        let cursor = draw(area, &mut self.next);
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        queue!(self.out, BeginSynchronizedUpdate)?;
        if self.cursor.is_some() {
            self.out.hide_cursor()?;
        }
        self.out.draw(changes.into_iter())?;
        if let Some(position) = cursor {
            self.out.set_cursor_position(position)?;
            self.out.show_cursor()?;
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        Write::flush(&mut self.out)?;
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
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
        let mut screen = Screen::on(Tap(&count));
        assert!(written(&mut screen, &count, "GET /patients 1.82 s") > 20);
        assert_eq!(written(&mut screen, &count, "GET /patients 1.82 s"), 0);
        let few = written(&mut screen, &count, "GET /patients 1.83 s");
        assert!((1..60).contains(&few), "{few}");
    }

    #[test]
    fn another_size_is_drawn_whole_again_at_any_size() {
        let count = Cell::new(0);
        let mut screen = Screen::on(Tap(&count));
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

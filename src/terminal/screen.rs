//! Frames out.

use std::io::{self, BufWriter, Stdout, Write as _};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// The terminal as something to draw on. Writes only the cells that changed, nothing where none did, and each frame in
/// one piece (DEC mode 2026 where the terminal knows it).
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// The terminal behind standard output.
    ///
    /// # Errors
    /// Where its size cannot be found out.
    pub fn open() -> io::Result<Self> {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        let mut terminal = Terminal::new(CrosstermBackend::new(out))?;
        // Clears it. `Terminal::clear` would ask where the cursor is, and fail where the answer takes over 2 s or never comes.
        let (columns, rows) = crossterm::terminal::size()?;
        terminal.resize(Rect::new(0, 0, columns, rows))?;
        Ok(Self { terminal })
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// Where they cannot be found out.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame; `draw` fills the buffer and says where the cursor stands, if it is shown.
    ///
    /// # Errors
    /// Where the terminal does not accept output.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| {
            let area = frame.area();
            if let Some(cursor) = draw(area, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()
    }
}

//! Takes the terminal and gives it back, after a panic too.

use std::io::{self, Write as _};
use std::path::PathBuf;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};

/// Holds the terminal in raw mode on the alternate screen, with mouse and bracketed paste; gives it back when dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where standard output is no terminal or does not obey; it is given back then.
    pub fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let guard = Self(());
        execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. Errors are ignored: where the terminal is gone there is nobody to tell.
pub fn restore() {
    let mut out = io::stdout();
    let _ = queue!(out, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// From now on a panic of any thread restores the terminal, says what happened and where the log is, and ends the program
/// with exit code 101: a program with a dead part would show a picture that is no longer true.
pub fn install_panic_hook(log: Option<PathBuf>) {
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed").to_owned();
        tracing::error!(thread = name, "{panic}");
        let mut err = io::stderr();
        let _ = writeln!(err, "tracefall broke in its thread `{name}`: {panic}");
        if let Some(path) = &log {
            let _ = writeln!(err, "the log is at {}", path.display());
        }
        std::process::exit(101);
    }));
}

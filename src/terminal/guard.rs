//! Takes the terminal and gives it back, after a panic too.

use std::io::{self, Write as _};
use std::path::PathBuf;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, is_raw_mode_enabled,
};
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
    // A frame may have been cut short between its margins, and none leaves the style as it was.
    let _ = out.write_all(b"\x1b[r\x1b[m");
    let _ = queue!(out, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// From now on a panic of any thread restores the terminal (where it was taken), says what happened and where the log is,
/// and ends the program with exit code 101: a program with a dead part would show a picture that is no longer true.
///
/// A panic on a thread that is `spared` at that moment is only logged: whoever spared it catches and answers it.
pub fn install_panic_hook(log: Option<PathBuf>, spared: fn() -> bool) {
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed").to_owned();
        if spared() {
            tracing::error!(thread = name, "caught: {panic}");
            return;
        }
        if is_raw_mode_enabled().unwrap_or(false) {
            restore();
        }
        tracing::error!(thread = name, "{panic}");
        let mut err = io::stderr();
        let _ = writeln!(err, "tracefall broke in its thread `{name}`: {panic}");
        if let Some(path) = &log {
            let _ = writeln!(err, "the log is at {}", path.display());
        }
        std::process::exit(101);
    }));
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::process::{Command, Output};

    use super::*;

    thread_local! {
        static SPARED: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs an ignored test of this file in a process of its own: a panic hook is for the whole process.
    fn alone(test: &str) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("terminal::guard::tests::{test}"), "--ignored", "--nocapture"]);
        command.output().unwrap()
    }

    fn panic_on_a_thread(spared: bool) {
        install_panic_hook(Some(PathBuf::from("/the/log")), || SPARED.get());
        let thread = std::thread::Builder::new().name("poor".to_owned()).spawn(move || {
            SPARED.set(spared);
            panic!("at the end");
        });
        assert!(thread.unwrap().join().is_err());
    }

    #[test]
    #[ignore = "run alone by the tests below"]
    fn child_dies() {
        panic_on_a_thread(false);
    }

    #[test]
    #[ignore = "run alone by the tests below"]
    fn child_lives() {
        panic_on_a_thread(true);
    }

    #[test]
    fn panic_of_any_thread_ends_the_program_and_names_the_log() {
        let output = alone("child_dies");
        assert_eq!(output.status.code(), Some(101));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("`poor`") && err.contains("at the end") && err.contains("/the/log"), "{err}");
        // There was no terminal to restore: nothing may be written where a script reads.
        assert!(!output.stdout.contains(&0x1b));
    }

    #[test]
    fn panic_that_is_spared_is_silent_and_the_program_lives() {
        let output = alone("child_lives");
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8(output.stderr).unwrap().contains("at the end"));
    }
}

//! Copies to the clipboard of the terminal a person sits at, over SSH too.

use std::io::{self, Write as _};

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

/// The longest text that is sent: many terminals drop an OSC 52 sequence above about 100 KB, some without a word.
const LONGEST: usize = 74_000;

/// Asks the terminal to put `text` on the clipboard, by OSC 52. Terminals do not answer, so that it was sent is all that can
/// be known.
///
/// # Errors
/// Where the text is too long for what terminals take, or the terminal does not accept output.
pub fn osc52(text: &str) -> io::Result<()> {
    if text.len() > LONGEST {
        return Err(io::Error::other(format!("{} bytes are more than terminals take ({LONGEST})", text.len())));
    }
    let mut out = io::stdout();
    execute!(out, CopyToClipboard::to_clipboard_from(text))?;
    out.flush()
}

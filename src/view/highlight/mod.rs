//! Code made readable: formatted, cut into tokens, wrapped. Heavy, so it runs on a worker and the state keeps what comes out.

mod json;
mod sql;
mod tokens;
mod wrap;

use std::sync::{Arc, OnceLock};

use syntect::parsing::SyntaxSet;

use crate::app::{Highlighted, Language, Token};

/// Bytes that are formatted and highlighted; longer texts end with a mark.
const MOST: usize = 64 * 1024;

/// Formats and highlights. Loads what it needs when it is first used.
#[derive(Debug, Default)]
pub struct Highlighter {
    syntaxes: OnceLock<SyntaxSet>,
}

impl Highlighter {
    /// `text` formatted over lines of at most `columns` cells, as tokens. Nothing but white space outside strings and comments is
    /// changed by formatting; a text of more than 64 KiB ends with a mark that says so.
    #[must_use]
    pub fn highlight(&self, language: Language, text: &str, columns: u16) -> Highlighted {
        let (start, cut) = bounded(text);
        let formatted = match language {
            Language::Sql => sql::format(start),
            Language::Json => json::format(start),
        };
        let syntaxes = self.syntaxes.get_or_init(SyntaxSet::load_defaults_newlines);
        let lines = tokens::tokens(syntaxes, language, &formatted);
        let mut lines = wrap::wrap(lines, usize::from(columns.max(8)));
        if cut > 0 {
            lines.push(vec![(Token::Comment, format!("… {cut} bytes more; copying takes all of it"))]);
        }
        Arc::new(lines)
    }
}

/// The start of `text`, and how many bytes were left out.
fn bounded(text: &str) -> (&str, usize) {
    if text.len() <= MOST {
        return (text, 0);
    }
    let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (text.get(..end).unwrap_or_default(), text.len() - end)
}

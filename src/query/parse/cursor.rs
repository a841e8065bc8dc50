//! A place in the text of a filter.

use super::ParseError;

/// How deep parentheses, signs and chains may be nested.
const DEEPEST: usize = 48;

/// A place in the text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        self.at += if is_next { expected.len() } else { 0 };
        is_next
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|symbol| !wanted(symbol)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// What was read since `from`.
    pub(super) fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    pub(super) fn fault(&self, at: usize, expected: impl Into<String>) -> ParseError {
        let column = self.text.get(..at).map_or(0, |before| before.chars().count());
        ParseError { column, expected: expected.into() }
    }

    /// Whether a term can end here.
    pub(super) fn at_end(&self) -> bool {
        let rest = self.rest();
        rest.starts_with("&&") || rest.starts_with("||") || self.peek().is_none_or(ends_run)
    }

    /// Takes what stands without quotes: up to white space, `&&`, `||` or a parenthesis that closes none of its own.
    ///
    /// # Errors
    /// Where a parenthesis in it is not closed: whether the next closes that or a group would be a guess.
    pub(super) fn run(&mut self, ends: impl Fn(&str) -> bool) -> Result<&'a str, ParseError> {
        let rest = self.rest();
        let (mut open, mut length) = (0_usize, rest.len());
        for (at, symbol) in rest.char_indices() {
            let here = rest.get(at..).unwrap_or_default();
            let is_end = match symbol {
                '(' => {
                    open += 1;
                    false
                }
                ')' if open > 0 => {
                    open -= 1;
                    false
                }
                ')' => true,
                '&' => here.starts_with("&&"),
                '|' => here.starts_with("||"),
                symbol => symbol.is_whitespace(),
            };
            if is_end || ends(here) {
                length = at;
                break;
            }
        }
        if open > 0 {
            return Err(self.fault(self.at + length, "`)` for the `(` before it, or quotes around both"));
        }
        self.at += length;
        Ok(rest.get(..length).unwrap_or_default())
    }

    /// Goes one level down, unless that is too deep.
    pub(super) fn down<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth >= DEEPEST {
            return Err(self.fault(self.at, format!("no more than {DEEPEST} levels of nesting")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// That a chain of signs of so many links is not too deep.
    pub(super) fn chained(&self, links: usize) -> Result<(), ParseError> {
        if self.depth + links > DEEPEST {
            return Err(self.fault(self.at, format!("no more than {DEEPEST} such signs in a row")));
        }
        Ok(())
    }

    /// The text between the quote at the cursor and the next: `\"` and `\\` stand for themselves without the backslash.
    pub(super) fn quoted_text(&mut self) -> Result<String, ParseError> {
        let from = self.at;
        let mut text = String::new();
        let mut symbols = self.rest().char_indices().skip(1).peekable();
        while let Some((at, symbol)) = symbols.next() {
            match symbol {
                '"' => {
                    self.at = from + at + 1;
                    return Ok(text);
                }
                '\\' => {
                    let escaped = symbols.next_if(|(_, next)| matches!(next, '"' | '\\'));
                    text.push(escaped.map_or('\\', |(_, next)| next));
                }
                _ => text.push(symbol),
            }
        }
        Err(self.fault(self.text.len(), "a closing quote"))
    }
}

/// Whether what stands without quotes ends before it.
fn ends_run(symbol: char) -> bool {
    symbol.is_whitespace() || symbol == ')'
}

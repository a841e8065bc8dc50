//! The form in which equal SQL statements are equal text, whatever values they were called with.

use super::lexer::{Lexer, Token};

/// `sql` on one line, with every value and placeholder as `?`, without comments and a `;` at its end. A list of values
/// behind `IN` or in brackets is one `?`, of the rows behind `VALUES` the first stays: neither says another statement.
///
/// A text that is cut off gives the form of what is there, with its `…`.
pub(super) fn normal(sql: &str) -> String {
    let mut writer = Writer { out: String::with_capacity(sql.len()), ..Writer::default() };
    let mut tokens = Lexer::new(sql);
    while let Some((token, from, end)) = tokens.next() {
        writer.token(token, sql.get(from..end).unwrap_or_default());
    }
    writer.finish()
}

/// Rows behind `VALUES`.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Brackets that are open within a row.
    depth: u32,
    /// A row may begin here.
    awaited: bool,
    /// Where the first row ended in the output.
    first: Option<usize>,
}

/// A list that holds nothing but values so far.
#[derive(Clone, Copy, Debug)]
struct List {
    /// Where its first value stands in the output.
    from: usize,
    /// Brackets that are open, its own included.
    depth: u32,
    /// Where the first of the tuples in it ended.
    first: Option<usize>,
    /// It has a value.
    filled: bool,
}

#[derive(Debug, Default)]
struct Writer {
    out: String,
    /// White space or a comment came since the last token.
    space: bool,
    /// The last word was `IN`, and nothing came since.
    after_in: bool,
    rows: Option<Rows>,
    list: Option<List>,
    cut: bool,
}

impl Writer {
    fn token(&mut self, token: Token, text: &str) {
        match token {
            Token::Space | Token::Comment => {
                self.space = true;
                return;
            }
            Token::Cut => {
                self.cut = true;
                return;
            }
            Token::Value | Token::Placeholder => self.value(),
            Token::Word => self.word(text),
            Token::Symbol(symbol) => self.symbol(symbol, text),
            Token::Name | Token::Variable => self.other(text),
        }
        self.after_in = token == Token::Word && text.eq_ignore_ascii_case("IN");
    }

    fn put(&mut self, text: &str) {
        if self.space && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.space = false;
        self.out.push_str(text);
    }

    fn value(&mut self) {
        self.leave_rows();
        if let Some(list) = &mut self.list {
            list.filled = true;
        }
        self.put("?");
    }

    fn word(&mut self, text: &str) {
        let constant = matches!(text.len(), 4 | 5 | 7)
            && ["NULL", "TRUE", "FALSE", "DEFAULT"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if constant && (self.list.is_some() || self.rows.is_some_and(|rows| rows.depth > 0)) {
            return self.value();
        }
        self.other(text);
        if text.eq_ignore_ascii_case("VALUES") {
            self.rows = Some(Rows { depth: 0, awaited: true, first: None });
        }
    }

    fn other(&mut self, text: &str) {
        self.leave_rows();
        self.list = None;
        self.put(text);
    }

    /// Between two rows stands a comma and nothing else.
    fn leave_rows(&mut self) {
        self.rows = self.rows.filter(|rows| rows.depth > 0);
    }

    fn symbol(&mut self, symbol: u8, text: &str) {
        match symbol {
            b'(' | b'[' => self.open(symbol, text),
            b')' | b']' => self.close(symbol, text),
            b',' => {
                if let Some(rows) = self.rows.as_mut().filter(|rows| rows.depth == 0) {
                    rows.awaited = !rows.awaited;
                }
                self.put(text);
            }
            _ => self.other(text),
        }
    }

    fn open(&mut self, symbol: u8, text: &str) {
        match &mut self.rows {
            Some(rows) if symbol == b'(' && (rows.depth > 0 || rows.awaited) => {
                rows.depth = rows.depth.saturating_add(1);
                rows.awaited = false;
            }
            _ => self.leave_rows(),
        }
        self.put(text);
        let begins = self.after_in || symbol == b'[';
        match &mut self.list {
            Some(list) => list.depth = list.depth.saturating_add(1),
            None if begins => self.list = Some(List { from: self.out.len(), depth: 1, first: None, filled: false }),
            None => {}
        }
    }

    fn close(&mut self, symbol: u8, text: &str) {
        if let Some(list) = &mut self.list {
            list.depth -= 1;
            if list.depth == 0 {
                self.shorten_list();
            }
        }
        self.put(text);
        if let Some(list) = &mut self.list {
            list.first.get_or_insert(self.out.len());
        }
        let Some(rows) = self.rows.as_mut().filter(|_| symbol == b')') else { return };
        if rows.depth == 0 {
            self.rows = None;
            return;
        }
        rows.depth -= 1;
        if rows.depth == 0 {
            self.list = None;
            let first = *rows.first.get_or_insert(self.out.len());
            self.out.truncate(first);
        }
    }

    /// Ends a list of values as one value, and a list of tuples as its first.
    fn shorten_list(&mut self) {
        let Some(list) = self.list.take().filter(|list| list.filled) else { return };
        self.space = false;
        if let Some(end) = list.first {
            self.out.truncate(end);
        } else {
            self.out.truncate(list.from);
            self.out.push('?');
        }
    }

    fn finish(mut self) -> String {
        if let Some(first) = self.rows.filter(|rows| rows.depth > 0 || rows.awaited).and_then(|rows| rows.first) {
            self.out.truncate(first);
        } else {
            self.shorten_list();
        }
        if self.cut {
            self.out.push('…');
        } else {
            let end = self.out.trim_end_matches([' ', ';']).len();
            self.out.truncate(end);
        }
        self.out
    }
}

//! The form in which equal SQL statements are equal text, whatever values they were called with.

use std::borrow::Cow;

use super::lexer::{Lexer, Token};

/// `sql` on one line, with every value and placeholder as `?`, without comments and a `;` at its end. A list of values
/// behind `IN` or in brackets is one `?`, of the rows behind `VALUES` the first stays: neither says another statement.
///
/// A text that is cut off gives the form of what is there, with its `…`.
pub(super) fn normal(sql: &str) -> Cow<'_, str> {
    // A mark of a cut is one at the end only.
    let sql = sql.trim_ascii_end();
    let mut writer = Writer { sql, ..Writer::default() };
    let mut tokens = Lexer::new(sql);
    while let Some((token, from, end)) = tokens.next() {
        writer.token(token, (from, end));
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
struct Writer<'a> {
    sql: &'a str,
    out: String,
    /// What comes next in the output as it stands in the text, from where to where: it is copied in one go.
    kept: (usize, usize),
    /// White space or a comment came since the last token.
    space: bool,
    /// The last word was `IN`, and nothing came since.
    after_in: bool,
    /// A `;` that nothing has followed so far, and whether white space came before it: at the end it is left out.
    ended: Option<((usize, usize), bool)>,
    rows: Option<Rows>,
    list: Option<List>,
    cut: bool,
}

impl<'a> Writer<'a> {
    #[inline]
    fn token(&mut self, token: Token, at: (usize, usize)) {
        match token {
            Token::Space | Token::Comment => {
                self.space = true;
                return;
            }
            Token::Cut => {
                self.cut = true;
                return;
            }
            Token::Symbol(b';') => {
                if self.ended.is_none() {
                    self.ended = Some((at, self.space));
                    self.space = false;
                }
                return;
            }
            _ => {}
        }
        if let Some((ended, space)) = self.ended.take() {
            let after = std::mem::replace(&mut self.space, space);
            self.other(ended);
            (self.space, self.after_in) = (after, false);
        }
        match token {
            Token::Space | Token::Comment | Token::Cut => {}
            Token::Value | Token::Placeholder => self.value(at),
            Token::Word => return self.word(at),
            Token::Symbol(symbol) => self.symbol(symbol, at),
            Token::Name | Token::Variable => self.other(at),
        }
        self.after_in = false;
    }

    /// Copies what is kept, so that the output can be added to and its length be known.
    fn flush(&mut self) {
        let (from, end) = self.kept;
        self.out.push_str(self.sql.get(from..end).unwrap_or_default());
        self.kept = (end, end);
    }

    /// Puts the text at `at` into the output.
    #[inline]
    fn put(&mut self, (from, end): (usize, usize)) {
        let kept = self.kept.1;
        let blank = from == kept + 1 && self.sql.as_bytes().get(kept) == Some(&b' ');
        // Directly behind what is kept, or behind one blank: nothing changes.
        if from == kept || (blank && self.space && !self.is_empty()) {
            self.kept.1 = end;
        } else {
            self.gap();
            self.kept = (from, end);
        }
        self.space = false;
    }

    fn is_empty(&self) -> bool {
        self.out.is_empty() && self.kept.0 == self.kept.1
    }

    /// Copies what is kept, and a blank where there was white space.
    fn gap(&mut self) {
        self.flush();
        if self.space && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.space = false;
    }

    fn value(&mut self, (from, end): (usize, usize)) {
        self.leave_rows();
        if let Some(list) = &mut self.list {
            list.filled = true;
        }
        if self.sql.get(from..end) == Some("?") {
            return self.put((from, end));
        }
        if self.out.capacity() == 0 {
            self.out.reserve(self.sql.len() + 1);
        }
        self.gap();
        self.out.push('?');
        self.kept = (end, end);
    }

    #[inline]
    fn word(&mut self, (from, end): (usize, usize)) {
        let is = |word: &str| self.sql.get(from..end).is_some_and(|text| text.eq_ignore_ascii_case(word));
        let (mut values, mut in_list) = (false, false);
        match end - from {
            2 => in_list = is("IN"),
            6 => values = is("VALUES"),
            4 | 5 | 7 if self.list.is_some() || self.rows.is_some_and(|rows| rows.depth > 0) => {
                // Glued to something else it would be read otherwise once it is a `?`.
                let next = self.sql.get(end..).unwrap_or_default();
                let alone = next.is_empty()
                    || next.starts_with([' ', '\t', '\n', '\r', ',', ')', ']', ';'])
                    || next.starts_with("--")
                    || next.starts_with("/*");
                if alone && ["NULL", "TRUE", "FALSE", "DEFAULT"].into_iter().any(is) {
                    self.after_in = false;
                    return self.value((from, end));
                }
            }
            _ => {}
        }
        self.other((from, end));
        self.after_in = in_list;
        if values {
            self.rows = Some(Rows { depth: 0, awaited: true, first: None });
        }
    }

    #[inline]
    fn other(&mut self, at: (usize, usize)) {
        self.leave_rows();
        self.list = None;
        self.put(at);
    }

    /// Between two rows stands a comma and nothing else.
    fn leave_rows(&mut self) {
        self.rows = self.rows.filter(|rows| rows.depth > 0);
    }

    fn symbol(&mut self, symbol: u8, text: (usize, usize)) {
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

    fn open(&mut self, symbol: u8, text: (usize, usize)) {
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
            None if begins => {
                self.flush();
                self.list = Some(List { from: self.out.len(), depth: 1, first: None, filled: false });
            }
            None => {}
        }
    }

    fn close(&mut self, symbol: u8, text: (usize, usize)) {
        if let Some(list) = &mut self.list {
            list.depth -= 1;
            if list.depth == 0 {
                self.shorten_list();
            }
        }
        self.put(text);
        if self.list.is_none() && self.rows.is_none() {
            return;
        }
        self.flush();
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
        self.flush();
        self.space = false;
        if let Some(end) = list.first {
            self.out.truncate(end);
        } else {
            self.out.truncate(list.from);
            self.out.push('?');
        }
    }

    fn finish(mut self) -> Cow<'a, str> {
        let Self { sql, cut, .. } = self;
        let simple = self.rows.is_none() && self.list.is_none();
        if simple && self.out.is_empty() && !cut {
            let kept = sql.get(self.kept.0..self.kept.1).unwrap_or_default();
            return Cow::Borrowed(kept);
        }
        self.flush();
        if let Some(first) = self.rows.filter(|rows| rows.depth > 0 || rows.awaited).and_then(|rows| rows.first) {
            self.out.truncate(first);
            self.space = false;
        } else {
            self.shorten_list();
        }
        if cut {
            if self.space && !self.out.is_empty() {
                self.out.push(' ');
            }
            self.out.push('…');
        }
        Cow::Owned(self.out)
    }
}

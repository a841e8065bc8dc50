//! SQL text → tokens, in one pass and for any text: cut off, of mixed dialects, or no SQL at all.
//!
//! Every byte belongs to exactly one token, nothing is allocated, and no byte is looked at more than a few times, so that
//! the cost is linear in the text. What a dialect alone would tell is decided by what stands around it; each rule says how.

/// What a piece of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// White space.
    Space,
    /// `-- …`, `/* … */` (nested ones too).
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Name,
    /// A number or string in any spelling, its sign too.
    Value,
    /// `?`, `?1`, `$1`, `:name`, `@p1`, `%s`, `%(name)s`.
    Placeholder,
    /// `@name`, `@@name`: a variable, or an argument by its name.
    Variable,
    /// One character of anything else.
    Symbol(u8),
    /// The `…` that a label ends in where it was cut.
    Cut,
}

/// The longest name in brackets, in bytes (SQL Server's limit is 128 characters). A bracket that is not closed by then
/// opens something else, and looking for its end costs no more than this.
const LONGEST_BRACKETED: usize = 256;

const CUT: &[u8] = "…".as_bytes();

/// How a UUID is spelled.
const UUID: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// What a byte can begin or continue.
const WORD: u8 = 1;
const DIGIT: u8 = 2;
const SPACE: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => WORD,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => SPACE,
            _ => 0,
        };
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// The tokens of a text, each with where it ends.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    /// Where the next token begins.
    at: usize,
    /// The last token, and the last one that was neither space nor comment.
    last: Option<Token>,
    before: Option<Token>,
    /// A name in backticks came: the dialect is MySQL's, in which double quotes hold values.
    backticks: bool,
    /// Comments do not nest here.
    flat: bool,
    /// Where the last `'` of the text stands, once that was asked for.
    last_quote: Option<usize>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, last: None, before: None, backticks: false, flat: false, last_quote: None }
    }

    /// The next token and the bytes from where to where it goes.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(Token, usize, usize)> {
        let from = self.at;
        let first = *self.text.get(from)?;
        let (token, end) = self.read(first, from);
        self.at = end;
        self.last = Some(token);
        if !matches!(token, Token::Space | Token::Comment) {
            self.before = self.last;
        }
        Some((token, from, end))
    }

    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn is_at(&self, at: usize, class: u8) -> bool {
        is(self.byte(at), class)
    }

    /// The end of the run of bytes of these classes that begins at `from`.
    #[inline]
    fn run(&self, from: usize, class: u8) -> usize {
        let mut at = from;
        while self.text.get(at).is_some_and(|byte| is(*byte, class)) {
            at += 1;
        }
        at
    }

    #[inline]
    fn read(&mut self, first: u8, from: usize) -> (Token, usize) {
        if is(first, WORD | DIGIT) && self.byte(from + 8) == b'-' && self.is_uuid(from) {
            return (Token::Value, from + UUID.len());
        }
        if is(first, WORD) {
            return self.word(first, from);
        }
        if is(first, SPACE) {
            return (Token::Space, self.run(from, SPACE));
        }
        if is(first, DIGIT) {
            return (Token::Value, self.number(from));
        }
        let next = self.byte(from + 1);
        match first {
            b'\'' => (Token::Value, self.string(from, b'\'')),
            b'"' => self.double_quoted(from),
            b'`' => {
                self.backticks = true;
                (Token::Name, self.quoted(from, b'`'))
            }
            b'[' => self.bracketed(from),
            b'-' if next == b'-' => (Token::Comment, self.line(from)),
            b'/' if next == b'*' => (Token::Comment, self.block(from)),
            b'.' if is(next, DIGIT) && !self.is_glued() => (Token::Value, self.number(from)),
            b'+' | b'-' if self.begins_number(from + 1) && !self.is_glued() => (Token::Value, self.number(from + 1)),
            b'?' => (Token::Placeholder, self.run(from + 1, DIGIT)),
            b'$' => self.dollar(from),
            b':' => self.colon(from),
            b'@' => self.at_sign(from),
            b'%' => self.percent(from),
            _ => (Token::Symbol(first), from + 1),
        }
    }

    /// Whether what comes stands right behind a name or a bracket, with nothing between: `a-1` subtracts, `a[1]` picks,
    /// `t.1` names, `a%s` divides.
    #[inline]
    fn is_glued(&self) -> bool {
        let joins = matches!(self.last, Some(Token::Word | Token::Name | Token::Variable));
        joins || matches!(self.last, Some(Token::Symbol(b')' | b']')))
    }

    /// Whether a UUID without quotes stands here, as Cassandra has them.
    fn is_uuid(&self, from: usize) -> bool {
        let Some(text) = self.text.get(from..from + UUID.len()) else { return false };
        let fits = |(byte, form): (&u8, &u8)| if *form == b'-' { *byte == b'-' } else { byte.is_ascii_hexdigit() };
        text.iter().zip(UUID).all(fits) && !self.is_at(from + UUID.len(), WORD | DIGIT)
    }

    fn begins_number(&self, at: usize) -> bool {
        self.is_at(at, DIGIT) || (self.byte(at) == b'.' && self.is_at(at + 1, DIGIT))
    }

    #[inline]
    fn word(&mut self, first: u8, from: usize) -> (Token, usize) {
        if first == CUT[0] && self.text.get(from..) == Some(CUT) {
            return (Token::Cut, self.text.len());
        }
        let mut end = self.run(from + 1, WORD | DIGIT);
        while matches!(self.byte(end), b'$' | b'#') {
            end = self.run(end + 1, WORD | DIGIT);
        }
        // A word that goes to the end may hold the mark of a cut: that is a token of its own.
        if end == self.text.len() && end - from > CUT.len() && self.text.ends_with(CUT) {
            end -= CUT.len();
        }
        // E'', N'', X'', B'', R'', U&'' and q'[]' are strings with a prefix. Right behind a value or `$` it is read alike.
        let prefix = end - from == 1 && matches!(first.to_ascii_lowercase(), b'e' | b'n' | b'x' | b'b' | b'r');
        if prefix && self.byte(end) == b'\'' {
            return (Token::Value, self.string(end, b'\''));
        }
        if (end - from == 1 || (end - from == 2 && first.eq_ignore_ascii_case(&b'n')))
            && self.byte(end - 1).eq_ignore_ascii_case(&b'q')
            && let Some(end) = self.alternative(end)
        {
            return (Token::Value, end);
        }
        if end - from == 1 && first.eq_ignore_ascii_case(&b'u') && self.text.get(end..end + 2) == Some(b"&'") {
            return (Token::Value, self.string(end + 1, b'\''));
        }
        (Token::Word, end)
    }

    /// A number from its first digit or point: whatever is glued to it belongs to it (`0xFF`, `1e-9`, a UUID's start).
    fn number(&self, from: usize) -> usize {
        let hex = self.byte(from) == b'0' && matches!(self.byte(from + 1), b'x' | b'X');
        let mut at = from;
        loop {
            at = self.run(at, WORD | DIGIT);
            let exponent = !hex
                && at > from + 1
                && matches!(self.byte(at - 1), b'e' | b'E')
                && matches!(self.byte(at), b'+' | b'-')
                && self.is_at(at + 1, DIGIT);
            if !exponent && self.byte(at) != b'.' {
                return at;
            }
            at += 1;
        }
    }

    /// The end of a string whose opening quote stands at `from`. A doubled quote and a backslash go on; a text that is cut
    /// off ends it. A backslash before the text's last quote does not save it from ending the string: to PostgreSQL it is
    /// a character as any other, and MySQL's statement would be broken.
    fn string(&mut self, from: usize, quote: u8) -> usize {
        let mut at = from + 1;
        while let Some(found) =
            self.text.get(at..).and_then(|rest| rest.iter().position(|b| *b == quote || *b == b'\\'))
        {
            at += found;
            if self.byte(at) == b'\\' {
                let is_last = quote == b'\'' && self.byte(at + 1) == quote && at + 1 == self.last_quote();
                at += if is_last { 1 } else { 2 };
            } else if self.byte(at + 1) == quote {
                at += 2;
            } else {
                return at + 1;
            }
        }
        self.text.len()
    }

    /// The end of a string as Oracle's `q'[it's]'` has it, whose opening quote stands at `from`; a text that is cut off ends it.
    /// `None` where no sign follows that could enclose it.
    fn alternative(&self, from: usize) -> Option<usize> {
        let opening = self.text.get(from..from + 2).filter(|opening| opening[0] == b'\'')?[1];
        let closing = match opening {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            b'<' => b'>',
            other if other.is_ascii_punctuation() && other != b'\'' => other,
            _ => return None,
        };
        let inside = self.text.get(from + 2..)?;
        let end = inside.windows(2).position(|pair| *pair == [closing, b'\'']);
        Some(end.map_or(self.text.len(), |end| from + 2 + end + 2))
    }

    fn last_quote(&mut self) -> usize {
        let text = self.text;
        *self.last_quote.get_or_insert_with(|| text.iter().rposition(|byte| *byte == b'\'').unwrap_or(0))
    }

    /// The end of a quoted name: only a doubled quote goes on.
    fn quoted(&self, from: usize, quote: u8) -> usize {
        let mut at = from + 1;
        while let Some(found) = self.text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == quote)) {
            at += found + 1;
            if self.byte(at) != quote {
                return at;
            }
            at += 1;
        }
        self.text.len()
    }

    /// Double quotes hold a name by the standard and a value in MySQL. A value: after a backtick anywhere before, or right
    /// after a comparison where no `.` follows.
    fn double_quoted(&mut self, from: usize) -> (Token, usize) {
        let end = self.quoted(from, b'"');
        let compared = matches!(self.before, Some(Token::Symbol(b'=' | b'<' | b'>')));
        if self.backticks || (compared && self.byte(end) != b'.') {
            let end = self.string(from, b'"');
            return (Token::Value, end);
        }
        (Token::Name, end)
    }

    /// `[name]` of SQL Server; a bracket that picks from an array or holds a list is a symbol.
    fn bracketed(&self, from: usize) -> (Token, usize) {
        let inside = self.text.get(from + 1..).unwrap_or_default();
        let inside = inside.get(..LONGEST_BRACKETED).unwrap_or(inside);
        let end = inside.iter().position(|byte| matches!(byte, b']' | b'[' | b'\'' | b',' | b'('));
        match end {
            Some(length) if inside[length] == b']' && self.is_at(from + 1, WORD) && !self.is_glued() => {
                (Token::Name, from + 1 + length + 1)
            }
            _ => (Token::Symbol(b'['), from + 1),
        }
    }

    /// The end of a comment to the end of its line, which stays.
    fn line(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
    }

    /// The end of a block comment; comments within it count.
    ///
    /// Where they do not close in the end, the dialect is one that knows no nesting: the first end counts, from then on.
    fn block(&mut self, from: usize) -> usize {
        let (mut at, mut depth) = (from + 2, 1_u32);
        let mut first_end = None;
        while let Some(found) = self.text.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'*' | b'/')))
        {
            at += found;
            match (self.byte(at), self.byte(at + 1)) {
                (b'*', b'/') if depth == 1 || self.flat => return at + 2,
                (b'*', b'/') => {
                    (depth, at) = (depth - 1, at + 2);
                    first_end.get_or_insert(at);
                }
                (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
                _ => at += 1,
            }
        }
        self.flat = true;
        first_end.unwrap_or(self.text.len())
    }

    /// `$1`, or the text between two equal tags `$tag$` of PostgreSQL.
    fn dollar(&self, from: usize) -> (Token, usize) {
        if self.is_at(from + 1, DIGIT) {
            return (Token::Placeholder, self.run(from + 1, DIGIT));
        }
        let tag_end = self.run(from + 1, WORD | DIGIT) + 1;
        let Some(tag) = self.text.get(from..tag_end).filter(|tag| tag.len() > 1 && tag.ends_with(b"$")) else {
            return (Token::Symbol(b'$'), from + 1);
        };
        let mut at = tag_end;
        while let Some(found) = self.text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'$')) {
            at += found;
            if self.text.get(at..at + tag.len()) == Some(tag) {
                return (Token::Value, at + tag.len());
            }
            at += 1;
        }
        (Token::Value, self.text.len())
    }

    /// `:name` and `:1`; `::type` is a cast and `a:b` a path.
    fn colon(&self, from: usize) -> (Token, usize) {
        if self.byte(from + 1) == b':' {
            return (Token::Symbol(b':'), from + 2);
        }
        if self.is_glued() || !self.is_at(from + 1, WORD | DIGIT) {
            return (Token::Symbol(b':'), from + 1);
        }
        (Token::Placeholder, self.run(from + 1, WORD | DIGIT))
    }

    /// `@p1` and `@1`, as drivers number what they bind; other names belong to the statement.
    fn at_sign(&self, from: usize) -> (Token, usize) {
        let name = if self.byte(from + 1) == b'@' { from + 2 } else { from + 1 };
        let end = self.run(name, WORD | DIGIT);
        if end == name {
            return (Token::Symbol(b'@'), name);
        }
        let digits = if matches!(self.byte(name), b'p' | b'P') { name + 1 } else { name };
        let numbered = name == from + 1 && digits < end && self.run(digits, DIGIT) == end;
        (if numbered { Token::Placeholder } else { Token::Variable }, end)
    }

    /// `%s`, `%d` and `%(name)s`; elsewhere it divides.
    fn percent(&self, from: usize) -> (Token, usize) {
        let letter = |at: usize| matches!(self.byte(at), b's' | b'd') && !self.is_at(at + 1, WORD | DIGIT);
        if !self.is_glued() && letter(from + 1) {
            return (Token::Placeholder, from + 2);
        }
        if self.byte(from + 1) == b'(' {
            let end = self.run(from + 2, WORD | DIGIT);
            if end > from + 2 && self.byte(end) == b')' && letter(end + 1) {
                return (Token::Placeholder, end + 2);
            }
        }
        (Token::Symbol(b'%'), from + 1)
    }
}

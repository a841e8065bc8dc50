//! A cursor over JSON text: tokens in order, without building anything.

use std::borrow::Cow;

use memchr::memchr2;

use super::Fault;
use super::scalar::unescape;

/// A place in the text of a body.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// The brackets that [`Cursor::skip`] has open; kept for its allocation only.
    brackets: Vec<u8>,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, brackets: Vec::new() }
    }

    /// How many bytes were read.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back to a place it has been at.
    #[inline]
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// The first byte of the next token, which is not consumed; `None` at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Consumes the next token if it is the punctuation `byte`.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Consumes the next token if it is the literal `word`.
    #[inline]
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    /// After an element: whether another follows before `end`, which is consumed otherwise.
    #[inline]
    pub(super) fn more(&mut self, end: u8) -> Result<bool, Fault> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.broken("expected a comma or the end of what was opened")),
        }
    }

    /// A member's name, with the colon after it consumed.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Quoted<'a>, Fault> {
        let Some(name) = self.string()? else { return Err(self.broken("expected a member's name")) };
        if !self.take(b':') {
            return Err(self.broken("expected a colon"));
        }
        Ok(name)
    }

    /// The next token if it is a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Option<Quoted<'a>>, Fault> {
        if !self.take(b'"') {
            return Ok(None);
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = &self.text[self.at..];
            match memchr2(b'"', b'\\', rest) {
                Some(place) if rest[place] == b'"' => {
                    let raw = &self.text[start..self.at + place];
                    self.at += place + 1;
                    return Ok(Some(Quoted { raw, escaped }));
                }
                Some(place) if place + 2 <= rest.len() => {
                    escaped = true;
                    self.at += place + 2;
                }
                _ => return Err(self.broken("a string does not end")),
            }
        }
    }

    /// The next token if it is a number. Python's `json` writes the numbers that JSON lacks as bare words.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        self.peek();
        let start = self.at;
        if ["NaN", "Infinity", "-Infinity"].iter().any(|word| self.take_word(word)) {
            return Some(&self.text[start..self.at]);
        }
        self.at += usize::from(self.here(b"-"));
        let mut fine = self.digits();
        if fine && self.here(b".") {
            self.at += 1;
            fine = self.digits();
        }
        if fine && self.here(b"eE") {
            self.at += 1;
            self.at += usize::from(self.here(b"+-"));
            fine = self.digits();
        }
        if fine {
            return Some(&self.text[start..self.at]);
        }
        self.at = start;
        None
    }

    fn here(&self, set: &[u8]) -> bool {
        self.text.get(self.at).is_some_and(|byte| set.contains(byte))
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at > start
    }

    /// Passes over the next value, whatever it is, to any depth.
    ///
    /// Only here is a text found to be no JSON at all: whoever cannot make sense of a value goes back and skips it.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        self.brackets.clear();
        loop {
            if self.opens()? {
                continue;
            }
            loop {
                let Some(&end) = self.brackets.last() else { return Ok(()) };
                if self.more(end)? {
                    if end == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.brackets.pop();
            }
        }
    }

    /// Consumes a value without structure or an empty one, or the opening of one; then a value must follow.
    fn opens(&mut self) -> Result<bool, Fault> {
        let end = match self.peek() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => return self.skip_scalar().map(|()| false),
        };
        self.at += 1;
        if self.take(end) {
            return Ok(false);
        }
        self.brackets.push(end);
        if end == b'}' {
            self.name()?;
        }
        Ok(true)
    }

    fn skip_scalar(&mut self) -> Result<(), Fault> {
        let known = self.string()?.is_some()
            || ["null", "true", "false"].iter().any(|word| self.take_word(word))
            || self.number().is_some();
        if known { Ok(()) } else { Err(self.broken("expected a value")) }
    }

    /// The text is no JSON, as is seen here.
    pub(super) fn broken(&self, what: &'static str) -> Fault {
        Fault::Broken { at: self.at, what }
    }
}

/// A string as it stands between its quotes.
pub(super) struct Quoted<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Quoted<'a> {
    /// The bytes it stands for, where that needs no work.
    #[inline]
    pub(super) fn verbatim(&self) -> Option<&'a [u8]> {
        (!self.escaped).then_some(self.raw)
    }

    /// Appends the bytes it stands for.
    pub(super) fn unescape_to(&self, out: &mut Vec<u8>) -> Result<(), Fault> {
        unescape(self.raw, out).ok_or(Fault::Malformed)
    }

    /// The bytes it stands for.
    #[inline]
    pub(super) fn plain(&self) -> Result<Cow<'a, [u8]>, Fault> {
        if let Some(bytes) = self.verbatim() {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = Vec::with_capacity(self.raw.len());
        self.unescape_to(&mut bytes)?;
        Ok(Cow::Owned(bytes))
    }
}

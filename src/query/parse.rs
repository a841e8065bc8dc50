//! Text → [`Query`].
//!
//! ```text
//! query = { term }
//! term  = [ "-" ] ( key cmp value | word | phrase )
//! cmp   = "=" | "!=" | ">" | ">=" | "<" | "<=" | ":"
//! key   = name | "@" name | quoted
//! value = run | quoted
//! ```
//!
//! One pass from left to right, linear in the text. What the language will have and has not yet is refused by name.

use super::literal::{Number, read_duration};
use super::{Comparison, Field, Literal, Query, Term};
use crate::model::TraceId;

/// Where a filter is wrong, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {expected}")]
pub struct ParseError {
    /// In characters from the start, from 0.
    pub column: usize,
    /// What was expected there, for a person.
    pub expected: String,
}

/// Reads a filter.
///
/// # Errors
/// Where the text is not a filter: the first fault.
pub fn parse(text: &str) -> Result<Query, ParseError> {
    let mut cursor = Cursor { text, at: 0 };
    let mut terms = Vec::new();
    loop {
        cursor.take_while(char::is_whitespace);
        if cursor.peek().is_none() {
            return Ok(Query { text: text.to_owned(), terms });
        }
        terms.push(term(&mut cursor)?);
    }
}

/// Whether `value` can stand after `=` without quotes and is read as itself.
pub(super) fn is_plain_value(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['"', '=', '<', '>', '~']) && !value.contains(char::is_whitespace)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        self.at += if is_next { expected.len() } else { 0 };
        is_next
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|symbol| !wanted(symbol)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn fault(&self, at: usize, expected: impl Into<String>) -> ParseError {
        let column = self.text.get(..at).map_or(0, |before| before.chars().count());
        ParseError { column, expected: expected.into() }
    }

    fn not_yet(&self, at: usize, what: &str) -> ParseError {
        self.fault(at, format!("{what} not supported yet"))
    }

    fn at_space(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<Term, ParseError> {
    let start = cursor.at;
    let negated = cursor.eat("-");
    if negated && (cursor.at_space() || cursor.peek() == Some('-')) {
        return Err(cursor.fault(cursor.at, "what to exclude, right after the `-`"));
    }
    refuse_later_syntax(cursor)?;
    let from = cursor.at;
    let quoted = cursor.peek() == Some('"');
    let name = if quoted { quoted_text(cursor)? } else { name(cursor).to_owned() };
    let name_end = cursor.at;
    let (field, comparison, value) = match comparison(cursor)? {
        None if quoted && !cursor.at_space() => {
            return Err(cursor.fault(cursor.at, "a space or a comparison after the closing quote"));
        }
        None if quoted => (Field::Text, Comparison::Contains, Literal::Text { text: name, quoted: true }),
        None => word(cursor, from)?,
        // `a!` could not be compared with `=`, because that would be `!=`.
        Some(_) if !quoted && (name.is_empty() || name.ends_with('!')) => {
            return Err(cursor.fault(from, "a name before the comparison, in quotes if it is an odd one"));
        }
        Some(sign) if quoted => attribute(cursor, (name, true), sign)?,
        Some(sign) => pair(cursor, (&name, from), (sign, name_end))?,
    };
    Ok(Term { negated, field, comparison, value, at: (start, cursor.at) })
}

fn refuse_later_syntax(cursor: &Cursor<'_>) -> Result<(), ParseError> {
    let what = match cursor.peek() {
        Some('{') => "TraceQL in `{ }` is",
        Some('(' | ')') => "parentheses are",
        Some('|') => "`||` and pipelines with `|` are",
        Some('&') => "`&&` (not needed: all terms must hold anyway) is",
        Some('!') => "`!` (`-` excludes) is",
        Some('}') => "`}` is",
        _ => return Ok(()),
    };
    Err(cursor.not_yet(cursor.at, what))
}

fn name<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    let rest = cursor.rest();
    let from = cursor.at;
    let mut symbols = rest.char_indices().peekable();
    let mut length = rest.len();
    while let Some((at, symbol)) = symbols.next() {
        let next = symbols.peek().map(|(_, next)| *next);
        let ends = match symbol {
            '=' | '<' | '>' => true,
            '!' => matches!(next, Some('=' | '~')),
            // `http://host` is a word, not a key with a value.
            ':' => !rest.get(at..).is_some_and(|rest| rest.starts_with("://")),
            _ => symbol.is_whitespace(),
        };
        if ends {
            length = at;
            break;
        }
    }
    cursor.at = from + length;
    rest.get(..length).unwrap_or_default()
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Option<Comparison>, ParseError> {
    let at = cursor.at;
    if cursor.eat("=~") || cursor.eat("!~") {
        return Err(cursor.not_yet(at, "regular expressions (`key:te*xt` is contains, with `*` for anything) are"));
    }
    let signs = [
        ("!=", Comparison::NotEqual),
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::More),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
        (":", Comparison::Contains),
    ];
    Ok(signs.iter().find(|(sign, _)| cursor.eat(sign)).map(|(_, comparison)| *comparison))
}

/// The text between the quote at the cursor and the next: `\"` and `\\` stand for themselves without the backslash.
fn quoted_text(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let from = cursor.at;
    let mut text = String::new();
    let mut symbols = cursor.rest().char_indices().skip(1).peekable();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            '"' => {
                cursor.at = from + at + 1;
                return Ok(text);
            }
            '\\' => {
                let escaped = symbols.next_if(|(_, next)| matches!(next, '"' | '\\'));
                text.push(escaped.map_or('\\', |(_, next)| next));
            }
            _ => text.push(symbol),
        }
    }
    Err(cursor.fault(cursor.text.len(), "a closing quote"))
}

type Condition = (Field, Comparison, Literal);

fn word(cursor: &Cursor<'_>, from: usize) -> Result<Condition, ParseError> {
    let text = cursor.text.get(from..cursor.at).unwrap_or_default();
    if matches!(text, "OR" | "AND" | "NOT") {
        return Err(cursor.not_yet(from, &format!("`{text}` (in quotes: a word to look for) is")));
    }
    if let Some(id) = TraceId::from_hex(text).filter(|_| text.len() == 32) {
        return Ok((Field::TraceId, Comparison::Equal, plain(id.to_string())));
    }
    Ok((Field::Text, Comparison::Contains, plain(text.to_owned())))
}

fn plain(text: String) -> Literal {
    Literal::Text { text, quoted: false }
}

/// A value: its text, whether it was quoted, and where it began.
struct Typed {
    text: String,
    quoted: bool,
    at: usize,
}

impl From<Typed> for Literal {
    fn from(typed: Typed) -> Self {
        Self::Text { text: typed.text, quoted: typed.quoted }
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<Typed, ParseError> {
    let at = cursor.at;
    if cursor.peek() == Some('"') {
        let text = quoted_text(cursor)?;
        if !cursor.at_space() {
            return Err(cursor.fault(cursor.at, "a space after the closing quote"));
        }
        return Ok(Typed { text, quoted: true, at });
    }
    let text = cursor.take_while(|symbol| !symbol.is_whitespace());
    if text.is_empty() {
        return Err(cursor.fault(at, "a value"));
    }
    if !is_plain_value(text) {
        return Err(cursor.fault(at, "a value; in quotes if it begins like a comparison"));
    }
    Ok(Typed { text: text.to_owned(), quoted: false, at })
}

/// A condition on a bare name: one of the language's own, or an attribute.
fn pair(
    cursor: &mut Cursor<'_>,
    (name, from): (&str, usize),
    (sign, sign_at): (Comparison, usize),
) -> Result<Condition, ParseError> {
    if let Some(key) = name.strip_prefix('@').filter(|key| !key.is_empty()) {
        return attribute(cursor, (key.to_owned(), false), sign);
    }
    refuse_later_names(cursor, (name, from), sign)?;
    let only = |cursor: &Cursor<'_>, allowed: &[Comparison], words: &str| {
        let fits = allowed.contains(&sign);
        if fits { Ok(()) } else { Err(cursor.fault(sign_at, format!("{words} after `{name}`"))) }
    };
    let equality = [Comparison::Equal, Comparison::NotEqual];
    let text = [Comparison::Equal, Comparison::NotEqual, Comparison::Contains];
    match name {
        "service" | "operation" | "name" => {
            only(cursor, &text, "`=`, `!=` or `:`")?;
            let field = if name == "service" { Field::Service } else { Field::Operation };
            Ok((field, sign, value(cursor)?.into()))
        }
        "minDuration" | "maxDuration" => {
            only(cursor, &[Comparison::Equal], "`=`")?;
            let sign = if name == "minDuration" { Comparison::AtLeast } else { Comparison::AtMost };
            Ok((Field::Duration, sign, duration(cursor)?))
        }
        "duration" if sign == Comparison::Contains => Err(cursor.fault(sign_at, "`>`, `>=`, `<`, `<=` or `=`")),
        "duration" => Ok((Field::Duration, sign, duration(cursor)?)),
        "error" => {
            only(cursor, &equality, "`=`")?;
            Ok((Field::Error, sign, truth(cursor)?))
        }
        "kind" | "span.kind" => {
            only(cursor, &equality, "`=` or `!=`")?;
            let kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
            Ok((Field::Kind, sign, one_of(cursor, &kinds)?))
        }
        "status" | "span.status" => {
            only(cursor, &equality, "`=` or `!=`")?;
            Ok((Field::Status, sign, one_of(cursor, &["ok", "error", "unset"])?))
        }
        "trace_id" | "traceID" | "traceId" => {
            only(cursor, &equality, "`=` or `!=`")?;
            let typed = value(cursor)?;
            let id = TraceId::from_hex(&typed.text)
                .ok_or_else(|| cursor.fault(typed.at, "a trace id: up to 32 hex digits"))?;
            Ok((Field::TraceId, sign, plain(id.to_string())))
        }
        _ => attribute(cursor, (name.to_owned(), false), sign),
    }
}

/// Names that will mean something: as attributes they would find nothing today and something else tomorrow.
fn refuse_later_names(cursor: &Cursor<'_>, (name, at): (&str, usize), sign: Comparison) -> Result<(), ParseError> {
    const NAMES: [&str; 7] = ["traceDuration", "lookback", "since", "until", "limit", "rootName", "rootServiceName"];
    const SCOPES: [&str; 12] = [
        "span.",
        "resource.",
        "scope.",
        "event.",
        "link.",
        "instrumentation.",
        "trace.",
        "root.",
        "parent.",
        "child.",
        "any.",
        "none.",
    ];
    const INTRINSICS: [&str; 14] = [
        "duration",
        "name",
        "kind",
        "status",
        "statusMessage",
        "id",
        "parentID",
        "childCount",
        "rootName",
        "rootService",
        "timeSinceStart",
        "traceID",
        "spanID",
        "version",
    ];
    if matches!(name, "span.kind" | "span.status") {
        return Ok(());
    }
    if NAMES.contains(&name) {
        return Err(cursor.not_yet(at, &format!("`{name}` (the attribute of that name is `@{name}`) is")));
    }
    if let Some(scope) = SCOPES.iter().find(|scope| name.starts_with(**scope)) {
        let words = format!("the prefix `{scope}` (the attribute of that name is `@{name}`) is");
        return Err(cursor.not_yet(at, &words));
    }
    let scope = matches!(name, "span" | "trace" | "event" | "link" | "instrumentation");
    let after = cursor.rest();
    let word = after.find(|symbol: char| !symbol.is_alphanumeric()).and_then(|end| after.get(..end)).unwrap_or(after);
    if scope && sign == Comparison::Contains && INTRINSICS.contains(&word) {
        return Err(cursor.not_yet(at, &format!("`{name}:{word}` (the attribute is `@{name}`) is")));
    }
    Ok(())
}

fn attribute(cursor: &mut Cursor<'_>, (key, exact): (String, bool), sign: Comparison) -> Result<Condition, ParseError> {
    let typed = value(cursor)?;
    let ordered = !matches!(sign, Comparison::Equal | Comparison::NotEqual | Comparison::Contains);
    if ordered && (typed.quoted || Number::read(&typed.text).is_none()) {
        return Err(cursor.fault(typed.at, "a number"));
    }
    Ok((Field::Attribute { key, exact }, sign, typed.into()))
}

fn duration(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    let typed = value(cursor)?;
    let fault = || cursor.fault(typed.at, "a duration with its unit, such as 100ms, 1.5s, 10us, 2m or 1h");
    read_duration(&typed.text).map(Literal::Duration).ok_or_else(fault)
}

fn truth(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    let typed = value(cursor)?;
    match typed.text.as_str() {
        "true" => Ok(Literal::Bool(true)),
        "false" => Ok(Literal::Bool(false)),
        _ => Err(cursor.fault(typed.at, "true or false (an attribute named error is `@error`)")),
    }
}

fn one_of(cursor: &mut Cursor<'_>, names: &[&str]) -> Result<Literal, ParseError> {
    let typed = value(cursor)?;
    let known = names.iter().find(|name| name.eq_ignore_ascii_case(&typed.text));
    let known = known.ok_or_else(|| cursor.fault(typed.at, format!("one of {}", names.join(", "))))?;
    Ok(plain((*known).to_owned()))
}

//! Words, phrases and pairs.

use super::ParseError;
use super::check::regex;
use super::cursor::Cursor;
use super::key::{Key, Named, key, scoped};
use crate::model::{Kind, SpanId, StatusCode, TraceId};
use crate::query::field::{Attribute, Field, Type};
use crate::query::literal::{Literal, Moment, Number, read_duration};
use crate::query::{Comparison, Condition, Expr, Relation, Says};

/// A pair, a word or a phrase.
pub(super) fn pair(cursor: &mut Cursor<'_>) -> Result<Says, ParseError> {
    let from = cursor.at;
    if cursor.peek() == Some('"') {
        return phrase(cursor);
    }
    if matches!(cursor.peek(), Some('{' | '}')) {
        return Err(cursor.fault(from, "a `{` at the start of a term, before its `}`"));
    }
    let Some(key) = key(cursor)? else { return word(cursor) };
    let (field, name) = match key.named {
        Named::Attribute(attribute) => (Field::Attribute(attribute), String::new()),
        Named::Field(field, ref name) => (field, name.clone()),
        Named::Name(ref name) => match bound(cursor, name, (&key, from))? {
            Some(says) => return Ok(says),
            None => named(cursor, (key.of, name), from)?,
        },
    };
    let value = condition(cursor, &field, (&name, key.sign, key.sign_at))?;
    Ok(Says::Spans(Expr::Is(Condition { of: key.of, field, comparison: key.sign, value })))
}

/// What a bare name stands for.
fn named(cursor: &Cursor<'_>, (of, name): (Relation, &str), from: usize) -> Result<(Field, String), ParseError> {
    if let Some(field) = Field::bare(name) {
        return Ok((field, name.to_owned()));
    }
    if of != Relation::Own && Relation::WITH_PREFIX.iter().any(|other| name.starts_with(other.prefix())) {
        return Err(cursor.fault(from, format!("one relation only (the attribute is `{}@{name}`)", of.prefix())));
    }
    let (scope, key) = scoped(name);
    if key.is_empty() {
        return Err(cursor.fault(from, format!("the name of an attribute after `{name}`")));
    }
    Ok((Field::Attribute(Attribute { scope, key: key.to_owned(), exact: false }), name.to_owned()))
}

fn phrase(cursor: &mut Cursor<'_>) -> Result<Says, ParseError> {
    let text = cursor.quoted_text()?;
    let sign_at = cursor.at;
    let Some(sign) = super::key::comparison(cursor) else {
        if !cursor.at_end() {
            return Err(cursor.fault(cursor.at, "a space or a comparison after the closing quote"));
        }
        let value = Literal::Text { text, quoted: true };
        return Ok(Says::Spans(Expr::is(Field::Text, Comparison::Contains, value)));
    };
    let field = Field::Attribute(Attribute { scope: crate::query::field::Scope::Anywhere, key: text, exact: true });
    let value = condition(cursor, &field, ("", sign, sign_at))?;
    Ok(Says::Spans(Expr::is(field, sign, value)))
}

fn word(cursor: &mut Cursor<'_>) -> Result<Says, ParseError> {
    let from = cursor.at;
    let text = cursor.run(|_| false)?;
    if text.is_empty() {
        return Err(cursor.fault(from, "a term: `key=value`, a word, `(` or `{`"));
    }
    let joint = ["OR", "AND", "NOT"]
        .into_iter()
        .find(|joint| text.strip_prefix(*joint).is_some_and(|after| after.is_empty() || after.starts_with(['(', '{'])));
    if let Some(joint) = joint {
        return Err(cursor.fault(from, format!("a term (in quotes, `{joint}` is a word to look for)")));
    }
    let (field, text) = match id(text) {
        Some((field, id)) => (field, id),
        None => (Field::Text, text.to_owned()),
    };
    let sign = if field == Field::Text { Comparison::Contains } else { Comparison::Equal };
    Ok(Says::Spans(Expr::is(field, sign, Literal::plain(text))))
}

/// A trace id or a span id by itself: as hex digits, as AWS X-Ray writes it, or within a W3C `traceparent`. Some servers show a trace id
/// without the zeros that it begins with: a few may lack.
pub(super) fn id(text: &str) -> Option<(Field, String)> {
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let trace = match (&parts[..], text.len()) {
        ([id], 28..=32) => TraceId::from_hex(id),
        ([id], 16) => return SpanId::from_hex(id).map(|id| (Field::SpanId, id.to_string())),
        (["1", time, rest], 35) if time.len() == 8 && rest.len() == 24 => TraceId::from_hex(&format!("{time}{rest}")),
        ([version, trace, span, flags], 55)
            if (version.len(), trace.len(), flags.len()) == (2, 32, 2) && hex(version) && hex(span) && hex(flags) =>
        {
            TraceId::from_hex(trace)
        }
        _ => None,
    };
    trace.map(|id| (Field::TraceId, id.to_string()))
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

/// Reads a value; `what`: which kind of value is expected.
fn value(cursor: &mut Cursor<'_>, what: &str) -> Result<Typed, ParseError> {
    let at = cursor.at;
    if cursor.peek() == Some('"') {
        let text = cursor.quoted_text()?;
        if !cursor.at_end() {
            return Err(cursor.fault(cursor.at, "a space after the closing quote"));
        }
        return Ok(Typed { text, quoted: true, at });
    }
    let text = cursor.run(|_| false)?;
    if text.is_empty() {
        return Err(cursor.fault(at, what));
    }
    if text.starts_with(['=', '<', '>', '~']) {
        return Err(cursor.fault(at, "a value; in quotes if it begins like a comparison"));
    }
    Ok(Typed { text: text.to_owned(), quoted: false, at })
}

/// What is compared with a field.
fn condition(
    cursor: &mut Cursor<'_>,
    field: &Field,
    (name, sign, sign_at): (&str, Comparison, usize),
) -> Result<Literal, ParseError> {
    let values = field.values();
    if let Some(signs) = values.refuses(sign) {
        return Err(cursor.fault(sign_at, format!("{signs} after `{name}`")));
    }
    if matches!(sign, Comparison::Matches | Comparison::MatchesNot) {
        let typed = value(cursor, "a regular expression, in quotes if there are spaces in it")?;
        regex(&typed.text).map_err(|fault| cursor.fault(typed.at, fault))?;
        return Ok(typed.into());
    }
    match values {
        Type::Text => Ok(value(cursor, "text, in quotes if there are spaces in it")?.into()),
        Type::Time => duration(cursor),
        Type::Moment => point(cursor),
        Type::Number => number(cursor),
        Type::Truth => truth(cursor),
        Type::Kind => one_of(cursor, (0..=5).map(|kind| (Kind(kind).name(), Literal::Kind(Kind(kind))))),
        Type::Status => {
            let codes = [StatusCode::OK, StatusCode::ERROR, StatusCode::UNSET];
            one_of(cursor, codes.into_iter().map(|code| (code.name(), Literal::Status(code))))
        }
        Type::TraceId => {
            const WHAT: &str = "a trace id: up to 32 hex digits";
            let typed = value(cursor, WHAT)?;
            let id = TraceId::from_hex(&typed.text).map(|id| Literal::plain(id.to_string()));
            id.ok_or_else(|| cursor.fault(typed.at, WHAT))
        }
        Type::SpanId => {
            const WHAT: &str = "a span id: up to 16 hex digits";
            let typed = value(cursor, WHAT)?;
            if typed.text == "nil" && *field == Field::ParentId {
                return Ok(Literal::Nil);
            }
            let id = SpanId::from_hex(&typed.text).map(|id| Literal::plain(id.to_string()));
            id.ok_or_else(|| cursor.fault(typed.at, WHAT))
        }
        Type::Any => any(cursor, sign),
    }
}

fn any(cursor: &mut Cursor<'_>, sign: Comparison) -> Result<Literal, ParseError> {
    let equality = matches!(sign, Comparison::Equal | Comparison::NotEqual);
    let ordered = !equality && sign != Comparison::Contains;
    let what = if ordered {
        "a number"
    } else {
        "a value: a number, true, false, or text, in quotes if there are spaces in it"
    };
    let typed = value(cursor, what)?;
    if equality && !typed.quoted && typed.text == "nil" {
        return Ok(Literal::Nil);
    }
    if ordered && (typed.quoted || Number::read(&typed.text).is_none()) {
        return Err(cursor.fault(typed.at, "a number"));
    }
    Ok(typed.into())
}

fn duration(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    const WHAT: &str = "a duration with its unit, such as 100ms, 1.5s, 10us, 2m or 1h";
    let typed = value(cursor, WHAT)?;
    let fault = || cursor.fault(typed.at, WHAT);
    read_duration(&typed.text).map(Literal::Duration).ok_or_else(fault)
}

/// A moment that stays what it is as time goes on.
fn point(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    const WHAT: &str = "a time, such as 2026-11-21T08:30:00Z";
    let typed = value(cursor, WHAT)?;
    match Moment::read(&typed.text) {
        Some(Moment::At(then)) => Ok(Literal::Moment(then)),
        Some(Moment::Ago(_)) | None => Err(cursor.fault(typed.at, WHAT)),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    const WHAT: &str = "a whole number";
    let typed = value(cursor, WHAT)?;
    typed.text.parse().map(Literal::Int).map_err(|_error| cursor.fault(typed.at, WHAT))
}

fn truth(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    const WHAT: &str = "true or false (an attribute named error is `@error`)";
    let typed = value(cursor, WHAT)?;
    match typed.text.as_str() {
        "true" => Ok(Literal::Bool(true)),
        "false" => Ok(Literal::Bool(false)),
        _ => Err(cursor.fault(typed.at, WHAT)),
    }
}

fn one_of(
    cursor: &mut Cursor<'_>,
    mut names: impl Iterator<Item = (&'static str, Literal)> + Clone,
) -> Result<Literal, ParseError> {
    let list: Vec<&str> = names.clone().map(|(name, _)| name).collect();
    let what = format!("one of {}", list.join(", "));
    let typed = value(cursor, &what)?;
    let known = names.find(|(name, _)| name.eq_ignore_ascii_case(&typed.text));
    let fault = || cursor.fault(typed.at, what.as_str());
    known.map(|(_, literal)| literal).ok_or_else(fault)
}

/// What limits the whole search, if the name says so.
fn bound(cursor: &mut Cursor<'_>, name: &str, (key, from): (&Key, usize)) -> Result<Option<Says>, ParseError> {
    let known = matches!(name, "limit" | "lookback" | "since" | "until" | "minDuration" | "maxDuration");
    if !known || key.of != Relation::Own && !name.ends_with("Duration") {
        return Ok(None);
    }
    let _ = from;
    if key.sign != Comparison::Equal {
        return Err(cursor.fault(key.sign_at, format!("`=` after `{name}` (the attribute is `@{name}`)")));
    }
    Ok(Some(match name {
        "limit" => {
            const WHAT: &str = "a whole number from 1";
            let typed = value(cursor, WHAT)?;
            let limit = typed.text.parse().ok().filter(|limit| *limit > 0);
            Says::Limit(limit.ok_or_else(|| cursor.fault(typed.at, WHAT))?)
        }
        "lookback" => match duration(cursor)? {
            Literal::Duration(length) => Says::Lookback(length),
            _ => return Ok(None),
        },
        "since" => Says::Since(moment(cursor)?),
        "until" => Says::Until(moment(cursor)?),
        _ => {
            let comparison = if name == "minDuration" { Comparison::AtLeast } else { Comparison::AtMost };
            let value = duration(cursor)?;
            Says::Spans(Expr::Is(Condition { of: key.of, field: Field::Duration, comparison, value }))
        }
    }))
}

fn moment(cursor: &mut Cursor<'_>) -> Result<Moment, ParseError> {
    const WHAT: &str = "how long ago, such as 15m, or a time, such as 2026-11-21T08:30:00Z";
    let typed = value(cursor, WHAT)?;
    Moment::read(&typed.text).ok_or_else(|| cursor.fault(typed.at, WHAT))
}

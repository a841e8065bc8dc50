//! Text → [`Query`].
//!
//! ```text
//! query    = [ any | comparison of aggregates ] { "|" stage } [ "with(" hint { "," hint } ")" ]
//! any      = all { ( "OR" | "||" ) all }
//! all      = term { [ "AND" | "&&" ] term }
//! term     = [ "-" | "!" | "NOT" ] ( "(" any ")" | pair | word | phrase ) | spanset { place spanset }
//! spanset  = "{" [ expression ] "}" | "(" any { "|" stage } ")"
//! place    = [ "!" | "&" ] ( ">" | "<" | ">>" | "<<" | "~" )
//! pair     = key cmp value | key ":" pattern
//! key      = [ relation "." ] ( name | scope "." name | "@" name | quoted )
//! ```
//!
//! One pass from left to right, linear in the text, and not deeper than a bound. `expression` and `stage` are those of
//! `TraceQL`, but that `&&` binds tighter than `||` everywhere.

mod bare;
mod braces;
mod carried;
mod check;
mod cursor;
mod key;
mod pair;
mod stage;

pub(super) use self::bare::follows_set;
pub(super) use self::key::is_plain_name;
pub(super) use self::stage::is_lone;

use self::cursor::Cursor;
use super::field::Field;
use super::literal::Literal;
use super::{Comparison, Expr, Query, Says, Term};

/// Where a filter is wrong, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {expected}")]
pub struct ParseError {
    /// In characters from the start, from 0.
    pub column: usize,
    /// What was expected there, for a person.
    pub expected: String,
}

/// Reads a filter. A statement with a `SQLCommenter` comment, or a header, that carries a trace is the filter for that trace.
///
/// # Errors
/// Where the text is not a filter: the first fault.
pub fn parse(text: &str) -> Result<Query, ParseError> {
    if let Some(trace) = carried::trace(text) {
        let says = Says::Spans(Expr::is(Field::TraceId, Comparison::Equal, Literal::plain(trace)));
        return Ok(Query {
            text: text.to_owned(),
            terms: vec![Term { says, at: (0, text.len()) }],
            ..Query::default()
        });
    }
    let mut cursor = Cursor::new(text);
    let (mut terms, mut stages) = (Vec::new(), Vec::new());
    if let Some(first) = stage::lone(&mut cursor) {
        terms.push(Term { says: Says::Spans(Expr::Braces(None)), at: (first.at.0, first.at.0) });
        stages.push(first);
    } else {
        terms = bare::terms(&mut cursor)?;
    }
    stages.extend(stage::stages(&mut cursor, terms.is_empty())?);
    let mut query = Query { text: text.to_owned(), terms, stages, hints: Vec::new() };
    cursor.skip_space();
    if stage::hints_follow(&cursor) {
        query.hints = stage::hints(&mut cursor)?;
        cursor.skip_space();
    }
    match cursor.peek() {
        None => Ok(query),
        Some(')') => Err(cursor.fault(cursor.at, "an opening `(` before the `)`")),
        Some(_) => Err(cursor.fault(cursor.at, "`|` and a stage, or the end")),
    }
}

/// Whether `value` can stand after `=` without quotes and is read as itself.
pub(super) fn is_plain_value(value: &str) -> bool {
    let mut cursor = Cursor::new(value);
    value != "nil"
        && !value.starts_with(['"', '=', '<', '>', '~'])
        && !value.is_empty()
        && cursor.run(|_| false) == Ok(value)
}

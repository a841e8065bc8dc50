//! Terms without braces, and what joins terms.

use super::braces::braces;
use super::cursor::Cursor;
use super::{ParseError, pair, stage};
use crate::query::spans::{Place, Structural};
use crate::query::{Expr, Says, Term};

/// The terms of a filter, up to its first `|` or its end.
pub(super) fn terms(cursor: &mut Cursor<'_>) -> Result<Vec<Term>, ParseError> {
    let first = conjunction(cursor, true)?;
    if !alternative_follows(cursor) {
        return Ok(first);
    }
    let start = first.first().map_or(0, |term| term.at.0);
    let any = alternatives(cursor, first)?;
    let end = cursor.text.get(..cursor.at).map_or(0, |text| text.trim_end().len());
    Ok(vec![Term { says: Says::Spans(any), at: (start, end) }])
}

/// The alternatives that follow the first one, and that.
fn alternatives(cursor: &mut Cursor<'_>, first: Vec<Term>) -> Result<Expr, ParseError> {
    let mut parts = vec![joined(cursor, first)?];
    while alternative_follows(cursor) {
        let _ = cursor.eat("||") || cursor.eat("OR");
        let next = conjunction(cursor, false)?;
        if next.is_empty() {
            return Err(cursor.fault(cursor.at, "a term after `OR`"));
        }
        parts.push(joined(cursor, next)?);
    }
    Ok(Expr::Any(parts))
}

/// Terms that are not the whole filter as one.
fn joined(cursor: &Cursor<'_>, terms: Vec<Term>) -> Result<Expr, ParseError> {
    let mut parts = Vec::with_capacity(terms.len());
    for term in terms {
        let Says::Spans(part) = term.says else {
            let expected = "this one beside the whole filter: it can stand neither within parentheses nor beside `OR`";
            return Err(cursor.fault(term.at.0, expected));
        };
        parts.push(part);
    }
    let single = if parts.len() == 1 { parts.pop() } else { None };
    Ok(single.unwrap_or(Expr::All(parts)))
}

/// Whether `OR` is next, after space.
fn alternative_follows(cursor: &mut Cursor<'_>) -> bool {
    cursor.skip_space();
    cursor.rest().starts_with("||") || word_follows(cursor, "OR")
}

fn word_follows(cursor: &Cursor<'_>, word: &str) -> bool {
    let after = cursor.rest().strip_prefix(word);
    after.is_some_and(|after| {
        after.chars().next().is_none_or(|symbol| symbol.is_whitespace() || matches!(symbol, '(' | ')' | '{'))
    })
}

/// Terms up to `OR`, `|`, `)` or the end. Only the whole filter can be empty.
fn conjunction(cursor: &mut Cursor<'_>, may_be_empty: bool) -> Result<Vec<Term>, ParseError> {
    let mut terms: Vec<Term> = Vec::new();
    let mut sign = false;
    loop {
        let over = alternative_follows(cursor)
            || matches!(cursor.peek(), None | Some('|' | ')'))
            || (!sign && terms.last().is_some_and(is_set) && stage::hints_follow(cursor));
        if over {
            // What is wrong with a lone `|` or `)` is for the caller to say.
            let rest = cursor.rest();
            let may_end = may_be_empty && !rest.starts_with("||") && (rest.is_empty() || rest.starts_with(['|', ')']));
            if sign || (terms.is_empty() && !may_end) {
                return Err(cursor.fault(cursor.at, "a term: `key=value`, a word, `(` or `{`"));
            }
            return Ok(terms);
        }
        let at = cursor.at;
        if cursor.eat("&&") || (word_follows(cursor, "AND") && cursor.eat("AND")) {
            if terms.is_empty() || sign {
                return Err(cursor.fault(at, "a term before `AND` (in quotes it is a word to look for)"));
            }
            sign = true;
            continue;
        }
        terms.push(term(cursor)?);
        sign = false;
    }
}

fn is_set(term: &Term) -> bool {
    matches!(&term.says, Says::Spans(part) if part.holds_braces())
}

fn term(cursor: &mut Cursor<'_>) -> Result<Term, ParseError> {
    let start = cursor.at;
    let says = match cursor.peek() {
        Some('{' | '(') => Says::Spans(sets(cursor)?),
        _ => operand(cursor)?,
    };
    Ok(Term { says, at: (start, cursor.at) })
}

/// A term that may be negated.
fn operand(cursor: &mut Cursor<'_>) -> Result<Says, ParseError> {
    let start = cursor.at;
    let signed = cursor.eat("-") || (!is_comparison(cursor) && cursor.eat("!"));
    if signed && (cursor.at_end() || cursor.peek() == Some('-')) {
        let sign = cursor.since(start).to_owned();
        return Err(cursor.fault(cursor.at, format!("what to exclude, right after the `{sign}`")));
    }
    let negated = signed || (word_follows(cursor, "NOT") && cursor.eat("NOT"));
    if !negated {
        return pair::pair(cursor);
    }
    cursor.skip_space();
    let at = cursor.at;
    let says = cursor.down(|cursor| match cursor.peek() {
        None | Some(')' | '|') => Err(cursor.fault(cursor.at, "what to exclude, after `NOT`")),
        Some('{') => Ok(Says::Spans(Expr::Braces(None))),
        Some('(') => group(cursor).map(Says::Spans),
        _ => operand(cursor),
    })?;
    match says {
        Says::Spans(part) if part.holds_braces() => {
            Err(cursor.fault(at, "no `{` after a negation: `!` stands within the braces, or `!>>` between them"))
        }
        Says::Spans(part) => Ok(Says::Spans(Expr::Not(Box::new(part)))),
        _ => Err(cursor.fault(at, "a condition on spans: this cannot be excluded")),
    }
}

fn is_comparison(cursor: &Cursor<'_>) -> bool {
    ["!=", "!~"].iter().any(|sign| cursor.rest().starts_with(sign))
}

/// Braces or parentheses and what stands right of them by place.
fn sets(cursor: &mut Cursor<'_>) -> Result<Expr, ParseError> {
    let mut left = set(cursor)?;
    let mut links = 0;
    loop {
        let end = cursor.at;
        cursor.skip_space();
        let at = cursor.at;
        let Some((negated, both, place)) = place(cursor) else {
            cursor.at = end;
            return Ok(left);
        };
        if !left.holds_braces() {
            return Err(cursor.fault(at, "`{ }` on both sides of a structural operator"));
        }
        cursor.skip_space();
        let from = cursor.at;
        if !matches!(cursor.peek(), Some('{' | '(')) {
            return Err(cursor.fault(from, "`{` or `(` after a structural operator"));
        }
        let right = set(cursor)?;
        if !right.holds_braces() {
            return Err(cursor.fault(from, "`{ }` on both sides of a structural operator"));
        }
        links += 1;
        cursor.chained(links)?;
        left = Expr::Structural(Box::new(Structural { left, place, negated, both, right }));
    }
}

fn set(cursor: &mut Cursor<'_>) -> Result<Expr, ParseError> {
    if cursor.peek() == Some('{') { braces(cursor) } else { cursor.down(group) }
}

/// A structural operator: negated, union, which.
fn place(cursor: &mut Cursor<'_>) -> Option<(bool, bool, Place)> {
    let start = cursor.at;
    let negated = cursor.eat("!");
    let both = !negated && !cursor.rest().starts_with("&&") && cursor.eat("&");
    let signs = [
        (">>", Place::Descendant),
        ("<<", Place::Ancestor),
        (">", Place::Child),
        ("<", Place::Parent),
        ("~", Place::Sibling),
    ];
    let found = signs.into_iter().find(|(sign, _)| cursor.eat(sign));
    if found.is_none() {
        cursor.at = start;
    }
    found.map(|(_, place)| (negated, both, place))
}

/// Whether a term of this text, right after a set, would be read as something else than a term.
pub(in crate::query) fn follows_set(text: &str) -> bool {
    place(&mut Cursor::new(text)).is_some() || text == "with" || text.starts_with("with(")
}

/// `( … )`
fn group(cursor: &mut Cursor<'_>) -> Result<Expr, ParseError> {
    let open = cursor.at;
    cursor.eat("(");
    let first = conjunction(cursor, false)?;
    let inner = if alternative_follows(cursor) { alternatives(cursor, first)? } else { joined(cursor, first)? };
    let inner = if cursor.peek() == Some('|') && inner.holds_braces() {
        let stages = stage::stages(cursor, false)?;
        Expr::Piped(Box::new(inner), stages.into_iter().map(|stage| stage.stage).collect())
    } else {
        inner
    };
    cursor.skip_space();
    if !cursor.eat(")") {
        let column = cursor.fault(open, "").column + 1;
        return Err(cursor.fault(cursor.at, format!("`)` for the `(` at column {column}")));
    }
    Ok(inner)
}

/// Braces as a stage, and what is joined to them.
pub(super) fn sets_of_stage(cursor: &mut Cursor<'_>) -> Result<Expr, ParseError> {
    let first = conjunction(cursor, false)?;
    if alternative_follows(cursor) { alternatives(cursor, first) } else { joined(cursor, first) }
}

//! Expressions within `{ }`.

use super::ParseError;
use super::check::{self, Kinds};
use super::cursor::Cursor;
use crate::model::{Kind, StatusCode};
use crate::query::field::{Attribute, Field, Scope};
use crate::query::literal::{Literal, read_duration};
use crate::query::spans::{Aggregate, Arithmetic, FieldExpr};
use crate::query::{Comparison, Expr, Relation};

/// How many values a list may have: each is a comparison of its own.
const LONGEST_LIST: usize = 200;

/// What an expression may look at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// One span.
    Span,
    /// A set of spans: fields stand in aggregates only.
    Set,
}

/// `{ … }`
pub(super) fn braces(cursor: &mut Cursor<'_>) -> Result<Expr, ParseError> {
    let open = cursor.at;
    cursor.eat("{");
    cursor.skip_space();
    if cursor.eat("}") {
        return Ok(Expr::Braces(None));
    }
    let from = cursor.at;
    let expression = expression(cursor, About::Span)?;
    check::logical(&expression).map_err(|fault| cursor.fault(from, fault))?;
    cursor.skip_space();
    if !cursor.eat("}") {
        let column = cursor.fault(open, "").column + 1;
        return Err(
            cursor.fault(cursor.at, format!("a comparison, `&&`, `||` or `}}` for the `{{` at column {column}"))
        );
    }
    Ok(Expr::Braces(Some(expression)))
}

/// An expression.
pub(super) fn expression(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    joined(cursor, "||", &|cursor| joined(cursor, "&&", &|cursor| comparison(cursor, about)))
}

type Part<'p> = &'p dyn Fn(&mut Cursor<'_>) -> Result<FieldExpr, ParseError>;

fn joined(cursor: &mut Cursor<'_>, sign: &str, part: Part<'_>) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    let mut from = cursor.at;
    let mut parts = vec![part(cursor)?];
    loop {
        cursor.skip_space();
        if !cursor.eat(sign) {
            break;
        }
        if let [first] = &parts[..] {
            check::logical(first).map_err(|fault| cursor.fault(from, fault))?;
        }
        cursor.skip_space();
        from = cursor.at;
        let next = part(cursor)?;
        check::logical(&next).map_err(|fault| cursor.fault(from, fault))?;
        parts.push(next);
    }
    let single = if parts.len() == 1 { parts.pop() } else { None };
    let all = if sign == "&&" { FieldExpr::All } else { FieldExpr::Any };
    Ok(single.unwrap_or_else(|| all(parts)))
}

fn comparison(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    let mut left = sum(cursor, about)?;
    let mut links = 0;
    loop {
        cursor.skip_space();
        let at = cursor.at;
        if let Some(sign) = membership(cursor) {
            left = any_of_list(cursor, &left, (sign, at))?;
            continue;
        }
        let Some(sign) = sign(cursor) else { return Ok(left) };
        cursor.skip_space();
        if cursor.peek() == Some('[') {
            left = any_of_list(cursor, &left, (sign, at))?;
            continue;
        }
        let right_at = cursor.at;
        let right = sum(cursor, about).map_err(|fault| as_wanted(cursor, (&left, right_at), fault))?;
        checked(cursor, &left, (sign, at), (&right, right_at))?;
        links += 1;
        cursor.chained(links)?;
        left = FieldExpr::Compare(Box::new(left), sign, Box::new(right));
    }
}

/// A fault where a value begins, in words of what the field left of it takes.
fn as_wanted(cursor: &Cursor<'_>, (left, at): (&FieldExpr, usize), fault: ParseError) -> ParseError {
    let kind = check::kind(left);
    let missing = cursor.text.get(at..).unwrap_or_default().trim_start().starts_with(['}', ')', '|', '&']);
    let few = matches!(kind, Kinds::Status | Kinds::Kind);
    let here = fault.column == cursor.fault(at, "").column && !fault.expected.starts_with("no more");
    let known = (few || missing) && !matches!(kind, Kinds::Any | Kinds::Nil);
    if here && known { cursor.fault(at, kind.wanted()) } else { fault }
}

fn checked(
    cursor: &Cursor<'_>,
    left: &FieldExpr,
    (sign, at): (Comparison, usize),
    (right, right_at): (&FieldExpr, usize),
) -> Result<(), ParseError> {
    let checked = check::comparison(left, sign, right);
    checked.map_err(|(on_value, fault)| cursor.fault(if on_value { right_at } else { at }, fault))
}

/// `IN` and `NOT IN`, as Tempo prints what it made of `=` and `!=` with several values.
fn membership(cursor: &mut Cursor<'_>) -> Option<Comparison> {
    let mut ahead = cursor.clone();
    let mut word = |word: &str| {
        let is_next = ahead.eat(word) && ahead.peek().is_some_and(|symbol| symbol.is_whitespace() || symbol == '[');
        ahead.skip_space();
        is_next
    };
    let sign = if word("NOT") { Comparison::NotEqual } else { Comparison::Equal };
    word("IN").then(|| {
        *cursor = ahead;
        sign
    })
}

/// `[a, b]`, which is as many comparisons: that one of the values is equal, or that none is.
fn any_of_list(
    cursor: &mut Cursor<'_>,
    field: &FieldExpr,
    (sign, at): (Comparison, usize),
) -> Result<FieldExpr, ParseError> {
    if !sign.is_equality() {
        return Err(cursor.fault(at, "`=`, `!=`, `=~` or `!~` before a list of values"));
    }
    if !matches!(field, FieldExpr::Field(..)) {
        return Err(cursor.fault(at, "a field before what compares it with a list of values"));
    }
    if !cursor.eat("[") {
        return Err(cursor.fault(cursor.at, "a list of values, such as `[\"a\", \"b\"]`"));
    }
    let mut parts = Vec::new();
    loop {
        cursor.skip_space();
        let value_at = cursor.at;
        let value = unary(cursor, About::Span)?;
        if !matches!(value, FieldExpr::Literal(_)) {
            return Err(cursor.fault(value_at, "a value as it is: text in quotes, a number, a duration, true or false"));
        }
        checked(cursor, field, (sign, at), (&value, value_at))?;
        if parts.len() == LONGEST_LIST {
            return Err(cursor.fault(value_at, format!("no more than {LONGEST_LIST} values in a list")));
        }
        parts.push(FieldExpr::Compare(Box::new(field.clone()), sign, Box::new(value)));
        cursor.skip_space();
        if cursor.eat("]") {
            break;
        }
        if !cursor.eat(",") {
            return Err(cursor.fault(cursor.at, "`,` or `]`"));
        }
    }
    let single = if parts.len() == 1 { parts.pop() } else { None };
    let one_is_enough = matches!(sign, Comparison::Equal | Comparison::Matches);
    Ok(single.unwrap_or(if one_is_enough { FieldExpr::Any(parts) } else { FieldExpr::All(parts) }))
}

fn sign(cursor: &mut Cursor<'_>) -> Option<Comparison> {
    if cursor.peek() == Some(':') { None } else { super::key::comparison(cursor) }
}

fn sum(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    let signs = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
    chain(cursor, &signs, &|cursor| unary(cursor, about))
}

fn unary(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    let at = cursor.at;
    if cursor.eat("!") {
        let inner = cursor.down(|cursor| unary(cursor, about))?;
        check::logical(&inner).map_err(|fault| cursor.fault(at, fault))?;
        return Ok(FieldExpr::Not(Box::new(inner)));
    }
    if !cursor.eat("-") {
        return product(cursor, about);
    }
    let inner = cursor.down(|cursor| unary(cursor, about))?;
    check::numeric(&inner).map_err(|fault| cursor.fault(at, fault))?;
    Ok(match inner {
        FieldExpr::Literal(Literal::Int(number)) => FieldExpr::Literal(Literal::Int(number.wrapping_neg())),
        FieldExpr::Literal(Literal::Float(number)) => FieldExpr::Literal(Literal::Float(-number)),
        inner => FieldExpr::Negative(Box::new(inner)),
    })
}

fn product(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    let signs = [("*", Arithmetic::Multiply), ("/", Arithmetic::Divide), ("%", Arithmetic::Remainder)];
    chain(cursor, &signs, &|cursor| power(cursor, about))
}

fn chain(cursor: &mut Cursor<'_>, signs: &[(&str, Arithmetic)], part: Part<'_>) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    let mut from = cursor.at;
    let mut left = part(cursor)?;
    let mut links = 0;
    loop {
        cursor.skip_space();
        let Some((_, sign)) = signs.iter().find(|(sign, _)| cursor.eat(sign)) else { return Ok(left) };
        check::numeric(&left).map_err(|fault| cursor.fault(from, fault))?;
        cursor.skip_space();
        from = cursor.at;
        let right = part(cursor)?;
        check::numeric(&right).map_err(|fault| cursor.fault(from, fault))?;
        links += 1;
        cursor.chained(links)?;
        left = FieldExpr::Compute(Box::new(left), *sign, Box::new(right));
    }
}

fn power(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    let from = cursor.at;
    let base = primary(cursor, about)?;
    cursor.skip_space();
    if !cursor.eat("^") {
        return Ok(base);
    }
    check::numeric(&base).map_err(|fault| cursor.fault(from, fault))?;
    let at = cursor.at;
    let exponent = cursor.down(|cursor| power(cursor, about))?;
    check::numeric(&exponent).map_err(|fault| cursor.fault(at, fault))?;
    Ok(FieldExpr::Compute(Box::new(base), Arithmetic::Power, Box::new(exponent)))
}

fn primary(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    let at = cursor.at;
    match cursor.peek() {
        Some('-' | '!') => cursor.down(|cursor| unary(cursor, about)),
        Some('(') => cursor.down(|cursor| {
            cursor.eat("(");
            let inner = expression(cursor, about)?;
            cursor.skip_space();
            if cursor.eat(")") { Ok(inner) } else { Err(cursor.fault(cursor.at, "an operator or `)`")) }
        }),
        Some('"' | '`') => text(cursor),
        Some('0'..='9') => number(cursor).map(FieldExpr::Literal),
        Some('[') => {
            Err(cursor.fault(at, "a field; a list of values stands after `=`, `!=`, `=~`, `!~`, `IN` or `NOT IN`"))
        }
        None | Some('}' | ')' | '|' | '&' | ',' | '=' | '<' | '>' | '~' | '*' | '/' | '%' | '^' | '+') => {
            Err(cursor.fault(at, "a value, or a field such as `span.http.route`, `.foo` or `duration`"))
        }
        Some(_) => named(cursor, about),
    }
}

fn text(cursor: &mut Cursor<'_>) -> Result<FieldExpr, ParseError> {
    let text = if cursor.eat("`") {
        let text = cursor.take_while(|symbol| symbol != '`').to_owned();
        if !cursor.eat("`") {
            return Err(cursor.fault(cursor.at, "a closing backtick"));
        }
        text
    } else {
        cursor.quoted_text()?
    };
    Ok(FieldExpr::Literal(Literal::Text { text, quoted: true }))
}

/// `5`, `1.5`, `2e3`, `100ms`.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<Literal, ParseError> {
    let at = cursor.at;
    let part = |symbol: char| symbol.is_alphanumeric() || symbol == '.';
    cursor.take_while(part);
    let is_exponent = |text: &str| {
        let digits = text.strip_suffix(['e', 'E']);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    };
    if is_exponent(cursor.since(at)) && cursor.rest().starts_with(['+', '-']) {
        let _ = cursor.eat("+") || cursor.eat("-");
        cursor.take_while(|symbol| symbol.is_ascii_digit());
    }
    let text = cursor.since(at);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Literal::Int).map_err(|_error| cursor.fault(at, "a number that fits into 64 bits"));
    }
    if let Some(length) = read_duration(text) {
        return Ok(Literal::Duration(length));
    }
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.map(Literal::Float).ok_or_else(|| cursor.fault(at, "a number, or a duration such as 100ms or 1.5s"))
}

/// What ends the name of an attribute.
pub(super) fn ends_name(symbol: char) -> bool {
    symbol.is_whitespace() || "{}()=~!<>&|^,\"`".contains(symbol)
}

fn named(cursor: &mut Cursor<'_>, about: About) -> Result<FieldExpr, ParseError> {
    let at = cursor.at;
    if let Some((of, scope)) = prefix(cursor) {
        let name_at = cursor.at;
        let (key, exact) = attribute(cursor)?;
        if key.is_empty() && !exact {
            return Err(cursor.fault(name_at, "the name of an attribute"));
        }
        if about == About::Set {
            return Err(cursor.fault(at, "an attribute only within `avg(…)`, `min(…)`, `max(…)`, `sum(…)` or `p95(…)`"));
        }
        return Ok(FieldExpr::Field(of, Field::Attribute(Attribute { scope, key, exact })));
    }
    let name = cursor.take_while(|symbol| !ends_name(symbol) && !matches!(symbol, '[' | ']'));
    if let Some((_, aggregate)) = Aggregate::NAMES.iter().find(|(known, _)| *known == name)
        && cursor.rest().trim_start().starts_with('(')
    {
        if about == About::Span {
            return Err(cursor.fault(at, format!("`{name}()` after `|`, not within `{{ }}`")));
        }
        return self::aggregate(cursor, *aggregate);
    }
    if let Some(literal) = keyword(name) {
        return Ok(FieldExpr::Literal(literal));
    }
    match Field::braced(name) {
        Some(_) if about == About::Set => {
            Err(cursor.fault(at, format!("`{name}` only within `avg(…)`, `min(…)`, `max(…)`, `sum(…)` or `p95(…)`")))
        }
        Some(field) => Ok(FieldExpr::Field(Relation::Own, field)),
        None if cursor.peek().is_some_and(|symbol| ends_name(symbol) && name.is_empty()) => {
            Err(cursor.fault(at, "a value or a field"))
        }
        None => {
            let scopes = "(an attribute has its scope before it, `span.`, `resource.` or `.`; text stands in quotes)";
            Err(cursor.fault(at, format!("a field or a value; `{name}` is neither {scopes}")))
        }
    }
}

/// The name of an attribute, of which parts may be quoted; and whether some are.
fn attribute(cursor: &mut Cursor<'_>) -> Result<(String, bool), ParseError> {
    let (mut key, mut exact) = (String::new(), false);
    loop {
        key.push_str(cursor.take_while(|symbol| !ends_name(symbol)));
        if cursor.peek() != Some('"') || !(key.is_empty() || key.ends_with('.')) {
            return Ok((key, exact));
        }
        key.push_str(&cursor.quoted_text()?);
        exact = true;
    }
}

fn prefix(cursor: &mut Cursor<'_>) -> Option<(Relation, Scope)> {
    if cursor.eat(".") {
        return Some((Relation::Own, Scope::Anywhere));
    }
    let of = if cursor.eat("parent.") { Relation::Parent } else { Relation::Own };
    let scope = Scope::WITH_PREFIX.into_iter().find(|scope| cursor.eat(scope.prefix()));
    match (of, scope) {
        (Relation::Own, None) => None,
        (of, scope) => Some((of, scope.unwrap_or(Scope::Anywhere))),
    }
}

fn keyword(name: &str) -> Option<Literal> {
    Some(match name {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "nil" => Literal::Nil,
        "minInt" => Literal::Int(i64::MIN),
        "maxInt" => Literal::Int(i64::MAX),
        "ok" => Literal::Status(StatusCode::OK),
        "error" => Literal::Status(StatusCode::ERROR),
        "unset" => Literal::Status(StatusCode::UNSET),
        _ => return (0..=5).map(Kind).find(|kind| kind.name() == name).map(Literal::Kind),
    })
}

fn aggregate(cursor: &mut Cursor<'_>, aggregate: Aggregate) -> Result<FieldExpr, ParseError> {
    cursor.skip_space();
    cursor.eat("(");
    cursor.skip_space();
    let at = cursor.at;
    let inner = if aggregate == Aggregate::Count {
        None
    } else {
        let inner = cursor.down(|cursor| expression(cursor, About::Span))?;
        let kind = check::kind(&inner);
        if !matches!(kind, Kinds::Number | Kinds::Any) {
            return Err(cursor.fault(at, "a number or a duration to sum up"));
        }
        Some(Box::new(inner))
    };
    cursor.skip_space();
    if !cursor.eat(")") {
        return Err(cursor.fault(cursor.at, format!("`)` after `{}(`", aggregate.name())));
    }
    Ok(FieldExpr::Aggregate(aggregate, inner))
}

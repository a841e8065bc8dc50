//! A filter as text that reads as the same.

use std::fmt::{self, Write};

use super::field::{Attribute, Field, Scope};
use super::literal::{Literal, spell_duration, spell_moment};
use super::parse::{follows_set, is_lone, is_plain_name, is_plain_value, parse};
use super::spans::{Arithmetic, FieldExpr, Stage};
use super::terms::{Comparison, Condition, Expr, Query, Relation, Says, Term};

/// The text of a query; its parts learn where they stand in it.
pub(super) fn print(query: &mut Query) -> String {
    let mut out = String::new();
    let alone = query.terms.len() == 1 && query.hints.is_empty();
    let mut after_set = false;
    for term in &mut query.terms {
        let text = Printed(&term.says, alone).to_string();
        if !out.is_empty() {
            out.push_str(joint(after_set, &text));
        }
        let start = out.len();
        out.push_str(&text);
        term.at = (start, out.len());
        after_set = matches!(&term.says, Says::Spans(part) if is_set(part));
    }
    if is_lone(&out)
        && let Some((first, others)) = query.terms.split_first_mut()
    {
        // `(min(.a)) -5>3` are a word and a condition, which without parentheses would be arithmetic.
        out.insert(first.at.1, ')');
        out.insert(0, '(');
        first.at.1 += 2;
        for term in others {
            term.at = (term.at.0 + 2, term.at.1 + 2);
        }
    }
    for stage in &mut query.stages {
        out.push_str(" | ");
        let start = out.len();
        // Writing to a string does not fail.
        let _ = write!(out, "{}", stage.stage);
        stage.at = (start, out.len());
    }
    let _ = hints(&mut out, &query.hints);
    out
}

/// What a term says; `.1`: no other stands beside it.
struct Printed<'q>(&'q Says, bool);

fn hints(out: &mut impl Write, hints: &[(String, Literal)]) -> fmt::Result {
    for (place, (name, value)) in hints.iter().enumerate() {
        out.write_str(if place == 0 { " with(" } else { ", " })?;
        write!(out, "{name}={}", braced_literal(value))?;
    }
    if hints.is_empty() { Ok(()) } else { out.write_char(')') }
}

/// The filter as text that reads as the same.
impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&print(&mut self.clone()))
    }
}

/// The term as it stands beside others.
impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", Printed(&self.says, false))
    }
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Says::Spans(Expr::Any(parts)) if self.1 => any(out, parts),
            Says::Spans(part) => operand(out, part, false),
            Says::Limit(limit) => write!(out, "limit={limit}"),
            Says::Since(moment) => write!(out, "since={}", moment.spell()),
            Says::Until(moment) => write!(out, "until={}", moment.spell()),
            Says::Lookback(length) => write!(out, "lookback={}", spell_duration(*length)),
        }
    }
}

/// Whether a part is printed as what a sign such as `>>` may follow.
fn is_set(part: &Expr) -> bool {
    !matches!(part, Expr::Is(_) | Expr::Not(_))
}

/// What stands before a term: after a set one that begins like a sign between sets, or like `with( )`, would be that.
fn joint(after_set: bool, text: &str) -> &'static str {
    if after_set && follows_set(text) { " AND " } else { " " }
}

/// A part among others that all hold.
struct Operand<'e>(&'e Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        operand(out, self.0, false)
    }
}

/// Terms that all hold.
fn all(out: &mut fmt::Formatter<'_>, parts: &[Expr]) -> fmt::Result {
    let mut after_set = false;
    for (place, part) in parts.iter().enumerate() {
        let text = Operand(part).to_string();
        if place > 0 {
            out.write_str(joint(after_set, &text))?;
        }
        out.write_str(&text)?;
        after_set = is_set(part);
    }
    Ok(())
}

/// Terms of which one holds.
fn any(out: &mut fmt::Formatter<'_>, parts: &[Expr]) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.write_str(" OR ")?;
        }
        operand(out, part, true)?;
    }
    Ok(())
}

/// A part among others; `in_any`: joined by `OR`.
fn operand(out: &mut fmt::Formatter<'_>, part: &Expr, in_any: bool) -> fmt::Result {
    match part {
        Expr::All(parts) if in_any => all(out, parts),
        Expr::All(_) | Expr::Any(_) => group(out, part),
        Expr::Not(inner) => {
            out.write_char('-')?;
            match **inner {
                Expr::Is(_) => operand(out, inner, false),
                _ => group(out, inner),
            }
        }
        Expr::Is(condition) => write!(out, "{condition}"),
        Expr::Braces(None) => out.write_str("{}"),
        Expr::Braces(Some(expression)) => write!(out, "{{ {expression} }}"),
        Expr::Structural(structural) => {
            match structural.left {
                Expr::All(_) | Expr::Any(_) => group(out, &structural.left)?,
                ref left => operand(out, left, false)?,
            }
            let sign = if structural.negated { "!" } else { "" };
            let both = if structural.both { "&" } else { "" };
            write!(out, " {sign}{both}{} ", structural.place.sign())?;
            match structural.right {
                Expr::Braces(_) | Expr::Piped(..) => operand(out, &structural.right, false),
                ref right => group(out, right),
            }
        }
        Expr::Piped(inner, stages) => {
            out.write_char('(')?;
            content(out, inner)?;
            stages.iter().try_for_each(|stage| write!(out, " | {stage}"))?;
            out.write_char(')')
        }
    }
}

/// A part as text.
pub(super) fn spelled(part: &Expr) -> String {
    Printed(&Says::Spans(part.clone()), true).to_string()
}

fn group(out: &mut fmt::Formatter<'_>, inner: &Expr) -> fmt::Result {
    out.write_char('(')?;
    content(out, inner)?;
    out.write_char(')')
}

/// What stands within parentheses.
fn content(out: &mut fmt::Formatter<'_>, inner: &Expr) -> fmt::Result {
    match inner {
        Expr::All(parts) => all(out, parts),
        Expr::Any(parts) => any(out, parts),
        other => operand(out, other, false),
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.of == Relation::Own;
        match (&self.field, &self.value) {
            (Field::Text, Literal::Text { text, quoted: true }) => return out.write_str(&quote(text)),
            (Field::Text, Literal::Text { text, .. }) => return out.write_str(&word_text(text)),
            (Field::TraceId, Literal::Text { text, .. })
                if plain && self.comparison == Comparison::Equal && text.len() == 32 =>
            {
                return out.write_str(text);
            }
            (Field::SpanId, Literal::Text { text, .. })
                if plain && self.comparison == Comparison::Equal && text.len() == 16 =>
            {
                return out.write_str(text);
            }
            _ => {}
        }
        let mut key = bare_key(&self.field);
        // `a://b` is one word, where the key is neither in quotes nor one with a colon.
        if let Literal::Text { text, quoted: false } = &self.value
            && self.comparison == Comparison::Contains
            && text.starts_with("//")
            && let Some(name) = Field::scoped_names().find(|name| Field::scoped(name).as_ref() == Some(&self.field))
        {
            name.clone_into(&mut key);
        }
        // `span:duration` is a field, and not an attribute that contains something.
        if self.comparison == Comparison::Contains && Field::scoped_names().any(|name| scope_of(name) == key) {
            key.insert(0, '@');
        }
        let key = format!("{}{key}", self.of.prefix());
        let sign = self.comparison.sign();
        let value = match &self.value {
            Literal::Text { text, quoted: true } => quote(text),
            Literal::Text { text, .. } if is_plain_value(text) || text == "nil" => text.clone(),
            Literal::Text { text, .. } => quote(text),
            value => braced_literal(value),
        };
        write!(out, "{key}{sign}{value}")
    }
}

fn scope_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(scope, _)| scope)
}

fn bare_key(field: &Field) -> String {
    match field {
        Field::Attribute(Attribute { scope: Scope::Anywhere, key, exact: false }) => key_text(key),
        Field::Attribute(attribute) => {
            // Outside braces a key may hold signs that within them end it.
            let typed = format!("{}{}", attribute.scope.prefix(), attribute.key);
            if !attribute.exact && means(&typed, field) { typed } else { scoped_key(attribute, "") }
        }
        other => {
            let (own, braced) = (other.own_name(false), other.own_name(true));
            if own.is_empty() { braced.to_owned() } else { own.to_owned() }
        }
    }
}

/// A key with its scope; `anywhere` stands for none.
fn scoped_key(attribute: &Attribute, anywhere: &str) -> String {
    let prefix = match attribute.scope {
        Scope::Anywhere => anywhere,
        scope => scope.prefix(),
    };
    let plain = !attribute.exact && is_plain_name(&attribute.key);
    if plain { format!("{prefix}{}", attribute.key) } else { format!("{prefix}{}", quote(&attribute.key)) }
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut called = |name: &str, list: &[FieldExpr]| {
            write!(out, "{name}(")?;
            for (place, part) in list.iter().enumerate() {
                out.write_str(if place == 0 { "" } else { ", " })?;
                write!(out, "{part}")?;
            }
            out.write_char(')')
        };
        match self {
            Self::By(list) => called("by", list),
            Self::Select(list) => called("select", list),
            Self::Coalesce => out.write_str("coalesce()"),
            Self::Aggregate(expression) => write!(out, "{expression}"),
            Self::Filter(expression) => content(out, expression),
        }
    }
}

/// How tightly an expression binds.
fn level(expression: &FieldExpr) -> u8 {
    match expression {
        FieldExpr::Any(_) => 0,
        FieldExpr::All(_) => 1,
        FieldExpr::Compare(..) => 2,
        FieldExpr::Compute(_, Arithmetic::Add | Arithmetic::Subtract, _) => 3,
        FieldExpr::Not(_) | FieldExpr::Negative(_) => 4,
        FieldExpr::Literal(Literal::Int(number)) if *number < 0 && *number != i64::MIN => 4,
        FieldExpr::Literal(Literal::Float(number)) if number.is_sign_negative() => 4,
        FieldExpr::Compute(_, Arithmetic::Power, _) => 6,
        FieldExpr::Compute(..) => 5,
        FieldExpr::Literal(_) | FieldExpr::Field(..) | FieldExpr::Aggregate(..) => 7,
    }
}

/// An expression as it stands within braces.
impl fmt::Display for FieldExpr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |out: &mut fmt::Formatter<'_>, part: &Self, least: u8| {
            if level(part) < least { write!(out, "({part})") } else { write!(out, "{part}") }
        };
        match self {
            Self::Literal(literal) => out.write_str(&braced_literal(literal)),
            Self::Field(of, field) => out.write_str(&braced_field(*of, field)),
            Self::Not(inner) | Self::Negative(inner) => {
                out.write_char(if matches!(self, Self::Not(_)) { '!' } else { '-' })?;
                part(out, inner, 4)
            }
            Self::All(parts) | Self::Any(parts) => {
                let (joint, least) = if matches!(self, Self::All(_)) { (" && ", 2) } else { (" || ", 1) };
                for (place, inner) in parts.iter().enumerate() {
                    out.write_str(if place == 0 { "" } else { joint })?;
                    part(out, inner, least)?;
                }
                Ok(())
            }
            Self::Compare(left, sign, right) => {
                part(out, left, 2)?;
                write!(out, " {} ", sign.sign())?;
                part(out, right, 3)
            }
            Self::Compute(left, sign, right) => {
                let (least, more) = match sign {
                    Arithmetic::Add | Arithmetic::Subtract => (3, 4),
                    Arithmetic::Power => (7, 6),
                    _ => (5, 6),
                };
                part(out, left, least)?;
                write!(out, " {} ", sign.sign())?;
                part(out, right, more)
            }
            Self::Aggregate(aggregate, None) => write!(out, "{}()", aggregate.name()),
            Self::Aggregate(aggregate, Some(inner)) => write!(out, "{}({inner})", aggregate.name()),
        }
    }
}

fn braced_field(of: Relation, field: &Field) -> String {
    match field {
        Field::Attribute(attribute) => {
            let anywhere = if of == Relation::Own { "." } else { "" };
            format!("{}{}", of.prefix(), scoped_key(attribute, anywhere))
        }
        field => format!("{}{}", of.prefix(), field.own_name(true)),
    }
}

pub(super) fn braced_literal(literal: &Literal) -> String {
    match literal {
        Literal::Text { text, .. } => quote(text),
        Literal::Int(i64::MIN) => "minInt".to_owned(),
        Literal::Int(number) => number.to_string(),
        Literal::Float(number) => format!("{number:?}"),
        Literal::Bool(truth) => truth.to_string(),
        Literal::Duration(length) => spell_duration(*length),
        Literal::Moment(then) => spell_moment(*then),
        Literal::Status(code) => code.name().to_owned(),
        Literal::Kind(kind) => kind.name().to_owned(),
        Literal::Nil => "nil".to_owned(),
    }
}

/// `text` in quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for symbol in text.chars() {
        if matches!(symbol, '"' | '\\') {
            out.push('\\');
        }
        out.push(symbol);
    }
    out.push('"');
    out
}

/// The one condition that a text is, if it is that.
fn read(text: &str) -> Option<Condition> {
    let mut query = parse(text).ok()?;
    let term = query.terms.pop().filter(|_| query.terms.is_empty() && query.stages.is_empty())?;
    match term.says {
        Says::Spans(Expr::Is(condition)) => Some(condition),
        _ => None,
    }
}

/// `key` as it must be typed to mean the attribute of that name: as it is, as `@key` where the bare name means something
/// else, or in quotes.
#[must_use]
pub fn key_text(key: &str) -> String {
    let marked = format!("@{key}");
    let wanted = Field::attribute(key);
    [key.to_owned(), marked].into_iter().find(|text| means(text, &wanted)).unwrap_or_else(|| quote(key))
}

/// Whether `text` before a comparison is that field of a span: `count()=x` is a pair, but `count()>5` counts spans.
fn means(text: &str, field: &Field) -> bool {
    ["=x", ">5"].iter().all(|compared| {
        let read = read(&format!("{text}{compared}"));
        read.is_some_and(|read| read.of == Relation::Own && read.field == *field)
    })
}

/// `value` as it must be typed after `=`: as it is, or in quotes where it would be read otherwise.
#[must_use]
pub fn value_text(value: &str) -> String {
    if is_plain_value(value) { value.to_owned() } else { quote(value) }
}

/// `value` as it must be typed after `=` within braces: a whole number or a truth value as it is, for in quotes it would equal
/// text only, and anything else in quotes.
#[must_use]
pub fn braced_value(value: &str) -> String {
    let number = value.parse().is_ok_and(|number: i64| number.to_string() == value);
    if number || matches!(value, "true" | "false") { value.to_owned() } else { quote(value) }
}

/// A word as it must be typed to be searched for anywhere.
fn word_text(word: &str) -> String {
    let wanted = Literal::plain(word);
    let plain = read(word).is_some_and(|read| read.field == Field::Text && read.value == wanted);
    if plain { word.to_owned() } else { quote(word) }
}

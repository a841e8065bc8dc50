//! Conditions and expressions on one span, the plain way.

use std::cmp::Ordering;

use regex::Regex;
use tracefall::model::{Attribute as Pair, Span, StatusCode, Text, Value};
use tracefall::query::{Comparison, Condition, Expr, Field, FieldExpr, Literal, Relation, Scope};

use super::sets::{Trace, number_of};
use super::values::{pairs, values};
use crate::SOURCES;

/// A number, exact where it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Whole(i64),
    Float(f64),
}

impl Num {
    #[expect(clippy::cast_precision_loss, reason = "as a number beside a floating-point one")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }

    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (one, other) => one.float().partial_cmp(&other.float()),
        }
    }
}

pub(super) fn contains(text: &str, pattern: &str, quoted: bool) -> bool {
    let parts: Vec<String> =
        if quoted { vec![regex::escape(pattern)] } else { pattern.split('*').map(regex::escape).collect() };
    Regex::new(&format!("(?is){}", parts.join(".*"))).unwrap().is_match(text)
}

pub(super) fn matches(text: &str, pattern: &str) -> bool {
    Regex::new(&format!("(?s)^(?:{pattern})$")).unwrap().is_match(text)
}

/// The number that a text is.
pub(super) fn read(text: &str) -> Option<Num> {
    let form = Regex::new(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$").unwrap();
    if !form.is_match(text) {
        return None;
    }
    if text.contains('.') { text.parse().ok().map(Num::Float) } else { text.parse().ok().map(Num::Whole) }
}

/// All that is in a value, itself first; what is in maps only where wanted.
pub(super) fn leaves(value: &Value, in_maps: bool) -> Vec<Value> {
    match value {
        Value::Array(members) => members.iter().flat_map(|member| leaves(member, in_maps)).collect(),
        Value::Map(members) if in_maps => members
            .iter()
            .flat_map(|member| {
                let key = Value::Text(member.key.clone());
                std::iter::once(key).chain(leaves(&member.value, in_maps)).collect::<Vec<_>>()
            })
            .collect(),
        Value::Map(_) => Vec::new(),
        leaf => vec![leaf.clone()],
    }
}

fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.lossy().into_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn num(value: &Value) -> Option<Num> {
    match value {
        Value::Int(number) => Some(Num::Whole(*number)),
        Value::Double(number) => Some(Num::Float(*number)),
        Value::Text(text) => read(&text.lossy()),
        _ => None,
    }
}

/// Values of `db.system` that mean the same.
fn one_name(key: &str, text: &str) -> String {
    if key.contains("db.system") && text == "mssql" { "microsoft.sql_server".to_owned() } else { text.to_owned() }
}

pub(super) fn so(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::AtLeast => order != Ordering::Less,
        Comparison::AtMost => order != Ordering::Greater,
        Comparison::More => order == Ordering::Greater,
        Comparison::Less => order == Ordering::Less,
        other => panic!("{other:?} has no order"),
    }
}

/// `!=` as `=`, `!~` as `=~`.
pub(super) fn positive(comparison: Comparison) -> (Comparison, bool) {
    match comparison {
        Comparison::NotEqual => (Comparison::Equal, true),
        Comparison::MatchesNot => (Comparison::Matches, true),
        other => (other, false),
    }
}

/// What was typed, as text and as a number, and whether only text will do.
pub(super) fn typed(literal: &Literal) -> (String, Option<Num>, bool) {
    match literal {
        Literal::Text { text, quoted } => (text.clone(), read(text), *quoted),
        Literal::Int(number) => (number.to_string(), Some(Num::Whole(*number)), false),
        Literal::Float(number) => (number.to_string(), Some(Num::Float(*number)), false),
        Literal::Bool(truth) => (truth.to_string(), None, false),
        Literal::Duration(length) => (length.0.to_string(), Some(Num::Whole(i64::try_from(length.0).unwrap())), false),
        Literal::Moment(then) => (then.0.to_string(), Some(Num::Whole(i64::try_from(then.0).unwrap())), false),
        other => panic!("{other:?} is no attribute's"),
    }
}

/// Whether one value of an attribute is so.
fn value_is(value: &Value, comparison: Comparison, literal: &Literal, (key, exact): (&str, bool)) -> bool {
    let (text, number, only_text) = typed(literal);
    leaves(value, comparison == Comparison::Contains).iter().any(|leaf| {
        let Some(have) = spelled(leaf) else { return false };
        let is_text = matches!(leaf, Value::Text(_));
        let order = num(leaf).zip(number).and_then(|(have, wanted)| have.order(wanted));
        match comparison {
            Comparison::Contains => contains(&have, &text, only_text),
            Comparison::Matches => matches(&have, &text),
            Comparison::Equal => {
                let same = have == text || (is_text && !exact && one_name(key, &have) == one_name(key, &text));
                if only_text { is_text && same } else { same || order == Some(Ordering::Equal) }
            }
            ordered if only_text => is_text && so(ordered, have.cmp(&text)),
            ordered => order.is_some_and(|order| so(ordered, order)),
        }
    })
}

fn other_names(key: &str, exact: bool) -> Vec<&str> {
    match key {
        _ if exact => vec![key],
        "db.statement" | "db.query.text" => vec!["db.statement", "db.query.text"],
        "db.system.name" => vec!["db.system.name", "db.system"],
        other => vec![other],
    }
}

/// The attributes under a name, in the order of the names and the places.
pub(super) fn under<'s>(span: &'s Span, attribute: &tracefall::query::Attribute) -> Vec<&'s Pair> {
    let wanted = |scope: Scope| attribute.scope == Scope::Anywhere || attribute.scope == scope;
    let mut places: Vec<&Pair> = Vec::new();
    let mut found = Vec::new();
    if wanted(Scope::Span) {
        places.extend(&span.attributes);
    }
    if wanted(Scope::Instrumentation) {
        places.extend(&span.scope.attributes);
    }
    if wanted(Scope::Resource) {
        places.extend(&span.resource.attributes);
    }
    if wanted(Scope::Event) {
        places.extend(span.events.iter().flat_map(|event| &event.attributes));
    }
    if wanted(Scope::Link) {
        places.extend(span.links.iter().flat_map(|link| &link.attributes));
    }
    for name in other_names(&attribute.key, attribute.exact) {
        found.extend(places.iter().filter(|pair| pair.key == *name));
    }
    found
}

pub(super) fn service(span: &Span) -> String {
    let named = span.resource.attributes.iter().rev().find(|pair| pair.key == "service.name");
    named.and_then(|pair| spelled(&pair.value)).unwrap_or_else(|| "unknown_service".to_owned())
}

fn text_is(have: &str, comparison: Comparison, literal: &Literal) -> bool {
    let (text, _, quoted) = typed(literal);
    match comparison {
        Comparison::Contains => contains(have, &text, quoted),
        Comparison::Matches => matches(have, &text),
        ordered => so(ordered, have.cmp(&text)),
    }
}

/// Any of several texts: `!=` and `!~` ask that there are some and none is so.
fn texts_are(texts: &[String], comparison: Comparison, literal: &Literal) -> bool {
    let (comparison, not) = positive(comparison);
    let any = texts.iter().any(|text| text_is(text, comparison, literal));
    if not { !texts.is_empty() && !any } else { any }
}

fn any_text(span: &Span) -> Vec<Text> {
    let mut texts = vec![span.name.clone(), service(span).into(), span.status.message.clone(), span.scope.name.clone()];
    texts.extend(span.events.iter().map(|event| event.name.clone()));
    let events = span.events.iter().flat_map(|event| &event.attributes);
    for pair in span.attributes.iter().chain(&span.resource.attributes).chain(&span.scope.attributes).chain(events) {
        texts.push(pair.key.clone());
        if let Value::Text(text) = &pair.value {
            texts.push(text.clone());
        }
    }
    texts
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Whether a condition holds on a span itself.
fn own(condition: &Condition, place: usize, trace: &Trace<'_>) -> bool {
    let Condition { field, comparison, value, .. } = condition;
    let span = trace.spans[place];
    let (sign, not) = positive(*comparison);
    let one = |text: String| texts_are(&[text], *comparison, value);
    match field {
        Field::Text => any_text(span).iter().any(|text| text_is(&text.lossy(), sign, value)),
        Field::Attribute(attribute) => {
            let under = under(span, attribute);
            if *value == Literal::Nil {
                return under.is_empty() != not;
            }
            let key = (attribute.key.as_str(), attribute.exact);
            let any = under.iter().any(|pair| value_is(&pair.value, sign, value, key));
            if not { !under.is_empty() && !any } else { any }
        }
        Field::Error => ((span.status.code == StatusCode::ERROR) == (*value == Literal::Bool(true))) != not,
        Field::Status => (*value == Literal::Status(span.status.code)) != not,
        Field::Kind => (*value == Literal::Kind(span.kind)) != not,
        Field::ParentId => match (span.parent_id, value) {
            (parent, Literal::Nil) => parent.is_none() != not,
            (None, _) => false,
            (Some(parent), value) => texts_are(&[hex(&parent.0)], *comparison, value),
        },
        Field::Name => one(span.name.lossy().into_owned()),
        Field::Service => one(service(span)),
        Field::Source => one(SOURCES[usize::from(span.source.0)].to_owned()),
        Field::StatusMessage => one(span.status.message.lossy().into_owned()),
        Field::ScopeName => one(span.scope.name.lossy().into_owned()),
        Field::ScopeVersion => one(span.scope.version.lossy().into_owned()),
        Field::SpanId => one(hex(&span.span_id.0)),
        Field::TraceId => one(hex(&span.trace_id.0)),
        Field::RootName => one(trace.spans[trace.root].name.lossy().into_owned()),
        Field::RootService => one(service(trace.spans[trace.root])),
        Field::EventName => {
            let names: Vec<String> = span.events.iter().map(|event| event.name.lossy().into_owned()).collect();
            texts_are(&names, *comparison, value)
        }
        Field::LinkTraceId => {
            let ids: Vec<String> = span.links.iter().map(|link| hex(&link.trace_id)).collect();
            texts_are(&ids, *comparison, value)
        }
        Field::LinkSpanId => {
            let ids: Vec<String> = span.links.iter().map(|link| hex(&link.span_id)).collect();
            texts_are(&ids, *comparison, value)
        }
        _ => {
            let (_, wanted, _) = typed(value);
            let numbers = numbers(field, place, trace);
            let any = numbers.iter().any(|number| number.order(wanted.unwrap()).is_some_and(|order| so(sign, order)));
            if not { !numbers.is_empty() && !any } else { any }
        }
    }
}

/// The numbers that a field with numbers has.
pub(super) fn numbers(field: &Field, place: usize, trace: &Trace<'_>) -> Vec<Num> {
    let span = trace.spans[place];
    let whole = |number: u64| vec![Num::Whole(i64::try_from(number).unwrap())];
    match field {
        Field::Duration => whole(span.end.0.saturating_sub(span.start.0)),
        Field::TraceStart => whole(trace.spans.iter().map(|span| span.start.0).min().unwrap()),
        Field::TraceDuration => {
            let start = trace.spans.iter().map(|span| span.start.0).min().unwrap();
            let end = trace.spans.iter().map(|span| span.end.0.max(span.start.0)).max().unwrap();
            whole(end - start)
        }
        Field::EventTime => {
            let after = |event: &tracefall::model::Event| {
                Num::Whole(i64::try_from(i128::from(event.time.0) - i128::from(span.start.0)).unwrap())
            };
            span.events.iter().map(after).collect()
        }
        other => vec![Num::Whole(number_of(other, place, trace))],
    }
}

/// Whether a condition holds, seen from a span.
fn condition(condition: &Condition, place: usize, trace: &Trace<'_>) -> bool {
    let any = |places: Vec<usize>| places.into_iter().any(|place| own(condition, place, trace));
    let all = || 0..trace.spans.len();
    match condition.of {
        Relation::Own => own(condition, place, trace),
        Relation::Root => own(condition, trace.root, trace),
        Relation::Parent => any(trace.parent(place).into_iter().collect()),
        Relation::Child => any(all().filter(|child| trace.parent(*child) == Some(place)).collect()),
        Relation::Any => any(all().collect()),
        Relation::None => !any(all().collect()),
    }
}

/// Whether a part without braces holds on a span.
pub(super) fn holds(part: &Expr, place: usize, trace: &Trace<'_>) -> bool {
    match part {
        Expr::All(parts) => parts.iter().all(|part| holds(part, place, trace)),
        Expr::Any(parts) => parts.iter().any(|part| holds(part, place, trace)),
        Expr::Not(inner) => !holds(inner, place, trace),
        Expr::Is(is) => condition(is, place, trace),
        Expr::Braces(None) => true,
        Expr::Braces(Some(expression)) => truth(expression, place, trace),
        other => panic!("{other:?} is no condition on a span"),
    }
}

/// Whether an expression holds on a span.
pub(super) fn truth(expression: &FieldExpr, place: usize, trace: &Trace<'_>) -> bool {
    let one = |of: Relation, field: &Field, comparison: Comparison, value: &Literal| {
        condition(&Condition { of, field: field.clone(), comparison, value: value.clone() }, place, trace)
    };
    match expression {
        FieldExpr::All(parts) => parts.iter().all(|part| truth(part, place, trace)),
        FieldExpr::Any(parts) => parts.iter().any(|part| truth(part, place, trace)),
        FieldExpr::Literal(literal) => *literal == Literal::Bool(true),
        FieldExpr::Field(of, field) => one(*of, field, Comparison::Equal, &Literal::Bool(true)),
        FieldExpr::Not(inner) => match &**inner {
            FieldExpr::Field(of, field) => one(*of, field, Comparison::Equal, &Literal::Bool(false)),
            inner => !truth(inner, place, trace),
        },
        FieldExpr::Compare(left, comparison, right) => match (&**left, &**right) {
            (FieldExpr::Field(of, field), FieldExpr::Literal(value)) => one(*of, field, *comparison, value),
            (FieldExpr::Literal(value), FieldExpr::Field(of, field)) => {
                let turned = match comparison {
                    Comparison::Less => Comparison::More,
                    Comparison::More => Comparison::Less,
                    Comparison::AtLeast => Comparison::AtMost,
                    Comparison::AtMost => Comparison::AtLeast,
                    same => *same,
                };
                one(*of, field, turned, value)
            }
            (left, right) => pairs(&values(left, place, trace), *comparison, &values(right, place, trace)),
        },
        other => panic!("{other:?} is no condition"),
    }
}

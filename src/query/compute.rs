//! What expressions come to on one span.
//!
//! A field may have several values: an attribute on the span and on its resource, the members of an array. A comparison
//! holds if some pair of values is so; `!=` and `!~` if there are values on both sides and no pair is equal. Arithmetic
//! takes the first number of each side.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::columns::UNKNOWN;
use super::field::{Field, Scope};
use super::literal::{Literal, Number};
use super::plan::keys;
use super::spans::{Arithmetic, FieldExpr};
use super::terms::{Comparison, Relation};
use super::value::{compile, is_so};
use crate::index::Block;
use crate::model::{self, Nanos, SourceId, Span, Timestamp, Value, lookup};

/// A value, as expressions see it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val<'s> {
    Text(Cow<'s, str>),
    Number(Number),
    Truth(bool),
    Status(i32),
    Kind(i32),
}

impl Val<'_> {
    pub(super) fn into_owned(self) -> Val<'static> {
        match self {
            Self::Text(text) => Val::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Val::Number(number),
            Self::Truth(truth) => Val::Truth(truth),
            Self::Status(code) => Val::Status(code),
            Self::Kind(kind) => Val::Kind(kind),
        }
    }
}

/// What is known of a span.
pub(super) trait Facts {
    /// The span, whole.
    fn span(&self) -> &Span;

    /// A relative of it, whole.
    fn relative(&self, of: Relation) -> Option<&Span>;

    /// A number that its trace gives it.
    fn number(&self, field: &Field) -> Option<i64>;

    /// The name of a source.
    fn source(&self, id: SourceId) -> &str;

    /// The span's values of a field where there is a cheaper way to them than the whole span.
    fn column(&self, field: &Field) -> Option<Vec<Val<'static>>>;
}

/// A span of which no relatives are known, and its block.
pub(super) struct Lone<'s>(pub(super) &'s Span, pub(super) Block<'s>);

impl Facts for Lone<'_> {
    fn span(&self) -> &Span {
        self.0
    }

    fn relative(&self, _: Relation) -> Option<&Span> {
        None
    }

    fn number(&self, _: &Field) -> Option<i64> {
        None
    }

    fn source(&self, id: SourceId) -> &str {
        self.1.source_name(id)
    }

    fn column(&self, _: &Field) -> Option<Vec<Val<'static>>> {
        None
    }
}

/// Whether an expression holds.
pub(super) fn holds(expression: &FieldExpr, facts: &dyn Facts) -> bool {
    match expression {
        FieldExpr::All(parts) => parts.iter().all(|part| holds(part, facts)),
        FieldExpr::Any(parts) => parts.iter().any(|part| holds(part, facts)),
        FieldExpr::Not(inner) if inner.is_logical() => !holds(inner, facts),
        FieldExpr::Not(inner) => values(inner, facts).contains(&Val::Truth(false)),
        FieldExpr::Compare(left, comparison, right) => {
            compare(&values(left, facts), *comparison, &values(right, facts))
        }
        other => values(other, facts).contains(&Val::Truth(true)),
    }
}

/// What an expression comes to: nothing, one value or several.
pub(super) fn values<'s>(expression: &FieldExpr, facts: &'s dyn Facts) -> Vec<Val<'s>> {
    match expression {
        FieldExpr::Literal(literal) => self::literal(literal).into_iter().collect(),
        FieldExpr::Field(_, Field::RootName) => {
            facts.relative(Relation::Root).map(|root| of_field(root, &Field::Name, facts)).unwrap_or_default()
        }
        FieldExpr::Field(_, Field::RootService) => {
            facts.relative(Relation::Root).map(|root| of_field(root, &Field::Service, facts)).unwrap_or_default()
        }
        FieldExpr::Field(of, field) => {
            if let Some(found) = Some(field).filter(|_| *of == Relation::Own).and_then(|field| facts.column(field)) {
                return found;
            }
            let span = if *of == Relation::Own { Some(facts.span()) } else { facts.relative(*of) };
            span.map(|span| of_field(span, field, facts)).unwrap_or_default()
        }
        FieldExpr::Not(_) | FieldExpr::All(_) | FieldExpr::Any(_) | FieldExpr::Compare(..) => {
            vec![Val::Truth(holds(expression, facts))]
        }
        FieldExpr::Negative(inner) => {
            let number = first_number(&values(inner, facts));
            number
                .and_then(|number| compute(Number::Whole(0), Arithmetic::Subtract, number))
                .map(Val::Number)
                .into_iter()
                .collect()
        }
        FieldExpr::Compute(left, sign, right) => {
            let sides = first_number(&values(left, facts)).zip(first_number(&values(right, facts)));
            sides.and_then(|(left, right)| compute(left, *sign, right)).map(Val::Number).into_iter().collect()
        }
        // Stands in stages only, which are not about one span.
        FieldExpr::Aggregate(..) => Vec::new(),
    }
}

/// A value as typed; `None` for nil.
pub(super) fn literal(literal: &Literal) -> Option<Val<'static>> {
    Some(match literal {
        Literal::Text { text, .. } => Val::Text(Cow::Owned(text.clone())),
        Literal::Int(number) => Val::Number(Number::Whole(*number)),
        Literal::Float(number) => Val::Number(Number::Broken(*number)),
        Literal::Bool(truth) => Val::Truth(*truth),
        Literal::Duration(Nanos(nanos)) | Literal::Moment(Timestamp(nanos)) => Val::Number(of_nanos(*nanos)),
        Literal::Status(code) => Val::Status(code.0),
        Literal::Kind(kind) => Val::Kind(kind.0),
        Literal::Nil => return None,
    })
}

/// Nanoseconds as a number.
#[expect(clippy::cast_precision_loss, reason = "beyond 292 years nanoseconds do not matter")]
pub(super) fn of_nanos(nanos: u64) -> Number {
    i64::try_from(nanos).map_or(Number::Broken(nanos as f64), Number::Whole)
}

fn of_field<'s>(span: &'s Span, field: &Field, facts: &dyn Facts) -> Vec<Val<'s>> {
    let text = |text: &'s model::Text| vec![Val::Text(text.lossy())];
    let owned = |text: String| vec![Val::Text(Cow::Owned(text))];
    match field {
        Field::Service => match lookup(&span.resource.attributes, "service.name") {
            Some(Value::Text(name)) => text(name),
            _ => vec![Val::Text(Cow::Borrowed(UNKNOWN))],
        },
        Field::Name => text(&span.name),
        Field::Source => owned(facts.source(span.source).to_owned()),
        Field::Duration => vec![Val::Number(of_nanos(span.end.since(span.start).0))],
        Field::Status => vec![Val::Status(span.status.code.0)],
        Field::Error => vec![Val::Truth(span.status.code == model::StatusCode::ERROR)],
        Field::Kind => vec![Val::Kind(span.kind.0)],
        Field::StatusMessage => text(&span.status.message),
        Field::SpanId => owned(span.span_id.to_string()),
        Field::ParentId => span.parent_id.map(|id| Val::Text(Cow::Owned(id.to_string()))).into_iter().collect(),
        Field::TraceId => owned(span.trace_id.to_string()),
        Field::EventName => span.events.iter().map(|event| Val::Text(event.name.lossy())).collect(),
        Field::EventTime => {
            let after = |event: &model::Event| Val::Number(Number::Whole(time_after(event, span)));
            span.events.iter().map(after).collect()
        }
        Field::LinkTraceId => {
            span.links.iter().filter_map(model::Link::target).map(|(id, _)| Val::Text(id.to_string().into())).collect()
        }
        Field::LinkSpanId => {
            span.links.iter().filter_map(model::Link::target).map(|(_, id)| Val::Text(id.to_string().into())).collect()
        }
        Field::ScopeName => text(&span.scope.name),
        Field::ScopeVersion => text(&span.scope.version),
        Field::ChildCount
        | Field::NestedLeft
        | Field::NestedRight
        | Field::NestedParent
        | Field::TraceDuration
        | Field::TraceStart => {
            facts.number(field).map(|number| Val::Number(Number::Whole(number))).into_iter().collect()
        }
        Field::RootName | Field::RootService | Field::Text => Vec::new(),
        Field::Attribute(attribute) => {
            let mut found = Vec::new();
            for key in keys(attribute) {
                for list in lists(span, attribute.scope) {
                    for pair in list.iter().filter(|pair| pair.key == *key) {
                        leaves(&pair.value, &mut found);
                    }
                }
            }
            found
        }
    }
}

/// How long after its span's start an event happened; negative where it was before.
fn time_after(event: &model::Event, span: &Span) -> i64 {
    let after = i128::from(event.time.0) - i128::from(span.start.0);
    i64::try_from(after).unwrap_or(if after < 0 { i64::MIN } else { i64::MAX })
}

fn lists(span: &Span, scope: Scope) -> Vec<&[model::Attribute]> {
    let mut lists: Vec<&[model::Attribute]> = Vec::new();
    let wanted = |own: Scope| scope == own || scope == Scope::Anywhere;
    if wanted(Scope::Span) {
        lists.push(&span.attributes);
    }
    if wanted(Scope::Instrumentation) {
        lists.push(&span.scope.attributes);
    }
    if wanted(Scope::Resource) {
        lists.push(&span.resource.attributes);
    }
    if wanted(Scope::Event) {
        lists.extend(span.events.iter().map(|event| &event.attributes[..]));
    }
    if wanted(Scope::Link) {
        lists.extend(span.links.iter().map(|link| &link.attributes[..]));
    }
    lists
}

/// Plain values, and those in arrays, in order.
pub(super) fn leaves<'s>(value: &'s Value, into: &mut Vec<Val<'s>>) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Text(text) => into.push(Val::Text(text.lossy())),
            Value::Bool(truth) => into.push(Val::Truth(*truth)),
            Value::Int(number) => into.push(Val::Number(Number::Whole(*number))),
            Value::Double(number) => into.push(Val::Number(Number::Broken(*number))),
            Value::Array(members) => open.extend(members.iter().rev()),
            Value::Empty | Value::Map(_) | Value::Bytes(_) => {}
        }
    }
}

fn number(value: &Val<'_>) -> Option<Number> {
    match value {
        Val::Number(number) => Some(*number),
        Val::Text(text) => Number::read(text),
        Val::Truth(_) | Val::Status(_) | Val::Kind(_) => None,
    }
}

/// The first of these that is a number, or text that is one.
pub(super) fn first_number(values: &[Val<'_>]) -> Option<Number> {
    values.iter().find_map(number)
}

/// Whether values compare so.
pub(super) fn compare(left: &[Val<'_>], comparison: Comparison, right: &[Val<'_>]) -> bool {
    let pairs = || left.iter().flat_map(|one| right.iter().map(move |other| (one, other)));
    match comparison {
        Comparison::NotEqual => {
            !left.is_empty() && !right.is_empty() && !pairs().any(|(one, other)| is(one, Comparison::Equal, other))
        }
        Comparison::Matches => pairs().any(|(one, other)| matches(one, other)),
        Comparison::MatchesNot => {
            !left.is_empty() && !right.is_empty() && !pairs().any(|(one, other)| matches(one, other))
        }
        comparison => pairs().any(|(one, other)| is(one, comparison, other)),
    }
}

fn matches(value: &Val<'_>, pattern: &Val<'_>) -> bool {
    let Val::Text(pattern) = pattern else { return false };
    let Ok(regex) = compile(pattern) else { return false };
    match value {
        Val::Text(text) => regex.is_match(text),
        Val::Number(Number::Whole(number)) => regex.is_match(&number.to_string()),
        Val::Number(Number::Broken(number)) => regex.is_match(&number.to_string()),
        Val::Truth(truth) => regex.is_match(if *truth { "true" } else { "false" }),
        Val::Status(_) | Val::Kind(_) => false,
    }
}

fn is(one: &Val<'_>, comparison: Comparison, other: &Val<'_>) -> bool {
    order(one, other).is_some_and(|order| is_so(comparison, order))
}

fn order(one: &Val<'_>, other: &Val<'_>) -> Option<Ordering> {
    match (one, other) {
        (Val::Text(one), Val::Text(other)) => Some(one.cmp(other)),
        (Val::Truth(one), Val::Truth(other)) => Some(one.cmp(other)),
        (Val::Status(one), Val::Status(other)) | (Val::Kind(one), Val::Kind(other)) => Some(one.cmp(other)),
        (Val::Text(text), Val::Truth(truth)) | (Val::Truth(truth), Val::Text(text)) => {
            (text == if *truth { "true" } else { "false" }).then_some(Ordering::Equal)
        }
        _ => number(one)?.compare(number(other)?),
    }
}

/// Arithmetic: whole where it can be, otherwise floating-point; `None` where it comes to nothing that is a number.
pub(super) fn compute(left: Number, sign: Arithmetic, right: Number) -> Option<Number> {
    if let (Number::Whole(one), Number::Whole(other)) = (left, right) {
        let whole = match sign {
            Arithmetic::Add => one.checked_add(other),
            Arithmetic::Subtract => one.checked_sub(other),
            Arithmetic::Multiply => one.checked_mul(other),
            Arithmetic::Divide => (other != 0 && one.checked_rem(other) == Some(0)).then(|| one / other),
            Arithmetic::Remainder => one.checked_rem(other),
            Arithmetic::Power => u32::try_from(other).ok().and_then(|other| one.checked_pow(other)),
        };
        if let Some(whole) = whole {
            return Some(Number::Whole(whole));
        }
    }
    let (one, other) = (left.float(), right.float());
    let result = match sign {
        Arithmetic::Add => one + other,
        Arithmetic::Subtract => one - other,
        Arithmetic::Multiply => one * other,
        Arithmetic::Divide => one / other,
        Arithmetic::Remainder => one % other,
        Arithmetic::Power => one.powf(other),
    };
    result.is_finite().then_some(Number::Broken(result))
}

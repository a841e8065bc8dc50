//! What expressions come to, the plain way.

use std::cmp::Ordering;

use tracefall::model::Value;
use tracefall::query::{Arithmetic, Comparison, Field, FieldExpr, Literal, Relation};

use super::conditions::{Num, leaves, matches, numbers, positive, read, service, so, truth, typed, under};
use super::sets::Trace;

/// A value that an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Text(String),
    Num(Num),
    Truth(bool),
    Status(i32),
    Kind(i32),
}

/// Whether some pair of values is so; for `!=` and `!~`, whether there are values and no pair is.
pub(super) fn pairs(left: &[Val], comparison: Comparison, right: &[Val]) -> bool {
    let (sign, not) = positive(comparison);
    let any = left.iter().any(|one| {
        right.iter().any(|other| {
            if sign == Comparison::Matches {
                let Val::Text(pattern) = other else { return false };
                return match one {
                    Val::Text(text) => matches(text, pattern),
                    Val::Num(Num::Whole(number)) => matches(&number.to_string(), pattern),
                    Val::Num(Num::Float(number)) => matches(&number.to_string(), pattern),
                    Val::Truth(truth) => matches(&truth.to_string(), pattern),
                    _ => false,
                };
            }
            val_order(one, other).is_some_and(|order| so(sign, order))
        })
    });
    if not { !left.is_empty() && !right.is_empty() && !any } else { any }
}

fn val_num(value: &Val) -> Option<Num> {
    match value {
        Val::Num(number) => Some(*number),
        Val::Text(text) => read(text),
        _ => None,
    }
}

fn val_order(one: &Val, other: &Val) -> Option<Ordering> {
    match (one, other) {
        (Val::Text(one), Val::Text(other)) => Some(one.cmp(other)),
        (Val::Truth(one), Val::Truth(other)) => Some(one.cmp(other)),
        (Val::Status(one), Val::Status(other)) | (Val::Kind(one), Val::Kind(other)) => Some(one.cmp(other)),
        (Val::Text(text), Val::Truth(truth)) | (Val::Truth(truth), Val::Text(text)) => {
            (*text == truth.to_string()).then_some(Ordering::Equal)
        }
        (one, other) => val_num(one)?.order(val_num(other)?),
    }
}

pub(super) fn literal(literal: &Literal) -> Vec<Val> {
    match literal {
        Literal::Text { text, .. } => vec![Val::Text(text.clone())],
        Literal::Bool(truth) => vec![Val::Truth(*truth)],
        Literal::Status(code) => vec![Val::Status(code.0)],
        Literal::Kind(kind) => vec![Val::Kind(kind.0)],
        Literal::Nil => Vec::new(),
        number => typed(number).1.map(Val::Num).into_iter().collect(),
    }
}

/// What an expression comes to on a span.
pub(super) fn values(expression: &FieldExpr, place: usize, trace: &Trace<'_>) -> Vec<Val> {
    match expression {
        FieldExpr::Literal(typed) => literal(typed),
        FieldExpr::Negative(inner) => {
            let number = first(&values(inner, place, trace));
            number
                .and_then(|number| computed(Num::Whole(0), Arithmetic::Subtract, number))
                .map(Val::Num)
                .into_iter()
                .collect()
        }
        FieldExpr::Compute(left, sign, right) => {
            let left = first(&values(left, place, trace));
            let right = first(&values(right, place, trace));
            let both = left.zip(right).and_then(|(left, right)| computed(left, *sign, right));
            both.map(Val::Num).into_iter().collect()
        }
        FieldExpr::Field(Relation::Parent, field) => {
            let parent = trace.parent(place);
            parent.map(|parent| field_values(field, parent, trace)).unwrap_or_default()
        }
        FieldExpr::Field(_, field) => field_values(field, place, trace),
        logical => vec![Val::Truth(truth(logical, place, trace))],
    }
}

fn field_values(field: &Field, place: usize, trace: &Trace<'_>) -> Vec<Val> {
    let span = trace.spans[place];
    let text = |text: String| vec![Val::Text(text)];
    match field {
        Field::Attribute(attribute) => {
            let leaf = |value: &Value| match value {
                Value::Text(text) => Some(Val::Text(text.lossy().into_owned())),
                Value::Bool(truth) => Some(Val::Truth(*truth)),
                Value::Int(number) => Some(Val::Num(Num::Whole(*number))),
                Value::Double(number) => Some(Val::Num(Num::Float(*number))),
                _ => None,
            };
            let under = under(span, attribute);
            under.iter().flat_map(|pair| leaves(&pair.value, false)).filter_map(|value| leaf(&value)).collect()
        }
        Field::Name => text(span.name.lossy().into_owned()),
        Field::Service => text(service(span)),
        Field::Source => text(crate::SOURCES[usize::from(span.source.0)].to_owned()),
        Field::StatusMessage => text(span.status.message.lossy().into_owned()),
        Field::RootName => text(trace.spans[trace.root].name.lossy().into_owned()),
        Field::RootService => text(service(trace.spans[trace.root])),
        Field::Kind => vec![Val::Kind(span.kind.0)],
        Field::Status => vec![Val::Status(span.status.code.0)],
        number => numbers(number, place, trace).into_iter().map(Val::Num).collect(),
    }
}

/// The first that is a number.
pub(super) fn first(values: &[Val]) -> Option<Num> {
    values.iter().find_map(val_num)
}

/// Arithmetic: on whole numbers as long as it comes to one that fits.
pub(super) fn computed(left: Num, sign: Arithmetic, right: Num) -> Option<Num> {
    if let (Num::Whole(one), Num::Whole(other)) = (left, right) {
        let (one, other) = (i128::from(one), i128::from(other));
        let wide = match sign {
            Arithmetic::Add => Some(one + other),
            Arithmetic::Subtract => Some(one - other),
            Arithmetic::Multiply => Some(one * other),
            Arithmetic::Divide => (other != 0 && one % other == 0).then(|| one / other),
            Arithmetic::Remainder => {
                (other != 0 && other != -1 || other == -1 && one != i128::from(i64::MIN)).then(|| one % other)
            }
            Arithmetic::Power => u32::try_from(other).ok().and_then(|other| one.checked_pow(other)),
        };
        if let Some(whole) = wide.and_then(|wide| i64::try_from(wide).ok()) {
            return Some(Num::Whole(whole));
        }
    }
    let (one, other) = (left.float(), right.float());
    let float = match sign {
        Arithmetic::Add => one + other,
        Arithmetic::Subtract => one - other,
        Arithmetic::Multiply => one * other,
        Arithmetic::Divide => one / other,
        Arithmetic::Remainder => one % other,
        Arithmetic::Power => one.powf(other),
    };
    float.is_finite().then_some(Num::Float(float))
}

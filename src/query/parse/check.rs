//! What can be compared with what.

use crate::model::{SpanId, TraceId};
use crate::query::Comparison;
use crate::query::field::{Field, Type};
use crate::query::literal::Literal;
use crate::query::spans::FieldExpr;
use crate::query::value::compile;

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    Text,
    /// A number or a length of time.
    Number,
    Truth,
    Status,
    Kind,
    Nil,
    /// Whatever the sender gave it.
    Any,
}

impl Kinds {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number or a duration",
            Self::Truth => "true or false",
            Self::Status => "a status",
            Self::Kind => "a kind",
            Self::Nil => "nil",
            Self::Any => "a value",
        }
    }

    /// The name where such a value is expected.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Status => "a status: ok, error or unset",
            Self::Kind => "a kind: unspecified, internal, server, client, producer or consumer",
            other => other.name(),
        }
    }
}

/// What an expression comes to.
pub(super) fn kind(expression: &FieldExpr) -> Kinds {
    match expression {
        FieldExpr::Literal(literal) => match literal {
            Literal::Text { .. } => Kinds::Text,
            Literal::Int(_) | Literal::Float(_) | Literal::Duration(_) | Literal::Moment(_) => Kinds::Number,
            Literal::Bool(_) => Kinds::Truth,
            Literal::Status(_) => Kinds::Status,
            Literal::Kind(_) => Kinds::Kind,
            Literal::Nil => Kinds::Nil,
        },
        FieldExpr::Field(_, field) => match field.values() {
            Type::Text | Type::TraceId | Type::SpanId => Kinds::Text,
            Type::Time | Type::Moment | Type::Number => Kinds::Number,
            Type::Truth => Kinds::Truth,
            Type::Status => Kinds::Status,
            Type::Kind => Kinds::Kind,
            Type::Any => Kinds::Any,
        },
        FieldExpr::Negative(_) | FieldExpr::Compute(..) | FieldExpr::Aggregate(..) => Kinds::Number,
        FieldExpr::Not(_) | FieldExpr::All(_) | FieldExpr::Any(_) | FieldExpr::Compare(..) => Kinds::Truth,
    }
}

/// That it can hold or not.
pub(super) fn logical(expression: &FieldExpr) -> Result<(), String> {
    match kind(expression) {
        Kinds::Truth | Kinds::Any => Ok(()),
        other => Err(format!("a condition, such as a comparison; this is {}", other.name())),
    }
}

/// That it can be computed with.
pub(super) fn numeric(expression: &FieldExpr) -> Result<(), String> {
    match kind(expression) {
        Kinds::Number | Kinds::Any => Ok(()),
        other => Err(format!("a number or a duration; this is {}", other.name())),
    }
}

/// That a comparison makes sense; if not, whether the fault is with what stands right of it.
pub(super) fn comparison(left: &FieldExpr, sign: Comparison, right: &FieldExpr) -> Result<(), (bool, String)> {
    let kinds = (kind(left), kind(right));
    let equality = matches!(sign, Comparison::Equal | Comparison::NotEqual);
    if matches!(sign, Comparison::Matches | Comparison::MatchesNot) {
        let FieldExpr::Literal(Literal::Text { text, .. }) = right else {
            return Err((true, "a regular expression in quotes".to_owned()));
        };
        if !matches!(kinds.0, Kinds::Text | Kinds::Any) || id(left).is_some() {
            return Err((false, format!("`=` or `!=`: {} has no text", kinds.0.name())));
        }
        return regex(text).map_err(|fault| (true, fault));
    }
    match kinds {
        (Kinds::Nil, Kinds::Nil) => return Err((false, "a field beside nil".to_owned())),
        (Kinds::Nil, _) | (_, Kinds::Nil) => return nil(left, sign, right),
        (Kinds::Any, Kinds::Status | Kinds::Kind) | (Kinds::Status | Kinds::Kind, Kinds::Any) => {
            let what = "text in quotes, or a number: a status or a kind compares only with `status` or `kind`";
            return Err((true, what.to_owned()));
        }
        (one, other) if one != other && one != Kinds::Any && other != Kinds::Any => {
            return Err((true, format!("{}; this is {}", one.wanted(), other.name())));
        }
        _ => {}
    }
    let ordered =
        matches!(kinds.0, Kinds::Text | Kinds::Number | Kinds::Any) && id(left).or_else(|| id(right)).is_none();
    if !equality && !ordered {
        return Err((false, "`=` or `!=`: this has no order".to_owned()));
    }
    well_formed(left, right).and_then(|()| well_formed(right, left)).map_err(|fault| (true, fault))
}

fn nil(left: &FieldExpr, sign: Comparison, right: &FieldExpr) -> Result<(), (bool, String)> {
    if !matches!(sign, Comparison::Equal | Comparison::NotEqual) {
        return Err((false, "`= nil` or `!= nil`".to_owned()));
    }
    let may_miss = |side: &FieldExpr| {
        matches!(side, FieldExpr::Field(_, Field::Attribute(_) | Field::ParentId))
            || *side == FieldExpr::Literal(Literal::Nil)
    };
    if may_miss(left) && may_miss(right) {
        return Ok(());
    }
    Err((true, "a value: only attributes and `parent` can be nil".to_owned()))
}

fn id(side: &FieldExpr) -> Option<Type> {
    match side {
        FieldExpr::Field(_, field) => Some(field.values()).filter(|kind| matches!(kind, Type::TraceId | Type::SpanId)),
        _ => None,
    }
}

/// That what is compared with an id is one.
fn well_formed(field: &FieldExpr, value: &FieldExpr) -> Result<(), String> {
    let (Some(kind), FieldExpr::Literal(Literal::Text { text, .. })) = (id(field), value) else { return Ok(()) };
    let valid = match kind {
        Type::TraceId => TraceId::from_hex(text).is_some(),
        _ => SpanId::from_hex(text).is_some(),
    };
    if valid { Ok(()) } else { Err("an id in hex digits".to_owned()) }
}

/// That it is a regular expression.
pub(super) fn regex(text: &str) -> Result<(), String> {
    compile(text).map(drop).map_err(|fault| format!("a regular expression: {fault}"))
}

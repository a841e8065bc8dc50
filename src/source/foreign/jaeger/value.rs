//! Tags, as attributes.

use serde_json::Value as Json;

use super::shape::{Scalar, Tag};
use crate::model::{Attribute, Text, Value};
use crate::otlp::json::base64;

/// A tag, by its type if the value fits that, else as what the value is by itself.
pub(super) fn attribute(tag: &Tag<'_>) -> Attribute {
    Attribute { key: tag.key.text().into(), value: value(tag.kind.text(), &tag.value) }
}

/// What Jaeger has to say of a span, if it says anything.
pub(super) fn warnings(said: &Scalar<'_>) -> Option<Value> {
    match said {
        Scalar::Composite(list @ Json::Array(members)) if !members.is_empty() => Some(json(list)),
        Scalar::Text(text) if !text.is_empty() => Some(Value::Array(vec![Value::Text(text.as_ref().into())])),
        _ => None,
    }
}

fn value(kind: &str, given: &Scalar<'_>) -> Value {
    let typed = match (kind, given) {
        ("bool", Scalar::Text(text)) => text.parse().ok().map(Value::Bool),
        // Beyond what a double holds exactly Jaeger writes numbers as text.
        ("int64", Scalar::Text(text)) => text.parse().ok().map(Value::Int),
        ("int64", Scalar::Float(number)) => whole(*number).map(Value::Int),
        ("float64", Scalar::Text(text)) => text.parse().ok().map(Value::Double),
        ("float64", Scalar::Int(number)) => Some(Value::Double(float(*number))),
        ("binary", Scalar::Text(text)) => base64(text).map(Value::Bytes),
        _ => None,
    };
    typed.unwrap_or_else(|| plain(given))
}

fn plain(given: &Scalar<'_>) -> Value {
    match given {
        Scalar::Absent => Value::Empty,
        Scalar::Bool(truth) => Value::Bool(*truth),
        Scalar::Int(number) => Value::Int(*number),
        Scalar::Large(number) => Value::Text(number.to_string().into()),
        Scalar::Float(number) => Value::Double(*number),
        Scalar::Text(text) => Value::Text(text.as_ref().into()),
        Scalar::Composite(composite) => json(composite),
    }
}

fn json(given: &Json) -> Value {
    match given {
        Json::Null => Value::Empty,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(broken)) => Value::Double(broken),
            (None, None) => Value::Text(number.to_string().into()),
        },
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(members) => Value::Array(members.iter().map(json).collect()),
        Json::Object(members) => {
            let member =
                |(key, value): (&String, &Json)| Attribute { key: Text::from(key.as_str()), value: json(value) };
            Value::Map(members.iter().map(member).collect())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the sender says that it is a floating-point number")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e18).then_some(number as i64)
}

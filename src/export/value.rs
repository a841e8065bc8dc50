//! Values as plain text and as plain JSON, as the OpenTelemetry specification has it where the type cannot be kept
//! ("`AnyValue` representation for non-OTLP protocols").

use super::base64;
use crate::model::{Attribute, Resource, Text, Value};

/// How deep lists and maps are written; what lies deeper is left empty.
const DEEPEST: usize = 128;

/// Text as a JSON string; what is not UTF-8 becomes U+FFFD.
pub(super) fn quote(text: &str, out: &mut String) {
    // Text can always be written.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// The value as JSON: bytes in base64, what is no number in JSON as text.
pub(super) fn json(value: &Value, out: &mut String) {
    json_at(value, out, 0);
}

fn json_at(value: &Value, out: &mut String, depth: usize) {
    match value {
        Value::Array(_) | Value::Map(_) if depth >= DEEPEST => out.push_str("null"),
        Value::Array(members) => {
            out.push('[');
            for (index, member) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                json_at(member, out, depth + 1);
            }
            out.push(']');
        }
        Value::Map(members) => map(members, out, depth),
        Value::Empty => out.push_str("null"),
        Value::Bool(_) | Value::Int(_) => out.push_str(&text(value)),
        Value::Double(number) if number.is_finite() => out.push_str(&text(value)),
        Value::Double(_) | Value::Text(_) | Value::Bytes(_) => quote(&text(value), out),
    }
}

/// Attributes as a JSON object, in order; a key that repeats stands there as often.
pub(super) fn object(attributes: &[Attribute], out: &mut String) {
    map(attributes, out, 0);
}

fn map(members: &[Attribute], out: &mut String, depth: usize) {
    out.push('{');
    for (index, member) in members.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        quote(&member.key.lossy(), out);
        out.push(':');
        json_at(&member.value, out, depth + 1);
    }
    out.push('}');
}

/// The value as text: strings as they are, lists and maps as JSON, bytes in base64.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.lossy().into_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => double(*number),
        Value::Bytes(bytes) => base64(bytes),
        Value::Array(_) | Value::Map(_) => {
            let mut out = String::new();
            json(value, &mut out);
            out
        }
    }
}

/// A number as JSON has it; what JSON has not, by the names that protobuf gives it.
pub(super) fn double(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:?}")
    }
}

/// `service.name` of a resource.
pub(super) fn service(resource: &Resource) -> String {
    match crate::model::lookup(&resource.attributes, "service.name") {
        Some(Value::Text(name)) => name.lossy().into_owned(),
        _ => "unknown_service".to_owned(),
    }
}

/// Text without control characters, for what a person reads.
pub(super) fn readable(text: &Text) -> String {
    text.lossy().chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

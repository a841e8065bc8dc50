//! Values as plain text, masked where they hold secrets: for copies, and for what is highlighted.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::{Attribute, Value};
use crate::redact::Redactor;

/// How deep lists and maps are written; what lies deeper is told as `…`.
const DEEPEST: usize = 64;

/// The value under `key` as text: strings as they are, lists and maps as JSON. `mask` hides secrets, also those that lie
/// deeper in a map.
pub(super) fn text(key: &str, value: &Value, mask: Option<&Redactor>) -> String {
    let composite = matches!(value, Value::Array(_) | Value::Map(_));
    if composite && !mask.is_some_and(|mask| mask.is_secret_key(key)) {
        let mut out = String::new();
        json(&mut out, key, value, mask, 0);
        return out;
    }
    let plain = if composite { "…".to_owned() } else { scalar(value) };
    masked(key, &plain, mask)
}

/// Text that stands under `key`, masked.
pub(super) fn masked(key: &str, text: &str, mask: Option<&Redactor>) -> String {
    mask.map_or_else(|| text.to_owned(), |mask| mask.value(key, text).text.into_owned())
}

/// Free text, masked.
pub(super) fn free<'a>(text: &'a str, mask: Option<&Redactor>) -> Cow<'a, str> {
    mask.map_or(Cow::Borrowed(text), |mask| mask.text(text))
}

/// Attributes as lines of `key=value`.
pub(super) fn lines(attributes: &[Attribute], mask: Option<&Redactor>) -> String {
    let mut out = String::new();
    for Attribute { key, value } in attributes {
        let key = key.lossy();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{key}={}", text(&key, value, mask));
    }
    out.truncate(out.trim_end().len());
    out
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bytes(bytes) => bytes.iter().fold(String::with_capacity(bytes.len() * 2 + 2), |mut out, byte| {
            if out.is_empty() {
                out.push_str("0x");
            }
            let _ = write!(out, "{byte:02x}");
            out
        }),
        Value::Text(text) => text.lossy().into_owned(),
        Value::Empty | Value::Array(_) | Value::Map(_) => String::new(),
    }
}

fn json(out: &mut String, key: &str, value: &Value, mask: Option<&Redactor>, depth: usize) {
    if depth >= DEEPEST {
        out.push('…');
        return;
    }
    match value {
        Value::Empty => out.push_str("null"),
        Value::Double(number) if !number.is_finite() => quote(out, &number.to_string()),
        Value::Bool(_) | Value::Int(_) | Value::Double(_) => {
            let plain = scalar(value);
            let shown = masked(key, &plain, mask);
            if shown == plain { out.push_str(&plain) } else { quote(out, &shown) }
        }
        Value::Text(_) | Value::Bytes(_) => quote(out, &masked(key, &scalar(value), mask)),
        Value::Array(members) => {
            out.push('[');
            for (index, member) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                json(out, key, member, mask, depth + 1);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (index, member) in members.iter().enumerate() {
                let inner = member.key.lossy();
                out.push_str(if index == 0 { "" } else { "," });
                quote(out, &inner);
                out.push(':');
                // What lies below a secret key is secret too.
                let secret = mask.is_some_and(|mask| mask.is_secret_key(key));
                json(out, if secret { key } else { &inner }, &member.value, mask, depth + 1);
            }
            out.push('}');
        }
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(members: &[(&str, Value)]) -> Value {
        Value::Map(members.iter().map(|(key, value)| Attribute { key: (*key).into(), value: value.clone() }).collect())
    }

    #[test]
    fn values_are_written_as_a_person_would() {
        let table = [
            (Value::Text("a\"b".into()), "a\"b"),
            (Value::Int(-3), "-3"),
            (Value::Double(0.5), "0.5"),
            (Value::Bool(true), "true"),
            (Value::Empty, ""),
            (Value::Bytes(vec![1, 255]), "0x01ff"),
            (Value::Array(vec![Value::Int(1), Value::Text("a\"\n".into()), Value::Empty]), r#"[1,"a\"\n",null]"#),
            (map(&[("a", Value::Double(f64::NAN)), ("b", Value::Array(vec![]))]), r#"{"a":"NaN","b":[]}"#),
        ];
        for (value, expected) in table {
            assert_eq!(text("k", &value, None), expected);
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_lie() {
        let mask = Redactor::default();
        let value =
            map(&[("user", map(&[("password", Value::Text("hunter2".into())), ("name", Value::Text("ann".into()))]))]);
        let shown = text("body", &value, Some(&mask));
        assert!(!shown.contains("hunter2") && shown.contains("ann"), "{shown}");
        let below = map(&[("inner", Value::Text("hunter2".into()))]);
        assert!(!text("password", &below, Some(&mask)).contains("hunter2"));
        assert!(text("password", &below, None).contains("hunter2"));
        let lines = lines(&[Attribute { key: "password".into(), value: Value::Text("hunter2".into()) }], Some(&mask));
        assert!(lines.starts_with("password=") && !lines.contains("hunter2"), "{lines}");
    }

    #[test]
    fn depth_has_an_end() {
        let deep = (0..100_000).fold(Value::Int(1), |inner, _| Value::Array(vec![inner]));
        assert!(text("k", &deep, None).contains('…'));
        // The compiler's own drop of so deep a value would need as deep a stack.
        std::mem::forget(deep);
    }
}

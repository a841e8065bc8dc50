//! Values as text: what a person reads, bounded, without what a terminal would act upon.

use std::fmt::Write as _;

use crate::model::{Value, hex};
use crate::view::text;

/// Bytes of one value that are shown; copying takes all of it.
const MOST: usize = 64 * 1024;

/// The start of a text, and how many bytes of it are not shown.
pub(super) fn bounded(text: &str) -> (&str, usize) {
    if text.len() <= MOST {
        return (text, 0);
    }
    let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (text.get(..end).unwrap_or_default(), text.len() - end)
}

/// What a terminal would act upon made visible, line ends kept.
pub(super) fn lines_visible(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line).replace('\t', "    ");
        text::visible(&line).into_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value as text, where it is to be read as text.
pub(super) fn plain(value: &Value) -> String {
    value_text(value)
}

/// A value for a person: text as it is, the rest as JSON has it.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::Empty => "(empty)".to_owned(),
        Value::Text(text) => text.lossy().into_owned(),
        other => {
            let mut out = String::new();
            write_value(other, &mut out, 0);
            out
        }
    }
}

/// Values deeper than this are not written out.
const DEEPEST: usize = 24;

fn write_value(value: &Value, out: &mut String, depth: usize) {
    if depth > DEEPEST {
        out.push('…');
        return;
    }
    match value {
        Value::Empty => out.push_str("null"),
        Value::Text(text) => {
            out.push('"');
            out.push_str(&text.lossy());
            out.push('"');
        }
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Double(value) => out.push_str(&value.to_string()),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_value(value, out, depth + 1);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", \"" } else { "\"" });
                out.push_str(&entry.key.lossy());
                out.push_str("\": ");
                write_value(&entry.value, out, depth + 1);
            }
            out.push('}');
        }
        Value::Bytes(bytes) => {
            let more = if bytes.len() > 256 { "…" } else { "" };
            let _ = write!(out, "{} bytes: {}{more}", bytes.len(), hex(bytes.get(..256).unwrap_or(bytes)));
        }
    }
}

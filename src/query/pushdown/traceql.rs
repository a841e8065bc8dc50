//! Conditions as TraceQL, for Tempo.

use super::conditions::Remote;
use crate::query::field::{Attribute, Scope};

/// One `{ … }` of what can be said; `cover` hears of each condition's part whether it could.
pub(super) fn spell(all: &[(usize, Remote)], cover: &mut dyn FnMut(usize, bool)) -> String {
    let mut said = Vec::new();
    for (part, condition) in all {
        let spelled = condition.traceql();
        cover(*part, spelled.is_some());
        said.extend(spelled);
    }
    if said.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", said.join(" && ")) }
}

impl Remote {
    fn traceql(&self) -> Option<String> {
        Some(match self {
            Self::Service(name) => format!("resource.service.name = {}", text(name)?),
            Self::Name(name) => format!("name = {}", text(name)?),
            Self::AtLeast(length) => format!("duration >= {}ns", length.0),
            Self::AtMost(length) => format!("duration <= {}ns", length.0),
            Self::Kind(kind) => format!("kind = {}", kind.name()),
            Self::Status(code) => format!("status = {}", code.name()),
            Self::Attribute { attribute, value } => return compared(attribute, value),
        })
    }
}

/// TraceQL compares only what is of one type, so all that the value may be is asked for.
fn compared(attribute: &Attribute, value: &str) -> Option<String> {
    let keys = keys(attribute)?;
    let mut values = vec![text(value)?];
    if value.parse::<i64>().is_ok() || matches!(value, "true" | "false") {
        values.push(value.to_owned());
    }
    let each = keys.iter().flat_map(|key| values.iter().map(move |value| format!("{key} = {value}")));
    let each: Vec<String> = each.collect();
    Some(if each.len() == 1 { each.concat() } else { format!("({})", each.join(" || ")) })
}

/// Every place it may stand in. `.key` is the span and the resource.
fn keys(attribute: &Attribute) -> Option<Vec<String>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
    let key = if attribute.key.bytes().all(plain) { attribute.key.clone() } else { text(&attribute.key)? };
    let places: &[&str] = match attribute.scope {
        Scope::Anywhere => &[".", "event.", "link.", "instrumentation."],
        Scope::Span => &["span."],
        Scope::Resource => &["resource."],
        Scope::Event => &["event."],
        Scope::Link => &["link."],
        Scope::Instrumentation => &["instrumentation."],
    };
    Some(places.iter().map(|place| format!("{place}{key}")).collect())
}

/// Text in quotes; `None` for what TraceQL has no sure way to write.
fn text(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

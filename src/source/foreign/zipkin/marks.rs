//! What OpenTelemetry's exporters write into annotations and tags, since Zipkin has no field for it: attributes of events,
//! and links.

use serde_json::Value as Json;

use super::map::Annotation;
use crate::model::{Attribute, Event, Link, SpanId, Text, Timestamp, TraceId, Value};

/// What a link's tag begins with; a number follows.
const LINK: &str = "otlp.link.";

/// An event. Its attributes are in the annotation's value, either as the Collector writes them (`name|{…}|dropped`) or
/// as the specification says (`"name": {…}`); any other value is the name.
pub(super) fn event(annotation: Annotation) -> Event {
    let time = Timestamp(annotation.timestamp.saturating_mul(1000));
    let value = annotation.value.lossy();
    let told = parted(&value).or_else(|| quoted(&value));
    match told {
        Some((name, attributes, dropped_attributes)) => Event { time, name, attributes, dropped_attributes },
        None => Event { time, name: annotation.value, ..Event::default() },
    }
}

fn parted(value: &str) -> Option<(Text, Vec<Attribute>, u32)> {
    let (name, rest) = value.split_once('|')?;
    let (members, dropped) = rest.rsplit_once('|')?;
    Some((name.into(), attributes(members)?, dropped.parse().ok()?))
}

fn quoted(value: &str) -> Option<(Text, Vec<Attribute>, u32)> {
    if !value.starts_with('"') {
        return None;
    }
    let Json::Object(one) = serde_json::from_str(&format!("{{{value}}}")).ok()? else { return None };
    let (name, members) = if one.len() == 1 { one.into_iter().next()? } else { return None };
    let Json::Object(members) = members else { return None };
    Some((name.into(), members.into_iter().map(attribute).collect(), 0))
}

/// Takes the links out of the tags: `trace|span|state|{…}|dropped`, in the order of their numbers.
pub(super) fn links(tags: &mut Vec<Attribute>) -> Vec<Link> {
    let mut links: Vec<(u32, Link)> = Vec::new();
    tags.retain(|tag| {
        let found = link(tag);
        let is_link = found.is_some();
        links.extend(found);
        !is_link
    });
    links.sort_by_key(|(number, _)| *number);
    links.into_iter().map(|(_, link)| link).collect()
}

fn link(tag: &Attribute) -> Option<(u32, Link)> {
    let key = std::str::from_utf8(tag.key.as_bytes()).ok()?;
    let number = key.strip_prefix(LINK)?.parse().ok()?;
    let Value::Text(value) = &tag.value else { return None };
    let value = value.lossy();
    let mut parts = value.splitn(4, '|');
    let [trace, span, state, rest] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let (members, dropped) = rest.rsplit_once('|')?;
    let link = Link {
        trace_id: TraceId::from_hex(trace)?.0.into(),
        span_id: SpanId::from_hex(span)?.0.into(),
        trace_state: state.into(),
        attributes: attributes(members)?,
        dropped_attributes: dropped.parse().ok()?,
        flags: 0,
    };
    Some((number, link))
}

fn attributes(members: &str) -> Option<Vec<Attribute>> {
    match serde_json::from_str(members).ok()? {
        Json::Object(members) => Some(members.into_iter().map(attribute).collect()),
        Json::Null => Some(Vec::new()),
        _ => None,
    }
}

fn attribute((key, value): (String, Json)) -> Attribute {
    Attribute { key: key.into(), value: self::value(value) }
}

/// A value of JSON as one of OTLP.
pub(super) fn value(value: Json) -> Value {
    match value {
        Json::Null => Value::Empty,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => number.as_f64().map_or(Value::Empty, Value::Double),
        },
        Json::String(text) => Value::Text(text.into()),
        Json::Array(members) => Value::Array(members.into_iter().map(self::value).collect()),
        Json::Object(members) => Value::Map(members.into_iter().map(attribute).collect()),
    }
}

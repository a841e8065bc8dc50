//! OTLP/JSON: a request on each line (<https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>).
//!
//! Ids are hex, whole numbers of 64 bits are text, enums are numbers, fields that hold the default are left out. Text that is not
//! UTF-8 gets U+FFFD: JSON has no place for it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::base64;
use super::value::{double, quote};
use crate::model::{Attribute, Event, Link, LogRecord, Resource, Scope, Span, Text, Value, hex};
use crate::otlp::encode;

/// A line with these spans, grouped by resource and scope; their order within a group is kept.
pub(super) fn spans(spans: &[Span]) -> String {
    let names = ["resourceSpans", "scopeSpans", "spans"];
    grouped(names, spans.iter().map(|span| (&span.resource, &span.scope, span)), write_span)
}

/// A line with these log records.
pub(super) fn logs(logs: &[LogRecord]) -> String {
    let names = ["resourceLogs", "scopeLogs", "logRecords"];
    grouped(names, logs.iter().map(|log| (&log.resource, &log.scope, log)), write_log)
}

type Member<'a, T> = (&'a Arc<Resource>, &'a Arc<Scope>, &'a T);

/// Members of one resource, by scope.
type Scopes<'a, T> = Vec<(&'a Arc<Scope>, Vec<&'a T>)>;

fn grouped<'a, T: 'a>(
    [outer, inner, members_name]: [&str; 3],
    members: impl Iterator<Item = Member<'a, T>>,
    write: fn(&mut Object<'_>, &T),
) -> String {
    let mut groups: Vec<(&Arc<Resource>, Scopes<'a, T>)> = Vec::new();
    let (mut resources, mut scopes) = (Places::default(), Places::default());
    let mut at: HashMap<(usize, usize), usize> = HashMap::new();
    for (resource, scope, member) in members {
        let of = resources.place(Arc::as_ptr(resource).addr(), || {
            (encode::resource(resource), resource.schema_url.as_bytes().into())
        });
        let by = scopes.place(Arc::as_ptr(scope).addr(), || (encode::scope(scope), scope.schema_url.as_bytes().into()));
        if of == groups.len() {
            groups.push((resource, Vec::new()));
        }
        let group = &mut groups[of].1;
        let place = *at.entry((of, by)).or_insert_with(|| {
            group.push((scope, Vec::new()));
            group.len() - 1
        });
        group[place].1.push(member);
    }
    let mut out = String::new();
    object(&mut out, |line| {
        line.each(outer, &groups, |group, (resource, scopes)| {
            group.one("resource", |out| write_resource(out, resource));
            group.each(inner, scopes, |part, (scope, members)| {
                part.one("scope", |out| write_scope(out, scope));
                part.each(members_name, members, |out, member| write(out, member));
                part.text("schemaUrl", &scope.schema_url);
            });
            group.text("schemaUrl", &resource.schema_url);
        });
    });
    out.push('\n');
    out
}

/// What was met so far, each with its number: by address, and where that is new by content.
#[derive(Default)]
struct Places {
    by_address: HashMap<usize, usize>,
    by_content: HashMap<(Vec<u8>, Vec<u8>), usize>,
}

impl Places {
    fn place(&mut self, address: usize, content: impl FnOnce() -> (Vec<u8>, Vec<u8>)) -> usize {
        let by_content = &mut self.by_content;
        *self.by_address.entry(address).or_insert_with(|| {
            let next = by_content.len();
            *by_content.entry(content()).or_insert(next)
        })
    }
}

fn write_resource(out: &mut Object<'_>, resource: &Resource) {
    out.attributes(&resource.attributes);
    out.count("droppedAttributesCount", resource.dropped_attributes);
}

fn write_scope(out: &mut Object<'_>, scope: &Scope) {
    out.text("name", &scope.name);
    out.text("version", &scope.version);
    out.attributes(&scope.attributes);
    out.count("droppedAttributesCount", scope.dropped_attributes);
}

fn write_span(out: &mut Object<'_>, span: &Span) {
    let parent = span.parent_id.as_ref().map(|id| &id.0[..]).or(span.odd_parent.as_deref());
    out.id("traceId", &span.trace_id.0);
    out.id("spanId", &span.span_id.0);
    out.text("traceState", &span.trace_state);
    out.id("parentSpanId", parent.unwrap_or_default());
    out.count("flags", span.flags);
    out.text("name", &span.name);
    out.number("kind", span.kind.0);
    out.time("startTimeUnixNano", span.start.0);
    out.time("endTimeUnixNano", span.end.0);
    out.attributes(&span.attributes);
    out.count("droppedAttributesCount", span.dropped_attributes);
    out.each("events", &span.events, write_event);
    out.count("droppedEventsCount", span.dropped_events);
    out.each("links", &span.links, write_link);
    out.count("droppedLinksCount", span.dropped_links);
    if span.status != crate::model::Status::default() {
        out.one("status", |out| {
            out.text("message", &span.status.message);
            out.number("code", span.status.code.0);
        });
    }
}

fn write_event(out: &mut Object<'_>, event: &Event) {
    out.time("timeUnixNano", event.time.0);
    out.text("name", &event.name);
    out.attributes(&event.attributes);
    out.count("droppedAttributesCount", event.dropped_attributes);
}

fn write_link(out: &mut Object<'_>, link: &Link) {
    out.id("traceId", &link.trace_id);
    out.id("spanId", &link.span_id);
    out.text("traceState", &link.trace_state);
    out.attributes(&link.attributes);
    out.count("droppedAttributesCount", link.dropped_attributes);
    out.count("flags", link.flags);
}

fn write_log(out: &mut Object<'_>, log: &LogRecord) {
    out.time("timeUnixNano", log.time.0);
    out.time("observedTimeUnixNano", log.observed.0);
    out.number("severityNumber", log.severity);
    out.text("severityText", &log.severity_text);
    if log.body != Value::Empty {
        out.one("body", |out| write_value(out, &log.body));
    }
    out.attributes(&log.attributes);
    out.count("droppedAttributesCount", log.dropped_attributes);
    out.count("flags", log.flags);
    out.id("traceId", &log.trace_id.0);
    out.id("spanId", log.span_id.as_ref().map_or(&[], |id| &id.0));
    out.text("eventName", &log.event_name);
}

fn write_value(out: &mut Object<'_>, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Text(text) => quote(&text.lossy(), out.member("stringValue")),
        Value::Bool(truth) => out.member("boolValue").push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out.member("intValue"), "\"{number}\"");
        }
        Value::Double(number) if number.is_finite() => out.member("doubleValue").push_str(&double(*number)),
        Value::Double(number) => quote(&double(*number), out.member("doubleValue")),
        Value::Bytes(bytes) => quote(&base64(bytes), out.member("bytesValue")),
        Value::Array(members) => out.one("arrayValue", |out| {
            list(out.member("values"), members, write_value);
        }),
        Value::Map(members) => out.one("kvlistValue", |out| {
            list(out.member("values"), members, write_attribute);
        }),
    }
}

fn write_attribute(out: &mut Object<'_>, attribute: &Attribute) {
    quote(&attribute.key.lossy(), out.member("key"));
    out.one("value", |out| write_value(out, &attribute.value));
}

/// An object that is being written.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

fn object(out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    write(&mut Object { out, first: true });
    out.push('}');
}

fn list<T>(out: &mut String, members: &[T], write: impl Fn(&mut Object<'_>, &T)) {
    out.push('[');
    for (index, member) in members.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        object(out, |out| write(out, member));
    }
    out.push(']');
}

impl Object<'_> {
    /// Begins a member; its value is to be written next.
    fn member(&mut self, name: &str) -> &mut String {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        let _ = write!(self.out, "{comma}\"{name}\":");
        self.out
    }

    fn one(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        object(self.member(name), write);
    }

    fn each<T>(&mut self, name: &str, members: &[T], write: impl Fn(&mut Object<'_>, &T)) {
        if !members.is_empty() {
            list(self.member(name), members, write);
        }
    }

    fn text(&mut self, name: &str, text: &Text) {
        if !text.is_empty() {
            quote(&text.lossy(), self.member(name));
        }
    }

    fn id(&mut self, name: &str, id: &[u8]) {
        if !id.is_empty() {
            quote(&hex(id), self.member(name));
        }
    }

    fn count(&mut self, name: &str, count: u32) {
        if count != 0 {
            let _ = write!(self.member(name), "{count}");
        }
    }

    fn number(&mut self, name: &str, number: i32) {
        if number != 0 {
            let _ = write!(self.member(name), "{number}");
        }
    }

    fn time(&mut self, name: &str, nanos: u64) {
        if nanos != 0 {
            let _ = write!(self.member(name), "\"{nanos}\"");
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        self.each("attributes", attributes, write_attribute);
    }
}

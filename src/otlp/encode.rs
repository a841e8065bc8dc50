//! From the model to OTLP protobuf bytes.
//!
//! Fields are written in the order of their numbers and left out where they hold the default, as proto3 has it;
//! numbers of fields: <https://github.com/open-telemetry/opentelemetry-proto>.

use std::collections::HashMap;
use std::sync::Arc;

use super::put::{Wire, Writer};
use crate::model::{Attribute, Event, Link, LogRecord, Resource, Scope, Span, Status, Value};

/// An `ExportTraceServiceRequest` with `spans`: grouped by resource and in it by scope, compared by content, in
/// the order in which each first appears. Within a group the order is kept.
#[must_use]
pub fn spans(spans: &[Span]) -> Vec<u8> {
    let mut request = Request::default();
    for span in spans {
        request.push(span);
    }
    request.finish()
}

/// An `ExportTraceServiceRequest` that is written span by span, grouped as [`spans`] groups.
#[derive(Default)]
pub struct Request(Groups);

impl Request {
    /// Writes one more span.
    pub fn push(&mut self, span: &Span) {
        let members = self.0.members(&span.resource, &span.scope);
        let before = members.len();
        message(members, 2, |out| write_span(out, span));
        self.0.written += members.len() - before;
    }

    /// About how many bytes have been written; resources and scopes are not in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.written
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.members.is_empty()
    }

    /// The finished request.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}

/// An `ExportLogsServiceRequest` with `records`, grouped as [`spans`] groups.
#[must_use]
pub fn logs(records: &[LogRecord]) -> Vec<u8> {
    let mut groups = Groups::default();
    for record in records {
        message(groups.members(&record.resource, &record.scope), 2, |out| write_log(out, record));
    }
    groups.finish()
}

/// A `Resource` message. The schema url is not in it: it stands beside it.
#[must_use]
pub fn resource(resource: &Resource) -> Vec<u8> {
    let mut out = Writer::default();
    attributes(&mut out, 1, &resource.attributes);
    uint(&mut out, 2, resource.dropped_attributes.into());
    out.finish()
}

/// An `InstrumentationScope` message. The schema url is not in it: it stands beside it.
#[must_use]
pub fn scope(scope: &Scope) -> Vec<u8> {
    let mut out = Writer::default();
    bytes(&mut out, 1, scope.name.as_bytes());
    bytes(&mut out, 2, scope.version.as_bytes());
    attributes(&mut out, 3, &scope.attributes);
    uint(&mut out, 4, scope.dropped_attributes.into());
    out.finish()
}

/// A `Span` message. Resource and scope are not in it: they stand around it.
#[must_use]
pub fn span(span: &Span) -> Vec<u8> {
    let mut out = Writer::default();
    write_span(&mut out, span);
    out.finish()
}

/// An `Event` message.
#[must_use]
pub fn event(event: &Event) -> Vec<u8> {
    let mut out = Writer::default();
    write_event(&mut out, event);
    out.finish()
}

/// A `Link` message.
#[must_use]
pub fn link(link: &Link) -> Vec<u8> {
    let mut out = Writer::default();
    write_link(&mut out, link);
    out.finish()
}

/// A `KeyValue` message.
#[must_use]
pub fn attribute(attribute: &Attribute) -> Vec<u8> {
    let mut out = Writer::default();
    write_attribute(&mut out, attribute);
    out.finish()
}

/// An `AnyValue` message; empty for [`Value::Empty`].
#[must_use]
pub fn value(value: &Value) -> Vec<u8> {
    let mut out = Writer::default();
    write_value(&mut out, value);
    out.finish()
}

/// Members of an export request under way, by resource and scope.
#[derive(Default)]
struct Groups {
    resources: Headers<Resource>,
    scopes: Headers<Scope>,
    /// Bytes of members, about.
    written: usize,
    /// Where the members of a resource and a scope are in `members`.
    places: HashMap<(usize, usize), usize>,
    /// Resource, scope, and the encoded members.
    members: Vec<(usize, usize, Writer)>,
}

impl Groups {
    fn members(&mut self, of: &Arc<Resource>, by: &Arc<Scope>) -> &mut Writer {
        let resource = self.resources.place(of, || (resource(of), of.schema_url.as_bytes().into()));
        let scope = self.scopes.place(by, || (scope(by), by.schema_url.as_bytes().into()));
        let place = *self.places.entry((resource, scope)).or_insert_with(|| {
            self.members.push((resource, scope, Writer::default()));
            self.members.len() - 1
        });
        &mut self.members[place].2
    }

    fn finish(self) -> Vec<u8> {
        let mut members: Vec<_> =
            self.members.into_iter().map(|(resource, scope, members)| (resource, scope, members.finish())).collect();
        members.sort_by_key(|(resource, ..)| *resource);
        let mut out = Writer::default();
        for group in members.chunk_by(|left, right| left.0 == right.0) {
            message(&mut out, 1, |out| {
                let (resource, schema_url) = &self.resources.all[group[0].0];
                out.delimited(1, resource);
                for (_, scope, members) in group {
                    message(out, 2, |out| {
                        let (scope, schema_url) = &self.scopes.all[*scope];
                        out.delimited(1, scope);
                        out.raw(members);
                        bytes(out, 3, schema_url);
                    });
                }
                bytes(out, 3, schema_url);
            });
        }
        out.finish()
    }
}

/// A message and the schema url beside it.
type Header = (Vec<u8>, Vec<u8>);

/// The different resources or scopes so far, encoded once for each shared value.
struct Headers<T> {
    by_address: HashMap<usize, usize>,
    by_content: HashMap<Header, usize>,
    all: Vec<Header>,
    /// Those whose addresses are known: no other value may come to lie there.
    kept: Vec<Arc<T>>,
}

impl<T> Default for Headers<T> {
    fn default() -> Self {
        Self { by_address: HashMap::new(), by_content: HashMap::new(), all: Vec::new(), kept: Vec::new() }
    }
}

impl<T> Headers<T> {
    fn place(&mut self, value: &Arc<T>, encoded: impl FnOnce() -> Header) -> usize {
        *self.by_address.entry(Arc::as_ptr(value).addr()).or_insert_with(|| {
            self.kept.push(Arc::clone(value));
            let header = encoded();
            *self.by_content.entry(header).or_insert_with_key(|header| {
                self.all.push(header.clone());
                self.all.len() - 1
            })
        })
    }
}

fn write_span(out: &mut Writer, span: &Span) {
    let parent = span.parent_id.as_ref().map(|id| &id.0[..]).or(span.odd_parent.as_deref());
    bytes(out, 1, &span.trace_id.0);
    bytes(out, 2, &span.span_id.0);
    bytes(out, 3, span.trace_state.as_bytes());
    bytes(out, 4, parent.unwrap_or_default());
    bytes(out, 5, span.name.as_bytes());
    enumeration(out, 6, span.kind.0);
    fixed64(out, 7, span.start.0);
    fixed64(out, 8, span.end.0);
    attributes(out, 9, &span.attributes);
    uint(out, 10, span.dropped_attributes.into());
    for event in &span.events {
        message(out, 11, |out| write_event(out, event));
    }
    uint(out, 12, span.dropped_events.into());
    for link in &span.links {
        message(out, 13, |out| write_link(out, link));
    }
    uint(out, 14, span.dropped_links.into());
    if span.status != Status::default() {
        message(out, 15, |out| {
            bytes(out, 2, span.status.message.as_bytes());
            enumeration(out, 3, span.status.code.0);
        });
    }
    fixed32(out, 16, span.flags);
}

fn write_event(out: &mut Writer, event: &Event) {
    fixed64(out, 1, event.time.0);
    bytes(out, 2, event.name.as_bytes());
    attributes(out, 3, &event.attributes);
    uint(out, 4, event.dropped_attributes.into());
}

fn write_link(out: &mut Writer, link: &Link) {
    bytes(out, 1, &link.trace_id);
    bytes(out, 2, &link.span_id);
    bytes(out, 3, link.trace_state.as_bytes());
    attributes(out, 4, &link.attributes);
    uint(out, 5, link.dropped_attributes.into());
    fixed32(out, 6, link.flags);
}

fn write_log(out: &mut Writer, record: &LogRecord) {
    fixed64(out, 1, record.time.0);
    enumeration(out, 2, record.severity);
    bytes(out, 3, record.severity_text.as_bytes());
    if record.body != Value::Empty {
        message(out, 5, |out| write_value(out, &record.body));
    }
    attributes(out, 6, &record.attributes);
    uint(out, 7, record.dropped_attributes.into());
    fixed32(out, 8, record.flags);
    bytes(out, 9, &record.trace_id.0);
    bytes(out, 10, record.span_id.as_ref().map_or(&[], |id| &id.0));
    fixed64(out, 11, record.observed.0);
    bytes(out, 12, record.event_name.as_bytes());
}

fn attributes(out: &mut Writer, field: u32, attributes: &[Attribute]) {
    for attribute in attributes {
        message(out, field, |out| write_attribute(out, attribute));
    }
}

fn write_attribute(out: &mut Writer, attribute: &Attribute) {
    bytes(out, 1, attribute.key.as_bytes());
    message(out, 2, |out| write_value(out, &attribute.value));
}

/// A value is a `oneof`: what is set is written even where it is the default of its type.
fn write_value(out: &mut Writer, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Text(text) => out.delimited(1, text.as_bytes()),
        Value::Bool(truth) => {
            out.tag(2, Wire::Varint);
            out.varint(u64::from(*truth));
        }
        Value::Int(number) => {
            out.tag(3, Wire::Varint);
            out.varint(number.cast_unsigned());
        }
        Value::Double(number) => {
            out.tag(4, Wire::Fixed64);
            out.raw(&number.to_le_bytes());
        }
        Value::Array(members) => message(out, 5, |out| {
            for member in members {
                message(out, 1, |out| write_value(out, member));
            }
        }),
        Value::Map(members) => message(out, 6, |out| attributes(out, 1, members)),
        Value::Bytes(content) => out.delimited(7, content),
    }
}

fn message(out: &mut Writer, field: u32, write: impl FnOnce(&mut Writer)) {
    let open = out.open(field);
    write(out);
    out.close(&open);
}

fn bytes(out: &mut Writer, field: u32, content: &[u8]) {
    if !content.is_empty() {
        out.delimited(field, content);
    }
}

fn uint(out: &mut Writer, field: u32, value: u64) {
    if value != 0 {
        out.tag(field, Wire::Varint);
        out.varint(value);
    }
}

/// Negative numbers are sign-extended to 64 bits, as protobuf has it for `int32` and enumerations.
fn enumeration(out: &mut Writer, field: u32, value: i32) {
    uint(out, field, i64::from(value).cast_unsigned());
}

fn fixed32(out: &mut Writer, field: u32, value: u32) {
    if value != 0 {
        out.tag(field, Wire::Fixed32);
        out.raw(&value.to_le_bytes());
    }
}

fn fixed64(out: &mut Writer, field: u32, value: u64) {
    if value != 0 {
        out.tag(field, Wire::Fixed64);
        out.raw(&value.to_le_bytes());
    }
}

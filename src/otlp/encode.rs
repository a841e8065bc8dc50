//! From the model to OTLP protobuf bytes.
//!
//! Fields are written in the order of their numbers and left out where they hold the default, as proto3 has it;
//! numbers of fields: <https://github.com/open-telemetry/opentelemetry-proto>.

use std::collections::HashMap;
use std::sync::Arc;

use super::wire::{bytes_key, fixed32_key, fixed64_key, varint_key};
use crate::model::{Attribute, Event, Link, LogRecord, Resource, Scope, Span, Status, Value};

/// An `ExportTraceServiceRequest` with `spans`: grouped by resource and in it by scope, compared by content, in
/// the order in which each first appears. Within a group the order is kept.
#[must_use]
pub fn spans(spans: &[Span]) -> Vec<u8> {
    let mut groups = Groups::default();
    for span in spans {
        message(groups.members(&span.resource, &span.scope), 2, |out| write_span(out, span));
    }
    groups.finish()
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
    let mut out = Vec::new();
    attributes(&mut out, 1, &resource.attributes);
    uint(&mut out, 2, resource.dropped_attributes.into());
    out
}

/// An `InstrumentationScope` message. The schema url is not in it: it stands beside it.
#[must_use]
pub fn scope(scope: &Scope) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, scope.name.as_bytes());
    bytes(&mut out, 2, scope.version.as_bytes());
    attributes(&mut out, 3, &scope.attributes);
    uint(&mut out, 4, scope.dropped_attributes.into());
    out
}

/// A `Span` message. Resource and scope are not in it: they stand around it.
#[must_use]
pub fn span(span: &Span) -> Vec<u8> {
    let mut out = Vec::new();
    write_span(&mut out, span);
    out
}

/// An `Event` message.
#[must_use]
pub fn event(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    write_event(&mut out, event);
    out
}

/// A `Link` message.
#[must_use]
pub fn link(link: &Link) -> Vec<u8> {
    let mut out = Vec::new();
    write_link(&mut out, link);
    out
}

/// A `KeyValue` message.
#[must_use]
pub fn attribute(attribute: &Attribute) -> Vec<u8> {
    let mut out = Vec::new();
    write_attribute(&mut out, attribute);
    out
}

/// An `AnyValue` message; empty for [`Value::Empty`].
#[must_use]
pub fn value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

/// Members of an export request under way, by resource and scope.
#[derive(Default)]
struct Groups {
    resources: Headers,
    scopes: Headers,
    /// Where the members of a resource and a scope are in `members`.
    places: HashMap<(usize, usize), usize>,
    /// Resource, scope, and the encoded members.
    members: Vec<(usize, usize, Vec<u8>)>,
}

impl Groups {
    fn members(&mut self, of: &Arc<Resource>, by: &Arc<Scope>) -> &mut Vec<u8> {
        let resource = self.resources.place(Arc::as_ptr(of).addr(), || (resource(of), of.schema_url.as_bytes().into()));
        let scope = self.scopes.place(Arc::as_ptr(by).addr(), || (scope(by), by.schema_url.as_bytes().into()));
        let place = *self.places.entry((resource, scope)).or_insert_with(|| {
            self.members.push((resource, scope, Vec::new()));
            self.members.len() - 1
        });
        &mut self.members[place].2
    }

    fn finish(mut self) -> Vec<u8> {
        self.members.sort_by_key(|(resource, ..)| *resource);
        let mut out = Vec::new();
        for group in self.members.chunk_by(|left, right| left.0 == right.0) {
            message(&mut out, 1, |out| {
                let (resource, schema_url) = &self.resources.all[group[0].0];
                message(out, 1, |out| out.extend_from_slice(resource));
                for (_, scope, members) in group {
                    message(out, 2, |out| {
                        let (scope, schema_url) = &self.scopes.all[*scope];
                        message(out, 1, |out| out.extend_from_slice(scope));
                        out.extend_from_slice(members);
                        bytes(out, 3, schema_url);
                    });
                }
                bytes(out, 3, schema_url);
            });
        }
        out
    }
}

/// A message and the schema url beside it.
type Header = (Vec<u8>, Vec<u8>);

/// The different resources or scopes so far, encoded once for each shared value.
#[derive(Default)]
struct Headers {
    by_address: HashMap<usize, usize>,
    by_content: HashMap<Header, usize>,
    all: Vec<Header>,
}

impl Headers {
    fn place(&mut self, address: usize, encoded: impl FnOnce() -> Header) -> usize {
        *self.by_address.entry(address).or_insert_with(|| {
            let header = encoded();
            *self.by_content.entry(header).or_insert_with_key(|header| {
                self.all.push(header.clone());
                self.all.len() - 1
            })
        })
    }
}

fn write_span(out: &mut Vec<u8>, span: &Span) {
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

fn write_event(out: &mut Vec<u8>, event: &Event) {
    fixed64(out, 1, event.time.0);
    bytes(out, 2, event.name.as_bytes());
    attributes(out, 3, &event.attributes);
    uint(out, 4, event.dropped_attributes.into());
}

fn write_link(out: &mut Vec<u8>, link: &Link) {
    bytes(out, 1, &link.trace_id);
    bytes(out, 2, &link.span_id);
    bytes(out, 3, link.trace_state.as_bytes());
    attributes(out, 4, &link.attributes);
    uint(out, 5, link.dropped_attributes.into());
    fixed32(out, 6, link.flags);
}

fn write_log(out: &mut Vec<u8>, record: &LogRecord) {
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

fn attributes(out: &mut Vec<u8>, number: u64, attributes: &[Attribute]) {
    for attribute in attributes {
        message(out, number, |out| write_attribute(out, attribute));
    }
}

fn write_attribute(out: &mut Vec<u8>, attribute: &Attribute) {
    bytes(out, 1, attribute.key.as_bytes());
    message(out, 2, |out| write_value(out, &attribute.value));
}

/// A value is a `oneof`: what is set is written even where it is the default of its type.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Text(text) => set_bytes(out, 1, text.as_bytes()),
        Value::Bool(truth) => {
            varint(out, varint_key(2));
            varint(out, u64::from(*truth));
        }
        Value::Int(number) => {
            varint(out, varint_key(3));
            varint(out, number.cast_unsigned());
        }
        Value::Double(number) => {
            varint(out, fixed64_key(4));
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Array(members) => message(out, 5, |out| {
            for member in members {
                message(out, 1, |out| write_value(out, member));
            }
        }),
        Value::Map(members) => message(out, 6, |out| attributes(out, 1, members)),
        Value::Bytes(content) => set_bytes(out, 7, content),
    }
}

/// A field that is a message: written behind a length of one byte, which is widened where that is too small.
fn message(out: &mut Vec<u8>, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
    varint(out, bytes_key(number));
    let place = out.len();
    out.push(0);
    write(out);
    let length = (out.len() - place - 1) as u64;
    let mut prefix = Vec::with_capacity(10);
    varint(&mut prefix, length);
    out.splice(place..=place, prefix);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn set_bytes(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    varint(out, bytes_key(number));
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn bytes(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    if !content.is_empty() {
        set_bytes(out, number, content);
    }
}

fn uint(out: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        varint(out, varint_key(number));
        varint(out, value);
    }
}

/// Negative numbers are sign-extended to 64 bits, as protobuf has it for `int32` and enumerations.
fn enumeration(out: &mut Vec<u8>, number: u64, value: i32) {
    uint(out, number, i64::from(value).cast_unsigned());
}

fn fixed32(out: &mut Vec<u8>, number: u64, value: u32) {
    if value != 0 {
        varint(out, fixed32_key(number));
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn fixed64(out: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        varint(out, fixed64_key(number));
        out.extend_from_slice(&value.to_le_bytes());
    }
}

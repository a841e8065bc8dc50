//! Reads rows back: fields, attributes, and whole spans.

use std::borrow::Cow;
use std::sync::Arc;

use super::chunk::{ODD_STATUS, mark};
use super::extras::{self, Extra};
use super::known::Made;
use super::segment::{Operation, Origin, RowRef, unpack};
use super::word::{Fixed, Slot, Word};
use crate::model::{
    Attribute, Kind, Resource, Scope, Span, SpanId, SpanKey, Status, StatusCode, Timestamp, TraceId, Value,
};
use crate::otlp::{AttributeValue, decode, peek};

/// An attribute's value where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored<'a> {
    /// A plain value.
    Plain(AttributeValue<'a>),
    /// The whole `KeyValue` message: of an array or a map, or of an attribute that got no column.
    Message(&'a [u8]),
}

impl<'a> Stored<'a> {
    /// The value as text: numbers and truth values printed; nothing for bytes, arrays, maps and empty values.
    pub(super) fn as_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain(value) => plain_text(value),
            Self::Message(message) => match decode::attribute(message).value {
                Value::Text(text) => Some(Cow::Owned(text.lossy().into_owned())),
                Value::Int(number) => Some(number.to_string().into()),
                Value::Bool(truth) => Some(truth.to_string().into()),
                Value::Double(number) => Some(number.to_string().into()),
                _ => None,
            },
        }
    }

    /// The value as the model has it.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Plain(value) => plain_value(value),
            Self::Message(message) => decode::attribute(message).value,
        }
    }
}

/// Bytes as text. As `String::from_utf8_lossy`, which goes byte by byte; this is several times faster on what is text, and
/// a search asks about every word there is.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn plain_text(value: AttributeValue<'_>) -> Option<Cow<'_, str>> {
    match value {
        AttributeValue::Text(text) => Some(lossy(text)),
        AttributeValue::Int(number) => Some(number.to_string().into()),
        AttributeValue::Bool(truth) => Some(truth.to_string().into()),
        AttributeValue::Double(number) => Some(number.to_string().into()),
        AttributeValue::Bytes(_) | AttributeValue::Composite(_) | AttributeValue::Empty => None,
    }
}

fn plain_value(value: AttributeValue<'_>) -> Value {
    match value {
        AttributeValue::Empty => Value::Empty,
        AttributeValue::Text(text) => Value::Text(text.into()),
        AttributeValue::Bool(truth) => Value::Bool(truth),
        AttributeValue::Int(number) => Value::Int(number),
        AttributeValue::Double(number) => Value::Double(number),
        AttributeValue::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        AttributeValue::Composite(message) => decode::value(message),
    }
}

impl<'a> RowRef<'a> {
    /// Service, name and kind.
    pub(super) fn operation(self) -> Operation {
        let place = self.chunk.operation[self.row];
        self.segment.operations.get(place).copied().unwrap_or(Operation { service: 0, name: 0, kind: 0 })
    }

    /// Resource, scope and source.
    pub(super) fn origin(self) -> Origin {
        let place = self.chunk.origin[self.row];
        let none = Origin { resource: 0, scope: 0, source: crate::model::SourceId::default() };
        self.segment.origins.get(place).copied().unwrap_or(none)
    }

    /// Id and kind.
    pub(super) fn key(self) -> SpanKey {
        SpanKey { id: SpanId(self.chunk.span_id[self.row]), kind: Kind(self.operation().kind) }
    }

    /// Whether these are its id and kind.
    pub(super) fn is(self, key: SpanKey) -> bool {
        self.chunk.span_id[self.row] == key.id.0 && self.key() == key
    }

    /// The parent's id, if it has a valid one.
    pub(super) fn parent(self) -> Option<SpanId> {
        SpanId::from_slice(&self.chunk.parent[self.row])
    }

    /// Its extras.
    pub(super) fn extras(self) -> &'a [u8] {
        self.chunk.extras(self.row)
    }

    /// How it ended.
    pub(super) fn status(self) -> StatusCode {
        match self.chunk.status[self.row] {
            ODD_STATUS => StatusCode(number(extras::first(self.extras(), Extra::StatusCode)).cast_signed()),
            code => StatusCode(i32::from(code)),
        }
    }

    /// The status message.
    pub(super) fn status_message(self) -> &'a [u8] {
        extras::first(self.extras(), Extra::StatusMessage)
    }

    /// Whether attributes stand beyond its shape.
    pub(super) fn has_more(self) -> bool {
        self.chunk.marks[self.row] & mark::MORE != 0
    }

    /// The messages of its events.
    pub(super) fn events(self) -> impl Iterator<Item = &'a [u8]> {
        extras::iter(self.extras()).filter(|(extra, _)| *extra == Extra::Event).map(|(_, bytes)| bytes)
    }

    /// The messages of its links.
    pub(super) fn links(self) -> impl Iterator<Item = &'a [u8]> {
        extras::iter(self.extras()).filter(|(extra, _)| *extra == Extra::Link).map(|(_, bytes)| bytes)
    }

    /// The value of a word of this row.
    pub(super) fn stored(self, word: Word) -> Stored<'a> {
        let chunk = self.chunk;
        let wide = |at: u32| chunk.wide.get(at as usize).copied().unwrap_or_default();
        Stored::Plain(match word.slot() {
            Slot::Known(id) => AttributeValue::Text(self.segment.words.get(id)),
            Slot::Small(small) => AttributeValue::Int(i64::from(small)),
            Slot::Fixed(Fixed::Empty) => AttributeValue::Empty,
            Slot::Fixed(fixed) => AttributeValue::Bool(fixed == Fixed::True),
            Slot::Text(at) => AttributeValue::Text(chunk.bytes_at(at)),
            Slot::Int(at) => AttributeValue::Int(wide(at).cast_signed()),
            Slot::Double(at) => AttributeValue::Double(f64::from_bits(wide(at))),
            Slot::Bytes(at) => AttributeValue::Bytes(chunk.bytes_at(at)),
            Slot::Message(at) => return Stored::Message(chunk.bytes_at(at)),
        })
    }

    /// The messages of the attributes beyond the shape.
    pub(super) fn more(self) -> &'a [u8] {
        match self.chunk.values(self.row).last().map(|word| word.slot()) {
            Some(Slot::Message(at)) if self.has_more() => self.chunk.bytes_at(at),
            _ => &[],
        }
    }

    /// Calls `each` with the key and value of every attribute, in order.
    pub(super) fn each_attribute(self, each: &mut dyn FnMut(&'a [u8], Stored<'a>)) {
        self.each_attribute_under(self.segment.keys(self.chunk.shape[self.row]).into_iter(), each);
    }

    /// The same where the keys of its shape are known.
    fn each_attribute_under(self, keys: impl Iterator<Item = u32>, each: &mut dyn FnMut(&'a [u8], Stored<'a>)) {
        for (key, word) in keys.zip(self.chunk.values(self.row)) {
            each(self.segment.words.get(key), self.stored(*word));
        }
        for (key, _, message) in peek::resource_attributes(self.more()) {
            each(key, Stored::Message(message));
        }
    }

    /// Message and schema url of its resource.
    pub(super) fn resource(self) -> (&'a [u8], &'a [u8]) {
        unpack(self.segment.resources.get(self.origin().resource))
    }

    /// Message and schema url of its scope.
    pub(super) fn scope(self) -> (&'a [u8], &'a [u8]) {
        unpack(self.segment.scopes.get(self.origin().scope))
    }

    /// `exception.type` of the first exception among its events that has one, or else its `error.type`.
    pub(super) fn error_type(self) -> Option<String> {
        let text = |value| plain_text(value).map(Cow::into_owned);
        let exceptions = self.events().filter(|event| peek::event_name(event) == b"exception");
        for event in exceptions {
            let found = peek::event_attributes(event).find(|(key, ..)| *key == b"exception.type");
            if let Some(name) = found.and_then(|(_, value, _)| text(value)) {
                return Some(name);
            }
        }
        let mut found = None;
        if self.chunk.marks[self.row] & mark::ERROR_TYPE != 0 {
            self.each_attribute(&mut |key, value| {
                if key == b"error.type" {
                    found = value.as_text().map(Cow::into_owned);
                }
            });
        }
        found
    }

    /// The whole span.
    pub(super) fn to_span(self, trace_id: TraceId) -> Span {
        let made = (Arc::new(self.to_resource()), Arc::new(self.to_scope()));
        self.to_span_with(trace_id, made, self.segment.keys(self.chunk.shape[self.row]).into_iter())
    }

    /// The same where what made it and the keys of its shape are known.
    pub(super) fn to_span_with(
        self,
        trace_id: TraceId,
        (resource, scope): Made,
        keys: impl ExactSizeIterator<Item = u32>,
    ) -> Span {
        let (chunk, row) = (self.chunk, self.row);
        let operation = self.operation();
        let mut span = Span {
            trace_id,
            span_id: SpanId(chunk.span_id[row]),
            parent_id: self.parent(),
            name: self.segment.words.get(operation.name).into(),
            kind: Kind(operation.kind),
            start: Timestamp(chunk.start[row]),
            end: Timestamp(chunk.end[row]),
            flags: chunk.flags[row],
            status: Status { code: self.status(), ..Status::default() },
            resource,
            scope,
            source: self.origin().source,
            ..Span::default()
        };
        span.attributes.reserve_exact(keys.len());
        self.each_attribute_under(keys, &mut |key, value| {
            span.attributes.push(Attribute { key: key.into(), value: value.to_value() });
        });
        for (extra, bytes) in extras::iter(self.extras()) {
            match extra {
                Extra::Event => span.events.push(decode::event(bytes)),
                Extra::Link => span.links.push(decode::link(bytes)),
                Extra::TraceState => span.trace_state = bytes.into(),
                Extra::StatusMessage => span.status.message = bytes.into(),
                Extra::OddParent => span.odd_parent = Some(bytes.into()),
                Extra::StatusCode => {}
                Extra::Dropped => {
                    [span.dropped_attributes, span.dropped_events, span.dropped_links] = dropped(bytes);
                }
            }
        }
        span
    }

    /// Its resource.
    pub(super) fn to_resource(self) -> Resource {
        let (message, schema_url) = self.resource();
        decode::resource(message, schema_url)
    }

    /// Its scope.
    pub(super) fn to_scope(self) -> Scope {
        let (message, schema_url) = self.scope();
        decode::scope(message, schema_url)
    }
}

/// The counts of an [`Extra::Dropped`].
pub(super) fn dropped(bytes: &[u8]) -> [u32; 3] {
    let mut counts = [0; 3];
    for (count, bytes) in counts.iter_mut().zip(bytes.chunks(4)) {
        *count = number(bytes);
    }
    counts
}

/// A number of four bytes.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

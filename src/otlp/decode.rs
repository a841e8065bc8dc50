//! From OTLP protobuf bytes to model values, for what a person opens.
//!
//! The functions that take a single message expect framing that the reader has checked; on anything else they
//! give what could be read up to the break.

use std::sync::Arc;

use super::reader::{WireError, read_spans, value as peek_value};
use super::wire::{Broken, Cursor, bytes_key, fixed32_key, fixed64_key, varint_key};
use super::{AttributeValue, Sink, SpanFields};
use crate::model::{
    Attribute, Event, Kind, Link, Receipt, RejectReason, Resource, Scope, Span, SpanId, Status, StatusCode, Text,
    Timestamp, TraceId, Value,
};

/// How many arrays and maps may lie inside each other before the inner ones stay bytes: a [`Value`] is walked and
/// dropped recursively, and the stack has an end.
pub const VALUE_DEPTH: usize = 128;

/// The spans of an `ExportTraceServiceRequest`, in order, with their source left at the default. Spans whose trace
/// or span id is invalid are left out; [`request`] counts them.
///
/// # Errors
/// Where the framing is broken.
pub fn spans(body: &[u8]) -> Result<Vec<Span>, WireError> {
    request(body).map(|(spans, _)| spans)
}

/// The spans of an `ExportTraceServiceRequest` as [`spans`] gives them, and how many were taken and refused.
///
/// # Errors
/// Where the framing is broken.
pub fn request(body: &[u8]) -> Result<(Vec<Span>, Receipt), WireError> {
    let mut collector = Collector::default();
    read_spans(body, &mut collector)?;
    collector.receipt.accepted = collector.spans.len() as u64;
    Ok((collector.spans, collector.receipt))
}

/// Builds model spans from what the reader tells.
#[derive(Default)]
struct Collector {
    resource: Arc<Resource>,
    scope: Arc<Scope>,
    current: Span,
    spans: Vec<Span>,
    /// Where in `spans` those of the scope begin.
    scope_from: usize,
    receipt: Receipt,
}

impl Sink for Collector {
    fn resource(&mut self, message: &[u8], schema_url: &[u8]) {
        self.resource = Arc::new(resource(message, schema_url));
    }

    fn scope(&mut self, message: &[u8], schema_url: &[u8]) {
        self.scope = Arc::new(scope(message, schema_url));
        self.scope_from = self.spans.len();
    }

    fn amend_scope(&mut self, message: &[u8], schema_url: &[u8]) {
        self.scope = Arc::new(scope(message, schema_url));
        for span in self.spans.iter_mut().skip(self.scope_from) {
            span.scope = Arc::clone(&self.scope);
        }
    }

    fn begin_span(&mut self) {
        self.current = Span::default();
    }

    fn attribute(&mut self, _key: &[u8], _value: AttributeValue<'_>, message: &[u8]) {
        self.current.attributes.push(attribute(message));
    }

    fn event(&mut self, message: &[u8]) {
        self.current.events.push(event(message));
    }

    fn link(&mut self, message: &[u8]) {
        self.current.links.push(link(message));
    }

    fn end_span(&mut self, fields: &SpanFields<'_>) {
        let Some(trace_id) = TraceId::from_slice(fields.trace_id) else {
            return self.receipt.reject(RejectReason::InvalidTraceId, 1);
        };
        let Some(span_id) = SpanId::from_slice(fields.span_id) else {
            return self.receipt.reject(RejectReason::InvalidSpanId, 1);
        };
        let parent = fields.parent_span_id;
        let parent_id = SpanId::from_slice(parent);
        self.spans.push(Span {
            trace_id,
            span_id,
            parent_id,
            odd_parent: (parent_id.is_none() && !parent.is_empty()).then(|| parent.into()),
            trace_state: fields.trace_state.into(),
            flags: fields.flags,
            name: fields.name.into(),
            kind: Kind(fields.kind),
            start: Timestamp(fields.start),
            end: Timestamp(fields.end),
            dropped_attributes: fields.dropped_attributes,
            dropped_events: fields.dropped_events,
            dropped_links: fields.dropped_links,
            status: Status { code: StatusCode(fields.status_code), message: fields.status_message.into() },
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(&self.scope),
            ..std::mem::take(&mut self.current)
        });
    }
}

/// Reads the fields of `message` one by one: `field` is given each key and takes the field's value, or answers
/// `false` to have it stepped over. Ends early where the framing is broken.
pub(super) fn each_field<'a>(
    message: &'a [u8],
    mut field: impl FnMut(u64, &mut Cursor<'a>) -> Result<bool, Broken>,
) -> Option<()> {
    let mut cursor = Cursor::new(message);
    while !cursor.is_empty() {
        let key = cursor.varint().ok()?;
        if !field(key, &mut cursor).ok()? {
            cursor.skip(key).ok()?;
        }
    }
    Some(())
}

/// A `Resource` message and the schema url that stands beside it.
#[must_use]
pub fn resource(message: &[u8], schema_url: &[u8]) -> Resource {
    const ATTRIBUTE: u64 = bytes_key(1);
    const DROPPED: u64 = varint_key(2);
    let mut resource = Resource { schema_url: schema_url.into(), ..Resource::default() };
    each_field(message, |key, cursor| {
        match key {
            ATTRIBUTE => resource.attributes.push(attribute(cursor.bytes()?)),
            DROPPED => resource.dropped_attributes = cursor.uint32()?,
            _ => return Ok(false),
        }
        Ok(true)
    });
    resource
}

/// An `InstrumentationScope` message and the schema url that stands beside it.
#[must_use]
pub fn scope(message: &[u8], schema_url: &[u8]) -> Scope {
    const NAME: u64 = bytes_key(1);
    const VERSION: u64 = bytes_key(2);
    const ATTRIBUTE: u64 = bytes_key(3);
    const DROPPED: u64 = varint_key(4);
    let mut scope = Scope { schema_url: schema_url.into(), ..Scope::default() };
    each_field(message, |key, cursor| {
        match key {
            NAME => scope.name = cursor.bytes()?.into(),
            VERSION => scope.version = cursor.bytes()?.into(),
            ATTRIBUTE => scope.attributes.push(attribute(cursor.bytes()?)),
            DROPPED => scope.dropped_attributes = cursor.uint32()?,
            _ => return Ok(false),
        }
        Ok(true)
    });
    scope
}

/// A span's `Event` message.
#[must_use]
pub fn event(message: &[u8]) -> Event {
    const TIME: u64 = fixed64_key(1);
    const NAME: u64 = bytes_key(2);
    const ATTRIBUTE: u64 = bytes_key(3);
    const DROPPED: u64 = varint_key(4);
    let mut event = Event::default();
    each_field(message, |key, cursor| {
        match key {
            TIME => event.time = Timestamp(cursor.fixed64()?),
            NAME => event.name = cursor.bytes()?.into(),
            ATTRIBUTE => event.attributes.push(attribute(cursor.bytes()?)),
            DROPPED => event.dropped_attributes = cursor.uint32()?,
            _ => return Ok(false),
        }
        Ok(true)
    });
    event
}

/// A span's `Link` message.
#[must_use]
pub fn link(message: &[u8]) -> Link {
    const TRACE_ID: u64 = bytes_key(1);
    const SPAN_ID: u64 = bytes_key(2);
    const TRACE_STATE: u64 = bytes_key(3);
    const ATTRIBUTE: u64 = bytes_key(4);
    const DROPPED: u64 = varint_key(5);
    const FLAGS: u64 = fixed32_key(6);
    let mut link = Link::default();
    each_field(message, |key, cursor| {
        match key {
            TRACE_ID => link.trace_id = cursor.bytes()?.into(),
            SPAN_ID => link.span_id = cursor.bytes()?.into(),
            TRACE_STATE => link.trace_state = cursor.bytes()?.into(),
            ATTRIBUTE => link.attributes.push(attribute(cursor.bytes()?)),
            DROPPED => link.dropped_attributes = cursor.uint32()?,
            FLAGS => link.flags = cursor.fixed32()?,
            _ => return Ok(false),
        }
        Ok(true)
    });
    link
}

/// A `KeyValue` message.
#[must_use]
pub fn attribute(message: &[u8]) -> Attribute {
    pair(message, 0)
}

/// An `AnyValue` message. Exact for arrays and maps up to [`VALUE_DEPTH`] inside each other; one that lies deeper is
/// kept as [`Value::Bytes`] that hold its `AnyValue` message.
#[must_use]
pub fn value(message: &[u8]) -> Value {
    let mut value = Value::Empty;
    merge_value(&mut value, message, 0);
    value
}

fn pair(message: &[u8], depth: usize) -> Attribute {
    const KEY: u64 = bytes_key(1);
    const VALUE: u64 = bytes_key(2);
    let mut pair = Attribute::default();
    each_field(message, |key, cursor| {
        match key {
            KEY => pair.key = cursor.bytes()?.into(),
            VALUE => merge_value(&mut pair.value, cursor.bytes()?, depth),
            _ => return Ok(false),
        }
        Ok(true)
    });
    pair
}

/// Merges an `AnyValue` message into `value`, as protobuf has it: the last field set wins, but an array after an
/// array and a map after a map go on where the one before ended.
pub(super) fn merge_value(value: &mut Value, message: &[u8], depth: usize) {
    const TEXT: u64 = bytes_key(1);
    const BOOL: u64 = varint_key(2);
    const INT: u64 = varint_key(3);
    const DOUBLE: u64 = fixed64_key(4);
    const ARRAY: u64 = bytes_key(5);
    const MAP: u64 = bytes_key(6);
    const BYTES: u64 = bytes_key(7);
    const TEXT_INDEX: u64 = varint_key(8);
    if depth >= VALUE_DEPTH && matches!(peek_value(message), Ok(AttributeValue::Composite(_))) {
        *value = Value::Bytes(message.into());
        return;
    }
    each_field(message, |key, cursor| {
        match key {
            TEXT => *value = Value::Text(Text::from(cursor.bytes()?)),
            BOOL => *value = Value::Bool(cursor.varint()? != 0),
            INT => *value = Value::Int(cursor.varint()?.cast_signed()),
            DOUBLE => *value = Value::Double(cursor.double()?),
            ARRAY => merge_array(value, cursor.bytes()?, depth),
            MAP => merge_map(value, cursor.bytes()?, depth),
            BYTES => *value = Value::Bytes(cursor.bytes()?.into()),
            TEXT_INDEX => {
                cursor.varint()?;
                *value = Value::Empty;
            }
            _ => return Ok(false),
        }
        Ok(true)
    });
}

const MEMBER: u64 = bytes_key(1);

fn merge_array(value: &mut Value, message: &[u8], depth: usize) {
    if !matches!(value, Value::Array(_)) {
        *value = Value::Array(Vec::new());
    }
    let Value::Array(members) = value else { return };
    each_field(message, |key, cursor| {
        if key != MEMBER {
            return Ok(false);
        }
        let mut member = Value::Empty;
        merge_value(&mut member, cursor.bytes()?, depth + 1);
        members.push(member);
        Ok(true)
    });
}

fn merge_map(value: &mut Value, message: &[u8], depth: usize) {
    if !matches!(value, Value::Map(_)) {
        *value = Value::Map(Vec::new());
    }
    let Value::Map(members) = value else { return };
    each_field(message, |key, cursor| {
        if key != MEMBER {
            return Ok(false);
        }
        members.push(pair(cursor.bytes()?, depth + 1));
        Ok(true)
    });
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::{UNKNOWN, nested};
    use super::super::encode;
    use super::*;

    /// How many arrays lie around what is inside, and that.
    fn unwrap(mut value: Value) -> (usize, Value) {
        let mut levels = 0;
        while let Value::Array(mut members) = value {
            value = members.pop().unwrap();
            levels += 1;
        }
        (levels, value)
    }

    #[test]
    fn values_are_exact_to_their_limit_and_bytes_below_it() {
        for after in [&[][..], &UNKNOWN] {
            assert_eq!(unwrap(value(&nested(VALUE_DEPTH, after))), (VALUE_DEPTH, Value::Int(7)));
            let rest = Value::Bytes(nested(3, after));
            assert_eq!(unwrap(value(&nested(VALUE_DEPTH + 3, after))), (VALUE_DEPTH, rest));
            assert_eq!(unwrap(value(&nested(200_000, after))).0, VALUE_DEPTH);
        }
    }

    #[test]
    fn broken_messages_give_what_could_be_read() {
        let whole = encode::event(&Event { time: Timestamp(5), name: "done".into(), ..Event::default() });
        assert_eq!(event(&whole[..whole.len() - 1]), Event { time: Timestamp(5), ..Event::default() });
        for end in 0..whole.len() {
            let _ = (attribute(&whole[..end]), value(&whole[..end]), link(&whole[..end]));
            let _ = (resource(&whole[..end], b""), scope(&whole[..end], b""));
        }
    }

    #[test]
    fn spans_with_invalid_ids_are_left_out_and_counted() {
        let good = Span { trace_id: TraceId([1; 16]), span_id: SpanId([2; 8]), ..Span::default() };
        let no_trace = Span { trace_id: TraceId([0; 16]), ..good.clone() };
        let no_id = Span { span_id: SpanId([0; 8]), ..good.clone() };
        let (spans, receipt) = request(&encode::spans(&[good.clone(), no_trace, no_id.clone(), no_id])).unwrap();
        assert_eq!(spans, [good]);
        assert_eq!(receipt.accepted, 1);
        assert_eq!(receipt.rejected, [(RejectReason::InvalidTraceId, 1), (RejectReason::InvalidSpanId, 2)]);
    }

    #[test]
    fn text_that_is_not_utf8_goes_out_as_it_came_in() {
        let span = Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([2; 8]),
            name: Text::from(&[0xff, 0x00, 0xc3][..]),
            odd_parent: Some([1, 2, 3].into()),
            ..Span::default()
        };
        assert_eq!(spans(&encode::spans(std::slice::from_ref(&span))).unwrap(), [span]);
    }
}

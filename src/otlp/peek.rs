//! A look into the messages that [`super::Sink`] hands on as bytes, without building model values.
//!
//! For messages whose framing the reader has checked. On others the answer is what could be read of them up to
//! the break.

use super::AttributeValue;
use super::reader::{Pair, value};
use super::wire::{Cursor, Occurrences, bytes_key, fixed64_key, varint_key};
use crate::model::Signal;

/// The attributes of a message in order: key, value, and the bytes of the whole `KeyValue` message. Where a pair
/// has several values, which no encoder writes, the last is given and not the merge of all.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(Occurrences<'a>);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], AttributeValue<'a>, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let message = self.0.next()?;
        let pair = Pair::read(message).ok()?;
        Some((pair.key, value(pair.value).ok()?, message))
    }
}

/// The attributes of a `Resource` message.
#[must_use]
pub fn resource_attributes(message: &[u8]) -> Attributes<'_> {
    Attributes(Occurrences::new(message, 1))
}

/// The attributes of an `InstrumentationScope` message.
#[must_use]
pub fn scope_attributes(message: &[u8]) -> Attributes<'_> {
    Attributes(Occurrences::new(message, 3))
}

/// The attributes of a span's `Event` message.
#[must_use]
pub fn event_attributes(message: &[u8]) -> Attributes<'_> {
    Attributes(Occurrences::new(message, 3))
}

/// The attributes of a span's `Link` message.
#[must_use]
pub fn link_attributes(message: &[u8]) -> Attributes<'_> {
    Attributes(Occurrences::new(message, 4))
}

/// The name of a scope, as in its `InstrumentationScope` message.
#[must_use]
pub fn scope_name(message: &[u8]) -> &[u8] {
    Occurrences::new(message, 1).last().unwrap_or_default()
}

/// The version of a scope, as in its `InstrumentationScope` message.
#[must_use]
pub fn scope_version(message: &[u8]) -> &[u8] {
    Occurrences::new(message, 2).last().unwrap_or_default()
}

/// The `Resource` messages of an `ExportTraceServiceRequest`, each with when the last span of it began: Unix nanoseconds, zero where
/// there is none.
pub fn resources(request: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    Occurrences::new(request, 1).map(|group| {
        let resource = Occurrences::new(group, 1).last().unwrap_or_default();
        let spans = Occurrences::new(group, 2).flat_map(|scope| Occurrences::new(scope, 2));
        (resource, spans.map(span_start).max().unwrap_or(0))
    })
}

/// When the first span of a `Resource` message in an `ExportTraceServiceRequest` began: Unix nanoseconds; `None` where none says.
pub fn first_start(request: &[u8], resource: &[u8]) -> Option<u64> {
    let own = |group: &&[u8]| Occurrences::new(group, 1).last().unwrap_or_default() == resource;
    let scopes = Occurrences::new(request, 1).filter(own).flat_map(|group| Occurrences::new(group, 2));
    scopes.flat_map(|scope| Occurrences::new(scope, 2)).map(span_start).filter(|start| *start > 0).min()
}

/// When a span began, as in its `Span` message.
fn span_start(message: &[u8]) -> u64 {
    fixed64(message, fixed64_key(7))
}

/// The name of an event, as in its `Event` message.
#[must_use]
pub fn event_name(message: &[u8]) -> &[u8] {
    Occurrences::new(message, 2).last().unwrap_or_default()
}

/// When an event happened, Unix nanoseconds; zero where it does not say.
#[must_use]
pub fn event_time(message: &[u8]) -> u64 {
    fixed64(message, fixed64_key(1))
}

/// The last field of that key; zero where there is none.
fn fixed64(message: &[u8], wanted: u64) -> u64 {
    let mut found = 0;
    let mut cursor = Cursor::new(message);
    while let Ok(key) = cursor.varint() {
        let read = if key == wanted { cursor.fixed64().map(|read| found = read) } else { cursor.skip(key) };
        if read.is_err() {
            break;
        }
    }
    found
}

/// The trace id and span id a `Link` message points at, as sent.
#[must_use]
pub fn link_target(message: &[u8]) -> (&[u8], &[u8]) {
    const TRACE_ID: u64 = bytes_key(1);
    const SPAN_ID: u64 = bytes_key(2);
    let mut target: (&[u8], &[u8]) = (&[], &[]);
    let mut cursor = Cursor::new(message);
    while let Ok(key) = cursor.varint() {
        let read = match key {
            TRACE_ID => cursor.bytes().map(|id| target.0 = id),
            SPAN_ID => cursor.bytes().map(|id| target.1 = id),
            key => cursor.skip(key),
        };
        if read.is_err() {
            break;
        }
    }
    target
}

/// What a request carries, by its first record: the three kinds of request are alike down to there. Where there is no record,
/// or it could be anything, it counts as traces.
#[must_use]
pub fn signal(request: &[u8]) -> Signal {
    // The times of spans; the times of log records, and their severity. A metric has a name where those have neither.
    const SPAN: [u64; 2] = [fixed64_key(7), fixed64_key(8)];
    const LOG: [u64; 3] = [fixed64_key(1), fixed64_key(11), varint_key(2)];
    let scopes = Occurrences::new(request, 1).flat_map(|outer| Occurrences::new(outer, 2));
    let Some(record) = scopes.flat_map(|inner| Occurrences::new(inner, 2)).next() else { return Signal::Traces };
    let (mut ids, mut named) = ([0; 2], false);
    let mut cursor = Cursor::new(record);
    while let Ok(key) = cursor.varint() {
        if SPAN.contains(&key) {
            return Signal::Traces;
        } else if LOG.contains(&key) {
            return Signal::Logs;
        }
        let read = match usize::try_from(key >> 3) {
            Ok(field @ (1 | 2)) if key == bytes_key(key >> 3) => {
                named |= field == 1;
                cursor.bytes().map(|bytes| ids[field - 1] = bytes.len())
            }
            _ => cursor.skip(key),
        };
        if read.is_err() {
            break;
        }
    }
    if named && ids != [16, 8] { Signal::Metrics } else { Signal::Traces }
}

/// The value of `service.name` of a `Resource` message, if it is text: the last one where the key repeats.
#[must_use]
pub fn service_name(resource: &[u8]) -> Option<&[u8]> {
    let named = resource_attributes(resource).filter(|(key, ..)| *key == b"service.name");
    match named.last()?.1 {
        AttributeValue::Text(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;
    use crate::model::{Attribute, Event, Link, Resource, Scope, Timestamp, Value};

    fn attributes() -> Vec<Attribute> {
        let pair = |key: &str, value| Attribute { key: key.into(), value };
        vec![
            pair("service.name", Value::Text("first".into())),
            pair("list", Value::Array(vec![Value::Int(1)])),
            pair("service.name", Value::Text("shop".into())),
        ]
    }

    #[test]
    fn attributes_of_every_message_are_seen_in_order() {
        let resource = encode::resource(&Resource { attributes: attributes(), ..Resource::default() });
        let scope = encode::scope(&Scope { name: "lib".into(), attributes: attributes(), ..Scope::default() });
        let event = encode::event(&Event { attributes: attributes(), ..Event::default() });
        let link = encode::link(&Link { attributes: attributes(), ..Link::default() });
        let all = [
            resource_attributes(&resource),
            scope_attributes(&scope),
            event_attributes(&event),
            link_attributes(&link),
        ];
        for seen in all {
            let seen: Vec<_> = seen.collect();
            assert_eq!(seen.len(), 3);
            assert_eq!((seen[0].0, seen[0].1), (&b"service.name"[..], AttributeValue::Text(b"first")));
            assert!(matches!(seen[1].1, AttributeValue::Composite(_)));
            assert_eq!(seen[2].2, encode::attribute(&attributes()[2]));
        }
        assert_eq!(service_name(&resource), Some(&b"shop"[..]));
        assert_eq!(service_name(&[]), None);
        assert_eq!(scope_name(&scope), b"lib");
    }

    #[test]
    fn events_and_links_are_recognised_without_decoding() {
        let event = encode::event(&Event { time: Timestamp(9), name: "exception".into(), ..Event::default() });
        assert_eq!((event_time(&event), event_name(&event)), (9, &b"exception"[..]));
        let link = encode::link(&Link { trace_id: [1; 16].into(), span_id: [2; 8].into(), ..Link::default() });
        assert_eq!(link_target(&link), (&[1; 16][..], &[2; 8][..]));
        for end in 0..link.len() {
            let _ = (link_target(&link[..end]), event_time(&link[..end]), service_name(&link[..end]));
        }
    }
}

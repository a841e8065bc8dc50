//! A look into the messages that [`super::Sink`] hands on as bytes, without building model values.
//!
//! For messages whose framing the reader has checked. On others the answer is what could be read of them up to
//! the break.

use super::AttributeValue;
use super::reader::{Pair, value};
use super::wire::{Cursor, Occurrences, bytes_key, fixed64_key};

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

/// The name of an event, as in its `Event` message.
#[must_use]
pub fn event_name(message: &[u8]) -> &[u8] {
    Occurrences::new(message, 2).last().unwrap_or_default()
}

/// When an event happened, Unix nanoseconds; zero where it does not say.
#[must_use]
pub fn event_time(message: &[u8]) -> u64 {
    const TIME: u64 = fixed64_key(1);
    let mut time = 0;
    let mut cursor = Cursor::new(message);
    while let Ok(key) = cursor.varint() {
        let read = if key == TIME { cursor.fixed64().map(|read| time = read) } else { cursor.skip(key) };
        if read.is_err() {
            break;
        }
    }
    time
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

/// The value of `service.name` of a `Resource` message, if it is text: the last one where the key repeats.
#[must_use]
pub fn service_name(resource: &[u8]) -> Option<&[u8]> {
    let named = resource_attributes(resource).filter(|(key, ..)| *key == b"service.name");
    match named.last()?.1 {
        AttributeValue::Text(name) => Some(name),
        _ => None,
    }
}

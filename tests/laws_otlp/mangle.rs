//! Bodies as an odd encoder would write them.

use crate::wreck::Random;

/// The messages of OTLP that have messages in them.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Request,
    LogsRequest,
    Resources,
    LogResources,
    Scopes,
    LogScopes,
    Resource,
    Scope,
    Span,
    LogRecord,
    Event,
    Link,
    Pair,
    Value,
    Array,
    Map,
    Flat,
}

impl Form {
    /// The message in field `number`, and whether it is there once.
    fn inner(self, number: u64) -> Option<(Self, bool)> {
        Some(match (self, number) {
            (Self::Request, 1) => (Self::Resources, false),
            (Self::LogsRequest, 1) => (Self::LogResources, false),
            (Self::Resources | Self::LogResources, 1) => (Self::Resource, true),
            (Self::Resources, 2) => (Self::Scopes, false),
            (Self::LogResources, 2) => (Self::LogScopes, false),
            (Self::Scopes | Self::LogScopes, 1) => (Self::Scope, true),
            (Self::Scopes, 2) => (Self::Span, false),
            (Self::LogScopes, 2) => (Self::LogRecord, false),
            (Self::Resource | Self::Map, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::LogRecord, 6)
            | (Self::Span, 9) => (Self::Pair, false),
            (Self::Span, 11) => (Self::Event, false),
            (Self::Span, 13) => (Self::Link, false),
            (Self::Span, 15) => (Self::Flat, true),
            (Self::Resource, 3) => (Self::Flat, false),
            (Self::Pair, 2) | (Self::LogRecord, 5) => (Self::Value, true),
            (Self::Array, 1) => (Self::Value, false),
            (Self::Value, 5) => (Self::Array, true),
            (Self::Value, 6) => (Self::Map, true),
            _ => return None,
        })
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let length = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

/// The key of field `number` with wire type `wire`.
pub(crate) fn key(number: u64, wire: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, number << 3 | wire);
    out
}

/// A string, bytes or message field.
pub(crate) fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut out = key(number, 2);
    varint(&mut out, content.len() as u64);
    out.extend_from_slice(content);
    out
}

/// A field with a number that no message has, of any wire type.
fn unknown(random: &mut Random) -> Vec<u8> {
    let number = 17 + random.below(3_000) as u64;
    let mut out = Vec::new();
    let kind = random.below(5);
    varint(&mut out, number << 3 | [0, 1, 2, 3, 5][kind]);
    match kind {
        0 => varint(&mut out, random.next()),
        1 => out.extend_from_slice(&[7; 8]),
        2 => out.extend_from_slice(&[3, 8, 8, 8]),
        3 => {
            if random.one_in(2) {
                out.extend(unknown(random));
            }
            varint(&mut out, number << 3 | 4);
        }
        _ => out.extend_from_slice(&[7; 4]),
    }
    out
}

/// `message` with its fields at every level shuffled, some doubled, some messages sent twice where once is meant, and
/// unknown fields strewn in: still a message, though not always with the same meaning.
pub(crate) fn mangle(message: &[u8], form: Form, random: &mut Random) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let key = take_varint(&mut rest);
        match key & 7 {
            0 => drop(take_varint(&mut rest)),
            1 => rest = &rest[8..],
            5 => rest = &rest[4..],
            _ => {
                let length = usize::try_from(take_varint(&mut rest)).unwrap();
                let content = &rest[..length];
                rest = &rest[length..];
                if let Some((inner, once)) = form.inner(key >> 3) {
                    fields.push(field(key >> 3, &mangle(content, inner, random)));
                    if once && random.one_in(8) {
                        fields.push(field(key >> 3, &mangle(content, inner, random)));
                    }
                    continue;
                }
            }
        }
        fields.push(start[..start.len() - rest.len()].to_vec());
    }
    if random.one_in(3) {
        for place in (1..fields.len()).rev() {
            fields.swap(place, random.below(place + 1));
        }
    }
    if !fields.is_empty() && random.one_in(8) {
        let doubled = fields[random.below(fields.len())].clone();
        fields.insert(random.below(fields.len() + 1), doubled);
    }
    if random.one_in(4) {
        fields.insert(random.below(fields.len() + 1), unknown(random));
    }
    fields.concat()
}

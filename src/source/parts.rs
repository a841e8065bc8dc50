//! Large requests in several smaller ones, at the seams that protobuf has: between resources, else between spans. Nothing is decoded,
//! so that nothing is lost of what is broken: the index will say what it is.

use bytes::Bytes;

/// Fields by number: of `ExportTraceServiceRequest` and `ScopeSpans` the members, of `ResourceSpans` the scopes.
/// <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto>
const RESOURCES: u64 = 1;
const SCOPES: u64 = 2;
const SPANS: u64 = 2;

/// An `ExportTraceServiceRequest` in requests of about `most` bytes each, unless a span alone has more. Whole resources are not
/// copied.
pub(super) fn parts(body: &Bytes, most: usize) -> Vec<Bytes> {
    let (mut parts, mut from, mut to) = (Vec::new(), 0, 0);
    while let Some(field) = body.get(to..).and_then(Field::first) {
        let end = to + field.whole.len();
        if to > from && end - from > most {
            parts.push(body.slice(from..to));
            from = to;
        }
        let shares = if end - to > most { resource(&field, most) } else { None };
        if let Some(shares) = shares {
            parts.extend(shares);
            from = end;
        }
        to = end;
    }
    // What is no field of that kind stays with the last part.
    if from < body.len() {
        parts.push(body.slice(from..));
    }
    parts
}

/// The spans of one resource in several requests, each with the resource; nothing where it is none, or broken.
fn resource(field: &Field<'_>, most: usize) -> Option<Vec<Bytes>> {
    let (scopes, head) = Field::members(field, RESOURCES, SCOPES)?;
    let mut shares = Vec::new();
    for scope in &scopes {
        let (spans, scope_head) = Field::members(scope, SCOPES, SPANS)?;
        let room = most.saturating_sub(head.len() + scope_head.len());
        let mut share = scope_head.clone();
        for (place, span) in spans.iter().enumerate() {
            if place > 0 && share.len() + span.whole.len() > scope_head.len() + room {
                shares.push(request(&head, &std::mem::replace(&mut share, scope_head.clone())));
            }
            share.extend_from_slice(span.whole);
        }
        shares.push(request(&head, &share));
    }
    (!shares.is_empty()).then_some(shares)
}

fn request(resource: &[u8], scope: &[u8]) -> Bytes {
    let mut inner = resource.to_vec();
    delimited(&mut inner, SCOPES, scope);
    let mut out = Vec::with_capacity(inner.len() + 8);
    delimited(&mut out, RESOURCES, &inner);
    out.into()
}

fn delimited(out: &mut Vec<u8>, number: u64, inside: &[u8]) {
    for mut value in [number << 3 | 2, inside.len() as u64] {
        while value >= 0x80 {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
    }
    out.extend_from_slice(inside);
}

/// A field that has a length.
struct Field<'a> {
    number: u64,
    whole: &'a [u8],
    inside: &'a [u8],
}

impl<'a> Field<'a> {
    /// The first field, where it is one with a length and whole.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (key, tag) = varint(bytes)?;
        let (length, size) = varint(bytes.get(tag..)?)?;
        let end = usize::try_from(length).ok()?.checked_add(tag + size)?;
        let whole = bytes.get(..end).filter(|_| key & 7 == 2)?;
        Some(Self { number: key >> 3, whole, inside: whole.get(tag + size..)? })
    }

    /// Its members of a number, and all others together as they are; nothing where it is of another number itself, or broken.
    fn members(&self, number: u64, members: u64) -> Option<(Vec<Self>, Vec<u8>)> {
        let (mut found, mut others, mut rest) = (Vec::new(), Vec::new(), self.inside);
        while !rest.is_empty() {
            let field = Self::first(rest)?;
            rest = rest.get(field.whole.len()..)?;
            if field.number == members {
                found.push(field);
            } else {
                others.extend_from_slice(field.whole);
            }
        }
        (self.number == number).then_some((found, others))
    }
}

/// A varint, and the bytes it takes.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let size = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let value = bytes.iter().take(size).rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, size))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Resource, Span, SpanId, Text, TraceId};
    use crate::otlp::{decode, encode};

    #[test]
    fn large_bodies_are_parted_between_resources() {
        let one = |length: u8| [&[0x0a, length][..], &vec![0; length.into()]].concat();
        let whole = Bytes::from([one(3), one(4), one(100), one(0), one(1)].concat());
        let lengths =
            |bytes: &[u8], most| parts(&Bytes::copy_from_slice(bytes), most).iter().map(Bytes::len).collect::<Vec<_>>();
        assert_eq!(lengths(&whole, 11), [11, 102, 5]);
        assert_eq!(lengths(&whole, 1_000), [whole.len()]);
        assert_eq!(lengths(&whole, 0), [5, 6, 102, 2, 3]);
        assert_eq!(lengths(&[], 5), Vec::<usize>::new());
        // Broken: nothing is lost of it.
        assert_eq!(lengths(&[&one(3)[..], &[0x0a, 0xff]].concat(), 5), [7]);
        assert_eq!(lengths(&[0xff; 20], 5), [20]);
        assert_eq!(parts(&whole, 11).concat(), whole);
    }

    #[test]
    fn one_large_resource_is_parted_between_spans_and_stands_with_each_part() {
        let resource = Arc::new(Resource { schema_url: "https://r".into(), ..Resource::default() });
        let span = |number: u8, size: usize| Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([number; 8]),
            name: Text::from("x".repeat(size).as_str()),
            resource: Arc::clone(&resource),
            ..Span::default()
        };
        let spans: Vec<Span> = (1..=40).map(|number| span(number, if number == 7 { 3_000 } else { 100 })).collect();
        let body = Bytes::from(encode::spans(&spans));
        let parted = parts(&body, 1_000);
        assert!(parted.len() > 5 && parted.iter().filter(|part| part.len() > 1_000).count() == 1);
        let again: Vec<Span> = parted.iter().flat_map(|part| decode::spans(part).unwrap()).collect();
        assert_eq!(again, spans);
    }
}

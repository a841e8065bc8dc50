//! Whose a piece is, by the names and numbers it begins with.

use memchr::memchr2;

/// Bytes of JSON that are looked at: what a document is made of shows at its beginning.
const LOOK: usize = 64 * 1024;

/// Whose format it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// OTLP, also as Tempo and Jaeger's `/api/v3` wrap it; and whatever else it may be.
    Otlp,
    /// What Jaeger's page and its older API give.
    Jaeger,
    /// Spans of Zipkin.
    Zipkin,
    /// Trace Event Format, as it is saved for Perfetto: too little of a span is in it to read it again.
    Events,
}

/// Of JSON: the first name of a member that only one of them has.
pub(super) fn of_json(text: &[u8]) -> Shape {
    let mut rest = text.get(..LOOK.min(text.len())).unwrap_or_default();
    while let Some((name, after)) = string(rest) {
        rest = after;
        if !rest.trim_ascii_start().starts_with(b":") {
            continue;
        }
        match name {
            b"resourceSpans" | b"resource_spans" | b"batches" | b"resourceLogs" | b"resource_logs"
            | b"resourceMetrics" | b"resource_metrics" | b"scopeSpans" => return Shape::Otlp,
            b"data" | b"traceID" | b"spanID" | b"processes" | b"operationName" => return Shape::Jaeger,
            b"traceEvents" => return Shape::Events,
            b"traceId" | b"parentId" | b"localEndpoint" | b"annotations" => return Shape::Zipkin,
            _ => {}
        }
    }
    Shape::Otlp
}

/// The inside of the next string, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, inside) = text.split_at_checked(memchr::memchr(b'"', text)? + 1)?;
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside.get(at) == Some(&b'"') {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        at += 2;
    }
}

/// Of protobuf: OTLP's resource is a message and so is what follows it; the first fields of Zipkin's span are three ids of 16 or 8,
/// 8, and 8 bytes (<https://github.com/openzipkin/zipkin-api/blob/master/zipkin.proto>).
pub(super) fn of_protobuf(body: &[u8]) -> Shape {
    let first = || {
        let (tag, rest) = body.split_first()?;
        let (length, span) = length(rest)?;
        (*tag == 0x0a).then_some(span.get(..length.min(span.len()))?)
    };
    let Some(mut span) = first() else { return Shape::Otlp };
    for (tag, lengths, needed) in [(0x0a, [16, 8], true), (0x12, [8, 8], false), (0x1a, [8, 8], true)] {
        let field = || {
            let rest = span.strip_prefix(&[tag])?;
            let (length, rest) = length(rest)?;
            lengths.contains(&length).then(|| rest.get(length..))?
        };
        match field() {
            Some(rest) => span = rest,
            None if needed => return Shape::Otlp,
            None => {}
        }
    }
    Shape::Zipkin
}

/// A length as protobuf writes it, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((length, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_members_tell_whose_it_is_and_texts_do_not() {
        for (text, shape) in [
            (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a"}]}]}]}"#, Shape::Otlp),
            (r#"{"result":{"resourceSpans":[]}}"#, Shape::Otlp),
            (r#" {"trace" : {"batches": []}}"#, Shape::Otlp),
            (r#"{"data":[{"traceID":"a","spans":[]}],"total":0}"#, Shape::Jaeger),
            (r#"{"total":0,"errors":null,"data":null}"#, Shape::Jaeger),
            (r#"{"traceID":"a","spans":[]}"#, Shape::Jaeger),
            (r#"[[{"id":"1","traceId":"a"}]]"#, Shape::Zipkin),
            (r#"[{"name":"data","x":"\"data\":","traceId":"a","id":"1"}]"#, Shape::Zipkin),
            (r#"{"displayTimeUnit":"ns","traceEvents":[{"ph":"X"}]}"#, Shape::Events),
            ("[]", Shape::Otlp),
            ("{\"a", Shape::Otlp),
            ("{\"a\\", Shape::Otlp),
        ] {
            assert_eq!(of_json(text.as_bytes()), shape, "{text}");
        }
    }

    #[test]
    fn three_ids_at_the_beginning_are_zipkins() {
        let span = |trace: u8, parent: bool| {
            let mut span = vec![0x0a, trace];
            span.extend(vec![7; usize::from(trace)]);
            if parent {
                span.extend([0x12, 8, 1, 1, 1, 1, 1, 1, 1, 1]);
            }
            span.extend([0x1a, 8, 2, 2, 2, 2, 2, 2, 2, 2]);
            [&[0x0a, u8::try_from(span.len()).unwrap()], &span[..]].concat()
        };
        for (trace, parent) in [(16, true), (16, false), (8, true)] {
            assert_eq!(of_protobuf(&span(trace, parent)), Shape::Zipkin);
        }
        assert_eq!(of_protobuf(&span(9, true)), Shape::Otlp);
        let body = span(16, true);
        assert_eq!((of_protobuf(&body[..20]), of_protobuf(&[])), (Shape::Otlp, Shape::Otlp));
    }
}

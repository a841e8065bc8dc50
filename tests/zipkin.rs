//! What a Collector's Zipkin exporter posted, turned back into OTLP, held against what the same Collector wrote to its
//! file as OTLP. Between the two lie what the exporter loses: names are lower case, times are microseconds, values are
//! text, attributes that say the same as an endpoint are gone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/fixtures.rs"]
mod fixtures;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use tracefall::model::{Attribute, Event, Receipt, Signal, Span, SpanKey, Timestamp, TraceId, Value, lookup};
use tracefall::otlp::{decode, json};
use tracefall::source::foreign::zipkin;

/// Spans of the reduced copies: 11 exports.
const SPANS: usize = 607;

fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

type Held = BTreeMap<(TraceId, SpanKey), Span>;

fn held(spans: impl IntoIterator<Item = Span>) -> Held {
    spans.into_iter().map(|span| ((span.trace_id, span.key()), span)).collect()
}

fn from_json() -> Held {
    held(lines("collector/zipkin-v2.jsonl.gz").iter().flat_map(|line| {
        let converted = zipkin::json_to_protobuf(line.as_bytes(), 1 << 20).unwrap();
        assert_eq!(converted.refused, Receipt::default());
        decode::spans(&converted.protobuf).unwrap()
    }))
}

fn from_protobuf() -> Held {
    held(fixtures::frames("collector/zipkin-v2.pb.gz").iter().flat_map(|frame| {
        let converted = zipkin::protobuf_to_protobuf(frame, 1 << 20).unwrap();
        assert_eq!(converted.refused, Receipt::default());
        decode::spans(&converted.protobuf).unwrap()
    }))
}

fn from_file() -> Held {
    held(lines("collector/file.json.gz").iter().flat_map(|line| {
        json::to_protobuf(Signal::Traces, line.as_bytes())
            .map_or_else(|_| Vec::new(), |converted| decode::spans(&converted.protobuf).unwrap())
    }))
}

/// Attributes without order; what is text is compared as text.
fn set(attributes: &[Attribute]) -> BTreeSet<(String, String)> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.lossy().into_owned(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.lossy().into_owned(), text(&attribute.value))).collect()
}

#[test]
fn json_and_protobuf_tell_the_same() {
    let (json, protobuf) = (from_json(), from_protobuf());
    assert_eq!((json.len(), protobuf.len()), (SPANS, SPANS));
    for (key, left) in &json {
        let right = &protobuf[key];
        assert_eq!(set(&left.attributes), set(&right.attributes), "{key:?}");
        assert_eq!(set(&left.resource.attributes), set(&right.resource.attributes), "{key:?}");
        // Of its two forms one rounds to the microsecond and the other cuts off; one has names in lower case.
        assert!(left.start.0.abs_diff(right.start.0) <= 1000 && left.end.0.abs_diff(right.end.0) <= 2000, "{key:?}");
        let bare = |span: &Span| Span {
            attributes: Vec::new(),
            resource: Arc::default(),
            start: Timestamp(0),
            end: Timestamp(0),
            name: span.name.lossy().to_lowercase().into(),
            events: span.events.iter().map(|event| Event { time: Timestamp(0), ..event.clone() }).collect(),
            ..span.clone()
        };
        assert_eq!(bare(left), bare(right), "{key:?}");
    }
}

#[test]
fn spans_are_those_that_the_collector_was_sent() {
    let (ours, sent) = (from_json(), from_file());
    for (key, ours) in &ours {
        let sent = &sent[key];
        assert_eq!((ours.parent_id, ours.kind), (sent.parent_id, sent.kind), "{key:?}");
        assert_eq!(ours.name.lossy(), sent.name.lossy().to_lowercase(), "{key:?}");
        // Its JSON rounds to the microsecond, start and duration each for itself, and no span takes less than one.
        assert!(ours.start.0.abs_diff(sent.start.0) <= 500, "{key:?}");
        assert!(ours.end.0.abs_diff(sent.end.0) <= 1500, "{key:?}");
        assert_eq!(ours.status, sent.status, "{key:?}");
        assert_eq!(ours.trace_state, sent.trace_state, "{key:?}");
        assert_eq!(ours.scope.name, sent.scope.name, "{key:?}");
        // To a scope without a version the exporter gives that of the one before.
        assert!(sent.scope.version.is_empty() || ours.scope.version == sent.scope.version, "{key:?}");
        let service = |span: &Span| lookup(&span.resource.attributes, "service.name").cloned();
        assert_eq!(service(ours), service(sent), "{key:?}");
        let keys = |attributes: &[Attribute]| -> BTreeSet<String> {
            attributes.iter().map(|attribute| attribute.key.lossy().into_owned()).collect()
        };
        let lost: Vec<_> = keys(&sent.attributes).difference(&keys(&ours.attributes)).cloned().collect();
        let gone = ["net.host.ip", "net.host.port", "net.peer.ip", "net.peer.name", "net.peer.port", "peer.service"];
        let gone = |key: &String| gone.contains(&&**key) || key.starts_with("network.peer.");
        assert!(lost.iter().all(gone), "{key:?}: {lost:?}");
        let events = |span: &Span| {
            span.events.iter().map(|event| (event.name.clone(), keys(&event.attributes))).collect::<Vec<_>>()
        };
        assert_eq!(events(ours), events(sent), "{key:?}");
        assert_eq!(ours.links.len(), sent.links.len(), "{key:?}");
    }
}

#[test]
fn spans_of_one_process_are_of_one_resource_again() {
    let resources = |held: &Held| held.values().map(|span| set(&span.resource.attributes)).collect::<BTreeSet<_>>();
    let (ours, sent) = (from_json(), from_file());
    let sent: Held = sent.into_iter().filter(|(key, _)| ours.contains_key(key)).collect();
    assert_eq!(resources(&ours).len(), resources(&sent).len());
}

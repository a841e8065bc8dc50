//! Filters run against a real index: tables, a naive evaluator, proposals.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod found;
mod jaeger;
mod naive;
mod proposals;
mod rules;
mod searches;
mod tempo;

use std::sync::Arc;

use tracefall::index::{Options, Sealing, SpanFacts, Summary, View, open};
use tracefall::model::{
    Attribute, Badges, Event, Kind, Nanos, Resource, Span, SpanId, Status, StatusCode, Text, Timestamp, TraceId, Value,
};
use tracefall::otlp::encode;
use tracefall::query::{matching_spans, parse, run};

/// A minute after the first spans.
const NOW: Timestamp = Timestamp(Nanos::from_secs(1_060).0);

struct NoSummary;

impl Summary for NoSummary {
    fn observe(&mut self, _: &SpanFacts<'_>, _: &mut Badges) -> bool {
        false
    }

    fn forget(&mut self, _: TraceId) {}
}

/// What the sources of spans are called.
const SOURCES: [&str; 2] = ["x", "mssql"];

/// Views of an index that took the spans in as `bodies`, one publication each: with rows as they came, and at rest.
fn views_of(bodies: &[&[Span]]) -> Vec<View> {
    [Sealing::Never, Sealing::Inline(3)].map(|sealing| filled(bodies, sealing)).into()
}

fn filled(bodies: &[&[Span]], sealing: Sealing) -> View {
    let (mut writer, reader) = open(Options { budget: 64 << 20, sealing }, NoSummary);
    for body in bodies {
        for part in body.chunk_by(|one, other| one.source == other.source) {
            let source = part[0].source;
            writer.name_source(source, SOURCES[usize::from(source.0)]);
            let receipt = writer.insert_spans(source, &encode::spans(part), Timestamp(1)).unwrap();
            assert_eq!(receipt.rejected_total(), 0);
        }
        writer.publish();
    }
    reader.view()
}

/// The spans that a filter finds, by their numbers.
fn found(view: &View, text: &str) -> Vec<u8> {
    let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut numbers = Vec::new();
    for hit in run(&query, view, NOW, &|| false).hits {
        let spans = matching_spans(&query, view, NOW, hit.trace);
        assert_eq!((hit.matched as usize, hit.first), (spans.len(), spans.first().copied()), "{text}");
        numbers.extend(spans.iter().map(|key| key.id.0[0]));
    }
    numbers
}

/// The traces that a filter finds, by their numbers.
fn traces(view: &View, text: &str) -> Vec<u8> {
    let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    run(&query, view, NOW, &|| false).hits.iter().map(|hit| hit.trace.0[0]).collect()
}

fn trace_id(number: u8) -> TraceId {
    TraceId([number; 16])
}

/// A span that starts at `id` milliseconds.
fn span(trace: u8, id: u8, name: &str, millis: u64) -> Span {
    let start = Timestamp(Nanos::from_secs(1_000).0 + Nanos::from_millis(u64::from(id)).0);
    Span {
        trace_id: trace_id(trace),
        span_id: SpanId([id; 8]),
        name: name.into(),
        kind: Kind::INTERNAL,
        start,
        end: start.plus(Nanos::from_millis(millis)),
        ..Span::default()
    }
}

fn with(span: Span, key: &str, value: impl Into<Any>) -> Span {
    let attributes =
        span.attributes.into_iter().chain([Attribute { key: key.into(), value: self::value(value) }]).collect();
    Span { attributes, ..span }
}

fn from(service: &str, span: Span) -> Span {
    let attributes = vec![Attribute { key: "service.name".into(), value: value(service) }];
    Span { resource: Arc::new(Resource { attributes, ..Resource::default() }), ..span }
}

fn ended(code: StatusCode, message: &str, span: Span) -> Span {
    Span { status: Status { code, message: message.into() }, ..span }
}

fn of_kind(kind: Kind, span: Span) -> Span {
    Span { kind, ..span }
}

fn with_event(span: Span, name: &str, key: &str, value: impl Into<Any>) -> Span {
    let attributes = vec![Attribute { key: key.into(), value: self::value(value) }];
    let event = Event { time: span.start, name: name.into(), attributes, dropped_attributes: 0 };
    Span { events: span.events.into_iter().chain([event]).collect(), ..span }
}

/// What can stand as an attribute's value.
struct Any(Value);

fn value(of: impl Into<Any>) -> Value {
    of.into().0
}

impl From<Value> for Any {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<&str> for Any {
    fn from(text: &str) -> Self {
        Self(Value::Text(Text::from(text)))
    }
}

impl From<i64> for Any {
    fn from(number: i64) -> Self {
        Self(Value::Int(number))
    }
}

impl From<f64> for Any {
    fn from(number: f64) -> Self {
        Self(Value::Double(number))
    }
}

impl From<bool> for Any {
    fn from(truth: bool) -> Self {
        Self(Value::Bool(truth))
    }
}

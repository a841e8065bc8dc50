//! The language as tables, and its laws.

mod found;
mod language;
mod naive;
mod proposals;

use std::sync::Arc;

use crate::index::{Options, SpanFacts, Summary, View, open};
use crate::model::{
    Attribute, Badges, Event, Kind, Nanos, Resource, SourceId, Span, SpanId, Status, StatusCode, Text, Timestamp,
    TraceId, Value,
};
use crate::otlp::encode;

struct NoSummary;

impl Summary for NoSummary {
    fn observe(&mut self, _: &SpanFacts<'_>, _: &mut Badges) -> bool {
        false
    }

    fn forget(&mut self, _: TraceId) {}
}

/// A view of an index that took the spans in as `bodies`, one publication each.
fn view_of(bodies: &[&[Span]]) -> View {
    let (mut writer, reader) = open(Options { budget: 64 << 20 }, NoSummary);
    for body in bodies {
        let receipt = writer.insert_spans(SourceId(0), &encode::spans(body), Timestamp(1)).unwrap();
        assert_eq!(receipt.rejected_total(), 0);
        writer.publish();
    }
    reader.view()
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

fn with(span: Span, key: &str, value: impl Into<Value>) -> Span {
    let attributes = span.attributes.into_iter().chain([Attribute { key: key.into(), value: value.into() }]).collect();
    Span { attributes, ..span }
}

fn from(service: &str, span: Span) -> Span {
    let attributes = vec![Attribute { key: "service.name".into(), value: service.into() }];
    Span { resource: Arc::new(Resource { attributes, ..Resource::default() }), ..span }
}

fn ended(code: StatusCode, message: &str, span: Span) -> Span {
    Span { status: Status { code, message: message.into() }, ..span }
}

fn of_kind(kind: Kind, span: Span) -> Span {
    Span { kind, ..span }
}

fn with_event(span: Span, name: &str, key: &str, value: impl Into<Value>) -> Span {
    let attributes = vec![Attribute { key: key.into(), value: value.into() }];
    let event = Event { time: span.start, name: name.into(), attributes, dropped_attributes: 0 };
    Span { events: span.events.into_iter().chain([event]).collect(), ..span }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Text::from(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

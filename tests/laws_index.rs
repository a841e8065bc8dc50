//! Laws of the index: what goes in comes out, in any order, within any budget.

mod common;

use std::collections::BTreeMap;

use common::fixtures::{frames, trace_fixtures};
use tracefall::index::{self, SpanFacts, Summary, View};
use tracefall::model::{Badges, SourceId, Span, SpanKey, Timestamp, TraceId};
use tracefall::otlp;

/// A hook that notes nothing.
struct Nothing;

impl Summary for Nothing {
    fn observe(&mut self, _: &SpanFacts<'_>, _: &mut Badges) -> bool {
        false
    }
    fn forget(&mut self, _: TraceId) {}
}

const LARGE: u64 = 1 << 30;

fn indexed(bodies: &[Vec<u8>], budget: u64) -> View {
    let (mut writer, reader) = index::open(index::Options { budget }, Nothing);
    for (at, body) in (1..).zip(bodies) {
        writer.insert_spans(SourceId(0), body, Timestamp(at)).unwrap();
        writer.publish();
    }
    reader.view()
}

/// Spans by identity.
fn by_identity(spans: Vec<Span>) -> BTreeMap<(TraceId, SpanKey), Span> {
    spans.into_iter().map(|span| ((span.trace_id, span.key()), span)).collect()
}

fn held(view: &View) -> BTreeMap<(TraceId, SpanKey), Span> {
    let mut spans = Vec::new();
    for id in view.traces() {
        let trace = view.trace(id).unwrap();
        spans.extend(trace.spans.iter().map(|span| view.span(id, span.key).unwrap()));
    }
    by_identity(spans)
}

#[test]
fn every_recorded_span_comes_back_exactly() {
    for (name, bodies) in trace_fixtures() {
        let view = indexed(&bodies, LARGE);
        let expected: Vec<Span> = bodies.iter().flat_map(|body| otlp::decode::spans(body).unwrap()).collect();
        let expected = by_identity(expected);
        assert_eq!(view.stats().spans, expected.len() as u64, "{name}");
        let held = held(&view);
        for (identity, span) in &expected {
            assert_eq!(format!("{:?}", held[identity]), format!("{span:?}"), "{name} {identity:?}");
        }
        assert_eq!(held.len(), expected.len(), "{name}");
    }
}

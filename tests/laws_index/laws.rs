//! The laws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use tracefall::analysis::Thresholds;
use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Outline, Place, Reader, Sealing, SpanFacts, Summary, ValueRef, View, Writer};
use tracefall::model::{
    Attribute, Badges, Category, Nanos, RejectReason, Resource, SourceId, Span, SpanId, SpanKey, StatusCode, Timestamp,
    TraceId, TraceSummary, Value,
};
use tracefall::otlp::{decode, encode};
use tracefall::semconv;
use tracefall::source::load::{Load, Shape};

use super::fixtures::frames;
use super::generate;
use super::random::Random;

/// The recorded traces by file name.
fn trace_fixtures() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    ["hmis-python-grpc.otlp.pb", "gateway-go.traces.pb.gz", "billing-java.traces.pb.gz"]
        .map(|name| (name, frames(name)))
        .into()
}

const AMPLE: u64 = 1 << 30;

/// Each law is held by rows as they came, and by sealed ones: this file is there twice.
fn options(budget: u64) -> Options {
    let rows = if budget == AMPLE { 16 } else { 400 };
    let sealing = if module_path!().ends_with("sealed") { Sealing::Inline(rows) } else { Sealing::Never };
    Options { budget, sealing }
}

type Identity = (TraceId, SpanKey);

fn open(budget: u64) -> (Writer<TraceNotes>, Reader) {
    index::open(options(budget), TraceNotes::new(Thresholds::default()))
}

/// The state after all bodies, published after every so many.
fn indexed(bodies: &[Vec<u8>], budget: u64, every: usize) -> View {
    let (mut writer, reader) = open(budget);
    for (number, body) in (1..).zip(bodies) {
        writer.insert_spans(SourceId(0), body, Timestamp(number as u64)).unwrap();
        if number % every == 0 {
            writer.publish();
        }
    }
    writer.publish();
    reader.view()
}

/// All of a span as bytes: unlike the values, they equal each other where there is a NaN.
fn content(span: &Span) -> Vec<u8> {
    let mut bytes = encode::span(span);
    bytes.extend(encode::resource(&span.resource));
    bytes.extend(span.resource.schema_url.as_bytes());
    bytes.extend(encode::scope(&span.scope));
    bytes.extend(span.scope.schema_url.as_bytes());
    bytes
}

fn held(view: &View) -> BTreeMap<Identity, Span> {
    let mut spans = BTreeMap::new();
    for id in view.traces() {
        for span in view.trace(id).expect("a listed trace is held").spans {
            let whole = view.span(id, span.key).expect("a listed span is held");
            assert_eq!(whole.key(), span.key);
            assert!(spans.insert((id, span.key), whole).is_none(), "{id} lists {:?} twice", span.key);
        }
    }
    spans
}

/// Everything that was sent, by identity.
fn sent(bodies: &[Vec<u8>]) -> BTreeMap<Identity, Vec<Span>> {
    let mut spans: BTreeMap<Identity, Vec<Span>> = BTreeMap::new();
    for span in bodies.iter().flat_map(|body| decode::spans(body).unwrap()) {
        spans.entry((span.trace_id, span.key())).or_default().push(span);
    }
    spans
}

/// Few traces and span ids, so that spans meet: parents, duplicates, and other contents under one identity.
fn crowd(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    let squeeze = |id: &mut Vec<u8>, length: usize, most: u8| {
        if id.len() == length && id.iter().any(|byte| *byte != 0) {
            *id = vec![id[0] % most + 1; length];
        }
    };
    for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        for span in &mut scope.spans {
            squeeze(&mut span.trace_id, 16, 3);
            squeeze(&mut span.span_id, 8, 40);
            squeeze(&mut span.parent_span_id, 8, 40);
            span.kind %= 2;
            span.end_time_unix_nano %= 7;
            span.start_time_unix_nano %= 7;
        }
    }
    request
}

fn bodies(crowded: bool) -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(generate::request(), 1..8).prop_map(move |requests| {
        let requests = requests.into_iter().map(|request| if crowded { crowd(request) } else { request });
        requests.map(|request| request.encode_to_vec()).collect()
    })
}

/// Summaries without what depends on arrival.
fn summaries(view: &View) -> BTreeMap<TraceId, TraceSummary> {
    let blank = |summary: TraceSummary| {
        let (first_arrival, last_arrival) = Default::default();
        TraceSummary { first_arrival, last_arrival, ..summary }
    };
    view.traces().map(|id| (id, blank(view.summary(id).expect("a listed trace has a line")))).collect()
}

/// Figures of a trace worked out the plain way.
fn check_summary(summary: &TraceSummary, spans: &[&Span]) {
    let ids: BTreeSet<_> = spans.iter().map(|span| span.span_id).collect();
    let count = |test: &dyn Fn(&Span) -> bool| u32::try_from(spans.iter().filter(|span| test(span)).count()).unwrap();
    let services: BTreeSet<_> = spans.iter().map(|span| service(span)).collect();
    assert_eq!(summary.spans, count(&|_| true));
    assert_eq!(summary.errors, count(&|span| span.status.code == StatusCode::ERROR));
    assert_eq!(summary.orphans, count(&|span| span.parent_id.is_some_and(|parent| !ids.contains(&parent))));
    assert_eq!(summary.services as usize, services.len());
    assert_eq!(summary.has_root, spans.iter().any(|span| span.parent_id.is_none()));
    let timed = || spans.iter().filter(|span| span.start.0 != 0);
    assert_eq!(summary.start, timed().map(|span| span.start).min().unwrap_or_default());
    assert_eq!(summary.end, timed().map(|span| span.end.max(span.start)).max().unwrap_or_default());
}

fn service(span: &Span) -> String {
    match tracefall::model::lookup(&span.resource.attributes, "service.name") {
        Some(Value::Text(name)) => name.lossy().into_owned(),
        _ => "unknown_service".to_owned(),
    }
}

fn check_all_summaries(view: &View) {
    let spans = held(view);
    let mut by_trace: BTreeMap<TraceId, Vec<&Span>> = BTreeMap::new();
    for ((trace, _), span) in &spans {
        by_trace.entry(*trace).or_default().push(span);
    }
    for (id, summary) in summaries(view) {
        check_summary(&summary, &by_trace[&id]);
    }
    assert_eq!(view.stats().spans, spans.len() as u64);
    assert_eq!(view.stats().traces, view.traces().count() as u64);
    let outlines = view.summaries().map(|summary| {
        let duration = summary.duration();
        let TraceSummary { id, first_arrival, start, spans, errors, .. } = summary;
        (id, Outline { first_arrival, start, duration, spans, errors })
    });
    assert!(view.outlines().eq(outlines));
    assert!(view.traces().eq(view.outlines().map(|(id, _)| id)));
    assert!(view.outlines().all(|(id, outline)| view.outline(id) == Some(outline)));
    let rows: usize = view.blocks().map(|block| block.all().len()).sum();
    assert_eq!(rows, spans.len());
}

/// A span of a trace and a service, in a group of its own.
fn turn_of((trace, service, number): (u8, u8, u8)) -> Vec<u8> {
    let value = Value::Text(format!("s{service}").as_str().into());
    let name = Attribute { key: "service.name".into(), value };
    encode::spans(&[Span {
        trace_id: TraceId([trace + 1; 16]),
        span_id: SpanId([number + 1; 8]),
        start: Timestamp(u64::from(number) + 1),
        resource: Arc::new(Resource { attributes: vec![name], ..Resource::default() }),
        ..Span::default()
    }])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_span_is_lost(bodies in bodies(false), every in 1_usize..4) {
        let view = indexed(&bodies, AMPLE, every);
        let held = held(&view);
        let sent = sent(&bodies);
        prop_assert_eq!(held.len(), sent.len());
        for (identity, spans) in sent {
            let contents: Vec<_> = spans.iter().map(content).collect();
            prop_assert!(contents.contains(&content(&held[&identity])), "{:?}", spans);
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(bodies in bodies(true), seed: u64, every in 1_usize..4) {
        let forward = indexed(&bodies, AMPLE, every);
        let mut shuffled = bodies.clone();
        Random(seed).shuffle(&mut shuffled);
        let other = indexed(&shuffled, AMPLE, 1);
        prop_assert_eq!(summaries(&forward), summaries(&other));
        let contents = |view: &View| -> BTreeMap<_, _> {
            held(view).into_iter().map(|(identity, span)| (identity, content(&span))).collect()
        };
        prop_assert_eq!(contents(&forward), contents(&other));
        for id in forward.traces() {
            let (one, two) = (forward.trace(id).unwrap(), other.trace(id).unwrap());
            prop_assert_eq!(one.spans, two.spans);
        }
        check_all_summaries(&forward);
        for (identity, spans) in sent(&bodies) {
            let latest = spans.iter().map(|span| span.end).max().unwrap();
            prop_assert_eq!(forward.span(identity.0, identity.1).unwrap().end, latest);
        }
    }

    /// As servers answer, and collectors that gather what several services sent.
    #[test]
    fn services_of_a_trace_that_take_turns_within_a_body_lose_no_span(
        turns in vec((0_u8..2, 0_u8..3, 0_u8..12), 1..24), cut in 0_usize..24,
    ) {
        let body = |turns: &[(u8, u8, u8)]| -> Vec<u8> { turns.iter().flat_map(|turn| turn_of(*turn)).collect() };
        let (first, second) = turns.split_at(cut.min(turns.len()));
        let bodies = [body(first), body(second)];
        let view = indexed(&bodies, AMPLE, 1);
        let (held, sent) = (held(&view), sent(&bodies));
        prop_assert_eq!(held.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>());
        check_all_summaries(&view);
    }

    #[test]
    fn a_retry_changes_nothing(bodies in bodies(true)) {
        let (mut writer, reader) = open(AMPLE);
        for body in &bodies {
            writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
        }
        writer.publish();
        let before = reader.view();
        for body in &bodies {
            let receipt = writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
            prop_assert_eq!(receipt.duplicates, receipt.accepted);
        }
        writer.publish();
        let after = reader.view();
        prop_assert_eq!(summaries(&before), summaries(&after));
        prop_assert_eq!(&before.stats().services, &after.stats().services);
        prop_assert_eq!(before.stats().spans, after.stats().spans);
    }

    #[test]
    fn a_broken_body_leaves_no_trace(bodies in bodies(true), broken in generate::request(), cut in 1_usize..40) {
        let body = crowd(broken).encode_to_vec();
        let cut = &body[..body.len() - cut.min(body.len())];
        let mut with = Vec::new();
        let (mut writer, reader) = open(AMPLE);
        for body in &bodies {
            if writer.insert_spans(SourceId(0), cut, Timestamp(1)).is_ok() {
                with.push(cut.to_vec());
            }
            writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
            with.push(body.clone());
        }
        writer.publish();
        let (view, plain) = (reader.view(), indexed(&with, AMPLE, 100));
        prop_assert_eq!(summaries(&view), summaries(&plain));
        prop_assert_eq!(view.stats().duplicates, plain.stats().duplicates);
        check_all_summaries(&view);
    }

    #[test]
    fn logs_are_counted_and_those_of_a_trace_are_kept(request in generate::logs_request()) {
        let (mut writer, reader) = open(AMPLE);
        let body = request.encode_to_vec();
        let receipt = writer.insert_logs(SourceId(0), &body, Timestamp(1)).unwrap();
        writer.publish();
        let mut kept = BTreeMap::<TraceId, usize>::new();
        let mut all = 0;
        tracefall::otlp::logs::read(&body, |item| {
            all += 1;
            if let Some(record) = item.record {
                *kept.entry(record.trace_id).or_default() += 1;
            }
        }).unwrap();
        prop_assert_eq!(receipt.accepted, all);
        prop_assert_eq!(reader.view().stats().logs, kept.values().sum::<usize>() as u64);
        for (trace, count) in kept {
            prop_assert_eq!(reader.view().logs(trace).len(), count);
        }
    }
}

#[test]
fn every_recorded_span_comes_back_exactly() {
    for (name, bodies) in trace_fixtures() {
        let view = indexed(&bodies, AMPLE, 3);
        let held = held(&view);
        let sent = sent(&bodies);
        assert_eq!(held.len(), sent.len(), "{name}");
        for (identity, spans) in &sent {
            assert_eq!(content(&held[identity]), content(&spans[0]), "{name} {identity:?}");
        }
        check_all_summaries(&view);
    }
}

/// Keeps what the hook is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<BTreeMap<Identity, (Category, String)>>>);

impl Summary for Told {
    fn observe(&mut self, span: &SpanFacts<'_>, _: &mut Badges) -> bool {
        let label = span.what.label().into_owned();
        assert_eq!(*span.what.shared_label(), *label);
        self.0.lock().unwrap().insert((span.trace_id, span.key), (span.category, label));
        false
    }

    fn forget(&mut self, _: TraceId) {}
}

#[test]
fn labels_are_what_semconv_makes_of_the_attributes() {
    let mut all: Vec<Vec<Vec<u8>>> = trace_fixtures().into_iter().map(|(_, bodies)| bodies).collect();
    all.push(Load::new(Shape::default()).take(12).collect());
    all.push(Load::new(Shape { unique: true, ..Shape::default() }).take(12).collect());
    for bodies in all {
        let told = Told::default();
        let (mut writer, reader) = index::open(options(AMPLE), told.clone());
        for body in &bodies {
            writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
        }
        writer.publish();
        let (view, told) = (reader.view(), told.0.lock().unwrap());
        assert!(!told.is_empty());
        for id in view.traces() {
            for lean in view.trace(id).unwrap().spans {
                let span = view.span(id, lean.key).unwrap();
                let text = |key: &str| match tracefall::model::lookup(&span.attributes, key)? {
                    Value::Text(text) => Some(text.lossy().into_owned().into()),
                    Value::Int(number) => Some(number.to_string().into()),
                    Value::Bool(truth) => Some(truth.to_string().into()),
                    Value::Double(number) => Some(number.to_string().into()),
                    _ => None,
                };
                let said = semconv::describe(&span.name.lossy(), span.kind, &text);
                let label = said.text.unwrap_or_else(|| span.name.lossy().into_owned());
                assert_eq!((lean.category, &*lean.label, &*lean.remark), (said.category, &*label, &*said.remark));
                // The hook is told of those that may make a difference.
                if let Some(told) = told.get(&(id, lean.key)) {
                    assert_eq!(*told, (said.category, label));
                }
            }
        }
    }
}

#[test]
fn a_recorded_service_has_the_notes_that_its_readme_promises() {
    let view = indexed(&frames("hmis-python-grpc.otlp.pb"), AMPLE, 1);
    assert_eq!(view.stats().spans, 1_187);
    let summaries: Vec<_> = view.summaries().collect();
    assert!(summaries.iter().any(|summary| summary.badges.repeated.as_ref().is_some_and(|(count, _)| *count == 47)));
    assert!(summaries.iter().any(|summary| summary.badges.error.is_some()));
    assert!(summaries.iter().any(|summary| {
        summary.badges.longest_db.as_ref().is_some_and(|(longest, _)| *longest > Nanos::from_millis(100))
    }));
    assert!(view.stats().services.values().all(|service| service.spans > 0 && service.traces > 0));
}

/// Spans accepted but for duplicates.
fn flood(writer: &mut Writer<TraceNotes>, bodies: impl Iterator<Item = Vec<u8>>, budget: u64) -> u64 {
    let mut accepted = 0;
    for (number, body) in (1..).zip(bodies) {
        let receipt = writer.insert_spans(SourceId(0), &body, Timestamp(number)).unwrap();
        accepted += receipt.accepted - receipt.duplicates;
        assert!(writer.bytes() as u64 <= budget, "{} of {budget} bytes after body {number}", writer.bytes());
        if number % 7 == 0 {
            writer.publish();
        }
    }
    writer.publish();
    accepted
}

#[test]
fn what_was_accepted_is_held_or_counted_as_evicted_at_any_budget() {
    for (budget, unique) in [(2 << 20, false), (4 << 20, false), (8 << 20, true), (40 << 20, false)] {
        let (mut writer, reader) = open(budget);
        let accepted = flood(&mut writer, Load::new(Shape { unique, ..Shape::default() }).take(60), budget);
        let view = reader.view();
        let stats = view.stats();
        assert_eq!(accepted, stats.spans + stats.spans_evicted, "budget {budget}");
        assert!(stats.spans > 0 && stats.traces > 0);
        assert!(budget > 2 << 20 || stats.spans_evicted > 0);
        check_all_summaries(&view);
        assert_eq!(stats.services.values().map(|service| service.spans).sum::<u64>(), accepted);
    }
}

#[test]
fn a_kept_trace_outlives_the_flood_whole_and_others_leave_whole() {
    let budget = 4 << 20;
    let (mut writer, reader) = open(budget);
    let bodies: Vec<_> = Load::new(Shape::default()).take(180).collect();
    flood(&mut writer, bodies[..20].iter().cloned(), budget);
    let early = reader.view();
    let kept = early.summaries().find(|summary| summary.orphans == 0 && summary.spans > 5).unwrap().id;
    let before: Vec<_> = early.trace(kept).unwrap().spans;
    writer.keep(&[kept]);
    flood(&mut writer, bodies[20..80].iter().cloned(), budget);
    let view = reader.view();
    assert_eq!(view.trace(kept).unwrap().spans, before);
    for span in &before {
        let (one, other) = (early.span(kept, span.key).unwrap(), view.span(kept, span.key).unwrap());
        assert_eq!(one, other);
    }
    let first = view.traces().next().unwrap();
    assert_eq!(first, kept, "the kept trace stays the oldest of the list");
    let gone = early.traces().find(|id| view.summary(*id).is_none()).expect("others of its time have left");
    assert!(view.trace(gone).is_none() && early.trace(gone).is_some());
    writer.keep(&[]);
    flood(&mut writer, bodies[80..].iter().cloned(), budget);
    assert!(reader.view().summary(kept).is_none());
}

#[test]
fn a_trace_above_a_quarter_of_the_budget_takes_no_more_spans() {
    let budget = 2 << 20;
    let (mut writer, reader) = open(budget);
    let mut refused = 0;
    for number in 0..40_u64 {
        let spans: Vec<_> = (0..250_u64)
            .map(|place| Span {
                trace_id: TraceId([7; 16]),
                span_id: SpanId((number * 1000 + place + 1).to_be_bytes()),
                name: "row".into(),
                ..Span::default()
            })
            .collect();
        let receipt = writer.insert_spans(SourceId(0), &encode::spans(&spans), Timestamp(number)).unwrap();
        let too_large = receipt.rejected.iter().find(|(reason, _)| *reason == RejectReason::TraceTooLarge);
        refused += too_large.map_or(0, |(_, count)| *count);
        assert_eq!(receipt.accepted + receipt.rejected_total(), 250);
        assert!(writer.bytes() as u64 <= budget);
    }
    writer.publish();
    let trace = reader.view().trace(TraceId([7; 16])).unwrap();
    assert!(trace.truncated && refused > 0);
    assert_eq!(trace.spans.len() as u64 + refused, 10_000);
}

#[test]
fn readers_in_other_threads_never_see_half_a_batch() {
    // Each body holds one span of each of 64 traces: in any consistent view all traces have equally many.
    let (mut writer, reader) = open(AMPLE);
    let body = |number: u64| {
        let spans: Vec<_> = (1..=64_u8)
            .map(|trace| Span {
                trace_id: TraceId([trace; 16]),
                span_id: SpanId((number + 1).to_be_bytes()),
                start: Timestamp(number + 1),
                ..Span::default()
            })
            .collect();
        encode::spans(&spans)
    };
    std::thread::scope(|scope| {
        let watch = || {
            let reader = reader.clone();
            move || {
                let mut last = 0;
                while last < 300 {
                    let view = reader.view();
                    let counts: BTreeSet<_> = view.summaries().map(|summary| u64::from(summary.spans)).collect();
                    assert!(counts.len() <= 1, "{counts:?}");
                    let count = counts.first().copied().unwrap_or(0);
                    assert!(count >= last);
                    assert_eq!(view.stats().spans, count * 64);
                    if let Some(trace) = view.trace(TraceId([64; 16])) {
                        assert_eq!(trace.spans.len() as u64, count);
                    }
                    last = count;
                }
            }
        };
        scope.spawn(watch());
        scope.spawn(watch());
        for number in 0..300 {
            writer.insert_spans(SourceId(0), &body(number), Timestamp(number)).unwrap();
            writer.publish();
        }
    });
}

#[test]
fn changed_since_tells_the_traces_that_gained_spans() {
    let (mut writer, reader) = open(AMPLE);
    let body = |trace: u8, span: u8| {
        let (trace_id, span_id) = (TraceId([trace; 16]), SpanId([span; 8]));
        encode::spans(&[Span { trace_id, span_id, ..Span::default() }])
    };
    let mut insert = |trace, span| {
        writer.insert_spans(SourceId(0), &body(trace, span), Timestamp(1)).unwrap();
        writer.publish();
        reader.view()
    };
    let first = insert(1, 1).revision();
    let second = insert(2, 1).revision();
    let third = insert(1, 2);
    assert_eq!(third.changed_since(first), Some(vec![TraceId([1; 16]), TraceId([2; 16])]));
    assert_eq!(third.changed_since(second), Some(vec![TraceId([1; 16])]));
    assert_eq!(third.changed_since(third.revision()), Some(Vec::new()));
}

#[test]
fn selections_find_what_a_plain_search_finds() {
    for (name, bodies) in trace_fixtures() {
        let view = indexed(&bodies, AMPLE, 2);
        let spans = held(&view);
        let plain = |test: &dyn Fn(&Span) -> bool| -> BTreeSet<Identity> {
            spans.iter().filter(|(_, span)| test(span)).map(|(identity, _)| *identity).collect()
        };
        let found = |select: &dyn Fn(&index::Block<'_>) -> index::Rows| -> BTreeSet<Identity> {
            let rows =
                view.blocks().flat_map(|block| select(&block).iter().map(|row| block.row(row)).collect::<Vec<_>>());
            rows.collect()
        };
        let long = Nanos::from_millis(20);
        let cases: [(BTreeSet<_>, BTreeSet<_>); 6] = [
            (
                plain(&|span| span.end.since(span.start) >= long),
                found(&|block| block.select_duration(long, Nanos(u64::MAX))),
            ),
            (
                plain(&|span| span.status.code == StatusCode::ERROR),
                found(&|block| block.select_status(StatusCode::ERROR)),
            ),
            (
                plain(&|span| service(span).contains('g')),
                found(&|block| block.select_service(&|name| name.contains('g'))),
            ),
            (plain(&|span| span.name == "GET"), found(&|block| block.select_name(&|name| name == "GET"))),
            (
                plain(&|span| {
                    matches!(tracefall::model::lookup(&span.attributes, "db.system"), Some(Value::Text(text))
                        if *text == "postgresql")
                }),
                found(&|block| {
                    block.select_attribute(&["db.system"], &[Place::Span], &|value| {
                        value == ValueRef::Text("postgresql")
                    })
                }),
            ),
            (
                plain(&|span| {
                    span.events.iter().any(|event| {
                        matches!(tracefall::model::lookup(&event.attributes, "exception.type"), Some(Value::Text(_)))
                    })
                }),
                found(&|block| {
                    block.select_attribute(&["exception.type"], &[Place::Event], &|value| {
                        matches!(value, ValueRef::Text(_))
                    })
                }),
            ),
        ];
        for (place, (plain, found)) in cases.into_iter().enumerate() {
            assert_eq!(plain, found, "{name} {place}");
        }
        let keys = view.keys(1000);
        let carrying = plain(&|span| span.attributes.iter().any(|attribute| attribute.key == "net.peer.name"));
        let counted = keys.iter().find(|(key, _)| key == "net.peer.name").map_or(0, |(_, count)| *count);
        assert_eq!(counted, carrying.len() as u64, "{name}");
        assert_eq!(view.values("service.name", 1000).iter().map(|(_, count)| count).sum::<u64>(), spans.len() as u64);
    }
}

#[test]
fn a_long_run_of_broken_bytes_neither_panics_nor_grows() {
    let budget = 8 << 20;
    let (mut writer, reader) = open(budget);
    let bodies: Vec<_> = trace_fixtures().into_iter().flat_map(|(_, bodies)| bodies).collect();
    let mut random = Random(7);
    for number in 0..600 {
        let mut body = random.pick(&bodies).clone();
        for _ in 0..random.below(4) {
            let place = random.below(body.len());
            body[place] = u8::try_from(random.below(256)).unwrap();
        }
        let _ = writer.insert_spans(SourceId(0), &body, Timestamp(number));
        assert!(writer.bytes() as u64 <= budget);
        if number % 50 == 0 {
            writer.publish();
        }
    }
    writer.publish();
    check_all_summaries(&reader.view());
}

#[test]
fn a_trace_that_spans_segments_is_not_carried_forward_for_ever() {
    let budget = 4 << 20;
    let (mut writer, reader) = open(budget);
    let mut bodies = Load::new(Shape::default());
    for span in 1..=3 {
        let (trace_id, span_id) = (TraceId([9; 16]), SpanId([span; 8]));
        let body = encode::spans(&[Span { trace_id, span_id, start: Timestamp(1), ..Span::default() }]);
        writer.insert_spans(SourceId(0), &body, Timestamp(u64::from(span))).unwrap();
        flood(&mut writer, bodies.by_ref().take(5), budget);
    }
    assert_eq!(reader.view().trace(TraceId([9; 16])).unwrap().spans.len(), 3);
    flood(&mut writer, bodies.by_ref().take(150), budget);
    assert!(reader.view().summary(TraceId([9; 16])).is_none());
}

/// Jaeger's older interface cuts times to microseconds: its copy may end later than what was received, and be longer.
#[test]
fn a_lossy_copy_never_replaces_a_received_span_whichever_comes_first() {
    let span = |end: u64, name: &str| {
        let (trace_id, span_id) = (TraceId([1; 16]), SpanId([2; 8]));
        let (start, end) = (Timestamp(1), Timestamp(end));
        encode::spans(&[Span { trace_id, span_id, name: name.into(), start, end, ..Span::default() }])
    };
    let (received, copied) = (span(1_500, "received"), span(2_000, "copied, and longer"));
    for lossy_first in [true, false] {
        let (mut writer, reader) = open(AMPLE);
        writer.set_lossy(SourceId(7), true);
        let mut bodies = vec![(SourceId(7), &copied), (SourceId(0), &received), (SourceId(7), &copied)];
        if !lossy_first {
            bodies.remove(0);
        }
        for (number, (source, body)) in (1..).zip(bodies) {
            writer.insert_spans(source, body, Timestamp(number)).unwrap();
            writer.publish();
        }
        let held = held(&reader.view());
        assert_eq!(held.values().map(|span| span.name.lossy().into_owned()).collect::<Vec<_>>(), ["received"]);
    }
}

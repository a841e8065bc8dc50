//! Many spans held: the memory they take, how fast a trace opens that nobody looked at before. Measured in a process of its own.

use serde_json::{Map, Value};
use tracefall::model::{self, SpanId, Timestamp, TraceId};
use tracefall::otlp::encode;
use tracefall::source::load::{Load, Shape};

use crate::child::{self, figure, sample};
use crate::clock;
use crate::ours::Index;
use crate::report::{Goal, Report};

/// Bodies that hold a million spans, and ten.
pub(crate) const MILLION: usize = 1_954;
pub(crate) const TEN_MILLION: usize = 19_532;
/// Traces of a thousand spans among the others.
const LARGE_TRACES: u64 = 40;

pub(crate) fn group(report: &mut Report, large: bool) {
    let (bodies, size, spans) = if large { (TEN_MILLION, "10m", "10 M") } else { (MILLION, "1m", "1 M") };
    let found = child::run(&["held", &bodies.to_string()]);
    let at = |key: &str| figure(&found, key);
    report.row(("held_spans", "spans held for the rows below", ""), at("spans"), None);
    report.row(
        ("sealed_bytes_per_span", &format!("sealed: growth of resident memory a span, {spans}"), "B"),
        at("grown") / at("spans"),
        Some(Goal::at_most(60.0, 40.0)),
    );
    let counted = at("counted") / at("spans");
    report.row(("sealed_counted_bytes_per_span", "sealed, as the index counts it, a span", "B"), counted, None);
    let capacity = large.then_some(Goal::at_most(1024.0, 512.0));
    let what = format!("{spans} spans held, resident");
    report.row((&format!("capacity_{size}_mib"), &what, "MiB"), at("resident") / f64::from(1 << 20), capacity);
    report.row(("sealing_ns", "CPU of other threads while they were taken in, a span", "ns"), at("background"), None);
    let opened = sample(&found, "open");
    report.sample(
        ("open_cold_trace_ms", "open a trace of 1,000 spans, cold", "ms"),
        &opened,
        Some(Goal::at_most(5.0, 1.0)),
    );
}

/// What the child does.
pub(crate) fn child(bodies: usize) {
    let mut load = Load::new(Shape::default());
    drop(load.by_ref().take(20).collect::<Vec<_>>());
    let before = clock::resident("self");
    drop(load);
    let (process, thread) = (clock::process(), clock::thread());
    let index = filled(bodies);
    let background = (clock::process() - process).saturating_sub(clock::thread() - thread);
    let stats = index.reader.view().stats().clone();
    let resident = clock::resident("self");
    let mut found = Map::new();
    found.insert("spans".to_owned(), stats.spans.into());
    found.insert("counted".to_owned(), stats.bytes.into());
    found.insert("resident".to_owned(), resident.into());
    found.insert("grown".to_owned(), resident.saturating_sub(before).into());
    found.insert("background".to_owned(), (background as f64 / stats.spans as f64).into());
    drop(stats);
    found.insert("open".to_owned(), opened(&index).into());
    println!("{}", Value::Object(found));
}

/// An index of so many bodies, the larger traces among them, at rest.
pub(crate) fn filled(bodies: usize) -> Index {
    let mut index = Index::new();
    let between = bodies as u64 / LARGE_TRACES + 1;
    for (number, body) in (0_u64..).zip(Load::new(Shape::default()).take(bodies)) {
        index.insert(&body);
        if number % between == 0 {
            for body in large_trace(number / between) {
                index.insert(&body);
            }
        }
    }
    index.settle();
    index
}

/// The id of the trace of this number among the large ones.
fn large_id(number: u64) -> TraceId {
    let mut id = [0xab; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    TraceId(id)
}

/// A trace of a thousand spans, in two bodies.
fn large_trace(number: u64) -> [Vec<u8>; 2] {
    let attribute =
        |key: &str, text: String| model::Attribute { key: key.into(), value: model::Value::Text(text.into()) };
    let span = |own: u64| model::Span {
        trace_id: large_id(number),
        span_id: SpanId((number * 1_000 + own).to_be_bytes()),
        parent_id: (own > 1).then(|| SpanId((number * 1_000 + own / 7 + 1).to_be_bytes())),
        name: format!("step {}", own % 50).as_str().into(),
        start: Timestamp(1_735_689_600_000_000_000 + own * 1_000),
        end: Timestamp(1_735_689_600_000_005_000 + own * 1_000),
        attributes: vec![
            attribute("db.system.name", "postgresql".to_owned()),
            attribute("db.query.text", format!("SELECT * FROM visits WHERE patient = {own}")),
        ],
        ..model::Span::default()
    };
    let spans: Vec<_> = (1..=1_000).map(span).collect();
    let (first, second) = spans.split_at(500);
    [encode::spans(first), encode::spans(second)]
}

/// Opens every large trace for the first time, ms each.
fn opened(index: &Index) -> Vec<f64> {
    let view = index.reader.view();
    let mut times = Vec::new();
    for number in 0..LARGE_TRACES {
        let before = clock::thread();
        let trace = std::hint::black_box(view.trace(large_id(number)));
        times.push((clock::thread() - before) as f64 / 1e6);
        assert_eq!(trace.map_or(0, |trace| trace.spans.len()), 1_000);
    }
    times
}

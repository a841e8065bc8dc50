//! Many spans held: the memory they take, what filters over them cost, how fast a trace opens that nobody looked at
//! before. Measured in a process of its own.

use serde_json::{Map, Value};
use tracefall::model::{self, SpanId, Timestamp, TraceId};
use tracefall::otlp::{decode, encode};
use tracefall::query;
use tracefall::source::load::{Load, Shape};

use crate::child::{self, figure, sample};
use crate::clock;
use crate::ours::Index;
use crate::report::{Goal, Report};

/// Bodies that hold a million spans, and ten.
const MILLION: usize = 1_954;
const TEN_MILLION: usize = 19_532;
/// Traces of a thousand spans among the others.
const LARGE_TRACES: u64 = 40;
const ROUNDS: usize = 5;

/// A filter: its key, what it is, the bounds over ten million spans in ms.
struct Filter {
    key: &'static str,
    what: &'static str,
    text: String,
    bounds: (f64, f64),
}

/// The filters. `order` is the value of a key whose values are nearly all unique.
fn filters(order: &str) -> Vec<Filter> {
    let filter =
        |key, what, text: &str, must, reach| Filter { key, what, text: text.to_owned(), bounds: (must, reach) };
    // The middle of an id: no word begins there, no value equals it, and it stands on one span.
    let part: String = order.chars().skip(9).take(18).collect();
    vec![
        filter("service", "service and least duration", "service=orders minDuration=200ms", 25.0, 10.0),
        filter("attribute", "attribute equals (one span in 30)", "http.response.status_code=500", 100.0, 50.0),
        filter("attribute_common", "attribute equals (half of the traces)", "http.route=/api/orders/{id}", 100.0, 50.0),
        filter("attribute_text", "attribute equals (one span)", &format!("app.order.id={order}"), 100.0, 50.0),
        filter("substring", "attribute contains, in columns", "http.route:coupon", 150.0, 100.0),
        filter("statement", "statement contains", "db.query.text:\"id = 47\"", 150.0, 100.0),
        filter("word", "word in any text", &part, 600.0, 400.0),
        filter("range", "attribute in a range", "http.response.status_code>=500", 100.0, 50.0),
        filter("regex", "attribute matches", "db.query.text=~\".*id = 47.*\"", 600.0, 400.0),
        filter("negation", "no span with", "-http.response.status_code=500", 150.0, 100.0),
        filter("relative", "root's attribute", "root.http.route:coupon error=true", 600.0, 400.0),
        filter("structural", "below an error", "{ status = error } >> { span.db.system.name != nil }", 600.0, 400.0),
        filter("count", "count of spans", "{ span.db.system.name != nil } | count() > 20", 600.0, 400.0),
        filter("average", "average of spans", "{ status = error } | avg(duration) > 100ms", 600.0, 400.0),
    ]
}

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
    for Filter { key, what, bounds, .. } in filters("") {
        let goal = large.then_some(Goal::at_most(bounds.0, bounds.1));
        let what = format!("{what}, {spans} ({} traces found)", at(&format!("{key}_hits")));
        let key = format!("query_{key}");
        let sample = sample(&found, &key);
        report.sample((&format!("{key}_ms_{size}"), &what, "ms"), &sample, goal);
    }
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
    let order = order(&load.clone().next().unwrap());
    drop(load.by_ref().take(20).collect::<Vec<_>>());
    let before = clock::resident("self");
    let (process, thread) = (clock::process(), clock::thread());
    let mut index = Index::new();
    let between = bodies as u64 / LARGE_TRACES + 1;
    // From its beginning again: what was drawn above was to warm up.
    for (number, body) in (0_u64..).zip(Load::new(Shape::default()).take(bodies)) {
        index.insert(&body);
        if number % between == 0 {
            for body in large_trace(number / between) {
                index.insert(&body);
            }
        }
    }
    drop(load);
    index.settle();
    let background = (clock::process() - process).saturating_sub(clock::thread() - thread);
    let stats = index.reader.view().stats();
    let resident = clock::resident("self");
    let mut found = Map::new();
    found.insert("spans".to_owned(), stats.spans.into());
    found.insert("counted".to_owned(), stats.bytes.into());
    found.insert("resident".to_owned(), resident.into());
    found.insert("grown".to_owned(), resident.saturating_sub(before).into());
    found.insert("background".to_owned(), (background as f64 / stats.spans as f64).into());
    drop(stats);
    found.insert("open".to_owned(), opened(&index).into());
    for filter in filters(&order) {
        let (times, hits) = searched(&index, &filter.text);
        found.insert(format!("query_{}", filter.key), times.into());
        found.insert(format!("{}_hits", filter.key), hits.into());
    }
    println!("{}", Value::Object(found));
}

/// An order of this body.
fn order(body: &[u8]) -> String {
    let spans = decode::spans(body).unwrap();
    let attribute = spans.iter().flat_map(|span| &span.attributes).find(|own| own.key == *"app.order.id").unwrap();
    let model::Value::Text(order) = &attribute.value else { unreachable!("an order's id is text") };
    order.lossy().into_owned()
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

/// Runs a filter on one thread, ms each time, and counts the traces it finds.
fn searched(index: &Index, text: &str) -> (Vec<f64>, usize) {
    let view = index.reader.view();
    let query = query::parse(text).unwrap();
    let mut hits = 0;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let before = clock::thread();
        let found = std::hint::black_box(query::run(&query, &view, Timestamp(0), &|| false));
        times.push((clock::thread() - before) as f64 / 1e6);
        hits = found.hits.len();
    }
    (times, hits)
}

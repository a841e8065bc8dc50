//! What it costs to take spans in: decode and index, beside prost and a map of traces, on the same bytes.
//!
//! `cargo bench --bench ingest` takes less than a minute. Both variants run once a round, so that noise of the machine
//! meets both (`-- --index-only`, with `--unique` or not, runs ours alone, for a profiler); times are CPU time of this thread. The table shows nanoseconds a span: median and least.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that prints its findings or fails"
)]

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tracefall::analysis::TraceNotes;
use tracefall::analysis::slow_sql::Thresholds;
use tracefall::index::{self, Options};
use tracefall::model::{self, SourceId, SpanId, Timestamp, TraceId};
use tracefall::otlp::{AttributeValue, Sink, SpanFields, encode, reader};
use tracefall::source::load::{Load, Shape};

const BODIES: usize = 1_954;
const SPANS: usize = BODIES * 512;
const ROUNDS: usize = 5;
/// Bodies between two publications: about what arrives in 50 ms at this speed.
const PUBLISH: u64 = 128;

/// CPU time of this thread in nanoseconds.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or_default()
}

/// Bytes of memory this process occupies.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default() * 4096
}

type Naive = HashMap<Vec<u8>, Vec<(Arc<Resource>, Span)>>;

/// The usual design.
fn naive(bodies: &[Vec<u8>]) -> Naive {
    let mut traces = Naive::new();
    for body in bodies {
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        for group in request.resource_spans {
            let resource = Arc::new(group.resource.unwrap_or_default());
            for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                traces.entry(span.trace_id.clone()).or_default().push((Arc::clone(&resource), span));
            }
        }
    }
    traces
}

type Index = (index::Writer<TraceNotes>, index::Reader);

/// Ours, with the hook that `run` wires.
fn indexed(bodies: &[Vec<u8>]) -> Index {
    let (mut writer, reader) = index::open(Options::new(4 << 30), TraceNotes::new(Thresholds::default()));
    for (number, body) in (1..).zip(bodies) {
        writer.insert_spans(SourceId(0), body, Timestamp(number)).unwrap();
        if number % PUBLISH == 0 {
            writer.publish();
        }
    }
    writer.publish();
    (writer, reader)
}

/// The reader alone: the floor.
#[derive(Default)]
struct Walk(u64);

impl Sink for Walk {
    fn resource(&mut self, _: &[u8], _: &[u8]) {}
    fn scope(&mut self, _: &[u8], _: &[u8]) {}
    fn amend_scope(&mut self, _: &[u8], _: &[u8]) {}
    fn begin_span(&mut self) {}
    fn attribute(&mut self, key: &[u8], _: AttributeValue<'_>, _: &[u8]) {
        self.0 += key.len() as u64;
    }
    fn event(&mut self, message: &[u8]) {
        self.0 += message.len() as u64;
    }
    fn link(&mut self, _: &[u8]) {}
    fn end_span(&mut self, fields: &SpanFields<'_>) {
        self.0 += fields.start;
    }
}

fn walked(bodies: &[Vec<u8>]) -> u64 {
    let mut walk = Walk::default();
    for body in bodies {
        reader::read_spans(body, &mut walk).unwrap();
    }
    walk.0
}

/// How long it takes to open traces of these many spans, in milliseconds: the least of five.
fn open_traces() {
    for count in [1_000_u64, 100_000] {
        let (mut writer, reader) = index::open(Options::new(4 << 30), TraceNotes::default());
        let spans = (1..=count).map(|number| model::Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId(number.to_be_bytes()),
            parent_id: Some(SpanId((number / 7 + 1).to_be_bytes())),
            name: format!("step {}", number % 50).as_str().into(),
            start: Timestamp(number * 1000),
            end: Timestamp(number * 1000 + 5_000),
            attributes: vec![
                model::Attribute { key: "db.system.name".into(), value: model::Value::Text("postgresql".into()) },
                model::Attribute {
                    key: "db.query.text".into(),
                    value: model::Value::Text(format!("SELECT * FROM t WHERE id = {number}").into()),
                },
            ],
            ..model::Span::default()
        });
        let bodies: Vec<_> = spans.collect::<Vec<_>>().chunks(512).map(encode::spans).collect();
        for body in &bodies {
            writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
        }
        writer.publish();
        let view = reader.view();
        // The clock of a thread moves in steps of milliseconds: a small trace is opened often.
        let times = 200_000 / count;
        let opened = (0..5).map(|_| {
            let before = cpu();
            for _ in 0..times {
                std::hint::black_box(view.trace(TraceId([1; 16])));
            }
            (cpu() - before) / times
        });
        let micros = opened.min().unwrap_or_default() / 1000;
        println!("open a trace of {count} spans: {}.{:03} ms", micros / 1000, micros % 1000);
    }
}

/// Nanoseconds a span of one run; what it made is dropped outside of the measurement.
fn time<T>(run: impl FnOnce() -> T) -> f64 {
    let before = cpu();
    let made = std::hint::black_box(run());
    let spent = cpu() - before;
    drop(made);
    // The allocator tidies up what was freed at its next large request: not at the expense of the next variant.
    drop(std::hint::black_box(vec![1_u8; 64 << 10]));
    spent as f64 / SPANS as f64
}

struct Figures(Vec<f64>);

impl Figures {
    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
    fn least(&self) -> f64 {
        self.0[0]
    }
}

fn compare(name: &str, shape: Shape) {
    let bodies: Vec<_> = Load::new(shape).take(BODIES).collect();
    let wire: usize = bodies.iter().map(Vec::len).sum();
    println!("{name}: {SPANS} spans, {} bytes a span on the wire", wire / SPANS);
    memory(&bodies);
    let mut runs: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        runs[0].push(time(|| walked(&bodies)));
        runs[1].push(time(|| indexed(&bodies)));
        runs[2].push(time(|| naive(&bodies)));
    }
    let [walk, index, naive_times] = runs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        Figures(list)
    });
    println!("  {:<34} {:>8} {:>8}", "ns a span", "median", "least");
    for (what, figures) in [("reader alone", &walk), ("decode + index", &index), ("prost + map", &naive_times)] {
        println!("  {what:<34} {:>8.0} {:>8.0}", figures.median(), figures.least());
    }
    let (median, least) = (naive_times.median() / index.median(), naive_times.least() / index.least());
    println!("  {:<34} {median:>7.2}x {least:>7.2}x", "prost + map / decode + index");
}

fn memory(bodies: &[Vec<u8>]) {
    let before = resident();
    let held = indexed(bodies);
    let grown = resident().saturating_sub(before);
    let counted = held.1.view().stats().bytes;
    println!("  bytes a span: {} counted, {} resident growth", counted / SPANS as u64, grown / SPANS as u64);
}

fn main() {
    if std::env::args().any(|argument| argument == "--index-only") {
        let unique = std::env::args().any(|argument| argument == "--unique");
        let bodies: Vec<_> = Load::new(Shape { unique, ..Shape::default() }).take(BODIES).collect();
        for _ in 0..ROUNDS {
            println!("{:.0} ns a span", time(|| indexed(&bodies)));
        }
        return;
    }
    open_traces();
    compare("usual", Shape::default());
    compare("every text unique", Shape { unique: true, ..Shape::default() });
}

//! What rows at rest take and cost: bytes a span, and searches over them on one thread.
//!
//! `cargo bench --bench sealed` fills an index with a million spans (`-- --spans N` with about as many as said) and
//! waits until all but the latest are sealed. Times are CPU time of this thread, the least of a few runs; those of
//! searches are scaled to ten million spans.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that prints its findings or fails"
)]

use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Block, Options, Place, Rows, ValueRef, View};
use tracefall::model::{Nanos, SourceId, Timestamp};
use tracefall::source::load::{Load, Shape};

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

/// The least of a few runs, in nanoseconds.
fn least(mut run: impl FnMut()) -> f64 {
    let once = |_| {
        let from = cpu();
        run();
        cpu() - from
    };
    (0..5).map(once).min().unwrap_or_default() as f64
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let spans =
        arguments.iter().skip_while(|text| *text != "--spans").nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let unique = arguments.iter().any(|text| text == "--unique");
    let before = resident();
    let (mut writer, reader) = index::open(Options::new(8 << 30), TraceNotes::default());
    let (mut writing, mut sent) = (0, 0);
    for (number, body) in (1..).zip(Load::new(Shape { unique, ..Shape::default() }).take(spans / 512)) {
        let from = cpu();
        sent += writer.insert_spans(SourceId(0), &body, Timestamp(number)).unwrap().accepted;
        if number % 128 == 0 {
            writer.publish();
        }
        writing += cpu() - from;
    }
    writer.publish();
    let view = reader.view();
    let per = |sum: f64| sum / sent as f64;
    println!("{sent} spans, {:.0} ns of the writer's each", per(writing as f64));
    println!(
        "{:.1} bytes a span as counted, {:.1} resident",
        per(writer.bytes() as f64),
        per((resident() - before) as f64)
    );
    search(&view, sent as f64);
    open(&view);
}

type Select<'s> = &'s dyn Fn(&Block<'_>) -> Rows;

fn search(view: &View, sent: f64) {
    let whole = |select: &dyn Fn(&Block<'_>) -> Rows| view.blocks().map(|block| select(&block).len()).sum::<usize>();
    let everywhere = [Place::Span, Place::Scope, Place::Resource, Place::Event, Place::Link];
    let cases: [(&str, Select<'_>); 6] = [
        ("service and least duration", &|block| {
            let service = block.select_service(&|name| name.ends_with('r'));
            service.and(&block.select_duration(Nanos::from_millis(500), Nanos(u64::MAX)))
        }),
        ("attribute equality", &|block| {
            block.select_attribute(&["http.response.status_code"], &everywhere, &|value| value == ValueRef::Int(500))
        }),
        ("attribute equality, unbounded text", &|block| {
            let wanted = ValueRef::Text("0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f");
            block.select_attribute(&["app.order.id"], &everywhere, &|value| value == wanted)
        }),
        ("substring in columns", &|block| {
            block.select_attribute(
                &["db.query.text"],
                &everywhere,
                &|value| matches!(value, ValueRef::Text(text) if text.contains("customer_id = 77")),
            )
        }),
        ("bare word over all text", &|block| block.select_text(&|text| text.contains("no such word"))),
        ("start within", &|block| block.select_start(Timestamp(5), Timestamp(u64::MAX / 2))),
    ];
    for (name, select) in cases {
        let mut found = 0;
        let time = least(|| found = whole(select));
        println!("{name}: {:.0} ms for 10 M spans, {found} found", time * 10.0 / sent);
    }
}

fn open(view: &View) {
    let traces: Vec<_> = view.traces().step_by(view.traces().count() / 50 + 1).collect();
    let mut spans = 0;
    let time = least(|| spans = traces.iter().map(|id| view.trace(*id).unwrap().spans.len()).sum());
    println!(
        "open a trace: {:.0} us, {:.1} spans each",
        time / 1e3 / traces.len() as f64,
        spans as f64 / traces.len() as f64
    );
    let time = least(|| traces.iter().for_each(|id| assert!(view.summary(*id).is_some())));
    println!("line of a trace: {:.0} us", time / 1e3 / traces.len() as f64);
}

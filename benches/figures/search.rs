//! Searches: what a filter of each kind costs on one thread, how long it takes on as many as a search takes here, how soon
//! its first page is there, what a live tail costs. Measured in a process of its own; keys are `query_KIND_ms_SIZE`,
//! `shared_KIND_ms_SIZE`, `page_KIND_ms_SIZE`, `tail_KIND_ms_SIZE`, where SIZE is `1m` or `10m` spans. `shared` is time as
//! it passes, and so is `busy_page_p99_ms_SIZE`, from the key on, while 200,000 spans/s arrive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};
use tracefall::index::View;
use tracefall::model::{self, SourceId, Timestamp, TraceId};
use tracefall::otlp::decode;
use tracefall::query::{self, Query};
use tracefall::source::load::{Load, Shape};

use crate::child::{self, figure, sample};
use crate::clock;
use crate::held::{MILLION, TEN_MILLION, filled};
use crate::ours::Index;
use crate::report::{Goal, Report};

const ROUNDS: usize = 5;
/// What takes longer than this in all is not measured again, ms.
const LONG: f64 = 2_000.0;
/// Traces that changed since a live tail looked last.
const CHANGED: usize = 1_000;
/// A million spans are to be searched within a frame of the screen, ms.
const FRAME: (f64, f64) = (16.0, 8.0);
/// A first page is to be there within this, ms.
const PAGE: (f64, f64) = (50.0, 16.0);

/// A filter: its key, what it is, its text, the bounds over ten million spans in ms.
type Filter<'a> = (&'a str, &'a str, &'a str, (f64, f64));

const COLUMNS: (f64, f64) = (100.0, 50.0);
const WHOLE: (f64, f64) = (400.0, 200.0);

/// A filter of each kind. Values that only the load knows are put in for `ORDER` and `PART`.
const FILTERS: [Filter<'_>; 33] = [
    ("service", "service and least duration", "service=orders minDuration=200ms", (25.0, 10.0)),
    ("attribute", "attribute equals (one span in 30)", "http.response.status_code=500", COLUMNS),
    ("attribute_common", "attribute equals (half of the traces)", "http.route=/api/orders/{id}", COLUMNS),
    ("attribute_text", "attribute equals (one span)", "app.order.id=ORDER", COLUMNS),
    ("attribute_absent", "attribute equals (no such key)", "no.such.key=1", COLUMNS),
    ("equality_braces", "{ } attribute equals", "{ span.http.response.status_code = 500 }", COLUMNS),
    (
        "service_braces",
        "{ } service and duration",
        "{ resource.service.name = \"orders\" && duration > 200ms }",
        COLUMNS,
    ),
    ("range", "range of a number", "http.response.status_code>=500", COLUMNS),
    ("range_braces", "{ } range of a number", "{ span.http.response.status_code >= 500 }", COLUMNS),
    ("duration", "range of a duration", "duration>100ms", COLUMNS),
    ("substring", "attribute contains, in columns", "http.route:coupon", COLUMNS),
    ("statement", "statement contains", "db.query.text:\"id = 47\"", COLUMNS),
    ("regex", "regex over columns", "http.route=~/api/(coupons|carts)/.*", COLUMNS),
    ("regex_braces", "{ } regex over columns", "{ span.http.route =~ \"/api/(coupons|carts)/.*\" }", COLUMNS),
    ("regex_text", "regex over sealed text", "db.query.text=~\"SELECT.*id = 47[0-9]* ORDER.*\"", WHOLE),
    ("unequal", "attribute differs", "http.response.status_code!=200", COLUMNS),
    ("without", "service, but not an attribute", "service=orders -http.response.status_code=200", COLUMNS),
    ("only_negative", "no span is so", "-http.response.status_code=500", COLUMNS),
    ("unequal_braces", "{ } attribute differs", "{ span.http.response.status_code != 200 }", COLUMNS),
    ("root", "root. equals", "root.http.response.status_code=500", WHOLE),
    ("parent", "parent. equals", "service=orders parent.service=gateway", WHOLE),
    ("child", "child. equals", "service=gateway child.http.response.status_code=500", WHOLE),
    ("descendant", "{ } >> { }", "{ resource.service.name = \"gateway\" } >> { status = error }", WHOLE),
    (
        "descendant_common",
        "{ } >> { }, nearly all traces",
        "{ span.http.request.method = \"GET\" } >> { span.db.system.name = \"postgresql\" }",
        WHOLE,
    ),
    ("below", "{ } > { }", "{ kind = server } > { span.app.step = \"price\" }", WHOLE),
    ("sibling", "{ } ~ { }", "{ span.app.step = \"price\" } ~ { kind = client && status = unset }", WHOLE),
    ("not_below", "{ } !>> { }", "{ status = error } !>> { kind = consumer }", WHOLE),
    ("count", "{ } | count()", "{ span.db.system.name = \"postgresql\" } | count() > 6", WHOLE),
    ("average", "{ } | avg(duration)", "{ kind = server } | avg(duration) > 100ms", WHOLE),
    (
        "average_attribute",
        "{ } | avg(attribute)",
        "{ span.db.system.name = \"postgresql\" } | avg(span.db.response.returned_rows) > 15",
        WHOLE,
    ),
    ("by", "{ } | by() | count()", "{ kind = server } | by(resource.service.name) | count() > 2", WHOLE),
    ("arithmetic", "{ } arithmetic", "{ span.db.response.returned_rows * 2 > 36 }", WHOLE),
    ("word", "word in any text", "PART", WHOLE),
];

/// Filters of which the first page is measured too.
const PAGES: [&str; 6] = ["attribute", "regex_text", "only_negative", "descendant", "by", "word"];
/// Filters of which a live tail is measured too.
const TAILS: [&str; 5] = ["service", "attribute", "only_negative", "descendant", "word"];

pub(crate) fn group(report: &mut Report, large: bool) {
    let sizes: &[(usize, &str, &str)] =
        if large { &[(MILLION, "1m", "1 M"), (TEN_MILLION, "10m", "10 M")] } else { &[(MILLION, "1m", "1 M")] };
    for (bodies, size, spans) in sizes {
        let found = child::run(&["search", &bodies.to_string()]);
        let mut row = |kind: &str, (key, what): (&str, &str), bounds: Option<(f64, f64)>| {
            let key = format!("{kind}_{key}");
            let goal = bounds.map(|bounds| Goal::at_most(bounds.0, bounds.1));
            report.sample((&format!("{key}_ms_{size}"), what, "ms"), &sample(&found, &key), goal);
        };
        let threads = figure(&found, "threads");
        for (key, what, _, bounds) in FILTERS {
            let what = format!("{what}, {spans} ({} traces)", figure(&found, &format!("{key}_hits")));
            let frame = (FRAME.0.min(bounds.0), FRAME.1.min(bounds.1));
            let (alone, shared) = if *bodies == MILLION { (None, Some(frame)) } else { (Some(bounds), None) };
            row("query", (key, &what), alone);
            row("shared", (key, &format!("  on the clock, {threads} threads")), shared);
        }
        for (key, what, ..) in FILTERS.into_iter().filter(|filter| PAGES.contains(&filter.0)) {
            row("page", (key, &format!("{what}, {spans}: first page")), Some(PAGE));
        }
        for (key, what, ..) in FILTERS.into_iter().filter(|filter| TAILS.contains(&filter.0)) {
            row("tail", (key, &format!("{what}, {spans}: {CHANGED} changed traces")), Some(FRAME));
        }
        report.row(
            (&format!("busy_page_p99_ms_{size}"), &format!("first page, {spans}, 200,000 spans/s arriving: p99"), "ms"),
            figure(&found, "busy_page"),
            Some(Goal::at_most(PAGE.0, PAGE.1)),
        );
    }
}

/// Bodies that arrive at once, how often they do, and how often that is: 200,000 spans/s for three seconds.
const AT_ONCE: usize = 4;
const EVERY: Duration = Duration::from_micros(10_240);
const TIMES: usize = 290;

/// First pages while spans arrive, a search after the other: time as it passes, ms, in order.
fn busy(index: Index, bodies: usize, order: &str) -> Vec<f64> {
    let arriving: Vec<Vec<u8>> = Load::new(Shape::default()).skip(bodies).take(AT_ONCE * TIMES).collect();
    let (Index { mut writer, reader, .. }, ended) = (index, AtomicBool::new(false));
    let mut times = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let start = clock::now();
            for (count, some) in (1..).zip(arriving.chunks(AT_ONCE)) {
                for body in some {
                    writer.insert_spans(SourceId(0), body, Timestamp(u64::MAX / 2)).unwrap();
                }
                if count % 5 == 0 {
                    writer.publish();
                }
                thread::sleep((EVERY * count).saturating_sub(start.elapsed()));
            }
            ended.store(true, Ordering::Relaxed);
        });
        let filters = FILTERS.into_iter().filter(|filter| PAGES.contains(&filter.0));
        for (_, _, text, _) in filters.cycle().take_while(|_| !ended.load(Ordering::Relaxed)) {
            let text = with_order(text, order);
            let start = clock::now();
            first_page(&query::parse(&text).unwrap(), &reader.view());
            times.push(start.elapsed().as_secs_f64() * 1e3);
            // Nobody types faster.
            thread::sleep(Duration::from_millis(5));
        }
    });
    times.sort_by(f64::total_cmp);
    times
}

/// What the child does.
pub(crate) fn child(bodies: usize) {
    let index = filled(bodies);
    let view = index.reader.view();
    let order = order(&Load::new(Shape::default()).next().unwrap());
    let changed: Vec<TraceId> = view.traces().rev().take(CHANGED).collect();
    let mut found = Map::new();
    found.insert("threads".to_owned(), query::threads(&view).into());
    for (key, _, text, _) in FILTERS {
        let text = with_order(text, &order);
        let mut hits = 0;
        let times = timed(&text, |query| hits = run(query, &view));
        found.insert(format!("query_{key}"), times.into());
        let mut shared = Vec::new();
        timed(&text, |query| shared.push(on_the_clock(query, &view)));
        found.insert(format!("shared_{key}"), shared.into());
        found.insert(format!("{key}_hits"), hits.into());
        if PAGES.contains(&key) {
            found.insert(format!("page_{key}"), timed(&text, |query| first_page(query, &view)).into());
        }
        if TAILS.contains(&key) {
            let tail = |query: &Query| {
                std::hint::black_box(query::evaluate_traces(query, &view, Timestamp(0), &changed));
            };
            found.insert(format!("tail_{key}"), timed(&text, tail).into());
        }
    }
    drop(view);
    let times = busy(index, bodies, &order);
    found.insert("busy_page".to_owned(), times[times.len() * 99 / 100].into());
    println!("{}", Value::Object(found));
}

/// One filter, again and again.
pub(crate) fn alone(text: &str, large: bool) {
    const TIMES: usize = 20;
    let index: Index = filled(if large { TEN_MILLION } else { MILLION });
    let view = index.reader.view();
    let mut hits = 0;
    let times = timed(text, |query| {
        for _ in 0..TIMES {
            hits = run(query, &view);
        }
    });
    let mut shared: Vec<f64> = (0..TIMES).map(|_| on_the_clock(&query::parse(text).unwrap(), &view)).collect();
    shared.sort_by(f64::total_cmp);
    println!("{hits} traces, ms for {TIMES} times: {times:.1?}; one by one, on the clock: {shared:.1?}");
}

/// A filter as it is typed.
fn with_order(text: &str, order: &str) -> String {
    // The middle of an id: no word begins there, no value equals it, and it stands on one span.
    let part: String = order.chars().skip(9).take(18).collect();
    text.replace("PART", &part).replace("=ORDER", &format!("={order}"))
}

/// CPU time of each of a few rounds, from the text on, ms.
fn timed(text: &str, mut each: impl FnMut(&Query)) -> Vec<f64> {
    let mut times = Vec::new();
    while times.len() < ROUNDS && times.iter().sum::<f64>() < LONG {
        let before = clock::thread();
        each(&query::parse(text).unwrap());
        times.push((clock::thread() - before) as f64 / 1e6);
    }
    times
}

fn run(query: &Query, view: &View) -> usize {
    query::run_with(1, query, (view, Timestamp(0)), &|| false).hits.len()
}

/// How long a search takes on as many threads as it takes by itself, ms.
fn on_the_clock(query: &Query, view: &View) -> f64 {
    let start = clock::now();
    std::hint::black_box(query::run(query, view, Timestamp(0), &|| false));
    start.elapsed().as_secs_f64() * 1e3
}

/// Until there is a page; of a search that finds nothing for long, one that says so.
fn first_page(query: &Query, view: &View) {
    let there = std::cell::Cell::new(false);
    query::run_pages(query, view, Timestamp(0), &|| there.get(), &mut |page| {
        std::hint::black_box(page);
        there.set(true);
    });
}

/// An order of this body: the value of a key whose values are nearly all unique.
fn order(body: &[u8]) -> String {
    let spans = decode::spans(body).unwrap();
    let attribute = spans.iter().flat_map(|span| &span.attributes).find(|own| own.key == *"app.order.id").unwrap();
    let model::Value::Text(order) = &attribute.value else { unreachable!("an order's id is text") };
    order.lossy().into_owned()
}

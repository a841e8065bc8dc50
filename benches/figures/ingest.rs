//! What it costs to take spans in: decode and index, beside prost and a map of traces, on the same bytes.

use tracefall::index::Summary;
use tracefall::otlp::{AttributeValue, Sink, SpanFields, reader};
use tracefall::source::load::{Load, Shape};

use crate::clock::{self, Sample};
use crate::report::{Goal, Report};
use crate::{child, naive, ours};

/// About a million spans: more than any cache holds.
const BODIES: usize = 1_954;
const ROUNDS: usize = 8;

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

/// CPU time a span for taking these bodies one after the other. Each stands in one and the same buffer, where it was
/// copied right before, as a socket leaves it: a body that comes from memory is what no receiver sees.
fn fed(bodies: &[Vec<u8>], mut take: impl FnMut(&[u8])) -> f64 {
    // The allocator tidies up what was freed before at its next large request: not at the expense of this variant.
    drop(std::hint::black_box(vec![1_u8; 64 << 10]));
    let (mut buffer, mut spent) = (Vec::new(), 0);
    for body in bodies {
        buffer.clear();
        buffer.extend_from_slice(body);
        let before = clock::thread();
        take(&buffer);
        spent += clock::thread() - before;
    }
    spent as f64 / spans()
}

fn walked(bodies: &[Vec<u8>]) -> f64 {
    let mut walk = Walk::default();
    fed(bodies, |body| reader::read_spans(body, &mut walk).unwrap())
}

fn indexed<S: Summary>(bodies: &[Vec<u8>], mut index: ours::Index<S>) -> f64 {
    fed(bodies, |body| index.insert(body))
}

fn decoded(bodies: &[Vec<u8>]) -> f64 {
    let mut traces = naive::Traces::default();
    fed(bodies, |body| traces.insert(body))
}

fn bodies(unique: bool) -> Vec<Vec<u8>> {
    Load::new(Shape { unique, ..Shape::default() }).take(BODIES).collect()
}

/// Ours alone, again and again, for a profiler.
pub(crate) fn alone(unique: bool) {
    let bodies = bodies(unique);
    for _ in 0..ROUNDS {
        println!("{:.0} ns a span", indexed(&bodies, ours::Index::hot()));
    }
}

fn spans() -> f64 {
    (BODIES * crate::BODY) as f64
}

/// Every variant once a round, so that what else the machine does meets them all.
pub(crate) fn group(report: &mut Report) {
    compare(report, false, Some(Goal::at_least(5.0, 8.0)));
    compare(report, true, Some(Goal::at_least(4.0, 8.0)));
    memory(report);
}

fn compare(report: &mut Report, unique: bool, goal: Option<Goal>) {
    let bodies = bodies(unique);
    let mut samples: [Sample; 4] = Default::default();
    for round in 0..ROUNDS {
        // Each follows each: what one gives back to the allocator is what the next finds.
        for place in 0..samples.len() {
            let variant = (round + place) % samples.len();
            samples[variant].push(match variant {
                0 => walked(&bodies),
                1 => indexed(&bodies, ours::Index::of(ours::Unjudged)),
                2 => indexed(&bodies, ours::Index::hot()),
                _ => decoded(&bodies),
            });
        }
    }
    let [walk, index, marked, naive] = samples;
    let (suffix, shape) = if unique { ("_unique", ", every text unique") } else { ("", "") };
    let mut row = |key: &str, what: &str, sample: &Sample| {
        report.sample((&format!("{key}{suffix}"), &format!("{what}{shape}"), "ns"), sample, None);
    };
    row("reader_ns", "reader alone, a span", &walk);
    row("decode_index_ns", "decode and index, a span", &index);
    row("decode_index_marks_ns", "the same with the marks of the list, a span", &marked);
    row("naive_ns", "prost and map, a span", &naive);
    let what = format!("decode and index against prost and map{shape}");
    report.ratio((&format!("decode_index_vs_naive{suffix}"), &what), &naive, &index, goal);
    let what = format!("the same with the marks of the list{shape}");
    report.ratio((&format!("decode_index_marks_vs_naive{suffix}"), &what), &naive, &marked, None);
}

fn memory(report: &mut Report) {
    let bodies = BODIES.to_string();
    let [hot, naive] = ["hot", "naive"].map(|who| child::run(&["memory", who, &bodies]));
    let counted = child::figure(&hot, "counted");
    let [hot, naive] = [hot, naive].map(|found| child::figure(&found, "bytes"));
    report.row(("hot_bytes_per_span", "hot memory, a span", "B"), hot, None);
    report.row(("hot_counted_bytes_per_span", "hot memory as the index counts it, a span", "B"), counted, None);
    report.row(("naive_bytes_per_span", "memory of prost and map, a span", "B"), naive, None);
    report.row(
        ("hot_bytes_vs_naive", "hot memory a span against prost and map, times less", "x"),
        naive / hot,
        Some(Goal::at_least(10.0, 12.0)),
    );
}

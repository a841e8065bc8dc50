//! The figures this program is held to, measured beside what they are compared with.
//!
//! `cargo bench --bench figures` prints a table of all of them and, as its last line, one JSON object with a key for
//! each row. Each variant runs once a round in one process, so that what else the machine does meets all of them;
//! times are CPU time of the threads that do the work, unless a row says otherwise. Compare ratios, not times.
//!
//! - `-- --only GROUP`: ingest, transport, held, search, survey, files, frame, statements, terminal or jaeger
//! - `-- --large`: what is held is measured at ten million spans instead of one, searches and surveys at both, and a file of 1 GiB (takes minutes, and some memory)
//! - `-- --jaeger PATH`: a Jaeger to compare with (`.ci/jaeger/build.sh` builds one)
//! - `-- --search FILTER [--large]`: one filter over a million or ten million spans, again and again, for a profiler
//! - `-- --index-only [--unique]`: decode and index alone, again and again, for a profiler

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a program that prints its findings or fails"
)]

mod child;
mod clock;
mod files;
mod frame;
mod held;
mod ingest;
mod jaeger;
mod naive;
mod ours;
#[path = "../../tests/common/jaeger.rs"]
mod real_jaeger;
mod report;
mod search;
mod statements;
mod survey;
mod terminal;
mod transport;

use std::env;

use report::Report;
use tracefall::source::load::Shape;

/// What can be measured by itself, in this order.
const GROUPS: [&str; 10] =
    ["ingest", "transport", "held", "search", "survey", "files", "frame", "statements", "terminal", "jaeger"];
/// Spans in a body of the load.
const BODY: usize = 512;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let after = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1).map(String::as_str);
    if has("--child") {
        return as_child(&arguments);
    }
    if has("--index-only") {
        return ingest::alone(has("--unique"));
    }
    if let Some(filter) = after("--search") {
        return search::alone(filter, has("--large"));
    }
    let only = after("--only");
    assert!(only.is_none_or(|only| GROUPS.contains(&only)), "--only takes one of {GROUPS:?}");
    let mut report = Report::default();
    Report::heading();
    for group in GROUPS.into_iter().filter(|group| only.is_none_or(|only| only == *group)) {
        match group {
            "ingest" => ingest::group(&mut report),
            "transport" => transport::group(&mut report),
            "held" => held::group(&mut report, has("--large")),
            "search" => search::group(&mut report, has("--large")),
            "survey" => survey::group(&mut report, has("--large")),
            "files" => files::group(&mut report, has("--large")),
            "frame" => frame::group(&mut report),
            "statements" => statements::group(&mut report),
            "terminal" => terminal::group(&mut report),
            _ => jaeger::group(&mut report, after("--jaeger")),
        }
    }
    report.finish();
}

fn as_child(arguments: &[String]) {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--child", "memory", who, bodies] => child::memory(who, Shape::default(), bodies.parse().unwrap()),
        ["--child", "held", bodies] => held::child(bodies.parse().unwrap()),
        ["--child", "files", form, path] => files::child(form, path),
        ["--child", "search", bodies] => search::child(bodies.parse().unwrap()),
        ["--child", "survey", bodies, screen] => survey::child(bodies.parse().unwrap(), screen),
        ["--child", "terminal"] => terminal::child(),
        _ => unreachable!("{words:?}"),
    }
}

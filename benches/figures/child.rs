//! What is measured in a process of its own: memory that nothing else has used before.

use std::env;
use std::process::{Command, Stdio};

use serde_json::{Map, Value};
use tracefall::source::load::{Load, Shape};

use crate::clock::{self, Sample};
use crate::{naive, ours};

/// Runs this program again as `arguments` say, and reads its last line as an object of JSON.
pub(crate) fn run(arguments: &[&str]) -> Map<String, Value> {
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.arg("--child").args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{arguments:?} failed");
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap()
}

/// A figure that a child found.
pub(crate) fn figure(found: &Map<String, Value>, key: &str) -> f64 {
    found.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// A figure that a child measured several times.
pub(crate) fn sample(found: &Map<String, Value>, key: &str) -> Sample {
    let values = found.get(key).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_f64).collect()
}

/// What a child does: bytes a span of the naive map or of ours.
pub(crate) fn memory(who: &str, shape: Shape, bodies: usize) {
    let mut load = Load::new(shape);
    // What the load needs for itself is there before, not among what grows.
    drop(load.by_ref().take(20).collect::<Vec<_>>());
    let before = clock::resident("self");
    let mut found = Map::new();
    let mut grown = |counted: Option<u64>| {
        let spans = (bodies * crate::BODY) as f64;
        let grown = clock::resident("self").saturating_sub(before) as f64 / spans;
        found.insert("bytes".to_owned(), grown.into());
        found.extend(counted.map(|counted| ("counted".to_owned(), Value::from(counted as f64 / spans))));
    };
    if who == "naive" {
        let mut traces = naive::Traces::default();
        load.take(bodies).for_each(|body| traces.insert(&body));
        grown(None);
        drop(traces);
    } else {
        let mut index = ours::Index::hot();
        load.take(bodies).for_each(|body| index.insert(&body));
        index.writer.publish();
        grown(Some(index.reader.view().stats().bytes));
    }
    println!("{}", Value::Object(found));
}

//! The recorded exports of real services, held.

use std::io::Read as _;
use std::path::Path;

use tracefall::analysis::TraceNotes;
use tracefall::index::{Options, View, Writer, open};
use tracefall::model::{Signal, SourceId};
use tracefall::otlp::json::to_protobuf;

use super::build::START;
use super::fixtures::frames;

/// An index of the spans and log records in these files: frames of protobuf, or lines of JSON.
pub(crate) fn index(traces: &[&str], logs: &[&str]) -> (Writer<TraceNotes>, View) {
    let (mut writer, reader) = open(Options::new(512 << 20), TraceNotes::default());
    let bodies = |name: &str, signal| match name.contains(".jsonl") {
        true => lines(name).iter().map(|line| to_protobuf(signal, line.as_bytes()).unwrap().protobuf).collect(),
        false => frames(name),
    };
    for name in traces {
        for body in bodies(name, Signal::Traces) {
            writer.insert_spans(SourceId(0), &body, START).unwrap();
        }
    }
    for name in logs {
        for body in bodies(name, Signal::Logs) {
            writer.insert_logs(SourceId(0), &body, START).unwrap();
        }
    }
    writer.publish();
    let view = reader.view();
    (writer, view)
}

/// The lines of a gzipped file.
fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

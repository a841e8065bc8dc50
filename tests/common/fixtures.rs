//! The recorded exports of real services.

use std::io::Read;
use std::path::Path;

use tracefall::index::{Options, View, open};
use tracefall::model::{Signal, SourceId};
use tracefall::otlp::json::to_protobuf;

/// The bodies in a file of length-prefixed frames, gzipped or not.
pub(crate) fn frames(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut bytes = std::fs::read(path).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    let mut rest = &bytes[..];
    let mut bodies = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (body, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        bodies.push(body.to_vec());
        rest = after;
    }
    bodies
}

/// The lines of a gzipped file.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// An index of the spans and log records in these files: frames of protobuf, or lines of JSON.
pub(crate) fn index(
    traces: &[&str],
    logs: &[&str],
) -> (tracefall::index::Writer<tracefall::analysis::TraceNotes>, View) {
    let (mut writer, reader) = open(Options::new(512 << 20), tracefall::analysis::TraceNotes::default());
    let bodies = |name: &str, signal| match name.contains(".jsonl") {
        true => lines(name).iter().map(|line| to_protobuf(signal, line.as_bytes()).unwrap().protobuf).collect(),
        false => frames(name),
    };
    for name in traces {
        for body in bodies(name, Signal::Traces) {
            writer.insert_spans(SourceId(0), &body, super::build::START).unwrap();
        }
    }
    for name in logs {
        for body in bodies(name, Signal::Logs) {
            writer.insert_logs(SourceId(0), &body, super::build::START).unwrap();
        }
    }
    writer.publish();
    let view = reader.view();
    (writer, view)
}

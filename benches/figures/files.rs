//! Files: how long a large one takes to open, beside a plain decode of the same bytes by serde, and how much memory it takes.
//! Measured in a process of its own.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Map, Value};
use tracefall::analysis::Thresholds;
use tracefall::analysis::TraceNotes;
use tracefall::export::{Exporter, TraceForm};
use tracefall::index::{self, Options};
use tracefall::model::{Signal, Span, Timestamp};
use tracefall::otlp::decode;
use tracefall::source::files::{Files, Limits};
use tracefall::source::load::{Load, Shape};
use tracefall::source::{self, Source as _};

use crate::child::{self, figure, sample};
use crate::clock;
use crate::report::{Goal, Report};

/// Bytes of the file of OTLP.
const USUAL: u64 = 64 << 20;
const LARGE: u64 = 1 << 30;
/// What the index may hold: the default of the program.
const BUDGET: u64 = 512 << 20;
/// Spans of the file of Jaeger's JSON, in one trace.
const JAEGER: usize = 100_000;
/// Times that each is opened.
const ROUNDS: usize = 3;

pub(crate) fn group(report: &mut Report, large: bool) {
    let (bytes, size) = if large { (LARGE, "1 GiB") } else { (USUAL, "64 MiB") };
    for (form, what) in
        [("otlp-json", format!("OTLP JSON, {size}")), ("jaeger", "Jaeger JSON, 100,000 spans".to_owned())]
    {
        // Written here: the memory that this takes is none of the child's.
        let path = std::env::temp_dir().join(format!("tracefall-bench-{}.json", std::process::id()));
        if form == "jaeger" {
            write_jaeger(&path);
        } else {
            write_otlp(&path, bytes);
        }
        let found = child::run(&["files", form, path.to_str().unwrap()]);
        std::fs::remove_file(&path).unwrap();
        let (ours, serde) = (sample(&found, "ours"), sample(&found, "serde"));
        let key = form.replace('-', "_");
        let name = |part: &str| format!("open_{key}_{part}");
        report.sample((&name("s"), &format!("open {what}, CPU"), "s"), &ours, None);
        report.sample((&name("wall_s"), &format!("open {what}, as time passes"), "s"), &sample(&found, "wall"), None);
        let against = format!("open {what}: CPU against decoding alone, by serde");
        report.ratio((&name("against_serde"), &against), &serde, &ours, None);
        // The same base as README, "Load".
        let goal = Goal::at_most(1.25 * 512.0 + 64.0, 512.0);
        let peak = figure(&found, "peak") / f64::from(1 << 20);
        let most = format!("open {what}: most that is ever resident, with 512 MiB to hold");
        report.row((&name("mib"), &most, "MiB"), peak, Some(goal));
    }
}

/// What the child does.
pub(crate) fn child(form: &str, path: &str) {
    let (path, jaeger) = (PathBuf::from(path), form == "jaeger");
    let (mut ours, mut wall, mut serde) = (Vec::new(), Vec::new(), Vec::new());
    let mut peak = 0;
    for _ in 0..ROUNDS {
        let (cpu, passed) = opened(&path);
        ours.push(cpu);
        wall.push(passed);
        // Of the first alone: what serde takes would be in it later.
        if peak == 0 {
            peak = clock::peak();
        }
        let before = clock::thread();
        if jaeger {
            value_of_all(&path);
        } else {
            structs_of_each_line(&path);
        }
        serde.push((clock::thread() - before) as f64 / 1e9);
    }
    let mut found = Map::new();
    found.insert("ours".to_owned(), ours.into());
    found.insert("wall".to_owned(), wall.into());
    found.insert("serde".to_owned(), serde.into());
    found.insert("peak".to_owned(), peak.into());
    println!("{}", Value::Object(found));
}

/// Bodies of the load, a line each, until there are so many bytes.
fn write_otlp(path: &Path, bytes: u64) {
    let mut exporter = Exporter::new(BufWriter::new(File::create(path).unwrap()), TraceForm::OtlpJson, None);
    for body in Load::new(Shape::default()) {
        // Whole bodies stand for traces here: how they are parted makes no difference to who reads them.
        exporter.trace(decode::spans(&body).unwrap(), Vec::new()).unwrap();
        if path.metadata().unwrap().len() >= bytes {
            break;
        }
    }
    exporter.end().unwrap().0.flush().unwrap();
}

fn write_jaeger(path: &Path) {
    let spans = Load::new(Shape::default()).flat_map(|body| decode::spans(&body).unwrap()).take(JAEGER);
    let mut spans: Vec<Span> = spans.collect();
    let trace = spans[0].trace_id;
    for span in &mut spans {
        span.trace_id = trace;
    }
    let mut exporter = Exporter::new(BufWriter::new(File::create(path).unwrap()), TraceForm::Jaeger, None);
    exporter.trace(spans, Vec::new()).unwrap();
    exporter.end().unwrap().0.flush().unwrap();
}

/// Opens the file as the program does, until all of it is in the index: seconds of CPU, seconds.
fn opened(path: &PathBuf) -> (f64, f64) {
    let (before, began) = (clock::process(), clock::now());
    let (feed, queue) = source::feed(128 << 20, 16, Arc::new(|| Timestamp(1)));
    let (mut writer, reader) = index::open(Options::new(BUDGET), TraceNotes::new(Thresholds::default()));
    let indexer = thread::spawn(move || {
        let (mut taken, mut last) = (0_u64, clock::now());
        while let Ok(item) = queue.next(Duration::from_secs(60)) {
            let delivery = item.delivery();
            assert_eq!(delivery.signal, Signal::Traces);
            taken += 1;
            let result = writer.insert_spans(delivery.source, &delivery.body, Timestamp(taken));
            item.reply(result.map_err(|error| error.to_string()));
            if last.elapsed() >= Duration::from_millis(50) {
                writer.publish();
                last = clock::now();
            }
        }
        writer.publish();
        writer
    });
    // As the program has it, with that much memory.
    let limits = Limits { piece: 64 << 20, document: 128 << 20 };
    let files = Files::open(std::slice::from_ref(path), limits, Arc::new(|fault| unreachable!("{fault}"))).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(files.run(feed)).unwrap();
    let writer = indexer.join().unwrap();
    let found = ((clock::process() - before) as f64 / 1e9, began.elapsed().as_secs_f64());
    assert!(reader.view().stats().spans > 0);
    drop(writer);
    found
}

/// The usual way: derived structs, one line after the other, and nothing done with them.
fn structs_of_each_line(path: &Path) {
    let mut input = BufReader::new(File::open(path).unwrap());
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 {
        black_box(serde_json::from_str::<ExportTraceServiceRequest>(&line).unwrap());
        line.clear();
    }
}

fn value_of_all(path: &Path) {
    black_box(serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap());
}

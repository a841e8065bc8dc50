//! Every recording, whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracefall::analysis::findings::{Finding, Held, judge_all};
use tracefall::analysis::{Thresholds, TraceNotes, analyse};
use tracefall::index::{self, Options, View};
use tracefall::model::{Receipt, Signal, Timestamp};
use tracefall::source::files::{Files, Limits};
use tracefall::source::{self, Source as _};

/// What the program makes of a file.
fn held(name: &str) -> View {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let (feed, queue) = source::feed(256 << 20, 16, Arc::new(|| Timestamp(1)));
    let (mut writer, reader) = index::open(Options::new(512 << 20), TraceNotes::new(Thresholds::default()));
    let indexer = thread::spawn(move || {
        while let Ok(item) = queue.next(Duration::from_secs(60)) {
            let delivery = item.delivery();
            let traces = delivery.signal == Signal::Traces;
            let result = traces.then(|| writer.insert_spans(delivery.source, &delivery.body, Timestamp(1)));
            item.reply(result.unwrap_or_else(|| Ok(Receipt::default())).map_err(|error| error.to_string()));
        }
        writer.publish();
    });
    let limits = Limits { piece: 64 << 20, document: 256 << 20 };
    let files = Files::open(&[path], limits, Arc::new(|_| {})).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(files.run(feed)).unwrap();
    indexer.join().unwrap();
    reader.view()
}

/// One finding in all the traces that have it.
#[derive(Default)]
struct Listed {
    traces: usize,
    nodes: usize,
    costly: Option<(Finding, String)>,
}

/// What is found in a recording, the worst first, each with the trace in which it costs most.
fn listed(name: &str) -> String {
    let view = held(name);
    let mut all: BTreeMap<u64, Listed> = BTreeMap::new();
    let (mut traces, mut silent) = (0, 0);
    for id in view.traces() {
        let analysis = analyse(Arc::new(view.trace(id).unwrap()), &Thresholds::default());
        let findings = judge_all(&analysis, &Thresholds::default(), &Held { view: &view, trace: id });
        traces += 1;
        silent += usize::from(findings.is_empty());
        let root = analysis.roots.iter().find_map(|node| analysis.span(*node)).map_or("?", |span| &span.label);
        let trace = format!("{} {root}, {}", id.to_string().get(..8).unwrap(), analysis.duration());
        for finding in findings {
            let listed = all.entry(finding.fingerprint).or_default();
            listed.traces += 1;
            listed.nodes += finding.nodes.len();
            let more = listed.costly.as_ref().is_none_or(|(most, _)| finding.cost > most.cost);
            if more {
                listed.costly = Some((finding, trace.clone()));
            }
        }
    }
    let mut all: Vec<Listed> = all.into_values().collect();
    all.sort_by_key(|listed| {
        let (finding, trace) = listed.costly.as_ref().unwrap();
        (std::cmp::Reverse((finding.severity, finding.cost)), finding.rule, trace.clone())
    });
    let mut out = format!("{name}: {traces} traces, {silent} of them with nothing to say\n");
    for Listed { traces, nodes, costly } in all {
        let (finding, trace) = costly.unwrap();
        let (rule, severity, cost) = (finding.rule.name(), finding.severity.name(), finding.cost);
        writeln!(out, "\n{severity} {rule} in {traces} traces, {nodes} spans, {cost}: {}", finding.what).unwrap();
        writeln!(out, "    {}\n    {trace}", finding.why).unwrap();
    }
    out.replace(|symbol: char| symbol.is_control() && symbol != '\n', "·")
}

#[test]
fn what_is_found_in_the_python_recording_is_true() {
    insta::assert_snapshot!("python", listed("hmis-python-grpc.otlp.pb"));
}

#[test]
fn what_is_found_in_the_node_and_browser_recording_is_true() {
    insta::assert_snapshot!("node", listed("recipe-node-browser.traces.jsonl.gz"));
}

#[test]
fn what_is_found_in_the_go_recording_is_true() {
    insta::assert_snapshot!("go", listed("gateway-go.traces.pb.gz"));
}

#[test]
fn what_is_found_in_the_java_recording_is_true() {
    insta::assert_snapshot!("java", listed("billing-java.traces.pb.gz"));
}

#[test]
fn what_is_found_in_the_examples_of_the_specification_is_true() {
    insta::assert_snapshot!("otlp-json", listed("otlp-json/trace.json"));
}

#[test]
fn what_is_found_in_the_answers_of_jaeger_is_true() {
    let names = ["jaeger/v2.13.0/search.json", "jaeger/v2.13.0/v3-search.json", "jaeger/main-2026-08-20/v3-trace.json"];
    insta::assert_snapshot!("jaeger", names.map(listed).join("\n"));
}

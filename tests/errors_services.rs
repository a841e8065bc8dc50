//! What is breaking and which service is to blame, of the recorded exports of real services: reviewed by hand.
#![expect(clippy::unwrap_used, clippy::format_push_string, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::fixtures::index;
use tracefall::analysis::errors::{self, Evidence, Failure, Report};
use tracefall::analysis::slow_sql::Thresholds;
use tracefall::analysis::{Analysis, analyse};
use tracefall::index::View;
use tracefall::model::TraceId;

/// Name, files of spans, files of logs.
const FIXTURES: [(&str, &str, &[&str]); 4] = [
    ("python", "hmis-python-grpc.otlp.pb", &[]),
    ("node", "recipe-node-browser.traces.jsonl.gz", &["recipe-node-browser.logs.jsonl.gz"]),
    ("go", "gateway-go.traces.pb.gz", &[]),
    ("java", "billing-java.traces.pb.gz", &["billing-java.logs.pb.gz"]),
];

fn analysed(view: &View, id: TraceId) -> Analysis {
    analyse(Arc::new(view.trace(id).unwrap()), &Thresholds::default())
}

fn failures(view: &View) -> Vec<(TraceId, Vec<Failure>)> {
    view.traces().map(|id| (id, errors::read(view, id, &view.logs(id), &Thresholds::default()))).collect()
}

fn report(found: &[(TraceId, Vec<Failure>)]) -> Report {
    errors::report(found.iter().map(|(id, failures)| (*id, failures.as_slice())))
}

fn written(view: &View, report: &Report) -> String {
    let mut out = format!("{} errors in {} of {} traces\n", report.errors, report.failed_traces, report.traces);
    for group in &report.groups {
        let key = &group.key;
        out.push_str(&format!("\n{:>4} {:?} · {}\n", group.count, &*key.kind, key.pattern));
        out.push_str(&format!("     {} · {} · {}\n", key.service, key.operation, key.place));
        let told: Vec<String> = Evidence::ALL
            .iter()
            .zip(group.evidence)
            .filter(|(_, count)| *count > 0)
            .map(|(evidence, count)| format!("{} {count}", evidence.name()))
            .collect();
        out.push_str(&format!(
            "     {} traces, {}; passed on by {}, {} logs; {:?}\n",
            group.traces,
            told.join(", "),
            group.passed_on,
            group.logs,
            group.services
        ));
        let example = &group.examples[0];
        let detail = errors::detail(view, example, &key.kind).unwrap();
        assert!(detail.message.trim().starts_with(example.message.trim_end_matches('…').trim()));
        let own = detail.stack.frames.iter().filter(|frame| frame.own).count();
        out.push_str(&format!("     {} frames, {own} own\n", detail.stack.frames.len()));
    }
    out
}

#[test]
fn the_errors_of_real_services() {
    for (name, traces, logs) in FIXTURES {
        let (_writer, view) = index(&[traces], logs);
        let mut found = failures(&view);
        let whole = report(&found);
        assert_eq!(whole.errors, whole.groups.iter().map(|group| group.count).sum::<u64>());
        found.reverse();
        assert_eq!(report(&found), whole, "{name}: the order of traces matters");
        insta::assert_snapshot!(format!("errors_{name}"), written(&view, &whole));
    }
}

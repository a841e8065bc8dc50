//! Real OTLP/JSON, as SDKs and the Collector wrote it, against the serde decoder of opentelemetry-proto.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde::de::DeserializeOwned;
use tracefall::model::{Receipt, Signal};
use tracefall::otlp::json::to_protobuf;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn lines(name: &str) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(fixture(name)).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The body converted and decoded, with nothing refused.
fn read<M: Message + Default>(signal: Signal, body: &str) -> M {
    let converted = to_protobuf(signal, body.as_bytes()).unwrap();
    assert_eq!(converted.refused, Receipt::default());
    M::decode(&converted.protobuf[..]).unwrap()
}

/// The same, held against what serde reads.
fn read_as_serde_does<M: Message + Default + PartialEq + DeserializeOwned>(signal: Signal, body: &str) -> M {
    let ours: M = read(signal, body);
    assert!(ours == serde_json::from_str::<M>(body).unwrap(), "the two readings differ");
    ours
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans)
}

fn points(request: &ExportMetricsServiceRequest) -> usize {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes
        .flat_map(|scope| &scope.metrics)
        .map(|metric| match &metric.data {
            Some(Data::Gauge(gauge)) => gauge.data_points.len(),
            Some(Data::Sum(sum)) => sum.data_points.len(),
            Some(Data::Histogram(histogram)) => histogram.data_points.len(),
            Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
            Some(Data::Summary(summary)) => summary.data_points.len(),
            None => 0,
        })
        .sum()
}

#[test]
fn traces_of_node_and_a_browser_convert_whole() {
    let lines = lines("recipe-node-browser.traces.jsonl.gz");
    let requests: Vec<ExportTraceServiceRequest> =
        lines.iter().map(|line| read_as_serde_does(Signal::Traces, line)).collect();
    assert_eq!(requests.len(), 24);
    assert_eq!(requests.iter().flat_map(spans).count(), 5_216);
    let mut traces: Vec<&[u8]> = requests.iter().flat_map(spans).map(|span| &span.trace_id[..]).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 263);
    assert_eq!(requests.iter().flat_map(spans).map(|span| span.links.len()).sum::<usize>(), 57);
    let errors = requests.iter().flat_map(spans).filter(|span| span.status.as_ref().is_some_and(|it| it.code == 2));
    assert_eq!(errors.count(), 106 + 44 + 10);
}

#[test]
fn logs_of_node_convert_whole() {
    let requests: Vec<ExportLogsServiceRequest> =
        lines("recipe-node-browser.logs.jsonl.gz").iter().map(|line| read_as_serde_does(Signal::Logs, line)).collect();
    let scopes = requests.iter().flat_map(|request| &request.resource_logs).flat_map(|resource| &resource.scope_logs);
    assert_eq!(scopes.map(|scope| scope.log_records.len()).sum::<usize>(), 124);
}

#[test]
fn metrics_of_node_convert_whole() {
    let requests: Vec<ExportMetricsServiceRequest> = lines("recipe-node-browser.metrics.jsonl.gz")
        .iter()
        .map(|line| read_as_serde_does(Signal::Metrics, line))
        .collect();
    assert!(requests.iter().map(points).sum::<usize>() > 0);
}

#[test]
fn a_file_of_the_collector_converts_line_by_line_and_in_one_go() {
    let lines = lines("collector/file.json.gz");
    assert_eq!(lines.len(), 50);
    let mut by_line = ExportTraceServiceRequest::default();
    for line in &lines {
        let request: ExportTraceServiceRequest = read(Signal::Traces, line);
        by_line.resource_spans.extend(request.resource_spans);
    }
    assert_eq!(spans(&by_line).count(), 12_839);
    // NaN is not equal to itself; its bytes are.
    let whole: ExportTraceServiceRequest = read(Signal::Traces, &lines.join("\n"));
    assert!(whole.encode_to_vec() == by_line.encode_to_vec());
    let array: ExportTraceServiceRequest = read(Signal::Traces, &format!("[{}]", lines.join(",\n")));
    assert!(array.encode_to_vec() == by_line.encode_to_vec());
}

#[test]
fn pretty_printing_changes_nothing() {
    for line in lines("recipe-node-browser.traces.jsonl.gz").iter().take(4) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let pretty: ExportTraceServiceRequest = read(Signal::Traces, &pretty);
        assert!(pretty == read(Signal::Traces, line));
    }
}

#[test]
fn the_specifications_examples_convert_whole() {
    let text = |name: &str| std::fs::read_to_string(fixture("otlp-json").join(name)).unwrap();
    let traces: ExportTraceServiceRequest = read_as_serde_does(Signal::Traces, &text("trace.json"));
    assert_eq!(spans(&traces).count(), 1);
    for name in ["logs.json", "events.json"] {
        let logs: ExportLogsServiceRequest = read_as_serde_does(Signal::Logs, &text(name));
        assert_eq!(logs.resource_logs[0].scope_logs[0].log_records.len(), 1);
    }
    let metrics: ExportMetricsServiceRequest = read_as_serde_does(Signal::Metrics, &text("metrics.json"));
    assert_eq!(points(&metrics), 4);
}

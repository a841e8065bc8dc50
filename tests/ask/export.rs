//! Whole traces out of files and out of a running program, in every form, and back.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;

use serde_json::Value;
use tracefall::model::{self, Attribute, Signal, Span};
use tracefall::otlp::{decode, encode, json};

use super::rig::{Home, traces};

/// The recordings that hold spans.
const RECORDINGS: [&str; 7] = [
    "hmis-python-grpc.otlp.pb",
    "gateway-go.traces.pb.gz",
    "billing-java.traces.pb.gz",
    "recipe-node-browser.traces.jsonl.gz",
    "collector/file.json.gz",
    "collector/zipkin-v2.jsonl.gz",
    "jaeger/v2.13.0/trace.json",
];

/// A span to the last bit, with its resource and scope; all that is not a number is alike, as JSON has one name for it.
fn fingerprint(mut span: Span) -> Vec<u8> {
    fn calm(attributes: &mut [Attribute]) {
        for attribute in attributes {
            value(&mut attribute.value);
        }
    }
    fn value(it: &mut model::Value) {
        match it {
            model::Value::Double(number) if number.is_nan() => *number = f64::NAN,
            model::Value::Array(members) => members.iter_mut().for_each(value),
            model::Value::Map(members) => calm(members),
            _ => {}
        }
    }
    calm(&mut span.attributes);
    span.events.iter_mut().for_each(|event| calm(&mut event.attributes));
    let (resource, scope) = (encode::resource(&span.resource), encode::scope(&span.scope));
    let urls = [span.resource.schema_url.as_bytes(), b"|", span.scope.schema_url.as_bytes()].concat();
    [encode::span(&span), resource, scope, urls].concat()
}

fn fingerprints(bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let bodies = bodies.into_iter().filter(|body| tracefall::otlp::peek::signal(body) == Signal::Traces);
    let mut all: Vec<_> = bodies.flat_map(|body| decode::spans(&body).unwrap()).map(fingerprint).collect();
    all.sort();
    all
}

/// The bodies of a recording in frames or lines of OTLP; `None`: it is of another kind.
fn bodies(name: &str) -> Option<Vec<Vec<u8>>> {
    if name.contains(".pb") {
        return Some(super::fixtures::frames(name));
    }
    if !name.contains("jsonl") && !name.contains("file.json") || name.contains("zipkin") {
        return None;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/").to_owned() + name;
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&fs::read(path).unwrap()[..]).read_to_end(&mut text).unwrap();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Some(lines.map(|line| json::to_protobuf(Signal::Traces, line).unwrap().protobuf).collect())
}

fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (body, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        bodies.push(body.to_vec());
        bytes = rest;
    }
    bodies
}

/// The law: recording → index → file → index → file holds the same spans, over every recording and both forms of OTLP.
#[test]
fn what_was_saved_as_otlp_opens_again_with_nothing_lost() {
    let home = Home::new();
    for recording in RECORDINGS {
        let path = |name: &str| home.at(name).to_str().unwrap().to_owned();
        let (first, lines, again) = (path("first"), path("lines"), path("again"));
        for (from, form, to) in [(recording, "otlp", &first), (&first, "otlp-json", &lines), (&lines, "otlp", &again)] {
            let said = home.run(&["export", from, "-o", form, "--to", to, "--force", "--unmasked"]);
            assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{recording} as {form}: {}", said.err);
        }
        let [first, again] = [first, again].map(|file| fingerprints(frames(&fs::read(file).unwrap())));
        assert!(!first.is_empty() && first == again, "{recording}");
        if let Some(bodies) = bodies(recording) {
            assert!(first == fingerprints(bodies), "{recording} is not what was saved of it");
        }
    }
}

#[test]
fn log_records_of_what_is_saved_are_saved_with_it() {
    let home = Home::new();
    let recording = ["recipe-node-browser.traces.jsonl.gz", "recipe-node-browser.logs.jsonl.gz"];
    let said = home.run(&["export", "", recording[0], recording[1], "-o", "otlp-json"]);
    let count = |text: &str| text.matches("\"severityNumber\"").count();
    let file = home.file("saved", &said.out);
    let again = home.run(&["export", &file]);
    assert!(count(&said.out) > 100, "{}", count(&said.out));
    assert_eq!(count(&again.out), count(&said.out));
}

#[test]
fn every_form_says_how_many_traces_are_in_the_file_and_filters_choose_them() {
    let home = Home::new();
    let recording = "hmis-python-grpc.otlp.pb";
    let found = home.run(&["query", "error=true", recording, "-o", "jsonl"]).objects().len();
    for (form, marks) in [
        ("otlp-json", "\"resourceSpans\""),
        ("jaeger", "\"traceID\""),
        ("perfetto", "\"traceEvents\""),
        ("md", "\n## "),
        ("csv", "trace_id,span_id"),
    ] {
        let to = home.at(form).to_str().unwrap().to_owned();
        let said = home.run(&["export", "error=true", recording, "-o", form, "--to", &to]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{form}: {}", said.err);
        assert!(said.err.starts_with(&format!("{found} traces with ")), "{form}: {}", said.err);
        let text = fs::read_to_string(&to).unwrap();
        assert!(text.contains(marks), "{form}");
        // The recording has a password and a social security number among the attributes of an insert.
        assert!(!text.contains("hunter2"), "{form}");
        // Nothing is replaced unasked.
        let said = home.run(&["export", "error=true", recording, "-o", form, "--to", &to]);
        assert!(said.code == Some(2) && said.err.contains("is there already"), "{form}: {}", said.err);
        assert_eq!(fs::read_to_string(&to).unwrap(), text);
    }
    assert_eq!(home.run(&["export", "service=nobody", recording]).code, Some(1));
    let wrong = home.run(&["export", "duration>", recording]);
    assert!(wrong.code == Some(2) && wrong.err.contains('^'), "{}", wrong.err);
    let said = home.run(&["export", "-error=true", recording, "--limit", "2", "-ocsv"]);
    let ids: std::collections::HashSet<&str> = said.out.lines().skip(1).filter_map(|line| line.get(..32)).collect();
    assert_eq!(ids.len(), 2, "{}", said.err);
}

/// Jaeger's form, read by the reader of Jaeger's form: what the README says is lost, and nothing else of a span.
#[test]
fn what_was_saved_for_jaeger_opens_again() {
    let home = Home::new();
    let recording = "billing-java.traces.pb.gz";
    let to = home.at("jaeger.json").to_str().unwrap().to_owned();
    assert_eq!(home.run(&["export", recording, "-o", "jaeger", "--to", &to, "--unmasked"]).code, Some(0));
    let of = |file: &str| -> HashMap<String, Value> {
        let said = home.run(&["query", "", file, "-o", "jsonl"]);
        assert_eq!(said.err, "");
        said.objects().into_iter().map(|trace| (trace["trace_id"].to_string(), trace)).collect()
    };
    let (before, after) = (of(recording), of(&to));
    assert_eq!(before.len(), after.len());
    for (id, trace) in &before {
        for same in ["root_service", "root_operation", "spans", "errors", "services"] {
            assert_eq!(trace[same], after[id][same], "{id} {same}");
        }
    }
}

#[test]
fn a_running_program_is_asked_for_whole_traces_too() {
    let home = Home::new();
    let running = home.listen(&["listen"]);
    running.post_traces(1..40);
    home.wait_until_held(39);
    let said = home.run(&["export", "error=true", "-o", "csv"]);
    assert_eq!((said.code, said.out.lines().count()), (Some(0), 4), "{}", said.err);
    let file = home.file("all", home.run(&["export"]).out);
    assert_eq!(home.run(&["query", "", &file, "-o", "jsonl"]).objects().len(), 39);
    // One span of it is as many as a part of an answer may have, and more.
    let mut many = traces(100..2_700);
    for span in many["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap() {
        span["traceId"] = "77".repeat(16).into();
    }
    running.post("json", many.to_string().as_bytes());
    home.wait_until_held(40);
    let said = home.run(&["export", &"77".repeat(16), "-o", "csv"]);
    assert_eq!(said.out.lines().count(), 2_601, "{}", said.err);
}

/// A message that waited is found by what its sender did in another trace: which a running program knows, and a file that is
/// exported from holds.
#[test]
fn markdown_knows_who_sent_a_message_in_another_trace() {
    use tracefall::model::{Kind, Link, Nanos, SpanId, Timestamp, TraceId};
    let start = Timestamp(1_763_700_000_000_000_000);
    let span = |trace: u8, kind: Kind, name: &str, from: u64| Span {
        trace_id: TraceId([trace; 16]),
        span_id: SpanId([trace; 8]),
        kind,
        name: name.into(),
        start: start.plus(Nanos::from_millis(from)),
        end: start.plus(Nanos::from_millis(from + 10)),
        attributes: vec![Attribute { key: "messaging.system".into(), value: model::Value::Text("kafka".into()) }],
        ..Span::default()
    };
    let sent = span(1, Kind::PRODUCER, "send orders", 0);
    let mut taken = span(2, Kind::CONSUMER, "process orders", 2_000);
    let link = Link { trace_id: sent.trace_id.0.into(), span_id: sent.span_id.0.into(), ..Link::default() };
    taken.links.push(link);
    let body = encode::spans(&[sent, taken]);
    let home = Home::new();
    let file = home.file("queue.pb", &body);
    let running = home.listen(&["listen"]);
    running.post("x-protobuf", &body);
    home.wait_until_held(2);
    for from in [vec![], vec![file.as_str()]] {
        let asked = ["export", "name=\"process orders\"", "-o", "markdown"].into_iter().chain(from);
        let said = home.run(&asked.collect::<Vec<_>>());
        assert!(said.out.contains("| info | queue-wait | process orders"), "{} {}", said.out, said.err);
        assert!(said.out.contains("1.99 s"), "{}", said.out);
    }
}

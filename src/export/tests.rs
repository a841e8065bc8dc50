//! What the forms hold, and what they do not: the table in the README, as tests.

use std::sync::Arc;

use serde_json::Value as Json;

use super::*;
use crate::model::{
    self, Event, Kind, Link, LogRecord, Resource, Scope, Span, SpanId, Status, StatusCode, Text, Timestamp, TraceId,
    Value,
};
use crate::otlp::{decode, json, logs};
use crate::redact::Redactor;

fn attribute(key: &str, value: Value) -> model::Attribute {
    model::Attribute { key: key.into(), value }
}

/// A span with something in every field.
#[expect(clippy::too_many_lines, reason = "one span with everything a span can have")]
fn full() -> Span {
    let list = Value::Array(vec![Value::Int(1), Value::Text("a\"\u{1b}".into()), Value::Empty, Value::Array(vec![])]);
    let attributes = vec![
        attribute("text", Value::Text("ü\n".into())),
        attribute("empty", Value::Empty),
        attribute("blank", Value::Text("".into())),
        attribute("yes", Value::Bool(true)),
        attribute("least", Value::Int(i64::MIN)),
        attribute("most", Value::Int(i64::MAX)),
        attribute("half", Value::Double(0.5)),
        attribute("whole", Value::Double(2.0)),
        attribute("tiny", Value::Double(5e-324)),
        attribute("endless", Value::Double(f64::NEG_INFINITY)),
        attribute("bytes", Value::Bytes(vec![0, 255, 7, 7])),
        attribute("list", list),
        attribute("map", Value::Map(vec![attribute("in", Value::Int(3)), attribute("in", Value::Bool(false))])),
        attribute("text", Value::Text("again".into())),
    ];
    let resource = Resource {
        attributes: vec![attribute("service.name", Value::Text("shop".into())), attribute("pid", Value::Int(7))],
        dropped_attributes: 1,
        schema_url: "https://a".into(),
    };
    let scope = Scope {
        name: "lib".into(),
        version: "1".into(),
        attributes: vec![attribute("x", Value::Bool(false))],
        dropped_attributes: 2,
        schema_url: "https://b".into(),
    };
    Span {
        trace_id: TraceId([0xab; 16]),
        span_id: SpanId([1; 8]),
        parent_id: Some(SpanId([9; 8])),
        trace_state: "a=b".into(),
        flags: 0x301,
        name: "GET /".into(),
        kind: Kind::SERVER,
        start: Timestamp(1_763_700_000_000_000_001),
        end: Timestamp(1_763_700_000_500_000_002),
        events: vec![Event {
            time: Timestamp(1_763_700_000_100_000_003),
            name: "exception".into(),
            attributes: vec![attribute("exception.message", Value::Text("no".into()))],
            dropped_attributes: 4,
        }],
        dropped_attributes: 3,
        dropped_events: 5,
        links: vec![Link {
            trace_id: [2; 16].into(),
            span_id: [3; 8].into(),
            trace_state: "c=d".into(),
            attributes: vec![attribute("why", Value::Int(1))],
            dropped_attributes: 6,
            flags: 1,
        }],
        dropped_links: 7,
        status: Status { code: StatusCode::ERROR, message: "failed".into() },
        attributes,
        resource: Arc::new(resource),
        scope: Arc::new(scope),
        ..Span::default()
    }
}

fn log() -> LogRecord {
    LogRecord {
        time: Timestamp(5),
        observed: Timestamp(6),
        severity: 9,
        severity_text: "INFO".into(),
        body: Value::Text("said".into()),
        attributes: vec![attribute("a", Value::Int(1))],
        dropped_attributes: 1,
        flags: 1,
        trace_id: TraceId([0xab; 16]),
        span_id: Some(SpanId([1; 8])),
        event_name: "e".into(),
        resource: full().resource,
        scope: full().scope,
    }
}

fn exported(form: TraceForm, redactor: Option<Redactor>, traces: &[Vec<Span>], logs: &[LogRecord]) -> Vec<u8> {
    let mut exporter = Exporter::new(Vec::new(), form, redactor);
    for (at, trace) in traces.iter().enumerate() {
        exporter.trace(trace.clone(), if at == 0 { logs.to_vec() } else { Vec::new() }).unwrap();
    }
    let (bytes, written) = exporter.end().unwrap();
    let spans = traces.iter().map(|trace| trace.len() as u64).sum();
    assert_eq!(written, Written { traces: traces.len() as u64, spans });
    bytes
}

/// What stands in OTLP again, of either form.
fn read(form: TraceForm, mut bytes: &[u8]) -> (Vec<Span>, Vec<LogRecord>) {
    let (mut spans, mut records) = (Vec::new(), Vec::new());
    let mut take = |body: &[u8], is_logs: bool| {
        if is_logs {
            logs::read(body, |item| records.extend(item.record)).unwrap();
        } else {
            spans.extend(decode::spans(body).unwrap());
        }
    };
    if form == TraceForm::OtlpJson {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let is_logs = line.starts_with(b"{\"resourceLogs\"");
            let signal = if is_logs { model::Signal::Logs } else { model::Signal::Traces };
            let converted = json::to_protobuf(signal, line).unwrap();
            assert_eq!(converted.refused.rejected_total(), 0);
            take(&converted.protobuf, is_logs);
        }
    } else {
        while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
            let (body, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            take(body, crate::otlp::peek::signal(body) == model::Signal::Logs);
            bytes = rest;
        }
    }
    (spans, records)
}

#[test]
fn otlp_holds_everything() {
    let odd = Span { parent_id: None, odd_parent: Some([7; 3].into()), span_id: SpanId([2; 8]), ..full() };
    let plain = Span { trace_id: TraceId([5; 16]), span_id: SpanId([5; 8]), ..Span::default() };
    let traces = [vec![full(), odd], vec![plain]];
    for form in [TraceForm::OtlpJson, TraceForm::Otlp] {
        let bytes = exported(form, None, &traces, &[log()]);
        let (spans, records) = read(form, &bytes);
        assert_eq!(spans.len(), 3);
        for span in traces.iter().flatten() {
            assert!(spans.contains(span), "{form:?}: {span:?} not in {spans:?}");
        }
        assert_eq!(records, [log()], "{form:?}");
    }
    let not_a_number = Span { attributes: vec![attribute("nan", Value::Double(f64::NAN))], ..full() };
    let (spans, _) = read(TraceForm::OtlpJson, &exported(TraceForm::OtlpJson, None, &[vec![not_a_number]], &[]));
    assert!(matches!(spans[0].attributes[0].value, Value::Double(number) if number.is_nan()));
}

/// The one thing that JSON has no place for.
#[test]
fn otlp_as_json_replaces_what_is_not_utf8_and_protobuf_keeps_it() {
    let span = Span { name: Text::from(&b"a\xffb"[..]), ..full() };
    let name = |form| read(form, &exported(form, None, &[vec![span.clone()]], &[])).0[0].name.clone();
    assert_eq!(name(TraceForm::OtlpJson), *"a\u{fffd}b");
    assert_eq!(name(TraceForm::Otlp), span.name);
}

#[test]
fn jaeger_has_the_shape_its_page_reads_and_loses_what_the_table_says() {
    let bytes = exported(TraceForm::Jaeger, None, &[vec![full()], vec![full()]], &[log()]);
    let json: Json = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["data"].as_array().unwrap().len(), 2);
    let trace = &json["data"][0];
    let span = &trace["spans"][0];
    assert_eq!((&trace["traceID"], &span["spanID"]), (&Json::from("ab".repeat(16)), &Json::from("01".repeat(8))));
    assert_eq!(trace["processes"]["p1"]["serviceName"], "shop");
    assert_eq!(span["processID"], "p1");
    // Times are whole microseconds.
    assert_eq!((&span["startTime"], &span["duration"]), (&Json::from(1_763_700_000_000_000_u64), &Json::from(500_000)));
    assert_eq!(span["references"][0]["refType"], "CHILD_OF");
    assert_eq!(span["references"][1]["refType"], "FOLLOWS_FROM");
    let tag = |key: &str| span["tags"].as_array().unwrap().iter().find(|tag| tag["key"] == key).unwrap().clone();
    for (key, kind, value) in [
        ("span.kind", "string", Json::from("server")),
        ("error", "bool", Json::from(true)),
        ("otel.status_code", "string", Json::from("ERROR")),
        ("otel.status_description", "string", Json::from("failed")),
        ("otel.scope.name", "string", Json::from("lib")),
        ("w3c.tracestate", "string", Json::from("a=b")),
        ("most", "int64", Json::from(i64::MAX.to_string())),
        ("half", "float64", Json::from(0.5)),
        ("endless", "string", Json::from("-Infinity")),
        ("bytes", "binary", Json::from("AP8HBw==")),
        ("list", "string", Json::from("[1,\"a\\\"\\u001b\",null,[]]")),
    ] {
        assert_eq!((&tag(key)["type"], &tag(key)["value"]), (&Json::from(kind), &value), "{key}");
    }
    assert_eq!(span["logs"][0]["fields"][0]["value"], "exception");
    let text = String::from_utf8(bytes).unwrap();
    for lost in ["why", "c=d", "https://a", "https://b", "said", "dropped"] {
        assert!(!text.contains(lost), "{lost} is not lost after all");
    }
}

/// <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>: what each kind of event must have, and that
/// those of one thread lie inside each other.
#[test]
fn perfetto_has_events_of_the_documented_form_that_nest_in_each_thread() {
    let span = |id: u8, parent: Option<u8>, (start, end): (u64, u64), service: &str| Span {
        span_id: SpanId([id; 8]),
        parent_id: parent.map(|parent| SpanId([parent; 8])),
        start: Timestamp(start * 1_000 + 1),
        end: Timestamp(end * 1_000 + 1),
        resource: Arc::new(Resource {
            attributes: vec![attribute("service.name", Value::Text(service.into()))],
            ..Resource::default()
        }),
        ..full()
    };
    // Two at once below one parent, one in another service, one that outlives its parent, one beside them all.
    let trace = vec![
        span(1, None, (0, 100), "a"),
        span(2, Some(1), (10, 50), "a"),
        span(3, Some(1), (20, 60), "a"),
        span(4, Some(2), (30, 40), "b"),
        span(5, Some(1), (55, 120), "a"),
        span(6, None, (110, 130), "a"),
    ];
    let json: Json =
        serde_json::from_slice(&exported(TraceForm::Perfetto, None, &[trace.clone(), trace], &[])).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let (mut open, mut complete) = (std::collections::BTreeMap::<(u64, u64), Vec<f64>>::new(), 0);
    for event in events {
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        assert!(event["name"].is_string());
        match event["ph"].as_str().unwrap() {
            "X" => {
                complete += 1;
                let (start, length) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
                let stack = open.entry(thread).or_default();
                while stack.last().is_some_and(|end| *end <= start) {
                    stack.pop();
                }
                assert!(stack.last().is_none_or(|end| start + length <= *end), "{event} does not fit into {stack:?}");
                stack.push(start + length);
                assert!(event["args"].is_object() && event["cat"].is_string());
            }
            "M" => assert!(event["args"]["name"].is_string()),
            "i" => assert_eq!(event["s"], "t"),
            "s" | "f" => assert!(event["id"].is_number() && event["ts"].is_number()),
            other => panic!("{other}"),
        }
    }
    assert_eq!(complete, 12);
    let count = |ph: &str| events.iter().filter(|event| event["ph"] == ph).count();
    assert_eq!((count("s"), count("f"), count("i")), (2, 2, 12));
    let text = serde_json::to_string(&json).unwrap();
    for lost in ["why", "c=d", "a=b", "https://a", "\"lib\"", "said"] {
        assert!(!text.contains(lost), "{lost} is not lost after all");
    }
}

#[test]
fn nothing_at_all_is_a_whole_file_too() {
    for (form, empty) in [
        (TraceForm::OtlpJson, ""),
        (TraceForm::Otlp, ""),
        (TraceForm::Markdown, ""),
        (TraceForm::Perfetto, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n]}\n"),
    ] {
        assert_eq!(String::from_utf8(exported(form, None, &[], &[])).unwrap(), empty);
    }
    let jaeger: Json = serde_json::from_slice(&exported(TraceForm::Jaeger, None, &[], &[])).unwrap();
    assert_eq!(jaeger["data"], Json::Array(Vec::new()));
}

fn markdown(spans: &[Span], logs: &[LogRecord], redactor: Option<Redactor>) -> String {
    String::from_utf8(exported(TraceForm::Markdown, redactor, &[spans.to_vec()], logs)).unwrap()
}

/// The lines of Markdown that stand in no fence; every fence is closed.
fn outside(text: &str) -> Vec<&str> {
    let mut open: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let ticks = line.split(|letter| letter != '`').next().filter(|ticks| ticks.len() >= 3);
        match (open, ticks) {
            (None, Some(ticks)) => open = Some(ticks),
            (Some(fence), Some(ticks)) if ticks.len() >= fence.len() => open = None,
            (None, None) => lines.push(line),
            (Some(_), _) => {}
        }
    }
    assert_eq!(open, None, "{text}");
    lines
}

#[test]
fn markdown_tells_a_trace_in_the_words_of_the_screen() {
    for (story, name) in [(0, "patient"), (3, "order"), (11, "insurance")] {
        let story = &crate::source::demo::gallery(Timestamp(1_800_000_000_000_000_000))[story];
        // Of several the last is the one that failed.
        let trace = story.spans.last().unwrap().trace_id;
        let spans: Vec<Span> = story.spans.iter().filter(|span| span.trace_id == trace).cloned().collect();
        insta::assert_snapshot!(format!("markdown_{name}"), markdown(&spans, &story.logs, Some(Redactor::default())));
    }
}

#[test]
fn the_same_finding_in_several_traces_is_one_with_a_count() {
    let gallery = crate::source::demo::gallery(Timestamp(1_800_000_000_000_000_000));
    let slow = &gallery[0].spans;
    let again: Vec<Span> = slow.iter().map(|span| Span { trace_id: TraceId([7; 16]), ..span.clone() }).collect();
    let text = String::from_utf8(exported(TraceForm::Markdown, None, &[slow.clone(), again], &[])).unwrap();
    let together = text.split_once("## Findings of these 2 traces").unwrap().1;
    let told = "| error | slow-sql | 2 | 2 | 3.64 s | SELECT patients";
    assert!(together.contains(told), "{together}");
    assert!(!markdown(slow, &[], None).contains("## Findings"));
}

#[test]
fn nothing_in_markdown_breaks_out_of_its_place() {
    const HOSTILE: &str = "a|b`c`\u{1b}[2J\r\n# no\n````\n<script>&amp;$x$ **b**";
    let mut spans = Vec::new();
    for id in 1..=7_u8 {
        let parent_id = (id > 1).then_some(SpanId([1; 8]));
        let mut span = Span { span_id: SpanId([id; 8]), parent_id, name: HOSTILE.into(), ..full() };
        span.attributes = vec![
            attribute("db.system", Value::Text("postgresql".into())),
            attribute("db.query.text", Value::Text(format!("SELECT \"{HOSTILE}\" FROM \"{HOSTILE}\"").as_str().into())),
        ];
        span.status.message = HOSTILE.into();
        span.events[0].attributes = ["type", "message", "stacktrace"]
            .map(|part| attribute(&format!("exception.{part}"), Value::Text(HOSTILE.into())))
            .into();
        span.resource = Arc::new(Resource {
            attributes: vec![attribute("service.name", Value::Text(HOSTILE.into()))],
            ..Resource::default()
        });
        spans.push(span);
    }
    let text = markdown(&spans, &[], None);
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text}");
    let lines = outside(&text);
    for line in &lines {
        let starts = ["## ", "| ", "|--", "> ", "**Tree", "**Statement", "**First error** in "];
        assert!(line.is_empty() || starts.iter().any(|start| line.starts_with(start)), "{line}\n{text}");
        // What stands behind a backslash means nothing.
        let mut letters = line.chars();
        let mut bare = String::new();
        while let Some(letter) = letters.next() {
            if letter == '\\' {
                letters.next();
            } else {
                bare.push(letter);
            }
        }
        assert!(!bare.contains(['<', '&', '$', '[']), "{line}");
        assert!(matches!(bare.matches('|').count(), 0 | 4 | 6), "{line}");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("## ")).count(), 1, "{text}");
    assert!(text.contains("**First error** in "), "{text}");
}

#[test]
fn markdown_is_bounded_and_says_what_it_leaves_out() {
    let span = |number: u64| Span {
        span_id: SpanId((number + 1).to_be_bytes()),
        parent_id: (number > 0).then_some(SpanId(1_u64.to_be_bytes())),
        name: format!("step {number} {}", "x".repeat(5_000)).as_str().into(),
        ..full()
    };
    let text = markdown(&(0..2_000).map(span).collect::<Vec<_>>(), &[], None);
    // What a terminal takes.
    assert!(text.len() < 74_000, "{}", text.len());
    let told = text.matches(" step ").count();
    assert!(told > 100 && text.contains("… 1,") && text.contains(" more\n```"), "{told} {text}");
}

#[test]
fn csv_has_a_line_a_span_with_all_fields() {
    let text = String::from_utf8(exported(TraceForm::Csv, None, &[vec![full()]], &[])).unwrap();
    let (head, line) = text.split_once('\n').unwrap();
    assert_eq!(head.split(',').count(), 14);
    let start = format!("{},{},{},shop,GET /,server,", "ab".repeat(16), "01".repeat(8), "09".repeat(8));
    assert!(line.starts_with(&start), "{line}");
    assert!(line.contains(",500000001,error,failed,1,1,") && line.contains("\"\"text\"\":\"\"ü\\n\"\""), "{line}");
}

#[test]
fn secrets_leave_in_no_form_unless_that_is_asked_for() {
    let mut span = full();
    span.attributes = vec![
        attribute("user.password", Value::Text("hunter2".into())),
        attribute("api_token", Value::Int(424_242)),
        attribute("body", Value::Map(vec![attribute("password", Value::Text("hunter2".into()))])),
        attribute("has_password", Value::Bool(true)),
    ];
    span.events[0].attributes.push(attribute("password", Value::Text("hunter2".into())));
    let mut resource = Resource::clone(&span.resource);
    resource.attributes.push(attribute("db.password", Value::Text("hunter2".into())));
    span.resource = Arc::new(resource);
    span.status.message = "password=hunter2".into();
    let log = LogRecord { body: Value::Text("password=hunter2".into()), ..log() };
    for form in TraceForm::ALL {
        let masked = exported(form, Some(Redactor::default()), &[vec![span.clone()]], std::slice::from_ref(&log));
        let masked = String::from_utf8_lossy(&masked);
        assert!(!masked.contains("hunter2") && !masked.contains("424242"), "{form:?}: {masked}");
        let plain = exported(form, None, &[vec![span.clone()]], std::slice::from_ref(&log));
        assert!(String::from_utf8_lossy(&plain).contains("hunter2"), "{form:?}");
    }
}

/// A trace that is longer than a line may be is written as several.
#[test]
fn long_traces_are_parted_and_many_small_ones_share_a_line() {
    let span = |number: u32| Span { span_id: SpanId(u64::from(number + 1).to_be_bytes()), ..full() };
    let long: Vec<Span> = (0..2_500).map(span).collect();
    let bytes = exported(TraceForm::OtlpJson, None, std::slice::from_ref(&long), &[]);
    let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
    let (spans, _) = read(TraceForm::OtlpJson, &bytes);
    assert_eq!((lines, spans.len()), (3, 2_500));
    let small: Vec<Vec<Span>> = (0..50).map(|number| vec![span(number)]).collect();
    let bytes = exported(TraceForm::OtlpJson, None, &small, &[]);
    assert_eq!(bytes.split(|byte| *byte == b'\n').count() - 1, 1);
}

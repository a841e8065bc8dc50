//! The JSON decoder under broken and random text.

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::IgnoredAny;
use serde_json::Value;
use tracefall::model::Signal;
use tracefall::otlp::json::to_protobuf;
use tracefall::otlp::{decode, logs, metrics};

use crate::cost::assert_linear;
use crate::wreck::{Random, budget, wreck};

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

/// What is strewn into texts: pieces at which a reader may stumble.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    "\\udc00",
    "\\u0000",
    "\\x",
    "null",
    "true",
    "NaN",
    "-Infinity",
    "-",
    "1e999",
    "1e-999",
    "0.1",
    "9223372036854775808",
    "18446744073709551616",
    "-0",
    "[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"resourceSpans\":",
    "\"result\":{",
    "\"trace\":{",
    "\"batches\":[",
    "\"spans\":[",
    "\"arrayValue\":{\"values\":[",
    "\"kvlistValue\":{\"values\":[",
    "\"stringValue\":\"",
    "\"bytesValue\":\"====\"",
    "\"intValue\":\"1\"",
    "\"attributes\":[{\"key\":\"k\",\"value\":",
    "\"traceId\":\"\"",
    "\u{feff}",
    "\u{2028}",
    "\"bucketCounts\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
    "\u{1b}[2J",
    "}{",
    "][",
];

/// What is put in where an object or a list begins, so that the text stays JSON.
const MEMBERS: [&str; 12] = [
    r#""x":{"a":[1,[2]]},"#,
    r#""attributes":[{"key":"k","value":{"arrayValue":{"values":[{},null,{"intValue":"7"}]}}}],"#,
    r#""name":"\ud83d\ude00\u0000","#,
    r#""kind":9e3,"#,
    r#""startTimeUnixNano":-1,"#,
    r#""traceId":"zz","#,
    r#""resource":[],"#,
    r#""scope":{"attributes":7},"#,
    r#""status":{"code":"STATUS_CODE_ERROR"},"#,
    r#""result":{},"#,
    r#""flags":"4294967296","#,
    r#""bucketCounts":["1",2,3.0],"#,
];
const ELEMENTS: [&str; 6] = ["null,", "{},", "[],", "7,", "\"x\",", "{\"key\":7},"];

/// Keeps two members of each list, so that a recorded request of many spans becomes a short one of the same kind.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(members) => {
            members.truncate(2);
            members.iter_mut().for_each(shorten);
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut texts = Vec::new();
    for name in ["traces", "logs", "metrics"] {
        let file = std::fs::File::open(folder.join(format!("recipe-node-browser.{name}.jsonl.gz"))).unwrap();
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        for line in text.lines() {
            let mut value: Value = serde_json::from_str(line).unwrap();
            shorten(&mut value);
            texts.push(value.to_string().into_bytes());
        }
    }
    for name in ["trace.json", "logs.json", "events.json", "metrics.json"] {
        texts.push(std::fs::read(folder.join("otlp-json").join(name)).unwrap());
    }
    texts.push(br#"{"result":{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"W47/95gDgQPSabYzgT/GDA==","span_id":
        "7uGbfsPBsXM=","kind":"SPAN_KIND_SERVER","start_time_unix_nano":1.5e3,"attributes":[{"key":"a","value":{"array_value":
        {"values":[{"double_value":"NaN"},{"bytes_value":"aGk"},{"kvlist_value":{"values":[]}},null]}}}]}]}]}]}}"#.to_vec());
    texts
}

/// Text of so many pieces.
type Make<'a> = &'a dyn Fn(usize) -> String;

/// Text with pieces strewn into it, or nothing but pieces, or bytes of any kind.
fn strewn(texts: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => (0..random.below(200)).map(|_| random.byte()).collect(),
        1 => (0..random.below(40)).flat_map(|_| PIECES[random.below(PIECES.len())].bytes()).collect(),
        2..=7 => bent(texts, random),
        8..=12 => {
            let mut text = wreck(texts, random);
            for _ in 0..=random.below(3) {
                let place = random.below(text.len() + 1);
                let piece = PIECES[random.below(PIECES.len())].bytes();
                drop(text.splice(place..place, piece));
            }
            text
        }
        _ => wreck(texts, random),
    }
}

/// Text that is mostly JSON still: letters and digits changed, members and elements put in.
fn bent(texts: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = texts[random.below(texts.len())].clone();
    for _ in 0..=random.below(4) {
        let from = random.below(text.len());
        let next = |wanted: &dyn Fn(u8) -> bool| (from..text.len()).find(|place| wanted(text[*place]));
        match random.below(4) {
            0 => {
                let Some(place) = next(&|byte| byte == b'{') else { continue };
                drop(text.splice(place + 1..=place, MEMBERS[random.below(MEMBERS.len())].bytes()));
            }
            1 => {
                let Some(place) = next(&|byte| byte == b'[') else { continue };
                drop(text.splice(place + 1..=place, ELEMENTS[random.below(ELEMENTS.len())].bytes()));
            }
            _ => {
                let Some(place) = next(&|byte: u8| byte.is_ascii_alphanumeric()) else { continue };
                text[place] = b"0123456789abcdefANe"[random.below(19)];
            }
        }
    }
    text
}

/// Whether it was taken. What comes out is protobuf that both readers of it take whole, and not out of proportion.
fn is_refused_or_protobuf(signal: Signal, text: &[u8]) -> bool {
    match to_protobuf(signal, text) {
        Ok(converted) => {
            let body = &converted.protobuf[..];
            assert!(body.len() <= 8 * text.len() + 16, "{} bytes of {}", body.len(), text.len());
            assert!(converted.refused.rejected_total() <= text.len() as u64);
            let (ours, oracle) = match signal {
                Signal::Traces => (decode::spans(body).is_ok(), ExportTraceServiceRequest::decode(body).err()),
                Signal::Logs => (logs::read(body, |_| {}).is_ok(), ExportLogsServiceRequest::decode(body).err()),
                Signal::Metrics => (metrics::count(body).is_ok(), ExportMetricsServiceRequest::decode(body).err()),
            };
            assert!(ours, "{}", String::from_utf8_lossy(text));
            let words = oracle.map(|error| error.to_string()).unwrap_or_default();
            assert!(words.is_empty() || words.contains("recursion limit"), "{words}");
            true
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() < 300 && !words.contains(char::is_control), "{words}");
            let is_json = serde_json::from_slice::<IgnoredAny>(text).is_ok();
            assert!(!(is_json && words.starts_with("not JSON")), "{words}: {}", String::from_utf8_lossy(text));
            false
        }
    }
}

#[test]
fn wrecked_json_is_refused_or_becomes_protobuf() {
    let mut budget = budget(6_000_000);
    let mut random = Random::seeded(0x2545_f491_4f6c_dd1d);
    let texts = corpus();
    let mut taken = [0_u64; 2];
    while budget > 0 {
        let text = strewn(&texts, &mut random);
        for signal in SIGNALS {
            taken[usize::from(is_refused_or_protobuf(signal, &text))] += 1;
        }
        budget = budget.saturating_sub(text.len() + 1);
    }
    assert!(taken[0] > 100 && taken[1] > 100, "both happen: {taken:?}");
}

fn around(open: &str, inner: &str, close: &str, times: usize) -> String {
    [&open.repeat(times), inner, &close.repeat(times)].concat()
}

/// Texts that would make a careless reader go over the same bytes again and again.
#[test]
fn json_of_any_shape_costs_as_much_as_it_is_long() {
    let span = |fields: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#);
    let value = |inner: &str| span(&format!(r#""attributes":[{{"key":"k","value":{inner}}}]"#));
    // Once, each envelope around a fault read it again: a body of a few megabytes kept a worker busy for minutes.
    let shapes: [(&str, Make<'_>); 12] = [
        ("brackets without end", &|size| "[".repeat(size)),
        ("braces without end", &|size| r#"{"a":"#.repeat(size)),
        ("unknown depth", &|size| format!(r#"{{"x":{},"resourceSpans":[]}}"#, around("[", "", "]", size))),
        ("deep values", &|size| value(&around(r#"{"arrayValue":{"values":["#, "", "]}}", size))),
        ("many values", &|size| value(&format!(r#"{{"arrayValue":{{"values":[{}null]}}}}"#, "null,".repeat(size)))),
        ("escapes", &|size| span(&format!(r#""name":"{}""#, r"\n\ud800".repeat(size)))),
        ("backslashes", &|size| span(&format!(r#""name":"{}"#, r"\\".repeat(size)))),
        ("digits", &|size| span(&format!(r#""kind":{}"#, "1".repeat(size)))),
        ("faults", &|size| span(&format!("{}{}", r#""kind":{},"#.repeat(size), r#""name":1"#))),
        ("documents", &|size| "{}".repeat(size)),
        ("envelopes", &|size| around(r#"{"result":"#, "[]", r#","\x":1}"#, size)),
        ("faults in envelopes", &|size| {
            around(r#"{"result":"#, &format!(r#"{{"x":[{}0]}}"#, "0,".repeat(4 * size)), r#","\x":1}"#, size / 16)
        }),
    ];
    for (name, make) in shapes {
        assert_linear(name, 2_000, make, |text| drop(to_protobuf(Signal::Traces, text.as_bytes())));
    }
}

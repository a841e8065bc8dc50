//! The laws of the wire: what the hand-written reader says of a body is what prost says of it, what is written can
//! be read again, and no bytes whatever make it panic, hang or take memory out of proportion.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be fails the test")]

#[path = "../common/fixtures.rs"]
mod fixtures;
mod generate;
mod mangle;
mod oracle;
#[path = "../common/wreck.rs"]
mod wreck;

use std::collections::HashSet;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use prost::Message as _;
use tracefall::model::{Attribute, LogRecord, Span, Value};
use tracefall::otlp::reader::read_spans;
use tracefall::otlp::{AttributeValue, Sink, SpanFields, decode, encode, logs, metrics};

use self::fixtures::frames;
use self::mangle::{Form, mangle};
use self::oracle::pinned;
use self::wreck::{Random, budget, wreck};

/// Holds the borrowed value of each attribute against its decoded message.
struct Borrowed;

impl Sink for Borrowed {
    fn resource(&mut self, _: &[u8], _: &[u8]) {}
    fn scope(&mut self, _: &[u8], _: &[u8]) {}
    fn amend_scope(&mut self, _: &[u8], _: &[u8]) {}
    fn begin_span(&mut self) {}
    fn event(&mut self, _: &[u8]) {}
    fn link(&mut self, _: &[u8]) {}
    fn end_span(&mut self, _: &SpanFields<'_>) {}

    fn attribute(&mut self, key: &[u8], value: AttributeValue<'_>, message: &[u8]) {
        let value = match value {
            AttributeValue::Empty => Value::Empty,
            AttributeValue::Text(text) => Value::Text(text.into()),
            AttributeValue::Bool(truth) => Value::Bool(truth),
            AttributeValue::Int(number) => Value::Int(number),
            AttributeValue::Double(number) => Value::Double(number),
            AttributeValue::Bytes(bytes) => Value::Bytes(bytes.into()),
            AttributeValue::Composite(message) => decode::value(message),
        };
        let told = Attribute { key: key.into(), value };
        assert_eq!(format!("{told:?}"), format!("{:?}", decode::attribute(message)));
    }
}

/// Holds what the reader says of `body` against what prost says of it. Two differences are meant: text that is not
/// UTF-8 and messages that nest deep are broken for prost and kept by the reader. Answers whether the reader took it.
fn agrees_with_prost(body: &[u8]) -> bool {
    let ours = decode::request(body);
    let taken = ours.is_ok();
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => {
            let (spans, receipt) = ours.expect("prost takes this body");
            read_spans(body, &mut Borrowed).expect("it was read before");
            let (expected, expected_receipt) = oracle::spans(request);
            assert_eq!(pinned(spans), pinned(expected));
            assert_eq!(receipt, expected_receipt);
        }
        Err(error) => {
            let error = error.to_string();
            let tolerated = error.contains("UTF-8") || error.contains("recursion limit");
            assert!(tolerated || ours.is_err(), "prost refuses this body: {error}");
            if let Err(broken) = ours {
                assert!(broken.offset <= body.len());
            }
        }
    }
    taken
}

fn logs_agree_with_prost(body: &[u8]) {
    let mut ours = Vec::new();
    let result = logs::read(body, |item| ours.push((item.service.map(<[u8]>::to_vec), item.record)));
    match ExportLogsServiceRequest::decode(body) {
        Ok(request) => {
            result.expect("prost takes this body");
            assert_eq!(format!("{ours:?}"), format!("{:?}", oracle::logs(request)));
        }
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("UTF-8") || error.contains("recursion limit") || result.is_err(), "{error}");
            assert!(result.is_ok() || ours.is_empty(), "nothing is told of a broken body");
        }
    }
}

/// `items` in the order in which an encoder that groups by resource and scope puts them.
fn grouped<T>(mut items: Vec<T>, header: impl Fn(&T) -> (Vec<u8>, Vec<u8>)) -> Vec<T> {
    let headers: Vec<_> = items.iter().map(&header).collect();
    let first = |item: &T| {
        let (resource, scope) = header(item);
        let of_resource = headers.iter().position(|other| other.0 == resource);
        (of_resource, headers.iter().position(|other| *other == (resource.clone(), scope.clone())))
    };
    items.sort_by_cached_key(first);
    items
}

fn span_header(span: &Span) -> (Vec<u8>, Vec<u8>) {
    let resource = [&encode::resource(&span.resource)[..], b"|", span.resource.schema_url.as_bytes()].concat();
    (resource, [&encode::scope(&span.scope)[..], b"|", span.scope.schema_url.as_bytes()].concat())
}

fn log_header(record: &LogRecord) -> (Vec<u8>, Vec<u8>) {
    let resource = [&encode::resource(&record.resource)[..], b"|", record.resource.schema_url.as_bytes()].concat();
    (resource, [&encode::scope(&record.scope)[..], b"|", record.scope.schema_url.as_bytes()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_says_what_prost_says(request in generate::request()) {
        agrees_with_prost(&request.encode_to_vec());
    }

    #[test]
    fn order_repetition_and_unknown_fields_do_not_matter(request in generate::request(), seed in any::<u64>()) {
        agrees_with_prost(&mangle(&request.encode_to_vec(), Form::Request, &mut Random(seed | 1)));
    }

    #[test]
    fn what_is_written_is_read_again(request in generate::request()) {
        let (spans, _) = oracle::spans(request);
        let body = encode::spans(&spans);
        let expected = pinned(grouped(spans, span_header));
        prop_assert_eq!(&pinned(decode::spans(&body).unwrap()), &expected);
        let for_prost = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        prop_assert_eq!(&pinned(oracle::spans(for_prost).0), &expected);
    }

    #[test]
    fn parts_are_written_and_read_alone(request in generate::request()) {
        for span in pinned(oracle::spans(request).0) {
            for event in &span.events {
                prop_assert_eq!(&decode::event(&encode::event(event)), event);
            }
            for link in &span.links {
                prop_assert_eq!(&decode::link(&encode::link(link)), link);
            }
            for attribute in &span.attributes {
                prop_assert_eq!(&decode::attribute(&encode::attribute(attribute)), attribute);
                prop_assert_eq!(&decode::value(&encode::value(&attribute.value)), &attribute.value);
            }
        }
    }

    #[test]
    fn log_records_are_what_prost_says(request in generate::logs_request(), seed in any::<u64>()) {
        let body = request.encode_to_vec();
        logs_agree_with_prost(&body);
        logs_agree_with_prost(&mangle(&body, Form::LogsRequest, &mut Random(seed | 1)));
        let records: Vec<_> = oracle::logs(request).into_iter().filter_map(|(_, record)| record).collect();
        let mut again = Vec::new();
        logs::read(&encode::logs(&records), |item| again.extend(item.record)).unwrap();
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", grouped(records, log_header)));
    }

    #[test]
    fn random_bytes_are_taken_or_refused_as_prost_does(body in prop::collection::vec(any::<u8>(), 0..200)) {
        agrees_with_prost(&body);
        logs_agree_with_prost(&body);
        let _ = metrics::count(&body);
    }
}

/// Every field number up to 20 with every wire type, alone in every message there is.
#[test]
fn each_field_is_taken_with_its_own_wire_type_only() {
    let contents: [&[u8]; 8] = [&[1], &[7; 8], &[0], &[0x0b, 0x0c], &[], &[7; 4], &[], &[]];
    let traces: [&[u64]; 20] = [
        &[],
        &[1],
        &[1, 1],
        &[1, 1, 1],
        &[1, 1, 3],
        &[1, 2],
        &[1, 2, 1],
        &[1, 2, 1, 3],
        &[1, 2, 2],
        &[1, 2, 2, 9],
        &[1, 2, 2, 9, 2],
        &[1, 2, 2, 9, 2, 5],
        &[1, 2, 2, 9, 2, 5, 1],
        &[1, 2, 2, 9, 2, 6],
        &[1, 2, 2, 9, 2, 6, 1],
        &[1, 2, 2, 11],
        &[1, 2, 2, 11, 3],
        &[1, 2, 2, 13],
        &[1, 2, 2, 13, 4],
        &[1, 2, 2, 15],
    ];
    let logs: [&[u64]; 9] =
        [&[], &[1], &[1, 1], &[1, 2], &[1, 2, 1], &[1, 2, 2], &[1, 2, 2, 5], &[1, 2, 2, 6], &[1, 1, 1]];
    for (number, wire) in (1..=20).flat_map(|number| (0..8).map(move |wire| (number, wire))) {
        let mut alone = mangle::key(number, wire);
        alone.extend_from_slice(contents[usize::try_from(wire).unwrap()]);
        if wire == 3 {
            alone.extend(mangle::key(number, 4));
        }
        for path in traces {
            let body = path.iter().rev().fold(alone.clone(), |inner, number| mangle::field(*number, &inner));
            agrees_with_prost(&body);
        }
        for path in logs {
            let body = path.iter().rev().fold(alone.clone(), |inner, number| mangle::field(*number, &inner));
            logs_agree_with_prost(&body);
        }
    }
}

/// A long run: `TRACEFALL_FUZZ_BYTES=10000000000 cargo test --release --test laws_otlp wrecked`.
#[test]
fn wrecked_bodies_are_taken_or_refused_as_prost_does() {
    let mut budget = budget(60_000_000);
    let mut random = Random::seeded(0x9e37_79b9_7f4a_7c15);
    let mut traces = [frames("hmis-python-grpc.otlp.pb"), frames("billing-java.traces.pb.gz")].concat();
    traces.retain(|body| body.len() < 20_000);
    let mut logs = frames("billing-java.logs.pb.gz");
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let request = generate::request().new_tree(&mut runner).unwrap().current();
        traces.push(mangle(&request.encode_to_vec(), Form::Request, &mut random));
        let request = generate::logs_request().new_tree(&mut runner).unwrap().current();
        logs.push(mangle(&request.encode_to_vec(), Form::LogsRequest, &mut random));
    }
    let mut taken = [0_u64; 2];
    while budget > 0 {
        let body = wreck(&traces, &mut random);
        taken[usize::from(agrees_with_prost(&body))] += 1;
        let log = wreck(&logs, &mut random);
        logs_agree_with_prost(&log);
        let _ = metrics::count(&log);
        budget = budget.saturating_sub(body.len() + log.len() + 1);
    }
    assert!(taken[0] > 1_000 && taken[1] > 1_000, "both happen: {taken:?}");
}

#[test]
fn recorded_exports_are_read_as_prost_reads_them() {
    for (name, exports, spans, traces) in [
        ("hmis-python-grpc.otlp.pb", 24, 1_187, None),
        ("gateway-go.traces.pb.gz", 26, 11_652, Some(410)),
        ("billing-java.traces.pb.gz", 0, 323, Some(52)),
    ] {
        let bodies = frames(name);
        let mut seen = Vec::new();
        for body in &bodies {
            agrees_with_prost(body);
            seen.extend(decode::spans(body).unwrap());
        }
        assert!(exports == 0 || bodies.len() == exports, "{name}: {} exports", bodies.len());
        assert_eq!(seen.len(), spans, "{name}");
        let ids: HashSet<_> = seen.iter().map(|span| span.trace_id).collect();
        assert!(traces.is_none_or(|traces| traces == ids.len()), "{name}: {} traces", ids.len());
        let written = encode::spans(&seen);
        assert_eq!(pinned(decode::spans(&written).unwrap()), pinned(grouped(seen, span_header)), "{name}");
    }
}

#[test]
fn recorded_logs_and_metrics_are_counted_as_prost_counts_them() {
    let mut records = 0;
    for body in frames("billing-java.logs.pb.gz") {
        logs_agree_with_prost(&body);
        logs::read(&body, |item| records += usize::from(item.service.is_some())).unwrap();
    }
    assert!(records > 0);
    let mut points = 0;
    for body in frames("billing-java.metrics.pb.gz") {
        let counts = metrics::count(&body).unwrap();
        let expected = oracle::data_points(ExportMetricsServiceRequest::decode(&body[..]).unwrap());
        assert_eq!(counts, expected);
        points += counts.iter().map(|of| of.count).sum::<u64>();
    }
    assert!(points > 0);
}

//! Zipkin senders at their door: what a Collector's exporter posted, and mistakes.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::SocketAddr;

use tracefall::model::{RejectReason, Signal, Span, Timestamp, Value, lookup};
use tracefall::otlp::decode;
use tracefall::source::receiver::ReceiverConfig;

use crate::rig::{JSON, JSON_TYPE, PROTOBUF, Rig, config, gzip, protobuf, send, zlib};

const POST: &str = "POST /api/v2/spans";

/// Spans of the reduced fixture.
const SPANS: usize = 607;

fn rig() -> (Rig, SocketAddr) {
    let rig = Rig::with(ReceiverConfig { zipkin: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..config() });
    let door = rig.zipkin.unwrap();
    (rig, door)
}

fn spans(rig: &Rig) -> Vec<Span> {
    let taken = rig.taken.lock().unwrap();
    taken.iter().flat_map(|(_, body)| decode::spans(body).unwrap()).collect()
}

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/collector").join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn frames() -> Vec<Vec<u8>> {
    let bytes = fixture("zipkin-v2.pb.gz");
    let mut rest = &bytes[..];
    let mut frames = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (frame, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// Every export of the fixture, in JSON and in protobuf, under each compression.
#[tokio::test]
async fn exports_of_a_collector_arrive_whole_in_either_form() {
    let json = String::from_utf8(fixture("zipkin-v2.jsonl.gz")).unwrap();
    let json: Vec<Vec<u8>> = json.lines().map(|line| line.as_bytes().to_vec()).collect();
    for (media, bodies) in [(JSON_TYPE, json), (PROTOBUF, frames())] {
        let (rig, door) = rig();
        for (turn, body) in bodies.iter().enumerate() {
            let answer = match turn % 3 {
                0 => send(door, POST, &[media], body).await,
                1 => send(door, POST, &[media, "content-encoding: gzip"], &gzip(body)).await,
                _ => send(door, POST, &[media, "content-encoding: deflate"], &zlib(body)).await,
            };
            assert_eq!((answer.status, answer.body.len()), (202, 0), "{media} {turn}");
        }
        let spans = spans(&rig);
        assert_eq!(spans.len(), SPANS, "{media}");
        let services: BTreeSet<_> = spans
            .iter()
            .filter_map(|span| match lookup(&span.resource.attributes, "service.name") {
                Some(Value::Text(name)) => Some(name.lossy().into_owned()),
                _ => None,
            })
            .collect();
        let expected = ["gateway-http", "gateway-http-gzip", "hmis-backend", "hmis-insurance"];
        assert!(services.iter().eq(expected), "{services:?}");
        let source = rig.source(2);
        assert_eq!((source.name.as_str(), source.accepted[&Signal::Traces]), ("Zipkin", SPANS as u64));
        assert_eq!(source.last_arrival, Some(Timestamp(7)));
        assert!(rig.feed.board().mishaps().is_empty());
    }
}

#[tokio::test]
async fn missing_content_type_is_json_and_an_empty_list_is_a_question_whether_one_is_there() {
    let (rig, door) = rig();
    let answer = send(door, POST, &[], br#"[{"traceId":"463ac35c9f6413ad","id":"a2fb4a1d1a96d312"}]"#).await;
    assert_eq!((answer.status, spans(&rig).len()), (202, 1));
    assert_eq!(send(door, POST, &[JSON_TYPE], b"[]").await.status, 202);
}

#[tokio::test]
async fn bad_bodies_are_answered_with_400_and_the_reason() {
    let (rig, door) = rig();
    let cases: [(&str, &[u8], &str); 5] = [
        (JSON_TYPE, b"", "the body is empty"),
        (JSON_TYPE, b"[{", "not JSON"),
        (JSON_TYPE, br#"[{"traceId":"1","id":"2","binaryAnnotations":[]}]"#, "POST /api/v2/spans"),
        (JSON_TYPE, br#"[{"traceId":"0","id":"2"}]"#, "1 left out: trace id"),
        (PROTOBUF, b"[]", "not a ListOfSpans"),
    ];
    for (media, body, why) in cases {
        let answer = send(door, POST, &[media], body).await;
        assert_eq!(answer.status, 400, "{why}");
        assert!(answer.text().contains(why), "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(rig.mishap().advice.contains(why), "{:?}", rig.mishap());
    }
    assert_eq!(rig.rejected(RejectReason::MalformedBody), 4);
    assert_eq!(rig.rejected(RejectReason::InvalidTraceId), 1);
}

/// Zipkin's answer has no room for it.
#[tokio::test]
async fn spans_left_out_of_a_body_that_is_taken_are_told_on_screen() {
    let (rig, door) = rig();
    let answer = send(door, POST, &[], br#"[{"traceId":"1","id":"2"},{"traceId":"1"},7]"#).await;
    assert_eq!((answer.status, spans(&rig).len()), (202, 1));
    let advice = rig.mishap().advice;
    assert!(advice.contains("1 left out: span id") && advice.contains("1 left out: the item"), "{advice}");
}

#[tokio::test]
async fn mistaken_senders_are_told_what_to_set() {
    let (rig, door) = rig();
    let url = format!("http://localhost:{}/api/v2/spans", door.port());
    let cases = [
        ("POST /api/v1/spans", JSON_TYPE, 404, "Zipkin v1 is not taken: set the sender's encoding to JSON_V2"),
        ("POST /api/v1/spans", "content-type: application/x-thrift", 404, &*url),
        ("POST /", JSON_TYPE, 404, "the path is missing"),
        ("POST /spans", JSON_TYPE, 404, &*url),
        ("GET /api/v2/spans", JSON_TYPE, 405, "POST"),
        (POST, "content-type: application/x-thrift", 415, "JSON_V2"),
    ];
    for (line, media, status, advice) in cases {
        let answer = send(door, line, &[media], b"[]").await;
        assert_eq!(answer.status, status, "{line}");
        assert!(answer.text().contains(advice), "{line}: {}", answer.text());
        assert!(rig.mishap().what.starts_with(line), "{:?}", rig.mishap());
    }
    // At the wrong door, with and without a right one.
    let answer = send(rig.http, POST, &[JSON_TYPE], b"[]").await;
    assert!(answer.status == 404 && answer.text().contains(&url), "{}", answer.text());
    let without = Rig::start();
    let answer = send(without.http, POST, &[JSON_TYPE], b"[]").await;
    assert!(answer.text().contains("start tracefall with --zipkin"), "{}", answer.text());
}

#[tokio::test]
async fn otlp_at_the_door_for_zipkin_is_taken_and_told_its_usual_address() {
    let (rig, door) = rig();
    assert_eq!(send(door, "POST /v1/traces", &[PROTOBUF], &protobuf()).await.status, 200);
    assert_eq!(send(door, "POST /v1/traces", &[JSON_TYPE], JSON.as_bytes()).await.status, 200);
    assert_eq!(rig.taken(), 2);
    assert!(rig.mishap().advice.contains("the usual address of OTLP/HTTP"), "{:?}", rig.mishap());
}

#[tokio::test]
async fn too_large_a_body_is_refused_for_good() {
    let (rig, door) = rig();
    let large = vec![b' '; crate::rig::LIMIT + 1];
    assert_eq!(send(door, POST, &[JSON_TYPE], &large).await.status, 413);
    assert_eq!(send(door, POST, &[JSON_TYPE, "content-encoding: gzip"], &gzip(&large)).await.status, 413);
    assert_eq!(rig.taken(), 0);
}

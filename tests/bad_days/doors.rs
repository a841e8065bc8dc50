//! Truncated, random and hostile bodies at each door: both protocols on both ports, each encoding, each compression.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpStream;
use tracefall::model::TraceId;

use crate::house::{House, good};
use crate::rig::{JSON, LIMIT, gzip, post, zlib, zstd};
use crate::wreck::Random;

pub(crate) type Coding = (&'static str, fn(&[u8]) -> Vec<u8>);

pub(crate) const CODINGS: [Coding; 4] =
    [("identity", <[u8]>::to_vec), ("gzip", gzip), ("deflate", zlib), ("zstd", zstd)];

/// A connection that speaks gRPC.
pub(crate) struct Caller(SendRequest<Full<Bytes>>);

impl Caller {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    /// Calls `Export` with `message`, compressed already as `coding` says; the status.
    pub(crate) async fn export(&mut self, coding: &str, message: &[u8]) -> u16 {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let body = [&[u8::from(coding != "identity")], &length[..], message].concat();
        let request = Request::post("http://x/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        let request = request.header("grpc-encoding", coding).body(Full::from(body)).unwrap();
        let (parts, body) = self.0.send_request(request).await.unwrap().into_parts();
        assert_eq!(parts.status, 200);
        let trailers = body.collect().await.unwrap().trailers().cloned();
        let status = |headers: &HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
        status(&parts.headers).or_else(|| status(&trailers?)).expect("a status")
    }
}

/// `body` cut in three places, and noise where it was.
fn damaged(body: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let cuts = [1, body.len() / 2, body.len() - 1].map(|end| body[..end].to_vec());
    let noise =
        [7, 300, 20_000].map(|size| [&[0xff; 12][..], &(0..size).map(|_| random.byte()).collect::<Vec<_>>()].concat());
    [&cuts[..], &noise].concat()
}

#[tokio::test]
async fn damaged_protobuf_is_refused_whole_at_every_door() {
    let house = House::open();
    let mut random = Random(42);
    let mut refused = 0;
    for address in [house.rig.grpc, house.rig.http] {
        let mut caller = Caller::to(address).await;
        for (coding, compress) in CODINGS {
            // Damaged on the way, and damaged before it was compressed.
            let outside = damaged(&compress(&good(TraceId([7; 16]))), &mut random);
            let inside = damaged(&good(TraceId([7; 16])), &mut random);
            for body in outside.into_iter().chain(inside.iter().map(|body| compress(body))) {
                let headers = ["content-type: application/x-protobuf", &format!("content-encoding: {coding}")];
                let answer = post(address, &headers, &body).await;
                assert_eq!(answer.status, 400, "{coding} {body:?}");
                assert!(!answer.body.is_empty() && answer.body.len() < 1_000);
                assert_eq!(caller.export(coding, &body).await, 3, "{coding} {body:?}");
                refused += 2;
                assert_eq!(house.refused(), refused, "each is counted once");
            }
            let trace = TraceId([u8::try_from(refused).unwrap_or(1).max(1); 16]);
            assert_eq!(caller.export(coding, &compress(&good(trace))).await, 0, "the connection goes on");
        }
        house.assert_well().await;
    }
    assert!(house.view().trace(TraceId([7; 16])).is_none(), "nothing is kept of a broken body");
}

#[tokio::test]
async fn damaged_json_is_refused_whole_at_every_door() {
    let house = House::open();
    let mut random = Random(43);
    for address in [house.rig.grpc, house.rig.http] {
        for (coding, compress) in CODINGS {
            let outside = damaged(&compress(JSON.as_bytes()), &mut random);
            let inside = damaged(JSON.as_bytes(), &mut random);
            for body in outside.into_iter().chain(inside.iter().map(|body| compress(body))) {
                let before = house.refused();
                let headers = ["content-type: application/json", &format!("content-encoding: {coding}")];
                let answer = post(address, &headers, &body).await;
                assert_eq!(answer.status, 400, "{coding}: {}", answer.text());
                let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(said["code"], 3, "{said}");
                assert!(!said["message"].as_str().unwrap().contains(char::is_control), "{said}");
                assert_eq!(house.refused(), before + 1);
            }
            let headers = ["content-type: application/json", &format!("content-encoding: {coding}")];
            assert_eq!(post(address, &headers, &compress(JSON.as_bytes())).await.status, 200, "{coding}");
        }
        house.assert_well().await;
    }
}

/// What is small on the way and large afterwards, in every disguise; `None` where what comes out is small but broken.
fn bombs() -> Vec<(&'static str, Vec<u8>, bool)> {
    let zeros = vec![0; 64 << 20];
    let (once, thrice) = (gzip(&zeros), gzip(&gzip(&gzip(&zeros))));
    let member = gzip(&zeros[..LIMIT / 64]);
    let frame = zstd(&zeros[..LIMIT / 64]);
    vec![
        ("gzip", once, true),
        ("deflate", zlib(&zeros), true),
        ("zstd", zstd(&zeros), true),
        ("gzip", member.repeat(65), true),
        ("zstd", frame.repeat(65), true),
        // Unpacked once, as it says: what comes out is gzip, not protobuf.
        ("gzip", thrice, false),
        ("gzip", gzip(b"").repeat(20_000), false),
        ("zstd", [&zstd(b"").repeat(20_000)[..], b"\x28"].concat(), false),
        ("zstd", [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0].repeat(50_000), false),
        ("deflate", [&[0, 0, 0, 0xff, 0xff].repeat(100_000)[..], &[7]].concat(), false),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decompression_bombs_stop_at_the_limit_at_every_door() {
    let house = House::open();
    let bombs = bombs();
    for address in [house.rig.grpc, house.rig.http] {
        let mut caller = Caller::to(address).await;
        for (turn, (coding, body, large)) in bombs.iter().enumerate() {
            assert!(body.len() < LIMIT);
            for media in ["application/x-protobuf", "application/json"] {
                let headers = [&format!("content-type: {media}"), &format!("content-encoding: {coding}")];
                let answer = post(address, &headers.map(String::as_str), body).await;
                let fine = if *large { answer.status == 413 } else { [200, 400].contains(&answer.status) };
                assert!(fine, "bomb {turn} {media}: {}", answer.status);
            }
            let status = caller.export(coding, body).await;
            let fine = if *large { status == 8 } else { [0, 3].contains(&status) };
            assert!(fine, "bomb {turn}: {status}");
        }
    }
    let twice =
        post(house.rig.http, &["content-type: application/json", "content-encoding: gzip, gzip"], &bombs[5].1).await;
    assert_eq!(twice.status, 400, "what is said to be packed twice is not unpacked at all");
    house.assert_well().await;
}

/// Each number of one digit takes eight bytes as protobuf: a body within the limit came out at four times the limit, and
/// more was held than was paid for.
#[tokio::test]
async fn json_that_grows_beyond_the_limit_is_too_large() {
    let house = House::open();
    let counts = "0,".repeat(LIMIT / 3);
    let point =
        format!(r#"{{"metrics":[{{"name":"m","histogram":{{"dataPoints":[{{"bucketCounts":[{counts}0]}}]}}}}]}}"#);
    let grows = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{point}]}}]}}"#);
    let answer =
        crate::rig::send(house.rig.http, "POST /v1/metrics", &["content-type: application/json"], grows.as_bytes());
    assert_eq!(answer.await.status, 413);
    let mut bytes = br#"{"resourceSpans":[{"schemaUrl":""#.to_vec();
    bytes.resize(LIMIT / 2, 0xff);
    bytes.extend(br#""}]}"#);
    assert_eq!(post(house.rig.http, &["content-type: application/json"], &bytes).await.status, 413);
    house.assert_well().await;
}

#[tokio::test]
async fn one_sender_that_does_everything_wrong_disturbs_no_other() {
    let house = House::open();
    let trace = TraceId([9; 16]);
    let request = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode(&good(trace)[..]);
    let body = request.unwrap().encode_to_vec();
    let (mut good_caller, mut bad_caller) = (Caller::to(house.rig.grpc).await, Caller::to(house.rig.grpc).await);
    for turn in 0..50_u8 {
        let noise = vec![0xff; 1 + usize::from(turn) * 100];
        let (bad, fine) = tokio::join!(bad_caller.export("gzip", &noise), good_caller.export("identity", &body));
        assert_eq!((bad, fine), (3, 0));
    }
    assert_eq!(house.view().stats().duplicates, 98, "retries of the same two spans change nothing");
    assert_eq!(house.view().trace(trace).unwrap().spans.len(), 2);
    house.assert_well().await;
}

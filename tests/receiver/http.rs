//! OTLP/HTTP.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tracefall::model::{RejectReason, Signal};

use crate::rig::{
    Answer, JSON, JSON_TYPE, LIMIT, Line, PROTOBUF, Rig, gzip, post, protobuf, request, send, zlib, zstd,
};

/// What an answer's `google.rpc.Status` says, in protobuf: field 1 is the code, field 2 the message.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn status(answer: &Answer) -> RpcStatus {
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    RpcStatus::decode(answer.body.as_slice()).unwrap()
}

#[tokio::test]
async fn every_encoding_is_taken_on_both_ports() {
    let rig = Rig::start();
    let plain = protobuf();
    let bodies = [
        (PROTOBUF, "x: y", plain.clone()),
        (PROTOBUF, "content-encoding: gzip", gzip(&plain)),
        (PROTOBUF, "content-encoding: x-gzip", gzip(&plain)),
        (PROTOBUF, "content-encoding: zstd", zstd(&plain)),
        (PROTOBUF, "content-encoding: deflate", zlib(&plain)),
        (PROTOBUF, "content-encoding: identity", plain.clone()),
        ("Content-Type: Application/X-Protobuf; charset=utf-8", "x: y", plain.clone()),
        (JSON_TYPE, "x: y", JSON.as_bytes().to_vec()),
        ("content-type: application/json; charset=utf-8", "content-encoding: gzip", gzip(JSON.as_bytes())),
        (JSON_TYPE, "content-encoding: zstd", zstd(JSON.as_bytes())),
    ];
    for address in [rig.grpc, rig.http] {
        for (media, coding, body) in &bodies {
            let answer = post(address, &[media, coding], body).await;
            assert_eq!(answer.status, 200, "{media} {coding}: {}", answer.text());
            if media.contains("json") {
                assert_eq!(answer.header("content-type"), Some("application/json"));
                assert_eq!(answer.text(), "{}");
            } else {
                assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
                assert_eq!(answer.body, b"", "full success has no partial_success");
            }
        }
    }
    assert_eq!(rig.taken(), 2 * bodies.len());
    let taken = rig.taken.lock().unwrap().clone();
    assert!(taken.iter().filter(|(_, body)| *body == plain).count() == 14, "protobuf goes on untouched");
    assert_eq!(rig.source(0).accepted[&Signal::Traces], 7 * 2 + 3);
    assert_eq!(rig.source(1).accepted[&Signal::Traces], 7 * 2 + 3);
}

#[tokio::test]
async fn logs_and_metrics_are_acknowledged() {
    let rig = Rig::start();
    for (path, signal) in [("/v1/logs", Signal::Logs), ("/v1/metrics", Signal::Metrics)] {
        let answer = send(rig.http, &format!("POST {path}"), &[PROTOBUF], b"").await;
        assert_eq!(answer.status, 200);
        assert_eq!(rig.taken.lock().unwrap().last().unwrap().0, signal);
    }
}

#[tokio::test]
async fn empty_request_is_a_success() {
    let rig = Rig::start();
    for (media, coding, body) in [
        (PROTOBUF, "x: y", &b""[..]),
        (JSON_TYPE, "x: y", b""),
        (JSON_TYPE, "x: y", b"{}"),
        (PROTOBUF, "content-encoding: gzip", b""),
    ] {
        assert_eq!(post(rig.http, &[media, coding], body).await.status, 200, "{media} {coding}");
    }
}

#[tokio::test]
async fn part_that_was_refused_is_told_in_both_encodings() {
    let rig = Rig::start();
    let body = request(&["good", "bad"], true).encode_to_vec();
    let answer = post(rig.http, &[PROTOBUF], &body).await;
    assert_eq!(answer.status, 200);
    let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("span id"), "{}", partial.error_message);

    let json = JSON.replace("0102030405060708\"", "abcd\"");
    let answer = post(rig.http, &[JSON_TYPE], json.as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("rejectedSpans"), "{}", answer.text());
    assert_eq!(rig.rejected(RejectReason::InvalidSpanId), 2);
}

#[tokio::test]
async fn chunked_bodies_in_any_pieces_arrive_whole() {
    let rig = Rig::start();
    let body = gzip(&protobuf());
    for piece in [1, 7, body.len()] {
        let mut line = Line::to(rig.http).await;
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-encoding: gzip\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        line.write(head.as_bytes()).await;
        for chunk in body.chunks(piece) {
            line.write(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
            line.write(chunk).await;
            line.write(b"\r\n").await;
        }
        line.write(b"0\r\n\r\n").await;
        assert_eq!(line.answer().await.unwrap().status, 200);
    }
    assert!(rig.taken.lock().unwrap().iter().all(|(_, taken)| *taken == protobuf()));
}

#[tokio::test]
async fn body_above_the_limit_is_refused_in_every_disguise() {
    let rig = Rig::start();
    let large = vec![0; LIMIT + 1];
    let cases = [
        ("x: y", large.clone()),
        ("content-encoding: gzip", gzip(&large)),
        ("content-encoding: deflate", zlib(&large)),
        ("content-encoding: zstd", zstd(&large)),
    ];
    for (coding, body) in &cases {
        let answer = post(rig.http, &[PROTOBUF, coding], body).await;
        assert_eq!(answer.status, 413, "{coding}");
        let status = status(&answer);
        assert_eq!(status.code, 8);
        assert!(status.message.contains("1048576 bytes"), "{}", status.message);
    }
    assert_eq!(rig.rejected(RejectReason::BodyTooLarge), 4);
    assert_eq!(rig.taken(), 0);
    assert_eq!(rig.feed.held(), 0);
}

#[tokio::test]
async fn declared_length_above_the_limit_is_refused_before_the_body_comes() {
    let rig = Rig::start();
    let mut line = Line::to(rig.http).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: 99999999999\r\n\r\n");
    line.write(head.as_bytes()).await;
    assert_eq!(line.answer().await.unwrap().status, 413);
}

#[tokio::test]
async fn chunked_body_without_end_is_refused_at_the_limit() {
    let rig = Rig::start();
    let mut line = Line::to(rig.http).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ntransfer-encoding: chunked\r\n\r\n");
    line.write(head.as_bytes()).await;
    let chunk = [b"10000\r\n".to_vec(), vec![0; 0x10000], b"\r\n".to_vec()].concat();
    for _ in 0..=LIMIT / 0x10000 {
        line.write(&chunk).await;
    }
    assert_eq!(line.answer().await.unwrap().status, 413);
}

#[tokio::test]
async fn body_at_the_limit_is_read() {
    let rig = Rig::start();
    let answer = post(rig.http, &[PROTOBUF], &vec![0; LIMIT]).await;
    assert_eq!(answer.status, 400, "zeros are no protobuf, but they were looked at");
}

#[tokio::test]
async fn broken_bodies_are_refused_whole_and_counted() {
    let rig = Rig::start();
    let mut cut = gzip(&protobuf());
    cut.truncate(cut.len() / 2);
    let mut cut_zstd = zstd(&protobuf());
    cut_zstd.truncate(cut_zstd.len() / 2);
    let cases: [(&str, &str, &[u8], RejectReason); 6] = [
        (PROTOBUF, "x: y", b"\xff\xff\xff", RejectReason::MalformedBody),
        (PROTOBUF, "content-encoding: gzip", &cut, RejectReason::BadCompression),
        (PROTOBUF, "content-encoding: gzip", b"plain", RejectReason::BadCompression),
        (PROTOBUF, "content-encoding: zstd", b"plain", RejectReason::BadCompression),
        (PROTOBUF, "content-encoding: zstd", &cut_zstd, RejectReason::BadCompression),
        (PROTOBUF, "content-encoding: br", b"plain", RejectReason::BadRequest),
    ];
    for (media, coding, body, reason) in cases {
        let before = rig.rejected(reason);
        let answer = post(rig.http, &[media, coding], body).await;
        assert_eq!(answer.status, 400, "{coding}");
        assert_ne!(status(&answer).message, "");
        assert_eq!(rig.rejected(reason), before + 1, "{coding}");
    }
    let answer = post(rig.http, &[JSON_TYPE], b"{\"resourceSpans\":[").await;
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")));
    assert!(answer.text().contains("message"), "{}", answer.text());
    assert_eq!(rig.rejected(RejectReason::MalformedBody), 2);
    assert_eq!(rig.taken(), 0);
    assert_eq!(rig.feed.held(), 0);
}

#[tokio::test]
async fn several_zstd_frames_and_gzip_members_are_one_body() {
    let rig = Rig::start();
    let body = protobuf();
    let (first, second) = body.split_at(body.len() / 2);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let frames = [zstd(first), skippable, zstd(second)].concat();
    let members = [gzip(first), gzip(second)].concat();
    for (coding, wire) in [("content-encoding: zstd", frames), ("content-encoding: gzip", members)] {
        assert_eq!(post(rig.http, &[PROTOBUF, coding], &wire).await.status, 200, "{coding}");
    }
    assert!(rig.taken.lock().unwrap().iter().all(|(_, taken)| *taken == body));
}

#[tokio::test]
async fn requests_share_a_connection_even_after_a_refusal() {
    let rig = Rig::start();
    let mut line = Line::to(rig.http).await;
    let body = protobuf();
    let head =
        |path: &str| format!("POST {path} HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: {}\r\n\r\n", body.len());
    let good = [head("/v1/traces").as_bytes(), &body].concat();
    let bad = [head("/nowhere").as_bytes(), &body].concat();
    line.write(&[good.clone(), good.clone()].concat()).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert_eq!(line.answer().await.unwrap().status, 200);
    line.write(&bad).await;
    assert_eq!(line.answer().await.unwrap().status, 404);
    line.write(&good).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn sender_that_closes_its_half_still_gets_the_answer() {
    let rig = Rig::start();
    let mut line = Line::to(rig.http).await;
    let body = protobuf();
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: {}\r\n\r\n", body.len());
    line.write(&[head.as_bytes(), &body].concat()).await;
    line.0.shutdown().await.unwrap();
    assert_eq!(line.answer().await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_senders_at_once_lose_nothing() {
    let rig = Rig::start();
    let (grpc, http) = (rig.grpc, rig.http);
    let senders: Vec<_> = (0..64)
        .map(|turn| {
            tokio::spawn(async move {
                let address = if turn % 2 == 0 { grpc } else { http };
                for _ in 0..8 {
                    let answer = post(address, &[PROTOBUF, "content-encoding: gzip"], &gzip(&protobuf())).await;
                    assert_eq!(answer.status, 200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(rig.taken(), 512);
    assert_eq!(rig.source(0).accepted[&Signal::Traces] + rig.source(1).accepted[&Signal::Traces], 1024);
    assert_eq!(rig.feed.held(), 0);
}

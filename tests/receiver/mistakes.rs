//! What senders get wrong, and what they and the person at the screen are told.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tracefall::model::RejectReason;
use tracefall::source::receiver::{Limits, ReceiverConfig};

use crate::rig::{Answer, JSON, JSON_TYPE, Line, PROTOBUF, Rig, config, post, protobuf, send};

/// Writes bytes that are not HTTP and reads all that comes back.
async fn blurt(address: SocketAddr, bytes: &[u8]) -> String {
    let mut line = Line::to(address).await;
    line.write(bytes).await;
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), line.0.read_to_end(&mut all)).await;
    read.expect("the connection is closed").unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn missing_path_is_named_with_the_right_address() {
    let rig = Rig::start();
    let answer = send(rig.grpc, "POST /", &[PROTOBUF], &protobuf()).await;
    assert_eq!(answer.status, 404);
    let advice = format!("the path is missing: set the endpoint to http://localhost:{}/v1/traces", rig.http.port());
    assert!(answer.text().contains(&advice), "{}", answer.text());
    let mishap = rig.mishap();
    assert_eq!(mishap.advice, advice);
    let what = format!("POST / over HTTP/1.1 arrived at {} from 127.0.0.1:", rig.grpc.port());
    assert!(mishap.what.starts_with(&what), "{}", mishap.what);
    assert_eq!((mishap.count, mishap.at.0), (1, 7));
    send(rig.grpc, "POST /", &[PROTOBUF], &protobuf()).await;
    assert_eq!(rig.mishap().count, 2);
    assert_eq!(rig.rejected(RejectReason::BadRequest), 2);
    assert_eq!(rig.taken(), 0);
}

#[tokio::test]
async fn wrong_requests_are_answered_by_the_book() {
    let rig = Rig::start();
    let cases = [
        ("POST /v1/trace", PROTOBUF, 404),
        ("POST /v1/traces/", PROTOBUF, 404),
        ("POST /api/v2/spans", JSON_TYPE, 404),
        ("POST /api/traces?format=jaeger.thrift", "content-type: application/x-thrift", 404),
        ("GET /", "x: y", 404),
        ("GET /v1/traces", "x: y", 405),
        ("PUT /v1/logs", JSON_TYPE, 405),
        ("POST /v1/traces", "content-type: text/plain", 415),
        ("POST /v1/traces", "x: y", 415),
        ("POST /v1/traces", "content-type: application/grpc-web+proto", 200),
        ("POST /v1/traces", "content-type: application/grpc", 200),
    ];
    for (turn, (line, header, status)) in cases.into_iter().enumerate() {
        let answer: Answer = send(rig.http, line, &[header], b"abc").await;
        assert_eq!(answer.status, status, "{line} {header}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("POST, OPTIONS"));
        let media = match (header, status) {
            (_, 200) => "application/grpc",
            (PROTOBUF, _) => "application/x-protobuf",
            _ => "application/json",
        };
        assert_eq!(answer.header("content-type"), Some(media), "{line} {header}");
        assert_eq!(rig.feed.board().mishaps().len(), turn + 1, "{line} {header} is noted");
    }
    assert_eq!(rig.rejected(RejectReason::BadRequest), 11);
    assert_eq!(rig.taken(), 0);
}

#[tokio::test]
async fn tls_on_a_plain_port_is_named_and_answered_in_plain_text() {
    let rig = Rig::start();
    let hello = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), vec![7; 506]].concat();
    for address in [rig.grpc, rig.http] {
        let answer = blurt(address, &hello).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains(&format!("http://localhost:{}", address.port())), "{answer}");
        let mishap = rig.mishap();
        assert!(mishap.what.starts_with(&format!("a TLS handshake arrived at {} from", address.port())));
        assert!(mishap.advice.contains("OTEL_EXPORTER_OTLP_INSECURE=true"));
    }
    assert_eq!(rig.rejected(RejectReason::BadRequest), 2);
}

#[tokio::test]
async fn noise_that_is_not_http_is_named_and_harms_nobody() {
    let rig = Rig::start();
    for noise in [&b"\x00\x01\x02\x03"[..], b"\x82\x81\x07\x02\x03", b"HELO mail\r\n\r\n", b"POST \x1b[2J\r\n\r\n"] {
        let answer = blurt(rig.http, noise).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{noise:?}: {answer}");
        rig.until(|feed| feed.board().mishaps().len() == 1).await;
        assert!(rig.mishap().what.starts_with("something that is not HTTP arrived at"));
    }
    rig.until(|feed| feed.board().mishaps()[0].count == 4).await;
    assert_eq!(post(rig.http, &[JSON_TYPE], JSON.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn escape_sequences_of_senders_are_shown_harmless() {
    let rig = Rig::start();
    let answer = post(rig.http, &["content-type: te\u{9b}xt/\tplain"], b"").await;
    assert_eq!(answer.status, 415);
    let text = format!("{:?}", rig.mishap().advice);
    assert!(rig.mishap().advice.chars().all(|c| !c.is_control()), "{text}");
}

#[tokio::test]
async fn other_ports_protocol_is_taken_and_noted_once_a_connection() {
    let rig = Rig::start();
    let mut line = Line::to(rig.grpc).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: 0\r\n\r\n");
    for _ in 0..3 {
        line.write(head.as_bytes()).await;
        assert_eq!(line.answer().await.unwrap().status, 200);
    }
    let mishap = rig.mishap();
    assert_eq!(mishap.count, 1);
    assert!(mishap.advice.contains(&format!("OTLP/HTTP is http://localhost:{}", rig.http.port())), "{mishap:?}");
    assert_eq!(rig.rejected(RejectReason::BadRequest), 0);
    post(rig.http, &[PROTOBUF], b"").await;
    assert_eq!(rig.feed.board().mishaps().len(), 1, "at home nothing is noted");
}

#[tokio::test]
async fn senders_that_dawdle_are_given_up() {
    let short = Duration::from_millis(20);
    let limits = Limits { idle: short, ..config().limits };
    let rig = Rig::with(ReceiverConfig { limits, ..config() });
    for start in [&b""[..], b"P", b"PRI * HT", b"POST /v1/tra"] {
        let answer = blurt(rig.http, start).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn body_that_stands_still_is_given_up() {
    let limits = Limits { stall: Duration::from_millis(20), ..config().limits };
    let rig = Rig::with(ReceiverConfig { limits, ..config() });
    let mut line = Line::to(rig.http).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: 10\r\n\r\nabc");
    line.write(head.as_bytes()).await;
    assert_eq!(line.answer().await.unwrap().status, 408);
    assert_eq!(rig.feed.held(), 0);
}

/// A few of them would hold the whole budget for as long as they like.
#[tokio::test]
async fn body_that_trickles_is_given_up() {
    let limits = Limits { stall: Duration::from_millis(100), ..config().limits };
    let rig = Rig::with(ReceiverConfig { limits, ..config() });
    let mut stream = TcpStream::connect(rig.http).await.unwrap();
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: 100000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    let mut answer = [0; 12];
    // Two seconds of it: far more than the patience there is, far less than the whole.
    for _ in 0..400 {
        tokio::select! {
            read = stream.read(&mut answer) => {
                assert_eq!(read.unwrap(), answer.len());
                break;
            }
            _ = pace.tick() => stream.write_all(b"x").await.unwrap(),
        }
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(rig.feed.held(), 0);
}

//! OTLP/gRPC, with the official clients and with frames made by hand.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;
use tonic::client::GrpcService as _;
use tonic::codegen::http::{HeaderMap, Request};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tracefall::model::{RejectReason, Signal};

use crate::rig::{JSON, JSON_TYPE, LIMIT, PROTOBUF, Rig, gzip, protobuf, request, zlib, zstd};

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    Endpoint::try_from(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// A length-prefixed message.
fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// What came back: the body, and headers and trailers together.
struct Reply {
    http: u16,
    body: Vec<u8>,
    head: HeaderMap,
}

impl Reply {
    fn code(&self) -> Code {
        Status::from_header_map(&self.head).map_or(Code::Unknown, |status| status.code())
    }

    fn message(&self) -> String {
        Status::from_header_map(&self.head).unwrap().message().to_owned()
    }
}

/// Sends `body` over HTTP/2 as it is.
async fn call(channel: &mut Channel, path: &str, headers: &[&str], body: Vec<u8>) -> Reply {
    let mut request = Request::post(path);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let request = request.body(tonic::body::Body::new(Full::from(body).map_err(|never| match never {}))).unwrap();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let (parts, body) = channel.call(request).await.unwrap().into_parts();
    let collected = body.collect().await.unwrap();
    let mut head = parts.headers;
    head.extend(collected.trailers().cloned().unwrap_or_default());
    Reply { http: parts.status.as_u16(), body: collected.to_bytes().to_vec(), head }
}

const GRPC: &str = "content-type: application/grpc";

#[tokio::test]
async fn official_clients_are_answered_on_both_ports() {
    let rig = Rig::start();
    for address in [rig.grpc, rig.http] {
        let channel = channel(address).await;
        let export = request(&["GET /", "SELECT"], false);
        let answer = TraceServiceClient::new(channel.clone()).export(export).await.unwrap();
        assert_eq!(answer.into_inner().partial_success, None);
        LogsServiceClient::new(channel.clone()).export(ExportLogsServiceRequest::default()).await.unwrap();
        MetricsServiceClient::new(channel.clone()).export(ExportMetricsServiceRequest::default()).await.unwrap();
        TraceServiceClient::new(channel).export(ExportTraceServiceRequest::default()).await.unwrap();
    }
    assert_eq!(rig.taken(), 8);
    assert_eq!(rig.source(0).accepted[&Signal::Traces], 2);
    assert_eq!(rig.source(1).accepted[&Signal::Traces], 2);
    assert_eq!(rig.taken.lock().unwrap()[0].1, protobuf());
}

#[tokio::test]
async fn spans_that_were_refused_are_told() {
    let rig = Rig::start();
    let answer = TraceServiceClient::new(channel(rig.grpc).await).export(request(&["good", "bad"], true)).await;
    let partial = answer.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("span id"));
}

#[tokio::test]
async fn compressed_messages_are_taken() {
    let rig = Rig::start();
    let mut channel = channel(rig.grpc).await;
    let plain = protobuf();
    let cases = [
        ("x: y", frame(0, &plain)),
        ("grpc-encoding: identity", frame(0, &plain)),
        ("grpc-encoding: gzip", frame(1, &gzip(&plain))),
        ("grpc-encoding: gzip", frame(0, &plain)),
        ("grpc-encoding: zstd", frame(1, &zstd(&plain))),
        ("grpc-encoding: deflate", frame(1, &zlib(&plain))),
    ];
    for (coding, body) in &cases {
        for media in [GRPC, "content-type: application/grpc+proto"] {
            let reply = call(&mut channel, EXPORT, &[media, "te: trailers", coding], body.clone()).await;
            assert_eq!((reply.http, reply.code()), (200, Code::Ok), "{coding}");
            assert_eq!(reply.head["content-type"], "application/grpc");
            assert_eq!(reply.body, frame(0, b""));
        }
    }
    assert!(rig.taken.lock().unwrap().iter().all(|(_, body)| *body == plain));
    assert_eq!(rig.taken(), 2 * cases.len());
}

#[tokio::test]
async fn calls_that_make_no_sense_get_a_status_that_is_not_retried() {
    let rig = Rig::start();
    let mut channel = channel(rig.grpc).await;
    let plain = protobuf();
    let two = [frame(0, &plain), frame(0, &plain)].concat();
    let mut short = frame(0, &plain);
    short.pop();
    let large = vec![0; LIMIT + 1];
    let cases: [(&str, Vec<u8>, Code, RejectReason); 12] = [
        ("x: y", frame(0, b"\xff\xff\xff"), Code::InvalidArgument, RejectReason::MalformedBody),
        ("x: y", Vec::new(), Code::InvalidArgument, RejectReason::MalformedBody),
        ("x: y", b"{\"resourceSpans\":[]}".to_vec(), Code::InvalidArgument, RejectReason::MalformedBody),
        ("x: y", two, Code::InvalidArgument, RejectReason::MalformedBody),
        ("x: y", short, Code::InvalidArgument, RejectReason::MalformedBody),
        ("x: y", frame(1, &gzip(&plain)), Code::InvalidArgument, RejectReason::MalformedBody),
        ("grpc-encoding: gzip", frame(1, b"plain"), Code::InvalidArgument, RejectReason::BadCompression),
        ("grpc-encoding: snappy", frame(1, b"plain"), Code::Unimplemented, RejectReason::BadRequest),
        ("x: y", frame(0, &large), Code::ResourceExhausted, RejectReason::BodyTooLarge),
        ("grpc-encoding: gzip", frame(1, &gzip(&large)), Code::ResourceExhausted, RejectReason::BodyTooLarge),
        ("grpc-encoding: zstd", frame(1, &zstd(&large)), Code::ResourceExhausted, RejectReason::BodyTooLarge),
        ("x: y", b"\0\xff\xff\xff\xff".to_vec(), Code::ResourceExhausted, RejectReason::BodyTooLarge),
    ];
    for (turn, (coding, body, code, reason)) in cases.into_iter().enumerate() {
        let before = rig.rejected(reason);
        let reply = call(&mut channel, EXPORT, &[GRPC, coding], body).await;
        assert_eq!((reply.http, reply.code()), (200, code), "case {turn}: {}", reply.message());
        assert!(!reply.head.contains_key("grpc-status-details-bin"), "no RetryInfo");
        assert_eq!(rig.rejected(reason), before + 1, "case {turn}");
        if code == Code::Unimplemented {
            assert_eq!(reply.head["grpc-accept-encoding"], "identity,gzip,zstd,deflate");
        }
    }
    assert_eq!(rig.taken(), 0);
    assert_eq!(rig.feed.held(), 0);
    let good = call(&mut channel, EXPORT, &[GRPC], frame(0, &plain)).await;
    assert_eq!(good.code(), Code::Ok, "the connection goes on");
}

#[tokio::test]
async fn oversized_message_of_an_official_client_is_not_retried() {
    let rig = Rig::start();
    let long = "x".repeat(LIMIT);
    let answer = TraceServiceClient::new(channel(rig.grpc).await).export(request(&[&long], false)).await;
    assert_eq!(answer.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn unknown_method_is_unimplemented_and_named() {
    let rig = Rig::start();
    let mut channel = channel(rig.grpc).await;
    let reply = call(&mut channel, "/grpc.health.v1.Health/Check", &[GRPC], frame(0, b"")).await;
    assert_eq!((reply.http, reply.code()), (200, Code::Unimplemented));
    assert!(rig.mishap().what.starts_with("POST /grpc.health.v1.Health/Check over HTTP/2.0"), "{:?}", rig.mishap());
}

#[tokio::test]
async fn otlp_over_http_2_is_taken_beside_grpc() {
    let rig = Rig::start();
    let mut channel = channel(rig.grpc).await;
    let reply = call(&mut channel, "/v1/traces", &[JSON_TYPE], JSON.as_bytes().to_vec()).await;
    assert_eq!((reply.http, reply.body.as_slice()), (200, &b"{}"[..]));
    let reply = call(&mut channel, "/v1/traces", &[PROTOBUF], vec![0; LIMIT + 1]).await;
    assert_eq!(reply.http, 413);
    let reply = call(&mut channel, EXPORT, &[GRPC], frame(0, &protobuf())).await;
    let answer = ExportTraceServiceResponse::decode(&reply.body[5..]).unwrap();
    assert_eq!((reply.code(), answer.partial_success), (Code::Ok, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_on_one_connection_are_all_answered() {
    let rig = Rig::start();
    let channel = channel(rig.grpc).await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let mut client = TraceServiceClient::new(channel.clone());
            tokio::spawn(async move { client.export(request(&["one"], false)).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(rig.source(0).accepted[&Signal::Traces], 64);
}

#[tokio::test]
async fn refused_messages_larger_than_the_window_do_not_clog_the_connection() {
    let rig = Rig::start();
    let mut channel = channel(rig.grpc).await;
    let huge = frame(0, &vec![0; 20 << 20]);
    for turn in 0..3 {
        let reply = call(&mut channel, EXPORT, &[GRPC], huge.clone()).await;
        assert_eq!(reply.code(), Code::ResourceExhausted, "call {turn}");
    }
    let reply = call(&mut channel, EXPORT, &[GRPC], frame(0, &protobuf())).await;
    assert_eq!(reply.code(), Code::Ok);
}

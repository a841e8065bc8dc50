//! More than can be taken in: the sender is told to retry, and loses nothing.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tonic::Code;
use tracefall::model::{Receipt, RejectReason, Signal, SourceId};

use crate::grpc::channel;
use crate::rig::{JSON_TYPE, Line, PROTOBUF, Rig, config, gzip, post, request};

/// `google.rpc.Status` with its details as they are.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
}

/// A body of about 3,000 bytes.
fn body() -> Vec<u8> {
    request(&[&"x".repeat(3000)], false).encode_to_vec()
}

async fn queue_one(rig: &Rig) -> Line {
    let body = body();
    let mut line = Line::to(rig.http).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: {}\r\n\r\n", body.len());
    line.write(&[head.as_bytes(), &body].concat()).await;
    rig.until(|feed| feed.held() >= 3000).await;
    line
}

#[tokio::test]
async fn paused_doors_ask_for_a_retry_and_go_on() {
    let rig = Rig::start();
    let body = body();
    for source in [SourceId(0), SourceId(1)] {
        rig.feed.board().pause(source, true);
    }
    let answer = post(rig.http, &[PROTOBUF], &body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    let mut client = TraceServiceClient::new(channel(rig.grpc).await);
    let export = || request(&["x"], false);
    let status = client.export(export()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the source is paused; retry"));
    assert_eq!((rig.rejected(RejectReason::Paused), rig.taken()), (2, 0));
    assert!(rig.feed.board().mishaps().is_empty());
    for source in [SourceId(0), SourceId(1)] {
        rig.feed.board().pause(source, false);
    }
    assert_eq!(post(rig.http, &[PROTOBUF], &body).await.status, 200);
    client.export(export()).await.unwrap();
    assert_eq!(rig.taken(), 2);
}

#[tokio::test]
async fn full_feed_asks_for_a_retry_and_recovers() {
    let (rig, queue) = Rig::unattended(config(), 8000);
    let mut first = queue_one(&rig).await;
    let mut second = queue_one(&rig).await;
    rig.until(|feed| feed.held() >= 6000).await;

    let answer = post(rig.http, &[PROTOBUF], &body()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    let answer = post(rig.http, &[PROTOBUF, "content-encoding: gzip"], &gzip(&body())).await;
    assert_eq!(answer.status, 429, "what is small when compressed is paid for in full");
    let answer = post(rig.http, &[JSON_TYPE], &b" ".repeat(3000)).await;
    assert_eq!((answer.status, answer.header("content-type")), (429, Some("application/json")));

    let mut client = TraceServiceClient::new(channel(rig.grpc).await);
    let export = || request(&[&"x".repeat(3000)], false);
    let status = client.export(export()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let details = RpcStatus::decode(status.details()).unwrap();
    assert_eq!(details.code, 14);
    assert_eq!(details.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    assert_eq!(rig.rejected(RejectReason::Overload), 4);

    rig.attend(queue);
    assert_eq!(first.answer().await.unwrap().status, 200);
    assert_eq!(second.answer().await.unwrap().status, 200);
    rig.until(|feed| feed.held() == 0).await;
    assert_eq!(post(rig.http, &[PROTOBUF], &body()).await.status, 200);
    client.export(export()).await.unwrap();
    assert_eq!(rig.taken(), 4);
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_index_has_it() {
    let (rig, queue) = Rig::unattended(config(), 1 << 20);
    let mut line = queue_one(&rig).await;
    let early = tokio::time::timeout(Duration::from_millis(50), line.0.readable()).await;
    assert!(early.is_err(), "answered before it was taken");
    let item = queue.next(Duration::from_secs(20)).unwrap();
    assert_eq!(rig.feed.held(), item.delivery().body.len());
    item.reply(Ok(Receipt { accepted: 1, ..Receipt::default() }));
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert_eq!(rig.feed.held(), 0);
}

#[tokio::test]
async fn sender_that_leaves_takes_nothing_back_that_was_queued() {
    let (rig, queue) = Rig::unattended(config(), 1 << 20);
    drop(queue_one(&rig).await);
    let item = queue.next(Duration::from_secs(20)).unwrap();
    item.reply(Ok(Receipt { accepted: 1, ..Receipt::default() }));
    assert_eq!(rig.source(1).accepted[&Signal::Traces], 1);
    assert_eq!(rig.feed.held(), 0);
}

#[tokio::test]
async fn sender_that_leaves_in_mid_body_leaves_nothing_behind() {
    let (rig, queue) = Rig::unattended(config(), 1 << 20);
    let mut line = Line::to(rig.http).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: 5000\r\n\r\n");
    line.write(&[head.as_bytes(), &[0; 100]].concat()).await;
    rig.until(|feed| feed.held() == 100).await;
    drop(line);
    rig.until(|feed| feed.held() == 0).await;
    assert!(queue.try_next().is_none());
}

#[tokio::test]
async fn body_that_can_never_fit_is_refused_for_good() {
    let (rig, _queue) = Rig::unattended(config(), 8000);
    let answer = post(rig.http, &[PROTOBUF], &[0; 5000]).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn end_of_the_index_is_told_as_unavailable() {
    let (rig, queue) = Rig::unattended(config(), 1 << 20);
    drop(queue);
    assert_eq!(post(rig.http, &[PROTOBUF], &body()).await.status, 503);
}

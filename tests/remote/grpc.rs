//! Jaeger's gRPC, from a server that sends what it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Sent, TracesData};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tracefall::model::{Nanos, Timestamp, TraceId};
use tracefall::query::pushdown::Search;
use tracefall::source::remote::{Flavor, Operation, Protocol, Remote, RemoteError, Server};

use crate::tls;

/// Messages, then a status with words.
type Said = (Vec<Vec<u8>>, u32, &'static str);

/// Method and message of each request.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

async fn start(answer: impl Fn(&str) -> Said + Send + Sync + 'static) -> (SocketAddr, Heard) {
    start_with(None, answer).await
}

async fn start_with(
    tls: Option<TlsAcceptor>,
    answer: impl Fn(&str) -> Said + Send + Sync + 'static,
) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let (answer, noted) = (Arc::new(answer), Arc::clone(&heard));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
            let serve = hyper::service::service_fn(move |request: Request<Incoming>| {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                async move {
                    let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    noted.lock().unwrap().push((method.clone(), body.get(5..).unwrap().to_vec()));
                    let (messages, status, words) = answer(&method);
                    let framed = |message: Vec<u8>| {
                        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
                        Frame::data(Bytes::from([&[0][..], &length, &message].concat()))
                    };
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", status.into());
                    trailers.insert("grpc-message", words.parse().unwrap());
                    let frames = messages.into_iter().map(framed).chain([Frame::trailers(trailers)]);
                    let frames: Vec<_> = frames.map(Ok::<_, Infallible>).collect();
                    let response = Response::builder().header("content-type", "application/grpc");
                    Ok::<_, Infallible>(response.body(StreamBody::new(stream::iter(frames))).unwrap())
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    None => drop(connection.serve_connection(TokioIo::new(stream), serve).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(connection.serve_connection(TokioIo::new(stream), serve).await);
                        }
                    }
                }
            });
        }
    });
    (address, heard)
}

fn trace(number: u8, weight: usize) -> Vec<u8> {
    let span =
        Sent { trace_id: vec![number; 16], span_id: vec![number; 8], name: "n".repeat(weight), ..Sent::default() };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    TracesData { resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }] }
        .encode_to_vec()
}

fn services() -> Said {
    (vec![b"\x0a\x01b\x0a\x01a".to_vec()], 0, "")
}

async fn connect(address: SocketAddr) -> Remote {
    let server = Server::new(&address.to_string()).unwrap().most(10 << 20);
    Remote::connect(server, Flavor::Any).await.unwrap()
}

#[tokio::test]
async fn traces_come_as_they_were_sent_also_large_ones() {
    let large = trace(2, 6 << 20);
    let sent = large.clone();
    let (address, heard) = start(move |method| match method {
        "GetServices" => services(),
        "GetOperations" => (vec![b"\x0a\x0a\x0a\x03GET\x12\x03two".to_vec()], 0, ""),
        _ => (vec![trace(1, 1), sent.clone()], 0, ""),
    })
    .await;
    let remote = connect(address).await;
    assert_eq!((remote.protocol(), remote.abilities().tags), (Protocol::GrpcV3, true));
    // There is no page at this port.
    assert!(remote.link(TraceId([1; 16])).is_none());
    assert!(remote.dependencies(Timestamp(1), Nanos(1)).await.unwrap().is_empty());
    assert_eq!(remote.services().await.unwrap(), ["a", "b"]);
    let get = Operation { name: "GET".to_owned(), kind: "two".to_owned() };
    assert_eq!(remote.operations("a").await.unwrap(), [get]);
    let search = Search {
        service: Some("a".to_owned()),
        tags: vec![("k".to_owned(), "v".to_owned())],
        start: Timestamp(1_000_000_002),
        end: Timestamp(2_000_000_003),
        min_duration: Some(Nanos(7)),
        limit: 3,
        ..Search::default()
    };
    let found = remote.search(&search).await.unwrap();
    assert_eq!((found.traces.len(), found.capped), (2, false));
    assert_eq!(found.bodies[1].protobuf, large);
    let asked = heard.lock().unwrap().last().unwrap().clone();
    let query =
        b"\x0a\x01a\x1a\x06\x0a\x01k\x12\x01v\x22\x04\x08\x01\x10\x02\x2a\x04\x08\x02\x10\x04\x32\x02\x10\x07\x40\x03\x48\x01";
    let expected = [&[0x0a, u8::try_from(query.len()).unwrap()][..], query].concat();
    assert_eq!(asked, ("FindTraces".to_owned(), expected));
}

#[tokio::test]
async fn what_goes_wrong_has_its_reason_and_keeps_what_came() {
    let (address, _) = start(|method| match method {
        "GetServices" => services(),
        "GetTrace" => (Vec::new(), 5, "trace not found"),
        _ => (vec![trace(1, 1)], 13, "stopped half way"),
    })
    .await;
    let remote = connect(address).await;
    assert_eq!(remote.trace(TraceId([1; 16]), None).await.unwrap(), None);
    let search = Search { service: Some("a".to_owned()), limit: 9, ..Search::default() };
    let found = remote.search(&search).await.unwrap();
    assert_eq!((found.traces.len(), found.capped), (1, true));
    assert!(found.warnings[0].contains("stopped half way"), "{:?}", found.warnings);
    let cases: [(Said, &str); 4] = [
        ((Vec::new(), 13, "disk on fire"), "disk on fire"),
        ((Vec::new(), 16, "no token"), "refused (Unauthenticated): no token"),
        ((vec![trace(1, 11 << 20)], 0, ""), "larger than 10485760 bytes"),
        ((vec![b"\x0a\xff".to_vec()], 0, ""), "broken protobuf"),
    ];
    for (said, expected) in cases {
        let (address, _) = start(move |method| if method == "GetServices" { services() } else { said.clone() }).await;
        let fault = connect(address).await.search(&search).await.unwrap_err();
        assert!(fault.to_string().contains(expected), "{expected}: {fault}");
    }
    let (address, _) = start(|_| (Vec::new(), 12, "unknown service")).await;
    let fault = Remote::connect(Server::new(&address.to_string()).unwrap(), Flavor::Jaeger).await.unwrap_err();
    assert!(matches!(fault, RemoteError::Unknown { .. }) && fault.to_string().contains("jaeger.api_v3"), "{fault}");
}

#[tokio::test]
async fn a_secure_server_is_spoken_with_over_grpc_too() {
    let mut config = tls::configured("localhost", true);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let answer = |method: &str| match method {
        "GetServices" => services(),
        _ => (vec![trace(7, 1)], 0, ""),
    };
    let (address, _) = start_with(Some(TlsAcceptor::from(Arc::new(config))), answer).await;
    let server = Server::new(&format!("https://{address}")).unwrap().ca_file(tls::file("ca.pem"));
    let known = server.clone().client_cert(tls::file("client.pem"), tls::file("client.key"));
    let remote = Remote::connect(known, Flavor::Jaeger).await.unwrap();
    assert_eq!(remote.protocol(), Protocol::GrpcV3);
    assert_eq!(remote.services().await.unwrap(), ["a", "b"]);
    let found = remote.trace(TraceId([7; 16]), None).await.unwrap().unwrap();
    assert_eq!(found.spans(), 1);
    let fault = Remote::connect(server, Flavor::Jaeger).await.unwrap_err();
    assert!(!matches!(fault, RemoteError::NotThis { .. }), "{fault}");
}

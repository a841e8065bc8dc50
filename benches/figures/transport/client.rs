//! The client: sends bodies as they are, several at a time.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// Requests in flight over one connection of gRPC.
const STREAMS: usize = 8;
/// Connections of HTTP/1.1, with one request in flight each.
const CONNECTIONS: usize = 4;

/// How bodies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Grpc,
    GrpcGzip,
    Http,
}

impl Way {
    /// What is sent for an `ExportTraceServiceRequest`.
    pub(crate) fn encode(self, body: &[u8]) -> Bytes {
        let gzip = |plain: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        };
        let message = if self == Self::GrpcGzip { gzip(body) } else { body.to_vec() };
        if self == Self::Http {
            return message.into();
        }
        let mut framed = BytesMut::with_capacity(message.len() + 5);
        framed.put_u8(u8::from(self == Self::GrpcGzip));
        framed.put_u32(u32::try_from(message.len()).unwrap());
        framed.put_slice(&message);
        framed.freeze()
    }
}

/// Sends all `bodies`, encoded as `way` wants it, to `address`, and waits until each is acknowledged. The client has a
/// thread of its own.
pub(crate) fn send(way: Way, address: SocketAddr, bodies: &[Bytes]) {
    let bodies: Arc<[Bytes]> = bodies.into();
    let work = async move {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        if way == Way::Http {
            for _ in 0..CONNECTIONS {
                tasks.spawn(post(address, Arc::clone(&bodies), Arc::clone(&next)));
            }
        } else {
            let stream = connect(address).await;
            // The answers are small: this window is only for what the client receives.
            let (sender, connection) =
                http2::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            for _ in 0..STREAMS {
                tasks.spawn(export(way, (sender.clone(), address), Arc::clone(&bodies), Arc::clone(&next)));
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    };
    let client = std::thread::Builder::new().name("client".to_owned());
    let run = move || Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    client.spawn(run).unwrap().join().unwrap();
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

type Grpc = (http2::SendRequest<Full<Bytes>>, SocketAddr);

async fn export(way: Way, (mut sender, address): Grpc, bodies: Arc<[Bytes]>, next: Arc<AtomicUsize>) {
    let method = format!("http://{address}/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut request = Request::post(&method).header("content-type", "application/grpc").header("te", "trailers");
        if way == Way::GrpcGzip {
            request = request.header("grpc-encoding", "gzip");
        }
        sender.ready().await.unwrap();
        let answer = sender.send_request(request.body(Full::new(body.clone())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let at_once = status(answer.headers());
        let collected = answer.into_body().collect().await.unwrap();
        let status = at_once.or_else(|| collected.trailers().and_then(status));
        assert_eq!(status.as_deref(), Some("0"), "the status of gRPC");
    }
}

fn status(headers: &HeaderMap) -> Option<String> {
    headers.get("grpc-status").and_then(|status| status.to_str().ok()).map(str::to_owned)
}

async fn post(address: SocketAddr, bodies: Arc<[Bytes]>, next: Arc<AtomicUsize>) {
    let (mut sender, connection) = http1::handshake(TokioIo::new(connect(address).await)).await.unwrap();
    tokio::spawn(connection);
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = Request::post("/v1/traces")
            .header("host", address.to_string())
            .header("content-type", "application/x-protobuf");
        sender.ready().await.unwrap();
        let answer = sender.send_request(request.body(Full::new(body.clone())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.unwrap();
    }
}

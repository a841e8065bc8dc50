//! What one writes first: tonic's server with prost's messages for gRPC, hyper with prost for HTTP. What was decoded is
//! dropped.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::{Way, runtime, send, spent};
use crate::BODY;

/// One round: CPU time of the server a span, ns.
pub(super) fn round(way: Way, bodies: &[Bytes]) -> f64 {
    let server = runtime("stock");
    let listener = server.block_on(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    let address = listener.local_addr().unwrap();
    if way == Way::Http {
        server.spawn(http(listener));
    } else {
        server.spawn(grpc(listener));
    }
    spent(&["stock"], bodies.len() * BODY, || send(way, address, bodies))
}

struct Dropping;

#[tonic::async_trait]
impl TraceService for Dropping {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        drop(std::hint::black_box(request));
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn grpc(listener: TcpListener) {
    let service = TraceServiceServer::new(Dropping)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(64 << 20);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().serve_with_incoming(service, incoming).await.unwrap();
}

async fn http(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(take)));
    }
}

async fn take(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    drop(std::hint::black_box(ExportTraceServiceRequest::decode(body).unwrap()));
    Ok(Response::new(Full::new(Bytes::new())))
}

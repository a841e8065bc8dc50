//! What senders do: exports over the doors whose ports the screen names.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tonic::transport::Endpoint;
use tracefall::model::{Span, Timestamp, TraceId};
use tracefall::otlp::encode;
use tracefall::source::demo::{Story, gallery};

/// Now.
#[expect(clippy::disallowed_methods, reason = "what a person filters by is counted from now")]
pub(crate) fn now() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(now.as_nanos()).unwrap())
}

/// Every story of the demo as it is told once, the first of them at `start`.
pub(crate) fn stories(start: Timestamp) -> Vec<Story> {
    gallery(start)
}

/// The spans of a story told again at another time, in a trace of their own.
pub(crate) fn again(story: &Story, number: u8, start: Timestamp) -> Vec<Span> {
    let first = story.spans.iter().map(|span| span.start.0).min().unwrap();
    let moved = |at: Timestamp| Timestamp(at.0 - first + start.0);
    let told = |span: &Span| {
        let mut trace = span.trace_id.0;
        trace[0] ^= number;
        Span { trace_id: TraceId(trace), start: moved(span.start), end: moved(span.end), ..span.clone() }
    };
    story.spans.iter().map(told).collect()
}

/// Sends spans over OTLP/gRPC.
pub(crate) fn grpc(port: u16, spans: &[Span]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = ExportTraceServiceRequest::decode(encode::spans(spans).as_slice()).unwrap();
    runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await.unwrap();
        TraceServiceClient::new(channel).export(request).await.unwrap();
    });
}

/// Sends spans over OTLP/HTTP as protobuf.
pub(crate) fn protobuf(port: u16, spans: &[Span]) {
    let body = encode::spans(spans);
    assert!(
        http(port, "POST /v1/traces", &["content-type: application/x-protobuf"], &body).starts_with("HTTP/1.1 200 ")
    );
}

/// A request over HTTP with these headers; the whole answer.
pub(crate) fn http(port: u16, line: &str, headers: &[&str], body: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let headers = headers.iter().flat_map(|header| [*header, "\r\n"]).collect::<String>();
    write!(stream, "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}").unwrap();
    write!(stream, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

//! One connection: what it speaks, and the requests that come over it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::{Held, Reading};
use super::cors::{self, Origins};
use super::diagnose::{self, Urls, request_line};
use super::refusal::{Refusal, RefusalKind};
use super::reply::{self, Body};
use super::{Protocol, grpc, http as otlp_http, zipkin};
use crate::model::{Receipt, RejectReason, Signal, SourceId};
use crate::otlp::status::Encoding;
use crate::source::{Delivery, Note};

/// What an HTTP/2 client sends first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Windows of HTTP/2: large enough that a remote sender need not wait within a batch.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(20);
/// How long a sender that does not speak HTTP is listened to after its answer.
const LINGER: Duration = Duration::from_secs(1);

/// What all connections of a receiver share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) reading: Reading,
    pub(super) origins: Origins,
    pub(super) urls: Urls,
    pub(super) idle: Duration,
}

/// One connection, as its requests see it.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    source: SourceId,
    protocol: Protocol,
    port: u16,
    peer: SocketAddr,
    /// Whether it was said that the sender came to the other protocol's port.
    told: AtomicBool,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, source: SourceId, protocol: Protocol, port: u16, peer: SocketAddr) -> Self {
        Self { shared, source, protocol, port, peer, told: AtomicBool::new(false) }
    }

    pub(super) fn reading(&self) -> &Reading {
        &self.shared.reading
    }

    pub(super) fn urls(&self) -> &Urls {
        &self.shared.urls
    }

    /// Whether bodies are taken at all: while the source is paused, senders are told to come again later.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        if self.reading().feed.board().is_paused(self.source) {
            return Err(Refusal::new(RefusalKind::Paused, RejectReason::Paused.words()));
        }
        Ok(())
    }

    /// Hands a body to the index and waits for its receipt.
    pub(super) async fn deliver(&self, signal: Signal, held: Held, refused: Receipt) -> Result<Receipt, Refusal> {
        let source = self.reading().feed.board().guest(self.peer).unwrap_or(self.source);
        let delivery = Delivery { source, signal, body: held.bytes, refused };
        self.reading().feed.deliver_held(delivery, held.room).await.map_err(Refusal::from)
    }

    /// Counts a request that was refused, and notes it where a person can mend it.
    pub(super) fn refused(&self, parts: &Parts, refusal: &Refusal) {
        if let Some(reason) = refusal.kind.reason() {
            self.reading().feed.board().reject(self.source, reason);
        }
        if refusal.kind.is_mishap() {
            self.note(request_line(parts, self.port), refusal.message.clone());
        }
    }

    fn note(&self, what: String, advice: String) {
        self.reading().feed.mishap(&Note { what, advice, peer: self.peer });
    }

    fn not_http(&self, what: &str, advice: String) {
        self.reading().feed.board().reject(self.source, RejectReason::BadRequest);
        self.note(format!("{what} arrived at {}", self.port), advice);
    }

    /// Notes, once a connection, that what was just taken in `home`'s protocol came to the other port.
    pub(super) fn taken(&self, parts: &Parts, home: Protocol) {
        if home == self.protocol || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let url = self.url_of(home);
        let advice = format!("taken all the same; the usual address of {} is {url}", home.name());
        self.note(request_line(parts, self.port), advice);
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(self, mut stream: TcpStream) {
        let mut start = BytesMut::with_capacity(PREFACE.len());
        let idle = self.shared.idle;
        let Ok(Ok(speaks)) = timeout(idle, sniff(&mut stream, &mut start)).await else { return };
        let advice = match speaks {
            Speaks::Nothing => return,
            Speaks::Http1 => return self.serve_http1(Rewound { start, stream }).await,
            Speaks::Http2 => return self.serve_http2(Rewound { start, stream }).await,
            Speaks::Tls => {
                let advice = diagnose::tls(self.url_of(self.protocol));
                self.not_http("a TLS handshake", advice.clone());
                advice
            }
            Speaks::Other => {
                let advice = self.not_otlp();
                self.not_http("something that is not HTTP", advice.clone());
                advice
            }
        };
        // A reset or a silent peer loses it only the explanation.
        let _ = timeout(LINGER, explain(&mut stream, &advice)).await;
    }

    pub(super) fn url_of(&self, protocol: Protocol) -> &str {
        match protocol {
            Protocol::Grpc => &self.urls().grpc,
            Protocol::Http => &self.urls().http,
            Protocol::Zipkin => self.urls().zipkin.as_ref().unwrap_or_else(|| &self.urls().http),
        }
    }

    fn not_otlp(&self) -> String {
        format!("OTLP is spoken here: gRPC at {}, HTTP at {}", self.urls().grpc, self.urls().http)
    }

    async fn serve_http1(self, io: Rewound) {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.shared.idle).half_close(true);
        let this = Arc::new(self);
        let service = service_fn(|request| answer(Arc::clone(&this), request));
        let served = builder.serve_connection(TokioIo::new(io), service).await;
        if served.is_err_and(|error| error.is_parse()) {
            this.not_http("something that is not HTTP", this.not_otlp());
        }
    }

    async fn serve_http2(self, io: Rewound) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_PATIENCE)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let this = Arc::new(self);
        let service = service_fn(move |request| answer(Arc::clone(&this), request));
        // How a connection ends is its sender's business.
        let _ = builder.serve_connection(TokioIo::new(io), service).await;
    }
}

/// Answers one request, whatever it is.
async fn answer(connection: Arc<Connection>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let grpc = grpc::is_grpc(&parts.headers);
    let origin = match cors::judge(&connection.shared.origins, &parts.headers) {
        Ok(origin) => origin,
        Err(refusal) => {
            connection.refused(&parts, &refusal);
            otlp_http::discard(&parts, body, connection.reading().limit);
            let encoding = otlp_http::media_type(&parts.headers).unwrap_or(Encoding::Json);
            return Ok(if grpc { grpc::refused(&refusal) } else { reply::refused(encoding, &refusal) });
        }
    };
    let mut response = if grpc {
        grpc::answer(&connection, &parts, body).await
    } else if parts.method == Method::OPTIONS {
        cors::preflight(&parts.headers)
    } else if connection.protocol == Protocol::Zipkin && diagnose::signal_of_path(parts.uri.path()).is_none() {
        zipkin::answer(&connection, &parts, body).await
    } else {
        otlp_http::answer(&connection, &parts, body).await
    };
    cors::grant(&mut response, origin);
    Ok(response)
}

/// What a connection turns out to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Http1,
    Http2,
    Tls,
    Other,
    /// It was closed before it said enough.
    Nothing,
}

/// Reads into `start` until it is clear what is spoken.
async fn sniff(stream: &mut TcpStream, start: &mut BytesMut) -> io::Result<Speaks> {
    loop {
        if stream.read_buf(start).await? == 0 {
            return Ok(if start.is_empty() { Speaks::Nothing } else { Speaks::Http1 });
        }
        if let Some(speaks) = judge(start) {
            return Ok(speaks);
        }
    }
}

fn judge(start: &[u8]) -> Option<Speaks> {
    const TLS_HANDSHAKE: u8 = 0x16;
    match start.first()? {
        _ if start.starts_with(PREFACE) => Some(Speaks::Http2),
        _ if PREFACE.starts_with(start) => None,
        &TLS_HANDSHAKE => Some(Speaks::Tls),
        b'\r' | b'\n' => Some(Speaks::Http1),
        first if first.is_ascii_alphabetic() => Some(Speaks::Http1),
        _ => Some(Speaks::Other),
    }
}

/// Says in plain HTTP what is wrong: clients of TLS recognise such an answer.
async fn explain(stream: &mut TcpStream, advice: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{advice}\n",
        advice.len() + 1
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0_u8; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// A stream whose first bytes were read already.
#[derive(Debug)]
struct Rewound {
    start: BytesMut,
    stream: TcpStream,
}

impl AsyncRead for Rewound {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.start.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, out);
        }
        let count = self.start.len().min(out.remaining());
        out.put_slice(self.start.get(..count).unwrap_or_default());
        self.start.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_is_spoken() {
        let cases: [(&[u8], Option<Speaks>); 8] = [
            (b"P", None),
            (b"PRI * HTTP/2.0\r\n", None),
            (PREFACE, Some(Speaks::Http2)),
            (b"PO", Some(Speaks::Http1)),
            (b"GET /", Some(Speaks::Http1)),
            (b"\x16\x03\x01", Some(Speaks::Tls)),
            (b"\x00\x01", Some(Speaks::Other)),
            (b"\x82\x81", Some(Speaks::Other)),
        ];
        for (start, expected) in cases {
            assert_eq!(judge(start), expected, "{start:?}");
        }
    }
}

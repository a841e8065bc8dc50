//! A receiver on free ports, a thread that stands in for the index, and clients that write bytes by hand.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tracefall::model::{DoorState, Mishap, Receipt, RejectReason, Signal, SourceHealth, Timestamp};
use tracefall::source::receiver::{Limits, Origins, Protocol, Receiver, ReceiverConfig};
use tracefall::source::{Delivery, Feed, FeedReceiver, Source as _, feed};

/// The limit of a body in these tests.
pub(crate) const LIMIT: usize = 1 << 20;

/// What the stand-in for the index took.
pub(crate) type Taken = Arc<Mutex<Vec<(Signal, Vec<u8>)>>>;

pub(crate) struct Rig {
    pub(crate) feed: Feed,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) zipkin: Option<SocketAddr>,
    pub(crate) taken: Taken,
    run: JoinHandle<()>,
}

pub(crate) fn config() -> ReceiverConfig {
    let any = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let limits = Limits { body: LIMIT, ..Limits::default() };
    ReceiverConfig { grpc: any.clone(), http: any, zipkin: Vec::new(), limits, origins: Origins::default() }
}

impl Rig {
    /// A receiver whose bodies are taken in at once.
    pub(crate) fn start() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: ReceiverConfig) -> Self {
        let (rig, queue) = Self::unattended(config, 64 << 20);
        rig.attend(queue);
        rig
    }

    /// A receiver whose queue nobody reads yet.
    pub(crate) fn unattended(config: ReceiverConfig, budget: usize) -> (Self, FeedReceiver) {
        let (feed, queue) = feed(budget, 1024, Arc::new(|| Timestamp(7)));
        let receiver = Receiver::bind(config, &feed);
        let door = |wanted| receiver.doors().find(|(protocol, _)| *protocol == wanted).map(|(_, door)| door.address);
        let (grpc, http) = (door(Protocol::Grpc).unwrap(), door(Protocol::Http).unwrap());
        let zipkin = door(Protocol::Zipkin);
        let to = feed.clone();
        let run = tokio::spawn(async move { receiver.run(to).await.unwrap() });
        (Self { feed, grpc, http, zipkin, taken: Arc::default(), run }, queue)
    }

    /// Starts the thread that stands in for the index.
    pub(crate) fn attend(&self, queue: FeedReceiver) {
        let taken = Arc::clone(&self.taken);
        attend_with(queue, move |delivery| {
            let result = judge(delivery);
            if result.is_ok() {
                taken.lock().unwrap().push((delivery.signal, delivery.body.to_vec()));
            }
            result
        });
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    pub(crate) fn source(&self, index: usize) -> SourceHealth {
        self.feed.board().sources(Timestamp(7)).swap_remove(index)
    }

    /// How often something was refused for `reason`, at either door.
    pub(crate) fn rejected(&self, reason: RejectReason) -> u64 {
        let sources = self.feed.board().sources(Timestamp(7));
        sources.iter().filter_map(|source| source.rejected.get(&reason)).sum()
    }

    pub(crate) fn mishap(&self) -> Mishap {
        self.feed.board().mishaps().pop().expect("a mishap")
    }

    /// Waits until the board says what is expected. Ends by itself where it never does.
    pub(crate) async fn until(&self, expected: impl Fn(&Feed) -> bool) {
        let wait = async {
            while !expected(&self.feed) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it never happened");
    }

    pub(crate) fn state(&self, source: usize, door: usize) -> DoorState {
        self.source(source).doors[door].state.clone()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.run.abort();
    }
}

/// Starts a thread that answers what is queued as `take_in` says.
pub(crate) fn attend_with(
    queue: FeedReceiver,
    mut take_in: impl FnMut(&Delivery) -> Result<Receipt, String> + Send + 'static,
) {
    std::thread::spawn(move || {
        while let Ok(item) = queue.next(Duration::from_secs(60)) {
            let result = take_in(item.delivery());
            item.reply(result);
        }
    });
}

/// What the index would say: spans with bad ids are refused, broken bodies whole.
fn judge(delivery: &Delivery) -> Result<Receipt, String> {
    let body = delivery.body.clone();
    let words = |error: prost::DecodeError| error.to_string();
    let mut receipt = Receipt::default();
    match delivery.signal {
        Signal::Traces => {
            let request = ExportTraceServiceRequest::decode(body).map_err(words)?;
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            for span in scopes.flat_map(|scope| &scope.spans) {
                if span.span_id.len() == 8 {
                    receipt.accepted += 1;
                } else {
                    receipt.reject(RejectReason::InvalidSpanId, 1);
                }
            }
        }
        Signal::Logs => drop(ExportLogsServiceRequest::decode(body).map_err(words)?),
        Signal::Metrics => drop(ExportMetricsServiceRequest::decode(body).map_err(words)?),
    }
    Ok(receipt)
}

/// A request with one span for each of `names`; the last has no span id where `bad` is asked for.
pub(crate) fn request(names: &[&str], bad: bool) -> ExportTraceServiceRequest {
    let last = names.len() - 1;
    let span = |(index, name): (usize, &&str)| Span {
        trace_id: vec![1; 16],
        span_id: if bad && index == last { Vec::new() } else { vec![u8::try_from(index + 1).unwrap(); 8] },
        name: (*name).to_owned(),
        ..Span::default()
    };
    let spans = names.iter().enumerate().map(span).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

pub(crate) fn protobuf() -> Vec<u8> {
    request(&["GET /", "SELECT"], false).encode_to_vec()
}

pub(crate) const JSON: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",
    "spanId":"0102030405060708","name":"GET /"}]}]}]}"#;

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An answer of HTTP/1.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that speaks HTTP/1 by hand.
pub(crate) struct Line(pub TcpStream);

impl Line {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads one answer; none where the connection is closed before.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let read = async {
            let mut bytes = Vec::new();
            let head = loop {
                if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end;
                }
                bytes.push(self.0.read_u8().await.ok()?);
            };
            let head = String::from_utf8(bytes.get(..head)?.to_vec()).unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let mut answer = Answer { status, head, body: Vec::new() };
            let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
            answer.body = vec![0; length];
            self.0.read_exact(&mut answer.body).await.ok()?;
            Some(answer)
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("no answer")
    }
}

/// Sends `body` with `headers` (`name: value` lines) and reads the answer.
pub(crate) async fn send(address: SocketAddr, line: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut connection = Line::to(address).await;
    let mut request = format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body);
    // The answer may come, and the connection end, before all is written.
    let _ = connection.0.write_all(&bytes).await;
    connection.answer().await.expect("an answer")
}

pub(crate) const PROTOBUF: &str = "content-type: application/x-protobuf";
pub(crate) const JSON_TYPE: &str = "content-type: application/json";

pub(crate) async fn post(address: SocketAddr, headers: &[&str], body: &[u8]) -> Answer {
    send(address, "POST /v1/traces", headers, body).await
}

//! The senders: spans at a steady rate, each body sent again until it is acknowledged, as OTLP asks of exporters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, TE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tracefall::source::load::{Load, Shape};

use crate::now;
use crate::terminal::Doors;

/// Connections, over all doors: as many as the load has exporters, and some more. Each sends one body at a time, as SDKs do.
const SENDERS: usize = 16;
/// Bodies that wait for a connection.
const WAITING: usize = 32;
/// Attempts on a connection that breaks before the run is given up.
const ATTEMPTS: u32 = 5;

/// The two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Grpc,
    Http,
}

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::Http => "HTTP",
        }
    }
}

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// Spans a second.
    pub(crate) rate: u64,
    pub(crate) length: Duration,
    pub(crate) doors: Doors,
    /// As [`Shape::turnover`].
    pub(crate) turnover: u64,
}

/// What senders were told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Spans in bodies that were sent, each body counted once.
    pub(crate) sent: u64,
    /// Spans in bodies that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Of those: spans that were refused for good (`partial_success`).
    pub(crate) rejected: u64,
    /// How often a body had to be sent again because there was no room.
    pub(crate) retried: u64,
    /// Of those: answers that did not say when.
    pub(crate) unsaid: u64,
    /// Bodies whose answer never came, sent again on a new connection.
    pub(crate) broken: u64,
    /// From the first span to the last answer.
    pub(crate) took: Duration,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    rejected: AtomicU64,
    retried: AtomicU64,
    unsaid: AtomicU64,
    broken: AtomicU64,
}

/// A body and its number of spans.
type Batch = (u64, Bytes);
type Queue = Arc<Mutex<mpsc::Receiver<Batch>>>;

/// A flood that is under way.
pub(crate) struct Flood {
    counts: Arc<Counts>,
    thread: JoinHandle<Result<Duration>>,
}

impl Flood {
    /// Opens the gates. Floods with different numbers send different spans.
    pub(crate) fn start(order: &Order, ways: &[Door], number: u64) -> Result<Self> {
        let (order, ways, counts) = (*order, ways.to_vec(), Arc::new(Counts::default()));
        let (batches, queue) = mpsc::channel(WAITING);
        #[expect(clippy::disallowed_methods, reason = "spans that are made now begin now")]
        let began = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let shape = Shape {
            seed: 42 + number,
            start: u64::try_from(began.as_nanos())?,
            // About 10.5 spans a trace.
            step: 10_500_000_000 / order.rate,
            turnover: order.turnover,
            ..Shape::default()
        };
        let counted = Arc::clone(&counts);
        let thread = thread::Builder::new().name("senders".to_owned()).spawn(move || {
            let began = now();
            let making =
                thread::Builder::new().name("spans".to_owned()).spawn(move || make(shape, &order, &batches))?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let result = runtime.block_on(send(&order, &ways, queue, counted));
            making.join().map_err(|_panic| anyhow!("the spans ran out"))?;
            result.map(|()| began.elapsed())
        })?;
        Ok(Self { counts, thread })
    }

    /// Whether all that was made is acknowledged, or sending has failed.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// What senders were told in all.
    pub(crate) fn end(self) -> Result<Told> {
        let took = self.thread.join().map_err(|_panic| anyhow!("a sender broke"))??;
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        let Counts { sent, acknowledged, rejected, retried, unsaid, broken } = &*self.counts;
        Ok(Told {
            sent: read(sent),
            acknowledged: read(acknowledged),
            rejected: read(rejected),
            retried: read(retried),
            unsaid: read(unsaid),
            broken: read(broken),
            took,
        })
    }
}

/// Makes bodies at the rate that is asked for; where senders are held up it waits for them, and then catches up.
fn make(shape: Shape, order: &Order, batches: &mpsc::Sender<Batch>) {
    let mut load = Load::new(shape);
    let (began, mut made) = (now(), 0_u64);
    loop {
        let due = Duration::from_nanos(
            u64::try_from(u128::from(made) * 1_000_000_000 / u128::from(order.rate)).unwrap_or(u64::MAX),
        );
        if due >= order.length || began.elapsed() >= order.length {
            return;
        }
        let (spans, body) = load.next_counted();
        made += spans as u64;
        thread::sleep(due.saturating_sub(began.elapsed()));
        if batches.blocking_send((spans as u64, Bytes::from(body))).is_err() {
            return;
        }
    }
}

async fn send(order: &Order, ways: &[Door], queue: mpsc::Receiver<Batch>, counts: Arc<Counts>) -> Result<()> {
    let queue = Arc::new(Mutex::new(queue));
    let mut senders = tokio::task::JoinSet::new();
    for way in ways.iter().cycle().take(SENDERS) {
        let sender = Sender { way: *way, doors: order.doors, line: None, counts: Arc::clone(&counts) };
        senders.spawn(sender.run(Arc::clone(&queue)));
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(())
}

/// One connection and what it is told.
struct Sender {
    way: Door,
    doors: Doors,
    line: Option<Line>,
    counts: Arc<Counts>,
}

enum Line {
    Grpc(http2::SendRequest<Full<Bytes>>),
    Http(http1::SendRequest<Full<Bytes>>),
}

enum Answer {
    /// So many spans were refused for good.
    Taken(u64),
    /// There was no room: come again after this long, where it was said.
    Retry(Option<Duration>),
}

impl Sender {
    async fn run(mut self, queue: Queue) -> Result<()> {
        loop {
            let next = queue.lock().await.recv().await;
            let Some((spans, body)) = next else { return Ok(()) };
            self.counts.sent.fetch_add(spans, Ordering::AcqRel);
            self.deliver(spans, &body).await?;
        }
    }

    async fn deliver(&mut self, spans: u64, body: &Bytes) -> Result<()> {
        let mut attempts = 0;
        loop {
            match self.attempt(body.clone()).await {
                Ok(Answer::Taken(rejected)) => {
                    self.counts.acknowledged.fetch_add(spans, Ordering::AcqRel);
                    self.counts.rejected.fetch_add(rejected, Ordering::AcqRel);
                    return Ok(());
                }
                Ok(Answer::Retry(after)) => {
                    self.counts.retried.fetch_add(1, Ordering::AcqRel);
                    self.counts.unsaid.fetch_add(u64::from(after.is_none()), Ordering::AcqRel);
                    tokio::time::sleep(after.unwrap_or(Duration::from_secs(1))).await;
                }
                Err(error) => {
                    self.counts.broken.fetch_add(1, Ordering::AcqRel);
                    self.line = None;
                    attempts += 1;
                    if attempts >= ATTEMPTS {
                        return Err(error.context(format!("sending over {}", self.way.name())));
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, body: Bytes) -> Result<Answer> {
        let line = match self.line.take() {
            Some(line) => line,
            None => Line::open(self.way, self.doors).await?,
        };
        match self.line.insert(line) {
            Line::Grpc(line) => call(line, self.doors, &body).await,
            Line::Http(line) => post(line, self.doors, body).await,
        }
    }
}

impl Line {
    async fn open(way: Door, doors: Doors) -> Result<Self> {
        let address = if way == Door::Grpc { doors.grpc } else { doors.http };
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        // The connections end by themselves when the line is dropped.
        if way == Door::Grpc {
            let (line, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Ok(Self::Grpc(line))
        } else {
            let (line, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Self::Http(line))
        }
    }
}

async fn call(line: &mut http2::SendRequest<Full<Bytes>>, doors: Doors, body: &Bytes) -> Result<Answer> {
    let mut message = BytesMut::with_capacity(body.len() + 5);
    message.put_u8(0);
    message.put_u32(u32::try_from(body.len())?);
    message.extend_from_slice(body);
    let path = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let request = Request::post(format!("http://{}/{path}", doors.grpc))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .body(Full::new(message.freeze()))?;
    line.ready().await?;
    let answer = line.send_request(request).await?;
    let headers = answer.headers().clone();
    let answer = answer.into_body().collect().await?;
    let status = tonic::Status::from_header_map(&headers)
        .or_else(|| answer.trailers().and_then(tonic::Status::from_header_map))
        .context("an answer without grpc-status")?;
    match status.code() {
        tonic::Code::Ok => taken(answer.to_bytes().get(5..).unwrap_or_default()),
        tonic::Code::Unavailable => Ok(Answer::Retry(retry_info(status.details()))),
        _ => bail!("{status}"),
    }
}

async fn post(line: &mut http1::SendRequest<Full<Bytes>>, doors: Doors, body: Bytes) -> Result<Answer> {
    let request = Request::post("/v1/traces")
        .header(HOST, doors.http.to_string())
        .header(CONTENT_TYPE, "application/x-protobuf")
        .body(Full::new(body))?;
    line.ready().await?;
    let answer = line.send_request(request).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let answer = answer.into_body().collect().await?.to_bytes();
    match status {
        StatusCode::OK => taken(&answer),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Ok(Answer::Retry(retry_after(&headers))),
        _ => bail!("answered with {status}"),
    }
}

fn taken(message: &[u8]) -> Result<Answer> {
    let response = ExportTraceServiceResponse::decode(message)?;
    let rejected = response.partial_success.map_or(0, |partial| partial.rejected_spans);
    Ok(Answer::Taken(u64::try_from(rejected).unwrap_or_default()))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// `google.rpc.Status`, as far as it is needed.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(uint64, tag = "1")]
    seconds: u64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

fn retry_info(details: &[u8]) -> Option<Duration> {
    let status = RpcStatus::decode(details).ok()?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(&info.value[..]).ok()?.delay?;
    Some(Duration::new(delay.seconds, delay.nanos))
}

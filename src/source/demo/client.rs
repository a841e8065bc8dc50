//! Exporters: one connection a service, as SDKs hold one.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint};

use super::cast::{self, Way};
use super::json;
use super::player::{Endpoints, Own};
use super::reel::Telemetry;
use crate::otlp::encode;
use crate::source::Guest;

/// How often an export is tried before it is given up.
const ATTEMPTS: u32 = 4;

/// How long the first pause between two attempts is; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    #[error(transparent)]
    Hyper(#[from] hyper::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    #[error(transparent)]
    Grpc(#[from] Box<tonic::Status>),
    #[error(transparent)]
    Decode(#[from] prost::DecodeError),
    #[error("answered with {0}")]
    Status(StatusCode),
}

/// Sends what comes through `queue` until its other end is gone.
pub(super) async fn export(
    (service, own): (cast::Service, Option<Own>),
    endpoints: Endpoints,
    mut queue: mpsc::Receiver<Telemetry>,
) {
    let mut client = match service.way() {
        Way::Grpc => {
            Client::Grpc { connector: Connector { address: endpoints.grpc, own, guest: Arc::default() }, channel: None }
        }
        _ => Client::Http { service, address: endpoints.http, own, connection: None },
    };
    while let Some(telemetry) = queue.recv().await {
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            match client.send(&telemetry).await {
                Ok(()) => break,
                Err(error) if attempt == ATTEMPTS => {
                    tracing::warn!(service = service.name(), %error, "the demo gave up an export");
                }
                Err(_) => {
                    sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }
}

/// A connection, and what it is known as as long as it is open.
type Connection = (SendRequest<Full<Bytes>>, Option<Guest>);

enum Client {
    Grpc { connector: Connector, channel: Option<Channel> },
    Http { service: cast::Service, address: SocketAddr, own: Option<Own>, connection: Option<Connection> },
}

impl Client {
    async fn send(&mut self, telemetry: &Telemetry) -> Result<(), ExportError> {
        match self {
            Self::Grpc { connector, channel } => {
                let channel = if let Some(open) = channel {
                    open.clone()
                } else {
                    let endpoint = Endpoint::from_shared(format!("http://{}", connector.address))?;
                    channel.insert(endpoint.connect_with_connector_lazy(connector.clone())).clone()
                };
                call(channel, telemetry).await
            }
            Self::Http { service, address, own, connection } => {
                let mut open = match connection.take().filter(|(sender, _)| !sender.is_closed()) {
                    Some(open) => open,
                    None => connect(*address, own.as_ref()).await?,
                };
                post(&mut open.0, (*service, *address), telemetry).await?;
                *connection = Some(open);
                Ok(())
            }
        }
    }
}

async fn call(channel: Channel, telemetry: &Telemetry) -> Result<(), ExportError> {
    match telemetry {
        Telemetry::Spans(spans) => {
            let request = ExportTraceServiceRequest::decode(encode::spans(spans).as_slice())?;
            TraceServiceClient::new(channel).export(request).await.map_err(Box::new)?;
        }
        Telemetry::Logs(records) => {
            let request = ExportLogsServiceRequest::decode(encode::logs(records).as_slice())?;
            LogsServiceClient::new(channel).export(request).await.map_err(Box::new)?;
        }
    }
    Ok(())
}

/// Connects over gRPC, and makes the connection known.
#[derive(Clone)]
struct Connector {
    address: SocketAddr,
    own: Option<Own>,
    /// What the latest connection is known as.
    guest: Arc<Mutex<Option<Guest>>>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { address, own, guest } = self.clone();
        Box::pin(async move {
            let (stream, known) = introduced(address, own.as_ref()).await?;
            *guest.lock().unwrap_or_else(PoisonError::into_inner) = known;
            Ok(TokioIo::new(stream))
        })
    }
}

/// A connection whose spans are known to be the demo's.
async fn introduced(address: SocketAddr, own: Option<&Own>) -> std::io::Result<(TcpStream, Option<Guest>)> {
    let stream = TcpStream::connect(address).await?;
    let here = stream.local_addr()?;
    Ok((stream, own.map(|own| own.board.introduce(here, own.source))))
}

async fn connect(address: SocketAddr, own: Option<&Own>) -> Result<Connection, ExportError> {
    let (stream, guest) = introduced(address, own).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped.
    tokio::spawn(connection);
    Ok((sender, guest))
}

async fn post(
    sender: &mut SendRequest<Full<Bytes>>,
    (service, address): (cast::Service, SocketAddr),
    telemetry: &Telemetry,
) -> Result<(), ExportError> {
    let (path, body) = body(service.way(), telemetry);
    let media = if service.way() == Way::Json { "application/json" } else { "application/x-protobuf" };
    let mut request = Request::post(path).header(header::HOST, address.to_string()).header(header::CONTENT_TYPE, media);
    if service == cast::Service::RecipeWeb {
        request = request.header(header::ORIGIN, "http://localhost:3100");
    }
    sender.ready().await?;
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let status = answer.status();
    answer.into_body().collect().await?;
    if status.is_success() { Ok(()) } else { Err(ExportError::Status(status)) }
}

/// Path and body of an export over HTTP.
pub(super) fn body(way: Way, telemetry: &Telemetry) -> (&'static str, Vec<u8>) {
    match (telemetry, way) {
        (Telemetry::Spans(spans), Way::Json) => ("/v1/traces", json::spans(spans)),
        (Telemetry::Spans(spans), _) => ("/v1/traces", encode::spans(spans)),
        (Telemetry::Logs(records), Way::Json) => ("/v1/logs", json::logs(records)),
        (Telemetry::Logs(records), _) => ("/v1/logs", encode::logs(records)),
    }
}

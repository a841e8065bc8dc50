//! Jaeger's `api_v3` over gRPC: answers are OTLP messages, a whole trace in each.

mod codec;
mod messages;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::timeout;
use tonic::client::Grpc as Calls;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use self::codec::Raw;
use self::messages::{
    FindTracesRequest, GetOperationsRequest, GetOperationsResponse, GetServicesRequest, GetServicesResponse,
    GetTraceRequest,
};
use super::error::RemoteError;
use super::found::{Body, Found};
use super::http::{Dial, connecting};
use super::names::Operation;
use super::server::Server;
use crate::model::{Receipt, TraceId};
use crate::query::pushdown::Search;

const SERVICE: &str = "/jaeger.api_v3.QueryService/";

/// Asks one server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Grpc {
    server: Arc<Server>,
    channel: Channel,
}

impl Grpc {
    /// Where the server is secure this reads files. Connects when first asked.
    pub(super) fn new(server: Arc<Server>) -> Result<Self, RemoteError> {
        let dial = Dial::new(&server, true)?;
        let address = format!("{}://{}", server.scheme(), server.place());
        let endpoint = Endpoint::from_shared(address)
            .map_err(|fault| RemoteError::Connect { at: server.to_string(), why: fault.to_string() })?
            .connect_timeout(server.connect_within)
            // A tunnel that died is noticed.
            .http2_keep_alive_interval(std::time::Duration::from_secs(30))
            .keep_alive_timeout(server.connect_within);
        Ok(Self { channel: endpoint.connect_with_connector_lazy(dial), server })
    }

    pub(super) async fn services(&self) -> Result<Vec<String>, RemoteError> {
        let answer: GetServicesResponse = self.unary("GetServices", &GetServicesRequest {}).await?;
        Ok(answer.services)
    }

    pub(super) async fn operations(&self, service: &str) -> Result<Vec<Operation>, RemoteError> {
        let request = GetOperationsRequest { service: service.to_owned() };
        let answer: GetOperationsResponse = self.unary("GetOperations", &request).await?;
        let one =
            |one: messages::NamedOperation| Operation { name: one.name, kind: one.span_kind.to_ascii_lowercase() };
        Ok(answer.operations.into_iter().map(one).collect())
    }

    /// Traces of one service, or of any where the search names none.
    pub(super) async fn search(&self, search: &Search) -> Result<Found, RemoteError> {
        let request = FindTracesRequest { query: Some(search.into()) };
        Ok(self.traces("FindTraces", &request).await?.within(search.limit))
    }

    pub(super) async fn trace(&self, id: TraceId) -> Result<Found, RemoteError> {
        self.traces("GetTrace", &GetTraceRequest { trace_id: id.to_string(), raw_traces: true }).await
    }

    async fn unary<T: Message + Default>(&self, method: &str, request: &impl Message) -> Result<T, RemoteError> {
        let asked = async {
            let (mut calls, path, request) = self.call(method, request).await?;
            let answer = calls.unary(request, path, Raw).await.map_err(|status| self.failed(method, &status))?;
            T::decode(answer.into_inner())
                .map_err(|fault| RemoteError::NotThis { at: self.at(method), what: fault.to_string() })
        };
        self.in_time(method, asked).await
    }

    /// Whole traces from a stream. What came before the stream broke off, or grew too large, is kept, with a warning.
    async fn traces(&self, method: &str, request: &impl Message) -> Result<Found, RemoteError> {
        let asked = async {
            let (mut calls, path, request) = self.call(method, request).await?;
            let answer = calls.server_streaming(request, path, Raw).await;
            match answer {
                Ok(stream) => self.collect(method, stream.into_inner()).await,
                Err(status) if status.code() == Code::NotFound => Ok(Found::default()),
                Err(status) => Err(self.failed(method, &status)),
            }
        };
        self.in_time(method, asked).await
    }

    async fn collect(&self, method: &str, mut stream: Streaming<Bytes>) -> Result<Found, RemoteError> {
        let (mut found, mut bytes) = (Found::default(), 0_usize);
        loop {
            let fault = match stream.message().await {
                Ok(None) => return Ok(found),
                Err(status) if status.code() == Code::NotFound => return Ok(found),
                Ok(Some(protobuf)) => {
                    bytes += protobuf.len();
                    if bytes > self.server.most {
                        RemoteError::TooLarge { at: self.at(method), limit: self.server.most }
                    } else {
                        let body = Body { protobuf, refused: Receipt::default() };
                        found.take(body).map_err(|what| RemoteError::NotThis { at: self.at(method), what })?;
                        continue;
                    }
                }
                Err(status) => self.failed(method, &status),
            };
            if found.traces.is_empty() {
                return Err(fault);
            }
            found.capped = true;
            found.warn(format!("only {} traces came: {fault}", found.traces.len()));
            return Ok(found);
        }
    }

    async fn call(
        &self,
        method: &str,
        message: &impl Message,
    ) -> Result<(Calls<Channel>, PathAndQuery, Request<Bytes>), RemoteError> {
        let mut calls = Calls::new(self.channel.clone()).max_decoding_message_size(self.server.most);
        calls.ready().await.map_err(|fault| connecting(self.at(method), &fault))?;
        let path = PathAndQuery::try_from(format!("{SERVICE}{method}"))
            .map_err(|fault| RemoteError::NotThis { at: self.at(method), what: fault.to_string() })?;
        let mut request = Request::new(Bytes::from(message.encode_to_vec()));
        let headers = self.server.headers().iter().cloned().collect();
        let sent = MetadataMap::from_headers(headers);
        for pair in sent.iter() {
            if let KeyAndValueRef::Ascii(key, value) = pair {
                request.metadata_mut().insert(key, value.clone());
            }
        }
        Ok((calls, path, request))
    }

    async fn in_time<T>(
        &self,
        method: &str,
        asked: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, RemoteError> {
        let after = self.server.answer_within;
        timeout(after, asked).await.unwrap_or_else(|_late| Err(RemoteError::Timeout { at: self.at(method), after }))
    }

    fn at(&self, method: &str) -> String {
        format!("{}://{} (gRPC {method})", self.server.scheme(), self.server.place())
    }

    fn failed(&self, method: &str, status: &Status) -> RemoteError {
        let (at, said) = (self.at(method), self.server.said(status.message()));
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => {
                RemoteError::Denied { at, status: format!("{:?}", status.code()), said }
            }
            // Tonic's own, for a message over the limit.
            Code::OutOfRange if said.contains("message length too large") => {
                RemoteError::TooLarge { at, limit: self.server.most }
            }
            Code::Unimplemented => RemoteError::NotThis { at, what: "it does not speak jaeger.api_v3".to_owned() },
            code => match std::error::Error::source(status) {
                Some(fault) if code == Code::Unavailable || code == Code::Unknown => connecting(at, fault),
                _ => RemoteError::Refused { at, status: format!("{code:?}"), said },
            },
        }
    }
}

//! Whether an answer is one: servers send pages, errors as text, and nothing at all where JSON was asked for.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value as Json;

use super::error::RemoteError;
use super::found::Body;
use super::server::Server;
use crate::model::Signal;
use crate::otlp::json::{Converted, JsonError, to_protobuf_within};
use crate::source::foreign::{ForeignError, jaeger};

/// What a server answered to one request.
pub(super) struct Answer {
    pub(super) at: String,
    pub(super) status: StatusCode,
    /// The media type, in lower case; not to be relied on.
    pub(super) media: String,
    pub(super) body: Bytes,
    pub(super) server: Arc<Server>,
}

impl Answer {
    /// The error that what came instead of an answer amounts to.
    pub(super) fn not_this(&self, what: impl Into<String>) -> RemoteError {
        RemoteError::NotThis { at: self.at.clone(), what: what.into() }
    }

    fn first(&self) -> Option<u8> {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body);
        body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    fn is_json(&self) -> bool {
        matches!(self.first(), Some(b'{' | b'['))
    }

    /// What the server says of what went wrong, in any of the ways they do.
    pub(super) fn said(&self) -> String {
        let json: Json = serde_json::from_slice(&self.body).unwrap_or_default();
        let places = ["/error/message", "/errors/0/msg", "/errors/0/message", "/message", "/error", "/msg"];
        let said = places.iter().find_map(|place| json.pointer(place).and_then(Json::as_str));
        match said {
            Some(said) => self.server.said(said),
            None if self.first() == Some(b'<') => "a web page".to_owned(),
            None if self.first().is_none() => "it says no more".to_owned(),
            None => self.server.said(&String::from_utf8_lossy(self.body.get(..2_000).unwrap_or(&self.body))),
        }
    }

    /// Passes what may be an answer: of a good status, and no page.
    pub(super) fn good(self) -> Result<Self, RemoteError> {
        let (at, status) = (self.at.clone(), self.status);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(RemoteError::Denied { at, status: status.to_string(), said: self.said() })
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if !self.is_json() => {
                Err(RemoteError::NoSuchPath { at, status })
            }
            _ if !status.is_success() => {
                Err(RemoteError::Refused { at, status: status.to_string(), said: self.said() })
            }
            _ if self.first() == Some(b'<') => {
                let media = if self.media.is_empty() { "no type" } else { &self.media };
                Err(self.not_this(format!("a web page ({status}, {media}) instead of an answer: is the path right?")))
            }
            _ if self.body.is_empty() => Err(self.not_this(format!("an empty answer ({status})"))),
            _ => Ok(self),
        }
    }

    /// Whether the server says, in JSON, that there is nothing of what was asked for.
    pub(super) fn is_nothing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.is_json()
    }

    /// Whether it is an object with one of these members.
    pub(super) fn is_object_with(&self, members: &[&str]) -> bool {
        let json: Json = serde_json::from_slice(&self.body).unwrap_or_default();
        members.iter().any(|member| json.get(member).is_some())
    }

    /// The answer as JSON, whatever its type is called.
    pub(super) fn json(self) -> Result<(Json, Self), RemoteError> {
        let good = self.good()?;
        match serde_json::from_slice(&good.body) {
            Ok(json) => Ok((json, good)),
            Err(fault) => Err(good.broken(&fault.to_string())),
        }
    }

    /// What is there is not JSON (any more).
    fn broken(&self, fault: &str) -> RemoteError {
        let media = if self.media.is_empty() { "no type" } else { &self.media };
        self.not_this(format!("not JSON ({media}): {}", self.server.said(fault)))
    }

    /// Spans in OTLP/JSON.
    pub(super) async fn otlp_json(self) -> Result<Body, RemoteError> {
        let good = self.good()?;
        let (body, limit) = (good.body.clone(), good.server.most);
        let converted = blocking(move || to_protobuf_within(Signal::Traces, &body, limit)).await;
        match converted {
            Some(Ok(converted)) => Ok(of(converted)),
            Some(Err(JsonError::TooLarge(limit))) => Err(RemoteError::TooLarge { at: good.at, limit }),
            Some(Err(JsonError::Broken(fault))) => Err(good.broken(&fault)),
            None => Err(good.not_this("it could not be read")),
        }
    }

    /// Spans in Jaeger's own JSON.
    pub(super) async fn jaeger_json(self) -> Result<Body, RemoteError> {
        let good = self.good()?;
        let body = good.body.clone();
        match blocking(move || jaeger::to_protobuf(&body)).await {
            Some(Ok(converted)) => Ok(of(converted)),
            Some(Err(ForeignError::Server(said))) => {
                let said = good.server.said(&said);
                Err(RemoteError::Refused { at: good.at, status: good.status.to_string(), said })
            }
            Some(Err(fault)) => Err(good.not_this(good.server.said(&fault.to_string()))),
            None => Err(good.not_this("it could not be read")),
        }
    }
}

fn of(converted: Converted) -> Body {
    Body { protobuf: Bytes::from(converted.protobuf), refused: converted.refused }
}

/// Work that takes long, off the threads that serve connections; nothing where it failed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// The texts in a list; nothing where it is no list of texts.
pub(super) fn texts(list: &Json) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

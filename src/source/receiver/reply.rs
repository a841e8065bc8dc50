//! Answers as HTTP knows them.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};

use super::refusal::{Refusal, RefusalKind};
use crate::otlp::status::{Encoding, status};

/// The body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer without a body.
pub(super) fn empty(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = code;
    response
}

/// An answer of OTLP/HTTP.
pub(super) fn full(code: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::from(body).boxed_unsync());
    *response.status_mut() = code;
    let media = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// The answer of OTLP/HTTP to a request that is refused: a `google.rpc.Status` in the sender's encoding.
pub(super) fn refused(encoding: Encoding, refusal: &Refusal) -> Response<Body> {
    let Refusal { kind, message } = refusal;
    let mut response = full(kind.http(), encoding, status(encoding, kind.grpc() as i32, message, kind.retry()));
    advise(&mut response, *kind);
    response
}

/// The answer to a request that is refused, for senders that know no form for it: the reason as text.
pub(super) fn plain(refusal: &Refusal) -> Response<Body> {
    let Refusal { kind, message } = refusal;
    let mut response = Response::new(Full::from(format!("{message}\n")).boxed_unsync());
    *response.status_mut() = kind.http();
    let media = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    advise(&mut response, *kind);
    response
}

/// Says in the headers when to try again, and with which method.
fn advise(response: &mut Response<Body>, kind: RefusalKind) {
    let headers = response.headers_mut();
    if let Some(delay) = kind.retry() {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if kind == RefusalKind::WrongMethod {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    }
}

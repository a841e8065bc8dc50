//! The three `Export` methods of OTLP/gRPC, unary.
//!
//! The 5-byte prefix of a message is read here (gRPC over HTTP/2, "Length-Prefixed-Message"): a length above
//! the limit is answered before the message is read, and with `RESOURCE_EXHAUSTED`, which senders do not
//! retry. The bytes go on as they came.

use std::convert::Infallible;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use super::Protocol;
use super::body::Held;
use super::connection::Connection;
use super::diagnose::{shown, signal_of_method};
use super::http::discard;
use super::inflate::Coding;
use super::refusal::{Refusal, RefusalKind};
use super::reply::{Body, empty};
use crate::model::{Receipt, Signal};
use crate::otlp::status::{Encoding, response, status};

/// Bytes before each message: a flag and a length.
const PREFIX: usize = 5;

/// Whether a request is gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    media.and_then(|media| media.get(..16)).is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"))
}

/// Takes in one request of gRPC.
pub(super) async fn answer(connection: &Connection, parts: &Parts, mut body: Incoming) -> Response<Body> {
    match take(connection, parts, &mut body).await {
        Ok((signal, receipt)) => {
            connection.taken(parts, Protocol::Grpc);
            accepted(&response(signal, Encoding::Protobuf, &receipt))
        }
        Err(refusal) => {
            connection.refused(parts, &refusal);
            discard(parts, body, connection.reading().limit);
            refused(&refusal)
        }
    }
}

async fn take(connection: &Connection, parts: &Parts, body: &mut Incoming) -> Result<(Signal, Receipt), Refusal> {
    let signal = method(connection, parts)?;
    let coding = coding(&parts.headers)?;
    connection.admit()?;
    let reading = connection.reading();
    let held = reading.read(body, reading.limit.saturating_add(PREFIX), |so_far| check(so_far, reading.limit)).await?;
    let (compressed, message) = unframe(&held.bytes)?;
    let held = Held { bytes: message, room: held.room };
    let held = match (compressed, coding) {
        (false, _) => held,
        (true, Coding::Identity) => return Err(broken("the message is compressed, but grpc-encoding is not set")),
        (true, coding) => reading.unpack(held, coding).await?,
    };
    let receipt = connection.deliver(signal, held, Receipt::default()).await?;
    Ok((signal, receipt))
}

fn method(connection: &Connection, parts: &Parts) -> Result<Signal, Refusal> {
    let urls = connection.urls();
    let media = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if media.get(16..).is_some_and(|rest| rest.starts_with(b"-web")) {
        let advice = format!("gRPC-Web is not spoken here: web pages send OTLP/HTTP to {}/v1/traces", urls.http);
        return Err(Refusal::new(RefusalKind::WrongMediaType, advice));
    }
    if parts.version != Version::HTTP_2 {
        let advice = "gRPC needs HTTP/2: look for a proxy between that turns it into HTTP/1";
        return Err(Refusal::new(RefusalKind::WrongProtocol, advice));
    }
    signal_of_method(parts.uri.path()).ok_or_else(|| {
        let known = "the Export methods of OTLP's TraceService, LogsService and MetricsService are";
        Refusal::new(RefusalKind::WrongPath, format!("there is no such gRPC method here; {known}"))
    })
}

fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let Some(given) = headers.get("grpc-encoding") else { return Ok(Coding::Identity) };
    given.to_str().ok().and_then(Coding::parse).ok_or_else(|| {
        let given = shown(given.as_bytes());
        let message = format!("the compression {given} is not known: use one of {}", Coding::ACCEPTED);
        Refusal::new(RefusalKind::UnknownCoding, message)
    })
}

fn broken(words: &str) -> Refusal {
    Refusal::new(RefusalKind::BrokenBody, words)
}

/// Reads a prefix: whether the message is compressed, and its length.
fn prefix(bytes: &[u8]) -> Option<(u8, usize)> {
    let (flag, length) = bytes.get(..PREFIX)?.split_first()?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    Some((*flag, usize::try_from(length).unwrap_or(usize::MAX)))
}

/// Refuses a message as soon as its prefix shows that it cannot be taken.
fn check(so_far: &[u8], limit: usize) -> Result<(), Refusal> {
    match prefix(so_far) {
        Some((flag, _)) if flag > 1 => Err(broken("the gRPC message does not begin with a length")),
        Some((_, length)) if length > limit => Err(Refusal::too_large(limit)),
        Some((_, length)) if so_far.len() > PREFIX + length => Err(broken("a unary call holds one message, not more")),
        _ => Ok(()),
    }
}

/// The one message of a call, and whether it is compressed.
fn unframe(bytes: &Bytes) -> Result<(bool, Bytes), Refusal> {
    let Some((flag, length)) = prefix(bytes) else { return Err(broken("the call holds no message")) };
    if bytes.len() != PREFIX + length {
        return Err(broken("the gRPC message is cut short"));
    }
    Ok((flag == 1, bytes.slice(PREFIX..)))
}

fn accepted(message: &[u8]) -> Response<Body> {
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(tonic::Status::GRPC_STATUS, HeaderValue::from_static("0"));
    let body = Full::new(frame.freeze()).with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// The answer to a call that is refused: headers only, with a `google.rpc.Status` where a retry is asked for.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let Refusal { kind, message } = refusal;
    let code = kind.grpc();
    let details = kind.retry().map(|delay| status(Encoding::Protobuf, code as i32, message, Some(delay)));
    let status = tonic::Status::with_details(code, message.as_str(), Bytes::from(details.unwrap_or_default()));
    let (head, ()) = status.into_http::<()>().into_parts();
    let mut response = empty(head.status);
    *response.headers_mut() = head.headers;
    if *kind == RefusalKind::UnknownCoding {
        response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(Coding::ACCEPTED));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_judged_before_the_message_is_there() {
        assert!(check(&[0, 0, 0], 8).is_ok());
        assert!(check(&[0, 0, 0, 0, 8], 8).is_ok());
        assert_eq!(check(&[0, 0, 0, 0, 9], 8).unwrap_err().kind, RefusalKind::TooLarge);
        assert_eq!(check(&[2, 0, 0, 0, 1], 8).unwrap_err().kind, RefusalKind::BrokenBody);
        assert_eq!(check(&[0, 0, 0, 0, 1, 7, 7], 8).unwrap_err().kind, RefusalKind::BrokenBody);
    }

    #[test]
    fn message_is_taken_out_of_its_frame_whole_or_not_at_all() {
        let cases: [(&[u8], bool); 5] = [
            (&[], false),
            (&[0, 0, 0, 0], false),
            (&[0, 0, 0, 0, 0], true),
            (&[1, 0, 0, 0, 2, 5, 6], true),
            (&[0, 0, 0, 0, 3, 5, 6], false),
        ];
        for (bytes, whole) in cases {
            assert_eq!(unframe(&Bytes::copy_from_slice(bytes)).is_ok(), whole, "{bytes:?}");
        }
    }
}

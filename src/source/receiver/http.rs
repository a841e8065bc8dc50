//! OTLP/HTTP: protobuf and JSON, over HTTP/1 and HTTP/2.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::Protocol;
use super::body::{Held, Reading};
use super::connection::Connection;
use super::diagnose::{shown, signal_of_path, wrong_media_type, wrong_path};
use super::inflate::Coding;
use super::refusal::{Refusal, RefusalKind};
use super::reply::{self, Body};
use crate::model::{Receipt, Signal};
use crate::otlp::json::{self, Converted, JsonError};
use crate::otlp::status::{Encoding, response};
use crate::source::contain::contain;

/// Up to here JSON is converted on the spot.
const SMALL: usize = 16 * 1024;
/// How long the rest of a refused body is still read, so that its sender gets to read the answer.
const LINGER: Duration = Duration::from_secs(5);

/// Takes in one request of OTLP/HTTP.
pub(super) async fn answer(connection: &Connection, parts: &Parts, mut body: Incoming) -> Response<Body> {
    let encoding = media_type(&parts.headers);
    match take(connection, parts, encoding, &mut body).await {
        Ok((signal, encoding, receipt)) => {
            connection.taken(parts, Protocol::Http);
            reply::full(StatusCode::OK, encoding, response(signal, encoding, &receipt))
        }
        Err(refusal) => {
            connection.refused(parts, &refusal);
            discard(parts, body, connection.reading().limit);
            reply::refused(encoding.unwrap_or(Encoding::Json), &refusal)
        }
    }
}

/// Reads what is left of a refused body and forgets it. A socket that is closed with unread bytes resets the
/// connection, and the answer is lost with it; HTTP/2 has no such trouble.
pub(super) fn discard(parts: &Parts, mut body: Incoming, limit: usize) {
    if parts.version == Version::HTTP_2 || body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(LINGER, async move {
        let mut left = limit;
        while let Some(Ok(frame)) = body.frame().await {
            left = match left.checked_sub(frame.data_ref().map_or(0, bytes::Bytes::len)) {
                Some(left) => left,
                None => return,
            };
        }
    }));
}

async fn take(
    connection: &Connection,
    parts: &Parts,
    encoding: Option<Encoding>,
    body: &mut Incoming,
) -> Result<(Signal, Encoding, Receipt), Refusal> {
    let path = parts.uri.path();
    let wrong = || Refusal::new(RefusalKind::WrongPath, wrong_path(path, connection.urls()));
    let signal = signal_of_path(path).ok_or_else(wrong)?;
    if parts.method != Method::POST {
        return Err(Refusal::new(RefusalKind::WrongMethod, "telemetry is sent with POST"));
    }
    let encoding = encoding.ok_or_else(|| {
        let given = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        Refusal::new(RefusalKind::WrongMediaType, wrong_media_type(given))
    })?;
    connection.admit()?;
    let reading = connection.reading();
    let held = whole(reading, parts, body).await?;
    let (held, refused) = match encoding {
        Encoding::Protobuf => (held, Receipt::default()),
        Encoding::Json if held.bytes.is_empty() => (held, Receipt::default()),
        Encoding::Json => converted(reading, held, move |body, most| json_to_protobuf(signal, body, most)).await?,
    };
    let receipt = connection.deliver(signal, held, refused).await?;
    Ok((signal, encoding, receipt))
}

/// Reads a whole body and decompresses it.
pub(super) async fn whole(reading: &Reading, parts: &Parts, body: &mut Incoming) -> Result<Held, Refusal> {
    let coding = coding(&parts.headers)?;
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|declared| declared > reading.limit) {
        return Err(Refusal::too_large(reading.limit));
    }
    let held = reading.read(body, reading.limit, |_| Ok(())).await?;
    reading.unpack(held, coding).await
}

fn json_to_protobuf(signal: Signal, body: &[u8], most: usize) -> Result<Converted, Refusal> {
    json::to_protobuf_within(signal, body, most).map_err(|error| match error {
        JsonError::TooLarge(limit) => Refusal::too_large(limit),
        JsonError::Broken(why) => unreadable(&why),
    })
}

fn unreadable(why: &str) -> Refusal {
    Refusal::new(RefusalKind::BrokenBody, format!("the JSON could not be read: {why}"))
}

/// The encoding that the content type stands for; parameters such as `charset` do not matter.
pub(super) fn media_type(headers: &HeaderMap) -> Option<Encoding> {
    let media = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = media.split(';').next().unwrap_or_default().trim();
    match media.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let mut coding = Coding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for word in value.to_str().unwrap_or("?").split(',') {
            coding = match (Coding::parse(word), coding) {
                (Some(Coding::Identity), before) => before,
                (Some(named), Coding::Identity) => named,
                _ => return Err(unknown_coding(value)),
            };
        }
    }
    Ok(coding)
}

fn unknown_coding(given: &HeaderValue) -> Refusal {
    let given = shown(given.as_bytes());
    let message = format!("the content encoding {given} is not known: use one of {}", Coding::ACCEPTED);
    Refusal::new(RefusalKind::UnknownCoding, message)
}

/// Turns a body into OTLP protobuf, on a thread of its own where it is large. The protobuf is paid for as if it were as long
/// as the body before it is made, and as what it is afterwards; it is held to the limit of a body.
pub(super) async fn converted(
    reading: &Reading,
    held: Held,
    convert: impl FnOnce(&[u8], usize) -> Result<Converted, Refusal> + Send + 'static,
) -> Result<(Held, Receipt), Refusal> {
    let mut room = reading.feed.reservation();
    room.grow(held.bytes.len())?;
    let (small, limit) = (held.bytes.len() <= SMALL, reading.limit);
    let work = move || {
        let converted =
            contain(|| convert(&held.bytes, limit)).ok_or_else(|| unreadable("its reader failed on it"))??;
        room.grow(converted.protobuf.capacity().saturating_sub(held.bytes.len()))?;
        room.shrink_to(converted.protobuf.capacity());
        Ok((Held { bytes: converted.protobuf.into(), room }, converted.refused))
    };
    if small { work() } else { reading.blocking(work).await }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &header::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn media_type_counts_without_its_parameters_and_in_any_case() {
        let cases = [
            ("application/x-protobuf", Some(Encoding::Protobuf)),
            ("Application/X-Protobuf", Some(Encoding::Protobuf)),
            ("application/json; charset=utf-8", Some(Encoding::Json)),
            ("application/json;charset=UTF-8", Some(Encoding::Json)),
            ("text/plain", None),
            ("application/jsonl", None),
        ];
        for (given, expected) in cases {
            assert_eq!(media_type(&headers(&header::CONTENT_TYPE, &[given])), expected, "{given}");
        }
    }

    #[test]
    fn content_encoding_names_at_most_one_compression() {
        let cases: [(&[&str], Option<Coding>); 8] = [
            (&[], Some(Coding::Identity)),
            (&["identity"], Some(Coding::Identity)),
            (&["GZip"], Some(Coding::Gzip)),
            (&["identity, zstd"], Some(Coding::Zstd)),
            (&["deflate", "identity"], Some(Coding::Deflate)),
            (&["gzip, gzip"], None),
            (&["gzip", "zstd"], None),
            (&["br"], None),
        ];
        for (given, expected) in cases {
            assert_eq!(coding(&headers(&header::CONTENT_ENCODING, given)).ok(), expected, "{given:?}");
        }
    }
}

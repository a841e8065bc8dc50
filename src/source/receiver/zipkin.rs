//! Zipkin v2: `POST /api/v2/spans`, JSON and protobuf, answered with 202 and nothing else
//! (<https://zipkin.io/zipkin-api/>).

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;

use super::Protocol;
use super::connection::Connection;
use super::diagnose::shown;
use super::http::{converted, discard, whole};
use super::refusal::{Refusal, RefusalKind};
use super::reply::{self, Body};
use crate::model::{Receipt, Signal};
use crate::source::foreign::zipkin::{self, ZipkinError};

/// Where spans are sent.
pub(super) const PATH: &str = "/api/v2/spans";

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Protobuf,
}

/// Takes in one request of a Zipkin sender.
pub(super) async fn answer(connection: &Connection, parts: &Parts, mut body: Incoming) -> Response<Body> {
    match take(connection, parts, &mut body).await {
        Ok(receipt) => {
            connection.taken(parts, Protocol::Zipkin);
            // The answer has no room for what was left out of a body that was taken: it is told here.
            if let Some(words) = left_out(&receipt) {
                connection.refused(parts, &Refusal::new(RefusalKind::BrokenAtIndex, words));
            }
            reply::empty(StatusCode::ACCEPTED)
        }
        Err(refusal) => {
            connection.refused(parts, &refusal);
            discard(parts, body, connection.reading().limit);
            reply::plain(&refusal)
        }
    }
}

async fn take(connection: &Connection, parts: &Parts, body: &mut Incoming) -> Result<Receipt, Refusal> {
    let url = connection.url_of(Protocol::Zipkin);
    if parts.uri.path() != PATH {
        return Err(Refusal::new(RefusalKind::WrongPath, wrong_path(parts.uri.path(), url)));
    }
    if parts.method != Method::POST {
        let words = "spans are sent here with POST; to look at them there is the screen and `tracefall query`";
        return Err(Refusal::new(RefusalKind::WrongMethod, words));
    }
    let form = form(&parts.headers)?;
    connection.admit()?;
    let held = whole(connection.reading(), parts, body).await?;
    let convert = move |body: &[u8], most| {
        let converted = match form {
            Form::Json => zipkin::json_to_protobuf(body, most),
            Form::Protobuf => zipkin::protobuf_to_protobuf(body, most),
        };
        converted.map_err(|error| match error {
            ZipkinError::TooLarge(limit) => Refusal::too_large(limit),
            ZipkinError::Broken(why) => Refusal::new(RefusalKind::BrokenBody, format!("the spans: {why}")),
        })
    };
    let (held, refused) = converted(connection.reading(), held, convert).await?;
    let receipt = connection.deliver(Signal::Traces, held, refused).await?;
    match left_out(&receipt) {
        Some(words) if receipt.accepted == 0 => Err(Refusal::new(RefusalKind::BrokenAtIndex, words)),
        _ => Ok(receipt),
    }
}

/// What was left out of a body, in words.
fn left_out(receipt: &Receipt) -> Option<String> {
    let told: Vec<_> =
        receipt.rejected.iter().map(|(reason, count)| format!("{count} left out: {}", reason.words())).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// How the body is written. Senders leave the content type out, and browsers' beacons say that it is text: both send JSON.
fn form(headers: &HeaderMap) -> Result<Form, Refusal> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(Form::Json) };
    let media = given.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    match media.to_ascii_lowercase().as_slice() {
        b"application/json" | b"text/plain" | b"" => Ok(Form::Json),
        b"application/x-protobuf" | b"application/protobuf" => Ok(Form::Protobuf),
        _ => Err(Refusal::new(RefusalKind::WrongMediaType, wrong_media_type(given))),
    }
}

fn wrong_media_type(given: &HeaderValue) -> String {
    let given = shown(given.as_bytes());
    let instead = "send application/json or application/x-protobuf";
    if given.contains("thrift") {
        return format!(
            "the content type is {given}, which is Zipkin v1: set the sender's encoding to JSON_V2; {instead}"
        );
    }
    format!("the content type is {given}: {instead}")
}

/// What to do about a path that is not Zipkin's, at its door; `url` is the door's.
fn wrong_path(path: &str, url: &str) -> String {
    match path.trim_end_matches('/') {
        "" => format!("the path is missing: set the endpoint to {url}{PATH}"),
        "/api/v1/spans" => {
            format!(
                "Zipkin v1 is not taken: set the sender's encoding to JSON_V2 (or PROTO3), and the endpoint to {url}{PATH}"
            )
        }
        _ => format!("there is no such path: Zipkin's spans go to {url}{PATH}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_told_by_the_content_type_and_json_where_there_is_none() {
        let cases = [
            ("application/json;charset=UTF-8", Ok(Form::Json)),
            ("text/plain", Ok(Form::Json)),
            ("application/X-Protobuf", Ok(Form::Protobuf)),
            ("application/x-thrift", Err("JSON_V2")),
            ("image/png", Err("send application/json")),
        ];
        assert_eq!(form(&HeaderMap::new()), Ok(Form::Json));
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(given));
            match (form(&headers), expected) {
                (Ok(form), Ok(expected)) => assert_eq!(form, expected, "{given}"),
                (Err(refusal), Err(words)) => assert!(refusal.message.contains(words), "{}", refusal.message),
                (found, expected) => panic!("{given}: {found:?} where {expected:?}"),
            }
        }
    }
}

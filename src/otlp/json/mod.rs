//! OTLP/JSON, read tolerantly and encoded to OTLP protobuf at the door.
//!
//! In: the bytes of a request, an answer or a file. Out: the same in protobuf, and how much of it could not be
//! read. The text is walked once by the tables of `schema`, and protobuf is written as it goes; nothing is built
//! in between. All three signals are converted in full. Must never know: how spans are kept, what an id must look
//! like beyond being hex.
//!
//! Beyond the [specification](https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding) it takes what
//! senders are seen to write:
//!
//! - names in `lowerCamelCase` or `snake_case`, also those from before OTLP 0.15 (`instrumentationLibrarySpans`);
//! - enums as numbers or names; whole numbers as numbers, strings or exact floats; `NaN` and the infinities;
//! - ids in hex of any case or in base64; bytes in either base64 alphabet, padded or not;
//! - `null` for a default, empty composite values, a byte order mark;
//! - several requests in one body, one after another or in an array, and the envelopes of Jaeger and Tempo.
//!
//! What is not UTF-8, and half surrogate pairs, become U+FFFD. Unknown members are ignored.

mod convert;
mod cursor;
mod scalar;
mod schema;

use std::borrow::Cow;

use self::convert::Converter;
use self::schema::Message;
use crate::model::{Receipt, RejectReason, Signal};

/// How many brackets may be open around a value. One value inside another takes three (`{"arrayValue":
/// {"values": [`); an item with deeper values is refused, so that the stack is bounded.
const MAX_DEPTH: usize = 500;

/// A JSON body turned into protobuf.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// An `Export…ServiceRequest` in protobuf.
    pub protobuf: Vec<u8>,
    /// Items of the body that could not be read and are not in `protobuf`; `accepted` is left at zero.
    pub refused: Receipt,
}

/// Why a JSON body was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON, or not an object of the expected shape.
    #[error("{0}")]
    Broken(String),
    /// It stands for more bytes of protobuf than may be made of it.
    #[error("it is more than {0} bytes as protobuf")]
    TooLarge(usize),
}

/// How many brackets may be open around an envelope: nobody wraps a request more than twice. What is wrong in an envelope is
/// found again by each one around it, so this also bounds how often the same bytes are read.
const MAX_ENVELOPES: usize = 4;

/// Why a value could not be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is not what the schema expects there. Whether it is JSON is decided by skipping it.
    Malformed,
    /// The text is not JSON.
    Broken { at: usize, what: &'static str },
    /// More was written than may be.
    TooLarge,
}

/// Converts the body of an OTLP/JSON request for `signal` to protobuf.
///
/// A span, log record or data point that cannot be read costs only itself and is counted in `refused`, and so is
/// each element around them that is not even an object. What cannot be read in a resource or scope is left out.
/// Ids of a wrong length are passed on as they are.
///
/// # Errors
/// Where the body as a whole cannot be read: it is no JSON, or not made of objects, or an object has members but
/// none that belongs to `signal`.
pub fn to_protobuf(signal: Signal, body: &[u8]) -> Result<Converted, JsonError> {
    to_protobuf_within(signal, body, usize::MAX)
}

/// As [`to_protobuf`], but makes no more than about `most` bytes of it. Most JSON shrinks; a row of numbers of one digit
/// grows fourfold, and a byte that is not UTF-8 threefold.
///
/// # Errors
/// As [`to_protobuf`], and where there would be more.
pub fn to_protobuf_within(signal: Signal, body: &[u8], most: usize) -> Result<Converted, JsonError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Checking alone is several times faster than the lossy walk.
    let text = std::str::from_utf8(body).map_or_else(|_| mended(body, most), |text| Ok(Cow::Borrowed(text)))?;
    let mut converter = Converter::new(&text, most);
    documents(&mut converter, signal)?;
    let mut refused = Receipt::default();
    refused.reject(RejectReason::MalformedSpan, converter.refused);
    let protobuf = converter.out.finish();
    if protobuf.len() > most {
        return Err(JsonError::TooLarge(most));
    }
    Ok(Converted { protobuf, refused })
}

/// The bytes that `text` stands for: base64 in its standard or its url-safe alphabet, padded or not.
#[must_use]
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    scalar::base64(text.as_bytes(), &mut out).map(|()| out)
}

/// `body` with U+FFFD for what is not UTF-8.
fn mended(body: &[u8], most: usize) -> Result<Cow<'_, str>, JsonError> {
    let mut text = String::with_capacity(body.len().min(most));
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if text.len() > most {
            return Err(JsonError::TooLarge(most));
        }
    }
    Ok(Cow::Owned(text))
}

/// Converts every request of the text. Repeated fields add up, so requests in a row are one request.
fn documents(converter: &mut Converter<'_>, signal: Signal) -> Result<(), JsonError> {
    if converter.json.peek().is_none() {
        return Err(JsonError::Broken("the body is empty".to_owned()));
    }
    while converter.json.peek().is_some() {
        if !converter.json.take(b'[') {
            document(converter, signal)?;
            continue;
        }
        let mut more = !converter.json.take(b']');
        while more {
            document(converter, signal)?;
            more = converter.json.more(b']').map_err(|fault| describe(fault, signal, converter.most))?;
        }
    }
    Ok(())
}

fn document(converter: &mut Converter<'_>, signal: Signal) -> Result<(), JsonError> {
    let message = envelope(signal);
    let start = converter.json.at();
    let members = match converter.object(message, 1) {
        Err(Fault::Malformed) => {
            // What is not an object may not be JSON at all.
            converter.json.rewind(start);
            let fault = converter.json.skip().err().unwrap_or(Fault::Malformed);
            return Err(describe(fault, signal, converter.most));
        }
        other => other.map_err(|fault| describe(fault, signal, converter.most))?,
    };
    if members.all > 0 && members.known == 0 {
        return Err(describe(Fault::Malformed, signal, converter.most));
    }
    Ok(())
}

fn envelope(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &schema::TRACES,
        Signal::Logs => &schema::LOGS,
        Signal::Metrics => &schema::METRICS,
    }
}

fn describe(fault: Fault, signal: Signal, most: usize) -> JsonError {
    match fault {
        Fault::Malformed => {
            let (signal, expected) = (signal.name(), expected(signal));
            JsonError::Broken(format!("not an OTLP/JSON request for {signal}: expected an object with {expected}"))
        }
        Fault::Broken { at, what } => JsonError::Broken(format!("not JSON at byte {at}: {what}")),
        Fault::TooLarge => JsonError::TooLarge(most),
    }
}

fn expected(signal: Signal) -> &'static str {
    envelope(signal).fields.first().map_or("", |field| field.name)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

//! The JSON of Zipkin v2. Spans are read one by one, so that a body is never there as a tree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::map::{Annotation, Endpoint, ZipkinSpan};
use super::{Taken, ZipkinError};
use crate::model::{Attribute, Kind, SpanId, Text, TraceId, Value};

/// What a body should have been.
const EXPECTED: &str = "expected an array of Zipkin v2 spans, each with traceId and id";
/// What the first version of the format had.
const V1: &str = "these are spans of Zipkin v1 (binaryAnnotations): have the sender use the v2 format, \
                  POST /api/v2/spans";

pub(super) fn read(body: &[u8], taken: &mut Taken) -> Result<(), ZipkinError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let text = whole_pairs(&text);
    if text.trim_ascii().is_empty() {
        return Err(ZipkinError::Broken("the body is empty".to_owned()));
    }
    let mut spans = Spans { taken, wrong: None };
    let mut rest = serde_json::Deserializer::from_str(&text);
    loop {
        let read = (&mut rest).deserialize_any(&mut spans);
        if let Some(wrong) = spans.wrong.take() {
            return Err(wrong);
        }
        read.map_err(|error| ZipkinError::Broken(format!("not JSON: {error}")))?;
        if rest.end().is_ok() {
            return Ok(());
        }
    }
}

/// The text with U+FFFD for each half of a surrogate pair that stands alone, as where a sender cut a string short: the
/// reader of JSON would refuse the whole body for it.
fn whole_pairs(text: &str) -> Cow<'_, str> {
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let taken = match (unit(after), after.get(5..).and_then(|next| next.strip_prefix('\\')).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 11,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str("\\ufffd");
                rest = after.get(5..).unwrap_or_default();
                continue;
            }
            // The escaped symbol: a backslash there begins nothing.
            _ => after.chars().next().map_or(0, char::len_utf8),
        };
        let (escaped, after) = after.split_at_checked(taken).unwrap_or((after, ""));
        out.push('\\');
        out.push_str(escaped);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The number of an escape `uXXXX`.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix('u')?.get(..4)?, 16).ok()
}

/// Takes the spans of an array as they come.
struct Spans<'a> {
    taken: &'a mut Taken,
    /// Why the body is refused although it may be JSON.
    wrong: Option<ZipkinError>,
}

impl Spans<'_> {
    fn item(&mut self, item: Json) -> Result<(), ZipkinError> {
        let members = match item {
            Json::Object(members) => members,
            // Several traces, as Zipkin's own API answers with.
            Json::Array(trace) => return trace.into_iter().try_for_each(|item| self.item(item)),
            _ => {
                self.taken.refuse();
                return Ok(());
            }
        };
        if members.contains_key("binaryAnnotations") {
            return Err(ZipkinError::Broken(V1.to_owned()));
        }
        self.taken.span(span(members))
    }

    /// The same, as a reader of JSON is told of it.
    fn take<E: serde::de::Error>(&mut self, item: Json) -> Result<(), E> {
        self.item(item).map_err(|wrong| {
            self.wrong = Some(wrong);
            E::custom("refused")
        })
    }
}

impl<'de> Visitor<'de> for &mut Spans<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of Zipkin v2 spans")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            self.take(item)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let item = Json::deserialize(MapAccessDeserializer::new(members))?;
        if item.get("traceId").is_none() {
            self.wrong = Some(ZipkinError::Broken(EXPECTED.to_owned()));
            return Err(A::Error::custom("refused"));
        }
        self.take(item)
    }
}

fn span(mut members: Map<String, Json>) -> ZipkinSpan {
    let id = |name: &str| members.get(name).and_then(Json::as_str);
    let (trace_id, span_id) = (id("traceId").and_then(TraceId::from_hex), id("id").and_then(SpanId::from_hex));
    let parent_id = id("parentId").and_then(SpanId::from_hex);
    let micros = |name: &str| members.get(name).and_then(number).unwrap_or_default();
    let (timestamp, duration) = (micros("timestamp"), micros("duration"));
    let truth = |name: &str| members.get(name).is_some_and(|value| *value == Json::Bool(true));
    let (shared, debug) = (truth("shared"), truth("debug"));
    let kind = members.get("kind").and_then(Json::as_str).map(str::to_owned);
    let known = kind.as_deref().map(kind_of);
    let mut tags = members.remove("tags").map_or_else(Vec::new, |tags| match tags {
        Json::Object(tags) => tags.into_iter().map(tag).collect(),
        _ => Vec::new(),
    });
    if let (Some(None), Some(kind)) = (known, kind) {
        tags.push(Attribute { key: Text::from("zipkin.kind"), value: Value::Text(kind.into()) });
    }
    let annotations = match members.remove("annotations") {
        Some(Json::Array(annotations)) => annotations.into_iter().filter_map(annotation).collect(),
        _ => Vec::new(),
    };
    ZipkinSpan {
        trace_id,
        span_id,
        parent_id,
        name: members.get("name").and_then(Json::as_str).unwrap_or_default().into(),
        kind: known.flatten(),
        timestamp,
        duration,
        local: endpoint(members.get("localEndpoint")),
        remote: endpoint(members.get("remoteEndpoint")),
        annotations,
        tags,
        shared,
        debug,
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    [Kind::SERVER, Kind::CLIENT, Kind::PRODUCER, Kind::CONSUMER]
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(name))
}

/// A whole number, also where it is written as a string or as a float.
fn number(value: &Json) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is meant")]
    let whole = |float: f64| float as u64;
    match value {
        Json::Number(number) => number.as_u64().or_else(|| number.as_f64().map(whole)),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Tags are strings; what is written otherwise keeps its type.
fn tag((key, value): (String, Json)) -> Attribute {
    Attribute { key: key.into(), value: super::marks::value(value) }
}

fn endpoint(value: Option<&Json>) -> Endpoint {
    let text = |name: &str| value.and_then(|value| value.get(name)).and_then(Json::as_str).unwrap_or_default();
    let port = value.and_then(|value| value.get("port")).and_then(number).unwrap_or_default();
    Endpoint {
        service: text("serviceName").into(),
        ipv4: text("ipv4").to_owned(),
        ipv6: text("ipv6").to_owned(),
        port: u16::try_from(port).unwrap_or_default(),
    }
}

fn annotation(value: Json) -> Option<Annotation> {
    let Json::Object(mut members) = value else { return None };
    let timestamp = members.get("timestamp").and_then(number).unwrap_or_default();
    let value = match members.remove("value")? {
        Json::String(text) => text,
        other => other.to_string(),
    };
    Some(Annotation { timestamp, value: value.into() })
}

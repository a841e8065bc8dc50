//! `ListOfSpans` of `zipkin.proto` (<https://github.com/openzipkin/zipkin-api>). Strings are taken as bytes: one that is
//! not UTF-8 costs nobody a span.

use std::net::IpAddr;

use prost::Message as _;

use super::map::{self, ZipkinSpan};
use super::{Taken, ZipkinError};
use crate::model::{Attribute, Kind, SpanId, Text, TraceId, Value};

pub(super) fn read(body: &[u8], taken: &mut Taken) -> Result<(), ZipkinError> {
    let list = ListOfSpans::decode(body).map_err(|error| ZipkinError::Broken(format!("not a ListOfSpans: {error}")))?;
    for span in list.spans {
        // Spans are bytes until it is their turn: decoded, they take several times the room.
        match Span::decode(&*span) {
            Ok(span) => taken.span(span.into())?,
            Err(error) => return Err(ZipkinError::Broken(format!("not a Zipkin span: {error}"))),
        }
    }
    Ok(())
}

#[derive(Clone, PartialEq, prost::Message)]
struct ListOfSpans {
    #[prost(bytes = "vec", repeated, tag = "1")]
    spans: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    parent_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(bytes = "vec", tag = "5")]
    name: Vec<u8>,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local: Option<Endpoint>,
    #[prost(message, optional, tag = "9")]
    remote: Option<Endpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<Annotation>,
    #[prost(message, repeated, tag = "11")]
    tags: Vec<Tag>,
    #[prost(bool, tag = "12")]
    debug: bool,
    #[prost(bool, tag = "13")]
    shared: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Endpoint {
    #[prost(bytes = "vec", tag = "1")]
    service_name: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    ipv4: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ipv6: Vec<u8>,
    #[prost(int32, tag = "4")]
    port: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Annotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// An entry of `map<string, string>`.
#[derive(Clone, PartialEq, prost::Message)]
struct Tag {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

impl From<Span> for ZipkinSpan {
    fn from(span: Span) -> Self {
        let endpoint = |endpoint: Option<Endpoint>| endpoint.map(map::Endpoint::from).unwrap_or_default();
        Self {
            trace_id: padded(&span.trace_id).and_then(|id| TraceId::from_slice(&id)),
            span_id: SpanId::from_slice(&span.id),
            parent_id: SpanId::from_slice(&span.parent_id),
            name: span.name.into(),
            kind: kind(span.kind),
            timestamp: span.timestamp,
            duration: span.duration,
            local: endpoint(span.local),
            remote: endpoint(span.remote),
            annotations: span
                .annotations
                .into_iter()
                .map(|Annotation { timestamp, value }| map::Annotation { timestamp, value: value.into() })
                .collect(),
            tags: span
                .tags
                .into_iter()
                .map(|Tag { key, value }| Attribute { key: key.into(), value: Value::Text(value.into()) })
                .collect(),
            shared: span.shared,
            debug: span.debug,
        }
    }
}

impl From<Endpoint> for map::Endpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            service: Text::from(endpoint.service_name),
            ipv4: address(&endpoint.ipv4),
            ipv6: address(&endpoint.ipv6),
            port: u16::try_from(endpoint.port).unwrap_or_default(),
        }
    }
}

/// An address as text; empty where it is none. The Collector writes one of IPv4 in the 16 bytes of one of IPv6.
fn address(bytes: &[u8]) -> String {
    let ipv4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = ipv4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.map_or_else(|_| String::new(), |address| address.to_canonical().to_string())
}

/// A trace id of 8 bytes with zeros in front.
fn padded(id: &[u8]) -> Option<[u8; 16]> {
    let mut whole = [0; 16];
    match id.len() {
        16 => whole.copy_from_slice(id),
        8 => whole[8..].copy_from_slice(id),
        _ => return None,
    }
    Some(whole)
}

/// Zipkin's numbers are not OTLP's.
fn kind(number: i32) -> Option<Kind> {
    match number {
        1 => Some(Kind::CLIENT),
        2 => Some(Kind::SERVER),
        3 => Some(Kind::PRODUCER),
        4 => Some(Kind::CONSUMER),
        _ => None,
    }
}

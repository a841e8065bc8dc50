//! The messages of Jaeger's `api_v3` that are used here. Field numbers:
//! <https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto>.

use std::collections::HashMap;

use prost::Message;

use crate::model::{Nanos, Timestamp};
use crate::query::pushdown::Search;

/// `google.protobuf.Timestamp`, and `Duration` too: they are the same on the wire.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Time {
    fn of(nanos: u64) -> Self {
        const SECOND: u64 = 1_000_000_000;
        Self {
            seconds: i64::try_from(nanos / SECOND).unwrap_or(i64::MAX),
            nanos: i32::try_from(nanos % SECOND).unwrap_or_default(),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTraceRequest {
    /// In hex.
    #[prost(string, tag = "1")]
    pub(super) trace_id: String,
    #[prost(bool, tag = "4")]
    pub(super) raw_traces: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(string, tag = "2")]
    operation_name: String,
    #[prost(map = "string, string", tag = "3")]
    attributes: HashMap<String, String>,
    #[prost(message, optional, tag = "4")]
    start_time_min: Option<Time>,
    #[prost(message, optional, tag = "5")]
    start_time_max: Option<Time>,
    #[prost(message, optional, tag = "6")]
    duration_min: Option<Time>,
    #[prost(message, optional, tag = "7")]
    duration_max: Option<Time>,
    #[prost(int32, tag = "8")]
    search_depth: i32,
    #[prost(bool, tag = "9")]
    raw_traces: bool,
}

impl From<&Search> for TraceQueryParameters {
    fn from(search: &Search) -> Self {
        let Timestamp(start) = search.start;
        let length = |length: Option<Nanos>| length.map(|length| Time::of(length.0));
        Self {
            service_name: search.service.clone().unwrap_or_default(),
            operation_name: search.operation.clone().unwrap_or_default(),
            attributes: search.tags.iter().cloned().collect(),
            start_time_min: Some(Time::of(start)),
            // Some take this as the first moment that is too late.
            start_time_max: Some(Time::of(search.end.0.saturating_add(1))),
            duration_min: length(search.min_duration),
            duration_max: length(search.max_duration),
            search_depth: i32::try_from(search.limit).unwrap_or(i32::MAX),
            raw_traces: true,
        }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) query: Option<TraceQueryParameters>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetServicesRequest {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetServicesResponse {
    #[prost(string, repeated, tag = "1")]
    pub(super) services: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetOperationsRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NamedOperation {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) span_kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetOperationsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) operations: Vec<NamedOperation>,
}

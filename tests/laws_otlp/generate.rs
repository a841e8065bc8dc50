//! Export requests that reach every field of every message.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => vec(any::<char>(), 0..8).prop_map(String::from_iter),
        1 => (120_usize..300).prop_map(|length| "x".repeat(length)),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..10)
}

/// Mostly a valid id of `length` bytes; else all zero, of another length, or empty.
fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => vec(any::<u8>(), length),
        1 => Just(vec![0; length]),
        1 => vec(any::<u8>(), 0..20),
        1 => Just(Vec::new()),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        any::<u64>().prop_map(|bits| Some(Value::DoubleValue(f64::from_bits(bits)))),
        Just(Some(Value::DoubleValue(f64::NAN))),
        bytes().prop_map(|bytes| Some(Value::BytesValue(bytes))),
        any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ];
    leaf.prop_map(|value| AnyValue { value }).prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            vec((text(), of(inner), 0..3_i32), 0..4).prop_map(|pairs| {
                let values = pairs.into_iter().map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex });
                AnyValue { value: Some(Value::KvlistValue(KeyValueList { values: values.collect() })) }
            }),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![4 => text(), 1 => Just("service.name".to_owned())];
    let pair = (key, of(value()), prop_oneof![4 => Just(0), 1 => any::<i32>()]);
    vec(pair.prop_map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex }), 0..4)
}

fn resource() -> impl Strategy<Value = Resource> {
    let entity = (text(), text(), vec(text(), 0..2), vec(text(), 0..2)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef { schema_url, r#type, id_keys, description_keys },
    );
    (attributes(), any::<u32>(), vec(entity, 0..2)).prop_map(|(attributes, dropped_attributes_count, entity_refs)| {
        Resource { attributes, dropped_attributes_count, entity_refs }
    })
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (text(), text(), attributes(), any::<u32>()).prop_map(|(name, version, attributes, dropped_attributes_count)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count }
    })
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8), text(), any::<u32>());
    let times = (text(), prop_oneof![0..7_i32, any::<i32>()], any::<u64>(), any::<u64>());
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    let status = of((text(), prop_oneof![0..4_i32, any::<i32>()]));
    let dropped = (any::<u32>(), any::<u32>(), any::<u32>());
    (ids, times, lists, dropped, status).prop_map(|(ids, times, lists, dropped, status)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: ids.3,
        flags: ids.4,
        name: times.0,
        kind: times.1,
        start_time_unix_nano: times.2,
        end_time_unix_nano: times.3,
        attributes: lists.0,
        events: lists.1,
        links: lists.2,
        dropped_attributes_count: dropped.0,
        dropped_events_count: dropped.1,
        dropped_links_count: dropped.2,
        status: status.map(|(message, code)| Status { message, code }),
    })
}

/// An export of spans, from empty to a few dozen of them.
pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let inner = (of(scope()), vec(span(), 0..4), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let outer = (of(resource()), vec(inner, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(outer, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let said = (text(), of(value()), attributes(), text());
    let numbers = (any::<u64>(), any::<u64>(), any::<i32>(), any::<u32>(), any::<u32>());
    (said, numbers, id(16), id(8)).prop_map(|(said, numbers, trace_id, span_id)| LogRecord {
        time_unix_nano: numbers.0,
        observed_time_unix_nano: numbers.1,
        severity_number: numbers.2,
        severity_text: said.0,
        body: said.1,
        attributes: said.2,
        dropped_attributes_count: numbers.3,
        flags: numbers.4,
        trace_id,
        span_id,
        event_name: said.3,
    })
}

/// An export of log records.
pub(crate) fn logs_request() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let inner = (of(scope()), vec(log_record(), 0..4), text()).prop_map(|(scope, log_records, schema_url)| ScopeLogs {
        scope,
        log_records,
        schema_url,
    });
    let outer = (of(resource()), vec(inner, 0..3), text())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(outer, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

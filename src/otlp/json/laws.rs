//! What holds for any request and for any bytes.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar,
    exponential_histogram_data_point::Buckets, metric::Data, number_data_point, summary_data_point::ValueAtQuantile,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::*;

const NUMBER: std::ops::Range<f64> = -1e18..1e18;

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".*".prop_map(any_value::Value::StringValue),
        any::<bool>().prop_map(any_value::Value::BoolValue),
        any::<i64>().prop_map(any_value::Value::IntValue),
        NUMBER.prop_map(any_value::Value::DoubleValue),
        vec(any::<u8>(), 0..9).prop_map(any_value::Value::BytesValue),
    ];
    let value = leaf.prop_map(|value| AnyValue { value: Some(value) });
    value.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4)
                .prop_map(|values| any_value::Value::ArrayValue(ArrayValue { values }))
                .prop_map(|value| AnyValue { value: Some(value) }),
            vec((".{0,5}", inner).prop_map(pair), 0..4)
                .prop_map(|values| any_value::Value::KvlistValue(KeyValueList { values }))
                .prop_map(|value| AnyValue { value: Some(value) }),
        ]
    })
}

fn pair((key, value): (String, AnyValue)) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((".{0,9}", any_value()).prop_map(pair), 0..4)
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), length)
}

prop_compose! {
    fn resource()(attributes in attributes(), dropped_attributes_count: u32) -> Resource {
        Resource { attributes, dropped_attributes_count, ..Resource::default() }
    }
}

prop_compose! {
    fn scope()(name: String, version: String, attributes in attributes(), dropped_attributes_count: u32)
        -> InstrumentationScope {
        InstrumentationScope { name, version, attributes, dropped_attributes_count }
    }
}

prop_compose! {
    fn event()(time_unix_nano: u64, name: String, attributes in attributes(), dropped_attributes_count: u32) -> Event {
        Event { time_unix_nano, name, attributes, dropped_attributes_count }
    }
}

prop_compose! {
    fn link()(trace_id in id(16), span_id in id(8), trace_state: String, attributes in attributes(), flags: u32) -> Link {
        Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count: 1, flags }
    }
}

prop_compose! {
    fn span()(
        (trace_id, span_id, parent_span_id) in (id(16), id(8), id(8)),
        (name, trace_state, message) in any::<(String, String, String)>(),
        (kind, code, flags) in (0..6, 0..3, any::<u32>()),
        (start_time_unix_nano, end_time_unix_nano) in any::<(u64, u64)>(),
        (attributes, events, links) in (attributes(), vec(event(), 0..3), vec(link(), 0..3)),
        (dropped_attributes_count, dropped_events_count, dropped_links_count) in any::<(u32, u32, u32)>(),
    ) -> Span {
        Span {
            trace_id, span_id, parent_span_id, name, trace_state, kind, flags, start_time_unix_nano, end_time_unix_nano,
            attributes, events, links, dropped_attributes_count, dropped_events_count, dropped_links_count,
            status: Some(Status { message, code }),
        }
    }
}

prop_compose! {
    fn traces()(resource in resource(), scope in scope(), spans in vec(span(), 0..4), schema_url: String)
        -> ExportTraceServiceRequest {
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: schema_url.clone() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url }];
        ExportTraceServiceRequest { resource_spans }
    }
}

prop_compose! {
    fn log_record()(
        (time_unix_nano, observed_time_unix_nano, flags) in any::<(u64, u64, u32)>(),
        (severity_number, severity_text, event_name) in (0..25, ".*", ".*"),
        (body, attributes, dropped_attributes_count) in (any_value(), attributes(), any::<u32>()),
        (trace_id, span_id) in (id(16), id(8)),
    ) -> LogRecord {
        LogRecord {
            time_unix_nano, observed_time_unix_nano, flags, severity_number, severity_text, event_name,
            body: Some(body), attributes, dropped_attributes_count, trace_id, span_id,
        }
    }
}

prop_compose! {
    fn logs()(resource in resource(), scope in scope(), log_records in vec(log_record(), 0..4)) -> ExportLogsServiceRequest {
        let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }];
        let logs = ResourceLogs { resource: Some(resource), scope_logs, ..ResourceLogs::default() };
        ExportLogsServiceRequest { resource_logs: vec![logs] }
    }
}

/// The parts that the kinds of data points share.
#[derive(Clone, Debug)]
struct Point {
    attributes: Vec<KeyValue>,
    times: (u64, u64),
    counts: Vec<u64>,
    numbers: Vec<f64>,
    whole: i64,
    small: i32,
    flags: u32,
    exemplars: Vec<Exemplar>,
}

prop_compose! {
    fn exemplar()(filtered_attributes in attributes(), time_unix_nano: u64, whole: i64, ids in (id(16), id(8)))
        -> Exemplar {
        let value = Some(exemplar::Value::AsInt(whole));
        Exemplar { filtered_attributes, time_unix_nano, value, trace_id: ids.0, span_id: ids.1 }
    }
}

prop_compose! {
    fn point()(
        (attributes, exemplars) in (attributes(), vec(exemplar(), 0..2)),
        times in any::<(u64, u64)>(),
        (counts, numbers) in (vec(any::<u64>(), 4), vec(NUMBER, 4)),
        (whole, small, flags) in any::<(i64, i32, u32)>(),
    ) -> Point {
        Point { attributes, times, counts, numbers, whole, small, flags, exemplars }
    }
}

impl Point {
    fn number(self, value: number_data_point::Value) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes,
            start_time_unix_nano: self.times.0,
            time_unix_nano: self.times.1,
            exemplars: self.exemplars,
            flags: self.flags,
            value: Some(value),
        }
    }

    fn histogram(self) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes,
            start_time_unix_nano: self.times.0,
            time_unix_nano: self.times.1,
            count: self.counts[0],
            sum: Some(self.numbers[0]),
            bucket_counts: self.counts,
            explicit_bounds: self.numbers.clone(),
            exemplars: self.exemplars,
            flags: self.flags,
            min: Some(0.0),
            max: Some(self.numbers[1]),
        }
    }

    fn exponential(self) -> ExponentialHistogramDataPoint {
        let buckets = Buckets { offset: self.small, bucket_counts: self.counts.clone() };
        ExponentialHistogramDataPoint {
            attributes: self.attributes,
            start_time_unix_nano: self.times.0,
            time_unix_nano: self.times.1,
            count: self.counts[0],
            sum: Some(self.numbers[0]),
            scale: self.small,
            zero_count: self.counts[1],
            positive: Some(buckets.clone()),
            negative: Some(buckets),
            flags: self.flags,
            exemplars: self.exemplars,
            min: Some(self.numbers[1]),
            max: Some(self.numbers[2]),
            zero_threshold: self.numbers[3],
        }
    }

    fn summary(self) -> SummaryDataPoint {
        SummaryDataPoint {
            attributes: self.attributes,
            start_time_unix_nano: self.times.0,
            time_unix_nano: self.times.1,
            count: self.counts[0],
            sum: self.numbers[0],
            quantile_values: vec![ValueAtQuantile { quantile: 0.5, value: self.numbers[1] }],
            flags: self.flags,
        }
    }
}

prop_compose! {
    fn metrics()(resource in resource(), point in point(), name: String, temporality in 0..3, is_monotonic: bool)
        -> ExportMetricsServiceRequest {
        let whole = point.clone().number(number_data_point::Value::AsInt(point.whole));
        let double = point.clone().number(number_data_point::Value::AsDouble(point.numbers[0]));
        let data = [
            Data::Gauge(Gauge { data_points: vec![whole.clone(), double.clone()] }),
            Data::Sum(Sum { data_points: vec![double, whole], aggregation_temporality: temporality, is_monotonic }),
            Data::Histogram(Histogram {
                data_points: vec![point.clone().histogram()],
                aggregation_temporality: temporality,
            }),
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points: vec![point.clone().exponential()],
                aggregation_temporality: temporality,
            }),
            Data::Summary(Summary { data_points: vec![point.clone().summary()] }),
        ];
        let metrics = data.into_iter().map(|data| Metric {
            name: name.clone(), description: name.clone(), unit: name.clone(), data: Some(data),
            metadata: point.attributes.clone(),
        });
        let scope_metrics = vec![ScopeMetrics { metrics: metrics.collect(), ..ScopeMetrics::default() }];
        let metrics = ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() };
        ExportMetricsServiceRequest { resource_metrics: vec![metrics] }
    }
}

/// Spells JSON in other ways that mean the same, by the choices of a stream of bytes.
struct Speller {
    choices: std::iter::Cycle<std::vec::IntoIter<u8>>,
}

impl Speller {
    fn choose(&mut self, ways: u8) -> u8 {
        self.choices.next().unwrap_or(0) % ways
    }

    fn spell(&mut self, value: Value) -> Value {
        match value {
            Value::Array(values) => values.into_iter().map(|value| self.spell(value)).collect(),
            Value::Object(members) => Value::Object(self.spell_members(members)),
            other => other,
        }
    }

    fn spell_members(&mut self, members: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, value) in members {
            if self.choose(8) == 0 {
                out.insert(format!("unknown {name}"), json!([{"name": [null, "}"]}, -1.5e-7]));
            }
            let value = self.spell_empty(value);
            let value = self.spell_scalar(&name, value);
            let value = self.spell(value);
            out.insert(if self.choose(2) == 0 { snake(&name) } else { name }, value);
        }
        out
    }

    fn spell_empty(&mut self, value: Value) -> Value {
        match value {
            Value::Array(values) if values.is_empty() && self.choose(2) == 0 => Value::Null,
            other => other,
        }
    }

    fn spell_scalar(&mut self, name: &str, value: Value) -> Value {
        let way = self.choose(4);
        match (name, &value) {
            ("kind", Value::Number(number)) => named(way, number, "SPAN_KIND_", &KINDS),
            ("code", Value::Number(number)) => named(way, number, "STATUS_CODE_", &["UNSET", "OK", "ERROR"]),
            ("aggregationTemporality", Value::Number(number)) => {
                named(way, number, "AGGREGATION_TEMPORALITY_", &["UNSPECIFIED", "DELTA", "CUMULATIVE"])
            }
            ("traceId" | "spanId" | "parentSpanId", Value::String(hex)) if way == 0 => hex.to_uppercase().into(),
            ("bytesValue", Value::String(text)) if way < 2 => {
                text.replace('+', "-").replace('/', "_").trim_end_matches('=').into()
            }
            ("intValue" | "asInt", Value::String(text)) if way == 0 => text.parse::<i64>().unwrap().into(),
            (_, Value::String(text)) if way == 0 && (name.ends_with("UnixNano") || name == "count") => {
                text.parse::<u64>().unwrap().into()
            }
            (_, Value::Number(number)) if way == 0 => number.to_string().into(),
            (_, Value::Number(number)) if way == 1 && name.ends_with("Count") => {
                number.as_f64().map_or(Value::Null, Value::from)
            }
            _ => value,
        }
    }
}

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

fn named(way: u8, number: &serde_json::Number, prefix: &str, names: &[&str]) -> Value {
    let name = names[usize::try_from(number.as_u64().unwrap()).unwrap()];
    match way {
        0 => format!("{prefix}{name}").into(),
        1 => name.into(),
        2 => number.to_string().into(),
        _ => number.clone().into(),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Converts the request as serde spells it and as the speller does, and expects the request again.
fn survives<M>(signal: Signal, request: &M, choices: Vec<u8>) -> Result<(), TestCaseError>
where
    M: Message + Serialize + Default + PartialEq + std::fmt::Debug,
{
    let plain = serde_json::to_value(request).unwrap();
    let spelt = Speller { choices: choices.into_iter().cycle() }.spell(plain.clone());
    let texts = [
        plain.to_string(),
        spelt.to_string(),
        serde_json::to_string_pretty(&spelt).unwrap(),
        ascii(&plain.to_string()),
    ];
    for text in texts {
        let converted = to_protobuf(signal, text.as_bytes()).unwrap();
        prop_assert_eq!(converted.refused, Receipt::default(), "{}", text);
        prop_assert_eq!(&M::decode(&converted.protobuf[..]).unwrap(), request, "{}", text);
    }
    Ok(())
}

/// The same JSON with everything outside ASCII escaped, as Python writes it.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").unwrap();
            }
        }
    }
    out
}

const EXAMPLES: [(Signal, &str); 4] = [
    (Signal::Traces, include_str!("../../../tests/fixtures/otlp-json/trace.json")),
    (Signal::Logs, include_str!("../../../tests/fixtures/otlp-json/logs.json")),
    (Signal::Logs, include_str!("../../../tests/fixtures/otlp-json/events.json")),
    (Signal::Metrics, include_str!("../../../tests/fixtures/otlp-json/metrics.json")),
];

/// Whatever is accepted is protobuf.
fn is_protobuf(signal: Signal, body: &[u8]) {
    let Ok(converted) = to_protobuf(signal, body) else { return };
    let bytes = &converted.protobuf[..];
    match signal {
        Signal::Traces => drop(ExportTraceServiceRequest::decode(bytes).unwrap()),
        Signal::Logs => drop(ExportLogsServiceRequest::decode(bytes).unwrap()),
        Signal::Metrics => drop(ExportMetricsServiceRequest::decode(bytes).unwrap()),
    }
}

#[test]
fn a_request_that_is_cut_anywhere_is_refused_whole() {
    for (signal, text) in EXAMPLES {
        let body = text.trim_end().as_bytes();
        assert!(to_protobuf(signal, body).is_ok());
        for end in 0..body.len() {
            assert!(to_protobuf(signal, &body[..end]).is_err(), "{}", String::from_utf8_lossy(&body[..end]));
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("resourceSpans"),
        Just("scopeSpans"),
        Just("spans"),
        Just("attributes"),
        Just("key"),
        Just("value"),
        Just("result"),
        Just("traceId"),
        Just("name"),
        Just("arrayValue"),
        Just("other")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(9, 64, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name.clone().prop_map(str::to_owned), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn traces_survive_every_spelling(request in traces(), choices in vec(any::<u8>(), 1..99)) {
        survives(Signal::Traces, &request, choices)?;
    }

    #[test]
    fn logs_survive_every_spelling(request in logs(), choices in vec(any::<u8>(), 1..99)) {
        survives(Signal::Logs, &request, choices)?;
    }

    #[test]
    fn metrics_survive_every_spelling(request in metrics(), choices in vec(any::<u8>(), 1..99)) {
        survives(Signal::Metrics, &request, choices)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_are_refused_or_read(body in vec(any::<u8>(), 0..200)) {
        is_protobuf(Signal::Traces, &body);
    }

    #[test]
    fn anything_of_the_alphabet_of_json_is_refused_or_read(body in r#"[\{\}\[\]:,"\\0-9eE.u\-+ ntf]{0,60}"#) {
        is_protobuf(Signal::Logs, body.as_bytes());
        is_protobuf(Signal::Logs, format!(r#"{{"resourceLogs":[{body}]}}"#).as_bytes());
    }

    #[test]
    fn damaged_requests_are_refused_or_read(
        example in 0..EXAMPLES.len(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let (signal, text) = EXAMPLES[example];
        let mut body = text.as_bytes().to_vec();
        for (place, byte, way) in damage {
            let at = place.index(body.len().max(1));
            match way {
                _ if body.is_empty() => {}
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                2 => body.insert(at, b"{}[],:\"\\0-"[usize::from(byte) % 10]),
                _ => body.truncate(at),
            }
        }
        is_protobuf(signal, &body);
    }

    #[test]
    fn json_is_never_taken_for_anything_else(value in json_value()) {
        let enveloped = json!({"resourceSpans": [{"scopeSpans": [value, {"spans": [value]}]}]});
        prop_assert!(to_protobuf(Signal::Traces, enveloped.to_string().as_bytes()).is_ok());
        if let Err(error) = to_protobuf(Signal::Traces, value.to_string().as_bytes()) {
            prop_assert!(error.to_string().starts_with("not an OTLP/JSON request"), "{}", error);
        }
    }
}

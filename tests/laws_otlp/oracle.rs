//! From prost's messages to the model, the plain way: what the hand-written code is held against.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{self as common, any_value};
use opentelemetry_proto::tonic::{logs::v1 as log, metrics::v1::metric::Data, resource, trace::v1 as trace};
use tracefall::model::{
    Attribute, Event, Kind, Link, LogRecord, Receipt, RejectReason, Resource, Scope, Span, SpanId, Status, StatusCode,
    Text, Timestamp, TraceId, Value,
};
use tracefall::otlp::metrics::DataPoints;

pub(crate) fn spans(request: ExportTraceServiceRequest) -> (Vec<Span>, Receipt) {
    let (mut spans, mut receipt) = (Vec::new(), Receipt::default());
    for outer in request.resource_spans {
        let resource = Arc::new(of_resource(outer.resource, outer.schema_url));
        for inner in outer.scope_spans {
            let scope = Arc::new(of_scope(inner.scope, inner.schema_url));
            for message in inner.spans {
                match span(message, &resource, &scope) {
                    Ok(span) => spans.push(span),
                    Err(reason) => receipt.reject(reason, 1),
                }
            }
        }
    }
    receipt.accepted = spans.len() as u64;
    (spans, receipt)
}

fn span(message: trace::Span, resource: &Arc<Resource>, scope: &Arc<Scope>) -> Result<Span, RejectReason> {
    let status = message.status.unwrap_or_default();
    let parent_id = SpanId::from_slice(&message.parent_span_id);
    let odd = parent_id.is_none() && !message.parent_span_id.is_empty();
    Ok(Span {
        trace_id: TraceId::from_slice(&message.trace_id).ok_or(RejectReason::InvalidTraceId)?,
        span_id: SpanId::from_slice(&message.span_id).ok_or(RejectReason::InvalidSpanId)?,
        parent_id,
        odd_parent: odd.then(|| message.parent_span_id.into_boxed_slice()),
        trace_state: message.trace_state.into(),
        flags: message.flags,
        name: message.name.into(),
        kind: Kind(message.kind),
        start: Timestamp(message.start_time_unix_nano),
        end: Timestamp(message.end_time_unix_nano),
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
        events: message.events.into_iter().map(event).collect(),
        dropped_events: message.dropped_events_count,
        links: message.links.into_iter().map(link).collect(),
        dropped_links: message.dropped_links_count,
        status: Status { code: StatusCode(status.code), message: status.message.into() },
        resource: Arc::clone(resource),
        scope: Arc::clone(scope),
        ..Span::default()
    })
}

fn event(message: trace::span::Event) -> Event {
    Event {
        time: Timestamp(message.time_unix_nano),
        name: message.name.into(),
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
    }
}

fn link(message: trace::span::Link) -> Link {
    Link {
        trace_id: message.trace_id.into(),
        span_id: message.span_id.into(),
        trace_state: message.trace_state.into(),
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
        flags: message.flags,
    }
}

fn of_resource(message: Option<resource::v1::Resource>, schema_url: String) -> Resource {
    let message = message.unwrap_or_default();
    Resource {
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
        schema_url: schema_url.into(),
    }
}

fn of_scope(message: Option<common::InstrumentationScope>, schema_url: String) -> Scope {
    let message = message.unwrap_or_default();
    Scope {
        name: message.name.into(),
        version: message.version.into(),
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
        schema_url: schema_url.into(),
    }
}

fn attributes(messages: Vec<common::KeyValue>) -> Vec<Attribute> {
    messages.into_iter().map(|pair| Attribute { key: pair.key.into(), value: value(pair.value) }).collect()
}

fn value(message: Option<common::AnyValue>) -> Value {
    match message.and_then(|message| message.value) {
        None | Some(any_value::Value::StringValueStrindex(_)) => Value::Empty,
        Some(any_value::Value::StringValue(text)) => Value::Text(text.into()),
        Some(any_value::Value::BoolValue(truth)) => Value::Bool(truth),
        Some(any_value::Value::IntValue(number)) => Value::Int(number),
        Some(any_value::Value::DoubleValue(number)) => Value::Double(number),
        Some(any_value::Value::BytesValue(bytes)) => Value::Bytes(bytes),
        Some(any_value::Value::ArrayValue(array)) => {
            Value::Array(array.values.into_iter().map(|member| value(Some(member))).collect())
        }
        Some(any_value::Value::KvlistValue(map)) => Value::Map(attributes(map.values)),
    }
}

/// `service.name` and the record, where it names a valid trace.
pub(crate) fn logs(request: ExportLogsServiceRequest) -> Vec<(Option<Vec<u8>>, Option<LogRecord>)> {
    let mut records = Vec::new();
    for outer in request.resource_logs {
        let resource = Arc::new(of_resource(outer.resource, outer.schema_url));
        for inner in outer.scope_logs {
            let scope = Arc::new(of_scope(inner.scope, inner.schema_url));
            for message in inner.log_records {
                let service = service(&resource.attributes).map(|name| name.as_bytes().to_vec());
                records.push((service, record(message, &resource, &scope)));
            }
        }
    }
    records
}

fn record(message: log::LogRecord, resource: &Arc<Resource>, scope: &Arc<Scope>) -> Option<LogRecord> {
    Some(LogRecord {
        time: Timestamp(message.time_unix_nano),
        observed: Timestamp(message.observed_time_unix_nano),
        severity: message.severity_number,
        severity_text: message.severity_text.into(),
        body: value(message.body),
        attributes: attributes(message.attributes),
        dropped_attributes: message.dropped_attributes_count,
        flags: message.flags,
        trace_id: TraceId::from_slice(&message.trace_id)?,
        span_id: SpanId::from_slice(&message.span_id),
        event_name: message.event_name.into(),
        resource: Arc::clone(resource),
        scope: Arc::clone(scope),
    })
}

pub(crate) fn data_points(request: ExportMetricsServiceRequest) -> Vec<DataPoints> {
    let mut counts = Vec::new();
    for outer in request.resource_metrics {
        let metrics = outer.scope_metrics.iter().flat_map(|inner| &inner.metrics);
        let points = metrics.map(|metric| match &metric.data {
            None => 0,
            Some(Data::Gauge(of)) => of.data_points.len(),
            Some(Data::Sum(of)) => of.data_points.len(),
            Some(Data::Histogram(of)) => of.data_points.len(),
            Some(Data::ExponentialHistogram(of)) => of.data_points.len(),
            Some(Data::Summary(of)) => of.data_points.len(),
        });
        let count = points.sum::<usize>() as u64;
        let attributes = attributes(outer.resource.unwrap_or_default().attributes);
        counts.push(DataPoints { service: service(&attributes).cloned(), count });
    }
    counts
}

fn service(attributes: &[Attribute]) -> Option<&Text> {
    match tracefall::model::lookup(attributes, "service.name")? {
        Value::Text(name) => Some(name),
        _ => None,
    }
}

/// `spans` with floating-point numbers replaced by their bits, so that NaN equals itself.
pub(crate) fn pinned(mut spans: Vec<Span>) -> Vec<Span> {
    for span in &mut spans {
        pin(&mut span.attributes);
        span.events.iter_mut().for_each(|event| pin(&mut event.attributes));
        span.links.iter_mut().for_each(|link| pin(&mut link.attributes));
        pin(&mut Arc::make_mut(&mut span.resource).attributes);
        pin(&mut Arc::make_mut(&mut span.scope).attributes);
    }
    spans
}

fn pin(attributes: &mut [Attribute]) {
    for attribute in attributes {
        pin_value(&mut attribute.value);
    }
}

fn pin_value(value: &mut Value) {
    match value {
        Value::Double(number) => *value = Value::Text(format!("double {:x}", number.to_bits()).into()),
        Value::Array(members) => members.iter_mut().for_each(pin_value),
        Value::Map(members) => pin(members),
        _ => {}
    }
}

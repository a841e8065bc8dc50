//! OTLP/JSON as the JavaScript SDKs write it: ids in hex, enums as numbers, times as text.

use serde_json::{Value as Json, json};

use crate::model::{Attribute, Event, Link, LogRecord, Resource, Scope, Span, Value, hex};

/// An `ExportTraceServiceRequest`; a group for each span's resource and scope.
pub(super) fn spans(spans: &[Span]) -> Vec<u8> {
    let groups = spans.chunk_by(|one, other| one.resource == other.resource && one.scope == other.scope);
    let groups: Vec<Json> = groups
        .filter_map(|group| {
            let first = group.first()?;
            let spans: Vec<Json> = group.iter().map(span).collect();
            let scopes = json!([{ "scope": scope(&first.scope), "spans": spans }]);
            Some(json!({ "resource": resource(&first.resource), "scopeSpans": scopes }))
        })
        .collect();
    json!({ "resourceSpans": groups }).to_string().into_bytes()
}

/// An `ExportLogsServiceRequest`; a group for each record's resource and scope.
pub(super) fn logs(records: &[LogRecord]) -> Vec<u8> {
    let groups = records.chunk_by(|one, other| one.resource == other.resource && one.scope == other.scope);
    let groups: Vec<Json> = groups
        .filter_map(|group| {
            let first = group.first()?;
            let records: Vec<Json> = group.iter().map(record).collect();
            let scopes = json!([{ "scope": scope(&first.scope), "logRecords": records }]);
            Some(json!({ "resource": resource(&first.resource), "scopeLogs": scopes }))
        })
        .collect();
    json!({ "resourceLogs": groups }).to_string().into_bytes()
}

fn resource(resource: &Resource) -> Json {
    json!({ "attributes": attributes(&resource.attributes), "droppedAttributesCount": resource.dropped_attributes })
}

fn scope(scope: &Scope) -> Json {
    json!({ "name": scope.name.lossy(), "version": scope.version.lossy() })
}

fn span(span: &Span) -> Json {
    let events: Vec<Json> = span.events.iter().map(event).collect();
    let links: Vec<Json> = span.links.iter().map(link).collect();
    let mut json = json!({
        "traceId": span.trace_id.to_string(),
        "spanId": span.span_id.to_string(),
        "name": span.name.lossy(),
        "kind": span.kind.0,
        "startTimeUnixNano": span.start.0.to_string(),
        "endTimeUnixNano": span.end.0.to_string(),
        "attributes": attributes(&span.attributes),
        "droppedAttributesCount": span.dropped_attributes,
        "events": events,
        "droppedEventsCount": span.dropped_events,
        "status": { "code": span.status.code.0, "message": span.status.message.lossy() },
        "links": links,
        "droppedLinksCount": span.dropped_links,
        "flags": span.flags,
    });
    if let Some(parent) = span.parent_id {
        json["parentSpanId"] = parent.to_string().into();
    }
    json
}

fn event(event: &Event) -> Json {
    json!({
        "timeUnixNano": event.time.0.to_string(),
        "name": event.name.lossy(),
        "attributes": attributes(&event.attributes),
        "droppedAttributesCount": event.dropped_attributes,
    })
}

fn link(link: &Link) -> Json {
    json!({
        "traceId": hex(&link.trace_id),
        "spanId": hex(&link.span_id),
        "attributes": attributes(&link.attributes),
        "droppedAttributesCount": link.dropped_attributes,
        "flags": link.flags,
    })
}

fn record(record: &LogRecord) -> Json {
    json!({
        "timeUnixNano": record.time.0.to_string(),
        "observedTimeUnixNano": record.observed.0.to_string(),
        "severityNumber": record.severity,
        "severityText": record.severity_text.lossy(),
        "body": value(&record.body),
        "attributes": attributes(&record.attributes),
        "flags": record.flags,
        "traceId": record.trace_id.to_string(),
        "spanId": record.span_id.map(|id| id.to_string()).unwrap_or_default(),
    })
}

fn attributes(attributes: &[Attribute]) -> Json {
    attributes.iter().map(|one| json!({ "key": one.key.lossy(), "value": value(&one.value) })).collect()
}

/// The demo's people send text, whole numbers and truth values only.
fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({ "stringValue": text.lossy() }),
        Value::Int(number) => json!({ "intValue": number }),
        Value::Double(number) => json!({ "doubleValue": number }),
        Value::Bool(truth) => json!({ "boolValue": truth }),
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(self::value).collect::<Vec<_>>() } })
        }
        Value::Map(members) => json!({ "kvlistValue": { "values": attributes(members) } }),
        Value::Empty | Value::Bytes(_) => json!({}),
    }
}

//! The JSON of Jaeger's UI and of `GET /api/traces/{id}`: what its "Download as JSON" gives and its upload takes
//! (<https://github.com/jaegertracing/jaeger/blob/main/internal/uimodel/model.go>).
//!
//! The way from OTLP is that of the Collector (`pkg/translator/jaeger`): kind, status, trace state and scope become tags, events
//! become logs, links become references. What is lost on it stands in the README.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::base64;
use super::value::{self, service};
use crate::model::{Attribute, Event, Resource, Span, StatusCode, Text, Value, hex};

/// Whole numbers beyond this are text: programs in JavaScript would round them.
const SAFE: u64 = 1 << 53;

/// A trace.
pub(super) fn trace(spans: &[Span]) -> Json {
    let mut processes = Processes::default();
    let trace_id = spans.first().map(|span| span.trace_id.to_string()).unwrap_or_default();
    let spans: Vec<Json> = spans.iter().map(|span| of_span(span, &processes.of(&span.resource))).collect();
    json!({ "traceID": trace_id, "spans": spans, "processes": processes.all, "warnings": null })
}

#[derive(Default)]
struct Processes {
    known: Vec<(Arc<Resource>, String)>,
    by_address: HashMap<usize, usize>,
    all: Map<String, Json>,
}

impl Processes {
    /// The name of the process that this resource is.
    fn of(&mut self, resource: &Arc<Resource>) -> String {
        let address = Arc::as_ptr(resource).addr();
        let at = match self.by_address.get(&address) {
            Some(at) => *at,
            None => match self.known.iter().position(|(known, _)| **known == **resource) {
                Some(at) => at,
                None => self.add(resource),
            },
        };
        self.by_address.insert(address, at);
        self.known[at].1.clone()
    }

    fn add(&mut self, resource: &Arc<Resource>) -> usize {
        let name = format!("p{}", self.known.len() + 1);
        let tags = resource.attributes.iter().filter(|attribute| attribute.key != *"service.name").map(tag);
        let tags: Vec<Json> = tags.collect();
        self.all.insert(name.clone(), json!({ "serviceName": service(resource), "tags": tags }));
        self.known.push((Arc::clone(resource), name));
        self.known.len() - 1
    }
}

fn of_span(span: &Span, process: &str) -> Json {
    let references = |kind: &str, trace: String, of: String| json!({ "refType": kind, "traceID": trace, "spanID": of });
    let parent = span.parent_id.map(|parent| references("CHILD_OF", span.trace_id.to_string(), parent.to_string()));
    let links = span.links.iter().map(|link| references("FOLLOWS_FROM", hex(&link.trace_id), hex(&link.span_id)));
    let references: Vec<Json> = parent.into_iter().chain(links).collect();
    json!({
        "traceID": span.trace_id.to_string(),
        "spanID": span.span_id.to_string(),
        "flags": span.flags & 0xff,
        "operationName": span.name.lossy(),
        "references": references,
        "startTime": span.start.0 / 1_000,
        "duration": span.end.since(span.start).0 / 1_000,
        "tags": tags(span),
        "logs": span.events.iter().map(log).collect::<Vec<_>>(),
        "processID": process,
        "warnings": null,
    })
}

fn tags(span: &Span) -> Vec<Json> {
    let text = |key: &str, text: &str| json!({ "key": key, "type": "string", "value": text });
    let named = |key: &str, named: &Text| (!named.is_empty()).then(|| text(key, &named.lossy()));
    let mut tags: Vec<Json> = span.attributes.iter().map(tag).collect();
    tags.extend(named("otel.scope.name", &span.scope.name));
    tags.extend(named("otel.scope.version", &span.scope.version));
    if span.kind.0 != 0 {
        tags.push(text("span.kind", span.kind.name()));
    }
    match span.status.code {
        StatusCode::OK => tags.push(text("otel.status_code", "OK")),
        StatusCode::ERROR => {
            tags.push(text("otel.status_code", "ERROR"));
            tags.push(json!({ "key": "error", "type": "bool", "value": true }));
        }
        _ => {}
    }
    tags.extend(named("otel.status_description", &span.status.message));
    tags.extend(named("w3c.tracestate", &span.trace_state));
    tags
}

fn log(event: &Event) -> Json {
    let name =
        (!event.name.is_empty()).then(|| json!({ "key": "event", "type": "string", "value": event.name.lossy() }));
    let fields: Vec<Json> = name.into_iter().chain(event.attributes.iter().map(tag)).collect();
    json!({ "timestamp": event.time.0 / 1_000, "fields": fields })
}

fn tag(attribute: &Attribute) -> Json {
    let (kind, value) = match &attribute.value {
        Value::Bool(truth) => ("bool", json!(truth)),
        Value::Int(number) if number.unsigned_abs() < SAFE => ("int64", json!(number)),
        Value::Int(number) => ("int64", json!(number.to_string())),
        Value::Double(number) if number.is_finite() => ("float64", json!(number)),
        Value::Bytes(bytes) => ("binary", json!(base64(bytes))),
        other => ("string", json!(value::text(other))),
    };
    json!({ "key": attribute.key.lossy(), "type": kind, "value": value })
}

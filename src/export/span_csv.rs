//! A line of comma-separated values for each span.

use super::csv::quoted;
use super::found::rfc3339;
use super::value::{object, service};
use crate::model::Span;

/// The names of the fields.
pub(super) const HEAD: &str = "trace_id,span_id,parent_span_id,service,operation,kind,start,duration_ns,status,status_message,\
    events,links,attributes,resource\n";

/// The line of a span.
pub(super) fn line(span: &Span) -> String {
    let objects = [&span.attributes, &span.resource.attributes].map(|attributes| {
        let mut out = String::new();
        object(attributes, &mut out);
        out
    });
    let [attributes, resource] = objects;
    let cells = [
        span.trace_id.to_string(),
        span.span_id.to_string(),
        span.parent_id.map(|parent| parent.to_string()).unwrap_or_default(),
        service(&span.resource),
        span.name.lossy().into_owned(),
        span.kind.name().to_owned(),
        rfc3339(span.start),
        span.end.since(span.start).0.to_string(),
        span.status.code.name().to_owned(),
        span.status.message.lossy().into_owned(),
        span.events.len().to_string(),
        span.links.len().to_string(),
        attributes,
        resource,
    ];
    let mut line = cells.map(quoted).join(",");
    line.push('\n');
    line
}

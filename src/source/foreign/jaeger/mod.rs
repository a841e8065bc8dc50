//! Jaeger's JSON, as its HTTP API answers and its page saves it, turned into OTLP.
//!
//! Taken are `{"data": [trace, …]}`, a trace by itself and a list of traces. The mapping turns round that of the Collector's Jaeger
//! translator, <https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/translator/jaeger>, and so of Jaeger
//! itself. Not to be had back: nanoseconds below a microsecond, attributes of links, arrays and maps (they are JSON in a text).

mod shape;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use self::shape::{Document, Items, Log, Process, Reference, Scalar, Tag};
use super::ForeignError;
use crate::model::{
    Attribute, Event, Kind, Link, Receipt, RejectReason, Resource, Scope, Span, SpanId, StatusCode, Timestamp, TraceId,
    Value,
};
use crate::otlp::encode::Request;
use crate::otlp::json::Converted;

/// What Jaeger calls a service that has no name.
const NO_NAME: &str = "OTLPResourceNoServiceName";

/// Where Jaeger's own API keeps what it has to say of a span.
const WARNINGS: &str = "@jaeger@warnings";

/// Turns Jaeger's JSON into an `ExportTraceServiceRequest` in protobuf.
///
/// A span without usable ids, or that is no object, costs only itself and is counted. Ids of 16 digits are padded.
///
/// # Errors
/// Where the body is no JSON, has no trace in it, or says nothing but what went wrong on the server.
pub fn to_protobuf(body: &[u8]) -> Result<Converted, ForeignError> {
    let mut all = Converted { protobuf: Vec::new(), refused: Receipt::default() };
    in_parts(body, usize::MAX, &mut |part| {
        all = part;
        true
    })?;
    Ok(all)
}

/// The same in requests of about `most` bytes, given away one by one: no more of the spans than one request is held beside the
/// text. `give` answers whether more is wanted. The last request may be empty.
///
/// # Errors
/// As [`to_protobuf`]; nothing was given away then.
pub fn in_parts(body: &[u8], most: usize, give: &mut dyn FnMut(Converted) -> bool) -> Result<(), ForeignError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let documents: Items<Document<'_>> =
        serde_json::from_str(&text).map_err(|fault| ForeignError::NotJson(fault.to_string()))?;
    let (mut fault, mut known, mut traces) = (None, false, Vec::new());
    let mut out = Taken { most, give, more: true, request: Request::default(), refused: Receipt::default() };
    out.refused.reject(RejectReason::MalformedSpan, documents.odd);
    for document in documents.all {
        fault = fault.or_else(|| document.errors.all.first().map(|fault| fault.msg.text().to_owned()));
        known |= document.data.is_some() || document.spans.given;
        let data = document.data.unwrap_or_default();
        out.refused.reject(RejectReason::MalformedSpan, data.odd);
        traces.extend(data.all);
        traces.push(shape::Trace { id: document.trace, spans: document.spans, processes: document.processes });
    }
    match fault {
        Some(said) if traces.iter().all(|trace| trace.spans.all.is_empty()) => Err(ForeignError::Server(said)),
        _ if !known => Err(ForeignError::Shape("no Jaeger trace: it has neither `data` nor `spans`".to_owned())),
        _ => {
            for trace in &traces {
                out.trace(trace);
            }
            out.flush();
            Ok(())
        }
    }
}

struct Taken<'g> {
    most: usize,
    give: &'g mut dyn FnMut(Converted) -> bool,
    /// More is wanted.
    more: bool,
    request: Request,
    refused: Receipt,
}

/// What the spans of a trace share.
struct Shared<'t> {
    trace_id: Option<TraceId>,
    resources: HashMap<&'t str, Arc<Resource>>,
    nameless: Arc<Resource>,
    scopes: HashMap<(String, String), Arc<Scope>>,
}

impl Taken<'_> {
    fn trace(&mut self, trace: &shape::Trace<'_>) {
        let processes = trace.processes.0.iter();
        let mut shared = Shared {
            trace_id: TraceId::from_hex(trace.id.text()),
            resources: processes.map(|(id, process)| (id.as_str(), Arc::new(resource(process)))).collect(),
            nameless: Arc::default(),
            scopes: HashMap::new(),
        };
        self.refused.reject(RejectReason::MalformedSpan, trace.spans.odd);
        for written in &trace.spans.all {
            let spans: Items<shape::Span<'_>> = serde_json::from_str(written.get()).unwrap_or_default();
            self.refused.reject(RejectReason::MalformedSpan, spans.odd + u64::from(!spans.given));
            for span in &spans.all {
                match shared.span(span) {
                    Ok(span) => self.request.push(&span),
                    Err(reason) => self.refused.reject(reason, 1),
                }
            }
            if self.request.len() >= self.most {
                self.flush();
            }
            if !self.more {
                return;
            }
        }
    }

    /// Gives away what was taken so far.
    fn flush(&mut self) {
        let protobuf = std::mem::take(&mut self.request).finish();
        let refused = std::mem::take(&mut self.refused);
        self.more = self.more && (self.give)(Converted { protobuf, refused });
    }
}

impl Shared<'_> {
    fn span(&mut self, span: &shape::Span<'_>) -> Result<Span, RejectReason> {
        let own = span.trace.text();
        let trace_id = if own.is_empty() { self.trace_id } else { TraceId::from_hex(own) };
        let trace_id = trace_id.ok_or(RejectReason::InvalidTraceId)?;
        let span_id = SpanId::from_hex(span.id.text()).ok_or(RejectReason::InvalidSpanId)?;
        let start = moment(&span.start_time);
        let mut taken = Span {
            trace_id,
            span_id,
            name: span.operation_name.text().into(),
            start,
            end: Timestamp(start.0.saturating_add(moment(&span.duration).0)),
            // Jaeger's own flags beside "sampled" mean other things than those of W3C.
            flags: u32::from(span.flags.unsigned().is_some_and(|flags| flags & 1 == 1)),
            resource: self.resource(span),
            events: span.logs.all.iter().map(event).collect(),
            ..Span::default()
        };
        references(&mut taken, span);
        self.tags(&mut taken, &span.tags.all);
        if let Some(warnings) = value::warnings(&span.warnings) {
            taken.attributes.push(Attribute { key: WARNINGS.into(), value: warnings });
        }
        Ok(taken)
    }

    fn resource(&self, span: &shape::Span<'_>) -> Arc<Resource> {
        if let Some(process) = span.process.all.first() {
            return Arc::new(resource(process));
        }
        Arc::clone(self.resources.get(span.process_id.text()).unwrap_or(&self.nameless))
    }

    /// Tags that stand for something else in OTLP go there; the others are attributes.
    fn tags(&mut self, span: &mut Span, tags: &[Tag<'_>]) {
        let (mut scope, mut version, mut failed, mut coded) = (None, None, None, false);
        for tag in tags {
            let (key, text) = (tag.key.text(), tag.value.text());
            match key {
                "span.kind" if kind(text).is_some() => span.kind = kind(text).unwrap_or_default(),
                "otel.status_code" if status(text).is_some() => {
                    span.status.code = status(text).unwrap_or_default();
                    coded = true;
                }
                "otel.status_description" => span.status.message = text.into(),
                "w3c.tracestate" => span.trace_state = text.into(),
                "otel.scope.name" | "otel.library.name" => scope = Some(text.to_owned()),
                "otel.scope.version" | "otel.library.version" => version = Some(text.to_owned()),
                // Which format Jaeger took the span in.
                "internal.span.format" => {}
                "error" if text == "true" || matches!(tag.value, Scalar::Bool(true)) => failed = Some(tag),
                _ => span.attributes.push(value::attribute(tag)),
            }
        }
        match failed {
            // A sender that says both means both.
            Some(tag) if coded && span.status.code != StatusCode::ERROR => span.attributes.push(value::attribute(tag)),
            Some(_) => span.status.code = StatusCode::ERROR,
            None => {}
        }
        let (name, version) = (scope.unwrap_or_default(), version.unwrap_or_default());
        let made =
            || Arc::new(Scope { name: name.as_str().into(), version: version.as_str().into(), ..Scope::default() });
        span.scope = Arc::clone(self.scopes.entry((name.clone(), version.clone())).or_insert_with(made));
    }
}

fn resource(process: &Process<'_>) -> Resource {
    let name = process.service_name.text();
    let named = (!name.is_empty() && name != NO_NAME)
        .then(|| Attribute { key: "service.name".into(), value: Value::Text(name.into()) });
    let tags = process.tags.all.iter().map(value::attribute);
    Resource { attributes: tags.chain(named).collect(), ..Resource::default() }
}

/// Microseconds, as Jaeger counts.
fn moment(number: &Scalar<'_>) -> Timestamp {
    Timestamp(number.unsigned().unwrap_or_default().saturating_mul(1_000))
}

fn event(log: &Log<'_>) -> Event {
    let fields = &log.fields.all;
    let find = |name: &str| fields.iter().position(|field| field.key.text() == name && !field.value.text().is_empty());
    // Exporters before 2022 called it `message`, as OpenTracing does.
    let named = find("event").or_else(|| find("message"));
    let name = named.and_then(|place| fields.get(place)).map_or("", |field| field.value.text());
    let rest = fields.iter().enumerate().filter(|(place, _)| Some(*place) != named);
    Event {
        time: moment(&log.timestamp),
        name: name.into(),
        attributes: rest.map(|(_, field)| value::attribute(field)).collect(),
        dropped_attributes: 0,
    }
}

/// The first `CHILD_OF` within the trace is the parent, else the first `FOLLOWS_FROM` within it; the others are links.
fn references(span: &mut Span, from: &shape::Span<'_>) {
    let read = |reference: &Reference<'_>| {
        let trace = TraceId::from_hex(reference.trace.text())?;
        Some((trace, SpanId::from_hex(reference.span.text())?, reference.ref_type.text() == "FOLLOWS_FROM"))
    };
    let mut all: Vec<(TraceId, SpanId, bool)> = from.references.all.iter().filter_map(read).collect();
    let own = span.trace_id;
    let first = |follows: bool| all.iter().position(|(trace, _, kind)| *trace == own && *kind == follows);
    let parent = first(false).or_else(|| first(true));
    span.parent_id = parent.map(|place| all.remove(place).1).or_else(|| SpanId::from_hex(from.parent.text()));
    span.links = all.into_iter().map(link).collect();
}

fn link((trace, span, follows): (TraceId, SpanId, bool)) -> Link {
    let kept = Attribute { key: "opentracing.ref_type".into(), value: Value::Text("child_of".into()) };
    Link {
        trace_id: trace.0.into(),
        span_id: span.0.into(),
        attributes: if follows { Vec::new() } else { vec![kept] },
        ..Link::default()
    }
}

fn kind(text: &str) -> Option<Kind> {
    (0..=5).map(Kind).find(|kind| kind.name().eq_ignore_ascii_case(text))
}

fn status(text: &str) -> Option<StatusCode> {
    (0..=2).map(StatusCode).find(|code| code.name().eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests;

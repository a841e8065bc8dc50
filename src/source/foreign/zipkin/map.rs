//! A span of Zipkin, and the span of OTLP that it stands for.

use super::marks;
use super::resource::{Resources, is_of_resource};
use crate::model::{Attribute, Kind, RejectReason, Span, SpanId, Status, StatusCode, Text, Timestamp, TraceId, Value};

/// Marks a span that came without a start: it begins at zero, which is no time.
const NO_START: &str = "otel.zipkin.absentField.startTime";

/// A span as either form of Zipkin has it. Times are microseconds; zero means not given, as Zipkin has it.
pub(super) struct ZipkinSpan {
    pub(super) trace_id: Option<TraceId>,
    pub(super) span_id: Option<SpanId>,
    pub(super) parent_id: Option<SpanId>,
    pub(super) name: Text,
    pub(super) kind: Option<Kind>,
    pub(super) timestamp: u64,
    pub(super) duration: u64,
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    pub(super) annotations: Vec<Annotation>,
    pub(super) tags: Vec<Attribute>,
    pub(super) shared: bool,
    pub(super) debug: bool,
}

/// Where a span was recorded, or whom it called. What is not given is empty.
#[derive(Default)]
pub(super) struct Endpoint {
    pub(super) service: Text,
    pub(super) ipv4: String,
    pub(super) ipv6: String,
    pub(super) port: u16,
}

/// Something that happened, at a microsecond.
pub(super) struct Annotation {
    pub(super) timestamp: u64,
    pub(super) value: Text,
}

impl ZipkinSpan {
    /// The span of OTLP.
    ///
    /// # Errors
    /// Where one of its ids is not an id.
    pub(super) fn into_span(self, resources: &mut Resources) -> Result<Span, RejectReason> {
        let trace_id = self.trace_id.ok_or(RejectReason::InvalidTraceId)?;
        let span_id = self.span_id.ok_or(RejectReason::InvalidSpanId)?;
        let start = Timestamp(self.timestamp.saturating_mul(1000));
        let end = Timestamp(start.0.saturating_add(self.duration.saturating_mul(1000)));
        let mut tags = Tags(self.tags);
        let kind = self.kind.unwrap_or_else(|| tags.kind());
        let status = tags.status();
        let trace_state = tags.take("w3c.tracestate").unwrap_or_default();
        let links = marks::links(&mut tags.0);
        let scope = tags.scope();
        let (of_resource, mut attributes): (Vec<_>, Vec<_>) = tags.0.into_iter().partition(is_of_resource);
        address(&mut attributes, "network.local", &self.local);
        if !self.remote.service.is_empty() {
            add(&mut attributes, "peer.service", Value::Text(self.remote.service.clone()));
        }
        address(&mut attributes, "network.peer", &self.remote);
        let marked = [(NO_START, self.timestamp == 0), ("zipkin.shared", self.shared), ("zipkin.debug", self.debug)];
        for (key, _) in marked.iter().filter(|(_, holds)| *holds) {
            add(&mut attributes, key, Value::Bool(true));
        }
        Ok(Span {
            trace_id,
            span_id,
            parent_id: self.parent_id.filter(|parent| *parent != span_id),
            trace_state,
            name: self.name,
            kind,
            start,
            end,
            attributes,
            events: self.annotations.into_iter().map(marks::event).collect(),
            links,
            status,
            resource: resources.of(self.local.service, of_resource),
            scope: resources.scope(scope),
            ..Span::default()
        })
    }
}

/// The tags of a span, from which is taken what OTLP has a field for.
struct Tags(Vec<Attribute>);

impl Tags {
    fn text(&self, key: &str) -> Option<&Text> {
        self.0.iter().find_map(|tag| match &tag.value {
            Value::Text(text) if tag.key == *key => Some(text),
            _ => None,
        })
    }

    fn take(&mut self, key: &str) -> Option<Text> {
        let at = self.0.iter().position(|tag| tag.key == *key && matches!(tag.value, Value::Text(_)))?;
        match self.0.remove(at).value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The kind that Zipkin has no word for is a tag, and some write the others so as well.
    fn kind(&mut self) -> Kind {
        let kinds = [Kind::INTERNAL, Kind::SERVER, Kind::CLIENT, Kind::PRODUCER, Kind::CONSUMER];
        let Some(given) = self.text("span.kind") else { return Kind::UNSPECIFIED };
        let Some(kind) = kinds.into_iter().find(|kind| given.lossy().eq_ignore_ascii_case(kind.name())) else {
            return Kind::UNSPECIFIED;
        };
        self.take("span.kind");
        kind
    }

    /// `otel.status_code` says it where it is there. To Zipkin a span failed where it has a tag `error`, whatever the
    /// tag says; only `false`, which some bridges write, is believed.
    fn status(&mut self) -> Status {
        let given = self.text("otel.status_code").and_then(|code| status_code(&code.lossy()));
        if given.is_some() {
            self.take("otel.status_code");
        }
        let description = self.take("otel.status_description");
        let failed = match self.0.iter().find(|tag| tag.key == "error").map(|tag| &tag.value) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Text(text)) => !text.lossy().eq_ignore_ascii_case("false"),
            Some(_) => true,
        };
        let code = given.unwrap_or(if failed { StatusCode::ERROR } else { StatusCode::UNSET });
        let error = if code == StatusCode::ERROR && failed { self.take("error") } else { None };
        let error = error.filter(|error| !error.lossy().eq_ignore_ascii_case("true"));
        Status { code, message: description.or(error).unwrap_or_default() }
    }

    /// Name and version of the scope.
    fn scope(&mut self) -> [Text; 2] {
        ["name", "version"].map(|part| {
            let [new, old] = ["scope", "library"].map(|word| self.take(&format!("otel.{word}.{part}")));
            new.or(old).unwrap_or_default()
        })
    }
}

/// The code that a tag stands for: `ERROR` by the specification, `STATUS_CODE_ERROR` from the Collector.
fn status_code(text: &str) -> Option<StatusCode> {
    let text = text.strip_prefix("STATUS_CODE_").unwrap_or(text);
    [StatusCode::UNSET, StatusCode::OK, StatusCode::ERROR]
        .into_iter()
        .find(|code| text.eq_ignore_ascii_case(code.name()))
}

/// Adds an attribute, unless a tag says the same already.
fn add(attributes: &mut Vec<Attribute>, key: &str, value: Value) {
    if !attributes.iter().any(|known| known.key == *key) {
        attributes.push(Attribute { key: Text::from(key), value });
    }
}

/// The address of an endpoint in OpenTelemetry's names. Of two addresses the one of IPv4 is taken for it.
fn address(attributes: &mut Vec<Attribute>, prefix: &str, endpoint: &Endpoint) {
    let (first, second) = match (&*endpoint.ipv4, &*endpoint.ipv6) {
        ("", only) | (only, "") => (only, ""),
        both => both,
    };
    for (name, address) in [("address", first), ("address.ipv6", second)] {
        if !address.is_empty() {
            add(attributes, &format!("{prefix}.{name}"), Value::Text(Text::from(address)));
        }
    }
    if endpoint.port != 0 {
        add(attributes, &format!("{prefix}.port"), Value::Int(endpoint.port.into()));
    }
}

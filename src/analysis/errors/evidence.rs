//! What one span or one log record says of a failure, in whichever of the ways that senders have.

use std::borrow::Cow;

use super::stack::Stack;
use crate::model::{Attribute, LogRecord, Span, StatusCode, Text, Timestamp, Value, lookup};

/// How an error was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The span's status is error.
    Status,
    /// An exception was recorded as an event on a span whose status is not given.
    Event,
    /// Attributes of a span whose status is not given: `exception.*`, `error.type`, an HTTP status from 500 on, or
    /// `error=true`, which is how `OpenTracing` told it (its semantic conventions, "Span tags").
    Attribute,
    /// A log record: of severity error, or with `exception.*` attributes.
    Log,
}

impl Evidence {
    /// All of them, as they are numbered in counts.
    pub const ALL: [Self; 4] = [Self::Status, Self::Event, Self::Attribute, Self::Log];

    /// Its name in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Event => "event",
            Self::Attribute => "attribute",
            Self::Log => "log",
        }
    }
}

/// One failure as it was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// How.
    pub evidence: Evidence,
    /// The exception's type, `error.type`, `HTTP 503`; empty where the sender gave none.
    pub kind: String,
    /// What it says; may be empty, may have many lines.
    pub message: String,
    /// It tells of an exception, not merely that something failed.
    pub exception: bool,
    /// The stack trace as sent; empty where there is none.
    pub stack: String,
    /// When.
    pub at: Timestamp,
}

impl Saying {
    /// The application's frame nearest to where it happened, without its line.
    pub(super) fn place(&self) -> String {
        if self.stack.is_empty() {
            return String::new();
        }
        Stack::read(&self.stack).origin().map(super::Frame::place).unwrap_or_default()
    }

    /// What has to be equal in two of them for one to be the other passed on: the type without its modules, and the message.
    pub(super) fn identity(&self) -> (String, String) {
        (bare_kind(&self.kind).to_owned(), self.message.trim().to_owned())
    }
}

/// The type without the modules it is in.
#[must_use]
pub(super) fn bare_kind(kind: &str) -> &str {
    let is_path = kind.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$' | ':' | '*'));
    let last = kind.rsplit(['.', ':']).next().unwrap_or(kind);
    if is_path && !last.is_empty() { last } else { kind }
}

/// Attributes that make a span worth looking at though its status is not error and it has no exceptions as events.
pub(super) const TELLING: &[&str] = &["exception.type", "exception.message", "error.type", FLAG];

/// Tells that a span failed where it is true.
const FLAG: &str = "error";

/// The attributes under which the status of an answer stands.
pub(super) const HTTP_STATUS: &[&str] = &["http.response.status_code", "http.status_code"];

/// What a span says failed. Nothing where its status is OK: then what was recorded was dealt with. An exception that is
/// recorded twice counts once.
#[must_use]
pub(super) fn of_span(span: &Span) -> Vec<Saying> {
    if span.status.code == StatusCode::OK {
        return Vec::new();
    }
    let failed = span.status.code == StatusCode::ERROR;
    let mut told: Vec<Saying> = Vec::new();
    for event in span.events.iter().filter(|event| event.name == "exception") {
        let evidence = if failed { Evidence::Status } else { Evidence::Event };
        let at = if event.time.0 == 0 { span.end } else { event.time };
        let saying = exception(&event.attributes, evidence, at);
        if !told.iter().any(|known| known.identity() == saying.identity()) {
            told.push(saying);
        }
    }
    if told.is_empty() && has_exception(&span.attributes) {
        let evidence = if failed { Evidence::Status } else { Evidence::Attribute };
        told.push(exception(&span.attributes, evidence, span.end));
    }
    if told.is_empty() {
        told.extend(bare(span, failed));
    }
    told
}

/// A failure without an exception.
fn bare(span: &Span, failed: bool) -> Option<Saying> {
    let attribute = |keys: &[&str]| first(&span.attributes, keys);
    let status = attribute(HTTP_STATUS);
    let status = status.and_then(|status| status.trim().parse::<u16>().ok());
    let http = |least: u16| status.filter(|code| *code >= least).map(|code| format!("HTTP {code}"));
    let named = attribute(&["error.type"]).map(|name| match name.trim().parse::<u16>() {
        Ok(code) if status.is_some() => format!("HTTP {code}"),
        _ => name.into_owned(),
    });
    let grpc = || {
        let code = attribute(&["rpc.response.status_code", "rpc.grpc.status_code", "rpc.status_code"])?;
        let name = crate::semconv::grpc_failure(&code);
        (!name.is_empty()).then(|| format!("gRPC {name}"))
    };
    let flagged = || attribute(&[FLAG]).is_some_and(|flag| flag.trim().eq_ignore_ascii_case("true"));
    if !failed && http(500).is_none() && !flagged() && named.as_deref().is_none_or(|name| name.starts_with("HTTP 4")) {
        return None;
    }
    let evidence = if failed { Evidence::Status } else { Evidence::Attribute };
    let kind = named.or_else(|| http(400)).or_else(grpc).unwrap_or_default();
    let message = span.status.message.lossy().into_owned();
    Some(Saying { evidence, kind, message, exception: false, stack: String::new(), at: span.end.max(span.start) })
}

/// What a log record says failed: its severity is error or worse, or it carries an exception.
#[must_use]
pub(super) fn of_log(log: &LogRecord) -> Option<Saying> {
    const ERROR: i32 = 17;
    let carries = has_exception(&log.attributes);
    if log.severity < ERROR && !carries {
        return None;
    }
    let mut saying = exception(&log.attributes, Evidence::Log, log.at());
    saying.exception = carries;
    if saying.message.is_empty() {
        saying.message = body(&log.body);
    }
    if saying.kind.is_empty() {
        saying.kind = first(&log.attributes, &["error.type"]).unwrap_or_else(|| log.event_name.lossy()).into_owned();
    }
    Some(saying)
}

fn has_exception(attributes: &[Attribute]) -> bool {
    ["exception.type", "exception.message"].iter().any(|key| lookup(attributes, key).is_some())
}

fn exception(attributes: &[Attribute], evidence: Evidence, at: Timestamp) -> Saying {
    let text = |key: &str| first(attributes, &[key]).map(Cow::into_owned).unwrap_or_default();
    let (kind, stack) = (text("exception.type"), text("exception.stacktrace"));
    // A message alone is what a status has too.
    let exception = !kind.is_empty() || !stack.is_empty();
    Saying { evidence, kind, message: text("exception.message"), exception, stack, at }
}

/// The text of a log's body; of a map the part that is the message.
fn body(body: &Value) -> String {
    match body {
        Value::Map(members) => first(members, &["message", "msg", "event"]).map(Cow::into_owned).unwrap_or_default(),
        other => text(other).map(Cow::into_owned).unwrap_or_default(),
    }
}

/// The first of `keys` that has a value other than blank, as text.
pub(in crate::analysis) fn first<'a>(attributes: &'a [Attribute], keys: &[&str]) -> Option<Cow<'a, str>> {
    let values = keys.iter().filter_map(|key| text(lookup(attributes, key)?));
    values.into_iter().find(|value| !value.trim().is_empty())
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Text::lossy(text)),
        Value::Int(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Double(number) => Some(number.to_string().into()),
        Value::Empty | Value::Array(_) | Value::Map(_) | Value::Bytes(_) => None,
    }
}

//! One request as its services tell it, and how it is put together.

use std::sync::Arc;

use super::cast::{self, Service, text};
use crate::model::{
    Attribute, Event, Kind, Link, LogRecord, Nanos, Resource, Scope, Span, SpanId, StatusCode, Text, Timestamp,
    TraceId, Value,
};
use crate::source::random::Random;

/// One request, or one event with what it sets off: the spans of one or a few traces, and the log records beside
/// them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Story {
    /// Its spans in the order they begin; parents before their children.
    pub spans: Vec<Span>,
    /// Its log records by time.
    pub logs: Vec<LogRecord>,
}

/// Milliseconds as the microseconds that stories count in.
pub(super) const fn ms(millis: u64) -> u64 {
    millis * 1000
}

/// Which service, by which instrumentation library.
pub(super) type By = (Service, &'static str);

/// A span that is being described. Times are microseconds since the story's start.
pub(super) struct Draft {
    by: By,
    from: u64,
    lasts: u64,
    span: Span,
}

impl Draft {
    pub(super) fn new(by: By, name: &str, kind: Kind, from: u64, lasts: u64) -> Self {
        let span = Span { name: name.into(), kind, flags: 0x101, ..Span::default() };
        Self { by, from, lasts, span }
    }

    pub(super) fn text(mut self, key: &str, value: impl Into<Text>) -> Self {
        self.span.attributes.push(Attribute { key: key.into(), value: Value::Text(value.into()) });
        self
    }

    pub(super) fn texts(mut self, pairs: &[(&str, &str)]) -> Self {
        self.span.attributes.extend(pairs.iter().map(|(key, value)| text(key, value)));
        self
    }

    pub(super) fn int(mut self, key: &str, value: i64) -> Self {
        self.span.attributes.push(Attribute { key: key.into(), value: Value::Int(value) });
        self
    }

    pub(super) fn flag(mut self, key: &str, value: bool) -> Self {
        self.span.attributes.push(Attribute { key: key.into(), value: Value::Bool(value) });
        self
    }

    /// Marks it as failed.
    pub(super) fn failed(mut self, message: &str) -> Self {
        self.span.status.code = StatusCode::ERROR;
        self.span.status.message = message.into();
        self
    }

    /// Records an exception at its end, and marks it as failed as SDKs do.
    pub(super) fn exception(mut self, kind: &str, message: &str, stack: &str) -> Self {
        let attributes =
            vec![text("exception.type", kind), text("exception.message", message), text("exception.stacktrace", stack)];
        self.span.events.push(Event { name: "exception".into(), attributes, ..Event::default() });
        self.failed(&format!("{kind}: {message}"))
    }

    /// Records something that happened in it, at its end.
    pub(super) fn event(mut self, name: &str, attributes: Vec<Attribute>) -> Self {
        self.span.events.push(Event { name: name.into(), attributes, ..Event::default() });
        self
    }

    pub(super) fn link(mut self, (trace, span): (TraceId, SpanId)) -> Self {
        self.span.links.push(Link { trace_id: trace.0.into(), span_id: span.0.into(), ..Link::default() });
        self
    }
}

/// Tells a story: gives spans their ids, times and makers.
pub(super) struct Teller<'r> {
    /// Where its chances come from.
    pub(super) random: &'r mut Random,
    start: Timestamp,
    /// Thousandths by which every time is stretched.
    pace: u64,
    trace: TraceId,
    resources: Vec<(Service, Arc<Resource>)>,
    scopes: Vec<(&'static str, Arc<Scope>)>,
    story: Story,
}

impl<'r> Teller<'r> {
    /// A story that begins at `start`, with all times stretched by `pace` thousandths.
    pub(super) fn new(random: &'r mut Random, start: Timestamp, pace: u64) -> Self {
        let trace = random.trace_id();
        let (resources, scopes) = (Vec::new(), Vec::new());
        Self { random, start, pace, trace, resources, scopes, story: Story::default() }
    }

    /// What is told from here on belongs to another trace.
    pub(super) fn next_trace(&mut self) {
        self.trace = self.random.trace_id();
    }

    /// Adds a span without a parent.
    pub(super) fn root(&mut self, draft: Draft) -> SpanId {
        self.add(None, draft)
    }

    /// Adds a span below `parent`, in the trace that is being told.
    pub(super) fn child(&mut self, parent: SpanId, draft: Draft) -> SpanId {
        self.add(Some(parent), draft)
    }

    /// Trace and span, for links from elsewhere.
    pub(super) fn context(&self, span: SpanId) -> (TraceId, SpanId) {
        (self.trace, span)
    }

    /// Adds a log record of `span`, `at` microseconds after the start.
    pub(super) fn log(&mut self, span: SpanId, by: By, at: u64, line: (i32, &str)) {
        let (severity, body) = line;
        let severity_text = match severity {
            ..9 => "DEBUG",
            9..13 => "INFO",
            13..17 => "WARN",
            _ => "ERROR",
        };
        let (time, (resource, scope)) = (self.moment(at), self.makers(by));
        self.story.logs.push(LogRecord {
            time,
            observed: time,
            severity,
            severity_text: severity_text.into(),
            body: Value::Text(body.into()),
            flags: 1,
            trace_id: self.trace,
            span_id: Some(span),
            resource,
            scope,
            ..LogRecord::default()
        });
    }

    /// The whole story.
    pub(super) fn finish(mut self) -> Story {
        self.story.logs.sort_by_key(|record| record.time);
        self.story
    }

    fn add(&mut self, parent_id: Option<SpanId>, draft: Draft) -> SpanId {
        let mut span = draft.span;
        span.trace_id = self.trace;
        span.span_id = self.random.span_id();
        span.parent_id = parent_id;
        span.start = self.moment(draft.from);
        span.end = self.moment(draft.from + draft.lasts);
        for event in &mut span.events {
            event.time = span.end;
        }
        (span.resource, span.scope) = self.makers(draft.by);
        let id = span.span_id;
        self.story.spans.push(span);
        id
    }

    fn moment(&self, at: u64) -> Timestamp {
        self.start.plus(Nanos(at * self.pace))
    }

    fn makers(&mut self, (service, scope): By) -> (Arc<Resource>, Arc<Scope>) {
        let resource = kept(&mut self.resources, service, || service.resource());
        let scope = kept(&mut self.scopes, scope, || cast::scope(scope));
        (resource, scope)
    }
}

fn kept<K: PartialEq, V>(all: &mut Vec<(K, Arc<V>)>, key: K, make: impl FnOnce() -> V) -> Arc<V> {
    if let Some((_, value)) = all.iter().find(|(known, _)| *known == key) {
        return Arc::clone(value);
    }
    let value = Arc::new(make());
    all.push((key, Arc::clone(&value)));
    value
}

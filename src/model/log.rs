//! Log records, as far as they are shown beside their span.

use std::sync::Arc;

use super::{Attribute, Resource, Scope, SpanId, Text, Timestamp, TraceId, Value};

/// An OTLP log record that belongs to a trace.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LogRecord {
    /// When it happened; zero where only `observed` is known.
    pub time: Timestamp,
    /// When it was seen by the collecting side.
    pub observed: Timestamp,
    /// OpenTelemetry severity, 1 (trace) to 24 (fatal 4); 0 where not given.
    pub severity: i32,
    /// The severity as the sender names it.
    pub severity_text: Text,
    /// What it says.
    pub body: Value,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// W3C trace flags.
    pub flags: u32,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// The span it belongs to, if it names one.
    pub span_id: Option<SpanId>,
    /// The name of its kind of event; usually empty.
    pub event_name: Text,
    /// What made it.
    pub resource: Arc<Resource>,
    /// Which library made it.
    pub scope: Arc<Scope>,
}

impl LogRecord {
    /// The best known time of it.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        if self.time.0 == 0 { self.observed } else { self.time }
    }
}

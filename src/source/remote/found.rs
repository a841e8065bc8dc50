//! Traces that came, and what can be told of them without keeping them.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::RemoteError;
use crate::model::{Receipt, Timestamp, TraceId};
use crate::otlp::reader::read_spans;
use crate::otlp::{AttributeValue, Sink, SpanFields};
use crate::source::parts::parts;

/// Spans, to be fed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// `TracesData`, which is an `ExportTraceServiceRequest`, in protobuf.
    pub protobuf: Bytes,
    /// Items that could not be taken on the way here.
    pub refused: Receipt,
}

impl Body {
    /// The same in bodies of about `most` bytes each, unless a span alone has more.
    #[must_use]
    pub fn parts(&self, most: usize) -> Vec<Bytes> {
        parts(&self.protobuf, most)
    }
}

/// When the spans of a trace began that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How many spans came.
    pub spans: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The traces, one or several in each.
    pub bodies: Vec<Body>,
    /// Which traces they are.
    pub traces: BTreeMap<TraceId, Seen>,
    /// There may be more that no further round asks for.
    pub capped: bool,
    /// What did not go as it should.
    pub warnings: Vec<String>,
}

impl Found {
    /// What is in one body, which came from `at`.
    pub(super) fn of(body: Body, at: String) -> Result<Self, RemoteError> {
        let mut found = Self::default();
        found.take(body).map_err(|what| RemoteError::NotThis { at, what })?;
        Ok(found)
    }

    /// As the answer to a search for at most so many traces: where there are as many there may be more.
    pub(super) fn within(mut self, limit: u32) -> Self {
        self.capped |= self.traces.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        self
    }

    /// Takes a body in; nothing of it where its framing is broken, or where there is something in it but nothing usable.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn take(&mut self, body: Body) -> Result<(), String> {
        let mut looking = Looking::default();
        read_spans(&body.protobuf, &mut looking).map_err(|fault| fault.to_string())?;
        if looking.0.is_empty() && body.refused.rejected_total() > 0 {
            return Err("nothing in it can be read as a span".to_owned());
        }
        for (id, seen) in looking.0 {
            self.traces.entry(id).and_modify(|known| known.join(seen)).or_insert(seen);
        }
        if !body.protobuf.is_empty() {
            self.bodies.push(body);
        }
        Ok(())
    }

    /// Adds what else was found.
    pub(super) fn join(&mut self, other: Self) {
        self.bodies.extend(other.bodies);
        for (id, seen) in other.traces {
            self.traces.entry(id).and_modify(|known| known.join(seen)).or_insert(seen);
        }
        self.capped |= other.capped;
        for warning in other.warnings {
            self.warn(warning);
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Whether one trace was asked for and others came.
    pub(super) fn is_another(&self, id: TraceId) -> bool {
        !self.traces.is_empty() && !self.traces.contains_key(&id)
    }

    /// How many spans came.
    #[must_use]
    pub fn spans(&self) -> u64 {
        self.traces.values().map(|seen| seen.spans).sum()
    }
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.spans += other.spans;
    }
}

/// Notes ids and starts.
#[derive(Default)]
struct Looking(BTreeMap<TraceId, Seen>);

impl Sink for Looking {
    fn resource(&mut self, _: &[u8], _: &[u8]) {}

    fn scope(&mut self, _: &[u8], _: &[u8]) {}

    fn amend_scope(&mut self, _: &[u8], _: &[u8]) {}

    fn begin_span(&mut self) {}

    fn known_attribute(&mut self, _: &[u8]) -> bool {
        true
    }

    fn attribute(&mut self, _: &[u8], _: AttributeValue<'_>, _: &[u8]) {}

    fn event(&mut self, _: &[u8]) {}

    fn link(&mut self, _: &[u8]) {}

    fn end_span(&mut self, fields: &SpanFields<'_>) {
        if let Some(id) = TraceId::from_slice(fields.trace_id) {
            let start = Timestamp(fields.start);
            let one = Seen { first: start, last: start, spans: 1 };
            self.0.entry(id).and_modify(|known| known.join(one)).or_insert(one);
        }
    }
}

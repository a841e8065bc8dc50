//! A span with all that was sent of it.

use std::sync::Arc;

use super::{Attribute, Kind, SourceId, SpanId, SpanKey, Status, Text, Timestamp, TraceId};

/// A span, whole: every field of the OTLP message, exactly as it came.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// Its parent; `None` where the field is empty or malformed (see `odd_parent`).
    pub parent_id: Option<SpanId>,
    /// The parent id's bytes where it is not empty and not a valid id (wrong length, all zero).
    pub odd_parent: Option<Box<[u8]>>,
    /// W3C trace state.
    pub trace_state: Text,
    /// W3C trace flags in bits 0-7; bits 8 and 9 say whether the parent is remote.
    pub flags: u32,
    /// Its name.
    pub name: Text,
    /// Its kind.
    pub kind: Kind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; may be before `start`, or zero.
    pub end: Timestamp,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// Its events in order.
    pub events: Vec<Event>,
    /// How many events the sender dropped.
    pub dropped_events: u32,
    /// Its links in order.
    pub links: Vec<Link>,
    /// How many links the sender dropped.
    pub dropped_links: u32,
    /// How it ended.
    pub status: Status,
    /// What made it.
    pub resource: Arc<Resource>,
    /// Which instrumentation library made it.
    pub scope: Arc<Scope>,
    /// The way it came in.
    pub source: SourceId,
}

impl Span {
    /// What tells this span from the others of its trace.
    #[must_use]
    pub fn key(&self) -> SpanKey {
        SpanKey { id: self.span_id, kind: self.kind }
    }
}

/// Something that happened at one moment of a span.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Event {
    /// When; may lie outside its span.
    pub time: Timestamp,
    /// Its name; `exception` for a recorded exception.
    pub name: Text,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
}

/// A reference to another span, which need not be held here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// The trace's id as it came; may be malformed.
    pub trace_id: Box<[u8]>,
    /// The span's id as it came; may be malformed.
    pub span_id: Box<[u8]>,
    /// W3C trace state.
    pub trace_state: Text,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// W3C trace flags, as on a span.
    pub flags: u32,
}

impl Link {
    /// Where it points, if its ids are valid.
    #[must_use]
    pub fn target(&self) -> Option<(TraceId, SpanId)> {
        Some((TraceId::from_slice(&self.trace_id)?, SpanId::from_slice(&self.span_id)?))
    }
}

/// What made a span: a process, a host, a service.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Resource {
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// The schema its attributes follow.
    pub schema_url: Text,
}

/// The instrumentation library that made a span.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scope {
    /// Its name.
    pub name: Text,
    /// Its version.
    pub version: Text,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes: u32,
    /// The schema the spans' attributes follow.
    pub schema_url: Text,
}

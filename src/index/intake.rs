//! Takes what the reader tells of a body straight into columns.
//!
//! Nothing here is seen by anyone before the body was read to its end: see [`super::store::Store::begin`].

use super::batch::{Batch, Facts};
use super::chunk::{Chunk, Fill, ODD_STATUS, mark, narrow};
use super::dictionary::{Dictionary, Step};
use super::extras::{self, Extra};
use super::recent::Turn;
use super::segment::Origin;
use super::spare::Spare;
use super::store::Draft;
use super::word::{Slot, Word};
use crate::model::{Kind, Receipt, RejectReason, SourceId, SpanId, SpanKey, StatusCode, TraceId};
use crate::otlp::{AttributeValue, Sink, SpanFields};

/// Bytes of a row's fixed columns with its share of the tables.
const ROW_COST: usize = 80;

/// The sink that fills chunks.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    dictionary: &'a mut Dictionary,
    /// Where full chunks go.
    drafts: &'a mut Vec<Draft>,
    /// The chunk that is filled.
    chunk: Chunk,
    /// The rows taken.
    batch: &'a mut Batch,
    /// Chunks to go on in.
    spare: &'a mut Spare,
    /// The way the body came in.
    source: SourceId,
    /// Nanoseconds from which on a row is notable.
    least: u64,
    /// The resource of the spans that follow.
    resource: u32,
    /// Their origin.
    origin: u32,
    /// The flags of the spans that come.
    flags: u32,
    /// Ordinal of the first row of the scope.
    scope_from: u64,
    /// Where the span stands in the trie of shapes.
    step: Step,
    /// How full the chunk was when the span began.
    fill: Fill,
    /// The span's marks so far.
    marks: u8,
    /// Attributes for which there is no shape, as fields of a message.
    more: Vec<u8>,
    /// Counts what is refused.
    pub(super) receipt: Receipt,
}

impl<'a> Intake<'a> {
    /// Goes on filling the last of `drafts`, which [`Self::finish`] puts back.
    pub(super) fn new(
        dictionary: &'a mut Dictionary,
        drafts: &'a mut Vec<Draft>,
        batch: &'a mut Batch,
        spare: &'a mut Spare,
        (source, least): (SourceId, u64),
    ) -> Self {
        let chunk = drafts.last_mut().map(|draft| std::mem::take(&mut draft.chunk)).unwrap_or_default();
        Self {
            dictionary,
            drafts,
            chunk,
            batch,
            spare,
            source,
            least,
            resource: 0,
            origin: 0,
            flags: 0,
            scope_from: 0,
            step: Step::default(),
            fill: Fill::default(),
            marks: 0,
            more: Vec::new(),
            receipt: Receipt::default(),
        }
    }

    /// The spans that follow came in another way.
    pub(super) fn set_source(&mut self, source: SourceId) {
        self.source = source;
    }

    /// Gives the chunk back.
    pub(super) fn finish(mut self) -> Receipt {
        self.fill_runs();
        if let Some(draft) = self.drafts.last_mut() {
            draft.chunk = self.chunk;
        }
        self.receipt
    }

    /// Fills the columns of what does not change from row to row up to the last row.
    fn fill_runs(&mut self) {
        let rows = self.chunk.rows();
        self.chunk.trace.resize(rows, 0);
        self.chunk.origin.resize(rows, self.origin);
        self.chunk.flags.resize(rows, self.flags);
    }

    fn set_origin(&mut self, message: &[u8], schema_url: &[u8]) {
        self.fill_runs();
        let scope = self.dictionary.scope(message, schema_url);
        self.origin = self.dictionary.origin(Origin { resource: self.resource, scope, source: self.source });
    }

    fn rotate(&mut self) {
        self.fill_runs();
        let next = self.spare.after(&self.chunk);
        let full = std::mem::replace(&mut self.chunk, next);
        if let Some(draft) = self.drafts.last_mut() {
            draft.chunk = full;
        }
        self.drafts.push(Draft::default());
    }

    fn push_rare(&mut self, fields: &SpanFields<'_>) {
        let chunk = &mut self.chunk;
        if !fields.trace_state.is_empty() {
            extras::push(chunk, Extra::TraceState, fields.trace_state);
        }
        if !fields.status_message.is_empty() {
            extras::push(chunk, Extra::StatusMessage, fields.status_message);
        }
        if !fields.parent_span_id.is_empty() && SpanId::from_slice(fields.parent_span_id).is_none() {
            extras::push(chunk, Extra::OddParent, fields.parent_span_id);
        }
        let counts = [fields.dropped_attributes, fields.dropped_events, fields.dropped_links];
        if counts != [0; 3] {
            let mut bytes = [0; 12];
            for (place, byte) in counts.iter().flat_map(|count| count.to_le_bytes()).zip(bytes.iter_mut()) {
                *byte = place;
            }
            extras::push(chunk, Extra::Dropped, &bytes);
        }
        if status_column(fields.status_code) == ODD_STATUS {
            extras::push(chunk, Extra::StatusCode, &fields.status_code.to_le_bytes());
        }
    }

    fn push_row(&mut self, trace_id: TraceId, span_id: SpanId, fields: &SpanFields<'_>) {
        if !self.more.is_empty() {
            let at = self.chunk.push_bytes(&self.more);
            self.chunk.words.push(Word::new(Slot::Message(at)));
            self.marks |= mark::MORE;
        }
        self.push_rare(fields);
        if self.chunk.extras.len() > self.fill.extras {
            self.marks |= mark::EXTRAS;
        }
        let shape = self.step.shape;
        let operation = self.dictionary.operation(self.resource, fields.name, fields.kind);
        self.marks |= self.dictionary.marks(shape, fields.kind);
        if !self.more.is_empty() {
            self.marks |= mark::CALL;
        }
        let parent = SpanId::from_slice(fields.parent_span_id);
        if fields.flags != self.flags {
            self.fill_runs();
            self.flags = fields.flags;
        }
        let chunk = &mut self.chunk;
        let before = self.fill;
        let cost = ROW_COST
            + (chunk.words.len() - before.words) * 4
            + (chunk.wide.len() - before.wide) * 8
            + (chunk.text.len() - before.text)
            + (chunk.extras.len() - before.extras);
        let facts = Facts {
            key: SpanKey { id: span_id, kind: Kind(fields.kind) },
            parent,
            start: fields.start,
            end: fields.end,
            status: StatusCode(fields.status_code),
            marks: self.marks,
            cost: narrow(cost),
        };
        let ordinal = chunk.base + chunk.rows() as u64;
        let back = self.batch.add((trace_id, self.dictionary.service(self.resource)), ordinal, &facts, self.least);
        chunk.prev.push(back);
        chunk.parent.push(parent.unwrap_or_default().0);
        chunk.start.push(fields.start);
        chunk.end.push(fields.end);
        chunk.operation.push(operation);
        chunk.shape.push(shape);
        chunk.status.push(status_column(fields.status_code));
        chunk.marks.push(self.marks);
        chunk.values_at.push(narrow(self.fill.words));
        chunk.span_id.push(span_id.0);
        if chunk.is_full() {
            self.rotate();
        }
    }
}

fn status_column(code: i32) -> u8 {
    u8::try_from(code).ok().filter(|code| *code < ODD_STATUS).unwrap_or(ODD_STATUS)
}

/// Appends a message as field 1 of another, so that it can be read back like a resource's attributes.
fn push_member(into: &mut Vec<u8>, message: &[u8]) {
    into.push(0x0a);
    let mut length = message.len();
    while length >= 0x80 {
        into.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    into.push(u8::try_from(length).unwrap_or_default());
    into.extend_from_slice(message);
}

impl Sink for Intake<'_> {
    fn resource(&mut self, message: &[u8], schema_url: &[u8]) {
        self.resource = self.dictionary.resource(message, schema_url);
    }

    fn scope(&mut self, message: &[u8], schema_url: &[u8]) {
        self.set_origin(message, schema_url);
        self.scope_from = self.chunk.base + self.chunk.rows() as u64;
    }

    fn amend_scope(&mut self, message: &[u8], schema_url: &[u8]) {
        self.set_origin(message, schema_url);
        let full = self.drafts.iter_mut().map(|draft| &mut draft.chunk);
        for chunk in full.chain([&mut self.chunk]) {
            let first = usize::try_from(self.scope_from.saturating_sub(chunk.base)).unwrap_or(usize::MAX);
            chunk.origin.iter_mut().skip(first).for_each(|origin| *origin = self.origin);
        }
    }

    #[inline]
    fn begin_span(&mut self) {
        self.fill = self.chunk.fill();
        self.step = Step::default();
        self.marks = 0;
        self.more.clear();
    }

    #[inline]
    fn known_attribute(&mut self, message: &[u8]) -> bool {
        let Some(word) = self.dictionary.recall(&mut self.step, message) else { return false };
        self.chunk.words.push(word);
        true
    }

    #[inline]
    fn attribute(&mut self, key: &[u8], value: AttributeValue<'_>, message: &[u8]) {
        let from = self.step.shape;
        if let Some(place) = self.dictionary.advance(&mut self.step, key) {
            let word = self.dictionary.value(place, &value, message, &mut self.chunk);
            self.dictionary.remember(from, (message, key), Turn { shape: self.step.shape, key: place }, word);
            self.chunk.words.push(word);
        } else {
            if key == b"error.type" {
                self.marks |= mark::ERROR_TYPE;
            }
            push_member(&mut self.more, message);
        }
    }

    #[inline]
    fn text_attribute(&mut self, key: &[u8], text: &[u8], message: &[u8]) {
        let from = self.step.shape;
        let Some(place) = self.dictionary.advance(&mut self.step, key) else {
            self.attribute(key, AttributeValue::Text(text), message);
            return;
        };
        let word = self.dictionary.text(place, text, &mut self.chunk);
        self.dictionary.remember(from, (message, key), Turn { shape: self.step.shape, key: place }, word);
        self.chunk.words.push(word);
    }

    fn event(&mut self, message: &[u8]) {
        self.marks |= mark::EVENTS;
        extras::push(&mut self.chunk, Extra::Event, message);
    }

    fn link(&mut self, message: &[u8]) {
        extras::push(&mut self.chunk, Extra::Link, message);
    }

    #[inline]
    fn end_span(&mut self, fields: &SpanFields<'_>) {
        let (trace_id, span_id) = (TraceId::from_slice(fields.trace_id), SpanId::from_slice(fields.span_id));
        match (trace_id, span_id) {
            (Some(trace_id), Some(span_id)) => self.push_row(trace_id, span_id, fields),
            (None, _) => {
                self.receipt.reject(RejectReason::InvalidTraceId, 1);
                self.chunk.cut(self.fill);
            }
            (_, None) => {
                self.receipt.reject(RejectReason::InvalidSpanId, 1);
                self.chunk.cut(self.fill);
            }
        }
    }
}

//! Makes room: the oldest segment goes, and with it the traces that were last active in it.
//!
//! Traces that are kept on purpose, and those that were active later, are copied forward first. A trace always leaves
//! whole: its rows in younger segments die, and their room comes free with those.

use std::sync::Arc;

use super::batch::Batch;
use super::chain::Place;
use super::chunk::mark;
use super::extras::{self, Extra};
use super::intake::Intake;
use super::read_row::{Stored, dropped};
use super::sealed::Depth;
use super::segment::{Form, Piece, RowRef, Segment};
use super::store::Store;
use super::traces::full;
use super::traces::low_half;
use super::{Summary, Writer};
use crate::model::{Attribute, Timestamp, TraceId};
use crate::otlp::{AttributeValue, Sink, SpanFields, encode};

impl<S: Summary> Writer<S> {
    /// Evicts until the budget is kept.
    pub(super) fn make_room(&mut self) {
        let rounds = self.store.closed.len() * 4 + 8;
        for round in 0..rounds {
            while self.bytes() > self.budget && self.wait_for_seal() {}
            if self.bytes() <= self.budget {
                return;
            }
            // Rows carried forward take room again: where that leads nowhere they leave too.
            if !self.evict_oldest(round < rounds / 2) {
                self.logs.evict(self.logs.bytes / 2);
            }
        }
    }

    /// Lets go of the oldest segment, but for pinned traces and, with `carry`, for traces that were active later.
    fn evict_oldest(&mut self, carry: bool) -> bool {
        if self.store.closed.is_empty() {
            if self.store.next() == self.store.current.base {
                return false;
            }
            self.close_segment();
        }
        let Some(oldest) = self.store.closed.first() else { return false };
        let segment = Arc::clone(&oldest.segment);
        let allowance = if carry { oldest.bytes as u64 / 2 } else { 0 };
        let (carried, leaving) = self.divide(&segment, allowance, oldest.last_arrival);
        for number in leaving {
            self.drop_trace(number);
        }
        self.carry(&segment, &carried);
        self.store.drop_oldest();
        for number in carried {
            self.rebuild(number);
        }
        self.traces.compact();
        self.store.freeze(false);
        if self.store.is_segment_full() {
            self.close_segment();
        }
        true
    }

    /// The traces with rows in a segment, whose last span came at `last_arrival`: those to carry forward, and those that
    /// leave with it.
    fn divide(&self, segment: &Segment, allowance: u64, last_arrival: Timestamp) -> (Vec<u64>, Vec<u64>) {
        let pinned = self.pinned();
        let mut numbers: Vec<u64> = Vec::new();
        for piece in &segment.pieces {
            each_trace(piece, &mut |low| numbers.push(full(u64::from(low), self.traces.next)));
            numbers.sort_unstable();
            numbers.dedup();
        }
        let mut traces: Vec<_> = numbers.iter().filter_map(|number| self.traces.pages.get(*number)).collect();
        traces.sort_by_key(|trace| std::cmp::Reverse((trace.last_arrival, trace.number)));
        let (mut carried, mut leaving, mut used) = (Vec::new(), Vec::new(), 0);
        for trace in traces {
            // Its head may be a row that was carried forward itself: that alone must not keep it for ever.
            let stays = trace.last_arrival > last_arrival && trace.head >= segment.end && used < allowance;
            let here = if stays { self.cost_within((low_half(trace.number), trace.head), segment.end) } else { 0 };
            if pinned.contains(&trace.number) {
                carried.push(trace.number);
            } else if stays && used + here <= allowance {
                used += here;
                carried.push(trace.number);
            } else {
                leaving.push(trace.number);
            }
        }
        (carried, leaving)
    }

    /// Bytes that the rows of a trace take in the oldest segment, roughly.
    fn cost_within(&self, from: (u32, u64), end: u64) -> u64 {
        let rows = self.store.chain(from, Depth::Light).filter(|(ordinal, _)| *ordinal < end);
        rows.map(|(ordinal, row)| {
            let row = row.get();
            match row.segment.place(ordinal) {
                Some(Place::Block { sealed, .. }) => sealed.hot_bytes(),
                _ => 160 + row.extras().len() as u64 + row.chunk.values(row.row).len() as u64 * 8,
            }
        })
        .sum()
    }

    /// The numbers of traces that must be kept, up to half of the budget.
    fn pinned(&self) -> Vec<u64> {
        let mut room = self.budget as u64 / 2;
        let held = self.kept.iter().filter_map(|id| self.traces.find(*id));
        held.filter(|number| {
            let cost = self.traces.pages.get(*number).map_or(0, |trace| trace.cost);
            let fits = cost <= room;
            room -= if fits { cost } else { 0 };
            fits
        })
        .collect()
    }

    fn drop_trace(&mut self, number: u64) {
        let Some(trace) = self.traces.pages.get(number) else { return };
        let (id, head) = (trace.id, trace.head);
        let rows: Vec<u64> = self.store.chain((low_half(number), head), Depth::Light).ordinals().collect();
        for ordinal in &rows {
            self.store.bury(*ordinal);
        }
        self.stats.spans -= rows.len() as u64;
        self.stats.spans_evicted += rows.len() as u64;
        self.stats.traces_evicted += 1;
        self.summary.forget(id);
        self.twins.remove(number);
        self.traces.remove(number);
    }

    /// Copies the rows of these traces from the oldest segment to the end.
    fn carry(&mut self, segment: &Segment, numbers: &[u64]) {
        let mut rows: Vec<(u64, u64)> = Vec::new();
        for number in numbers {
            let Some(trace) = self.traces.pages.get(*number) else { continue };
            let all = self.store.chain((low_half(*number), trace.head), Depth::Light).ordinals();
            rows.extend(all.filter(|ordinal| *ordinal < segment.end).map(|ordinal| (ordinal, *number)));
        }
        rows.sort_unstable();
        let first = self.store.next();
        let mut batch = Batch::default();
        let Store { dictionary, drafts, .. } = &mut self.store;
        let mut intake = Intake::new(dictionary, drafts, &mut batch, (crate::model::SourceId(0), 0));
        let mut slow = Vec::new();
        each_row(segment, rows.iter().map(|(ordinal, _)| *ordinal), &mut |row| {
            slow.push(row.chunk.marks[row.row] & mark::SLOW);
            intake.set_source(row.origin().source);
            replay(row, &mut intake);
        });
        intake.finish();
        self.store.dictionary.sync(&mut self.store.current);
        for ((ordinal, (_, number)), slow) in (first..).zip(&rows).zip(slow) {
            self.link(ordinal, *number);
            if let Some((chunk, row)) = self.store.draft(ordinal) {
                chunk.marks[row] |= slow;
            }
        }
    }
}

/// Calls `each` with the low half of the number of each trace that has live rows in a piece.
fn each_trace(piece: &Piece, each: &mut dyn FnMut(u32)) {
    match &piece.form {
        Form::Hot(chunk) => {
            (0..chunk.rows()).filter(|row| !piece.is_dead(*row)).for_each(|row| each(chunk.trace[row]));
        }
        Form::Sealed(sealed) => sealed.each_run(&mut |low, mut rows| {
            if rows.any(|row| !piece.is_dead(row)) {
                each(low);
            }
        }),
    }
}

/// Calls `each` with rows of a segment, given in order; those of a sealed block are thawed together.
fn each_row(segment: &Segment, ordinals: impl Iterator<Item = u64>, each: &mut dyn FnMut(RowRef<'_>)) {
    let mut ordinals = ordinals.peekable();
    while let Some(first) = ordinals.next() {
        let Some((place, row)) = segment.locate(first) else { continue };
        let piece = &segment.pieces[place];
        match &piece.form {
            Form::Hot(chunk) => each(RowRef { segment, chunk, row }),
            Form::Sealed(sealed) => {
                let mut rows = vec![row];
                let within = |ordinal: &u64| *ordinal < piece.end && *ordinal < first + THAWED;
                while let Some(ordinal) = ordinals.next_if(within) {
                    rows.extend(usize::try_from(ordinal - piece.base));
                }
                let chunk = sealed.thaw(row..rows.last().map_or(row, |last| last + 1), Depth::Whole);
                for other in &rows {
                    each(RowRef { segment, chunk: &chunk, row: other - row });
                }
            }
        }
    }
}

/// Ordinals that are thawed together to be carried forward: fewer would have each page unpacked more often, more would
/// take more room at a time when there is none.
const THAWED: u64 = 16 << 10;

/// Tells a sink of a row as if it had just been read.
fn replay(row: RowRef<'_>, sink: &mut impl Sink) {
    let ((resource, resource_url), (scope, scope_url)) = (row.resource(), row.scope());
    sink.resource(resource, resource_url);
    sink.scope(scope, scope_url);
    sink.begin_span();
    row.each_attribute(&mut |key, stored| match stored {
        Stored::Message(message) => sink.attribute(key, AttributeValue::Composite(&[]), message),
        Stored::Plain(value) => {
            let message = encode::attribute(&Attribute { key: key.into(), value: stored.to_value() });
            sink.attribute(key, value, &message);
        }
    });
    let chunk = row.chunk;
    let parent = row.parent();
    let operation = row.operation();
    let mut fields = SpanFields {
        trace_id: &TRACE.0,
        span_id: &chunk.span_id[row.row],
        parent_span_id: parent.as_ref().map(|id| &id.0[..]).unwrap_or_default(),
        flags: chunk.flags[row.row],
        name: row.segment.words.get(operation.name),
        kind: operation.kind,
        start: chunk.start[row.row],
        end: chunk.end[row.row],
        status_code: row.status().0,
        status_message: row.status_message(),
        ..SpanFields::default()
    };
    for (extra, bytes) in extras::iter(row.extras()) {
        match extra {
            Extra::Event => sink.event(bytes),
            Extra::Link => sink.link(bytes),
            Extra::TraceState => fields.trace_state = bytes,
            Extra::OddParent => fields.parent_span_id = bytes,
            Extra::StatusMessage | Extra::StatusCode => {}
            Extra::Dropped => {
                [fields.dropped_attributes, fields.dropped_events, fields.dropped_links] = dropped(bytes);
            }
        }
    }
    sink.end_span(&fields);
}

/// Stands for any valid id: the rows are linked to their trace by number.
const TRACE: TraceId = TraceId([1; 16]);

//! The second half of taking a body in: its rows join their traces.
//!
//! Only bodies that were read to their end come here. Rows that are not kept (repeated, refused) stay in their chunk
//! as dead rows, unless the whole body is: then its rows are cut off again.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use super::chunk::mark;
use super::intake::Pending;
use super::labels::{Labels, Look};
use super::segment::RowRef;
use super::store::Begin;
use super::traces::{crowd, full};
use super::twins::{LARGE, filter_bit};
use super::{CROWD, SpanFacts, Summary, What, Writer};
use crate::model::{
    Badges, Kind, Nanos, Receipt, RejectReason, SourceId, SpanId, SpanKey, StatusCode, Timestamp, TraceId,
};
use crate::otlp::encode;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is a span not held before.
    New,
    /// It is held, in place of other content that was held under its identity.
    Better,
    /// The same or better content is held already.
    Repeated,
    /// Its trace is too large.
    Refused,
}

impl<S: Summary> Writer<S> {
    /// Has the rows since `begin` join their traces.
    pub(super) fn commit(
        &mut self,
        begin: &Begin,
        pending: &[Pending],
        mut receipt: Receipt,
        from: (SourceId, Timestamp),
    ) -> Receipt {
        let mut last: Option<(TraceId, u64)> = None;
        let mut held = false;
        for (ordinal, row) in (begin.first..).zip(pending) {
            let number = match last {
                Some((id, number)) if id == row.trace_id => number,
                _ => self.traces.find_or_begin(row.trace_id, from.0, from.1),
            };
            last = Some((row.trace_id, number));
            let fate = self.commit_row(ordinal, number, row.cost, from.1);
            if fate == Fate::Refused && self.traces.pages.get(number).is_some_and(|trace| trace.spans == 0) {
                self.traces.remove(number);
                last = None;
            }
            held |= matches!(fate, Fate::New | Fate::Better);
            receipt.accepted += u64::from(fate != Fate::Refused);
            let repeated = u64::from(matches!(fate, Fate::Better | Fate::Repeated));
            receipt.duplicates += repeated;
            self.stats.duplicates += repeated;
            receipt.reject(RejectReason::TraceTooLarge, u64::from(fate == Fate::Refused));
        }
        if !held {
            self.store.roll_back(begin);
        }
        receipt
    }

    fn commit_row(&mut self, ordinal: u64, number: u64, cost: u32, now: Timestamp) -> Fate {
        let Some((row, _)) = self.store.row(ordinal) else { return Fate::Refused };
        let key = row.key();
        let quarter = self.budget as u64 / 4;
        let Some(trace) = self.traces.pages.get(number) else { return Fate::Refused };
        let maybe_held = trace.filter & filter_bit(key.id) != 0;
        let (head, too_large) = (trace.head, trace.cost + u64::from(cost) > quarter);
        let twin = if maybe_held { self.twin(number, head, key) } else { None };
        let fate = match twin {
            Some(twin) if self.is_better(ordinal, twin) => Fate::Better,
            Some(_) => Fate::Repeated,
            None if too_large => Fate::Refused,
            None => Fate::New,
        };
        if matches!(fate, Fate::Refused | Fate::Repeated) {
            if let Some(trace) = self.traces.change(number) {
                trace.truncated |= fate == Fate::Refused;
                trace.last_arrival = trace.last_arrival.max(now);
            }
            self.store.bury(ordinal);
            return fate;
        }
        if let Some(twin) = twin {
            self.supersede(twin, number);
        }
        self.join(ordinal, number, (cost, now));
        fate
    }

    /// The row that is held under the same identity.
    fn twin(&self, number: u64, head: u64, key: SpanKey) -> Option<u64> {
        if let Some(ids) = self.twins.get(number) {
            let next = self.store.next();
            let mut rows = ids.rows(key.id).map(|low| full(u64::from(low), next));
            return rows.find(|ordinal| self.store.row(*ordinal).is_some_and(|(row, dead)| !dead && row.key() == key));
        }
        self.store.chain(head).find(|(_, row)| row.key() == key).map(|(ordinal, _)| ordinal)
    }

    /// Whether new content takes the place of old: the later end, then the longer encoding, then the bytewise greater.
    fn is_better(&self, new: u64, old: u64) -> bool {
        let (Some((new, _)), Some((old, _))) = (self.store.row(new), self.store.row(old)) else { return false };
        let ends = (new.chunk.end[new.row], old.chunk.end[old.row]);
        if ends.0 != ends.1 {
            return ends.0 > ends.1;
        }
        let (new, old) = (encoding(new), encoding(old));
        (new.len(), new) > (old.len(), old)
    }

    /// Appends a row to the chain of its trace.
    pub(super) fn link(&mut self, ordinal: u64, number: u64) {
        let floor = self.store.floor();
        let Some(trace) = self.traces.change(number) else { return };
        let back = if trace.head >= floor { ordinal - trace.head } else { 0 };
        trace.head = ordinal;
        if let Some((chunk, row)) = self.store.draft(ordinal) {
            chunk.prev[row] = u32::try_from(back).unwrap_or(0);
            chunk.trace[row] = low_half(number);
        }
    }

    /// Takes the row that was held until now out of account.
    fn supersede(&mut self, ordinal: u64, number: u64) {
        let Some((row, _)) = self.store.row(ordinal) else { return };
        let failed = row.status() == StatusCode::ERROR;
        let slow = row.chunk.marks[row.row] & mark::SLOW != 0;
        let service = row.segment.words.get(row.operation().service);
        let place = self.services.place(&String::from_utf8_lossy(service));
        if let Some(health) = self.services.arrive(place, Timestamp(0)) {
            health.spans -= 1;
            health.errors -= u64::from(failed);
            health.slow_sql -= u64::from(slow);
        }
        self.store.bury(ordinal);
        self.stats.spans -= 1;
        if let Some(trace) = self.traces.change(number) {
            trace.spans -= 1;
            trace.stale = true;
        }
    }

    /// Has a new row join its trace, and counts it: there, in its service, in all.
    fn join(&mut self, ordinal: u64, number: u64, (cost, now): (u32, Timestamp)) {
        let Some(seen) = self.observe(ordinal, number, Some((cost, now))) else { return };
        if let Some((chunk, row)) = self.store.draft(ordinal) {
            chunk.prev[row] = seen.back;
            chunk.trace[row] = low_half(number);
            chunk.marks[row] |= if seen.slow { mark::SLOW } else { 0 };
        }
        if let Some(health) = self.services.arrive(seen.service, now) {
            health.spans += 1;
            health.errors += u64::from(seen.failed);
            health.slow_sql += u64::from(seen.slow);
            health.traces += u64::from(seen.new_service);
        }
        self.stats.spans += 1;
        if seen.large {
            self.note_ids(ordinal, number);
        }
        if seen.crowds {
            self.observe_crowd(ordinal, number);
        }
    }

    /// A row made a crowd of its siblings: the hook is told of those before it.
    pub(super) fn observe_crowd(&mut self, ordinal: u64, number: u64) {
        let Some((row, _)) = self.store.row(ordinal) else { return };
        let (Some(parent), back) = (row.parent(), row.chunk.prev[row.row]) else { return };
        if back == 0 {
            return;
        }
        let before = self.store.chain(ordinal - u64::from(back));
        let crowded = before.filter(|(_, row)| row.parent().is_some_and(|other| crowd(other) == crowd(parent)));
        for ordinal in crowded.map(|(ordinal, _)| ordinal).collect::<Vec<_>>() {
            let Some((row, _)) = self.store.row(ordinal) else { continue };
            let own = ordinal >= self.store.current.base;
            let mut foreign = None;
            let labels = if own { &mut self.labels } else { foreign.insert(Labels::after(&self.labels)) };
            if !labels.may_call(row, Kind(row.operation().kind)) {
                continue;
            }
            labels.operation(row);
            let look = labels.look(row);
            let Some(trace) = self.traces.change(number) else { return };
            let (id, summary) = (trace.id, &mut self.summary);
            note(&mut trace.badges, |badges| {
                with_facts(&RowWhat { labels, row, look, own }, (id, true), |facts| {
                    summary.observe_crowded(facts, badges);
                    false
                })
            });
        }
    }

    /// Brings the figures of a trace up to date with one more of its rows, which may be joining it just now.
    pub(super) fn observe(&mut self, ordinal: u64, number: u64, joining: Option<(u32, Timestamp)>) -> Option<Seen> {
        let (row, _) = self.store.row(ordinal)?;
        let mut foreign = None;
        let own = ordinal >= self.store.current.base;
        let labels = if own { &mut self.labels } else { foreign.insert(Labels::after(&self.labels)) };
        let operation = row.operation();
        let text = labels.operation(row)?;
        let service = *text.place.get_or_insert_with(|| self.services.place(&text.service));
        let trace = self.traces.change(number)?;
        let mut back = 0;
        if let Some((cost, now)) = joining {
            if trace.head >= self.store.floor() {
                back = u32::try_from(ordinal - trace.head).unwrap_or(0);
            }
            trace.head = ordinal;
            trace.cost += u64::from(cost);
            trace.last_arrival = trace.last_arrival.max(now);
        }
        let start = row.chunk.start[row.row];
        let key = SpanKey { id: SpanId(row.chunk.span_id[row.row]), kind: Kind(operation.kind) };
        let (parent, status) = (row.parent(), row.status());
        let failed = status == StatusCode::ERROR;
        trace.spans += 1;
        trace.errors += u32::from(failed);
        trace.filter |= filter_bit(key.id);
        if start != 0 {
            trace.start = trace.start.min(start);
            trace.end = trace.end.max(row.chunk.end[row.row]).max(start);
        }
        let new_service = !trace.services.contains(&service);
        if new_service {
            trace.services.push(service);
        }
        let rank = (parent.is_some(), start.wrapping_sub(1));
        let leads = match (trace.root, rank.cmp(&trace.root_rank)) {
            (0, _) | (_, Ordering::Less) => true,
            (root, Ordering::Equal) => self.store.row(root).is_none_or(|(root, _)| key < root.key()),
            (_, Ordering::Greater) => false,
        };
        if leads {
            (trace.root_rank, trace.root, trace.has_root) = (rank, ordinal, parent.is_none());
        }
        let caller = parent.filter(|_| labels.may_call(row, key.kind));
        let crowd = caller.map_or(0, |parent| trace.crowd(parent));
        let summary = &mut self.summary;
        let eventful = row.chunk.marks[row.row] & (mark::EVENTS | mark::ERROR_TYPE) != 0;
        let long = row.chunk.duration(row.row) >= summary.least().0;
        let slow = (failed || eventful || long || crowd >= CROWD) && {
            let look = labels.look(row);
            let what = RowWhat { labels, row, look, own };
            let id = trace.id;
            note(&mut trace.badges, |badges| {
                with_facts(&what, (id, crowd >= CROWD), |facts| summary.observe(facts, badges))
            })
        };
        let large = trace.large || trace.spans > LARGE;
        Some(Seen { service, failed, slow, new_service, large, crowds: crowd == CROWD, back })
    }

    /// Keeps the span ids of a large trace.
    fn note_ids(&mut self, ordinal: u64, number: u64) {
        let Some(trace) = self.traces.change(number) else { return };
        if std::mem::replace(&mut trace.large, true) {
            if let Some((row, _)) = self.store.row(ordinal) {
                self.twins.add(number, row.key().id, row.parent(), ordinal);
            }
        } else {
            let rows = self.store.chain(trace.head);
            self.twins.set(number, rows.map(|(ordinal, row)| (row.key().id, row.parent(), ordinal)));
        }
    }
}

/// What came of a row that was counted in its trace.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers")]
pub(super) struct Seen {
    /// Place of its service.
    service: u16,
    /// Its status is error.
    failed: bool,
    /// It is a slow database span.
    slow: bool,
    /// Its service was not part of the trace before.
    new_service: bool,
    /// Its trace is large.
    large: bool,
    /// With it there may be a crowd below its parent.
    pub(super) crowds: bool,
    /// How far before it the trace's row before is.
    back: u32,
}

fn low_half(number: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
    let low = number as u32;
    low
}

/// What a row does, for the hook.
struct RowWhat<'a> {
    labels: &'a Labels,
    row: RowRef<'a>,
    look: Look,
    /// The row is in the segment that `labels` outlives.
    own: bool,
}

impl What for RowWhat<'_> {
    fn shared_label(&self) -> Arc<str> {
        self.labels.shared_label(self.row, self.look)
    }

    fn label(&self) -> Cow<'_, str> {
        self.labels.label(self.row, self.look)
    }

    fn number(&self) -> Option<u64> {
        self.labels.number(self.look).filter(|_| self.own)
    }

    fn call(&self) -> u64 {
        self.labels.call(self.row)
    }
}

/// Has the hook see to the badges of a trace; most traces need no room for any.
fn note(badges: &mut Option<Arc<Badges>>, hook: impl FnOnce(&mut Badges) -> bool) -> bool {
    if let Some(badges) = badges {
        return hook(Arc::make_mut(badges));
    }
    let mut fresh = Badges::default();
    let slow = hook(&mut fresh);
    if fresh != Badges::default() {
        *badges = Some(Arc::new(fresh));
    }
    slow
}

/// Puts together what the hook is told of a row.
fn with_facts(
    what: &RowWhat<'_>,
    (trace_id, crowded): (TraceId, bool),
    hook: impl FnOnce(&SpanFacts<'_>) -> bool,
) -> bool {
    let row = what.row;
    let marks = row.chunk.marks[row.row];
    let error_type = if marks & (mark::EVENTS | mark::ERROR_TYPE) != 0 { row.error_type() } else { None };
    let Some(described) = what.labels.known(what.look) else { return false };
    hook(&SpanFacts {
        trace_id,
        key: row.key(),
        parent_id: row.parent(),
        start: Timestamp(row.chunk.start[row.row]),
        duration: Nanos(row.chunk.duration(row.row)),
        status: row.status(),
        status_message: &String::from_utf8_lossy(row.status_message()),
        category: described.category,
        name: &String::from_utf8_lossy(row.segment.words.get(row.operation().name)),
        what,
        error_type: error_type.as_deref(),
        crowded,
    })
}

/// All of a span's content in one defined form, to compare two by.
fn encoding(row: RowRef<'_>) -> Vec<u8> {
    let mut span = row.to_span(TraceId::default());
    span.source = SourceId::default();
    let mut bytes = encode::span(&span);
    for (message, schema_url) in [row.resource(), row.scope()] {
        bytes.extend_from_slice(message);
        bytes.extend_from_slice(schema_url);
    }
    bytes
}

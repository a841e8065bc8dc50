//! The second half of taking a body in: its rows join their traces.
//!
//! Only bodies that were read to their end come here. Rows that are not kept (repeated, refused) stay in their chunk
//! as dead rows, unless the whole body is: then its rows are cut off again.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::batch::{Batch, Facts, Figures, Group, Notable, Noted, crowd, is_call};
use super::chunk::mark;
use super::labels::{Labels, Look};
use super::paged::Words;
use super::sealed::Depth;
use super::segment::RowRef;
use super::services::Tally;
use super::store::Begin;
use super::traces::{full, low_half};
use super::twins::LARGE;
use super::{CROWD, SpanFacts, Summary, What, Writer};
use crate::model::{Badges, Nanos, Receipt, RejectReason, SourceId, SpanId, SpanKey, StatusCode, Timestamp, TraceId};
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
        batch: &Batch,
        mut receipt: Receipt,
        (source, now): (SourceId, Timestamp),
    ) -> Receipt {
        let before = self.stats.spans;
        let mut held = false;
        let mut numbers: SmallVec<[u64; 64]> = SmallVec::with_capacity(batch.groups.len());
        for group in &batch.groups {
            numbers.push(self.traces.find_or_begin(group.trace_id, source, now));
        }
        let mut one = |writer: &mut Self, receipt: &mut Receipt, of: (u64, u32), (ordinal, cost): (u64, u32)| {
            let fate = writer.commit_row(ordinal, of, cost, now);
            held |= fate == Fate::Better;
            receipt.accepted += u64::from(fate != Fate::Refused);
            let repeated = u64::from(matches!(fate, Fate::Better | Fate::Repeated));
            receipt.duplicates += repeated;
            writer.stats.duplicates += repeated;
            receipt.reject(RejectReason::TraceTooLarge, u64::from(fate == Fate::Refused));
        };
        // A trace is a chain of rows, each linked to one before it: groups that take turns cannot be hung on as wholes.
        let tangled = batch.tangled(&numbers);
        for (number, group) in numbers.iter().zip(&batch.groups).filter(|(number, _)| !tangled.contains(*number)) {
            if self.is_new(*number, group) {
                self.join(*number, (group, &batch.noted), now);
                receipt.accepted += u64::from(group.figures.spans);
                continue;
            }
            for row in self.rows_of(group, begin, batch) {
                one(self, &mut receipt, (*number, group.service), row);
            }
        }
        for (ordinal, row) in (begin.first..).zip(&batch.rows).filter(|_| !tangled.is_empty()) {
            let (place, cost) = (row.group as usize, row.cost);
            if tangled.contains(&numbers[place]) {
                one(self, &mut receipt, (numbers[place], batch.groups[place].service), (ordinal, cost));
            }
        }
        self.services.settle(now);
        for number in &numbers {
            if self.traces.pages.get(*number).is_some_and(|trace| trace.figures.spans == 0) {
                self.traces.remove(*number);
            }
        }
        if !held && self.stats.spans == before {
            self.store.roll_back(begin);
            return receipt;
        }
        self.store.set_traces(begin.first, batch.rows.iter().map(|row| low_half(numbers[row.group as usize])));
        receipt
    }

    /// Whether all rows of a group surely are spans not held before, and there is room for them in their trace.
    fn is_new(&self, number: u64, group: &Group) -> bool {
        let Some(trace) = self.traces.pages.get(number) else { return false };
        if trace.cost + group.cost > self.budget as u64 / 4 || group.figures.spans > LARGE && group.doubtful {
            return false;
        }
        let known = trace.figures.filter;
        if !known.meets(&group.figures.filter) && !group.doubtful {
            return true;
        }
        let mut seen: SmallVec<[SpanId; LARGE as usize]> = SmallVec::new();
        for (_, row) in self.store.walk(group.last, group.figures.spans) {
            let row = row.get();
            let id = SpanId(row.chunk.span_id[row.row]);
            let held = known.may_have(id) && self.twin(number, trace.head, row.key()).is_some();
            if held || group.doubtful && seen.contains(&id) {
                return false;
            }
            seen.push(id);
        }
        true
    }

    /// Ordinals and costs of a group's rows, first to last.
    fn rows_of(&self, group: &Group, begin: &Begin, batch: &Batch) -> Vec<(u64, u32)> {
        let rows = self.store.walk(group.last, group.figures.spans).map(|(ordinal, _)| ordinal);
        let cost = |ordinal: u64| {
            let place = usize::try_from(ordinal - begin.first).ok();
            place.and_then(|place| batch.rows.get(place)).map_or(0, |row| row.cost)
        };
        let mut rows: Vec<_> = rows.map(|ordinal| (ordinal, cost(ordinal))).collect();
        rows.reverse();
        rows
    }

    fn commit_row(&mut self, ordinal: u64, (number, service): (u64, u32), cost: u32, now: Timestamp) -> Fate {
        let Some((row, _)) = self.store.row(ordinal, Depth::Light) else { return Fate::Refused };
        let facts = Facts::of(row.get(), cost);
        let quarter = self.budget as u64 / 4;
        let Some(trace) = self.traces.pages.get(number) else { return Fate::Refused };
        let maybe_held = trace.figures.filter.may_have(facts.key.id);
        let (id, head, too_large) = (trace.id, trace.head, trace.cost + u64::from(cost) > quarter);
        let twin = if maybe_held { self.twin(number, head, facts.key) } else { None };
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
            self.store.refuse(ordinal);
            return fate;
        }
        if let Some(twin) = twin {
            self.services.settle(now);
            self.supersede(twin, number);
        }
        let mut group = Group::new(id, service, ordinal);
        let mut noted = Vec::new();
        group.add(ordinal, &facts, self.summary.least().0, &mut noted);
        self.join(number, (&group, &noted), now);
        fate
    }

    /// The row that is held under the same identity.
    fn twin(&self, number: u64, head: u64, key: SpanKey) -> Option<u64> {
        if let Some(ids) = self.twins.get(number) {
            let next = self.store.next();
            let mut rows = ids.rows(key.id).map(|low| full(u64::from(low), next));
            let row = |ordinal| self.store.row(ordinal, Depth::Light);
            return rows.find(|ordinal| row(*ordinal).is_some_and(|(row, dead)| !dead && row.get().is(key)));
        }
        let mut rows = self.store.chain((low_half(number), head), Depth::Light);
        rows.find(|(_, row)| row.get().is(key)).map(|(ordinal, _)| ordinal)
    }

    /// Whether new content takes the place of old: what is whole before a lossy copy, then the later end, then the longer encoding, then the bytewise greater.
    fn is_better(&self, new: u64, old: u64) -> bool {
        let row = |ordinal| self.store.row(ordinal, Depth::Whole);
        let (Some((new, _)), Some((old, _))) = (row(new), row(old)) else { return false };
        let (new, old) = (new.get(), old.get());
        let [new_whole, old_whole] = [new, old].map(|row| !self.lossy.contains(&row.origin().source));
        if new_whole != old_whole {
            return new_whole;
        }
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
        let Some((row, _)) = self.store.row(ordinal, Depth::Light) else { return };
        let row = row.get();
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
            trace.figures.spans -= 1;
            trace.stale = true;
        }
    }

    /// Has new rows join their trace, and counts them: there, in their service, in all.
    fn join(&mut self, number: u64, (group, noted): (&Group, &[Noted]), now: Timestamp) {
        let Some(counted) = self.count(number, group, Some(now)) else { return };
        if counted.back != 0
            && let Some((chunk, row)) = self.store.draft(group.first)
        {
            chunk.prev[row] = counted.back;
        }
        let slow = self.tell(number, (group, noted), &counted);
        let (spans, errors) = (u64::from(group.figures.spans), u64::from(group.figures.errors));
        let tally = Tally { spans, errors, slow_sql: slow, traces: u64::from(counted.new_service) };
        self.services.tally(counted.service, tally);
        self.stats.spans += u64::from(group.figures.spans);
        if counted.large {
            self.note_ids(number, group);
        }
    }

    /// Adds the figures of some of its rows to those of a trace, which they join now or have joined before.
    pub(super) fn count(&mut self, number: u64, group: &Group, joining: Option<Timestamp>) -> Option<Counted> {
        let service = self.service_of(group);
        let floor = self.store.floor();
        let trace = self.traces.change(number)?;
        let mut back = 0;
        if let Some(now) = joining {
            if trace.head >= floor {
                back = u32::try_from(group.first - trace.head).unwrap_or(0);
            }
            trace.head = group.last;
            trace.cost += group.cost;
            trace.last_arrival = trace.last_arrival.max(now);
        }
        let leads = trace.figures.root == 0
            || group.figures.root_rank < trace.figures.root_rank
            || (group.figures.root_rank == trace.figures.root_rank
                && self.store.root(trace.number, &trace.figures).is_none_or(|root| group.root_key < root.get().key()));
        let crowds = trace.figures.crowds;
        trace.figures.add(&group.figures, leads);
        Some(Counted {
            service,
            new_service: trace.services.insert(service),
            back,
            crowds,
            crowded: group.figures.crowds != [0; 8] && trace.figures.crowds.iter().any(|count| *count >= CROWD),
            large: trace.large || trace.figures.spans > LARGE,
        })
    }

    /// Tells the hook of what it makes something of among rows that were counted; answers how many are slow.
    pub(super) fn tell(&mut self, number: u64, (group, noted): (&Group, &[Noted]), counted: &Counted) -> u64 {
        let slow = if group.noted == 0 { 0 } else { self.note_rows(number, group, noted) };
        if counted.crowded {
            self.note_crowds(number, group, counted.crowds);
        }
        slow
    }

    /// The place of a group's service among those that are counted.
    fn service_of(&mut self, group: &Group) -> u16 {
        let services = &mut self.services;
        let mut place = |words: &Words| services.place(&String::from_utf8_lossy(words.get(group.service)));
        let words = &self.store.current.words;
        if group.first >= self.store.current.base {
            return *self.labels.services_at.entry(group.service).or_insert_with(|| place(words));
        }
        self.store.row(group.first, Depth::Light).map_or(0, |(row, _)| place(&row.get().segment.words))
    }

    /// Has the hook look at the notable rows of a group; answers how many are slow.
    fn note_rows(&mut self, number: u64, group: &Group, noted: &[Noted]) -> u64 {
        let trace = self.traces.pages.get(number);
        let badges = trace.as_ref().and_then(|trace| trace.badges.as_deref());
        let minded = |row: &&Noted| row.notable == Notable::Surely || self.summary.minds(Nanos(row.duration), badges);
        let rows: SmallVec<[u64; 8]> = group.noted(noted).filter(minded).map(|row| row.ordinal).collect();
        let slow = self.note(number, &rows, Summary::observe);
        for ordinal in &slow {
            if let Some((chunk, row)) = self.store.draft(*ordinal) {
                chunk.marks[row] |= mark::SLOW;
            }
        }
        slow.len() as u64
    }

    /// Has the hook look at the calls of a group whose parents are crowded, and where they became so with this group at
    /// the calls before them. `before` are the counts without the group.
    fn note_crowds(&mut self, number: u64, group: &Group, before: [u8; 8]) {
        let Some(trace) = self.traces.pages.get(number) else { return };
        let now = trace.figures.crowds;
        let way = |row: RowRef<'_>| row.parent().filter(|_| is_call(row)).map(crowd);
        let fresh = self.store.walk(group.last, group.figures.spans);
        let fresh = fresh.filter(|(_, row)| way(row.get()).is_some_and(|way| now[way] >= CROWD));
        let mut rows: SmallVec<[u64; 16]> = fresh.map(|(ordinal, _)| ordinal).collect();
        let newly = |way: usize| before[way] < CROWD && now[way] >= CROWD;
        if (0..8).any(|way| newly(way) && before[way] > 0) {
            let old = self.store.chain_at((low_half(number), group.last), Depth::Light);
            let old = old.skip(group.figures.spans as usize).filter(|(_, row)| way(row.get()).is_some_and(newly));
            rows.extend(old.map(|(ordinal, _)| ordinal));
        }
        self.note(number, &rows, |summary, facts, badges| {
            summary.observe_crowded(facts, badges);
            false
        });
    }

    /// Tells the hook of rows of a trace; answers for which of them it said yes.
    fn note(
        &mut self,
        number: u64,
        rows: &[u64],
        mut hook: impl FnMut(&mut S, &SpanFacts<'_>, &mut Badges) -> bool,
    ) -> SmallVec<[u64; 8]> {
        let mut yes = SmallVec::new();
        if rows.is_empty() {
            return yes;
        }
        let Some(trace) = self.traces.change(number) else { return yes };
        for ordinal in rows {
            let Some((row, _)) = self.store.row(*ordinal, Depth::Whole) else { continue };
            let row = row.get();
            let mut foreign = None;
            let own = *ordinal >= self.store.current.base;
            let labels = if own { &mut self.labels } else { foreign.insert(Labels::after(&self.labels)) };
            labels.operation(row);
            let what = RowWhat { look: labels.look(row), labels, row, own };
            let summary = &mut self.summary;
            if with_badges(&mut trace.badges, |badges| {
                with_facts(&what, trace.id, |facts| hook(summary, facts, badges))
            }) {
                yes.push(*ordinal);
            }
        }
        yes
    }

    /// Keeps the span ids of a large trace.
    fn note_ids(&mut self, number: u64, group: &Group) {
        let Some(trace) = self.traces.change(number) else { return };
        let head = trace.head;
        if std::mem::replace(&mut trace.large, true) {
            for (ordinal, row) in self.store.walk(group.last, group.figures.spans) {
                self.twins.add(number, row.get().key().id, row.get().parent(), ordinal);
            }
        } else {
            let rows = self.store.chain((low_half(number), head), Depth::Light);
            self.twins.set(number, rows.map(|(ordinal, row)| (row.get().key().id, row.get().parent(), ordinal)));
        }
    }
}

/// What came of counting some rows in their trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// Place of their service.
    service: u16,
    /// It was no part of the trace before.
    new_service: bool,
    /// How far before the first of them the trace's row before is; zero where there is none.
    back: u32,
    /// [`Figures::crowds`] before them.
    crowds: [u8; 8],
    /// With them there may be a crowd below a parent.
    crowded: bool,
    /// Their trace is large.
    large: bool,
}

impl Figures {
    /// Adds those of further rows, which have the root where `leads`.
    fn add(&mut self, more: &Self, leads: bool) {
        self.start = self.start.min(more.start);
        self.end = self.end.max(more.end);
        self.filter.join(&more.filter);
        self.spans += more.spans;
        self.errors += more.errors;
        for (count, more) in self.crowds.iter_mut().zip(more.crowds) {
            *count = count.saturating_add(more);
        }
        if leads {
            (self.root, self.root_rank) = (more.root, more.root_rank);
        }
    }
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
fn with_badges(badges: &mut Option<Arc<Badges>>, hook: impl FnOnce(&mut Badges) -> bool) -> bool {
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
fn with_facts(what: &RowWhat<'_>, trace_id: TraceId, hook: impl FnOnce(&SpanFacts<'_>) -> bool) -> bool {
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
        name: what.labels.name(row),
        what,
        error_type: error_type.as_deref(),
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

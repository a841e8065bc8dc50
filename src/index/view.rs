//! A consistent state of the index, as readers see it.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashSet;
use smallvec::SmallVec;

use super::Block;
use super::chain::{Chain, Found, Place};
use super::completion::{UsedOperation, UsedValues};
use super::directory::Directory;
use super::known::{Known, Words};
use super::labels::Labels;
use super::launches::Launches;
use super::logs::Logs;
use super::outline::Outline;
use super::read_row::dropped;
use super::sealed::Depth;
use super::segment::{RowRef, Segment};
use super::services::ServiceCounts;
use super::sources::Sources;
use super::thawed::Thawed;
use super::traces::low_half;
use super::traces::{Pages, TraceRow};
use super::twins::LARGE;
use super::{completion, extras};
use crate::model::{LogRecord, Oddities, Span, SpanId, SpanKey, Timestamp, Trace, TraceId, TraceSpan, TraceSummary};
use crate::otlp::peek;

/// Takes a row with the place of its segment, and what was worked out of others.
pub(super) type EachRow<'e> = &'e mut dyn FnMut(&mut Known, (usize, RowRef<'_>));

/// A consistent state of the whole index at one publication. Cheap to clone; holds what it shows in memory for as
/// long as it lives.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What was published.
    pub(super) state: Arc<State>,
    /// Where many traces are read: what was thawed of it.
    pub(super) thawed: Option<Arc<Thawed>>,
}

/// One publication.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Its number.
    pub(super) revision: u64,
    /// All rows, oldest first.
    pub(super) segments: Vec<Arc<Segment>>,
    /// All traces.
    pub(super) pages: Pages,
    /// Traces by id.
    pub(super) directory: Directory,
    /// The number that the next trace will get.
    pub(super) next_trace: u64,
    /// All log records.
    pub(super) logs: Logs,
    /// Names of sources.
    pub(super) sources: Sources,
    /// Totals.
    pub(super) stats: ViewStats,
}

/// Totals of a [`View`].
#[derive(Clone, Debug, Default)]
pub struct ViewStats {
    /// Distinct spans held.
    pub spans: u64,
    /// Traces held.
    pub traces: u64,
    /// Log records held.
    pub logs: u64,
    /// Distinct spans that left to make room.
    pub spans_evicted: u64,
    /// Traces that left to make room.
    pub traces_evicted: u64,
    /// Log records that left to make room.
    pub logs_evicted: u64,
    /// Spans that came more than once.
    pub duplicates: u64,
    /// Bytes held.
    pub bytes: u64,
    /// Per service, since the start.
    pub services: ServiceCounts,
    /// When services began anew.
    pub launches: Launches,
}

impl State {
    pub(super) fn trace(&self, id: TraceId) -> Option<Cow<'_, TraceRow>> {
        self.directory.find(id, &self.pages, self.next_trace)
    }

    /// The rows of a trace that count, each with the place of its segment.
    fn rows<'a>(
        &'a self,
        trace: &TraceRow,
        depth: Depth,
        thawed: Option<&'a Thawed>,
    ) -> impl Iterator<Item = (usize, Found<'a>)> {
        let rows = Chain::new(|ordinal| self.place(ordinal), (low_half(trace.number), trace.head), depth);
        let rows = rows.among_many(thawed);
        rows.map(|(ordinal, row)| (self.segments.partition_point(|segment| segment.base <= ordinal), row))
    }

    /// Where a link leads.
    pub(super) fn place(&self, ordinal: u64) -> Option<Place<'_>> {
        let place = self.segments.partition_point(|segment| segment.base <= ordinal).checked_sub(1)?;
        self.segments[place].place(ordinal)
    }

    /// The line of a trace. Its root's texts and its orphans are read from its rows: only lines in sight need them, and
    /// a writer that kept them would spend more on them than on the rest of the line.
    fn summary(&self, trace: &TraceRow) -> TraceSummary {
        let mut summary = trace.line();
        let last = || self.rows(trace, Depth::Whole, None).last().map(|(_, row)| row);
        if let Some(row) = self.root(trace).or_else(last) {
            let row = row.get();
            let mut labels = Labels::default();
            if let Some(text) = labels.operation(row) {
                summary.root_service = Arc::clone(&text.service);
            }
            let look = labels.look(row);
            summary.root_label = labels.shared_label(row, look);
        }
        if !trace.large {
            summary.orphans = self.orphans(trace);
        }
        summary
    }

    /// Spans of a small trace whose parent is not held.
    fn orphans(&self, trace: &TraceRow) -> u32 {
        let mut ids: SmallVec<[SpanId; LARGE as usize]> = SmallVec::new();
        let mut parents: SmallVec<[SpanId; LARGE as usize]> = SmallVec::new();
        for (_, row) in self.rows(trace, Depth::Light, None) {
            let row = row.get();
            ids.push(SpanId(row.chunk.span_id[row.row]));
            parents.extend(row.parent());
        }
        u32::try_from(parents.iter().filter(|parent| !ids.contains(parent)).count()).unwrap_or(u32::MAX)
    }

    /// The row that stands for a trace.
    fn root(&self, trace: &TraceRow) -> Option<Found<'_>> {
        let place = self.place(trace.figures.root)?;
        super::chain::root(place, (low_half(trace.number), trace.figures.root_rank.0), Depth::Whole)
    }

    /// The id of a trace by the low half of its number.
    pub(super) fn trace_id(&self, low: u32) -> TraceId {
        let number = super::traces::full(u64::from(low), self.next_trace);
        self.pages.id(number).unwrap_or_default()
    }
}

impl View {
    /// Grows with every publication that changed something.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state.revision
    }

    /// The same view, for reading many traces in the order of [`Self::traces`], either way: those that stand together are thawed
    /// together. For one trace that would cost more than it saves.
    #[must_use]
    pub fn for_many(&self) -> Self {
        Self { state: Arc::clone(&self.state), thawed: Some(Arc::default()) }
    }

    /// The rows of a trace that count, whole, each with the place of its segment.
    pub(super) fn rows(&self, trace: &TraceRow) -> impl Iterator<Item = (usize, Found<'_>)> {
        self.state.rows(trace, Depth::Whole, self.thawed.as_deref())
    }

    /// Does something with what was worked out of rows before; where many traces are read, it is kept for the next.
    pub(super) fn knowing<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        match &self.thawed {
            Some(thawed) => work(&mut thawed.known()),
            None => work(&mut Known::default()),
        }
    }

    /// The rows of a trace, to find one by.
    fn light(&self, trace: &TraceRow) -> impl Iterator<Item = (u64, Found<'_>)> {
        let from = (low_half(trace.number), trace.head);
        Chain::new(|ordinal| self.state.place(ordinal), from, Depth::Light).among_many(self.thawed.as_deref())
    }

    /// A row that [`Self::light`] led to, with everything.
    fn whole(&self, ordinal: u64, row: &Found<'_>, trace: TraceId) -> Option<Span> {
        if self.thawed.is_some() {
            return Some(row.get().to_span(trace));
        }
        row.segment().found(ordinal, Depth::Whole).map(|(row, _)| row.get().to_span(trace))
    }

    /// Totals.
    #[must_use]
    pub fn stats(&self) -> &ViewStats {
        &self.state.stats
    }

    /// Every trace held, by first arrival, oldest first.
    #[must_use]
    pub fn traces(&self) -> impl DoubleEndedIterator<Item = TraceId> + '_ {
        self.state.pages.ids()
    }

    /// The id of a trace by its number; `None` where it has left.
    #[must_use]
    pub fn id_of(&self, number: u64) -> Option<TraceId> {
        self.state.pages.id(number)
    }

    /// The lines of every trace held, by first arrival, oldest first.
    #[must_use]
    pub fn summaries(&self) -> impl DoubleEndedIterator<Item = TraceSummary> + '_ {
        self.state.pages.iter().map(|trace| self.state.summary(&trace))
    }

    /// The list's line for a trace; `None` where it is not (any longer) held.
    #[must_use]
    pub fn summary(&self, id: TraceId) -> Option<TraceSummary> {
        self.state.trace(id).map(|trace| self.state.summary(&trace))
    }

    /// The figures of a trace's line: without the texts of its root, and with its orphans only where it is large. Cheap
    /// enough to order all traces by.
    #[must_use]
    pub fn figures(&self, id: TraceId) -> Option<TraceSummary> {
        self.state.trace(id).map(|trace| trace.line())
    }

    /// What the list is ordered and counted by, of a trace; `None` where it is not held.
    #[must_use]
    pub fn outline(&self, id: TraceId) -> Option<Outline> {
        self.state.trace(id).map(|trace| trace.outline())
    }

    /// The same of every trace held, by first arrival, oldest first: much cheaper than asking for each.
    pub fn outlines(&self) -> impl Iterator<Item = (TraceId, Outline)> {
        self.state.pages.outlines()
    }

    /// The traces that gained spans since the publication numbered `revision`, by first arrival; `None` where that is
    /// too long ago to be known (then everything may have changed).
    #[must_use]
    pub fn changed_since(&self, revision: u64) -> Option<Vec<TraceId>> {
        (revision <= self.state.revision)
            .then(|| self.state.pages.changed_since(revision).map(|trace| trace.id).collect())
    }

    /// A whole trace in its lean form; `None` where it is not held.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        self.trace_with(id, &mut |_, _| ())
    }

    /// The same, and on the way `each` is given every row, with the place of its segment.
    pub(super) fn trace_with(&self, id: TraceId, each: EachRow<'_>) -> Option<Trace> {
        let found = self.state.trace(id)?;
        let mut spans: Vec<TraceSpan> = Vec::with_capacity(found.figures.spans as usize);
        self.knowing(|known| {
            for (segment, row) in self.rows(&found) {
                spans.extend(lean(row.get(), known.words(segment)));
                each(known, (segment, row.get()));
            }
        });
        spans.sort_by(|one, other| (one.start, other.end, one.key).cmp(&(other.start, one.end, other.key)));
        Some(Trace { id, spans, last_arrival: found.last_arrival, truncated: found.truncated })
    }

    /// One span with everything that was sent of it.
    #[must_use]
    pub fn span(&self, trace: TraceId, key: SpanKey) -> Option<Span> {
        let found = self.state.trace(trace)?;
        let (ordinal, row) = self.light(&found).find(|(_, row)| row.get().key() == key)?;
        self.whole(ordinal, &row, trace)
    }

    /// As [`View::span`], of many at once, in the order in which they are met: one walk through the trace, however many they are.
    /// Those that are not held are not among them.
    #[must_use]
    pub fn some_spans(&self, trace: TraceId, keys: &[SpanKey]) -> Vec<Span> {
        let Some(found) = self.state.trace(trace) else { return Vec::new() };
        let mut wanted: HashSet<SpanKey> = keys.iter().copied().collect();
        let mut spans = Vec::with_capacity(wanted.len());
        for (ordinal, row) in self.light(&found) {
            if wanted.is_empty() {
                break;
            }
            if wanted.remove(&row.get().key()) {
                spans.extend(self.whole(ordinal, &row, trace));
            }
        }
        spans
    }

    /// All spans of a trace with everything that was sent of them, in the order of [`Trace::spans`]; resources and scopes that
    /// are alike are shared. `None` where it is not held.
    #[must_use]
    pub fn spans(&self, id: TraceId) -> Option<Vec<Span>> {
        let found = self.state.trace(id)?;
        let mut spans: Vec<Span> = Vec::with_capacity(found.figures.spans as usize);
        self.knowing(|known| {
            for (segment, row) in self.rows(&found) {
                let mut span = known.span(id, (segment, row.get()));
                if let Some(last) = spans.last() {
                    share(&mut span.resource, &last.resource);
                    share(&mut span.scope, &last.scope);
                }
                spans.push(span);
            }
        });
        spans.sort_by(|one, other| (one.start, other.end, one.key()).cmp(&(other.start, one.end, other.key())));
        Some(spans)
    }

    /// The log records of a trace, by time.
    #[must_use]
    pub fn logs(&self, trace: TraceId) -> Vec<LogRecord> {
        self.state.logs.of(trace)
    }

    /// Calls `each` with every log record held that names a trace, in order of arrival.
    pub fn each_log(&self, each: &mut dyn FnMut(&LogRecord)) {
        self.state.logs.each(each);
    }

    /// Every block, newest first.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let segments = self.state.segments.iter().rev();
        segments
            .flat_map(|segment| segment.pieces.iter().rev().map(|piece| Block { state: &self.state, segment, piece }))
    }

    /// Attribute keys in use with the number of spans that carry each, most used first; at most `limit`.
    #[must_use]
    pub fn keys(&self, limit: usize) -> Vec<(String, u64)> {
        completion::keys(self, limit)
    }

    /// Values in use under `key` (an attribute key, or `service.name`, or `name`) with the number of spans that carry each,
    /// most used first; at most `limit`. They are texts, numbers and truths. Of texts too many to be kept as words, of very
    /// large numbers and of fractions the newest 100,000 are counted; what is nested, and what stands on events and links, is
    /// left out. Quick enough for every key that is typed.
    #[must_use]
    pub fn values(&self, key: &str, limit: usize) -> Vec<(String, u64)> {
        completion::values(self, key, limit)
    }

    /// As [`Self::values`], but nothing is left out: on events and links too, and what is no text or number is counted.
    /// Reads every value under `key`.
    #[must_use]
    pub fn every_value(&self, key: &str, limit: usize) -> UsedValues {
        completion::every_value(self, key, limit)
    }

    /// The names of spans by service and kind, most used first; at most `limit`.
    #[must_use]
    pub fn operations(&self, limit: usize) -> Vec<UsedOperation> {
        completion::operations(self, limit)
    }
}

/// Has both point to the same where they are alike.
fn share<T: PartialEq>(one: &mut Arc<T>, known: &Arc<T>) {
    if !Arc::ptr_eq(one, known) && **one == **known {
        *one = Arc::clone(known);
    }
}

/// The lean form of a row.
fn lean(row: RowRef<'_>, words: &mut Words) -> Option<TraceSpan> {
    let not_utf8 = !words.are_utf8(row);
    let labels = &mut words.labels;
    let text = labels.operation(row)?.clone();
    let look = labels.look(row);
    let described = labels.known(look)?;
    let (chunk, at) = (row.chunk, row.row);
    let (mut events, mut exceptions, mut links) = (0, 0, 0);
    let mut oddities = Oddities {
        ends_before_start: chunk.end[at] < chunk.start[at],
        no_time: chunk.end[at] == 0 || chunk.start[at] == 0,
        not_utf8,
        ..Oddities::default()
    };
    for (extra, bytes) in extras::iter(row.extras()) {
        match extra {
            extras::Extra::Event => {
                events += 1;
                exceptions += u32::from(peek::event_name(bytes) == b"exception");
            }
            extras::Extra::Link => links += 1,
            extras::Extra::OddParent => oddities.bad_parent_id = true,
            extras::Extra::Dropped => oddities.dropped = dropped(bytes) != [0; 3],
            _ => {}
        }
    }
    Some(TraceSpan {
        key: row.key(),
        parent_id: row.parent(),
        start: Timestamp(chunk.start[at]),
        end: Timestamp(chunk.end[at]),
        status: row.status(),
        service: text.service,
        name: text.name,
        label: labels.shared_label(row, look),
        category: described.category,
        remark: Arc::clone(&described.remark),
        events,
        exceptions,
        links,
        oddities,
        source: row.origin().source,
    })
}

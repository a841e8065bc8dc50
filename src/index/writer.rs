//! The one writer, and the handle by which readers get views.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::{Batch, Group};
use super::labels::Labels;
use super::launches::Watch;
use super::logs::LogStore;
use super::sealer::Sealer;
pub use super::sealer::Sealing;
use super::services::Services;
use super::sources::Sources;
use super::store::Store;
use super::traces::Traces;
use super::twins::Twins;
use super::view::State;
use super::{Summary, View, ViewStats};
use crate::model::{Receipt, SourceId, Timestamp, TraceId};
use crate::otlp::reader::WireError;
use crate::otlp::{logs, metrics, peek};

/// How an index is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that may be held, all in.
    pub budget: u64,
    /// How rows are put at rest.
    pub sealing: Sealing,
}

impl Options {
    /// With a budget, and all else as usual.
    #[must_use]
    pub fn new(budget: u64) -> Self {
        Self { budget, sealing: Sealing::default() }
    }
}

/// Fills the index. There is one, owned by one thread.
#[derive(Debug)]
pub struct Writer<S> {
    /// Keeps the badges.
    pub(super) summary: S,
    /// Bytes that may be held.
    pub(super) budget: usize,
    /// The rows.
    pub(super) store: Store,
    /// The traces.
    pub(super) traces: Traces,
    /// Span ids of large traces.
    pub(super) twins: Twins,
    /// What rows of the current segment are for a person.
    pub(super) labels: Labels,
    /// Counts per service.
    pub(super) services: Services,
    /// When services began anew.
    launches: Watch,
    /// Names of sources.
    sources: Sources,
    /// Sources whose copies lack things.
    pub(super) lossy: BTreeSet<SourceId>,
    /// Log records.
    pub(super) logs: LogStore,
    /// Traces that must not be evicted.
    pub(super) kept: BTreeSet<TraceId>,
    /// Distinct spans held, and what was counted since the start.
    pub(super) stats: ViewStats,
    /// Number of the latest publication.
    pub(super) revision: u64,
    /// When the last span came.
    last_arrival: Timestamp,
    /// Something changed since then.
    pub(super) changed: bool,
    /// Puts rows at rest.
    pub(super) sealer: Sealer,
    /// What readers see.
    shared: Arc<Mutex<Arc<State>>>,
}

/// Hands out views. Cheap to clone, usable from any thread.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The latest publication. Locked only to copy or replace the pointer.
    shared: Arc<Mutex<Arc<State>>>,
}

/// A new, empty index.
#[expect(clippy::needless_pass_by_value, reason = "more options will own what they hold")]
pub fn open<S: Summary>(options: Options, summary: S) -> (Writer<S>, Reader) {
    let reader = Reader::default();
    let budget = usize::try_from(options.budget).unwrap_or(usize::MAX);
    let writer = Writer {
        summary,
        budget,
        store: Store::new(budget / 16),
        traces: Traces::new(options.sealing.warm_pages()),
        twins: Twins::default(),
        labels: Labels::default(),
        services: Services::default(),
        launches: Watch::default(),
        sources: Sources::default(),
        lossy: BTreeSet::new(),
        logs: LogStore::default(),
        kept: BTreeSet::new(),
        stats: ViewStats::default(),
        revision: 0,
        last_arrival: Timestamp(0),
        changed: false,
        sealer: Sealer::new(options.sealing),
        shared: Arc::clone(&reader.shared),
    };
    (writer, reader)
}

impl<S: Summary> Writer<S> {
    /// Takes in the spans of an `ExportTraceServiceRequest`. What the receipt says is accepted is held, and seen by
    /// readers after the next [`Self::publish`].
    ///
    /// # Errors
    /// Where the body's framing is broken; nothing of it is kept then.
    pub fn insert_spans(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        self.last_arrival = self.last_arrival.max(now);
        let begin = self.store.begin();
        let receipt = self.store.read(source, body, self.summary.least().0)?;
        let batch = std::mem::take(&mut self.store.batch);
        let receipt = self.commit(&begin, &batch, receipt, (source, now));
        self.watch(&batch, body, now);
        if self.launches.is_in_doubt() {
            self.launches.look(body);
        }
        self.store.batch = batch;
        self.store.freeze(false);
        if self.store.is_segment_full() {
            self.close_segment();
        }
        self.seal();
        self.make_room();
        self.changed |= receipt.accepted + receipt.rejected_total() > 0;
        Ok(receipt)
    }

    /// Looks at resources that came for the first time.
    fn watch(&mut self, batch: &Batch, body: &[u8], now: Timestamp) {
        for resource in std::mem::take(&mut self.store.dictionary.fresh) {
            let words = &self.store.dictionary.words;
            let came = |service: &[u8]| {
                let of = |group: &&Group| words.get(group.service) == service;
                let first = batch.groups.iter().filter(of).map(|group| group.figures.start).min();
                first.filter(|first| (1..u64::MAX).contains(first)).map_or(now, Timestamp)
            };
            let began = || peek::first_start(body, &resource).map(Timestamp);
            self.launches.notice(&resource, came, began);
        }
    }

    /// Takes in the records of an `ExportLogsServiceRequest`: all are counted, those with a trace id are kept.
    ///
    /// # Errors
    /// Where the body's framing is broken; nothing of it is kept then.
    pub fn insert_logs(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        let _ = source;
        let mut receipt = Receipt::default();
        logs::read(body, |item| {
            receipt.accepted += 1;
            let place = self.services.place(&String::from_utf8_lossy(item.service.unwrap_or(b"unknown_service")));
            if let Some(health) = self.services.arrive(place, now) {
                health.logs += 1;
            }
            if let Some(record) = item.record {
                self.logs.push(record);
            }
        })?;
        self.logs.evict(self.budget / 8);
        self.make_room();
        self.changed |= receipt.accepted > 0;
        Ok(receipt)
    }

    /// Counts the data points of an `ExportMetricsServiceRequest` per service; none is kept.
    ///
    /// # Errors
    /// Where the body's framing is broken.
    pub fn count_metrics(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        let _ = source;
        let mut receipt = Receipt::default();
        for points in metrics::count(body)? {
            receipt.accepted += points.count;
            let name = points.service.unwrap_or_else(|| "unknown_service".into());
            let place = self.services.place(&name.lossy());
            if let Some(health) = self.services.arrive(place, now) {
                health.metrics += points.count;
            }
        }
        self.changed |= receipt.accepted > 0;
        Ok(receipt)
    }

    /// Gives a source the name under which filters know it, seen by readers after the next [`Self::publish`].
    pub fn name_source(&mut self, source: SourceId, name: &str) {
        self.changed |= self.sources.set(source, name);
    }

    /// Says whether what a source gives lacks things that were sent: a copy of a span from there never takes the place of one from
    /// elsewhere, and always gives way to it.
    pub fn set_lossy(&mut self, source: SourceId, lossy: bool) {
        if lossy {
            self.lossy.insert(source);
        } else {
            self.lossy.remove(&source);
        }
    }

    /// Makes everything inserted so far visible to readers, all at once. Answers whether anything changed.
    pub fn publish(&mut self) -> bool {
        let sealed = self.seal();
        if !std::mem::take(&mut self.changed) {
            // The same spans in less room: readers let go of the rest.
            if sealed {
                self.share();
            }
            return false;
        }
        self.revision += 1;
        self.settle();
        self.store.freeze(true);
        self.seal();
        self.traces.file();
        self.traces.cool();
        self.share();
        true
    }

    /// Lets readers see what there is.
    pub(super) fn share(&self) {
        let state = Arc::new(self.state());
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> State {
        let closed = self.store.closed.iter().map(|closed| Arc::clone(&closed.segment));
        let segments = closed.chain([Arc::new(self.store.current.clone())]).collect();
        let stats = ViewStats {
            traces: self.traces.held,
            logs: self.logs.held,
            logs_evicted: self.logs.evicted,
            bytes: self.bytes() as u64,
            services: self.services.publish(),
            launches: self.launches.publish(),
            ..self.stats.clone()
        };
        State {
            revision: self.revision,
            segments,
            pages: self.traces.pages.clone(),
            directory: self.traces.directory.clone(),
            next_trace: self.traces.next,
            logs: self.logs.logs.clone(),
            sources: self.sources.clone(),
            stats,
        }
    }

    /// Traces that must not be evicted: those on screen and those a person pinned.
    pub fn keep(&mut self, traces: &[TraceId]) {
        self.kept = traces.iter().copied().collect();
    }

    /// Sets what may be held from the next body on: room that is taken elsewhere, by bodies that wait, is not the index's.
    pub fn set_budget(&mut self, bytes: u64) {
        self.budget = usize::try_from(bytes).unwrap_or(usize::MAX);
    }

    /// Closes the current segment; what is known by its word ids goes with it.
    pub(super) fn close_segment(&mut self) {
        self.store.close_segment(self.last_arrival);
        self.labels = Labels::after(&self.labels);
    }

    /// Bytes held, all in: rows, dictionaries, tables, logs.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.store.bytes()
            + self.traces.bytes()
            + self.twins.bytes()
            + self.labels.bytes()
            + self.services.bytes()
            + self.launches.bytes()
            + self.logs.bytes
            + self.kept.len() * 32
    }
}

impl Reader {
    /// The latest published state.
    #[must_use]
    pub fn view(&self) -> View {
        View { state: Arc::clone(&self.shared.lock().unwrap_or_else(PoisonError::into_inner)), thawed: None }
    }
}

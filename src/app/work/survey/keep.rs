//! What is kept of each trace, and how it is brought up to date.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use hashbrown::{HashMap, HashSet};

use super::{MOST, SurveyRequest};
use crate::analysis::Thresholds;
use crate::app::work::Means;
use crate::app::{Answer, CompareAsk, Report, Surveyed, parts};
use crate::index::View;
use crate::model::{Timestamp, TraceId};
use crate::query::{Crew, Query, Queue, Share, evaluate_traces, run, threads};

/// Changed traces beyond which everything is searched anew: that costs less than looking at each.
const MANY: usize = 50_000;
/// Traces that are read before what was found so far is handed over for the first time.
const FIRST: usize = 512;
/// Traces that one thread reads before it looks what is next. They stand together, and what is thawed of them is thawed once.
const PIECE: usize = 1_024;

/// Where traces are read.
#[derive(Clone, Copy)]
pub(in crate::app::work) struct Source<'a> {
    /// What is held; for the thread that reads alone.
    pub(in crate::app::work) view: &'a View,
    pub(in crate::app::work) thresholds: &'a Thresholds,
}

/// What is kept of a trace, and how it is summed up.
pub(in crate::app::work) trait Digest: Sized + Send {
    /// What the screen shows.
    type Report;

    /// What a thread keeps from one trace for the next.
    type Reader: Default;

    /// What a trace adds; `None` where it adds nothing. `shared` is what all digests of a survey have in common, such as
    /// names by number: several threads read, so it is locked for no longer than it takes.
    fn read(trace: TraceId, source: Source<'_>, with: (&mut Self::Reader, &Mutex<Self::Shared>)) -> Option<Self>;

    /// The traces whose digests have to be read again though no span of theirs arrived, since this was last asked.
    fn touched(_: &View, _: &mut Self::Shared) -> Vec<TraceId> {
        Vec::new()
    }

    /// Called before traces are read; of `many`, answers those that may add something, where that is quicker to be told than
    /// by reading them all.
    fn suspects(_: &View, _: &mut Self::Shared, _many: bool) -> Option<HashSet<TraceId>> {
        None
    }

    /// What all digests of a survey have in common.
    type Shared: Default + Send + std::fmt::Debug;

    /// How many entries it holds, at least 1.
    fn entries(&self) -> usize;

    /// Sums them up, in no particular order of traces. `traces` counts those without a digest too.
    fn sum<'d>(
        digests: impl Iterator<Item = (TraceId, &'d Self)>,
        traces: u64,
        summed: Summed<'_, Self>,
    ) -> Self::Report
    where
        Self: 'd;
}

/// What several threads share, for as long as the guard is held.
pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a sum is made with.
pub(in crate::app::work) struct Summed<'a, D: Digest> {
    pub(in crate::app::work) means: &'a Means<'a>,
    /// What is compared, where that is what is asked for.
    pub(in crate::app::work) compare: Option<&'a Arc<CompareAsk>>,
    pub(in crate::app::work) shared: &'a mut D::Shared,
    /// Nothing is left to be read.
    pub(in crate::app::work) is_last: bool,
    /// The digests are of all that is held.
    pub(in crate::app::work) is_all: bool,
    /// Traces that match and are not among the digests, for want of room.
    pub(in crate::app::work) left_out: &'a [TraceId],
}

/// A trace that was read: when its latest span had arrived, and what it adds.
type Read<D> = (TraceId, Timestamp, Option<D>);

/// Digests by trace.
#[derive(Debug)]
pub(in crate::app::work) struct Survey<D: Digest> {
    query: Option<Query>,
    revision: u64,
    evicted: u64,
    /// Of every trace that matches: when its latest span had arrived, and what it adds.
    digests: HashMap<TraceId, (Timestamp, Option<D>)>,
    shared: Arc<Mutex<D::Shared>>,
    entries: usize,
    /// Entries that are kept at most.
    pub(super) most: usize,
    /// Threads that read, where it is not left to how much is held.
    pub(super) threads: Option<usize>,
    /// Traces that match and are not read, for want of room.
    left_out: Vec<TraceId>,
}

impl<D: Digest> Default for Survey<D> {
    fn default() -> Self {
        Self {
            query: None,
            revision: 0,
            evicted: 0,
            digests: HashMap::new(),
            shared: Arc::default(),
            entries: 0,
            most: MOST,
            threads: None,
            left_out: Vec::new(),
        }
    }
}

impl<D: Digest> Survey<D> {
    /// Brings it up to date and sums it up; `None` once it is no longer wanted.
    pub(in crate::app::work) fn answer(
        &mut self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        so_far: &mut dyn FnMut(Answer),
        wrap: &dyn Fn(Arc<D::Report>) -> Report,
    ) -> Option<Answer> {
        let (view, query) = (means.view, request.query);
        let same = self.query.as_ref() == Some(query);
        let wanted = self.wanted(same, request, means)?;
        let named: HashSet<TraceId> =
            request.compare.map(|ask| ask.basis.named().iter().copied().collect()).unwrap_or_default();
        let wanted = self.outdated(wanted, &named, view);
        if !self.read(&wanted, &named, means, &mut |survey, share| so_far(survey.sum(request, means, share, wrap))) {
            // What was read stays; the rest is found missing next time.
            self.query = None;
            return None;
        }
        self.query = Some(query.clone());
        self.revision = view.revision();
        Some(self.sum(request, means, 1.0, wrap))
    }

    /// Of these traces those of which no digest, or an older one, is kept; those that a person named first.
    fn outdated(&self, mut wanted: Vec<TraceId>, named: &HashSet<TraceId>, view: &View) -> Vec<TraceId> {
        if !self.digests.is_empty() {
            let at = |trace: &TraceId| view.figures(*trace).map(|line| line.last_arrival);
            wanted.retain(|trace| at(trace) != self.digests.get(trace).map(|(at, _)| *at));
        }
        if !named.is_empty() {
            wanted.sort_by_key(|trace| !named.contains(trace));
        }
        wanted
    }

    /// Reads traces, by several threads where there are many, and says each time twice as many are done: summing up takes its
    /// time too. `false`: it is no longer wanted.
    fn read(
        &mut self,
        wanted: &[TraceId],
        named: &HashSet<TraceId>,
        means: &Means<'_>,
        so_far: &mut dyn FnMut(&Self, f32),
    ) -> bool {
        let (first, rest) = wanted.split_at(FIRST.min(wanted.len()));
        let pieces: Vec<&[TraceId]> = std::iter::once(first).chain(rest.chunks(PIECE)).collect();
        let shared = Arc::clone(&self.shared);
        let suspects = D::suspects(means.view, &mut lock(&shared), !rest.is_empty());
        let (view, thresholds, last) = (means.view, means.thresholds, pieces.len() - 1);
        let read = |place: usize, (view, own): (&View, &mut D::Reader), stop: &dyn Fn() -> bool| -> Vec<Read<D>> {
            let source = Source { view, thresholds };
            let traces = pieces.get(place).copied().unwrap_or_default().iter();
            let held = traces.filter_map(|trace| Some((*trace, view.figures(*trace)?.last_arrival)));
            let may_add = |trace: &TraceId| suspects.as_ref().is_none_or(|suspects| suspects.contains(trace));
            let mut digest = |trace| may_add(&trace).then(|| D::read(trace, source, (&mut *own, &shared))).flatten();
            held.take_while(|_| !stop()).map(|(trace, at)| (trace, at, digest(trace))).collect()
        };
        let help = |share: &Share<'_, Vec<Read<D>>>| {
            let (view, own) = (view.for_many(), RefCell::default());
            share.work(|place| read(place, (&view, &mut own.borrow_mut()), &|| !share.is_wanted()));
        };
        for trace in wanted {
            self.forget(*trace);
        }
        let queue = Queue::new(pieces.len());
        thread::scope(|scope| {
            let threads = self.threads.unwrap_or_else(|| threads(view));
            let mut crew = Crew::new(scope, &queue, ((threads - 1).min(last), &help));
            let own = RefCell::default();
            let (mut done, mut next) = (0, FIRST);
            for piece in &pieces {
                // Those who were named come first.
                if done >= named.len() && self.entries >= self.most {
                    break;
                }
                let found = crew.next(&|place| read(place, (view, &mut own.borrow_mut()), means.cancelled));
                if (means.cancelled)() {
                    return false;
                }
                self.keep(found.unwrap_or_default(), named);
                done += piece.len();
                if done >= next && done < wanted.len() {
                    next = done * 2;
                    #[expect(clippy::cast_precision_loss, reason = "shown as a share")]
                    so_far(self, done as f32 / wanted.len() as f32);
                }
            }
            self.left_out.extend(wanted.iter().skip(done));
            true
        })
    }

    /// Keeps what was read, as far as there is room. What a person named is kept however much there is besides.
    fn keep(&mut self, read: Vec<Read<D>>, named: &HashSet<TraceId>) {
        for (trace, at, digest) in read {
            if self.entries >= self.most && !named.contains(&trace) {
                self.left_out.push(trace);
                continue;
            }
            self.entries += entries(digest.as_ref());
            self.digests.insert(trace, (at, digest));
        }
    }

    /// The traces to be read, newest first; those that no longer match are let go. `None`: no longer wanted.
    fn wanted(&mut self, same: bool, request: &SurveyRequest<'_>, means: &Means<'_>) -> Option<Vec<TraceId>> {
        let (view, query, now) = (means.view, request.query, request.now);
        let evicted = view.stats().traces_evicted;
        if std::mem::replace(&mut self.evicted, evicted) != evicted {
            self.retain(|trace| view.number_of(trace).is_some());
        }
        let touched = D::touched(view, &mut lock(&self.shared));
        for trace in &touched {
            self.forget(*trace);
        }
        let changed = view.changed_since(self.revision).map(|changed| with(changed, touched));
        let changed = changed.filter(|changed| changed.len() <= MANY);
        if let Some(changed) = changed.filter(|_| same && !parts::moves_by_itself(query) && self.left_out.is_empty()) {
            let hits = evaluate_traces(query, view, now, &changed);
            let again: HashSet<TraceId> = hits.iter().map(|hit| hit.trace).collect();
            for trace in &changed {
                if !again.contains(trace) {
                    self.forget(*trace);
                }
            }
            return Some(hits.into_iter().rev().map(|hit| hit.trace).collect());
        }
        let hits = run(query, view, now, means.cancelled);
        if hits.partial {
            return None;
        }
        let matching: HashSet<TraceId> = hits.hits.iter().map(|hit| hit.trace).collect();
        self.retain(|trace| matching.contains(&trace));
        self.left_out.clear();
        Some(hits.hits.into_iter().rev().map(|hit| hit.trace).collect())
    }

    fn forget(&mut self, trace: TraceId) {
        if let Some((_, digest)) = self.digests.remove(&trace) {
            self.entries -= entries(digest.as_ref());
        }
    }

    fn retain(&mut self, keeps: impl Fn(TraceId) -> bool) {
        let held = &mut self.entries;
        self.digests.retain(|trace, (_, digest)| {
            let stays = keeps(*trace);
            if !stays {
                *held -= entries(digest.as_ref());
            }
            stays
        });
        if self.digests.is_empty() {
            // Names that nothing refers to any more.
            self.shared = Arc::default();
        }
    }

    fn sum(
        &self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        share: f32,
        wrap: &dyn Fn(Arc<D::Report>) -> Report,
    ) -> Answer {
        let is_last = share >= 1.0;
        let is_all = is_last && request.query.is_empty() && self.left_out.is_empty();
        let (left_out, compare, mut shared) = (&self.left_out, request.compare, lock(&self.shared));
        let summed = Summed { means, compare, shared: &mut *shared, is_last, is_all, left_out };
        let digests = self.digests.iter().filter_map(|(trace, (_, digest))| Some((*trace, digest.as_ref()?)));
        let report = wrap(Arc::new(D::sum(digests, self.digests.len() as u64, summed)));
        let revision = means.view.revision();
        let (generation, left_out) = (request.generation, self.left_out.len() as u64);
        Answer::Surveyed(Surveyed { generation, revision, share, left_out, report })
    }
}

/// What is kept of a trace, which may add nothing.
fn entries<D: Digest>(digest: Option<&D>) -> usize {
    digest.map_or(0, Digest::entries)
}

/// All of both, each once, in the order of the first.
fn with(mut changed: Vec<TraceId>, touched: Vec<TraceId>) -> Vec<TraceId> {
    if !touched.is_empty() {
        let known: HashSet<TraceId> = changed.iter().copied().collect();
        changed.extend(touched.into_iter().filter(|trace| !known.contains(trace)));
    }
    changed
}

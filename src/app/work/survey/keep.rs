//! What is kept of each trace, and how it is brought up to date.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::{MOST, SurveyRequest};
use crate::app::work::Means;
use crate::app::{Answer, CompareAsk, Report, Surveyed, parts};
use crate::index::View;
use crate::model::{Timestamp, TraceId};
use crate::query::{Query, evaluate_traces, run};

/// Changed traces beyond which everything is searched anew: that costs less than looking at each.
const MANY: usize = 50_000;
/// Traces that are read before what was found so far is handed over for the first time.
const FIRST: usize = 512;

/// What is kept of a trace, and how it is summed up.
pub(in crate::app::work) trait Digest: Sized + Send {
    /// What the screen shows.
    type Report;

    /// What a trace adds; `None` where it adds nothing. `shared` is what all digests of a survey have in common, such as
    /// names by number.
    fn read(trace: TraceId, means: &Means<'_>, shared: &mut Self::Shared) -> Option<Self>;

    /// The traces whose digests have to be read again though no span of theirs arrived, since this was last asked.
    fn touched(_: &View, _: &mut Self::Shared) -> Vec<TraceId> {
        Vec::new()
    }

    /// What all digests of a survey have in common.
    type Shared: Default + Send + std::fmt::Debug;

    /// How many entries it holds, at least 1.
    fn entries(&self) -> usize;

    /// Sums them up, in no particular order of traces. `traces` counts those without a digest too.
    fn sum<'d>(
        digests: impl Iterator<Item = (TraceId, &'d Self)>,
        traces: u64,
        summed: &Summed<'_, Self>,
    ) -> Self::Report
    where
        Self: 'd;
}

/// What a sum is made with.
pub(in crate::app::work) struct Summed<'a, D: Digest> {
    pub(in crate::app::work) means: &'a Means<'a>,
    /// What is compared, where that is what is asked for.
    pub(in crate::app::work) compare: Option<&'a Arc<CompareAsk>>,
    pub(in crate::app::work) shared: &'a D::Shared,
    /// Traces that match and are not among the digests, for want of room.
    pub(in crate::app::work) left_out: &'a [TraceId],
}

/// Digests by trace.
#[derive(Debug)]
pub(in crate::app::work) struct Survey<D: Digest> {
    query: Option<Query>,
    revision: u64,
    evicted: u64,
    /// Of every trace that matches: when its latest span had arrived, and what it adds.
    digests: HashMap<TraceId, (Timestamp, Option<D>)>,
    shared: D::Shared,
    entries: usize,
    /// Entries that are kept at most.
    pub(super) most: usize,
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
            shared: D::Shared::default(),
            entries: 0,
            most: MOST,
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
        let (mut read, mut next, all) = (0, FIRST, wanted.len());
        for trace in wanted {
            if (means.cancelled)() {
                // What was read stays; the rest is found missing next time.
                self.query = None;
                return None;
            }
            self.read((trace, named.contains(&trace)), view, means);
            read += 1;
            // Each time twice as many: summing up takes its time too.
            if read >= next && read < all {
                next = read * 2;
                #[expect(clippy::cast_precision_loss, reason = "shown as a share")]
                let share = read as f32 / all as f32;
                so_far(self.sum(request, means, share, wrap));
            }
        }
        self.query = Some(query.clone());
        self.revision = view.revision();
        Some(self.sum(request, means, 1.0, wrap))
    }

    /// The traces to be read, newest first; those that no longer match are let go. `None`: no longer wanted.
    fn wanted(&mut self, same: bool, request: &SurveyRequest<'_>, means: &Means<'_>) -> Option<Vec<TraceId>> {
        let (view, query, now) = (means.view, request.query, request.now);
        let evicted = view.stats().traces_evicted;
        if std::mem::replace(&mut self.evicted, evicted) != evicted {
            self.retain(|trace| view.number_of(trace).is_some());
        }
        let touched = D::touched(view, &mut self.shared);
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

    fn read(&mut self, (trace, named): (TraceId, bool), view: &View, means: &Means<'_>) {
        let Some(line) = view.figures(trace) else { return };
        if self.digests.get(&trace).is_some_and(|(at, _)| *at == line.last_arrival) {
            return;
        }
        self.forget(trace);
        // What a person named is read however much there is besides.
        if self.entries >= self.most && !named {
            self.left_out.push(trace);
            return;
        }
        let digest = D::read(trace, means, &mut self.shared);
        self.entries += digest.as_ref().map_or(1, Digest::entries);
        self.digests.insert(trace, (line.last_arrival, digest));
    }

    fn forget(&mut self, trace: TraceId) {
        if let Some((_, digest)) = self.digests.remove(&trace) {
            self.entries -= digest.as_ref().map_or(1, Digest::entries);
        }
    }

    fn retain(&mut self, keeps: impl Fn(TraceId) -> bool) {
        let entries = &mut self.entries;
        self.digests.retain(|trace, (_, digest)| {
            let stays = keeps(*trace);
            if !stays {
                *entries -= digest.as_ref().map_or(1, Digest::entries);
            }
            stays
        });
        if self.digests.is_empty() {
            // Names that nothing refers to any more.
            self.shared = D::Shared::default();
        }
    }

    fn sum(
        &self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        share: f32,
        wrap: &dyn Fn(Arc<D::Report>) -> Report,
    ) -> Answer {
        let summed = Summed { means, compare: request.compare, shared: &self.shared, left_out: &self.left_out };
        let digests = self.digests.iter().filter_map(|(trace, (_, digest))| Some((*trace, digest.as_ref()?)));
        let report = wrap(Arc::new(D::sum(digests, self.digests.len() as u64, &summed)));
        let revision = means.view.revision();
        let (generation, left_out) = (request.generation, self.left_out.len() as u64);
        Answer::Surveyed(Surveyed { generation, revision, share, left_out, report })
    }
}

/// All of both, each once, in the order of the first.
fn with(mut changed: Vec<TraceId>, touched: Vec<TraceId>) -> Vec<TraceId> {
    if !touched.is_empty() {
        let known: HashSet<TraceId> = changed.iter().copied().collect();
        changed.extend(touched.into_iter().filter(|trace| !known.contains(trace)));
    }
    changed
}

//! What is kept of each trace, and how it is brought up to date.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use hashbrown::HashSet;

use super::{MOST, SurveyRequest};
use crate::analysis::Thresholds;
use crate::app::work::Means;
use crate::app::{Answer, CompareAsk, Report, Surveyed, parts};
use crate::index::View;
use crate::model::{Timestamp, TraceId};
use crate::query::{Crew, Query, Queue, Share, evaluate_traces, run_pages, threads};

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

    /// What one sum leaves for the next.
    type Sums: Default + Send + std::fmt::Debug;

    /// How many entries it holds, at least 1.
    fn entries(&self) -> usize;

    /// Sums them up, in no particular order of traces. `traces` counts those without a digest too.
    fn sum<'d>(
        digests: impl Iterator<Item = (Numbered, &'d Self)>,
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
    pub(in crate::app::work) sums: &'a mut D::Sums,
    /// Nothing is left to be read.
    pub(in crate::app::work) is_last: bool,
    /// The digests are of all that is held.
    pub(in crate::app::work) is_all: bool,
    /// Traces that match and are not among the digests, for want of room, by number.
    pub(in crate::app::work) left_out: &'a [u64],
}

/// A trace with its number.
pub(in crate::app::work) type Numbered = (u64, TraceId);

/// Takes a survey that is not done, and the share that is.
type SoFar<'f, D> = &'f mut dyn FnMut(&mut Survey<D>, f32);

/// A trace that was read.
#[derive(Debug)]
struct Kept<D> {
    trace: TraceId,
    /// When its latest span had arrived.
    at: Timestamp,
    /// What it adds.
    digest: Option<D>,
}

impl<D: Digest> Kept<D> {
    fn entries(&self) -> usize {
        self.digest.as_ref().map_or(0, Digest::entries)
    }
}

/// Digests by trace.
#[derive(Debug)]
pub(in crate::app::work) struct Survey<D: Digest> {
    query: Option<Query>,
    revision: u64,
    evicted: u64,
    /// Of every trace that matches and was read, by its number: in order of first arrival.
    digests: BTreeMap<u64, Kept<D>>,
    shared: Arc<Mutex<D::Shared>>,
    sums: D::Sums,
    entries: usize,
    /// Entries that are kept at most.
    pub(super) most: usize,
    /// Threads that read, where it is not left to how much is held.
    pub(super) threads: Option<usize>,
    /// For traces below this number there is no room, unless a person named them.
    floor: u64,
    /// Traces that match and are not kept, for want of room: their numbers, in order.
    left_out: Vec<u64>,
}

impl<D: Digest> Default for Survey<D> {
    fn default() -> Self {
        Self {
            query: None,
            revision: 0,
            evicted: 0,
            digests: BTreeMap::new(),
            shared: Arc::default(),
            sums: D::Sums::default(),
            entries: 0,
            most: MOST,
            threads: None,
            floor: 0,
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
        let view = means.view;
        let named = request.compare.map_or(&[][..], |ask| ask.basis.named());
        let named: HashSet<u64> = named.iter().filter_map(|trace| view.number_of(*trace)).collect();
        let tell: SoFar<'_, D> = &mut |survey, share| so_far(survey.sum(request, means, share, wrap));
        let wanted = match self.changed(request, means, &named) {
            Some(wanted) => Some(wanted),
            None => self.searched(request, means, (&named, &mut *tell)),
        };
        if !wanted.is_some_and(|wanted| self.read(&wanted, &named, means, tell)) {
            // What was read stays; the rest is found missing next time.
            self.query = None;
            return None;
        }
        self.query = Some(request.query.clone());
        self.revision = view.revision();
        Some(self.sum(request, means, 1.0, wrap))
    }

    /// Where little has changed: the traces to be read, newest first; those that no longer match are let go. `None`: everything is to
    /// be searched.
    fn changed(
        &mut self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        named: &HashSet<u64>,
    ) -> Option<Vec<Numbered>> {
        let (view, query) = (means.view, request.query);
        let evicted = view.stats().traces_evicted;
        if std::mem::replace(&mut self.evicted, evicted) != evicted {
            self.retain(|number| view.id_of(number).is_some());
            self.left_out.retain(|number| view.id_of(*number).is_some());
        }
        let touched = D::touched(view, &mut lock(&self.shared));
        touched.iter().filter_map(|trace| view.number_of(*trace)).for_each(|number| self.forget(number));
        let same = self.query.as_ref() == Some(query) && !parts::moves_by_itself(query);
        let has_room = !self.left_out.is_empty() && self.entries < self.most / 2;
        if !same || has_room {
            return None;
        }
        let changed = view.changed_since(self.revision).map(|changed| with(changed, touched));
        let mut changed = changed.filter(|changed| changed.len() <= MANY)?;
        let unread = named.iter().filter(|number| !self.digests.contains_key(*number));
        changed.extend(unread.filter_map(|number| view.id_of(*number)));
        let hits: HashSet<TraceId> =
            evaluate_traces(query, view, request.now, &changed).into_iter().map(|hit| hit.trace).collect();
        let mut changed: Vec<Numbered> =
            changed.into_iter().filter_map(|trace| Some((view.number_of(trace)?, trace))).collect();
        changed.sort_unstable();
        changed.dedup();
        let below = changed.partition_point(|(number, _)| *number < self.floor);
        if below > 0 {
            let old: HashSet<u64> = changed.iter().take(below).map(|(number, _)| *number).collect();
            self.left_out.retain(|number| !old.contains(number));
        }
        let (mut wanted, mut old) = (Vec::new(), Vec::new());
        for (number, trace) in changed.into_iter().rev() {
            match hits.contains(&trace) {
                true if number >= self.floor || named.contains(&number) => wanted.push((number, trace)),
                true => old.push(number),
                false => self.forget(number),
            }
        }
        self.leave_out(old);
        Some(self.outdated(wanted, view))
    }

    /// Everything: the traces to be read, newest first; those that do not match are let go. The first that are found are read at once
    /// where nothing else is there to be shown. `None`: no longer wanted.
    fn searched(
        &mut self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        (named, so_far): (&HashSet<u64>, SoFar<'_, D>),
    ) -> Option<Vec<Numbered>> {
        let view = means.view;
        self.floor = 0;
        self.left_out.clear();
        let mut is_empty = self.digests.is_empty();
        let (mut found, mut partial) = (Vec::<Numbered>::new(), false);
        let mut numbers = view.numbers().rev();
        run_pages(request.query, view, request.now, means.cancelled, &mut |page| {
            partial |= page.partial;
            let mut number_of = |trace| numbers.by_ref().find(|number| view.id_of(*number) == Some(trace));
            found.extend(page.hits.iter().filter_map(|hit| Some((number_of(hit.trace)?, hit.trace))));
            if is_empty && !page.last && found.len() >= FIRST {
                is_empty = false;
                let first = found.get(..FIRST).unwrap_or_default();
                if self.read(first, named, means, &mut |_, _| ()) {
                    so_far(self, share(FIRST, usize::try_from(view.stats().traces).unwrap_or(usize::MAX)));
                }
            }
        });
        if partial || (means.cancelled)() {
            return None;
        }
        self.retain(|number| found.binary_search_by(|(known, _)| number.cmp(known)).is_ok());
        Some(self.outdated(found, view))
    }

    /// Of these traces those of which no digest, or an older one, is kept.
    fn outdated(&self, mut wanted: Vec<Numbered>, view: &View) -> Vec<Numbered> {
        if !self.digests.is_empty() {
            wanted.retain(|(number, _)| {
                let kept = self.digests.get(number).map(|kept| kept.at);
                kept.is_none_or(|at| view.last_arrival(*number) != Some(at))
            });
        }
        wanted
    }

    /// Reads traces, newest first but for those that a person named, which come first; by several threads where there are many; and
    /// says each time twice as many are done: summing up takes its time too. `false`: it is no longer wanted.
    fn read(&mut self, wanted: &[Numbered], named: &HashSet<u64>, means: &Means<'_>, so_far: SoFar<'_, D>) -> bool {
        let of_a_person = |of: bool| wanted.iter().copied().filter(move |(number, _)| named.contains(number) == of);
        let by_turns: Vec<Numbered>;
        let wanted = if named.is_empty() {
            wanted
        } else {
            by_turns = of_a_person(true).chain(of_a_person(false)).collect();
            &by_turns
        };
        let (first, rest) = wanted.split_at(FIRST.min(wanted.len()));
        let pieces: Vec<&[Numbered]> = std::iter::once(first).chain(rest.chunks(PIECE)).collect();
        let shared = Arc::clone(&self.shared);
        let suspects = D::suspects(means.view, &mut lock(&shared), !rest.is_empty());
        let (view, thresholds, last) = (means.view, means.thresholds, pieces.len() - 1);
        let read = |place: usize, (view, own): (&View, &mut D::Reader), stop: &dyn Fn() -> bool| {
            let source = Source { view, thresholds };
            let may_add = |trace: &TraceId| suspects.as_ref().is_none_or(|suspects| suspects.contains(trace));
            let mut digest = |trace| may_add(&trace).then(|| D::read(trace, source, (&mut *own, &shared))).flatten();
            let mut kept = |(number, trace): &Numbered| {
                let at = view.last_arrival(*number)?;
                Some((*number, Kept { trace: *trace, at, digest: digest(*trace) }))
            };
            let traces = pieces.get(place).copied().unwrap_or_default().iter();
            traces.take_while(|_| !stop()).filter_map(&mut kept).collect::<Vec<_>>()
        };
        let help = |share: &Share<'_, Vec<(u64, Kept<D>)>>| {
            let (view, own) = (view.for_many(), RefCell::default());
            share.work(|place| read(place, (&view, &mut own.borrow_mut()), &|| !share.is_wanted()));
        };
        for (number, _) in wanted {
            self.forget(*number);
        }
        let queue = Queue::new(pieces.len());
        thread::scope(|scope| {
            let threads = self.threads.unwrap_or_else(|| threads(view));
            let mut crew = Crew::new(scope, &queue, ((threads - 1).min(last), &help));
            let own = RefCell::default();
            let (mut done, mut next) = (0, FIRST);
            for piece in &pieces {
                // Those who were named come first, then the newest: all further ones are older.
                if done >= named.len() && piece.first().is_none_or(|(number, _)| *number < self.floor) {
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
                    so_far(self, share(done, wanted.len()));
                }
            }
            self.leave_out(wanted.iter().skip(done).map(|(number, _)| *number).collect());
            true
        })
    }

    /// Keeps what was read, as far as there is room: the newest. What a person named is kept however much there is besides.
    fn keep(&mut self, read: Vec<(u64, Kept<D>)>, named: &HashSet<u64>) {
        let mut left_out = Vec::new();
        for (number, kept) in read {
            if number < self.floor && !named.contains(&number) {
                left_out.push(number);
                continue;
            }
            self.entries += kept.entries();
            self.digests.insert(number, kept);
            while self.entries > self.most && self.digests.len() > 1 {
                let Some(oldest) = self.digests.keys().copied().find(|number| !named.contains(number)) else { break };
                self.forget(oldest);
                self.floor = self.floor.max(oldest + 1);
                left_out.push(oldest);
            }
        }
        self.leave_out(left_out);
    }

    fn leave_out(&mut self, mut numbers: Vec<u64>) {
        if !numbers.is_empty() {
            self.left_out.append(&mut numbers);
            self.left_out.sort_unstable();
            self.left_out.dedup();
        }
    }

    fn forget(&mut self, number: u64) {
        if let Some(kept) = self.digests.remove(&number) {
            self.entries -= kept.entries();
        }
    }

    fn retain(&mut self, keeps: impl Fn(u64) -> bool) {
        let held = &mut self.entries;
        self.digests.retain(|number, kept| {
            let stays = keeps(*number);
            if !stays {
                *held -= kept.entries();
            }
            stays
        });
        if self.digests.is_empty() {
            // Names that nothing refers to any more.
            self.shared = Arc::default();
        }
    }

    fn sum(
        &mut self,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        share: f32,
        wrap: &dyn Fn(Arc<D::Report>) -> Report,
    ) -> Answer {
        let is_last = share >= 1.0;
        let is_all = is_last && request.query.is_empty() && self.left_out.is_empty();
        let (left_out, compare, mut shared) = (&self.left_out, request.compare, lock(&self.shared));
        let (shared, sums) = (&mut *shared, &mut self.sums);
        let summed = Summed { means, compare, shared, sums, is_last, is_all, left_out };
        let digests = self.digests.iter();
        let digests = digests.filter_map(|(number, kept)| Some(((*number, kept.trace), kept.digest.as_ref()?)));
        let report = wrap(Arc::new(D::sum(digests, self.digests.len() as u64, summed)));
        let revision = means.view.revision();
        let (generation, left_out) = (request.generation, self.left_out.len() as u64);
        Answer::Surveyed(Surveyed { generation, revision, share, left_out, report })
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown in percent")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(part).max(1) as f32
}

/// All of both, each once, in the order of the first.
fn with(mut changed: Vec<TraceId>, touched: Vec<TraceId>) -> Vec<TraceId> {
    if !touched.is_empty() {
        let known: HashSet<TraceId> = changed.iter().copied().collect();
        changed.extend(touched.into_iter().filter(|trace| !known.contains(trace)));
    }
    changed
}

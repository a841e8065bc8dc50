//! Runs a filter over a view of the index.

use std::sync::Arc;

use super::columns::Columns;
use super::crew::{self, Crew, Queue, Share};
use super::eval::{Evaluator, keys};
use super::gather::{Candidates, Decided, Gathered, append, by_number, split};
use super::plan::Plan;
use super::whole::{self, Stretch};
use super::{Hit, Hits, Page, Query};
use crate::index::{Match, Scattered, View};
use crate::model::{SpanKey, Timestamp, TraceId};

/// Hits after which the first page is handed over.
const FIRST_PAGE: usize = 64;

/// Blocks after which it is told that nothing was found yet.
const SILENT: usize = 4;

/// Stretches of traces that stand in several blocks, looked at by one thread at a time: the more, the less of a block is
/// unpacked twice.
const TOGETHER: usize = 8_192;

/// How many threads a search of a view takes where no other number is asked for: no more than there are cores.
#[must_use]
pub fn threads(view: &View) -> usize {
    crew::threads(view.stats().spans)
}

/// Finds the traces that match, by first arrival, oldest first; stops early, with what it has, once `cancelled` says so.
/// `now` is what `lookback`, `since` and `until` are counted from. Much is looked at by several threads, as many as there
/// are cores for it.
#[must_use]
pub fn run(query: &Query, view: &View, now: Timestamp, cancelled: &dyn Fn() -> bool) -> Hits {
    run_with(threads(view), query, (view, now), cancelled)
}

/// The same on so many threads, this one among them.
#[must_use]
pub fn run_with(threads: usize, query: &Query, (view, now): (&View, Timestamp), cancelled: &dyn Fn() -> bool) -> Hits {
    let mut all = Hits::default();
    let plan = Plan::new(query, now);
    // Where not all are wanted, the newest are looked for first.
    let at_once = plan.limit == usize::MAX;
    let how = How { threads, at_once, cancelled };
    search(&plan, view, how, &mut |page| {
        all.partial |= page.partial;
        if all.hits.is_empty() {
            all.hits = page.hits;
        } else {
            all.hits.extend(page.hits);
        }
    });
    if !at_once {
        all.hits.reverse();
    }
    all
}

/// Finds the traces that match, by first arrival, newest first, page by page: the first as soon as there is one. Each
/// trace is in one page; where nothing was found for long, a page says that. The last page says so; it is partial where
/// `cancelled` said to stop. Much is looked at by several threads, as many as there are cores for it.
pub fn run_pages(query: &Query, view: &View, now: Timestamp, cancelled: &dyn Fn() -> bool, each: &mut dyn FnMut(Page)) {
    run_pages_with(threads(view), query, (view, now), cancelled, each);
}

/// The same on so many threads, this one among them.
pub fn run_pages_with(
    threads: usize,
    query: &Query,
    (view, now): (&View, Timestamp),
    cancelled: &dyn Fn() -> bool,
    each: &mut dyn FnMut(Page),
) {
    search(&Plan::new(query, now), view, How { threads, at_once: false, cancelled }, each);
}

/// The spans of one trace that match, by start. None where the filter is about traces as a whole (empty, a trace id, or
/// only negated terms). Its cost does not grow with what is held.
#[must_use]
pub fn matching_spans(query: &Query, view: &View, now: Timestamp, trace: TraceId) -> Vec<SpanKey> {
    let plan = Plan::new(query, now);
    let columns = Columns::new(view);
    let evaluator = Evaluator::new(&plan, &columns);
    let found = view.number_of(trace).and_then(|number| evaluator.trace(number));
    found.map(|(family, found)| keys(&family, &found)).unwrap_or_default()
}

/// Of these traces those that match, in the same order. Only they are looked at: the cost does not grow with what is
/// held. `limit` is left to the caller.
#[must_use]
pub fn evaluate_traces(query: &Query, view: &View, now: Timestamp, traces: &[TraceId]) -> Vec<Hit> {
    let plan = Plan::new(query, now);
    let columns = Columns::new(view);
    let evaluator = Evaluator::new(&plan, &columns);
    let number = |id: &TraceId| Some((view.number_of(*id)?, *id));
    traces.iter().filter_map(number).filter_map(|(number, id)| hit(&evaluator, number, id)).collect()
}

fn hit(evaluator: &Evaluator<'_, '_>, number: u64, trace: TraceId) -> Option<Hit> {
    evaluator.decided(number).map(|found| found.hit(trace))
}

/// How a search is to go.
#[derive(Clone, Copy)]
struct How<'c> {
    threads: usize,
    /// All that is found is wanted together, the oldest first.
    at_once: bool,
    cancelled: &'c dyn Fn() -> bool,
}

/// What every block is asked.
struct Task<'p> {
    plan: &'p Plan,
    /// Columns decide.
    exact: bool,
    /// The traces that are looked at one by one, where the others are looked at block by block.
    scattered: Option<Scattered>,
}

/// What was found in a block.
struct Looked<'p> {
    gathered: Gathered<'p>,
    /// Of traces that stand whole in it.
    shelved: Vec<Match>,
    /// Where the rows of the others are.
    apart: Vec<Stretch>,
}

impl<'p> Task<'p> {
    /// Looks at a block.
    fn look(&self, evaluator: &Evaluator<'_, '_>, place: usize) -> Looked<'p> {
        let gathered = Gathered::new(&self.plan.set);
        let mut looked = Looked { gathered, shelved: Vec::new(), apart: Vec::new() };
        let Some(block) = evaluator.columns.blocks.get(place) else { return looked };
        if let Some(scattered) = &self.scattered {
            let found = whole::search(evaluator, place, scattered);
            (looked.apart, looked.shelved) = (found.scattered, found.matches);
            return looked;
        }
        let rows = block.all();
        if !rows.is_empty() {
            looked.gathered.add((place, &rows), evaluator, !self.exact);
        }
        looked
    }
}

fn search<'p>(plan: &'p Plan, view: &View, how: How<'_>, each: &mut dyn FnMut(Page)) {
    let columns = Columns::new(view);
    let evaluator = Evaluator::new(plan, &columns);
    if let Some(id) = plan.only {
        let cancelled = (how.cancelled)();
        let found = view.number_of(id).filter(|_| !cancelled).and_then(|number| hit(&evaluator, number, id));
        return each(last_page(found.into_iter().collect(), cancelled));
    }
    let gathered = Gathered::new(&plan.set);
    let exact = gathered.is_exact();
    let scattered = (!exact && whole::is_supported(&plan.set)).then(|| view.scattered());
    let task = Task { plan, exact, scattered };
    let queue = Queue::new(columns.blocks.len());
    let answers = Arc::clone(evaluator.answers());
    let help = |share: &Share<'_, Looked<'p>>| {
        let columns = Columns::new(view);
        let evaluator = Evaluator::beside(&answers, plan, &columns);
        share.work(|place| task.look(&evaluator, place));
    };
    let numbers = view.numbers();
    let (from, first, cancelled) = (numbers.end, numbers.start, how.cancelled);
    let (apart, shelved) = (Vec::new(), Vec::new());
    let helpers = how.threads.saturating_sub(1);
    let evaluator = &evaluator;
    let mut search = Search {
        evaluator,
        task: &task,
        at_once: how.at_once,
        helpers,
        gathered,
        apart,
        shelved,
        from,
        first,
        found: 0,
        cancelled,
    };
    std::thread::scope(|scope| {
        let crew = Crew::new(scope, &queue, (helpers, &help));
        search.run(crew, each);
    });
}

/// A search on its way from the newest block to the oldest.
struct Search<'s, 'e, 'p, 'v> {
    evaluator: &'s Evaluator<'e, 'v>,
    task: &'s Task<'p>,
    /// See [`How`].
    at_once: bool,
    /// Threads beside this one.
    helpers: usize,
    gathered: Gathered<'p>,
    /// Where the rows of scattered traces are in the blocks so far.
    apart: Vec<Stretch>,
    /// What is found of the others.
    shelved: Vec<Match>,
    /// Traces from this number on are done.
    from: u64,
    /// The number of the oldest trace.
    first: u64,
    /// Hits so far.
    found: usize,
    cancelled: &'s dyn Fn() -> bool,
}

impl<'p> Search<'_, '_, 'p, '_> {
    fn run(&mut self, mut crew: Crew<'_, Looked<'p>>, each: &mut dyn FnMut(Page)) {
        let (task, evaluator, at_once) = (self.task, self.evaluator, self.at_once);
        let blocks = &evaluator.columns.blocks;
        // Of traces above this, no rows are in the blocks from here on.
        let mut above = vec![self.first; blocks.len() + 1];
        if !at_once {
            for place in (0..blocks.len()).rev() {
                above[place] = above[place + 1].max(blocks[place].newest() + 1);
            }
        }
        let mut pause = 1;
        for (seen, above) in above.into_iter().enumerate().skip(1) {
            if (self.cancelled)() {
                return each(last_page(Vec::new(), true));
            }
            let Some(mut looked) = crew.next(&|place| task.look(evaluator, place)) else { break };
            // Where they all come to one list: as if all blocks were like this one.
            let like = if at_once { blocks.len() - seen + 1 } else { 1 };
            self.gathered.append(looked.gathered, like);
            append(&mut self.shelved, &mut looked.shelved, like);
            append(&mut self.apart, &mut looked.apart, like);
            if at_once || seen == blocks.len() || seen < pause && self.gathered.len() + self.shelved.len() < FIRST_PAGE
            {
                continue;
            }
            pause = seen * 2;
            let hits = self.finish(above);
            let partial = (self.cancelled)();
            let full = self.found >= self.evaluator.plan.limit;
            if full || partial {
                return each(last_page(hits, partial));
            }
            if !hits.is_empty() || seen >= SILENT {
                each(Page { hits, last: false, partial: false, seen: share(seen, blocks.len()) });
            }
        }
        let hits = self.finish(self.first);
        let partial = (self.cancelled)();
        each(last_page(hits, partial));
    }

    /// Looks at the scattered traces from a number on, of which no more rows are to come.
    fn look_apart(&mut self, from: u64) {
        let pieces = in_pieces(split(&mut self.apart, |stretch| stretch.number >= from));
        let piece = |place: usize| pieces.get(place).map(Vec::as_slice).unwrap_or_default();
        let queue = Queue::new(pieces.len());
        let (own, cancelled) = (self.evaluator, self.cancelled);
        let (answers, plan, view) = (own.answers(), own.plan, own.columns.view);
        let help = |share: &Share<'_, Vec<Match>>| {
            let columns = Columns::new(view);
            let evaluator = Evaluator::beside(answers, plan, &columns);
            share.work(|place| look_at_scattered(&evaluator, piece(place), &|| !share.is_wanted()));
        };
        let shelved = &mut self.shelved;
        std::thread::scope(|scope| {
            let mut crew = Crew::new(scope, &queue, (self.helpers.min(pieces.len().saturating_sub(1)), &help));
            let one = |place: usize| look_at_scattered(own, piece(place), cancelled);
            while let Some(mut found) = crew.next(&one).filter(|_| !cancelled()) {
                shelved.append(&mut found);
            }
        });
    }

    /// Hits among the traces from a number on, newest first unless all are wanted at once.
    fn finish(&mut self, from: u64) -> Vec<Hit> {
        if self.task.scattered.is_some() {
            self.look_apart(from);
            let found = split(&mut self.shelved, |found| found.number >= from);
            return self.hits_of(found, from);
        }
        if let Some(found) = self.gathered.take_alone(from) {
            return self.hits_of(found, from);
        }
        let taken = self.gathered.take(from);
        let until = self.from;
        self.from = from.min(until);
        let hits = match taken.candidates() {
            Candidates::All => self.decide(from..until, &taken),
            Candidates::Only(list) => self.decide(list.into_iter(), &taken),
        };
        self.found += hits.len();
        hits
    }

    /// Hits of what was found in the traces from a number on.
    fn hits_of(&mut self, mut found: Vec<Match>, from: u64) -> Vec<Hit> {
        let until = self.from;
        self.from = self.from.min(from);
        let places = by_number(&mut found, from..until);
        let view = self.evaluator.columns.view;
        let hit = |place: &u32| {
            let found = found.get(place.checked_sub(1)? as usize)?;
            Some(Decided::of(*found).hit(view.id_of(found.number)?))
        };
        let mut hits = self.room(found.len());
        if self.at_once {
            hits.extend(places.iter().filter_map(hit));
        } else {
            hits.extend(places.iter().rev().filter_map(hit).take(self.wanted()));
        }
        self.found += hits.len();
        hits
    }

    /// How many hits are wanted beside those there are.
    fn wanted(&self) -> usize {
        self.evaluator.plan.limit - self.found.min(self.evaluator.plan.limit)
    }

    /// There may be millions: room that grows would be copied, and be twice as much for a while.
    fn room(&self, candidates: usize) -> Vec<Hit> {
        Vec::with_capacity(in_steps(candidates.min(self.wanted())))
    }

    /// Hits among some traces, in ascending order of number, each of which is decided by itself.
    fn decide<N>(&self, numbers: N, taken: &Gathered<'_>) -> Vec<Hit>
    where
        N: DoubleEndedIterator<Item = u64>,
    {
        let (view, wanted) = (self.evaluator.columns.view, self.wanted());
        let expected = numbers.size_hint().0;
        if !self.task.exact {
            self.evaluator.columns.expect(expected);
        }
        let mut hits = self.room(expected);
        let numbers: &mut dyn Iterator<Item = u64> = if self.at_once { &mut { numbers } } else { &mut numbers.rev() };
        for (count, number) in numbers.enumerate() {
            if hits.len() >= wanted || count % 256 == 255 && (self.cancelled)() {
                break;
            }
            let Some(trace) = view.id_of(number) else { continue };
            let found = if self.task.exact {
                taken.at(view, (number, trace)).map(|found| found.hit(trace))
            } else {
                hit(self.evaluator, number, trace)
            };
            hits.extend(found);
        }
        hits
    }
}

/// What is found in scattered traces, given by all stretches of each.
fn look_at_scattered(evaluator: &Evaluator<'_, '_>, apart: &[Stretch], cancelled: &dyn Fn() -> bool) -> Vec<Match> {
    let mut found = whole::search_scattered(evaluator, apart);
    for (count, number) in found.odd.into_iter().enumerate() {
        if count % 256 == 255 && cancelled() {
            break;
        }
        found.matches.extend(evaluator.decided(number).map(|found| match found {
            Decided::Whole => Match::whole(number),
            Decided::Spans(found) => found,
        }));
    }
    found.matches
}

/// Stretches in parts of about [`TOGETHER`]: all of a trace are in one.
fn in_pieces(apart: Vec<Stretch>) -> Vec<Vec<Stretch>> {
    let count = apart.len().div_ceil(TOGETHER);
    if count < 2 {
        return vec![apart];
    }
    // Traces between the same two of these are in the same part. New ones have more stretches than old ones.
    let mut sample: Vec<u64> = apart.iter().step_by(TOGETHER / 64).map(|own| own.number).collect();
    sample.sort_unstable();
    let bounds: Vec<u64> = (1..count).filter_map(|part| sample.get(part * sample.len() / count)).copied().collect();
    let mut pieces: Vec<Vec<Stretch>> = Vec::new();
    pieces.resize_with(count, || Vec::with_capacity(TOGETHER + TOGETHER / 4));
    for own in apart {
        if let Some(piece) = pieces.get_mut(bounds.partition_point(|bound| *bound <= own.number)) {
            piece.push(own);
        }
    }
    pieces
}

/// Room for at least so many, in steps of an eighth: lists of nearly the same length, one after the other, then fit where
/// the one before them was.
fn in_steps(hits: usize) -> usize {
    hits.next_multiple_of((hits.next_power_of_two() / 8).max(1))
}

fn last_page(hits: Vec<Hit>, partial: bool) -> Page {
    Page { hits, last: true, partial, seen: 1.0 }
}

#[expect(clippy::cast_precision_loss, reason = "shown as a share")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

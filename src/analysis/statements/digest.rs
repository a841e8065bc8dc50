//! What one trace adds: its database calls, by statement.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::twins::{self, Numbered, Part};
use crate::analysis::tree::measured;
use crate::analysis::{Thresholds, findings, statement};
use crate::model::{Category, Nanos, SpanId, SpanKey, Timestamp, Trace, TraceSpan};

/// Statements that are told apart. A sender whose statements are all different would otherwise fill the memory with them.
const MOST_NAMES: usize = 200_000;

/// Stands for statements beyond [`MOST_NAMES`].
const OTHERS: &str = "(other statements)";

/// Generations that are looked up for a caller.
pub(super) const MOST_ABOVE: usize = 64;

/// Texts by number, shared by all digests that are summed up together.
#[derive(Debug, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// The system of a service's statement: looked up once, because only the whole span says it.
    systems: HashMap<(u32, u32), u32>,
    /// Whether two libraries write the calls of a service's statement, likewise; `None` where they do not say who they are.
    libraries: HashMap<(u32, u32), Option<bool>>,
}

/// What a whole span says that its lean form does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The database system; `None` where it does not say it.
    pub system: Option<Arc<str>>,
    /// What wrote it: the name of its scope; `None` where it has none.
    pub library: Option<String>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        if self.texts.len() >= MOST_NAMES && text != OTHERS {
            return self.number(OTHERS);
        }
        let text: Arc<str> = Arc::from(text);
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// The system of a service's statement.
    fn system(&mut self, of: (u32, u32), look: impl FnOnce() -> Option<Arc<str>>) -> u32 {
        if let Some(system) = self.systems.get(&of) {
            return *system;
        }
        let system = self.number(&look().unwrap_or_default());
        self.systems.insert(of, system);
        system
    }

    /// The text of a number.
    pub(super) fn text(&self, number: u32) -> Arc<str> {
        self.texts.get(number as usize).map_or_else(Arc::default, Arc::clone)
    }
}

/// The database calls of a trace, by statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    pub(super) groups: Vec<Group>,
    /// What the root does.
    pub(super) route: u32,
}

/// The calls of one statement within a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) statement: u32,
    pub(super) system: u32,
    pub(super) category: Category,
    pub(super) rows: Option<u64>,
    /// Calls below one parent, one after the other, where there are many.
    pub(super) repeated: u32,
    /// Services and callers with calls.
    pub(super) services: Counts,
    pub(super) callers: Counts,
    pub(super) calls: SmallVec<[Call; 1]>,
}

pub(super) type Counts = SmallVec<[(u32, u32); 1]>;

/// One call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) start: Timestamp,
    pub(super) duration: Nanos,
    pub(super) span: SpanKey,
    pub(super) failed: bool,
    /// It ran within another database call, whose time its time is a part of.
    pub(super) within: bool,
}

impl Digest {
    /// Calls in it.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.groups.iter().map(|group| group.calls.len()).sum()
    }
}

pub(super) fn count(counts: &mut Counts, name: u32) {
    match counts.iter_mut().find(|(known, _)| *known == name) {
        Some((_, count)) => *count += 1,
        None => counts.push((name, 1)),
    }
}

/// Reads a trace; `None` where it has no database calls. `look` tells what a whole span says, and is asked once for each
/// statement of a service, or three times. A call that two libraries recorded is one. Which calls are an N+1 is what the findings
/// say. Others may number their names meanwhile: `names` is locked for no longer than it takes to number those of this trace.
pub fn digest(
    trace: &Arc<Trace>,
    thresholds: &Thresholds,
    names: &Mutex<Names>,
    look: &mut dyn FnMut(SpanKey) -> Said,
) -> Option<Digest> {
    let places: Vec<usize> =
        (0..).zip(&trace.spans).filter(|(_, span)| span.category.is_database()).map(|(place, _)| place).collect();
    if places.is_empty() {
        return None;
    }
    let above = above(trace);
    // Spans of a trace share the texts of their labels.
    let address = |span: &TraceSpan| (Arc::as_ptr(&span.label).cast::<u8>().addr(), span.category);
    let mut texts: HashMap<(usize, Category), Cow<'_, str>> = HashMap::new();
    for place in &places {
        let span = &trace.spans[*place];
        texts.entry(address(span)).or_insert_with(|| statement::normalise(span.category, &span.label));
    }
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    let number = |place: usize| {
        let span = &trace.spans[place];
        let statement = names.number(texts.get(&address(span)).map_or("", |text| text));
        Numbered { place, service: names.number(&span.service), statement, part: Part::None }
    };
    let mut calls: Vec<Numbered> = places.into_iter().map(number).collect();
    twins::find((trace, &above), &mut calls, thresholds, &mut |first, [outer, inner]| {
        let other = || {
            let [outer, inner] = [outer, inner].map(|place| look(trace.spans[place].key).library);
            outer.zip(inner).map(|(outer, inner)| outer != inner)
        };
        *names.libraries.entry(first).or_insert_with(other)
    });
    let mut grouped = Grouped::default();
    for call in calls.iter().filter(|call| !matches!(call.part, Part::Twin(_))) {
        let span = &trace.spans[call.place];
        let twin = || calls.iter().find(|other| other.part == Part::Twin(call.place));
        let system = names.system((call.service, call.statement), || {
            let own = look(span.key).system;
            own.or_else(|| look(trace.spans[twin()?.place].key).system)
        });
        let caller = caller(trace, &above, span).map(|caller| names.number(&caller.label));
        grouped.add(span, call, (system, caller));
    }
    for call in &calls {
        if let Part::Twin(outer) = call.part {
            grouped.add_twin(&trace.spans[outer], &trace.spans[call.place]);
        }
    }
    let root = trace.spans.iter().find(|span| span.parent_id.is_none()).or_else(|| trace.spans.first());
    let route = names.number(root.map_or("", |root| &root.label));
    drop(names);
    let Grouped { mut groups, of, .. } = grouped;
    if groups.iter().any(|group| group.calls.len() >= thresholds.nplus1_count as usize) {
        note_repeated(trace, thresholds, &of, &mut groups);
    }
    groups.shrink_to_fit();
    Some(Digest { groups, route })
}

/// The calls of a trace by statement and system.
#[derive(Default)]
struct Grouped {
    groups: Vec<Group>,
    places: HashMap<(u32, u32), usize>,
    /// In which group each call is.
    of: HashMap<SpanKey, usize>,
}

impl Grouped {
    fn add(&mut self, span: &TraceSpan, call: &Numbered, (system, caller): (u32, Option<u32>)) {
        let Numbered { service, statement, part, .. } = *call;
        let place = *self.places.entry((statement, system)).or_insert_with(|| {
            self.groups.push(Group { statement, system, category: span.category, ..Group::default() });
            self.groups.len() - 1
        });
        self.of.insert(span.key, place);
        let group = &mut self.groups[place];
        if let Some(rows) = rows(span) {
            group.rows = Some(group.rows.unwrap_or(0).saturating_add(rows));
        }
        count(&mut group.services, service);
        if let Some(caller) = caller {
            count(&mut group.callers, caller);
        }
        let (failed, within) = (is_failed(span), part == Part::Within);
        group.calls.push(Call { start: span.start, duration: span.duration(), span: span.key, failed, within });
    }

    /// What is known of a call only where it was recorded for the second time.
    fn add_twin(&mut self, outer: &TraceSpan, inner: &TraceSpan) {
        let Some(place) = self.of.get(&outer.key).copied() else { return };
        self.of.insert(inner.key, place);
        let group = &mut self.groups[place];
        if let Some(call) = group.calls.iter_mut().rfind(|call| call.span == outer.key) {
            call.failed |= is_failed(inner);
        }
        if let Some(rows) = rows(inner).filter(|_| rows(outer).is_none()) {
            group.rows = Some(group.rows.unwrap_or(0).saturating_add(rows));
        }
    }
}

fn is_failed(span: &TraceSpan) -> bool {
    span.is_error() || span.exceptions > 0
}

fn note_repeated(
    trace: &Arc<Trace>,
    thresholds: &Thresholds,
    group_of: &HashMap<SpanKey, usize>,
    groups: &mut [Group],
) {
    let analysis = measured(Arc::clone(trace), thresholds);
    for calls in findings::repeated(&analysis, thresholds) {
        let place = calls.first().and_then(|node| group_of.get(&analysis.span(*node)?.key));
        if let Some(group) = place.and_then(|place| groups.get_mut(*place)) {
            group.repeated = group.repeated.max(u32::try_from(calls.len()).unwrap_or(u32::MAX));
        }
    }
}

/// Spans by id. Where a client and a server share one (as Zipkin's do), children hang from the server.
fn above(trace: &Trace) -> Above {
    let mut above = HashMap::with_capacity(trace.spans.len());
    for (index, span) in trace.spans.iter().enumerate() {
        let place = above.entry(span.key.id).or_insert(index);
        if trace.spans.get(*place).is_some_and(|known| known.key.kind == crate::model::Kind::CLIENT) {
            *place = index;
        }
    }
    above
}

/// Spans by id.
pub(super) type Above = HashMap<SpanId, usize>;

/// The nearest span above that is no database call.
fn caller<'t>(trace: &'t Trace, above: &Above, span: &'t TraceSpan) -> Option<&'t TraceSpan> {
    let mut at = span;
    for _ in 0..MOST_ABOVE {
        at = trace.spans.get(*above.get(&at.parent_id?)?)?;
        if !at.category.is_database() {
            return Some(at);
        }
    }
    None
}

/// Rows that a call returned, where its remark says so: `47 rows`.
fn rows(span: &TraceSpan) -> Option<u64> {
    let (number, word) = span.remark.split_once(' ')?;
    number.parse().ok().filter(|_| word.starts_with("row"))
}

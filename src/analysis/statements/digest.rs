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

/// The database calls of a trace, by statement. Very many are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Those of each statement and system after each other, in order of start.
    pub(super) calls: Box<[Call]>,
    /// What is known of the calls of a statement and system together, in order of these.
    pub(super) notes: Box<[Note]>,
    /// What the root does.
    pub(super) route: u32,
}

/// One call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) start: Timestamp,
    pub(super) duration: Nanos,
    pub(super) span: SpanKey,
    /// Statement and system.
    pub(super) of: (u32, u32),
    pub(super) service: u32,
    /// [`NOBODY`] where there is none.
    pub(super) caller: u32,
    pub(super) category: Category,
    pub(super) failed: bool,
    /// It ran within another database call, whose time its time is a part of.
    pub(super) within: bool,
}

/// Stands for no caller.
pub(super) const NOBODY: u32 = u32::MAX;

/// What is known of the calls of one statement within a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Note {
    /// Statement and system.
    pub(super) of: (u32, u32),
    pub(super) rows: Option<u64>,
    /// Calls below one parent, one after the other, where there are many.
    pub(super) repeated: u32,
}

impl Digest {
    /// Calls in it.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn note(&self, of: (u32, u32)) -> Note {
        let place = self.notes.binary_search_by_key(&of, |note| note.of);
        place.ok().and_then(|place| self.notes.get(place)).copied().unwrap_or_default()
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
    let twin = |call: &Numbered| if let Part::Twin(outer) = call.part { Some((outer, call.place)) } else { None };
    let twins: HashMap<usize, usize> = calls.iter().filter_map(twin).collect();
    let mut grouped = Grouped::default();
    for call in calls.iter().filter(|call| !matches!(call.part, Part::Twin(_))) {
        let span = &trace.spans[call.place];
        let system = names.system((call.service, call.statement), || {
            let own = look(span.key).system;
            own.or_else(|| look(trace.spans[*twins.get(&call.place)?].key).system)
        });
        let caller = caller(trace, &above, span).map(|caller| names.number(&caller.label));
        grouped.add(span, call, (system, caller.unwrap_or(NOBODY)));
    }
    for (outer, inner) in calls.iter().filter_map(twin) {
        grouped.add_twin(&trace.spans[outer], &trace.spans[inner]);
    }
    let root = trace.spans.iter().find(|span| span.parent_id.is_none()).or_else(|| trace.spans.first());
    let route = names.number(root.map_or("", |root| &root.label));
    drop(names);
    let many = |group: &Group| group.calls.len() >= thresholds.nplus1_count as usize;
    if grouped.groups.iter().any(many) {
        note_repeated(trace, thresholds, &mut grouped);
    }
    Some(grouped.digest(route))
}

/// The calls of one statement and system.
#[derive(Default)]
struct Group {
    calls: SmallVec<[Call; 2]>,
    note: Note,
}

/// The calls of a trace by statement and system.
#[derive(Default)]
struct Grouped {
    groups: Vec<Group>,
    places: HashMap<(u32, u32), usize>,
    /// In which group each call is, and where in it.
    of: HashMap<SpanKey, (usize, usize)>,
}

impl Grouped {
    fn add(&mut self, span: &TraceSpan, call: &Numbered, (system, caller): (u32, u32)) {
        let Numbered { service, statement, part, .. } = *call;
        let of = (statement, system);
        let place = *self.places.entry(of).or_insert_with(|| {
            self.groups.push(Group { note: Note { of, ..Note::default() }, ..Group::default() });
            self.groups.len() - 1
        });
        let Group { calls, note } = &mut self.groups[place];
        self.of.insert(span.key, (place, calls.len()));
        note.add(rows(span));
        calls.push(Call {
            start: span.start,
            duration: span.duration(),
            span: span.key,
            of,
            service,
            caller,
            category: span.category,
            failed: is_failed(span),
            within: part == Part::Within,
        });
    }

    /// What is known of a call only where it was recorded for the second time.
    fn add_twin(&mut self, outer: &TraceSpan, inner: &TraceSpan) {
        let Some(place) = self.of.get(&outer.key).copied() else { return };
        self.of.insert(inner.key, place);
        let Group { calls, note } = &mut self.groups[place.0];
        if let Some(call) = calls.get_mut(place.1) {
            call.failed |= is_failed(inner);
        }
        note.add(rows(inner).filter(|_| rows(outer).is_none()));
    }

    fn digest(self, route: u32) -> Digest {
        let notes = self.groups.iter().map(|group| group.note).filter(|note| note.rows.is_some() || note.repeated > 0);
        let mut notes: Box<[Note]> = notes.collect();
        notes.sort_unstable_by_key(|note| note.of);
        Digest { calls: self.groups.into_iter().flat_map(|group| group.calls).collect(), notes, route }
    }
}

impl Note {
    fn add(&mut self, rows: Option<u64>) {
        if let Some(rows) = rows {
            self.rows = Some(self.rows.unwrap_or(0).saturating_add(rows));
        }
    }
}

fn is_failed(span: &TraceSpan) -> bool {
    span.is_error() || span.exceptions > 0
}

fn note_repeated(trace: &Arc<Trace>, thresholds: &Thresholds, grouped: &mut Grouped) {
    let analysis = measured(Arc::clone(trace), thresholds);
    for calls in findings::repeated(&analysis, thresholds) {
        let place = calls.first().and_then(|node| grouped.of.get(&analysis.span(*node)?.key)).copied();
        if let Some(group) = place.and_then(|(place, _)| grouped.groups.get_mut(place)) {
            group.note.repeated = group.note.repeated.max(u32::try_from(calls.len()).unwrap_or(u32::MAX));
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

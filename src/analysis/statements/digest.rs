//! What one trace adds: its database calls, by statement.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::analysis::tree::measured;
use crate::analysis::{Thresholds, findings, statement};
use crate::model::{Category, Nanos, SpanId, SpanKey, Timestamp, Trace, TraceSpan};

/// Statements that are told apart. A sender whose statements are all different would otherwise fill the memory with them.
const MOST_NAMES: usize = 200_000;

/// Stands for statements beyond [`MOST_NAMES`].
const OTHERS: &str = "(other statements)";

/// Generations that are looked up for a caller.
const MOST_ABOVE: usize = 64;

/// Texts by number, shared by all digests that are summed up together.
#[derive(Debug, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// The system of a service's statement: looked up once, because only the whole span says it.
    systems: HashMap<(u32, u32), u32>,
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
    pub(super) calls: Vec<Call>,
}

pub(super) type Counts = SmallVec<[(u32, u32); 1]>;

/// One call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) start: Timestamp,
    pub(super) duration: Nanos,
    pub(super) span: SpanKey,
    pub(super) failed: bool,
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

/// Reads a trace; `None` where it has no database calls. `system` tells the system of a span, and is asked once for each
/// statement of a service. Which calls are an N+1 is what the findings say. Others may number their names meanwhile: `names` is
/// locked for no longer than it takes to number those of this trace.
pub fn digest(
    trace: &Arc<Trace>,
    thresholds: &Thresholds,
    names: &Mutex<Names>,
    system: &mut dyn FnMut(SpanKey) -> Option<Arc<str>>,
) -> Option<Digest> {
    let calls: Vec<&TraceSpan> = trace.spans.iter().filter(|span| span.category.is_database()).collect();
    if calls.is_empty() {
        return None;
    }
    let above = above(trace);
    // Spans of a trace share the texts of their labels.
    let address = |span: &TraceSpan| (Arc::as_ptr(&span.label).cast::<u8>().addr(), span.category);
    let mut texts: HashMap<(usize, Category), Cow<'_, str>> = HashMap::new();
    for span in &calls {
        texts.entry(address(span)).or_insert_with(|| statement::normalise(span.category, &span.label));
    }
    let mut places: HashMap<(u32, u32), usize> = HashMap::new();
    let mut group_of: HashMap<SpanKey, usize> = HashMap::with_capacity(calls.len());
    let mut groups: Vec<Group> = Vec::new();
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    for span in calls {
        let statement = names.number(texts.get(&address(span)).map_or("", |text| text));
        let service = names.number(&span.service);
        let system = names.system((service, statement), || system(span.key));
        let place = *places.entry((statement, system)).or_insert_with(|| {
            groups.push(Group { statement, system, category: span.category, ..Group::default() });
            groups.len() - 1
        });
        let group = &mut groups[place];
        if let Some(rows) = rows(span) {
            group.rows = Some(group.rows.unwrap_or(0).saturating_add(rows));
        }
        count(&mut group.services, service);
        if let Some(caller) = caller(trace, &above, span) {
            count(&mut group.callers, names.number(&caller.label));
        }
        group_of.insert(span.key, place);
        let failed = span.is_error() || span.exceptions > 0;
        group.calls.push(Call { start: span.start, duration: span.duration(), span: span.key, failed });
    }
    let root = trace.spans.iter().find(|span| span.parent_id.is_none()).or_else(|| trace.spans.first());
    let route = names.number(root.map_or("", |root| &root.label));
    drop(names);
    if groups.iter().any(|group| group.calls.len() >= thresholds.nplus1_count as usize) {
        note_repeated(trace, thresholds, &group_of, &mut groups);
    }
    Some(Digest { groups, route })
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
fn above(trace: &Trace) -> HashMap<SpanId, usize> {
    let mut above = HashMap::with_capacity(trace.spans.len());
    for (index, span) in trace.spans.iter().enumerate() {
        let place = above.entry(span.key.id).or_insert(index);
        if trace.spans.get(*place).is_some_and(|known| known.key.kind == crate::model::Kind::CLIENT) {
            *place = index;
        }
    }
    above
}

/// The nearest span above that is no database call.
fn caller<'t>(trace: &'t Trace, above: &HashMap<SpanId, usize>, span: &'t TraceSpan) -> Option<&'t TraceSpan> {
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

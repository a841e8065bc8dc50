//! What columns say of a plan's sets, by trace: candidates, and where columns decide, results.

use std::ops::Range;

use super::Hit;
use super::eval::{Evaluator, trace_holds};
use super::literal::Number;
use super::plan::{Node, Set, Step};
use super::stages::count;
use super::terms::Comparison;
use super::value::is_so;
use crate::index::{Match, Rows, View};
use crate::model::TraceId;

/// What was gathered of a set, in the shape of the set. Numbers of traces are gathered block by block, newest first;
/// [`Gathered::take`] hands those over of which no more can come.
pub(super) enum Gathered<'p> {
    /// Matches of spans: exact where `.1`, else at least.
    Spans {
        node: &'p Node,
        trace: &'p Node,
        exact: bool,
        found: Vec<Match>,
    },
    /// Traces with a span that is so; `wanted`: these are meant, not the others.
    Traces {
        node: &'p Node,
        wanted: bool,
        found: Vec<u64>,
    },
    /// A condition on the trace alone.
    About(&'p Node),
    /// A condition that columns cannot answer.
    Unknown,
    Both(Vec<Self>),
    Either(Vec<Self>),
    /// The right side is what is found; the left must be there, unless `.2`.
    Structural(Box<Self>, Box<Self>, bool),
    /// `.1`: comparisons of the number of spans, where these are all stages.
    Piped(Box<Self>, Vec<(Comparison, Number)>, bool),
}

/// What is found in a trace, where columns decide.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decided {
    /// The trace as a whole.
    Whole,
    /// Spans of it.
    Spans(Match),
}

/// Traces that may be meant, in ascending order.
pub(super) enum Candidates {
    All,
    Only(Vec<u64>),
}

impl<'p> Gathered<'p> {
    pub(super) fn new(set: &'p Set) -> Self {
        match set {
            Set::Spans { node, trace } if !node.is_local() => {
                let own = Self::Spans { node, trace, exact: false, found: Vec::new() };
                let mut parts = vec![own];
                node.relatives(&mut |node| parts.push(Self::Traces { node, wanted: true, found: Vec::new() }));
                if parts.len() == 1 { parts.swap_remove(0) } else { Self::Both(parts) }
            }
            Set::Spans { node, trace } => Self::Spans { node, trace, exact: node.is_local(), found: Vec::new() },
            Set::Whole(node) if matches!(node, Node::Always) || node.is_about_trace() => Self::About(node),
            Set::Whole(node) if node.is_local() => Self::Traces { node, wanted: true, found: Vec::new() },
            Set::NoSpan(node) if node.is_local() => Self::Traces { node, wanted: false, found: Vec::new() },
            Set::Whole(_) | Set::NoSpan(_) => Self::Unknown,
            Set::Both(sets) => Self::Both(sets.iter().map(Self::new).collect()),
            Set::Either(sets) => Self::Either(sets.iter().map(Self::new).collect()),
            Set::Structural { left, right, negated, .. } => {
                Self::Structural(Box::new(Self::new(left)), Box::new(Self::new(right)), *negated)
            }
            Set::Piped(inner, steps) => {
                let count = |step: &Step| match step {
                    Step::Aggregate(expression) => count(expression),
                    _ => None,
                };
                let counts: Vec<_> = steps.iter().filter_map(count).collect();
                let idle = steps.iter().filter(|step| matches!(step, Step::Select)).count();
                let only_counts = counts.len() + idle == steps.len();
                Self::Piped(Box::new(Self::new(inner)), counts, only_counts)
            }
        }
    }

    /// Whether what is gathered says all there is to say.
    pub(super) fn is_exact(&self) -> bool {
        match self {
            Self::Spans { exact, .. } => *exact,
            Self::Traces { .. } | Self::About(_) => true,
            Self::Unknown | Self::Structural(..) => false,
            Self::Both(parts) | Self::Either(parts) => {
                parts.iter().all(Self::is_exact) && parts.iter().filter(|part| part.has_spans()).count() < 2
            }
            // The count of a whole trace is not at hand.
            Self::Piped(inner, _, only_counts) => *only_counts && matches!(**inner, Self::Spans { exact: true, .. }),
        }
    }

    fn has_spans(&self) -> bool {
        match self {
            Self::Spans { .. } | Self::Structural(..) | Self::Piped(..) => true,
            Self::Traces { .. } | Self::About(_) | Self::Unknown => false,
            Self::Both(parts) | Self::Either(parts) => parts.iter().any(Self::has_spans),
        }
    }

    /// Takes note of some rows of a block, by its place; what is to be asked again is remembered where `keep` says so.
    pub(super) fn add(&mut self, (place, among): (usize, &Rows), evaluator: &Evaluator<'_, '_>, keep: bool) {
        let Some(block) = evaluator.columns.blocks.get(place).copied() else { return };
        let select = |node: &Node, then: &mut dyn FnMut(&Rows)| {
            then(&if keep {
                evaluator.upper(node, place, among.clone())
            } else {
                node.upper(block, among.clone(), &evaluator.plan.leaves)
            });
        };
        match self {
            Self::Spans { node, found, .. } => select(node, &mut |rows| {
                if !rows.is_empty() {
                    block.matches(rows, found);
                }
            }),
            Self::Traces { node, found, .. } => select(node, &mut |rows| {
                if !rows.is_empty() {
                    block.numbers(rows, found);
                }
            }),
            Self::About(_) | Self::Unknown => {}
            Self::Both(parts) | Self::Either(parts) => {
                for part in parts {
                    part.add((place, among), evaluator, keep);
                }
            }
            Self::Structural(left, right, _) => {
                left.add((place, among), evaluator, keep);
                right.add((place, among), evaluator, keep);
            }
            Self::Piped(inner, ..) => inner.add((place, among), evaluator, keep),
        }
    }

    /// Adds what was gathered of the same set elsewhere, where so many like it may come.
    pub(super) fn append(&mut self, other: Self, like: usize) {
        let all = |own: &mut [Self], others: Vec<Self>| {
            own.iter_mut().zip(others).for_each(|(own, other)| own.append(other, like));
        };
        match (self, other) {
            (Self::Spans { found, .. }, Self::Spans { found: mut other, .. }) => append(found, &mut other, like),
            (Self::Traces { found, .. }, Self::Traces { found: mut other, .. }) => append(found, &mut other, like),
            (Self::Both(own), Self::Both(others)) | (Self::Either(own), Self::Either(others)) => all(own, others),
            (Self::Structural(left, right, _), Self::Structural(other_left, other_right, _)) => {
                left.append(*other_left, like);
                right.append(*other_right, like);
            }
            (Self::Piped(inner, ..), Self::Piped(other, ..)) => inner.append(*other, like),
            // What holds nothing.
            _ => {}
        }
    }

    /// How much is gathered.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Spans { found, .. } => found.len(),
            Self::Traces { found, .. } => found.len(),
            Self::About(_) | Self::Unknown => 0,
            Self::Both(parts) | Self::Either(parts) => parts.iter().map(Self::len).sum(),
            Self::Structural(left, right, _) => left.len() + right.len(),
            Self::Piped(inner, ..) => inner.len(),
        }
    }

    /// What is gathered of traces from a number on, joined by trace, in ascending order.
    pub(super) fn take(&mut self, from: u64) -> Self {
        match self {
            Self::Spans { node, trace, exact, found } => {
                let taken = split(found, |found| found.number >= from);
                Self::Spans { node, trace, exact: *exact, found: joined(taken) }
            }
            Self::Traces { node, wanted, found } => {
                let mut taken = split(found, |number| *number >= from);
                taken.sort_unstable();
                taken.dedup();
                Self::Traces { node, wanted: *wanted, found: taken }
            }
            Self::About(node) => Self::About(node),
            Self::Unknown => Self::Unknown,
            Self::Both(parts) => Self::Both(parts.iter_mut().map(|part| part.take(from)).collect()),
            Self::Either(parts) => Self::Either(parts.iter_mut().map(|part| part.take(from)).collect()),
            Self::Structural(left, right, negated) => {
                Self::Structural(Box::new(left.take(from)), Box::new(right.take(from)), *negated)
            }
            Self::Piped(inner, counts, only) => Self::Piped(Box::new(inner.take(from)), counts.clone(), *only),
        }
    }

    /// What is found of traces from a number on, not joined: where it is spans of traces and nothing else is asked of them.
    pub(super) fn take_alone(&mut self, from: u64) -> Option<Vec<Match>> {
        match self {
            Self::Spans { trace: Node::Always, exact: true, found, .. } => {
                Some(split(found, |found| found.number >= from))
            }
            _ => None,
        }
    }

    /// The traces that may be meant. After [`Self::take`].
    pub(super) fn candidates(&self) -> Candidates {
        match self {
            Self::Spans { found, .. } => Candidates::Only(found.iter().map(|found| found.number).collect()),
            Self::Traces { wanted: true, found, .. } => Candidates::Only(found.clone()),
            Self::Traces { .. } | Self::About(_) | Self::Unknown => Candidates::All,
            Self::Both(parts) => parts.iter().map(Self::candidates).fold(Candidates::All, Candidates::and),
            Self::Either(parts) => {
                parts.iter().map(Self::candidates).fold(Candidates::Only(Vec::new()), Candidates::or)
            }
            Self::Structural(_, right, true) => right.candidates(),
            Self::Structural(left, right, false) => left.candidates().and(right.candidates()),
            Self::Piped(inner, ..) => inner.candidates(),
        }
    }

    /// What is found in a trace; `None`: nothing. Where [`Self::is_exact`], after [`Self::take`].
    pub(super) fn at(&self, view: &View, (number, id): (u64, TraceId)) -> Option<Decided> {
        let so = |holds: bool| holds.then_some(Decided::Whole);
        match self {
            Self::Spans { trace, found, .. } => {
                let place = found.binary_search_by_key(&number, |found| found.number).ok()?;
                found.get(place).filter(|_| about(trace, view, (number, id))).copied().map(Decided::Spans)
            }
            Self::Traces { wanted, found, .. } => so(found.binary_search(&number).is_ok() == *wanted),
            Self::About(node) => so(about(node, view, (number, id))),
            Self::Unknown | Self::Structural(..) => None,
            Self::Both(parts) => {
                parts.iter().try_fold(Decided::Whole, |all, part| Some(all.or(part.at(view, (number, id))?)))
            }
            Self::Either(parts) => parts.iter().filter_map(|part| part.at(view, (number, id))).reduce(Decided::or),
            Self::Piped(inner, counts, _) => {
                let found = inner.at(view, (number, id))?;
                let matched = match found {
                    Decided::Whole => 0,
                    Decided::Spans(found) => found.matched,
                };
                let holds = |(comparison, count): &(Comparison, Number)| {
                    Number::Whole(matched.into()).compare(*count).is_some_and(|order| is_so(*comparison, order))
                };
                counts.iter().all(holds).then_some(found)
            }
        }
    }
}

impl Decided {
    /// What was found of a trace.
    pub(super) fn of(found: Match) -> Self {
        if found.matched == 0 { Self::Whole } else { Self::Spans(found) }
    }

    /// The same of a trace.
    pub(super) fn hit(self, trace: TraceId) -> Hit {
        match self {
            Self::Whole => Hit { trace, matched: 0, first: None },
            Self::Spans(found) => Hit { trace, matched: found.matched, first: Some(found.first.1) },
        }
    }

    /// Spans rather than the trace as a whole.
    fn or(self, other: Self) -> Self {
        if let Self::Spans(_) = self { self } else { other }
    }
}

impl Candidates {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (Self::Only(mut one), Self::Only(other)) => {
                one.retain(|number| other.binary_search(number).is_ok());
                Self::Only(one)
            }
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Only(mut one), Self::Only(other)) => {
                one.extend(other);
                one.sort_unstable();
                one.dedup();
                Self::Only(one)
            }
        }
    }
}

/// Joined by trace, in ascending order.
fn joined(mut found: Vec<Match>) -> Vec<Match> {
    let numbers = found.iter().map(|found| found.number);
    if numbers.clone().is_sorted_by(|one, next| one < next) {
        return found;
    }
    let (Some(least), Some(most)) = (numbers.clone().min(), numbers.max()) else { return found };
    let places = by_number(&mut found, least..most.saturating_add(1));
    places.into_iter().filter_map(|place| found.get(place.checked_sub(1)? as usize)).copied().collect()
}

/// Joins what is found of traces with these numbers by trace: the places of what remains, in ascending order of number,
/// counted from one. Zeros among them stand for nothing.
pub(super) fn by_number(found: &mut Vec<Match>, numbers: Range<u64>) -> Vec<u32> {
    let span = usize::try_from(numbers.end.saturating_sub(numbers.start)).unwrap_or(usize::MAX);
    if found.len() < span / 16 {
        found.sort_by_key(|found| found.number);
        found.dedup_by(|next, kept| {
            let same = next.number == kept.number;
            if same {
                *kept = kept.join(*next);
            }
            same
        });
        return (1..).take(found.len()).collect();
    }
    // So many that there is a place for each number.
    let mut firsts = vec![0_u32; span];
    for place in 0..found.len() {
        let own = found[place];
        let at = own.number.checked_sub(numbers.start).and_then(|at| usize::try_from(at).ok());
        let Some(first) = at.and_then(|at| firsts.get_mut(at)) else { continue };
        match first.checked_sub(1).and_then(|first| found.get_mut(first as usize)) {
            Some(first) => *first = first.join(own),
            None => *first = u32::try_from(place + 1).unwrap_or_default(),
        }
    }
    firsts
}

/// Moves a list to the end of another, which gets room for so many like it: one that grows bit by bit is copied as often.
pub(super) fn append<T>(list: &mut Vec<T>, other: &mut Vec<T>, like: usize) {
    if list.capacity() - list.len() < other.len() {
        list.reserve(other.len().saturating_mul(like));
    }
    list.append(other);
}

/// Takes out what passes.
pub(super) fn split<T>(list: &mut Vec<T>, passes: impl Fn(&T) -> bool) -> Vec<T> {
    if list.iter().all(&passes) {
        return std::mem::take(list);
    }
    let (taken, left) = std::mem::take(list).into_iter().partition(passes);
    *list = left;
    taken
}

/// Whether a condition on the trace alone holds.
fn about(node: &Node, view: &View, (number, id): (u64, TraceId)) -> bool {
    match node {
        Node::Always => true,
        Node::All(parts) => parts.iter().all(|part| about(part, view, (number, id))),
        Node::Any(parts) => parts.iter().any(|part| about(part, view, (number, id))),
        Node::Not(inner) => !about(inner, view, (number, id)),
        Node::Trace(test) => trace_holds(*test, id, view.extent(number).unwrap_or_default()),
        Node::Leaf(_) | Node::Related(..) | Node::Computed(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Kind, SpanId, SpanKey, Timestamp};

    proptest! {
        #[test]
        fn what_is_found_of_a_trace_in_several_places_is_joined(
            found in prop::collection::vec((prop_oneof![0_u64..20, 0..100_000_u64], 1_u32..4, 0_u8..9), 0..60)
        ) {
            let key = |id: u8| SpanKey { id: SpanId([id; 8]), kind: Kind(0) };
            let all: Vec<Match> = found.iter().map(|(number, matched, id)| {
                Match { number: 7 + number, matched: *matched, first: (Timestamp(u64::from(*id)), key(*id)) }
            }).collect();
            let mut expected = std::collections::BTreeMap::new();
            for own in &all {
                expected.entry(own.number).and_modify(|known: &mut Match| *known = known.join(*own)).or_insert(*own);
            }
            prop_assert_eq!(joined(all), expected.into_values().collect::<Vec<_>>());
        }
    }
}

//! Sets of spans, the plain way.

use std::collections::BTreeSet;

use tracefall::model::{Nanos, Span, Timestamp};
use tracefall::query::{
    Aggregate, Arithmetic, Condition, Expr, Field, FieldExpr, Moment, Place, Query, Relation, Says, Stage,
};

use super::Found;
use super::conditions::{Num, holds};
use super::values::{Val, computed, first, literal, pairs, values};
use crate::NOW;

/// A trace: its spans in order of start.
pub(super) struct Trace<'s> {
    pub(super) spans: Vec<&'s Span>,
    pub(super) root: usize,
}

impl Trace<'_> {
    /// The place of a span's parent.
    pub(super) fn parent(&self, place: usize) -> Option<usize> {
        let id = self.spans[place].parent_id?;
        (0..self.spans.len()).find(|other| self.spans[*other].span_id == id && *other != place)
    }

    /// Everything above a span; in a cycle that is the span itself too.
    fn above(&self, place: usize) -> BTreeSet<usize> {
        let mut above = BTreeSet::new();
        let mut at = place;
        while let Some(parent) = self.parent(at) {
            if !above.insert(parent) {
                break;
            }
            at = parent;
        }
        above
    }
}

/// A walk down and up, recursively.
fn walk(place: usize, trace: &Trace<'_>, count: &mut i64, nested: &mut [(i64, i64)]) {
    *count += 1;
    nested[place].0 = *count;
    for child in (0..trace.spans.len()).filter(|child| trace.parent(*child) == Some(place)) {
        walk(child, trace, count, nested);
    }
    *count += 1;
    nested[place].1 = *count;
}

/// The numbers that a trace gives its spans.
pub(super) fn number_of(field: &Field, place: usize, trace: &Trace<'_>) -> i64 {
    let children = |of: usize| (0..trace.spans.len()).filter(move |child| trace.parent(*child) == Some(of));
    if *field == Field::ChildCount {
        return i64::try_from(children(place).count()).unwrap();
    }
    let mut nested = vec![(0, 0); trace.spans.len()];
    let mut count = 0;
    for root in (0..trace.spans.len()).filter(|place| trace.parent(*place).is_none()) {
        walk(root, trace, &mut count, &mut nested);
    }
    match field {
        Field::NestedLeft => nested[place].0,
        Field::NestedRight => nested[place].1,
        Field::NestedParent if nested[place].0 == 0 => 0,
        Field::NestedParent => match trace.parent(place) {
            Some(parent) => nested[parent].0,
            None if trace.spans[place].parent_id.is_some() => 0,
            None => -1,
        },
        other => panic!("{other:?} is no such number"),
    }
}

/// What is found in a trace.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Nothing,
    Whole,
    Spans(BTreeSet<usize>),
}

fn of(spans: BTreeSet<usize>) -> Outcome {
    if spans.is_empty() { Outcome::Nothing } else { Outcome::Spans(spans) }
}

/// A trace under a query.
struct Case<'c> {
    trace: &'c Trace<'c>,
    /// When spans must begin.
    within: (Timestamp, Timestamp),
}

impl Case<'_> {
    fn all(&self) -> BTreeSet<usize> {
        (0..self.trace.spans.len()).collect()
    }

    fn in_time(&self, place: usize) -> bool {
        let start = self.trace.spans[place].start;
        self.within.0 <= start && start <= self.within.1
    }

    fn holding(&self, parts: &[&Expr], among: &BTreeSet<usize>) -> BTreeSet<usize> {
        let fits = |place: &usize| self.in_time(*place) && parts.iter().all(|part| holds(part, *place, self.trace));
        among.iter().copied().filter(fits).collect()
    }

    fn joined(&self, parts: &[&Expr], among: &BTreeSet<usize>) -> Outcome {
        let (sets, bare): (Vec<&Expr>, Vec<&Expr>) = parts.iter().partition(|part| braced(part));
        let mut found = Outcome::Whole;
        if !bare.is_empty() || sets.is_empty() {
            found = self.bare(&bare, among);
        }
        for set in sets {
            found = both(found, self.set(set, among));
        }
        found
    }

    fn bare(&self, parts: &[&Expr], among: &BTreeSet<usize>) -> Outcome {
        if let [part @ Expr::Any(_)] = parts {
            return self.set(part, among);
        }
        if parts.iter().any(|part| positive(part)) {
            return of(self.holding(parts, among));
        }
        let mut found = Outcome::Whole;
        for part in parts {
            let so = match part {
                Expr::Not(inner) => !among.iter().any(|place| holds(inner, *place, self.trace)),
                Expr::Is(_) => among.iter().any(|place| holds(part, *place, self.trace)),
                other => {
                    found = both(found, self.set(other, among));
                    continue;
                }
            };
            if !so {
                return Outcome::Nothing;
            }
        }
        found
    }

    fn set(&self, part: &Expr, among: &BTreeSet<usize>) -> Outcome {
        match part {
            Expr::Braces(_) => of(self.holding(&[part], among)),
            Expr::All(parts) => self.joined(&parts.iter().collect::<Vec<_>>(), among),
            Expr::Any(parts) => parts.iter().map(|part| self.set(part, among)).fold(Outcome::Nothing, either),
            Expr::Is(_) | Expr::Not(_) => self.bare(&[part], among),
            Expr::Piped(inner, stages) => self.piped(self.set(inner, among), stages, among),
            Expr::Structural(structural) => {
                let spans = |part: &Expr| match self.set(part, among) {
                    Outcome::Nothing => BTreeSet::new(),
                    Outcome::Whole => among.clone(),
                    Outcome::Spans(spans) => spans,
                };
                let (left, right) = (spans(&structural.left), spans(&structural.right));
                let stands = |right: usize, left: usize| self.stands(structural.place, left, right);
                let mut found: BTreeSet<usize> = BTreeSet::new();
                for place in &right {
                    if left.iter().any(|left| stands(*place, *left)) != structural.negated {
                        found.insert(*place);
                    }
                }
                if structural.both {
                    found.extend(left.iter().filter(|left| right.iter().any(|right| stands(*right, **left))));
                }
                of(found)
            }
        }
    }

    /// Whether the right span stands so to the left one.
    fn stands(&self, place: Place, left: usize, right: usize) -> bool {
        let parent = |of: usize| self.trace.parent(of);
        match place {
            Place::Child => parent(right) == Some(left),
            Place::Parent => parent(left) == Some(right),
            Place::Descendant => self.trace.above(right).contains(&left),
            Place::Ancestor => self.trace.above(left).contains(&right),
            Place::Sibling => {
                let ids = (self.trace.spans[left].parent_id, self.trace.spans[right].parent_id);
                left != right && ids.0.is_some() && ids.0 == ids.1
            }
        }
    }

    fn piped(&self, found: Outcome, stages: &[Stage], among: &BTreeSet<usize>) -> Outcome {
        let first = match found {
            Outcome::Nothing => return Outcome::Nothing,
            Outcome::Whole => among.clone(),
            Outcome::Spans(spans) => spans,
        };
        let mut groups = vec![first];
        for stage in stages {
            groups = match stage {
                Stage::Select(_) => groups,
                Stage::Coalesce => vec![groups.into_iter().flatten().collect()],
                Stage::By(keys) => groups.iter().flat_map(|group| self.parted(group, keys)).collect(),
                Stage::Aggregate(expression) => {
                    groups.into_iter().filter(|group| self.group_holds(expression, group)).collect()
                }
                Stage::Filter(inner) => groups
                    .into_iter()
                    .filter_map(|group| match self.set(inner, &group) {
                        Outcome::Nothing => None,
                        Outcome::Whole => Some(group),
                        Outcome::Spans(spans) => Some(spans),
                    })
                    .collect(),
            };
        }
        of(groups.into_iter().flatten().collect())
    }

    fn parted(&self, group: &BTreeSet<usize>, keys: &[FieldExpr]) -> Vec<BTreeSet<usize>> {
        let mut groups: Vec<(Vec<String>, BTreeSet<usize>)> = Vec::new();
        for place in group {
            let value = |key| format!("{:?}", values(key, *place, self.trace).first());
            let own: Vec<String> = keys.iter().map(value).collect();
            match groups.iter_mut().find(|(known, _)| *known == own) {
                Some((_, spans)) => drop(spans.insert(*place)),
                None => groups.push((own, BTreeSet::from([*place]))),
            }
        }
        groups.into_iter().map(|(_, spans)| spans).collect()
    }

    fn group_holds(&self, expression: &FieldExpr, group: &BTreeSet<usize>) -> bool {
        let FieldExpr::Compare(left, comparison, right) = expression else { panic!("{expression:?} is no comparison") };
        let side = |side: &FieldExpr| match side {
            FieldExpr::Literal(typed) => literal(typed),
            side => self.sum(side, group).map(Val::Num).into_iter().collect(),
        };
        pairs(&side(left), *comparison, &side(right))
    }

    fn sum(&self, expression: &FieldExpr, group: &BTreeSet<usize>) -> Option<Num> {
        let whole = |number: usize| Num::Whole(i64::try_from(number).unwrap());
        match expression {
            FieldExpr::Literal(typed) => first(&literal(typed)),
            FieldExpr::Compute(left, sign, right) => computed(self.sum(left, group)?, *sign, self.sum(right, group)?),
            FieldExpr::Aggregate(Aggregate::Count, _) => Some(whole(group.len())),
            FieldExpr::Aggregate(aggregate, Some(inner)) => {
                let mut numbers: Vec<Num> =
                    group.iter().filter_map(|place| first(&values(inner, *place, self.trace))).collect();
                // What is not a number comes last.
                let nan = |number: &Num| number.order(*number).is_none();
                numbers.sort_by(|one, other| one.order(*other).unwrap_or_else(|| nan(one).cmp(&nan(other))));
                let sum =
                    || numbers.iter().try_fold(Num::Whole(0), |sum, number| computed(sum, Arithmetic::Add, *number));
                match aggregate {
                    Aggregate::Min => numbers.first().copied(),
                    Aggregate::Max => numbers.last().copied(),
                    Aggregate::Sum => {
                        if numbers.is_empty() {
                            None
                        } else {
                            sum()
                        }
                    }
                    Aggregate::Avg => computed(sum()?, Arithmetic::Divide, whole(numbers.len())),
                    // The nearest rank: the least that so many per cent are at most.
                    Aggregate::Percentile(percent) => {
                        let reaches = |rank: &usize| rank * 100 >= numbers.len() * usize::from(*percent);
                        (1..=numbers.len()).find(reaches).map(|rank| numbers[rank - 1])
                    }
                    Aggregate::Count => None,
                }
            }
            other => panic!("{other:?} sums nothing up"),
        }
    }
}

fn both(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Outcome::Nothing, _) | (_, Outcome::Nothing) => Outcome::Nothing,
        (one, other) => either(one, other),
    }
}

fn either(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Outcome::Spans(one), Outcome::Spans(other)) => Outcome::Spans(&one | &other),
        (Outcome::Spans(spans), _) | (_, Outcome::Spans(spans)) => Outcome::Spans(spans),
        (Outcome::Nothing, other) => other,
        (one, _) => one,
    }
}

fn braced(part: &Expr) -> bool {
    match part {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(braced),
        Expr::Not(_) | Expr::Is(_) => false,
        Expr::Braces(_) | Expr::Structural(_) | Expr::Piped(..) => true,
    }
}

/// Whether it says what a span is.
fn positive(part: &Expr) -> bool {
    match part {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(positive),
        Expr::Not(_)
        | Expr::Is(
            Condition { of: Relation::None, .. }
            | Condition { field: Field::TraceDuration | Field::TraceStart | Field::TraceId, .. },
        ) => false,
        _ => true,
    }
}

fn bounds(query: &Query) -> Option<(Timestamp, Timestamp)> {
    let (mut from, mut to, mut any) = (Timestamp(0), Timestamp(u64::MAX), false);
    let ago = |length: Nanos| Timestamp(NOW.0 - length.0);
    let then = |moment: &Moment| match moment {
        Moment::Ago(length) => ago(*length),
        Moment::At(then) => *then,
    };
    for term in &query.terms {
        match &term.says {
            Says::Lookback(length) => from = from.max(ago(*length)),
            Says::Since(moment) => from = from.max(then(moment)),
            Says::Until(moment) => to = to.min(then(moment)),
            Says::Spans(_) | Says::Limit(_) => continue,
        }
        any = true;
    }
    any.then_some((from, to))
}

/// What a query finds among spans; `order`: the traces by first arrival.
pub(super) fn expected(query: &Query, spans: &[Span], order: &[u8]) -> Found {
    let parts: Vec<&Expr> = query
        .terms
        .iter()
        .filter_map(|term| if let Says::Spans(part) = &term.says { Some(part) } else { None })
        .collect();
    let stages: Vec<Stage> = query.stages.iter().map(|stage| stage.stage.clone()).collect();
    let limits =
        query.terms.iter().filter_map(|term| if let Says::Limit(limit) = term.says { Some(limit) } else { None });
    let limit = limits.min().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    let within = bounds(query);
    let mut found = Found::new();
    for number in order.iter().copied().rev() {
        let mut own: Vec<&Span> = spans.iter().filter(|span| span.trace_id.0[0] == number).collect();
        own.sort_by_key(|span| (span.start, span.span_id));
        let root = (0..own.len()).min_by_key(|place| (own[*place].parent_id.is_some(), *place)).unwrap();
        let trace = Trace { spans: own, root };
        let case = Case { trace: &trace, within: within.unwrap_or((Timestamp(0), Timestamp(u64::MAX))) };
        let all = case.all();
        let mut outcome = case.joined(&parts, &all);
        if !all.iter().any(|place| case.in_time(*place)) {
            outcome = Outcome::Nothing;
        }
        if !stages.is_empty() {
            outcome = case.piped(outcome, &stages, &all);
        }
        let spans = match outcome {
            Outcome::Nothing => continue,
            Outcome::Whole => Vec::new(),
            Outcome::Spans(places) => places.into_iter().map(|place| trace.spans[place].span_id.0[0]).collect(),
        };
        if found.len() < limit {
            found.insert(number, spans);
        }
    }
    found
}

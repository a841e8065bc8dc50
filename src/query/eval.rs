//! A plan run on one trace.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hashbrown::HashMap;

use super::columns::Columns;
use super::compute::{self, Facts, Val};
use super::family::Family;
use super::gather::Decided;
use super::literal::Number;
use super::plan::{Node, Plan, Set, Step, TraceTest};
use super::spans::{Aggregate, FieldExpr, Place};
use super::stages::{group_holds, summed_up};
use crate::index::{Match, Rows};
use crate::model::{Nanos, SpanKey, Timestamp, TraceId};

/// What a set finds in a trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    Nothing,
    /// The trace as a whole.
    Whole,
    /// These of its spans: at least one.
    Spans(Vec<bool>),
}

impl Found {
    fn of(spans: Vec<bool>) -> Self {
        if spans.contains(&true) { Self::Spans(spans) } else { Self::Nothing }
    }

    /// Its spans; all of them where it is the whole trace.
    fn into_spans(self, count: usize) -> Vec<bool> {
        match self {
            Self::Nothing => vec![false; count],
            Self::Whole => vec![true; count],
            Self::Spans(spans) => spans,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Spans(mut one), Self::Spans(other)) => {
                one.iter_mut().zip(other).for_each(|(one, other)| *one |= other);
                Self::Spans(one)
            }
            (Self::Spans(spans), _) | (_, Self::Spans(spans)) => Self::Spans(spans),
            (Self::Whole, _) | (_, Self::Whole) => Self::Whole,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }
}

/// Whether a test on a trace holds.
pub(super) fn trace_holds(test: TraceTest, id: TraceId, extent: (Timestamp, Timestamp)) -> bool {
    match test {
        TraceTest::Id(wanted) => wanted == id,
        TraceTest::Duration(least, most) => (Nanos(least)..=Nanos(most)).contains(&extent.1.since(extent.0)),
        TraceTest::Start(least, most) => (least..=most).contains(&extent.0.0),
        TraceTest::Never => false,
    }
}

/// What columns answered, by condition (its address) and block.
pub(super) type Answers = Mutex<HashMap<(usize, usize), Arc<OnceLock<Rows>>>>;

/// A plan over the blocks of a view. What columns answer is asked once for a block, when first needed.
pub(super) struct Evaluator<'p, 'v> {
    pub(super) plan: &'p Plan,
    pub(super) columns: &'p Columns<'v>,
    /// Shared with evaluators of the same plan on other threads.
    answers: Arc<Answers>,
}

/// One trace under a plan.
struct Case<'e, 'p, 'v> {
    evaluator: &'e Evaluator<'p, 'v>,
    family: &'e Family<'p, 'v>,
    id: TraceId,
}

impl<'p, 'v> Evaluator<'p, 'v> {
    pub(super) fn new(plan: &'p Plan, columns: &'p Columns<'v>) -> Self {
        Self { plan, columns, answers: Arc::default() }
    }

    /// The same on another thread, over columns of its own; answers are shared.
    pub(super) fn beside<'o>(answers: &Arc<Answers>, plan: &'o Plan, columns: &'o Columns<'v>) -> Evaluator<'o, 'v> {
        Evaluator { plan, columns, answers: Arc::clone(answers) }
    }

    /// What columns answered so far.
    pub(super) fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// The trace of a number, and what is found in it.
    pub(super) fn trace(&self, number: u64) -> Option<(Family<'p, 'v>, Found)> {
        let id = self.columns.view.id_of(number)?;
        let family = Family::new(self.columns, number)?;
        let all = vec![true; family.len()];
        let found = Case { evaluator: self, family: &family, id }.set(&self.plan.set, &all);
        Some((family, found))
    }

    /// What is found in the trace of a number; `None`: nothing.
    pub(super) fn decided(&self, number: u64) -> Option<Decided> {
        let (family, found) = self.trace(number)?;
        let spans = match found {
            Found::Nothing => return None,
            Found::Whole => return Some(Decided::Whole),
            Found::Spans(spans) => spans,
        };
        let matched = u32::try_from(spans.iter().filter(|own| **own).count()).unwrap_or(u32::MAX);
        let first = family.members.get(spans.iter().position(|own| *own)?)?;
        Some(Decided::Spans(Match { number, matched, first: (first.start, first.key) }))
    }

    /// The rows of a block on which a condition holds that columns decide; they are remembered.
    pub(super) fn rows<T>(&self, node: &Node, block: usize, then: impl FnOnce(&Rows) -> T) -> T {
        let of = (std::ptr::from_ref(node).addr(), block);
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(of).or_default())
        };
        then(answer.get_or_init(|| {
            let block = self.columns.blocks.get(block);
            block.map(|block| node.upper(*block, block.all(), &self.plan.leaves)).unwrap_or_default()
        }))
    }

    /// Takes those spans out on which a condition does not hold that columns decide.
    fn narrow(&self, node: &Node, family: &Family<'_, '_>, spans: &mut [bool]) {
        let mut rest = spans;
        for members in family.members.chunk_by(|one, other| one.block == other.block) {
            let (own, after) = rest.split_at_mut(members.len().min(rest.len()));
            rest = after;
            if own.contains(&true) {
                self.rows(node, members.first().map_or(0, |member| member.block), |rows| {
                    own.iter_mut().zip(members).for_each(|(span, member)| *span &= rows.has(member.row));
                });
            }
        }
    }
}

impl Evaluator<'_, '_> {
    /// Of these rows of a block at least those on which a condition holds. What columns decide is remembered.
    pub(super) fn upper(&self, node: &Node, place: usize, rows: Rows) -> Rows {
        let Some(block) = self.columns.blocks.get(place) else { return rows };
        if rows.is_empty() {
            return rows;
        }
        match node {
            Node::Always => rows,
            node if node.is_columnar() => self.rows(node, place, |so| rows.and(so)),
            Node::All(parts) => parts.iter().fold(rows, |rows, part| self.upper(part, place, rows)),
            Node::Any(parts) => {
                let each = parts.iter().map(|part| self.upper(part, place, rows.clone()));
                each.reduce(|one, other| one.or(&other)).unwrap_or_default()
            }
            node => node.upper(*block, rows, &self.plan.leaves),
        }
    }
}

impl Case<'_, '_, '_> {
    fn set(&self, set: &Set, among: &[bool]) -> Found {
        match set {
            Set::Spans { node, trace } => {
                let mut spans = among.to_vec();
                self.narrow(trace, &mut spans);
                self.narrow(node, &mut spans);
                Found::of(spans)
            }
            Set::Whole(node) => {
                if self.holds_somewhere(node, among) {
                    Found::Whole
                } else {
                    Found::Nothing
                }
            }
            Set::NoSpan(node) => {
                if self.holds_somewhere(node, among) {
                    Found::Nothing
                } else {
                    Found::Whole
                }
            }
            Set::Both(sets) => {
                let mut all = Found::Whole;
                for set in sets {
                    match self.set(set, among) {
                        Found::Nothing => return Found::Nothing,
                        found => all = all.or(found),
                    }
                }
                all
            }
            Set::Either(sets) => sets.iter().map(|set| self.set(set, among)).fold(Found::Nothing, Found::or),
            Set::Structural { left, right, place, negated, both } => {
                let left = self.set(left, among).into_spans(among.len());
                let right = self.set(right, among).into_spans(among.len());
                Found::of(self.structural((&left, &right), *place, (*negated, *both)))
            }
            Set::Piped(inner, steps) => match self.set(inner, among) {
                Found::Nothing => Found::Nothing,
                found => self.piped(found.into_spans(among.len()), steps),
            },
        }
    }

    fn structural(&self, (left, right): (&[bool], &[bool]), place: Place, (negated, both): (bool, bool)) -> Vec<bool> {
        let join = |one: &[bool], other: &[bool], negated: bool| -> Vec<bool> {
            one.iter().zip(other).map(|(one, other)| *one && *other != negated).collect()
        };
        let mut found = join(right, &self.family.standing(place, left), negated);
        if both {
            let others = join(left, &self.family.standing(place.back(), right), false);
            found.iter_mut().zip(others).for_each(|(found, other)| *found |= other);
        }
        found
    }

    fn holds_somewhere(&self, node: &Node, among: &[bool]) -> bool {
        let mut spans = among.to_vec();
        self.narrow(node, &mut spans);
        spans.contains(&true)
    }

    /// Takes those spans out on which the condition does not hold.
    fn narrow(&self, node: &Node, spans: &mut Vec<bool>) {
        match node {
            Node::Always => {}
            node if node.is_columnar() => self.evaluator.narrow(node, self.family, spans),
            Node::All(parts) => {
                for part in parts {
                    if !spans.contains(&true) {
                        return;
                    }
                    self.narrow(part, spans);
                }
            }
            Node::Any(parts) => {
                let mut any = vec![false; spans.len()];
                for part in parts {
                    let mut own = spans.clone();
                    self.narrow(part, &mut own);
                    any.iter_mut().zip(own).for_each(|(any, own)| *any |= own);
                }
                *spans = any;
            }
            Node::Not(inner) => {
                let mut so = spans.clone();
                self.narrow(inner, &mut so);
                spans.iter_mut().zip(so).for_each(|(span, so)| *span &= !so);
            }
            // Columns decide it.
            Node::Leaf(_) => {}
            Node::Related(of, inner) => {
                let mut all = vec![true; spans.len()];
                self.narrow(inner, &mut all);
                and(spans, &self.family.related(*of, &all));
            }
            Node::Trace(test) => {
                if !trace_holds(*test, self.id, self.family.extent) {
                    spans.fill(false);
                }
            }
            Node::Computed(expression, _) => {
                for (place, span) in spans.iter_mut().enumerate().filter(|(_, span)| **span) {
                    *span = compute::holds(expression, &self.family.facts(place));
                }
            }
        }
    }

    fn piped(&self, spans: Vec<bool>, steps: &[Step]) -> Found {
        let mut groups = vec![spans];
        for step in steps {
            groups = match step {
                Step::Select => groups,
                Step::Coalesce => vec![self.joined(groups)],
                Step::By(keys) => groups.into_iter().flat_map(|group| self.parted(&group, keys)).collect(),
                Step::Aggregate(expression) => {
                    groups.into_iter().filter(|group| self.group_holds(expression, group)).collect()
                }
                Step::Filter(set) => {
                    let kept = |group: Vec<bool>| match self.set(set, &group) {
                        Found::Nothing => None,
                        Found::Whole => Some(group),
                        Found::Spans(spans) => Some(spans),
                    };
                    groups.into_iter().filter_map(kept).collect()
                }
            };
        }
        Found::of(self.joined(groups))
    }

    fn joined(&self, groups: Vec<Vec<bool>>) -> Vec<bool> {
        let mut all = vec![false; self.family.len()];
        for group in groups {
            all.iter_mut().zip(group).for_each(|(all, own)| *all |= own);
        }
        all
    }

    /// A group for each combination of values; nothing is a value too.
    fn parted(&self, group: &[bool], keys: &[FieldExpr]) -> Vec<Vec<bool>> {
        let mut known: Vec<Vec<Option<Val<'_>>>> = Vec::new();
        let mut groups: Vec<Vec<bool>> = Vec::new();
        let mut by_text: HashMap<Vec<Option<String>>, usize> = HashMap::new();
        for (place, _) in group.iter().enumerate().filter(|(_, own)| **own) {
            let facts = self.family.facts(place);
            let key: Vec<Option<Val<'_>>> =
                keys.iter().map(|key| compute::values(key, &facts).into_iter().next().map(Val::into_owned)).collect();
            // A few groups are compared one by one; what is equal by value is told apart by how it is written.
            let found =
                if known.len() < MANY_GROUPS { known.iter().rposition(|other| is_same(other, &key)) } else { None };
            let found = found.unwrap_or_else(|| {
                let text = key.iter().map(|value| value.as_ref().map(|value| format!("{value:?}"))).collect();
                *by_text.entry(text).or_insert(groups.len())
            });
            if found == groups.len() {
                groups.push(vec![false; group.len()]);
                known.push(key);
            }
            groups[found][place] = true;
        }
        groups
    }

    fn group_holds(&self, expression: &FieldExpr, group: &[bool]) -> bool {
        group_holds(expression, &|own| match own {
            FieldExpr::Aggregate(Aggregate::Count, _) => {
                let count = group.iter().filter(|own| **own).count();
                i64::try_from(count).ok().map(Number::Whole)
            }
            FieldExpr::Aggregate(aggregate, inner) => {
                summed_up(*aggregate, &mut self.numbers(inner.as_deref()?, group))
            }
            _ => None,
        })
    }

    fn numbers(&self, expression: &FieldExpr, group: &[bool]) -> Vec<Number> {
        let members = group.iter().enumerate().filter(|(_, own)| **own);
        if let FieldExpr::Field(super::Relation::Own, super::field::Field::Duration) = expression {
            let duration = |place: usize| {
                let member = &self.family.members[place];
                compute::of_nanos(member.end.since(member.start).0)
            };
            return members.map(|(place, _)| duration(place)).collect();
        }
        let number = |place: usize| {
            let facts = self.family.facts(place);
            let facts: &dyn Facts = &facts;
            compute::first_number(&compute::values(expression, facts))
        };
        members.filter_map(|(place, _)| number(place)).collect()
    }
}

fn and(spans: &mut [bool], other: &[bool]) {
    spans.iter_mut().zip(other).for_each(|(span, other)| *span &= other);
}

/// The matching spans of a trace by start.
pub(super) fn keys(family: &Family<'_, '_>, found: &Found) -> Vec<SpanKey> {
    let Found::Spans(spans) = found else { return Vec::new() };
    let matching = family.members.iter().zip(spans).filter(|(_, own)| **own);
    matching.map(|(member, _)| member.key).collect()
}

/// Groups that are compared one by one.
const MANY_GROUPS: usize = 16;

/// Whether two combinations of values are the same, if that is quickly told.
fn is_same(one: &[Option<Val<'_>>], other: &[Option<Val<'_>>]) -> bool {
    let same = |(one, other): (&Option<Val<'_>>, &Option<Val<'_>>)| match (one, other) {
        (Some(Val::Number(Number::Broken(_))), _) => false,
        (one, other) => one == other,
    };
    one.iter().zip(other).all(same)
}

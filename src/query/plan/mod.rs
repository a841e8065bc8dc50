//! A filter made ready to run.
//!
//! A filter asks for sets of spans ([`Set`]); each set is what a condition ([`Node`]) holds on; conditions are made of
//! leaves, which columns answer for whole blocks, and of what needs the other spans of the trace.

mod columns;
mod leaf;

pub(super) use self::leaf::{Leaf, keys, nanos, places, range, trace_id};

use super::field::Field;
use super::literal::Literal;
use super::spans::{FieldExpr, Place, Stage};
use super::terms::{Comparison, Condition, Expr, Query, Relation, Says};
use crate::model::{Timestamp, TraceId};

/// A filter, ready to run.
pub(super) struct Plan {
    /// What columns are asked.
    pub(super) leaves: Vec<Leaf>,
    /// What is wanted.
    pub(super) set: Set,
    /// At most so many traces.
    pub(super) limit: usize,
    /// No other trace is meant.
    pub(super) only: Option<TraceId>,
}

/// A set of spans of a trace, or the trace as a whole.
pub(super) enum Set {
    /// The spans on which the first holds, if the second (on the trace) does.
    Spans { node: Node, trace: Node },
    /// The trace as a whole, if the condition holds on one of its spans.
    Whole(Node),
    /// The trace as a whole, if the condition holds on none of its spans.
    NoSpan(Node),
    /// If all of them find something: what they find.
    Both(Vec<Self>),
    /// What any of them finds.
    Either(Vec<Self>),
    /// By place.
    Structural { left: Box<Self>, right: Box<Self>, place: Place, negated: bool, both: bool },
    /// What stages leave.
    Piped(Box<Self>, Vec<Step>),
}

/// A stage, ready to run.
pub(super) enum Step {
    Filter(Set),
    Aggregate(FieldExpr),
    By(Vec<FieldExpr>),
    Coalesce,
    Select,
}

/// A condition on a span.
pub(super) enum Node {
    Always,
    /// One of [`Plan::leaves`].
    Leaf(usize),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// On a relative.
    Related(Relation, Box<Self>),
    /// On the trace.
    Trace(TraceTest),
    /// What only the whole span says; `.1`: and its relatives.
    Computed(FieldExpr, bool),
}

/// A condition on a trace.
#[derive(Clone, Copy)]
pub(super) enum TraceTest {
    Id(TraceId),
    /// Its duration is within.
    Duration(u64, u64),
    /// It began within.
    Start(u64, u64),
    Never,
}

impl Plan {
    pub(super) fn new(query: &Query, now: Timestamp) -> Self {
        let mut builder = Builder { leaves: Vec::new(), within: bounds(query, now) };
        let parts: Vec<&Expr> = query
            .terms
            .iter()
            .filter_map(|term| match &term.says {
                Says::Spans(part) => Some(part),
                _ => None,
            })
            .collect();
        let mut set = builder.joined(&parts);
        if let (Some(_), false) = (builder.within, matches!(set, Set::Spans { .. })) {
            let start = builder.bound().unwrap_or(Node::Always);
            set = Set::Both(vec![Set::Whole(start), set]);
        }
        if !query.stages.is_empty() {
            let steps = query.stages.iter().map(|stage| builder.step(&stage.stage)).collect();
            set = Set::Piped(Box::new(set), steps);
        }
        let limit = query.limit().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Self { leaves: builder.leaves, set, limit, only: only(&parts) }
    }
}

/// The trace that one of the conditions names.
fn only(parts: &[&Expr]) -> Option<TraceId> {
    parts.iter().find_map(|part| match part {
        Expr::Is(Condition { of: Relation::Own, field: Field::TraceId, comparison: Comparison::Equal, value }) => {
            trace_id(value)
        }
        _ => None,
    })
}

/// When spans must begin, if the query says so.
fn bounds(query: &Query, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let (mut from, mut to, mut any) = (Timestamp(0), Timestamp(u64::MAX), false);
    for term in &query.terms {
        match &term.says {
            Says::Spans(_) | Says::Limit(_) => continue,
            Says::Since(moment) => from = from.max(moment.then(now)),
            Says::Lookback(ago) => from = from.max(Timestamp(now.0.saturating_sub(ago.0))),
            Says::Until(moment) => to = to.min(moment.then(now)),
        }
        any = true;
    }
    any.then_some((from, to))
}

struct Builder {
    leaves: Vec<Leaf>,
    within: Option<(Timestamp, Timestamp)>,
}

impl Builder {
    fn leaf(&mut self, leaf: Leaf) -> Node {
        self.leaves.push(leaf);
        Node::Leaf(self.leaves.len() - 1)
    }

    fn bound(&mut self) -> Option<Node> {
        let (from, to) = self.within?;
        Some(self.leaf(Leaf::start(from, to)))
    }

    /// Parts that must all hold; those without braces on one span.
    fn joined(&mut self, parts: &[&Expr]) -> Set {
        let (sets, bare): (Vec<&Expr>, Vec<&Expr>) = parts.iter().partition(|part| part.holds_braces());
        let mut joined: Vec<Set> = Vec::new();
        if !bare.is_empty() || sets.is_empty() {
            joined.push(self.bare(&bare));
        }
        joined.extend(sets.into_iter().map(|part| self.set(part)));
        single(joined, Set::Both)
    }

    /// Parts without braces: on one span, unless none of them says what that is.
    fn bare(&mut self, parts: &[&Expr]) -> Set {
        match parts {
            [] => return Set::Whole(Node::Always),
            // Each alternative is a filter of its own.
            [part @ Expr::Any(_)] => return self.set(part),
            _ => {}
        }
        if parts.iter().any(|part| part.is_positive()) {
            let nodes = parts.iter().map(|part| self.node(part)).collect();
            return self.spans(nodes);
        }
        let sets = parts.iter().map(|part| match part {
            Expr::Not(inner) => {
                let node = self.node(inner);
                if node.is_about_trace() { Set::Whole(Node::Not(Box::new(node))) } else { Set::NoSpan(node) }
            }
            Expr::Is(condition) if condition.of == Relation::None => {
                let own = Condition { of: Relation::Own, ..condition.clone() };
                Set::NoSpan(self.condition(&own))
            }
            Expr::Is(condition) => Set::Whole(self.condition(condition)),
            other => self.set(other),
        });
        let sets = sets.collect();
        single(sets, Set::Both)
    }

    /// The spans on which all of these hold.
    fn spans(&mut self, mut nodes: Vec<Node>) -> Set {
        nodes.extend(self.bound());
        let (trace, own): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(Node::is_about_trace);
        let node = self.all(own);
        Set::Spans { node, trace: self.all(trace) }
    }

    fn all(&self, mut nodes: Vec<Node>) -> Node {
        nodes.sort_by_key(|node| node.cost(&self.leaves));
        match nodes.len() {
            0 => Node::Always,
            _ => single(nodes, Node::All),
        }
    }

    fn set(&mut self, part: &Expr) -> Set {
        match part {
            Expr::Braces(None) => self.spans(Vec::new()),
            Expr::Braces(Some(expression)) => {
                let node = self.expression(expression);
                let nodes = match node {
                    Node::All(nodes) => nodes,
                    node => vec![node],
                };
                self.spans(nodes)
            }
            Expr::Structural(structural) => Set::Structural {
                left: Box::new(self.set(&structural.left)),
                right: Box::new(self.set(&structural.right)),
                place: structural.place,
                negated: structural.negated,
                both: structural.both,
            },
            Expr::Piped(inner, stages) => {
                let set = self.set(inner);
                Set::Piped(Box::new(set), stages.iter().map(|stage| self.step(stage)).collect())
            }
            Expr::Any(_) if all_positive(part) => {
                let node = self.node(part);
                self.spans(vec![node])
            }
            Expr::Any(parts) => Set::Either(parts.iter().map(|part| self.set(part)).collect()),
            Expr::All(parts) => self.joined(&parts.iter().collect::<Vec<_>>()),
            Expr::Is(_) | Expr::Not(_) => self.bare(&[part]),
        }
    }

    fn step(&mut self, stage: &Stage) -> Step {
        match stage {
            Stage::Filter(inner) => Step::Filter(self.set(inner)),
            Stage::Aggregate(expression) => Step::Aggregate(expression.clone()),
            Stage::By(list) => Step::By(list.clone()),
            Stage::Coalesce => Step::Coalesce,
            Stage::Select(_) => Step::Select,
        }
    }

    /// A condition on one span.
    fn node(&mut self, part: &Expr) -> Node {
        match part {
            Expr::All(parts) => {
                let nodes = parts.iter().map(|part| self.node(part)).collect();
                self.all(nodes)
            }
            Expr::Any(parts) => Node::Any(parts.iter().map(|part| self.node(part)).collect()),
            Expr::Not(inner) => Node::Not(Box::new(self.node(inner))),
            Expr::Is(condition) => self.condition(condition),
            // The parser lets no braces stand here.
            Expr::Braces(_) | Expr::Structural(_) | Expr::Piped(..) => Node::never(),
        }
    }

    fn condition(&mut self, condition: &Condition) -> Node {
        let Condition { of, field, comparison, value } = condition;
        let node = self.own(field, *comparison, value);
        match of {
            Relation::Own => node,
            of => Node::Related(*of, Box::new(node)),
        }
    }

    fn own(&mut self, field: &Field, comparison: Comparison, value: &Literal) -> Node {
        let not = comparison == Comparison::NotEqual;
        let trace = |test: TraceTest| {
            let node = Node::Trace(test);
            if not { Node::Not(Box::new(node)) } else { node }
        };
        match (field, nanos(value)) {
            (Field::TraceId, _) => trace(trace_id(value).map_or(TraceTest::Never, TraceTest::Id)),
            (Field::TraceDuration, Some(nanos)) => {
                let range = range(comparison, nanos);
                trace(range.map_or(TraceTest::Never, |(least, most)| TraceTest::Duration(least, most)))
            }
            (Field::TraceStart, Some(nanos)) => {
                let range = range(comparison, nanos);
                trace(range.map_or(TraceTest::Never, |(least, most)| TraceTest::Start(least, most)))
            }
            (Field::RootName, _) => Node::Related(Relation::Root, Box::new(self.own(&Field::Name, comparison, value))),
            (Field::RootService, _) => {
                Node::Related(Relation::Root, Box::new(self.own(&Field::Service, comparison, value)))
            }
            _ => match Leaf::new(field, comparison, value) {
                Some(leaf) => self.leaf(leaf),
                None => computed(FieldExpr::Compare(
                    Box::new(FieldExpr::Field(Relation::Own, field.clone())),
                    comparison,
                    Box::new(FieldExpr::Literal(value.clone())),
                )),
            },
        }
    }

    /// An expression within braces.
    fn expression(&mut self, expression: &FieldExpr) -> Node {
        match expression {
            FieldExpr::All(parts) => {
                let nodes = parts.iter().map(|part| self.expression(part)).collect();
                self.all(nodes)
            }
            FieldExpr::Any(parts) => Node::Any(parts.iter().map(|part| self.expression(part)).collect()),
            FieldExpr::Not(inner) if inner.is_logical() => Node::Not(Box::new(self.expression(inner))),
            FieldExpr::Literal(Literal::Bool(true)) => Node::Always,
            FieldExpr::Field(of, field) => self.truth(*of, field, true),
            FieldExpr::Not(inner) => match &**inner {
                FieldExpr::Field(of, field) => self.truth(*of, field, false),
                inner => Node::Not(Box::new(self.expression(inner))),
            },
            FieldExpr::Compare(left, comparison, right) => match (&**left, &**right) {
                (FieldExpr::Field(of, field), FieldExpr::Literal(value)) => {
                    self.compared((*of, field), *comparison, value)
                }
                (FieldExpr::Literal(value), FieldExpr::Field(of, field))
                    if !matches!(comparison, Comparison::Matches | Comparison::MatchesNot) =>
                {
                    self.compared((*of, field), comparison.flipped(), value)
                }
                _ => self.compared_values(expression),
            },
            FieldExpr::Literal(_) | FieldExpr::Negative(_) | FieldExpr::Compute(..) | FieldExpr::Aggregate(..) => {
                Node::never()
            }
        }
    }

    fn compared(&mut self, (of, field): (Relation, &Field), comparison: Comparison, value: &Literal) -> Node {
        self.condition(&Condition { of, field: field.clone(), comparison, value: value.clone() })
    }

    fn truth(&mut self, of: Relation, field: &Field, truth: bool) -> Node {
        self.compared((of, field), Comparison::Equal, &Literal::Bool(truth))
    }

    /// A comparison of values that are worked out: the attributes in it must be there.
    fn compared_values(&mut self, expression: &FieldExpr) -> Node {
        let mut needed = Vec::new();
        if let FieldExpr::Compare(left, _, right) = expression {
            operands(left, &mut needed);
            operands(right, &mut needed);
        }
        let mut nodes: Vec<Node> = Vec::new();
        for field in needed {
            if let Field::Attribute(attribute) = field {
                nodes.push(self.leaf(Leaf::present(attribute)));
            }
        }
        nodes.push(computed(expression.clone()));
        self.all(nodes)
    }
}

/// The span's own fields whose values go into a number or a text.
fn operands<'e>(expression: &'e FieldExpr, into: &mut Vec<&'e Field>) {
    match expression {
        FieldExpr::Field(Relation::Own, field) => into.push(field),
        FieldExpr::Negative(inner) => operands(inner, into),
        FieldExpr::Compute(left, _, right) => {
            operands(left, into);
            operands(right, into);
        }
        _ => {}
    }
}

fn computed(expression: FieldExpr) -> Node {
    let related = needs_relatives(&expression);
    Node::Computed(expression, related)
}

/// Whether a span alone cannot say what an expression comes to.
fn needs_relatives(expression: &FieldExpr) -> bool {
    match expression {
        FieldExpr::Literal(_) => false,
        FieldExpr::Field(of, field) => {
            *of != Relation::Own
                || matches!(
                    field,
                    Field::ChildCount
                        | Field::NestedLeft
                        | Field::NestedRight
                        | Field::NestedParent
                        | Field::TraceDuration
                        | Field::TraceStart
                        | Field::RootName
                        | Field::RootService
                )
        }
        FieldExpr::Not(inner) | FieldExpr::Negative(inner) => needs_relatives(inner),
        FieldExpr::All(parts) | FieldExpr::Any(parts) => parts.iter().any(needs_relatives),
        FieldExpr::Compare(left, _, right) | FieldExpr::Compute(left, _, right) => {
            needs_relatives(left) || needs_relatives(right)
        }
        FieldExpr::Aggregate(_, inner) => inner.as_deref().is_some_and(needs_relatives),
    }
}

/// Whether every alternative, and every one of its alternatives, says what one span is.
fn all_positive(part: &Expr) -> bool {
    match part {
        Expr::Any(parts) => parts.iter().all(all_positive),
        part => part.is_positive() && !part.holds_braces(),
    }
}

/// The only one, or all together.
fn single<T>(mut list: Vec<T>, together: impl FnOnce(Vec<T>) -> T) -> T {
    let only = if list.len() == 1 { list.pop() } else { None };
    only.unwrap_or_else(|| together(list))
}

impl Node {
    fn never() -> Self {
        Self::Not(Box::new(Self::Always))
    }

    /// Whether the trace alone decides it.
    pub(super) fn is_about_trace(&self) -> bool {
        match self {
            Self::Trace(_) => true,
            Self::All(parts) | Self::Any(parts) => !parts.is_empty() && parts.iter().all(Self::is_about_trace),
            Self::Not(inner) => inner.is_about_trace(),
            Self::Always | Self::Leaf(_) | Self::Related(..) | Self::Computed(..) => false,
        }
    }

    /// Whether the span alone decides it.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Always | Self::Leaf(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_local),
            Self::Not(inner) => inner.is_local(),
            Self::Computed(_, related) => !related,
            Self::Trace(_) | Self::Related(..) => false,
        }
    }

    /// Conditions that must hold on some other span of the trace if this is to hold on one.
    pub(super) fn relatives<'n>(&'n self, each: &mut dyn FnMut(&'n Self)) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.relatives(each)),
            Self::Related(of, inner) if *of != Relation::None && inner.is_local() => each(inner),
            _ => {}
        }
    }

    /// Whether columns decide it.
    pub(super) fn is_columnar(&self) -> bool {
        match self {
            Self::Always | Self::Leaf(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_columnar),
            Self::Not(inner) => inner.is_columnar(),
            Self::Computed(..) | Self::Trace(_) | Self::Related(..) => false,
        }
    }

    fn cost(&self, leaves: &[Leaf]) -> u8 {
        match self {
            Self::Always | Self::Trace(_) => 0,
            Self::Leaf(leaf) => leaves[*leaf].cost(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(|part| part.cost(leaves)).max().unwrap_or(0),
            Self::Not(inner) => inner.cost(leaves).max(9),
            Self::Related(..) => 10,
            Self::Computed(..) => 11,
        }
    }
}

//! One trace as the rules look at it, and what they found so far.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;

use super::calls::{Calls, Group};
use super::traits::Traits;
use super::words;
use super::{Finding, Rule, Severity};
use crate::analysis::parents::number;
use crate::analysis::path;
use crate::analysis::shape::hash;
use crate::analysis::thresholds::Thresholds;
use crate::analysis::tree::{Analysis, Node};
use crate::analysis::verdict::percent;
use crate::analysis::whole::Whole;
use crate::model::{Kind, Nanos, Span, Timestamp, TraceSpan};

/// Findings of one rule in one trace: a trace in which everything is odd is not told line by line.
const MOST: usize = 100;

/// One trace as the rules look at it.
pub(super) struct Case<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) thresholds: &'a Thresholds,
    pub(super) calls: Calls,
    /// Which rule explains a node already.
    claims: Vec<Option<Rule>>,
    /// How long the critical path is: as long as the main root.
    critical: Nanos,
    pub(super) whole: Whole<'a>,
    /// What spans are called, by signature: reading a statement costs more than looking it up.
    subjects: RefCell<HashMap<u64, Rc<str>>>,
    found: Vec<Finding>,
    /// Where in `found` a fingerprint is, and the cost of the instance that is told of.
    known: HashMap<u64, (usize, Nanos)>,
    /// How many findings of each rule there are.
    counts: HashMap<Rule, usize>,
}

/// What a rule found, before it is a finding.
pub(super) struct Instance {
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    pub(super) nodes: Vec<u32>,
    pub(super) cost: Nanos,
    /// What makes it the same bug in other traces, beside the rule.
    pub(super) same: u64,
}

/// What is told of an instance, where it is told.
pub(super) struct Told {
    pub(super) what: Rc<str>,
    pub(super) why: String,
}

impl<'a> Case<'a> {
    pub(super) fn new(analysis: &'a Analysis, thresholds: &'a Thresholds, whole: Whole<'a>) -> Self {
        Self {
            analysis,
            thresholds,
            calls: Calls::of(analysis),
            claims: vec![None; analysis.nodes.len()],
            critical: path::main_root(analysis).map_or(Nanos::ZERO, |root| analysis.nodes[root as usize].duration()),
            whole,
            subjects: RefCell::default(),
            found: Vec::new(),
            known: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Takes down what a rule found. The same bug twice in one trace is one finding that costs the sum of both; it says why
    /// of the one that costs more. What is not said is not put into words: a large trace may have thousands of instances.
    pub(super) fn found(&mut self, instance: Instance, tell: impl FnOnce(&Self) -> Told) {
        let Instance { rule, severity, nodes, cost, same } = instance;
        let fingerprint = hash((rule.name(), same));
        if let Some((place, most)) = self.known.get(&fingerprint).copied() {
            let why = (cost > most).then(|| tell(self).why);
            self.known.insert(fingerprint, (place, most.max(cost)));
            if let Some(known) = self.found.get_mut(place) {
                known.severity = known.severity.max(severity);
                known.nodes.extend(nodes);
                known.cost = Nanos(known.cost.0.saturating_add(cost.0));
                if let Some(why) = why {
                    known.why = why;
                }
            }
            return;
        }
        let count = self.counts.entry(rule).or_default();
        if *count >= MOST {
            return;
        }
        *count += 1;
        let Told { what, why } = tell(self);
        self.known.insert(fingerprint, (self.found.len(), cost));
        self.found.push(Finding { rule, severity, what: (*what).to_owned(), why, nodes, cost, fingerprint });
    }

    /// All that was found.
    pub(super) fn merged(self) -> Vec<Finding> {
        self.found
    }

    /// Marks nodes as explained by `rule`.
    pub(super) fn claim(&mut self, rule: Rule, nodes: &[u32]) {
        for node in nodes {
            if let Some(claim) = self.claims.get_mut(*node as usize) {
                *claim = Some(rule);
            }
        }
    }

    /// Which rule explains a node already.
    pub(super) fn claimed(&self, node: u32) -> Option<Rule> {
        self.claims.get(node as usize).copied().flatten()
    }

    /// A whole span; `None` where it is not held, or enough was looked up for this trace.
    pub(super) fn whole(&mut self, node: u32) -> Option<&Span> {
        self.whole.span(self.analysis, node)
    }

    /// Looks up what will be asked for, all at once.
    pub(super) fn fetch(&mut self, nodes: &[u32]) {
        self.whole.fetch(self.analysis, nodes);
    }

    /// The groups of like calls of one parent. Whoever takes them puts them back.
    pub(super) fn take_groups(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.calls.groups)
    }

    /// Nodes with the same key together, each group in the order given, groups by their first.
    pub(super) fn grouped<T>(nodes: impl IntoIterator<Item = (u64, T)>) -> Vec<Vec<T>> {
        let mut groups: Vec<Vec<T>> = Vec::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        for (key, node) in nodes {
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.push(node);
            }
        }
        groups
    }

    /// What a node is called in findings.
    pub(super) fn what(&self, node: u32) -> Rc<str> {
        let Some(span) = self.span(node) else { return "a span that is not here".into() };
        let mut subjects = self.subjects.borrow_mut();
        Rc::clone(subjects.entry(self.signature(node)).or_insert_with(|| words::subject(span).into()))
    }

    /// What a node is called beside another: where both have one name, with its service.
    pub(super) fn what_beside(&self, node: u32, other: u32) -> Rc<str> {
        let what = self.what(node);
        let (service, others) = (self.span(node).map(|span| &span.service), self.span(other).map(|span| &span.service));
        match service {
            Some(service) if *what == *self.what(other) && Some(service) != others => {
                format!("{what} of {service}").into()
            }
            _ => what,
        }
    }

    pub(super) fn node(&self, node: u32) -> &'a Node {
        &self.analysis.nodes[node as usize]
    }

    pub(super) fn span(&self, node: u32) -> Option<&'a TraceSpan> {
        self.analysis.span(node)
    }

    pub(super) fn traits(&self, node: u32) -> Traits {
        self.calls.traits.get(node as usize).copied().unwrap_or_default()
    }

    /// The nodes of which something holds, in the order of the tree.
    pub(super) fn nodes_where(&self, holds: impl Fn(Traits) -> bool) -> Vec<u32> {
        self.analysis.order.iter().copied().filter(|node| holds(self.calls.traits[*node as usize])).collect()
    }

    pub(super) fn kind(&self, node: u32) -> Option<Kind> {
        self.span(node).map(|span| span.key.kind)
    }

    /// What tells the calls of a node from others, over all traces.
    pub(super) fn signature(&self, node: u32) -> u64 {
        self.calls.signatures.get(node as usize).copied().unwrap_or_default()
    }

    /// What tells a place in the code: a span and its parent, over all traces.
    pub(super) fn place(&self, node: u32) -> u64 {
        let parent = self.node(node).parent.map(|parent| self.signature(parent));
        hash((self.signature(node), parent))
    }

    /// The share of `part` in the trace, in percent.
    pub(super) fn share(&self, part: Nanos) -> u8 {
        percent(part, self.analysis.duration())
    }

    /// The share of `part` in the critical path of the trace, in percent.
    pub(super) fn path_share(&self, part: Nanos) -> u8 {
        percent(part, self.critical)
    }

    /// What the shares of the critical path are of: where the root is not the whole trace, that is no share of the trace.
    pub(super) fn critical_is(&self) -> &'static str {
        if self.critical == self.analysis.duration() { "the trace" } else { "the critical path" }
    }

    /// How much of the critical path runs through these nodes.
    pub(super) fn on_path(&self, nodes: &[u32]) -> Nanos {
        Nanos(nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(self.node(*node).path.0)))
    }

    /// When these nodes ran.
    pub(super) fn spread(&self, nodes: &[u32]) -> Spread {
        Spread::of(self.analysis, nodes, self.thresholds.clock_grain)
    }
}

/// When some nodes ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// Earliest start.
    pub(super) start: Timestamp,
    /// Latest end.
    pub(super) end: Timestamp,
    /// The sum of their durations.
    pub(super) sum: Nanos,
    /// How long at least one of them ran.
    pub(super) busy: Nanos,
    /// How often one began while the one before still ran, by more than their clocks explain.
    pub(super) overlaps: u32,
    /// The longest of them.
    pub(super) longest: Nanos,
    /// By how much their clocks may be off.
    pub(super) grain: Nanos,
}

impl Spread {
    fn of(analysis: &Analysis, nodes: &[u32], clock_grain: Nanos) -> Self {
        let node = |index: &u32| &analysis.nodes[*index as usize];
        let coarse = nodes.iter().all(|index| node(index).start.0.is_multiple_of(1_000_000));
        let grain = if coarse { clock_grain } else { Nanos(clock_grain.0 / 50) };
        let mut spread = Self { start: Timestamp(u64::MAX), grain, ..Self::default() };
        // Of two that seem to begin together by a coarse clock, the one that ended first was first.
        let mut times: Vec<(Timestamp, Timestamp)> =
            nodes.iter().map(node).map(|node| (node.start, node.end)).collect();
        times.sort_unstable();
        for (start, end) in times {
            let duration = end.since(start);
            spread.overlaps += u32::from(spread.end.since(start) > grain);
            spread.busy = Nanos(spread.busy.0 + end.since(spread.end.max(start)).0);
            spread.sum = Nanos(spread.sum.0.saturating_add(duration.0));
            spread.longest = spread.longest.max(duration);
            spread.start = spread.start.min(start);
            spread.end = spread.end.max(end);
        }
        spread
    }

    /// From the first start to the last end.
    pub(super) fn extent(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// Whether they ran one after another. One overlap in ten is let pass, and what coarse clocks explain.
    pub(super) fn in_sequence(&self, count: usize) -> bool {
        let extent = self.extent().0;
        number(count) >= self.overlaps.saturating_mul(10) && self.sum.0 <= extent + extent / 10 + self.grain.0
    }
}

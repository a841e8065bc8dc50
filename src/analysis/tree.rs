//! The tree of a trace, with the judgements that the waterfall shows.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::failure;
use super::findings::Finding;
use super::parents::{self, Links, number};
use super::path::{self, Segment};
use super::shape::{self, Likeness};
use super::skew::Skew;
use super::slow_sql::{self, Slow};
use super::thresholds::Thresholds;
use super::verdict::{Verdict, verdict};
use super::waterfall::RowKey;
use crate::model::{Nanos, SpanId, StatusCode, Timestamp, Trace, TraceSpan};

/// A trace with its tree and what was judged of its spans. Built once for each state of the trace, shared from then on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// The trace.
    pub trace: Arc<Trace>,
    /// One node per span, at the span's index; after them one per missing parent.
    pub nodes: Vec<Node>,
    /// Children lists of the nodes, in order of start: [`Node::children`] are ranges of it.
    pub children: Vec<u32>,
    /// Nodes without a parent node, in order of start.
    pub roots: Vec<u32>,
    /// Every node in order of the tree: depth first, each before its children.
    pub order: Vec<u32>,
    /// Merged intervals, clipped to their node, in which children ran: [`Node::covered`] are ranges of it.
    pub covered: Vec<(Timestamp, Timestamp)>,
    /// The critical path of each root, root after root, each in order of time: together they cover the root exactly.
    pub path: Vec<Segment>,
    /// Which part of it is whose, in the order of the roots.
    pub(super) paths: Vec<Range<usize>>,
    /// Earliest start.
    pub start: Timestamp,
    /// Latest end.
    pub end: Timestamp,
    /// Nodes with status error, or an exception recorded on them and no status that says it was handled, in order of
    /// the tree.
    pub errors: Vec<u32>,
    /// The span that failed first: of those without failing spans below them whose failure reached the top, the earliest end;
    /// or the one above it that gave up waiting.
    pub root_error: Option<u32>,
    /// Slow database nodes, in order of the tree.
    pub slow: Vec<u32>,
    /// What was found, the worst first; empty where only the tree was looked at.
    pub findings: Vec<Finding>,
    /// Where clocks run apart, in order of the tree; empty where only the tree was looked at.
    pub skews: Vec<Skew>,
    /// By how many nanoseconds each node's times would have to be shifted; empty where no clocks run apart.
    pub shifts: Vec<i64>,
    /// The times are those after that shift.
    pub adjusted: bool,
    /// The services, with how many spans each has, most first.
    pub services: Vec<(Arc<str>, u32)>,
    /// The loudest fact about it.
    pub verdict: Verdict,
    /// What siblings are compared by, per node.
    pub(super) likeness: Vec<Likeness>,
}

/// A span's place in the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What stands here.
    pub subject: Subject,
    /// Its parent's node.
    pub parent: Option<u32>,
    /// Its children, as a range of [`Analysis::children`].
    pub children: Range<u32>,
    /// How many nodes stand above it.
    pub depth: u32,
    /// How many spans stand below it.
    pub descendants: u32,
    /// Of those, how many failed.
    pub failed_descendants: u32,
    /// Of those, how many are slow database calls.
    pub slow_descendants: u32,
    /// When it (for a missing parent: the earliest child) began. A span that says nothing of it stands at the start of
    /// its parent.
    pub start: Timestamp,
    /// When it ended; never before `start`.
    pub end: Timestamp,
    /// When its children ran, merged and clipped to it, as a range of [`Analysis::covered`].
    pub covered: Range<u32>,
    /// Its duration less the time covered by children.
    pub self_time: Nanos,
    /// How much of the critical path runs through it and what stands below it; zero: it is not on it.
    pub path: Nanos,
    /// How much of the critical path it is by itself.
    pub path_self: Nanos,
    /// Whether it is a slow database call, and why.
    pub slow: Option<Slow>,
    /// Status error, or an exception was recorded on it and its status is not OK.
    pub failed: bool,
    /// It took part in a cycle of parents, which was cut here.
    pub cycle: bool,
}

/// What a node of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The span at this index of [`Trace::spans`].
    Span(u32),
    /// A parent that is named by spans but not held (yet).
    Missing(SpanId),
}

impl Node {
    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.end.since(self.start)
    }
}

impl Analysis {
    /// From the earliest start to the latest end.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// The span at a node; `None` for a missing parent, or where there is no such node.
    #[must_use]
    pub fn span(&self, node: u32) -> Option<&TraceSpan> {
        match self.nodes.get(node as usize)?.subject {
            Subject::Span(index) => self.trace.spans.get(index as usize),
            Subject::Missing(_) => None,
        }
    }

    /// A node's children in order of start.
    #[must_use]
    pub fn children_of(&self, node: u32) -> &[u32] {
        let range = self.nodes.get(node as usize).map(|node| node.children.start as usize..node.children.end as usize);
        range.and_then(|range| self.children.get(range)).unwrap_or_default()
    }

    /// When a node's children ran: merged, clipped to it, in order.
    #[must_use]
    pub fn covered_of(&self, node: u32) -> &[(Timestamp, Timestamp)] {
        let range = self.nodes.get(node as usize).map(|node| node.covered.start as usize..node.covered.end as usize);
        range.and_then(|range| self.covered.get(range)).unwrap_or_default()
    }

    /// The identity of a node's row. `None` where there is no such node.
    #[must_use]
    pub fn row_key(&self, node: u32) -> Option<RowKey> {
        match self.nodes.get(node as usize)?.subject {
            Subject::Span(index) => Some(RowKey::Span(self.trace.spans.get(index as usize)?.key)),
            Subject::Missing(id) => Some(RowKey::Missing(id)),
        }
    }
}

/// Builds the tree of `trace` and judges its spans. O(n log n), no recursion: cycles, depth and breadth of any size
/// are fine.
#[must_use]
pub fn analyse(trace: Arc<Trace>, thresholds: &Thresholds) -> Analysis {
    let mut analysis = measured(trace, thresholds);
    analysis.verdict = verdict(&analysis, thresholds);
    analysis
}

/// The same without a verdict: what findings are looked for in.
pub(super) fn measured(trace: Arc<Trace>, thresholds: &Thresholds) -> Analysis {
    let mut analysis = grown(trace, thresholds);
    cover(&mut analysis);
    path::lay(&mut analysis);
    collect(&mut analysis);
    analysis.likeness = shape::likeness(&analysis);
    analysis
}

/// The tree alone, with what failed and what is slow in it: without self times, path, likeness and lists.
pub(super) fn grown(trace: Arc<Trace>, thresholds: &Thresholds) -> Analysis {
    let links = parents::link(&trace.spans);
    let (start, _) = trace.bounds();
    let mut analysis = Analysis { nodes: bare_nodes(&trace, &links), trace, start, end: start, ..Analysis::default() };
    hang_children(&mut analysis, &links);
    place_in_time(&mut analysis);
    sort_children(&mut analysis, &links);
    set_order(&mut analysis);
    judge_nodes(&mut analysis, thresholds);
    count_below(&mut analysis);
    analysis
}

fn bare_nodes(trace: &Trace, links: &Links) -> Vec<Node> {
    let spans = (0..number(trace.spans.len())).map(Subject::Span);
    let missing = links.missing.iter().copied().map(Subject::Missing);
    let node = |(index, subject): (usize, Subject)| Node {
        subject,
        parent: links.parent[index],
        children: 0..0,
        depth: 0,
        descendants: 0,
        failed_descendants: 0,
        slow_descendants: 0,
        start: Timestamp::default(),
        end: Timestamp::default(),
        covered: 0..0,
        self_time: Nanos::ZERO,
        path: Nanos::ZERO,
        path_self: Nanos::ZERO,
        slow: None,
        failed: false,
        cycle: links.cut.get(index).copied().unwrap_or(false),
    };
    spans.chain(missing).enumerate().map(node).collect()
}

/// Gives every node its range of children and fills the ranges, in no particular order yet.
fn hang_children(analysis: &mut Analysis, links: &Links) {
    let mut counts = vec![0_u32; analysis.nodes.len()];
    for parent in links.parent.iter().flatten() {
        counts[*parent as usize] += 1;
    }
    let mut next = 0;
    for (node, count) in analysis.nodes.iter_mut().zip(counts) {
        node.children = next..next;
        next += count;
    }
    analysis.children = vec![0; next as usize];
    for (index, parent) in links.parent.iter().enumerate() {
        if let Some(parent) = parent {
            let range = &mut analysis.nodes[*parent as usize].children;
            analysis.children[range.end as usize] = number(index);
            range.end += 1;
        } else {
            analysis.roots.push(number(index));
        }
    }
}

/// Sets start and end of every node, parents before children because a span without a start takes its parent's.
fn place_in_time(analysis: &mut Analysis) {
    let mut from_the_top = analysis.roots.clone();
    let mut at = 0;
    while let Some(index) = from_the_top.get(at).copied() {
        at += 1;
        from_the_top.extend_from_slice(analysis.children_of(index));
        let node = &analysis.nodes[index as usize];
        let parent = node.parent.map(|parent| &analysis.nodes[parent as usize]);
        let (parent_start, depth) = parent.map_or((analysis.start, 0), |parent| (parent.start, parent.depth + 1));
        let (start, end) = match node.subject {
            Subject::Span(span) => span_times(&analysis.trace.spans[span as usize], parent_start),
            Subject::Missing(_) => missing_times(analysis, index, parent_start),
        };
        let node = &mut analysis.nodes[index as usize];
        (node.start, node.end, node.depth) = (start, end, depth);
        analysis.end = analysis.end.max(end);
    }
}

/// A span without a start has no known duration either.
fn span_times(span: &TraceSpan, parent_start: Timestamp) -> (Timestamp, Timestamp) {
    if span.start.0 == 0 { (parent_start, parent_start) } else { (span.start, span.end.max(span.start)) }
}

fn missing_times(analysis: &Analysis, node: u32, otherwise: Timestamp) -> (Timestamp, Timestamp) {
    let timed = || {
        let spans = analysis.children_of(node).iter().filter_map(|child| analysis.span(*child));
        spans.filter(|span| span.start.0 != 0)
    };
    let start = timed().map(|span| span.start).min().unwrap_or(otherwise);
    let end = timed().map(|span| span.end.max(span.start)).max().unwrap_or(start);
    (start, end)
}

fn sort_children(analysis: &mut Analysis, links: &Links) {
    let nodes = &analysis.nodes;
    let key = |index: &u32| {
        let node = &nodes[*index as usize];
        // Missing parents have no place among the spans: they follow, in the order of their numbers.
        let place = links.place.get(*index as usize).copied().unwrap_or(*index);
        (node.start, Reverse(node.end), place)
    };
    analysis.roots.sort_by_key(key);
    for node in nodes {
        analysis.children[node.children.start as usize..node.children.end as usize].sort_by_key(key);
    }
}

fn set_order(analysis: &mut Analysis) {
    let mut order = Vec::with_capacity(analysis.nodes.len());
    let mut stack: Vec<u32> = analysis.roots.iter().rev().copied().collect();
    while let Some(node) = stack.pop() {
        order.push(node);
        stack.extend(analysis.children_of(node).iter().rev());
    }
    analysis.order = order;
}

fn judge_nodes(analysis: &mut Analysis, thresholds: &Thresholds) {
    let whole = analysis.duration();
    for node in &mut analysis.nodes {
        let Subject::Span(index) = node.subject else { continue };
        let span = &analysis.trace.spans[index as usize];
        node.slow = slow_sql::judge(thresholds, span.category, node.duration(), whole);
        node.failed = failed(span);
    }
}

/// An exception on a span that its sender calls OK was handled; on one that nothing is said of, it counts.
fn failed(span: &TraceSpan) -> bool {
    span.is_error() || (span.exceptions > 0 && span.status != StatusCode::OK)
}

fn count_below(analysis: &mut Analysis) {
    for index in analysis.order.iter().rev() {
        let node = &analysis.nodes[*index as usize];
        let Some(parent) = node.parent else { continue };
        let is_span = u32::from(matches!(node.subject, Subject::Span(_)));
        let spans = node.descendants + is_span;
        let failed = node.failed_descendants + u32::from(node.failed);
        let slow = node.slow_descendants + u32::from(node.slow.is_some());
        let above = &mut analysis.nodes[parent as usize];
        above.descendants += spans;
        above.failed_descendants += failed;
        above.slow_descendants += slow;
    }
}

/// Own time as Jaeger's UI computes it: the duration less the union of the children's intervals, clipped to the node.
fn cover(analysis: &mut Analysis) {
    let mut covered: Vec<(Timestamp, Timestamp)> = Vec::new();
    for index in 0..analysis.nodes.len() {
        let (start, end) = (analysis.nodes[index].start, analysis.nodes[index].end);
        let from = covered.len();
        let mut total = 0;
        for child in analysis.children_of(number(index)) {
            let child = &analysis.nodes[*child as usize];
            let (child_start, child_end) = (child.start.max(start), child.end.min(end));
            if child_end <= child_start {
                continue;
            }
            match covered[from..].last_mut() {
                Some(last) if last.1 >= child_start => last.1 = last.1.max(child_end),
                _ => covered.push((child_start, child_end)),
            }
        }
        for (from, to) in &covered[from..] {
            total += to.since(*from).0;
        }
        let node = &mut analysis.nodes[index];
        node.covered = number(from)..number(covered.len());
        node.self_time = Nanos(node.duration().0 - total);
    }
    analysis.covered = covered;
}

/// The lists that screens jump through.
fn collect(analysis: &mut Analysis) {
    let nodes = &analysis.nodes;
    let of_order = |wanted: &dyn Fn(&Node) -> bool| -> Vec<u32> {
        analysis.order.iter().copied().filter(|index| wanted(&nodes[*index as usize])).collect()
    };
    let errors = of_order(&|node| node.failed);
    let slow = of_order(&|node| node.slow.is_some());
    // Spans of one service follow each other and share its name, so few names are looked at.
    let mut counts: HashMap<&Arc<str>, u32> = HashMap::new();
    for spans in analysis.trace.spans.chunk_by(|one, next| Arc::ptr_eq(&one.service, &next.service)) {
        if let Some(first) = spans.first() {
            *counts.entry(&first.service).or_default() += number(spans.len());
        }
    }
    let mut services: Vec<(Arc<str>, u32)> =
        counts.into_iter().map(|(name, count)| (Arc::clone(name), count)).collect();
    services.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    (analysis.errors, analysis.slow, analysis.services) = (errors, slow, services);
    analysis.root_error = failure::first(analysis);
}

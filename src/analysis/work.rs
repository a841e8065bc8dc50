//! What sort of work a stretch of the critical path is.

use super::path::Segment;
use super::thresholds::Thresholds;
use super::tree::Analysis;
use super::verdict::percent;
use crate::model::{Category, Kind, Nanos, Timestamp};
use crate::semconv;

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// A database that speaks SQL.
    Sql,
    /// Another database: its system as the conventions name it, where that is known.
    Database(Option<&'static str>),
    /// An answer over HTTP, as far as who answers recorded nothing itself.
    HttpOut,
    /// A message being handed over.
    Messaging,
    /// An answer to another remote call, in the same way.
    Rpc,
    /// Code of the services themselves.
    Own,
    /// Time in which something ran that no span tells of.
    Unrecorded,
}

/// Share of the critical path, in percent, from which on a service that hands its request on only hands it on.
const HANDED_ON: u8 = 90;

/// What sort of work the stretches of a root's critical path are, as the service sees it that was asked: what other services do
/// for it is waiting for their answer. Where that service hands nearly all on to another, as a gateway does, it is the other one.
pub(super) struct Works<'a> {
    analysis: &'a Analysis,
    thresholds: &'a Thresholds,
    /// Per node: the call to another service below which it stands.
    calls: Vec<Option<u32>>,
}

impl<'a> Works<'a> {
    pub(super) fn of(analysis: &'a Analysis, root: u32, thresholds: &'a Thresholds) -> Self {
        Self { analysis, thresholds, calls: calls(analysis, root) }
    }

    /// Calls `each` with what sorts of work a segment is, the node that stands for each, and how long it is.
    pub(super) fn each(&self, segment: &Segment, each: &mut dyn FnMut(Work, u32, Nanos)) {
        let call = self.calls.get(segment.node as usize).copied().flatten();
        let work = call.and_then(|call| called(self.analysis, call));
        match (work, call) {
            (Some(work), Some(call)) => each(work, call, segment.length()),
            _ => each_own(self.analysis, segment, self.thresholds, &mut |work, time| each(work, segment.node, time)),
        }
    }
}

/// Per node: the span with which the service that was asked called the other one that it belongs to; `None` where it belongs to
/// the one that was asked, and to those who only handed the request on to it.
fn calls(analysis: &Analysis, root: u32) -> Vec<Option<u32>> {
    let service = |node: u32| analysis.span(node).map(|span| &span.service);
    let handed = handed_on(analysis, root);
    let mut calls: Vec<Option<u32>> = vec![None; analysis.nodes.len()];
    for node in &analysis.order {
        let Some(parent) = analysis.nodes[*node as usize].parent else { continue };
        calls[*node as usize] = calls[parent as usize].or_else(|| {
            let crosses = service(*node).is_some() && service(parent).is_some() && service(*node) != service(parent);
            let is_call = |node: u32| analysis.span(node).is_some_and(|span| span.key.kind == Kind::CLIENT);
            (crosses && !handed.contains(node)).then_some(if is_call(parent) { parent } else { *node })
        });
    }
    calls
}

/// The nodes on the way down from `root` along which nearly all of the path is handed on.
fn handed_on(analysis: &Analysis, root: u32) -> Vec<u32> {
    let path = |node: u32| analysis.nodes.get(node as usize).map_or(Nanos::ZERO, |node| node.path);
    let next = |node: &u32| {
        let children = analysis.children_of(*node).iter().copied();
        children.max_by_key(|child| path(*child)).filter(|child| percent(path(*child), path(*node)) >= HANDED_ON)
    };
    std::iter::successors(Some(root), next).collect()
}

/// What it is to wait for another service.
fn called(analysis: &Analysis, call: u32) -> Option<Work> {
    match analysis.span(call)?.category {
        Category::Http => Some(Work::HttpOut),
        Category::Rpc => Some(Work::Rpc),
        Category::Messaging => Some(Work::Messaging),
        Category::Sql | Category::Database | Category::Other => None,
    }
}

/// Calls `each` with what sorts of work a segment is by itself. A stretch of a span with children in which none of them ran is its
/// own code where it is short, and a gap, of which nobody recorded what happened, where it is long. While children ran that were
/// not waited for, the span did something too.
fn each_own(analysis: &Analysis, segment: &Segment, thresholds: &Thresholds, each: &mut dyn FnMut(Work, Nanos)) {
    let Some(span) = analysis.span(segment.node) else { return each(Work::Unrecorded, segment.length()) };
    let calls = matches!(span.key.kind, Kind::CLIENT | Kind::PRODUCER);
    let work = match span.category {
        Category::Sql => Some(Work::Sql),
        Category::Database => Some(Work::Database(semconv::system_in_front(&span.label))),
        Category::Http if calls => Some(Work::HttpOut),
        Category::Rpc if calls => Some(Work::Rpc),
        Category::Messaging if calls => Some(Work::Messaging),
        _ => None,
    };
    let node = analysis.nodes.get(segment.node as usize).filter(|node| !node.children.is_empty());
    let Some(node) = node.filter(|_| work.is_none()) else {
        return each(work.unwrap_or(Work::Own), segment.length());
    };
    let mut alone = |from: Timestamp, to: Timestamp| {
        let at_an_end = from == node.start || to == node.end;
        let is_gap = thresholds.is_gap(to.since(from), node.duration(), at_an_end);
        if to > from {
            each(if is_gap { Work::Unrecorded } else { Work::Own }, to.since(from));
        }
    };
    let covered = analysis.covered_of(segment.node);
    let first = covered.partition_point(|(_, end)| *end <= segment.from);
    let (mut at, mut beside) = (segment.from, Nanos::ZERO);
    for (start, end) in covered.iter().skip(first).take_while(|(start, _)| *start < segment.to) {
        let (start, end) = ((*start).max(at), (*end).min(segment.to));
        alone(at, start);
        beside = Nanos(beside.0 + end.since(start).0);
        at = end;
    }
    alone(at, segment.to);
    if beside > Nanos::ZERO {
        each(Work::Own, beside);
    }
}

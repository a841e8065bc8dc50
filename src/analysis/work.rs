//! What sort of work a stretch of the critical path is.

use super::path::Segment;
use super::thresholds::Thresholds;
use super::tree::Analysis;
use super::verdict::percent;
use crate::model::{Category, Kind, Nanos};
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

    /// What sort of work a segment is, and the node that stands for it.
    pub(super) fn work(&self, segment: &Segment) -> (Work, u32) {
        let call = self.calls.get(segment.node as usize).copied().flatten();
        let work = call.and_then(|call| called(self.analysis, call));
        match (work, call) {
            (Some(work), Some(call)) => (work, call),
            _ => (own_work(self.analysis, segment, self.thresholds), segment.node),
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

/// What sort of work a segment is by itself. A stretch of a span with children in which none of them ran is its own code where it is
/// short, and a gap, of which nobody recorded what happened, where it is long.
fn own_work(analysis: &Analysis, segment: &Segment, thresholds: &Thresholds) -> Work {
    let Some(span) = analysis.span(segment.node) else { return Work::Unrecorded };
    let calls = matches!(span.key.kind, Kind::CLIENT | Kind::PRODUCER);
    match span.category {
        Category::Sql => return Work::Sql,
        Category::Database => return Work::Database(semconv::system_in_front(&span.label)),
        Category::Http if calls => return Work::HttpOut,
        Category::Rpc if calls => return Work::Rpc,
        Category::Messaging if calls => return Work::Messaging,
        _ => {}
    }
    let is_gap = |node: &super::Node| {
        let at_an_end = segment.from == node.start || segment.to == node.end;
        thresholds.is_gap(segment.length(), node.duration(), at_an_end)
    };
    let node = analysis.nodes.get(segment.node as usize).filter(|node| !node.children.is_empty());
    if node.is_some_and(is_gap) { Work::Unrecorded } else { Work::Own }
}

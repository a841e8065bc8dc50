//! The critical path: what the trace waited for, moment by moment.

use std::cmp::Reverse;

use super::tree::Analysis;
use crate::model::{Kind, Nanos, Timestamp};

/// A stretch of the critical path: the trace waited for this node itself, not for anything below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The node.
    pub node: u32,
    /// Since when.
    pub from: Timestamp,
    /// Until when; later than `from`.
    pub to: Timestamp,
}

impl Segment {
    /// How long it is.
    #[must_use]
    pub fn length(&self) -> Nanos {
        self.to.since(self.from)
    }
}

/// When each node ran as far as its parent waited for it: clipped to the parent's own such time. Both ends are equal where
/// it never did: outside of the parent, or started by a message, which nobody waits for.
pub(super) type Windows = Vec<(Timestamp, Timestamp)>;

/// The windows of all nodes.
pub(super) fn windows(analysis: &Analysis) -> Windows {
    let mut windows = vec![(Timestamp(0), Timestamp(0)); analysis.nodes.len()];
    for index in &analysis.order {
        let node = &analysis.nodes[*index as usize];
        windows[*index as usize] = match node.parent {
            None => (node.start, node.end),
            Some(parent) => {
                let (from, to) = windows[parent as usize];
                let start = node.start.clamp(from, to);
                let end = if is_detached(analysis, *index, parent) { start } else { node.end.clamp(start, to) };
                (start, end)
            }
        };
    }
    windows
}

/// Who sends a message does not wait for it to be worked on.
fn is_detached(analysis: &Analysis, node: u32, parent: u32) -> bool {
    let kind = |node: u32| analysis.span(node).map(|span| span.key.kind);
    kind(node) == Some(Kind::CONSUMER) && kind(parent) == Some(Kind::PRODUCER)
}

/// Finds the critical path of every root and notes on each node how much of it runs through it.
///
/// This is the algorithm of Jaeger's UI: from its end backwards a span waits for its child that ends last, and before that
/// child began for the one that ended last by then; what is left is its own. Unlike there, children that touch follow each
/// other, and so do those that overlap by less than clocks explain ([`GRAIN`]). The segments of a root cover it exactly. O(n log n)
/// without recursion: the children of a node are sorted once, and only on the path.
pub(super) fn lay(analysis: &mut Analysis) {
    let mut windows = windows(analysis);
    let mut segments: Vec<Segment> = Vec::new();
    let mut paths = Vec::with_capacity(analysis.roots.len());
    for root in &analysis.roots {
        let from = segments.len();
        walk(analysis, &windows, *root, &mut segments);
        if let Some(own) = segments.get_mut(from..) {
            own.reverse();
        }
        paths.push(from..segments.len());
    }
    for segment in &segments {
        let node = &mut analysis.nodes[segment.node as usize];
        node.path_self = Nanos(node.path_self.0 + segment.length().0);
        // Whatever is on the path is there from its beginning to its end, and so is all above it.
        let mut at = Some(segment.node);
        while let Some(index) = at {
            let (from, to) = std::mem::take(&mut windows[index as usize]);
            let node = &mut analysis.nodes[index as usize];
            if from == to {
                break;
            }
            node.path = to.since(from);
            at = node.parent;
        }
    }
    (analysis.path, analysis.paths) = (segments, paths);
}

/// A span that is waited for, seen from a moment on backwards.
struct Frame {
    node: u32,
    /// Where its children begin on the stack of children.
    kids: usize,
    until: Timestamp,
}

/// A child that is waited for perhaps.
struct Kid {
    end: Timestamp,
    start: Reverse<Timestamp>,
    node: u32,
}

/// Overlaps shorter than this are those of clocks: some SDKs know starts in whole milliseconds only, and instrumentations
/// begin a span for the rows of a statement before they end the statement's.
const GRAIN: u64 = 1_000_000;

impl Kid {
    /// Whether it ended before `moment`, or so shortly after that it led there all the same.
    fn comes_before(&self, moment: Timestamp) -> bool {
        let (Reverse(start), overlap) = (self.start, self.end.since(moment).0);
        start < moment && overlap < GRAIN && overlap.saturating_mul(2) <= self.end.since(start).0
    }
}

/// Appends the segments of one root, the last first.
fn walk(analysis: &Analysis, windows: &Windows, root: u32, segments: &mut Vec<Segment>) {
    let mut kids: Vec<Kid> = Vec::new();
    let mut stack: Vec<Frame> = Vec::new();
    let enter = |(node, until): (u32, Timestamp), stack: &mut Vec<Frame>, kids: &mut Vec<Kid>| {
        let from = kids.len();
        kids.extend(analysis.children_of(node).iter().rev().filter_map(|node| {
            let (start, end) = windows[*node as usize];
            (start < end).then_some(Kid { end, start: Reverse(start), node: *node })
        }));
        // The last is taken first: of those that end together the one that began first.
        if let Some(new) = kids.get_mut(from..) {
            new.sort_by_key(|kid| (kid.end, kid.start));
        }
        stack.push(Frame { node, kids: from, until });
    };
    enter((root, windows[root as usize].1), &mut stack, &mut kids);
    while let Some(frame) = stack.last_mut() {
        let mut next = None;
        while next.is_none() && kids.len() > frame.kids {
            next = kids.pop().filter(|kid| kid.comes_before(frame.until));
        }
        let begun = windows[frame.node as usize].0;
        let (from, to) = (next.as_ref().map_or(begun, |kid| kid.end.min(frame.until)), frame.until);
        if from < to {
            segments.push(Segment { node: frame.node, from, to });
        }
        match next {
            Some(kid) => {
                frame.until = kid.start.0;
                enter((kid.node, from), &mut stack, &mut kids);
            }
            None => {
                stack.pop();
            }
        }
    }
}

/// The nodes that the critical path runs through, in order of the tree.
#[must_use]
pub fn on_path(analysis: &Analysis) -> Vec<u32> {
    analysis.order.iter().copied().filter(|node| analysis.nodes[*node as usize].path > Nanos::ZERO).collect()
}

/// The root that took longest (the first of equals): what a trace is judged by where it has several.
#[must_use]
pub fn main_root(analysis: &Analysis) -> Option<u32> {
    let duration = |root: &u32| analysis.nodes[*root as usize].duration();
    analysis.roots.iter().rev().copied().max_by_key(duration)
}

/// The critical path of one root, in order of time; empty where it is none.
#[must_use]
pub fn of_root(analysis: &Analysis, root: u32) -> &[Segment] {
    let place = analysis.roots.iter().position(|other| *other == root);
    let range = place.and_then(|place| analysis.paths.get(place)).cloned().unwrap_or_default();
    analysis.path.get(range).unwrap_or_default()
}

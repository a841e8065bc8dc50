//! The critical path: what the trace waited for, moment by moment.

use std::cmp::Reverse;

use hashbrown::HashMap;

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
        if node.parent.is_none() {
            windows[*index as usize] = (node.start, node.end);
        }
        let (from, to) = windows[*index as usize];
        let children = analysis.children_of(*index);
        for child in children {
            let node = &analysis.nodes[*child as usize];
            let start = node.start.clamp(from, to);
            let end = if is_detached(analysis, *child, *index) { start } else { node.end.clamp(start, to) };
            windows[*child as usize] = (start, end);
        }
        part(children, &mut windows);
    }
    windows
}

/// Nanoseconds of a millisecond: some clocks know the start of a span no better, but its length.
const COARSE: u64 = 1_000_000;

/// Ends a child where the next began, if they overlap by less than a clock that knows starts in whole milliseconds can
/// tell: who began at "5 ms" may have begun when the other ended at 5.7 ms. Taken for calls side by side, the longer part of
/// what a trace waited for would be off its path.
fn part(children: &[u32], windows: &mut Windows) {
    let is_coarse = |start: Timestamp| start.0.is_multiple_of(COARSE);
    let finer = |child: &u32| is_coarse(windows[*child as usize].0) && !is_coarse(windows[*child as usize].1);
    if children.len() < 2 || !children.iter().any(finer) {
        return;
    }
    // Until when what began in a millisecond went on.
    let mut begun: HashMap<Timestamp, Timestamp> = HashMap::new();
    for child in children {
        let (start, end) = windows[*child as usize];
        if is_coarse(start) && start < end {
            let latest = begun.entry(start).or_insert(end);
            *latest = end.max(*latest);
        }
    }
    if begun.len() < 2 {
        return;
    }
    for child in children {
        let (start, end) = &mut windows[*child as usize];
        let moment = Timestamp(end.0 - end.0 % COARSE);
        if is_coarse(*start) && *start < moment && begun.get(&moment).is_some_and(|latest| *end <= *latest) {
            *end = moment;
        }
    }
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
/// other, also where their clock is too coarse to part them: clocks of milliseconds would otherwise lose every other one. The segments of a root cover it exactly. O(n log n)
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

/// Appends the segments of one root, the last first.
fn walk(analysis: &Analysis, windows: &Windows, root: u32, segments: &mut Vec<Segment>) {
    let mut kids: Vec<Kid> = Vec::new();
    let mut stack: Vec<Frame> = Vec::new();
    let enter = |node: u32, stack: &mut Vec<Frame>, kids: &mut Vec<Kid>| {
        let from = kids.len();
        kids.extend(analysis.children_of(node).iter().rev().filter_map(|node| {
            let (start, end) = windows[*node as usize];
            (start < end).then_some(Kid { end, start: Reverse(start), node: *node })
        }));
        // The last is taken first: of those that end together the one that began first.
        if let Some(new) = kids.get_mut(from..) {
            new.sort_by_key(|kid| (kid.end, kid.start));
        }
        stack.push(Frame { node, kids: from, until: windows[node as usize].1 });
    };
    enter(root, &mut stack, &mut kids);
    while let Some(frame) = stack.last_mut() {
        let mut next = None;
        while next.is_none() && kids.len() > frame.kids {
            next = kids.pop().filter(|kid| kid.end <= frame.until);
        }
        let (from, to) = (next.as_ref().map_or(windows[frame.node as usize].0, |kid| kid.end), frame.until);
        if from < to {
            segments.push(Segment { node: frame.node, from, to });
        }
        match next {
            Some(kid) => {
                frame.until = kid.start.0;
                enter(kid.node, &mut stack, &mut kids);
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

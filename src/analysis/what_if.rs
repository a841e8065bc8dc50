//! What a trace would gain if something in it took less time.

use hashbrown::{HashMap, HashSet};

use super::path::{Windows, windows};
use super::tree::Analysis;
use crate::model::{Nanos, Timestamp};

/// What would be gained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gain {
    /// By how much the root would end earlier.
    pub gain: Nanos,
    /// What the trace would wait for instead, where that takes away most of what is saved.
    pub held_up_by: Option<u32>,
}

/// What would be gained if `nodes`, which stand below one root, took no time, and if they took half of theirs.
///
/// The spans above are laid out anew from below upwards, by what the critical path goes by: what began when others had
/// ended begins as long after the last of them as it did. So the gain ends where another call of the same parent becomes
/// the last (CRISP's "drag"), and what ran beside the shortened span stays where it is. O(n log n).
#[must_use]
pub fn what_if(analysis: &Analysis, nodes: &[u32]) -> [Gain; 2] {
    let windows = windows(analysis);
    let above = above(analysis, nodes);
    [0, 2].map(|part| shortened(analysis, &windows, (nodes, &above), part))
}

/// Everything above `nodes`, the deepest first.
fn above(analysis: &Analysis, nodes: &[u32]) -> Vec<u32> {
    let own: HashSet<u32> = nodes.iter().copied().collect();
    let mut met: HashSet<u32> = HashSet::new();
    for node in nodes {
        let mut at = analysis.nodes.get(*node as usize).and_then(|node| node.parent);
        while let Some(node) = at.filter(|node| met.insert(*node)) {
            at = analysis.nodes.get(node as usize).and_then(|node| node.parent);
        }
    }
    let mut above: Vec<u32> = met.into_iter().filter(|node| !own.contains(node)).collect();
    above.sort_by_key(|node| (std::cmp::Reverse(analysis.nodes[*node as usize].depth), *node));
    above
}

/// The same with each node at one `part`-th of its time; 0: at none.
fn shortened(analysis: &Analysis, windows: &Windows, (nodes, above): (&[u32], &[u32]), part: u64) -> Gain {
    let length = |node: u32| {
        let (from, to) = windows[node as usize];
        to.since(from).0
    };
    let mut lengths: HashMap<u32, u64> = HashMap::new();
    for node in nodes.iter().copied().filter(|node| (*node as usize) < windows.len()) {
        // What of it lay beyond its parent is gone first.
        let whole = analysis.nodes[node as usize].duration().0;
        let start = windows[node as usize].0.since(analysis.nodes[node as usize].start).0;
        let left = whole.checked_div(part).unwrap_or(0).saturating_sub(start);
        lengths.insert(node, left.min(length(node)));
    }
    let mut held_up: Option<(u64, u32)> = None;
    for parent in above {
        let laid = lay(analysis, windows, *parent, &lengths);
        lengths.insert(*parent, laid.length);
        held_up = held_up.max(laid.held_up.filter(|(lost, _)| *lost > 0));
    }
    let top = above.last().or_else(|| nodes.first());
    let gain = top.and_then(|top| Some((top, lengths.get(top)?))).map_or(0, |(top, left)| length(*top) - left);
    Gain { gain: Nanos(gain), held_up_by: held_up.map(|(_, node)| node) }
}

/// A span laid out anew.
struct Laid {
    length: u64,
    /// How much was lost of what a child saved, as another had not ended yet, and which.
    held_up: Option<(u64, u32)>,
}

fn lay(analysis: &Analysis, windows: &Windows, parent: u32, lengths: &HashMap<u32, u64>) -> Laid {
    let (start, end) = windows[parent as usize];
    let window = |kid: &u32| windows[*kid as usize];
    let kids: Vec<u32> =
        analysis.children_of(parent).iter().copied().filter(|kid| window(kid).0 < window(kid).1).collect();
    let mut by_end: Vec<usize> = (0..kids.len()).collect();
    by_end.sort_by_key(|place| window(&kids[*place]).1);
    let mut ends = by_end.into_iter().peekable();
    let mut new_ends: Vec<Timestamp> = Vec::with_capacity(kids.len());
    let mut joint = Joint { was: start, is: start, own: start, latest: None };
    let mut held_up = None;
    // Children stand in order of start, so whatever ended before one begins has its new end already.
    for kid in &kids {
        let (from, to) = window(kid);
        while let Some(place) = ends.next_if(|place| window(&kids[*place]).1 <= from) {
            joint.pass(window(&kids[place]).1, new_ends[place], kids[place]);
        }
        if analysis.nodes[*kid as usize].path > Nanos::ZERO {
            held_up = held_up.max(joint.lost());
        }
        let length = lengths.get(kid).copied().unwrap_or_else(|| to.since(from).0);
        new_ends.push(joint.is.plus(from.since(joint.was)).plus(Nanos(length)));
    }
    for place in ends {
        joint.pass(window(&kids[place]).1, new_ends[place], kids[place]);
    }
    if analysis.nodes[parent as usize].path > Nanos::ZERO {
        held_up = held_up.max(joint.lost());
    }
    let length = joint.is.plus(end.since(joint.was)).since(start).0;
    Laid { length, held_up }
}

/// The moment at which everything that was waited for had ended.
struct Joint {
    was: Timestamp,
    is: Timestamp,
    /// The new end of what ended last before.
    own: Timestamp,
    /// What ends last now.
    latest: Option<u32>,
}

impl Joint {
    fn pass(&mut self, was: Timestamp, is: Timestamp, node: u32) {
        self.own = if was == self.was && self.latest.is_some() { self.own.min(is) } else { is };
        self.was = was;
        if is > self.is || self.latest.is_none() {
            (self.is, self.latest) = (self.is.max(is), Some(node));
        }
    }

    fn lost(&self) -> Option<(u64, u32)> {
        Some((self.is.since(self.own).0, self.latest?))
    }
}

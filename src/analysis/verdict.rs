//! The one thing to say about a trace.

use super::tree::Analysis;
use super::waterfall::{Sibling, siblings};
use crate::model::{Category, Nanos};

/// The loudest fact about a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Verdict {
    /// Something failed; first of all this node.
    Error {
        /// Where it began: [`Analysis::root_error`].
        node: u32,
        /// How many nodes failed in all.
        count: u32,
    },
    /// A database call is slow; the longest one is this node.
    SlowSql {
        /// The call.
        node: u32,
        /// How long it took.
        duration: Nanos,
        /// Its share of the trace's duration in percent, rounded.
        percent: u8,
        /// How many calls are slow in all.
        count: u32,
    },
    /// The same call again and again below one parent.
    Repeated {
        /// The first of them.
        node: u32,
        /// How often.
        count: u32,
        /// The sum of their durations.
        sum: Nanos,
    },
    /// Nothing stands out.
    #[default]
    Nothing,
}

/// What stands out most: an error, else a slow statement, else the most expensive repetition of a call to somewhere
/// else.
#[must_use]
pub fn verdict(analysis: &Analysis) -> Verdict {
    let count = |nodes: &[u32]| super::parents::number(nodes.len());
    if let Some(node) = analysis.root_error {
        return Verdict::Error { node, count: count(&analysis.errors) };
    }
    let duration = |node: u32| analysis.nodes[node as usize].duration();
    // The first of equals, as everywhere.
    if let Some(node) = analysis.slow.iter().copied().rev().max_by_key(|node| duration(*node)) {
        let percent = percent(duration(node), analysis.duration());
        return Verdict::SlowSql { node, duration: duration(node), percent, count: count(&analysis.slow) };
    }
    let parents = analysis.order.iter().map(|node| (analysis.children_of(*node), Some(*node)));
    let mut most: Option<(Nanos, u32, u32)> = None;
    for (nodes, parent) in std::iter::once((analysis.roots.as_slice(), None)).chain(parents) {
        for sibling in siblings(analysis, nodes, parent) {
            let Sibling::Equal(_, members) = sibling else { continue };
            let Some(first) = members.first().copied() else { continue };
            if analysis.span(first).is_none_or(|span| span.category == Category::Other) {
                continue;
            }
            let sum = Nanos(members.iter().fold(0, |sum, member| duration(*member).0.saturating_add(sum)));
            if most.is_none_or(|(longest, _, _)| sum > longest) {
                most = Some((sum, first, count(&members)));
            }
        }
    }
    most.map_or(Verdict::Nothing, |(sum, node, count)| Verdict::Repeated { node, count, sum })
}

/// The share of `part` in `whole` in percent, rounded, at most 100; 0 of nothing.
#[must_use]
pub(super) fn percent(part: Nanos, whole: Nanos) -> u8 {
    let (part, whole) = (u128::from(part.0), u128::from(whole.0));
    let percent = (part * 200 + whole).checked_div(whole * 2).unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

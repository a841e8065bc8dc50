//! Which span failed first, as far as the tree tells.

use std::cmp::Reverse;

use super::tree::Analysis;

/// A failing span with nothing failing below it; rather one whose failure reached the top than one that was swallowed on the
/// way; of those the one that ended first, then the deepest.
pub(super) fn first(analysis: &Analysis) -> Option<u32> {
    if analysis.errors.is_empty() {
        return None;
    }
    let (place, reaches) = (|node: &u32| &analysis.nodes[*node as usize], reaching(analysis));
    let lowest = analysis.errors.iter().filter(|node| place(node).failed_descendants == 0);
    let rank = |node: &&u32| (!reaches[**node as usize], place(node).end, Reverse(place(node).depth));
    lowest.min_by_key(rank).copied()
}

/// Per node whether a failure there reaches the top: everything above it failed too.
pub(super) fn reaching(analysis: &Analysis) -> Vec<bool> {
    let place = |node: &u32| &analysis.nodes[*node as usize];
    // Parents come before their children in the order of the tree. A parent that is missing says nothing of itself.
    let mut reaches = vec![true; analysis.nodes.len()];
    for index in &analysis.order {
        if let Some(parent) = place(index).parent {
            let passes = place(&parent).failed || analysis.span(parent).is_none();
            reaches[*index as usize] = passes && reaches[parent as usize];
        }
    }
    reaches
}

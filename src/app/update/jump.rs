//! Jumps to errors, slow spans and matches, in the order of the tree, round the end.

use std::sync::Arc;

use super::trace::selected;
use super::{rows, say};
use crate::analysis::{Analysis, RowKind};
use crate::app::work::in_tree_order;
use crate::app::{Effect, State};

/// What is jumped to, for the notices.
#[derive(Clone, Copy)]
struct Kind {
    none: &'static str,
    only: &'static str,
    wrapped: &'static str,
    wrapped_back: &'static str,
}

const ERRORS: Kind = Kind {
    none: "no errors in this trace",
    only: "the only error in this trace",
    wrapped: "that was the last error: on from the first",
    wrapped_back: "that was the first error: on from the last",
};

const SLOW: Kind = Kind {
    none: "no slow database call in this trace",
    only: "the only slow database call in this trace",
    wrapped: "that was the last slow call: on from the first",
    wrapped_back: "that was the first slow call: on from the last",
};

const MATCHES: Kind = Kind {
    none: "nothing in this trace matches",
    only: "the only match in this trace",
    wrapped: "that was the last match: on from the first",
    wrapped_back: "that was the first match: on from the last",
};

/// To another failed span; at first to the one that failed first.
pub(super) fn to_error(state: &mut State, forward: bool, out: &mut Vec<Effect>) {
    let Some(analysis) = analysis(state) else { return };
    let first_time = !std::mem::replace(&mut state.asked.error_visited, !analysis.errors.is_empty());
    if let Some(node) = analysis.root_error
        && first_time
        && current(state, &analysis).is_none_or(|(at, _)| at != node)
    {
        return rows::go_to_node(state, &analysis, node, out);
    }
    let errors = analysis.errors.clone();
    jump(state, &errors, forward, ERRORS, out);
}

/// To another slow database span.
pub(super) fn to_slow(state: &mut State, forward: bool, out: &mut Vec<Effect>) {
    let Some(analysis) = analysis(state) else { return };
    let slow = analysis.slow.clone();
    jump(state, &slow, forward, SLOW, out);
}

/// To another match of the search.
pub(super) fn to_match(state: &mut State, forward: bool, out: &mut Vec<Effect>) {
    let Some(found) = state.trace.as_ref().and_then(|trace| trace.found.clone()) else {
        return say(state, "nothing to go through: / searches in this trace");
    };
    jump(state, &found.nodes, forward, MATCHES, out);
}

/// To the selected row if it matches, else to the next match.
pub(super) fn to_match_from_here(state: &mut State, out: &mut Vec<Effect>) {
    let Some(analysis) = analysis(state) else { return };
    let here = current(state, &analysis).filter(|(_, group)| !group).map(|(node, _)| node);
    let found = state.trace.as_ref().and_then(|trace| trace.found.as_ref());
    match (found, here) {
        (Some(found), Some(node)) if found.set.contains(&node) => {
            let text = format!("{} found: n and N go through them", found.nodes.len());
            say(state, text);
        }
        (Some(found), _) if !found.nodes.is_empty() => {
            // Whoever asked for them was on none: that the next stands before is nothing to be told.
            let target = another(&analysis, &found.nodes, true, current(state, &analysis));
            let target = target.or_else(|| found.nodes.first().copied()).unwrap_or_default();
            rows::go_to_node(state, &analysis, target, out);
        }
        _ => to_match(state, true, out),
    }
}

fn analysis(state: &mut State) -> Option<Arc<Analysis>> {
    let analysis = state.trace.as_ref().and_then(|trace| trace.analysis.clone());
    if analysis.is_none() {
        say(state, "the trace is still being read");
    }
    analysis
}

/// The node of the selected row, and whether the row is a group that starts there. Of a span whose row is not there
/// yet, the span's.
fn current(state: &State, analysis: &Analysis) -> Option<(u32, bool)> {
    let trace = state.trace.as_ref()?;
    if let Some(row) = selected(trace).and_then(|row| trace.rows.get(row)) {
        return Some((row.node, matches!(row.kind, RowKind::Group { .. })));
    }
    let key = trace.selected?;
    (0..).take(analysis.nodes.len()).find(|node| analysis.row_key(*node) == Some(key)).map(|node| (node, false))
}

fn jump(state: &mut State, nodes: &[u32], forward: bool, kind: Kind, out: &mut Vec<Effect>) {
    let Some(analysis) = analysis(state) else { return };
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return say(state, kind.none) };
    let here = current(state, &analysis);
    if nodes.len() == 1 && here == Some((*first, false)) {
        return say(state, kind.only);
    }
    let target = another(&analysis, nodes, forward, here);
    let wrapped = target.is_none() && here.is_some();
    let turned = if forward { *first } else { *last };
    rows::go_to_node(state, &analysis, target.unwrap_or(turned), out);
    if wrapped {
        say(state, if forward { kind.wrapped } else { kind.wrapped_back });
    }
}

/// The one of `nodes` that comes after a place in the tree, or before it.
fn another(analysis: &Analysis, nodes: &[u32], forward: bool, here: Option<(u32, bool)>) -> Option<u32> {
    let places = places(analysis);
    let place = |node: u32| places.get(node as usize).copied().unwrap_or_default();
    let (node, group) = here?;
    let target = if forward {
        // A group stands before its members, so its first member comes after it.
        nodes.iter().find(|other| place(**other) > place(node) || (group && **other == node))
    } else {
        nodes.iter().rev().find(|other| place(**other) < place(node))
    };
    target.copied()
}

/// Each node's place in the order of the tree, depth first.
fn places(analysis: &Analysis) -> Vec<u32> {
    let mut places = vec![u32::MAX; analysis.nodes.len()];
    for (place, node) in (0..).zip(in_tree_order(analysis)) {
        if let Some(slot) = places.get_mut(node as usize) {
            *slot = place;
        }
    }
    places
}

//! The clauses of the verdict: chosen one after the other, and gone to.

use super::{rows, say, trace};
use crate::app::{Action, DetailFocus, Effect, State};

/// Before an action: whatever else is done, a chosen clause is let go, so that the next key means the row again.
pub(super) fn before(state: &mut State, action: Action) {
    use Action as A;
    let keeps = matches!(action, A::NextClause | A::PreviousClause | A::Open | A::Back | A::Help | A::Palette);
    if let Some(trace) = state.trace.as_mut().filter(|_| !keeps) {
        trace.clause = None;
    }
}

/// Chooses the next clause, or the one before; after the last none, so that the keys are the waterfall's again.
pub(super) fn turn(state: &mut State, forward: bool) {
    let Some(open) = &mut state.trace else { return };
    let Some(analysis) = &open.analysis else { return say(state, "the trace is still being read") };
    let count = analysis.verdict.clauses.len();
    let next = match (open.clause.or(open.left_clause), forward) {
        (None, true) => Some(0),
        (None, false) => count.checked_sub(1),
        (Some(at), true) => at.checked_add(1),
        (Some(at), false) => at.checked_sub(1),
    };
    open.clause = next.filter(|next| *next < count);
    open.left_clause = None;
    if count == 0 {
        say(state, "there is nothing to say of this trace");
    } else if open.clause.is_some() {
        say(state, "⏎ goes there · tab: the next clause · esc: back to the waterfall");
    }
}

/// Goes to the proof of the chosen clause. Answers whether one was chosen.
pub(super) fn jump(state: &mut State, out: &mut Vec<Effect>) -> bool {
    let chosen = state.trace.as_mut().and_then(|open| open.clause.take());
    let Some(chosen) = chosen else { return false };
    go_to(state, chosen, out);
    true
}

/// Goes to the proof of a clause.
pub(super) fn go_to(state: &mut State, clause: usize, out: &mut Vec<Effect>) {
    let Some(open) = &mut state.trace else { return };
    let Some(analysis) = open.analysis.clone() else { return };
    let Some(node) = analysis.verdict.clauses.get(clause).map(|clause| clause.node) else { return };
    // The next time one goes on from here.
    open.left_clause = Some(clause);
    trace::set_focus(state, DetailFocus::Waterfall);
    rows::go_to_node(state, &analysis, node, out);
}

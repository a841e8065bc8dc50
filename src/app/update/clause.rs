//! The clauses of the verdict: chosen one after the other, and gone to.

use super::{act, rows, say, trace};
use crate::app::{Action, DetailFocus, Effect, State};

/// Before an action: whatever else is done, a chosen clause is let go, so that the next key means the row again.
pub(super) fn before(state: &mut State, action: Action) {
    use Action as A;
    let keeps = matches!(action, A::NextClause | A::PreviousClause | A::Open | A::Back | A::Help | A::Palette);
    if let Some(trace) = state.trace.as_mut().filter(|_| !keeps) {
        trace.clause = None;
    }
}

/// Chooses the next clause, or the one before. Beyond the last (or the first) the next screen comes, as it does by this key on
/// every other screen.
pub(super) fn turn(state: &mut State, forward: bool, out: &mut Vec<Effect>) {
    let open = state.trace.as_mut();
    let analysis = open.as_ref().and_then(|open| open.analysis.clone());
    let (Some(open), Some(analysis)) = (open, analysis) else { return act::turn(state, forward, out) };
    let count = analysis.verdict.clauses.len();
    let next = match (open.clause.or(open.left_clause), forward) {
        (None, true) => Some(0),
        (None, false) => None,
        (Some(at), true) => at.checked_add(1),
        (Some(at), false) => at.checked_sub(1),
    };
    open.clause = next.filter(|next| *next < count);
    open.left_clause = None;
    match open.clause {
        None => act::turn(state, forward, out),
        Some(at) if forward && at + 1 == count => say(state, "⏎ goes there · esc lets go · tab: the next screen"),
        Some(_) => say(state, "⏎ goes there · esc lets go · tab: the next clause"),
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
    (open.clause, open.left_clause) = (None, Some(clause));
    trace::set_focus(state, DetailFocus::Waterfall);
    rows::go_to_node(state, &analysis, node, out);
}

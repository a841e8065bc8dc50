//! What else was found in the traces of the list: they are judged when they come into sight, and again when they have grown.

use crate::analysis::findings::Rule;
use crate::app::{Effect, Screen, State};
use crate::model::{Timestamp, TraceId};

/// Traces of which it is remembered.
const KEPT: usize = 4_096;

/// Asks for what is in sight and not known yet.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen != Screen::Traces {
        return;
    }
    let known = |id: TraceId, at: Timestamp| state.list.marks.get(&id).is_some_and(|(known, _)| *known == at);
    let in_sight = state.list.page.iter().filter_map(|page| page.summary.as_ref());
    let wanted: Vec<(TraceId, Timestamp)> = in_sight
        .map(|summary| (summary.id, summary.last_arrival))
        .filter(|(id, last_arrival)| !known(*id, *last_arrival))
        .collect();
    if wanted == state.asked.marks {
        return;
    }
    if !wanted.is_empty() {
        out.push(Effect::Mark(wanted.iter().map(|(id, _)| *id).collect()));
    }
    state.asked.marks = wanted;
}

/// Some were judged.
pub(super) fn take(state: &mut State, marks: Vec<(TraceId, Timestamp, Option<Rule>)>) {
    if state.list.marks.len() + marks.len() > KEPT {
        // Those in sight are asked for again.
        state.list.marks.clear();
    }
    state.list.marks.extend(marks.into_iter().map(|(id, at, rule)| (id, (at, rule))));
}

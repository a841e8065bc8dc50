//! What the trace would gain if the selected span took less time.

use std::sync::Arc;

use super::{say, trace};
use crate::analysis::{Analysis, Gain, RowKind, percent};
use crate::app::{Effect, State};
use crate::model::Nanos;

/// Asks for it.
pub(super) fn ask(state: &mut State, out: &mut Vec<Effect>) {
    let Some(open) = &state.trace else { return };
    let Some(analysis) = &open.analysis else { return say(state, "the trace is still being read") };
    let Some(row) = trace::selected(open).and_then(|row| open.rows.get(row)) else {
        return say(state, "no span is selected");
    };
    let nodes = match &row.kind {
        RowKind::Group { members, .. } => members.clone(),
        RowKind::Span | RowKind::Missing => vec![row.node],
    };
    let on_path = |node: &u32| analysis.nodes.get(*node as usize).is_some_and(|node| node.path > Nanos::ZERO);
    if !nodes.iter().any(on_path) {
        return say(state, "nothing would be gained: the trace does not wait for it");
    }
    out.push(Effect::WhatIf { analysis: Arc::clone(analysis), nodes });
}

/// Says what came back, where the trace is still the one it was asked of.
pub(super) fn take(state: &mut State, analysis: &Arc<Analysis>, nodes: usize, [none, half]: [Gain; 2]) {
    let shown = state.trace.as_ref().and_then(|open| open.analysis.as_ref());
    if shown.is_none_or(|shown| !Arc::ptr_eq(shown, analysis)) {
        return;
    }
    let who = if nodes == 1 { "it" } else { "they" };
    let share = percent(none.gain, analysis.duration());
    let instead = held_up(state, analysis, &none);
    say(state, format!("if {who} took no time: {} less ({share} %); half: {} less{instead}", none.gain, half.gain));
}

/// What is waited for then, where that is known.
fn held_up(state: &State, analysis: &Analysis, gain: &Gain) -> String {
    let label = gain.held_up_by.and_then(|node| Some(analysis.span(node)?.label.clone()));
    let Some(label) = label else { return String::new() };
    let shown = if state.unmasked { label.as_ref().into() } else { state.settings.redactor.text(&label) };
    format!("; then {shown} is waited for")
}

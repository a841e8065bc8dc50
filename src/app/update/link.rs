//! Links to other traces, and the way back.

use super::{attribute, rows, say, trace, warn};
use crate::app::asked::Request;
use crate::app::{Cell, DetailFocus, Effect, State, TraceScreen};
use crate::model::{Kind, SpanId, SpanKey, TraceId};

/// How many followed links are remembered.
const WAY_BACK: usize = 100;

/// Follows the chosen link, or else the first of the selected span.
pub(super) fn follow(state: &mut State, out: &mut Vec<Effect>) {
    match chosen(state).or_else(|| target(state, None)) {
        Some(to) => leave_for(state, to, out),
        None => say(state, "this span has no link"),
    }
}

/// Enter in the detail pane: follows the chosen link, or filters by the chosen attribute.
pub(super) fn follow_chosen(state: &mut State, out: &mut Vec<Effect>) {
    match chosen(state) {
        Some(to) => leave_for(state, to, out),
        None => attribute::add(state, false, out),
    }
}

fn chosen(state: &State) -> Option<(TraceId, SpanId)> {
    let detail = &state.trace.as_ref()?.detail;
    if detail.focus != DetailFocus::Detail {
        return None;
    }
    match detail.span.as_ref()?.cells.get(detail.cell)? {
        Cell::Link(index) => target(state, Some(*index)),
        _ => None,
    }
}

fn target(state: &State, index: Option<usize>) -> Option<(TraceId, SpanId)> {
    let links = &state.trace.as_ref()?.detail.span.as_ref()?.span.links;
    match index {
        Some(index) => links.get(index)?.target(),
        None => links.iter().find_map(crate::model::Link::target),
    }
}

fn leave_for(state: &mut State, (id, span): (TraceId, SpanId), out: &mut Vec<Effect>) {
    let Some(from) = &mut state.trace else { return };
    let here = (from.id, from.selected);
    let land_on = Some(SpanKey { id: span, kind: Kind::UNSPECIFIED });
    if from.id == id {
        from.back.push(here);
        from.land_on = land_on;
        from.detail.focus = DetailFocus::Waterfall;
        return rows::land(state, out);
    }
    let mut back = from.back.clone();
    back.push(here);
    if back.len() > WAY_BACK {
        back.remove(0);
    }
    let next = TraceScreen { land_on, back, generation: from.generation, ..TraceScreen::new(id) };
    state.asked.left = trace::replace(state, next).map(Box::new);
    trace::request(state, Request::Open, out);
}

/// The trace a link led to is not held: back to where it was followed.
pub(super) fn not_held(state: &mut State) -> bool {
    let Some(left) = state.asked.left.take() else { return false };
    let generation = state.trace.as_ref().map_or(0, |trace| trace.generation);
    trace::replace(state, TraceScreen { generation, ..*left });
    warn(state, "the linked trace is not held here");
    true
}

/// Back to where the last link was followed.
pub(super) fn back(state: &mut State, out: &mut Vec<Effect>) {
    let Some(from) = &mut state.trace else { return };
    let Some((id, selected)) = from.back.pop() else {
        return say(state, "no link was followed");
    };
    if from.id == id {
        let row = selected.and_then(|key| crate::analysis::row_of(&from.rows, key));
        return trace::select(state, row.unwrap_or_default());
    }
    let back = std::mem::take(&mut from.back);
    let next = TraceScreen { selected, back, generation: from.generation, ..TraceScreen::new(id) };
    trace::replace(state, next);
    trace::request(state, Request::Open, out);
}

//! What must be asked for so that everything on screen is there: compares what is shown with what was asked for.

use std::sync::Arc;

use super::trace;
use crate::analysis::RowKey;
use crate::app::asked::{DetailKey, Request};
use crate::app::{DetailFocus, Effect, Screen, State};
use crate::model::TraceId;

/// Completes the requests of an update.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    super::compare::settle(state, out);
    super::heat::settle(state, out);
    preview(state, out);
    lit(state, out);
    detail(state, out);
    super::errors::settle(state, out);
    super::sql::settle(state, out);
    super::findings::settle(state, out);
    super::marks::settle(state, out);
    super::baseline::settle(state, out);
    keep(state, out);
}

/// Looks for what the filter matches in the open trace, where that is not what was last looked for.
fn lit(state: &mut State, out: &mut Vec<Effect>) {
    let read = state.trace.as_ref().is_some_and(|trace| trace.analysis.is_some());
    if state.screen != Screen::Trace || !read || **state.lit() == *state.asked.lit {
        return;
    }
    if state.lit().is_empty() {
        state.asked.lit = Arc::default();
        return trace::forget_found(state, out);
    }
    trace::request(state, Request::Find, out);
}

fn preview(state: &mut State, out: &mut Vec<Effect>) {
    let shown = state.screen == Screen::Traces && state.list.preview_shown && state.viewport.preview > 0;
    let wanted = state.list.selected.filter(|_| shown);
    let held = state.list.preview.as_ref().map(|preview| preview.id);
    match wanted {
        None => {
            if state.list.selected.is_none() {
                state.list.preview = None;
            }
            state.asked.preview = None;
        }
        Some(trace) if held == Some(trace) => {}
        Some(trace) => {
            if state.asked.preview.is_none_or(|(asked, _)| asked != trace) {
                state.asked.preview = Some((trace, None));
                out.push(Effect::Preview { trace });
            }
        }
    }
}

fn detail(state: &mut State, out: &mut Vec<Effect>) {
    let (columns, unmasked) = (state.viewport.detail_columns, state.unmasked);
    let mask = (!unmasked).then(|| Arc::clone(&state.settings));
    let Some(trace) = &mut state.trace else { return };
    let Some(RowKey::Span(span)) = trace.selected.filter(|_| trace.analysis.is_some()) else {
        trace.detail.span = None;
        if trace.analysis.is_some() {
            trace.detail.focus = DetailFocus::Waterfall;
        }
        state.asked.detail = None;
        return;
    };
    let wanted = DetailKey { trace: trace.id, span, columns, unmasked, last_arrival: trace.last_arrival };
    if state.asked.detail != Some(wanted) {
        if trace.detail.span.as_ref().is_some_and(|detail| detail.span.key() != span) {
            trace.detail.span = None;
        }
        state.asked.detail = Some(wanted);
        out.push(Effect::Detail { trace: trace.id, span, columns, mask });
    }
}

fn keep(state: &mut State, out: &mut Vec<Effect>) {
    let open = state.trace.as_ref().map(|trace| trace.id);
    let left = state.asked.left.as_ref().map(|trace| trace.id);
    let mut wanted: Vec<TraceId> = open.into_iter().chain(state.list.selected).chain(left).collect();
    // What is marked is to be saved or compared: it must not leave before.
    wanted.extend(&state.list.marked);
    wanted.sort_unstable();
    wanted.dedup();
    if wanted != state.asked.keep {
        state.asked.keep.clone_from(&wanted);
        out.push(Effect::Keep(wanted));
    }
}

/// Asks for the open trace anew where the index has more of it than is shown.
pub(super) fn reopen(state: &mut State, last_arrival: crate::model::Timestamp, out: &mut Vec<Effect>) {
    let Some(open) = &state.trace else { return };
    let known = open.analysis.is_some() && open.last_arrival == last_arrival;
    if known || state.asked.trace.is_some() || state.asked.opened_at == Some(last_arrival) {
        return;
    }
    state.asked.opened_at = Some(last_arrival);
    trace::request(state, Request::Open, out);
}

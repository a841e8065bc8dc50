//! The open trace: opening, moving, folding, zooming.

use std::sync::Arc;

use super::window::{Step, showing};
use super::{rows, say};
use crate::analysis::{Analysis, Row, RowKey, RowKind, path, row_of};
use crate::app::asked::Request;
use crate::app::{DetailFocus, Effect, FilterBar, Screen, Showing, State, TraceScreen};
use crate::model::{Nanos, SpanKey, Timestamp, TraceId};

/// Rows kept in sight above and below the selected one.
pub(super) const MARGIN: usize = 2;
/// More rows than a terminal has.
const NEAR: usize = 256;

/// Shows a trace; on the span `land_on` where one is named.
pub(super) fn open(state: &mut State, id: TraceId, land_on: Option<SpanKey>, out: &mut Vec<Effect>) {
    if state.screen != Screen::Trace {
        state.opened_from = state.screen;
    }
    state.screen = Screen::Trace;
    if let Some(trace) = &mut state.trace
        && trace.id == id
        && trace.analysis.is_some()
    {
        trace.land_on = land_on.or(trace.land_on);
        rows::land(state, out);
        return;
    }
    let generation = state.trace.as_ref().map_or(0, |trace| trace.generation);
    let mut trace = TraceScreen { land_on, generation, ..TraceScreen::new(id) };
    let preview = state.list.preview.as_ref().filter(|preview| preview.id == id).cloned();
    if let Some(preview) = &preview {
        trace.last_arrival = preview.last_arrival;
    }
    replace(state, trace);
    if let Some(preview) = preview {
        // What is already on screen is shown at once; the request below makes sure that it is the latest.
        rows::take(state, Some(preview.analysis), preview.rows, out);
    }
    if state.asked.trace.is_none() {
        request(state, Request::Open, out);
    }
}

/// Puts another trace in place of the open one, with nothing asked for it yet.
pub(super) fn replace(state: &mut State, trace: TraceScreen) -> Option<TraceScreen> {
    state.find = FilterBar::default();
    state.drag = None;
    state.asked.trace = None;
    state.asked.lit = Arc::default();
    state.asked.opened_at = None;
    state.asked.detail = None;
    state.asked.land_on_match = false;
    state.asked.error_visited = false;
    state.asked.left = None;
    state.trace.replace(trace)
}

/// Asks for something of the open trace. While something else is on its way, for all of it: the answer that was on its
/// way is dropped, and an answer must fit the state as a whole.
pub(super) fn request(state: &mut State, wanted: Request, out: &mut Vec<Effect>) {
    let query = Arc::clone(state.lit());
    let Some(trace) = &mut state.trace else { return };
    trace.generation += 1;
    let generation = trace.generation;
    let other_on_its_way = state.asked.trace.is_some_and(|asked| asked != wanted);
    let (kind, effect) = match (&trace.analysis, wanted) {
        (Some(analysis), Request::Flatten) if !other_on_its_way => {
            let (analysis, folds) = (Arc::clone(analysis), trace.folds.clone());
            let found = trace.found.as_ref().filter(|_| trace.alone);
            let path = trace.path.then(|| Arc::new(path::on_path(&analysis)));
            let only = path.or_else(|| found.map(|found| Arc::clone(&found.nodes)));
            (wanted, Effect::Flatten { generation, analysis, folds, only })
        }
        // Where only matches have rows, other matches make other rows.
        (Some(analysis), Request::Find) if !other_on_its_way && !trace.alone => {
            state.asked.lit = Arc::clone(&query);
            (wanted, Effect::Find { generation, analysis: Arc::clone(analysis), query })
        }
        _ => {
            state.asked.lit = Arc::clone(&query);
            let find = (!query.is_empty()).then_some(query);
            let showing = Showing { matches: trace.alone, path: trace.path, adjusted: trace.adjusted };
            let folds = trace.folds.clone();
            (Request::Open, Effect::Open { generation, trace: trace.id, folds, find, showing })
        }
    };
    state.asked.trace = Some(kind);
    out.push(effect);
}

/// Shows only what matches and what stands above it, or everything again.
pub(super) fn toggle_alone(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let matches = trace.found.as_ref().is_some_and(|found| !found.nodes.is_empty());
    if !trace.alone && !matches {
        return say(state, "nothing to show alone: / searches in this trace");
    }
    trace.alone = !trace.alone;
    trace.path = false;
    let alone = trace.alone;
    say(state, if alone { "the rest is hidden: the same again shows it" } else { "everything is shown" });
    request(state, Request::Flatten, out);
}

/// Shows only what is on the critical path, or everything again.
pub(super) fn toggle_path(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let Some(analysis) = &trace.analysis else { return say(state, "the trace is still being read") };
    if !trace.path && analysis.path.is_empty() {
        return say(state, "there is no critical path: this trace took no time");
    }
    trace.path = !trace.path;
    trace.alone = false;
    let path = trace.path;
    say(state, if path { "only the critical path is shown: the same again shows all" } else { "everything is shown" });
    request(state, Request::Flatten, out);
}

/// Corrects the times where clocks run apart, or shows them as they were sent.
pub(super) fn adjust_clocks(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let Some(analysis) = &trace.analysis else { return say(state, "the trace is still being read") };
    if analysis.skews.is_empty() {
        return say(state, "no clocks run apart in this trace: no order is impossible");
    }
    trace.adjusted = !trace.adjusted;
    trace.zoom = None;
    let adjusted = trace.adjusted;
    say(
        state,
        if adjusted { "times are corrected where clocks run apart" } else { "times are shown as they were sent" },
    );
    request(state, Request::Open, out);
}

/// Lets go of what was found; what was hidden for it is shown again.
pub(super) fn forget_found(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    trace.found = None;
    if std::mem::take(&mut trace.alone) {
        request(state, Request::Flatten, out);
    }
}

/// The selected row, by index. It is looked for where it nearly always is first: in a trace of 100,000 rows that counts.
pub(super) fn selected(trace: &TraceScreen) -> Option<usize> {
    let key = trace.selected?;
    let mut near = trace.rows.iter().enumerate().skip(trace.offset).take(NEAR);
    let found = near.find(|(_, row)| row.key == key).map(|(index, _)| index);
    found.or_else(|| row_of(&trace.rows, key))
}

fn selected_row(trace: &TraceScreen) -> Option<&Row> {
    trace.rows.get(selected(trace)?)
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let height = state.viewport.waterfall;
    let Some(trace) = &state.trace else { return };
    if trace.rows.is_empty() {
        return say(state, "this trace has no rows yet");
    }
    let at = selected(trace).unwrap_or(trace.offset);
    let to = step.from(at, trace.rows.len(), height);
    select(state, to);
}

/// Selects a row and brings it into sight.
pub(super) fn select(state: &mut State, row: usize) {
    let height = state.viewport.waterfall;
    let Some(trace) = &mut state.trace else { return };
    let Some(key) = trace.rows.get(row).map(|row| row.key) else { return };
    trace.offset = showing(row, trace.offset, height, trace.rows.len(), MARGIN);
    set_selected(trace, key);
}

/// Selects what `key` stands for, whether its row is there yet or not.
pub(super) fn set_selected(trace: &mut TraceScreen, key: RowKey) {
    if trace.selected != Some(key) {
        trace.selected = Some(key);
        trace.detail.scroll = 0;
        trace.detail.cell = 0;
    }
}

/// Brings the selected row into sight.
pub(super) fn show_selected(state: &mut State) {
    if let Some(row) = state.trace.as_ref().and_then(selected) {
        select(state, row);
    }
}

/// Scrolls by the wheel: the window moves, the selection stays in it.
pub(super) fn scroll(state: &mut State, by: isize) {
    let height = usize::from(state.viewport.waterfall).max(1);
    let Some(trace) = &mut state.trace else { return };
    let len = trace.rows.len();
    trace.offset = trace.offset.saturating_add_signed(by).min(len.saturating_sub(height));
    if let Some(at) = selected(trace) {
        let inside = at.clamp(trace.offset, (trace.offset + height - 1).min(len.saturating_sub(1)));
        if let Some(key) = trace.rows.get(inside).map(|row| row.key) {
            set_selected(trace, key);
        }
    }
}

/// Folds or unfolds the selected row.
pub(super) fn toggle(state: &mut State, out: &mut Vec<Effect>) {
    match state.trace.as_ref().and_then(selected_row).map(|row| row.open) {
        Some(Some(open)) => set_open(state, !open, out),
        Some(None) => say(state, "nothing below this span: d goes to its detail"),
        None => say(state, "no span is selected"),
    }
}

fn set_open(state: &mut State, open: bool, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let Some(key) = selected_row(trace).map(|row| row.key) else { return };
    // Groups are closed until opened, everything else is open until closed.
    let (set, named) = match key {
        RowKey::Group(..) => (&mut trace.folds.opened, open),
        RowKey::Span(_) | RowKey::Missing(_) => (&mut trace.folds.closed, !open),
    };
    if named {
        set.insert(key);
    } else {
        set.remove(&key);
    }
    request(state, Request::Flatten, out);
}

/// Folds the row, or goes to its parent.
pub(super) fn fold(state: &mut State, out: &mut Vec<Effect>) {
    match state.trace.as_ref().and_then(selected_row).map(|row| (row.open, row.parent_row)) {
        Some((Some(true), _)) => set_open(state, false, out),
        Some((_, Some(parent))) => select(state, usize::try_from(parent).unwrap_or_default()),
        Some((_, None)) => say(state, "this is the top of the tree"),
        None => say(state, "no span is selected"),
    }
}

/// Unfolds the row, or goes to its first child.
pub(super) fn unfold(state: &mut State, out: &mut Vec<Effect>) {
    match state.trace.as_ref().and_then(selected_row).map(|row| row.open) {
        Some(Some(false)) => set_open(state, true, out),
        Some(Some(true)) => go(state, Step::Rows(1)),
        Some(None) => say(state, "nothing below this span"),
        None => say(state, "no span is selected"),
    }
}

/// Folds everything below the roots.
pub(super) fn fold_all(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let Some(analysis) = &trace.analysis else { return };
    let parents = (0..).zip(&analysis.nodes).filter(|(_, node)| node.parent.is_some() && !node.children.is_empty());
    trace.folds.closed = parents.filter_map(|(node, _)| analysis.row_key(node)).collect();
    trace.folds.opened.clear();
    if trace.folds.closed.is_empty() {
        say(state, "nothing to fold below the roots");
    }
    request(state, Request::Flatten, out);
}

/// Unfolds the tree; where it is unfolded already, the groups in it.
pub(super) fn unfold_all(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    if trace.folds.closed.is_empty() {
        let groups: Vec<RowKey> = trace.rows.iter().filter(|row| row.open == Some(false)).map(|row| row.key).collect();
        if groups.is_empty() {
            return say(state, "everything is unfolded");
        }
        trace.folds.opened.extend(groups);
    } else {
        trace.folds.closed.clear();
    }
    request(state, Request::Flatten, out);
}

/// Shows only the time of the selected row; on the stretch already shown, all of the time again.
pub(super) fn zoom(state: &mut State) {
    let Some(trace) = &mut state.trace else { return };
    let row = selected_row(trace);
    let Some((start, end)) = row.and_then(|row| stretch(trace.analysis.as_deref(), row)) else {
        return say(state, "no span is selected");
    };
    if trace.zoom == Some((start, end)) {
        trace.zoom = None;
    } else {
        trace.zoom = Some((start, end));
        say(state, "zoomed: Z shows all of the time");
    }
}

fn stretch(analysis: Option<&Analysis>, row: &Row) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = match row.kind {
        RowKind::Group { start, end, .. } => (start, end),
        RowKind::Span | RowKind::Missing => {
            let node = analysis?.nodes.get(row.node as usize)?;
            (node.start, node.end)
        }
    };
    Some((start, end.max(start.plus(Nanos(1)))))
}

/// Shows all of the time.
pub(super) fn zoom_out(state: &mut State) {
    if state.trace.as_mut().and_then(|trace| trace.zoom.take()).is_none() {
        say(state, "all of the time is shown already");
    }
}

/// Whether the keys go to the detail pane.
pub(super) fn set_focus(state: &mut State, focus: DetailFocus) {
    if let Some(trace) = &mut state.trace {
        trace.detail.focus = focus;
    }
}

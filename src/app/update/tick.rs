//! Time has passed or the index has changed: what is on screen is brought up to date.

use std::collections::HashMap;

use super::{list, settle};
use crate::app::asked::Reason;
use crate::app::{Effect, Page, State};
use crate::index::View;
use crate::model::{Timestamp, TraceId, TraceSummary};

/// The index published something, or time has passed: asks for what has become stale (list, open trace, preview).
/// Called at most a few times a second.
pub fn tick(state: &mut State, view: &View, now: Timestamp) -> Vec<Effect> {
    let mut out = Vec::new();
    state.now = now;
    if state.notice.as_ref().is_some_and(|notice| notice.until <= now) {
        state.notice = None;
    }
    if state.list.paused {
        count_waiting(state, view);
    } else if state.list.revision != view.revision() && !state.list.searching {
        list::ask(state, Reason::Data, &mut out);
    }
    if let Some(summary) = state.trace.as_ref().and_then(|trace| view.summary(trace.id)) {
        settle::reopen(state, summary.last_arrival, &mut out);
    }
    preview(state, view, &mut out);
    settle::settle(state, &mut out);
    out
}

fn count_waiting(state: &mut State, view: &View) {
    let totals = view.stats();
    let ever = totals.traces + totals.traces_evicted;
    let before = *state.asked.paused_at.get_or_insert(ever);
    state.list.waiting = usize::try_from(ever.saturating_sub(before)).unwrap_or(usize::MAX);
}

/// Asks for the preview anew where its trace has grown.
fn preview(state: &mut State, view: &View, out: &mut Vec<Effect>) {
    let Some(shown) = state.list.preview.as_ref().filter(|shown| state.list.selected == Some(shown.id)) else { return };
    let Some(summary) = view.summary(shown.id) else { return };
    let asked = Some((shown.id, Some(summary.last_arrival)));
    let wanted = state.list.preview_shown && state.viewport.preview > 0 && state.screen == crate::app::Screen::Traces;
    if wanted && summary.last_arrival != shown.last_arrival && state.asked.preview != asked {
        state.asked.preview = asked;
        out.push(Effect::Preview { trace: shown.id });
    }
}

/// Looks up the rows in sight, right before a frame is drawn. Cheap: only what is in sight.
pub fn refresh(state: &mut State, view: &View) {
    let list = &mut state.list;
    let most = list.rows.len().saturating_sub(usize::from(state.viewport.list).max(1));
    list.offset = list.offset.min(most);
    let rows = list.rows.iter().enumerate().skip(list.offset).take(usize::from(state.viewport.list));
    let before = std::mem::take(&mut list.page).into_iter();
    let before: HashMap<TraceId, TraceSummary> =
        before.filter_map(|page| Some((page.row.trace, page.summary?))).collect();
    let summary = |trace| {
        let figures = view.figures(trace)?;
        let known = before.get(&trace).filter(|known| is_of(known, &figures));
        known.cloned().or_else(|| view.summary(trace))
    };
    list.page = rows.map(|(index, row)| Page { index, row: *row, summary: summary(row.trace) }).collect();
}

/// Whether a line still is that of a trace with these figures: they change with every span that arrives. The texts of a
/// root are read from its rows, which at rest takes longer than all else in a frame.
fn is_of(line: &TraceSummary, figures: &TraceSummary) -> bool {
    let of =
        |line: &TraceSummary| (line.first_arrival, line.last_arrival, line.start, line.end, line.spans, line.errors);
    of(line) == of(figures) && line.badges == figures.badges
}

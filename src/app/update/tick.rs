//! Time has passed or the index has changed: what is on screen is brought up to date.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::{compare, list, settle, survey};
use crate::app::asked::Reason;
use crate::app::{Effect, ListRow, Page, State, plain};
use crate::index::View;
use crate::model::{Timestamp, TraceId, TraceSummary, lookup};
use crate::semconv::describe;

/// The index published something, or time has passed: asks for what has become stale (list, open trace, preview).
/// Called at most a few times a second.
pub fn tick(state: &mut State, view: &View, now: Timestamp) -> Vec<Effect> {
    let mut out = Vec::new();
    state.now = now;
    if state.notice.as_ref().is_some_and(|notice| notice.until <= now) {
        state.notice = None;
    }
    if state.list.paused && state.filter.query.is_empty() {
        count_waiting(state, view);
    } else if state.list.revision != view.revision() && !state.list.searching {
        list::ask(state, Reason::Data, &mut out);
    }
    compare::launched(state, &view.stats().launches);
    survey::tick(state, view.revision(), &mut out);
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

/// Looks up the rows in sight, right before a frame is drawn. Cheap: only what is in sight. Answers whether some text was
/// left for the next frame, which should follow then.
pub fn refresh(state: &mut State, view: &View) -> bool {
    let list = &mut state.list;
    if list.firsts.len() > MOST_FIRSTS {
        list.firsts.clear();
    }
    let (firsts, mut looks, mut left) = (&mut list.firsts, LOOKS, false);
    let most = list.rows.len().saturating_sub(usize::from(state.viewport.list).max(1));
    list.offset = list.offset.min(most);
    let rows = list.rows.iter().enumerate().skip(list.offset).take(usize::from(state.viewport.list));
    let before: HashMap<TraceId, Page> =
        std::mem::take(&mut list.page).into_iter().map(|page| (page.row.trace, page)).collect();
    let page = |(index, row): (usize, &ListRow)| {
        let known = before.get(&row.trace);
        let figures = view.figures(row.trace);
        let line = known.and_then(|page| page.summary.as_ref());
        let line = line.filter(|line| figures.as_ref().is_some_and(|figures| is_of(line, figures)));
        let summary = match (line, &figures) {
            (Some(line), _) => Some(line.clone()),
            (None, Some(_)) => view.summary(row.trace),
            (None, None) => None,
        };
        let first = row.first.zip(summary.as_ref()).and_then(|(key, summary)| {
            if let Some(first) = firsts.get(&(row.trace, key)) {
                return first.clone();
            }
            if looks == 0 {
                left = true;
                return None;
            }
            looks -= 1;
            let first = first_match(view, row, summary);
            firsts.insert((row.trace, key), first.clone());
            first
        });
        Page { index, row: *row, summary, first }
    };
    list.page = rows.map(page).collect();
    left
}

/// First matches that are read for one frame: of a trace at rest each takes a millisecond or two.
const LOOKS: usize = 2;
/// First matches that are remembered.
const MOST_FIRSTS: usize = 4_096;

/// Spans of a trace in which the first match is not looked up for its text: it would take longer than a frame.
const CROWD: u32 = 5_000;

/// What the first match does, where it is not what the trace's own line says.
fn first_match(view: &View, row: &ListRow, summary: &TraceSummary) -> Option<Arc<str>> {
    let key = row.first.filter(|_| summary.spans <= CROWD)?;
    let span = view.span(row.trace, key)?;
    let name = span.name.lossy();
    let text = |key: &str| Some(Cow::Owned(plain::text(key, lookup(&span.attributes, key)?, None)));
    let label = describe(&name, span.kind, &text).text.unwrap_or_else(|| name.into_owned());
    (label != *summary.root_label).then(|| label.into())
}

/// Whether a line still is that of a trace with these figures: they change with every span that arrives. The texts of a
/// root are read from its rows, which at rest takes longer than all else in a frame.
fn is_of(line: &TraceSummary, figures: &TraceSummary) -> bool {
    let of =
        |line: &TraceSummary| (line.first_arrival, line.last_arrival, line.start, line.end, line.spans, line.errors);
    of(line) == of(figures) && line.badges == figures.badges
}

//! Answers to effects.

use std::sync::Arc;

use super::{bar, findings, jump, link, list, recall, rows, save, say, settle, survey, trace, values, warn};
use crate::app::asked::Reason;
use crate::app::{Answer, Effect, Found, Preview, SpanDetail, State};
use crate::model::{SpanKey, TraceId};
use crate::query::{Completion, Query};

/// An answer came in.
pub fn answer(state: &mut State, answer: Answer) -> Vec<Effect> {
    let mut out = Vec::new();
    match answer {
        Answer::Listed { generation, .. } if generation != state.list.generation => {}
        // What is on screen is all there is, but for what has just arrived: a part of it would be less.
        Answer::Listed { partial: true, .. } if state.asked.list == Reason::Data => {}
        Answer::Listed { revision, rows, strip, partial, .. } => {
            state.list.revision = revision;
            state.list.searching = partial;
            state.list.anew &= partial;
            state.list.so_far = partial;
            if state.list.paused && state.asked.list == Reason::Data {
                // What matches is kept in the index until the list moves again, and counted.
                state.list.waiting = rows.len().saturating_sub(state.list.rows.len());
            } else {
                list::take_rows(state, rows);
                state.list.strip = strip;
            }
            if !partial {
                state.asked.list = Reason::Data;
            }
        }
        Answer::Surveyed(surveyed) => survey::take(state, surveyed),
        Answer::Baselines { trace, found } => super::baseline::take(state, trace, found),
        Answer::Formatted(formatted) => super::sql::take_formatted(state, formatted),
        Answer::Previewed { trace, analysis, rows } => {
            // Where the newest is followed, the one before is better than nothing until it comes.
            if state.list.selected == Some(trace) || state.list.follow {
                let last_arrival = analysis.trace.last_arrival;
                state.list.preview = Some(Preview { id: trace, last_arrival, analysis, rows });
            }
        }
        Answer::Opened { .. } | Answer::Flattened { .. } | Answer::Found { .. } => of_trace(state, answer, &mut out),
        Answer::Judged { of, judged, told } => findings::judged(state, &of, judged, told),
        Answer::Gained { analysis, nodes, gains } => super::what_if::take(state, &analysis, nodes, gains),
        Answer::Marked(marks) => super::marks::take(state, marks),
        Answer::Detailed { trace, span, detail } => detailed(state, trace, span, detail),
        Answer::Failure { example, detail } => super::errors::told(state, example, detail),
        Answer::Completed { text, completions } => completed(state, &text, completions, &mut out),
        Answer::Markdown(text) => super::copy::markdown(state, text, &mut out),
        Answer::Copied(result) => super::copy::copied(state, result),
        Answer::Library(library, trouble) => recall::take_library(state, library, trouble),
        Answer::Keys(keys) => recall::take_keys(state, keys),
        Answer::Samples(samples) => {
            if let Some(crate::app::Overlay::Language(shown)) = &mut state.overlay {
                *shown = samples;
            }
        }
        Answer::Values { generation, values } => values::take(state, generation, values),
        Answer::Health(health) => bar::take_health(state, health, &mut out),
        Answer::Saved(result) => save::saved(state, result),
        Answer::Served(Ok(what)) => say(state, what),
        Answer::Served(Err(why)) => warn(state, why),
        Answer::Demo(Ok(playing)) => {
            state.demo = playing;
            say(state, if playing { "the demo plays: d on the list stops it" } else { "the demo has stopped" });
        }
        Answer::Demo(Err(why)) => warn(state, format!("no demo: {why}")),
    }
    settle::settle(state, &mut out);
    out
}

fn of_trace(state: &mut State, answer: Answer, out: &mut Vec<Effect>) {
    let current = state.trace.as_ref().map(|trace| (trace.id, trace.generation));
    match answer {
        Answer::Opened { generation, trace, analysis, rows, found } if current == Some((trace, generation)) => {
            state.asked.trace = None;
            let Some(analysis) = analysis else { return gone(state) };
            state.asked.left = None;
            if let Some(open) = &mut state.trace {
                open.gone = false;
                open.last_arrival = analysis.trace.last_arrival;
            }
            let query = Arc::clone(state.lit());
            rows::take(state, Some(analysis), rows, out);
            if let Some(nodes) = found {
                take_found(state, query, nodes);
            }
        }
        Answer::Flattened { generation, rows } if current.is_some_and(|(_, latest)| latest == generation) => {
            state.asked.trace = None;
            rows::take(state, None, rows, out);
        }
        Answer::Found { generation, query, nodes } if current.is_some_and(|(_, latest)| latest == generation) => {
            state.asked.trace = None;
            take_found(state, query, nodes);
        }
        _ => return,
    }
    let lands = state.asked.trace.is_none() && std::mem::take(&mut state.asked.land_on_match);
    let selected = state.trace.as_ref().and_then(|open| open.selected);
    // Who has moved on since does not want to be taken there.
    if lands && state.asked.stood.is_none_or(|stood| selected == Some(stood)) {
        jump::to_match_from_here(state, out);
    }
}

fn take_found(state: &mut State, query: Arc<Query>, nodes: Vec<u32>) {
    if !bar::is_current(state, &query) || query.is_empty() {
        return;
    }
    let by_filter = state.find.query.is_empty();
    if let Some(trace) = &mut state.trace {
        trace.alone &= !nodes.is_empty();
        let set = nodes.iter().copied().collect();
        // A trace that came by a link need not have to do with the filter; of a search it is told that nothing matches.
        let tells = !(by_filter && nodes.is_empty());
        trace.found = tells.then(|| Found { query, by_filter, nodes: Arc::new(nodes), set: Arc::new(set) });
    }
}

/// The trace is not held (any longer). What was read of it stays on screen.
fn gone(state: &mut State) {
    if link::not_held(state) {
        return;
    }
    let Some(trace) = &mut state.trace else { return };
    trace.gone = true;
    let seen = trace.analysis.is_some();
    warn(
        state,
        if seen { "this trace has left the index: what was read of it is shown" } else { "this trace is not held" },
    );
}

/// Proposals came in. Secrets are not proposed unless they are shown.
fn completed(state: &mut State, text: &str, proposals: Vec<Completion>, out: &mut Vec<Effect>) {
    let redactor = (!state.unmasked).then_some(&state.settings.redactor);
    let is_secret =
        |(key, value): &(String, String)| redactor.is_some_and(|redactor| redactor.value(key, value).masked);
    let bar = if state.find.editing { &mut state.find } else { &mut state.filter };
    if bar.editing && bar.text == text {
        bar.completions = proposals;
        bar.completions.retain(|proposal| !proposal.value.as_ref().is_some_and(is_secret));
        bar.chosen = 0;
        bar.offered.clone_from(&bar.completions);
        bar::proposed(state, out);
    }
}

fn detailed(state: &mut State, trace: TraceId, span: SpanKey, detail: Option<Arc<SpanDetail>>) {
    let wanted = state.asked.detail.is_some_and(|asked| asked.trace == trace && asked.span == span);
    let Some(open) = state.trace.as_mut().filter(|_| wanted) else { return };
    // What has left the index stays on screen as it was read.
    if let Some(detail) = detail {
        open.detail.cell = open.detail.cell.min(detail.cells.len().saturating_sub(1));
        open.detail.span = Some(detail);
    }
    if open.detail.span.is_none() {
        trace::set_focus(state, crate::app::DetailFocus::Waterfall);
    }
}

//! How the open trace's root and its selected span compare with all others of their kind.

use std::sync::Arc;

use super::say;
use crate::analysis::{Analysis, Baseline, RowKey, Subject};
use crate::app::{Effect, Screen, State};
use crate::model::{SpanKey, TraceId};

/// The span that stands for the trace, by its place among the spans.
pub(in crate::app) fn root(analysis: &Analysis) -> Option<u32> {
    analysis.roots.iter().find_map(|node| match analysis.nodes.get(*node as usize)?.subject {
        Subject::Span(span) => Some(span),
        Subject::Missing(_) => None,
    })
}

/// Asks for what is shown and not known yet.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen != Screen::Trace {
        return;
    }
    let Some(open) = &state.trace else { return };
    let Some(analysis) = &open.analysis else { return };
    let selected = match open.selected {
        Some(RowKey::Span(key)) => Some(key),
        _ => None,
    };
    let wanted = (open.id, selected, open.last_arrival);
    if state.asked.baseline == Some(wanted) {
        return;
    }
    let place = |key: SpanKey| analysis.trace.spans.iter().position(|span| span.key == key);
    let selected = selected.and_then(place).and_then(|place| u32::try_from(place).ok());
    let mut spans: Vec<u32> = root(analysis).into_iter().chain(selected).collect();
    spans.dedup();
    if !spans.is_empty() {
        out.push(Effect::Baseline { analysis: Arc::clone(analysis), spans });
    }
    state.asked.baseline = Some(wanted);
}

/// What was asked for came in.
pub(super) fn take(state: &mut State, trace: TraceId, found: Vec<(SpanKey, Baseline)>) {
    if let Some(open) = state.trace.as_mut().filter(|open| open.id == trace) {
        open.baselines.extend(found);
    }
}

/// Says in one line how the selected span compares.
pub(super) fn explain(state: &mut State) {
    let said = state.trace.as_ref().and_then(|open| {
        let analysis = open.analysis.as_ref()?;
        let Some(RowKey::Span(key)) = open.selected else { return Some("no span is selected".to_owned()) };
        let span = analysis.trace.spans.iter().find(|span| span.key == key)?;
        let baseline = open.baselines.get(&key);
        Some(baseline.map_or_else(|| "still comparing …".to_owned(), |baseline| baseline.explain(span.duration())))
    });
    say(state, said.unwrap_or_else(|| "no span is selected".to_owned()));
}

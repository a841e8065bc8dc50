//! The page that a server has of a trace.

use super::say;
use crate::app::{Effect, Screen, State};
use crate::model::{SourceId, TraceId};

/// Shows the page that the server, where the trace lives, has of it.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    match link(state) {
        Some(link) => out.push(Effect::Browse(link)),
        None => say(state, "no server is asked that has a page of this trace"),
    }
}

fn link(state: &State) -> Option<String> {
    let (id, sources) = chosen(state)?;
    let page = |id: &SourceId| state.health.sources.get(usize::from(id.0))?.page.as_ref();
    sources.iter().find_map(page).map(|page| format!("{page}{id}"))
}

/// The trace, and the sources of its spans.
fn chosen(state: &State) -> Option<(TraceId, Vec<SourceId>)> {
    if state.screen == Screen::Trace {
        let trace = state.trace.as_ref()?;
        let mut sources: Vec<SourceId> =
            trace.analysis.iter().flat_map(|of| &of.trace.spans).map(|span| span.source).collect();
        sources.dedup();
        return Some((trace.id, sources));
    }
    let id = state.list.selected?;
    let page = state.list.page.iter().find(|page| page.row.trace == id);
    let source = page.and_then(|page| page.summary.as_ref()).map(|summary| summary.source);
    Some((id, source.into_iter().collect()))
}

//! New rows of the open trace in place of the old ones: what the reader looks at stays where it is.

use std::sync::Arc;

use super::say;
use super::trace::{MARGIN, request, select, selected, set_selected};
use super::window::{keeping, showing};
use crate::analysis::{Analysis, Row, RowKey, RowKind, Subject, reveal, row_of, with_ancestors};
use crate::app::asked::Request;
use crate::app::{Effect, State, TraceScreen};
use crate::model::{Nanos, SpanKey};

/// Takes in rows, and the tree they belong to where that is new too.
pub(super) fn take(state: &mut State, analysis: Option<Arc<Analysis>>, rows: Arc<Vec<Row>>, out: &mut Vec<Effect>) {
    let height = state.viewport.waterfall;
    let Some(trace) = &mut state.trace else { return };
    let stood = selected(trace);
    trace.rows = rows;
    if analysis.is_some() {
        trace.analysis = analysis;
    }
    let len = trace.rows.len();
    match (selected(trace), stood) {
        (Some(stands), Some(stood)) => {
            trace.offset = keeping(stood, stands, trace.offset, height, len);
            trace.offset = showing(stands, trace.offset, height, len, 0);
        }
        (Some(stands), None) => trace.offset = showing(stands, trace.offset, height, len, MARGIN),
        (None, _) => {
            trace.offset = trace.offset.min(len.saturating_sub(usize::from(height).max(1)));
            let row = if trace.selected.is_some() { nearest(trace) } else { telling(trace, height) };
            select(state, row.unwrap_or_default());
        }
    }
    land(state, out);
}

/// Goes to the span that was to be landed on, once it is there.
pub(super) fn land(state: &mut State, out: &mut Vec<Effect>) {
    let Some(trace) = &mut state.trace else { return };
    let Some(analysis) = trace.analysis.clone() else { return };
    let Some(node) = trace.land_on.and_then(|key| node_of_span(&analysis, key)) else { return };
    trace.land_on = None;
    // A filter that holds for the root already says little of where to look: the selection stays if it matches, too. A
    // link says it exactly.
    let exactly = std::mem::take(&mut state.asked.land_exactly);
    if !exactly && trace.back.is_empty() && analysis.roots.first() == Some(&node) {
        (state.asked.land_on_match, state.asked.stood) = (true, trace.selected);
        return;
    }
    go_to_node(state, &analysis, node, out);
}

/// Selects a node's row, and opens what hides it.
pub(super) fn go_to_node(state: &mut State, analysis: &Analysis, node: u32, out: &mut Vec<Effect>) {
    let Some(key) = analysis.row_key(node) else { return };
    let Some(trace) = &mut state.trace else { return };
    if let Some(row) = row_of(&trace.rows, key) {
        return select(state, row);
    }
    reveal(analysis, &mut trace.folds, node);
    set_selected(trace, key);
    let found = trace.found.as_ref().filter(|_| trace.alone);
    let off_path = trace.path && analysis.nodes.get(node as usize).is_none_or(|node| node.path == Nanos::ZERO);
    if off_path || found.is_some_and(|found| !with_ancestors(analysis, &found.nodes).contains(&node)) {
        (trace.alone, trace.path) = (false, false);
        say(state, "everything is shown again: this span was hidden");
    }
    request(state, Request::Flatten, out);
}

/// The node of a span. A link does not tell the kind: then any span of that id.
fn node_of_span(analysis: &Analysis, key: SpanKey) -> Option<u32> {
    let spans = &analysis.trace.spans;
    let exact = spans.iter().position(|span| span.key == key);
    let index = exact.or_else(|| spans.iter().position(|span| span.key.id == key.id))?;
    let index = u32::try_from(index).ok()?;
    let is_it = |node: &Subject| *node == Subject::Span(index);
    // Spans stand first and in their own order, so the node is found at once.
    let node = analysis.nodes.iter().position(|node| is_it(&node.subject))?;
    u32::try_from(node).ok()
}

/// The row that stands nearest above what was selected: the group it is in, or the nearest visible node above it.
fn nearest(trace: &TraceScreen) -> Option<usize> {
    let analysis = trace.analysis.as_ref()?;
    let mut row_of_node = vec![None; analysis.nodes.len()];
    let mut put = |node: u32, row: usize| {
        if let Some(place) = row_of_node.get_mut(node as usize) {
            *place = Some(row);
        }
    };
    for (index, row) in trace.rows.iter().enumerate() {
        match &row.kind {
            RowKind::Group { members, .. } => members.iter().for_each(|member| put(*member, index)),
            RowKind::Span | RowKind::Missing => put(row.node, index),
        }
    }
    let mut node = match trace.selected? {
        RowKey::Span(key) => node_of_span(analysis, key),
        RowKey::Missing(id) => node_of_id(analysis, id),
        RowKey::Group(parent, _) => parent.and_then(|id| node_of_id(analysis, id)),
    };
    // A cut cycle leaves no way round, but the number of nodes bounds the climb in any case.
    for _ in 0..analysis.nodes.len() {
        let current = node?;
        if let Some(row) = row_of_node.get(current as usize).copied().flatten() {
            return Some(row);
        }
        node = analysis.nodes.get(current as usize)?.parent;
    }
    None
}

/// A parent that was missing may have come: then it is a span now.
fn node_of_id(analysis: &Analysis, id: crate::model::SpanId) -> Option<u32> {
    let missing = analysis.nodes.iter().position(|node| node.subject == Subject::Missing(id));
    let span = || analysis.trace.spans.iter().position(|span| span.key.id == id);
    missing.or_else(span).and_then(|node| u32::try_from(node).ok())
}

/// The row that tells most on the first screenful: what the verdict names, else the first row.
fn telling(trace: &TraceScreen, height: u16) -> Option<usize> {
    let analysis = trace.analysis.as_ref()?;
    let node = analysis.verdict.loudest()?.node;
    let holds = |row: &Row| match &row.kind {
        RowKind::Group { members, .. } => members.contains(&node),
        RowKind::Span | RowKind::Missing => row.node == node,
    };
    trace.rows.iter().take(usize::from(height)).position(holds)
}

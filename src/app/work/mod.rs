//! The pure halves of effects: what `run` executes on worker threads. Each takes a view of the index and gives an [`Answer`].

mod baseline;
mod desk;
mod detail;
mod judge;
mod list;
mod markdown;
mod survey;
mod tail;
mod values;

use std::sync::Arc;

pub use desk::{Desk, Highlight, Means};
pub use detail::{DetailRequest, detail};
pub use list::{ListRequest, list};
pub use markdown::{markdown, senders};
pub use tail::Tail;
pub use values::{ValuesRequest, keys, samples, values};

use super::{Answer, Showing};
use crate::analysis::Thresholds;
use crate::analysis::findings::Held;
use crate::analysis::{
    Analysis, Folds, Row, Subject, analyse_whole, flatten as flatten_rows, flatten_where, path, with_ancestors,
};
use crate::index::View;
use crate::model::{Names, Timestamp, TraceId};
use crate::query::{Query, complete_with, matching_spans};

/// How many proposals are made.
const PROPOSALS: usize = 50;

/// What [`open`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct OpenRequest<'a> {
    /// Comes back with the answer.
    pub generation: u64,
    /// The trace.
    pub trace: TraceId,
    /// What is folded.
    pub folds: &'a Folds,
    /// The search in it, or else the filter of the list, if there is one.
    pub find: Option<&'a Query>,
    /// What of it is shown, and how.
    pub showing: Showing,
    /// Now: what `lookback` and the like are counted from.
    pub now: Timestamp,
}

/// Reads a trace, judges and flattens it, and finds what matches.
#[must_use]
pub fn open(view: &View, request: &OpenRequest<'_>, thresholds: &Thresholds) -> Answer {
    let OpenRequest { generation, trace, folds, find, showing, now } = *request;
    let Some(analysis) = read(view, trace, thresholds, showing.adjusted) else {
        return Answer::Opened { generation, trace, analysis: None, rows: Arc::default(), found: None };
    };
    let found = find.map(|query| matches((view, now), &analysis, query));
    let path = showing.path.then(|| path::on_path(&analysis));
    let alone = found.as_deref().filter(|_| showing.matches);
    let rows = rows(&analysis, folds, path.as_deref().or(alone));
    Answer::Opened { generation, trace, analysis: Some(analysis), rows: Arc::new(rows), found }
}

/// Reads a trace for the preview; `None` where it is not held.
#[must_use]
pub fn preview(view: &View, trace: TraceId, thresholds: &Thresholds) -> Option<Answer> {
    let analysis = read(view, trace, thresholds, false)?;
    let rows = Arc::new(flatten_rows(&analysis, &Folds::default()));
    Some(Answer::Previewed { trace, analysis, rows })
}

/// Flattens the open trace anew; with rows only for the nodes `only` and what stands above them, where they are named.
#[must_use]
pub fn flatten(generation: u64, analysis: &Analysis, folds: &Folds, only: Option<&[u32]>) -> Answer {
    Answer::Flattened { generation, rows: Arc::new(rows(analysis, folds, only)) }
}

/// Finds what matches in the open trace.
#[must_use]
pub fn find((view, now): (&View, Timestamp), generation: u64, analysis: &Analysis, query: &Arc<Query>) -> Answer {
    Answer::Found { generation, query: Arc::clone(query), nodes: matches((view, now), analysis, query) }
}

/// Proposes what could be typed next; `names`: what servers call things.
#[must_use]
pub fn complete(view: &View, text: String, cursor: usize, names: &[Arc<Names>]) -> Answer {
    let completions = complete_with(&text, cursor, (view, names), PROPOSALS);
    Answer::Completed { text, completions }
}

fn read(view: &View, id: TraceId, thresholds: &Thresholds, adjusted: bool) -> Option<Arc<Analysis>> {
    let trace = view.trace(id)?;
    Some(Arc::new(analyse_whole(Arc::new(trace), thresholds, adjusted, &Held { view, trace: id })))
}

/// Where nothing is to be shown alone, everything is shown.
fn rows(analysis: &Analysis, folds: &Folds, only: Option<&[u32]>) -> Vec<Row> {
    match only.filter(|nodes| !nodes.is_empty()) {
        Some(nodes) => {
            let kept = with_ancestors(analysis, nodes);
            flatten_where(analysis, folds, &|node| kept.contains(&node))
        }
        None => flatten_rows(analysis, folds),
    }
}

/// The nodes of the spans that match, in the order of the tree.
fn matches((view, now): (&View, Timestamp), analysis: &Analysis, query: &Query) -> Vec<u32> {
    if query.is_empty() {
        return Vec::new();
    }
    let spans: std::collections::HashSet<_> = matching_spans(query, view, now, analysis.trace.id).into_iter().collect();
    if spans.is_empty() {
        return Vec::new();
    }
    let is_match = |node: &u32| match analysis.nodes.get(*node as usize).map(|node| node.subject) {
        Some(Subject::Span(index)) => {
            analysis.trace.spans.get(index as usize).is_some_and(|span| spans.contains(&span.key))
        }
        _ => false,
    };
    in_tree_order(analysis).into_iter().filter(is_match).collect()
}

/// All nodes, depth first. A node is met once, whatever the tree looks like.
pub(super) fn in_tree_order(analysis: &Analysis) -> Vec<u32> {
    let mut order = Vec::with_capacity(analysis.nodes.len());
    let mut met = vec![false; analysis.nodes.len()];
    let mut stack: Vec<u32> = analysis.roots.iter().rev().copied().collect();
    while let Some(node) = stack.pop() {
        if let Some(met) = met.get_mut(node as usize)
            && !std::mem::replace(met, true)
        {
            order.push(node);
            stack.extend(analysis.children_of(node).iter().rev());
        }
    }
    order
}

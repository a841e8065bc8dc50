//! Runs a filter over a view of the index.

use std::collections::HashSet;

use super::plan::Plan;
use super::{Hit, Hits, Query};
use crate::index::{Match, View};
use crate::model::{SpanKey, Timestamp, TraceId};

/// Finds the traces that match; stops early, with what it has, once `cancelled` says so.
#[must_use]
pub fn run(query: &Query, view: &View, cancelled: &dyn Fn() -> bool) -> Hits {
    let plan = Plan::new(query);
    if plan.nothing {
        return Hits::default();
    }
    if !plan.wanted.is_empty() {
        return with_spans(&plan, view, cancelled);
    }
    let mut excluded: HashSet<TraceId> = HashSet::new();
    for block in view.blocks().filter(|_| !plan.unwanted.is_empty()) {
        if cancelled() {
            // What was not looked at might have to be excluded: of a search that was cut short nothing is certain.
            return Hits { hits: Vec::new(), partial: true };
        }
        excluded.extend(plan.select_unwanted(block).iter().map(|row| block.row(row).0));
    }
    let meant = view.traces().filter(|trace| plan.allows(*trace) && !excluded.contains(trace));
    Hits { hits: meant.map(|trace| Hit { trace, matched: 0, first: None }).collect(), partial: false }
}

fn with_spans(plan: &Plan, view: &View, cancelled: &dyn Fn() -> bool) -> Hits {
    let mut found: Vec<Match> = Vec::new();
    let mut partial = false;
    for block in view.blocks() {
        partial = cancelled();
        if partial {
            break;
        }
        block.matches(&plan.select(block), &mut found);
    }
    // Blocks are in order of trace, more or less: the sort mostly finds runs to join.
    found.sort_by_key(|found| found.number);
    let same = found.chunk_by(|one, other| one.number == other.number);
    let joined = same.filter_map(|parts| parts.iter().copied().reduce(Match::join));
    let hit = |found: Match| {
        let trace = view.id_of(found.number).filter(|trace| plan.allows(*trace))?;
        Some(Hit { trace, matched: found.matched, first: Some(found.first.1) })
    };
    Hits { hits: joined.filter_map(hit).collect(), partial }
}

/// The spans of one trace that match, by start. None where the filter is about traces as a whole (empty, a trace id, or
/// only negated terms).
#[must_use]
pub fn matching_spans(query: &Query, view: &View, trace: TraceId) -> Vec<SpanKey> {
    let plan = Plan::new(query);
    if plan.wanted.is_empty() || !plan.allows(trace) {
        return Vec::new();
    }
    let mut spans: Vec<(Timestamp, SpanKey)> = Vec::new();
    for block in view.blocks() {
        let own = block.select_trace(&|id| id == trace);
        if !own.is_empty() {
            let rows = own.and(&plan.select(block));
            spans.extend(rows.iter().map(|row| (block.start(row), block.row(row).1)));
        }
    }
    spans.sort_unstable();
    spans.into_iter().map(|(_, key)| key).collect()
}

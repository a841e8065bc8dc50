//! Runs a filter over a view of the index.

use std::collections::{HashMap, HashSet};

use super::plan::Plan;
use super::{Hit, Hits, Query};
use crate::index::View;
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

/// What of a trace matches.
struct Found {
    matched: u32,
    first: (Timestamp, SpanKey),
}

fn with_spans(plan: &Plan, view: &View, cancelled: &dyn Fn() -> bool) -> Hits {
    let mut found: HashMap<TraceId, Found> = HashMap::new();
    let mut partial = false;
    for block in view.blocks() {
        partial = cancelled();
        if partial {
            break;
        }
        for row in plan.select(block).iter() {
            let (trace, key) = block.row(row);
            if !plan.allows(trace) {
                continue;
            }
            let this = (block.start(row), key);
            let entry = found.entry(trace).or_insert(Found { matched: 0, first: this });
            entry.matched = entry.matched.saturating_add(1);
            entry.first = entry.first.min(this);
        }
    }
    let hit = |trace| found.get(&trace).map(|found| Hit { trace, matched: found.matched, first: Some(found.first.1) });
    let hits = if found.is_empty() { Vec::new() } else { view.traces().filter_map(hit).collect() };
    Hits { hits, partial }
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

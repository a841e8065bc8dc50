//! Puts together what sources, index and settings say of themselves.

use crate::index::View;
use crate::model::{Health, Timestamp};
use crate::source::Board;

/// The state of everything at this moment.
pub(super) fn health(board: &Board, view: &View, budget: u64, started: Timestamp, now: Timestamp) -> Health {
    let sources = board.sources(now);
    let stats = view.stats();
    Health {
        spans_per_second: sources.iter().map(|source| source.spans_per_second).sum(),
        sources,
        services: stats.services.iter().map(|(name, health)| (name.to_owned(), health.clone())).collect(),
        mishaps: board.mishaps(),
        memory_used: stats.bytes,
        memory_budget: budget,
        spans_held: stats.spans,
        traces_held: stats.traces,
        logs_held: stats.logs,
        spans_evicted: stats.spans_evicted,
        traces_evicted: stats.traces_evicted,
        logs_evicted: stats.logs_evicted,
        duplicates: stats.duplicates,
        started,
    }
}

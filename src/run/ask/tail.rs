//! Follows an index: which traces that match are to be told of now.

use std::collections::HashMap;

use super::filter::Filter;
use crate::export::FoundTrace;
use crate::index::View;
use crate::model::{Nanos, Timestamp, TraceId};

/// A trace that gained no span for this long is told.
const QUIET: Nanos = Nanos::from_secs(1);
/// One that never goes quiet is told this long after it changed.
const LONGEST: Nanos = Nanos::from_secs(10);
/// Traces that are remembered as told before those are forgotten that are not held any more.
const REMEMBERED: usize = 1_024;

/// What was seen so far.
pub(super) struct Tail {
    filter: Filter,
    revision: u64,
    /// Traces that changed and were not told since, with the time at which that was seen.
    waiting: HashMap<TraceId, Timestamp>,
    /// How many spans a trace had when it was last told: where the same ones come again, as from a server that is asked again, it has
    /// not grown.
    told: HashMap<TraceId, u32>,
}

impl Tail {
    /// Follows what arrives after `view`.
    pub(super) fn new(filter: Filter, view: &View) -> Self {
        Self { filter, revision: view.revision(), waiting: HashMap::new(), told: HashMap::new() }
    }

    /// The traces to be told of now, by first arrival. Costs nothing while nothing arrives.
    pub(super) fn step(&mut self, view: &View, now: Timestamp) -> Vec<FoundTrace> {
        self.note(view, now);
        let mut ready = Vec::new();
        self.waiting.retain(|trace, since| {
            let Some(figures) = view.figures(*trace) else { return false };
            let told = now.since(figures.last_arrival) >= QUIET || now.since(*since) >= LONGEST;
            if told {
                ready.push(*trace);
            }
            !told
        });
        self.among(view, now, &ready)
    }

    /// All that is left to tell of, quiet or not.
    pub(super) fn rest(&mut self, view: &View, now: Timestamp) -> Vec<FoundTrace> {
        self.note(view, now);
        let ready: Vec<TraceId> = self.waiting.drain().map(|(trace, _)| trace).collect();
        self.among(view, now, &ready)
    }

    fn note(&mut self, view: &View, now: Timestamp) {
        if view.revision() == self.revision {
            return;
        }
        let changed = view.changed_since(self.revision).unwrap_or_else(|| view.traces().collect());
        self.revision = view.revision();
        for trace in changed {
            let spans = view.figures(trace).map(|figures| figures.spans);
            if spans.is_none() || self.told.get(&trace) != spans.as_ref() {
                self.waiting.entry(trace).or_insert(now);
            }
        }
        if self.told.len() > REMEMBERED && self.told.len() as u64 / 2 > view.stats().traces {
            self.told.retain(|trace, _| view.figures(*trace).is_some());
        }
    }

    fn among(&mut self, view: &View, now: Timestamp, ready: &[TraceId]) -> Vec<FoundTrace> {
        if ready.is_empty() {
            return Vec::new();
        }
        let spans = |trace: &TraceId| Some((*trace, view.figures(*trace)?.spans));
        self.told.extend(ready.iter().filter_map(spans));
        let hits = self.filter.find_among(view, now, ready);
        hits.iter().filter_map(|hit| FoundTrace::of(&view.trace(hit.trace)?, hit.matched)).collect()
    }
}

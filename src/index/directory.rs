//! Where readers find a trace by its id. The writer adds to it when it publishes. Must never know: columns, blocks, what a trace is made of.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;

use super::interner::hash;
use super::traces::{Pages, TraceRow, full};
use crate::model::TraceId;

/// Numbers of traces by id, for readers: sorted runs that are only ever merged.
///
/// Each entry is 32 bits of the id's hash and the low half of the number. Entries of traces that left are found out by
/// looking at the page, and dropped when all runs become one. Each run is more than twice as long as the next, so there
/// are never many more entries than twice the traces that were held then.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub(super) runs: Vec<Arc<Vec<u64>>>,
    hasher: DefaultHashBuilder,
}

impl Directory {
    fn tag(&self, id: TraceId) -> u64 {
        hash(&self.hasher, &id.0) & 0xffff_ffff_0000_0000
    }

    /// The trace with an id, as `pages` has it.
    pub(super) fn find<'p>(&self, id: TraceId, pages: &'p Pages, next: u64) -> Option<Cow<'p, TraceRow>> {
        let tag = self.tag(id);
        self.runs.iter().rev().find_map(|run| {
            let from = run.partition_point(|entry| *entry < tag);
            let same = run.iter().skip(from).take_while(|entry| **entry & 0xffff_ffff_0000_0000 == tag);
            let mut numbers = same.map(|entry| full(*entry, next));
            numbers.find(|number| pages.id(*number) == Some(id)).and_then(|number| pages.get(number))
        })
    }

    /// Adds the traces with these numbers, which are held. Answers whether there are no entries of traces that left now:
    /// they are looked for where all become one run, by whether a trace is `held`.
    pub(super) fn add(&mut self, entries: impl Iterator<Item = (TraceId, u64)>, held: impl Fn(u64) -> bool) -> bool {
        let mut run: Vec<u64> = entries.map(|(id, number)| self.tag(id) | (number & 0xffff_ffff)).collect();
        run.sort_unstable();
        while self.runs.last().is_some_and(|last| last.len() <= run.len() * 2) {
            let Some(last) = self.runs.pop() else { break };
            run = if self.runs.is_empty() { merge(&last, &run, &held) } else { merge(&last, &run, &|_| true) };
        }
        if !run.is_empty() {
            self.runs.push(Arc::new(run));
        }
        self.runs.len() <= 1
    }

    pub(super) fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.capacity() * 8 + 48).sum()
    }
}

fn merge(left: &[u64], right: &[u64], held: &impl Fn(u64) -> bool) -> Vec<u64> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) if one <= other => left.next(),
            (_, Some(_)) => right.next(),
            (_, None) => left.next(),
        };
        let Some(entry) = next else { break };
        if held(*entry) {
            merged.push(*entry);
        }
    }
    merged.shrink_to_fit();
    merged
}

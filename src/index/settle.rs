//! Figures of traces that are worked out when they are published, not with every span.

use std::sync::Arc;

use smallvec::SmallVec;

use super::labels::Labels;
use super::twins::LARGE;
use super::{Summary, Writer};
use crate::model::SpanId;

impl<S: Summary> Writer<S> {
    /// Settles every trace that changed since the last publication.
    pub(super) fn settle(&mut self) {
        for number in std::mem::take(&mut self.traces.touched) {
            if self.traces.pages.get(number).is_some_and(|trace| trace.stale) {
                self.rebuild(number);
            }
            let orphans = self.orphans(number);
            self.label_root(number);
            if let Some(trace) = self.traces.change(number) {
                trace.orphans = orphans;
            }
            self.traces.settle(number, self.revision);
        }
    }

    /// Has the line of a trace say what its root does.
    fn label_root(&mut self, number: u64) {
        let Some(trace) = self.traces.pages.get(number) else { return };
        let root = trace.root;
        if root == trace.labelled {
            return;
        }
        let Some((row, _)) = self.store.row(root) else { return };
        let mut foreign = None;
        let own = root >= self.store.current.base;
        let labels = if own { &mut self.labels } else { foreign.insert(Labels::after(&self.labels)) };
        let Some(service) = labels.operation(row).map(|text| Arc::clone(&text.service)) else { return };
        let look = labels.look(row);
        let label = labels.shared_label(row, look);
        if let Some(trace) = self.traces.change(number) {
            (trace.root_service, trace.root_label, trace.labelled) = (service, label, root);
        }
    }

    fn orphans(&self, number: u64) -> u32 {
        if let Some(ids) = self.twins.get(number) {
            return ids.orphans();
        }
        let Some(trace) = self.traces.pages.get(number) else { return 0 };
        let mut ids: SmallVec<[SpanId; LARGE as usize]> = SmallVec::new();
        let mut parents: SmallVec<[SpanId; LARGE as usize]> = SmallVec::new();
        for (_, row) in self.store.chain(trace.head) {
            ids.push(SpanId(row.chunk.span_id[row.row]));
            parents.extend(row.parent());
        }
        u32::try_from(parents.iter().filter(|parent| !ids.contains(parent)).count()).unwrap_or(u32::MAX)
    }

    /// Works the figures of a trace out anew from the rows that count.
    pub(super) fn rebuild(&mut self, number: u64) {
        let Some(trace) = self.traces.change(number) else { return };
        trace.stale = false;
        (trace.start, trace.end, trace.filter) = (u64::MAX, 0, 0);
        (trace.spans, trace.errors) = (0, 0);
        (trace.root, trace.root_rank) = (0, (true, u64::MAX));
        trace.services.clear();
        trace.crowds = Default::default();
        trace.badges = None;
        let (id, head) = (trace.id, trace.head);
        self.summary.forget(id);
        self.twins.remove(number);
        let mut rows: Vec<u64> = self.store.chain(head).map(|(ordinal, _)| ordinal).collect();
        rows.reverse();
        for ordinal in &rows {
            if self.observe(*ordinal, number, None).is_some_and(|seen| seen.crowds) {
                self.observe_crowd(*ordinal, number);
            }
        }
        if let Some(trace) = self.traces.change(number) {
            trace.large = rows.len() > LARGE as usize;
        }
        if rows.len() > LARGE as usize {
            let rows = self.store.chain(head);
            self.twins.set(number, rows.map(|(ordinal, row)| (row.key().id, row.parent(), ordinal)));
        }
    }
}

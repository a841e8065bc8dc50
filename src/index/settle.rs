//! Figures of traces that are worked out when they are published, not with every span.

use super::batch::{Facts, Figures, Group};
use super::sealed::Depth;
use super::services::ServiceSet;
use super::traces::low_half;
use super::twins::LARGE;
use super::{Summary, Writer};

impl<S: Summary> Writer<S> {
    /// Settles every trace that changed since the last publication.
    pub(super) fn settle(&mut self) {
        for number in std::mem::take(&mut self.traces.touched) {
            if self.traces.pages.get(number).is_some_and(|trace| trace.stale) {
                self.rebuild(number);
            }
            if let Some(ids) = self.twins.get(number)
                && let Some(trace) = self.traces.change(number)
            {
                trace.orphans = ids.orphans();
            }
            self.traces.settle(number, self.revision);
        }
    }

    /// Works the figures of a trace out anew from the rows that count.
    pub(super) fn rebuild(&mut self, number: u64) {
        let Some(trace) = self.traces.change(number) else { return };
        trace.stale = false;
        trace.figures = Figures::default();
        trace.services = ServiceSet::default();
        trace.badges = None;
        let (id, head) = (trace.id, trace.head);
        self.summary.forget(id);
        self.twins.remove(number);
        let least = self.summary.least().0;
        let groups = self.store.chain((low_half(number), head), Depth::Light).map(|(ordinal, row)| {
            let row = row.get();
            (ordinal, row.operation().service, Facts::of(row, 0))
        });
        let rows: Vec<(u64, u32, Facts)> = groups.collect();
        let mut noted = Vec::new();
        for (ordinal, service, facts) in rows.iter().rev() {
            let mut group = Group::new(id, *service, *ordinal);
            noted.clear();
            group.add(*ordinal, facts, least, &mut noted);
            if let Some(counted) = self.count(number, &group, None) {
                self.tell(number, (&group, &noted), &counted);
            }
        }
        if let Some(trace) = self.traces.change(number) {
            trace.large = rows.len() > LARGE as usize;
        }
        if rows.len() > LARGE as usize {
            let rows = self.store.chain((low_half(number), head), Depth::Light);
            self.twins.set(number, rows.map(|(ordinal, row)| (row.get().key().id, row.get().parent(), ordinal)));
        }
    }
}

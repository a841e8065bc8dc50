//! For the compare screen: what is kept of a trace to be compared, and the sides it is on.

use std::collections::HashSet;
use std::sync::Arc;

use super::SurveyRequest;
use super::keep::{Digest, Summed};
use crate::analysis::compare::{self, Vocabulary, Wanted, compare, pair};
use crate::analysis::heat::began;
use crate::app::work::Means;
use crate::app::{Answer, Basis, CompareAsk, CompareReport, Report, Surveyed, TwoTraces};
use crate::index::View;
use crate::model::TraceId;
use crate::query::run;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Sides(compare::Digest);

impl Digest for Sides {
    type Report = CompareReport;
    type Shared = Vocabulary;

    fn read(trace: TraceId, means: &Means<'_>, words: &mut Vocabulary) -> Option<Self> {
        let (lean, spans) = (means.view.trace(trace)?, means.view.spans(trace)?);
        Some(Self(words.digest(&lean, &spans)))
    }

    fn entries(&self) -> usize {
        self.0.entries()
    }

    fn sum<'d>(
        digests: impl Iterator<Item = (TraceId, &'d Self)>,
        traces: u64,
        summed: &Summed<'_, Self>,
    ) -> CompareReport
    where
        Self: 'd,
    {
        let Some(ask) = summed.compare else { return CompareReport { traces, ..CompareReport::default() } };
        let side = Sorter::new(summed.means, ask);
        let (mut selection, mut baseline) = (Vec::new(), Vec::new());
        for (_, Self(digest)) in digests {
            match side.of(digest) {
                Some(true) => selection.push(digest),
                Some(false) => baseline.push(digest),
                None => {}
            }
        }
        // The order in which traces are kept is that of a hash.
        selection.sort_unstable_by_key(|digest| digest.trace);
        baseline.sort_unstable_by_key(|digest| digest.trace);
        let wanted = match (&ask.root, &ask.basis) {
            (Some(root), _) => Wanted::Root(root),
            (None, Basis::Since(..)) => Wanted::Changed,
            (None, _) => Wanted::Most,
        };
        let found = compare(summed.shared, (&selection, &baseline), wanted);
        let sides = [selection.len() as u64, baseline.len() as u64];
        CompareReport { traces, ask: Some(Arc::clone(ask)), sides, found, two: None }
    }
}

/// Tells on which side a trace is.
struct Sorter<'a> {
    ask: &'a CompareAsk,
    view: &'a View,
    /// The traces that are the selection, where they are named one by one.
    named: HashSet<TraceId>,
}

impl<'a> Sorter<'a> {
    fn new(means: &Means<'a>, ask: &'a CompareAsk) -> Self {
        let named = match &ask.basis {
            Basis::Marked(traces) => traces.iter().copied().collect(),
            Basis::Filter(filter) => {
                run(filter, means.view, means.now, means.cancelled).hits.iter().map(|hit| hit.trace).collect()
            }
            Basis::Within(_) | Basis::Since(..) => HashSet::new(),
        };
        Self { ask, view: means.view, named }
    }

    /// Whether a trace is of the selection; `None` where it is of no side.
    fn of(&self, digest: &compare::Digest) -> Option<bool> {
        match &self.ask.basis {
            Basis::Marked(_) | Basis::Filter(_) => Some(self.named.contains(&digest.trace)),
            Basis::Within(within) => Some(within.holds(&self.view.outline(digest.trace)?)),
            Basis::Since(mark, (from, to)) => {
                let at = began(&self.view.outline(digest.trace)?);
                (at >= *from && at < *to).then_some(at >= mark.at)
            }
        }
    }
}

/// Two traces side by side, without a look at any other; without them where one is not held.
pub(super) fn two(traces: [TraceId; 2], request: &SurveyRequest<'_>, means: &Means<'_>) -> Answer {
    let read = |trace: &TraceId| crate::app::work::read(means.view, *trace, means.thresholds, false);
    let mut read: Vec<_> = traces.iter().filter_map(read).collect();
    read.sort_by_key(|analysis| analysis.start);
    let held = read.len() as u64;
    let two = <[_; 2]>::try_from(read).ok().map(|traces| TwoTraces { pair: pair(&traces[0], &traces[1]), traces });
    let ask = request.compare.cloned();
    let report = CompareReport { traces: held, ask, sides: [1, 1], two, ..CompareReport::default() };
    let (generation, revision) = (request.generation, means.view.revision());
    let report = Report::Compare(Arc::new(report));
    Answer::Surveyed(Surveyed { generation, revision, share: 1.0, left_out: 0, report })
}

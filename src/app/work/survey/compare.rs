//! For the compare screen: what is kept of a trace to be compared, and the sides it is on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::SurveyRequest;
use super::keep::{Digest, Source, Summed};
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
    type Reader = compare::Reader;
    type Shared = Vocabulary;

    fn read(
        trace: TraceId,
        Source { view, .. }: Source<'_>,
        (reader, words): (&mut compare::Reader, &Mutex<Vocabulary>),
    ) -> Option<Self> {
        reader.digest(view, trace, words).map(Self)
    }

    fn entries(&self) -> usize {
        self.0.entries()
    }

    fn sum<'d>(
        digests: impl Iterator<Item = (TraceId, &'d Self)>,
        traces: u64,
        summed: Summed<'_, Self>,
    ) -> CompareReport
    where
        Self: 'd,
    {
        let Some(ask) = summed.compare else { return CompareReport { traces, ..CompareReport::default() } };
        let side = Sorter::new(summed.means, ask);
        let (mut selection, mut baseline) = (Vec::new(), Vec::new());
        for (_, Self(digest)) in digests {
            match side.of(digest.trace) {
                Some(true) => selection.push(digest),
                Some(false) => baseline.push(digest),
                None => {}
            }
        }
        // The order in which traces are kept is that of a hash.
        selection.sort_unstable_by_key(|digest| digest.trace);
        baseline.sort_unstable_by_key(|digest| digest.trace);
        let mut left_out = [0, 0];
        for trace in summed.left_out {
            match side.of(*trace) {
                Some(true) => left_out[0] += 1,
                Some(false) => left_out[1] += 1,
                None => {}
            }
        }
        let wanted = match (&ask.root, &ask.basis) {
            (Some(root), _) => Wanted::Root(root),
            (None, Basis::Since(..)) => Wanted::Changed,
            (None, _) => Wanted::Most,
        };
        let found = compare(summed.shared, (&selection, &baseline), wanted);
        let sides = [selection.len() as u64, baseline.len() as u64];
        CompareReport { traces, ask: Some(Arc::clone(ask)), sides, left_out, found, two: None }
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
            Basis::Filter(filter) => {
                run(filter, means.view, means.now, means.cancelled).hits.iter().map(|hit| hit.trace).collect()
            }
            basis => basis.named().iter().copied().collect(),
        };
        Self { ask, view: means.view, named }
    }

    /// Whether a trace is of the selection; `None` where it is of no side.
    fn of(&self, trace: TraceId) -> Option<bool> {
        match &self.ask.basis {
            Basis::Marked(_) | Basis::Filter(_) => Some(self.named.contains(&trace)),
            Basis::Within(within) => Some(within.holds(&self.view.outline(trace)?)),
            Basis::Since(mark, (from, to)) => {
                let at = began(&self.view.outline(trace)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Thresholds, TraceNotes};
    use crate::app::work::survey::keep::Survey;
    use crate::app::{Highlighted, MarkReason, TimeMark};
    use crate::index::{Options, open};
    use crate::model::{Nanos, SourceId, Span, SpanId, Timestamp};
    use crate::otlp::encode;
    use crate::query::Query;

    const START: Timestamp = Timestamp(1_763_700_000_000_000_000);

    fn id(number: u64) -> TraceId {
        TraceId(u128::from(number).to_be_bytes())
    }

    /// Of ten traces, a second apart, there is room for four.
    fn crowded(basis: Basis) -> CompareReport {
        let (mut writer, reader) = open(Options::new(1 << 26), TraceNotes::default());
        for number in 1..=10 {
            let start = START.plus(Nanos::from_secs(number));
            let span = Span {
                trace_id: id(number),
                span_id: SpanId([1; 8]),
                name: "GET /".into(),
                start,
                end: start.plus(Nanos::from_millis(number)),
                ..Span::default()
            };
            writer.insert_spans(SourceId(0), &encode::spans(&[span]), start).unwrap();
            writer.publish();
        }
        let (view, now) = (reader.view(), START.plus(Nanos::from_secs(20)));
        let means = Means {
            view: &view,
            now,
            thresholds: &Thresholds::default(),
            highlight: &|_, _, _| Highlighted::default(),
            cancelled: &|| false,
        };
        let ask = Arc::new(CompareAsk { basis, root: None });
        let request = SurveyRequest { generation: 1, query: &Query::default(), compare: Some(&ask), now };
        let mut survey = Survey::<Sides>::default();
        survey.most = 4;
        match survey.answer(&request, &means, &mut |_| (), &Report::Compare) {
            Some(Answer::Surveyed(Surveyed { report: Report::Compare(report), left_out, .. })) => {
                assert_eq!(left_out, report.left_out.iter().sum::<u64>());
                Arc::unwrap_or_clone(report)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_side_that_is_not_whole_says_so() {
        let mark = TimeMark { at: START.plus(Nanos::from_secs(5)), reason: MarkReason::Person };
        let report = crowded(Basis::Since(mark, (Timestamp(0), Timestamp(u64::MAX))));
        assert_eq!((report.sides, report.left_out), ([4, 0], [2, 4]));
    }

    #[test]
    fn traces_that_a_person_marked_are_compared_however_old_they_are() {
        let report = crowded(Basis::Marked(Arc::new(vec![id(1), id(2), id(3)])));
        assert_eq!((report.sides, report.left_out), ([3, 1], [0, 6]));
    }
}

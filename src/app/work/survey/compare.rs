//! For the compare screen: what is kept of a trace to be compared, and the sides it is on.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::SurveyRequest;
use super::keep::{Digest, Numbered, Source, Summed};
use crate::analysis::compare::{self, Vocabulary, Wanted, compare, pair};
use crate::analysis::heat::began;
use crate::app::work::Means;
use crate::app::{Answer, Basis, CompareAsk, CompareReport, Report, Surveyed, TwoTraces};
use crate::index::View;
use crate::model::TraceId;
use crate::query::{Query, run};

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Sides(compare::Digest);

impl Digest for Sides {
    type Report = CompareReport;
    type Reader = compare::Reader;
    type Sums = Found;
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
        digests: impl Iterator<Item = (Numbered, &'d Self)>,
        traces: u64,
        summed: Summed<'_, Self>,
    ) -> CompareReport
    where
        Self: 'd,
    {
        let Some(ask) = summed.compare else { return CompareReport { traces, ..CompareReport::default() } };
        let side = Sorter::new(summed.means, ask, summed.sums);
        let (mut selection, mut baseline) = (Vec::new(), Vec::new());
        for (trace, Self(digest)) in digests {
            match side.of(trace) {
                Some(true) => selection.push(digest),
                Some(false) => baseline.push(digest),
                None => {}
            }
        }
        let mut left_out = [0, 0];
        for number in summed.left_out {
            match side.of((*number, summed.means.view.id_of(*number).unwrap_or_default())) {
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

/// What a filter found that is compared with the rest: every word of a survey on its way asks for it.
#[derive(Debug, Default)]
pub(in crate::app::work) struct Found {
    /// Which filter, and at which revision.
    of: Option<(Arc<Query>, u64)>,
    traces: HashSet<TraceId>,
}

impl Found {
    fn update(&mut self, filter: &Arc<Query>, means: &Means<'_>) -> &HashSet<TraceId> {
        let of = Some((Arc::clone(filter), means.view.revision()));
        if self.of != of {
            let hits = run(filter, means.view, means.now, means.cancelled);
            self.traces = hits.hits.iter().map(|hit| hit.trace).collect();
            self.of = of.filter(|_| !hits.partial);
        }
        &self.traces
    }
}

/// Tells on which side a trace is.
struct Sorter<'a> {
    ask: &'a CompareAsk,
    view: &'a View,
    /// The traces that are the selection, where they are named one by one.
    named: Cow<'a, HashSet<TraceId>>,
}

impl<'a> Sorter<'a> {
    fn new(means: &Means<'a>, ask: &'a CompareAsk, found: &'a mut Found) -> Self {
        let named = match &ask.basis {
            Basis::Filter(filter) => Cow::Borrowed(found.update(filter, means)),
            basis => Cow::Owned(basis.named().iter().copied().collect()),
        };
        Self { ask, view: means.view, named }
    }

    /// Whether a trace is of the selection; `None` where it is of no side.
    fn of(&self, (number, trace): Numbered) -> Option<bool> {
        match &self.ask.basis {
            Basis::Marked(_) | Basis::Filter(_) => Some(self.named.contains(&trace)),
            Basis::Within(within) => Some(within.holds(&self.view.outline_of(number)?)),
            Basis::Since(mark, (from, to)) => {
                let at = began(&self.view.outline_of(number)?);
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

    const START: Timestamp = Timestamp(1_763_700_000_000_000_000);

    fn id(number: u64) -> TraceId {
        TraceId(u128::from(number).to_be_bytes())
    }

    /// Of ten traces, a second apart, there is room for four. Asked again after each of `more`: spans that come, by trace.
    fn crowded(basis: Basis, more: &[&[u64]]) -> CompareReport {
        let (mut writer, reader) = open(Options::new(1 << 26), TraceNotes::default());
        let ask = Arc::new(CompareAsk { basis, root: None });
        let mut survey = Survey::<Sides>::default();
        survey.most = 4;
        let mut found = CompareReport::default();
        let first: Vec<u64> = (1..=10).collect();
        for (round, traces) in std::iter::once(&first[..]).chain(more.iter().copied()).enumerate() {
            for number in traces {
                let start = START.plus(Nanos::from_secs(*number));
                let span = Span {
                    trace_id: id(*number),
                    span_id: SpanId([u8::try_from(round).unwrap() + 1; 8]),
                    name: "GET /".into(),
                    start,
                    end: start.plus(Nanos::from_millis(*number)),
                    ..Span::default()
                };
                let arrival = Timestamp(START.0 + round as u64);
                writer.insert_spans(SourceId(0), &encode::spans(&[span]), arrival).unwrap();
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
            let request = SurveyRequest { generation: 1, query: &Query::default(), compare: Some(&ask), now };
            found = match survey.answer(&request, &means, &mut |_| (), &Report::Compare) {
                Some(Answer::Surveyed(Surveyed { report: Report::Compare(report), left_out, .. })) => {
                    assert_eq!(left_out, report.left_out.iter().sum::<u64>());
                    Arc::unwrap_or_clone(report)
                }
                other => panic!("{other:?}"),
            };
        }
        found
    }

    fn since(number: u64) -> Basis {
        let mark = TimeMark { at: START.plus(Nanos::from_secs(number)), reason: MarkReason::Person };
        Basis::Since(mark, (Timestamp(0), Timestamp(u64::MAX)))
    }

    #[test]
    fn a_side_that_is_not_whole_says_so() {
        let report = crowded(since(5), &[]);
        assert_eq!((report.sides, report.left_out), ([4, 0], [2, 4]));
    }

    #[test]
    fn where_there_is_room_for_no_more_the_newest_take_the_place_of_the_oldest() {
        let report = crowded(since(11), &[&[11, 12], &[13, 2, 12]]);
        // What came first last stays: 10, 11, 12 and 13. That the second got another span makes it no newer.
        assert_eq!((report.sides, report.left_out), ([3, 1], [0, 9]));
    }

    #[test]
    fn traces_that_a_person_marked_are_compared_however_old_they_are() {
        let report = crowded(Basis::Marked(Arc::new(vec![id(1), id(2), id(3)])), &[]);
        assert_eq!((report.sides, report.left_out), ([3, 1], [0, 6]));
    }
}

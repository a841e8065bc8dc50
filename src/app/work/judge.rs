//! What there is to find in the open trace, and in the traces of the list that are in sight.

use std::sync::Arc;

use super::baseline::Baselines;
use super::desk::Means;
use crate::analysis::findings::{Finding, Held, Rule, arrange};
use crate::analysis::{Analysis, foremost, judge_trace};
use crate::app::{Answer, Judged, is_listed};
use crate::model::{Timestamp, TraceId};

/// Larger traces get no mark in the list: judging them takes more than a moment.
const CROWD: usize = 20_000;
/// Spans that are judged for one request; the rest is asked for again.
const TOGETHER: usize = 50_000;

/// Statements whose past is looked up for one request for marks: a look goes through all that is held.
const LOOKS: usize = 16;
/// Spans held of which such a look is no longer a matter of a moment.
const MUCH: u64 = 2_000_000;

/// What there is to find in a trace that was judged when it was read, and which of its statements took longer than usual: that
/// takes a look at all that is held, so what is known already is handed over before.
pub(super) fn judge(
    baselines: &mut Baselines,
    analysis: &Arc<Analysis>,
    means: &Means<'_>,
    so_far: &mut dyn FnMut(Answer),
) -> Option<Answer> {
    let answer = |told: Arc<Analysis>| Answer::Judged {
        of: Arc::clone(analysis),
        judged: Arc::new(Judged::of(told.findings.clone())),
        told,
    };
    if Baselines::has_suspects(analysis, means.thresholds) {
        so_far(answer(Arc::clone(analysis)));
        let mut looks = usize::MAX;
        let slower = baselines.slower(analysis, means, &mut looks)?;
        if !slower.is_empty() {
            let mut findings = [analysis.findings.clone(), slower].concat();
            arrange(&mut findings);
            return Some(answer(Arc::new(analysis.with_findings(findings, means.thresholds))));
        }
    }
    Some(answer(Arc::clone(analysis)))
}

/// Judges traces for their marks in the list, the first ones first, as far as that is a matter of a moment: what statements usually
/// take is looked up for few at a time, and where very much is held only what is known already counts.
#[must_use]
pub(super) fn mark(baselines: &mut Baselines, traces: &[TraceId], means: &Means<'_>) -> Answer {
    let Means { view, thresholds, .. } = *means;
    let (mut left, mut looks) = (TOGETHER, if view.stats().spans > MUCH { 0 } else { LOOKS });
    let mut marks: Vec<(TraceId, Timestamp, Option<Rule>)> = Vec::new();
    for id in traces {
        let Some(figures) = view.figures(*id) else { continue };
        let spans = figures.spans as usize;
        if spans > CROWD {
            marks.push((*id, figures.last_arrival, None));
            continue;
        }
        let Some(room) = left.checked_sub(spans) else { break };
        left = room;
        let Some(trace) = view.trace(*id) else { continue };
        let last_arrival = trace.last_arrival;
        let (analysis, mut findings) = judge_trace(Arc::new(trace), thresholds, &Held { view, trace: *id });
        if Baselines::has_suspects(&analysis, thresholds) {
            let Some(slower) = baselines.slower(&analysis, means, &mut looks) else { break };
            findings.extend(slower);
            arrange(&mut findings);
        }
        marks.push((*id, last_arrival, listed(&analysis, &findings)));
    }
    Answer::Marked(marks)
}

/// What the row of the list tells of: what the verdict does; where that tells of nothing, what is worth knowing.
fn listed(analysis: &Analysis, findings: &[Finding]) -> Option<Rule> {
    let worth_knowing = || findings.iter().find(|finding| is_listed(finding.rule));
    let told = foremost(analysis, findings).and_then(|place| findings.get(place)).or_else(worth_knowing);
    told.map(|finding| finding.rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Thresholds, TraceNotes};
    use crate::index::{self, Options, View};
    use crate::model::{Attribute, Kind, SourceId, Span, SpanId, Status, StatusCode, Value};
    use crate::otlp::encode;

    const MS: u64 = 1_000_000;

    fn text(key: &str, value: &str) -> Attribute {
        Attribute { key: key.into(), value: Value::Text(value.into()) }
    }

    fn span((trace, number): (u8, u8), times: (u64, u64), attributes: Vec<Attribute>) -> Span {
        Span {
            trace_id: TraceId([trace; 16]),
            span_id: SpanId([number; 8]),
            parent_id: (number > 1).then_some(SpanId([1; 8])),
            kind: if number > 1 { Kind::CLIENT } else { Kind::SERVER },
            name: "GET /tasks".into(),
            start: Timestamp((1_000 + times.0) * MS),
            end: Timestamp((1_000 + times.1) * MS),
            attributes,
            ..Span::default()
        }
    }

    fn query(trace: u8, millis: u64) -> Vec<Span> {
        let statement =
            vec![text("db.system", "postgresql"), text("db.statement", "SELECT * FROM tasks WHERE id = $1")];
        vec![span((trace, 1), (0, 500), vec![]), span((trace, 2), (10, 10 + millis), statement)]
    }

    fn means<'a>(view: &'a View, thresholds: &'a Thresholds) -> Means<'a> {
        let (highlight, cancelled) = (&|_: _, _: &str, _| Arc::default(), &|| false);
        Means { view, now: Timestamp(MS), thresholds, highlight, cancelled }
    }

    fn held(spans: &[Span]) -> View {
        let (mut writer, reader) = index::open(Options::new(u64::MAX), TraceNotes::default());
        writer.insert_spans(SourceId::default(), &encode::spans(spans), Timestamp(MS)).unwrap();
        writer.publish();
        reader.view()
    }

    #[test]
    fn traces_in_sight_are_marked_with_what_costs_most_in_them() {
        let call = || vec![text("http.method", "GET"), text("http.url", "http://shop/items")];
        let mut spans =
            vec![span((1, 1), (0, 500), vec![]), span((1, 2), (10, 110), call()), span((1, 3), (120, 220), call())];
        spans[1].status = Status { code: StatusCode::ERROR, ..Status::default() };
        spans.extend([span((2, 1), (0, 5), vec![])]);
        let view = held(&spans);
        let traces = [TraceId([1; 16]), TraceId([2; 16]), TraceId([9; 16])];
        let thresholds = Thresholds::default();
        let means = means(&view, &thresholds);
        let Answer::Marked(marks) = mark(&mut Baselines::default(), &traces, &means) else { panic!() };
        let marks: Vec<_> = marks.iter().map(|(id, _, rule)| (*id, *rule)).collect();
        assert_eq!(marks, [(traces[0], Some(Rule::Dominant)), (traces[1], None)]);
    }

    #[test]
    fn the_open_trace_is_told_which_statement_took_longer_than_usual_once_its_past_was_looked_up() {
        let mut spans: Vec<Span> = (1..=40).flat_map(|trace| query(trace, 3 + u64::from(trace) % 7)).collect();
        spans.extend(query(99, 60));
        let view = held(&spans);
        let thresholds = Thresholds::default();
        let trace = Arc::new(view.trace(TraceId([99; 16])).unwrap());
        let evidence = Held { view: &view, trace: trace.id };
        let analysis = Arc::new(crate::analysis::analyse_whole(trace, &thresholds, false, &evidence));
        let means = means(&view, &thresholds);
        let rules = |answer: &Answer| match answer {
            Answer::Judged { judged, .. } => judged.findings.iter().map(|finding| finding.rule).collect(),
            _ => Vec::new(),
        };
        let mut before = Vec::new();
        let answer = judge(&mut Baselines::default(), &analysis, &means, &mut |answer| before.push(answer));
        assert_eq!((before.len(), before.iter().flat_map(rules).any(|rule| rule == Rule::Past)), (1, false));
        assert!(rules(&answer.unwrap()).contains(&Rule::Past));
    }

    #[test]
    fn a_row_in_sight_knows_that_a_statement_took_longer_than_usual_though_nobody_opened_its_trace() {
        let short = |trace: u8, millis: u64| {
            let mut spans = query(trace, millis);
            spans[0].end = Timestamp((1_000 + 48 + millis) * MS);
            spans
        };
        let mut spans: Vec<Span> = (1..=40).flat_map(|trace| short(trace, 3 + u64::from(trace) % 7)).collect();
        spans.extend(short(99, 45));
        let (view, thresholds) = (held(&spans), Thresholds::default());
        let traces = [99, 7].map(|trace| TraceId([trace; 16]));
        let Answer::Marked(marks) = mark(&mut Baselines::default(), &traces, &means(&view, &thresholds)) else {
            panic!()
        };
        assert_eq!(marks[0].2, Some(Rule::Past));
        assert_ne!(marks[1].2, Some(Rule::Past));
    }
}

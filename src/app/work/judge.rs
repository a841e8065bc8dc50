//! What there is to find in the open trace, and in the traces of the list that are in sight.

use std::sync::Arc;

use super::baseline::Baselines;
use super::desk::Means;
use crate::analysis::findings::{Finding, Held, Rule, arrange, judge_all};
use crate::analysis::{Analysis, Thresholds, analyse};
use crate::app::{Answer, Judged, is_listed};
use crate::index::View;
use crate::model::{Timestamp, TraceId};

/// Larger traces get no mark in the list: judging them takes more than a moment.
const CROWD: usize = 20_000;
/// Spans that are judged for one request; the rest is asked for again.
const TOGETHER: usize = 50_000;

/// What there is to find in a trace that was judged when it was read, and which of its statements took longer than usual: that
/// takes a look at all that is held, so what is known already is handed over before.
pub(super) fn judge(
    baselines: &mut Baselines,
    analysis: &Arc<Analysis>,
    means: &Means<'_>,
    so_far: &mut dyn FnMut(Answer),
) -> Option<Answer> {
    let answer = |findings: Vec<Finding>| Answer::Judged {
        analysis: Arc::clone(analysis),
        judged: Arc::new(Judged::of(findings)),
    };
    let mut findings = analysis.findings.clone();
    if Baselines::has_suspects(analysis, means.thresholds) {
        so_far(answer(findings.clone()));
        findings.extend(baselines.slower(analysis, means)?);
        arrange(&mut findings);
    }
    Some(answer(findings))
}

/// Judges traces for their marks in the list, the first ones first, as far as that is a matter of a moment.
#[must_use]
pub fn mark(view: &View, traces: &[TraceId], thresholds: &Thresholds) -> Answer {
    let mut left = TOGETHER;
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
        let analysis = analyse(Arc::new(trace), thresholds);
        let findings = judge_all(&analysis, thresholds, &Held { view, trace: *id });
        marks.push((*id, last_arrival, listed(&findings)));
    }
    Answer::Marked(marks)
}

/// Which of the findings the row of the list tells of: the one that costs most, of equal ones the worse.
fn listed(findings: &[Finding]) -> Option<Rule> {
    let told = findings.iter().rev().filter(|finding| is_listed(finding.rule));
    told.max_by_key(|finding| finding.cost).map(|finding| finding.rule)
}

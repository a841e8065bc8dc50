//! What there is to find in the open trace.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::findings::{Held, Rule, judge_all};
use crate::analysis::{Analysis, Thresholds};
use crate::app::{Answer, Judged};
use crate::index::View;

/// Finds what there is to find in a trace.
#[must_use]
pub fn judge(view: &View, analysis: &Arc<Analysis>, thresholds: &Thresholds) -> Answer {
    let findings = judge_all(analysis, thresholds, &Held { view, trace: analysis.trace.id });
    let mut by_cost: Vec<usize> = (0..findings.len()).collect();
    // What is equal stays in the order of what matters.
    by_cost.sort_by_key(|at| findings.get(*at).map(|finding| Reverse(finding.cost)));
    let mut marks = HashMap::new();
    for finding in findings.iter().filter(|finding| is_marked(finding.rule)) {
        for node in &finding.nodes {
            marks.entry(*node).or_insert(finding.rule);
        }
    }
    Answer::Judged { analysis: Arc::clone(analysis), judged: Arc::new(Judged { findings, by_cost, marks }) }
}

/// Failures and slow statements have marks of their own, and so has what is odd about a span.
fn is_marked(rule: Rule) -> bool {
    !matches!(rule, Rule::ErrorRoot | Rule::SlowSql | Rule::Integrity)
}

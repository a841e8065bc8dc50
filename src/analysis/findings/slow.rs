//! Slow database calls: those that the waterfall marks, by statement.

use std::cmp::Reverse;

use super::case::{Case, Instance};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::slow_sql::{self, Slow};
use crate::model::Nanos;

/// Looks for slow database calls.
pub(super) fn judge(case: &mut Case<'_>) {
    // What a slow call is made of is slow in its place.
    let innermost = |node: &&u32| case.node(**node).slow_descendants == 0;
    let slow: Vec<(u64, u32)> =
        case.analysis.slow.iter().filter(innermost).map(|node| (case.signature(*node), *node)).collect();
    for mut calls in Case::grouped(slow) {
        calls.sort_by_key(|node| (Reverse(case.node(*node).duration()), *node));
        report(case, calls);
    }
}

fn report(case: &mut Case<'_>, calls: Vec<u32>) {
    let Some(longest) = calls.first().copied() else { return };
    let what = case.what(longest);
    let duration = case.node(longest).duration();
    let sum = Nanos(calls.iter().fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0)));
    let share = case.share(duration);
    let why = match (calls.len(), case.node(longest).slow) {
        (1, Some(slow @ Slow::Absolute)) => {
            let reason = slow_sql::explain(case.thresholds, slow, duration, case.analysis.duration());
            format!("{what} is {reason}, {share} % of the trace")
        }
        (1, _) => format!("{what} took {duration}, {share} % of the trace"),
        (count, _) => format!("{} {what} was slow: {sum} in all, {duration} at most", times(count)),
    };
    let severity = if duration > case.thresholds.slow_sql_error { Severity::Error } else { Severity::Warn };
    let same = case.signature(longest);
    case.found(Instance { rule: Rule::SlowSql, severity, what, why, nodes: calls, cost: sum, same });
}

//! Slow database calls: those that the waterfall marks, by statement.

use std::cmp::Reverse;

use super::case::{Case, Instance, Told};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::slow_sql::{self, Slow};
use crate::model::Nanos;

/// Siblings among which a twin is looked for.
const TWINS: usize = 8;

/// Looks for slow database calls.
pub(super) fn judge(case: &mut Case<'_>) {
    // What a slow call is made of is slow in its place.
    let innermost = |node: &&u32| case.node(**node).slow_descendants == 0 && !is_outer_twin(case, **node);
    let slow: Vec<(u64, u32)> =
        case.analysis.slow.iter().filter(innermost).map(|node| (case.signature(*node), *node)).collect();
    for mut calls in Case::grouped(slow) {
        calls.sort_by_key(|node| Reverse(case.node(*node).duration()));
        report(case, calls);
    }
}

/// Whether the same call stands beside it once more, as its driver saw it: drivers and what maps objects on them each have
/// spans of their own (mongoose and MongoDB), as siblings.
fn is_outer_twin(case: &Case<'_>, index: u32) -> bool {
    let node = case.node(index);
    let Some(parent) = node.parent else { return false };
    let service = case.span(index).map(|span| &span.service);
    let siblings = case.analysis.children_of(parent);
    // Siblings stand in order of start: what is inside of it follows, or begins with it.
    let from = siblings.partition_point(|sibling| case.node(*sibling).start < node.start);
    let after = siblings.iter().skip(from).skip_while(|sibling| **sibling != index).skip(1);
    after.take(TWINS).any(|sibling| {
        let other = case.node(*sibling);
        other.slow.is_some()
            && other.end <= node.end
            && other.duration().0 >= node.duration().0 / 10 * 9
            && case.span(*sibling).map(|span| &span.service) == service
    })
}

fn report(case: &mut Case<'_>, calls: Vec<u32>) {
    let Some(longest) = calls.first().copied() else { return };
    let duration = case.node(longest).duration();
    let sum = Nanos(calls.iter().fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0)));
    let severity = if duration > case.thresholds.slow_sql_error { Severity::Error } else { Severity::Warn };
    let (count, same) = (calls.len(), case.signature(longest));
    case.found(Instance { rule: Rule::SlowSql, severity, nodes: calls, cost: sum, same }, |case| {
        let (what, share) = (case.what(longest), case.share(duration));
        let why = match (count, case.node(longest).slow) {
            (1, Some(slow @ Slow::Absolute)) => {
                let reason = slow_sql::explain(case.thresholds, slow, duration, case.analysis.duration());
                format!("{what} is {reason}, {share} % of the trace")
            }
            (1, _) => format!("{what} took {duration}, {share} % of the trace"),
            (count, _) => format!("{} {what} was slow: {sum} in all, {duration} at most", times(count)),
        };
        Told { what, why }
    });
}

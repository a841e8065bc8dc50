//! Time of a span with children in which none of them ran: work that nobody recorded, or waiting.

use super::case::{Case, Instance};
use super::{Rule, Severity};
use crate::analysis::verdict::percent;
use crate::model::{Kind, Nanos, Timestamp};

/// Looks for stretches in which nothing was recorded.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    for index in analysis.order.iter().copied() {
        let children = analysis.children_of(index);
        if children.is_empty() || analysis.span(index).is_none() || case.claimed(index) == Some(Rule::Dominant) {
            continue;
        }
        let covered = analysis.covered_of(index);
        let node = case.node(index);
        let ends = std::iter::once(node.start).chain(covered.iter().map(|(_, end)| *end));
        let starts = covered.iter().map(|(start, _)| *start).chain([node.end]);
        let (mut sum, mut longest) = (Nanos::ZERO, (Timestamp(0), Nanos::ZERO));
        for (from, to) in ends.zip(starts) {
            let length = to.since(from);
            if is_long(case, length, node.duration()) {
                sum = Nanos(sum.0 + length.0);
                if length > longest.1 {
                    longest = (from, length);
                }
            }
        }
        if sum > Nanos::ZERO {
            report(case, index, sum, longest);
        }
    }
}

fn is_long(case: &Case<'_>, length: Nanos, whole: Nanos) -> bool {
    let thresholds = case.thresholds;
    let share = percent(length, whole) >= thresholds.gap_share;
    length >= thresholds.gap_floor && (length >= thresholds.gap || share)
}

fn report(case: &mut Case<'_>, index: u32, sum: Nanos, (from, length): (Timestamp, Nanos)) {
    let node = case.node(index);
    let what = case.what(index);
    let served = case.analysis.children_of(index).iter().any(|child| case.kind(*child) == Some(Kind::SERVER));
    let place = if length == node.duration() {
        "while none of its children ran".to_owned()
    } else if from == node.start {
        "before its first child".to_owned()
    } else if from.plus(length) == node.end {
        "after its last child".to_owned()
    } else {
        before(case, index, from).map_or_else(String::new, |child| format!("after {child}"))
    };
    let why = if served && case.kind(index) == Some(Kind::CLIENT) {
        format!("{what} waited {length} outside of the service it called: network, queue or clocks")
    } else {
        format!("{what}: nothing was recorded for {length} {place}")
    };
    let same = case.place(index);
    case.found(Instance { rule: Rule::Gap, severity: Severity::Info, what, why, nodes: vec![index], cost: sum, same });
}

/// What ended when the gap began.
fn before(case: &Case<'_>, index: u32, from: Timestamp) -> Option<String> {
    let mut children = case.analysis.children_of(index).iter();
    children.find(|child| case.node(**child).end == from).map(|child| case.what(*child))
}

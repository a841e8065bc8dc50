//! Time of a span with children in which none of them ran: work that nobody recorded, or waiting.

use std::rc::Rc;

use super::case::{Case, Instance, Told};
use super::{Rule, Severity};
use crate::model::{Kind, Nanos, Timestamp};

/// Looks for stretches in which nothing was recorded.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    for index in analysis.order.iter().copied() {
        let children = analysis.children_of(index);
        if children.is_empty() || !case.traits(index).is_span() || case.claimed(index) == Some(Rule::Dominant) {
            continue;
        }
        let covered = analysis.covered_of(index);
        let node = case.node(index);
        let ends = std::iter::once(node.start).chain(covered.iter().map(|(_, end)| *end));
        let starts = covered.iter().map(|(start, _)| *start).chain([node.end]);
        let (mut sum, mut longest) = (Nanos::ZERO, (Timestamp(0), Nanos::ZERO));
        for (from, to) in ends.zip(starts) {
            let length = to.since(from);
            // Who calls waits at both ends.
            let at_an_end = (from == node.start || to == node.end) && case.kind(index) != Some(Kind::CLIENT);
            if case.thresholds.is_gap(length, node.duration(), at_an_end) {
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

fn report(case: &mut Case<'_>, index: u32, sum: Nanos, longest: (Timestamp, Nanos)) {
    let same = case.place(index);
    let (rule, severity) = (Rule::Gap, Severity::Info);
    case.found(Instance { rule, severity, nodes: vec![index], cost: sum, same }, |case| tell(case, index, longest));
}

fn tell(case: &Case<'_>, index: u32, (from, length): (Timestamp, Nanos)) -> Told {
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
    Told { what, why }
}

/// What ended when the gap began.
fn before(case: &Case<'_>, index: u32, from: Timestamp) -> Option<Rc<str>> {
    let mut children = case.analysis.children_of(index).iter();
    children.find(|child| case.node(**child).end == from).map(|child| case.what(*child))
}

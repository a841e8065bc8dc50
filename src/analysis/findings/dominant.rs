//! One span whose own time on the critical path is most of the trace. Database calls have a rule of their own.

use super::case::{Case, Instance, Told};
use super::{Rule, Severity};
use crate::model::{Kind, Nanos};

/// Looks for the span that took most of the trace by itself.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    // Of a single span it is known.
    if analysis.trace.spans.len() < 2 {
        return;
    }
    // Both must say so: what the path gives to a span while a child of it ran (as of children that overlap) is not its own.
    let own = |node: &u32| {
        let node = &analysis.nodes[*node as usize];
        node.path_self.min(node.self_time)
    };
    // How long a span ran without a child whose clock is off, nobody knows before the clocks are corrected.
    let is_skewed = |node: &u32| !analysis.adjusted && analysis.skews.iter().any(|skew| skew.node == *node);
    let is_known = |node: &u32| !analysis.children_of(*node).iter().any(is_skewed);
    let spans = analysis.order.iter().copied().filter(|node| case.traits(*node).is_span()).filter(is_known);
    // The first of equals, as everywhere.
    let Some(node) = spans.rev().max_by_key(own) else { return };
    let time = own(&node);
    let share = case.path_share(time);
    let database = case.traits(node).is_database();
    if database || time < case.thresholds.dominant_floor || share < case.thresholds.dominant_share.max(1) {
        return;
    }
    case.claim(Rule::Dominant, &[node]);
    let (rule, severity, same) = (Rule::Dominant, Severity::Warn, case.place(node));
    case.found(Instance { rule, severity, nodes: vec![node], cost: time, same }, |case| tell(case, node, time));
}

fn tell(case: &Case<'_>, node: u32, time: Nanos) -> Told {
    let what = case.what(node);
    let children = case.analysis.children_of(node);
    let waits = matches!(case.kind(node), Some(Kind::CLIENT | Kind::PRODUCER));
    let served = children.iter().any(|child| case.kind(*child) == Some(Kind::SERVER));
    let (did, why) = match (waits, children.is_empty()) {
        (true, true) => ("waited", " for what sent no spans"),
        (true, false) if served => ("waited", " outside of the service it called"),
        (_, false) => ("took", " by itself"),
        // Some of it ran while nobody waited for it, or by another clock before its parent began.
        (false, true) if time < case.node(node).duration() => ("held the trace up for", ""),
        (false, true) => ("took", ""),
    };
    let share = case.path_share(time);
    let why = format!("{what} {did} {time}{why}, {share} % of {}", case.critical_is());
    Told { what, why }
}

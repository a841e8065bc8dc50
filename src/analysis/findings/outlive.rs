//! A span that goes on after its parent ended: started and not waited for, or measured by another clock. Never an error.

use std::cmp::Reverse;

use super::case::{Case, Instance};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Kind, Nanos};

/// Looks for spans that outlive their parent.
pub(super) fn judge(case: &mut Case<'_>) {
    let outliving = case.analysis.order.iter().filter_map(|node| {
        let over = over(case, *node)?;
        (over > case.thresholds.outlive).then(|| (case.place(*node), *node))
    });
    for mut nodes in Case::grouped(outliving.collect::<Vec<_>>()) {
        nodes.sort_by_key(|node| Reverse(over(case, *node)));
        report(case, nodes);
    }
}

/// By how much a node outlives its parent; `None` where both cannot be compared, or nobody expects the parent to wait.
fn over(case: &Case<'_>, index: u32) -> Option<Nanos> {
    let node = case.node(index);
    let (span, parent) = (case.span(index)?, node.parent?);
    let above = case.span(parent)?;
    let odd = |oddities: crate::model::Oddities| oddities.no_time || oddities.ends_before_start;
    let message = span.key.kind == Kind::CONSUMER || above.key.kind == Kind::PRODUCER;
    (!message && !odd(span.oddities) && !odd(above.oddities)).then(|| node.end.since(case.node(parent).end))
}

fn report(case: &mut Case<'_>, nodes: Vec<u32>) {
    let Some(first) = nodes.first().copied() else { return };
    let (Some(over), Some(parent)) = (over(case, first), case.node(first).parent) else { return };
    let (what, above) = (case.what(first), case.what(parent));
    let services = (case.span(first).map(|span| &span.service), case.span(parent).map(|span| &span.service));
    let reason =
        if services.0 == services.1 { "nobody waited for it" } else { "nobody waited for it, or clocks differ" };
    let why = match nodes.len() {
        1 => format!("{what} goes on for {over} after {above} ended: {reason}"),
        count => format!("{} {what} goes on after {above} ended, up to {over}: {reason}", times(count)),
    };
    let same = hash((case.signature(first), case.signature(parent)));
    let cost = Nanos::ZERO;
    case.found(Instance { rule: Rule::Outlive, severity: Severity::Info, what, why, nodes, cost, same });
}

//! A span that goes on after its parent ended: started and not waited for, or measured by another clock. Never an error.

use std::cmp::Reverse;

use super::case::{Case, Instance, Told};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Nanos, TraceSpan};

/// Looks for spans that outlive their parent.
pub(super) fn judge(case: &mut Case<'_>) {
    let outliving: Vec<(u64, (u32, Nanos))> = (case.analysis.order.iter())
        .filter_map(|node| {
            let over = over(case, *node).filter(|over| *over > case.thresholds.outlive)?;
            Some((case.place(*node), (*node, over)))
        })
        .collect();
    for mut nodes in Case::grouped(outliving) {
        nodes.sort_by_key(|(_, over)| Reverse(*over));
        report(case, &nodes);
    }
}

/// By how much a node outlives its parent; `None` where both cannot be compared, or nobody expects the parent to wait.
fn over(case: &Case<'_>, index: u32) -> Option<Nanos> {
    let node = case.node(index);
    let parent = node.parent?;
    let over = node.end.since(case.node(parent).end);
    let (traits, above) = (case.traits(index), case.traits(parent));
    if over == Nanos::ZERO || traits.is_consumer() || above.is_producer() {
        return None;
    }
    let odd = |span: &TraceSpan| span.oddities.no_time || span.oddities.ends_before_start;
    (!odd(case.span(index)?) && !odd(case.span(parent)?)).then_some(over)
}

fn report(case: &mut Case<'_>, nodes: &[(u32, Nanos)]) {
    let Some((first, over)) = nodes.first().copied() else { return };
    let Some(parent) = case.node(first).parent else { return };
    let same = hash((case.signature(first), case.signature(parent)));
    let (rule, severity, cost) = (Rule::Outlive, Severity::Info, Nanos::ZERO);
    let all = nodes.iter().map(|(node, _)| *node).collect();
    case.found(Instance { rule, severity, nodes: all, cost, same }, |case| {
        let (what, above) = (case.what_beside(first, parent), case.what_beside(parent, first));
        let services = (case.span(first).map(|span| &span.service), case.span(parent).map(|span| &span.service));
        let reason =
            if services.0 == services.1 { "nobody waited for it" } else { "nobody waited for it, or clocks differ" };
        let why = match nodes.len() {
            1 => format!("{what} goes on for {over} after {above} ended: {reason}"),
            count => format!("{} {what} goes on after {above} ended, up to {over}: {reason}", times(count)),
        };
        Told { what, why }
    });
}

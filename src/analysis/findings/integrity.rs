//! Spans that cannot be taken at their word: what is missing of a trace, what contradicts itself.

use super::case::{Case, Instance, Told};
use super::traits::Traits;
use super::words::many;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Nanos, Oddities};

/// A sort of oddity: its name, the nodes that are odd, and what is said of so many.
type Sort = (&'static str, Vec<u32>, fn(usize) -> String);

/// Looks for what cannot be so; one finding for the whole trace.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    let odd = case.nodes_where(Traits::is_odd);
    let of = |is_odd: &dyn Fn(u32) -> bool| -> Vec<u32> { odd.iter().copied().filter(|node| is_odd(*node)).collect() };
    let of_spans = |is_odd: fn(&Oddities) -> bool| -> Vec<u32> {
        of(&|node| analysis.span(node).is_some_and(|span| is_odd(&span.oddities)))
    };
    let is_missing = |node: u32| analysis.span(node).is_none();
    let is_cycle = |node: u32| case.node(node).cycle;
    let spans = |count: usize| many(count, "span");
    let sorts: [Sort; 6] = [
        ("missing", of(&is_missing), |count| format!("{} not here", many(count, "parent"))),
        ("cycle", of(&is_cycle), |count| format!("{} among its own ancestors", many(count, "span"))),
        ("no time", of_spans(|odd| odd.no_time), |count| format!("{} without start or end", many(count, "span"))),
        ("backwards", of_spans(|odd| odd.ends_before_start && !odd.no_time), |count| {
            format!("{} with an end before its start", many(count, "span"))
        }),
        ("parent id", of_spans(|odd| odd.bad_parent_id), |count| {
            format!("{} with an invalid parent id", many(count, "span"))
        }),
        ("dropped", of_spans(|odd| odd.dropped), |count| {
            format!("{} of which the sender dropped a part", many(count, "span"))
        }),
    ];
    let present: Vec<_> = sorts.into_iter().filter(|(_, nodes, _)| !nodes.is_empty()).collect();
    let mut reasons: Vec<String> = present.iter().map(|(_, nodes, tell)| tell(nodes.len())).collect();
    let mut names: Vec<&str> = present.iter().map(|(name, _, _)| *name).collect();
    let mut nodes: Vec<u32> = present.iter().flat_map(|(_, nodes, _)| nodes.iter().copied()).collect();
    if analysis.trace.truncated {
        reasons.push(format!("it grew too large: {} are all that is kept", spans(analysis.trace.spans.len())));
        names.push("truncated");
        nodes.extend(analysis.roots.first());
    }
    if nodes.is_empty() {
        return;
    }
    let service = analysis.services.first().map(|(service, _)| service);
    let same = hash((service, &names));
    let (what, why) = (names.join(", "), reasons.join(", "));
    let (rule, severity, cost) = (Rule::Integrity, Severity::Info, Nanos::ZERO);
    case.found(Instance { rule, severity, nodes, cost, same }, |_| Told { what: what.into(), why });
}

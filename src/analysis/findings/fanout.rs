//! Many calls of one parent at once: no N+1, but a crowd that the other side has to serve.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::case::{Case, Instance, Told};
use super::words::many;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Nanos, Timestamp};

/// Looks for crowds of calls.
pub(super) fn judge(case: &mut Case<'_>) {
    let least = case.thresholds.fanout_count.max(2) as usize;
    let analysis = case.analysis;
    for parent in &analysis.order {
        let children = analysis.children_of(*parent);
        if children.len() < least {
            continue;
        }
        let is_wanted = |node: &u32| case.traits(*node).is_wanted_call();
        let calls: Vec<u32> = children.iter().copied().filter(is_wanted).collect();
        if calls.len() < least {
            continue;
        }
        let (peak, at_peak) = peak(case, &calls);
        if peak >= least {
            report(case, *parent, (calls.len(), peak, at_peak));
        }
    }
}

/// How many ran at once at most, and which.
fn peak(case: &Case<'_>, calls: &[u32]) -> (usize, Vec<u32>) {
    let grain = case.spread(calls).grain;
    let mut running: BinaryHeap<Reverse<(Timestamp, u32)>> = BinaryHeap::new();
    let mut most = (0, Timestamp(0));
    for call in calls {
        let node = case.node(*call);
        while running.peek().is_some_and(|Reverse((end, _))| end.0 <= node.start.0.saturating_add(grain.0)) {
            running.pop();
        }
        running.push(Reverse((node.end, *call)));
        if running.len() > most.0 {
            most = (running.len(), node.start);
        }
    }
    let (count, moment) = most;
    let runs =
        |call: &u32| case.node(*call).start <= moment && case.node(*call).end.0 > moment.0.saturating_add(grain.0);
    (count, calls.iter().copied().filter(runs).collect())
}

fn report(case: &mut Case<'_>, parent: u32, (calls, peak, at_peak): (usize, usize, Vec<u32>)) {
    let Some(first) = at_peak.first().copied() else { return };
    let alike = at_peak.iter().all(|node| case.signature(*node) == case.signature(first));
    let same = hash(case.signature(parent));
    let (rule, severity, cost) = (Rule::FanOut, Severity::Info, Nanos::ZERO);
    case.found(Instance { rule, severity, nodes: at_peak, cost, same }, |case| {
        let below = case.what(parent);
        let what = if alike { case.what(first) } else { Rc::clone(&below) };
        let kind = if alike { format!(" to {what}") } else { String::new() };
        let why = format!("up to {peak} calls{kind} at once below {below}, {} in all", many(calls, "call"));
        Told { what, why }
    });
}

//! Calls one after another that might run side by side.
//!
//! Nobody can see in a trace whether a call needs the answer of the one before. So only reads count, only where the parent
//! did nothing between them, and the reason says its condition. Statements count only where they have no condition and no
//! value, as with Sentry's rule: these need nothing from others.

use super::case::{Case, Instance, Told};
use super::words::has_placeholder;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Category, Nanos};

/// Looks for calls that might run side by side.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    for parent in &analysis.order {
        let mut run: Vec<u32> = Vec::new();
        let children = analysis.children_of(*parent);
        if children.len() < 2 {
            continue;
        }
        for child in children {
            if !follows(case, run.last().copied(), *child) {
                report(case, *parent, std::mem::take(&mut run));
            }
            if fits(case, *child) {
                run.push(*child);
            } else {
                report(case, *parent, std::mem::take(&mut run));
            }
        }
        report(case, *parent, run);
    }
}

/// Whether a call might be one of several that need nothing from each other.
fn fits(case: &Case<'_>, node: u32) -> bool {
    let traits = case.traits(node);
    if !traits.is_call() || traits.failed() || case.claimed(node).is_some() {
        return false;
    }
    match case.span(node).map(|span| span.category) {
        Some(Category::Sql) => is_free_standing(case, node),
        Some(Category::Http) => traits.is_read(),
        Some(Category::Rpc) => true,
        _ => false,
    }
}

/// Whether a statement has nothing of other calls in it: no condition, no value.
fn is_free_standing(case: &Case<'_>, node: u32) -> bool {
    case.traits(node).is_unconditional() && case.span(node).is_some_and(|span| !has_placeholder(&span.label))
}

/// Whether a call began right after the one before had ended.
fn follows(case: &Case<'_>, before: Option<u32>, node: u32) -> bool {
    let Some(before) = before else { return true };
    let (before, node) = (case.node(before), case.node(node));
    let (early, pause) = (before.end.since(node.start), node.start.since(before.end));
    early <= case.thresholds.clock_grain && pause <= case.thresholds.serial_pause
}

fn report(case: &mut Case<'_>, parent: u32, run: Vec<u32>) {
    if run.len() < 2 {
        return;
    }
    let thresholds = case.thresholds;
    let spread = case.spread(&run);
    let saved = Nanos(spread.sum.0.saturating_sub(spread.longest.0));
    let much = saved >= thresholds.serial_saved || case.share(saved) >= thresholds.serial_share;
    if saved < thresholds.serial_floor || !much {
        return;
    }
    let independent = run.iter().all(|node| is_free_standing(case, *node));
    let severity = if independent { Severity::Warn } else { Severity::Info };
    let mut signatures: Vec<u64> = run.iter().map(|node| case.signature(*node)).collect();
    signatures.dedup();
    let same = hash((case.signature(parent), signatures));
    let (count, sum) = (run.len(), spread.sum);
    case.found(Instance { rule: Rule::Serial, severity, nodes: run, cost: saved, same }, |case| {
        let above = case.what(parent);
        let why = format!(
            "{count} calls one after another below {above} take {sum}: side by side up to {saved} less, if none needs \
             another's answer"
        );
        Told { what: format!("calls of {above}").into(), why }
    });
}

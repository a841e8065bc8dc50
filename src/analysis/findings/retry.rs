//! A call that was made again after it failed.
//!
//! Told by siblings that ask for the very same: all but the last failed, each began after the one before had ended. A loop in
//! which one of many calls fails is none. Clients that say so (`http.request.resend_count`) are believed.

use super::calls::Group;
use super::case::{Case, Instance, Told};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Category, Value};
use crate::semconv;

/// More attempts than anybody makes: a loop in which all calls fail.
const MOST: usize = 10;
/// So few calls are looked up to see whether their sender calls them a repetition.
const FEW: usize = 5;

/// Looks for calls made again.
pub(super) fn judge(case: &mut Case<'_>) {
    let groups = case.take_groups();
    let mut attempts: Vec<(u32, Vec<u32>)> = Vec::new();
    for Group { parent, members } in &groups {
        let http = members.first().is_some_and(|node| is_http(case, *node));
        if !http && !members.iter().any(|node| case.traits(*node).failed()) {
            continue;
        }
        // Like calls for different things are no attempts at one.
        let labels = members.iter().filter_map(|node| Some((hash(&*case.span(*node)?.label), *node)));
        let alike = Case::grouped(labels).into_iter().filter(|alike| (2..=MOST).contains(&alike.len()));
        attempts.extend(alike.map(|alike| (*parent, alike)));
    }
    case.calls.groups = groups;
    // What senders say of their calls is read of all at once.
    attempts.retain(|(_, attempts)| failing(case, attempts) || may_be_resent(case, attempts));
    let asked = attempts.iter().filter(|(_, attempts)| !failing(case, attempts));
    let asked: Vec<u32> = asked.flat_map(|(_, attempts)| attempts.iter().skip(1).copied()).collect();
    case.fetch(&asked);
    for (parent, attempts) in attempts {
        if failing(case, &attempts) || resent(case, &attempts) {
            report(case, parent, attempts);
        }
    }
}

fn is_http(case: &Case<'_>, node: u32) -> bool {
    case.span(node).is_some_and(|span| span.category == Category::Http)
}

/// All but the last failed, one after another.
fn failing(case: &Case<'_>, attempts: &[u32]) -> bool {
    let Some((_, before)) = attempts.split_last() else { return false };
    before.iter().all(|node| case.traits(*node).failed()) && case.spread(attempts).overlaps == 0
}

fn may_be_resent(case: &Case<'_>, attempts: &[u32]) -> bool {
    attempts.len() <= FEW && attempts.first().is_some_and(|node| is_http(case, *node))
}

/// The sender counts them as one request that was sent again.
fn resent(case: &mut Case<'_>, attempts: &[u32]) -> bool {
    let count = |value: &Value| matches!(value, Value::Int(count) if *count > 0);
    let keys = semconv::aliases("http.request.resend_count");
    attempts.iter().skip(1).all(|node| {
        let span = case.whole(*node);
        span.is_some_and(|span| keys.iter().any(|key| crate::model::lookup(&span.attributes, key).is_some_and(count)))
    })
}

fn report(case: &mut Case<'_>, parent: u32, attempts: Vec<u32>) {
    let (Some(first), Some(last)) = (attempts.first().copied(), attempts.last().copied()) else { return };
    let failed = attempts.iter().filter(|node| case.traits(**node).failed()).count();
    let (count, lost) = (attempts.len(), case.node(last).start.since(case.node(first).start));
    let all = case.node(last).end.since(case.node(first).start);
    let cost = if failed == count { all } else { lost };
    let same = hash((case.signature(first), case.signature(parent)));
    case.claim(Rule::Retry, &attempts);
    case.found(Instance { rule: Rule::Retry, severity: Severity::Warn, nodes: attempts, cost, same }, |case| {
        let what = case.what(first);
        let how = match count - failed {
            0 => "failed each time".to_owned(),
            _ if failed == 0 => "sent again until it was answered".to_owned(),
            _ => format!("failed {}, then succeeded", times(failed)),
        };
        let why = format!("{what} was tried {}: {how}, {cost} lost", times(count));
        Told { what, why }
    });
}

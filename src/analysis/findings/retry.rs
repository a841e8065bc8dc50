//! A call that was made again after it failed.
//!
//! Told by siblings that ask for the very same: all but the last failed, each began after the one before had ended. A loop in
//! which one of many calls fails is none. Clients that say so (`http.request.resend_count`) are believed.

use super::calls::Group;
use super::case::{Case, Instance};
use super::words::times;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Category, Nanos, Value};
use crate::semconv;

/// More attempts than anybody makes: a loop in which all calls fail.
const MOST: usize = 10;
/// So few calls are looked up to see whether their sender calls them a repetition.
const FEW: usize = 5;

/// Looks for calls made again.
pub(super) fn judge(case: &mut Case<'_>) {
    for Group { parent, members } in case.groups() {
        // Like calls for different things are no attempts at one.
        let labels = members.iter().filter_map(|node| Some((hash(&*case.span(*node)?.label), *node)));
        for attempts in Case::grouped(labels.collect::<Vec<_>>()) {
            if (2..=MOST).contains(&attempts.len()) && (failing(case, &attempts) || resent(case, &attempts)) {
                report(case, parent, attempts);
            }
        }
    }
}

/// All but the last failed, one after another.
fn failing(case: &Case<'_>, attempts: &[u32]) -> bool {
    let Some((_, before)) = attempts.split_last() else { return false };
    before.iter().all(|node| case.node(*node).failed) && case.spread(attempts).overlaps == 0
}

/// The sender counts them as one request that was sent again.
fn resent(case: &mut Case<'_>, attempts: &[u32]) -> bool {
    let http = attempts.first().and_then(|node| case.span(*node)).is_some_and(|span| span.category == Category::Http);
    if !http || attempts.len() > FEW {
        return false;
    }
    let count = |value: &Value| matches!(value, Value::Int(count) if *count > 0);
    attempts.iter().skip(1).all(|node| {
        let keys = semconv::aliases("http.request.resend_count");
        let span = case.whole(*node);
        span.is_some_and(|span| keys.iter().any(|key| crate::model::lookup(&span.attributes, key).is_some_and(count)))
    })
}

fn report(case: &mut Case<'_>, parent: u32, attempts: Vec<u32>) {
    let (Some(first), Some(last)) = (attempts.first().copied(), attempts.last().copied()) else { return };
    let what = case.what(first);
    let failed = attempts.iter().filter(|node| case.node(**node).failed).count();
    let (count, lost) = (attempts.len(), case.node(last).start.since(case.node(first).start));
    let all = case.node(last).end.since(case.node(first).start);
    let (how, cost) = match count - failed {
        0 => ("failed each time".to_owned(), all),
        _ if failed == 0 => ("sent again until it was answered".to_owned(), lost),
        _ => (format!("failed {}, then succeeded", times(failed)), lost),
    };
    let why = format!("{what} was tried {}: {how}, {} lost", times(count), Nanos(cost.0));
    let same = hash((case.signature(first), case.signature(parent)));
    case.claim(Rule::Retry, &attempts);
    case.found(Instance { rule: Rule::Retry, severity: Severity::Warn, what, why, nodes: attempts, cost, same });
}

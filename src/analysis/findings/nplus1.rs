//! The same call again and again: below one parent, or from many places while one request is served.
//!
//! Below one parent the calls must follow each other: what runs side by side is a fan-out. From many places they need not: a
//! query in each resolver is one query too many whether or not the resolvers run at once. Calls that failed do not count
//! (they are retries or errors), nor do calls far apart (something looks again and again whether there is work).

use super::calls::Group;
use super::case::{Case, Instance, Spread, Told};
use super::words::{self, each};
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::Nanos;

/// Like calls of one parent, one after another. Answers each of these loops.
pub(super) fn judge(case: &mut Case<'_>) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    let least = case.thresholds.nplus1_count.max(2) as usize;
    let groups = case.take_groups();
    for Group { parent, members } in &groups {
        let loopable = members.first().is_some_and(|node| case.traits(*node).is_loopable());
        if members.len() < least || !loopable {
            continue;
        }
        let fits = |node: &u32| !case.traits(*node).failed() && case.claimed(*node).is_none();
        let members: Vec<u32> = members.iter().copied().filter(fits).collect();
        let spread = case.spread(&members);
        if members.len() < least || !spread.in_sequence(members.len()) || polls(case, &members) {
            continue;
        }
        case.claim(Rule::NPlusOne, &members);
        let severity = severity(case, &members, &spread);
        let (first, count) = (members[0], members.len());
        let same = hash((case.signature(first), case.signature(*parent)));
        all.push(members.clone());
        let instance = Instance { rule: Rule::NPlusOne, severity, nodes: members, cost: spread.busy, same };
        case.found(instance, |case| {
            let (what, below) = (case.what(first), case.what(*parent));
            let (times, each) = (words::times(count), each(spread.sum, count));
            let why = format!("{times} {what}, {each} each, one after another below {below}");
            Told { what, why }
        });
    }
    case.calls.groups = groups;
    all
}

/// Like calls of different parents while one request is served.
pub(super) fn judge_scattered(case: &mut Case<'_>) {
    let least = case.thresholds.nplus1_count.max(2) as usize;
    for (entry, members) in scattered(case) {
        let parents = {
            let mut parents: Vec<_> = members.iter().map(|node| case.node(*node).parent).collect();
            parents.sort_unstable();
            parents.dedup();
            parents.len()
        };
        // A place or two with a few calls each is no pattern.
        if members.len() < least || parents < least || polls(case, &members) {
            continue;
        }
        let spread = case.spread(&members);
        let in_sequence = spread.in_sequence(members.len());
        let (first, count) = (members[0], members.len());
        if !in_sequence && !case.traits(first).is_database() {
            continue;
        }
        case.claim(Rule::Scatter, &members);
        let severity = if in_sequence { severity(case, &members, &spread) } else { Severity::Info };
        let same = hash((case.signature(first), case.signature(entry)));
        let instance = Instance { rule: Rule::Scatter, severity, nodes: members, cost: spread.busy, same };
        case.found(instance, |case| {
            let (what, below) = (case.what(first), case.what(entry));
            let how = if in_sequence { "one after another" } else { "partly at once" };
            let (times, each) = (words::times(count), each(spread.sum, count));
            let why = format!("{times} {what}, {each} each, {how}, from {parents} places below {below}");
            Told { what, why }
        });
    }
}

/// Like calls under one entry that nothing explains yet, in order of start.
fn scattered(case: &Case<'_>) -> Vec<(u32, Vec<u32>)> {
    let mut calls: Vec<(u32, u64, u32)> = Vec::new();
    for (at, node) in (0..).zip(&case.analysis.order) {
        let traits = case.traits(*node);
        if !(traits.is_call() && traits.is_loopable()) || traits.failed() || case.claimed(*node).is_some() {
            continue;
        }
        // What a database call is made of belongs to it.
        if case.node(*node).parent.is_none_or(|parent| case.traits(parent).is_database()) {
            continue;
        }
        calls.push((case.calls.entries[*node as usize], case.signature(*node), at));
    }
    calls.sort_unstable();
    let alike = calls.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    let mut groups: Vec<(u32, Vec<u32>)> = alike
        .filter(|alike| alike.len() > 1)
        .map(|alike| (alike[0].0, alike.iter().map(|(_, _, at)| case.analysis.order[*at as usize]).collect()))
        .collect();
    for (_, members) in &mut groups {
        members.sort_by_key(|node| case.node(*node).start);
    }
    groups.sort_by_key(|(_, members)| members.first().map(|node| case.node(*node).start));
    groups
}

/// Whether the calls look again and again whether there is something: half of the pauses between them are long.
pub(super) fn polls(case: &Case<'_>, members: &[u32]) -> bool {
    let long = members.windows(2).filter(|pair| {
        let pause = case.node(pair[1]).start.since(case.node(pair[0]).end);
        pause >= case.thresholds.nplus1_pause
    });
    long.count() * 2 >= members.len()
}

fn severity(case: &Case<'_>, members: &[u32], spread: &Spread) -> Severity {
    let long = spread.busy >= case.thresholds.nplus1_warn && spread.busy > Nanos::ZERO;
    // Whoever waits for all of them may not wait for each of them, where clocks let them overlap.
    let awaited = members.iter().any(|node| case.node(*node).parent.is_some_and(|above| case.on_path(&[above]).0 > 0));
    let waited = if awaited { spread.busy } else { case.on_path(members) };
    let large = case.path_share(waited) >= case.thresholds.nplus1_warn_share;
    if long || large { Severity::Warn } else { Severity::Info }
}

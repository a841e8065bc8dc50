//! What of a filter a server that keeps spans can be asked, so that nothing is lost which the filter would find here.
//!
//! In: a filter, what the server is known to honour, the time. Out: a search, and which parts of the filter it covers. All parts
//! are applied again to what comes back; so a condition may be pushed loosely, but never more tightly than it is meant.

mod ask;
mod conditions;
mod traceql;

pub use ask::{Abilities, Ask, Assumed, Pushdown, Search};

use self::conditions::{Conditions, conditions};
use super::terms::{Query, Says, Term};
use crate::model::{Nanos, Timestamp};

/// How many traces are asked for where the filter does not say.
const LIMIT: u32 = 100;

/// A server is asked for no fewer: where its answer has as many traces as it was asked for there may be newer ones, and with very few
/// that is so of every part of the time.
const LEAST: u32 = 5;

/// How far back is searched where the filter does not say.
const LOOKBACK: Nanos = Nanos::from_secs(3_600);

/// Turns a filter into what a server is asked.
///
/// Without a time in the filter the last hour is searched, without a limit 100 traces are asked for; [`Pushdown::assumed`] says so.
#[must_use]
pub fn push_down(query: &Query, abilities: Abilities, now: Timestamp) -> Pushdown {
    let found = conditions(query);
    if let Some(id) = found.trace {
        let (pushed, local) = (0..query.parts()).partition(|part| found.of_trace.contains(part));
        return Pushdown { ask: Ask::Trace(id), pushed, local, assumed: Assumed::default() };
    }
    let mut pushed = Vec::new();
    let (start, end, assumed_lookback) = window(query, &found, now, &mut pushed);
    let mut search = Search { start, end, ..Search::default() };
    // Where the filter is about several spans, its times need not be those of the span that the conditions are about.
    if found.single || pushed.is_empty() {
        fill(&mut search, &found, abilities, &mut pushed);
    }
    // Every server takes a limit, but it comes before what is filtered here.
    let limits = query.terms.iter().enumerate().filter(|(_, term)| matches!(term.says, Says::Limit(_)));
    let limits: Vec<usize> = limits.map(|(part, _)| part).collect();
    let rest = (0..query.parts()).any(|part| !pushed.contains(&part) && !limits.contains(&part));
    search.limit = match query.limit() {
        Some(limit) if rest => limit.max(LIMIT),
        Some(limit) => limit.max(LEAST),
        None => LIMIT,
    };
    if !rest {
        pushed.extend(limits);
    }
    pushed.sort_unstable();
    let local = (0..query.parts()).filter(|part| !pushed.contains(part)).collect();
    let assumed = Assumed { limit: query.limit().is_none().then_some(LIMIT), lookback: assumed_lookback };
    Pushdown { ask: Ask::Search(search), pushed, local, assumed }
}

/// When spans must have begun, and what was assumed of it.
fn window(
    query: &Query,
    found: &Conditions,
    now: Timestamp,
    pushed: &mut Vec<usize>,
) -> (Timestamp, Timestamp, Option<Nanos>) {
    // No span of a trace begins before it.
    let (mut start, mut end) = (found.begins.0, None);
    let own_start = |term: &Term| matches!(term.says, Says::Since(_) | Says::Lookback(_));
    for (part, term) in query.terms.iter().enumerate() {
        match &term.says {
            Says::Since(moment) => start = start.max(Some(moment.then(now))),
            Says::Lookback(ago) => start = start.max(Some(Timestamp(now.0.saturating_sub(ago.0)))),
            Says::Until(moment) => {
                let then = moment.then(now);
                end = Some(end.map_or(then, |end: Timestamp| end.min(then)));
            }
            Says::Spans(_) | Says::Limit(_) => continue,
        }
        pushed.push(part);
    }
    // Where any span will do, its first will.
    if let Some(latest) = found.begins.1.filter(|_| found.all.is_empty() && !query.terms.iter().any(own_start)) {
        end = Some(end.map_or(latest, |end| end.min(latest)));
    }
    // Spans of clocks that run ahead are wanted too.
    let until = end.unwrap_or_else(|| now.plus(LOOKBACK));
    match start {
        Some(start) => (start, until, None),
        None => (Timestamp(end.map_or(now, |end| end.min(now)).0.saturating_sub(LOOKBACK.0)), until, Some(LOOKBACK)),
    }
}

/// Puts into `search` what the server honours, and notes which parts that covers.
fn fill(search: &mut Search, found: &Conditions, abilities: Abilities, pushed: &mut Vec<usize>) {
    let mut covered: Vec<(usize, bool)> = found.whole.clone();
    let mut cover = |part: usize, taken: bool| {
        covered.iter_mut().filter(|(own, _)| *own == part).for_each(|(_, all)| *all &= taken);
    };
    if abilities.traceql {
        search.traceql = traceql::spell(&found.all, &mut cover);
    } else {
        for (part, condition) in &found.all {
            cover(*part, condition.put(search, abilities));
        }
    }
    pushed.extend(covered.into_iter().filter(|(_, all)| *all).map(|(part, _)| part));
}

#[cfg(test)]
mod tests;

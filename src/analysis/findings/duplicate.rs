//! The same read with the same values: its answer was known.
//!
//! Equal text is no proof where the values are elsewhere (`$1`): then the parameters are looked up, and where the sender
//! gave none, nothing is said. Nor is anything said where something wrote in between to what is read.

use hashbrown::HashMap;

use super::case::{Case, Instance};
use super::words;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Category, Nanos, Span, Timestamp, TraceSpan};

/// Looks for reads whose answer was known.
pub(super) fn judge(case: &mut Case<'_>) {
    let least = case.thresholds.dup_count.max(2) as usize;
    let mut memo = Memo::default();
    let writes = writes(case, &mut memo);
    let mut alike: Vec<(u64, u32, bool)> = Vec::new();
    for (at, node) in (0..).zip(&case.analysis.order) {
        let Some(span) = case.span(*node).filter(|span| span.category.is_database()) else { continue };
        if case.node(*node).failed || case.claimed(*node) == Some(Rule::Retry) {
            continue;
        }
        if let Some(shown) = memo.of(span).shown {
            alike.push((hash((case.signature(*node), &*span.label)), at, shown));
        }
    }
    alike.sort_unstable();
    let mut groups: Vec<(u32, Vec<u32>, bool)> = alike
        .chunk_by(|one, other| one.0 == other.0)
        .filter(|alike| alike.len() >= least)
        .map(|alike| {
            let members = alike.iter().map(|(_, at, _)| case.analysis.order[*at as usize]).collect();
            (alike[0].1, members, alike[0].2)
        })
        .collect();
    groups.sort_unstable_by_key(|(at, _, _)| *at);
    for (_, members, shown) in groups {
        let sets = if shown { vec![members] } else { by_parameters(case, members) };
        for mut members in sets {
            members.sort_by_key(|node| case.node(*node).start);
            if members.len() >= least && !is_written_between(case, (&writes, &mut memo), &members) {
                report(case, members);
            }
        }
    }
}

fn report(case: &mut Case<'_>, members: Vec<u32>) {
    let Some(first) = members.first().copied() else { return };
    let what = case.what(first);
    let saved = members.iter().skip(1).fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0));
    let saved = Nanos(saved);
    let times = words::times(members.len());
    let why = format!("{times} {what} with the same values: all but the first took {saved}");
    let same = case.signature(first);
    let severity = Severity::Info;
    case.found(Instance { rule: Rule::Duplicate, severity, what, why, nodes: members, cost: saved, same });
}

/// The calls by the parameters that their senders gave; calls without any are left out.
fn by_parameters(case: &mut Case<'_>, members: Vec<u32>) -> Vec<Vec<u32>> {
    let mut sets: Vec<(u64, Vec<u32>)> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for node in members {
        // Who does not say it of one does not say it of the others.
        let Some(parameters) = case.whole(node).as_ref().and_then(parameters) else { break };
        let place = *places.entry(parameters).or_insert_with(|| {
            sets.push((parameters, Vec::new()));
            sets.len() - 1
        });
        if let Some((_, set)) = sets.get_mut(place) {
            set.push(node);
        }
    }
    sets.into_iter().map(|(_, set)| set).collect()
}

/// A number for what stands in `db.query.parameter.*`; `None` where there is nothing, or it is masked.
fn parameters(span: &Span) -> Option<u64> {
    let is_parameter = |key: &str| {
        key.starts_with("db.query.parameter.")
            || key.starts_with("db.statement.parameter.")
            || key == "db.sql.parameters"
    };
    let mut given: Vec<(String, String)> = Vec::new();
    for attribute in &span.attributes {
        let key = attribute.key.lossy();
        if is_parameter(&key) {
            let value = format!("{:?}", attribute.value);
            if value.contains("\"?\"") || value.contains('*') || value.to_ascii_lowercase().contains("redacted") {
                return None;
            }
            given.push((key.into_owned(), value));
        }
    }
    given.sort_unstable();
    (!given.is_empty()).then(|| hash(given))
}

/// When something was written, by service and what was written to, each in order.
type Writes = HashMap<u64, Vec<Timestamp>>;

fn writes(case: &Case<'_>, memo: &mut Memo) -> Writes {
    let mut writes = Writes::new();
    for node in &case.analysis.order {
        let Some(span) = case.span(*node).filter(|span| span.category.is_database()) else { continue };
        let Known { writes_to, .. } = memo.of(span);
        if let Some(target) = *writes_to {
            writes.entry(target).or_default().push(case.node(*node).start);
        }
    }
    for times in writes.values_mut() {
        times.sort_unstable();
    }
    writes
}

fn is_written_between(case: &Case<'_>, (writes, memo): (&Writes, &mut Memo), members: &[u32]) -> bool {
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return false };
    let (from, to) = (case.node(*first).start, case.node(*last).start);
    let Some(times) = case.span(*first).and_then(|span| writes.get(&memo.of(span).target)) else { return false };
    let next = times.partition_point(|time| *time < from);
    times.get(next).is_some_and(|time| *time <= to)
}

/// What labels say, by where they lie: the spans of a trace share theirs.
#[derive(Default)]
struct Memo {
    known: HashMap<(usize, Category), Known>,
}

#[derive(Clone, Copy)]
struct Known {
    /// As [`words::shows_values`].
    shown: Option<bool>,
    target: u64,
    writes_to: Option<u64>,
}

impl Memo {
    fn of(&mut self, span: &TraceSpan) -> &Known {
        let address = std::sync::Arc::as_ptr(&span.label).cast::<u8>().addr();
        self.known.entry((address, span.category)).or_insert_with(|| {
            let target = hash(words::target(span));
            let writes = !words::is_read(span) && !words::is_chatter(span);
            Known { shown: words::shows_values(span), target, writes_to: writes.then_some(target) }
        })
    }
}

//! The same read with the same values: its answer was known.
//!
//! Equal text is no proof where the values are elsewhere (`$1`): then the parameters are looked up, and where the sender
//! gave none, nothing is said. Nor is anything said where something wrote in between to what is read.

use hashbrown::HashMap;

use super::case::{Case, Instance, Told};
use super::{Rule, Severity, nplus1, words};
use crate::analysis::shape::hash;
use crate::model::{Category, Nanos, Span, Timestamp};

/// Looks for reads whose answer was known.
pub(super) fn judge(case: &mut Case<'_>) {
    let least = case.thresholds.dup_count.max(2) as usize;
    let groups = alike(case, least);
    if groups.is_empty() {
        return;
    }
    let mut writes = Writes::of(case);
    // Whether their senders give parameters at all.
    let hidden: Vec<&Vec<u32>> = groups.iter().filter(|(_, shown)| !shown).map(|(members, _)| members).collect();
    case.fetch(&hidden.iter().filter_map(|members| members.first().copied()).collect::<Vec<_>>());
    let given = |members: &&Vec<u32>| members.first().is_some_and(|node| parameters_of(case, *node).is_some());
    let given: Vec<u32> = hidden.into_iter().filter(given).flatten().copied().collect();
    case.fetch(&given);
    for (members, shown) in groups {
        let sets = if shown { vec![members] } else { by_parameters(case, members) };
        for mut members in sets {
            members.sort_by_key(|node| case.node(*node).start);
            // Who asks again after a long pause wants to know whether the answer is another one.
            if members.len() >= least && !nplus1::polls(case, &members) && !writes.between(case, &members) {
                report(case, members);
            }
        }
    }
}

/// Reads with equal labels, and whether these show their values.
fn alike(case: &Case<'_>, least: usize) -> Vec<(Vec<u32>, bool)> {
    let mut alike: Vec<(u64, u64, u32)> = Vec::new();
    for (at, node) in (0..).zip(&case.analysis.order) {
        let traits = case.traits(*node);
        if traits.is_database_read() && !traits.failed() && case.claimed(*node) != Some(Rule::Retry) {
            let label = case.span(*node).map(|span| hash(&*span.label)).unwrap_or_default();
            alike.push((case.signature(*node), label, at));
        }
    }
    alike.sort_unstable();
    let mut groups: Vec<(u32, Vec<u32>, bool)> = alike
        .chunk_by(|one, other| (one.0, one.1) == (other.0, other.1))
        .filter(|alike| alike.len() >= least)
        .filter_map(|alike| {
            let members: Vec<u32> = alike.iter().map(|(.., at)| case.analysis.order[*at as usize]).collect();
            let shown = members.first().and_then(|node| words::shows_values(case.span(*node)?))?;
            Some((alike[0].2, members, shown))
        })
        .collect();
    groups.sort_unstable_by_key(|(at, ..)| *at);
    groups.into_iter().map(|(_, members, shown)| (members, shown)).collect()
}

fn report(case: &mut Case<'_>, members: Vec<u32>) {
    let Some(first) = members.first().copied() else { return };
    let saved = members.iter().skip(1).fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0));
    let (saved, times) = (Nanos(saved), words::times(members.len()));
    let (rule, severity, same) = (Rule::Duplicate, Severity::Info, case.signature(first));
    case.found(Instance { rule, severity, nodes: members, cost: saved, same }, |case| {
        let what = case.what(first);
        let why = format!("{times} {what} with the same values: all but the first took {saved}");
        Told { what, why }
    });
}

/// The calls by the parameters that their senders gave; calls without any are left out.
fn by_parameters(case: &mut Case<'_>, members: Vec<u32>) -> Vec<Vec<u32>> {
    let mut sets: Vec<(u64, u32)> = Vec::new();
    for node in members {
        // Who does not say it of one does not say it of the others.
        let Some(parameters) = parameters_of(case, node) else { break };
        sets.push((parameters, node));
    }
    Case::grouped(sets)
}

fn parameters_of(case: &mut Case<'_>, node: u32) -> Option<u64> {
    case.whole(node).and_then(parameters)
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

/// When something was written.
struct Writes {
    /// By what was written to, each in order.
    times: HashMap<u64, Vec<Timestamp>>,
    targets: Targets,
}

impl Writes {
    fn of(case: &Case<'_>) -> Self {
        let mut targets = Targets::default();
        let mut times: HashMap<u64, Vec<Timestamp>> = HashMap::new();
        for node in case.nodes_where(super::traits::Traits::is_database_write) {
            times.entry(targets.of(case, node)).or_default().push(case.node(node).start);
        }
        for times in times.values_mut() {
            times.sort_unstable();
        }
        Self { times, targets }
    }

    /// Whether something was written between the first and the last of `members` to what they read.
    fn between(&mut self, case: &Case<'_>, members: &[u32]) -> bool {
        let (Some(first), Some(last)) = (members.first(), members.last()) else { return false };
        let (from, to) = (case.node(*first).start, case.node(*last).start);
        let Some(times) = self.times.get(&self.targets.of(case, *first)) else { return false };
        let next = times.partition_point(|time| *time < from);
        times.get(next).is_some_and(|time| *time <= to)
    }
}

/// What calls read or change, as a number. Of statements those of one signature have one; the key that a command is for is a
/// value.
#[derive(Default)]
struct Targets {
    known: HashMap<u64, u64>,
}

impl Targets {
    fn of(&mut self, case: &Case<'_>, node: u32) -> u64 {
        let Some(span) = case.span(node) else { return 0 };
        let target = || hash(words::target(span));
        match span.category {
            Category::Sql => *self.known.entry(case.signature(node)).or_insert_with(target),
            _ => target(),
        }
    }
}

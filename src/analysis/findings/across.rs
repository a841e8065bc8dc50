//! The same finding in many traces is one, with a count.

use std::cmp::Reverse;

use hashbrown::{HashMap, HashSet};

use super::past::{Suspect, Usual};
use super::{Finding, Rule, Severity, past, words};
use crate::analysis::thresholds::Thresholds;
use crate::analysis::tree::Analysis;
use crate::model::{Nanos, SpanKey, TraceId};

/// Findings that are told of at most: more than anybody reads.
pub const MOST: usize = 1_000;
/// Traces of one finding that can be gone to: those in which it costs most.
pub const INSTANCES: usize = 500;
/// Statements of which the past is looked up beyond the traces that are summed up: each takes a look at all that is held.
const LOOKED_UP: usize = 8;

/// What is kept of a trace's findings, and of its database calls: only with those of other traces it can be told which took far
/// longer than usual.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    found: Vec<Kept>,
    calls: History,
    suspects: Vec<Suspected>,
}

/// The database calls of a trace: by statement, how long each took.
#[derive(Clone, Debug, Default)]
pub struct History(Vec<(u64, u64)>);

impl History {
    /// Of a trace.
    #[must_use]
    pub fn of(analysis: &Analysis) -> Self {
        Self(past::calls(analysis).collect())
    }
}

/// Calls of one statement that may have taken longer than usual, the longest first.
#[derive(Clone, Debug)]
struct Suspected {
    statement: u64,
    durations: Vec<Nanos>,
    first: Option<SpanKey>,
    what: Box<str>,
}

#[derive(Clone, Debug)]
struct Kept {
    rule: Rule,
    severity: Severity,
    cost: Nanos,
    fingerprint: u64,
    /// How many nodes prove it, and the first that is a span.
    nodes: u32,
    first: Option<SpanKey>,
    what: Box<str>,
    why: Box<str>,
}

impl Digest {
    /// How much room it takes, in units of about a hundred bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let found: usize = self.found.iter().map(|kept| 1 + (kept.what.len() + kept.why.len()) / 64).sum();
        let suspects: usize = self.suspects.iter().map(|suspected| 1 + suspected.durations.len() / 12).sum();
        found + suspects + self.calls.0.len() / 6
    }
}

impl Digest {
    /// Whether it has calls that may have taken longer than usual.
    #[must_use]
    pub fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }
}

/// What is kept of a trace in which `findings` were found; `None` where there is nothing to keep.
#[must_use]
pub fn digest(analysis: &Analysis, thresholds: &Thresholds, findings: Vec<Finding>) -> Option<Digest> {
    let kept = |finding: Finding| Kept {
        rule: finding.rule,
        severity: finding.severity,
        cost: finding.cost,
        fingerprint: finding.fingerprint,
        nodes: u32::try_from(finding.nodes.len()).unwrap_or(u32::MAX),
        first: finding.nodes.iter().find_map(|node| Some(analysis.span(*node)?.key)),
        what: finding.what.into(),
        why: finding.why.into(),
    };
    let suspected = |calls: Vec<Suspect>| {
        let longest = *calls.first()?;
        let span = analysis.span(longest.node)?;
        Some(Suspected {
            statement: longest.statement,
            durations: calls.iter().map(|call| call.duration).collect(),
            first: Some(span.key),
            what: words::subject(span).into(),
        })
    };
    let suspects = past::suspects(analysis, thresholds).into_iter().filter_map(suspected).collect();
    let calls = History::of(analysis);
    let found: Vec<Kept> = findings.into_iter().map(kept).collect();
    (!found.is_empty() || !calls.0.is_empty()).then_some(Digest { found, calls, suspects })
}

/// One finding in all the traces that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// By which rule.
    pub rule: Rule,
    /// How bad it is at worst.
    pub severity: Severity,
    /// What it is about. May hold control characters.
    pub what: String,
    /// Why, of the trace in which it costs most. May hold control characters.
    pub why: String,
    /// In how many traces.
    pub traces: u64,
    /// How many spans prove it, in all of them.
    pub spans: u64,
    /// What it costs in all of them.
    pub cost: Nanos,
    /// What tells it from others.
    pub fingerprint: u64,
    /// Where to look at it: the traces in which it costs most, each with the first span that proves it.
    pub instances: Vec<(TraceId, Option<SpanKey>)>,
}

/// What is known of the past of statements beside the digests.
pub enum Past<'a> {
    /// The digests are of all that is held.
    Whole,
    /// They are of some traces. This tells what calls of the statement of a span usually take, where that is worth looking up; it
    /// is asked for the statements with the longest calls only.
    Part(&'a mut dyn FnMut(TraceId, SpanKey) -> Option<Usual>),
}

/// Sums up, what costs most first; and how many findings there are in all. The same digests in another order give the same.
#[must_use]
pub fn sum<'d>(
    digests: impl Iterator<Item = (TraceId, &'d Digest)>,
    past: Past<'_>,
    thresholds: &Thresholds,
) -> (Vec<Found>, u64) {
    let digests: Vec<(TraceId, &Digest)> = digests.collect();
    let slower = beyond(&digests, past, thresholds);
    let mut groups: HashMap<u64, Vec<(TraceId, &Kept)>> = HashMap::new();
    let of_traces = digests.iter().flat_map(|(trace, digest)| digest.found.iter().map(|kept| (*trace, kept)));
    for (trace, kept) in of_traces.chain(slower.iter().map(|(trace, kept)| (*trace, kept))) {
        groups.entry(kept.fingerprint).or_default().push((trace, kept));
    }
    let all = groups.len() as u64;
    let mut found: Vec<Found> = groups.into_values().filter_map(one).collect();
    found.sort_by_cached_key(|found| {
        (Reverse((found.cost, found.severity, found.traces)), found.rule, found.fingerprint)
    });
    found.truncate(MOST);
    (found, all)
}

/// The statements that took far longer than they usually do: where, what that costs, and why. `others` are of traces of which
/// nothing is to be said.
pub fn slower<'d>(
    digests: impl Iterator<Item = (TraceId, &'d Digest)>,
    others: impl Iterator<Item = &'d History>,
    thresholds: &Thresholds,
) -> Vec<(TraceId, Nanos, String)> {
    let digests: Vec<(TraceId, &Digest)> = digests.collect();
    let own = digests.iter().flat_map(|(_, digest)| &digest.calls.0);
    let usual = usual(&digests, own.chain(others.flat_map(|history| &history.0)), (true, thresholds));
    let told = |(trace, kept): (TraceId, Kept)| (trace, kept.cost, kept.why.into());
    exceeding(&digests, &usual, thresholds).map(told).collect()
}

fn suspects<'d>(digests: &[(TraceId, &'d Digest)]) -> impl Iterator<Item = (TraceId, &'d Suspected)> {
    digests.iter().flat_map(|(trace, digest)| digest.suspects.iter().map(|of| (*trace, of)))
}

fn beyond(digests: &[(TraceId, &Digest)], past: Past<'_>, thresholds: &Thresholds) -> Vec<(TraceId, Kept)> {
    let own = digests.iter().flat_map(|(_, digest)| &digest.calls.0);
    let mut usual = usual(digests, own, (matches!(past, Past::Whole), thresholds));
    if let Past::Part(look_up) = past {
        let mut longest: Vec<(TraceId, &Suspected)> = suspects(digests).collect();
        longest.sort_by_key(|(trace, of)| (Reverse(of.durations.first().copied()), *trace));
        let mut asked: HashSet<u64> = HashSet::new();
        for (trace, of) in longest {
            if asked.len() < LOOKED_UP && asked.insert(of.statement) {
                let whole = of.first.and_then(|span| look_up(trace, span));
                usual.entry(of.statement).and_modify(|usual| *usual = whole.or(*usual));
            }
        }
    }
    exceeding(digests, &usual, thresholds).collect()
}

/// What the calls of the statements with suspects usually take, by these calls.
fn usual<'d>(
    digests: &[(TraceId, &'d Digest)],
    calls: impl Iterator<Item = &'d (u64, u64)>,
    (all, thresholds): (bool, &Thresholds),
) -> HashMap<u64, Option<Usual>> {
    let mut pasts: HashMap<u64, Vec<u64>> = suspects(digests).map(|(_, of)| (of.statement, Vec::new())).collect();
    if pasts.is_empty() {
        return HashMap::new();
    }
    for (statement, duration) in calls {
        if let Some(past) = pasts.get_mut(statement) {
            past.push(*duration);
        }
    }
    let usual = |(statement, mut durations): (u64, Vec<u64>)| {
        durations.sort_unstable();
        (statement, Usual::of(&durations, all, thresholds))
    };
    pasts.into_iter().map(usual).collect()
}

fn exceeding(
    digests: &[(TraceId, &Digest)],
    usual: &HashMap<u64, Option<Usual>>,
    thresholds: &Thresholds,
) -> impl Iterator<Item = (TraceId, Kept)> {
    suspects(digests).filter_map(|(trace, of)| {
        let usual = usual.get(&of.statement)?.as_ref()?;
        let exceeds = |duration: &Nanos| usual.is_exceeded(*duration, thresholds);
        let durations: Vec<Nanos> = of.durations.iter().copied().filter(exceeds).collect();
        let kept = Kept {
            rule: Rule::Past,
            severity: Severity::Warn,
            cost: past::cost(&durations, usual),
            fingerprint: past::fingerprint(of.statement),
            nodes: u32::try_from(durations.len()).unwrap_or(u32::MAX),
            first: of.first,
            what: of.what.clone(),
            why: past::why(&of.what, &durations, usual).into(),
        };
        (!durations.is_empty()).then_some((trace, kept))
    })
}

fn one(mut group: Vec<(TraceId, &Kept)>) -> Option<Found> {
    group.sort_unstable_by_key(|(trace, kept)| (Reverse(kept.cost), *trace));
    let (_, worst) = *group.first()?;
    let total = |of: fn(&Kept) -> u64| group.iter().fold(0_u64, |sum, (_, kept)| sum.saturating_add(of(kept)));
    Some(Found {
        rule: worst.rule,
        severity: group.iter().map(|(_, kept)| kept.severity).max()?,
        what: worst.what.as_ref().to_owned(),
        why: worst.why.as_ref().to_owned(),
        traces: group.len() as u64,
        spans: total(|kept| u64::from(kept.nodes)),
        cost: Nanos(total(|kept| kept.cost.0)),
        fingerprint: worst.fingerprint,
        instances: group.iter().take(INSTANCES).map(|(trace, kept)| (*trace, kept.first)).collect(),
    })
}

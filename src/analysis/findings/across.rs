//! The same finding in many traces is one, with a count.

use std::cmp::Reverse;

use hashbrown::HashMap;

use super::{Finding, Rule, Severity};
use crate::analysis::tree::Analysis;
use crate::model::{Nanos, SpanKey, TraceId};

/// Findings that are told of at most: more than anybody reads.
pub const MOST: usize = 1_000;
/// Traces of one finding that can be gone to: those in which it costs most.
pub const INSTANCES: usize = 500;

/// What is kept of a trace's findings.
#[derive(Clone, Debug, Default)]
pub struct Digest(Vec<Kept>);

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
        self.0.iter().map(|kept| 1 + (kept.what.len() + kept.why.len()) / 64).sum()
    }
}

/// What is kept of a trace in which `findings` were found; `None` where there are none.
#[must_use]
pub fn digest(analysis: &Analysis, findings: Vec<Finding>) -> Option<Digest> {
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
    (!findings.is_empty()).then(|| Digest(findings.into_iter().map(kept).collect()))
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

/// Sums up, what costs most first; and how many findings there are in all.
#[must_use]
pub fn sum<'d>(digests: impl Iterator<Item = (TraceId, &'d Digest)>) -> (Vec<Found>, u64) {
    let mut groups: HashMap<u64, Vec<(TraceId, &Kept)>> = HashMap::new();
    for (trace, Digest(all)) in digests {
        for kept in all {
            groups.entry(kept.fingerprint).or_default().push((trace, kept));
        }
    }
    let all = groups.len() as u64;
    let mut found: Vec<Found> = groups.into_values().filter_map(one).collect();
    found.sort_by_cached_key(|found| {
        (Reverse((found.cost, found.severity, found.traces)), found.rule, found.fingerprint)
    });
    found.truncate(MOST);
    (found, all)
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

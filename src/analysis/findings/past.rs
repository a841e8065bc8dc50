//! A database call that took far longer than its statement usually does, though it is not slow by itself.
//!
//! Where a percentile alone decided, every twentieth call would be one. So it has to be beyond what 95 of 100 calls take by a
//! factor, and of few calls nothing is said. A statement that is now fast and now slow has a slow 95th percentile, and is not told
//! of. Calls that are marked as slow anyhow are told of by that rule.

use std::cmp::Reverse;

use super::case::Case;
use super::words;
use super::{Finding, Rule, Severity};
use crate::analysis::shape::hash;
use crate::analysis::thresholds::Thresholds;
use crate::analysis::tree::{Analysis, Node};
use crate::model::{Nanos, TraceSpan, percentile};

/// What the calls of a statement usually take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// How many calls are known.
    pub calls: usize,
    /// Their median.
    pub p50: Nanos,
    /// Their 95th percentile.
    pub p95: Nanos,
    /// They are all that are held, not only those of some traces.
    pub all: bool,
}

impl Usual {
    /// Of durations in order, the calls that are judged among them, of all that is held or not; `None` where they are too few to
    /// say anything.
    #[must_use]
    pub fn of(durations: &[u64], all: bool, thresholds: &Thresholds) -> Option<Self> {
        let (p50, p95) = (percentile(durations, 50)?, percentile(durations, 95)?);
        let enough = durations.len() >= thresholds.past_count as usize;
        enough.then_some(Self { calls: durations.len(), p50: Nanos(p50), p95: Nanos(p95), all })
    }

    /// Whether a call that took so long is far beyond it.
    #[must_use]
    pub fn is_exceeded(&self, duration: Nanos, thresholds: &Thresholds) -> bool {
        duration >= thresholds.past_floor && duration.0 > self.p95.0.saturating_mul(u64::from(thresholds.past_times))
    }
}

/// A call that may have taken longer than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its node.
    pub node: u32,
    /// The same for all calls of its statement by its service, in all traces.
    pub statement: u64,
    /// How long it took.
    pub duration: Nanos,
}

/// Every database call of a trace by its statement: what the past of statements is made of.
pub(super) fn calls(analysis: &Analysis) -> impl Iterator<Item = (u64, u64)> {
    let calls = analysis.nodes.iter().zip(&analysis.likeness).zip(0..);
    calls.filter_map(|((node, likeness), index)| {
        let counts = is_call(node, analysis.span(index)?);
        counts.then_some((likeness.own, node.duration().0))
    })
}

fn is_call(node: &Node, span: &TraceSpan) -> bool {
    span.category.is_database() && !node.failed && !words::is_chatter(span)
}

/// The calls of a trace of which the past is worth asking for, by statement: the longest first, and first in its statement.
#[must_use]
pub fn suspects(analysis: &Analysis, thresholds: &Thresholds) -> Vec<Vec<Suspect>> {
    let of = |(index, node): (u32, &Node)| {
        let duration = node.duration();
        let long = duration >= thresholds.past_floor && node.slow.is_none() && node.slow_descendants == 0;
        let statement = analysis.likeness.get(index as usize)?.own;
        let suspect = Suspect { node: index, statement, duration };
        (long && is_call(node, analysis.span(index)?)).then_some(suspect)
    };
    let mut suspects: Vec<Suspect> = (0..).zip(&analysis.nodes).filter_map(of).collect();
    suspects.sort_by_key(|suspect| (Reverse(suspect.duration), suspect.node));
    Case::grouped(suspects.into_iter().map(|suspect| (suspect.statement, suspect)))
}

/// Judges the calls of one statement by what they usually take.
#[must_use]
pub fn judge(analysis: &Analysis, thresholds: &Thresholds, calls: &[Suspect], usual: &Usual) -> Option<Finding> {
    let beyond: Vec<&Suspect> = calls.iter().filter(|call| usual.is_exceeded(call.duration, thresholds)).collect();
    let longest = beyond.first()?;
    let what = words::subject(analysis.span(longest.node)?);
    let durations: Vec<Nanos> = beyond.iter().map(|call| call.duration).collect();
    Some(Finding {
        rule: Rule::Past,
        severity: Severity::Warn,
        why: why(&what, &durations, usual),
        what,
        nodes: beyond.iter().map(|call| call.node).collect(),
        cost: cost(&durations, usual),
        fingerprint: fingerprint(longest.statement),
    })
}

/// In one line, of durations of which the first is the longest.
pub(super) fn why(what: &str, durations: &[Nanos], usual: &Usual) -> String {
    let Usual { calls, p50, p95, all } = usual;
    let whose = if *all { "held" } else { "found" };
    let longest = durations.first().copied().unwrap_or_default();
    let took = match durations.len() {
        1 => format!("{what} took {longest}"),
        count => format!("{} {what} took up to {longest}", words::times(count)),
    };
    format!("{took}: of the {calls} calls {whose} half take up to {p50}, 95 % up to {p95}")
}

/// What would not have been waited for, had they taken what half of the calls take.
pub(super) fn cost(durations: &[Nanos], usual: &Usual) -> Nanos {
    Nanos(durations.iter().fold(0_u64, |sum, duration| sum.saturating_add(duration.0.saturating_sub(usual.p50.0))))
}

pub(super) fn fingerprint(statement: u64) -> u64 {
    hash((Rule::Past.name(), statement))
}

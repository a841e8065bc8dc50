//! Findings: what an expert would point at in a trace, each with its reason and its proof.
//!
//! In: an [`Analysis`], the [`Thresholds`], and [`Evidence`] for the few rules that need more than the lean trace. Out:
//! [`Finding`]s in order of what matters. One file per rule, or per pair of rules that share their groups. Must never know:
//! how a finding is drawn, and anything of other traces but by its fingerprint.
//!
//! The rules and their thresholds are those of Sentry's detectors and Jaeger's guides, made for a developer's machine: what
//! is a bug is told by counts, what matters by time.

pub mod across;
mod calls;
mod case;
mod dominant;
mod duplicate;
mod error;
mod evidence;
mod fanout;
mod gap;
mod integrity;
mod nplus1;
mod outlive;
pub mod past;
mod queue;
mod retry;
mod serial;
mod slow;
mod traits;
mod twins;
mod words;

use std::cmp::Reverse;

pub use evidence::{Evidence, Held, Nothing};

use super::thresholds::Thresholds;
use super::tree::Analysis;
use super::whole::Whole;
use crate::model::Nanos;
use case::Case;

/// What was found in a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// By which rule.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, without the numbers of this trace: `SELECT patients`. May hold control characters.
    pub what: String,
    /// Why, in one line of plain words with numbers. May hold control characters.
    pub why: String,
    /// The nodes that prove it, in the order in which to look at them; never empty.
    pub nodes: Vec<u32>,
    /// The time it costs in this trace. Zero where it costs none, or nobody can tell.
    pub cost: Nanos,
    /// The same for the same finding in other traces.
    pub fingerprint: u64,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth changing.
    Warn,
    /// Something failed, or takes far too long.
    Error,
}

impl Severity {
    /// Its name, as in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What is looked for. The order is that in which rules are documented, and the last word on which finding comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The deepest span that failed.
    ErrorRoot,
    /// A slow database call.
    SlowSql,
    /// A database call that took far longer than its statement usually does.
    Past,
    /// Like calls of one parent, one after another.
    NPlusOne,
    /// Like calls while one request is served, of different parents.
    Scatter,
    /// One span whose own time is most of the trace.
    Dominant,
    /// Calls one after another that might run side by side.
    Serial,
    /// A call that was made again after it failed.
    Retry,
    /// The same read with the same values.
    Duplicate,
    /// Time of a span with children in which none of them ran.
    Gap,
    /// A message that waited.
    QueueWait,
    /// Many calls at once.
    FanOut,
    /// A failure that went no further.
    Swallowed,
    /// A span that goes on after its parent ended.
    Outlive,
    /// Spans that cannot be taken at their word.
    Integrity,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::ErrorRoot,
        Self::SlowSql,
        Self::Past,
        Self::NPlusOne,
        Self::Scatter,
        Self::Dominant,
        Self::Serial,
        Self::Retry,
        Self::Duplicate,
        Self::Gap,
        Self::QueueWait,
        Self::FanOut,
        Self::Swallowed,
        Self::Outlive,
        Self::Integrity,
    ];

    /// Its stable name, as typed and as in reports: `nplus1`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ErrorRoot => "err-root",
            Self::SlowSql => "slow-sql",
            Self::Past => "slow-past",
            Self::NPlusOne => "nplus1",
            Self::Scatter => "nplus1-scatter",
            Self::Dominant => "slow-share",
            Self::Serial => "serial",
            Self::Retry => "retry",
            Self::Duplicate => "dup",
            Self::Gap => "gap",
            Self::QueueWait => "queue-wait",
            Self::FanOut => "fanout",
            Self::Swallowed => "swallowed",
            Self::Outlive => "outlive",
            Self::Integrity => "integrity",
        }
    }

    /// What it looks for, in a few words: `one query per row`.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::ErrorRoot => "the span that failed first",
            Self::SlowSql => "a slow database call",
            Self::Past => "a statement far slower than it usually is",
            Self::NPlusOne => "the same call again and again",
            Self::Scatter => "the same call from many places of one request",
            Self::Dominant => "one span takes most of the trace",
            Self::Serial => "calls that might run side by side",
            Self::Retry => "a call made again after it failed",
            Self::Duplicate => "the same read with the same values",
            Self::Gap => "time in which nothing was recorded",
            Self::QueueWait => "a message that waited",
            Self::FanOut => "many calls at once",
            Self::Swallowed => "a failure that went no further",
            Self::Outlive => "goes on after its parent ended",
            Self::Integrity => "spans that cannot be taken at their word",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// Looks for everything there is to find in a trace: the worst first, then what costs most.
///
/// O(n log n) without recursion. `evidence` is asked for a few spans at most, and of most traces for none.
#[must_use]
pub fn judge_all(analysis: &Analysis, thresholds: &Thresholds, evidence: &dyn Evidence) -> Vec<Finding> {
    judge_with(analysis, thresholds, Whole::new(analysis, evidence))
}

/// The same with what was looked up already.
pub(super) fn judge_with(analysis: &Analysis, thresholds: &Thresholds, whole: Whole<'_>) -> Vec<Finding> {
    let mut case = Case::new(analysis, thresholds, whole);
    twins::fold(&mut case);
    // Retries and N+1 claim their calls: what explains them is not said again in other words.
    retry::judge(&mut case);
    let _ = nplus1::judge(&mut case);
    nplus1::judge_scattered(&mut case);
    duplicate::judge(&mut case);
    fanout::judge(&mut case);
    serial::judge(&mut case);
    slow::judge(&mut case);
    dominant::judge(&mut case);
    gap::judge(&mut case);
    queue::judge(&mut case);
    error::judge(&mut case);
    outlive::judge(&mut case);
    integrity::judge(&mut case);
    let mut findings = case.merged();
    arrange(&mut findings);
    findings
}

/// The worst first, then what costs most; of equals of a rule that which was found first.
pub fn arrange(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| (Reverse((finding.severity, finding.cost)), finding.rule));
}

/// Every N+1 of one parent that there is in a trace, as nodes: the same as [`Rule::NPlusOne`] finds.
pub(super) fn repeated(analysis: &Analysis, thresholds: &Thresholds) -> Vec<Vec<u32>> {
    // Retries that only their senders can tell from a loop are requests, no statements.
    let mut case = Case::new(analysis, thresholds, Whole::new(analysis, &Nothing));
    twins::fold(&mut case);
    retry::judge(&mut case);
    nplus1::judge(&mut case)
}

#[cfg(test)]
mod tests;

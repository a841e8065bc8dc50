//! The findings pane: of the open trace, or of all traces that the filter finds.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Progress, Table};
use crate::analysis::findings::across::Found;
use crate::analysis::findings::{Finding, Rule, Severity};
use crate::app::State;
use crate::model::Nanos;

/// What the survey says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingsReport {
    /// Traces that the filter finds.
    pub traces: u64,
    /// The findings that cost most, the most costly first.
    pub rows: Vec<Found>,
    /// What each row is known by.
    pub keys: Vec<u64>,
    /// How many there are in all.
    pub all: u64,
}

impl FindingsReport {
    /// Of `rows`, what costs most first, out of `all`, in as many traces.
    #[must_use]
    pub fn of(traces: u64, rows: Vec<Found>, all: u64) -> Self {
        let keys = rows.iter().map(|row| row.fingerprint).collect();
        Self { traces, rows, keys, all }
    }
}

/// Whether the list tells of what a rule finds: most, but what it marks anyhow, and what is odd about spans.
#[must_use]
pub fn is_listed(rule: Rule) -> bool {
    !matches!(rule, Rule::ErrorRoot | Rule::SlowSql | Rule::NPlusOne | Rule::Outlive | Rule::Integrity)
}

/// Whose findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingsOf {
    /// The open trace's.
    Trace,
    /// Of all traces that the filter finds.
    All,
}

/// What was found in the open trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// What matters most comes first.
    pub findings: Vec<Finding>,
    /// Places in `findings`, what costs most first: the order of the pane.
    pub by_cost: Vec<usize>,
    /// By node: the first rule that names it, of those that the waterfall does not mark anyhow.
    pub marks: HashMap<u32, Rule>,
}

impl Judged {
    /// Of `findings` in the order of what matters.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        let mut by_cost: Vec<usize> = (0..findings.len()).collect();
        // What is equal stays in the order of what matters.
        by_cost.sort_by_key(|at| findings.get(*at).map(|finding| Reverse(finding.cost)));
        let mut marks = HashMap::new();
        // Failures and slow statements have marks of their own; what is odd about a span is told in its detail.
        let is_marked = |rule| !matches!(rule, Rule::ErrorRoot | Rule::SlowSql | Rule::Integrity);
        for finding in findings.iter().filter(|finding| is_marked(finding.rule)) {
            for node in &finding.nodes {
                marks.entry(*node).or_insert(finding.rule);
            }
        }
        Self { findings, by_cost, marks }
    }
}

/// The pane.
#[derive(Clone, Debug, Default)]
pub struct FindingsPane {
    /// How far the survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<FindingsReport>>,
    /// Where the reader is.
    pub table: Table<u64>,
    /// Which instance of a finding was gone to last: its fingerprint, and the place.
    pub walked: Option<(u64, usize)>,
}

/// A row of the pane.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRow<'a> {
    /// By which rule.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// What it is about.
    pub what: Cow<'a, str>,
    /// Why; of many traces, in the one in which it costs most.
    pub why: Cow<'a, str>,
    /// In how many traces.
    pub traces: u64,
    /// How many spans prove it.
    pub spans: u64,
    /// What it costs.
    pub cost: Nanos,
}

impl State {
    /// What was found in the open trace; `None` while it is not known.
    #[must_use]
    pub fn judged(&self) -> Option<&Judged> {
        self.trace.as_ref()?.judged.as_deref()
    }

    /// How many rows the findings pane has.
    #[must_use]
    pub fn finding_rows(&self, of: FindingsOf) -> usize {
        match of {
            FindingsOf::Trace => self.judged().map_or(0, |judged| judged.findings.len()),
            FindingsOf::All => self.findings.report.as_ref().map_or(0, |report| report.rows.len()),
        }
    }

    /// A row of the findings pane.
    #[must_use]
    pub fn finding_row(&self, of: FindingsOf, at: usize) -> Option<FindingRow<'_>> {
        match of {
            FindingsOf::Trace => {
                let judged = self.judged()?;
                let finding = judged.findings.get(*judged.by_cost.get(at)?)?;
                Some(FindingRow {
                    rule: finding.rule,
                    severity: finding.severity,
                    what: Cow::Borrowed(&finding.what),
                    why: Cow::Borrowed(&finding.why),
                    traces: 1,
                    spans: finding.nodes.len() as u64,
                    cost: finding.cost,
                })
            }
            FindingsOf::All => {
                let found = self.findings.report.as_ref()?.rows.get(at)?;
                Some(FindingRow {
                    rule: found.rule,
                    severity: found.severity,
                    what: Cow::Borrowed(&found.what),
                    why: Cow::Borrowed(&found.why),
                    traces: found.traces,
                    spans: found.spans,
                    cost: found.cost,
                })
            }
        }
    }

    /// What the rows of the findings pane are known by.
    #[must_use]
    pub fn finding_keys(&self, of: FindingsOf) -> Vec<u64> {
        match of {
            FindingsOf::Trace => self.judged().map_or_else(Vec::new, |judged| {
                let finding = |at: &usize| judged.findings.get(*at).map(|finding| finding.fingerprint);
                judged.by_cost.iter().filter_map(finding).collect()
            }),
            FindingsOf::All => self.findings.report.as_ref().map_or_else(Vec::new, |report| report.keys.clone()),
        }
    }
}

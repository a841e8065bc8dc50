//! A trace judged with what only whole spans tell.

use std::sync::Arc;

use hashbrown::HashMap;

use super::findings::{Evidence, Finding, Rule, judge_all, judge_with};
use super::skew;
use super::thresholds::Thresholds;
use super::tree::{Analysis, measured};
use super::verdict::verdict;
use crate::model::{Link, Span, SpanKey, Trace};

/// Whole spans that are held for judging one trace, at most.
const SPANS: usize = 512;
/// Rows that are walked past to find them: each walk through the trace costs as many as it has spans.
const ROWS_WALKED: usize = 2_000_000;
/// Walks through even the largest trace, and through any.
const WALKS: (usize, usize) = (16, 512);

/// As [`super::analyse`], with what only whole spans tell: what was found, which span failed first where a time-out hides it, and where
/// clocks run apart. `evidence` is asked for few spans, and for most traces for none. `adjusted`: with the times corrected
/// where clocks run apart.
#[must_use]
pub fn analyse_whole(trace: Arc<Trace>, thresholds: &Thresholds, adjusted: bool, evidence: &dyn Evidence) -> Analysis {
    let mut analysis = measured(trace, thresholds);
    let mut whole = Whole::new(&analysis, evidence);
    skew::find(&mut analysis, thresholds, &mut whole);
    if adjusted && !analysis.skews.is_empty() {
        analysis = skew::corrected(&analysis, thresholds);
    }
    analysis.findings = judge_with(&analysis, thresholds, whole);
    let end = |node: &u32| analysis.nodes.get(*node as usize).map(|node| node.end);
    let causes = analysis.findings.iter().filter(|finding| finding.rule == Rule::ErrorRoot);
    // The one that is said to have failed first.
    let cause = causes.min_by_key(|finding| finding.nodes.iter().filter_map(end).min());
    if let Some(first) = cause.and_then(|cause| cause.nodes.first()) {
        analysis.root_error = Some(*first);
    }
    analysis.verdict = verdict(&analysis, thresholds);
    analysis
}

/// What there is to find in a trace, and the tree that it is found in: without a verdict, for whoever looks at many traces.
#[must_use]
pub fn judge_trace(trace: Arc<Trace>, thresholds: &Thresholds, evidence: &dyn Evidence) -> (Analysis, Vec<Finding>) {
    let analysis = measured(trace, thresholds);
    let findings = judge_all(&analysis, thresholds, evidence);
    (analysis, findings)
}

impl Analysis {
    /// The same with these findings, in the order of what matters, and the verdict that they make.
    #[must_use]
    pub fn with_findings(&self, findings: Vec<Finding>, thresholds: &Thresholds) -> Self {
        let mut analysis = Self { findings, ..self.clone() };
        analysis.verdict = verdict(&analysis, thresholds);
        analysis
    }
}

/// The whole spans of a trace, by their node. Each is looked up once.
pub(super) struct Whole<'a> {
    evidence: &'a dyn Evidence,
    known: HashMap<u32, Option<Span>>,
    /// Walks through the trace that are left.
    walks: usize,
}

impl<'a> Whole<'a> {
    pub(super) fn new(analysis: &Analysis, evidence: &'a dyn Evidence) -> Self {
        let walks = (ROWS_WALKED / analysis.trace.spans.len().max(1)).clamp(WALKS.0, WALKS.1);
        Self { evidence, known: HashMap::new(), walks }
    }

    /// The span at a node; `None` where it is not held, or too many were looked up already.
    pub(super) fn span(&mut self, analysis: &Analysis, node: u32) -> Option<&Span> {
        self.fetch(analysis, &[node]);
        self.known.get(&node)?.as_ref()
    }

    /// Looks spans up that will be asked for: together they cost as much as one of them.
    pub(super) fn fetch(&mut self, analysis: &Analysis, nodes: &[u32]) {
        let new = nodes.iter().filter(|node| !self.known.contains_key(*node));
        let room = SPANS.saturating_sub(self.known.len());
        let wanted = new.filter_map(|node| Some((*node, analysis.span(*node)?.key))).take(room);
        let (nodes, keys): (Vec<u32>, Vec<SpanKey>) = wanted.unzip();
        if nodes.is_empty() || self.walks == 0 {
            return;
        }
        self.walks -= 1;
        self.known.extend(nodes.into_iter().zip(self.evidence.spans(&keys)));
    }

    /// The span that sent what a link points to; under the same limits.
    pub(super) fn sender(&mut self, link: &Link) -> Option<Span> {
        let (trace, span) = link.target()?;
        self.walks = self.walks.checked_sub(1)?;
        self.evidence.sender(trace, span)
    }
}

//! A trace judged with what only whole spans tell.

use std::sync::Arc;

use hashbrown::HashMap;

use super::findings::{Evidence, Rule, judge_all};
use super::skew;
use super::thresholds::Thresholds;
use super::tree::{Analysis, analyse};
use super::verdict::verdict;
use crate::model::{Span, Trace};

/// Spans looked up for judging one trace, at most; finding one costs more the more spans a trace has.
const LOOKUPS: usize = 512;
const LEAST_LOOKUPS: usize = 16;
const ROWS_WALKED: usize = 2_000_000;

/// As [`analyse`], with what only whole spans tell: what was found, which span failed first where a time-out hides it, and where
/// clocks run apart. `evidence` is asked for few spans, and for most traces for none. `adjusted`: with the times corrected
/// where clocks run apart.
#[must_use]
pub fn analyse_whole(trace: Arc<Trace>, thresholds: &Thresholds, adjusted: bool, evidence: &dyn Evidence) -> Analysis {
    let mut analysis = analyse(trace, thresholds);
    let mut whole = Whole::new(&analysis, evidence);
    skew::find(&mut analysis, thresholds, &mut whole);
    if adjusted && !analysis.skews.is_empty() {
        analysis = skew::corrected(&analysis, thresholds);
    }
    analysis.findings = judge_all(&analysis, thresholds, evidence);
    let cause = analysis.findings.iter().find(|finding| finding.rule == Rule::ErrorRoot);
    if let Some(first) = cause.and_then(|cause| cause.nodes.first()) {
        analysis.root_error = Some(*first);
    }
    analysis.verdict = verdict(&analysis, thresholds);
    analysis
}

/// The whole spans of a trace, by their node. Each is looked up once.
pub(super) struct Whole<'a> {
    evidence: &'a dyn Evidence,
    known: HashMap<u32, Option<Span>>,
    left: usize,
}

impl<'a> Whole<'a> {
    fn new(analysis: &Analysis, evidence: &'a dyn Evidence) -> Self {
        let left = (ROWS_WALKED / analysis.trace.spans.len().max(1)).clamp(LEAST_LOOKUPS, LOOKUPS);
        Self { evidence, known: HashMap::new(), left }
    }

    /// The span at a node; `None` where it is not held, or too many were looked up already.
    pub(super) fn span(&mut self, analysis: &Analysis, node: u32) -> Option<&Span> {
        if !self.known.contains_key(&node) {
            let key = analysis.span(node)?.key;
            self.left = self.left.checked_sub(1)?;
            self.known.insert(node, self.evidence.span(key));
        }
        self.known.get(&node)?.as_ref()
    }
}

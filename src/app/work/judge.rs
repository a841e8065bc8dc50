//! What there is to find in the open trace.

use std::sync::Arc;

use crate::analysis::findings::{Held, judge_all};
use crate::analysis::{Analysis, Thresholds};
use crate::app::{Answer, Judged};
use crate::index::View;

/// Finds what there is to find in a trace.
#[must_use]
pub fn judge(view: &View, analysis: &Arc<Analysis>, thresholds: &Thresholds) -> Answer {
    // Whoever read the trace may have judged it already.
    let findings = if analysis.findings.is_empty() {
        judge_all(analysis, thresholds, &Held { view, trace: analysis.trace.id })
    } else {
        analysis.findings.clone()
    };
    Answer::Judged { analysis: Arc::clone(analysis), judged: Arc::new(Judged::of(findings)) }
}

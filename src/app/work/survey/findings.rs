//! For the findings pane: what is kept of a trace's findings.

use std::sync::Arc;

use super::keep::{Digest, Summed};
use crate::analysis::analyse;
use crate::analysis::findings::{Held, across, judge_all};
use crate::app::FindingsReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Findings(across::Digest);

impl Digest for Findings {
    type Report = FindingsReport;
    type Shared = ();

    fn read(id: TraceId, means: &Means<'_>, (): &mut ()) -> Option<Self> {
        let analysis = analyse(Arc::new(means.view.trace(id)?), means.thresholds);
        let findings = judge_all(&analysis, means.thresholds, &Held { view: means.view, trace: id });
        across::digest(&analysis, means.thresholds, findings).map(Self)
    }

    fn entries(&self) -> usize {
        self.0.size()
    }

    fn sum<'d>(
        digests: impl Iterator<Item = (TraceId, &'d Self)>,
        traces: u64,
        summed: &Summed<'_, Self>,
    ) -> FindingsReport
    where
        Self: 'd,
    {
        let (rows, all) = across::sum(digests.map(|(trace, digest)| (trace, &digest.0)), summed.means.thresholds);
        FindingsReport::of(traces, rows, all)
    }
}

//! For the findings pane: what is kept of a trace's findings.

use std::sync::{Arc, Mutex};

use super::keep::{Digest, Numbered, Source, Summed};
use crate::analysis::findings::Held;
use crate::analysis::findings::across::{self, Past};
use crate::analysis::judge_trace;
use crate::app::FindingsReport;
use crate::app::work::baseline::Baselines;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Findings(across::Digest);

impl Digest for Findings {
    type Report = FindingsReport;
    type Reader = ();
    type Sums = ();
    /// The past of statements beyond the traces that the filter finds.
    type Shared = Baselines;

    fn read(
        id: TraceId,
        Source { view, thresholds }: Source<'_>,
        ((), _): (&mut (), &Mutex<Baselines>),
    ) -> Option<Self> {
        let (analysis, findings) = judge_trace(Arc::new(view.trace(id)?), thresholds, &Held { view, trace: id });
        across::digest(&analysis, thresholds, findings).map(Self)
    }

    fn entries(&self) -> usize {
        self.0.size()
    }

    fn sum<'d>(
        digests: impl Iterator<Item = (Numbered, &'d Self)>,
        traces: u64,
        Summed { means, shared: baselines, is_last, is_all, .. }: Summed<'_, Self>,
    ) -> FindingsReport
    where
        Self: 'd,
    {
        // While there is more to come, what is known so far has to do.
        let mut look_up = |trace, span| if is_last { baselines.usual((trace, span), means) } else { None };
        let past = if is_all { Past::Whole } else { Past::Part(&mut look_up) };
        let (rows, all) = across::sum(digests.map(|((_, trace), digest)| (trace, &digest.0)), past, means.thresholds);
        FindingsReport::of(traces, rows, all)
    }
}

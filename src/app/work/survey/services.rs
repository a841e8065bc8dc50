//! For the services screen: what is kept of a trace's entry spans and calls.

use super::keep::{Digest, Summed};
use crate::analysis::services::{self, Names, TraceCalls};
use crate::app::ServicesReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Calls(TraceCalls);

impl Digest for Calls {
    type Report = ServicesReport;
    type Shared = Names;

    fn read(trace: TraceId, means: &Means<'_>, names: &mut Names) -> Option<Self> {
        services::read(means.view, trace, means.thresholds, names).map(Self)
    }

    fn entries(&self) -> usize {
        (self.0.entries.len() + self.0.calls.len()).max(1)
    }

    fn sum<'d>(digests: impl Iterator<Item = (TraceId, &'d Self)>, _: u64, summed: &Summed<'_, Self>) -> ServicesReport
    where
        Self: 'd,
    {
        let calls: Vec<&TraceCalls> = digests.map(|(_, calls)| &calls.0).collect();
        services::report(calls.iter().copied(), summed.shared, summed.means.now)
    }
}

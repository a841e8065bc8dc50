//! For the services screen: what is kept of a trace's entry spans and calls.

use std::sync::Mutex;

use super::keep::{Digest, Numbered, Source, Summed, lock};
use crate::analysis::services::{self, Names, TraceCalls};
use crate::app::ServicesReport;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Calls(TraceCalls);

impl Digest for Calls {
    type Report = ServicesReport;
    type Reader = ();
    type Sums = ();
    type Shared = Names;

    fn read(trace: TraceId, source: Source<'_>, ((), names): (&mut (), &Mutex<Names>)) -> Option<Self> {
        let read = services::look_up(source.view, trace, source.thresholds)?;
        Some(Self(read.calls(source.view, &mut lock(names))))
    }

    fn entries(&self) -> usize {
        (self.0.entries.len() + self.0.calls.len()).max(1)
    }

    fn sum<'d>(digests: impl Iterator<Item = (Numbered, &'d Self)>, _: u64, summed: Summed<'_, Self>) -> ServicesReport
    where
        Self: 'd,
    {
        let calls: Vec<&TraceCalls> = digests.map(|(_, calls)| &calls.0).collect();
        services::report(calls.iter().copied(), summed.shared, summed.means.now)
    }
}

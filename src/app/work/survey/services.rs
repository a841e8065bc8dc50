//! For the services screen: what is kept of a trace's entry spans and calls.

use super::keep::{Digest, Summed};
use crate::app::ServicesReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Calls;

impl Digest for Calls {
    type Report = ServicesReport;
    type Shared = ();

    fn read(_: TraceId, _: &Means<'_>, (): &mut ()) -> Option<Self> {
        None
    }

    fn entries(&self) -> usize {
        1
    }

    fn sum<'d>(_: impl Iterator<Item = (TraceId, &'d Self)>, traces: u64, _: &Summed<'_, Self>) -> ServicesReport
    where
        Self: 'd,
    {
        ServicesReport { traces }
    }
}

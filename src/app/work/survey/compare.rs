//! For the compare screen: what is kept of a trace to be compared.

use super::keep::{Digest, Summed};
use crate::app::CompareReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Sides;

impl Digest for Sides {
    type Report = CompareReport;
    type Shared = ();

    fn read(_: TraceId, _: &Means<'_>, (): &mut ()) -> Option<Self> {
        None
    }

    fn entries(&self) -> usize {
        1
    }

    fn sum<'d>(_: impl Iterator<Item = (TraceId, &'d Self)>, traces: u64, _: &Summed<'_, Self>) -> CompareReport
    where
        Self: 'd,
    {
        CompareReport { traces }
    }
}

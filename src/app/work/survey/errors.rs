//! For the errors screen: what is kept of a trace's failures.

use super::keep::{Digest, Summed};
use crate::app::ErrorsReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Failures;

impl Digest for Failures {
    type Report = ErrorsReport;
    type Shared = ();

    fn read(_: TraceId, _: &Means<'_>, (): &mut ()) -> Option<Self> {
        None
    }

    fn entries(&self) -> usize {
        1
    }

    fn sum<'d>(_: impl Iterator<Item = (TraceId, &'d Self)>, traces: u64, _: &Summed<'_, Self>) -> ErrorsReport
    where
        Self: 'd,
    {
        ErrorsReport { traces }
    }
}

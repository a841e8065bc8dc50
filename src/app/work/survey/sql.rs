//! For the sql screen: what is kept of a trace's database calls.

use super::keep::{Digest, Summed};
use crate::app::SqlReport;
use crate::app::work::Means;
use crate::model::TraceId;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Statements;

impl Digest for Statements {
    type Report = SqlReport;
    type Shared = ();

    fn read(_: TraceId, _: &Means<'_>, (): &mut ()) -> Option<Self> {
        None
    }

    fn entries(&self) -> usize {
        1
    }

    fn sum<'d>(_: impl Iterator<Item = (TraceId, &'d Self)>, traces: u64, _: &Summed<'_, Self>) -> SqlReport
    where
        Self: 'd,
    {
        SqlReport { traces }
    }
}

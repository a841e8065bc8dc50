//! For the errors screen: what is kept of a trace's failures.

use super::keep::{Digest, Summed};
use crate::analysis::errors::{self, Failure, TellingLogs};
use crate::app::ErrorsReport;
use crate::app::work::Means;
use crate::index::View;
use crate::model::TraceId;

/// What is kept of a trace: its failures, at least one.
#[derive(Debug)]
pub(in crate::app::work) struct Failures(Vec<Failure>);

impl Digest for Failures {
    type Report = ErrorsReport;
    type Shared = TellingLogs;

    fn read(trace: TraceId, means: &Means<'_>, logs: &mut TellingLogs) -> Option<Self> {
        logs.update(means.view);
        let failures = errors::read(means.view, trace, logs.of(trace), means.thresholds);
        (!failures.is_empty()).then_some(Self(failures))
    }

    fn touched(view: &View, logs: &mut TellingLogs) -> Vec<TraceId> {
        logs.update(view)
    }

    fn entries(&self) -> usize {
        self.0.len()
    }

    fn sum<'d>(digests: impl Iterator<Item = (TraceId, &'d Self)>, traces: u64, _: &Summed<'_, Self>) -> ErrorsReport
    where
        Self: 'd,
    {
        let failures: Vec<_> = digests.map(|(trace, failures)| (trace, failures.0.as_slice())).collect();
        // Those in which nothing failed have no digest, and count too.
        ErrorsReport { traces, ..errors::report(failures.iter().copied()) }
    }
}

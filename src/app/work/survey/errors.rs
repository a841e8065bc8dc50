//! For the errors screen: what is kept of a trace's failures.

use std::sync::Mutex;

use hashbrown::HashSet;

use super::keep::{Digest, Numbered, Source, Summed, lock};
use crate::analysis::errors::{self, Failure, TellingLogs};
use crate::app::ErrorsReport;
use crate::index::View;
use crate::model::TraceId;

/// What is kept of a trace: its failures, at least one.
#[derive(Debug)]
pub(in crate::app::work) struct Failures(Vec<Failure>);

impl Digest for Failures {
    type Report = ErrorsReport;
    type Reader = ();
    type Sums = ();
    type Shared = TellingLogs;

    fn read(trace: TraceId, source: Source<'_>, ((), logs): (&mut (), &Mutex<TellingLogs>)) -> Option<Self> {
        let logs = lock(logs).of(trace).to_vec();
        let failures = errors::read(source.view, trace, &logs, source.thresholds);
        (!failures.is_empty()).then_some(Self(failures))
    }

    fn touched(view: &View, logs: &mut TellingLogs) -> Vec<TraceId> {
        logs.update(view)
    }

    fn suspects(view: &View, logs: &mut TellingLogs, many: bool) -> Option<HashSet<TraceId>> {
        logs.update(view);
        many.then(|| errors::suspects(view, logs))
    }

    fn entries(&self) -> usize {
        self.0.len()
    }

    fn sum<'d>(digests: impl Iterator<Item = (Numbered, &'d Self)>, traces: u64, _: Summed<'_, Self>) -> ErrorsReport
    where
        Self: 'd,
    {
        let failures: Vec<_> = digests.map(|((_, trace), failures)| (trace, failures.0.as_slice())).collect();
        // Those in which nothing failed have no digest, and count too.
        ErrorsReport { traces, ..errors::report(failures.iter().copied()) }
    }
}

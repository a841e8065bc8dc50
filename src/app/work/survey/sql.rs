//! For the sql screen: what is kept of a trace's database calls.

use std::sync::{Arc, Mutex};

use super::keep::{Digest, Numbered, Source, Summed};
use crate::analysis::statements::{self, Names, Said};
use crate::app::SqlReport;
use crate::model::{TraceId, Value, lookup};
use crate::semconv::canonical_system;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Statements(statements::Digest);

impl Digest for Statements {
    type Report = SqlReport;
    type Reader = ();
    type Sums = ();
    type Shared = Names;

    fn read(id: TraceId, source: Source<'_>, ((), names): (&mut (), &Mutex<Names>)) -> Option<Self> {
        let trace = Arc::new(source.view.trace(id)?);
        let mut look = |span| {
            let Some(span) = source.view.span(id, span) else { return Said::default() };
            let value = ["db.system.name", "db.system"].iter().find_map(|key| lookup(&span.attributes, key));
            let system = match value {
                Some(Value::Text(text)) => Some(Arc::from(canonical_system(&text.lossy()))),
                _ => None,
            };
            let library = Some(span.scope.name.lossy().into_owned()).filter(|name| !name.is_empty());
            Said { system, library }
        };
        statements::digest(&trace, source.thresholds, names, &mut look).map(Self)
    }

    fn entries(&self) -> usize {
        self.0.calls().max(1)
    }

    fn sum<'d>(digests: impl Iterator<Item = (Numbered, &'d Self)>, _: u64, summed: Summed<'_, Self>) -> SqlReport
    where
        Self: 'd,
    {
        statements::sum(digests.map(|((_, trace), digest)| (trace, &digest.0)), summed.shared)
    }
}

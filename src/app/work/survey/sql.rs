//! For the sql screen: what is kept of a trace's database calls.

use std::sync::{Arc, Mutex};

use super::keep::{Digest, Numbered, Source, Summed};
use crate::analysis::statements::{self, Names};
use crate::app::SqlReport;
use crate::model::{TraceId, lookup};
use crate::semconv::canonical_system;

/// What is kept of a trace.
#[derive(Debug)]
pub(in crate::app::work) struct Statements(statements::Digest);

impl Digest for Statements {
    type Report = SqlReport;
    type Reader = ();
    type Sums = ();
    type Shared = Names;

    fn read(id: TraceId, source: Source<'_>, (_, names): (&mut (), &Mutex<Names>)) -> Option<Self> {
        let trace = Arc::new(source.view.trace(id)?);
        let mut system = |span| {
            let span = source.view.span(id, span)?;
            let value = ["db.system.name", "db.system"].iter().find_map(|key| lookup(&span.attributes, key))?;
            match value {
                crate::model::Value::Text(text) => Some(Arc::from(canonical_system(&text.lossy()))),
                _ => None,
            }
        };
        statements::digest(&trace, source.thresholds, names, &mut system).map(Self)
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

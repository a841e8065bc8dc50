//! The statements of many traces, ranked: how often each is called, what it costs, who calls it.
//!
//! In: traces, one at a time, as a [`Digest`] each. Out: [`Statements`], summed up from any set of digests. A statement is a
//! normalised one ([`super::statement`]) of one database system. Must never know: which traces, how it is drawn.

mod digest;
mod past;
mod sum;
mod twins;

use std::sync::Arc;

pub use digest::{Digest, Names, Said, digest};
pub use past::Slower;
pub use sum::{MOST_EXAMPLES, MOST_ROWS, sum};
pub(super) use twins::pairs;

use crate::model::{Category, Nanos, SpanKey, Timestamp, TraceId, percentile_of_unsorted};

/// Every statement that was called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statements {
    /// The most expensive first; at most [`MOST_ROWS`].
    pub rows: Vec<Arc<Statement>>,
    /// Statements there are, shown or not.
    pub statements: u64,
    /// Calls of all of them.
    pub calls: u64,
    /// Time of all calls together; of those within others only the others'.
    pub total: Nanos,
    /// Traces with at least one call.
    pub traces: u64,
    /// When the first call began and the last one: what [`Statement::over_time`] divides evenly.
    pub between: (Timestamp, Timestamp),
}

/// A statement and what its calls came to. Percentiles are exact, by nearest rank, over all calls that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The database system by its present name; empty where no span says it.
    pub system: Arc<str>,
    /// Itself, without values.
    pub text: Arc<str>,
    /// SQL or another kind.
    pub category: Category,
    /// Who sends it, most calls first.
    pub services: Vec<(Arc<str>, u64)>,
    /// How often it was called.
    pub calls: u64,
    /// In how many traces.
    pub traces: u64,
    /// Time of all its calls together.
    pub total: Nanos,
    /// Median.
    pub p50: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// The longest call.
    pub max: Nanos,
    /// Rows that came back in all calls that say so; `None` where none does.
    pub rows: Option<u64>,
    /// Calls that failed.
    pub errors: u64,
    /// In how many traces one parent called it again and again, one call after the other, and how often at most.
    pub repeated: Option<(u64, u32)>,
    /// It is slower than it was.
    pub slower: Option<Slower>,
    /// 95th percentile in even stretches of [`Statements::between`]; `None` where it was not called.
    pub over_time: Vec<Option<Nanos>>,
    /// The nearest span above that is no database call: what it does, and calls; most first.
    pub callers: Vec<(Arc<str>, u64)>,
    /// What the roots of its traces do, and traces; most first.
    pub routes: Vec<(Arc<str>, u64)>,
    /// Its slowest calls, slowest first; at most [`MOST_EXAMPLES`].
    pub examples: Vec<Example>,
}

/// What a statement is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementKey {
    /// [`Statement::text`].
    pub text: Arc<str>,
    /// [`Statement::system`].
    pub system: Arc<str>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its trace.
    pub trace: TraceId,
    /// Its span.
    pub span: SpanKey,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration: Nanos,
    /// It failed.
    pub failed: bool,
    /// What the root of its trace does.
    pub route: Arc<str>,
}

impl Statement {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> StatementKey {
        StatementKey { text: Arc::clone(&self.text), system: Arc::clone(&self.system) }
    }

    /// Calls in each of its traces, on average.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    pub fn calls_a_trace(&self) -> f64 {
        self.calls as f64 / self.traces.max(1) as f64
    }

    /// Its share of `total`, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown in percent")]
    pub fn share_of(&self, total: Nanos) -> f64 {
        if total.0 == 0 { 0.0 } else { self.total.0 as f64 / total.0 as f64 }
    }
}

/// Zero of none. Reorders `values`.
pub(super) fn percentile(values: &mut [u64], percent: usize) -> Nanos {
    percentile_of_unsorted(values, percent).map_or(Nanos::ZERO, Nanos)
}

#[cfg(test)]
mod tests;

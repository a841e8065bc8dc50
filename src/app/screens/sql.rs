//! The statements screen.

use std::sync::Arc;

use super::{Highlighted, Progress, Table};
use crate::analysis::statements::{Example, Statement, StatementKey, Statements};
use crate::model::{SpanKey, TraceId};

/// What the survey says.
pub type SqlReport = Statements;

/// The screen.
#[derive(Clone, Debug, Default)]
pub struct SqlScreen {
    /// How far its survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<SqlReport>>,
    /// By what its rows are ordered.
    pub sort: StatementSort,
    /// The smallest first.
    pub ascending: bool,
    /// The rows of the report in the order shown.
    pub rows: Vec<Arc<Statement>>,
    /// What they are known by.
    pub keys: Vec<StatementKey>,
    /// Where the reader is in them.
    pub table: Table<StatementKey>,
    /// The calls of a statement, in place of the rows.
    pub calls: Option<Calls>,
    /// The selected statement over lines.
    pub formatted: Option<Formatted>,
}

/// The calls of one statement, slowest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// The statement.
    pub of: StatementKey,
    /// What the rows are known by.
    pub keys: Vec<(TraceId, SpanKey)>,
    /// Where the reader is in them.
    pub table: Table<(TraceId, SpanKey)>,
}

/// A statement formatted and cut into tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Formatted {
    /// The statement.
    pub of: StatementKey,
    /// Its lines.
    pub lines: Highlighted,
}

/// By what the statements are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StatementSort {
    /// Time of all calls.
    #[default]
    Total,
    /// Number of calls.
    Calls,
    /// Calls in each trace.
    CallsATrace,
    /// 95th percentile.
    P95,
    /// The longest call.
    Max,
    /// Failed calls.
    Errors,
}

impl StatementSort {
    /// The next one, in a circle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Total => Self::Calls,
            Self::Calls => Self::CallsATrace,
            Self::CallsATrace => Self::P95,
            Self::P95 => Self::Max,
            Self::Max => Self::Errors,
            Self::Errors => Self::Total,
        }
    }
}

impl SqlScreen {
    /// The selected statement.
    #[must_use]
    pub fn selected(&self) -> Option<&Arc<Statement>> {
        self.rows.get(self.table.at(&self.keys)?)
    }

    /// The selected call, where calls are shown.
    #[must_use]
    pub fn call(&self) -> Option<&Example> {
        let calls = self.calls.as_ref()?;
        self.selected()?.examples.get(calls.table.at(&calls.keys)?)
    }
}

//! The errors screen.

use std::sync::Arc;

use super::{Progress, Table};
use crate::analysis::errors::{Detail, Example, Group, GroupKey, Report};
use crate::model::TraceId;

/// What the survey says.
pub type ErrorsReport = Report;

/// The screen.
#[derive(Clone, Debug, Default)]
pub struct ErrorsScreen {
    /// How far its survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<ErrorsReport>>,
    /// By what its rows are ordered.
    pub sort: ErrorSort,
    /// The smallest first.
    pub ascending: bool,
    /// The places of the groups in the report, in the order shown.
    pub order: Vec<usize>,
    /// What they are known by.
    pub keys: Vec<Arc<GroupKey>>,
    /// Where the reader is in them.
    pub table: Table<Arc<GroupKey>>,
    /// The trace of the example that was chosen; `None`: the newest.
    pub example: Option<TraceId>,
    /// The example shown, whole.
    pub told: Option<Told>,
    /// The first line of it shown.
    pub scroll: usize,
}

/// An example with all that was sent of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The example.
    pub example: Example,
    /// `None`: its trace is no longer held.
    pub detail: Option<Arc<Detail>>,
}

impl ErrorsScreen {
    /// The group at `row` of those shown.
    #[must_use]
    pub fn group(&self, row: usize) -> Option<&Group> {
        self.report.as_ref()?.groups.get(*self.order.get(row)?)
    }

    /// The selected group.
    #[must_use]
    pub fn selected(&self) -> Option<&Group> {
        self.group(self.table.at(&self.keys)?)
    }

    /// The place of the chosen example among those of the selected group, and the example.
    #[must_use]
    pub fn chosen(&self) -> Option<(usize, &Example)> {
        let examples = &self.selected()?.examples;
        let at = examples.iter().position(|example| Some(example.trace) == self.example).unwrap_or(0);
        Some((at, examples.get(at)?))
    }
}

/// By what the errors are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ErrorSort {
    /// How many there are.
    #[default]
    Count,
    /// The latest.
    Last,
    /// The earliest: what is new comes first.
    First,
    /// Type and message.
    Name,
}

impl ErrorSort {
    /// The next one, in a circle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Count => Self::Last,
            Self::Last => Self::First,
            Self::First => Self::Name,
            Self::Name => Self::Count,
        }
    }
}

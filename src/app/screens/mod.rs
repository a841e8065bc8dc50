//! The screens: what they show, and where the reader is in it. Most are about all traces that the filter finds.
//!
//! One file per screen. What a screen says comes as a [`Report`] from a survey on a worker thread; the state here keeps the
//! latest, and what the reader selected, folded and sorted. Must never know: how it is drawn, how it is worked out.

mod compare;
mod errors;
mod findings;
mod heat;
mod services;
mod sql;
mod table;
mod trace;

use std::sync::Arc;

pub use compare::{
    Basis, BasisKey, CompareAsk, CompareLine, CompareReport, CompareScreen, MarkReason, OperationSort, RowId, Section,
    TimeMark, TwoTraces,
};
pub use errors::{ErrorSort, ErrorsReport, ErrorsScreen, Told};
pub use findings::{FindingRow, FindingsOf, FindingsPane, FindingsReport, Judged, is_listed};
pub use heat::HeatScreen;
pub use services::{ServiceRowKey, ServiceSort, ServicesReport, ServicesScreen};
pub use sql::{Calls, Formatted, SqlReport, SqlScreen, StatementSort};
pub use table::Table;
pub use trace::{Cell, Detail, DetailFocus, Highlighted, SpanDetail, TraceScreen};

use super::{Overlay, Screen, State};
use crate::model::{Nanos, Timestamp};

/// Which survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SurveyOf {
    /// Statements.
    Sql,
    /// Errors.
    Errors,
    /// Services and operations.
    Services,
    /// Two sets of traces.
    Compare,
    /// Findings.
    Findings,
}

/// What a survey says.
#[derive(Clone, Debug)]
pub enum Report {
    /// Statements.
    Sql(Arc<SqlReport>),
    /// Errors.
    Errors(Arc<ErrorsReport>),
    /// Services and operations.
    Services(Arc<ServicesReport>),
    /// Two sets of traces.
    Compare(Arc<CompareReport>),
    /// Findings.
    Findings(Arc<FindingsReport>),
}

/// The answer to a survey.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Of the request.
    pub generation: u64,
    /// The revision of the index it was made from.
    pub revision: u64,
    /// How much of what has to be read has been read, 0 to 1; below 1 more will come for this generation.
    pub share: f32,
    /// Traces that match and are not in it, for want of room: the oldest.
    pub left_out: u64,
    /// What it says.
    pub report: Report,
}

/// How far a screen's survey is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The survey on its way, or the latest that came back.
    pub generation: u64,
    /// A survey is on its way.
    pub running: bool,
    /// What is shown is of another filter than the one that is set, or there is nothing yet.
    pub stale: bool,
    /// The revision of the index that what is shown was made from.
    pub revision: u64,
    /// How much of what is to be read has been read, 0 to 1.
    pub share: f32,
    /// Traces that match and are not in it.
    pub left_out: u64,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How long the last one took.
    pub took: Nanos,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            generation: 0,
            running: false,
            stale: true,
            revision: 0,
            share: 0.0,
            left_out: 0,
            asked_at: Timestamp::default(),
            took: Nanos::ZERO,
        }
    }
}

impl State {
    /// The survey that the screen shown lives by.
    #[must_use]
    pub fn survey(&self) -> Option<SurveyOf> {
        // What lies over a screen is what is read.
        if self.overlay == Some(Overlay::Findings(FindingsOf::All)) {
            return Some(SurveyOf::Findings);
        }
        match self.screen {
            Screen::Sql => Some(SurveyOf::Sql),
            Screen::Errors => Some(SurveyOf::Errors),
            Screen::Services => Some(SurveyOf::Services),
            Screen::Compare => Some(SurveyOf::Compare),
            Screen::Traces | Screen::Trace | Screen::Health => None,
        }
    }

    /// How far a screen's survey is.
    #[must_use]
    pub fn progress(&self, of: SurveyOf) -> &Progress {
        match of {
            SurveyOf::Sql => &self.sql.progress,
            SurveyOf::Errors => &self.errors.progress,
            SurveyOf::Services => &self.services.progress,
            SurveyOf::Compare => &self.compare.progress,
            SurveyOf::Findings => &self.findings.progress,
        }
    }

    pub(super) fn progress_mut(&mut self, of: SurveyOf) -> &mut Progress {
        match of {
            SurveyOf::Sql => &mut self.sql.progress,
            SurveyOf::Errors => &mut self.errors.progress,
            SurveyOf::Services => &mut self.services.progress,
            SurveyOf::Compare => &mut self.compare.progress,
            SurveyOf::Findings => &mut self.findings.progress,
        }
    }
}

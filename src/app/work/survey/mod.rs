//! Surveys: what a screen says of all traces that the filter finds, kept up to date by what has changed.
//!
//! A survey keeps a small digest of each trace and sums them up when asked. Of a filter that is the same only traces that have
//! changed since are read again. Digests are bounded: of more entries than [`MOST`] the newest traces are kept, and it is said
//! how many are not. One file for what each screen keeps and says; none knows how it is drawn.

mod compare;
mod errors;
mod findings;
mod keep;
mod services;
mod sql;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::app::{Answer, CompareAsk, Report, SurveyOf};
use crate::model::Timestamp;
use crate::query::Query;

use super::Means;
use keep::Survey;

/// Entries of digests that are kept: percentiles are exact up to so many values.
const MOST: usize = 1_000_000;

/// What a survey is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct SurveyRequest<'a> {
    /// Comes back with the answer.
    pub(super) generation: u64,
    /// The filter.
    pub(super) query: &'a Query,
    /// What is compared, where that is what is asked for.
    pub(super) compare: Option<&'a Arc<CompareAsk>>,
    /// Now.
    pub(super) now: Timestamp,
}

/// The survey that was last asked for. Another screen's takes its place, so that only one is held.
#[derive(Debug, Default)]
pub(super) enum Surveys {
    #[default]
    None,
    Sql(Survey<sql::Statements>),
    Errors(Survey<errors::Failures>),
    Services(Survey<services::Calls>),
    Compare(Survey<compare::Sides>),
    Findings(Survey<findings::Findings>),
}

impl Surveys {
    /// Brings a survey up to date and sums it up; `None` once it is no longer wanted.
    pub(super) fn survey(
        &mut self,
        of: SurveyOf,
        request: &SurveyRequest<'_>,
        means: &Means<'_>,
        so_far: &mut dyn FnMut(Answer),
    ) -> Option<Answer> {
        // Traces are read one after the other, the newest first.
        let (view, means) = (means.view.for_many(), *means);
        let means = &Means { view: &view, ..means };
        if let (SurveyOf::Compare, Some(traces)) = (of, request.compare.and_then(|ask| ask.two())) {
            return Some(compare::two(traces, request, means));
        }
        match (of, &mut *self) {
            (SurveyOf::Sql, Self::Sql(_))
            | (SurveyOf::Errors, Self::Errors(_))
            | (SurveyOf::Services, Self::Services(_))
            | (SurveyOf::Compare, Self::Compare(_))
            | (SurveyOf::Findings, Self::Findings(_)) => {}
            (SurveyOf::Sql, _) => *self = Self::Sql(Survey::default()),
            (SurveyOf::Errors, _) => *self = Self::Errors(Survey::default()),
            (SurveyOf::Services, _) => *self = Self::Services(Survey::default()),
            (SurveyOf::Compare, _) => *self = Self::Compare(Survey::default()),
            (SurveyOf::Findings, _) => *self = Self::Findings(Survey::default()),
        }
        match self {
            Self::None => None,
            Self::Sql(survey) => survey.answer(request, means, so_far, &Report::Sql),
            Self::Errors(survey) => survey.answer(request, means, so_far, &Report::Errors),
            Self::Services(survey) => survey.answer(request, means, so_far, &Report::Services),
            Self::Compare(survey) => survey.answer(request, means, so_far, &Report::Compare),
            Self::Findings(survey) => survey.answer(request, means, so_far, &Report::Findings),
        }
    }
}

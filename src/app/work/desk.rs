//! Who carries effects out: one place that knows which function of this room answers which effect.

use std::sync::Arc;

use super::baseline::{BaselineRequest, Baselines};
use super::survey::{SurveyRequest, Surveys};
use super::{DetailRequest, ListRequest, OpenRequest, Tail, ValuesRequest};
use crate::analysis::errors;
use crate::analysis::{Analysis, Thresholds, what_if};
use crate::app::{Answer, Effect, Formatted, Highlighted, Language, Token};
use crate::index::View;
use crate::model::{Category, Timestamp};

/// Formats text and cuts it into tokens, for so many columns.
pub type Highlight<'a> = dyn Fn(Language, &str, u16) -> Highlighted + 'a;

/// What a piece of work is done with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// What is held.
    pub view: &'a View,
    /// Now: what `lookback` and the like are counted from.
    pub now: Timestamp,
    /// When a span is worth a remark.
    pub thresholds: &'a Thresholds,
    /// Formats statements and JSON.
    pub highlight: &'a Highlight<'a>,
    /// The work is no longer wanted.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// A worker's desk: what it keeps from one piece of work to the next.
#[derive(Debug, Default)]
pub struct Desk {
    tail: Tail,
    surveys: Surveys,
    baselines: Baselines,
}

impl Desk {
    /// Carries out what needs nothing but the index. `None` for effects that are not work on the index (they act on files, sources,
    /// the terminal), and where there is nothing to say. What is found on the way goes to `so_far`.
    pub fn work(&mut self, effect: &Effect, means: &Means<'_>, so_far: &mut dyn FnMut(Answer)) -> Option<Answer> {
        let Means { view, now, thresholds, highlight, cancelled } = *means;
        Some(match effect {
            Effect::List { generation, query, sort, buckets, heat } => {
                let request =
                    ListRequest { generation: *generation, query, sort: *sort, buckets: *buckets, heat: *heat, now };
                self.tail.list(view, &request, cancelled, so_far)
            }
            Effect::Survey { generation, query, of, compare } => {
                let request = SurveyRequest { generation: *generation, query, compare: compare.as_ref(), now };
                return self.surveys.survey(*of, &request, means, so_far);
            }
            Effect::Open { generation, trace, folds, find, showing } => {
                let (find, showing) = (find.as_deref(), *showing);
                let request = OpenRequest { generation: *generation, trace: *trace, folds, find, showing, now };
                super::open(view, &request, thresholds)
            }
            Effect::Preview { trace } => return super::preview(view, *trace, thresholds),
            Effect::Flatten { generation, analysis, folds, only } => {
                super::flatten(*generation, analysis, folds, only.as_ref().map(|only| only.as_slice()))
            }
            Effect::Find { generation, analysis, query } => super::find((view, now), *generation, analysis, query),
            Effect::Detail { trace, span, columns, mask } => {
                let mask = mask.as_ref().map(|settings| &settings.redactor);
                let request = DetailRequest { trace: *trace, span: *span, columns: *columns, mask };
                super::detail(view, &request, highlight)
            }
            Effect::Baseline { analysis, spans } => {
                let request = BaselineRequest { analysis, spans, now };
                return self.baselines.answer(view, &request, cancelled);
            }
            Effect::Failure { example, kind } => failure(view, example, kind),
            Effect::Format { of, category, text, columns } => {
                Answer::Formatted(Formatted { of: of.clone(), lines: statement(*category, text, *columns, highlight) })
            }
            Effect::Markdown { trace, mask } => super::markdown(view, *trace, mask.as_deref(), thresholds),
            Effect::Judge { analysis } => return super::judge::judge(&mut self.baselines, analysis, means, so_far),
            Effect::Mark(traces) => super::judge::mark(&mut self.baselines, traces, means),
            Effect::WhatIf { analysis, nodes } => gained(analysis, nodes),
            Effect::Complete { text, cursor, names } => super::complete(view, text.clone(), *cursor, names),
            Effect::Values { generation, key, query } => {
                let request = ValuesRequest { generation: *generation, key, query, now };
                return super::values(view, &request, cancelled);
            }
            Effect::Keys => super::keys(view),
            Effect::Samples => super::samples(view),
            Effect::Library(_)
            | Effect::Save(_)
            | Effect::Copy { .. }
            | Effect::Browse(_)
            | Effect::Keep(_)
            | Effect::Demo(_)
            | Effect::PauseSource(..)
            | Effect::RetrySource(_)
            | Effect::StopSearch(_)
            | Effect::SearchOn(_)
            | Effect::Connect(_)
            | Effect::Disconnect(_)
            | Effect::Quit => return None,
        })
    }
}

fn failure(view: &View, example: &errors::Example, kind: &str) -> Answer {
    Answer::Failure { example: example.clone(), detail: errors::detail(view, example, kind).map(Arc::new) }
}

fn gained(analysis: &Arc<Analysis>, nodes: &[u32]) -> Answer {
    Answer::Gained { analysis: Arc::clone(analysis), nodes: nodes.len(), gains: what_if(analysis, nodes) }
}

/// A statement over lines, in tokens; commands of other stores than relational ones stay as they are.
fn statement(category: Category, text: &str, columns: u16, highlight: &Highlight<'_>) -> Highlighted {
    match category {
        Category::Sql => highlight(Language::Sql, text, columns),
        _ => Arc::new(vec![vec![(Token::Plain, text.to_owned())]]),
    }
}

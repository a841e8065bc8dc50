//! What `run` is asked to do, and what comes back.

use std::sync::Arc;

use super::filters::{Library, LibraryChange, Samples, Values};
use super::save::{SaveRequest, Saved};
use super::screens::{CompareAsk, Formatted, Judged, SpanDetail, SurveyOf, Surveyed};
use super::sort::Sort;
use super::state::{ListRow, Settings, Strip};
use crate::analysis::errors::{Detail, Example};
use crate::analysis::findings::Rule;
use crate::analysis::statements::StatementKey;
use crate::analysis::{Analysis, Baseline, Folds, Gain, Row};
use crate::model::{Category, Health, Names, SourceId, SpanKey, Timestamp, TraceId};
use crate::query::{Completion, Query};

/// What of a trace is shown, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Showing {
    /// Only what matches has rows, and what stands above it.
    pub matches: bool,
    /// Only what is on the critical path has rows.
    pub path: bool,
    /// Times are corrected where clocks run apart.
    pub adjusted: bool,
}

/// Work that `update` must not do itself. Everything heavy runs on worker threads; of each kind only the latest counts.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Search and order the list.
    List {
        /// Comes back with the answer.
        generation: u64,
        /// The filter.
        query: Arc<Query>,
        /// The order.
        sort: Sort,
        /// How many buckets the strip has.
        buckets: u16,
        /// How many columns and rows the heat map has, where it is shown.
        heat: Option<(u16, u16)>,
    },
    /// Survey all traces that match, for a screen.
    Survey {
        /// Comes back with the answer.
        generation: u64,
        /// The filter.
        query: Arc<Query>,
        /// What is wanted.
        of: SurveyOf,
        /// What is compared, where that is what is wanted.
        compare: Option<Arc<CompareAsk>>,
    },
    /// Read a trace and judge it, flatten it, find what matches.
    Open {
        /// Comes back with the answer.
        generation: u64,
        /// The trace.
        trace: TraceId,
        /// What is folded.
        folds: Folds,
        /// The search in it, or else the filter of the list, if there is one.
        find: Option<Arc<Query>>,
        /// What of it is shown, and how.
        showing: Showing,
    },
    /// The same for the preview, without a search.
    Preview {
        /// The trace.
        trace: TraceId,
    },
    /// Flatten the open trace anew.
    Flatten {
        /// Comes back with the answer.
        generation: u64,
        /// The trace.
        analysis: Arc<Analysis>,
        /// What is folded.
        folds: Folds,
        /// Only these nodes have rows, and what stands above them.
        only: Option<Arc<Vec<u32>>>,
    },
    /// Find what matches in the open trace.
    Find {
        /// Comes back with the answer.
        generation: u64,
        /// The trace.
        analysis: Arc<Analysis>,
        /// The search.
        query: Arc<Query>,
    },
    /// Put in order what was found in the open trace, and look up which of its statements took longer than usual.
    Judge {
        /// The trace.
        analysis: Arc<Analysis>,
    },
    /// Work out what the open trace would gain if some of its nodes took less time.
    WhatIf {
        /// The trace.
        analysis: Arc<Analysis>,
        /// Its nodes.
        nodes: Vec<u32>,
    },
    /// Judge traces of the list, for their marks: these, as long as it takes no longer than a moment.
    Mark(Vec<TraceId>),
    /// Read a span whole, with its logs, formatted and highlighted for so many columns.
    Detail {
        /// The trace.
        trace: TraceId,
        /// The span.
        span: SpanKey,
        /// Columns to wrap to.
        columns: u16,
        /// Whose redactor masks secrets in what is highlighted; `None`: they are shown as they are.
        mask: Option<Arc<Settings>>,
    },
    /// Compare spans with all others of their kind.
    Baseline {
        /// The trace.
        analysis: Arc<Analysis>,
        /// Places among its spans.
        spans: Vec<u32>,
    },
    /// Read an example of an error, with its stack trace.
    Failure {
        /// The example.
        example: Example,
        /// Its type.
        kind: Arc<str>,
    },
    /// Format a statement for so many columns and highlight it.
    Format {
        /// The statement.
        of: StatementKey,
        /// SQL or another kind.
        category: Category,
        /// Its text as it may be shown.
        text: String,
        /// Columns to wrap to.
        columns: u16,
    },
    /// Write a trace as Markdown, to be copied.
    Markdown {
        /// The trace.
        trace: TraceId,
        /// Whose redactor masks secrets; `None`: they are told as they are.
        mask: Option<Arc<Settings>>,
    },
    /// Propose what could be typed next.
    Complete {
        /// What is typed.
        text: String,
        /// Where the cursor is, in bytes.
        cursor: usize,
        /// What servers call things.
        names: Vec<Arc<Names>>,
    },
    /// Put text on the clipboard of the person's terminal.
    Copy {
        /// What it is, for the notice.
        what: String,
        /// The text.
        text: String,
    },
    /// Change what is kept of filters, and read what others have changed.
    Library(LibraryChange),
    /// Name the attributes there are, for [`super::Picker`].
    Keys,
    /// Find names in the data at hand for the help of the language.
    Samples,
    /// Count the values of an attribute, over the spans of the traces that match.
    Values {
        /// Comes back with the answer.
        generation: u64,
        /// The attribute.
        key: String,
        /// The filter.
        query: Arc<Query>,
    },
    /// These traces must stay: the open one and the selected one.
    Keep(Vec<TraceId>),
    /// Write traces to a file.
    Save(SaveRequest),
    /// Start the demo's traffic, or stop it.
    Demo(bool),
    /// Pause a source, or let it go on.
    PauseSource(SourceId, bool),
    /// Copy a link, and show it in a browser where there is one.
    Browse(String),
    /// Have a source try again at once.
    RetrySource(SourceId),
    /// Have a source leave off a search that goes on; what it found stays.
    StopSearch(SourceId),
    /// Have a server go on with a search that was left off.
    SearchOn(SourceId),
    /// Ask a server of the settings file, by its name.
    Connect(String),
    /// Ask it no more; what it gave stays.
    Disconnect(String),
    /// End the program.
    Quit,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Effect::List`].
    Listed {
        /// Of the request.
        generation: u64,
        /// The revision of the index it was made from.
        revision: u64,
        /// The rows in order.
        rows: Arc<Vec<ListRow>>,
        /// For the strip.
        strip: Strip,
        /// More will come for this generation.
        partial: bool,
    },
    /// To [`Effect::Survey`].
    Surveyed(Surveyed),
    /// To [`Effect::Open`]; `analysis` is `None` where the trace is not held.
    Opened {
        /// Of the request.
        generation: u64,
        /// The trace.
        trace: TraceId,
        /// The tree.
        analysis: Option<Arc<Analysis>>,
        /// Its rows.
        rows: Arc<Vec<Row>>,
        /// The nodes that match the search, in the order of the tree.
        found: Option<Vec<u32>>,
    },
    /// To [`Effect::Preview`].
    Previewed {
        /// The trace.
        trace: TraceId,
        /// The tree.
        analysis: Arc<Analysis>,
        /// Its rows.
        rows: Arc<Vec<Row>>,
    },
    /// To [`Effect::Flatten`].
    Flattened {
        /// Of the request.
        generation: u64,
        /// The rows.
        rows: Arc<Vec<Row>>,
    },
    /// To [`Effect::Find`].
    Found {
        /// Of the request.
        generation: u64,
        /// The search.
        query: Arc<Query>,
        /// The nodes that match, in the order of the tree.
        nodes: Vec<u32>,
    },
    /// To [`Effect::Judge`].
    Judged {
        /// Of this state of the trace.
        of: Arc<Analysis>,
        /// What was found.
        judged: Arc<Judged>,
        /// The same state with the verdict that follows from it; `of` itself where that tells of it already.
        told: Arc<Analysis>,
    },
    /// To [`Effect::WhatIf`].
    Gained {
        /// Of this state of the trace.
        analysis: Arc<Analysis>,
        /// How many nodes.
        nodes: usize,
        /// If they took no time, and if they took half of it.
        gains: [Gain; 2],
    },
    /// To [`Effect::Mark`]: those that were judged, each with the arrival of its latest span then, and what its row is to say.
    Marked(Vec<(TraceId, Timestamp, Option<Rule>)>),
    /// To [`Effect::Detail`].
    Detailed {
        /// The trace.
        trace: TraceId,
        /// The span.
        span: SpanKey,
        /// `None` where it is not held.
        detail: Option<Arc<SpanDetail>>,
    },
    /// To [`Effect::Failure`].
    Failure {
        /// The example.
        example: Example,
        /// `None` where it is not held.
        detail: Option<Arc<Detail>>,
    },
    /// To [`Effect::Complete`].
    Completed {
        /// For this text.
        text: String,
        /// The proposals, best first.
        completions: Vec<Completion>,
    },
    /// To [`Effect::Markdown`]: the text, or why there is none.
    Markdown(Result<String, String>),
    /// To [`Effect::Copy`]: what was copied, or why not.
    Copied(Result<String, String>),
    /// To [`Effect::Library`]: all there is now, and what did not work.
    Library(Arc<Library>, Option<String>),
    /// To [`Effect::Keys`]: attributes with the number of spans that carry each, most used first.
    Keys(Vec<(String, u64)>),
    /// To [`Effect::Baseline`].
    Baselines {
        /// The trace.
        trace: TraceId,
        /// How each span compares.
        found: Vec<(SpanKey, Baseline)>,
    },
    /// To [`Effect::Format`].
    Formatted(Formatted),
    /// To [`Effect::Samples`].
    Samples(Arc<Samples>),
    /// To [`Effect::Values`].
    Values {
        /// Of the request.
        generation: u64,
        /// What was counted.
        values: Arc<Values>,
    },
    /// Comes by itself, a few times a second.
    Health(Arc<Health>),
    /// To [`Effect::Save`]: what was written, or why nothing was.
    Saved(Result<Saved, String>),
    /// To [`Effect::Connect`] and [`Effect::Disconnect`]: what was done, or why not.
    Served(Result<String, String>),
    /// To [`Effect::Demo`]: whether it plays now, or why not.
    Demo(Result<bool, String>),
}

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// SQL of any dialect.
    Sql,
    /// JSON.
    Json,
}

/// What a piece of highlighted text is. Colours are the view's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Token {
    /// Nothing special.
    #[default]
    Plain,
    /// A keyword.
    Keyword,
    /// A string.
    Text,
    /// A number or another literal.
    Number,
    /// A comment.
    Comment,
    /// An operator or punctuation.
    Operator,
    /// A name: column, key, function.
    Name,
    /// A parameter: `$1`, `?`, `:name`.
    Parameter,
}

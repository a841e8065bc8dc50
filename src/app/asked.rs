//! What `update` remembers of its own requests, so that none is made twice.

use std::sync::Arc;

use super::TraceScreen;
use crate::analysis::errors::Example;
use crate::analysis::statements::StatementKey;
use crate::analysis::{Analysis, RowKey};
use crate::model::{SpanKey, Timestamp, TraceId};
use crate::query::Query;

/// What was asked for and when.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent remarks, each about one request")]
pub(super) struct Asked {
    /// What the search of the list was made anew for.
    pub(super) list: Reason,
    /// How many traces had ever been there when the list was paused.
    pub(super) paused_at: Option<u64>,
    /// What is on its way for the open trace.
    pub(super) trace: Option<Request>,
    /// What was last looked for in the open trace.
    pub(super) lit: Arc<Query>,
    /// The last arrival of the open trace that the index named when it was last asked for.
    pub(super) opened_at: Option<Timestamp>,
    /// The preview: the trace, and its last arrival where that was known.
    pub(super) preview: Option<(TraceId, Option<Timestamp>)>,
    /// The detail.
    pub(super) detail: Option<DetailKey>,
    /// The statement that was asked for over lines: which, for how many columns, whether with secrets.
    pub(super) statement: Option<(StatementKey, u16, bool)>,
    /// What was last compared with all others of its kind: the trace, the span selected, the state of the trace.
    pub(super) baseline: Option<(TraceId, Option<SpanKey>, Timestamp)>,
    /// The trace that a link was followed from, as it was: until it is known that the link's target is held.
    pub(super) left: Option<Box<TraceScreen>>,
    /// What was asked to be kept.
    pub(super) keep: Vec<TraceId>,
    /// The open trace's search was applied before it came back: go to the first match then.
    pub(super) land_on_match: bool,
    /// What was selected when that was asked.
    pub(super) stood: Option<RowKey>,
    /// The state of the open trace whose findings were asked for.
    pub(super) judged: Option<Arc<Analysis>>,
    /// The traces of the list that were to be judged, with the arrival of their latest spans.
    pub(super) marks: Vec<(TraceId, Timestamp)>,
    /// The span to land on was named by the person, whatever the filter says.
    pub(super) land_exactly: bool,
    /// When it was asked whether the demo may play among other traces.
    pub(super) demo_at: Option<Timestamp>,
    /// The number of the latest request for the values of an attribute.
    pub(super) values: u64,
    /// The example of an error that was last asked for.
    pub(super) failure: Option<Example>,
    /// The number of the latest survey.
    pub(super) surveys: u64,
    /// Launches of services that have been made time marks.
    pub(super) launches: u64,
    /// Launches that turned out to be none, of which the marks are gone.
    pub(super) withdrawn: u64,
    /// The last key asked for earlier filters when none were known: they may still be read from their file.
    pub(super) recall: bool,
    /// An error of the open trace has been visited.
    pub(super) error_visited: bool,
}

/// Why the list is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reason {
    /// The data changed.
    #[default]
    Data,
    /// The person changed the filter.
    Filter,
    /// The person changed the order: back to the top.
    Order,
}

/// What is on its way for the open trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// All of it.
    Open,
    /// Rows.
    Flatten,
    /// Matches.
    Find,
}

/// What a detail was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetailKey {
    pub(super) trace: TraceId,
    pub(super) span: SpanKey,
    pub(super) columns: u16,
    pub(super) unmasked: bool,
    /// The state of the trace it was read from; logs may come later than their span.
    pub(super) last_arrival: Timestamp,
}

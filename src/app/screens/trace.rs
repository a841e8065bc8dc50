//! The trace screen: one trace, where the reader is in it, and the span in the detail pane.

use std::collections::HashMap;
use std::sync::Arc;

use super::Judged;
use crate::analysis::{Analysis, Baseline, Folds, Row, RowKey};
use crate::app::filters::Found;
use crate::model::{LogRecord, Span, SpanKey, Timestamp, TraceId};

/// The open trace.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with a key of its own")]
pub struct TraceScreen {
    /// The trace.
    pub id: TraceId,
    /// The tree; `None` while it is being read for the first time.
    pub analysis: Option<Arc<Analysis>>,
    /// What was found in it; of the state before while the latest is being judged.
    pub judged: Option<Arc<Judged>>,
    /// It was looked for and is not held.
    pub gone: bool,
    /// What the reader folded and unfolded.
    pub folds: Folds,
    /// The visible rows.
    pub rows: Arc<Vec<Row>>,
    /// The selected row.
    pub selected: Option<RowKey>,
    /// A span to select once it is there: set when coming from a hit or a link.
    pub land_on: Option<SpanKey>,
    /// Index in `rows` of the first row shown.
    pub offset: usize,
    /// The stretch of time shown; `None`: all of it.
    pub zoom: Option<(Timestamp, Timestamp)>,
    /// How spans compare with all others of their kind, as far as it was asked: the root and what was selected.
    pub baselines: HashMap<SpanKey, Baseline>,
    /// The detail pane.
    pub detail: Detail,
    /// What the search in this trace found, or else what the filter of the list does.
    pub found: Option<Found>,
    /// Only what was found has rows, and what stands above it.
    pub alone: bool,
    /// The clause of the verdict that is chosen, by its place among [`crate::analysis::Verdict::clauses`].
    pub clause: Option<usize>,
    /// The clause that was last gone to: the next one is chosen from there.
    pub left_clause: Option<usize>,
    /// Only what is on the critical path has rows.
    pub path: bool,
    /// Times are corrected where clocks run apart.
    pub adjusted: bool,
    /// Traces to go back to, with what was selected there: grows by following links.
    pub back: Vec<(TraceId, Option<RowKey>)>,
    /// Number of the latest request for this trace; answers to older ones are dropped.
    pub generation: u64,
    /// When the latest state was read: the trace's last arrival then.
    pub last_arrival: Timestamp,
}

impl TraceScreen {
    /// A trace that is about to be read.
    #[must_use]
    pub fn new(id: TraceId) -> Self {
        Self {
            id,
            analysis: None,
            judged: None,
            gone: false,
            folds: Folds::default(),
            rows: Arc::default(),
            selected: None,
            land_on: None,
            offset: 0,
            zoom: None,
            baselines: HashMap::new(),
            detail: Detail::default(),
            found: None,
            alone: false,
            clause: None,
            left_clause: None,
            path: false,
            adjusted: false,
            back: Vec::new(),
            generation: 0,
            last_arrival: Timestamp::default(),
        }
    }
}

/// The detail pane of the selected span.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The span; `None` while it is being read, and for rows that are no span.
    pub span: Option<Arc<SpanDetail>>,
    /// Whether the keys go to the pane.
    pub focus: DetailFocus,
    /// First line shown.
    pub scroll: usize,
    /// Which of [`SpanDetail::cells`] is selected.
    pub cell: usize,
}

/// Where the keys of the trace screen go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DetailFocus {
    /// To the waterfall.
    #[default]
    Waterfall,
    /// To the detail pane.
    Detail,
}

/// A span with everything the detail pane shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanDetail {
    /// The span, whole.
    pub span: Span,
    /// Its log records by time.
    pub logs: Vec<LogRecord>,
    /// Statement and JSON values, formatted and cut into tokens; by the attribute's key.
    pub highlighted: Vec<(String, Highlighted)>,
    /// What can be selected in the pane, in order.
    pub cells: Vec<Cell>,
}

/// Something in the detail pane that can be selected, copied or followed.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The statement.
    Statement,
    /// An attribute of the span, by index.
    Attribute(usize),
    /// An event, by index.
    Event(usize),
    /// A link, by index: can be followed.
    Link(usize),
    /// A log record, by index.
    Log(usize),
    /// An attribute of the resource, by index.
    Resource(usize),
    /// An attribute of the scope, by index.
    Scope(usize),
}

/// Text formatted over lines and cut into tokens. Colours are the view's.
pub type Highlighted = Arc<Vec<Vec<(crate::app::Token, String)>>>;

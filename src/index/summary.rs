//! The hook by which judgements reach the trace table without the index knowing them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Badges, Category, Nanos, SpanId, SpanKey, StatusCode, Timestamp, TraceId};

/// What the index tells of each distinct span as it arrives. Text is lossy UTF-8 and borrowed.
#[derive(Clone, Copy)]
pub struct SpanFacts<'a> {
    /// Its trace.
    pub trace_id: TraceId,
    /// Id and kind.
    pub key: SpanKey,
    /// Its parent, if it has one.
    pub parent_id: Option<SpanId>,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub duration: Nanos,
    /// How it ended.
    pub status: StatusCode,
    /// The status message; empty where there is none.
    pub status_message: &'a str,
    /// What sort of work it is.
    pub category: Category,
    /// Its name as sent.
    pub name: &'a str,
    /// What it does.
    pub what: &'a dyn What,
    /// `exception.type` of its first exception event, or `error.type`.
    pub error_type: Option<&'a str>,
}

/// From how many calls on a parent is crowded.
pub const CROWD: u8 = 5;

/// What a span does. Worked out when asked for: most spans are not looked at closely.
pub trait What {
    /// Statement, route, destination or name, as `semconv` labels it.
    fn label(&self) -> Cow<'_, str>;

    /// The same, to keep: spans that have it in common share it.
    fn shared_label(&self) -> Arc<str> {
        Arc::from(self.label())
    }

    /// The same number means the same label and category; `None` where that is not known. Saves looking at a label
    /// again.
    fn number(&self) -> Option<u64>;

    /// Equal for spans that do the same to the same, by name and attributes; such spans have equal labels.
    fn call(&self) -> u64;
}

/// Keeps a trace's badges up to date while its spans arrive. Implemented in `analysis`, wired by `run`.
///
/// The outcome must not depend on the order of spans.
pub trait Summary: Send + 'static {
    /// Takes note of one more distinct span of a trace. Answers whether it is a slow database span by its
    /// duration alone (it is counted per service).
    fn observe(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) -> bool;

    /// Spans that did not fail and have no events make no difference unless they are calls to a database (or, as a
    /// client, over HTTP) of at least this duration: the others need not be observed.
    fn least(&self) -> Nanos {
        Nanos::ZERO
    }

    /// Whether [`Self::observe`] makes something of a span that neither failed nor has events, by its duration and what
    /// its trace's badges (none yet: `None`) say already. Asked of most spans, so it must be cheap.
    fn minds(&self, duration: Nanos, badges: Option<&Badges>) -> bool {
        let _ = badges;
        duration >= self.least()
    }

    /// Takes note of a call to a database or, as a client, over HTTP with whose parent [`CROWD`] or more such calls may
    /// be; every one of such a crowd is told of once, apart from [`Self::observe`].
    fn observe_crowded(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) {
        let _ = (span, badges);
    }

    /// The trace has left the index, or its badges are about to be computed anew from all of its spans.
    fn forget(&mut self, trace: TraceId);
}

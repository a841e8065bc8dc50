//! A whole trace in the lean form that judgements and the waterfall work on.

use std::sync::Arc;

use super::{Nanos, SourceId, SpanId, SpanKey, StatusCode, Timestamp, TraceId};

/// All spans of one trace that are held, without duplicates, in order of start, then end (longer first), then
/// key. Attributes, events and links are not here: a [`super::Span`] is looked up for the span on display.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans.
    pub spans: Vec<TraceSpan>,
    /// When its latest span arrived here.
    pub last_arrival: Timestamp,
    /// Whether some of its spans were refused or left because it grew too large.
    pub truncated: bool,
}

/// One span of a [`Trace`]. Strings are shared and valid UTF-8 (replacement characters where the sender's are
/// not); they may hold control characters.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TraceSpan {
    /// Id and kind.
    pub key: SpanKey,
    /// Its parent's id, if it has a valid one.
    pub parent_id: Option<SpanId>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended, as sent: may be before `start`.
    pub end: Timestamp,
    /// How it ended.
    pub status: StatusCode,
    /// `service.name` of its resource; `unknown_service` where it has none.
    pub service: Arc<str>,
    /// Its name as sent.
    pub name: Arc<str>,
    /// What it does, for a person: the statement of a database span, method and route or URL of an HTTP span,
    /// the destination of a message span; otherwise its name.
    pub label: Arc<str>,
    /// What sort of work it is.
    pub category: Category,
    /// A short remark at the right of its row: HTTP status, rows returned. Usually empty.
    pub remark: Arc<str>,
    /// How many events it has.
    pub events: u32,
    /// How many of its events are exceptions.
    pub exceptions: u32,
    /// How many links it has.
    pub links: u32,
    /// Marks for what is odd about it.
    pub oddities: Oddities,
    /// The way it came in.
    pub source: SourceId,
}

/// What sort of work a span records, by its attributes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum Category {
    /// A call to a database that has statements: it carries a statement (`db.query.text`) or its system is a
    /// relational one.
    Sql,
    /// A call to another kind of database: Redis, MongoDB and the like.
    Database,
    /// HTTP, either side.
    Http,
    /// Remote procedure call other than plain HTTP, either side.
    Rpc,
    /// Sending or receiving messages.
    Messaging,
    /// Anything else.
    #[default]
    Other,
}

impl Category {
    /// Whether it is a call to a database of any kind.
    #[must_use]
    pub fn is_database(self) -> bool {
        matches!(self, Self::Sql | Self::Database)
    }
}

/// What is odd about a span's data. Odd spans are kept as they came, and marked.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each shown by itself")]
pub struct Oddities {
    /// It ends before it starts.
    pub ends_before_start: bool,
    /// Its start or end is missing (zero).
    pub no_time: bool,
    /// Its parent id is not a valid id.
    pub bad_parent_id: bool,
    /// Some text of it is not UTF-8.
    pub not_utf8: bool,
    /// The SDK dropped attributes, events or links.
    pub dropped: bool,
}

impl TraceSpan {
    /// How long it took; zero where it ends before it starts.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// Whether its status is error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status == StatusCode::ERROR
    }
}

impl Trace {
    /// Earliest start and latest end of all spans; spans without a start time do not count while others have
    /// one.
    #[must_use]
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        let timed = || self.spans.iter().filter(|span| span.start.0 != 0);
        let start = timed().map(|span| span.start).min().unwrap_or_default();
        let end = timed().map(|span| span.end.max(span.start)).max().unwrap_or_default();
        (start, end)
    }
}

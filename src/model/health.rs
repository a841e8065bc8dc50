//! The state of everything spans come from. Health is data: drawn in the header and on its own screen,
//! never a dialog.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Asked, Names, Nanos, RejectReason, Signal, SourceId, Timestamp};

/// All that can be said about sources, the index and memory at one moment.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The ways spans arrive, indexed by [`SourceId`].
    pub sources: Vec<SourceHealth>,
    /// Per service, in order of name. Holds at most a few thousand; the rest is under `(other)`.
    pub services: BTreeMap<String, ServiceHealth>,
    /// The latest mistakes of senders, newest last; at most a few dozen.
    pub mishaps: Vec<Mishap>,
    /// Bytes held now, all in.
    pub memory_used: u64,
    /// Bytes that may be held.
    pub memory_budget: u64,
    /// Spans held now, distinct.
    pub spans_held: u64,
    /// Traces held now.
    pub traces_held: u64,
    /// Log records held now.
    pub logs_held: u64,
    /// Distinct spans that left to make room.
    pub spans_evicted: u64,
    /// Traces that left to make room.
    pub traces_evicted: u64,
    /// Log records that left to make room.
    pub logs_evicted: u64,
    /// Spans that came more than once.
    pub duplicates: u64,
    /// Spans taken in during the last second.
    pub spans_per_second: u64,
    /// When the program started.
    pub started: Timestamp,
}

/// One way spans arrive.
#[derive(Clone, Debug, Default)]
pub struct SourceHealth {
    /// Its id: its place in [`Health::sources`].
    pub id: SourceId,
    /// What it is called on screen: `OTLP/gRPC`, `OTLP/HTTP`, `demo`.
    pub name: String,
    /// The sockets it listens on; empty for a source without any.
    pub doors: Vec<Door>,
    /// Items accepted, by signal (spans, log records, data points).
    pub accepted: BTreeMap<Signal, u64>,
    /// Items (or, where they cannot be counted, bodies) refused, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Spans taken in during the last second.
    pub spans_per_second: u64,
    /// When the last body arrived.
    pub last_arrival: Option<Timestamp>,
    /// Where it is, where it has no doors: a URL without secrets, a file. May be empty.
    pub place: String,
    /// What it is asked, which part of the filter is applied where, and how far that has come; `None` where nothing is asked.
    pub asked: Option<Arc<Asked>>,
    /// What it said or did that a person should know, though it answered; the latest last, a few of them.
    pub notes: Vec<String>,
    /// What it calls things.
    pub names: Arc<Names>,
    /// Where its own page of a trace is, before the trace's id.
    pub page: Option<String>,
    /// How it stands as a whole; what listens says it of each door.
    pub standing: Standing,
    /// A person paused it: it takes and fetches nothing until that is over.
    pub paused: bool,
    /// How long its latest answer took, where it is asked.
    pub latency: Option<Nanos>,
    /// What last went wrong, and when.
    pub last_error: Option<(Timestamp, String)>,
    /// How far it has come, where it is a file.
    pub reading: Option<Reading>,
}

/// How a source stands that is asked, read, or played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It has nothing to say beyond its doors.
    #[default]
    Idle,
    /// It is being reached for the first time, or again.
    Connecting,
    /// It answers.
    Ok,
    /// It does not, or what it says cannot be used. What it gave before stays.
    Error {
        /// What went wrong, in words for a person.
        error: String,
        /// When it is tried again by itself.
        next_try: Option<Timestamp>,
    },
    /// It has been read to its end.
    Ended,
}

impl SourceHealth {
    /// Whether it is a server that is being asked, well or not.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        !matches!(self.standing, Standing::Idle | Standing::Ended)
    }

    /// What is wrong with it now, and when it is tried again by itself.
    #[must_use]
    pub fn trouble(&self) -> Option<(&str, Option<Timestamp>)> {
        match &self.standing {
            Standing::Error { error, next_try } => Some((error, *next_try)),
            _ => None,
        }
    }
}

/// How far a file has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes read so far, as they are on the disk.
    pub read: u64,
    /// Bytes there are in all; `None` where that cannot be known, as of standard input.
    pub total: Option<u64>,
    /// Lines or frames of it that were left out.
    pub faults: u64,
    /// What is wrong with the latest of those, and where; may hold text of the file.
    pub latest_fault: Option<String>,
    /// Whether it is being read.
    pub state: ReadingState,
}

/// Whether a file is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReadingState {
    /// Others come first.
    #[default]
    Waiting,
    /// It is being read.
    Reading,
    /// Read to its end, and read on as it grows.
    Following,
    /// Read to its end.
    Done,
    /// Given up, and why.
    Failed(String),
}

impl Reading {
    /// The share that has been read, 0 to 100; `None` where the whole is not known.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let total = self.total?;
        Some(self.read.saturating_mul(100).checked_div(total).unwrap_or(100).min(100))
    }
}

/// One socket that listens, or should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// The address asked for; the real port once bound.
    pub address: SocketAddr,
    /// Whether it is open.
    pub state: DoorState,
}

/// Whether a door is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorState {
    /// Not tried yet.
    Opening,
    /// Accepting connections.
    Open,
    /// Another program has the port; it is tried again at intervals.
    Busy {
        /// Who holds it, where that can be known: `otelcol (pid 4711)`.
        holder: Option<String>,
        /// How long until the next try.
        next_try: Nanos,
    },
    /// It cannot be had: the address does not exist here, or it is not permitted.
    Failed {
        /// The system's word for it.
        error: String,
    },
}

/// What is known of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceHealth {
    /// Distinct spans accepted since the start.
    pub spans: u64,
    /// Traces in which it took part, since the start.
    pub traces: u64,
    /// Distinct spans with status error, since the start.
    pub errors: u64,
    /// Slow database spans, since the start.
    pub slow_sql: u64,
    /// Log records accepted since the start.
    pub logs: u64,
    /// Metric data points accepted since the start.
    pub metrics: u64,
    /// When something of it last arrived.
    pub last_arrival: Timestamp,
}

/// A sender's mistake, explained: shown before the first span and on the health screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// When it happened.
    pub at: Timestamp,
    /// What arrived, where, from whom: `POST / over HTTP/1.1 arrived at 4317 from 127.0.0.1:51260`.
    pub what: String,
    /// What is wrong and what to set instead.
    pub advice: String,
    /// How often it happened in a row.
    pub count: u64,
}

impl Health {
    /// The share of the budget that is in use, 0 to 100 or more.
    #[must_use]
    pub fn memory_percent(&self) -> u64 {
        self.memory_used.saturating_mul(100).checked_div(self.memory_budget).unwrap_or(0)
    }
}

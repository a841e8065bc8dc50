//! What is said over the socket: a greeting, one request, and its answer, each value a line of JSON.
//!
//! ```text
//! server  {"hello":{"version":2,"pid":4711}}
//! client  {"version":2,"ask":{"query":{"filter":"error=true","limit":5}}}
//! server  {"record":{"trace":{"trace_id":"…",…}}}      any number of them
//! server  {"end":{"partial":false}}                    or {"wrong":{"message":"…","filter":"…","column":3}}
//! ```
//!
//! Whoever closes its side ends the conversation. Unknown fields are ignored; what is said with another version is refused.

use serde::{Deserialize, Serialize};

use crate::export::Record;
use crate::export::report::Report;

/// The version of what is said.
pub(super) const VERSION: u32 = 2;
/// Bytes that a request may have.
pub(super) const LONGEST_REQUEST: u64 = 256 * 1024;

/// A request with the version it is made in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) version: u32,
    pub(super) ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// The traces that match, newest first.
    Query { filter: String, limit: Option<u64> },
    /// The traces that match from now on, as they arrive, without end.
    Tail { filter: String },
    /// The services, most spans first.
    Services { limit: Option<u64> },
    /// Names of spans by service and kind, most used first.
    Operations { limit: Option<u64> },
    /// Keys of attributes, or values under one, most used first.
    Attributes { key: Option<String>, limit: Option<u64> },
    /// The whole traces that match, oldest first; of these the newest `limit`.
    Export { filter: String, limit: Option<u64> },
    /// What the traces that match have to say, at most `limit` of each sort.
    Report { filter: String, limit: Option<u64> },
    /// Whether all of these hold, with at most `limit` of the traces that offend each.
    Assert { assertions: Vec<Assertion>, limit: Option<u64> },
}

/// What is to hold of the traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Assertion {
    /// Every trace matches; with a pipeline, every trace that has the spans it is about.
    Each { filter: String },
    /// No trace matches.
    None { filter: String },
    /// In no trace that matches, one of these rules finds something. No filter is any trace.
    NoFinding { rules: Vec<String>, filter: String },
    /// The percentile of what matches is at most this many nanoseconds.
    Most { filter: String, percent: u8, most: u64 },
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The first thing the server says.
    Hello { version: u32, pid: u32 },
    /// Something that was found.
    Record(Record),
    /// Spans of one trace and log records that belong to it, as OTLP protobuf in base64.
    Spans {
        spans: String,
        logs: String,
        /// With the last of a trace: the spans of other traces that sent the messages which it works on, likewise.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        senders: String,
        /// Whether more of that trace follows.
        more: bool,
    },
    /// What traces have to say.
    Report(Box<Report>),
    /// What became of an assertion; the traces that offend follow.
    Verdict { assertion: String, holds: bool, why: String },
    /// The request makes no sense; nothing follows.
    Wrong(Wrong),
    /// All there is to say.
    End {
        /// The search was cut short.
        partial: bool,
        /// What was left out, for a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<String>,
    },
}

/// Why a request makes no sense.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Wrong {
    /// For a person.
    pub(super) message: String,
    /// The filter that is to blame, if one is.
    pub(super) filter: Option<String>,
    /// Where in it, in characters from 0.
    pub(super) column: Option<usize>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

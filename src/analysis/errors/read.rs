//! Reads the failures of a trace out of the index: no more whole spans than may tell of one.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::evidence::{self, Evidence, HTTP_STATUS, TELLING};
use super::groups::{Example, Failure};
use super::stack::Stack;
use crate::analysis::Thresholds;
use crate::analysis::tree::grown;
use crate::index::{Place, ValueRef, View};
use crate::model::{Category, LogRecord, SpanKey, StatusCode, TraceId, TraceSpan};

/// The log records that tell of a failure, by trace. Read out of all records at once: asking for those of each trace would go
/// through all of them each time.
#[derive(Debug, Default)]
pub struct TellingLogs {
    revision: Option<u64>,
    by_trace: HashMap<TraceId, Vec<LogRecord>>,
}

impl TellingLogs {
    /// Reads those of `view`, unless they were read of the same publication already. Answers the traces of which there are more
    /// or fewer than before.
    pub fn update(&mut self, view: &View) -> Vec<TraceId> {
        if self.revision == Some(view.revision()) {
            return Vec::new();
        }
        self.revision = Some(view.revision());
        let before = std::mem::take(&mut self.by_trace);
        view.each_log(&mut |log| {
            if evidence::of_log(log).is_some() {
                self.by_trace.entry(log.trace_id).or_default().push(log.clone());
            }
        });
        for logs in self.by_trace.values_mut() {
            logs.sort_by_key(LogRecord::at);
        }
        let many = |of: &HashMap<TraceId, Vec<LogRecord>>, trace: &TraceId| of.get(trace).map_or(0, Vec::len);
        let gone = before.keys().filter(|trace| !self.by_trace.contains_key(*trace));
        let other = self.by_trace.keys().filter(|trace| many(&before, trace) != many(&self.by_trace, trace));
        gone.chain(other).copied().collect()
    }

    /// Those of a trace, by time.
    #[must_use]
    pub fn of(&self, trace: TraceId) -> &[LogRecord] {
        self.by_trace.get(&trace).map_or(&[], Vec::as_slice)
    }
}

/// The failures of a trace, with its log records; see [`super::failures`]. A trace in which nothing tells of a failure is not
/// even judged.
#[must_use]
pub fn read(view: &View, id: TraceId, logs: &[LogRecord], thresholds: &Thresholds) -> Vec<Failure> {
    let Some(trace) = view.trace(id) else { return Vec::new() };
    let suspects: HashSet<SpanKey> =
        trace.spans.iter().filter(|span| may_have_failed(span)).map(|span| span.key).collect();
    let spans = view.pick(id, &|key| suspects.contains(&key), TELLING);
    if spans.is_empty() && logs.is_empty() {
        return Vec::new();
    }
    super::failures(&grown(Arc::new(trace), thresholds), &spans, logs)
}

/// The traces of which something held tells of a failure, found by columns: of all others [`read`] finds nothing.
#[must_use]
pub fn suspects(view: &View, logs: &TellingLogs) -> HashSet<TraceId> {
    let answered_500 = |value: ValueRef<'_>| match value {
        ValueRef::Int(code) => (500..600).contains(&code),
        ValueRef::Text(text) => text.trim().starts_with('5'),
        _ => true,
    };
    let mut numbers = Vec::new();
    for block in view.blocks() {
        let told = block.select_present(TELLING, &[Place::Span]);
        let told = told.or(&block.select_attribute(HTTP_STATUS, &[Place::Span], &answered_500));
        let told = told.or(&block.select_event_name(&|name| name == "exception"));
        let rows = told.minus(&block.select_status(StatusCode::OK)).or(&block.select_status(StatusCode::ERROR));
        block.numbers(&rows, &mut numbers);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let traces = numbers.into_iter().filter_map(|number| view.id_of(number));
    traces.chain(logs.by_trace.keys().copied()).collect()
}

fn may_have_failed(span: &TraceSpan) -> bool {
    let answered_500 = || span.category == Category::Http && span.remark.starts_with('5') && span.remark.len() == 3;
    span.is_error() || (span.status != StatusCode::OK && (span.exceptions > 0 || answered_500()))
}

/// One failure with its stack trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// What it says, whole.
    pub message: String,
    /// Its stack trace; empty where none was sent.
    pub stack: Stack,
    /// The same as sent.
    pub text: String,
}

/// Reads an example anew, with all that was sent of it; `None` where its trace is no longer held.
#[must_use]
pub fn detail(view: &View, example: &Example, kind: &str) -> Option<Detail> {
    let of_kind = |saying: &evidence::Saying| saying.kind.trim().starts_with(kind.trim_end_matches('…'));
    let saying = if example.evidence == Evidence::Log {
        let logs = view.logs(example.trace);
        let mut told = logs.iter().filter_map(evidence::of_log).filter(of_kind);
        told.find(|saying| saying.at == example.at)?
    } else {
        let span = view.span(example.trace, example.told?)?;
        let told = evidence::of_span(&span);
        let exact = told.iter().find(|saying| saying.at == example.at && of_kind(saying));
        exact.or_else(|| told.iter().find(|saying| of_kind(saying))).or_else(|| told.first())?.clone()
    };
    let stack = if saying.stack.is_empty() { Stack::default() } else { Stack::read(&saying.stack) };
    Some(Detail { message: saying.message, stack, text: saying.stack })
}

//! Reads the failures of a trace out of the index: no more whole spans than may tell of one.

use super::evidence::{self, Evidence, TELLING};
use super::groups::{Example, Failure};
use super::stack::Stack;
use crate::analysis::Analysis;
use crate::index::View;
use crate::model::{Category, LogRecord, SpanKey, StatusCode, TraceSpan};

/// The failures of a trace that was judged, with its log records; see [`super::failures`].
#[must_use]
pub fn read(view: &View, analysis: &Analysis, logs: &[LogRecord]) -> Vec<Failure> {
    let suspects: hashbrown::HashSet<SpanKey> =
        analysis.trace.spans.iter().filter(|span| may_have_failed(span)).map(|span| span.key).collect();
    let spans = view.pick(analysis.trace.id, &|key| suspects.contains(&key), TELLING);
    if spans.is_empty() && logs.is_empty() {
        return Vec::new();
    }
    super::failures(analysis, &spans, logs)
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
    Some(Detail { message: saying.message, stack })
}

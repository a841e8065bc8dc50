//! A trace judged from its whole spans alone, wherever they came from.

use std::sync::{Arc, Mutex, PoisonError};

use crate::analysis::errors::{self, Detail, Failure, TellingLogs};
use crate::analysis::findings::Held;
use crate::analysis::statements::{Said, Statements, digest, sum};
use crate::analysis::{Analysis, Thresholds, TraceNotes, analyse_whole};
use crate::index::{self, Options, View};
use crate::model::{LogRecord, SourceId, Span, Timestamp, TraceId};
use crate::otlp::encode;
use crate::otlp::reader::WireError;

/// Spans that are taken in at once.
const TOGETHER: usize = 1_000;

/// What is to be said of a trace.
pub(super) struct Judged {
    /// Its tree, findings and verdict.
    pub(super) analysis: Analysis,
    /// Its statements, the most expensive first.
    pub(super) statements: Statements,
    /// What failed first, with what was told of it; `None` where nothing failed.
    pub(super) failure: Option<(Failure, Detail)>,
    /// The status message of the span that tells of it; may be empty.
    pub(super) status: String,
}

/// Judges a trace as it is judged on screen: an index that holds nothing else reads its spans and logs, and `senders`, which sent the
/// messages that it works on from other traces. `None` where there are no spans.
///
/// # Errors
/// Where the index does not take them, which would be an error of this program.
pub(super) fn judged(
    (spans, senders): (&[Span], &[Span]),
    logs: &[LogRecord],
    thresholds: &Thresholds,
) -> Result<Option<Judged>, WireError> {
    let Some(id) = spans.first().map(|span| span.trace_id) else { return Ok(None) };
    let (mut writer, reader) = index::open(Options::new(u64::MAX), TraceNotes::new(*thresholds));
    let (source, now) = (SourceId::default(), Timestamp(1));
    for some in spans.chunks(TOGETHER).chain(senders.chunks(TOGETHER)) {
        writer.insert_spans(source, &encode::spans(some), now)?;
    }
    for some in logs.chunks(TOGETHER) {
        writer.insert_logs(source, &encode::logs(some), now)?;
    }
    writer.publish();
    let view = reader.view();
    let Some(trace) = view.trace(id).map(Arc::new) else { return Ok(None) };
    let names = Mutex::default();
    let digest = digest(&trace, thresholds, &names, &mut |_| Said::default());
    let names = names.into_inner().unwrap_or_else(PoisonError::into_inner);
    let statements = sum(digest.iter().map(|digest| (id, digest)), &names);
    let analysis = analyse_whole(trace, thresholds, false, &Held { view: &view, trace: id });
    let failure = failure(&view, id, &analysis, thresholds);
    let telling = failure.as_ref().and_then(|(failure, _)| failure.told.or(failure.span));
    let telling = spans.iter().find(|span| telling == Some(span.key()));
    let status = telling.map(|span| span.status.message.lossy().into_owned()).unwrap_or_default();
    Ok(Some(Judged { analysis, statements, failure, status }))
}

/// That of the span which failed first; where no span tells, the earliest.
fn failure(view: &View, id: TraceId, analysis: &Analysis, thresholds: &Thresholds) -> Option<(Failure, Detail)> {
    let mut logs = TellingLogs::default();
    logs.update(view);
    let failures = errors::read(view, id, logs.of(id), thresholds);
    let root = analysis.root_error.and_then(|node| analysis.span(node)).map(|span| span.key);
    let of_root = failures.iter().find(|failure| root.is_some() && failure.span == root);
    let failure = of_root.or_else(|| failures.iter().min_by_key(|failure| failure.at))?.clone();
    let example = failure.example(id);
    let detail = errors::detail(view, &example, &failure.key.kind)?;
    Some((failure, detail))
}

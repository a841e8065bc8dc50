//! The one writer, and the handle by which readers get views.

use super::{Summary, View};
use crate::model::{Receipt, SourceId, Timestamp, TraceId};
use crate::otlp::reader::WireError;

/// How an index is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that may be held, all in.
    pub budget: u64,
}

/// Fills the index. There is one, owned by one thread.
#[derive(Debug)]
pub struct Writer<S> {
    summary: S,
}

/// Hands out views. Cheap to clone, usable from any thread.
#[derive(Clone, Debug, Default)]
pub struct Reader {}

/// A new, empty index.
pub fn open<S: Summary>(options: Options, summary: S) -> (Writer<S>, Reader) {
    let _ = options;
    (Writer { summary }, Reader::default())
}

impl<S: Summary> Writer<S> {
    /// Takes in the spans of an `ExportTraceServiceRequest`. What the receipt says is accepted is held, and seen by
    /// readers after the next [`Self::publish`].
    ///
    /// # Errors
    /// Where the body's framing is broken; nothing of it is kept then.
    pub fn insert_spans(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        let _ = (source, body, now, &mut self.summary);
        Ok(Receipt::default())
    }

    /// Takes in the records of an `ExportLogsServiceRequest`: all are counted, those with a trace id are kept.
    ///
    /// # Errors
    /// Where the body's framing is broken; nothing of it is kept then.
    pub fn insert_logs(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        let _ = (source, body, now);
        Ok(Receipt::default())
    }

    /// Counts the data points of an `ExportMetricsServiceRequest` per service; none is kept.
    ///
    /// # Errors
    /// Where the body's framing is broken.
    pub fn count_metrics(&mut self, source: SourceId, body: &[u8], now: Timestamp) -> Result<Receipt, WireError> {
        let _ = (source, body, now);
        Ok(Receipt::default())
    }

    /// Makes everything inserted so far visible to readers, all at once. Answers whether anything changed.
    pub fn publish(&mut self) -> bool {
        false
    }

    /// Traces that must not be evicted: those on screen and those a person pinned.
    pub fn keep(&mut self, traces: &[TraceId]) {
        let _ = traces;
    }
}

impl Reader {
    /// The latest published state.
    #[must_use]
    pub fn view(&self) -> View {
        View::default()
    }
}

//! What a rule may look up beyond the lean trace.

use hashbrown::HashMap;

use crate::index::View;
use crate::model::{Kind, Span, SpanId, SpanKey, TraceId};

/// Whole spans, looked up one by one: what is costly to have of all.
pub trait Evidence {
    /// A span of the trace that is judged, whole; `None` where it is not held.
    fn span(&self, key: SpanKey) -> Option<Span>;

    /// Several of them, each at the place of its key.
    fn spans(&self, keys: &[SpanKey]) -> Vec<Option<Span>> {
        keys.iter().map(|key| self.span(*key)).collect()
    }

    /// The span that sent a message, in whatever trace; `None` where it is not held.
    fn sender(&self, trace: TraceId, span: SpanId) -> Option<Span>;
}

/// No evidence: rules that need some find nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Evidence for Nothing {
    fn span(&self, _: SpanKey) -> Option<Span> {
        None
    }

    fn sender(&self, _: TraceId, _: SpanId) -> Option<Span> {
        None
    }
}

/// The evidence that the index holds for one trace.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Where it is looked up.
    pub view: &'a View,
    /// The trace that is judged.
    pub trace: TraceId,
}

impl Evidence for Held<'_> {
    fn span(&self, key: SpanKey) -> Option<Span> {
        self.view.span(self.trace, key)
    }

    fn spans(&self, keys: &[SpanKey]) -> Vec<Option<Span>> {
        if let [key] = keys {
            return vec![self.span(*key)];
        }
        let spans = self.view.some_spans(self.trace, keys);
        let mut spans: HashMap<SpanKey, Span> = spans.into_iter().map(|span| (span.key(), span)).collect();
        keys.iter().map(|key| spans.remove(key)).collect()
    }

    fn sender(&self, trace: TraceId, span: SpanId) -> Option<Span> {
        self.view.span(trace, SpanKey { id: span, kind: Kind::PRODUCER })
    }
}

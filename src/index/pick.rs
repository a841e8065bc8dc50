//! Some spans of a trace, whole: those that are named, and those that carry certain attributes.

use hashbrown::HashMap;

use super::View;
use crate::model::{Span, SpanKey, TraceId};

impl View {
    /// Of a trace the spans that are `wanted` by id and kind, and those that carry an attribute under one of `keys`; whole, in
    /// the order of [`crate::model::Trace::spans`]. Empty where the trace is not held. Costs a look at each span and a read
    /// of those that are given back.
    #[must_use]
    pub fn pick(&self, id: TraceId, wanted: &dyn Fn(SpanKey) -> bool, keys: &[&str]) -> Vec<Span> {
        let Some(found) = self.state.trace(id) else { return Vec::new() };
        // By segment and shape: whether one of the keys is in it.
        let mut shapes: HashMap<(usize, u32), bool> = HashMap::new();
        let mut spans = Vec::new();
        self.knowing(|known| {
            for (segment, found) in self.rows(&found) {
                let row = found.get();
                let shape = row.chunk.shape[row.row];
                let mut carries = || {
                    *shapes.entry((segment, shape)).or_insert_with(|| {
                        let of_shape = row.segment.keys(shape).into_iter().map(|key| row.segment.words.get(key));
                        of_shape.into_iter().any(|key| keys.iter().any(|wanted| wanted.as_bytes() == key))
                    })
                };
                if wanted(row.key()) || !keys.is_empty() && (row.has_more() || carries()) {
                    spans.push(known.span(id, (segment, row)));
                }
            }
        });
        spans.sort_by(|one, other| (one.start, other.end, one.key()).cmp(&(other.start, one.end, other.key())));
        spans
    }
}

//! Made-up load: the same spans for the same seed, shaped like a shop of five services under the current semantic
//! conventions.
//!
//! About 10.5 spans a trace, 10.4 attributes and 495 bytes a span; two exporters a service, each sending batches of 512
//! spans; statements with literals, order uuids and message ids of unbounded number; 3 % of server spans with an
//! exception. Two worse shapes: every text value unique, and names that turn over without end. For benchmarks and load tests; the protobuf is written directly, so that making it is cheap.

mod shop;
mod wire;

use shop::Shop;
use wire::Message;

/// Spans an exporter collects before it sends them.
const BATCH: usize = 512;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The same seed makes the same spans.
    pub seed: u64,
    /// Every text value is unique: the worst case for an index that interns words.
    pub unique: bool,
    /// When the first trace begins, Unix nanoseconds.
    pub start: u64,
    /// Time between the beginnings of two traces, nanoseconds.
    pub step: u64,
    /// After so many traces services, span names, statements and some attribute keys give way to others that were never seen
    /// before, for ever. 0: they never do.
    pub turnover: u64,
}

impl Default for Shape {
    /// Seed 42, usual values, from 2025-01-01 on, a trace every 100 µs.
    fn default() -> Self {
        Self { seed: 42, unique: false, start: 1_735_689_600_000_000_000, step: 100_000, turnover: 0 }
    }
}

/// An endless sequence of `ExportTraceServiceRequest` bodies of 512 spans.
#[derive(Clone, Debug)]
pub struct Load {
    shop: Shop,
    /// What each exporter has collected: encoded spans by scope, and their number.
    exporters: Vec<Exporter>,
    /// Batches that are not handed out yet, with their number of spans.
    ready: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone, Debug)]
struct Exporter {
    /// The encoded resource.
    resource: Vec<u8>,
    /// By scope: the spans as fields of a `ScopeSpans`.
    scopes: Vec<(&'static str, Vec<u8>)>,
    /// Spans in all of them.
    spans: usize,
}

/// A span on its way to its exporter.
struct Sent {
    exporter: usize,
    scope: &'static str,
    bytes: Vec<u8>,
}

impl Load {
    /// The load of this shape, from its beginning.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let shop = Shop::new(shape);
        let exporters = (0..Shop::EXPORTERS)
            .map(|number| Exporter { resource: shop.resource(number), scopes: Vec::new(), spans: 0 })
            .collect();
        Self { shop, exporters, ready: Vec::new() }
    }

    /// New services take the places of the old ones, which send what they have.
    fn turn_over(&mut self) {
        for (number, exporter) in self.exporters.iter_mut().enumerate() {
            if exporter.spans > 0 {
                self.ready.push(exporter.flush());
            }
            exporter.resource = self.shop.resource(number);
        }
    }
}

impl Load {
    /// The next body, and how many spans it holds.
    pub fn next_counted(&mut self) -> (usize, Vec<u8>) {
        loop {
            if let Some(ready) = self.ready.pop() {
                return ready;
            }
            if self.shop.turn() {
                self.turn_over();
            }
            for sent in self.shop.trace() {
                let exporter = &mut self.exporters[sent.exporter];
                exporter.push(&sent);
                if exporter.spans >= BATCH {
                    self.ready.push(exporter.flush());
                }
            }
        }
    }
}

impl Iterator for Load {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        Some(self.next_counted().1)
    }
}

impl Exporter {
    fn push(&mut self, sent: &Sent) {
        let place = self.scopes.iter().position(|(name, _)| *name == sent.scope).unwrap_or_else(|| {
            self.scopes.push((sent.scope, Vec::new()));
            self.scopes.len() - 1
        });
        wire::field(&mut self.scopes[place].1, 2, &sent.bytes);
        self.spans += 1;
    }

    fn flush(&mut self) -> (usize, Vec<u8>) {
        let spans = std::mem::take(&mut self.spans);
        let mut group = Message::default();
        group.bytes(1, &self.resource);
        for (name, spans) in self.scopes.drain(..) {
            let mut scope = Message::default();
            scope.text(1, name);
            scope.text(2, "1.45.1");
            let mut group_of_scope = Message::default();
            group_of_scope.bytes(1, &scope.finish());
            group_of_scope.raw(&spans);
            group.bytes(2, &group_of_scope.finish());
        }
        group.text(3, "https://opentelemetry.io/schemas/1.37.0");
        let mut request = Message::default();
        request.bytes(1, &group.finish());
        (spans, request.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Span;
    use crate::otlp::decode;

    #[test]
    fn the_load_has_the_shape_it_promises() {
        let bodies: Vec<_> = Load::new(Shape::default()).take(40).collect();
        let bytes: usize = bodies.iter().map(Vec::len).sum();
        let spans: Vec<_> = bodies.iter().flat_map(|body| decode::spans(body).unwrap()).collect();
        assert_eq!(spans.len(), 40 * BATCH);
        let attributes: usize = spans.iter().map(|span| span.attributes.len()).sum();
        assert!((450..540).contains(&(bytes / spans.len())), "{bytes} bytes");
        assert!((99..109).contains(&(attributes * 10 / spans.len())), "{attributes} attributes");
        assert_eq!(spans[0].resource.attributes.len(), 19);
        let again: Vec<_> = Load::new(Shape::default()).take(40).collect();
        assert_eq!(bodies, again);
    }

    #[test]
    fn parents_are_in_the_trace_and_values_can_all_be_unique() {
        let shape = Shape { unique: true, ..Shape::default() };
        let mut shop = Shop::new(shape);
        let spans: usize = (0..1000).map(|_| shop.trace().len()).sum();
        assert!((9_500..11_600).contains(&spans), "{spans} spans in 1,000 traces");
        let bodies: Vec<_> = Load::new(shape).take(4).collect();
        let mut values: Vec<_> = bodies
            .iter()
            .flat_map(|body| decode::spans(body).unwrap())
            .flat_map(|span| span.attributes)
            .filter_map(|attribute| match attribute.value {
                crate::model::Value::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        let all = values.len();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), all);
    }

    #[test]
    fn names_turn_over_without_end_and_no_span_is_left_behind() {
        let shape = Shape { turnover: 20, ..Shape::default() };
        let texts = |bodies: &[Vec<u8>], pick: &dyn Fn(&Span) -> Vec<String>| {
            let spans: Vec<_> = bodies.iter().flat_map(|body| decode::spans(body).unwrap()).collect();
            spans.iter().flat_map(pick).collect::<BTreeSet<_>>().len()
        };
        let service = |span: &Span| vec![format!("{:?}", span.resource.attributes[0].value)];
        let name = |span: &Span| vec![format!("{:?}", span.name)];
        let keys = |span: &Span| span.attributes.iter().map(|one| format!("{:?}", one.key)).collect();
        for pick in [&service as &dyn Fn(&Span) -> Vec<String>, &name, &keys] {
            let bodies: Vec<_> = Load::new(shape).take(400).collect();
            let (few, many) = (texts(&bodies[..100], pick), texts(&bodies, pick));
            assert!(many > few * 2, "{few}, then {many}");
        }
        let mut shop = Shop::new(shape);
        let made: usize = (0..200).map(|_| (shop.turn(), shop.trace().len()).1).sum();
        let whole = Load::new(shape).scan(0, |sent, body| {
            *sent += decode::spans(&body).unwrap().len();
            Some(*sent)
        });
        let at_turns: Vec<_> = whole.take_while(|sent| *sent <= made).collect();
        assert!(at_turns.contains(&made), "all that was made before a turn is sent by then");
    }
}

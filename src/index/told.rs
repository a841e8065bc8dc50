//! What stands on the spans of a trace, where it stands: for one who reads many traces, and has seen most of it before.

use std::borrow::Cow;

use super::extras;
use super::read_row::{Stored, lossy};
use super::segment::RowRef;
use super::view::View;
use super::word::{Slot, Word};
use crate::model::{Resource, Trace, TraceId, Value};
use crate::otlp::{AttributeValue, decode, peek};

/// Something that stands on a span, or on what made it.
#[derive(Debug)]
pub enum Told<'a> {
    /// What made it, where that is not the same as of the span before. The same number is the same resource, in one view.
    Resource(u64, &'a Resource),
    /// An attribute of its own.
    Attribute(ToldAttribute<'a>),
    /// The value under `exception.type` of an exception among its events.
    Exception(Value),
}

/// An attribute of a span that is not read before its value is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ToldAttribute<'a> {
    key: u32,
    name: &'a [u8],
    segment: usize,
    /// The value as a word; `None` where it stands beyond the columns.
    word: Option<Word>,
    stored: Stored<'a>,
}

impl<'a> ToldAttribute<'a> {
    /// The key's number: the same for the same key in one view made by [`View::for_many`]. Numbers are given from 0 on.
    #[must_use]
    pub fn key(&self) -> u32 {
        self.key
    }

    /// The key.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        lossy(self.name)
    }

    /// The same number means the same value, in one view. `None` where it is kept for this span alone: then others may have
    /// the same.
    #[must_use]
    pub fn same(&self) -> Option<u64> {
        let word = self.word.filter(|word| matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_)))?;
        Some((self.segment as u64) << 32 | u64::from(word.0))
    }

    /// Whether it is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.stored, Stored::Plain(AttributeValue::Text(_)))
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Value {
        self.stored.to_value()
    }
}

impl View {
    /// A trace as [`Self::trace`], and on the way `each` is given what stands on its spans, those of one span after each other, in
    /// no particular order of spans.
    #[must_use]
    pub fn told(&self, id: TraceId, each: &mut dyn FnMut(Told<'_>)) -> Option<Trace> {
        let mut made_by = None;
        self.trace_with(id, &mut |known, (segment, row)| {
            let by = (segment, row.origin().resource);
            if made_by.replace(by) != Some(by) {
                let (resource, _) = known.made(segment, row);
                each(Told::Resource((segment as u64) << 32 | u64::from(by.1), &resource));
            }
            known.each_attribute((segment, row), &mut |attribute| each(Told::Attribute(attribute)));
            for (_, bytes) in extras::iter(row.extras()).filter(|(extra, _)| *extra == extras::Extra::Event) {
                if peek::event_name(bytes) == b"exception" {
                    let kinds = peek::event_attributes(bytes).filter(|(key, ..)| *key == b"exception.type");
                    kinds.for_each(|(_, _, message)| each(Told::Exception(decode::attribute(message).value)));
                }
            }
        })
    }
}

impl super::known::Known {
    /// Calls `each` with every attribute of a row's span, in order.
    fn each_attribute(&mut self, (segment, row): (usize, RowRef<'_>), each: &mut dyn FnMut(ToldAttribute<'_>)) {
        let words = row.chunk.values(row.row);
        for ((key, number), word) in self.columns(segment, row).iter().zip(words) {
            let (name, stored) = (row.segment.words.get(*key), row.stored(*word));
            each(ToldAttribute { key: *number, name, segment, word: Some(*word), stored });
        }
        for (name, _, message) in peek::resource_attributes(row.more()) {
            let key = self.number(name);
            each(ToldAttribute { key, name, segment, word: None, stored: Stored::Message(message) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::analysis::TraceNotes;
    use crate::index::{Options, Sealing, open};
    use crate::model::{Attribute, SourceId, Timestamp};
    use crate::otlp::encode;
    use crate::source::load::{Load, Shape};

    /// What is told of a trace, sorted: numbers are held against what they stood for before.
    fn told(view: &View, id: TraceId, known: &mut [HashMap<u64, String>; 3]) -> Vec<String> {
        let mut all = Vec::new();
        let mut same = |of: usize, number: u64, text: String| {
            assert_eq!(known[of].entry(number).or_insert_with(|| text.clone()), &text);
        };
        let trace = view.told(id, &mut |told| match told {
            Told::Resource(number, resource) => same(0, number, format!("{resource:?}")),
            Told::Exception(value) => all.push(format!("exception {value:?}")),
            Told::Attribute(attribute) => {
                same(1, attribute.key().into(), attribute.name().into_owned());
                let value = attribute.value();
                assert_eq!(attribute.is_text(), matches!(value, Value::Text(_)));
                if let Some(number) = attribute.same() {
                    same(2, number, format!("{value:?}"));
                }
                all.push(format!("{} {value:?}", attribute.name()));
            }
        });
        assert_eq!(trace, view.trace(id));
        all.sort();
        all
    }

    #[test]
    fn what_is_told_of_a_trace_is_what_its_spans_hold() {
        let shape = Shape { turnover: 30, ..Shape::default() };
        for sealing in [Sealing::Never, Sealing::Inline(500)] {
            let (mut writer, reader) = open(Options { sealing, ..Options::new(u64::MAX) }, TraceNotes::default());
            for body in Load::new(shape).take(12) {
                writer.insert_spans(SourceId(0), &body, Timestamp(1)).unwrap();
            }
            let odd = Attribute { key: "odd".into(), value: Value::Array(vec![Value::Int(1), Value::Bool(true)]) };
            let span = crate::model::Span {
                trace_id: TraceId([7; 16]),
                span_id: crate::model::SpanId([7; 8]),
                attributes: vec![odd.clone(), odd],
                ..crate::model::Span::default()
            };
            writer.insert_spans(SourceId(0), &encode::spans(&[span]), Timestamp(1)).unwrap();
            writer.publish();
            let view = reader.view().for_many();
            let mut known = <[HashMap<u64, String>; 3]>::default();
            for id in view.traces() {
                let mut whole = Vec::new();
                for span in view.spans(id).unwrap() {
                    whole.extend(span.attributes.iter().map(|one| format!("{} {:?}", one.key.lossy(), one.value)));
                    let exceptions = span.events.iter().filter(|event| event.name == *"exception");
                    let kinds =
                        exceptions.flat_map(|event| &event.attributes).filter(|one| one.key == *"exception.type");
                    whole.extend(kinds.map(|one| format!("exception {:?}", one.value)));
                }
                whole.sort();
                assert_eq!(told(&view, id, &mut known), whole);
            }
            assert!(known.iter().all(|known| known.len() > 9), "{known:?}");
        }
    }
}

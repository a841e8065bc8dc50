//! The selection by any text of a span.

use super::block::{Memo, passes};
use super::read_row::Stored;
use super::segment::RowRef;
use super::word::Slot;
use super::{Block, Rows, ValueRef};
use crate::otlp::{AttributeValue, peek};

impl Block<'_> {
    /// Rows where any text passes `test`: name, service, status message, attribute keys and text values of span,
    /// scope and resource, event names and the text values of events.
    #[must_use]
    pub fn select_text(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let bytes = |bytes: &[u8]| test(&String::from_utf8_lossy(bytes));
        let names = self.select_name(test).or(&self.select_service(test));
        let origins = self.select_origin(&|row| origin_has(row, test));
        let rare = self.select_extra(&|row| {
            bytes(row.status_message())
                || row.events().any(|event| bytes(peek::event_name(event)) || any(peek::event_attributes(event), test))
        });
        let found = names.or(&origins).or(&rare);
        let rest = self.all().minus(&found);
        found.or(&self.own_text(rest, test))
    }

    /// The rows among `rows` with such a text among the span's own keys and values.
    fn own_text(&self, rows: Rows, test: &dyn Fn(&str) -> bool) -> Rows {
        let words = &self.segment.words;
        let (mut shapes, mut values) = (Memo::default(), Memo::default());
        let is_text = |value: ValueRef<'_>| matches!(value, ValueRef::Text(text) if test(text));
        rows.filter(|row| {
            let row_ref = self.row_ref(row);
            let shape = row_ref.chunk.shape[row];
            let key = |key: u32| test(&String::from_utf8_lossy(words.get(key)));
            shapes.ask(shape, || self.segment.keys(shape).into_iter().any(key))
                || row_ref.chunk.values(row).iter().any(|word| match word.slot() {
                    Slot::Known(_) | Slot::Text(_) => self.passes(row, *word, &mut values, &is_text),
                    _ => false,
                })
                || any(peek::resource_attributes(row_ref.more()), test)
        })
    }
}

fn origin_has(row: RowRef<'_>, test: &dyn Fn(&str) -> bool) -> bool {
    let scope = row.scope().0;
    any(peek::resource_attributes(row.resource().0), test)
        || any(peek::scope_attributes(scope), test)
        || test(&String::from_utf8_lossy(peek::scope_name(scope)))
}

/// Whether a key or a text value passes.
fn any(mut attributes: peek::Attributes<'_>, test: &dyn Fn(&str) -> bool) -> bool {
    attributes.any(|(key, value, _)| {
        test(&String::from_utf8_lossy(key))
            || match value {
                AttributeValue::Text(_) => {
                    passes(Stored::Plain(value), &|value| matches!(value, ValueRef::Text(text) if test(text)))
                }
                _ => false,
            }
    })
}

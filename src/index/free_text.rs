//! The selection by any text of a span.

use super::block::{Memo, part_of, passes, word_passes};
use super::extras::{self, Extra};
use super::read_row::{Stored, lossy};
use super::sealed::{Cell, Sought};
use super::segment::Form;
use super::sift::Sifted;
use super::word::Word;
use super::{Block, Rows, ValueRef};
use crate::otlp::{AttributeValue, peek};

impl Block<'_> {
    /// Rows where any text passes `test`: name, service, status message, attribute keys and text values of span,
    /// scope and resource, event names and the text values of events.
    #[must_use]
    pub fn select_text(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        self.select_text_with("", test)
    }

    /// The same where every text that passes has `text` in it, ASCII letters of either case taken as equal: texts
    /// without it may not be asked about.
    #[must_use]
    pub fn select_text_with(&self, text: &str, test: &dyn Fn(&str) -> bool) -> Rows {
        let part = part_of(text);
        let bytes = |bytes: &[u8]| test(&lossy(bytes));
        let names = self.select_name(test).or(&self.select_service(test));
        let resource_has = |resource: &[u8]| any(peek::resource_attributes(resource), test);
        let origins = self.select_origin(&resource_has, &|scope| scope_has(scope, test));
        let without = test("");
        let rare = self.select_extras(&part, &|row| {
            let mut message: &[u8] = &[];
            let in_events = extras::iter(row).any(|(extra, event)| match extra {
                Extra::Event => bytes(peek::event_name(event)) || any(peek::event_attributes(event), test),
                Extra::StatusMessage => {
                    message = event;
                    false
                }
                _ => false,
            });
            in_events || if message.is_empty() { without } else { bytes(message) }
        });
        let found = names.or(&origins).or(&rare);
        let own = self.own_text(&found, &part, test);
        found.or(&own)
    }

    /// The rows but for `found` with such a text among the span's own keys and values.
    fn own_text(&self, found: &Rows, part: &str, test: &dyn Fn(&str) -> bool) -> Rows {
        let words = &self.segment.words;
        let (mut shapes, mut values) = (Memo::default(), Memo::default());
        let is_text = |value: ValueRef<'_>| matches!(value, ValueRef::Text(text) if test(text));
        let mut has_key = |shape: u32| {
            let key = |key: u32| test(&lossy(words.get(key)));
            shapes.ask(shape, || self.segment.keys(shape).into_iter().any(key))
        };
        match &self.piece.form {
            Form::Sealed(sealed) => {
                let keys = sealed.select_class(&mut |class| has_key(sealed.shape_of(class)));
                let mut passes = |cell: Cell<'_>| match cell {
                    Cell::Beyond(more) => any(peek::resource_attributes(more), test),
                    Cell::Plain(word) | Cell::Text(word, _) | Cell::Bytes(word, _) => {
                        word.is_text() && self.cell_passes(cell, &mut values, &is_text)
                    }
                    Cell::Wide(..) => false,
                };
                let sought = Sought { part, texts: true, any: false };
                let own = sealed.select_values(&sought, &mut |_, columns| (0..columns).collect(), &mut passes);
                keys.or(&own).without(&self.piece.dead)
            }
            Form::Hot(chunk) => {
                let sifted = Sifted::new(chunk, part);
                self.all().minus(found).filter(|row| {
                    let row_ref = self.row_ref(chunk, row);
                    let mut passes = |word: &Word| {
                        word.is_text()
                            && sifted.may_pass(chunk, *word)
                            && word_passes(row_ref, *word, &mut values, &is_text)
                    };
                    has_key(chunk.shape[row])
                        || chunk.values(row).iter().any(&mut passes)
                        || any(peek::resource_attributes(row_ref.more()), test)
                })
            }
        }
    }
}

fn scope_has(scope: &[u8], test: &dyn Fn(&str) -> bool) -> bool {
    any(peek::scope_attributes(scope), test) || test(&lossy(peek::scope_name(scope)))
}

/// Whether a key or a text value passes.
fn any(mut attributes: peek::Attributes<'_>, test: &dyn Fn(&str) -> bool) -> bool {
    attributes.any(|(key, value, _)| {
        test(&lossy(key))
            || match value {
                AttributeValue::Text(_) => {
                    passes(Stored::Plain(value), &|value| matches!(value, ValueRef::Text(text) if test(text)))
                }
                _ => false,
            }
    })
}

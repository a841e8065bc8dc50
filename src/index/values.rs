//! The values under a key, row by row: for what is worked out from values instead of asked of them.

use std::cell::RefCell;

use super::block::{Memo, passes};
use super::chunk::narrow;
use super::extras::{self, Extra};
use super::read_row::Stored;
use super::sealed::Cell;
use super::segment::Form;
use super::word::Slot;
use super::{Block, Place, ValueRef};
use crate::otlp::{AttributeValue, peek};

/// Takes the value of a row.
type Each<'e> = &'e RefCell<dyn FnMut(u32, ValueRef<'_>) + 'e>;

/// Values under one key, each with its message.
type Told<'a> = Vec<(AttributeValue<'a>, &'a [u8])>;

impl Block<'_> {
    /// Calls `each` with every value under `key` at `place` and its row: those of one row in the order in which they were
    /// sent, rows in any order. Rows that no longer count may be among them.
    pub fn each_value(&self, key: &str, place: Place, each: &mut dyn FnMut(u32, ValueRef<'_>)) {
        let each = RefCell::new(|row: u32, value: ValueRef<'_>| each(row, value));
        match place {
            Place::Span => self.each_own_value(key, &each),
            Place::Resource | Place::Scope => self.each_origin_value(key, place, &each),
            Place::Event | Place::Link => self.each_extra_value(key, place, &each),
        }
    }

    fn each_extra_value(&self, key: &str, place: Place, each: Each<'_>) {
        let wanted = if place == Place::Event { Extra::Event } else { Extra::Link };
        let look = |row: u32, extras: &[u8]| {
            for (_, bytes) in extras::iter(extras).filter(|(extra, _)| *extra == wanted) {
                let attributes = match place {
                    Place::Event => peek::event_attributes(bytes),
                    _ => peek::link_attributes(bytes),
                };
                give_all(attributes, (row, key), each);
            }
        };
        match &self.piece.form {
            Form::Hot(chunk) => {
                chunk.extra_rows.iter().for_each(|(row, _)| look(*row, self.row_ref(chunk, *row as usize).extras()));
            }
            Form::Sealed(sealed) => sealed.each_extras((wanted, key), &mut |row, extras| look(row, extras)),
        }
    }

    fn each_own_value(&self, key: &str, each: Each<'_>) {
        match &self.piece.form {
            Form::Hot(chunk) => {
                let mut places: Vec<Option<Vec<u32>>> = vec![None; self.segment.shapes.len() as usize];
                for at in 0..chunk.rows() {
                    let shape = chunk.shape[at];
                    let row = self.row_ref(chunk, at);
                    let known = places
                        .get_mut(shape as usize)
                        .map(|known| known.get_or_insert_with(|| self.places_of(&[key], shape).into_vec()));
                    let words = chunk.values(at);
                    for word in
                        known.iter().flat_map(|known| known.iter()).filter_map(|place| words.get(*place as usize))
                    {
                        give(row.stored(*word), narrow(at), each);
                    }
                    give_all(peek::resource_attributes(row.more()), (narrow(at), key), each);
                }
            }
            Form::Sealed(sealed) => {
                let mut wanted = |shape, columns| {
                    let mut places = self.places_of(&[key], shape).into_vec();
                    let depth = self.segment.shapes.get(shape).map_or(0, |shape| shape.depth);
                    places.extend(depth..columns);
                    places
                };
                let mut memo = Memo::default();
                sealed.each_cell(&mut wanted, &mut |row, cell| match cell {
                    Cell::Beyond(more) => give_all(peek::resource_attributes(more), (row, key), each),
                    Cell::Plain(word) => match word.slot() {
                        Slot::Known(id) => {
                            give(Stored::Plain(AttributeValue::Text(self.segment.words.get(id))), row, each);
                        }
                        _ => self.give_cell(row, cell, &mut memo, each),
                    },
                    cell => self.give_cell(row, cell, &mut memo, each),
                });
            }
        }
    }

    /// A cell that is no word of the dictionary: nothing is remembered of it.
    fn give_cell(&self, row: u32, cell: Cell<'_>, memo: &mut Memo, each: Each<'_>) {
        self.cell_passes(cell, memo, &|value| {
            each.borrow_mut()(row, value);
            false
        });
    }

    fn each_origin_value(&self, key: &str, place: Place, each: Each<'_>) {
        let segment = self.segment;
        // Read once for each origin: rows share them.
        let mut known: Vec<Option<Told<'_>>> = Vec::new();
        known.resize_with(segment.origins.len() as usize, || None);
        let read = |origin: u32| {
            let Some(origin) = segment.origins.get(origin) else { return Vec::new() };
            let attributes = if place == Place::Resource {
                peek::resource_attributes(super::segment::unpack(segment.resources.get(origin.resource)).0)
            } else {
                peek::scope_attributes(super::segment::unpack(segment.scopes.get(origin.scope)).0)
            };
            let under = attributes.filter(|(own, ..)| *own == key.as_bytes());
            under.map(|(_, value, message)| (value, message)).collect()
        };
        let mut look = |row: u32, origin: u32| {
            let Some(known) = known.get_mut(origin as usize) else { return };
            for (value, message) in known.get_or_insert_with(|| read(origin)) {
                give_one(*value, message, (row, each));
            }
        };
        match &self.piece.form {
            Form::Hot(chunk) => (0..).zip(&chunk.origin).for_each(|(row, origin)| look(row, *origin)),
            Form::Sealed(sealed) => sealed.each_row_class(&mut |row, class| look(row, class.origin)),
        }
    }
}

fn give(stored: Stored<'_>, row: u32, each: Each<'_>) {
    passes(stored, &|value| {
        each.borrow_mut()(row, value);
        false
    });
}

fn give_all(attributes: peek::Attributes<'_>, (row, wanted): (u32, &str), each: Each<'_>) {
    for (_, value, message) in attributes.filter(|(key, ..)| *key == wanted.as_bytes()) {
        give_one(value, message, (row, each));
    }
}

fn give_one(value: AttributeValue<'_>, message: &[u8], (row, each): (u32, Each<'_>)) {
    match value {
        AttributeValue::Composite(_) => give(Stored::Message(message), row, each),
        value => give(Stored::Plain(value), row, each),
    }
}

//! The values under a key, row by row: for what is worked out from values instead of asked of them.

use std::cell::RefCell;

use super::block::{Memo, passes};
use super::chunk::narrow;
use super::extras::{self, Extra};
use super::read_row::Stored;
use super::sealed::Cell;
use super::segment::Form;
use super::word::Slot;
use super::{Block, Place, Rows, ValueRef};
use crate::otlp::{AttributeValue, peek};

/// Takes the value of a row.
type Each<'e> = &'e RefCell<dyn FnMut(u32, ValueRef<'_>) + 'e>;

/// Values under one key, each with its message.
type Told<'a> = Vec<(AttributeValue<'a>, &'a [u8])>;

/// Stands for a word that was not asked about yet.
const UNASKED: u32 = u32::MAX;

impl Block<'_> {
    /// Calls `each` with every value under `key` at `place` that rows have among some, and its row: in order of rows, those
    /// of one row in the order in which they were sent.
    pub fn each_value(&self, (key, place): (&str, Place), among: &Rows, each: &mut dyn FnMut(u32, ValueRef<'_>)) {
        let each = RefCell::new(|row: u32, value: ValueRef<'_>| each(row, value));
        match place {
            Place::Span => self.each_own_value(key, among, &each),
            Place::Resource | Place::Scope => self.each_origin_value((key, place), among, &each),
            Place::Event | Place::Link => self.each_extra_value((key, place), among, &each),
        }
    }

    /// Whether no row has several values under `key` on its span, as far as that is easily told.
    #[must_use]
    pub fn is_single(&self, key: &str) -> bool {
        match &self.piece.form {
            Form::Hot(_) => false,
            Form::Sealed(sealed) => sealed.is_single(&mut |shape, columns| self.columns_of(key, (shape, columns))),
        }
    }

    /// By row: what `whole` makes of the value under `key` of its span, `none` where there is none or `whole` says none.
    /// `None` where some row may have several, or some value is not a small number or a text that many share.
    #[must_use]
    pub fn wholes(&self, key: &str, none: i64, whole: &mut dyn FnMut(ValueRef<'_>) -> Option<i64>) -> Option<Vec<i64>> {
        let Form::Sealed(sealed) = &self.piece.form else { return None };
        let mut memo = Memo::default();
        let whole = RefCell::new(whole);
        let mut wanted = |shape, columns| self.columns_of(key, (shape, columns));
        sealed.wholes(&mut wanted, none, &mut |word| {
            let number = std::cell::Cell::new(None);
            self.tell(Cell::Plain(word), &mut memo, &|value| number.set((whole.borrow_mut())(value)));
            number.get()
        })
    }

    /// Calls `each` with the values under `key` of these rows' spans, in order of rows, where no row has several and none is
    /// a text of its own: answers whether it is so, otherwise nothing is given.
    pub fn each_plain(&self, key: &str, among: &Rows, each: &mut dyn FnMut(u32, ValueRef<'_>)) -> bool {
        let Form::Sealed(sealed) = &self.piece.form else { return false };
        let mut memo = Memo::default();
        let each = RefCell::new(each);
        let mut wanted = |shape, columns| self.columns_of(key, (shape, columns));
        sealed.each_plain(among, &mut wanted, &mut |row, cell| match cell {
            Cell::Plain(word) if let Slot::Small(small) = word.slot() => {
                each.borrow_mut()(row, ValueRef::Int(i64::from(small)));
            }
            cell => self.tell(cell, &mut memo, &|value| each.borrow_mut()(row, value)),
        })
    }

    /// Gives the value of a cell. Of texts that many share what came of them is not remembered: that would not be told again.
    fn tell(&self, cell: Cell<'_>, memo: &mut Memo, take: &dyn Fn(ValueRef<'_>)) {
        let take = |value: ValueRef<'_>| {
            take(value);
            false
        };
        match cell {
            Cell::Plain(word) if let Slot::Known(id) = word.slot() => {
                passes(Stored::Plain(AttributeValue::Text(self.segment.words.get(id))), &take);
            }
            cell => {
                self.cell_passes(cell, memo, &take);
            }
        }
    }

    /// Gives each of these rows that has none yet (0) the code of its first value under `key` at `place`; `code` is asked
    /// once for values that many rows share, 0 stands for no value.
    pub fn codes(
        &self,
        (key, place): (&str, Place),
        (among, of): (&Rows, &mut [u32]),
        code: &mut dyn FnMut(ValueRef<'_>) -> u32,
    ) {
        match (place, &self.piece.form) {
            (Place::Resource | Place::Scope, _) => self.codes_of_origins((key, place), of, code),
            (Place::Span, Form::Sealed(sealed)) => {
                let mut known: Vec<u32> = Vec::new();
                let mut memo = Memo::default();
                let mut wanted = |shape, columns| self.columns_of(key, (shape, columns));
                sealed.each_cell(among, &mut wanted, &mut |row, cell| {
                    let Some(of) = of.get_mut(row as usize).filter(|of| **of == 0) else { return };
                    let word = match cell {
                        Cell::Plain(word) => match word.slot() {
                            Slot::Known(id) => Some(id as usize),
                            _ => None,
                        },
                        _ => None,
                    };
                    if let Some(known) = word.and_then(|id| known.get(id)).filter(|known| **known != UNASKED) {
                        *of = *known;
                        return;
                    }
                    let asked = RefCell::new(|_: u32, value: ValueRef<'_>| {
                        if *of == 0 {
                            *of = code(value);
                        }
                    });
                    self.give_any((row, key), cell, &mut memo, &asked);
                    if let Some(id) = word {
                        if known.len() <= id {
                            known.resize((id + 1).next_power_of_two(), UNASKED);
                        }
                        known[id] = *of;
                    }
                });
            }
            _ => self.each_value((key, place), among, &mut |row, value| {
                if let Some(of) = of.get_mut(row as usize).filter(|of| **of == 0) {
                    *of = code(value);
                }
            }),
        }
    }

    fn codes_of_origins(&self, (key, place): (&str, Place), of: &mut [u32], code: &mut dyn FnMut(ValueRef<'_>) -> u32) {
        let mut known: Vec<Option<u32>> = vec![None; self.segment.origins.len() as usize];
        let mut code_of = |origin: u32| {
            let Some(known) = known.get_mut(origin as usize) else { return 0 };
            *known.get_or_insert_with(|| {
                let mut first = 0;
                for (value, message) in self.told_by_origin((key, place), origin) {
                    let asked = RefCell::new(|_: u32, value: ValueRef<'_>| {
                        if first == 0 {
                            first = code(value);
                        }
                    });
                    give_one(value, message, (0, &asked));
                }
                first
            })
        };
        match &self.piece.form {
            Form::Hot(chunk) => {
                for (of, origin) in of.iter_mut().zip(&chunk.origin).filter(|(of, _)| **of == 0) {
                    *of = code_of(*origin);
                }
            }
            Form::Sealed(sealed) => sealed.map_class(&mut |class| code_of(class.origin), of),
        }
    }

    /// The code of each row's service: of the last `service.name` of its resource, `None` where that is no text.
    pub fn service_codes(&self, of: &mut [u32], code: &mut dyn FnMut(Option<&str>) -> u32) {
        let mut known: Vec<Option<u32>> = vec![None; self.segment.origins.len() as usize];
        let mut code_of = |origin: u32| {
            let Some(known) = known.get_mut(origin as usize) else { return 0 };
            *known.get_or_insert_with(|| {
                let last = self.told_by_origin(("service.name", Place::Resource), origin).pop();
                match last {
                    Some((AttributeValue::Text(text), _)) => code(Some(&super::read_row::lossy(text))),
                    _ => code(None),
                }
            })
        };
        of.fill(0);
        match &self.piece.form {
            Form::Hot(chunk) => of.iter_mut().zip(&chunk.origin).for_each(|(of, origin)| *of = code_of(*origin)),
            Form::Sealed(sealed) => sealed.map_class(&mut |class| code_of(class.origin), of),
        }
    }

    /// The values under a key that the resource or the scope of an origin has.
    fn told_by_origin(&self, (key, place): (&str, Place), origin: u32) -> Told<'_> {
        let segment = self.segment;
        let Some(origin) = segment.origins.get(origin) else { return Vec::new() };
        let attributes = if place == Place::Resource {
            peek::resource_attributes(super::segment::unpack(segment.resources.get(origin.resource)).0)
        } else {
            peek::scope_attributes(super::segment::unpack(segment.scopes.get(origin.scope)).0)
        };
        let under = attributes.filter(|(own, ..)| *own == key.as_bytes());
        under.map(|(_, value, message)| (value, message)).collect()
    }

    /// The columns that may have values under a key: by shape and how many values it has.
    fn columns_of(&self, key: &str, (shape, columns): (u32, u32)) -> Vec<u32> {
        let mut places = self.places_of(&[key], shape).into_vec();
        let depth = self.segment.shapes.get(shape).map_or(0, |shape| shape.depth);
        places.extend(depth..columns);
        places
    }

    /// Gives the values of a cell, which may hold several.
    fn give_any(&self, (row, key): (u32, &str), cell: Cell<'_>, memo: &mut Memo, each: Each<'_>) {
        match cell {
            Cell::Beyond(more) => give_all(peek::resource_attributes(more), (row, key), each),
            Cell::Plain(word) => match word.slot() {
                Slot::Small(small) => each.borrow_mut()(row, ValueRef::Int(i64::from(small))),
                Slot::Known(id) => give(Stored::Plain(AttributeValue::Text(self.segment.words.get(id))), row, each),
                _ => self.give_cell(row, cell, memo, each),
            },
            cell => self.give_cell(row, cell, memo, each),
        }
    }

    fn each_extra_value(&self, (key, place): (&str, Place), among: &Rows, each: Each<'_>) {
        let wanted = if place == Place::Event { Extra::Event } else { Extra::Link };
        let look = |row: u32, extras: &[u8]| {
            if !among.has(row) {
                return;
            }
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

    fn each_own_value(&self, key: &str, among: &Rows, each: Each<'_>) {
        match &self.piece.form {
            Form::Hot(chunk) => {
                let mut places: Vec<Option<Vec<u32>>> = vec![None; self.segment.shapes.len() as usize];
                for at in among.iter().map(|row| row as usize).take_while(|row| *row < chunk.rows()) {
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
                let mut memo = Memo::default();
                let mut wanted = |shape, columns| self.columns_of(key, (shape, columns));
                sealed.each_cell(among, &mut wanted, &mut |row, cell| {
                    self.give_any((row, key), cell, &mut memo, each);
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

    fn each_origin_value(&self, (key, place): (&str, Place), among: &Rows, each: Each<'_>) {
        // Read once for each origin: rows share them.
        let mut known: Vec<Option<Told<'_>>> = Vec::new();
        known.resize_with(self.segment.origins.len() as usize, || None);
        let mut look = |row: u32, origin: u32| {
            let Some(known) = known.get_mut(origin as usize).filter(|_| among.has(row)) else { return };
            for (value, message) in known.get_or_insert_with(|| self.told_by_origin((key, place), origin)) {
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

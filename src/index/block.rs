//! A run of rows that can be scanned, and the selections on it.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Rows;
use super::chunk::{Bounds, Chunk, ODD_STATUS, narrow};
use super::extras::{self, Extra};
use super::read_row::{Stored, lossy, number};
use super::sealed::{Cell, Sought};
use super::segment::{Form, Operation, Piece, RowRef, Segment};
use super::sift::Sifted;
use super::view::State;
use super::word::{Fixed, Slot, Word};
use crate::model::{Kind, Nanos, SpanId, SpanKey, StatusCode, Timestamp, TraceId, Value};
use crate::otlp::{AttributeValue, decode, peek};

/// Where an attribute may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the span itself.
    Span,
    /// On its instrumentation scope.
    Scope,
    /// On its resource.
    Resource,
    /// On one of its events.
    Event,
    /// On one of its links.
    Link,
}

/// A borrowed attribute value, as predicates see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// Nothing set.
    Empty,
    /// A string (lossy UTF-8).
    Text(&'a str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An array or a map.
    Composite(&'a Value),
}

/// A run of rows that can be scanned: a chunk or a sealed block of a [`super::View`].
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The publication it belongs to.
    pub(super) state: &'a State,
    /// The dictionaries.
    pub(super) segment: &'a Segment,
    /// The rows.
    pub(super) piece: &'a Piece,
}

/// A question about values.
pub(super) type ValueTest<'t> = &'t dyn Fn(ValueRef<'_>) -> bool;

/// Answers by small number, each worked out when first needed.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// 0: not asked yet; 1: no; 2: yes.
    answers: Vec<u8>,
}

impl Memo {
    /// The answer for `place`.
    pub(super) fn ask(&mut self, place: u32, work_out: impl FnOnce() -> bool) -> bool {
        let place = place as usize;
        if self.answers.len() <= place {
            self.answers.resize((place + 1).next_power_of_two(), 0);
        }
        if self.answers[place] == 0 {
            self.answers[place] = 1 + u8::from(work_out());
        }
        self.answers[place] == 2
    }
}

impl<'a> Block<'a> {
    /// How many rows it has, dead ones included: row numbers are below this.
    #[must_use]
    pub fn rows(&self) -> u32 {
        narrow(self.piece.rows())
    }

    /// A row of a chunk of this block's segment.
    pub(super) fn row_ref<'c>(&self, chunk: &'c Chunk, row: usize) -> RowRef<'c>
    where
        'a: 'c,
    {
        RowRef { segment: self.segment, chunk, row }
    }

    fn select(&self, test: impl FnMut(usize) -> bool) -> Rows {
        self.live(Rows::of(self.piece.rows(), test))
    }

    /// Of these rows those that count.
    fn live(&self, rows: Rows) -> Rows {
        rows.without(&self.piece.dead)
    }

    /// Every live row: superseded duplicates and evicted traces are not in it. All selections below are subsets.
    #[must_use]
    pub fn all(&self) -> Rows {
        self.live(Rows::all(self.piece.rows()))
    }

    fn bounds(&self) -> Bounds {
        match &self.piece.form {
            Form::Hot(chunk) => chunk.bounds,
            Form::Sealed(sealed) => sealed.bounds(),
        }
    }

    /// Rows whose duration (0 where a span ends before it starts) is within `least..=most`.
    #[must_use]
    pub fn select_duration(&self, least: Nanos, most: Nanos) -> Rows {
        let bounds = self.bounds().duration;
        if bounds.1 < least.0 || bounds.0 > most.0 || least > most {
            return Rows::none(self.piece.rows());
        }
        match &self.piece.form {
            Form::Sealed(sealed) => self.live(sealed.select_duration(least.0, most.0)),
            Form::Hot(chunk) => {
                let (start, end) = (&chunk.start, &chunk.end);
                self.select(|row| (least.0..=most.0).contains(&end[row].saturating_sub(start[row])))
            }
        }
    }

    /// Rows that start within `from..=to`.
    #[must_use]
    pub fn select_start(&self, from: Timestamp, to: Timestamp) -> Rows {
        let bounds = self.bounds().start;
        if bounds.1 < from.0 || bounds.0 > to.0 {
            return Rows::none(self.piece.rows());
        }
        match &self.piece.form {
            Form::Sealed(sealed) => self.live(sealed.select_start(from.0, to.0)),
            Form::Hot(chunk) => self.select(|row| (from.0..=to.0).contains(&chunk.start[row])),
        }
    }

    /// Rows of this kind.
    #[must_use]
    pub fn select_kind(&self, kind: Kind) -> Rows {
        self.narrow_operation(self.all(), &|operation| operation.kind == kind.0)
    }

    /// Rows with this status.
    #[must_use]
    pub fn select_status(&self, status: StatusCode) -> Rows {
        let code = u8::try_from(status.0).ok().filter(|code| *code < ODD_STATUS);
        match (&self.piece.form, code) {
            (Form::Hot(chunk), Some(code)) => self.select(|row| chunk.status[row] == code),
            (Form::Hot(chunk), None) => self.select(|row| self.row_ref(chunk, row).status() == status),
            (Form::Sealed(sealed), Some(code)) => self.live(sealed.select_class(&mut |class| class.status == code)),
            (Form::Sealed(sealed), None) => {
                let odd = sealed.select_class(&mut |class| class.status == ODD_STATUS);
                let is_meant = |row: &[u8]| number(extras::first(row, Extra::StatusCode)).cast_signed() == status.0;
                self.live(if odd.is_empty() { odd } else { odd.and(&sealed.select_extras(&mut |row| is_meant(row))) })
            }
        }
    }

    /// Rows whose `service.name` passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_service(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        self.narrow_service(self.all(), test)
    }

    /// Of these rows those whose `service.name` passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn narrow_service(&self, rows: Rows, test: &dyn Fn(&str) -> bool) -> Rows {
        self.narrow_word(rows, &|operation| operation.service, test)
    }

    /// Rows whose name passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_name(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        self.narrow_name(self.all(), test)
    }

    /// Of these rows those whose name passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn narrow_name(&self, rows: Rows, test: &dyn Fn(&str) -> bool) -> Rows {
        self.narrow_word(rows, &|operation| operation.name, test)
    }

    fn narrow_word(&self, rows: Rows, word: &dyn Fn(&Operation) -> u32, test: &dyn Fn(&str) -> bool) -> Rows {
        let words = &self.segment.words;
        let memo = std::cell::RefCell::new(Memo::default());
        self.narrow_operation(rows, &|operation| {
            let word = word(operation);
            memo.borrow_mut().ask(word, || test(&lossy(words.get(word))))
        })
    }

    /// Of these live rows those whose operation passes.
    fn narrow_operation(&self, rows: Rows, test: &dyn Fn(&Operation) -> bool) -> Rows {
        let mut memo = Memo::default();
        let operations = &self.segment.operations;
        let mut passes = |place: u32| memo.ask(place, || operations.get(place).is_some_and(test));
        match &self.piece.form {
            Form::Hot(chunk) => rows.filter(|row| passes(chunk.operation[row])),
            Form::Sealed(sealed) => sealed.narrow_class(&rows, &mut |class| passes(class.operation)),
        }
    }

    /// Rows whose status message passes `test`. Rows without one are asked about with an empty text.
    #[must_use]
    pub fn select_status_message(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let without = test("");
        let passes = |message: &[u8]| match message {
            [] => without,
            message => test(&lossy(message)),
        };
        match &self.piece.form {
            Form::Hot(chunk) => self.select(|row| passes(self.row_ref(chunk, row).status_message())),
            Form::Sealed(sealed) => {
                // Those that are not as rows without a message are.
                let differ = |row: &[u8]| passes(extras::first(row, Extra::StatusMessage)) != without;
                let differ = self.live(sealed.select_extras(&mut |row| differ(row)));
                if without { self.all().minus(&differ) } else { differ }
            }
        }
    }

    /// Rows of traces whose id passes `test`; it is called once per trace and block, roughly.
    #[must_use]
    pub fn select_trace(&self, test: &dyn Fn(TraceId) -> bool) -> Rows {
        let mut last = None;
        let mut passes = |low: u32| match last {
            Some((known, answer)) if known == low => answer,
            _ => {
                let answer = test(self.state.trace_id(low));
                last = Some((low, answer));
                answer
            }
        };
        match &self.piece.form {
            Form::Hot(chunk) => self.all().filter(|row| passes(chunk.trace[row])),
            Form::Sealed(sealed) => self.live(sealed.select_trace(&mut passes)),
        }
    }

    /// Rows that carry an attribute under one of `keys` at one of `places` whose value passes `test`; it is called
    /// once per distinct value where values are kept as words.
    #[must_use]
    pub fn select_attribute(&self, keys: &[&str], places: &[Place], test: &dyn Fn(ValueRef<'_>) -> bool) -> Rows {
        self.select_attribute_with("", (keys, places), test)
    }

    /// Rows that carry an attribute under one of `keys` at one of `places`, whatever it is.
    #[must_use]
    pub fn select_present(&self, keys: &[&str], places: &[Place]) -> Rows {
        self.select_at((keys, places), &Sought { any: true, ..Sought::default() }, &|_| true)
    }

    /// The same as [`Self::select_attribute`] where every text that passes has `text` in it, ASCII letters of either case
    /// taken as equal: texts without it may not be asked about.
    #[must_use]
    pub fn select_attribute_with(
        &self,
        text: &str,
        (keys, places): (&[&str], &[Place]),
        test: &dyn Fn(ValueRef<'_>) -> bool,
    ) -> Rows {
        let part = part_of(text);
        self.select_at((keys, places), &Sought { part: &part, ..Sought::default() }, test)
    }

    fn select_at(&self, (keys, places): (&[&str], &[Place]), sought: &Sought<'_>, test: ValueTest<'_>) -> Rows {
        let mut found = Rows::none(self.piece.rows());
        for place in places {
            let rows = match place {
                Place::Span => self.select_own(keys, sought, test),
                Place::Resource => {
                    self.select_origin(&|resource| any_of(peek::resource_attributes(resource), keys, test), &|_| false)
                }
                Place::Scope => {
                    self.select_origin(&|_| false, &|scope| any_of(peek::scope_attributes(scope), keys, test))
                }
                Place::Event => {
                    let passes = |event: &[u8]| any_of(peek::event_attributes(event), keys, test);
                    match &self.piece.form {
                        Form::Hot(chunk) => self.select_extra(chunk, &|row| row.events().any(passes)),
                        Form::Sealed(sealed) => self.live(sealed.select_events(keys, &mut |event| passes(event))),
                    }
                }
                Place::Link => {
                    let passes = |link: &[u8]| any_of(peek::link_attributes(link), keys, test);
                    match &self.piece.form {
                        Form::Hot(chunk) => self.select_extra(chunk, &|row| row.links().any(passes)),
                        Form::Sealed(sealed) => self.live(sealed.select_links(keys, &mut |link| passes(link))),
                    }
                }
            };
            found = found.or(&rows);
        }
        found
    }

    fn select_own(&self, keys: &[&str], sought: &Sought<'_>, test: ValueTest<'_>) -> Rows {
        let mut memo = Memo::default();
        let chunk = match &self.piece.form {
            Form::Hot(chunk) => chunk,
            Form::Sealed(sealed) => {
                let mut wanted = |shape, columns| {
                    let mut places = self.places_of(keys, shape).into_vec();
                    let depth = self.segment.shapes.get(shape).map_or(0, |shape| shape.depth);
                    places.extend(depth..columns);
                    places
                };
                let mut passes = |cell: Cell<'_>| match cell {
                    Cell::Beyond(more) => any_of(peek::resource_attributes(more), keys, test),
                    cell => self.cell_passes(cell, &mut memo, test),
                };
                return self.live(sealed.select_values(sought, &mut wanted, &mut passes));
            }
        };
        let mut places: Vec<Option<SmallVec<[u32; 4]>>> = vec![None; self.segment.shapes.len() as usize];
        let sifted = Sifted::new(chunk, sought.part);
        self.select(|row| {
            let shape = chunk.shape[row];
            let places = places[shape as usize].get_or_insert_with(|| self.places_of(keys, shape));
            if places.is_empty() && chunk.marks[row] & super::chunk::mark::MORE == 0 {
                return false;
            }
            let words = chunk.values(row);
            let row = self.row_ref(chunk, row);
            let mut words = places.iter().map(|place| words[*place as usize]);
            words.any(|word| sifted.may_pass(chunk, word) && word_passes(row, word, &mut memo, test))
                || any_of(peek::resource_attributes(row.more()), keys, test)
        })
    }

    /// Where the values of `keys` stand among those of a shape.
    pub(super) fn places_of(&self, keys: &[&str], shape: u32) -> SmallVec<[u32; 4]> {
        let words = &self.segment.words;
        let list = self.segment.keys(shape);
        let places = (0..).zip(list);
        places.filter(|(_, key)| is_one_of(words.get(*key), keys)).map(|(place, _)| place).collect()
    }

    /// Whether the value of a sealed cell passes, remembered for words of the dictionary.
    pub(super) fn cell_passes(&self, cell: Cell<'_>, memo: &mut Memo, test: ValueTest<'_>) -> bool {
        match cell {
            Cell::Text(word, text) if matches!(word.slot(), Slot::Text(_)) => test(ValueRef::Text(text)),
            Cell::Text(word, text) => passes(stored_string(word, text.as_bytes()), test),
            Cell::Bytes(word, bytes) => passes(stored_string(word, bytes), test),
            Cell::Wide(word, number) => test(match word.slot() {
                Slot::Double(_) => ValueRef::Double(f64::from_bits(number)),
                _ => ValueRef::Int(number.cast_signed()),
            }),
            Cell::Plain(word) => match word.slot() {
                Slot::Known(id) => {
                    memo.ask(id, || passes(Stored::Plain(AttributeValue::Text(self.segment.words.get(id))), test))
                }
                Slot::Small(small) => test(ValueRef::Int(i64::from(small))),
                Slot::Fixed(Fixed::Empty) => test(ValueRef::Empty),
                Slot::Fixed(fixed) => test(ValueRef::Bool(fixed == Fixed::True)),
                _ => false,
            },
            Cell::Beyond(_) => false,
        }
    }

    /// Rows whose resource message or scope message passes, asked once for each.
    pub(super) fn select_origin(&self, resource: &dyn Fn(&[u8]) -> bool, scope: &dyn Fn(&[u8]) -> bool) -> Rows {
        let (mut resources, mut scopes) = (Memo::default(), Memo::default());
        let message = |words: &'a super::paged::Words, place| super::segment::unpack(words.get(place)).0;
        let segment = self.segment;
        let mut passes = |place: u32| {
            let origin = segment.origins.get(place);
            let (own, its_scope) = origin.map_or((0, 0), |origin| (origin.resource, origin.scope));
            resources.ask(own, || resource(message(&segment.resources, own)))
                || scopes.ask(its_scope, || scope(message(&segment.scopes, its_scope)))
        };
        match &self.piece.form {
            Form::Hot(chunk) => self.select(|row| passes(chunk.origin[row])),
            Form::Sealed(sealed) => self.live(sealed.select_class(&mut |class| passes(class.origin))),
        }
    }

    /// Rows of a chunk with extras that pass.
    pub(super) fn select_extra(&self, chunk: &Chunk, test: &dyn Fn(RowRef<'_>) -> bool) -> Rows {
        let mut rows = chunk.extra_rows.iter().map(|(row, _)| *row as usize).peekable();
        self.select(|row| rows.next_if_eq(&row).is_some() && test(self.row_ref(chunk, row)))
    }

    /// Rows whose extras pass; those without are not asked about. All that pass have `part` in them, see [`part_of`].
    pub(super) fn select_extras(&self, part: &str, test: &dyn Fn(&[u8]) -> bool) -> Rows {
        match &self.piece.form {
            Form::Hot(chunk) => self.select_extra(chunk, &|row| test(row.extras())),
            Form::Sealed(sealed) => self.live(sealed.select_extras_with(part, &mut |row| test(row))),
        }
    }

    /// The trace and key of a row.
    #[must_use]
    pub fn row(&self, row: u32) -> (TraceId, SpanKey) {
        let at = row as usize;
        match &self.piece.form {
            Form::Hot(chunk) => (self.state.trace_id(chunk.trace[at]), self.row_ref(chunk, at).key()),
            Form::Sealed(sealed) => {
                let kind = self.segment.operations.get(sealed.operation(at)).map_or(0, |operation| operation.kind);
                let key = SpanKey { id: SpanId(sealed.span_id(at)), kind: Kind(kind) };
                (self.state.trace_id(sealed.trace_of(at)), key)
            }
        }
    }

    /// When the span of a row began.
    #[must_use]
    pub fn start(&self, row: u32) -> Timestamp {
        Timestamp(match &self.piece.form {
            Form::Hot(chunk) => chunk.start[row as usize],
            Form::Sealed(sealed) => sealed.start(row as usize),
        })
    }
}

/// Whether the value of a word passes, remembered for words of the dictionary.
pub(super) fn word_passes(row: RowRef<'_>, word: Word, memo: &mut Memo, test: ValueTest<'_>) -> bool {
    match word.slot() {
        Slot::Known(id) => memo.ask(id, || passes(row.stored(word), test)),
        _ => passes(row.stored(word), test),
    }
}

fn stored_string(word: Word, bytes: &[u8]) -> Stored<'_> {
    match word.slot() {
        Slot::Message(_) => Stored::Message(bytes),
        Slot::Bytes(_) => Stored::Plain(AttributeValue::Bytes(bytes)),
        _ => Stored::Plain(AttributeValue::Text(bytes)),
    }
}

/// The longest part of `text`, in lower case, that is looked for in bytes as they are; empty where it is too short to be
/// worth it. It has neither K nor I: the Kelvin sign and the dotted capital I become those in lower case, too.
pub(super) fn part_of(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let parts = lower.split(|symbol: char| !symbol.is_ascii() || matches!(symbol, 'k' | 'i'));
    parts.max_by_key(|part| part.len()).filter(|part| part.len() > 2).unwrap_or_default().to_owned()
}

fn is_one_of(key: &[u8], keys: &[&str]) -> bool {
    keys.iter().any(|wanted| wanted.as_bytes() == key)
}

/// Whether one of the attributes under `keys` passes.
fn any_of(attributes: peek::Attributes<'_>, keys: &[&str], test: ValueTest<'_>) -> bool {
    let mut under = attributes.filter(|(key, ..)| is_one_of(key, keys));
    under.any(|(_, value, message)| match value {
        AttributeValue::Composite(_) => passes(Stored::Message(message), test),
        value => passes(Stored::Plain(value), test),
    })
}

/// Whether a value passes.
pub(super) fn passes(stored: Stored<'_>, test: ValueTest<'_>) -> bool {
    match stored {
        Stored::Plain(AttributeValue::Empty) => test(ValueRef::Empty),
        Stored::Plain(AttributeValue::Text(text)) => match lossy(text) {
            Cow::Borrowed(text) => test(ValueRef::Text(text)),
            Cow::Owned(text) => test(ValueRef::Text(&text)),
        },
        Stored::Plain(AttributeValue::Bool(truth)) => test(ValueRef::Bool(truth)),
        Stored::Plain(AttributeValue::Int(number)) => test(ValueRef::Int(number)),
        Stored::Plain(AttributeValue::Double(number)) => test(ValueRef::Double(number)),
        Stored::Plain(AttributeValue::Bytes(bytes)) => test(ValueRef::Bytes(bytes)),
        Stored::Plain(AttributeValue::Composite(message)) => value_passes(&decode::value(message), test),
        Stored::Message(message) => value_passes(&decode::attribute(message).value, test),
    }
}

fn value_passes(value: &Value, test: ValueTest<'_>) -> bool {
    match value {
        Value::Empty => test(ValueRef::Empty),
        Value::Text(text) => test(ValueRef::Text(&text.lossy())),
        Value::Bool(truth) => test(ValueRef::Bool(*truth)),
        Value::Int(number) => test(ValueRef::Int(*number)),
        Value::Double(number) => test(ValueRef::Double(*number)),
        Value::Bytes(bytes) => test(ValueRef::Bytes(bytes)),
        Value::Array(_) | Value::Map(_) => test(ValueRef::Composite(value)),
    }
}

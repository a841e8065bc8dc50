//! A run of rows that can be scanned, and the selections on it.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Rows;
use super::chunk::{Chunk, narrow};
use super::read_row::Stored;
use super::segment::{Piece, RowRef, Segment};
use super::view::State;
use super::word::{Slot, Word};
use crate::model::{Kind, Nanos, SpanKey, StatusCode, Timestamp, TraceId, Value};
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

impl Block<'_> {
    fn chunk(&self) -> &Chunk {
        &self.piece.chunk
    }

    /// How many rows it has, dead ones included: row numbers are below this.
    #[must_use]
    pub fn rows(&self) -> u32 {
        narrow(self.chunk().rows())
    }

    pub(super) fn row_ref(&self, row: usize) -> RowRef<'_> {
        RowRef { segment: self.segment, chunk: self.chunk(), row }
    }

    fn select(&self, test: impl FnMut(usize) -> bool) -> Rows {
        Rows::of(self.chunk().rows(), test).without(&self.piece.dead)
    }

    /// Every live row: superseded duplicates and evicted traces are not in it. All selections below are subsets.
    #[must_use]
    pub fn all(&self) -> Rows {
        self.select(|_| true)
    }

    /// Rows whose duration (0 where a span ends before it starts) is within `least..=most`.
    #[must_use]
    pub fn select_duration(&self, least: Nanos, most: Nanos) -> Rows {
        let bounds = self.chunk().bounds.duration;
        if bounds.1 < least.0 || bounds.0 > most.0 {
            return Rows::none(self.chunk().rows());
        }
        let (start, end) = (&self.chunk().start, &self.chunk().end);
        self.select(|row| (least.0..=most.0).contains(&end[row].saturating_sub(start[row])))
    }

    /// Rows that start within `from..=to`.
    #[must_use]
    pub fn select_start(&self, from: Timestamp, to: Timestamp) -> Rows {
        let bounds = self.chunk().bounds.start;
        if bounds.1 < from.0 || bounds.0 > to.0 {
            return Rows::none(self.chunk().rows());
        }
        let start = &self.chunk().start;
        self.select(|row| (from.0..=to.0).contains(&start[row]))
    }

    /// Rows of this kind.
    #[must_use]
    pub fn select_kind(&self, kind: Kind) -> Rows {
        self.select_operation(&|operation| operation.kind == kind.0)
    }

    /// Rows with this status.
    #[must_use]
    pub fn select_status(&self, status: StatusCode) -> Rows {
        let column = &self.chunk().status;
        match u8::try_from(status.0) {
            Ok(code) if code < super::chunk::ODD_STATUS => self.select(|row| column[row] == code),
            _ => self.select(|row| self.row_ref(row).status() == status),
        }
    }

    /// Rows whose `service.name` passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_service(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let words = &self.segment.words;
        let memo = std::cell::RefCell::new(Memo::default());
        self.select_operation(&|operation| {
            let text = || test(&String::from_utf8_lossy(words.get(operation.service)));
            memo.borrow_mut().ask(operation.service, text)
        })
    }

    /// Rows whose name passes `test`; it is called once per distinct name.
    #[must_use]
    pub fn select_name(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let words = &self.segment.words;
        let memo = std::cell::RefCell::new(Memo::default());
        self.select_operation(&|operation| {
            memo.borrow_mut().ask(operation.name, || test(&String::from_utf8_lossy(words.get(operation.name))))
        })
    }

    fn select_operation(&self, test: &dyn Fn(&super::segment::Operation) -> bool) -> Rows {
        let mut memo = Memo::default();
        let column = &self.chunk().operation;
        let operations = &self.segment.operations;
        self.select(|row| memo.ask(column[row], || operations.get(column[row]).is_some_and(test)))
    }

    /// Rows whose status message passes `test`. Rows without one are asked about with an empty text.
    #[must_use]
    pub fn select_status_message(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let without = test("");
        self.select(|row| match self.row_ref(row).status_message() {
            [] => without,
            message => test(&String::from_utf8_lossy(message)),
        })
    }

    /// Rows of traces whose id passes `test`; it is called once per trace and block, roughly.
    #[must_use]
    pub fn select_trace(&self, test: &dyn Fn(TraceId) -> bool) -> Rows {
        let mut last = None;
        let column = &self.chunk().trace;
        self.all().filter(|row| match last {
            Some((low, answer)) if low == column[row] => answer,
            _ => {
                let answer = test(self.state.trace_id(column[row]));
                last = Some((column[row], answer));
                answer
            }
        })
    }

    /// Rows that carry an attribute under one of `keys` at one of `places` whose value passes `test`; it is called
    /// once per distinct value where values are kept as words.
    #[must_use]
    pub fn select_attribute(&self, keys: &[&str], places: &[Place], test: &dyn Fn(ValueRef<'_>) -> bool) -> Rows {
        let mut found = Rows::none(self.chunk().rows());
        for place in places {
            let rows = match place {
                Place::Span => self.select_own(keys, test),
                Place::Resource => {
                    self.select_origin(&|row| any_of(peek::resource_attributes(row.resource().0), keys, test))
                }
                Place::Scope => self.select_origin(&|row| any_of(peek::scope_attributes(row.scope().0), keys, test)),
                Place::Event => self
                    .select_extra(&|row| row.events().any(|event| any_of(peek::event_attributes(event), keys, test))),
                Place::Link => {
                    self.select_extra(&|row| row.links().any(|link| any_of(peek::link_attributes(link), keys, test)))
                }
            };
            found = found.or(&rows);
        }
        found
    }

    fn select_own(&self, keys: &[&str], test: ValueTest<'_>) -> Rows {
        let chunk = self.chunk();
        let mut places: Vec<Option<SmallVec<[u32; 4]>>> = vec![None; self.segment.shapes.len() as usize];
        let mut memo = Memo::default();
        self.select(|row| {
            let shape = chunk.shape[row];
            let places = places[shape as usize].get_or_insert_with(|| self.places_of(keys, shape));
            if places.is_empty() && chunk.marks[row] & super::chunk::mark::MORE == 0 {
                return false;
            }
            let words = chunk.values(row);
            places.iter().any(|place| self.passes(row, words[*place as usize], &mut memo, test))
                || any_of(peek::resource_attributes(self.row_ref(row).more()), keys, test)
        })
    }

    /// Where the values of `keys` stand among those of a shape.
    fn places_of(&self, keys: &[&str], shape: u32) -> SmallVec<[u32; 4]> {
        let words = &self.segment.words;
        let list = self.segment.keys(shape);
        let places = (0..).zip(list);
        places.filter(|(_, key)| is_one_of(words.get(*key), keys)).map(|(place, _)| place).collect()
    }

    /// Whether the value of a word passes, remembered for words of the dictionary.
    pub(super) fn passes(&self, row: usize, word: Word, memo: &mut Memo, test: ValueTest<'_>) -> bool {
        let row = self.row_ref(row);
        match word.slot() {
            Slot::Known(id) => memo.ask(id, || passes(row.stored(word), test)),
            _ => passes(row.stored(word), test),
        }
    }

    /// Rows whose resource and scope pass, asked once for each.
    pub(super) fn select_origin(&self, test: &dyn Fn(RowRef<'_>) -> bool) -> Rows {
        let mut memo = Memo::default();
        let column = &self.chunk().origin;
        self.select(|row| memo.ask(column[row], || test(self.row_ref(row))))
    }

    /// Rows with extras that pass.
    pub(super) fn select_extra(&self, test: &dyn Fn(RowRef<'_>) -> bool) -> Rows {
        let chunk = self.chunk();
        let mut rows = chunk.extra_rows.iter().map(|(row, _)| *row as usize).peekable();
        self.select(|row| rows.next_if_eq(&row).is_some() && test(self.row_ref(row)))
    }

    /// The trace and key of a row.
    #[must_use]
    pub fn row(&self, row: u32) -> (TraceId, SpanKey) {
        let at = row as usize;
        (self.state.trace_id(self.chunk().trace[at]), self.row_ref(at).key())
    }

    /// When the span of a row began.
    #[must_use]
    pub fn start(&self, row: u32) -> Timestamp {
        Timestamp(self.chunk().start[row as usize])
    }
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
        Stored::Plain(AttributeValue::Text(text)) => match String::from_utf8_lossy(text) {
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

//! What blocks say of their rows, kept while one filter runs: which rows a leaf holds on, and the values of fields.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::compute::{self, Val, leaves};
use super::field::{Attribute, Field};
use super::literal::Number;
use super::plan::{keys, places};
use crate::index::{Block, Member, Place, Rows, Sweep, ValueRef, View};
use crate::model::Timestamp;

/// Columns of values that are kept.
const KEPT: usize = 16;

/// The values of a field, by row.
pub(super) type Column = Rc<Vec<(u32, Val<'static>)>>;

/// The blocks of a view, and what is known of them.
pub(super) struct Columns<'v> {
    pub(super) view: &'v View,
    pub(super) blocks: Vec<Block<'v>>,
    /// By block and field; that used last at the end.
    values: RefCell<Vec<(usize, Field, Column)>>,
    /// For many traces; `None`: only a few are asked for.
    sweep: RefCell<Option<Sweep<'v>>>,
}

impl<'v> Columns<'v> {
    pub(super) fn new(view: &'v View) -> Self {
        Self { view, blocks: view.blocks().collect(), values: RefCell::default(), sweep: RefCell::default() }
    }

    /// Says that so many traces will be asked for, in order of their numbers.
    pub(super) fn expect(&self, traces: usize) {
        let mut sweep = self.sweep.borrow_mut();
        if sweep.is_none() && self.view.is_sweep(traces) {
            *sweep = Some(Sweep::new(self.view));
        }
    }

    /// The spans of a trace, in order of start and key, and when it began and ended; `None` where it is not held.
    pub(super) fn members(&self, number: u64) -> Option<(Vec<Member>, (Timestamp, Timestamp))> {
        match &mut *self.sweep.borrow_mut() {
            Some(sweep) => sweep.members(number),
            None => Some((self.view.members(number), self.view.extent(number)?)),
        }
    }

    /// The values of a field on a row; `None` where no column says it.
    pub(super) fn at(&self, (block, row): (usize, u32), field: &Field) -> Option<Vec<Val<'static>>> {
        if !has_column(field) {
            return None;
        }
        let column = self.column(block, field)?;
        Some(of_row(&column, row))
    }

    fn column(&self, block: usize, field: &Field) -> Option<Column> {
        let mut values = self.values.borrow_mut();
        let known = values.iter().rposition(|(known, own, _)| *known == block && own == field);
        if let Some(known) = known {
            if values.len() - known > KEPT / 2 {
                values[known..].rotate_left(1);
            }
            return values
                .iter()
                .rfind(|(known, own, _)| *known == block && own == field)
                .map(|(.., column)| Rc::clone(column));
        }
        let column = Rc::new(read(*self.blocks.get(block)?, field)?);
        if values.len() >= KEPT {
            values.remove(0);
        }
        values.push((block, field.clone(), Rc::clone(&column)));
        Some(column)
    }
}

/// The values of a row.
pub(super) fn of_row(column: &[(u32, Val<'static>)], row: u32) -> Vec<Val<'static>> {
    let from = column.partition_point(|(other, _)| *other < row);
    column.iter().skip(from).take_while(|(other, _)| *other == row).map(|(_, value)| value.clone()).collect()
}

/// Whether [`read`] reads it.
pub(super) fn has_column(field: &Field) -> bool {
    matches!(field, Field::Attribute(_) | Field::Service | Field::Source)
}

/// The values of a field on all rows of a block, by row; `None` where no column says it.
pub(super) fn read(block: Block<'_>, field: &Field) -> Option<Vec<(u32, Val<'static>)>> {
    match field {
        Field::Attribute(attribute) => Some(attributes(block, attribute)),
        Field::Service => Some(services(block)),
        Field::Source => {
            let mut names = Vec::new();
            block.each_source(&mut |row, name| names.push((row, Val::Text(Cow::Owned(name.to_owned())))));
            Some(names)
        }
        _ => None,
    }
}

fn attributes(block: Block<'_>, attribute: &Attribute) -> Vec<(u32, Val<'static>)> {
    let mut found: Vec<(u32, Val<'static>)> = Vec::new();
    for key in keys(attribute) {
        for place in places(attribute.scope) {
            block.each_value((key, place), &block.all(), &mut |row, value| {
                let value = match value {
                    ValueRef::Text(text) => Val::Text(Cow::Owned(text.to_owned())),
                    ValueRef::Bool(truth) => Val::Truth(truth),
                    ValueRef::Int(number) => Val::Number(Number::Whole(number)),
                    ValueRef::Double(number) => Val::Number(Number::Broken(number)),
                    ValueRef::Composite(value) => {
                        let mut members = Vec::new();
                        leaves(value, &mut members);
                        found.extend(members.into_iter().map(|member| (row, member.into_owned())));
                        return;
                    }
                    ValueRef::Empty | ValueRef::Bytes(_) => return,
                };
                found.push((row, value));
            });
        }
    }
    // Stable: those of a row stay in the order of keys and places.
    found.sort_by_key(|(row, _)| *row);
    found
}

/// Stands for no number.
const NO_WHOLE: i64 = i64::MIN;

/// The numbers under a key by row, where all of them are whole and none needs more than a word.
fn wholes(block: Block<'_>, key: &str) -> Option<Vec<i64>> {
    let mut others = false;
    let wholes = block.wholes(key, NO_WHOLE, &mut |value| match number(value)? {
        Number::Whole(whole) if whole != NO_WHOLE => Some(whole),
        _ => {
            others = true;
            None
        }
    });
    wholes.filter(|_| !others)
}

/// Calls `each` with the first number under an attribute on each of these rows, in order of rows; those without are left
/// out.
pub(super) fn each_first_number(
    block: Block<'_>,
    attribute: &Attribute,
    rows: &Rows,
    mut each: impl FnMut(u32, Number),
) {
    let (keys, places) = (keys(attribute), places(attribute.scope));
    if let ([key], [Place::Span]) = (&keys[..], &places[..]) {
        if let Some(wholes) = wholes(block, key) {
            for row in rows.iter() {
                if let Some(whole) = wholes.get(row as usize).filter(|whole| **whole != NO_WHOLE) {
                    each(row, Number::Whole(*whole));
                }
            }
            return;
        }
        let mut give = |row: u32, value: ValueRef<'_>| {
            if let Some(number) = number(value) {
                each(row, number);
            }
        };
        if block.each_plain(key, rows, &mut give) {
            return;
        }
    }
    for (row, number) in first_numbers(block, attribute, rows) {
        each(row, number);
    }
}

/// The first number under an attribute on each of these rows, in order of rows; those without are left out.
pub(super) fn first_numbers(block: Block<'_>, attribute: &Attribute, rows: &Rows) -> Vec<(u32, Number)> {
    let mut wanted = rows.clone();
    let mut numbers: Vec<(u32, Number)> = Vec::with_capacity(wanted.len());
    for key in keys(attribute) {
        for place in places(attribute.scope) {
            let (from, mut last) = (numbers.len(), None);
            block.each_value((key, place), &wanted, &mut |row, value| {
                // The first counts.
                if last != Some(row)
                    && let Some(number) = number(value)
                {
                    last = Some(row);
                    numbers.push((row, number));
                }
            });
            numbers.iter().skip(from).for_each(|(row, _)| wanted.remove(*row));
        }
    }
    // Those under one key at one place are in order already.
    numbers.sort_by_key(|(row, _)| *row);
    numbers
}

/// The first number that a value is, or holds.
pub(super) fn number(value: ValueRef<'_>) -> Option<Number> {
    match value {
        ValueRef::Int(number) => Some(Number::Whole(number)),
        ValueRef::Double(number) => Some(Number::Broken(number)),
        ValueRef::Text(text) => Number::read(text),
        ValueRef::Composite(value) => {
            let mut members = Vec::new();
            leaves(value, &mut members);
            compute::first_number(&members)
        }
        ValueRef::Empty | ValueRef::Bool(_) | ValueRef::Bytes(_) => None,
    }
}

/// The last `service.name` of the resource, if it is text.
fn services(block: Block<'_>) -> Vec<(u32, Val<'static>)> {
    let mut names: Vec<Option<Cow<'static, str>>> = vec![None; block.rows() as usize];
    block.each_value(("service.name", Place::Resource), &block.all(), &mut |row, value| {
        let name = match value {
            ValueRef::Text(text) => Cow::Owned(text.to_owned()),
            _ => Cow::Borrowed(UNKNOWN),
        };
        if let Some(known) = names.get_mut(row as usize) {
            *known = Some(name);
        }
    });
    (0..).zip(names).map(|(row, name)| (row, Val::Text(name.unwrap_or(Cow::Borrowed(UNKNOWN))))).collect()
}

/// The service of spans that name none.
pub(super) const UNKNOWN: &str = "unknown_service";

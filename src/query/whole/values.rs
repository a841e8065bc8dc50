//! Values of rows, as stages ask for them.

use hashbrown::HashMap;

use super::super::columns;
use super::super::compute::{self, Facts, Val, of_nanos};
use super::super::field::Field;
use super::super::literal::Number;
use super::super::plan::keys;
use super::super::spans::FieldExpr;
use super::super::terms::Relation;
use super::Shelf;
use crate::index::{Place, Rows, ValueRef};
use crate::model::{Kind, SourceId, Span};

/// Whether columns say what an expression comes to on a row.
pub(super) fn is_in_columns(expression: &FieldExpr) -> bool {
    match expression {
        FieldExpr::Literal(_) => true,
        FieldExpr::Field(of, field) => {
            *of == Relation::Own && (columns::has_column(field) || matches!(field, Field::Duration | Field::Kind))
        }
        FieldExpr::Not(inner) | FieldExpr::Negative(inner) => is_in_columns(inner),
        FieldExpr::All(parts) | FieldExpr::Any(parts) => parts.iter().all(is_in_columns),
        FieldExpr::Compare(left, _, right) | FieldExpr::Compute(left, _, right) => {
            is_in_columns(left) && is_in_columns(right)
        }
        FieldExpr::Aggregate(_, inner) => inner.as_deref().is_none_or(is_in_columns),
    }
}

/// A number that is known to be small.
pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A row of a block: its values are read from columns.
struct OfRow<'s, 'e, 'p, 'v> {
    shelf: &'s Shelf<'e, 'p, 'v>,
    durations: &'s [u64],
    kinds: &'s [Kind],
    row: u32,
    /// What is not asked for.
    none: &'s Span,
}

impl Facts for OfRow<'_, '_, '_, '_> {
    fn span(&self) -> &Span {
        self.none
    }

    fn relative(&self, _: Relation) -> Option<&Span> {
        None
    }

    fn number(&self, _: &Field) -> Option<i64> {
        None
    }

    fn source(&self, id: SourceId) -> &str {
        self.shelf.block.source_name(id)
    }

    fn column(&self, field: &Field) -> Option<Vec<Val<'static>>> {
        let at = self.row as usize;
        match field {
            Field::Duration => self.durations.get(at).map(|nanos| vec![Val::Number(of_nanos(*nanos))]),
            Field::Kind => self.kinds.get(at).map(|kind| vec![Val::Kind(kind.0)]),
            _ => self.shelf.evaluator.columns.at((self.shelf.place, self.row), field),
        }
    }
}

/// Values that are the same have the same code; 0 is for none.
#[derive(Default)]
struct Codes {
    texts: HashMap<String, u32>,
    others: HashMap<(u8, u64), u32>,
}

impl Codes {
    fn next(&self) -> u32 {
        small(self.texts.len() + self.others.len() + 1)
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(code) = self.texts.get(text) {
            return *code;
        }
        let code = self.next();
        self.texts.insert(text.to_owned(), code);
        code
    }

    fn of(&mut self, value: &Val<'_>) -> u32 {
        let own = match value {
            Val::Text(text) => return self.text(text),
            Val::Number(Number::Whole(number)) => (0, number.cast_unsigned()),
            Val::Number(Number::Broken(number)) if number.is_nan() => (1, f64::NAN.to_bits()),
            Val::Number(Number::Broken(number)) => (1, number.to_bits()),
            Val::Truth(truth) => (2, u64::from(*truth)),
            Val::Status(code) => (3, u64::from(code.cast_unsigned())),
            Val::Kind(kind) => (4, u64::from(kind.cast_unsigned())),
        };
        let next = self.next();
        *self.others.entry(own).or_insert(next)
    }
}

impl Shelf<'_, '_, '_> {
    /// Calls `each` with every one of these rows and what an expression comes to on it.
    fn each(&self, expression: &FieldExpr, rows: &Rows, each: &mut dyn FnMut(u32, &[Val<'_>])) {
        let durations = self.block.durations();
        let kinds = self.block.kinds();
        let none = Span::default();
        for row in rows.iter() {
            let facts = OfRow { shelf: self, durations: &durations, kinds: &kinds, row, none: &none };
            each(row, &compute::values(expression, &facts));
        }
    }

    /// The number that an expression comes to on each of these rows; rows on which it is none are left out.
    pub(super) fn numbers(&self, expression: &FieldExpr, rows: &Rows) -> Vec<(u32, Number)> {
        let mut numbers = Vec::new();
        if let FieldExpr::Field(Relation::Own, Field::Duration) = expression {
            let durations = self.block.durations();
            numbers.extend(rows.iter().map(|row| (row, of_nanos(durations[row as usize]))));
            return numbers;
        }
        if let Some((key, place)) = single(expression) {
            // The first number of a row.
            self.block.each_value(key, place, &mut |row, value| {
                if rows.has(row) && numbers.last().is_none_or(|(last, _)| *last != row) {
                    numbers.extend(number(value).map(|number| (row, number)));
                }
            });
            numbers.sort_by_key(|(row, _)| *row);
            numbers.dedup_by_key(|(row, _)| *row);
            return numbers;
        }
        self.each(expression, rows, &mut |row, values| {
            numbers.extend(compute::first_number(values).map(|number| (row, number)));
        });
        numbers
    }

    /// A code for the first value of an expression, by row; for these rows.
    pub(super) fn codes(&self, expression: &FieldExpr, rows: &Rows) -> Vec<u32> {
        let mut codes = Codes::default();
        let mut of = vec![0; self.block.rows() as usize];
        match expression {
            FieldExpr::Field(Relation::Own, Field::Service) => {
                let unknown = codes.text(columns::UNKNOWN);
                of.fill(unknown);
                self.block.each_value("service.name", Place::Resource, &mut |row, value| {
                    if rows.has(row) {
                        of[row as usize] = match value {
                            ValueRef::Text(text) => codes.text(text),
                            _ => unknown,
                        };
                    }
                });
            }
            expression => self.each(expression, rows, &mut |row, values| {
                of[row as usize] = values.first().map_or(0, |value| codes.of(value));
            }),
        }
        of
    }
}

/// The only name and place an attribute may have.
fn single(expression: &FieldExpr) -> Option<(&str, Place)> {
    let FieldExpr::Field(Relation::Own, Field::Attribute(attribute)) = expression else { return None };
    let (names, places) = (keys(attribute), super::super::plan::places(attribute.scope));
    match (&names[..], &places[..]) {
        ([name], [place @ Place::Span]) => Some((name, *place)),
        _ => None,
    }
}

/// The first number that a value is, or holds.
fn number(value: ValueRef<'_>) -> Option<Number> {
    match value {
        ValueRef::Int(number) => Some(Number::Whole(number)),
        ValueRef::Double(number) => Some(Number::Broken(number)),
        ValueRef::Text(text) => Number::read(text),
        ValueRef::Composite(value) => {
            let mut members = Vec::new();
            compute::leaves(value, &mut members);
            compute::first_number(&members)
        }
        ValueRef::Empty | ValueRef::Bool(_) | ValueRef::Bytes(_) => None,
    }
}

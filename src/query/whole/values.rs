//! Values of rows, as stages ask for them.

use hashbrown::HashMap;

use super::super::columns;
use super::super::columns::Columns;
use super::super::compute::{self, Facts, Val, of_nanos};
use super::super::field::Field;
use super::super::literal::Number;
use super::super::plan::{keys, places};
use super::super::spans::FieldExpr;
use super::super::terms::Relation;
use super::Shelf;
use super::sheet::Part;
use crate::index::{Block, Rows, ValueRef};
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
struct OfRow<'s, 'p, 'v> {
    columns: &'p Columns<'v>,
    durations: &'s [u64],
    kinds: &'s [Kind],
    /// The block's place.
    place: usize,
    row: u32,
    /// What is not asked for.
    none: &'s Span,
}

impl Facts for OfRow<'_, '_, '_> {
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
        self.columns.view.source_name(id)
    }

    fn column(&self, field: &Field) -> Option<Vec<Val<'static>>> {
        let at = self.row as usize;
        match field {
            Field::Duration => self.durations.get(at).map(|nanos| vec![Val::Number(of_nanos(*nanos))]),
            Field::Kind => self.kinds.get(at).map(|kind| vec![Val::Kind(kind.0)]),
            _ => self.columns.at((self.place, self.row), field),
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

impl Codes {
    /// The code of what a value is, or first holds; 0 where that is nothing.
    fn of_ref(&mut self, value: ValueRef<'_>) -> u32 {
        match value {
            ValueRef::Text(text) => self.text(text),
            ValueRef::Bool(truth) => self.of(&Val::Truth(truth)),
            ValueRef::Int(number) => self.of(&Val::Number(Number::Whole(number))),
            ValueRef::Double(number) => self.of(&Val::Number(Number::Broken(number))),
            ValueRef::Composite(value) => {
                let mut members = Vec::new();
                compute::leaves(value, &mut members);
                members.first().map_or(0, |first| self.of(first))
            }
            ValueRef::Empty | ValueRef::Bytes(_) => 0,
        }
    }
}

impl<'v> Shelf<'_, '_, 'v> {
    fn block(&self, part: &Part) -> Option<Block<'v>> {
        self.evaluator.columns.blocks.get(part.place).copied()
    }

    /// Calls `each` with every one of these rows of a block and what an expression comes to on it.
    fn each(&self, expression: &FieldExpr, (place, rows): (usize, &Rows), each: &mut dyn FnMut(u32, &[Val<'_>])) {
        let columns = self.evaluator.columns;
        let Some(block) = columns.blocks.get(place) else { return };
        let (durations, kinds, none) = (block.durations(), block.kinds(), Span::default());
        for row in rows.iter() {
            let facts = OfRow { columns, durations: &durations, kinds: &kinds, place, row, none: &none };
            each(row, &compute::values(expression, &facts));
        }
    }

    /// Calls `each` with these rows and the number that an expression comes to on each; rows on which it is none are left out.
    /// Those of a block are in order.
    pub(super) fn each_number(&self, expression: &FieldExpr, rows: &Rows, mut each: impl FnMut(u32, Number)) {
        for part in &self.parts {
            let Some(block) = self.block(part) else { continue };
            let own = part.down(rows, block);
            if own.is_empty() {
                continue;
            }
            let mut up = part.upwards();
            let mut each = |row: u32, number: Number| {
                if let Some(at) = up.of(row) {
                    each(at, number);
                }
            };
            match expression {
                FieldExpr::Field(Relation::Own, Field::Duration) => {
                    block.each_duration(&own, &mut |row, nanos| each(row, of_nanos(nanos)));
                }
                FieldExpr::Field(Relation::Own, Field::Attribute(attribute)) => {
                    columns::each_first_number(block, attribute, &own, each);
                }
                _ => self.each(expression, (part.place, &own), &mut |row, values| {
                    if let Some(number) = compute::first_number(values) {
                        each(row, number);
                    }
                }),
            }
        }
    }

    /// A code for the first value of an expression, by row, for these rows; and the greatest of all codes.
    pub(super) fn codes(&self, expression: &FieldExpr, rows: &Rows) -> (Vec<u32>, usize) {
        let mut codes = Codes::default();
        let mut of = vec![0; self.count as usize];
        for part in &self.parts {
            let Some(block) = self.block(part) else { continue };
            let among = part.down(rows, block);
            let mut own = vec![0; block.rows() as usize];
            match expression {
                FieldExpr::Field(Relation::Own, Field::Service) => {
                    block.service_codes(&mut own, &mut |service| codes.text(service.unwrap_or(columns::UNKNOWN)));
                }
                FieldExpr::Field(Relation::Own, Field::Attribute(attribute)) => {
                    for key in keys(attribute) {
                        for place in places(attribute.scope) {
                            block.codes((key, place), (&among, &mut own), &mut |value| codes.of_ref(value));
                        }
                    }
                }
                expression => {
                    self.each(expression, (part.place, &among), &mut |row, values| {
                        own[row as usize] = values.first().map_or(0, |value| codes.of(value));
                    });
                }
            }
            // Others would lose theirs if this one took the place of all.
            if self.parts.len() == 1 && part.is_whole() && own.len() == of.len() {
                of = own;
            } else {
                part.spread(&own, &mut of);
            }
        }
        (of, codes.texts.len() + codes.others.len())
    }
}

//! Conditions asked of columns: exactly where the span alone decides, else within bounds.

use super::{Leaf, Node, keys, places};
use crate::index::{Block, Place, Rows};
use crate::model::{SourceId, Span};
use crate::query::columns;
use crate::query::compute::{self, Facts, Val};
use crate::query::field::{Attribute, Field};
use crate::query::literal::{Literal, Number};
use crate::query::spans::{Arithmetic, FieldExpr};
use crate::query::terms::{Comparison, Relation};
use crate::query::value::compare_numbers;

impl Node {
    /// Of these rows at least those on which it holds; exactly those where the span alone decides.
    pub(in crate::query) fn upper(&self, block: Block<'_>, rows: Rows, leaves: &[Leaf]) -> Rows {
        match self {
            Self::Always | Self::Related(..) | Self::Trace(_) | Self::Computed(_, true) => rows,
            Self::Leaf(leaf) => leaves[*leaf].narrow(block, rows),
            Self::All(parts) => {
                let mut rows = rows;
                for part in parts {
                    if rows.is_empty() {
                        break;
                    }
                    rows = part.upper(block, rows, leaves);
                }
                rows
            }
            Self::Any(parts) => {
                let each = parts.iter().map(|part| part.upper(block, rows.clone(), leaves));
                each.reduce(|one, other| one.or(&other)).unwrap_or_default()
            }
            Self::Not(inner) => {
                let so = inner.lower(block, rows.clone(), leaves);
                rows.minus(&so)
            }
            Self::Computed(expression, false) => computed(expression, block, rows),
        }
    }

    /// Of these rows only such on which it holds; exactly those where the span alone decides.
    fn lower(&self, block: Block<'_>, rows: Rows, leaves: &[Leaf]) -> Rows {
        match self {
            Self::Related(..) | Self::Trace(_) | Self::Computed(_, true) => Rows::default(),
            Self::Always | Self::Leaf(_) | Self::Computed(_, false) => self.upper(block, rows, leaves),
            Self::All(parts) => {
                let mut rows = rows;
                for part in parts {
                    rows = part.lower(block, rows, leaves);
                }
                rows
            }
            Self::Any(parts) => {
                let each = parts.iter().map(|part| part.lower(block, rows.clone(), leaves));
                each.reduce(|one, other| one.or(&other)).unwrap_or_default()
            }
            Self::Not(inner) => {
                let so = inner.upper(block, rows.clone(), leaves);
                rows.minus(&so)
            }
        }
    }
}

/// Of these rows those on which an expression holds that the span alone decides.
fn computed(expression: &FieldExpr, block: Block<'_>, rows: Rows) -> Rows {
    if let Some(rows) = arithmetic(expression, block, &rows) {
        return rows;
    }
    let mut fields = Vec::new();
    if !rows.is_empty() && only_columns(expression, &mut fields) {
        let columns: Option<Vec<_>> =
            fields.into_iter().map(|field| Some((field, columns::read(block, field)?))).collect();
        if let Some(columns) = columns {
            return rows
                .only(|row| compute::holds(expression, &OfRow { columns: &columns, row, none: Span::default() }));
        }
    }
    block.narrow_span(rows, &mut |span| compute::holds(expression, &compute::Lone(span, block)))
}

/// The same of a comparison of numbers that are worked out; `None` where it is none.
fn arithmetic(expression: &FieldExpr, block: Block<'_>, rows: &Rows) -> Option<Rows> {
    let FieldExpr::Compare(left, comparison, right) = expression else { return None };
    if matches!(comparison, Comparison::Matches | Comparison::MatchesNot | Comparison::Contains) {
        return None;
    }
    if let Some(found) = of_one_attribute((left, *comparison, right), block) {
        return Some(rows.clone().and(&found));
    }
    let mut numbers = Numbers { durations: Vec::new(), columns: Vec::new() };
    if !numbers.read(left, (block, rows), false) || !numbers.read(right, (block, rows), false) {
        return None;
    }
    Some(rows.clone().only(|row| {
        let sides = numbers.at(left, row).zip(numbers.at(right, row));
        sides.is_some_and(|(left, right)| compare_numbers(left, *comparison, right))
    }))
}

/// The same on all rows, where it is about one attribute of spans that have one value under it at most: then each distinct
/// value is asked once. `None` where it is not so.
fn of_one_attribute((left, comparison, right): (&FieldExpr, Comparison, &FieldExpr), block: Block<'_>) -> Option<Rows> {
    let mut attributes = Vec::new();
    if !only_attributes(left, false, &mut attributes) || !only_attributes(right, false, &mut attributes) {
        return None;
    }
    let (first, others) = attributes.split_first()?;
    let key = match (&keys(first)[..], &places(first.scope)[..]) {
        ([key], [Place::Span]) if others.iter().all(|other| other == first) => *key,
        _ => return None,
    };
    block.is_single(key).then(|| {
        block.select_attribute(&[key], &[Place::Span], &|value| {
            let number = columns::number(value);
            let sides = number.and_then(|number| Some((of_number(left, number)?, of_number(right, number)?)));
            sides.is_some_and(|(left, right)| compare_numbers(left, comparison, right))
        })
    })
}

/// Whether an expression is made of numbers and attributes: which. Attributes stand in arithmetic: there their first number
/// counts.
fn only_attributes<'e>(expression: &'e FieldExpr, within: bool, into: &mut Vec<&'e Attribute>) -> bool {
    match expression {
        FieldExpr::Literal(Literal::Int(_) | Literal::Float(_) | Literal::Duration(_)) => true,
        FieldExpr::Negative(inner) => only_attributes(inner, true, into),
        FieldExpr::Compute(left, _, right) => only_attributes(left, true, into) && only_attributes(right, true, into),
        FieldExpr::Field(Relation::Own, Field::Attribute(attribute)) if within => {
            into.push(attribute);
            true
        }
        _ => false,
    }
}

/// What such an expression comes to where the attribute is this number.
fn of_number(expression: &FieldExpr, attribute: Number) -> Option<Number> {
    match expression {
        FieldExpr::Literal(literal) => compute::first_number(compute::literal(literal).as_slice()),
        FieldExpr::Negative(inner) => {
            compute::compute(Number::Whole(0), Arithmetic::Subtract, of_number(inner, attribute)?)
        }
        FieldExpr::Compute(left, sign, right) => {
            compute::compute(of_number(left, attribute)?, *sign, of_number(right, attribute)?)
        }
        FieldExpr::Field(..) => Some(attribute),
        _ => None,
    }
}

/// An attribute, its numbers in order of rows, how far they were read.
type Read<'e> = (&'e Attribute, Vec<(u32, Number)>, usize);

/// The numbers that go into an expression, by row.
struct Numbers<'e> {
    durations: Vec<u64>,
    columns: Vec<Read<'e>>,
}

impl<'e> Numbers<'e> {
    /// Reads what goes into an expression; `false` where it does not come to one number at most. An attribute by itself may
    /// have several values, `within` arithmetic its first number counts.
    fn read(&mut self, expression: &'e FieldExpr, (block, rows): (Block<'_>, &Rows), within: bool) -> bool {
        match expression {
            FieldExpr::Literal(Literal::Int(_) | Literal::Float(_) | Literal::Duration(_)) => true,
            FieldExpr::Negative(inner) => self.read(inner, (block, rows), true),
            FieldExpr::Compute(left, _, right) => {
                self.read(left, (block, rows), true) && self.read(right, (block, rows), true)
            }
            FieldExpr::Field(Relation::Own, Field::Duration) => {
                if self.durations.is_empty() {
                    self.durations = block.durations();
                }
                true
            }
            FieldExpr::Field(Relation::Own, Field::Attribute(attribute)) if within => {
                if !self.columns.iter().any(|(known, ..)| *known == attribute) {
                    self.columns.push((attribute, columns::first_numbers(block, attribute, rows), 0));
                }
                true
            }
            _ => false,
        }
    }

    /// The number it comes to on a row. Rows are asked for in order.
    fn at(&mut self, expression: &FieldExpr, row: u32) -> Option<Number> {
        match expression {
            FieldExpr::Literal(literal) => compute::first_number(compute::literal(literal).as_slice()),
            FieldExpr::Negative(inner) => {
                compute::compute(Number::Whole(0), Arithmetic::Subtract, self.at(inner, row)?)
            }
            FieldExpr::Compute(left, sign, right) => compute::compute(self.at(left, row)?, *sign, self.at(right, row)?),
            FieldExpr::Field(_, Field::Duration) => self.durations.get(row as usize).copied().map(compute::of_nanos),
            FieldExpr::Field(_, Field::Attribute(attribute)) => {
                let (_, column, read) = self.columns.iter_mut().find(|(known, ..)| *known == attribute)?;
                *read += column.iter().skip(*read).take_while(|(other, _)| *other < row).count();
                column.get(*read).filter(|(other, _)| *other == row).map(|(_, number)| *number)
            }
            _ => None,
        }
    }
}

/// Whether columns say all fields of an expression: which.
fn only_columns<'e>(expression: &'e FieldExpr, fields: &mut Vec<&'e Field>) -> bool {
    match expression {
        FieldExpr::Literal(_) => true,
        FieldExpr::Field(of, field) => {
            let has = *of == Relation::Own && columns::has_column(field);
            if has && !fields.contains(&field) {
                fields.push(field);
            }
            has
        }
        FieldExpr::Not(inner) | FieldExpr::Negative(inner) => only_columns(inner, fields),
        FieldExpr::All(parts) | FieldExpr::Any(parts) => parts.iter().all(|part| only_columns(part, fields)),
        FieldExpr::Compare(left, _, right) | FieldExpr::Compute(left, _, right) => {
            only_columns(left, fields) && only_columns(right, fields)
        }
        FieldExpr::Aggregate(..) => false,
    }
}

/// A row of which columns say all that is asked.
struct OfRow<'c> {
    columns: &'c [(&'c Field, Vec<(u32, Val<'static>)>)],
    row: u32,
    /// What is not asked for.
    none: Span,
}

impl Facts for OfRow<'_> {
    fn span(&self) -> &Span {
        &self.none
    }

    fn relative(&self, _: Relation) -> Option<&Span> {
        None
    }

    fn number(&self, _: &Field) -> Option<i64> {
        None
    }

    fn source(&self, _: SourceId) -> &'static str {
        ""
    }

    fn column(&self, field: &Field) -> Option<Vec<Val<'static>>> {
        let (_, column) = self.columns.iter().find(|(own, _)| *own == field)?;
        Some(columns::of_row(column, self.row))
    }
}

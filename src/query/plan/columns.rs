//! Conditions asked of columns: exactly where the span alone decides, else within bounds.

use super::{Leaf, Node};
use crate::index::{Block, Rows};
use crate::model::{SourceId, Span};
use crate::query::columns;
use crate::query::compute::{self, Facts, Val};
use crate::query::field::Field;
use crate::query::spans::FieldExpr;
use crate::query::terms::Relation;

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

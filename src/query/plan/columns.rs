//! Conditions asked of columns: exactly where the span alone decides, else within bounds.

use super::{Leaf, Node};
use crate::index::{Block, Rows};
use crate::query::compute;

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
            Self::Computed(expression, false) => {
                block.narrow_span(rows, &mut |span| compute::holds(expression, &compute::Lone(span)))
            }
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

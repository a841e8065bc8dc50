//! Judgements on spans and traces: pure functions.
//!
//! In: model values. Out: findings and the shape of a waterfall, as values. One file per judgement. Must never know:
//! the state or the wording of a screen, clocks, I/O.

pub mod slow_sql;
mod tree;
mod waterfall;

pub use tree::{Analysis, Node, Subject, analyse};
pub use waterfall::{Folds, Row, RowKey, RowKind, flatten};

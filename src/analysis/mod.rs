//! Judgements on spans and traces: pure functions.
//!
//! In: model values. Out: findings and the shape of a waterfall, as values. One file per judgement. Must never know:
//! the state or the wording of a screen, clocks, I/O. The words of a finding and of the verdict are told here, because they leave
//! by other ways than the screen too.

mod baseline;
pub mod compare;
pub mod errors;
mod failure;
pub mod figures;
pub mod findings;
pub mod heat;
mod notes;
mod parents;
pub mod path;
pub mod services;
mod shape;
mod skew;
pub mod slow_sql;
pub mod statement;
pub mod statements;
mod summary;
mod thresholds;
mod tree;
mod verdict;
mod waterfall;
mod what_if;
mod whole;
pub mod wording;
mod work;

pub use baseline::{Baseline, Kin};
pub use notes::{Note, notes};
pub use skew::Skew;
pub use summary::TraceNotes;
pub use thresholds::{Amount, TABLE, Threshold, Thresholds, Unit};
pub use tree::{Analysis, Node, Subject, analyse};
pub use verdict::{Clause, Says, Verdict, foremost, percent, verdict};
pub use waterfall::{
    Folds, GROUP_AT_LEAST, Row, RowKey, RowKind, find, flatten, flatten_where, group_label, reveal, row_of,
    with_ancestors,
};
pub use what_if::{Gain, what_if};
pub use whole::{analyse_whole, judge_trace};
pub use work::Work;

#[cfg(test)]
mod tests;

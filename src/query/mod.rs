//! The filter language: parse, plan, run, complete.
//!
//! In: what a person typed, and a `View` of the index. Out: which traces and spans match, or where the text is wrong.
//! Must never know: the state or the wording of a screen.

mod columns;
mod complete;
mod compute;
mod crew;
mod describe;
mod eval;
mod family;
mod field;
mod fuzzy;
mod gather;
mod hits;
mod literal;
mod parse;
mod pattern;
mod plan;
mod print;
pub mod pushdown;
mod run;
mod spans;
mod stages;
mod terms;
mod value;
mod whole;

pub use complete::{Completion, complete, complete_with, ends_in_half_key, key_at};
pub use crew::{Crew, Queue, Share};
pub use describe::{chips, describe};
pub use field::{Attribute, Field, Scope};
pub use fuzzy::fuzzy;
pub use hits::{Hit, Hits, Page};
pub use literal::{Literal, Moment, spell_duration, spell_moment};
pub use parse::{ParseError, parse};
pub use print::{braced_value, key_text, quote, value_text};
pub use run::{evaluate_traces, matching_spans, run, run_pages, run_pages_with, run_with, threads};
pub use spans::{Aggregate, Arithmetic, FieldExpr, Place, Stage, Structural};
pub use terms::{Comparison, Condition, Expr, Query, Relation, Says, StageAt, Term};

#[cfg(test)]
mod tests;

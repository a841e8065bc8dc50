//! The filter language: parse, plan, run, complete.
//!
//! In: what a person typed, and a `View` of the index. Out: which traces and spans match, or where the text is wrong.
//! Must never know: the state or the wording of a screen.

mod complete;
mod describe;
mod fuzzy;
mod hits;
mod literal;
mod parse;
mod pattern;
mod plan;
mod run;
mod terms;

pub use complete::{Completion, complete};
pub use describe::{chips, describe};
pub use fuzzy::fuzzy;
pub use hits::{Hit, Hits};
pub use parse::{ParseError, parse};
pub use run::{matching_spans, run};
pub use terms::{Comparison, Field, Literal, Query, Term, key_text, quote, value_text};

#[cfg(test)]
mod tests;

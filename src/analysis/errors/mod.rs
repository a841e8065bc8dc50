//! What failed in a trace, and what failures of many traces are the same one.
//!
//! In: a judged trace with its whole failing spans and its logs. Out: [`Failure`]s, and [`Group`]s of them. Must never know: how
//! they are shown.

mod chain;
mod evidence;
mod groups;
mod library;
mod message;
pub(in crate::analysis) mod patience;
mod read;
mod stack;

pub use chain::failures;
pub(in crate::analysis) use evidence::first;
pub use evidence::{Evidence, Saying};
pub(in crate::analysis) use groups::bucket;
pub use groups::{Example, Failure, Group, GroupKey, Report, TREND, report};
pub use message::pattern;
pub use read::{Detail, TellingLogs, detail, read, suspects};
pub use stack::{Frame, Stack};

#[cfg(test)]
mod tests;

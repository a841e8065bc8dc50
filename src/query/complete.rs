//! What could be typed next.

use crate::index::View;

/// A proposal for the filter bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is put in place of `replace`.
    pub text: String,
    /// The bytes of the filter's text it replaces: start and end.
    pub replace: (usize, usize),
    /// How many spans carry it, where that is known.
    pub count: Option<u64>,
}

/// Proposals for the word at `cursor` (in bytes), best first; at most `limit`.
#[must_use]
pub fn complete(text: &str, cursor: usize, view: &View, limit: usize) -> Vec<Completion> {
    let _ = (text, cursor, view, limit);
    Vec::new()
}

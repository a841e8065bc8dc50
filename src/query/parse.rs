//! Text → [`Query`].

use super::Query;

/// Where a filter is wrong, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {expected}")]
pub struct ParseError {
    /// In characters from the start, from 0.
    pub column: usize,
    /// What was expected there, for a person.
    pub expected: String,
}

/// Reads a filter.
///
/// # Errors
/// Where the text is not a filter: the first fault.
pub fn parse(text: &str) -> Result<Query, ParseError> {
    Ok(Query { text: text.to_owned(), terms: Vec::new() })
}

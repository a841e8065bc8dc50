//! A parsed filter.

use crate::model::Nanos;

/// A filter: what it selects, and the text it was read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// As typed.
    pub text: String,
    /// All must hold on one span (a conjunction made only of negated terms: no span of the trace matches any of them).
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Excluded by a leading `-`.
    pub negated: bool,
    /// What is looked at.
    pub field: Field,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: Literal,
    /// The bytes of the query's text it was read from: start and end.
    pub at: (usize, usize),
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `service.name` of the resource.
    Service,
    /// The span's name.
    Operation,
    /// The span's duration.
    Duration,
    /// Whether its status is error.
    Error,
    /// Its kind.
    Kind,
    /// Its status.
    Status,
    /// The trace's id.
    TraceId,
    /// Any attribute of that name (and its aliases unless quoted) on span, scope, resource, events or links.
    Attribute {
        /// The key as typed.
        key: String,
        /// Typed in quotes: other names that mean the same do not count.
        exact: bool,
    },
    /// Any text of the span.
    Text,
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `>=`, and `minDuration=`.
    AtLeast,
    /// `<=`, and `maxDuration=`.
    AtMost,
    /// `>`
    More,
    /// `<`
    Less,
    /// `key:text`: contains, case-insensitive, `*` as a wildcard; also bare words.
    Contains,
}

/// What a condition compares with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text; a number or truth value typed without quotes also equals an attribute of that type.
    Text {
        /// As typed, without its quotes.
        text: String,
        /// Typed in quotes: equals text only.
        quoted: bool,
    },
    /// A length of time.
    Duration(Nanos),
    /// A truth value (for `error=`).
    Bool(bool),
}

impl Query {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

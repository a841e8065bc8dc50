//! A parsed filter.

use std::fmt::{self, Write};

use super::literal::spell_duration;
use super::parse::{is_plain_value, parse};
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
    /// The trace's id. A condition on the trace, not on a span.
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
    /// `!=`: it is there, and is not equal.
    NotEqual,
    /// `>=`, and `minDuration=`.
    AtLeast,
    /// `<=`, and `maxDuration=`.
    AtMost,
    /// `>`
    More,
    /// `<`
    Less,
    /// `key:text`: contains, case-insensitive, `*` as a wildcard unless quoted; also bare words and phrases.
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
    /// The query of these terms, with the text that reads as them.
    #[must_use]
    pub fn of(terms: Vec<Term>) -> Self {
        let mut query = Self { text: String::new(), terms };
        for term in &mut query.terms {
            if !query.text.is_empty() {
                query.text.push(' ');
            }
            let start = query.text.len();
            // Writing to a string does not fail.
            let _ = write!(query.text, "{term}");
            term.at = (start, query.text.len());
        }
        query
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

impl Term {
    /// Whether two terms say the same, wherever they stand.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        let of = |term: &Self| (term.negated, term.comparison);
        of(self) == of(other) && self.field == other.field && self.value == other.value
    }

    /// Whether it is a condition on the trace as a whole.
    #[must_use]
    pub fn is_about_trace(&self) -> bool {
        self.field == Field::TraceId
    }
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::Less => "<",
            Self::Contains => ":",
        }
    }
}

/// The filter as text that reads as the same terms.
impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                out.write_char(' ')?;
            }
            write!(out, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            out.write_char('-')?;
        }
        let value = match &self.value {
            Literal::Text { text, quoted: true } => quote(text),
            Literal::Text { text, quoted: false } if self.field == Field::Text => word_text(text),
            // `a://b` is one word, where the key is not in quotes.
            Literal::Text { text, .. }
                if self.comparison == Comparison::Contains
                    && text.starts_with("//")
                    && !matches!(self.field, Field::Attribute { exact: true, .. }) =>
            {
                quote(text)
            }
            Literal::Text { text, quoted: false } => value_text(text),
            Literal::Duration(duration) => spell_duration(*duration),
            Literal::Bool(value) => value.to_string(),
        };
        let key = match &self.field {
            Field::Text => return out.write_str(&value),
            Field::TraceId if self.comparison == Comparison::Equal && value.len() == 32 => {
                return out.write_str(&value);
            }
            Field::TraceId => "trace_id".to_owned(),
            Field::Service => "service".to_owned(),
            Field::Operation => "operation".to_owned(),
            Field::Duration => "duration".to_owned(),
            Field::Error => "error".to_owned(),
            Field::Kind => "kind".to_owned(),
            Field::Status => "status".to_owned(),
            Field::Attribute { key, exact: true } => quote(key),
            Field::Attribute { key, exact: false } => key_text(key),
        };
        write!(out, "{key}{}{value}", self.comparison.sign())
    }
}

/// `text` in quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for symbol in text.chars() {
        if matches!(symbol, '"' | '\\') {
            out.push('\\');
        }
        out.push(symbol);
    }
    out.push('"');
    out
}

/// `key` as it must be typed to mean the attribute of that name: as it is, as `@key` where the bare name means something
/// else, or in quotes.
#[must_use]
pub fn key_text(key: &str) -> String {
    let means_it = |text: &str| {
        let term = parse(&format!("{text}=x")).ok().and_then(|query| query.terms.into_iter().next());
        term.is_some_and(|term| {
            !term.negated && matches!(&term.field, Field::Attribute { key: read, .. } if read == key)
        })
    };
    let marked = format!("@{key}");
    [key.to_owned(), marked].into_iter().find(|text| means_it(text)).unwrap_or_else(|| quote(key))
}

/// `value` as it must be typed after `=`: as it is, or in quotes where it would be read otherwise.
#[must_use]
pub fn value_text(value: &str) -> String {
    if is_plain_value(value) { value.to_owned() } else { quote(value) }
}

/// A word as it must be typed to be searched for anywhere.
fn word_text(word: &str) -> String {
    let read = parse(word).ok().filter(|query| query.terms.len() == 1).and_then(|mut query| query.terms.pop());
    let expected = Literal::Text { text: word.to_owned(), quoted: false };
    let plain = read.is_some_and(|term| !term.negated && term.field == Field::Text && term.value == expected);
    if plain { word.to_owned() } else { quote(word) }
}

//! What must not be shown: keys and value patterns of secrets. Text in, text out.
//!
//! In: rules, then keys and text. Out: the same text with secrets replaced by [`MASK`]. Must never know: where the
//! text comes from or goes to.

mod assignment;
mod key;
mod pattern;

use std::borrow::Cow;
use std::ops::Range;

use key::Keys;
use pattern::Patterns;

/// What stands in the place of a secret.
pub const MASK: &str = "••••••";

/// How often a text is looked through again after something in it was masked. Each round masks more of it, so the end
/// is near; the bound is for patterns of a person's own.
const MAX_ROUNDS: usize = 8;

/// What counts as a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// Nothing is masked.
    pub off: bool,
    /// Keys in addition to the built-in ones: `patient.name` masks every key that contains these words in a row, in
    /// any case and with any separators.
    pub keys: Vec<String>,
    /// Regular expressions in addition to the built-in ones; the first group is masked, or the whole match where
    /// there is no group.
    pub patterns: Vec<String>,
}

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A pattern is not a regular expression.
    #[error("redaction pattern `{pattern}`: {source}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// A key holds no letter or digit.
    #[error("redaction key `{0}` holds no letter or digit")]
    Key(String),
}

/// Text after masking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masked<'a> {
    /// The text; borrowed where nothing was masked.
    pub text: Cow<'a, str>,
    /// Whether something in it is masked.
    pub masked: bool,
}

/// Masks secrets. Built once from [`Rules`]; cheap to share.
///
/// Masking is idempotent, and text without secrets is given back borrowed.
#[derive(Clone, Debug)]
pub struct Redactor {
    off: bool,
    keys: Keys,
    patterns: Patterns,
}

impl Default for Redactor {
    /// The built-in rules and no others.
    #[expect(clippy::expect_used, reason = "the built-in rules are constant, and every test of this room builds them")]
    fn default() -> Self {
        Self::new(&Rules::default()).expect("the built-in rules are valid")
    }
}

impl Redactor {
    /// A redactor for `rules`.
    ///
    /// # Errors
    /// Where a pattern is no regular expression or a key is blank.
    pub fn new(rules: &Rules) -> Result<Self, RuleError> {
        let keys = Keys::new(&rules.keys)?;
        let patterns = Patterns::new(&keys, &rules.patterns)?;
        Ok(Self { off: rules.off, keys, patterns })
    }

    /// Whether values under `key` are secrets whatever they look like: `user.password`, `X-Api-Key`; not
    /// `token_count`.
    #[must_use]
    pub fn is_secret_key(&self, key: &str) -> bool {
        !self.off && self.keys.is_secret(key)
    }

    /// The value under `key`: masked whole where the key says so, otherwise as [`Self::text`] does. Truth values and
    /// blank text are never secrets (`has_password = true`).
    #[must_use]
    pub fn value<'a>(&self, key: &str, text: &'a str) -> Masked<'a> {
        let harmless = matches!(text.trim(), "" | "true" | "false");
        if !harmless && self.is_secret_key(key) {
            return Masked { text: Cow::Borrowed(MASK), masked: true };
        }
        let text = self.text(text);
        let masked = matches!(text, Cow::Owned(_)) || text.contains(MASK);
        Masked { text, masked }
    }

    /// Free text (labels, statements, log bodies, messages of exceptions) with the secrets in it masked.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.off || !self.patterns.may_match(text) {
            return Cow::Borrowed(text);
        }
        let mut result = Cow::Borrowed(text);
        // What stood beside a secret may be seen as one itself once that is gone.
        for _ in 0..MAX_ROUNDS {
            match replace(&result, self.patterns.find(&result, &self.keys)) {
                Some(next) => result = Cow::Owned(next),
                None => break,
            }
        }
        result
    }
}

/// The text with `ranges` masked; `None` where that changes nothing.
fn replace(text: &str, mut ranges: Vec<Range<usize>>) -> Option<String> {
    ranges.retain(|range| text.get(range.clone()).is_some_and(|part| part.chars().any(|c| c != '•')));
    if ranges.is_empty() {
        return None;
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        if range.start >= done {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str(MASK);
        }
        done = done.max(range.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}

#[cfg(test)]
mod tests;

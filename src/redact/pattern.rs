//! Values that are secrets by their looks.

use std::ops::Range;

use regex::{Captures, Regex, RegexSet};

use super::key::Keys;
use super::{RuleError, assignment};

/// What has to hold of a match, beyond the expression, to be a secret.
type Check = fn(text: &str, found: Range<usize>) -> bool;

/// The built-in patterns; the first group is the secret, or all of it where there is no group.
const BUILT_IN: &[(&str, Check)] = &[
    // Payment cards, in one piece or in the usual groups.
    (
        r"[0-9]{4}(?:-[0-9]{4}){3}(?:-[0-9]{1,3})?|[0-9]{4}(?: [0-9]{4}){3}|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{5}|[0-9]{13,19}",
        is_card,
    ),
    // Social security numbers of the United States.
    (r"[0-9]{3}-[0-9]{2}-[0-9]{4}", is_ssn),
    // HTTP credentials.
    (r"(?i)(?-u:\b)(?:bearer|basic)[ \t]+([a-z0-9._~+/=-]{8,})", is_token),
    (r"(?i)(?-u:\b)(?:set-)?cookie[ \t]*:[ \t]*([^\r\n\x22']+)", always),
    // JSON web tokens.
    (r"(?-u:\b)eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?", always),
    // The password in `scheme://user:password@host`.
    (r"(?i)(?-u:\b)[a-z][a-z0-9+.-]{0,31}://[^\s/:@\x22']*:([^\s/?#\x22']+)@", always),
    // Keys that are known by their first letters: AWS, GitHub, GitLab, Slack, Google, Stripe and the like.
    (r"(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)", always),
    (
        r"(?-u:\b)(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AIza|sk-|[sr]k_(?:live|test)_)[A-Za-z0-9_-]{16,}",
        is_token,
    ),
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", always),
    // SQL: CREATE USER ... PASSWORD '...', IDENTIFIED BY '...'; Redis: AUTH ...
    (r"(?i)(?-u:\b)(?:identified[ \t]+by|password)[ \t]+'([^']+)'", always),
    (r"^(?:redis )?(?-i:AUTH|auth)[ \t]+([^\s?]+(?:[ \t]+[^\s?]+)?)[ \t]*$", is_redis_auth),
];

/// Finds secrets in text.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    /// All expressions at once, to know which have to be run at all; the last one is for assignments.
    any: RegexSet,
    each: Vec<(Regex, Check)>,
    assignment: assignment::Finder,
}

impl Patterns {
    /// The built-in patterns and those of `extra`.
    pub(super) fn new(keys: &Keys, extra: &[String]) -> Result<Self, RuleError> {
        let expressions =
            BUILT_IN.iter().copied().chain(extra.iter().map(|pattern| (pattern.as_str(), always as Check)));
        let mut each = Vec::new();
        for (pattern, check) in expressions {
            let expression = Regex::new(pattern).map_err(|error| faulty(pattern, error))?;
            each.push((expression, check));
        }
        let stems: Vec<String> = keys.stems().map(regex::escape).collect();
        let mention = format!("(?i)(?:{})", stems.join("|"));
        let all = each.iter().map(|(expression, _)| expression.as_str()).chain([mention.as_str()]);
        let any = RegexSet::new(all).map_err(|error| faulty(&mention, error))?;
        let assignment = assignment::Finder::new().map_err(|error| faulty("assignment", error))?;
        Ok(Self { any, each, assignment })
    }

    /// Whether there may be a secret in `text`.
    pub(super) fn may_match(&self, text: &str) -> bool {
        self.any.is_match(text)
    }

    /// Where the secrets in `text` are, in no order; ranges may overlap.
    pub(super) fn find(&self, text: &str, keys: &Keys) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for index in self.any.matches(text) {
            match self.each.get(index) {
                Some((expression, check)) => {
                    ranges.extend(
                        expression
                            .captures_iter(text)
                            .filter_map(|captures| secret_part(&captures))
                            .filter(|range| check(text, range.clone())),
                    );
                }
                None => ranges.extend(self.assignment.find(text, keys)),
            }
        }
        ranges
    }
}

fn faulty(pattern: &str, error: regex::Error) -> RuleError {
    RuleError::Pattern { pattern: pattern.to_owned(), source: Box::new(error) }
}

fn secret_part(captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = captures.get(1).or_else(|| captures.get(0))?;
    (!found.is_empty()).then(|| found.range())
}

fn always(_: &str, _: Range<usize>) -> bool {
    true
}

/// Whether the digits are a card number: issuer's first digits, length, and the check digit of ISO/IEC 7812 (Luhn).
fn is_card(text: &str, found: Range<usize>) -> bool {
    let digits: Vec<u32> = text.get(found.clone()).unwrap_or_default().chars().filter_map(|c| c.to_digit(10)).collect();
    let first = |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + digit);
    let length = digits.len();
    let issued = match (first(2), first(4)) {
        (40..=49, _) => matches!(length, 13 | 16 | 19),
        (51..=55, _) | (_, 2221..=2720) => length == 16,
        (34 | 37, _) => length == 15,
        (36 | 38 | 30, _) => length == 14,
        (_, 3528..=3589 | 6011 | 6440..=6599) | (62, _) => (16..=19).contains(&length),
        _ => false,
    };
    issued && stands_alone(text, found) && passes_luhn(&digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_ssn(text: &str, found: Range<usize>) -> bool {
    let number = text.get(found.clone()).unwrap_or_default();
    let mut parts = number.split('-');
    let (area, group, serial) = (parts.next(), parts.next(), parts.next());
    let issued = area.is_some_and(|area| area != "000" && area != "666" && !area.starts_with('9'))
        && group != Some("00")
        && serial != Some("0000");
    issued && stands_alone(text, found)
}

/// Whether a number is not part of a longer word, number or id (a UUID, a decimal fraction, a path of digits).
fn stands_alone(text: &str, found: Range<usize>) -> bool {
    let joins = |near: Option<char>, next: Option<char>| match near {
        Some('-' | '.' | ',') => next.is_some_and(char::is_alphanumeric),
        Some('_') => true,
        Some(near) => near.is_alphanumeric(),
        None => false,
    };
    let mut before = text.get(..found.start).unwrap_or_default().chars().rev();
    let mut after = text.get(found.end..).unwrap_or_default().chars();
    !joins(before.next(), before.next()) && !joins(after.next(), after.next())
}

/// Whether it looks random rather than being a word: "basic authentication" is no credential.
fn is_token(text: &str, found: Range<usize>) -> bool {
    let token = text.get(found).unwrap_or_default();
    let has = |test: fn(char) -> bool| token.chars().any(test);
    has(|c| c.is_ascii_digit() || c == '=') || (has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_uppercase()))
}

/// Whether it is Redis' `AUTH`: in capitals, or after the system's name.
fn is_redis_auth(text: &str, _: Range<usize>) -> bool {
    text.starts_with("redis ") || text.starts_with("AUTH")
}

//! Tests of texts and of attribute values.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use super::literal::{Literal, Number};
use super::pattern::Pattern;
use super::terms::Comparison;
use crate::index::ValueRef;
use crate::model::Value;
use crate::semconv;

/// Bytes a compiled regular expression may take.
const REGEX_SIZE: usize = 1 << 20;

/// A regular expression that the whole of a text must match. `.` is also a newline, case counts.
///
/// # Errors
/// What is wrong with it, for a person.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    let build = |text: &str| {
        let built = RegexBuilder::new(text).dot_matches_new_line(true).size_limit(REGEX_SIZE).build();
        built.map_err(|fault| fault.to_string().lines().last().unwrap_or_default().to_owned())
    };
    // By itself first: closing and opening a group of the one around it must not be possible.
    build(text)?;
    build(&format!(r"\A(?:{text})\z"))
}

/// A regular expression with the longest text that every match of it has in it; empty where nothing can be said.
pub(super) struct Matcher {
    regex: Regex,
    part: String,
}

impl Matcher {
    /// # Errors
    /// As [`compile`].
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let parsed = regex_syntax::ParserBuilder::new().dot_matches_new_line(true).build().parse(text);
        let part = parsed.ok().and_then(|parsed| needed(&parsed)).unwrap_or_default();
        Ok(Self { regex: compile(text)?, part })
    }

    fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The longest literal that every match has in it.
fn needed(pattern: &Hir) -> Option<String> {
    match pattern.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(str::to_owned),
        HirKind::Concat(parts) => parts.iter().filter_map(needed).max_by_key(String::len),
        HirKind::Capture(group) => needed(&group.sub),
        HirKind::Repetition(again) if again.min > 0 => needed(&again.sub),
        _ => None,
    }
}

/// A test of a text that every span has.
pub(super) enum TextTest {
    Is(String),
    Contains(Pattern),
    Matches(Box<Matcher>),
    /// In the order of code points.
    Order(Comparison, String),
    Never,
}

impl TextTest {
    /// Of a comparison that is not negative; `!=` and `!~` are tested as `=` and `=~`.
    pub(super) fn new(comparison: Comparison, value: &Literal) -> Self {
        let Literal::Text { text, quoted } = value else { return Self::Never };
        match comparison {
            Comparison::Contains => Self::Contains(Pattern::new(text, *quoted)),
            Comparison::Equal | Comparison::NotEqual => Self::Is(text.clone()),
            Comparison::Matches | Comparison::MatchesNot => {
                Matcher::new(text).map_or(Self::Never, |regex| Self::Matches(Box::new(regex)))
            }
            order => Self::Order(order, text.clone()),
        }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == text,
            Self::Contains(pattern) => pattern.is_in(text),
            Self::Matches(regex) => regex.is_match(text),
            Self::Order(comparison, wanted) => is_so(*comparison, text.cmp(wanted)),
            Self::Never => false,
        }
    }
}

/// Whether an order is what a comparison asks for.
pub(super) fn is_so(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::AtLeast => order.is_ge(),
        Comparison::AtMost => order.is_le(),
        Comparison::More => order.is_gt(),
        Comparison::Less => order.is_lt(),
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Contains | Comparison::Matches | Comparison::MatchesNot => false,
    }
}

/// Whether a number compares so with another.
#[inline]
pub(super) fn compare_numbers(one: Number, comparison: Comparison, other: Number) -> bool {
    match (one.compare(other), comparison) {
        (order, Comparison::NotEqual) => order != Some(Ordering::Equal),
        (order, comparison) => order.is_some_and(|order| is_so(comparison, order)),
    }
}

/// The key whose values may have been renamed, so that old and new count as one; `None`: they do not.
type Renamed = Option<String>;

/// A test of one attribute value. Arrays pass where any member does; maps only contain.
pub(super) enum ValueTest {
    /// Equal to what was typed: as text, as a number, as a truth value.
    Is(String, Renamed, Option<Number>),
    /// Equal as text.
    IsText(String, Renamed),
    Contains(Pattern),
    Compare(Comparison, Number),
    /// Text in the order of code points.
    Order(Comparison, String),
    Matches(Box<Matcher>),
    /// Whatever it is.
    Any,
    Never,
}

impl ValueTest {
    /// Of a comparison that is not negative; `!=` and `!~` are tested as `=` and `=~`. `key`: its values were renamed.
    pub(super) fn new(comparison: Comparison, value: &Literal, key: Renamed) -> Self {
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let number = |number: Number, text: String| {
            if equality { Self::Is(text, key.clone(), Some(number)) } else { Self::Compare(comparison, number) }
        };
        match value {
            Literal::Nil => Self::Any,
            Literal::Int(whole) => number(Number::Whole(*whole), whole.to_string()),
            Literal::Float(broken) => number(Number::Broken(*broken), broken.to_string()),
            Literal::Duration(length) => match i64::try_from(length.0) {
                Ok(whole) => number(Number::Whole(whole), whole.to_string()),
                Err(_) => Self::Never,
            },
            Literal::Bool(truth) => Self::Is(truth.to_string(), key, None),
            Literal::Status(_) | Literal::Kind(_) | Literal::Moment(_) => Self::Never,
            Literal::Text { text, quoted } => match comparison {
                Comparison::Contains => Self::Contains(Pattern::new(text, *quoted)),
                Comparison::Equal | Comparison::NotEqual if *quoted => Self::IsText(text.clone(), key),
                Comparison::Equal | Comparison::NotEqual => Self::Is(text.clone(), key, Number::read(text)),
                Comparison::Matches | Comparison::MatchesNot => {
                    Matcher::new(text).map_or(Self::Never, |regex| Self::Matches(Box::new(regex)))
                }
                order if *quoted => Self::Order(order, text.clone()),
                order => Number::read(text).map_or(Self::Never, |number| Self::Compare(order, number)),
            },
        }
    }

    /// What every text that passes has in it; empty where nothing can be said.
    pub(super) fn part(&self) -> &str {
        match self {
            Self::Contains(pattern) => pattern.part(),
            Self::Matches(regex) => &regex.part,
            Self::IsText(text, None) | Self::Is(text, None, None) => text,
            _ => "",
        }
    }

    pub(super) fn holds(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (Self::Never, _) => false,
            (_, ValueRef::Composite(value)) => self.holds_within(value),
            _ => self.holds_on(value),
        }
    }

    /// Walks arrays (and for contains, maps) without recursion: senders nest them as deep as they like.
    fn holds_within(&self, value: &Value) -> bool {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(members) => open.extend(members),
                Value::Map(members) => {
                    if let Self::Contains(pattern) = self {
                        if members.iter().any(|member| pattern.is_in(&member.key.lossy())) {
                            return true;
                        }
                        open.extend(members.iter().map(|member| &member.value));
                    }
                }
                Value::Text(text) if self.holds_on(ValueRef::Text(&text.lossy())) => return true,
                Value::Bool(truth) if self.holds_on(ValueRef::Bool(*truth)) => return true,
                Value::Int(number) if self.holds_on(ValueRef::Int(*number)) => return true,
                Value::Double(number) if self.holds_on(ValueRef::Double(*number)) => return true,
                Value::Empty | Value::Text(_) | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => {
                }
            }
        }
        false
    }

    fn holds_on(&self, value: ValueRef<'_>) -> bool {
        match self {
            Self::IsText(text, key) => matches!(value, ValueRef::Text(have) if same(key.as_deref(), text, have)),
            Self::Is(text, key, number) => match value {
                ValueRef::Text(have) if same(key.as_deref(), text, have) => true,
                ValueRef::Bool(have) => *text == if have { "true" } else { "false" },
                ValueRef::Double(have) if have.to_string() == *text => true,
                _ => number.is_some_and(|number| order(value, number) == Some(Ordering::Equal)),
            },
            Self::Contains(pattern) => spelled(value, &|text| pattern.is_in(text)),
            Self::Matches(regex) => spelled(value, &|text| regex.is_match(text)),
            Self::Order(comparison, wanted) => {
                matches!(value, ValueRef::Text(have) if is_so(*comparison, have.cmp(wanted)))
            }
            Self::Compare(comparison, wanted) => order(value, *wanted).is_some_and(|order| is_so(*comparison, order)),
            Self::Any | Self::Never => false,
        }
    }
}

/// Asks about a value as text, if it can be said as one.
fn spelled(value: ValueRef<'_>, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        ValueRef::Text(have) => test(have),
        ValueRef::Bool(have) => test(if have { "true" } else { "false" }),
        ValueRef::Int(have) => test(&have.to_string()),
        ValueRef::Double(have) => test(&have.to_string()),
        ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::Composite(_) => false,
    }
}

fn same(key: Option<&str>, wanted: &str, have: &str) -> bool {
    let form = |text| key.map_or(text, |key| semconv::canonical_value(key, text));
    wanted == have || key.is_some() && form(wanted) == form(have)
}

/// How a value that is a number, or text that is one, compares with `wanted`.
fn order(value: ValueRef<'_>, wanted: Number) -> Option<Ordering> {
    let have = match value {
        ValueRef::Int(number) => Some(Number::Whole(number)),
        ValueRef::Double(number) => Some(Number::Broken(number)),
        ValueRef::Text(text) => Number::read(text),
        _ => None,
    };
    have?.compare(wanted)
}

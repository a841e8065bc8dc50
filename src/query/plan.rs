//! A filter made ready to run: each term a selection of rows.

use std::cmp::Ordering;

use super::literal::Number;
use super::pattern::Pattern;
use super::{Comparison, Field, Literal, Query, Term};
use crate::index::{Block, Place, Rows, ValueRef};
use crate::model::{Kind, Nanos, StatusCode, TraceId, Value};
use crate::semconv;

const EVERYWHERE: [Place; 5] = [Place::Span, Place::Scope, Place::Resource, Place::Event, Place::Link];

/// The terms of a query, sorted by what they do.
pub(super) struct Plan {
    /// Traces that are meant; `None`: any.
    pub(super) only: Option<TraceId>,
    /// The terms contradict each other.
    pub(super) nothing: bool,
    /// Traces that are not meant.
    pub(super) never: Vec<TraceId>,
    /// Hold on the span, cheapest first.
    pub(super) wanted: Vec<Check>,
    /// Do not hold on the span (or, where nothing is wanted, on any span of the trace).
    pub(super) unwanted: Vec<Check>,
}

impl Plan {
    pub(super) fn new(query: &Query) -> Self {
        let mut plan = Self { only: None, nothing: false, never: Vec::new(), wanted: Vec::new(), unwanted: Vec::new() };
        for term in &query.terms {
            if term.is_about_trace() {
                plan.add_trace(term);
            } else if term.negated {
                plan.unwanted.push(Check::new(term));
            } else {
                plan.wanted.push(Check::new(term));
            }
        }
        plan.wanted.sort_by_key(Check::cost);
        plan
    }

    fn add_trace(&mut self, term: &Term) {
        let Literal::Text { text, .. } = &term.value else { return };
        let Some(id) = TraceId::from_hex(text) else { return };
        if term.negated == (term.comparison == Comparison::NotEqual) {
            self.nothing |= self.only.is_some_and(|only| only != id);
            self.only = Some(id);
        } else {
            self.never.push(id);
        }
    }

    /// Whether its conditions on the trace as a whole allow `trace`.
    pub(super) fn allows(&self, trace: TraceId) -> bool {
        !self.nothing && self.only.is_none_or(|only| only == trace) && !self.never.contains(&trace)
    }

    /// The rows of `block` on which every wanted and no unwanted condition holds.
    pub(super) fn select(&self, block: Block<'_>) -> Rows {
        let mut rows: Option<Rows> = None;
        for check in &self.wanted {
            let narrowed = check.select_among(block, rows);
            if narrowed.is_empty() {
                return narrowed;
            }
            rows = Some(narrowed);
        }
        let mut rows = rows.unwrap_or_else(|| block.all());
        for check in &self.unwanted {
            if rows.is_empty() {
                return rows;
            }
            rows = rows.minus(&check.select(block));
        }
        rows
    }

    /// The rows of `block` on which some unwanted condition holds.
    pub(super) fn select_unwanted(&self, block: Block<'_>) -> Rows {
        self.unwanted.iter().fold(Rows::default(), |rows, check| rows.or(&check.select(block)))
    }
}

/// One condition on a span, ready to run.
pub(super) struct Check {
    on: On,
    /// Holds where the selection does not (`!=` on what every span has, `error=false`).
    inverted: bool,
}

enum On {
    Service(TextTest),
    Operation(TextTest),
    Duration(Nanos, Nanos),
    /// A duration that no span can have.
    Never,
    Status(StatusCode),
    Kind(Kind),
    Attribute {
        keys: Vec<String>,
        test: ValueTest,
        present: bool,
    },
    Text(Pattern),
}

impl Check {
    fn new(term: &Term) -> Self {
        let not_equal = term.comparison == Comparison::NotEqual;
        let (on, inverted) = match (&term.field, &term.value) {
            (Field::Service, Literal::Text { text, quoted }) => {
                (On::Service(TextTest::new(term, text, *quoted)), not_equal)
            }
            (Field::Operation, Literal::Text { text, quoted }) => {
                (On::Operation(TextTest::new(term, text, *quoted)), not_equal)
            }
            (Field::Duration, Literal::Duration(duration)) => (range(term.comparison, *duration), not_equal),
            (Field::Error, Literal::Bool(value)) => (On::Status(StatusCode::ERROR), *value == not_equal),
            (Field::Status, Literal::Text { text, .. }) => (status(text), not_equal),
            (Field::Kind, Literal::Text { text, .. }) => (kind(text), not_equal),
            (Field::Attribute { key, exact }, Literal::Text { text, quoted }) => {
                let keys = if *exact { vec![key.as_str()] } else { semconv::aliases(key) };
                let keys = keys.into_iter().map(str::to_owned).collect();
                let renamed = !exact && semconv::renames_values(key);
                let test = ValueTest::new(term.comparison, (text, *quoted), renamed.then_some(key));
                (On::Attribute { keys, test, present: not_equal }, false)
            }
            (Field::Text, Literal::Text { text, quoted }) => (On::Text(Pattern::new(text, *quoted)), false),
            // The parser makes no other pairs of field and literal.
            _ => (On::Never, false),
        };
        Self { on, inverted }
    }

    fn cost(&self) -> u8 {
        match self.on {
            On::Never => 0,
            On::Duration(..) | On::Status(_) | On::Kind(_) => 1,
            On::Service(_) => 2,
            On::Operation(_) => 3,
            On::Attribute { .. } => 4,
            On::Text(_) => 5,
        }
    }

    /// Of these rows (none given: all) those on which it holds.
    fn select_among(&self, block: Block<'_>, rows: Option<Rows>) -> Rows {
        let Some(rows) = rows else { return self.select(block) };
        match &self.on {
            On::Service(test) if !self.inverted => block.narrow_service(rows, &|text| test.holds(text)),
            On::Operation(test) if !self.inverted => block.narrow_name(rows, &|text| test.holds(text)),
            _ => rows.and(&self.select(block)),
        }
    }

    fn select(&self, block: Block<'_>) -> Rows {
        let rows = match &self.on {
            On::Never => Rows::default(),
            On::Duration(least, most) => block.select_duration(*least, *most),
            On::Status(status) => block.select_status(*status),
            On::Kind(kind) => block.select_kind(*kind),
            On::Service(test) => block.select_service(&|text| test.holds(text)),
            On::Operation(test) => block.select_name(&|text| test.holds(text)),
            On::Text(pattern) => block.select_text_with(pattern.part(), &|text| pattern.is_in(text)),
            On::Attribute { keys, test, present } => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let among = (&keys[..], &EVERYWHERE[..]);
                let equal = block.select_attribute_with(test.part(), among, &|value| test.holds(value));
                if *present { block.select_attribute(&keys, &EVERYWHERE, &|_| true).minus(&equal) } else { equal }
            }
        };
        if self.inverted { block.all().minus(&rows) } else { rows }
    }
}

fn range(comparison: Comparison, duration: Nanos) -> On {
    let most = Nanos(u64::MAX);
    match comparison {
        Comparison::AtLeast => On::Duration(duration, most),
        Comparison::AtMost => On::Duration(Nanos::ZERO, duration),
        Comparison::More => duration.0.checked_add(1).map_or(On::Never, |least| On::Duration(Nanos(least), most)),
        Comparison::Less => duration.0.checked_sub(1).map_or(On::Never, |most| On::Duration(Nanos::ZERO, Nanos(most))),
        Comparison::Equal | Comparison::NotEqual | Comparison::Contains => On::Duration(duration, duration),
    }
}

fn status(name: &str) -> On {
    let known = [StatusCode::UNSET, StatusCode::OK, StatusCode::ERROR];
    known.into_iter().find(|code| code.name() == name).map_or(On::Never, On::Status)
}

fn kind(name: &str) -> On {
    (0..=5).map(Kind).find(|kind| kind.name() == name).map_or(On::Never, On::Kind)
}

enum TextTest {
    Is(String),
    Contains(Pattern),
}

impl TextTest {
    fn new(term: &Term, text: &str, quoted: bool) -> Self {
        match term.comparison {
            Comparison::Contains => Self::Contains(Pattern::new(text, quoted)),
            _ => Self::Is(text.to_owned()),
        }
    }

    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == text,
            Self::Contains(pattern) => pattern.is_in(text),
        }
    }
}

/// The key whose values may have been renamed, so that old and new count as one; `None`: they do not.
type Renamed = Option<String>;

/// A test of one attribute value. Arrays pass where any member does; maps only contain.
enum ValueTest {
    /// Equal to what was typed: as text, as a number, as a truth value.
    Is(String, Renamed, Option<Number>),
    /// Equal as text.
    IsText(String, Renamed),
    Contains(Pattern),
    Compare(Comparison, Option<Number>),
}

impl ValueTest {
    fn new(comparison: Comparison, (text, quoted): (&str, bool), key: Option<&String>) -> Self {
        match comparison {
            Comparison::Contains => Self::Contains(Pattern::new(text, quoted)),
            Comparison::Equal | Comparison::NotEqual if quoted => Self::IsText(text.to_owned(), key.cloned()),
            Comparison::Equal | Comparison::NotEqual => Self::Is(text.to_owned(), key.cloned(), Number::read(text)),
            _ => Self::Compare(comparison, Number::read(text)),
        }
    }

    /// What every text that passes has in it; empty where nothing can be said.
    fn part(&self) -> &str {
        match self {
            Self::Contains(pattern) => pattern.part(),
            Self::IsText(text, None) | Self::Is(text, None, None) => text,
            Self::IsText(..) | Self::Is(..) | Self::Compare(..) => "",
        }
    }

    fn holds(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Composite(value) => self.holds_within(value),
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
                _ => order(value, *number) == Some(Ordering::Equal),
            },
            Self::Contains(pattern) => match value {
                ValueRef::Text(have) => pattern.is_in(have),
                ValueRef::Bool(have) => pattern.is_in(if have { "true" } else { "false" }),
                ValueRef::Int(have) => pattern.is_in(&have.to_string()),
                ValueRef::Double(have) => pattern.is_in(&have.to_string()),
                ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::Composite(_) => false,
            },
            Self::Compare(comparison, wanted) => order(value, *wanted).is_some_and(|order| match comparison {
                Comparison::AtLeast => order.is_ge(),
                Comparison::AtMost => order.is_le(),
                Comparison::More => order.is_gt(),
                Comparison::Less => order.is_lt(),
                Comparison::Equal | Comparison::NotEqual | Comparison::Contains => false,
            }),
        }
    }
}

fn same(key: Option<&str>, wanted: &str, have: &str) -> bool {
    let form = |text| key.map_or(text, |key| semconv::canonical_value(key, text));
    wanted == have || key.is_some() && form(wanted) == form(have)
}

/// How a value that is a number, or text that is one, compares with `wanted`.
fn order(value: ValueRef<'_>, wanted: Option<Number>) -> Option<Ordering> {
    let wanted = wanted?;
    let have = match value {
        ValueRef::Int(number) => Some(Number::Whole(number)),
        ValueRef::Double(number) => Some(Number::Broken(number)),
        ValueRef::Text(text) => Number::read(text),
        _ => None,
    };
    have?.compare(wanted)
}

//! Conditions on a span that columns can answer, for all rows of a block at once.

use crate::index::{Block, Place, Rows};
use crate::model::{Kind, Nanos, SpanId, StatusCode, Timestamp, TraceId};
use crate::query::field::{Attribute, Field, Scope};
use crate::query::literal::Literal;
use crate::query::pattern::Pattern;
use crate::query::terms::Comparison;
use crate::query::value::{TextTest, ValueTest};
use crate::semconv;

const EVERYWHERE: [Place; 5] = [Place::Span, Place::Scope, Place::Resource, Place::Event, Place::Link];

/// One condition on a span, ready to run.
pub(in crate::query) struct Leaf {
    on: On,
    /// Holds where the selection does not.
    inverted: bool,
}

enum On {
    /// No span is so.
    Nothing,
    Start(Timestamp, Timestamp),
    Duration(u64, u64),
    Status(StatusCode),
    Kind(Kind),
    Service(TextTest),
    Source(TextTest),
    Name(TextTest),
    Message(TextTest),
    ScopeName(TextTest),
    ScopeVersion(TextTest),
    Id(SpanId),
    Parent(SpanId),
    NoParent,
    /// Has a parent that is not this.
    OtherParent(SpanId),
    /// `.1`: has events, and none is so.
    EventName(TextTest, bool),
    LinkTrace(TraceId, bool),
    LinkSpan(SpanId, bool),
    Attribute {
        keys: Vec<String>,
        places: Vec<Place>,
        test: Box<ValueTest>,
        /// It is there, and is not so.
        not: bool,
    },
    Text(Pattern),
}

/// A range of whole numbers for a comparison with `value`; `None`: no number is so.
pub(in crate::query) fn range(comparison: Comparison, value: i128) -> Option<(u64, u64)> {
    let (least, most) = match comparison {
        Comparison::AtLeast => (value, i128::MAX),
        Comparison::AtMost => (0, value),
        Comparison::More => (value.checked_add(1)?, i128::MAX),
        Comparison::Less => (0, value.checked_sub(1)?),
        _ => (value, value),
    };
    let most = u64::try_from(most.min(i128::from(u64::MAX))).ok()?;
    let least = u64::try_from(least.max(0)).ok()?;
    (least <= most).then_some((least, most))
}

/// A length of time in nanoseconds.
pub(in crate::query) fn nanos(value: &Literal) -> Option<i128> {
    match value {
        Literal::Duration(length) => Some(length.0.into()),
        Literal::Moment(then) => Some(then.0.into()),
        Literal::Int(number) => Some((*number).into()),
        _ => None,
    }
}

fn span_id(value: &Literal) -> Option<SpanId> {
    match value {
        Literal::Text { text, .. } => SpanId::from_hex(text),
        _ => None,
    }
}

pub(in crate::query) fn trace_id(value: &Literal) -> Option<TraceId> {
    match value {
        Literal::Text { text, .. } => TraceId::from_hex(text),
        _ => None,
    }
}

impl Leaf {
    /// Spans that begin within a time.
    pub(super) fn start(from: Timestamp, to: Timestamp) -> Self {
        Self { on: On::Start(from, to), inverted: false }
    }

    /// Spans that have an attribute.
    pub(super) fn present(attribute: &Attribute) -> Self {
        Self { on: Self::attribute(attribute, Comparison::NotEqual, &Literal::Nil), inverted: false }
    }

    /// A condition on a span; `None` where no column says it.
    pub(super) fn new(field: &Field, comparison: Comparison, value: &Literal) -> Option<Self> {
        let not = matches!(comparison, Comparison::NotEqual | Comparison::MatchesNot);
        let text = || TextTest::new(comparison, value);
        let (on, inverted) = match field {
            Field::Service => (On::Service(text()), not),
            Field::Source => (On::Source(text()), not),
            Field::Name => (On::Name(text()), not),
            Field::StatusMessage => (On::Message(text()), not),
            Field::ScopeName => (On::ScopeName(text()), not),
            Field::ScopeVersion => (On::ScopeVersion(text()), not),
            Field::EventName => (On::EventName(text(), not), false),
            Field::Duration => {
                let range = range(comparison, nanos(value)?);
                (range.map_or(On::Nothing, |(least, most)| On::Duration(least, most)), not)
            }
            Field::Error => (On::Status(StatusCode::ERROR), (*value == Literal::Bool(true)) == not),
            Field::Status => match value {
                Literal::Status(code) => (On::Status(*code), not),
                _ => return None,
            },
            Field::Kind => match value {
                Literal::Kind(kind) => (On::Kind(*kind), not),
                _ => return None,
            },
            Field::SpanId => (span_id(value).map_or(On::Nothing, On::Id), not),
            Field::ParentId => match (value, span_id(value)) {
                (Literal::Nil, _) => (On::NoParent, not),
                (_, None) => (On::Nothing, false),
                (_, Some(id)) => (if not { On::OtherParent(id) } else { On::Parent(id) }, false),
            },
            Field::LinkTraceId => (trace_id(value).map_or(On::Nothing, |id| On::LinkTrace(id, not)), false),
            Field::LinkSpanId => (span_id(value).map_or(On::Nothing, |id| On::LinkSpan(id, not)), false),
            Field::Attribute(attribute) => {
                (Self::attribute(attribute, comparison, value), *value == Literal::Nil && !not)
            }
            Field::Text => match value {
                Literal::Text { text, quoted } => (On::Text(Pattern::new(text, *quoted)), false),
                _ => return None,
            },
            Field::ChildCount
            | Field::NestedLeft
            | Field::NestedRight
            | Field::NestedParent
            | Field::EventTime
            | Field::TraceId
            | Field::TraceDuration
            | Field::TraceStart
            | Field::RootName
            | Field::RootService => return None,
        };
        Some(Self { on, inverted })
    }

    fn attribute(attribute: &Attribute, comparison: Comparison, value: &Literal) -> On {
        let Attribute { scope, key, exact } = attribute;
        let keys = keys(attribute).into_iter().map(str::to_owned).collect();
        let renamed = !exact && semconv::renames_values(key);
        let places = places(*scope);
        let not = *value != Literal::Nil && matches!(comparison, Comparison::NotEqual | Comparison::MatchesNot);
        let test = Box::new(ValueTest::new(comparison, value, renamed.then(|| key.clone())));
        On::Attribute { keys, places, test, not }
    }

    /// The dearer, the later it is asked.
    pub(super) fn cost(&self) -> u8 {
        match &self.on {
            On::Nothing => 0,
            On::Start(..) | On::Duration(..) | On::Status(_) | On::Kind(_) => 1,
            On::Service(_) | On::Source(_) => 2,
            On::Name(_) | On::ScopeName(_) | On::ScopeVersion(_) => 3,
            On::Id(_) | On::Parent(_) | On::NoParent | On::OtherParent(_) => 4,
            On::Attribute { test, .. } if matches!(**test, ValueTest::Matches(_) | ValueTest::Contains(_)) => 6,
            On::Attribute { .. } => 5,
            On::Message(_) | On::EventName(..) | On::LinkTrace(..) | On::LinkSpan(..) => 7,
            On::Text(_) => 8,
        }
    }

    /// Of these rows those on which it holds.
    pub(super) fn narrow(&self, block: Block<'_>, rows: Rows) -> Rows {
        match &self.on {
            On::Service(test) if !self.inverted => block.narrow_service(rows, &|text| test.holds(text)),
            On::Name(test) if !self.inverted => block.narrow_name(rows, &|text| test.holds(text)),
            _ if self.inverted => rows.minus(&self.positive(block)),
            _ => rows.and(&self.positive(block)),
        }
    }

    fn positive(&self, block: Block<'_>) -> Rows {
        match &self.on {
            On::Nothing => Rows::default(),
            On::Start(from, to) => block.select_start(*from, *to),
            On::Duration(least, most) => block.select_duration(Nanos(*least), Nanos(*most)),
            On::Status(status) => block.select_status(*status),
            On::Kind(kind) => block.select_kind(*kind),
            On::Service(test) => block.select_service(&|text| test.holds(text)),
            On::Source(test) => block.select_source(&|text| test.holds(text)),
            On::Name(test) => block.select_name(&|text| test.holds(text)),
            On::Message(test) => block.select_status_message(&|text| test.holds(text)),
            On::ScopeName(test) => block.select_scope(&|name, _| test.holds(name)),
            On::ScopeVersion(test) => block.select_scope(&|_, version| test.holds(version)),
            On::Id(id) => block.select_span_id(&|other| other == *id),
            On::Parent(id) => block.select_parent(&|other| other == Some(*id)),
            On::NoParent => block.select_parent(&|other| other.is_none()),
            On::OtherParent(id) => block.select_parent(&|other| other.is_some_and(|other| other != *id)),
            On::EventName(test, not) => either(*not, &|all| block.select_event_name(&|name| all || test.holds(name))),
            On::LinkTrace(id, not) => either(*not, &|all| block.select_link(&|trace, _| all || *trace == id.0)),
            On::LinkSpan(id, not) => either(*not, &|all| block.select_link(&|_, span| all || *span == id.0)),
            On::Text(pattern) => block.select_text_with(pattern.part(), &|text| pattern.is_in(text)),
            On::Attribute { keys, places, test, not } => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                if matches!(**test, ValueTest::Any) {
                    return block.select_present(&keys, places);
                }
                let so = block.select_attribute_with(test.part(), (&keys, places), &|value| test.holds(value));
                if *not { block.select_present(&keys, places).minus(&so) } else { so }
            }
        }
    }
}

/// What is selected; `not`: of all there are those that are not.
fn either(not: bool, select: &dyn Fn(bool) -> Rows) -> Rows {
    if not { select(true).minus(&select(false)) } else { select(false) }
}

/// The names under which an attribute may stand.
pub(in crate::query) fn keys(attribute: &Attribute) -> Vec<&str> {
    if attribute.exact { vec![&attribute.key] } else { semconv::aliases(&attribute.key) }
}

/// The places of attributes that a scope means.
pub(in crate::query) fn places(scope: Scope) -> Vec<Place> {
    match scope {
        Scope::Anywhere => EVERYWHERE.to_vec(),
        Scope::Span => vec![Place::Span],
        Scope::Resource => vec![Place::Resource],
        Scope::Event => vec![Place::Event],
        Scope::Link => vec![Place::Link],
        Scope::Instrumentation => vec![Place::Scope],
    }
}

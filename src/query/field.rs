//! What a condition can look at, and its names.

use super::terms::Comparison;

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `service.name` of the resource.
    Service,
    /// The span's name.
    Name,
    /// The span's duration.
    Duration,
    /// Whether its status is error.
    Error,
    /// Its kind.
    Kind,
    /// Its status.
    Status,
    /// What was said of its status.
    StatusMessage,
    /// Its id.
    SpanId,
    /// Its parent's id.
    ParentId,
    /// How many children it has.
    ChildCount,
    /// Its place in a walk through the tree on the way down, from 1.
    NestedLeft,
    /// Its place in a walk through the tree on the way up.
    NestedRight,
    /// The left place of its parent; -1 for a root.
    NestedParent,
    /// The trace's id. A condition on the trace, not on a span.
    TraceId,
    /// From the earliest start to the latest end of all spans held. A condition on the trace, not on a span.
    TraceDuration,
    /// The earliest start of all spans held. A condition on the trace, not on a span.
    TraceStart,
    /// The name of the trace's root span.
    RootName,
    /// The service of the trace's root span.
    RootService,
    /// The name of the source it came from.
    Source,
    /// The name of one of its events.
    EventName,
    /// How long after the span's start one of its events happened.
    EventTime,
    /// The trace that one of its links points at.
    LinkTraceId,
    /// The span that one of its links points at.
    LinkSpanId,
    /// The name of the instrumentation library.
    ScopeName,
    /// The version of the instrumentation library.
    ScopeVersion,
    /// An attribute.
    Attribute(Attribute),
    /// Any text of the span.
    Text,
}

/// An attribute by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Where it stands.
    pub scope: Scope,
    /// The key as typed.
    pub key: String,
    /// Typed in quotes: other names that mean the same do not count.
    pub exact: bool,
}

/// Where an attribute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On span, scope, resource, events or links.
    Anywhere,
    /// On the span.
    Span,
    /// On its resource.
    Resource,
    /// On one of its events.
    Event,
    /// On one of its links.
    Link,
    /// On its instrumentation scope.
    Instrumentation,
}

/// What kind of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    /// A length of time.
    Time,
    /// A point in time.
    Moment,
    Number,
    Truth,
    Status,
    Kind,
    /// A trace id.
    TraceId,
    /// A span id.
    SpanId,
    /// Whatever the sender gave it.
    Any,
}

/// Bare names that mean something.
const NAMES: [(&str, Field); 24] = [
    ("service", Field::Service),
    ("operation", Field::Name),
    ("name", Field::Name),
    ("duration", Field::Duration),
    ("source", Field::Source),
    ("error", Field::Error),
    ("kind", Field::Kind),
    ("span.kind", Field::Kind),
    ("status", Field::Status),
    ("span.status", Field::Status),
    ("statusMessage", Field::StatusMessage),
    ("trace_id", Field::TraceId),
    ("traceID", Field::TraceId),
    ("traceId", Field::TraceId),
    ("traceDuration", Field::TraceDuration),
    ("traceStart", Field::TraceStart),
    ("rootName", Field::RootName),
    ("rootServiceName", Field::RootService),
    ("scope.name", Field::ScopeName),
    ("scope.version", Field::ScopeVersion),
    ("childCount", Field::ChildCount),
    ("nestedSetLeft", Field::NestedLeft),
    ("nestedSetRight", Field::NestedRight),
    ("nestedSetParent", Field::NestedParent),
];

/// Names with a colon, in both modes.
const SCOPED: [(&str, Field); 19] = [
    ("span:duration", Field::Duration),
    ("span:name", Field::Name),
    ("span:kind", Field::Kind),
    ("span:statusMessage", Field::StatusMessage),
    ("span:status", Field::Status),
    ("span:id", Field::SpanId),
    ("span:parentID", Field::ParentId),
    ("span:source", Field::Source),
    ("span:childCount", Field::ChildCount),
    ("trace:duration", Field::TraceDuration),
    ("trace:rootName", Field::RootName),
    ("trace:rootService", Field::RootService),
    ("trace:id", Field::TraceId),
    ("event:name", Field::EventName),
    ("event:timeSinceStart", Field::EventTime),
    ("link:traceID", Field::LinkTraceId),
    ("link:spanID", Field::LinkSpanId),
    ("instrumentation:name", Field::ScopeName),
    ("instrumentation:version", Field::ScopeVersion),
];

/// Names without a colon within `{ }`.
const PLAIN: [(&str, Field); 13] = [
    ("duration", Field::Duration),
    ("name", Field::Name),
    ("status", Field::Status),
    ("statusMessage", Field::StatusMessage),
    ("kind", Field::Kind),
    ("parent", Field::ParentId),
    ("childCount", Field::ChildCount),
    ("rootName", Field::RootName),
    ("rootServiceName", Field::RootService),
    ("traceDuration", Field::TraceDuration),
    ("nestedSetLeft", Field::NestedLeft),
    ("nestedSetRight", Field::NestedRight),
    ("nestedSetParent", Field::NestedParent),
];

fn find(names: &[(&str, Field)], name: &str) -> Option<Field> {
    names.iter().find(|(known, _)| *known == name).map(|(_, field)| field.clone())
}

impl Field {
    /// What a name without braces and without a colon stands for.
    pub(super) fn bare(name: &str) -> Option<Self> {
        find(&NAMES, name)
    }

    /// What a name with a colon stands for.
    pub(super) fn scoped(name: &str) -> Option<Self> {
        find(&SCOPED, name)
    }

    /// What a name within braces stands for.
    pub(super) fn braced(name: &str) -> Option<Self> {
        find(&PLAIN, name).or_else(|| find(&SCOPED, name))
    }

    /// The names with a colon.
    pub(super) fn scoped_names() -> impl Iterator<Item = &'static str> {
        SCOPED.iter().map(|(name, _)| *name)
    }

    /// An attribute anywhere.
    #[must_use]
    pub fn attribute(key: impl Into<String>) -> Self {
        Self::Attribute(Attribute { scope: Scope::Anywhere, key: key.into(), exact: false })
    }

    /// How it is written: without braces, or within.
    pub(super) fn own_name(&self, braced: bool) -> &'static str {
        let own = match self {
            Self::Service => "service",
            Self::Error => "error",
            Self::Name if !braced => "operation",
            Self::TraceId if !braced => "trace_id",
            Self::Source if !braced => "source",
            // TraceQL has no name for it.
            Self::TraceStart => "traceStart",
            _ => "",
        };
        let names = PLAIN.iter().filter(|(name, _)| *name != "parent").chain(&SCOPED);
        let found = || names.into_iter().find(|(_, field)| field == self).map_or("", |(name, _)| *name);
        if own.is_empty() { found() } else { own }
    }

    /// Whether the trace alone has it, and not one of its spans.
    pub(super) fn is_of_trace(&self) -> bool {
        matches!(self, Self::TraceId | Self::TraceDuration | Self::TraceStart)
    }

    pub(super) fn values(&self) -> Type {
        match self {
            Self::Service
            | Self::Name
            | Self::StatusMessage
            | Self::RootName
            | Self::RootService
            | Self::Source
            | Self::EventName
            | Self::ScopeName
            | Self::ScopeVersion
            | Self::Text => Type::Text,
            Self::Duration | Self::TraceDuration | Self::EventTime => Type::Time,
            Self::TraceStart => Type::Moment,
            Self::ChildCount | Self::NestedLeft | Self::NestedRight | Self::NestedParent => Type::Number,
            Self::Error => Type::Truth,
            Self::Kind => Type::Kind,
            Self::Status => Type::Status,
            Self::TraceId | Self::LinkTraceId => Type::TraceId,
            Self::SpanId | Self::ParentId | Self::LinkSpanId => Type::SpanId,
            Self::Attribute(_) => Type::Any,
        }
    }
}

impl Scope {
    /// The prefix of keys.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Anywhere => "",
            Self::Span => "span.",
            Self::Resource => "resource.",
            Self::Event => "event.",
            Self::Link => "link.",
            Self::Instrumentation => "instrumentation.",
        }
    }

    /// All that have a prefix.
    pub(super) const WITH_PREFIX: [Self; 5] =
        [Self::Span, Self::Resource, Self::Event, Self::Link, Self::Instrumentation];
}

impl Type {
    /// What can stand after a field of this type in a bare filter, for a person; `None`: anything.
    pub(super) fn refuses(self, sign: Comparison) -> Option<&'static str> {
        let equality = matches!(sign, Comparison::Equal | Comparison::NotEqual);
        match self {
            Self::Text if equality || matches!(sign, Comparison::Contains) || sign.is_equality() => None,
            Self::Text => Some("`=`, `!=`, `:`, `=~` or `!~`"),
            Self::Time | Self::Moment | Self::Number => {
                (matches!(sign, Comparison::Contains | Comparison::Matches | Comparison::MatchesNot))
                    .then_some("`>`, `>=`, `<`, `<=`, `=` or `!=`")
            }
            Self::Truth | Self::Status | Self::Kind | Self::TraceId | Self::SpanId => {
                (!equality).then_some("`=` or `!=`")
            }
            Self::Any => None,
        }
    }
}

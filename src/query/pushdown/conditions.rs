//! The conditions of a filter that one span must meet and that can be said elsewhere.

use super::ask::{Abilities, Search};
use crate::model::{Kind, Nanos, StatusCode, Timestamp, TraceId};
use crate::query::columns::UNKNOWN;
use crate::query::field::{Attribute, Field, Scope};
use crate::query::literal::{Literal, Number};
use crate::query::plan::{nanos, trace_id};
use crate::query::spans::FieldExpr;
use crate::query::terms::{Comparison, Condition, Expr, Query, Relation, Says};
use crate::semconv;

/// What a filter says that can be said elsewhere.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// The trace that it names.
    pub(super) trace: Option<TraceId>,
    /// The parts that name it.
    pub(super) of_trace: Vec<usize>,
    /// Conditions that hold together on one span, with the part each is from.
    pub(super) all: Vec<(usize, Remote)>,
    /// Parts that conditions are from, and whether these say all of the part.
    pub(super) whole: Vec<(usize, bool)>,
    /// The trace must begin then or later, and then or earlier.
    pub(super) begins: (Option<Timestamp>, Option<Timestamp>),
    /// The filter is about one span, so that its times are about the same.
    pub(super) single: bool,
}

/// A condition that a server may know.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Remote {
    Service(String),
    Name(String),
    AtLeast(Nanos),
    AtMost(Nanos),
    Attribute { attribute: Attribute, value: String },
    Kind(Kind),
    Status(StatusCode),
}

/// Reads them.
pub(super) fn conditions(query: &Query) -> Conditions {
    let mut found = Conditions::default();
    let parts = query.terms.iter().enumerate().filter_map(|(part, term)| match &term.says {
        Says::Spans(says) => Some((part, says)),
        _ => None,
    });
    let (sets, bare): (Vec<_>, Vec<_>) = parts.partition(|(_, says)| says.holds_braces());
    for (part, says) in &bare {
        if let Some(id) = names_trace(says) {
            found.trace = found.trace.or(Some(id));
            found.of_trace.extend((found.trace == Some(id)).then_some(*part));
        }
        if let Expr::Is(Condition {
            of: Relation::Own,
            field: Field::TraceStart,
            comparison,
            value: Literal::Moment(then),
        }) = says
        {
            found.begins(*comparison, *then);
        }
    }
    let positive = bare.iter().any(|(_, says)| says.is_positive());
    found.single = match (&bare[..], &sets[..]) {
        ([], [] | [(_, Expr::Braces(_))]) => true,
        // Each of the alternatives is a filter of its own.
        ([(_, Expr::Any(_))], _) => false,
        (_, sets) => positive && sets.is_empty(),
    };
    if positive {
        for (part, says) in &bare {
            found.bare(*part, says);
        }
    } else if let Some((part, Expr::Braces(Some(expression)))) = sets.first() {
        found.braces(*part, expression);
    }
    found
}

fn names_trace(says: &Expr) -> Option<TraceId> {
    match says {
        Expr::Is(Condition { of: Relation::Own, field: Field::TraceId, comparison: Comparison::Equal, value }) => {
            trace_id(value)
        }
        _ => None,
    }
}

impl Conditions {
    fn begins(&mut self, comparison: Comparison, then: Timestamp) {
        let (start, end) = &mut self.begins;
        match comparison {
            Comparison::AtLeast | Comparison::More => *start = (*start).max(Some(then)),
            Comparison::AtMost | Comparison::Less => *end = Some(end.map_or(then, |end| end.min(then))),
            _ => {}
        }
    }

    fn add(&mut self, part: usize, condition: Option<Remote>, all: bool) {
        if let Some(condition) = condition {
            self.all.push((part, condition));
            match self.whole.iter_mut().find(|(own, _)| *own == part) {
                Some((_, whole)) => *whole &= all,
                None => self.whole.push((part, all)),
            }
        } else if let Some((_, whole)) = self.whole.iter_mut().find(|(own, _)| *own == part) {
            *whole = false;
        } else {
            self.whole.push((part, false));
        }
    }

    fn bare(&mut self, part: usize, says: &Expr) {
        match says {
            Expr::All(parts) => parts.iter().for_each(|inner| self.bare(part, inner)),
            Expr::Is(condition) if condition.of == Relation::Own => {
                let Condition { field, comparison, value, .. } = condition;
                let read = Remote::read(field, *comparison, value);
                self.add(part, read, true);
            }
            _ => self.add(part, None, false),
        }
    }

    fn braces(&mut self, part: usize, expression: &FieldExpr) {
        match expression {
            FieldExpr::All(parts) => parts.iter().for_each(|inner| self.braces(part, inner)),
            FieldExpr::Compare(left, comparison, right) => {
                let read = match (&**left, &**right) {
                    (FieldExpr::Field(Relation::Own, field), FieldExpr::Literal(value)) => {
                        Remote::read(field, *comparison, value)
                    }
                    _ => None,
                };
                self.add(part, read, true);
            }
            _ => self.add(part, None, false),
        }
    }
}

impl Remote {
    /// The condition as it can be said elsewhere; `None` where it cannot be without losing anything.
    fn read(field: &Field, comparison: Comparison, value: &Literal) -> Option<Self> {
        let equal = comparison == Comparison::Equal;
        match (field, value) {
            (Field::Duration, value) => {
                let length = Nanos(u64::try_from(nanos(value)?).ok()?);
                match comparison {
                    Comparison::AtLeast | Comparison::More => Some(Self::AtLeast(length)),
                    Comparison::AtMost | Comparison::Less => Some(Self::AtMost(length)),
                    _ => None,
                }
            }
            // Which spans have no name for their service is said in other words elsewhere.
            (Field::Service, Literal::Text { text, .. }) if equal && text != UNKNOWN => plain(text).map(Self::Service),
            (Field::Name, Literal::Text { text, .. }) if equal => plain(text).map(Self::Name),
            (Field::Kind, Literal::Kind(kind)) if equal => Some(Self::Kind(*kind)),
            (Field::Status, Literal::Status(code)) if equal => Some(Self::Status(*code)),
            (Field::Error, Literal::Bool(true)) if equal => Some(Self::Status(StatusCode::ERROR)),
            (Field::Attribute(attribute), value) if equal && has_one_name(attribute) => {
                Some(Self::Attribute { attribute: attribute.clone(), value: spelled(value)? })
            }
            _ => None,
        }
    }

    /// Puts it into `search` where a Jaeger of these abilities honours it. Answers whether it did.
    ///
    /// Kind, status and `error` never go there: servers were seen to find nothing by them (and other things by `error`).
    pub(super) fn put(&self, search: &mut Search, abilities: Abilities) -> bool {
        match self {
            Self::Service(name) if abilities.names => set(&mut search.service, name),
            Self::Name(name) if abilities.names => set(&mut search.operation, name),
            // Stores keep whole microseconds, cut off.
            Self::AtLeast(length) if abilities.durations => {
                let length = Nanos(length.0 - length.0 % 1_000);
                search.min_duration = Some(search.min_duration.map_or(length, |other| other.max(length)));
                length.0 > 0
            }
            Self::AtMost(length) if abilities.durations => {
                let length = Nanos(length.0.div_ceil(1_000).saturating_mul(1_000));
                search.max_duration = Some(search.max_duration.map_or(length, |other| other.min(length)));
                length.0 > 0
            }
            // A server cannot be told where the attribute is to stand, and looks neither at scopes nor at links.
            Self::Attribute { attribute, value } if abilities.tags && is_searched(attribute) => {
                let tag = (attribute.key.clone(), value.clone());
                // Two values for one key: the second is applied here.
                if let Some(known) = search.tags.iter().find(|(key, _)| *key == tag.0) {
                    return *known == tag;
                }
                search.tags.push(tag);
                true
            }
            _ => false,
        }
    }
}

fn plain(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn set(place: &mut Option<String>, wanted: &str) -> bool {
    place.get_or_insert_with(|| wanted.to_owned()) == wanted
}

/// Whether spans of all ages call it the same, and its values too.
fn has_one_name(attribute: &Attribute) -> bool {
    let alone = semconv::aliases(&attribute.key).len() == 1 && !semconv::renames_values(&attribute.key);
    !attribute.key.is_empty() && (attribute.exact || alone) && !is_list(&attribute.key)
}

/// Attributes that are lists by convention: here a member is enough, elsewhere the whole list is one text.
fn is_list(key: &str) -> bool {
    const LISTS: [&str; 5] =
        ["http.request.header.", "http.response.header.", "rpc.request.metadata.", "rpc.response.metadata.", "aws."];
    const LIST: [&str; 5] = [
        "process.command_args",
        "container.image.tags",
        "container.command_args",
        "gen_ai.response.finish_reasons",
        "gen_ai.request.stop_sequences",
    ];
    LISTS.iter().any(|start| key.starts_with(start)) || LIST.contains(&key)
}

/// Keys that mean something else to some server, and places where none looks.
fn is_searched(attribute: &Attribute) -> bool {
    const TAKEN: [&str; 6] = ["error", "service.name", "internal.span.format", "w3c.tracestate", "hostname", "ip"];
    const STARTS: [&str; 8] =
        ["span.", "scope.", "resource.", "event.", "link.", "otel.", "instrumentation.", "@jaeger@"];
    let key = attribute.key.as_str();
    let place = matches!(attribute.scope, Scope::Anywhere | Scope::Span | Scope::Resource | Scope::Event);
    place && !TAKEN.contains(&key) && !STARTS.iter().any(|start| key.starts_with(start))
}

/// A value as every server writes it; `None` where there are several ways to write what it equals.
fn spelled(value: &Literal) -> Option<String> {
    match value {
        // Empty text is no condition to some.
        Literal::Text { text, .. } if text.is_empty() => None,
        Literal::Text { text, quoted: true } => Some(text.clone()),
        Literal::Text { text, quoted: false } => match Number::read(text) {
            Some(Number::Whole(whole)) => is_exact(whole).then(|| whole.to_string()),
            Some(Number::Broken(_)) => None,
            None => Some(text.clone()),
        },
        Literal::Int(whole) => is_exact(*whole).then(|| whole.to_string()),
        Literal::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Whether all ways to keep the number keep it as it is.
fn is_exact(whole: i64) -> bool {
    whole.unsigned_abs() < 1_000_000_000
}

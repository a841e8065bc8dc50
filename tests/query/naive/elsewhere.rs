//! A server that keeps spans, as simple as possible: what a filter finds here it must be given for what it was asked.

use tracefall::model::{Nanos, Span, Value};
use tracefall::query::pushdown::{Abilities, Ask, Search, push_down};
use tracefall::query::{Query, run};

use super::super::{NOW, filled};
use super::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};
use tracefall::index::Sealing;

/// A value as servers write it. A list passes by its members, which real servers do not do: `push_down` cannot know of lists.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.lossy().into_owned()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Int(number) => vec![number.to_string()],
        Value::Double(number) => vec![number.to_string()],
        Value::Array(members) => members.iter().flat_map(texts).collect(),
        Value::Empty | Value::Map(_) | Value::Bytes(_) => Vec::new(),
    }
}

fn matches(span: &Span, search: &Search) -> bool {
    let resource = &span.resource.attributes;
    let service = |name: &String| {
        resource.iter().any(|pair| pair.key == *"service.name" && pair.value == Value::Text(name.as_str().into()))
    };
    // Stores keep whole microseconds.
    let length = span.end.since(span.start);
    let length = Nanos(length.0 - length.0 % 1_000);
    // Links too, where real servers do not look.
    let pairs = || {
        let own = span.attributes.iter().chain(&span.scope.attributes).chain(resource);
        let events = span.events.iter().flat_map(|event| &event.attributes);
        own.chain(events).chain(span.links.iter().flat_map(|link| &link.attributes))
    };
    let tag =
        |(key, value): &(String, String)| pairs().any(|pair| pair.key == **key && texts(&pair.value).contains(value));
    search.service.as_ref().is_none_or(service)
        && search.operation.as_ref().is_none_or(|name| span.name == **name)
        && search.min_duration.is_none_or(|least| length >= least)
        && search.max_duration.is_none_or(|most| length <= most)
        && (search.start..=search.end).contains(&span.start)
        && search.tags.iter().all(tag)
}

/// Each trace that the filter finds is among those that the server answers with.
pub(super) fn loses_nothing(spans: &[Span], query: &Query) -> Result<(), TestCaseError> {
    let view = filled(&[spans], Sealing::Never);
    let down = push_down(query, Abilities { names: true, tags: true, durations: true, traceql: false }, NOW);
    prop_assert_eq!(down.pushed.len() + down.local.len(), query.parts());
    for hit in run(query, &view, NOW, &|| false).hits {
        let answered = match &down.ask {
            Ask::Trace(id) => *id == hit.trace,
            Ask::Search(search) => spans.iter().any(|span| span.trace_id == hit.trace && matches(span, search)),
        };
        prop_assert!(answered, "{} does not give {:?}: {:?}", query.text, hit.trace, down);
    }
    Ok(())
}

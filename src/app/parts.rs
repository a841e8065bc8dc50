//! Takes filters apart and puts them together: the conditions that chips show, and those that come from data.

use crate::model::Value;
use crate::query::{Moment, Query, Says, key_text, parse, value_text};

/// The longest value that a condition is made of, in bytes.
const LONGEST: usize = 512;

/// One part of a filter (see [`Query::parts`]) as it would be typed by itself; a stage with its `|`.
pub(super) fn text(query: &Query, part: usize) -> Option<String> {
    match part.checked_sub(query.terms.len()) {
        None => Some(Query::of(vec![query.terms.get(part)?.clone()], Vec::new(), Vec::new()).text),
        Some(stage) => Some(format!("| {}", query.stages.get(stage)?.stage)),
    }
}

/// The filter with what `text` says put in at a place among its parts.
pub(super) fn with(query: &Query, place: usize, text: &str) -> Option<Query> {
    let more = match text.strip_prefix('|') {
        Some(stage) => parse(&format!("{{}} | {stage}")).map(|parsed| (Vec::new(), parsed.stages)),
        None => parse(text).map(|parsed| (parsed.terms, parsed.stages)),
    };
    let (more_terms, more_stages) = more.ok()?;
    let (mut terms, mut stages) = (query.terms.clone(), query.stages.clone());
    let at = place.min(terms.len());
    let stage_at = place.saturating_sub(terms.len()).min(stages.len());
    terms.splice(at..at, more_terms);
    stages.splice(stage_at..stage_at, more_stages);
    Some(Query::of(terms, stages, query.hints.clone()))
}

/// The filter with one more condition; its opposite (`opposite`) goes, and it is not put in twice.
pub(super) fn and(query: &Query, condition: &str, opposite: &str) -> Option<Query> {
    let same = |query: &Query, one: &str| {
        let one = parse(one).ok()?;
        query.terms.iter().position(|term| one.terms.contains(term))
    };
    let query = match same(query, opposite) {
        Some(part) => query.without(part),
        None => query.clone(),
    };
    if same(&query, condition).is_some() {
        return Some(query);
    }
    with(&query, query.terms.len(), condition)
}

/// `key=value` as it is typed; `None` where the value cannot be typed: lists, maps, bytes, and long texts.
pub(super) fn condition(key: &str, value: &Value) -> Option<String> {
    let value = match value {
        Value::Text(text) => text.lossy().into_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => return None,
    };
    pair(key, &value)
}

/// The same of a value as text.
pub(super) fn pair(key: &str, value: &str) -> Option<String> {
    let fits = value.len() <= LONGEST;
    let text = format!("{}={}", own_key(key), value_text(value));
    (fits && parse(&text).is_ok()).then_some(text)
}

/// The word for a key: what has a word of its own in the language is typed by it.
fn own_key(key: &str) -> String {
    match key {
        "service.name" => "service".to_owned(),
        "name" => "operation".to_owned(),
        key => key_text(key),
    }
}

/// Whether what a filter selects changes without any span arriving: as time goes on, or because another trace leaves its
/// place among the newest.
pub(super) fn moves_by_itself(query: &Query) -> bool {
    query.terms.iter().any(|term| {
        let ago = |moment: &Moment| matches!(moment, Moment::Ago(_));
        match &term.says {
            Says::Lookback(_) | Says::Limit(_) => true,
            Says::Since(moment) | Says::Until(moment) => ago(moment),
            Says::Spans(_) => false,
        }
    })
}

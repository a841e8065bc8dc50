//! Jaeger's `/api/v3` over HTTP: answers are OTLP/JSON.
//!
//! The API: <https://github.com/jaegertracing/jaeger-idl/blob/main/swagger/api_v3/query_service.openapi.yaml>. Names of parameters are in
//! snake case, which every version takes.

use serde_json::Value as Json;

use super::answer::{Answer, texts};
use super::error::RemoteError;
use super::found::Found;
use super::http::Http;
use super::names::Operation;
use super::spell::{go_duration, rfc3339, with_query};
use crate::model::{Timestamp, TraceId};
use crate::query::pushdown::Search;

/// What is asked for. Versions before 2.14 call it text, whatever is asked for.
const JSON: &str = "application/json";

pub(super) async fn services(http: &Http) -> Result<Vec<String>, RemoteError> {
    let (json, answer) = http.get("/api/v3/services", JSON).await?.json()?;
    names(&json, "services", &answer)
}

/// The names of services.
pub(super) fn names(json: &Json, member: &str, answer: &Answer) -> Result<Vec<String>, RemoteError> {
    let listed = json.get(member).and_then(|list| if list.is_null() { Some(Vec::new()) } else { texts(list) });
    listed.ok_or_else(|| answer.not_this("JSON without a list of services"))
}

pub(super) async fn operations(http: &Http, service: &str) -> Result<Vec<Operation>, RemoteError> {
    let path = with_query("/api/v3/operations", &[("service", service.to_owned())]);
    let (json, answer) = http.get(&path, JSON).await?.json()?;
    listed(&json, "operations", &answer)
}

/// Operations as objects, or as bare names.
pub(super) fn listed(json: &Json, member: &str, answer: &Answer) -> Result<Vec<Operation>, RemoteError> {
    let one = |json: &Json| match json {
        Json::String(name) => Some(Operation { name: name.clone(), kind: String::new() }),
        json => {
            let text = |name: &str| json.get(name).and_then(Json::as_str);
            let kind = text("spanKind").or_else(|| text("span_kind")).unwrap_or_default().to_ascii_lowercase();
            Some(Operation { name: text("name")?.to_owned(), kind })
        }
    };
    match json.get(member) {
        Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => Ok(list.iter().filter_map(one).collect()),
        _ => Err(answer.not_this(format!("JSON without a list of {member}"))),
    }
}

/// Traces of one service, or of any where the search names none.
pub(super) async fn search(http: &Http, search: &Search) -> Result<Found, RemoteError> {
    let answer = http.get(&with_query("/api/v3/traces", &parameters(search)), JSON).await?;
    Ok(traces(answer).await?.within(search.limit))
}

fn parameters(search: &Search) -> Vec<(&'static str, String)> {
    let mut query = vec![
        ("query.start_time_min", rfc3339(search.start)),
        // Some take this as the first moment that is too late.
        ("query.start_time_max", rfc3339(Timestamp(search.end.0.saturating_add(1)))),
        ("query.num_traces", search.limit.to_string()),
        ("query.raw_traces", "true".to_owned()),
    ];
    let lengths = [("query.duration_min", search.min_duration), ("query.duration_max", search.max_duration)];
    query.extend(lengths.into_iter().filter_map(|(name, length)| Some((name, go_duration(length?)))));
    let names = [("query.service_name", &search.service), ("query.operation_name", &search.operation)];
    query.extend(names.into_iter().filter_map(|(name, wanted)| Some((name, wanted.clone()?))));
    if !search.tags.is_empty() {
        query.push(("query.attributes", tags(search)));
    }
    query
}

/// The tags as a map in JSON.
pub(super) fn tags(search: &Search) -> String {
    let map = search.tags.iter().map(|(key, value)| (key.clone(), Json::String(value.clone())));
    Json::Object(map.collect()).to_string()
}

pub(super) async fn trace(http: &Http, id: TraceId) -> Result<Found, RemoteError> {
    traces(http.get(&format!("/api/v3/traces/{id}?raw_traces=true"), JSON).await?).await
}

async fn traces(answer: Answer) -> Result<Found, RemoteError> {
    // A search without result is a 404 in some versions and an empty list in others.
    if answer.is_nothing() {
        return Ok(Found::default());
    }
    let at = answer.at.clone();
    Found::of(answer.otlp_json().await?, at)
}

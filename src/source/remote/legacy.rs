//! Jaeger's older JSON API, which its own versions up to 2.20 and many that imitate it serve.

use serde_json::Value as Json;

use super::answer::Answer;
use super::error::RemoteError;
use super::found::Found;
use super::http::Http;
use super::names::Operation;
use super::spell::{escape, go_duration, with_query};
use super::v3;
use crate::model::Dependency;
use crate::model::{Nanos, Timestamp, TraceId};
use crate::query::pushdown::Search;

const JSON: &str = "application/json";

pub(super) async fn services(http: &Http) -> Result<Vec<String>, RemoteError> {
    let (json, answer) = http.get("/api/services", JSON).await?.json()?;
    v3::names(&json, "data", &answer)
}

pub(super) async fn operations(http: &Http, service: &str) -> Result<Vec<Operation>, RemoteError> {
    let path = with_query("/api/operations", &[("service", service.to_owned())]);
    let full = match http.get(&path, JSON).await?.json() {
        Ok((json, answer)) => v3::listed(&json, "data", &answer),
        Err(fault) => Err(fault),
    };
    // Look-alikes may have only the older way to ask.
    if full.is_ok() {
        return full;
    }
    let (json, answer) = http.get(&format!("/api/services/{}/operations", escape(service)), JSON).await?.json()?;
    v3::listed(&json, "data", &answer)
}

/// Traces of one service: this API wants one.
pub(super) async fn search(http: &Http, search: &Search) -> Result<Found, RemoteError> {
    let mut query = vec![
        ("service", search.service.clone().unwrap_or_default()),
        ("start", (search.start.0 / 1_000).to_string()),
        ("end", search.end.0.div_ceil(1_000).to_string()),
        ("limit", search.limit.to_string()),
        ("raw", "true".to_owned()),
    ];
    query.extend(search.operation.clone().map(|name| ("operation", name)));
    let lengths = [("minDuration", search.min_duration), ("maxDuration", search.max_duration)];
    query.extend(lengths.into_iter().filter_map(|(name, length)| Some((name, go_duration(length?)))));
    if !search.tags.is_empty() {
        query.push(("tags", v3::tags(search)));
    }
    Ok(traces(http.get(&with_query("/api/traces", &query), JSON).await?).await?.within(search.limit))
}

pub(super) async fn trace(http: &Http, id: TraceId) -> Result<Found, RemoteError> {
    traces(http.get(&format!("/api/traces/{id}?raw=true"), JSON).await?).await
}

async fn traces(answer: Answer) -> Result<Found, RemoteError> {
    if answer.is_nothing() {
        return Ok(Found::default());
    }
    let at = answer.at.clone();
    Found::of(answer.jaeger_json().await?, at)
}

pub(super) async fn dependencies(http: &Http, end: Timestamp, lookback: Nanos) -> Result<Vec<Dependency>, RemoteError> {
    let millis = |nanos: u64| (nanos / 1_000_000).to_string();
    let query = [("endTs", millis(end.0)), ("lookback", millis(lookback.0))];
    let (json, answer) = http.get(&with_query("/api/dependencies", &query), JSON).await?.json()?;
    let one = |json: &Json| {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        let calls = json.get("callCount").and_then(Json::as_u64).unwrap_or_default();
        Some(Dependency { parent: text("parent")?, child: text("child")?, calls })
    };
    match json.get("data") {
        Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => {
            let mut list: Vec<Dependency> = list.iter().filter_map(one).collect();
            list.sort_unstable();
            Ok(list)
        }
        _ => Err(answer.not_this("JSON without a list of dependencies")),
    }
}

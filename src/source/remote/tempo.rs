//! Grafana Tempo: search by TraceQL in JSON, traces by id as protobuf (its JSON is not that of OTLP).
//!
//! The API: <https://grafana.com/docs/tempo/latest/api_docs/>.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::StatusCode;
use prost::Message;
use serde_json::Value as Json;

use super::answer::{Answer, texts};
use super::error::RemoteError;
use super::found::{Body, Found};
use super::http::Http;
use super::names::{Operation, TagValue};
use super::spell::{escape, with_query};
use crate::model::{Receipt, Timestamp, TraceId};
use crate::query::pushdown::Search;

const JSON: &str = "application/json";

/// Traces that are fetched at the same time.
const AT_ONCE: usize = 4;

const SECOND: u64 = 1_000_000_000;

/// The time that one search may cover, in nanoseconds: a server takes 168 hours unless it is configured otherwise, whole seconds.
const LONGEST: u64 = 167 * 3_600 * SECOND;

/// What was found out about a Tempo. Shared.
#[derive(Clone, Debug)]
pub(super) struct Manner(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// It is of before 2.0: it takes no TraceQL, ignores it without a word, and has the first version of each path only.
    plain: bool,
    /// It refused to be asked for the newest.
    any_order: AtomicBool,
    /// The time that one search may cover, in nanoseconds.
    longest: AtomicU64,
}

impl Default for Manner {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Manner {
    fn new(plain: bool) -> Self {
        Self(Arc::new(Known { plain, any_order: AtomicBool::new(plain), longest: AtomicU64::new(LONGEST) }))
    }

    /// The time that one search may cover, in nanoseconds, as far as that is known.
    pub(super) fn longest(&self) -> u64 {
        self.0.longest.load(Ordering::Relaxed)
    }

    /// Whether it takes TraceQL.
    pub(super) fn takes_traceql(&self) -> bool {
        !self.0.plain
    }

    fn any_order(&self) -> bool {
        self.0.any_order.load(Ordering::Relaxed)
    }
}

/// Finds out how old it is.
///
/// # Errors
/// Where it wants other credentials: without a tenant, or with the wrong password, nothing that is asked before says so.
pub(super) async fn manner(http: &Http) -> Result<Manner, RemoteError> {
    match tags(http).await {
        Err(fault @ RemoteError::Denied { .. }) => Err(fault),
        Err(RemoteError::NoSuchPath { .. }) => Ok(Manner::new(old_values(http, "service.name").await.is_ok())),
        _ => Ok(Manner::default()),
    }
}

/// The answer to a trace by id, second version.
#[derive(Clone, PartialEq, Message)]
struct TraceByIdResponse {
    #[prost(bytes = "bytes", tag = "1")]
    trace: Bytes,
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(string, tag = "4")]
    message: String,
}

pub(super) async fn services(http: &Http, manner: &Manner) -> Result<Vec<String>, RemoteError> {
    if !manner.takes_traceql() {
        return old_values(http, "service.name").await;
    }
    let values = tag_values(http, "resource.service.name").await?;
    Ok(values.into_iter().map(|value| value.value).collect())
}

/// The operations of a service. Of an old server none: it does not tell whose they are.
pub(super) async fn operations(http: &Http, service: &str, manner: &Manner) -> Result<Vec<Operation>, RemoteError> {
    if !manner.takes_traceql() {
        return Ok(Vec::new());
    }
    let quoted = service.replace('\\', "\\\\").replace('"', "\\\"");
    let query = [("q", format!("{{ resource.service.name = \"{quoted}\" }}"))];
    let values = values(http, &with_query("/api/v2/search/tag/name/values", &query)).await?;
    Ok(values.into_iter().map(|value| Operation { name: value.value, kind: String::new() }).collect())
}

/// The values of a tag, without types, as versions before 2.0 know them.
async fn old_values(http: &Http, tag: &str) -> Result<Vec<String>, RemoteError> {
    let (json, answer) = http.get(&format!("/api/search/tag/{}/values", escape(tag)), JSON).await?.json()?;
    match json.get("tagValues") {
        Some(Json::Null) => Ok(Vec::new()),
        values => values.and_then(texts).ok_or_else(|| answer.not_this("JSON without a list of values")),
    }
}

pub(super) async fn tags(http: &Http) -> Result<Vec<String>, RemoteError> {
    let (json, answer) = http.get("/api/v2/search/tags", JSON).await?.json()?;
    let scopes = json.get("scopes").and_then(Json::as_array);
    let scopes = scopes.ok_or_else(|| answer.not_this("JSON without scopes of tags"))?;
    let mut tags = Vec::new();
    for scope in scopes {
        let name = scope.get("name").and_then(Json::as_str).unwrap_or_default();
        let own = scope.get("tags").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = |tag: &str| if name == "intrinsic" { tag.to_owned() } else { format!("{name}.{tag}") };
        tags.extend(own.iter().filter_map(Json::as_str).map(named));
    }
    Ok(tags)
}

pub(super) async fn tag_values(http: &Http, tag: &str) -> Result<Vec<TagValue>, RemoteError> {
    values(http, &format!("/api/v2/search/tag/{}/values", escape(tag))).await
}

async fn values(http: &Http, path: &str) -> Result<Vec<TagValue>, RemoteError> {
    let (json, answer) = http.get(path, JSON).await?.json()?;
    let one = |json: &Json| {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        Some(TagValue { value: text("value")?, kind: text("type").unwrap_or_default() })
    };
    match json.get("tagValues") {
        Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => Ok(list.iter().filter_map(one).collect()),
        // Nothing at all is how its JSON says nothing.
        None if json.is_object() && json.get("error").is_none() => Ok(Vec::new()),
        _ => Err(answer.not_this("JSON without a list of values")),
    }
}

/// The traces that TraceQL finds, fetched one by one.
pub(super) async fn search(http: &Http, search: &Search, manner: &Manner) -> Result<Found, RemoteError> {
    let mut answer = ask(http, search, manner).await?;
    if answer.status == StatusCode::BAD_REQUEST {
        if let Some(longest) = longest_told(&answer.said()) {
            manner.0.longest.store(longest, Ordering::Relaxed);
        } else if !manner.any_order() {
            manner.0.any_order.store(true, Ordering::Relaxed);
            answer = ask(http, search, manner).await?;
            // The question itself was wrong, not that for the newest.
            manner.0.any_order.store(answer.status.is_success(), Ordering::Relaxed);
        }
    }
    let (json, answer) = answer.json()?;
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    let (ids, mut found) = listed(&json, limit, &answer)?;
    found.capped = ids.len() >= limit;
    let fetched = stream::iter(ids).map(|id| async move { (id, trace(http, id, None).await) });
    let mut fetched = std::pin::pin!(fetched.buffer_unordered(AT_ONCE));
    let (mut bytes, mut lost, mut fault) = (0, 0_u64, None);
    while let Some((id, one)) = fetched.next().await {
        match one {
            Ok(one) if one.is_another(id) => lost += 1,
            Ok(one) => {
                bytes += one.bodies.iter().map(|body| body.protobuf.len()).sum::<usize>();
                found.join(one);
            }
            Err(error) => (lost, fault) = (lost + 1, Some(error)),
        }
        if bytes > http.server().most {
            found.capped = true;
            found.warn(format!("only {} traces came: together they are too large", found.traces.len()));
            break;
        }
    }
    match fault {
        Some(fault) if found.traces.is_empty() => Err(fault),
        Some(fault) => {
            found.warn(format!("{lost} traces did not come: {fault}"));
            Ok(found)
        }
        None => {
            if lost > 0 {
                found.warn(format!("{lost} traces did not come: the server answered with others"));
            }
            Ok(found)
        }
    }
}

async fn ask(http: &Http, search: &Search, manner: &Manner) -> Result<Answer, RemoteError> {
    let mut query = vec![
        ("limit", search.limit.to_string()),
        ("start", (search.start.0 / SECOND).to_string()),
        ("end", (search.end.0.div_ceil(SECOND) + 1).to_string()),
    ];
    if manner.takes_traceql() {
        let all = if search.traceql.is_empty() { "{}" } else { &search.traceql };
        let newest = if manner.any_order() { "" } else { " with (most_recent=true)" };
        query.push(("q", format!("{all}{newest}")));
        query.push(("spss", "1".to_owned()));
    }
    http.get(&with_query("/api/search", &query), JSON).await
}

/// The time that one search may cover, in nanoseconds, where a refusal tells it: `range specified by start and end exceeds 1h1m0s.
/// received start=… end=…`. Less by the seconds that rounding adds.
fn longest_told(said: &str) -> Option<u64> {
    let (_, told) = said.split_once("range specified by start and end exceeds ")?;
    let told = told.split_once(". ").map_or(told, |(told, _)| told);
    let (mut seconds, mut number) = (0_u64, String::new());
    for symbol in told.chars() {
        let of = match symbol {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => {
                number.push(symbol);
                continue;
            }
        };
        seconds = seconds.checked_add(std::mem::take(&mut number).parse::<u64>().ok()?.checked_mul(of)?)?;
    }
    let longest = seconds.checked_sub(2)?.checked_mul(SECOND)?;
    (longest > 0 && number.is_empty()).then_some(longest)
}

/// The ids in the answer to a search, and what it says of itself.
fn listed(json: &Json, limit: usize, answer: &Answer) -> Result<(Vec<TraceId>, Found), RemoteError> {
    let none = Vec::new();
    let list = match json.get("traces") {
        Some(Json::Array(list)) => list,
        Some(Json::Null) => &none,
        // Nothing at all is how its JSON says nothing.
        None if json.get("metrics").is_some() => &none,
        _ => return Err(answer.not_this("JSON without a list of traces")),
    };
    let mut found = Found::default();
    let id = |json: &Json| TraceId::from_hex(json.get("traceID")?.as_str()?);
    let ids: Vec<TraceId> = list.iter().filter_map(id).collect();
    if ids.len() < list.len() {
        found.warn(format!("{} traces came without a usable id", list.len() - ids.len()));
    }
    let count = |name: &str| json.pointer(&format!("/metrics/{name}")).and_then(Json::as_u64);
    if let (Some(done), Some(all)) = (count("completedJobs"), count("totalJobs"))
        && done < all
        && ids.len() < limit
    {
        found.warn(format!("the server searched {done} of {all} parts only"));
    }
    Ok((ids, found))
}

pub(super) async fn trace(
    http: &Http,
    id: TraceId,
    within: Option<(Timestamp, Timestamp)>,
) -> Result<Found, RemoteError> {
    const PROTOBUF: &str = "application/protobuf";
    let seconds = within.map(|(start, end)| {
        [("start", (start.0 / SECOND).to_string()), ("end", (end.0.div_ceil(SECOND) + 1).to_string())]
    });
    let query = seconds.as_ref().map(|pair| &pair[..]).unwrap_or_default();
    let answer = http.get(&with_query(&format!("/api/v2/traces/{id}"), query), PROTOBUF).await?;
    if answer.status != StatusCode::NOT_FOUND {
        return second(answer).await;
    }
    // Before 2.6 there is only the first version; a missing trace is a 404 too.
    let answer = http.get(&with_query(&format!("/api/traces/{id}"), query), PROTOBUF).await?;
    if answer.status == StatusCode::NOT_FOUND { Ok(Found::default()) } else { first(answer).await }
}

async fn second(answer: Answer) -> Result<Found, RemoteError> {
    if answer.status.is_success() && answer.body.is_empty() {
        return Ok(Found::default());
    }
    let answer = answer.good()?;
    if is_text(&answer) {
        return first(answer).await;
    }
    let read = TraceByIdResponse::decode(answer.body.clone());
    let read = read.map_err(|fault| answer.not_this(format!("broken protobuf: {fault}")))?;
    let mut found = kept(&answer, read.trace)?;
    if read.status == 1 {
        let said = answer.server.said(&read.message);
        found.warn(format!("the server has the trace in part only: {said}"));
    }
    Ok(found)
}

/// A trace by itself, in protobuf or, whatever was asked for, in JSON.
async fn first(answer: Answer) -> Result<Found, RemoteError> {
    if answer.status.is_success() && answer.body.is_empty() {
        return Ok(Found::default());
    }
    let answer = answer.good()?;
    if !is_text(&answer) {
        return kept(&answer, answer.body.clone());
    }
    let at = answer.at.clone();
    Found::of(answer.otlp_json().await?, at)
}

/// JSON begins with a brace; as protobuf that would be field 15 of a kind that no trace has.
fn is_text(answer: &Answer) -> bool {
    answer.body.first() == Some(&b'{')
}

fn kept(answer: &Answer, protobuf: Bytes) -> Result<Found, RemoteError> {
    Found::of(Body { protobuf, refused: Receipt::default() }, answer.at.clone())
}

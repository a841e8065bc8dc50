//! A Tempo.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Sent, TracesData};
use prost::Message as _;
use tracefall::model::{Timestamp, TraceId};
use tracefall::query::parse;
use tracefall::query::pushdown::{Abilities, Ask, Search, push_down};
use tracefall::source::remote::{Flavor, Operation, Protocol, Remote, RemoteError, Server, TagValue};

use crate::fake::{Asked, Fake, Reply, json, reply};

fn trace(number: u8) -> Vec<u8> {
    let span = Sent {
        trace_id: TraceId::from_hex(&format!("{number:x}")).unwrap().0.to_vec(),
        span_id: vec![number; 8],
        start_time_unix_nano: if number == 2 { 700_000_000_000_000 } else { 5_000_000_000 },
        ..Sent::default()
    };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    TracesData { resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }] }
        .encode_to_vec()
}

/// As the second version answers: the trace in a field, metrics, then a status and a message.
fn wrapped(number: u8, partial: bool) -> Reply {
    let trace = trace(number);
    let mut body = vec![0x0a, u8::try_from(trace.len()).unwrap()];
    body.extend(trace);
    body.extend(b"\x12\x02\x08\x01");
    if partial {
        body.extend(b"\x18\x01\x22\x07too big");
    }
    reply(200, "application/protobuf", body)
}

/// The answer to a search, with all that the documentation has in it.
fn found(ids: &[&str]) -> Reply {
    let one = |id: &&str| {
        format!(
            r#"{{"traceID":"{id}","rootServiceName":"shop-backend","rootTraceName":"update-billing","startTimeUnixNano":"5000000000",
            "durationMs":557,"spanSets":[{{"spans":[{{"spanID":"563d623c76514f8e","startTimeUnixNano":"5000000000","durationNanos":"446979497",
            "attributes":[{{"key":"status","value":{{"stringValue":"error"}}}}]}}],"matched":1}}],
            "serviceStats":{{"shop-backend":{{"spanCount":1,"errorCount":1}}}}}}"#
        )
    };
    let list: Vec<String> = ids.iter().map(one).collect();
    let metrics = r#"{"inspectedTraces":3100,"inspectedBytes":"3811736","totalBlocks":3,"completedJobs":2,"totalJobs":2,
        "totalBlockBytes":"7","backendReads":"47","additionalMetrics":{"cacheHits":"124"}}"#;
    json(format!(r#"{{"traces":[{}],"metrics":{metrics}}}"#, list.join(",")))
}

/// Seconds at which the traces 1 and 2 began.
const BEGAN: [(&str, u64); 2] = [("1", 5), ("00000000000000000000000000000002", 700_000)];

/// What it says of a search that is not as its documentation has it: <https://grafana.com/docs/tempo/latest/api_docs/#search>.
fn refused(asked: &Asked) -> Option<String> {
    let number = |name: &str| asked.parameter(name).map(|text| text.parse::<u64>().map_err(|_fault| name.to_owned()));
    let number = |name: &str| number(name).transpose().map_err(|name| format!("invalid {name}"));
    let read = || -> Result<(), String> {
        let (start, end) = (number("start")?, number("end")?);
        match (start, end) {
            (Some(start), Some(end)) if start >= end => Err("http parameter start must be before end".to_owned())?,
            (Some(start), Some(end)) if end - start > 168 * 3_600 => {
                Err(format!("range specified by start and end exceeds 168h0m0s. received start={start} end={end}"))?;
            }
            (Some(_), None) | (None, Some(_)) => Err("start and end are given together".to_owned())?,
            _ => {}
        }
        for (name, most) in [("limit", 262_144), ("spss", 100)] {
            if number(name)?.is_some_and(|given| given == 0 || given > most) {
                Err(format!("{name} is out of bounds"))?;
            }
        }
        let traceql = asked.parameter("q").ok_or("no query")?;
        parse(&traceql).map(drop).map_err(|fault| fault.to_string())
    };
    read().err()
}

/// A Tempo as it is documented, of many tenants.
fn present(asked: &Asked) -> Reply {
    let Some(path) = asked.bare().strip_prefix("/tempo") else { return reply(404, "text/plain", "404 page not found") };
    if path != "/api/echo" && asked.header("x-scope-orgid") != Some("acme") {
        return reply(401, "text/plain", "no org id");
    }
    if let Some(id) = path.strip_prefix("/api/v2/traces/") {
        let known = ["00000000000000000000000000000001", "00000000000000000000000000000002"];
        return match known.iter().position(|known| *known == id) {
            Some(place) if asked.header("accept") == Some("application/protobuf") => {
                wrapped(u8::try_from(place + 1).unwrap(), place == 1)
            }
            Some(_) => json(r#"{"trace":{"resourceSpans":[]},"metrics":{}}"#),
            None => reply(404, "text/plain", ""),
        };
    }
    match path {
        "/api/echo" => reply(200, "text/plain", "echo"),
        "/api/search" => refused(asked).map_or_else(
            || {
                let [start, end] = ["start", "end"].map(|name| asked.parameter(name).unwrap().parse().unwrap());
                let within = BEGAN.iter().filter(|(_, began)| (start..=end).contains(began));
                found(&within.map(|(id, _)| *id).collect::<Vec<_>>())
            },
            |why| reply(400, "text/plain", why),
        ),
        "/api/v2/search/tags" => json(
            r#"{"scopes":[{"name":"link","tags":["link-type"]},{"name":"resource","tags":["service.name"]},{"name":"span","tags":["http.method"]},
            {"name":"intrinsic","tags":["name","span:duration"]},{"name":"event","tags":["exception.type"]}],"metrics":{"inspectedBytes":"377046"}}"#,
        ),
        "/api/v2/search/tag/resource.service.name/values" => json(
            r#"{"tagValues":[{"type":"string","value":"b"},{"type":"string","value":"a"}],"metrics":{"inspectedBytes":"502756"}}"#,
        ),
        "/api/v2/search/tag/name/values"
            if asked.parameter("q").as_deref() == Some(r#"{ resource.service.name = "a" }"#) =>
        {
            json(r#"{"tagValues":[{"type":"string","value":"GET"}],"metrics":{}}"#)
        }
        _ => reply(404, "text/plain", "404 page not found"),
    }
}

async fn connected(fake: &Fake) -> Remote {
    let server = Server::new(&format!("{}/tempo", fake.address)).unwrap().tenant("acme").unwrap();
    Remote::connect(server, Flavor::Any).await.unwrap()
}

const TAGS: [&str; 6] =
    ["link.link-type", "resource.service.name", "span.http.method", "name", "span:duration", "event.exception.type"];

fn search() -> Search {
    Search {
        start: Timestamp(1_500_000_000),
        end: Timestamp(9_500_000_000),
        limit: 2,
        traceql: "{ status = error }".to_owned(),
        ..Search::default()
    }
}

#[tokio::test]
async fn a_tempo_is_found_searched_and_read() {
    let fake = Fake::start(present).await;
    let remote = connected(&fake).await;
    assert_eq!(remote.protocol(), Protocol::Tempo);
    assert!(remote.abilities().traceql && remote.link(TraceId([1; 16])).is_none());
    assert_eq!(remote.services().await.unwrap(), ["a", "b"]);
    let get = Operation { name: "GET".to_owned(), kind: String::new() };
    assert_eq!(remote.operations("a").await.unwrap(), [get]);
    assert_eq!(remote.tags().await.unwrap(), TAGS);
    let values = remote.tag_values("resource.service.name").await.unwrap();
    assert_eq!(values[0], TagValue { value: "b".to_owned(), kind: "string".to_owned() });
    let wide =
        Search { end: Timestamp(700_001_000_000_000), start: Timestamp(100_000_000_000_000), limit: 1, ..search() };
    let found = remote.search(&wide).await.unwrap();
    assert_eq!((found.traces.len(), found.capped), (1, true));
    assert!(matches!(&found.warnings[..], [said] if said.contains("too big")), "{:?}", found.warnings);
    let asked = fake.asked.lock().unwrap();
    let asked = asked.iter().find(|asked| asked.bare() == "/tempo/api/search").unwrap();
    let sent = ["q", "start", "end", "limit"].map(|name| asked.parameter(name).unwrap());
    assert_eq!(sent, ["{ status = error } with (most_recent=true)", "100000", "700002", "1"]);
}

#[tokio::test]
async fn more_than_a_week_is_asked_for_in_parts() {
    let fake = Fake::start(present).await;
    let remote = connected(&fake).await;
    let weeks = Search { start: Timestamp(1_500_000_000), end: Timestamp(1_500_000_000_000_000), limit: 5, ..search() };
    let found = remote.search(&weeks).await.unwrap();
    assert_eq!((found.traces.len(), found.capped), (2, false), "{:?}", found.warnings);
    assert_eq!(remote.trace(TraceId([9; 16]), None).await.unwrap(), None);
}

#[tokio::test]
async fn a_search_that_was_not_finished_says_so() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/tempo/api/search" => json(r#"{"traces":[{"traceID":"1"}],"metrics":{"completedJobs":3,"totalJobs":9}}"#),
        _ => present(asked),
    })
    .await;
    let found = connected(&fake).await.search(&search()).await.unwrap();
    assert!(found.warnings[0].contains("searched 3 of 9 parts only"), "{:?}", found.warnings);
}

#[tokio::test]
async fn an_older_tempo_is_asked_in_its_own_words() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/echo" => reply(200, "", "echo\n"),
        "/api/search" if asked.parameter("q").unwrap().contains("with") => reply(400, "text/plain", "parse error"),
        "/api/search" => found(&["3"]),
        "/api/traces/00000000000000000000000000000003" => reply(200, "application/protobuf", trace(3)),
        _ => reply(404, "text/plain", "404 page not found"),
    })
    .await;
    let remote = fake.connect().await.unwrap();
    for _ in 0..2 {
        assert_eq!(remote.search(&search()).await.unwrap().traces.len(), 1);
    }
    let refused = fake.paths().iter().filter(|path| path.contains("most_recent")).count();
    assert_eq!(refused, 1);
    assert_eq!(remote.trace(TraceId([9; 16]), None).await.unwrap(), None);
}

/// As version 1.5.0 was seen to answer: 404 to all second versions, any search without `tags` finds everything, and of an hour only.
fn plain(asked: &Asked) -> Reply {
    match asked.bare() {
        "/api/echo" => reply(200, "text/plain; charset=utf-8", "echo"),
        "/api/search/tag/service.name/values" => json(r#"{"tagValues":["gateway","orders"]}"#),
        "/api/search" => {
            let [start, end] = ["start", "end"].map(|name| asked.parameter(name).unwrap().parse::<u64>().unwrap());
            if end - start > 3_660 {
                let why = format!("range specified by start and end exceeds 1h1m0s. received start={start} end={end}");
                return reply(400, "text/plain; charset=utf-8", why);
            }
            let there = if (start..=end).contains(&5) { &["3"][..] } else { &[] };
            let one = |id: &&str| format!(r#"{{"traceID":"{id}","startTimeUnixNano":"5000000000","durationMs":46}}"#);
            let list: Vec<String> = there.iter().map(one).collect();
            json(format!(
                r#"{{"traces":[{}],"metrics":{{"inspectedTraces":2,"inspectedBytes":"2296"}}}}"#,
                list.join(",")
            ))
        }
        "/api/traces/00000000000000000000000000000003" => reply(200, "application/protobuf", trace(3)),
        path if path.starts_with("/api/traces/") => reply(404, "text/plain; charset=utf-8", "trace not found"),
        _ => reply(404, "text/plain; charset=utf-8", "404 page not found"),
    }
}

#[tokio::test]
async fn a_tempo_without_traceql_is_asked_for_the_time_alone() {
    let fake = Fake::start(plain).await;
    let remote = fake.connect().await.unwrap();
    assert_eq!((remote.protocol(), remote.abilities()), (Protocol::Tempo, Abilities::default()));
    assert_eq!(remote.services().await.unwrap(), ["gateway", "orders"]);
    assert_eq!(remote.operations("gateway").await.unwrap(), []);
    assert_eq!(remote.search(&search()).await.unwrap().traces.len(), 1);
    assert!(!fake.paths().iter().any(|path| path.contains("q=") || path.contains("spss=")), "{:?}", fake.paths());
    // Nothing of the filter is said to be asked of it, and so the limit is not either.
    let down = push_down(&parse("service=gateway limit=3").unwrap(), remote.abilities(), Timestamp(9_000_000_000));
    assert!(down.pushed.is_empty() && matches!(&down.ask, Ask::Search(search) if search.limit == 100), "{down:?}");
}

#[tokio::test]
async fn a_tempo_that_takes_less_time_at_once_than_usual_is_asked_in_parts() {
    let fake = Fake::start(plain).await;
    let remote = fake.connect().await.unwrap();
    let days = Search { start: Timestamp(1_500_000_000), end: Timestamp(200_000_000_000_000), limit: 5, ..search() };
    let mut rounds = remote.rounds(days.clone(), 100);
    let mut traces = Vec::new();
    while let Some(found) = rounds.next().await {
        let found = found.unwrap();
        assert_eq!(found.warnings, Vec::<String>::new());
        traces.extend(found.traces.into_keys());
    }
    assert_eq!((traces.len(), rounds.is_capped()), (1, false), "{:?}", rounds.progress());
    // It has said so once, and is not asked for too much again.
    let refused = |paths: &[String]| paths.iter().filter(|path| path.contains("start=1&end=200001")).count();
    remote.search(&days).await.unwrap();
    assert_eq!(refused(&fake.paths()), 1);
}

#[tokio::test]
async fn its_own_json_is_read_where_protobuf_was_asked_for() {
    let body = r#"{"trace":{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"AAAAAAAAAAAAAAAAAAAABA==","spanId":"AAAAAAAAAAQ=","kind":"SPAN_KIND_SERVER"}]}]}]}}"#;
    let fake = Fake::start(move |asked| match asked.bare() {
        "/api/echo" => reply(200, "", "echo"),
        "/api/v2/traces/00000000000000000000000000000004" => json(body),
        "/api/v2/traces/00000000000000000000000000000005" => reply(200, "application/protobuf", b"\x0a\xff".to_vec()),
        _ => reply(404, "", ""),
    })
    .await;
    let remote = fake.connect().await.unwrap();
    assert_eq!(remote.trace(TraceId::from_hex("4").unwrap(), None).await.unwrap().unwrap().spans(), 1);
    let fault = remote.trace(TraceId::from_hex("5").unwrap(), None).await.unwrap_err();
    assert!(fault.to_string().contains("broken protobuf"), "{fault}");
}

#[tokio::test]
async fn a_server_of_the_other_kind_is_told() {
    let tempo = Fake::start(plain).await;
    let fault = Remote::connect(tempo.server(), Flavor::Jaeger).await.unwrap_err().to_string();
    assert!(fault.ends_with("it is a Tempo, not a Jaeger: ask it with --tempo"), "{fault}");
    let jaeger = Fake::start(|asked| match asked.bare() {
        "/api/services" => json(r#"{"data":["a"]}"#),
        _ => reply(404, "text/plain", "404 page not found"),
    })
    .await;
    let fault = Remote::connect(jaeger.server(), Flavor::Tempo).await.unwrap_err().to_string();
    assert!(fault.ends_with("it is a Jaeger, not a Tempo: ask it with --jaeger"), "{fault}");
}

#[tokio::test]
async fn a_missing_tenant_is_told() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/echo" => reply(200, "", "echo"),
        path if path.starts_with("/api/v2") => reply(401, "text/plain", "no org id"),
        _ => reply(404, "", ""),
    })
    .await;
    let fault = fake.connect().await.unwrap_err();
    assert!(matches!(&fault, RemoteError::Denied { said, .. } if said == "no org id"), "{fault}");
}

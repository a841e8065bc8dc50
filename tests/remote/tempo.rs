//! A Tempo.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Sent, TracesData};
use prost::Message as _;
use tracefall::model::{Timestamp, TraceId};
use tracefall::query::pushdown::Search;
use tracefall::source::remote::{Flavor, Operation, Protocol, Remote, RemoteError, Server, TagValue};

use crate::fake::{Asked, Fake, Reply, json, reply};

fn trace(number: u8) -> Vec<u8> {
    let span = Sent {
        trace_id: TraceId::from_hex(&format!("{number:x}")).unwrap().0.to_vec(),
        span_id: vec![number; 8],
        start_time_unix_nano: 5_000_000_000,
        ..Sent::default()
    };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    TracesData { resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }] }
        .encode_to_vec()
}

/// As the second version answers: the trace in a field, then a status and a message.
fn wrapped(number: u8, partial: bool) -> Reply {
    let trace = trace(number);
    let mut body = vec![0x0a, u8::try_from(trace.len()).unwrap()];
    body.extend(trace);
    if partial {
        body.extend(b"\x18\x01\x22\x07too big");
    }
    reply(200, "application/protobuf", body)
}

fn found(ids: &[&str]) -> Reply {
    let list: Vec<String> = ids.iter().map(|id| format!(r#"{{"traceID":"{id}","rootServiceName":"s"}}"#)).collect();
    json(format!(r#"{{"traces":[{}],"metrics":{{"completedJobs":1,"totalJobs":1}}}}"#, list.join(",")))
}

fn present(asked: &Asked) -> Reply {
    match asked.bare() {
        "/tempo/api/echo" => reply(200, "text/plain", "echo"),
        "/tempo/api/search" => found(&["1", "00000000000000000000000000000002"]),
        "/tempo/api/v2/traces/00000000000000000000000000000001" => wrapped(1, false),
        "/tempo/api/v2/traces/00000000000000000000000000000002" => wrapped(2, true),
        "/tempo/api/v2/search/tags" => {
            json(r#"{"scopes":[{"name":"span","tags":["http.method"]},{"name":"intrinsic","tags":["name"]}]}"#)
        }
        "/tempo/api/v2/search/tag/resource.service.name/values" => {
            json(r#"{"tagValues":[{"type":"string","value":"b"},{"type":"string","value":"a"}],"metrics":{}}"#)
        }
        "/tempo/api/v2/search/tag/name/values" => json(r#"{"tagValues":[{"type":"string","value":"GET"}]}"#),
        _ => reply(404, "text/plain", "404 page not found"),
    }
}

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
    let server = Server::new(&format!("{}/tempo", fake.address)).unwrap();
    let remote = Remote::connect(server, Flavor::Any).await.unwrap();
    assert_eq!(remote.protocol(), Protocol::Tempo);
    assert!(remote.abilities().traceql && remote.link(TraceId([1; 16])).is_none());
    assert_eq!(remote.services().await.unwrap(), ["a", "b"]);
    let get = Operation { name: "GET".to_owned(), kind: String::new() };
    assert_eq!(remote.operations("a").await.unwrap(), [get]);
    assert_eq!(remote.tags().await.unwrap(), ["span.http.method", "name"]);
    let values = remote.tag_values("resource.service.name").await.unwrap();
    assert_eq!(values[0], TagValue { value: "b".to_owned(), kind: "string".to_owned() });
    let found = remote.search(&search()).await.unwrap();
    assert_eq!((found.traces.len(), found.capped), (2, true));
    assert!(matches!(&found.warnings[..], [said] if said.contains("too big")), "{:?}", found.warnings);
    let asked = fake.asked.lock().unwrap();
    let asked = asked.iter().find(|asked| asked.bare() == "/tempo/api/search").unwrap();
    let sent = ["q", "start", "end", "limit"].map(|name| asked.parameter(name).unwrap());
    assert_eq!(sent, ["{ status = error } with (most_recent=true)", "1", "11", "2"]);
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

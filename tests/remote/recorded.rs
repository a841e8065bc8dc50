//! Real answers: of Jaeger 2.13, of a later one, and of what only has the older API.

use std::fs;
use std::path::Path;

use tracefall::model::{Nanos, Timestamp, TraceId};
use tracefall::query::pushdown::Search;
use tracefall::source::remote::{Dependency, Flavor, Operation, Protocol, Remote, Server};

use crate::fake::{Asked, Fake, Reply, json, reply};

const TRACE: &str = "cc8d466c6ab8557e0030259a279be181";

fn recorded(version: &str, file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/jaeger").join(version).join(file)).unwrap()
}

/// The page that answers for every path it does not know.
fn page() -> Reply {
    reply(200, "text/html; charset=utf-8", recorded("v2.13.0", "v3-summaries-absent.html"))
}

fn old(asked: &Asked) -> Reply {
    // Its version 3 calls JSON text.
    let text = |file: &str| reply(200, "text/plain; charset=utf-8", recorded("v2.13.0", file));
    match asked.bare() {
        "/api/v3/services" => text("v3-services.json"),
        "/api/v3/operations" => text("v3-operations.json"),
        "/api/v3/traces" if asked.parameter("query.num_traces").is_none() => {
            reply(400, "text/plain", recorded("v2.13.0", "v3-bad.json"))
        }
        "/api/v3/traces" => text("v3-search.json"),
        path if path == format!("/api/v3/traces/{TRACE}") => text("v3-trace.json"),
        path if path.starts_with("/api/v3/traces/") => {
            reply(404, "text/plain; charset=utf-8", recorded("v2.13.0", "v3-404.json"))
        }
        "/api/dependencies" => json(recorded("v2.13.0", "deps.json")),
        _ => page(),
    }
}

fn later(asked: &Asked) -> Reply {
    let json = |file: &str| json(recorded("main-2026-08-20", file));
    match asked.bare() {
        "/api/v3/services" => json("v3-services.json"),
        "/api/v3/operations" => json("v3-operations.json"),
        "/api/v3/trace-summaries" => reply(
            400,
            "application/json",
            r#"{"error":{"httpCode":400,"message":"query.startTimeMin and query.startTimeMax are required"}}"#,
        ),
        "/api/v3/traces" if asked.parameter("query.attributes").is_some() => {
            reply(404, "application/json", recorded("main-2026-08-20", "v3-empty.json"))
        }
        "/api/v3/traces" => self::json(recorded("v2.13.0", "v3-search.json")),
        path if path == format!("/api/v3/traces/{TRACE}") => json("v3-trace.json"),
        path if path.starts_with("/api/v3/traces/") => {
            reply(404, "application/json", recorded("main-2026-08-20", "v3-404.json"))
        }
        "/api/dependencies" => json("deps.json"),
        _ => reply(404, "text/plain; charset=utf-8", recorded("main-2026-08-20", "legacy-search-gone.txt")),
    }
}

fn imitation(asked: &Asked) -> Reply {
    let Some(path) = asked.bare().strip_prefix("/select/jaeger") else { return reply(404, "", "") };
    let json = |file: &str| json(recorded("v2.13.0", file));
    match path {
        "/api/services" => json("services.json"),
        "/api/operations" => reply(404, "text/plain", "no"),
        path if path.starts_with("/api/services/") => self::json(r#"{"data":["b","a"],"total":2}"#),
        "/api/traces" => json("search.json"),
        path if path == format!("/api/traces/{TRACE}") => json("trace.json"),
        path if path.starts_with("/api/traces/") => {
            reply(404, "application/json", recorded("v2.13.0", "trace404.json"))
        }
        "/api/dependencies" => json("deps.json"),
        _ => reply(400, "text/plain", "unsupported path requested"),
    }
}

fn wanted() -> Search {
    Search {
        service: Some("hmis-backend".to_owned()),
        start: Timestamp(1_795_237_000_000_000_001),
        end: Timestamp(1_795_238_000_000_000_000),
        min_duration: Some(Nanos::from_millis(1)),
        limit: 20,
        ..Search::default()
    }
}

#[tokio::test]
async fn every_kind_of_jaeger_is_found_out_about_and_read() {
    type Answers = fn(&Asked) -> Reply;
    let cases: [(Answers, &str, Protocol, bool); 3] = [
        (old, "", Protocol::HttpV3, false),
        (later, "", Protocol::HttpV3, true),
        (imitation, "/select/jaeger/", Protocol::Legacy, true),
    ];
    for (answers, base, protocol, tags) in cases {
        let fake = Fake::start(answers).await;
        let server = Server::new(&format!("{}{base}", fake.address)).unwrap();
        let remote = Remote::connect(server, Flavor::Any).await.unwrap();
        assert_eq!((remote.protocol(), remote.abilities().tags), (protocol, tags), "{base}");
        assert_eq!(remote.is_lossy(), protocol == Protocol::Legacy);
        assert!(remote.services().await.unwrap().contains(&"hmis-insurance".to_owned()), "{base}");
        let operations = remote.operations("hmis-backend").await.unwrap();
        assert!(operations.is_sorted() && operations.len() > 1, "{base}");
        let found = remote.search(&wanted()).await.unwrap();
        assert!(found.traces.len() > 1 && found.spans() > 20 && !found.capped, "{base}: {found:?}");
        let id = TraceId::from_hex(TRACE).unwrap();
        let trace = remote.trace(id, None).await.unwrap().unwrap();
        assert_eq!((trace.traces.len(), trace.warnings.len()), (1, 0));
        let spans = tracefall::otlp::decode::spans(&trace.bodies[0].protobuf).unwrap();
        assert_eq!(u64::try_from(spans.len()).unwrap(), trace.spans());
        assert_eq!(remote.trace(TraceId([7; 16]), None).await.unwrap(), None, "{base}");
        let calls = remote.dependencies(Timestamp(1), Nanos(1)).await.unwrap();
        let call = Dependency { parent: "hmis-backend".to_owned(), child: "hmis-insurance".to_owned(), calls: 39 };
        assert!(
            calls.iter().any(|one| one.parent == call.parent && one.child == call.child && one.calls >= call.calls),
            "{calls:?}"
        );
        let link = remote.link(id).unwrap();
        assert_eq!(link, format!("http://{}{}/trace/{TRACE}", fake.address, base.trim_end_matches('/')));
    }
}

#[tokio::test]
async fn kinds_of_operations_are_told_where_the_server_tells() {
    let fake = Fake::start(old).await;
    let operations = fake.connect().await.unwrap().operations("hmis-backend").await.unwrap();
    assert!(operations.iter().any(|operation| operation.kind == "server"), "{operations:?}");
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/services" => json(r#"{"data":["s"]}"#),
        "/api/services/a%2Fb/operations" => json(r#"{"data":["b","a"]}"#),
        _ => reply(404, "", ""),
    });
    let operations = fake.await.connect().await.unwrap().operations("a/b").await.unwrap();
    let named = |name: &str| Operation { name: name.to_owned(), kind: String::new() };
    assert_eq!(operations, [named("a"), named("b")]);
}

#[tokio::test]
async fn a_search_is_spelled_as_each_api_has_it() {
    let search = Search {
        operation: Some("GET /x".to_owned()),
        tags: vec![("a b".to_owned(), "\"&".to_owned())],
        max_duration: Some(Nanos(1_500)),
        ..wanted()
    };
    let fake = Fake::start(later).await;
    let found = fake.connect().await.unwrap().search(&search).await.unwrap();
    assert!(found.traces.is_empty() && !found.capped);
    let asked = fake.asked.lock().unwrap().last().unwrap().clone();
    let expected = [
        ("query.service_name", "hmis-backend"),
        ("query.operation_name", "GET /x"),
        ("query.attributes", r#"{"a b":"\"&"}"#),
        ("query.start_time_min", "2026-11-21T04:56:40.000000001Z"),
        ("query.start_time_max", "2026-11-21T05:13:20.000000001Z"),
        ("query.duration_min", "1000us"),
        ("query.duration_max", "1500ns"),
        ("query.num_traces", "20"),
    ];
    for (name, value) in expected {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "{name}");
    }
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/services" => json(r#"{"data":["s"]}"#),
        "/api/traces" => json(r#"{"data":[]}"#),
        _ => page(),
    });
    let fake = fake.await;
    fake.connect().await.unwrap().search(&search).await.unwrap();
    let asked = fake.asked.lock().unwrap().last().unwrap().clone();
    let expected = [
        ("service", "hmis-backend"),
        ("operation", "GET /x"),
        ("tags", r#"{"a b":"\"&"}"#),
        ("start", "1795237000000000"),
        ("end", "1795238000000000"),
        ("minDuration", "1000us"),
        ("limit", "20"),
    ];
    for (name, value) in expected {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "{name}");
    }
}

//! A real Jaeger, where `TRACEFALL_JAEGER` names its program: `.ci/jaeger/build.sh` builds one.
//!
//! It is sent real spans by OTLP; what comes back over each of its interfaces must be what was sent, but for what the older one
//! cannot hold.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tempfile::TempDir;
use tracefall::model::{Attribute, Nanos, Span, Text, Timestamp, TraceId, Value};
use tracefall::otlp::decode;
use tracefall::query::parse;
use tracefall::query::pushdown::{Ask, Search, push_down};
use tracefall::source::remote::{Flavor, Protocol, Remote, Server};

use crate::jaeger::{Ports, configure};

struct Jaeger {
    child: Child,
    otlp: u16,
    grpc: u16,
    http: u16,
    _home: TempDir,
}

impl Drop for Jaeger {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn start(program: &str) -> Jaeger {
    let [otlp, otlp_http, grpc, http] = free_ports();
    let home = TempDir::new().unwrap();
    let file = home.path().join("jaeger.yaml");
    let ports = Ports { otlp_grpc: otlp, otlp_http, query_grpc: grpc, query_http: http };
    configure(&file, ports, false);
    let words = fs::File::create(home.path().join("words")).unwrap();
    let mut command = Command::new(program);
    command.arg("--config").arg(file).env("HOME", home.path()).stdout(Stdio::null()).stderr(words);
    Jaeger { child: command.spawn().unwrap(), otlp, grpc, http, _home: home }
}

/// The exports of the first fixture.
fn exports() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hmis-python-grpc.otlp.pb");
    let all = fs::read(path).unwrap();
    let (mut rest, mut exports) = (&all[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (export, behind) = after.split_at(u32::from_be_bytes(*length) as usize);
        exports.push(export.to_vec());
        rest = behind;
    }
    exports
}

async fn send(jaeger: &Jaeger) {
    let address = format!("http://127.0.0.1:{}", jaeger.otlp);
    let mut client = loop {
        match TraceServiceClient::connect(address.clone()).await {
            Ok(client) => break client,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    for export in exports() {
        client.export(ExportTraceServiceRequest::decode(&export[..]).unwrap()).await.unwrap();
    }
}

type ById = BTreeMap<(TraceId, [u8; 8]), Span>;

fn sorted(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.retain(|attribute| !attribute.key.lossy().starts_with("@jaeger@"));
    attributes.sort_by(|one, other| one.key.cmp(&other.key));
    attributes
}

/// A span without what Jaeger's memory store does not keep: the order of attributes, and schema urls. `lossy`: and without what Jaeger's older JSON lacks.
fn tidy(mut span: Span, lossy: bool) -> Span {
    let mut resource = (*span.resource).clone();
    resource.attributes = sorted(resource.attributes);
    resource.schema_url = Text::default();
    let mut scope = (*span.scope).clone();
    scope.schema_url = Text::default();
    span.attributes = sorted(span.attributes);
    for event in &mut span.events {
        event.attributes = sorted(std::mem::take(&mut event.attributes));
    }
    if lossy {
        let floor = |nanos: u64| nanos - nanos % 1_000;
        let length = floor(span.end.0.saturating_sub(span.start.0));
        span.start = Timestamp(floor(span.start.0));
        span.end = Timestamp(span.start.0 + length);
        span.flags = 0;
        span.events.iter_mut().for_each(|event| event.time = Timestamp(floor(event.time.0)));
        scope.attributes.clear();
        let text = |list: &mut Vec<Attribute>| {
            for attribute in list {
                if matches!(attribute.value, Value::Array(_) | Value::Map(_)) {
                    attribute.value = Value::Text("composite".into());
                }
                if attribute.value.clone() == Value::Empty {
                    attribute.value = Value::Text("".into());
                }
            }
        };
        text(&mut span.attributes);
    }
    span.resource = Arc::new(resource);
    span.scope = Arc::new(scope);
    span
}

fn by_id(spans: Vec<Span>, lossy: bool) -> ById {
    spans.into_iter().map(|span| ((span.trace_id, span.span_id.0), tidy(span, lossy))).collect()
}

async fn all(remote: &Remote, limit: u32) -> ById {
    let search = Search { start: Timestamp(1), end: Timestamp(u64::MAX / 4), limit, ..Search::default() };
    let mut rounds = remote.rounds(search, 500);
    let mut spans = Vec::new();
    while let Some(found) = rounds.next().await {
        let found = found.unwrap();
        assert_eq!(found.warnings, Vec::<String>::new());
        for body in found.bodies {
            assert_eq!(body.refused.rejected_total(), 0);
            spans.extend(decode::spans(&body.protobuf).unwrap());
        }
    }
    assert!(!rounds.is_capped(), "{:?}", rounds.progress());
    by_id(spans, remote.is_lossy())
}

/// What is in the filter, asked of the server without a filter here, must hold what the filter finds among all spans.
async fn pushed(remote: &Remote, all: &ById, text: &str, holds: impl Fn(&Span) -> bool) {
    let query = parse(text).unwrap();
    let newest = all.values().map(|span| span.start).max().unwrap();
    let down = push_down(&query, remote.abilities(), newest.plus(Nanos::from_secs(60)));
    let Ask::Search(search) = down.ask else { panic!("{text}") };
    let found = remote.search(&Search { limit: 1_000, ..search }).await.unwrap();
    let wanted = all.values().filter(|span| holds(span)).map(|span| span.trace_id);
    let missing: Vec<TraceId> = wanted.filter(|id| !found.traces.contains_key(id)).collect();
    assert!(missing.is_empty(), "{text} over {:?}: {missing:?}", remote.protocol());
    assert!(!found.traces.is_empty(), "{text} over {:?}", remote.protocol());
}

#[tokio::test]
#[ignore = "needs a Jaeger: TRACEFALL_JAEGER=$(.ci/jaeger/build.sh) cargo test --test remote -- --ignored"]
async fn what_a_real_jaeger_was_sent_comes_back_over_every_interface() {
    let program = std::env::var("TRACEFALL_JAEGER").expect("TRACEFALL_JAEGER names the program");
    let jaeger = start(&program);
    send(&jaeger).await;
    let sent: Vec<Span> = exports().iter().flat_map(|export| decode::spans(export).unwrap()).collect();
    for (port, protocol) in [(jaeger.grpc, Protocol::GrpcV3), (jaeger.http, Protocol::HttpV3)] {
        let server = Server::new(&format!("127.0.0.1:{port}")).unwrap();
        let remote = Remote::connect(server, Flavor::Any).await.unwrap();
        assert_eq!(remote.protocol(), protocol);
        check(&remote, &by_id(sent.clone(), false)).await;
    }
    let server = Server::new(&format!("127.0.0.1:{}", jaeger.http)).unwrap();
    let legacy = Remote::connect_as(server, Protocol::Legacy).await.unwrap();
    check(&legacy, &by_id(sent, true)).await;
    let calls = legacy.dependencies(Timestamp(u64::MAX / 4), Nanos(u64::MAX / 4)).await.unwrap();
    assert!(calls.iter().any(|call| (call.parent.as_str(), call.child.as_str()) == ("hmis-backend", "hmis-insurance")));
}

async fn check(remote: &Remote, sent: &ById) {
    assert_eq!(remote.services().await.unwrap(), ["hmis-backend", "hmis-insurance"]);
    assert!(remote.operations("hmis-backend").await.unwrap().len() > 3);
    // With a limit that everything fits in, and with one that has to be worked round.
    for limit in [1_000, 7] {
        let found = all(remote, limit).await;
        assert_eq!(found.len(), sent.len(), "{:?}", remote.protocol());
        for (id, span) in sent {
            assert_eq!(found.get(id), Some(span), "{:?}", remote.protocol());
        }
    }
    let id = sent.keys().next().unwrap().0;
    let trace = remote.trace(id, None).await.unwrap().unwrap();
    let wanted = sent.keys().filter(|(trace, _)| *trace == id).count();
    assert_eq!(trace.spans(), wanted as u64);
    assert_eq!(remote.trace(TraceId([9; 16]), None).await.unwrap(), None);
    let tag = |span: &Span, key: &str, value: &Value| {
        span.attributes.iter().any(|one| one.key == *key && one.value == *value)
    };
    pushed(remote, sent, "service=hmis-insurance minDuration=5ms", |span| {
        span.end.since(span.start) >= Nanos::from_millis(5)
            && span.resource.attributes.iter().any(|one| one.value == Value::Text("hmis-insurance".into()))
    })
    .await;
    pushed(remote, sent, "db.redis.args_length=2", |span| tag(span, "db.redis.args_length", &Value::Int(2))).await;
    pushed(remote, sent, "error=true", |span| span.status.code.0 == 2).await;
    pushed(remote, sent, "kind=client duration<2ms", |span| {
        span.kind.0 == 3 && span.end.since(span.start) < Nanos::from_millis(2)
    })
    .await;
}

//! The stories are as the walks tell them, repeat by seed, and arrive.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::cast::{EVERYONE, Service, Way};
use super::client::body;
use super::reel::{Export, Reel, Telemetry};
use super::*;
use crate::model::{Kind, Receipt, Signal, Span, SpanId, StatusCode, Timestamp, TraceId, Value, lookup};
use crate::otlp::{decode, json};
use crate::redact::Redactor;
use crate::source::receiver::{Limits, Origins, Receiver, ReceiverConfig};
use crate::source::{Clock, Source, feed};

const START: Timestamp = Timestamp(1_800_000_000_000_000_000);

fn told(root: &str) -> Story {
    let is = |story: &Story| story.spans.iter().any(|span| span.parent_id.is_none() && span.name == *root);
    gallery(START).into_iter().find(is).unwrap()
}

fn text(span: &Span, key: &str) -> String {
    match lookup(&span.attributes, key) {
        Some(Value::Text(text)) => text.lossy().into_owned(),
        Some(Value::Int(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn millis(span: &Span) -> u64 {
    span.end.since(span.start).0.div_ceil(1_000_000)
}

fn lasting(story: &Story, name: &str) -> Vec<u64> {
    let is = |span: &&Span| span.name == *name || text(span, "db.statement") == name;
    story.spans.iter().filter(is).map(millis).collect()
}

#[test]
fn the_slow_patient_page_is_as_the_walk_tells_it() {
    let story = &gallery(START)[0];
    let expected = [
        ("GET /api/v1/patients/{id}", 2310),
        ("auth_middleware", 12),
        ("tenant_middleware", 5),
        ("rate_limit_middleware", 8),
        ("PatientService.get_patient", 1850),
        ("GET patient:9999999", 3),
        ("SELECT * FROM patients WHERE id = $1", 1820),
        ("SET patient:9999999", 27),
        ("InsuranceService.get_active_policies", 320),
        ("GET /policies/{id}", 309),
        ("serialize_response", 8),
    ];
    for (name, millis) in expected {
        assert_eq!(lasting(story, name), [millis], "{name}");
    }
    assert_eq!(lasting(story, "SELECT * FROM patient_insurance WHERE patient_id = $1 AND active").len(), 12);
    assert_eq!((1820 * 1000 / millis(&story.spans[0]) + 5) / 10, 79, "its share of the trace");
}

#[test]
fn the_list_asks_for_each_insurance_by_itself() {
    let story = told("GET /api/v1/patients");
    let statement = "SELECT * FROM patient_insurance WHERE patient_id = $1 AND active";
    let each: Vec<_> = story.spans.iter().filter(|span| text(span, "db.statement") == statement).collect();
    assert_eq!(each.len(), 47);
    let sum: u64 = each.iter().map(|span| span.end.since(span.start).0).sum();
    assert_eq!(sum / 1_000_000, 112, "113 ms, rounded");
    assert_eq!(each.iter().map(|span| span.parent_id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(millis(&story.spans[0]), 688);
}

#[test]
fn failures_carry_their_exception() {
    let stories = gallery(START);
    let spans = || stories.iter().flat_map(|story| &story.spans);
    for (kind, status) in [
        ("hmis.errors.NotFoundError", "404"),
        ("RuntimeError", "500"),
        ("httpx.HTTPStatusError", "503"),
        ("WebhookError", "202"),
    ] {
        let event_type = |span: &Span| {
            span.events.iter().any(|event| match lookup(&event.attributes, "exception.type") {
                Some(Value::Text(found)) => *found == *kind,
                _ => false,
            })
        };
        let span = spans().find(|span| event_type(span)).unwrap();
        assert_eq!(span.status.code, StatusCode::ERROR);
        assert!(lookup(&span.events[0].attributes, "exception.stacktrace").is_some());
        let story = stories.iter().find(|story| story.spans.contains(span)).unwrap();
        let root = &story.spans[0];
        assert_eq!(text(root, "http.status_code") + &text(root, "http.response.status_code"), status, "{kind}");
    }
}

#[test]
fn parents_and_links_are_in_their_story_and_ids_are_unique() {
    let mut ids = HashSet::new();
    for story in gallery(START) {
        let own: HashSet<_> = story.spans.iter().map(|span| (span.trace_id, span.span_id)).collect();
        for span in &story.spans {
            assert!(ids.insert((span.trace_id, span.span_id)));
            assert!(span.start <= span.end && span.start >= START);
            assert!(span.parent_id.is_none_or(|parent| own.contains(&(span.trace_id, parent))), "{span:?}");
            assert!(span.links.iter().all(|link| own.contains(&link.target().unwrap())));
            assert!(span.kind != Kind::CONSUMER || !span.links.is_empty());
        }
        assert!(story.logs.iter().all(|log| own.contains(&(log.trace_id, log.span_id.unwrap()))));
    }
}

#[test]
fn children_lie_within_their_parents() {
    for story in gallery(START) {
        for span in &story.spans {
            let Some(parent) = story.spans.iter().find(|other| Some(other.span_id) == span.parent_id) else { continue };
            assert!(parent.start <= span.start && span.end <= parent.end, "{:?} in {:?}", span.name, parent.name);
        }
    }
}

#[test]
fn the_first_page_of_recipes_has_61_spans_and_38_authors() {
    let story = told("documentLoad /recipes");
    assert_eq!(story.spans.len(), 61);
    let authors = story.spans.iter().filter(|span| text(span, "db.query.text").contains("FROM authors")).count();
    assert_eq!(authors, 38);
}

#[test]
fn the_insert_holds_secrets_that_are_masked() {
    let redactor = Redactor::default();
    let secret = |span: &Span| lookup(&span.attributes, "user.password").is_some();
    let stories = gallery(START);
    let span = stories.iter().flat_map(|story| &story.spans).find(|span| secret(span)).unwrap();
    for key in ["user.password", "patient.ssn"] {
        assert!(redactor.value(key, &text(span, key)).masked, "{key}");
    }
    let statement = text(span, "db.statement");
    assert_eq!(redactor.text(&statement), statement);
}

fn play(seed: u64, polls: &[u64]) -> Vec<Export> {
    let mut reel = Reel::new(seed, 20.0, START);
    polls.iter().flat_map(|millis| reel.due(Timestamp(START.0 + millis * 1_000_000))).collect()
}

#[test]
fn the_same_seed_gives_the_same_exports_however_often_it_is_asked() {
    let coarse = play(7, &[4_000, 8_000, 9_999]);
    let fine = play(7, &(0..=9_999).step_by(37).chain([9_999]).collect::<Vec<_>>());
    assert_eq!(coarse, fine);
    assert!(coarse.len() > 100);
    assert_ne!(coarse, play(8, &[4_000, 8_000, 9_999]));
}

#[test]
fn a_span_is_sent_after_it_has_ended_and_after_its_children() {
    let mut reel = Reel::new(3, 20.0, START);
    let mut sent: HashSet<(Service, TraceId, SpanId)> = HashSet::new();
    for step in 1..60 {
        let now = Timestamp(START.0 + step * 100_000_000);
        for Export { service, telemetry } in reel.due(now) {
            let Telemetry::Spans(spans) = telemetry else { continue };
            for span in spans {
                assert!(span.end <= now);
                let early = span.parent_id.is_some_and(|parent| sent.contains(&(service, span.trace_id, parent)));
                assert!(!early, "{:?} after its parent", span.name);
                sent.insert((service, span.trace_id, span.span_id));
            }
        }
    }
    assert!(sent.len() > 500);
}

#[test]
fn a_long_sleep_is_not_made_up_for() {
    let mut reel = Reel::new(3, 1000.0, START);
    let night = Timestamp(START.0 + 8 * 3_600 * 1_000_000_000);
    assert!(reel.due(night).is_empty());
    assert!(reel.due(Timestamp(START.0)).is_empty());
    assert!(!reel.due(Timestamp(START.0 + 1_000_000_000)).is_empty());
}

#[test]
fn bodies_decode_and_json_says_the_same_as_protobuf() {
    let mut seen = BTreeSet::new();
    for Export { telemetry, .. } in play(1, &[9_000]) {
        let (signal, protobuf) = match &telemetry {
            Telemetry::Spans(spans) => {
                let protobuf = body(Way::Protobuf, &telemetry).1;
                ExportTraceServiceRequest::decode(protobuf.as_slice()).unwrap();
                let mut decoded = decode::spans(&protobuf).unwrap();
                let order = |span: &Span| {
                    spans.iter().position(|other| other.key() == span.key() && other.trace_id == span.trace_id)
                };
                decoded.sort_by_key(order);
                assert_eq!(decoded, *spans);
                (Signal::Traces, protobuf)
            }
            Telemetry::Logs(_) => {
                let protobuf = body(Way::Protobuf, &telemetry).1;
                ExportLogsServiceRequest::decode(protobuf.as_slice()).unwrap();
                (Signal::Logs, protobuf)
            }
        };
        let converted = json::to_protobuf(signal, &body(Way::Json, &telemetry).1).unwrap();
        assert_eq!(converted.refused, Receipt::default());
        if signal == Signal::Traces {
            let sorted = |body: &[u8]| {
                let mut spans = decode::spans(body).unwrap();
                spans.sort_by_key(|span| (span.trace_id, span.span_id));
                spans
            };
            assert_eq!(sorted(&converted.protobuf), sorted(&protobuf));
        }
        seen.insert(signal);
    }
    assert_eq!(seen.len(), 2);
}

/// A clock that runs a quarter of a second further each time it is read.
fn hurried() -> Clock {
    let time = AtomicU64::new(START.0);
    Arc::new(move || Timestamp(time.fetch_add(250_000_000, Ordering::Relaxed)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_arrives_through_the_receiver() {
    let (feed, queue) = feed(64 << 20, 1024, hurried());
    let free = vec!["127.0.0.1:0".parse().unwrap()];
    let config = ReceiverConfig {
        grpc: free.clone(),
        http: free,
        zipkin: Vec::new(),
        limits: Limits::default(),
        origins: Origins { more: Vec::new() },
    };
    let receiver = Receiver::bind(config, &feed);
    let endpoints = Endpoints::of(&feed.board().sources(START)).unwrap();
    let serving = tokio::spawn(receiver.run(feed));
    let playing = tokio::spawn(Player::new(endpoints, 30.0, 5, hurried()).run());
    let all: BTreeSet<_> = EVERYONE.iter().map(|service| service.name().to_owned()).collect();
    let arrived = tokio::task::spawn_blocking(move || {
        let mut arrived = BTreeSet::new();
        while arrived != all {
            let item = queue.next(Duration::from_secs(20)).unwrap();
            let delivery = item.delivery();
            if delivery.signal == Signal::Traces {
                for span in decode::spans(&delivery.body).unwrap() {
                    let service = lookup(&span.resource.attributes, "service.name").cloned();
                    let Some(Value::Text(service)) = service else { continue };
                    arrived.insert(service.lossy().into_owned());
                }
            }
            item.reply(Ok(Receipt::default()));
        }
        arrived.len()
    });
    assert_eq!(arrived.await.unwrap(), EVERYONE.len());
    playing.abort();
    serving.abort();
}

/// What a paused player does not send is gone: nobody shall find it in one lump later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_player_sends_nothing() {
    let (feed, queue) = feed(64 << 20, 1024, hurried());
    let free = vec!["127.0.0.1:0".parse().unwrap()];
    let config = ReceiverConfig { grpc: free.clone(), http: free, ..ReceiverConfig::default() };
    let receiver = Receiver::bind(config, &feed);
    let board = Arc::clone(feed.board());
    let endpoints = Endpoints::of(&board.sources(START)).unwrap();
    let source = board.register("demo", Vec::new());
    board.pause(source, true);
    let serving = tokio::spawn(receiver.run(feed));
    // The clock runs with each look: so many looks, and many requests were due.
    let looks = Arc::new(AtomicU64::new(0));
    let clock: Clock = {
        let (looks, time) = (Arc::clone(&looks), hurried());
        Arc::new(move || {
            looks.fetch_add(1, Ordering::Relaxed);
            time()
        })
    };
    let player = Player::new(endpoints, 30.0, 5, clock).of_source(&board, source);
    let playing = tokio::spawn(player.run());
    let arrived = tokio::task::spawn_blocking(move || {
        while looks.load(Ordering::Relaxed) < 50 {
            if queue.next(Duration::from_millis(5)).is_ok() {
                return true;
            }
        }
        false
    });
    assert!(!arrived.await.unwrap());
    playing.abort();
    serving.abort();
}

/// Whatever door it comes through and in whatever protocol, what the demo sends is the demo's; what others send is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_demo_sends_is_of_its_own_source() {
    let (feed, queue) = feed(64 << 20, 1024, hurried());
    let free = vec!["127.0.0.1:0".parse().unwrap()];
    let config = ReceiverConfig { grpc: free.clone(), http: free, ..ReceiverConfig::default() };
    let receiver = Receiver::bind(config, &feed);
    let board = Arc::clone(feed.board());
    let endpoints = Endpoints::of(&board.sources(START)).unwrap();
    let demo = board.register("demo", Vec::new());
    let serving = tokio::spawn(receiver.run(feed));
    let player = Player::new(endpoints, 30.0, 5, hurried()).of_source(&board, demo);
    let playing = tokio::spawn(player.run());
    let sources = tokio::task::spawn_blocking(move || {
        let mut sources = Vec::new();
        while sources.len() < 60 {
            let item = queue.next(Duration::from_secs(30)).unwrap();
            sources.push(item.delivery().source);
            item.reply(Ok(Receipt::default()));
        }
        sources
    });
    let sources = sources.await.unwrap();
    assert!(sources.iter().all(|source| *source == demo), "{sources:?}");
    playing.abort();
    serving.abort();
}

#[test]
fn no_open_door_is_no_endpoint() {
    assert_eq!(Endpoints::of(&[]), None);
}

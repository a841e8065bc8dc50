//! What servers and what stands between do instead of answering: each gives a clear reason, and nothing hangs.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tracefall::model::{Timestamp, TraceId};
use tracefall::query::pushdown::Search;
use tracefall::source::remote::{Flavor, Remote, RemoteError, Secret, Server};

use crate::fake::{Fake, Reply, json, reply, span};

/// A Jaeger that answers a search so.
async fn answering(search: Reply) -> Fake {
    Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        "/api/v3/traces" | "/api/v3/traces/00000000000000000000000000000001" => search.clone(),
        _ => reply(404, "text/plain", "404 page not found"),
    })
    .await
}

fn any() -> Search {
    Search { end: Timestamp(u64::MAX / 4), limit: 10, ..Search::default() }
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(body).unwrap();
    out.finish().unwrap()
}

fn gzip(body: Vec<u8>) -> Reply {
    Reply::Full(200, "application/json", vec![("content-encoding", "gzip".to_owned())], body)
}

#[tokio::test]
async fn each_bad_day_has_its_reason() {
    let good = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("s", 1, 5));
    let moved = |to: &str| Reply::Full(302, "", vec![("location", to.to_owned())], Vec::new());
    let cases = [
        (
            reply(500, "text/plain", r#"{"error":{"httpCode":500,"message":"disk on fire"}}"#),
            "500 Internal Server Error: disk on fire",
        ),
        (reply(500, "application/json", r#"{"data":null,"errors":[{"code":500,"msg":"boom"}]}"#), "boom"),
        (reply(503, "", ""), "503 Service Unavailable: it says no more"),
        (reply(502, "text/html", "<html><b>Bad</b></html>"), "502 Bad Gateway: a web page"),
        (reply(200, "text/html", "\n<!doctype html><title>Sign in</title>"), "a web page (200 OK, text/html)"),
        (reply(200, "application/json", ""), "an empty answer (200 OK)"),
        (reply(404, "", ""), "404 Not Found"),
        (reply(404, "text/plain", "404 page not found"), "404 Not Found"),
        (reply(200, "text/plain", "hello\u{1b}[2J"), "not JSON (text/plain)"),
        (json(r#"{"result":{"resourceSpans":7}}"#), "nothing in it can be read"),
        (json("[1,2"), "not JSON"),
        (json(r#"{"data":[]}"#), "not JSON"),
        (json(good.get(..good.len() - 9).unwrap()), "not JSON"),
        (Reply::Cut(good.clone().into_bytes()), "broke off"),
        (gzip(b"not gzip at all".to_vec()), "broke off"),
        (gzip(zipped(good.as_bytes()).split_off(20)), "broke off"),
        (gzip(zipped(&vec![b' '; 3_000_000])), "larger than 1000000 bytes"),
        (json(vec![b' '; 1_000_001]), "larger than 1000000 bytes"),
        (Reply::Full(200, "", vec![("content-encoding", "br".to_owned())], b"x".to_vec()), "answers in \"br\""),
        (
            reply(401, "text/plain", "missing tenant header: let-me-in"),
            "refused (401 Unauthorized): missing tenant header: •••",
        ),
        (reply(403, "text/html", "<html>"), "refused (403 Forbidden): a web page"),
        (moved("https://login.example/?for=let-me-in"), "it sends elsewhere, to https://login.example/?for=•••"),
        (moved("/api/v3/traces"), "redirects more than 3 times"),
        (moved("//login.example/x"), "it sends elsewhere"),
        (moved("http://"), "it sends elsewhere"),
    ];
    for (answer, expected) in cases {
        let fake = answering(answer.clone()).await;
        let server = fake.server().most(1_000_000).bearer(&Secret::new("let-me-in")).unwrap();
        let remote = Remote::connect(server, Flavor::Jaeger).await.unwrap();
        let fault = remote.search(&any()).await.unwrap_err();
        let text = fault.to_string();
        assert!(text.contains(expected), "{answer:?}: {text}");
        assert!(text.starts_with(&format!("http://{}/api/v3/traces", fake.address)), "{text}");
        assert!(!format!("{text}{fault:?}").contains("let-me-in") && !text.contains('\u{1b}'), "{text}");
    }
}

#[tokio::test]
async fn what_is_odd_but_an_answer_is_taken() {
    let good = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("s", 1, 5));
    let cases = [
        (reply(200, "text/plain", good.clone()), 1),
        (json(format!("\u{feff}{good}")), 1),
        (json(format!("{good}\n{}", good.replace("0001", "0002"))), 2),
        (json(format!("[{good}]")), 1),
        (gzip(zipped(good.as_bytes())), 1),
        (reply(404, "text/plain", r#"{"error":{"httpCode":404,"message":"No traces found"}}"#), 0),
        (json("{}"), 0),
    ];
    for (answer, traces) in cases {
        let remote = answering(answer.clone()).await.connect().await.unwrap();
        let found = remote.search(&any()).await.unwrap_or_else(|fault| panic!("{answer:?}: {fault}"));
        assert_eq!(found.traces.len(), traces, "{answer:?}");
    }
}

#[tokio::test]
async fn redirects_are_followed_within_the_server_only() {
    let good = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("s", 1, 5));
    let fake = Fake::start(move |asked| match asked.bare() {
        "/old/api/v3/services" => json(r#"{"services":["s"]}"#),
        "/old/api/v3/traces" => Reply::Full(307, "", vec![("location", format!("/new{}", asked.path))], Vec::new()),
        "/new/old/api/v3/traces" => Reply::Full(301, "", vec![("location", "there?x=1".to_owned())], Vec::new()),
        "/new/old/api/v3/there" => json(good.clone()),
        _ => reply(404, "", ""),
    })
    .await;
    let server = Server::new(&format!("http://me:pass@{}/old/", fake.address)).unwrap();
    let remote = Remote::connect(server, Flavor::Jaeger).await.unwrap();
    assert_eq!(remote.search(&any()).await.unwrap().traces.len(), 1);
    assert_eq!(fake.paths().last().unwrap(), "/new/old/api/v3/there?x=1");
    let asked = fake.asked.lock().unwrap();
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some("Basic bWU6cGFzcw==")));
}

#[tokio::test]
async fn credentials_and_tenant_are_sent_to_the_server_and_nowhere_else() {
    let thief = Fake::start(|_| json("{}")).await;
    let elsewhere = format!("http://{}/api/v3/traces", thief.address);
    let fake = answering(Reply::Full(302, "", vec![("location", elsewhere)], Vec::new())).await;
    let server = fake.server().bearer(&Secret::new("tok\n")).unwrap().tenant("acme").unwrap();
    let server = server.header_line(&Secret::new("X-Own:  value ")).unwrap();
    let remote = Remote::connect(server, Flavor::Any).await.unwrap();
    remote.search(&any()).await.unwrap_err();
    assert_eq!(thief.paths(), Vec::<String>::new());
    for asked in fake.asked.lock().unwrap().iter() {
        let sent = ["authorization", "x-tenant", "x-scope-orgid", "x-own"].map(|name| asked.header(name).unwrap());
        assert_eq!(sent, ["Bearer tok", "acme", "acme", "value"]);
    }
}

#[tokio::test]
async fn what_does_not_answer_in_time_is_given_up() {
    for answer in [Reply::Silence, Reply::Drip] {
        let fake = answering(answer.clone()).await;
        let server = fake.server().within(Duration::from_secs(5), Duration::from_millis(300));
        let remote = Remote::connect(server, Flavor::Jaeger).await.unwrap();
        let fault = remote.search(&any()).await.unwrap_err();
        assert!(matches!(fault, RemoteError::Timeout { .. }) && fault.is_passing(), "{fault}");
    }
}

#[tokio::test]
async fn a_server_that_is_asked_too_much_at_once_is_given_a_little_time() {
    let good = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("s", 1, 5));
    let busy = AtomicU32::new(0);
    let fake = Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        "/api/v3/traces" if busy.fetch_add(1, Ordering::Relaxed) < 2 => {
            reply(429, "text/plain", "too many outstanding requests")
        }
        "/api/v3/traces" => json(good.clone()),
        _ => reply(404, "text/plain", "404 page not found"),
    })
    .await;
    let remote = fake.connect().await.unwrap();
    assert_eq!(remote.search(&any()).await.unwrap().traces.len(), 1);
    assert_eq!(fake.paths().iter().filter(|path| path.starts_with("/api/v3/traces?")).count(), 3);
}

#[tokio::test]
async fn dropping_a_search_ends_it_on_the_wire() {
    let fake = answering(Reply::Silence).await;
    let remote = fake.connect().await.unwrap();
    let searching = tokio::spawn(async move { remote.search(&any()).await.map(|_| ()) });
    while !fake.paths().iter().any(|path| path.starts_with("/api/v3/traces?")) {
        tokio::task::yield_now().await;
    }
    searching.abort();
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while *fake.dropped.lock().unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
}

#[tokio::test]
async fn what_is_no_server_for_spans_is_told_with_what_was_tried() {
    let cases = [
        (reply(200, "text/html", "<html>"), "a web page"),
        (reply(404, "", ""), "404 Not Found"),
        (json(r#"{"services":7}"#), "JSON without a list of services"),
        (json(r#"{"data":[7]}"#), "JSON without a list of services"),
    ];
    for (answer, expected) in cases {
        let fake = Fake::start(move |_| answer.clone()).await;
        let fault = fake.connect().await.unwrap_err().to_string();
        assert!(fault.contains(expected) && fault.contains("none of the answers that were looked for"), "{fault}");
        assert!(["gRPC: ", "HTTP v3: ", "legacy JSON: ", "Tempo: "].iter().all(|way| fault.contains(way)), "{fault}");
    }
    let fake = Fake::start(|_| reply(401, "text/plain", "who are you?")).await;
    let fault = fake.connect().await.unwrap_err();
    assert!(matches!(&fault, RemoteError::Denied { said, .. } if said == "who are you?"), "{fault}");
    let nobody = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let fault = Remote::connect(Server::new(&nobody.to_string()).unwrap(), Flavor::Any).await.unwrap_err();
    assert!(matches!(fault, RemoteError::Connect { .. }) && fault.is_passing(), "{fault}");
    let nowhere = Server::new("http://no-such-host.invalid:1").unwrap();
    let fault = Remote::connect(nowhere, Flavor::Any).await.unwrap_err();
    assert!(matches!(fault, RemoteError::Connect { .. }), "{fault}");
}

#[tokio::test]
async fn another_trace_is_not_the_one_that_was_asked_for() {
    let other = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("s", 2, 5));
    let remote = answering(json(other)).await.connect().await.unwrap();
    let fault = remote.trace(TraceId::from_hex("1").unwrap(), None).await.unwrap_err();
    assert!(fault.to_string().contains("another trace"), "{fault}");
}

#[tokio::test]
async fn services_that_fail_cost_only_themselves() {
    let turn = Mutex::new(0);
    let good = format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("b", 1, 5));
    let fake = Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["b","a","c"]}"#),
        "/api/v3/traces" => {
            *turn.lock().unwrap() += 1;
            match asked.parameter("query.service_name").as_deref() {
                Some("b") => json(good.clone()),
                Some("a") => reply(500, "", "no"),
                _ => reply(404, "", r#"{"error":{"message":"No traces found"}}"#),
            }
        }
        _ => reply(404, "", ""),
    })
    .await;
    let found = fake.connect().await.unwrap().search(&any()).await.unwrap();
    assert_eq!(found.traces.len(), 1);
    assert!(matches!(&found.warnings[..], [warning] if warning.starts_with("a: ") && warning.contains("500")));
}

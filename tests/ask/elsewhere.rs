//! Servers that keep spans, asked by the program itself.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Sent, TracesData};
use prost::Message as _;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::fake::{self, Asked, Fake, Reply, reply};
use crate::rig::{Home, Said};

/// A Jaeger with three traces of the last minute: a slow one of `pay` with an order, a quick one of it, one of `cart`.
struct Jaeger {
    fake: Fake,
    _runtime: Runtime,
}

#[expect(clippy::disallowed_methods, reason = "what is asked for is of the last hour")]
fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// A trace of one span: its number, service, length in milliseconds, order and whether it failed.
type Kept = (u64, &'static str, u64, i64, bool);

const KEPT: [Kept; 3] = [(1, "pay", 900, 17, true), (2, "pay", 5, 18, false), (3, "cart", 700, 17, false)];

fn spans(kept: &[Kept], now: u64) -> String {
    answered(kept, |number| now - (61 - number) * 1_000_000_000)
}

/// As [`spans`], ten seconds apart.
fn spaced(kept: &[Kept], now: u64) -> String {
    answered(kept, |number| now - (151 - number) * 10_000_000_000)
}

fn answered(kept: &[Kept], start: impl Fn(u64) -> u64) -> String {
    let one = |(number, service, length, order, failed): &Kept| {
        let start = start(*number);
        let span = json!({
            "traceId": format!("{number:032x}"), "spanId": format!("{number:016x}"), "name": "charge",
            "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + length * 1_000_000).to_string(),
            "attributes": [{"key": "order.id", "value": {"intValue": order.to_string()}}],
            "status": {"code": if *failed { 2 } else { 0 }},
        });
        let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
        json!({"resource": resource, "scopeSpans": [{"spans": [span]}]})
    };
    json!({"result": {"resourceSpans": kept.iter().map(one).collect::<Vec<_>>()}}).to_string()
}

/// What a Jaeger answers that heeds services only, so that the rest of a filter shows where it is applied.
fn answer(asked: &Asked, now: u64) -> Reply {
    match asked.bare() {
        "/api/v3/services" => fake::json(r#"{"services":["pay","cart"]}"#),
        "/api/v3/operations" if asked.parameter("service").as_deref() == Some("pay") => {
            fake::json(r#"{"operations":[{"name":"charge","spanKind":"server"},{"name":"refund"}]}"#)
        }
        "/api/v3/operations" => fake::json(r#"{"operations":[]}"#),
        "/api/v3/traces" => {
            let service = asked.parameter("query.service_name");
            let kept = KEPT.into_iter().filter(|kept| service.as_deref().is_none_or(|service| service == kept.1));
            fake::json(spans(&kept.collect::<Vec<_>>(), now))
        }
        _ => reply(404, "", ""),
    }
}

impl Jaeger {
    fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let fake = runtime.block_on(Fake::start(answer));
        Self { fake, _runtime: runtime }
    }

    fn usual() -> Self {
        let now = now();
        Self::start(move |asked| answer(asked, now))
    }

    fn url(&self) -> String {
        format!("http://{}", self.fake.address)
    }

    fn run(&self, home: &Home, arguments: &[&str]) -> Said {
        home.run(&[arguments, &["--jaeger", &self.url()]].concat())
    }
}

#[test]
fn trace_is_found_by_tag_and_duration() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let said = jaeger.run(&home, &["query", "order.id=17 minDuration=100ms service=pay", "-o", "jsonl"]);
    assert_eq!((said.code, said.field("trace_id")), (Some(0), vec![json!(format!("{:032x}", 1))]), "{}", said.err);
    assert!(said.err.contains("127.0.0.1: 100 traces of the last hour"), "{}", said.err);
    let paths = jaeger.fake.paths();
    let asked: Vec<_> = paths.iter().filter(|path| path.starts_with("/api/v3/traces?")).collect();
    assert!(!asked.is_empty() && asked.iter().all(|path| path.contains("query.service_name=pay")), "{asked:?}");
    assert!(asked.iter().all(|path| path.contains("query.duration_min=100000us")), "{asked:?}");
}

#[test]
fn what_a_server_ignores_is_applied_here() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    for (filter, numbers) in [
        ("error=true", vec![1]),
        ("", vec![3, 2, 1]),
        ("{ span.order.id = 17 } | select(span.order.id)", vec![3, 1]),
        ("any.order.id=18", vec![2]),
        ("none.error=true", vec![3, 2]),
    ] {
        let said = jaeger.run(&home, &["query", filter, "-o", "jsonl"]);
        let expected: Vec<_> = numbers.iter().map(|number| json!(format!("{number:032x}"))).collect();
        assert_eq!(said.field("trace_id"), expected, "{filter}: {}", said.err);
    }
    let none = jaeger.run(&home, &["query", "order.id=19"]);
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""), "{}", none.err);
}

#[test]
fn names_are_the_servers_own() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let services = jaeger.run(&home, &["services", "-o", "csv"]);
    assert_eq!((services.code, services.out.replace('\r', "")), (Some(0), "service\ncart\npay\n".to_owned()));
    let operations = jaeger.run(&home, &["operations", "-o", "jsonl"]);
    let expected = [("charge", "server"), ("refund", "")]
        .map(|(operation, kind)| json!({"operation": operation, "service": "pay", "kind": kind}));
    assert_eq!(operations.objects(), expected, "{}", operations.err);
    assert!(!jaeger.fake.paths().iter().any(|path| path.starts_with("/api/v3/traces?")));
}

#[test]
fn assertions_are_judged_by_all_that_is_there() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    for (arguments, code) in [
        (&["assert", "--none", "error=true"][..], 1),
        (&["assert", "--none", "order.id=19"], 0),
        (&["assert", "duration<1s"], 0),
        (&["assert", "duration<800ms"], 1),
        (&["assert", "--max-p95", "service=cart=800ms"], 0),
    ] {
        let said = jaeger.run(&home, arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {} {}", said.out, said.err);
    }
    let empty = Jaeger::start(|asked| match asked.bare() {
        "/api/v3/services" => fake::json(r#"{"services":["pay"]}"#),
        "/api/v3/traces" => fake::json(r#"{"result":{"resourceSpans":[]}}"#),
        _ => reply(404, "", ""),
    });
    let said = empty.run(&home, &["assert", "--none", "error=true"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("there is no trace to check"), "{}", said.err);
}

#[test]
fn whole_traces_are_exported() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let said = jaeger.run(&home, &["export", "service=cart"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let file = home.file("cart.jsonl", said.out);
    let again = home.run(&["query", "", &file, "-o", "jsonl"]);
    assert_eq!(again.field("trace_id"), [json!(format!("{:032x}", 3))]);
}

#[test]
fn server_that_is_down_is_named_with_exit_code_2() {
    let home = Home::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for command in [&["query", ""][..], &["services"], &["operations"], &["assert", "--none", ""], &["export"]] {
        let said = home.run(&[command, &["--jaeger", &gone.to_string()]].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{command:?}");
        assert!(said.err.contains("the source 127.0.0.1") && said.err.contains("no connection"), "{}", said.err);
    }
}

#[test]
fn profile_of_the_settings_file_is_asked_with_its_secrets_and_these_are_never_printed() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let token = home.file("token", "sesame-open\n");
    let settings = format!(
        "[sources.prod]\njaeger = 'http://me:hunter2@{}'\nbearer_file = '{token}'\ntenant = 'acme'\n\
         [sources.prod.headers_env]\nX-Key = 'KEY'\n",
        jaeger.fake.address
    );
    let settings = home.file("settings.toml", settings);
    let run = |arguments: &[&str], key: Option<&str>| {
        let mut command = home.command(&[arguments, &["--config", &settings]].concat());
        command.envs(key.map(|key| ("KEY", key)));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    };
    let said = run(&["query", "service=cart", "--source", "prod", "-o", "jsonl"], Some("swordfish"));
    assert_eq!((said.code, said.objects().len()), (Some(0), 1), "{}", said.err);
    let asked = jaeger.fake.asked.lock().unwrap().clone();
    for (name, value) in [("authorization", "Bearer sesame-open"), ("x-key", "swordfish"), ("x-tenant", "acme")] {
        assert!(asked.iter().all(|asked| asked.header(name) == Some(value)), "{name}");
    }
    let unset = run(&["query", "", "--source", "prod"], None);
    assert_eq!(unset.code, Some(2));
    assert!(unset.err.contains("the source prod") && unset.err.contains("KEY, which is not set"), "{}", unset.err);
    let unknown = run(&["query", "", "--source", "dev"], None);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("--source dev") && unknown.err.contains("there are prod"), "{}", unknown.err);
    // A server that repeats what it was told.
    let denied = Jaeger::start(|asked| reply(401, "text/plain", format!("no: {:?}", asked.headers)));
    fs::write(
        Path::new(&settings),
        fs::read_to_string(&settings)
            .unwrap()
            .replace(&jaeger.fake.address.to_string(), &denied.fake.address.to_string()),
    )
    .unwrap();
    let refused = run(&["query", "", "--source", "prod"], Some("swordfish"));
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("401"), "{}", refused.err);
    for said in [said, unset, unknown, refused] {
        for secret in ["sesame", "hunter2", "swordfish"] {
            assert!(!said.err.contains(secret) && !said.out.contains(secret), "{secret}: {}", said.err);
        }
    }
}

#[test]
fn files_and_a_server_are_not_asked_together_and_the_environment_steps_back() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let both = jaeger.run(&home, &["query", "", "otlp-json/trace.json"]);
    assert_eq!(both.code, Some(2));
    assert!(both.err.contains("either a server"), "{}", both.err);
    let ask = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("TRACEFALL_JAEGER", jaeger.url()).env("TRACEFALL_BEARER", "sesame-open");
        command.output().unwrap()
    };
    assert_eq!(ask(&["query", "", "otlp-json/trace.json"]).status.code(), Some(0));
    assert!(jaeger.fake.paths().is_empty());
    let served = ask(&["query", "service=cart", "-o", "jsonl"]);
    assert_eq!(String::from_utf8(served.stdout).unwrap().lines().count(), 1);
    let asked = jaeger.fake.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some("Bearer sesame-open")));
}

#[test]
fn server_is_followed_until_enough_traces_were_told() {
    let (jaeger, home) = (Jaeger::usual(), Home::new());
    let said = jaeger.run(&home, &["tail", "order.id=17", "--limit", "2", "-o", "jsonl"]);
    let mut told = said.field("trace_id");
    told.sort_by_key(ToString::to_string);
    assert_eq!(
        (said.code, told),
        (Some(0), vec![json!(format!("{:032x}", 1)), json!(format!("{:032x}", 3))]),
        "{}",
        said.err
    );
    assert!(said.err.contains("asked every 3s"), "{}", said.err);
}

#[test]
fn limit_that_hides_what_is_looked_for_is_narrowed_until_it_is_found() {
    let now = now();
    // Of 150 traces it gives at most as many as it is asked for, the oldest first, and the newest one has failed.
    let jaeger = Jaeger::start(move |asked| match asked.bare() {
        "/api/v3/services" => fake::json(r#"{"services":["pay"]}"#),
        "/api/v3/traces" => {
            let moment = |name: &str| -> jiff::Timestamp { asked.parameter(name).unwrap().parse().unwrap() };
            let time = moment("query.start_time_min").as_nanosecond()..moment("query.start_time_max").as_nanosecond();
            let limit: usize = asked.parameter("query.num_traces").unwrap().parse().unwrap();
            let all = (1..=150_u64).map(|number| (number, "pay", 1, 0, number == 150));
            let within = all.filter(|kept| time.contains(&i128::from(now - (151 - kept.0) * 10_000_000_000)));
            fake::json(spaced(&within.take(limit).collect::<Vec<_>>(), now))
        }
        _ => reply(404, "", ""),
    });
    let home = Home::new();
    let said = jaeger.run(&home, &["query", "error=true", "-o", "jsonl"]);
    assert_eq!((said.code, said.field("trace_id")), (Some(0), vec![json!(format!("{:032x}", 150))]), "{}", said.err);
    let held = jaeger.run(&home, &["assert", "--none", "error=true"]);
    assert_eq!(held.code, Some(1), "{}", held.err);
    // The newest ten, although it gives the oldest.
    let ten: Vec<_> = (141..=150).rev().map(|number| json!(format!("{number:032x}"))).collect();
    let capped = jaeger.run(&home, &["query", "limit=10", "-o", "jsonl"]);
    assert_eq!((capped.code, capped.field("trace_id")), (Some(0), ten), "{}", capped.err);
    assert!(!capped.err.contains("there may be more"), "{}", capped.err);
}

#[test]
fn tempo_is_asked_in_traceql() {
    let start = now() - 5_000_000_000;
    let tempo = Jaeger::start(move |asked| match asked.bare() {
        "/api/echo" => reply(200, "text/plain", "echo"),
        "/api/search" => fake::json(r#"{"traces":[{"traceID":"7"},{"traceID":"8"}],"metrics":{}}"#),
        "/api/v2/search/tag/resource.service.name/values" => {
            fake::json(r#"{"tagValues":[{"type":"string","value":"pay"}]}"#)
        }
        path => match path.strip_prefix("/api/v2/traces/").and_then(|id| id.parse::<u8>().ok()) {
            Some(number) => reply(200, "application/protobuf", tempo_trace(number, start)),
            None => reply(404, "text/plain", "404 page not found"),
        },
    });
    let home = Home::new();
    let ask = |arguments: &[&str]| home.run(&[arguments, &["--tempo", &tempo.url()]].concat());
    let said = ask(&["query", "name=GET-7 minDuration=1ms lookback=10m", "-o", "jsonl"]);
    assert_eq!((said.code, said.field("trace_id")), (Some(0), vec![json!(format!("{:032x}", 7))]), "{}", said.err);
    assert!(said.err.contains("at most 100 traces") && !said.err.contains("hour"), "{}", said.err);
    let asked = tempo.fake.asked.lock().unwrap().clone();
    let search = asked.iter().find(|asked| asked.bare() == "/api/search").unwrap().parameter("q").unwrap();
    assert!(search.contains("name = \"GET-7\"") && search.contains("duration >= 1000000ns"), "{search}");
    let services = ask(&["services", "-o", "csv"]);
    assert_eq!(services.out.lines().collect::<Vec<_>>(), ["service", "pay"], "{}", services.err);
}

/// A trace of one span of two milliseconds, in a field of an answer.
fn tempo_trace(number: u8, start: u64) -> Vec<u8> {
    let span = Sent {
        trace_id: u128::from(number).to_be_bytes().to_vec(),
        span_id: vec![number; 8],
        name: format!("GET-{number}"),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 2_000_000,
        ..Sent::default()
    };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    let trace = TracesData { resource_spans: vec![resource] }.encode_to_vec();
    [&[0x0a, u8::try_from(trace.len()).unwrap()][..], &trace].concat()
}

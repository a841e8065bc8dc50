//! Servers that keep spans: a trace is found there, opened, saved and opened again; one is asked by its name in the program.

use std::sync::LazyLock;

use super::fake::{Asked, Fake, Reply, json, reply};
use super::terminal::Terminal;

/// A fake server on a runtime of its own.
struct Running {
    fake: Fake,
    _runtime: tokio::runtime::Runtime,
}

fn jaeger() -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fake = runtime.block_on(Fake::start(answer));
    Running { fake, _runtime: runtime }
}

/// Three orders of the last minute, of which the second was slow.
fn answer(asked: &Asked) -> Reply {
    let traces = |numbers: &[u64]| {
        let spans: Vec<_> = numbers.iter().map(|number| order(*number)).collect();
        json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, spans.join(",")))
    };
    match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["checkout"]}"#),
        // It takes attributes in a search.
        "/api/v3/trace-summaries" => reply(400, "application/json", r#"{"error":{"message":"times are wanted"}}"#),
        // More than was asked for, as servers do.
        "/api/v3/traces" => traces(&[1, 2, 3]),
        path => match path.strip_prefix("/api/v3/traces/").and_then(|id| u64::from_str_radix(id, 16).ok()) {
            Some(number) => traces(&[number]),
            None => reply(404, "", ""),
        },
    }
}

fn order(number: u64) -> String {
    // A trace does not move, however often it is asked for.
    static NOW: LazyLock<i128> = LazyLock::new(|| jiff::Timestamp::now().as_nanosecond());
    let now = *NOW - i128::from(number) * 10_000_000_000;
    let end = now + if number == 2 { 900_000_000 } else { 20_000_000 };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let span = |id: u64, parent: &str, name: &str, attributes: &str| {
        format!(
            r#"{{"traceId":"{number:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{name}","kind":2,
            "startTimeUnixNano":"{now}","endTimeUnixNano":"{end}","attributes":[{attributes}]}}"#
        )
    };
    let root = span(number * 2, "", &format!("POST /orders/{number}"), &text("tier", "gold"));
    let query = text("db.system.name", "postgresql") + "," + &text("db.query.text", "SELECT price FROM orders");
    let child = span(number * 2 + 1, &format!("{:016x}", number * 2), "SELECT", &query);
    let resource = text("service.name", "checkout");
    format!(r#"{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"spans":[{root},{child}]}}]}}"#)
}

#[test]
fn a_trace_is_found_on_a_server_by_tag_and_duration_opened_saved_and_opened_again() {
    let server = jaeger();
    let url = format!("http://{}", server.fake.address);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("order.jsonl");
    let arguments = ["--grpc", "0", "--http", "0", "--jaeger", &url];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &arguments, &[]);
    terminal.wait_for_text("POST /orders/3");
    // What was assumed is said.
    terminal.wait_for_text("127.0.0.1: 100 traces of the last 1h");
    terminal.type_keys("/tier=gold minDuration=500ms\r");
    terminal.wait_for("the slow one alone", |screen| {
        let text = screen.contents();
        text.contains("POST /orders/2") && !text.contains("POST /orders/1") && !text.contains("POST /orders/3")
    });
    // Both parts went to the server too.
    terminal.wait_for_text("⇡ tier is gold");
    let asked = |name: &str| server.fake.asked.lock().unwrap().iter().rev().find_map(|asked| asked.parameter(name));
    assert_eq!(asked("query.duration_min").as_deref(), Some("500000us"));
    assert_eq!(asked("query.attributes").as_deref(), Some(r#"{"tier":"gold"}"#));
    terminal.type_keys("\r");
    terminal.wait_for_text("SELECT price FROM orders");
    terminal.type_keys("W");
    terminal.wait_for_text("secrets are masked");
    terminal.type_keys("\u{15}");
    terminal.type_keys(saved.to_str().unwrap());
    terminal.type_keys("\r");
    terminal.wait_for_text("saved 1 trace with 2 spans");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
    drop(server);

    let mut again = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &["open", saved.to_str().unwrap()], &[]);
    again.wait_for_text("POST /orders/2");
    again.wait_for_text("1 trace");
    again.type_keys("\r");
    again.wait_for_text("SELECT price FROM orders");
    again.type_keys("q");
    assert_eq!(again.wait_for_end(), 0);
}

#[test]
fn a_server_of_the_settings_file_is_asked_and_left_by_its_name() {
    let server = jaeger();
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("config.toml");
    std::fs::write(&settings, format!("[sources.prod]\njaeger = 'http://{}'\n", server.fake.address)).unwrap();
    let arguments = ["--grpc", "0", "--http", "0", "--config", settings.to_str().unwrap()];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &arguments, &[]);
    terminal.wait_for_text("HTTP");
    assert!(server.fake.paths().is_empty());
    terminal.type_keys("C");
    terminal.wait_for_text("○ Jaeger at 127.0.0.1");
    terminal.type_keys("\r");
    terminal.wait_for_text("POST /orders/1");
    terminal.type_keys("8");
    terminal.wait_for_text("● ok");
    terminal.type_keys("C");
    terminal.wait_for_text("● Jaeger at 127.0.0.1");
    terminal.type_keys("\r");
    terminal.wait_for_text("○ ended");
    // What it gave stays.
    terminal.type_keys("1");
    terminal.wait_for_text("POST /orders/1");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

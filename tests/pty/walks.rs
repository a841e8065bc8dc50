//! The walks of a person that the program is made for, from the bytes that services send to what the screen says.

use std::collections::HashSet;
use std::io::Read as _;

use tracefall::model::{Nanos, Span, Timestamp, Value, lookup};

use super::doors::{again, grpc, http, now, protobuf, stories};
use super::terminal::Terminal;
use super::{grpc_port, http_port, port};

/// Where each story stands among those of the demo.
const SLOW_PATIENT: usize = 0;
const PATIENT: usize = 2;
const ORDER_FAILING: usize = 3;
const PATIENTS: usize = 4;

fn ago(seconds: u64) -> Timestamp {
    Timestamp(now().0 - Nanos::from_secs(seconds).0)
}

/// How many traces have a span with this attribute.
fn traces_with(spans: &[Span], key: &str, value: &str) -> usize {
    let has = |span: &&Span| matches!(lookup(&span.attributes, key), Some(Value::Text(text)) if *text == *value);
    spans.iter().filter(has).map(|span| span.trace_id).collect::<HashSet<_>>().len()
}

fn traces(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.trace_id).collect::<HashSet<_>>().len()
}

/// A key right after Escape would be another key.
fn back_to_the_list(terminal: &mut Terminal, says: &str) {
    terminal.type_keys("\x1b");
    terminal.wait_for_text(says);
}

/// The same request with an index for its slowest call, which takes 15 ms then; all that comes after it comes earlier.
fn faster(spans: &[Span]) -> Vec<Span> {
    let is_slow = |span: &&Span| {
        lookup(&span.attributes, "db.statement").is_some() && span.end.since(span.start).0 > 1_000_000_000
    };
    let slow = spans.iter().find(is_slow).unwrap();
    let (from, gained) = (slow.end, slow.end.since(slow.start).0 - 15_000_000);
    let moved = |at: Timestamp| if at >= from { Timestamp(at.0 - gained) } else { at };
    spans.iter().map(|span| Span { start: moved(span.start), end: moved(span.end), ..span.clone() }).collect()
}

fn end(mut terminal: Terminal) {
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

/// Walk 1: one request takes 2.3 s; it is found, its statement is the first thing read; with an index added, before and after stand
/// side by side.
#[test]
fn the_slow_patient_page_is_found_understood_and_compared_with_what_it_became() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = grpc_port(&mut terminal);
    let told = stories(ago(120));
    let spans: Vec<Span> = told.iter().flat_map(|story| story.spans.clone()).collect();
    grpc(port, &spans);
    terminal.wait_for_text("GET /api/v1/patients/{id}");
    terminal.type_keys("/service=hmis-backend minDuration=2s\r");
    terminal.wait_for_text(&format!("1 of {} traces match", traces(&spans)));
    terminal.type_keys("\r");
    terminal.wait_for_text("79 % is one statement: SELECT patients 1.82 s");
    for line in
        ["auth_middleware", "redis GET", "▲SELECT", "redis SET", "InsuranceService.get_active_p", "serialize_response"]
    {
        terminal.wait_for_text(line);
    }
    // The next slow statement: its detail has it formatted.
    terminal.type_keys("s");
    terminal.wait_for_text("slow: 1.82 s");
    terminal.wait_for("the statement in lines", |screen| {
        let lines: Vec<String> = screen.rows(0, 120).collect();
        let at = lines.iter().position(|line| line.trim_start().starts_with("SELECT *"));
        at.and_then(|at| lines.get(at + 1..at + 3)).is_some_and(|next| {
            next[0].contains("FROM")
                && next[0].contains("patients")
                && next[1].contains("WHERE")
                && next[1].contains("id = $1")
        })
    });
    back_to_the_list(&mut terminal, "traces match");
    terminal.type_keys("/\u{15}\r");
    terminal.wait_for_text("newest first");
    for number in 1..=20 {
        grpc(port, &again(&told[SLOW_PATIENT], number, ago(60)));
    }
    terminal.wait_for_text(&format!("{} traces", traces(&spans) + 20));
    terminal.type_keys("m");
    terminal.wait_for_text("a mark: 6 compares");
    for number in 21..=45 {
        grpc(port, &faster(&again(&told[SLOW_PATIENT], number, now())));
    }
    terminal.wait_for_text(&format!("{} traces", traces(&spans) + 45));
    terminal.type_keys("6");
    terminal.wait_for_text(", with before");
    terminal.wait_for_text("2.31 s → 505 ms");
    terminal.wait_for_text("1.82 s → 15 ms");
    // Of what is selected, all of both sides: percentiles and calls a trace.
    terminal.wait_for_text("25 in 25 · 1 a trace · p50 15 ms  p95 15 ms");
    end(terminal);
}

/// Walk 3: the requests of one tenant; the slow queries; and every statement ranked by the time it costs.
#[test]
fn requests_of_one_tenant_slow_queries_and_what_each_statement_costs() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = grpc_port(&mut terminal);
    let spans: Vec<Span> = stories(ago(60)).into_iter().flat_map(|story| story.spans).collect();
    grpc(port, &spans);
    let of_tenant = traces_with(&spans, "tenant_id", "tenant_demo");
    assert!(of_tenant > 2);
    terminal.wait_for_text("GET /api/v1/patients/{id}");
    terminal.type_keys("/tenant_id=tenant_demo\r");
    terminal.wait_for_text(&format!("{of_tenant} of {} traces match", traces(&spans)));
    terminal.type_keys("/\u{15}operation:SELECT* minDuration=1s\r");
    terminal.wait_for_text("2.31 s");
    terminal.wait_for_text("operation contains SELECT*");
    terminal.type_keys("/\u{15}\r3");
    terminal.wait_for_text("statements · ");
    terminal.wait_for("what costs most, first", |screen| {
        let rows: Vec<String> = screen.rows(0, 120).collect();
        let place = |text: &str| rows.iter().position(|row| row.contains(text));
        let heads = rows.iter().any(|row| ["calls", "total", "p95", "max"].iter().all(|head| row.contains(head)));
        let (first, second) = (place("SELECT * FROM patients WHERE id"), place("SELECT id, title FROM recipes"));
        heads && first.is_some_and(|first| rows[first].contains("1.82 s")) && first < second
    });
    end(terminal);
}

/// Walk 4: a list endpoint that asks for each row by itself says so in the list, in the waterfall and in the verdict.
#[test]
fn a_list_that_asks_for_each_row_by_itself_says_so_everywhere() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = grpc_port(&mut terminal);
    grpc(port, &again(&stories(ago(60))[PATIENTS], 0, ago(10)));
    terminal.wait_for_text("GET /api/v1/patients");
    // In the list.
    terminal.wait_for_text("≡ ×47 SELECT patient_in");
    terminal.type_keys("\r");
    // In the verdict, and as one row of the waterfall with its sum.
    terminal.wait_for_text("the same call ×47: SELECT patient_insurance 113 ms in all");
    terminal.wait_for("one row for 47", |screen| {
        screen.rows(0, 120).any(|row| row.contains("×47") && row.contains("113 ms") && row.contains("▸"))
    });
    // Tab goes to what the verdict says, Enter to the calls themselves.
    terminal.type_keys("\t\r");
    terminal.wait_for("the row unfolded or its first call", |screen| {
        screen.rows(0, 120).filter(|row| row.contains("SELECT * FROM patient_insurance")).count() >= 1
    });
    end(terminal);
}

/// Of walk 5, the heat map: what the mouse draws a box around is the filter, and what arrives later is not in it.
#[test]
fn a_box_drawn_with_the_mouse_on_the_heat_map_becomes_the_filter() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = grpc_port(&mut terminal);
    let told = stories(ago(60));
    for number in 0..10 {
        grpc(port, &again(&told[PATIENT], number, ago(30 - u64::from(number))));
    }
    terminal.wait_for_text("10 traces");
    terminal.type_keys("L");
    terminal.wait_for_text("latency");
    terminal.wait_for_text("100ms");
    // From the upper left to the lower right, as a terminal tells it: pressed, dragged, let go.
    terminal.type_keys("\x1b[<0;12;6M\x1b[<32;60;12M\x1b[<32;119;22M\x1b[<0;119;22m");
    terminal.wait_for_text("10 traces inside");
    terminal.type_keys("\r");
    terminal.wait_for_text("trace began at or after");
    terminal.wait_for_text("10 of 10 traces match");
    // Long before, though it reaches into the box.
    let long: Vec<Span> = again(&told[PATIENT], 11, ago(90));
    let mut last = long.last().unwrap().clone();
    (last.start, last.end) = (ago(25), ago(25));
    grpc(port, &[long, vec![last]].concat());
    terminal.wait_for_text("10 of 11 traces match");
    end(terminal);
}

/// What a browser and Node services recorded: an export a line.
fn recorded(signal: &str) -> Vec<String> {
    let name = format!("recipe-node-browser.{signal}.jsonl.gz");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Walk 6: a page and its services export OTLP/HTTP JSON, the page across origins; its spans and theirs are one trace, with their logs
/// beside them.
#[test]
fn spans_of_a_browser_and_of_servers_are_one_trace_with_logs_beside() {
    const PAGE: &str = "origin: http://localhost:3100";
    const JSON: &str = "content-type: application/json";
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    for export in recorded("traces") {
        let mut headers = vec![JSON];
        if export.contains("\"recipe-web\"") {
            // The browser asks first.
            let asks = [PAGE, "access-control-request-method: POST", "access-control-request-headers: content-type"];
            let answer = http(port, "OPTIONS /v1/traces", &asks, b"").to_lowercase();
            assert!(answer.starts_with("http/1.1 204 "), "{answer}");
            assert!(answer.contains("access-control-allow-origin: http://localhost:3100"), "{answer}");
            headers.push(PAGE);
        }
        let answer = http(port, "POST /v1/traces", &headers, export.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    for export in recorded("logs") {
        let answer = http(port, "POST /v1/logs", &[JSON], export.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    terminal.wait_for_text("263 traces");
    terminal.type_keys("/412372c9a74611f848b11cc7ebedc0c7\r");
    terminal.wait_for_text("1 of 263 traces match");
    terminal.type_keys("\r");
    terminal.wait_for_text("55 spans · 2 services");
    for line in ["action list", "GET localhost:3101/api/recipes", "GET /api/recipes", "≡SELECT name"] {
        terminal.wait_for_text(line);
    }
    back_to_the_list(&mut terminal, "1 of 263 traces match");
    // A request that failed: the log of the span that failed stands in its detail.
    terminal.type_keys("/\u{15}eeabeff7913241bd6031e83f2d0c11b8\r");
    terminal.wait_for_text("eeabeff7913241bd6031e83f2d0c11b8");
    terminal.wait_for_text("1 of 263 traces match");
    terminal.type_keys("\r");
    terminal.wait_for_text("HttpError: no recipe 44");
    terminal.type_keys("G");
    terminal.wait_for_text("middleware - <anonymous> ✗ failed");
    // Below the exception and the attributes.
    while !terminal.text().contains("request failed") {
        let before = terminal.text();
        terminal.type_keys("J");
        terminal.wait_for("the detail to scroll", |screen| screen.contents() != before);
    }
    // MongoDB and Redis stand among the statements with their own commands.
    back_to_the_list(&mut terminal, "1 of 263 traces match");
    terminal.type_keys("/\u{15}\r3");
    terminal.wait_for_text("mongodb");
    terminal.wait_for_text("redis");
    end(terminal);
}

/// Walk 7: the context of a webhook joins the receiver's spans, which a Zipkin sender exports, to the trace of the event; the header
/// itself finds it.
#[test]
fn a_webhook_and_its_receiver_are_one_trace_though_they_export_in_different_formats() {
    let mut terminal = Terminal::tracefall(&["--zipkin", "127.0.0.1:0"]);
    let (otlp, zipkin) = (http_port(&mut terminal), port(&mut terminal, "Zipkin"));
    let story = stories(ago(30)).swap_remove(ORDER_FAILING);
    let service = |span: &Span| match lookup(&span.resource.attributes, "service.name") {
        Some(Value::Text(name)) => name.lossy().into_owned(),
        _ => String::new(),
    };
    let (receiver, pipeline): (Vec<Span>, Vec<Span>) =
        story.spans.into_iter().partition(|span| service(span) == "webhook-receiver");
    assert!(receiver.len() == 2 && pipeline.len() > 5);
    protobuf(otlp, &pipeline);
    let spans: Vec<String> = receiver
        .iter()
        .map(|span| {
            let (start, took) = (span.start.0 / 1_000, span.end.since(span.start).0 / 1_000);
            format!(
                r#"{{"traceId":"{}","id":"{}","parentId":"{}","name":"post /hooks","kind":"SERVER","timestamp":{start},
                "duration":{took},"localEndpoint":{{"serviceName":"webhook-receiver"}},"tags":{{"http.status_code":"503"}}}}"#,
                span.trace_id,
                span.span_id,
                span.parent_id.unwrap()
            )
        })
        .collect();
    let body = format!("[{}]", spans.join(","));
    let answer = http(zipkin, "POST /api/v2/spans", &["content-type: application/json"], body.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    terminal.wait_for_text("process_event order.created");
    let call = receiver[0].parent_id.unwrap();
    terminal.type_keys(&format!("/00-{}-{call}-01\r", receiver[0].trace_id));
    terminal.wait_for_text("1 of 2 traces match");
    terminal.type_keys("\r");
    terminal.wait_for_text("2 services");
    for line in [
        "process_event order.created",
        "evaluate_condition",
        "action webhook",
        "post /hooks",
        "action slack",
        "checkpoint",
    ] {
        terminal.wait_for_text(line);
    }
    // The span that failed first, with type, message and stack trace.
    terminal.type_keys("e");
    terminal.wait_for_text("WebhookError");
    terminal.wait_for_text("webhook answered 503 Service Unavailable");
    end(terminal);
}

/// Walk 9: over a link that stands still for a while everything is taken in all the same, and when it moves again the screen is the
/// present one: no picture of the meantime is sent.
#[test]
fn over_a_slow_link_the_screen_catches_up_without_what_was_missed() {
    let mut terminal = Terminal::over_a_slow_link();
    let port = grpc_port(&mut terminal);
    let told = stories(ago(600));
    grpc(port, &again(&told[PATIENT], 0, ago(400)));
    terminal.wait_for_text("GET /api/v1/patients/{id}");
    terminal.type_keys(" ");
    terminal.wait_for_text("paused");
    terminal.type_keys(" ");
    terminal.wait_for("the list to move again", |screen| !screen.contents().contains("paused"));
    // Nobody reads what the program draws now; each request is answered once its spans are in.
    for number in 1..=200 {
        grpc(port, &again(&told[PATIENTS], number, ago(300 - u64::from(number))));
    }
    let before = terminal.received();
    terminal.type_keys("\r");
    terminal.wait_for_text("the same call ×47: SELECT patient_insurance 113 ms in all");
    let caught_up = terminal.received() - before;
    assert!(caught_up < 100_000, "{caught_up} bytes to catch up");
    // What is copied goes over the link, to the terminal a person sits at.
    terminal.type_keys("yt");
    terminal.wait_for_text("copied: trace id");
    assert_eq!(terminal.copied().unwrap().len(), 32);
    end(terminal);
}

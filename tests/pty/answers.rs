//! The walks of a person through errors and services, in a terminal.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use super::http_port;
use super::terminal::Terminal;

/// A span of a trace as OTLP/JSON. Times are milliseconds from now.
struct Sent<'a> {
    trace: u8,
    id: u8,
    parent: u8,
    service: &'a str,
    name: &'a str,
    kind: u8,
    times: (i64, i64),
    failed: bool,
    attributes: &'a [(&'a str, &'a str)],
    exception: Option<(&'a str, &'a str, &'a str)>,
}

const PLAIN: Sent<'static> = Sent {
    trace: 1,
    id: 1,
    parent: 0,
    service: "task-api",
    name: "GET /tasks",
    kind: 2,
    times: (-1_000, -900),
    failed: false,
    attributes: &[],
    exception: None,
};

#[expect(clippy::disallowed_methods, reason = "what a person filters by is counted from now")]
fn millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

impl Sent<'_> {
    fn json(&self, now: i64) -> String {
        let attribute = |(key, value): &(&str, &str)| {
            let value = serde_json::to_string(value).unwrap();
            format!(r#"{{"key":"{key}","value":{{"stringValue":{value}}}}}"#)
        };
        let attributes: Vec<String> = self.attributes.iter().map(attribute).collect();
        let nanos = |offset: i64| format!("{}000000", now + offset);
        let parent = if self.parent == 0 { String::new() } else { format!("{:016x}", self.parent) };
        let events = self.exception.map_or_else(String::new, |(kind, message, stack)| {
            let told = [("exception.type", kind), ("exception.message", message), ("exception.stacktrace", stack)];
            let told: Vec<String> = told.iter().map(attribute).collect();
            format!(
                r#"{{"name":"exception","timeUnixNano":"{}","attributes":[{}]}}"#,
                nanos(self.times.1),
                told.join(",")
            )
        });
        let status = if self.failed { r#","status":{"code":2}"# } else { "" };
        format!(
            r#"{{"resource":{{"attributes":[{}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}",
            "parentSpanId":"{parent}","name":"{}","kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}",
            "attributes":[{}],"events":[{events}]{status}}}]}}]}}"#,
            attribute(&("service.name", self.service)),
            self.trace,
            self.id,
            self.name,
            self.kind,
            nanos(self.times.0),
            nanos(self.times.1),
            attributes.join(","),
        )
    }
}

fn send(port: u16, spans: &[Sent<'_>]) {
    let now = millis();
    let resources: Vec<String> = spans.iter().map(|span| span.json(now)).collect();
    let body = format!(r#"{{"resourceSpans":[{}]}}"#, resources.join(","));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n").unwrap();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    assert!(status.contains(" 200 "), "{status}");
}

const STACK: &str = "Traceback (most recent call last):\n  File \"/venv/lib/python3.12/site-packages/starlette/routing.py\", line 77, in app\n    await f(request)\n  File \"/srv/hmis/patients.py\", line 41, in get_patient\n    raise NotFoundError(pid)\nhmis.NotFoundError: patient 4711 not found";

/// Walk 2: every error of the last hour; open one; the span that failed first, its type, message and stack, with the
/// business attributes.
#[test]
fn from_every_error_of_the_last_hour_to_the_span_that_failed_first() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    let not_found = |message| Some(("hmis.NotFoundError", message, STACK));
    for (trace, message) in [(1, "patient 4711 not found"), (2, "patient 4712 not found")] {
        let root = Sent { trace, service: "hmis-backend", name: "GET /patients/{id}", failed: true, ..PLAIN };
        let inner = Sent {
            trace,
            id: 2,
            parent: 1,
            service: "hmis-backend",
            name: "PatientService.get_patient",
            kind: 1,
            times: (-990, -910),
            failed: true,
            attributes: &[("patient.id", "4711-of-tenant-demo")],
            exception: not_found(message),
        };
        send(port, &[root, inner, Sent { trace: trace + 2, ..PLAIN }]);
    }
    terminal.wait_for_text("GET /tasks");
    terminal.type_keys("/error=true lookback=1h\r");
    terminal.wait_for_text("2 of 4 traces match");
    terminal.type_keys("4");
    // One error, not four: the roots only passed it on; and one group, though the messages differ.
    terminal.wait_for_text("2 errors in 2 of 2 traces");
    terminal.wait_for_text("patient <number> not found");
    terminal.wait_for_text("passed on by 2 spans");
    terminal.wait_for_text("get_patient  /srv/hmis/patients.py:41");
    terminal.type_keys("\r");
    terminal.wait_for_text("4711-of-tenant-demo");
    terminal.wait_for_text("NotFoundError");
    terminal.type_keys("\x1b");
    terminal.wait_for_text("2 errors in 2 of 2 traces");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

/// Walk 5: success rate, traces a minute, p95 and p99, share of traces that cross services, live; and who calls whom.
#[test]
fn how_the_services_are_doing_and_who_calls_whom_live() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    terminal.type_keys("5");
    terminal.wait_for_text("No traces yet");
    let server = [("server.address", "tasks-db"), ("db.system", "postgresql"), ("db.name", "tasks")];
    for trace in 1..=3 {
        let called = Sent { trace, id: 2, parent: 1, name: "GET", kind: 3, times: (-990, -910), ..PLAIN };
        let worker = Sent {
            trace,
            id: 3,
            parent: 2,
            service: "task-worker",
            name: "POST /run",
            times: (-980, -950),
            failed: trace == 3,
            ..PLAIN
        };
        let query = Sent {
            trace,
            id: 4,
            parent: 3,
            service: "task-worker",
            name: "SELECT tasks",
            kind: 3,
            times: (-975, -970),
            attributes: &server,
            ..PLAIN
        };
        send(port, &[Sent { trace, failed: trace == 3, ..PLAIN }, called, worker, query]);
    }
    send(port, &[Sent { trace: 9, times: (-3_000, -2_700), ..PLAIN }]);
    terminal.wait_for_text("75 % of 4 traces succeed");
    terminal.wait_for_text("75 % cross services");
    terminal.wait_for_text("p99");
    // The slowest of four took 300 ms, and that is p95 and p99.
    terminal.wait_for_text("300 ms");
    // 80 ms at the client, 30 ms at the server.
    terminal.wait_for_text("50 ms · 50 ms");
    terminal.type_keys("M");
    terminal.wait_for_text("postgresql tasks  database");
    terminal.type_keys("M\r");
    terminal.wait_for_text("service is task-api");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

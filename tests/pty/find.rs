//! Filters on the way into a trace and back, and commands that a person ends with Ctrl-C.

use regex::Regex;
use tracefall::model::{Nanos, Span, Timestamp};

use super::doors::{grpc, now, stories};
use super::terminal::Terminal;
use super::{grpc_port, send};

#[test]
fn in_a_trace_what_does_not_match_is_hidden_and_an_attribute_is_left_out() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = grpc_port(&mut terminal);
    let told = stories(Timestamp(now().0 - Nanos::from_secs(120).0));
    let spans: Vec<Span> = told.iter().flat_map(|story| story.spans.clone()).collect();
    grpc(port, &spans);
    terminal.wait_for_text("GET /api/v1/patients/{id}");
    terminal.type_keys("/db.system.name=postgresql minDuration=1500ms\r");
    terminal.wait_for_text("1 of ");
    terminal.type_keys("\r");
    terminal.wait_for_text("H hides the rest");
    terminal.wait_for_text("auth_middleware");
    terminal.type_keys("H");
    terminal.wait_for("what matches, and those above it", |screen| {
        let text = screen.contents();
        text.contains("only matches") && text.contains("SELECT") && !text.contains("auth_middleware")
    });
    terminal.wait_for_text("H shows the rest");
    terminal.type_keys("H");
    terminal.wait_for_text("auth_middleware");
    terminal.type_keys("d");
    terminal.wait_for_text("exclude");
    terminal.type_keys("-");
    terminal.wait_for_text("2 goes back to the trace");
    terminal.wait_for("the filter without the statement", |screen| {
        let text = screen.contents();
        text.contains("-db.statement=\"SELECT") && text.contains("0 of ")
    });
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

/// What they say before they are interrupted, and their exit codes: 0 where something was found, 1 where nothing was.
#[test]
fn ctrl_c_ends_commands_with_what_they_found() {
    let doors = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let port = Regex::new(r"OTLP/HTTP 127\.0\.0\.1:(\d+)").unwrap();
    for (command, arrives, code, says) in [
        (&["tail", "minDuration=1s"][..], true, 0, "GET /patients/1"),
        (&["tail", "error=true"], false, 1, "listening here"),
        (&["query", "minDuration=1s", "--for", "1h"], true, 0, "GET /patients/1"),
        (&["query", "error=true", "--for", "1h"], true, 1, "listening"),
        (&["services", "--for", "1h"], true, 0, "clinic"),
        (&["assert", "--none", "minDuration=1s", "--for", "1h"], true, 1, "GET /patients/1"),
    ] {
        let arguments = [command, &doors[..]].concat();
        let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &arguments, &[]);
        terminal.wait_for("its doors", |screen| port.is_match(&screen.contents()));
        let port = port.captures(&terminal.text()).unwrap()[1].parse().unwrap();
        if arrives {
            send(port, 1);
        }
        if command[0] == "tail" {
            terminal.wait_for_text(says);
        }
        terminal.type_keys("\u{3}");
        assert_eq!(terminal.wait_for_end(), code, "{command:?}: {}", terminal.text());
        assert!(terminal.text().contains(says), "{command:?}: {}", terminal.text());
        assert!(!terminal.text().contains("panicked"), "{command:?}: {}", terminal.text());
    }
}

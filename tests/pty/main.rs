//! The program in a real terminal: what a person sees, and what is left of the terminal afterwards.

#![cfg(unix)]

#[cfg(test)]
mod answers;
#[cfg(test)]
mod doors;
#[cfg(test)]
#[path = "../remote/fake.rs"]
#[expect(dead_code, reason = "bad days are the business of other tests")]
mod fake;
#[cfg(test)]
mod files;
#[cfg(test)]
mod find;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod walks;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::{env, thread};

use regex::Regex;
use terminal::Terminal;

/// Set for the process that [`the_program_that_breaks`] plays.
const BREAK: &str = "TRACEFALL_TEST_BREAK";

/// Not a test by itself: the next test runs it in a terminal of its own, as a program whose thread panics.
#[test]
#[ignore = "ends the process; run by a_panic_of_any_thread_restores_the_terminal"]
fn the_program_that_breaks() {
    let guard = tracefall::terminal::Guard::enter().unwrap();
    tracefall::terminal::install_panic_hook(Some("/var/log/of-the-test".into()), || false);
    assert_ne!(env::var(BREAK).unwrap(), "main", "on purpose");
    let broken = thread::Builder::new().name("worker".to_owned()).spawn(|| panic!("on purpose")).unwrap();
    let _ = broken.join();
    drop(guard);
}

#[test]
fn a_panic_of_any_thread_restores_the_terminal() {
    let program = env::current_exe().unwrap();
    for thread in ["main", "worker"] {
        let arguments = ["--exact", "the_program_that_breaks", "--ignored", "--nocapture"];
        let mut terminal = Terminal::start(program.to_str().unwrap(), &arguments, &[(BREAK, thread)]);
        assert_eq!(terminal.wait_for_end(), 101, "{thread}: {}", terminal.text());
        terminal.assert_restored();
        let text = terminal.text();
        assert!(text.contains("on purpose"), "{thread}: {text}");
        assert!(text.contains("/var/log/of-the-test"), "{thread}: {text}");
    }
}

/// The port of OTLP/HTTP, as the first screen says it.
#[cfg(test)]
fn http_port(terminal: &mut Terminal) -> u16 {
    port(terminal, "HTTP")
}

/// The port of OTLP/gRPC, likewise.
#[cfg(test)]
fn grpc_port(terminal: &mut Terminal) -> u16 {
    port(terminal, "gRPC")
}

#[cfg(test)]
fn port(terminal: &mut Terminal, protocol: &str) -> u16 {
    let port = Regex::new(&format!(r"{protocol}\s+(\d{{2,5}})")).unwrap();
    terminal.wait_for("the ports", |screen| port.is_match(&screen.contents()));
    port.captures(&terminal.text()).unwrap()[1].parse().unwrap()
}

/// Sends a request of 2 s with a SELECT of 1.82 s in it, `number` of the day.
#[cfg(test)]
fn send(port: u16, number: u8) {
    let span = |id: u8, parent: &str, name: &str, kind: u8, end: u64, attributes: &str| {
        format!(
            r#"{{"traceId":"{number:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{name}","kind":{kind},
            "startTimeUnixNano":"1763700000000000000","endTimeUnixNano":"{end}","attributes":[{attributes}]}}"#
        )
    };
    let attribute = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let statement =
        [attribute("db.system.name", "postgresql"), attribute("db.query.text", "SELECT name FROM patients")].join(",");
    let root = span(1, "", &format!("GET /patients/{number}"), 2, 1_763_700_002_000_000_000, "");
    let query = span(2, &format!("{:016x}", 1), "SELECT", 3, 1_763_700_001_820_000_000, &statement);
    let resource = attribute("service.name", "clinic");
    let body = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"spans":[{root},{query}]}}]}}]}}"#
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n").unwrap();
    write!(stream, "Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    assert!(status.contains(" 200 "), "{status}");
}

/// Nothing answers this terminal's program: asking the terminal for anything before the first frame would fail here, as it
/// does over a slow line.
#[test]
fn the_first_screen_names_the_ports_and_q_quits() {
    let mut terminal = Terminal::tracefall(&[]);
    assert_ne!(http_port(&mut terminal), 0);
    terminal.wait_for("the alternate screen", vt100::Screen::alternate_screen);
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

#[test]
fn a_trace_appears_opens_and_shows_its_statement() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    send(port, 1);
    terminal.wait_for_text("/patients/1");
    send(port, 2);
    terminal.wait_for_text("/patients/2");
    terminal.type_keys("\r");
    terminal.wait_for_text("SELECT name FROM patients");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

#[test]
fn statements_are_ranked_and_lead_to_the_span_of_a_call() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    send(port, 1);
    send(port, 2);
    terminal.wait_for_text("/patients/2");
    terminal.type_keys("3");
    terminal.wait_for_text("1 statement · 2 calls · 3.64 s in total");
    terminal.wait_for_text("in GET /patients/1 1 trace, 1 more");
    terminal.type_keys("\r");
    terminal.wait_for_text("its 2 calls");
    terminal.type_keys("\r");
    terminal.wait_for_text("1.82 s slowest of 2");
    terminal.type_keys("b");
    terminal.wait_for_text("calls of this statement by clinic");
    terminal.type_keys("\x1b");
    terminal.wait_for_text("its 2 calls");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

#[test]
fn what_is_on_screen_can_be_asked_for_from_another_terminal() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    send(port, 1);
    terminal.wait_for_text("/patients/1");
    let ask = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tracefall"));
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, terminal.home());
        }
        let output = command.args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, found) = ask(&["query", "minDuration=1s -operation:nothing", "-o", "jsonl"]);
    assert!(code == Some(0) && found.lines().count() == 1 && found.contains("\"matched\":2"), "{found}");
    assert_eq!(ask(&["services", "-o", "csv"]).1, "service,spans,traces,errors\nclinic,2,1,0\n");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    let left = std::fs::read_dir(terminal.home().join("tracefall")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".sock")), "its socket is gone with it");
}

/// The Go recording has names with escape sequences in them.
#[test]
fn answer_in_a_terminal_has_colours_and_nothing_of_the_data_acts_on_it() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gateway-go.traces.pb.gz");
    let red = |screen: &vt100::Screen| {
        let cells = (0..36).flat_map(|row| (0..120).filter_map(move |column| screen.cell(row, column)));
        cells.filter(|cell| cell.fgcolor() == vt100::Color::Idx(9)).count()
    };
    for (form, variables, coloured) in
        [("table", &[][..], true), ("table", &[("NO_COLOR", "1")], false), ("csv", &[], false)]
    {
        let arguments = ["query", "error=true", file, "--limit", "5", "-o", form];
        let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &arguments, variables);
        assert_eq!(terminal.wait_for_end(), 0);
        assert!(terminal.text().contains("gateway-http"), "{}", terminal.text());
        assert_eq!(red(terminal.screen()) > 0, coloured, "{form}: {}", terminal.text());
    }
    let every = ["operations", file, "-o", "csv"];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &every, &[]);
    assert_eq!(terminal.wait_for_end(), 0);
    assert_eq!(terminal.escapes(), 0, "{}", terminal.text());
}

#[test]
fn history_and_saved_filters_survive_a_restart() {
    let mut first = Terminal::tracefall(&[]);
    http_port(&mut first);
    first.type_keys("/service=clinic\r");
    first.type_keys("/");
    first.wait_for_text("service=clinic");
    first.type_keys("\u{15}minDuration=7ms\u{13}");
    first.wait_for_text("minDuration=7ms");
    first.type_keys("mine\r");
    first.wait_for_text("saved");
    first.type_keys("\u{3}");
    assert_eq!(first.wait_for_end(), 0);
    let mut second = Terminal::tracefall_at(first.home());
    http_port(&mut second);
    second.type_keys("/\u{12}");
    second.wait_for("both", |screen| {
        let text = screen.contents();
        text.contains("mine") && text.contains("minDuration=7ms") && text.contains("service=clinic")
    });
    second.type_keys("mine\r\r");
    second.wait_for("the saved filter", |screen| {
        let text = screen.contents();
        text.contains("/ minDuration=7ms") && text.contains("the filter is applied as they arrive")
    });
    second.type_keys("q");
    assert_eq!(second.wait_for_end(), 0);
    second.assert_restored();
}

#[test]
fn q_types_in_the_filter_and_ctrl_c_quits_from_it() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    send(port, 1);
    terminal.wait_for_text("/patients/1");
    terminal.type_keys("/quiquaq");
    terminal.wait_for_text("quiquaq");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

#[test]
fn a_resized_window_is_filled_again() {
    let mut terminal = Terminal::tracefall(&[]);
    let port = http_port(&mut terminal);
    send(port, 1);
    terminal.wait_for_text("/patients/1");
    for (columns, rows) in [(80, 24), (200, 60), (40, 10), (120, 36)] {
        terminal.resize(columns, rows);
        let last = usize::from(rows) - 1;
        terminal.wait_for("a footer in the last row", |screen| {
            screen.rows(0, columns).nth(last).is_some_and(|row| row.contains("quit") || row.contains("help"))
        });
        // The narrowest cuts the path, not the service.
        terminal.wait_for_text("clinic");
    }
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn a_signal_ends_it_and_restores_the_terminal() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 0)] {
        let mut terminal = Terminal::tracefall(&[]);
        let port = http_port(&mut terminal);
        // A sender that stays connected must not hold it up.
        let idle = TcpStream::connect(("127.0.0.1", port)).unwrap();
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_end(), code, "{signal}");
        terminal.assert_restored();
        drop(idle);
    }
}

#[test]
fn a_taken_port_is_named_and_had_once_it_is_free() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let flags = ["--grpc", "127.0.0.1:0", "--http", &address.to_string()];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &flags, &[]);
    let port = address.port().to_string();
    terminal.wait_for("the port that is taken", |screen| {
        let text = screen.contents();
        text.contains(&port) && (text.contains("taken") || text.contains("busy") || text.contains("in use"))
    });
    drop(holder);
    terminal.wait_for("the port to be had", |screen| {
        let text = screen.contents();
        text.contains(&port) && !(text.contains("taken") || text.contains("busy") || text.contains("in use"))
    });
    send(address.port(), 1);
    terminal.wait_for_text("/patients/1");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

/// Every line of the log fails to be written here, as on a disk that is full.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_the_log_disturbs_nothing() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("tracefall");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.join("tracefall.log")).unwrap();
    let flags = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let variables = [("XDG_STATE_HOME", state.path().to_str().unwrap()), ("TRACEFALL_LOG", "trace")];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &flags, &variables);
    let port = http_port(&mut terminal);
    // What is refused by the index is worth a line in the log.
    for _ in 0..50 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n").unwrap();
        write!(stream, "Content-Length: 3\r\n\r\nabc").unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert!(status.contains(" 400 "), "{status}");
    }
    send(port, 1);
    terminal.wait_for_text("/patients/1");
    assert!(!terminal.text().contains("No space"), "{}", terminal.text());
    assert_eq!(std::fs::read_link(folder.join("tracefall.log")).unwrap(), std::path::Path::new("/dev/full"));
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

//! Files: opened, saved from the screen, and opened again.

use super::terminal::Terminal;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hmis-python-grpc.otlp.pb");

#[test]
fn a_file_is_opened_a_trace_saved_and_what_was_saved_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("one.jsonl");
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &["open", RECORDING], &[]);
    terminal.wait_for_text("hmis-backend");
    // No door is open: the header names no port.
    assert!(!terminal.text().contains("4317"), "{}", terminal.text());
    terminal.type_keys("8");
    terminal.wait_for_text("1,187");
    terminal.wait_for_text("● read");
    terminal.type_keys("1/minDuration=500ms\r");
    terminal.wait_for("the slow one", |screen| screen.contents().contains("1 of 50 traces"));
    terminal.type_keys("\r");
    terminal.wait_for_text("SELECT");
    terminal.type_keys("W");
    terminal.wait_for_text("secrets are masked");
    // Its own name instead of the one that is proposed.
    terminal.type_keys("\u{15}");
    terminal.type_keys(saved.to_str().unwrap());
    terminal.type_keys("\r");
    terminal.wait_for_text("saved 1 trace with");
    assert!(saved.exists());
    // Nothing is written over what is there.
    let before = std::fs::read(&saved).unwrap();
    terminal.type_keys("W\u{15}");
    terminal.type_keys(saved.to_str().unwrap());
    terminal.type_keys("\r");
    terminal.wait_for_text("is there already");
    assert_eq!(std::fs::read(&saved).unwrap(), before);
    terminal.type_keys("\u{1b}");
    terminal.wait_for("the dialog to be gone", |screen| !screen.contents().contains("is there already"));
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();

    let mut again = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &["open", saved.to_str().unwrap()], &[]);
    again.wait_for_text("hmis-backend");
    again.wait_for_text("1 trace");
    again.type_keys("\r");
    again.wait_for_text("SELECT");
    again.type_keys("q");
    assert_eq!(again.wait_for_end(), 0);
}

#[test]
fn a_followed_file_is_read_on_and_a_broken_line_is_told_of() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.jsonl");
    let line = |id: u32, name: &str| {
        let times = r#""startTimeUnixNano":"1763700000000000000","endTimeUnixNano":"1763700000100000000""#;
        let span = format!(r#"{{"traceId":"{id:032x}","spanId":"{id:016x}","name":"{name}",{times}}}"#);
        format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{span}]}}]}}]}}\n")
    };
    std::fs::write(&path, line(1, "first-one")).unwrap();
    let arguments = ["open", "-f", path.to_str().unwrap()];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tracefall"), &arguments, &[]);
    terminal.wait_for_text("first-one");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let second = line(2, "second-one");
    let (half, rest) = second.split_at(40);
    // A line that is not whole yet is no broken line.
    file.write_all(half.as_bytes()).unwrap();
    file.flush().unwrap();
    file.write_all(format!("{rest}{{\"resourceSpans\": [\n").as_bytes()).unwrap();
    terminal.wait_for_text("second-one");
    terminal.wait_for_text("broken lines: see 8");
    terminal.type_keys("8");
    terminal.wait_for_text("line 3: ");
    terminal.wait_for_text("● followed");
    // Another takes its place, as logs are rotated.
    std::fs::rename(&path, folder.path().join("growing.jsonl.1")).unwrap();
    std::fs::write(&path, line(3, "third-one")).unwrap();
    terminal.type_keys("1");
    terminal.wait_for_text("third-one");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_restored();
}

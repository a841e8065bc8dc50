//! What traces have to say, out of files and out of a running program.

use serde_json::Value;

use super::rig::Home;

const PYTHON: &str = "hmis-python-grpc.otlp.pb";

fn recording(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn report(home: &Home, arguments: &[&str]) -> Value {
    let said = home.run(arguments);
    assert_eq!(said.code, Some(0), "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn report_of_a_recording_names_findings_statements_errors_and_services() {
    let home = Home::new();
    let told = report(&home, &["report", "-o", "json", &recording(PYTHON)]);
    let list = |of: &str| told[of].as_array().unwrap().clone();
    let has = |of: &str, key: &str, text: &str| list(of).iter().any(|one| one[key].as_str().unwrap().contains(text));
    assert!(told["traces"].as_u64().unwrap() > 0 && told["spans"].as_u64().unwrap() > told["traces"].as_u64().unwrap());
    assert!(has("findings", "rule", "nplus1") && has("findings", "rule", "slow-sql"), "{:#}", told["findings"]);
    assert!(has("statements", "statement", "patients"), "{:#}", told["statements"]);
    assert!(has("errors", "type", "Error"), "{:#}", told["errors"]);
    assert!(has("services", "service", "hmis-backend"), "{:#}", told["services"]);
    // What is said of the whole adds up.
    for statement in list("statements") {
        let number = |key: &str| statement[key].as_u64().unwrap();
        assert!(number("p50_ns") <= number("p95_ns") && number("p95_ns") <= number("max_ns"), "{statement:#}");
        assert!(number("max_ns") <= number("total_ns") && number("traces") <= number("calls"), "{statement:#}");
    }
    let finding = &list("findings")[0];
    let example = &finding["examples"][0];
    assert_eq!(example["trace_id"].as_str().unwrap().len(), 32);
    assert!(finding["spans"].as_u64().unwrap() >= finding["traces"].as_u64().unwrap(), "{finding:#}");
}

#[test]
fn filter_and_limit_narrow_the_report() {
    let home = Home::new();
    let file = recording(PYTHON);
    let all = report(&home, &["report", "-o", "json", &file]);
    let failed = report(&home, &["report", "error=true", "-o", "json", "--limit", "1", &file]);
    assert!(failed["traces"].as_u64().unwrap() < all["traces"].as_u64().unwrap());
    for list in ["findings", "statements", "errors", "services"] {
        assert!(failed[list].as_array().unwrap().len() <= 1, "{list}");
    }
}

#[test]
fn report_for_a_ticket_has_its_four_parts_and_nothing_secret() {
    let home = Home::new();
    let said = home.run(&["report", &recording(PYTHON)]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for head in ["## Findings", "## Statements", "## Errors", "## Services"] {
        assert!(said.out.contains(head), "{}", said.out);
    }
    assert!(!said.out.to_lowercase().contains("hunter2"), "{}", said.out);
}

#[test]
fn running_program_reports_too_and_where_there_is_no_trace_the_code_says_so() {
    let home = Home::new();
    let none = home.run(&["report", "service=nobody", &recording(PYTHON)]);
    assert_eq!((none.code, none.err.as_str()), (Some(1), ""));
    assert_eq!(home.run(&["report", "service=", "-o", "json"]).code, Some(2));
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..4);
    home.wait_until_held(3);
    let told = report(&home, &["report", "-o", "json"]);
    assert_eq!(told["traces"], 3);
    assert!(!told["services"].as_array().unwrap().is_empty(), "{told:#}");
}

//! `assert`, as CI uses it.

use super::rig::{Home, traces};

#[test]
fn what_holds_ends_with_0_and_what_does_not_with_1_and_its_traces() {
    let home = Home::new();
    // Traces 1 to 20 take 1 to 20 ms; 10 and 20 failed.
    let file = home.file("traces", traces(1..21).to_string());
    let cases: [(&[&str], i32, &[&str]); 11] = [
        (&["service=shop"], 0, &[]),
        (&["-error=true"], 1, &["GET /20", "GET /10"]),
        (&["service=shop", "minDuration=2ms"], 1, &["GET /1"]),
        (&["--none", "service=other"], 0, &[]),
        (&["--none", "error=true"], 1, &["GET /20", "GET /10"]),
        (&["--none", "minDuration=19ms", "--limit", "1"], 1, &["GET /20"]),
        (&["--max-p95", "service=shop=19ms"], 0, &[]),
        (&["--max-p95", "service=shop=18ms"], 1, &["GET /20", "GET /19"]),
        (&["--max-p50", "service=shop=10ms", "--max-p99", "service=shop=20ms"], 0, &[]),
        (&["--max-p95", "=18ms"], 1, &["GET /20", "GET /19"]),
        // Of nothing there is no percentile: a slip in a filter must not hold for ever.
        (&["--max-p95", "service=shpo=1s"], 1, &[]),
    ];
    for (assertions, code, offenders) in cases {
        let said = home.run(&[&["assert"], assertions, &["--file", &file, "-o", "jsonl"]].concat());
        assert_eq!(said.code, Some(code), "{assertions:?}: {}", said.err);
        assert_eq!(said.field("root_operation"), offenders, "{assertions:?}");
        assert!(said.field("assertion").iter().all(serde_json::Value::is_string), "{assertions:?}");
        assert_eq!(said.err.contains("FAILS"), code == 1, "{}", said.err);
    }
}

#[test]
fn each_assertion_is_judged_and_said_with_its_reason() {
    let home = Home::new();
    let file = home.file("traces", traces(1..21).to_string());
    let arguments = ["assert", "minDuration=5ms", "--none", "error=true", "--max-p95", "service=shop=1s"];
    let said = home.run(&[&arguments[..], &["--file", &file, "-o", "csv"]].concat());
    insta::assert_snapshot!("assert-stderr", said.err);
    insta::assert_snapshot!("assert-csv", said.out);
}

#[test]
fn what_cannot_be_judged_ends_with_2() {
    let home = Home::new();
    let file = home.file("traces", traces(1..3).to_string());
    let empty = home.file("empty", "");
    let cases: [(&[&str], &str); 6] = [
        (&["--file", &file], "required"),
        (&["--none", "error=true", "--file", &empty], "no trace to check"),
        (&["--none", "error=true", &file], "--file"),
        (&["--none", "a=", "--file", &file], "column 3"),
        (&["--max-p95", "service=shop", "--file", &file], "200ms"),
        (&["--none", "error=true"], "no tracefall runs"),
    ];
    for (assertions, why) in cases {
        let said = home.run(&[&["assert"], assertions].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{assertions:?}");
        assert!(said.err.contains(why), "{assertions:?}: {}", said.err);
    }
}

#[test]
fn a_running_program_is_judged_over_its_socket() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..21);
    home.wait_until_held(20);
    assert_eq!(home.run(&["assert", "service=shop"]).code, Some(0));
    let said = home.run(&["assert", "--none", "error=true", "-o", "jsonl"]);
    assert_eq!((said.code, said.objects().len()), (Some(1), 2), "{}", said.err);
}

/// The list endpoint of the Python recording runs 1 + 47 queries; other traces run few, or none.
#[test]
fn pipeline_is_asked_of_the_traces_that_have_its_spans() {
    let home = Home::new();
    let recording = "hmis-python-grpc.otlp.pb";
    let few = |most: u32| format!("{{ span.db.query.text != nil }} | count() < {most}");
    let check = |assertion: &str, file: &str| home.run(&["assert", assertion, "--file", file, "-o", "jsonl"]);
    let said = check(&few(40), recording);
    assert_eq!((said.code, said.objects().len()), (Some(1), 1), "{}", said.err);
    assert!(said.objects()[0]["spans"].as_u64().unwrap() > 47, "{}", said.out);
    assert_eq!(check(&few(100), recording).code, Some(0));
    let without = home.file("traces", traces(1..3).to_string());
    let said = check(&few(1), &without);
    assert_eq!((said.code, said.err.contains("no trace has such spans")), (Some(0), true), "{}", said.err);
}

/// The list endpoint of the Python recording runs 1 + 47 queries; all its traces but a few have a slow statement.
#[test]
fn findings_that_must_not_be_are_told_with_their_reasons() {
    let home = Home::new();
    let recording = "hmis-python-grpc.otlp.pb";
    let check = |what: &str| home.run(&["assert", "--no-finding", what, "--file", recording, "-o", "jsonl"]);
    let said = check("nplus1");
    assert_eq!((said.code, said.objects().len()), (Some(1), 1), "{}", said.err);
    let why = said.objects()[0]["why"].as_str().unwrap().to_owned();
    assert!(why.starts_with("47 times SELECT patient_insurance") && said.err.contains(&why), "{why}\n{}", said.err);
    let cases = [
        ("dup,retry,serial", 0, 0),
        ("slow-sql", 1, 40),
        ("nplus1,slow-sql", 1, 41),
        ("nplus1=service=hmis-insurance", 0, 0),
        // A slip in a filter must not hold for ever.
        ("nplus1=service=nobody", 1, 0),
    ];
    for (what, code, offenders) in cases {
        let said = check(what);
        assert_eq!((said.code, said.objects().len()), (Some(code), offenders), "{what}: {}", said.err);
    }
    let unknown = check("n+1");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("nplus1-scatter"), "{}", unknown.err);
}

#[test]
fn running_program_judges_findings_by_its_own_thresholds() {
    let home = Home::new();
    let settings = home.file("settings.toml", "[thresholds]\noutlive = '1h'\n");
    let listening = home.listen(&["listen", "--config", &settings]);
    listening.post_traces(1..3);
    home.wait_until_held(2);
    assert_eq!(home.run(&["assert", "--no-finding", "nplus1,outlive"]).code, Some(0));
    let wrong = home.file("wrong.toml", "[thresholds]\ngap = 'long'\n");
    let said = home.run(&["assert", "--no-finding", "gap", "--config", &wrong, "--file", "hmis-python-grpc.otlp.pb"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("line 2, key thresholds.gap") && said.err.contains("100ms"), "{}", said.err);
    let unknown = home.file("unknown.toml", "[thresholds]\ngpa = '1s'\n");
    let said = home.run(&["assert", "--no-finding", "gap", "--config", &unknown, "--file", "hmis-python-grpc.otlp.pb"]);
    assert!(said.code == Some(2) && said.err.contains("slow_sql_floor"), "{}", said.err);
}

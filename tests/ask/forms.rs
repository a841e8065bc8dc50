//! The forms of an answer. Their snapshots are a promise to scripts.

use super::rig::{Home, traces};

const FILE: &str = "billing-java.traces.pb.gz";

#[test]
fn every_form_of_every_answer() {
    let home = Home::new();
    let answers: [(&str, &[&str]); 5] = [
        ("query", &["query", "http.request.method=POST", FILE]),
        ("services", &["services", FILE]),
        ("operations", &["operations", FILE]),
        ("attributes", &["attributes", "--file", FILE]),
        ("values", &["attributes", "db.statement", "--file", FILE]),
    ];
    for (name, arguments) in answers {
        for form in ["table", "json", "jsonl", "csv"] {
            let said = home.run(&[arguments, &["--limit", "3", "-o", form]].concat());
            let told = name == "values" && said.err.ends_with(" more values are in use\n");
            assert!(said.code == Some(0) && (said.err.is_empty() || told), "{name} {form}: {}", said.err);
            insta::assert_snapshot!(format!("{name}-{form}"), said.out);
        }
    }
}

#[test]
fn where_nothing_is_found_only_json_says_so() {
    let home = Home::new();
    for (form, expected) in [("table", ""), ("json", "[]\n"), ("jsonl", ""), ("csv", "")] {
        let said = home.run(&["query", "no.such.key=1", FILE, "-o", form]);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(1), expected, ""), "{form}");
    }
}

#[test]
fn json_and_its_lines_say_the_same() {
    let home = Home::new();
    let lines = home.run(&["query", "error=true", "gateway-go.traces.pb.gz", "-o", "jsonl"]);
    let array = home.run(&["query", "error=true", "gateway-go.traces.pb.gz", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&array.out).unwrap(), lines.objects());
}

/// The Go recording has names with escape sequences, line ends, and text that turns the reading direction.
#[test]
fn hostile_text_reaches_a_reader_only_as_text() {
    let home = Home::new();
    let asked: [&[&str]; 4] = [
        &["query", "", "gateway-go.traces.pb.gz"],
        &["services", "gateway-go.traces.pb.gz"],
        &["operations", "gateway-go.traces.pb.gz"],
        &["attributes", "--file", "gateway-go.traces.pb.gz"],
    ];
    for arguments in asked {
        for form in ["table", "json", "jsonl"] {
            let said = home.run(&[arguments, &["-o", form]].concat());
            let odd = said.out.chars().find(|letter| {
                letter.is_control() && *letter != '\n'
                    || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert_eq!((said.code, odd), (Some(0), None), "{arguments:?} {form}");
        }
    }
    let mut body = traces(1..2);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] = "a\u{1b}]0;b\u{7}\r\n\u{9b}2J,\"c\"\u{202e}".into();
    let file = home.file("hostile", body.to_string());
    let table = home.run(&["query", "", &file]);
    assert!(table.out.contains("a␛]0;b␇␍␊‹009B›2J,\"c\"‹202E›"), "{}", table.out);
    let json = home.run(&["query", "", &file, "-o", "jsonl"]);
    assert_eq!(json.field("root_operation"), ["a\u{1b}]0;b\u{7}\r\n\u{9b}2J,\"c\"\u{202e}"]);
}

#[test]
fn secrets_are_masked_in_every_form() {
    let home = Home::new();
    let mut body = traces(1..2);
    let span = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    span["name"] = "login password=hunter2".into();
    span["attributes"] = serde_json::json!([{"key": "user.password", "value": {"stringValue": "hunter2"}}]);
    let file = home.file("secret", body.to_string());
    for form in ["table", "json", "jsonl", "csv"] {
        for arguments in
            [&["query", "", &file][..], &["operations", &file], &["attributes", "user.password", "--file", &file]]
        {
            let said = home.run(&[arguments, &["-o", form]].concat());
            assert!(said.code == Some(0) && !said.out.contains("hunter2"), "{arguments:?}: {}", said.out);
        }
    }
}

#[test]
fn what_cannot_be_listed_under_a_key_is_said() {
    let home = Home::new();
    let mut body = traces(1..5);
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap();
    for (number, span) in spans.iter_mut().enumerate() {
        let ratio = if number == 0 { 1.5 } else { 0.25 };
        let list = serde_json::json!({"arrayValue": {"values": [{"stringValue": "x"}]}});
        span["attributes"] =
            serde_json::json!([{"key": "ratio", "value": {"doubleValue": ratio}}, {"key": "list", "value": list}]);
        let event = serde_json::json!([{"key": "exception.type", "value": {"stringValue": "Lost"}}]);
        span["events"] =
            serde_json::json!([{"name": "exception", "attributes": event}, {"name": "exception", "attributes": event}]);
    }
    let file = home.file("values", body.to_string());
    let ask = |key: &str, limit: &str| {
        let said = home.run(&["attributes", key, "--file", &file, "-o", "csv", "--limit", limit]);
        (said.code, said.out, said.err)
    };
    assert_eq!(ask("ratio", "9"), (Some(0), "value,spans\n0.25,3\n1.5,1\n".into(), String::new()));
    let (code, out, err) = ask("ratio", "1");
    assert_eq!((code, out.as_str()), (Some(0), "value,spans\n0.25,3\n"));
    assert!(err.contains("1 more values"), "{err}");
    assert_eq!(ask("exception.type", "9"), (Some(0), "value,spans\nLost,4\n".into(), String::new()));
    let (code, out, err) = ask("list", "9");
    assert!(code == Some(1) && out.is_empty() && err.contains("4 times it is a list"), "{err}");
    let said = home.run(&["attributes", &file, "-o", "csv"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "attribute,spans\nlist,4\nratio,4\nservice.name,4\n"));
    for command in ["query", "attributes"] {
        let said = home.run(&[command, &file, "--for", "1s"]);
        assert!(said.code == Some(2) && said.err.contains("neither --for nor --pid"), "{}", said.err);
    }
    let said = home.run(&["attributes", "ratio", &file, "-o", "csv", "--limit", "1"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "value,spans\n0.25,3\n"));
}

/// Such a filter is none, and its fault is told as one: it is no unknown option.
#[test]
fn what_stands_behind_two_hyphens_is_a_filter() {
    let said = Home::new().run(&["query", "-o", "csv", "--", "--x"]);
    assert!(said.code == Some(2) && said.err.contains("  --x\n"), "{}", said.err);
}

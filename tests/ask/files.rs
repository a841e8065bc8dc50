//! Spans out of files, whole and broken.

use std::io::Write as _;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::rig::{Home, traces};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn framed(bodies: &[Vec<u8>]) -> Vec<u8> {
    let frame = |body: &Vec<u8>| [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat();
    bodies.iter().flat_map(frame).collect()
}

/// The figures are those that the fixtures' README gives.
#[test]
fn recordings_of_every_form_are_recognised_by_what_is_in_them() {
    let files = [
        ("hmis-python-grpc.otlp.pb", 50, 1_187),
        ("gateway-go.traces.pb.gz", 410, 11_652),
        ("billing-java.traces.pb.gz", 52, 323),
        ("recipe-node-browser.traces.jsonl.gz", 263, 5_216),
        ("collector/file.json.gz", 460, 12_839),
        ("collector/file.json.zst", 460, 12_839),
        ("collector/file.pb.zst", 460, 12_839),
        ("collector/zipkin-v2.pb.gz", 42, 607),
        ("collector/zipkin-v2.jsonl.gz", 42, 607),
        ("otlp-json/trace.json", 1, 1),
    ];
    let home = Home::new();
    for (file, traces, spans) in files {
        let said = home.run(&["query", "", file, "-o", "jsonl"]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{file}");
        let held: u64 = said.field("spans").iter().map(|spans| spans.as_u64().unwrap()).sum();
        assert_eq!((said.objects().len(), held), (traces, spans), "{file}");
    }
    // Logs and metrics are read too; they hold no span, and that is no fault.
    for file in ["billing-java.logs.pb.gz", "billing-java.metrics.pb.gz", "recipe-node-browser.logs.jsonl.gz"] {
        let said = home.run(&["query", "", file, "recipe-node-browser.metrics.jsonl.gz"]);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(1), "", ""), "{file}");
    }
}

/// What foreign tools and other wrappings hold is the same as what they were made from.
#[test]
fn other_forms_are_recognised_by_what_is_in_them() {
    let home = Home::new();
    let spans = |file: &str| -> Vec<u64> {
        let said = home.run(&["query", "", file, "-o", "jsonl"]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{file}");
        said.field("spans").iter().map(|spans| spans.as_u64().unwrap()).collect()
    };
    for server in ["v2.13.0", "main-2026-08-20"] {
        let one = spans(&format!("jaeger/{server}/trace.json"));
        assert_eq!(one, spans(&format!("jaeger/{server}/v3-trace.json")), "{server}");
        assert_eq!(one.len(), 1);
    }
    let request = super::fixtures::frames("billing-java.traces.pb.gz").concat();
    // Requests behind each other are one request: all fields are repeated.
    assert_eq!(spans(&home.file("bare", &request)).iter().sum::<u64>(), 323);
    assert_eq!(spans(&home.file("bare.gz", gzip(&request))).iter().sum::<u64>(), 323);
    let body = traces(1..3);
    let tempo = json!({ "batches": body["resourceSpans"] });
    let base64 = tempo.to_string().replace(&format!("{:032x}", 1), "AAAAAAAAAAAAAAAAAAAAAQ==");
    for text in [tempo.to_string(), base64, json!({ "trace": body }).to_string()] {
        assert_eq!(spans(&home.file("tempo", &text)), [1, 1], "{text}");
    }
    let zipkin = json!([[{"traceId": "a1", "id": "b2", "name": "a"}], [{"traceId": "a3", "id": "b4", "name": "b"}]]);
    assert_eq!(spans(&home.file("zipkin", zipkin.to_string())), [1, 1]);
    // However a document is broken into lines.
    let said = home.run(&["export", "", "hmis-python-grpc.otlp.pb", "-o", "jaeger", "--limit", "3"]);
    for text in [said.out.replace("},{\"processes\"", "},\n{\"processes\""), said.out.replacen('[', "[\n", 1)] {
        assert_eq!(spans(&home.file("jaeger", &text)).len(), 3);
    }
}

#[test]
fn several_files_are_one_answer_with_the_latest_trace_first() {
    let home = Home::new();
    let late = home.file("late.jsonl", traces(7..9).to_string());
    let early = home.file("early.json", serde_json::to_string_pretty(&traces(1..3)).unwrap());
    let said = home.run(&["query", "service=shop", &late, &early, "-o", "jsonl"]);
    assert_eq!(said.field("root_operation"), ["GET /8", "GET /7", "GET /2", "GET /1"]);
    let said = home.run(&["query", "--limit", "1", "service=shop", &early, &late, "-ojsonl"]);
    assert_eq!(said.field("root_operation"), ["GET /8"]);
    // The option and the word of the language mean the same; out of files the latest are those that began last.
    let said = home.run(&["query", "service=shop limit=1", &late, &early, "-ojsonl"]);
    assert_eq!(said.field("root_operation"), ["GET /8"]);
    let said = home.run(&["query", "service=shop limit=1", &late, &early, "-ojsonl", "--limit", "5"]);
    assert_eq!(said.objects().len(), 1);
}

#[test]
fn broken_lines_are_named_and_cost_only_themselves() {
    let home = Home::new();
    let good = |number| traces(number..number + 1).to_string();
    let lines =
        [good(1), "{\"resourceSpans\": [".to_owned(), String::new(), good(2), "[1]\u{1b}[2J".to_owned(), good(3)];
    let plain = lines.join("\r\n");
    for bytes in [plain.clone().into_bytes(), gzip(plain.as_bytes())] {
        let file = home.file("lines", bytes);
        let said = home.run(&["query", "", &file, "-o", "jsonl"]);
        assert_eq!((said.code, said.objects().len()), (Some(0), 3), "{}", said.err);
        let told: Vec<&str> = said.err.lines().collect();
        assert_eq!(told.len(), 3, "{}", said.err);
        assert!(told[0].contains("lines: line 2: ") && told[1].contains("lines: line 5: "), "{}", said.err);
        assert!(told[2].contains("2 faults"), "{}", said.err);
        assert!(!said.err.contains('\u{1b}'));
    }
}

#[test]
fn first_line_that_is_cut_off_costs_only_itself() {
    let home = Home::new();
    let file = home.file("lines", format!("{{\"resourceSpans\": [\n{}\n", traces(1..3)));
    let said = home.run(&["query", "", &file, "-o", "jsonl"]);
    assert_eq!((said.code, said.objects().len()), (Some(0), 2), "{}", said.err);
    assert!(said.err.contains("line 1: "), "{}", said.err);
}

#[test]
fn requests_in_an_array_over_many_lines_are_read() {
    let home = Home::new();
    let file = home.file("array", format!("[\n{},\n{}\n]\n", traces(1..3), traces(5..6)));
    assert_eq!(home.run(&["query", "", &file, "-o", "jsonl"]).objects().len(), 3);
}

#[test]
fn frames_that_break_off_keep_what_stands_before_them() {
    let home = Home::new();
    let mut bodies = super::fixtures::frames("billing-java.traces.pb.gz");
    let all = home.run(&["query", "", &home.file("all", framed(&bodies)), "-o", "jsonl"]).objects().len();
    let whole = framed(&bodies);
    for cut in [whole.len() - 1, whole.len() - 5000, 6] {
        let said = home.run(&["query", "", &home.file("cut", &whole[..cut]), "-o", "jsonl"]);
        assert!(said.err.contains("cut off"), "{}", said.err);
        assert!(said.objects().len() < all && said.code == Some(if cut == 6 { 2 } else { 0 }), "{}", said.err);
    }
    let packed = gzip(&whole);
    let said = home.run(&["query", "", &home.file("cut.gz", &packed[..packed.len() / 2]), "-o", "jsonl"]);
    assert!(said.code == Some(0) && said.err.contains("cut off"), "{}", said.err);
    // A frame whose content is broken costs only itself: the next begins where it says.
    bodies.insert(0, b"\x0a\xff\xff".to_vec());
    let said = home.run(&["query", "", &home.file("broken", framed(&bodies)), "-o", "jsonl"]);
    assert_eq!((said.code, said.objects().len()), (Some(0), all), "{}", said.err);
    assert!(said.err.contains("frame 1 at byte 0: "), "{}", said.err);
}

#[test]
fn spans_that_are_refused_are_counted_with_their_line() {
    let home = Home::new();
    let mut body = traces(1..4);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["traceId"] = json!("00");
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][2] = json!("no span");
    let said = home.run(&["query", "", &home.file("spans", body.to_string()), "-o", "jsonl"]);
    assert_eq!((said.code, said.objects().len()), (Some(0), 1), "{}", said.err);
    assert!(said.err.contains("line 1: 1 spans left out: trace id"), "{}", said.err);
    assert!(said.err.contains("line 1: 1 items left out: "), "{}", said.err);
}

#[test]
fn file_in_the_place_of_the_filter_is_read() {
    let home = Home::new();
    let file = home.file("spans", traces(1..3).to_string());
    let (said, all) = (home.run(&["query", &file]), home.run(&["query", "", &file]));
    assert_eq!((said.code, said.out.as_str()), (Some(0), all.out.as_str()), "{}", said.err);
}

#[test]
fn what_is_no_otlp_is_an_error_and_what_is_empty_is_not() {
    let home = Home::new();
    let noise: Vec<u8> = (0..5_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    let wrong = [
        home.file("noise", noise),
        home.file("text", "GET / 200\nGET / 404\n"),
        home.file("json", "{\"a\": 1}\n{\"b\": 2}\n"),
        home.file("half.gz", &gzip(b"{}")[..8]),
        home.file("perfetto", "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{\"ph\":\"M\"},\n{\"ph\":\"X\"}\n]}\n"),
        "no-such-file".to_owned(),
        ".".to_owned(),
    ];
    for file in wrong {
        let said = home.run(&["query", "", &file]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{file}: {}", said.err);
        let name = file.rsplit('/').next().unwrap();
        assert!(said.err.contains(name), "{file}: {}", said.err);
        assert_eq!(said.err.contains("what was saved so cannot be opened"), name == "perfetto", "{file}: {}", said.err);
    }
    for bytes in [b"".to_vec(), b"\n \n".to_vec(), gzip(b""), b"{}\n".to_vec()] {
        let said = home.run(&["query", "", &home.file("empty", &bytes)]);
        assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{bytes:?}");
    }
}

#[test]
fn lines_and_frames_above_the_limit_cost_only_themselves() {
    let home = Home::new();
    let lines = format!("{}\n{{\"x\":\"{}\"}}\n{}\n", traces(1..2), "x".repeat(200_000), traces(2..3));
    let bodies: Vec<Vec<u8>> = super::fixtures::frames("billing-java.traces.pb.gz");
    let longest = bodies.iter().map(Vec::len).max().unwrap();
    let cases = [(gzip(lines.as_bytes()), 2, "line 2: ", 64), (framed(&bodies), 1, "more than", longest / 1024)];
    for (bytes, least, what, limit) in cases {
        let (file, limit) = (home.file("large", bytes), format!("{limit}KiB"));
        let said = home.run(&["query", "", &file, "-o", "jsonl", "--max-body", &limit]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.objects().len() >= least && said.err.contains(what), "{}", said.err);
        assert!(said.err.contains("--max-body"), "{}", said.err);
    }
}

#[test]
fn what_does_not_fit_into_memory_is_told() {
    let home = Home::new();
    let bulk = |turn: u32| {
        let mut body = traces(1 + turn * 500..501 + turn * 500);
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap();
        for (number, span) in spans.iter_mut().enumerate() {
            // Text that does not compress, or all of it would fit.
            let seed = (u64::from(turn) << 32) + number as u64 + 1;
            let word = |n: u64| {
                seed.wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_pow(5)
                    .wrapping_add(n)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            };
            let words: Vec<String> = (0..400).map(|n| format!("{:x}", word(n) ^ word(n) >> 29)).collect();
            let text = words.concat();
            span["attributes"] = json!([{"key": "text", "value": {"stringValue": text}}]);
        }
        format!("{body}\n")
    };
    let file = home.file("bulk", (0..12).map(bulk).collect::<String>());
    let said = home.run(&["query", "", &file, "--limit", "1", "--memory", "16MiB"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("--memory"), "{}", said.err);
    let said = home.run(&["assert", "--none", "error=true", "--file", &file, "--memory", "16MiB"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
}

#[test]
fn standard_input_is_a_file() {
    let home = Home::new();
    let mut child = home.command(&["query", "", "-", "-o", "jsonl"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(traces(1..4).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.split(|byte| *byte == b'\n').count()), (Some(0), 4));
}

#[test]
fn query_without_a_filter_reads_the_file_that_stands_in_its_place() {
    let home = Home::new();
    let file = home.file("traces.json", traces(0..3).to_string());
    let (without, with) = (home.run(&["query", &file, "-o", "jsonl"]), home.run(&["query", "", &file, "-o", "jsonl"]));
    assert!(without.objects().len() > 1, "{}", without.err);
    assert_eq!(without.objects(), with.objects());
    let said = home.run(&["query", "operation=nothing", &file]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
}

//! Odd senders, rule by rule; the recorded exports are in `tests/zipkin.rs`.

use super::*;
use crate::model::{Attribute, Kind, Span, SpanId, StatusCode, Timestamp, TraceId, Value, lookup};
use crate::otlp::decode;

const MOST: usize = 1 << 20;

fn taken(body: &str) -> (Vec<Span>, Receipt) {
    let converted = json_to_protobuf(body.as_bytes(), MOST).unwrap();
    (decode::spans(&converted.protobuf).unwrap(), converted.refused)
}

/// One span with these members besides its ids.
fn one(members: &str) -> Span {
    let (spans, refused) = taken(&format!(r#"[{{"traceId":"a1","id":"b2"{members}}}]"#));
    assert_eq!((spans.len(), refused), (1, Receipt::default()), "{members}");
    spans.into_iter().next().unwrap()
}

fn text(attributes: &[Attribute], key: &str) -> Option<String> {
    match lookup(attributes, key) {
        Some(Value::Text(text)) => Some(text.lossy().into_owned()),
        _ => None,
    }
}

#[test]
fn short_trace_ids_are_padded_and_a_span_is_not_its_own_parent() {
    let (spans, _) = taken(
        r#"[{"traceId":"463AC35C9F6413AD","id":"a2fb4a1d1a96d312","parentId":"a2fb4a1d1a96d312"},
            {"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"b","parentId":"a2fb4a1d1a96d312"}]"#,
    );
    assert_eq!(spans[0].trace_id, TraceId::from_hex("0000000000000000463ac35c9f6413ad").unwrap());
    assert_eq!((spans[0].parent_id, spans[1].parent_id), (None, SpanId::from_hex("a2fb4a1d1a96d312")));
}

/// Senders of B3 know ids and little else.
#[test]
fn ids_alone_make_a_span_with_its_start_marked_absent() {
    let span = one("");
    assert_eq!((span.start, span.end, span.kind), (Timestamp(0), Timestamp(0), Kind::UNSPECIFIED));
    assert_eq!(lookup(&span.attributes, "otel.zipkin.absentField.startTime"), Some(&Value::Bool(true)));
    assert!(span.resource.attributes.is_empty());
    let span = one(r#","timestamp":1472470996199000,"duration":207000"#);
    assert_eq!((span.start.0, span.end.0), (1_472_470_996_199_000_000, 1_472_470_996_406_000_000));
    assert!(span.attributes.is_empty());
}

#[test]
fn both_halves_of_a_shared_span_are_kept_apart_by_their_kinds() {
    let (spans, _) = taken(
        r#"[{"traceId":"a","id":"b","kind":"CLIENT","timestamp":1},
            {"traceId":"a","id":"b","kind":"SERVER","shared":true,"timestamp":2}]"#,
    );
    assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), [Kind::CLIENT, Kind::SERVER]);
    assert_ne!(spans[0].key(), spans[1].key());
    assert_eq!(lookup(&spans[1].attributes, "zipkin.shared"), Some(&Value::Bool(true)));
}

#[test]
fn error_tag_and_status_tags_make_the_status() {
    let cases = [
        (r#""error":"timeout""#, StatusCode::ERROR, "timeout", None),
        (r#""error":"true""#, StatusCode::ERROR, "", None),
        (r#""error":"""#, StatusCode::ERROR, "", None),
        (r#""error":"false""#, StatusCode::UNSET, "", Some("false")),
        (r#""otel.status_code":"ERROR","error":"no such id""#, StatusCode::ERROR, "no such id", None),
        (
            r#""otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"gone","error":"true""#,
            StatusCode::ERROR,
            "gone",
            None,
        ),
        (r#""otel.status_code":"OK","error":"x""#, StatusCode::OK, "", Some("x")),
        (r#""http.status_code":"500""#, StatusCode::UNSET, "", None),
    ];
    for (tags, code, message, left) in cases {
        let span = one(&format!(r#","tags":{{{tags}}}"#));
        assert_eq!((span.status.code, &*span.status.message.lossy()), (code, message), "{tags}");
        assert_eq!(text(&span.attributes, "error").as_deref(), left, "{tags}");
    }
}

#[test]
fn endpoints_become_service_peer_and_addresses() {
    let span = one(r#","localEndpoint":{"serviceName":"front","ipv4":"10.0.0.1","port":8080},
            "remoteEndpoint":{"serviceName":"back","ipv4":"10.0.0.2","ipv6":"2001:db8::c001","port":9000}"#);
    assert_eq!(text(&span.resource.attributes, "service.name").as_deref(), Some("front"));
    let found = |key| text(&span.attributes, key);
    assert_eq!(found("network.local.address").as_deref(), Some("10.0.0.1"));
    assert_eq!(found("network.peer.address").as_deref(), Some("10.0.0.2"));
    assert_eq!(found("network.peer.address.ipv6").as_deref(), Some("2001:db8::c001"));
    assert_eq!(found("peer.service").as_deref(), Some("back"));
    assert_eq!(lookup(&span.attributes, "network.peer.port"), Some(&Value::Int(9000)));
    let tagged = one(r#","remoteEndpoint":{"serviceName":"back"},"tags":{"peer.service":"given"}"#);
    assert_eq!(tagged.attributes.len(), 2);
    assert_eq!(text(&tagged.attributes, "peer.service").as_deref(), Some("given"));
}

#[test]
fn tags_of_opentelemetry_go_back_to_their_fields() {
    let span = one(
        r#","tags":{"otel.scope.name":"lib","otel.library.version":"2","w3c.tracestate":"a=b","span.kind":"internal",
            "service.version":"7","service.peer.name":"x","plain":"y"}"#,
    );
    assert_eq!((&*span.scope.name.lossy(), &*span.scope.version.lossy()), ("lib", "2"));
    assert_eq!((&*span.trace_state.lossy(), span.kind), ("a=b", Kind::INTERNAL));
    assert_eq!(text(&span.resource.attributes, "service.version").as_deref(), Some("7"));
    let keys: Vec<_> = span.attributes.iter().map(|attribute| attribute.key.lossy()).collect();
    assert_eq!(keys, ["plain", "service.peer.name", "otel.zipkin.absentField.startTime"]);
}

#[test]
fn annotations_become_events_with_the_attributes_that_are_in_their_values() {
    let span = one(
        r#","annotations":[{"timestamp":5,"value":"exception|{\"a\":\"b|c\"}|3"},{"timestamp":6,"value":"\"fired\": {\"n\":1}"},
            {"timestamp":7,"value":"wait|for|it"},{"timestamp":8,"value":"\"said\""},{"value":""}]"#,
    );
    let told: Vec<_> = span
        .events
        .iter()
        .map(|event| {
            let (attributes, dropped) = (event.attributes.len(), event.dropped_attributes);
            format!("{} {} {attributes} {dropped}", event.time.0, event.name.lossy())
        })
        .collect();
    assert_eq!(told, ["5000 exception 1 3", "6000 fired 1 0", "7000 wait|for|it 0 0", "8000 \"said\" 0 0", "0  0 0"]);
    assert_eq!(text(&span.events[0].attributes, "a").as_deref(), Some("b|c"));
}

#[test]
fn links_come_out_of_the_tags_in_their_order() {
    let trace = "463ac35c9f6413ad48485a3953bb6124";
    let span = one(&format!(
        r#","tags":{{"otlp.link.10":"{trace}|a2fb4a1d1a96d312|s=t|{{\"k\":\"v\"}}|4","otlp.link.9":"{trace}|1|||0",
            "otlp.link.2":"{trace}|2||{{}}|0"}}"#
    ));
    let told: Vec<_> = span.links.iter().map(|link| (link.span_id[7], link.dropped_attributes)).collect();
    assert_eq!(told, [(2, 0), (0x12, 4)]);
    assert_eq!(&*span.links[1].trace_state.lossy(), "s=t");
    // What cannot be read as a link stays a tag.
    assert!(text(&span.attributes, "otlp.link.9").is_some());
}

#[test]
fn bad_items_cost_only_themselves() {
    let (spans, refused) = taken(
        r#"[7,{"traceId":"zz","id":"1"},{"id":"1"},{"traceId":"1","id":"0"},
            {"traceId":"1","id":"2","name":4,"tags":[1],"timestamp":"17","duration":2.0,"annotations":{},"kind":"ODD"}]"#,
    );
    assert_eq!(
        refused.rejected,
        [(RejectReason::MalformedSpan, 1), (RejectReason::InvalidTraceId, 2), (RejectReason::InvalidSpanId, 1)]
    );
    assert_eq!((spans[0].start.0, spans[0].end.0), (17_000, 19_000));
    assert_eq!(text(&spans[0].attributes, "zipkin.kind").as_deref(), Some("ODD"));
}

/// As JavaScript writes a string that was cut between the halves of a pair.
#[test]
fn half_a_surrogate_pair_costs_no_span() {
    let cases = [
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"a\ud83d", "a\u{fffd}"),
        (r"\uDE00\ud83d\ude00!", "\u{fffd}\u{1f600}!"),
        (r"\ud83d\ud83d\\", "\u{fffd}\u{fffd}\\"),
        (r"\\ud83d", r"\ud83d"),
        (r#"\ud83d\"\n"#, "\u{fffd}\"\n"),
    ];
    for (escaped, expected) in cases {
        assert_eq!(one(&format!(r#","name":"{escaped}""#)).name.lossy(), expected, "{escaped}");
    }
}

#[test]
fn single_spans_and_arrays_in_a_row_are_taken_and_what_is_no_span_is_refused_with_a_reason() {
    assert_eq!(taken(r#"{"traceId":"1","id":"2"}"#).0.len(), 1);
    assert_eq!(taken("[{\"traceId\":\"1\",\"id\":\"2\"}]\n[{\"traceId\":\"1\",\"id\":\"3\"}]\n").0.len(), 2);
    assert_eq!(taken("[]").0.len(), 0);
    let cases = [
        ("", "the body is empty"),
        ("{\"resourceSpans\":[]}", "expected an array of Zipkin v2 spans"),
        ("[{\"traceId\":", "not JSON"),
        ("7", "expected an array of Zipkin v2 spans"),
        (r#"[{"traceId":"1","id":"2","binaryAnnotations":[]}]"#, "/api/v2/spans"),
    ];
    for (body, why) in cases {
        let error = json_to_protobuf(body.as_bytes(), MOST).unwrap_err().to_string();
        assert!(error.contains(why), "{body}: {error}");
    }
    assert!(protobuf_to_protobuf(b"\x0a\x05ab", MOST).is_err());
}

#[test]
fn a_body_is_held_to_its_limit_while_it_is_read() {
    let body = format!("[{}{{\"traceId\":\"1\",\"id\":\"2\"}}]", "{\"traceId\":\"1\",\"id\":\"2\"},".repeat(99));
    assert_eq!(json_to_protobuf(body.as_bytes(), 200), Err(ZipkinError::TooLarge(200)));
}

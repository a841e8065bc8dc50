//! What becomes of Jaeger's JSON.

use super::*;
use crate::model;
use crate::otlp::{decode, json};

const OLD: &[u8] = include_bytes!("../../../../tests/fixtures/jaeger/v2.13.0/trace.json");
const OLD_V3: &[u8] = include_bytes!("../../../../tests/fixtures/jaeger/v2.13.0/v3-trace.json");

fn spans(body: &str) -> Vec<Span> {
    decode::spans(&to_protobuf(body.as_bytes()).unwrap().protobuf).unwrap()
}

fn tidy(mut spans: Vec<Span>) -> Vec<Span> {
    let by_key = |list: &mut Vec<Attribute>| list.sort_by(|one, other| one.key.cmp(&other.key));
    for span in &mut spans {
        by_key(&mut span.attributes);
        span.events.iter_mut().for_each(|event| {
            by_key(&mut event.attributes);
            event.time.0 -= event.time.0 % 1_000;
        });
        let mut resource = (*span.resource).clone();
        by_key(&mut resource.attributes);
        span.resource = Arc::new(resource);
        let length = span.end.0.saturating_sub(span.start.0);
        span.start.0 -= span.start.0 % 1_000;
        span.end.0 = span.start.0 + (length - length % 1_000);
        // What only one of the two says.
        span.flags = 0;
        span.attributes.retain(|attribute| !attribute.key.lossy().starts_with("@jaeger@"));
    }
    spans.sort_by_key(|span| span.span_id);
    spans
}

#[test]
fn a_trace_as_jaegers_page_saves_it_is_what_its_own_otlp_says() {
    let legacy = to_protobuf(OLD).unwrap();
    let otlp = json::to_protobuf(model::Signal::Traces, OLD_V3).unwrap();
    assert_eq!(legacy.refused, Receipt::default());
    let (legacy, otlp) = (decode::spans(&legacy.protobuf).unwrap(), decode::spans(&otlp.protobuf).unwrap());
    assert!(legacy.len() > 20);
    assert_eq!(tidy(legacy), tidy(otlp));
}

#[test]
fn envelopes_bare_traces_and_lists_are_taken() {
    let span = r#"{"traceID":"1","spanID":"2","operationName":"a","startTime":5,"duration":"7","processID":"p"}"#;
    let trace = format!(r#"{{"traceID":"1","spans":[{span}],"processes":{{"p":{{"serviceName":"s","tags":null}}}}}}"#);
    for body in [
        format!(r#"{{"data":[{trace}],"total":0,"errors":null}}"#),
        format!(r#"{{"data":{trace}}}"#),
        format!("[{trace}]"),
        format!("\u{feff}{trace}"),
    ] {
        let spans = spans(&body);
        assert_eq!(spans.len(), 1, "{body}");
        assert_eq!(spans[0].trace_id.to_string(), "00000000000000000000000000000001");
        assert_eq!((spans[0].start.0, spans[0].end.0), (5_000, 12_000));
        assert_eq!(model::lookup(&spans[0].resource.attributes, "service.name"), Some(&Value::Text("s".into())));
    }
}

#[test]
fn tags_that_stand_for_something_else_go_there() {
    let tags = r#"[{"key":"span.kind","type":"string","value":"server"},{"key":"error","type":"bool","value":true},
        {"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"otel.status_description","value":"no"},
        {"key":"w3c.tracestate","value":"a=b"},{"key":"otel.library.name","value":"lib"},{"key":"otel.scope.version","value":"1"},
        {"key":"big","type":"int64","value":"9007199254740993"},{"key":"raw","type":"binary","value":"AQI="},
        {"key":"half","type":"float64","value":1},{"key":"yes","type":"bool","value":"true"},{"key":"list","value":[1,"a"]},
        {"key":"odd","type":"int64","value":"x"}, 5]"#;
    let body = format!(r#"{{"spans":[{{"traceID":"1","spanID":"2","flags":1,"tags":{tags},"warnings":["w"]}}]}}"#);
    let span = spans(&body).remove(0);
    assert_eq!((span.kind, span.status.code, span.flags), (Kind::SERVER, StatusCode::ERROR, 1));
    assert_eq!((span.status.message, span.trace_state), ("no".into(), "a=b".into()));
    assert_eq!((&span.scope.name, &span.scope.version), (&"lib".into(), &"1".into()));
    let text = |text: &str| Value::Text(text.into());
    let expected = [
        ("big", Value::Int(9_007_199_254_740_993)),
        ("raw", Value::Bytes(vec![1, 2])),
        ("half", Value::Double(1.0)),
        ("yes", Value::Bool(true)),
        ("list", Value::Array(vec![Value::Int(1), text("a")])),
        ("odd", text("x")),
        (WARNINGS, Value::Array(vec![text("w")])),
    ];
    let expected: Vec<Attribute> =
        expected.into_iter().map(|(key, value)| Attribute { key: key.into(), value }).collect();
    assert_eq!(span.attributes, expected);
}

#[test]
fn error_is_a_status_unless_the_sender_says_otherwise() {
    let cases = [
        (r#"{"key":"error","value":"true"}"#, StatusCode::ERROR, 0),
        (r#"{"key":"error","type":"bool","value":false}"#, StatusCode::UNSET, 1),
        (r#"{"key":"error","value":true},{"key":"otel.status_code","value":"OK"}"#, StatusCode::OK, 1),
        (r#"{"key":"otel.status_code","value":"strange"}"#, StatusCode::UNSET, 1),
    ];
    for (tags, status, left) in cases {
        let span = spans(&format!(r#"{{"spans":[{{"traceID":"1","spanID":"2","tags":[{tags}]}}]}}"#)).remove(0);
        assert_eq!((span.status.code, span.attributes.len()), (status, left), "{tags}");
    }
}

#[test]
fn references_are_a_parent_and_links() {
    let reference = |kind: &str, trace: &str, span: &str| {
        format!(r#"{{"refType":"{kind}","traceID":"{trace}","spanID":"{span}"}}"#)
    };
    let (child, follows, other) =
        (reference("CHILD_OF", "1", "3"), reference("FOLLOWS_FROM", "1", "4"), reference("CHILD_OF", "9", "5"));
    let cases = [
        (format!("{follows},{child}"), Some("0000000000000003"), 1),
        (format!("{other},{follows}"), Some("0000000000000004"), 1),
        (other.clone(), None, 1),
        (reference("CHILD_OF", "1", "zz"), None, 0),
    ];
    for (references, parent, links) in cases {
        let body = format!(r#"{{"spans":[{{"traceID":"1","spanID":"2","references":[{references}]}}]}}"#);
        let span = spans(&body).remove(0);
        assert_eq!(span.parent_id.map(|id| id.to_string()).as_deref(), parent, "{references}");
        assert_eq!(span.links.len(), links, "{references}");
    }
    let deprecated = spans(r#"{"spans":[{"traceID":"1","spanID":"2","parentSpanID":"6"}]}"#).remove(0);
    assert_eq!(deprecated.parent_id, SpanId::from_hex("6"));
}

#[test]
fn logs_are_events_named_by_their_field() {
    let body = r#"{"spans":[{"traceID":"1","spanID":"2","logs":[
        {"timestamp":3,"fields":[{"key":"event","value":"exception"},{"key":"message","value":"m"}]},
        {"timestamp":4,"fields":[{"key":"message","value":"older"}]}, {"fields":null}]}]}"#;
    let events = spans(body).remove(0).events;
    let said: Vec<(u64, String, usize)> =
        events.iter().map(|event| (event.time.0, event.name.lossy().into_owned(), event.attributes.len())).collect();
    assert_eq!(said, [(3_000, "exception".to_owned(), 1), (4_000, "older".to_owned(), 0), (0, String::new(), 0)]);
}

#[test]
fn what_cannot_be_taken_costs_only_itself() {
    let body = r#"{"data":[{"spans":[{"traceID":"x","spanID":"2"},{"traceID":"1","spanID":""},7,{"traceID":"1","spanID":"2"}]},"no"]}"#;
    let taken = to_protobuf(body.as_bytes()).unwrap();
    assert_eq!(decode::spans(&taken.protobuf).unwrap().len(), 1);
    let reasons =
        [(RejectReason::MalformedSpan, 2), (RejectReason::InvalidTraceId, 1), (RejectReason::InvalidSpanId, 1)];
    assert_eq!(taken.refused.rejected, reasons);
}

#[test]
fn what_is_no_jaeger_json_is_refused_with_its_reason() {
    let cases = [
        ("<html>", "not JSON"),
        ("", "not JSON"),
        (r#"{"resourceSpans":[]}"#, "neither `data` nor `spans`"),
        ("7", "neither `data` nor `spans`"),
        (r#"{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}"#, "the server says: trace not found"),
    ];
    for (body, expected) in cases {
        let fault = to_protobuf(body.as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(expected), "{body}: {fault}");
    }
    assert_eq!(spans(r#"{"data":[]}"#), []);
}

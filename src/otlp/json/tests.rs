//! Every spelling that senders are known to use, and what each costs.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, Status};
use prost::Message as _;

use super::*;

const TRACE_ID: &str = "5b8efff798038103d269b633813fc60c";

/// The body converted and decoded, and how many items were refused.
fn traces(body: &str) -> (Vec<ResourceSpans>, u64) {
    let converted = to_protobuf(Signal::Traces, body.as_bytes()).unwrap();
    let request = ExportTraceServiceRequest::decode(&converted.protobuf[..]).unwrap();
    (request.resource_spans, converted.refused.rejected_total())
}

fn request(spans: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

/// The spans of a request with `fields` in its middle span, whose neighbours must survive whatever they hold.
fn span(fields: &str) -> Option<Span> {
    let (mut resources, refused) = traces(&request(&format!(r#"{{"name":"before"}},{{{fields}}},{{"name":"after"}}"#)));
    let mut spans = resources.remove(0).scope_spans.remove(0).spans;
    assert_eq!(spans.remove(0).name, "before", "{fields}");
    assert_eq!(spans.pop().map(|span| span.name).as_deref(), Some("after"), "{fields}");
    assert_eq!(spans.len() as u64 + refused, 1, "{fields}");
    spans.pop()
}

/// The value of a span's only attribute.
fn value(json: &str) -> Option<AnyValue> {
    let span = span(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#));
    let [attribute] = &span.unwrap().attributes[..] else { panic!("{json}") };
    attribute.value.clone()
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

#[test]
fn every_spelling_of_a_span_is_read() {
    let blank = Span::default;
    let status = |code| Some(Status { code, ..Status::default() });
    let attributes =
        |key: &str| vec![KeyValue { key: key.into(), value: Some(any(Value::IntValue(1))), ..KeyValue::default() }];
    let id: Vec<u8> = (1..=16).collect();
    for (fields, expected) in [
        ("", blank()),
        (r#""traceId":"0102030405060708090a0b0c0d0e0f10""#, Span { trace_id: id.clone(), ..blank() }),
        (r#""traceId":"0102030405060708090A0B0c0D0E0F10""#, Span { trace_id: id.clone(), ..blank() }),
        (r#""trace_id":"AQIDBAUGBwgJCgsMDQ4PEA==""#, Span { trace_id: id.clone(), ..blank() }),
        (r#""traceId":"\u00301""#, Span { trace_id: vec![1], ..blank() }),
        (r#""spanId":"AQIDBAUGBwg=""#, Span { span_id: id[..8].to_vec(), ..blank() }),
        (r#""traceId":"abcd","spanId":"""#, Span { trace_id: vec![0xab, 0xcd], ..blank() }),
        (r#""traceId":"00000000000000000000000000000000""#, Span { trace_id: vec![0; 16], ..blank() }),
        (r#""parentSpanId":"""#, blank()),
        (r#""parentSpanId":null,"traceState":null,"attributes":null,"events":null,"links":null"#, blank()),
        (r#""status":null,"name":null,"kind":null,"startTimeUnixNano":null,"flags":null"#, blank()),
        (r#""status":{}"#, Span { status: status(0), ..blank() }),
        (r#""kind":2"#, Span { kind: 2, ..blank() }),
        (r#""kind":"2""#, Span { kind: 2, ..blank() }),
        (r#""kind":"SPAN_KIND_SERVER""#, Span { kind: 2, ..blank() }),
        (r#""kind":"SERVER""#, Span { kind: 2, ..blank() }),
        (r#""kind":77"#, Span { kind: 77, ..blank() }),
        (r#""kind":-1"#, Span { kind: -1, ..blank() }),
        (r#""status":{"code":"STATUS_CODE_ERROR"}"#, Span { status: status(2), ..blank() }),
        (r#""status":{"code":"1"}"#, Span { status: status(1), ..blank() }),
        (
            r#""startTimeUnixNano":"1544712660000000001""#,
            Span { start_time_unix_nano: 1_544_712_660_000_000_001, ..blank() },
        ),
        (
            r#""startTimeUnixNano":1544712660000000001"#,
            Span { start_time_unix_nano: 1_544_712_660_000_000_001, ..blank() },
        ),
        (r#""start_time_unix_nano":1.5e18"#, Span { start_time_unix_nano: 1_500_000_000_000_000_000, ..blank() }),
        (r#""endTimeUnixNano":18446744073709551615"#, Span { end_time_unix_nano: u64::MAX, ..blank() }),
        (r#""endTimeUnixNano":-0"#, blank()),
        (r#""droppedAttributesCount":"3""#, Span { dropped_attributes_count: 3, ..blank() }),
        (r#""dropped_events_count":3.0"#, Span { dropped_events_count: 3, ..blank() }),
        (r#""flags":4294967295"#, Span { flags: u32::MAX, ..blank() }),
        (r#""na\u006de":"n""#, Span { name: "n".into(), ..blank() }),
        (r#""name":"a\ud800b\u00e9\n""#, Span { name: "a\u{fffd}bé\n".into(), ..blank() }),
        (r#""name":"a","name":"b""#, Span { name: "b".into(), ..blank() }),
        (r#""later":{"deep":[1,{"x":"}"},null,true,-1.5e-3,[],{}]},"name":"n""#, Span { name: "n".into(), ..blank() }),
        (r#""attributes":[{"key":"k","value":{"intValue":1}}]"#, Span { attributes: attributes("k"), ..blank() }),
        (r#""attributes":[{"value":{"intValue":1},"key":"k"}]"#, Span { attributes: attributes("k"), ..blank() }),
        (r#""attributes":[{"value":{"intValue":1}}]"#, Span { attributes: attributes(""), ..blank() }),
    ] {
        assert_eq!(span(fields), Some(expected), "{fields}");
    }
}

#[test]
fn a_span_that_cannot_be_read_costs_only_itself() {
    for fields in [
        r#""traceId":"not hex at all!!""#,
        r#""traceId":"abc""#,
        r#""traceId":7"#,
        r#""spanId":"zz""#,
        r#""name":5"#,
        r#""name":"\x""#,
        r#""kind":"SPAN_KIND_NONSENSE""#,
        r#""kind":2147483648"#,
        r#""kind":{}"#,
        r#""startTimeUnixNano":-1"#,
        r#""startTimeUnixNano":1.5"#,
        r#""startTimeUnixNano":18446744073709551616"#,
        r#""startTimeUnixNano":true"#,
        r#""startTimeUnixNano":"""#,
        r#""flags":4294967296"#,
        r#""status":[]"#,
        r#""attributes":{}"#,
        r#""attributes":[5]"#,
        r#""attributes":[{"key":5}]"#,
        r#""attributes":[{"key":"k","value":"bare"}]"#,
        r#""attributes":[{"key":"k","value":{"boolValue":"yes"}}]"#,
        r#""attributes":[{"key":"k","value":{"intValue":9223372036854775808}}]"#,
        r#""attributes":[{"key":"k","value":{"bytesValue":"?"}}]"#,
        r#""events":[{"timeUnixNano":[]}]"#,
        r#""links":[{"traceId":"x"}]"#,
    ] {
        assert_eq!(span(fields), None, "{fields}");
    }
    for item in ["5", "[]", r#""text""#, "true"] {
        let (resources, refused) = traces(&request(&format!(r#"{{"name":"kept"}},{item}"#)));
        assert_eq!((resources[0].scope_spans[0].spans.len(), refused), (1, 1), "{item}");
    }
}

#[test]
fn every_spelling_of_a_value_is_read() {
    let array = |values| any(Value::ArrayValue(ArrayValue { values }));
    let map = |values| any(Value::KvlistValue(KeyValueList { values }));
    let text = |text: &str| any(Value::StringValue(text.into()));
    let bytes = |bytes: &[u8]| any(Value::BytesValue(bytes.into()));
    let pair = |key: &str, value| KeyValue { key: key.into(), value, ..KeyValue::default() };
    for (json, expected) in [
        ("null", None),
        ("{}", Some(AnyValue::default())),
        (r#"{"stringValue":null}"#, Some(AnyValue::default())),
        (r#"{"futureValue":{"a":[1]}}"#, Some(AnyValue::default())),
        (r#"{"stringValue":""}"#, Some(text(""))),
        (r#"{"string_value":"a\"\u00e9"}"#, Some(text("a\"é"))),
        (r#"{"boolValue":false}"#, Some(any(Value::BoolValue(false)))),
        (r#"{"bool_value":true}"#, Some(any(Value::BoolValue(true)))),
        (r#"{"intValue":0}"#, Some(any(Value::IntValue(0)))),
        (r#"{"intValue":"-9223372036854775808"}"#, Some(any(Value::IntValue(i64::MIN)))),
        (r#"{"intValue":9223372036854775807}"#, Some(any(Value::IntValue(i64::MAX)))),
        (r#"{"int_value":5.0}"#, Some(any(Value::IntValue(5)))),
        (r#"{"doubleValue":0}"#, Some(any(Value::DoubleValue(0.0)))),
        (r#"{"doubleValue":"1.5"}"#, Some(any(Value::DoubleValue(1.5)))),
        (r#"{"doubleValue":1e-400}"#, Some(any(Value::DoubleValue(0.0)))),
        (r#"{"doubleValue":1e400}"#, Some(any(Value::DoubleValue(f64::INFINITY)))),
        (r#"{"doubleValue":"Infinity"}"#, Some(any(Value::DoubleValue(f64::INFINITY)))),
        (r#"{"doubleValue":-Infinity}"#, Some(any(Value::DoubleValue(f64::NEG_INFINITY)))),
        (r#"{"double_value":"-Infinity"}"#, Some(any(Value::DoubleValue(f64::NEG_INFINITY)))),
        (r#"{"bytesValue":""}"#, Some(bytes(b""))),
        (r#"{"bytesValue":"+/8="}"#, Some(bytes(&[0xfb, 0xff]))),
        (r#"{"bytes_value":"-_8"}"#, Some(bytes(&[0xfb, 0xff]))),
        (r#"{"arrayValue":{}}"#, Some(array(vec![]))),
        (r#"{"arrayValue":{"values":null}}"#, Some(array(vec![]))),
        (
            r#"{"array_value":{"values":[{},null,{"intValue":"1"}]}}"#,
            Some(array(vec![AnyValue::default(), AnyValue::default(), any(Value::IntValue(1))])),
        ),
        (r#"{"kvlistValue":{}}"#, Some(map(vec![]))),
        (
            r#"{"kvlist_value":{"values":[{"key":"b","value":{}},{"key":"a"},{"key":"b","value":{"stringValue":"2"}}]}}"#,
            Some(map(vec![pair("b", Some(AnyValue::default())), pair("a", None), pair("b", Some(text("2")))])),
        ),
    ] {
        assert_eq!(value(json), expected, "{json}");
    }
    for json in [r#"{"doubleValue":"NaN"}"#, r#"{"doubleValue":NaN}"#] {
        let Some(AnyValue { value: Some(Value::DoubleValue(number)) }) = value(json) else { panic!("{json}") };
        assert!(number.is_nan());
    }
}

#[test]
fn every_envelope_is_opened() {
    let resource = format!(r#"{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE_ID}"}}]}}]}}"#);
    let one = format!(r#"{{"resourceSpans":[{resource}]}}"#);
    for (body, expected) in [
        (one.clone(), 1),
        (format!("\u{feff}{one}"), 1),
        (format!(" \r\n\t{one}\n\n"), 1),
        (format!("{one}\n{one}\n{one}"), 3),
        (format!("{one}{one}"), 2),
        (format!("[{one},\n{one}]"), 2),
        (format!(r#"{{"resource_spans":[{resource},{resource}]}}"#), 2),
        (format!(r#"{{"batches":[{resource}]}}"#), 1),
        (format!(r#"{{"result":{one}}}"#), 1),
        (format!("{{\"result\":{one}}}\n{{\"result\":{one}}}"), 2),
        (format!(r#"{{"trace":{one},"metrics":{{"inspectedBytes":"5"}},"status":"COMPLETE"}}"#), 1),
        (format!(r#"{{"futureField":[{{}}],"resourceSpans":[{resource}]}}"#), 1),
        (one.replace("scopeSpans", "instrumentationLibrarySpans"), 1),
        (one.replace("scopeSpans", "scope_spans"), 1),
        ("{}".to_owned(), 0),
        ("[]".to_owned(), 0),
        (r#"{"resourceSpans":null}"#.to_owned(), 0),
        (r#"{"resourceSpans":[]}"#.to_owned(), 0),
        (r#"{"result":{}}"#.to_owned(), 0),
    ] {
        let (resources, refused) = traces(&body);
        let spans: usize = resources.iter().flat_map(|it| &it.scope_spans).map(|it| it.spans.len()).sum();
        assert_eq!((spans, refused), (expected, 0), "{body}");
    }
}

#[test]
fn resources_and_scopes_are_read_in_any_order_and_keep_what_they_can() {
    let (resources, refused) = traces(
        r#"{"resourceSpans":[{"schemaUrl":"https://r","scopeSpans":[{"schema_url":"https://s","spans":[{}],
        "instrumentationLibrary":{"name":"lib","version":7,"attributes":"none"}}],"resource":{"droppedAttributesCount":2,
        "entityRefs":[{"type":"service","idKeys":["service.name"]},5],
        "attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":5},{"key":"b","value":7},{"key":"c"}]}}]}"#,
    );
    assert_eq!(refused, 0);
    let resource = resources[0].resource.clone().unwrap();
    let keys: Vec<&str> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["service.name", "c"]);
    assert_eq!((resource.dropped_attributes_count, resource.entity_refs.len()), (2, 1));
    assert_eq!(resources[0].schema_url, "https://r");
    let scope = resources[0].scope_spans[0].scope.clone().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("lib", ""));
    assert_eq!(
        (resources[0].scope_spans[0].spans.len(), resources[0].scope_spans[0].schema_url.as_str()),
        (1, "https://s")
    );
}

#[test]
fn what_should_hold_spans_and_does_not_counts_as_one() {
    for (body, expected) in [
        (r#"{"resourceSpans":5}"#, 1),
        (r#"{"resourceSpans":[5,{},null,"x"]}"#, 2),
        (r#"{"resourceSpans":[{"scopeSpans":"x"}]}"#, 1),
        (r#"{"resourceSpans":[{"scopeSpans":[[],{}]}]}"#, 1),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}"#, 1),
        (r#"{"resourceSpans":[{"resource":5,"schemaUrl":5}]}"#, 0),
        (r#"{"result":[]}"#, 1),
    ] {
        assert_eq!(traces(body).1, expected, "{body}");
    }
}

#[test]
fn a_body_that_is_no_request_is_refused_whole() {
    let cut = request(r#"{"name":"a span that is cut"#);
    for (body, expected) in [
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("not json", "not JSON at byte 0: expected a value"),
        ("{", "not JSON at byte 1: expected a member's name"),
        (cut.trim_end_matches(['"', ']', '}']), "not JSON at byte 52: a string does not end"),
        (r#"{"resourceSpans":[{}"#, "not JSON at byte 20: expected a comma or the end of what was opened"),
        (r#"{"resourceSpans":[{},]}"#, "not JSON at byte 21: expected a value"),
        (r#"{"resourceSpans":[{]]}"#, "not JSON at byte 19: expected a member's name"),
        (r#"{"resourceSpans":[]} x"#, "not JSON at byte 21: expected a value"),
        (r#"{"resourceSpans":[]}]"#, "not JSON at byte 20: expected a value"),
        (r#"{"a":[1 2]}"#, "not JSON at byte 8: expected a comma or the end of what was opened"),
        ("5", "not an OTLP/JSON request for traces: expected an object with resourceSpans"),
        ("null", "not an OTLP/JSON request for traces: expected an object with resourceSpans"),
        ("[5]", "not an OTLP/JSON request for traces: expected an object with resourceSpans"),
        (r#"{"resourceLogs":[]}"#, "not an OTLP/JSON request for traces: expected an object with resourceSpans"),
        (
            r#"{"resourceSpans":[]}{"other":1}"#,
            "not an OTLP/JSON request for traces: expected an object with resourceSpans",
        ),
    ] {
        let error = to_protobuf(Signal::Traces, body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{body}");
    }
}

#[test]
fn text_that_is_not_utf8_is_mended() {
    let body = request(r#"{"name":"a?b"}"#).replace('?', "\u{1}");
    let body: Vec<u8> = body.bytes().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let converted = to_protobuf(Signal::Traces, &body).unwrap();
    let request = ExportTraceServiceRequest::decode(&converted.protobuf[..]).unwrap();
    assert_eq!(request.resource_spans[0].scope_spans[0].spans[0].name, "a\u{fffd}b");
}

/// A value in `levels` arrays or maps.
fn nested(levels: usize, open: &str, close: &str) -> String {
    let value = format!("{}{}{}", open.repeat(levels), r#"{"intValue":1}"#, close.repeat(levels));
    format!(r#"{{"name":"deep","attributes":[{{"key":"k","value":{value}}}]}}"#)
}

#[test]
fn deep_values_are_read_and_deeper_ones_cost_their_span() {
    const ARRAY: (&str, &str) = (r#"{"arrayValue":{"values":["#, "]}}");
    const MAP: (&str, &str) = (r#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}");
    for ((open, close), levels, refused) in [
        (ARRAY, 120, 0),
        (ARRAY, 160, 0),
        (ARRAY, 100_000, 1),
        (MAP, 110, 0),
        (MAP, 120, 0),
        (MAP, 100_000, 1),
        ((r#"{"unknown":"#, "}"), 100_000, 0),
    ] {
        let body = request(&format!(r#"{},{{"name":"after"}}"#, nested(levels, open, close)));
        let converted = to_protobuf(Signal::Traces, body.as_bytes()).unwrap();
        assert_eq!(converted.refused.rejected_total(), refused, "{levels} times {open}");
        // prost itself gives up at a depth of 100, so the bytes are searched instead.
        let holds = |name: &[u8]| converted.protobuf.windows(name.len()).any(|window| window == name);
        assert!(holds(b"after"));
        assert_eq!(holds(b"deep"), refused == 0);
    }
}

#[test]
fn unclosed_depth_is_an_error_and_no_overflow() {
    for body in ["[".repeat(1_000_000), r#"{"a":"#.repeat(1_000_000), request(&"[".repeat(1_000_000))] {
        assert!(to_protobuf(Signal::Traces, body.as_bytes()).is_err());
    }
}

#[test]
fn a_log_record_that_cannot_be_read_costs_only_itself() {
    let body = r#"{"resource_logs":[{"scope_logs":[{"log_records":[
        {"severityNumber":"SEVERITY_NUMBER_INFO","body":{"stringValue":"one"}},{"severityNumber":"SEVERITY_NUMBER_FATAL4"},
        {"severityNumber":"9"},{"severity_number":24,"eventName":"e","traceId":null},{"severityText":5},{"traceId":"x"}]}]}]}"#;
    let converted = to_protobuf(Signal::Logs, body.as_bytes()).unwrap();
    assert_eq!(converted.refused.rejected, [(RejectReason::MalformedSpan, 2)]);
    let request = ExportLogsServiceRequest::decode(&converted.protobuf[..]).unwrap();
    let records = &request.resource_logs[0].scope_logs[0].log_records;
    let severities: Vec<i32> = records.iter().map(|record| record.severity_number).collect();
    assert_eq!(severities, [9, 24, 9, 24]);
    assert_eq!(records[0].body, Some(any(Value::StringValue("one".into()))));
}

#[test]
fn a_data_point_that_cannot_be_read_costs_only_itself() {
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":5,"sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","isMonotonic":true,
            "dataPoints":[{"asInt":"5"},{"asInt":"five"},{"as_double":"NaN"}]}},
        {"name":"h","histogram":{"dataPoints":[{"count":"2","bucketCounts":[1,"1"],"explicitBounds":[0.5]},{"bucketCounts":5}]}},
        {"name":"g","gauge":7},9]}]}]}"#;
    let converted = to_protobuf(Signal::Metrics, body.as_bytes()).unwrap();
    assert_eq!(converted.refused.rejected, [(RejectReason::MalformedSpan, 4)]);
    let request = ExportMetricsServiceRequest::decode(&converted.protobuf[..]).unwrap();
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("no sum") };
    assert_eq!((sum.data_points.len(), sum.aggregation_temporality, sum.is_monotonic), (2, 1, true));
    let Some(Data::Histogram(histogram)) = &metrics[1].data else { panic!("no histogram") };
    assert_eq!(histogram.data_points[0].bucket_counts, [1, 1]);
    assert_eq!((histogram.data_points.len(), metrics.len()), (1, 3));
}

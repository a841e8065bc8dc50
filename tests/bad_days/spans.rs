//! Odd spans: kept as they came and marked, whatever they are like, and shown without harm.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tracefall::analysis::Thresholds;
use tracefall::analysis::{Analysis, Folds, analyse, flatten};
use tracefall::model::{
    Attribute, Event, Kind, Link, Nanos, Oddities, RejectReason, Span, SpanId, Timestamp, Trace, TraceId, Value,
};
use tracefall::otlp::encode;
use tracefall::source::receiver::{Limits, ReceiverConfig};

use crate::house::House;
use crate::person::{Person, look_through};
use crate::rig::{JSON_TYPE, PROTOBUF, config, gzip, post};

const TRACE: TraceId = TraceId([0xa5; 16]);
const START: Timestamp = Timestamp(1_763_700_000_000_000_000);

fn id(number: u64) -> SpanId {
    SpanId((number + (1 << 60)).to_be_bytes())
}

/// A span of a millisecond, `number` microseconds after the start.
fn span(number: u64, parent: Option<u64>) -> Span {
    let start = START.plus(Nanos(number * 1_000));
    Span {
        trace_id: TRACE,
        span_id: id(number),
        parent_id: parent.map(id),
        name: "work".into(),
        kind: Kind::INTERNAL,
        start,
        end: start.plus(Nanos::from_millis(1)),
        ..Span::default()
    }
}

fn carrying(number: u64, key: &str, value: Value) -> Span {
    Span { attributes: vec![Attribute { key: key.into(), value }], ..span(number, None) }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn roomy() -> House {
    House::with(ReceiverConfig { limits: Limits::default(), ..config() })
}

/// Sends the spans to the port of gRPC or HTTP, gzipped; all of them are taken.
async fn take(house: &House, spans: &[Span]) {
    let before = house.accepted();
    let address = if spans.len().is_multiple_of(2) { house.rig.grpc } else { house.rig.http };
    let answer = post(address, &[PROTOBUF, "content-encoding: gzip"], &gzip(&encode::spans(spans))).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());
    assert_eq!(house.accepted(), before + spans.len() as u64);
}

fn trace(house: &House) -> Trace {
    house.view().trace(TRACE).expect("the trace")
}

fn analysed(house: &House) -> Analysis {
    analyse(std::sync::Arc::new(trace(house)), &Thresholds::default())
}

async fn kept_and_shown(spans: &[Span]) -> Vec<Person> {
    let mut persons = Vec::new();
    for house in House::both(&ReceiverConfig { limits: Limits::default(), ..config() }) {
        take(&house, spans).await;
        assert_eq!(trace(&house).spans.len(), spans.len());
        for span in spans {
            let kept = house.view().span(TRACE, span.key()).expect("it is held");
            assert_eq!(encode::span(&kept), encode::span(span), "as it came");
        }
        persons.push(look_through(house.view()));
        house.assert_well().await;
    }
    persons
}

#[tokio::test]
async fn values_of_any_depth_are_kept_and_shown() {
    let arrays =
        |levels: usize| (0..levels).fold(Value::Int(7), |inner, _| Value::Array(vec![inner, Value::Bool(true)]));
    let maps = |levels: usize| {
        (0..levels).fold(text("core"), |inner, _| Value::Map(vec![Attribute { key: "k".into(), value: inner }]))
    };
    let spans = [carrying(0, "arrays", arrays(100)), carrying(1, "maps", maps(100)), carrying(2, "many", arrays(1))];
    kept_and_shown(&spans).await;

    // Deeper than any model holds: the bytes are kept as they came.
    let house = roomy();
    let deep = (0..10_000).fold(encode::value(&Value::Int(7)), |inner, _| wrap(5, &wrap(1, &inner)));
    let attribute = [wrap(1, b"deep"), wrap(2, &deep)].concat();
    let body = encode::spans(&[span(3, None)]);
    let deepened = insert(&body, &wrap(9, &attribute));
    assert_eq!(post(house.rig.grpc, &[PROTOBUF], &deepened).await.status, 200);
    assert_eq!(trace(&house).spans.len(), 1);
    look_through(house.view()).press("/ 'deep=7 enter");
    house.assert_well().await;
}

/// Field `number` with `content` (a string, bytes or a message).
fn wrap(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut out);
    [out, content.to_vec()].concat()
}

/// An export with `field` in its only span.
fn insert(body: &[u8], field: &[u8]) -> Vec<u8> {
    let request = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode(body).unwrap();
    let span = request.resource_spans[0].scope_spans[0].spans[0].encode_to_vec();
    wrap(1, &wrap(2, &wrap(2, &[&span[..], field].concat())))
}

#[tokio::test]
async fn arrays_a_hundred_deep_in_json_are_taken() {
    let house = House::open();
    for levels in [100, 160, 5_000] {
        let value = [r#"{"arrayValue":{"values":["#.repeat(levels), "]}}".repeat(levels)].concat();
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"{}","attributes":[{{"key":"a","value":{value}}}]}},
            {{"traceId":"{TRACE}","spanId":"{}"}}]}}]}}]}}"#,
            id(levels as u64),
            id(9),
        );
        let answer = post(house.rig.http, &[JSON_TYPE], json.as_bytes()).await;
        assert_eq!(answer.status, 200, "{levels}: {}", answer.text());
        assert_eq!(answer.text() == "{}", levels < 5_000, "{levels}: {}", answer.text());
    }
    assert_eq!(trace(&house).spans.len(), 3, "the deepest costs only itself");
    assert_eq!(house.rig.rejected(RejectReason::MalformedSpan), 1);
    look_through(house.view());
    house.assert_well().await;
}

#[tokio::test]
async fn attributes_of_a_megabyte_are_kept_and_shown() {
    let long = |piece: &str| text(&piece.repeat((1 << 20) / piece.len()));
    let spans = [
        carrying(0, "note", long("word ")),
        carrying(1, "db.statement", long("SELECT * FROM a WHERE b IN ('x', 1) -- ")),
        carrying(2, "body", text(&format!("[{}0]", "{\"a\":[1,\"x\"]},".repeat(70_000)))),
        carrying(3, "emoji", long("👩‍👩‍👧‍👦é\u{200b}")),
        carrying(4, "raw", Value::Bytes(vec![0x1b; 1 << 20])),
        carrying(5, &"k".repeat(1 << 20), Value::Int(1)),
        Span { name: "n".repeat(1 << 20).as_str().into(), ..span(6, None) },
        Span { trace_state: "s=t,".repeat(1 << 18).as_str().into(), ..span(7, None) },
    ];
    kept_and_shown(&spans).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_siblings_are_kept_and_shown() {
    let house = roomy();
    take(&house, &[Span { end: START.plus(Nanos::from_secs(3)), ..span(0, None) }]).await;
    let siblings: Vec<Span> = (1..=100_000).map(|number| span(number, Some(0))).collect();
    for batch in siblings.chunks(10_000) {
        take(&house, batch).await;
    }
    let analysis = analysed(&house);
    assert_eq!((analysis.nodes.len(), analysis.roots.len()), (100_001, 1));
    assert_eq!(flatten(&analysis, &Folds::default()).len(), 2, "equal siblings are one row");
    look_through(house.view());
    house.assert_well().await;
}

#[tokio::test]
async fn a_chain_of_ten_thousand_is_kept_and_shown() {
    let house = roomy();
    let chain: Vec<Span> = (0..10_000).map(|number: u64| span(number, number.checked_sub(1))).collect();
    // The deepest comes first: all wait for their parents.
    let backwards: Vec<Span> = chain.into_iter().rev().collect();
    take(&house, &backwards).await;
    let analysis = analysed(&house);
    assert_eq!(analysis.nodes.iter().map(|node| node.depth).max(), Some(9_999));
    assert_eq!(analysis.roots.len(), 1);
    look_through(house.view());
    house.assert_well().await;
}

#[tokio::test]
async fn cycles_and_spans_that_are_their_own_parents_are_kept_and_shown() {
    let ring = (0..1_000).map(|number| span(number, Some((number + 1) % 1_000)));
    let spans: Vec<Span> =
        ring.chain([span(2_000, Some(2_000)), span(2_001, Some(2_002)), span(2_002, Some(2_001))]).collect();
    let house = House::open();
    take(&house, &spans).await;
    let analysis = analysed(&house);
    assert_eq!(analysis.nodes.len(), spans.len());
    assert_eq!(analysis.roots.len(), 3, "each is cut once");
    kept_and_shown(&spans).await;
}

#[tokio::test]
async fn odd_times_are_kept_and_marked() {
    let at = |number: u64, start: u64, end: u64| Span {
        start: Timestamp(start),
        end: Timestamp(end),
        ..span(number, Some(0))
    };
    let spans = [
        span(0, None),
        at(1, START.0, START.0 - 1),
        at(2, u64::MAX, 0),
        at(3, 0, 0),
        at(4, 1, 2),
        at(5, 1, u64::MAX),
        at(6, u64::MAX, u64::MAX),
        at(7, 0, START.0),
    ];
    let house = House::open();
    take(&house, &spans).await;
    let trace = trace(&house);
    let odd = |number: u64| trace.spans.iter().find(|span| span.key.id == id(number)).unwrap().oddities;
    let backwards = Oddities { ends_before_start: true, ..Oddities::default() };
    assert_eq!(odd(1), backwards);
    assert!(odd(2).ends_before_start && odd(2).no_time);
    assert!(odd(3).no_time && odd(7).no_time);
    assert_eq!([odd(0), odd(4), odd(5), odd(6)], [Oddities::default(); 4]);
    for mut person in kept_and_shown(&spans).await {
        person.press("1 s s s S / 'duration>1h enter esc");
    }
}

/// The marks of the time axis were counted on beyond the last time there is, and the screen stood still for good.
#[tokio::test]
async fn a_trace_up_to_the_end_of_time_is_drawn() {
    let endless = Span { start: Timestamp(1), end: Timestamp(u64::MAX), ..span(0, None) };
    kept_and_shown(&[endless]).await;
}

#[tokio::test]
async fn a_span_without_a_valid_id_is_refused_and_the_others_are_kept() {
    let house = House::open();
    let zero = Span { span_id: SpanId([0; 8]), ..span(1, None) };
    let nowhere = Span { trace_id: TraceId([0; 16]), ..span(2, None) };
    let odd_parent = Span { odd_parent: Some(vec![1, 2, 3].into()), ..span(3, None) };
    let body = encode::spans(&[zero, span(0, None), nowhere, odd_parent]);
    let answer = post(house.rig.http, &[PROTOBUF], &body).await;
    let partial = ExportTraceServiceResponse::decode(&answer.body[..]).unwrap().partial_success.unwrap();
    assert_eq!((answer.status, partial.rejected_spans), (200, 2));
    assert!(partial.error_message.contains("trace id") && partial.error_message.contains("span id"), "{partial:?}");
    let kept = trace(&house);
    assert_eq!(kept.spans.len(), 2);
    assert!(kept.spans[1].oddities.bad_parent_id);

    for (trace, span) in [("", "01"), ("zz", "0102030405060708"), ("0102", "0102030405060708"), ("00", "00")] {
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace}","spanId":"{span}"}}]}}]}}]}}"#
        );
        let answer = post(house.rig.grpc, &[JSON_TYPE], json.as_bytes()).await;
        assert_eq!(answer.status, 200);
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(said["partialSuccess"]["rejectedSpans"], "1", "{trace} {span}: {said}");
    }
    assert_eq!(house.refused(), 6);
    look_through(house.view());
    house.assert_well().await;
}

#[tokio::test]
async fn terminal_escapes_anywhere_are_shown_and_never_sent() {
    const HOSTILE: &str =
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\r\n\t\u{0}\u{7f}\u{90}q\u{9c}\u{1b}P\u{1b}\\end";
    let attributes = |value: Value| {
        vec![Attribute { key: HOSTILE.into(), value }, Attribute { key: "db.statement".into(), value: text(HOSTILE) }]
    };
    let resource = tracefall::model::Resource {
        attributes: vec![Attribute { key: "service.name".into(), value: text(HOSTILE) }],
        ..tracefall::model::Resource::default()
    };
    let raw =
        Value::Text(HOSTILE.as_bytes().iter().copied().chain([0xff, 0xfe, 0x9b, b'm']).collect::<Vec<u8>>().into());
    let hostile = Span {
        name: HOSTILE.into(),
        trace_state: HOSTILE.into(),
        status: tracefall::model::Status { code: tracefall::model::StatusCode::ERROR, message: HOSTILE.into() },
        attributes: [attributes(text(HOSTILE)), attributes(Value::Array(vec![text(HOSTILE), raw]))].concat(),
        events: vec![Event { name: HOSTILE.into(), attributes: attributes(text(HOSTILE)), ..Event::default() }],
        links: vec![Link { trace_state: HOSTILE.into(), attributes: attributes(text(HOSTILE)), ..Link::default() }],
        resource: std::sync::Arc::new(resource),
        ..span(1, Some(0))
    };
    for mut person in kept_and_shown(&[span(0, None), hostile]).await {
        person.press("j j d 1 / 'service= tab enter");
        assert!(person.text().contains("work"), "{}", person.text());
    }
}

#[tokio::test]
async fn retries_and_contradictions_are_counted_and_change_nothing() {
    let house = House::open();
    let spans: Vec<Span> = (0..50).map(|number| span(number, number.checked_sub(1))).collect();
    for _ in 0..20 {
        take(&house, &spans).await;
    }
    let stats = house.view().stats().clone();
    assert_eq!((stats.spans, stats.duplicates), (50, 950));
    // The same span with another end: the later one counts, whichever comes first.
    let later = Span { end: START.plus(Nanos::from_secs(9)), ..span(7, Some(6)) };
    take(&house, std::slice::from_ref(&later)).await;
    take(&house, &[span(7, Some(6))]).await;
    let kept = house.view().span(TRACE, later.key()).unwrap();
    assert_eq!(kept.end, later.end);
    assert_eq!(trace(&house).spans.len(), 50);
    look_through(house.view());
    house.assert_well().await;
}

//! What is counted and kept up to date off the drawing thread, against the plain way to do it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not there fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tracefall::analysis::TraceNotes;
use tracefall::app::work::{self, ListRequest, Tail, ValuesRequest};
use tracefall::app::{Answer, Sort, ValueRow, Values};
use tracefall::index::{Options, Sealing, View, open};
use tracefall::model::{
    Attribute, Kind, Nanos, Resource, SourceId, Span, SpanId, Status, StatusCode, Timestamp, TraceId, Value,
};
use tracefall::otlp::encode;
use tracefall::query::{Query, parse};

const START: u64 = 1_800_000_000_000_000_000;

fn attribute(key: &str, value: Value) -> Attribute {
    Attribute { key: key.into(), value }
}

fn some_span() -> impl Strategy<Value = Span> {
    let value = prop_oneof![
        (0_i64..4).prop_map(Value::Int),
        "[ab]{1,2}".prop_map(|text| Value::Text(text.as_str().into())),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Array(vec![Value::Int(1)])),
    ];
    let attributes = prop::option::of(value).prop_map(|value| value.map(|value| attribute("k", value)));
    (1_u8..12, 1_u8..20, prop::option::of(1_u8..20), 0_u64..5_000, 0..3, "[xy]", "[pq]", attributes).prop_map(
        |(trace, id, parent, millis, status, name, service, own)| {
            let start = Timestamp(START + u64::from(id) * 1_000_000);
            let resource = Resource {
                attributes: vec![attribute("service.name", Value::Text(service.as_str().into()))],
                ..Resource::default()
            };
            Span {
                trace_id: TraceId([trace; 16]),
                span_id: SpanId([id; 8]),
                parent_id: parent.filter(|parent| *parent < id).map(|parent| SpanId([parent; 8])),
                name: name.as_str().into(),
                kind: if id % 3 == 0 { Kind::SERVER } else { Kind::CLIENT },
                start,
                end: start.plus(Nanos::from_millis(millis)),
                status: Status { code: StatusCode(status), message: "".into() },
                attributes: own.into_iter().collect(),
                resource: Arc::new(resource),
                ..Span::default()
            }
        },
    )
}

const FILTERS: [&str; 9] = [
    "error=true",
    "-name=x",
    "none.error=true",
    "root.kind=server",
    "service=p kind=client",
    "k>1",
    "{ status = error } | count() > 1",
    "{ kind = client } >> { status = error }",
    "traceDuration>2s",
];

fn rows(answer: Answer) -> Vec<(TraceId, u32)> {
    match answer {
        Answer::Listed { rows, partial: false, .. } => rows.iter().map(|row| (row.trace, row.matched)).collect(),
        other => panic!("{other:?}"),
    }
}

fn request(query: &Query, now: Timestamp) -> ListRequest<'_> {
    ListRequest { generation: 1, query, sort: Sort::default(), buckets: 10, heat: None, now }
}

fn values(view: &View, key: &str, filter: &str) -> Values {
    let query = parse(filter).unwrap();
    let request = ValuesRequest { generation: 1, key, query: &query, now: Timestamp(START) };
    match work::values(view, &request, &|| false) {
        Some(Answer::Values { values, .. }) => (*values).clone(),
        other => panic!("{other:?}"),
    }
}

/// The same by reading every span.
fn plainly(view: &View, key: &str, filter: &str) -> Vec<ValueRow> {
    let query = parse(filter).unwrap();
    let mut found: BTreeMap<String, (u64, u64, Vec<u64>)> = BTreeMap::new();
    for (trace, _) in rows(work::list(view, &request(&query, Timestamp(START)), &|| false)) {
        for lean in view.trace(trace).unwrap().spans {
            let span = view.span(trace, lean.key).unwrap();
            let value = match key {
                "name" => Some(Value::Text(span.name.clone())),
                "service.name" => span.resource.attributes.first().map(|own| own.value.clone()),
                _ => span.attributes.iter().find(|own| own.key == *key).map(|own| own.value.clone()),
            };
            let text = match value {
                Some(Value::Text(text)) => text.lossy().into_owned(),
                Some(Value::Int(number)) => number.to_string(),
                Some(Value::Bool(truth)) => truth.to_string(),
                _ => continue,
            };
            let (spans, errors, durations) = found.entry(text).or_default();
            *spans += 1;
            *errors += u64::from(span.status.code == StatusCode::ERROR);
            durations.push(span.end.since(span.start).0);
        }
    }
    let row = |(value, (spans, errors, mut durations)): (String, (u64, u64, Vec<u64>))| {
        durations.sort_unstable();
        let p95 = Nanos(durations[(durations.len() * 95).div_ceil(100) - 1]);
        ValueRow { value, spans, errors, p95 }
    };
    let mut rows: Vec<ValueRow> = found.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.spans));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_list_that_is_kept_up_to_date_is_the_list_that_is_searched_anew(
        bodies in prop::collection::vec(prop::collection::vec(some_span(), 1..12), 1..8),
        which in 0..FILTERS.len(),
    ) {
        let query = parse(FILTERS[which]).unwrap();
        for sealing in [Sealing::Never, Sealing::Inline(3)] {
            let (mut writer, reader) = open(Options { budget: 64 << 20, sealing }, TraceNotes::default());
            let mut tail = Tail::default();
            for (step, body) in (0..).zip(&bodies) {
                let now = Timestamp(START + step * 1_000_000_000);
                writer.insert_spans(SourceId(0), &encode::spans(body), now).unwrap();
                writer.publish();
                let view = reader.view();
                let request = request(&query, now);
                let kept = rows(tail.list(&view, &request, &|| false, &mut |_| ()));
                prop_assert_eq!(kept, rows(work::list(&view, &request, &|| false)), "{}", query);
            }
        }
    }

    #[test]
    fn values_are_counted_as_by_reading_every_span(
        body in prop::collection::vec(some_span(), 1..60),
        which in 0..FILTERS.len() + 1,
    ) {
        for sealing in [Sealing::Never, Sealing::Inline(3)] {
            let (mut writer, reader) = open(Options { budget: 64 << 20, sealing }, TraceNotes::default());
            for part in body.chunks(7) {
                writer.insert_spans(SourceId(0), &encode::spans(part), Timestamp(START)).unwrap();
                writer.publish();
            }
            let view = reader.view();
            let filter = FILTERS.get(which).copied().unwrap_or("");
            for key in ["k", "name", "service.name", "nobody"] {
                let counted = values(&view, key, filter);
                prop_assert_eq!(counted.others, None);
                prop_assert_eq!(counted.rows, plainly(&view, key, filter), "{} under {}", key, filter);
            }
        }
    }
}

#[test]
fn many_values_are_summed_up_beyond_the_first_thousand() {
    let (mut writer, reader) = open(Options { budget: 256 << 20, sealing: Sealing::Inline(3) }, TraceNotes::default());
    for part in 0..60_u64 {
        let span = |number: u64| Span {
            trace_id: TraceId((u128::from(part) + 1).to_be_bytes()),
            span_id: SpanId((number + 1).to_be_bytes()),
            name: "x".into(),
            start: Timestamp(START),
            end: Timestamp(START + number),
            attributes: vec![attribute("user.id", Value::Text(format!("u{}", part * 500 + number).as_str().into()))],
            ..Span::default()
        };
        let body: Vec<Span> = (0..500).map(span).collect();
        writer.insert_spans(SourceId(0), &encode::spans(&body), Timestamp(START)).unwrap();
        writer.publish();
    }
    let values = values(&reader.view(), "user.id", "");
    let others = values.others.unwrap();
    assert_eq!((values.rows.len(), values.rows[0].spans, others.spans), (1_000, 1, 29_000));
}

#[test]
fn of_a_new_filter_the_newest_matches_come_first_and_the_rest_follows() {
    let (mut writer, reader) = open(Options { budget: 256 << 20, sealing: Sealing::Inline(3) }, TraceNotes::default());
    for trace in 0..600_u64 {
        let span = |number: u64| Span {
            trace_id: TraceId((u128::from(trace) + 1).to_be_bytes()),
            span_id: SpanId((number + 1).to_be_bytes()),
            name: "x".into(),
            start: Timestamp(START),
            end: Timestamp(START + number),
            attributes: vec![attribute("k", Value::Int(1))],
            ..Span::default()
        };
        let body: Vec<Span> = (0..100).map(span).collect();
        writer.insert_spans(SourceId(0), &encode::spans(&body), Timestamp(START + trace)).unwrap();
        writer.publish();
    }
    let (view, query, mut tail) = (reader.view(), parse("k=1").unwrap(), Tail::default());
    let request = request(&query, Timestamp(START));
    let mut parts = Vec::new();
    let all = rows(tail.list(&view, &request, &|| false, &mut |answer| parts.push(answer)));
    assert_eq!(all.len(), 600);
    assert!(!parts.is_empty());
    // A screen that is told of every page has no time to draw.
    assert!(parts.len() <= 10, "{}", parts.len());
    for part in parts {
        let Answer::Listed { rows, partial: true, .. } = part else { panic!("not a part") };
        let traces: Vec<_> = rows.iter().map(|row| row.trace).collect();
        let newest: Vec<_> = all.iter().take(rows.len()).map(|(trace, _)| *trace).collect();
        assert_eq!(traces, newest);
    }
    let again = rows(tail.list(&view, &request, &|| false, &mut |_| panic!("it was found before")));
    assert_eq!(again, all);
}

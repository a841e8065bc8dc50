use std::fmt::Debug;

use super::keep::{Digest, Survey};
use super::*;
use crate::analysis::{Thresholds, TraceNotes};
use crate::app::{Basis, Highlighted, MarkReason, Surveyed, TimeMark};
use crate::index::{Options, View, open};
use crate::model::{Attribute, Kind, Nanos, Resource, SourceId, Span, SpanId, Status, StatusCode, TraceId, Value};
use crate::otlp::encode;

const START: Timestamp = Timestamp(1_763_700_000_000_000_000);
/// More than are read at once.
const TRACES: u64 = 2_500;

/// A request that asks a database and another service, and fails now and then.
fn request(number: u64) -> Vec<Span> {
    let text = |key: &str, value: String| Attribute { key: key.into(), value: Value::Text(value.as_str().into()) };
    let start = START.plus(Nanos::from_millis(number * 10));
    let resource =
        |name: &str| Resource { attributes: vec![text("service.name", name.to_owned())], ..Resource::default() };
    let span = |id: u8, kind: Kind, (from, took): (u64, u64), attributes: Vec<Attribute>| Span {
        trace_id: TraceId(u128::from(number + 1).to_be_bytes()),
        span_id: SpanId([id; 8]),
        parent_id: (id > 1).then_some(SpanId([1; 8])),
        kind,
        name: if id > 1 { "call".into() } else { format!("GET /{}", number % 7).as_str().into() },
        start: start.plus(Nanos::from_millis(from)),
        end: start.plus(Nanos::from_millis(from + took)),
        attributes,
        resource: Arc::new(resource("shop")),
        ..Span::default()
    };
    let statement = format!("SELECT {} FROM orders WHERE id = {number}", ["a", "b", "c"][(number % 3) as usize]);
    let query = || vec![text("db.system", "postgresql".into()), text("db.statement", statement.clone())];
    let call = vec![text("http.method", "GET".into()), text("http.url", format!("http://pay/{}", number % 5))];
    let mut spans = vec![
        span(1, Kind::SERVER, (0, 100 + number % 40), vec![text("user", format!("u{}", number % 11))]),
        span(2, Kind::CLIENT, (1, 2 + number % 30), query()),
        span(3, Kind::CLIENT, (50, 20), call),
    ];
    if number.is_multiple_of(9) {
        spans[2].status = Status { code: StatusCode::ERROR, message: "refused".into() };
    }
    if number % 50 == 3 {
        spans[0].attributes.push(text("error.type", "Timeout".into()));
    }
    if number.is_multiple_of(4) {
        spans.extend((0..6).map(|id| span(10 + id, Kind::CLIENT, (40 + u64::from(id), 1), query())));
    }
    spans
}

fn held(requests: impl Iterator<Item = Vec<Span>>) -> View {
    let (mut writer, reader) = open(Options::new(u64::MAX), TraceNotes::default());
    for request in requests {
        writer.insert_spans(SourceId(0), &encode::spans(&request), START).unwrap();
    }
    writer.publish();
    reader.view()
}

/// What is said in the end, and how often something was said before.
fn surveyed<D: Digest>(
    (view, query): (&View, &Query),
    threads: usize,
    wrap: &dyn Fn(Arc<D::Report>) -> Report,
) -> (String, usize)
where
    D::Report: Debug,
{
    let now = START.plus(Nanos::from_secs(100));
    let view = &view.for_many();
    let means = Means {
        view,
        now,
        thresholds: &Thresholds::default(),
        highlight: &|_, _, _| Highlighted::default(),
        cancelled: &|| false,
    };
    let at = START.plus(Nanos::from_secs(12));
    let mark = TimeMark { at, reason: MarkReason::Person };
    let ask = Arc::new(CompareAsk { basis: Basis::Since(mark, (Timestamp(0), Timestamp(u64::MAX))), root: None });
    let request = SurveyRequest { generation: 1, query, compare: Some(&ask), now };
    let mut survey = Survey::<D>::default();
    survey.threads = Some(threads);
    let mut before = 0;
    let answer = survey.answer(&request, &means, &mut |_| before += 1, wrap);
    let Some(Answer::Surveyed(Surveyed { report, left_out: 0, .. })) = answer else { panic!() };
    (format!("{report:#?}"), before)
}

#[test]
fn several_threads_say_what_one_says() {
    let view = held((0..TRACES).map(request));
    let all = (&view, &Query::default());
    let same = |name: &str, survey: &dyn Fn(usize) -> (String, usize)| {
        let (alone, before) = survey(1);
        let (together, _) = survey(3);
        assert!(before > 1 && alone.len() > 500, "{name}: {before} words before, in the end {alone}");
        assert_eq!(alone, together, "{name}");
    };
    same("sql", &|threads| surveyed::<sql::Statements>(all, threads, &Report::Sql));
    same("errors", &|threads| surveyed::<errors::Failures>(all, threads, &Report::Errors));
    same("services", &|threads| surveyed::<services::Calls>(all, threads, &Report::Services));
    same("compare", &|threads| surveyed::<compare::Sides>(all, threads, &Report::Compare));
    same("findings", &|threads| surveyed::<findings::Findings>(all, threads, &Report::Findings));
}

#[test]
fn a_statement_is_held_against_all_its_calls_whatever_the_filter_finds() {
    let slow = |number: u64| {
        let mut spans = request(number * 3 + 1);
        if number == 77 {
            spans[0].name = "GET /slow".into();
            spans[0].end = spans[0].start.plus(Nanos::from_millis(300));
            spans[1].end = spans[1].start.plus(Nanos::from_millis(95));
        } else {
            spans[1].end = spans[1].start.plus(Nanos::from_millis(2 + number % 5));
        }
        spans.truncate(2);
        spans
    };
    let view = held((0..200).map(slow));
    let findings = |filter: &str| {
        let query = crate::query::parse(filter).unwrap();
        surveyed::<findings::Findings>((&view, &query), 1, &Report::Findings).0
    };
    for filter in ["", "name=\"GET /slow\""] {
        let findings = findings(filter);
        assert!(
            findings.contains("of the 200 calls held half take up to 4 ms, 95 % up to 6 ms"),
            "{filter}: {findings}"
        );
    }
}

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::analysis::Thresholds;
use crate::model::{Kind, SpanId, StatusCode, Trace, TraceSpan};

fn key(id: u64, kind: Kind) -> SpanKey {
    SpanKey { id: SpanId(id.to_be_bytes()), kind }
}

fn span(id: u64, parent: u64, label: &str, (start, took): (u64, u64)) -> TraceSpan {
    let sql = label.starts_with(char::is_uppercase) && label.contains(' ') && !label.starts_with("GET");
    TraceSpan {
        key: key(id, if sql { Kind::CLIENT } else { Kind::SERVER }),
        parent_id: (parent > 0).then(|| SpanId(parent.to_be_bytes())),
        start: Timestamp(start * 1_000_000),
        end: Timestamp((start + took) * 1_000_000),
        service: "hmis".into(),
        name: label.into(),
        label: label.into(),
        category: if sql { Category::Sql } else { Category::Other },
        ..TraceSpan::default()
    }
}

fn id(number: u128) -> TraceId {
    TraceId(number.to_be_bytes())
}

/// Traces of one route that run one statement each, at these moments and for so long (ms).
fn calls(times: &[(u64, u64)]) -> Statements {
    let names = Mutex::<Names>::default();
    let digests: Vec<_> = (1_u128..)
        .zip(times)
        .map(|(trace, (start, took))| {
            let spans = vec![
                span(1, 0, "GET /patients/{id}", (*start, took + 2)),
                span(2, 1, "find_patient", (start + 1, *took)),
                span(3, 2, &format!("SELECT * FROM patients WHERE id = {trace}"), (start + 1, *took)),
            ];
            let trace = Arc::new(Trace { id: id(trace), spans, ..Trace::default() });
            let mut system = |_| Said { system: Some("postgresql".into()), ..Said::default() };
            (trace.id, digest(&trace, &Thresholds::default(), &names, &mut system).unwrap())
        })
        .collect();
    sum(digests.iter().map(|(trace, digest)| (*trace, digest)), &names.into_inner().unwrap())
}

#[test]
fn calls_with_other_values_are_one_row_with_exact_figures() {
    let all = calls(&(1..=200).map(|call| (call * 10, call)).collect::<Vec<_>>());
    assert_eq!((all.rows.len(), all.calls, all.traces, all.statements), (1, 200, 200, 1));
    let row = &all.rows[0];
    assert_eq!((&*row.text, &*row.system), ("SELECT * FROM patients WHERE id = ?", "postgresql"));
    let millis = Nanos::from_millis;
    assert_eq!((row.p50, row.p95, row.max, row.total), (millis(100), millis(190), millis(200), millis(20_100)));
    assert_eq!(row.callers, [("find_patient".into(), 200)]);
    assert_eq!(row.routes, [("GET /patients/{id}".into(), 200)]);
    assert_eq!(row.services, [("hmis".into(), 200)]);
    assert_eq!(row.examples.len(), MOST_EXAMPLES);
    assert_eq!(row.examples[0].duration, millis(200));
    assert_eq!(row.over_time.len(), 32);
    assert_eq!(row.over_time[31], Some(millis(200)));
    assert!((row.calls_a_trace() - 1.0).abs() < f64::EPSILON && (row.share_of(all.total) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn many_calls_one_after_the_other_below_one_parent_are_marked_and_side_by_side_they_are_not() {
    // The one that failed is not counted, as in the finding.
    // Those side by side may be one call recorded twice: it is asked who wrote them.
    for (step, expected, looks) in [(10, Some((1, 5)), 1), (0, None, 3)] {
        let mut spans = vec![span(1, 0, "GET /all", (0, 100))];
        spans.extend(
            (0..6).map(|call| span(2 + call, 1, &format!("SELECT a FROM b WHERE c = {call}"), (1 + call * step, 9))),
        );
        spans[3].status = StatusCode::ERROR;
        spans[4].remark = "3 rows".into();
        spans[5].remark = "1 row".into();
        let trace = Arc::new(Trace { id: id(1), spans, ..Trace::default() });
        let names = Mutex::<Names>::default();
        let mut asked = 0;
        let digest = digest(&trace, &Thresholds::default(), &names, &mut |_| {
            asked += 1;
            Said::default()
        });
        let digest = digest.unwrap();
        assert_eq!((digest.calls(), asked), (6, looks));
        let all = sum([(trace.id, &digest)].into_iter(), &names.into_inner().unwrap());
        let row = &all.rows[0];
        assert_eq!((row.repeated, row.errors, row.rows), (expected, 1, Some(4)));
    }
}

/// A mapper's calls with the driver's below or beside them, written by these libraries, and what is counted.
fn recorded_twice(spans: Vec<TraceSpan>, libraries: [Option<&str>; 2]) -> Statements {
    let trace = Arc::new(Trace { id: id(1), spans, ..Trace::default() });
    let names = Mutex::<Names>::default();
    let digest = digest(&trace, &Thresholds::default(), &names, &mut |span| {
        let driver = span.id.0[7] % 2 == 1;
        let system = driver.then(|| "postgresql".into());
        Said { system, library: libraries[usize::from(driver)].map(str::to_owned) }
    });
    sum([(trace.id, &digest.unwrap())].into_iter(), &names.into_inner().unwrap())
}

#[test]
fn a_call_that_mapper_and_driver_recorded_counts_once() {
    let select = "SELECT a FROM b WHERE c = 1";
    let root = || span(1, 0, "GET /all", (0, 100));
    let libraries = [Some("sqlalchemy"), Some("psycopg2")];
    let below = vec![root(), span(2, 1, select, (1, 20)), span(3, 2, select, (2, 17))];
    let beside = vec![root(), span(2, 1, select, (1, 20)), span(3, 1, select, (2, 17))];
    for mut spans in [below.clone(), beside.clone()] {
        (spans[2].remark, spans[2].status) = ("4 rows".into(), StatusCode::ERROR);
        let all = recorded_twice(spans, libraries);
        let row = &all.rows[0];
        assert_eq!((all.rows.len(), all.calls, all.total), (1, 1, Nanos::from_millis(20)));
        assert_eq!((row.calls, row.total, row.rows, row.errors), (1, Nanos::from_millis(20), Some(4), 1));
        assert_eq!((&*row.system, row.examples[0].span.id), ("postgresql", key(2, Kind::CLIENT).id));
    }
    // Of one library, or of nobody knows which, two calls at once are two; and so are two one after the other.
    for libraries in [[Some("pg"); 2], [None; 2]] {
        assert_eq!(recorded_twice(beside.clone(), libraries).calls, 2);
    }
    let after = vec![root(), span(2, 1, select, (1, 20)), span(3, 1, select, (30, 20))];
    assert_eq!(recorded_twice(after, libraries).calls, 2);
    // Within another statement it is a call of its own, but its time is not spent twice.
    let other = vec![root(), span(2, 1, "CALL report(1)", (1, 20)), span(3, 2, select, (2, 17))];
    let all = recorded_twice(other, libraries);
    assert_eq!((all.rows.len(), all.calls, all.total), (2, 2, Nanos::from_millis(20)));
}

#[test]
fn a_trace_without_database_calls_adds_nothing() {
    let trace = Arc::new(Trace { id: id(1), spans: vec![span(1, 0, "GET /", (0, 1))], ..Trace::default() });
    assert_eq!(digest(&trace, &Thresholds::default(), &Mutex::default(), &mut |_| Said::default()), None);
    assert_eq!(sum(std::iter::empty(), &Names::default()), Statements::default());
}

#[test]
fn slower_than_its_own_past_is_said_with_the_moment_and_chance_is_not() {
    let changed: Vec<_> =
        (0..240).map(|call| (call * 10, if call < 160 { 20 + call % 7 } else { 900 + call % 7 })).collect();
    let slower = calls(&changed).rows[0].slower.unwrap();
    assert_eq!((slower.before, slower.now), (Nanos::from_millis(26), Nanos::from_millis(906)));
    assert_eq!(slower.since, Timestamp(1_601 * 1_000_000));
    // A few slow calls from time to time, faster calls, and too few calls.
    let even: Vec<_> = (0..240).map(|call| (call * 10, if call % 17 == 0 { 900 } else { 20 })).collect();
    assert_eq!(calls(&even).rows[0].slower, None);
    let faster: Vec<_> = changed.iter().rev().zip(0..).map(|((_, took), at)| (at * 10, *took)).collect();
    assert_eq!(calls(&faster).rows[0].slower, None);
    assert_eq!(calls(&changed[150..170]).rows[0].slower, None);
}

proptest! {
    #[test]
    fn the_order_of_traces_changes_nothing_and_nothing_is_lost(
        times in prop::collection::vec((0_u64..500, 0_u64..50), 1..40), turn in 0_usize..40,
    ) {
        let all = calls(&times);
        prop_assert_eq!(all.calls, times.len() as u64);
        prop_assert_eq!(all.rows.iter().map(|row| row.total.0).sum::<u64>(), all.total.0);
        let mut turned = times.clone();
        let places = turned.len();
        turned.rotate_left(turn % places);
        let turned = calls(&turned);
        let figures = |all: &Statements| {
            let row = &all.rows[0];
            (row.p50, row.p95, row.max, row.slower, row.over_time.clone(), row.total)
        };
        prop_assert_eq!(figures(&turned), figures(&all));
    }
}

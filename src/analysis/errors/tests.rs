//! What failures are found in traces written by hand, and the laws of groups.

use super::{Evidence, Failure, failures, report};
use crate::analysis::tests::{analysed, failed, id, millis, of_kind, span};
use crate::model::{Attribute, Event, Kind, LogRecord, Span, SpanKey, Status, StatusCode, TraceId, TraceSpan, Value};

fn text(key: &str, value: &str) -> Attribute {
    Attribute { key: key.into(), value: Value::Text(value.into()) }
}

fn exception(kind: &str, message: &str, stack: &str) -> Event {
    let attributes =
        vec![text("exception.type", kind), text("exception.message", message), text("exception.stacktrace", stack)];
    Event { name: "exception".into(), attributes, ..Event::default() }
}

/// The whole span of a lean one, with these events and attributes.
fn whole(lean: &TraceSpan, events: &[Event], attributes: &[Attribute]) -> Span {
    Span {
        span_id: lean.key.id,
        kind: lean.key.kind,
        parent_id: lean.parent_id,
        start: lean.start,
        end: lean.end,
        status: Status { code: lean.status, ..Status::default() },
        events: events.to_vec(),
        attributes: attributes.to_vec(),
        ..Span::default()
    }
}

fn judged(spans: Vec<(TraceSpan, Vec<Event>, Vec<Attribute>)>, logs: &[LogRecord]) -> Vec<Failure> {
    let wholes: Vec<Span> = spans.iter().map(|(lean, events, more)| whole(lean, events, more)).collect();
    failures(&analysed(spans.into_iter().map(|(lean, ..)| lean).collect()), &wholes, logs)
}

fn log(span: u64, severity: i32, body: &str, attributes: Vec<Attribute>) -> LogRecord {
    let (body, span_id) = (Value::Text(body.into()), Some(id(span)));
    LogRecord { severity, body, span_id, attributes, time: millis(1), ..LogRecord::default() }
}

/// Moments in milliseconds at which the caller throws, and what its other call does: whether its exception is only another name of
/// what the call below it failed with.
#[test]
fn an_exception_that_only_wraps_the_failing_call_counts_with_it() {
    let at = |millis_: u64, kind: &str| Event { time: millis(millis_), ..exception(kind, "no answer", "") };
    let cases: [(&str, u64, Option<TraceSpan>, usize); 5] = [
        ("right after the call failed", 81, None, 1),
        ("as a coarse clock sees it", 80, None, 1),
        ("while it still ran", 40, None, 2),
        ("after another call went well", 95, Some(span(4, 1, 82, 90)), 2),
        ("while another call went on", 81, Some(span(4, 1, 10, 90)), 1),
    ];
    for (what, thrown, other, expected) in cases {
        let mut spans = vec![
            (failed(of_kind(Kind::SERVER, span(1, 0, 0, 100))), vec![at(thrown, "Unavailable")], vec![]),
            (failed(of_kind(Kind::CLIENT, span(2, 1, 20, 80))), vec![at(80, "Refused")], vec![]),
        ];
        spans.extend(other.map(|other| (other, vec![], vec![])));
        let found = judged(spans, &[]);
        assert_eq!(found.len(), expected, "{what}: {found:?}");
        assert_eq!(&*found[0].key.kind, "Refused", "{what}");
    }
}

#[test]
fn an_exception_that_is_passed_on_counts_once_with_the_span_that_failed_first() {
    let no_row = || vec![exception("db.NoRow", "no row 17", "")];
    let found = judged(
        vec![
            (failed(of_kind(Kind::SERVER, span(1, 0, 0, 100))), vec![], vec![]),
            (span(2, 1, 10, 90), vec![exception("NoRow", "no row 17", "")], vec![]),
            (failed(span(3, 2, 20, 80)), no_row(), vec![]),
            // Another one, beside, of its own.
            (failed(span(4, 1, 91, 95)), vec![exception("Timeout", "30 s", "")], vec![]),
        ],
        &[],
    );
    let said: Vec<_> = found.iter().map(|one| (&*one.key.kind, one.span, one.passed_on)).collect();
    let key = |number| Some(SpanKey { id: id(number), kind: Kind::INTERNAL });
    // The root says nothing of its own: it passes on what ended last.
    assert_eq!(said, [("db.NoRow", key(3), 1), ("Timeout", key(4), 1)]);
}

#[test]
fn every_way_of_telling_an_error_counts_and_says_what_it_is() {
    let code = |key: &str, code: i64| Attribute { key: key.into(), value: Value::Int(code) };
    let found = judged(
        vec![
            (span(1, 0, 0, 100), vec![], vec![]),
            (failed(span(2, 1, 1, 2)), vec![], vec![text("error.type", "timeout")]),
            (span(3, 1, 3, 4), vec![exception("A", "a", "")], vec![]),
            (span(4, 1, 5, 6), vec![], vec![text("exception.message", "b")]),
            (span(5, 1, 7, 8), vec![], vec![code("http.response.status_code", 503)]),
            (span(6, 1, 9, 10), vec![], vec![code("http.status_code", 404), text("error.type", "404")]),
            (TraceSpan { status: StatusCode::OK, ..span(7, 1, 11, 12) }, vec![exception("Handled", "x", "")], vec![]),
            (span(8, 1, 13, 14), vec![], vec![Attribute { key: "error".into(), value: Value::Bool(true) }]),
            (span(9, 1, 15, 16), vec![], vec![text("error", "false")]),
        ],
        &[
            log(1, 17, "disk full", vec![]),
            log(1, 13, "a warning", vec![]),
            log(1, 9, "retrying", vec![text("exception.type", "Lost")]),
            log(3, 17, "the span of it failed", vec![]),
            log(1, 17, "told again", vec![text("exception.type", "A"), text("exception.message", "a")]),
        ],
    );
    let mut said: Vec<_> =
        found.iter().map(|one| (one.evidence, &*one.key.kind, &*one.key.pattern, one.logs)).collect();
    said.sort();
    assert_eq!(
        said,
        [
            (Evidence::Status, "timeout", "", 0),
            (Evidence::Event, "A", "a", 2),
            (Evidence::Attribute, "", "", 0),
            (Evidence::Attribute, "", "b", 0),
            (Evidence::Attribute, "HTTP 503", "", 0),
            (Evidence::Log, "", "disk full", 0),
            (Evidence::Log, "Lost", "retrying", 0),
        ]
    );
}

#[test]
fn a_bare_failure_gets_the_name_of_the_exception_above_it_and_a_cause_in_a_stack_is_not_counted_again() {
    let wraps =
        exception("Wrapped", "cannot load", "Wrapped: cannot load\nCaused by: NoRow: no row\n at a.B.c(B.java:1)");
    let found = judged(
        vec![
            (failed(span(1, 0, 0, 100)), vec![wraps], vec![]),
            (failed(span(2, 1, 10, 90)), vec![exception("NoRow", "no row", "at a.B.c(B.java:1)")], vec![]),
            (failed(of_kind(Kind::CLIENT, span(3, 2, 20, 80))), vec![], vec![]),
        ],
        &[],
    );
    assert_eq!(found.len(), 1);
    let key = &found[0].key;
    assert_eq!((&*key.kind, &*key.operation, &*key.place, found[0].passed_on), ("NoRow", "span 3", "B.java B.c", 2));
}

#[test]
fn a_consumer_does_not_fail_its_producer_and_equal_siblings_are_failures_of_their_own() {
    let busy = || vec![exception("Busy", "try later", "at a.B.c(B.java:1)")];
    let named = |number, from| TraceSpan { name: "call".into(), ..failed(span(number, 1, from, from + 1)) };
    let found = judged(
        vec![
            (failed(of_kind(Kind::PRODUCER, span(1, 0, 0, 100))), vec![], vec![]),
            (failed(of_kind(Kind::CONSUMER, span(2, 1, 50, 90))), vec![exception("Sour", "milk", "")], vec![]),
            (named(3, 10), busy(), vec![]),
            (named(4, 20), busy(), vec![]),
        ],
        &[],
    );
    let mut said: Vec<_> = found.iter().map(|one| (&*one.key.kind, one.passed_on)).collect();
    said.sort_unstable();
    assert_eq!(said, [("Busy", 0), ("Busy", 1), ("Sour", 0)]);
}

#[test]
fn a_wide_and_a_deep_trace_of_failures_are_read_in_good_time() {
    let deep = (1..5_000).map(|at| (failed(span(at, at - 1, at, 20_000 - at)), vec![], vec![])).collect();
    let found = judged(deep, &[]);
    assert_eq!((found.len(), found[0].passed_on), (1, 4_998));
    let boom = |at: u64| vec![exception("Boom", &format!("number {at}"), "")];
    let wide = (1..5_000).map(|at| (failed(span(at, u64::from(at > 1), at, 20_000)), boom(at), vec![])).collect();
    let found = judged(wide, &[]);
    // The root's is another name of the last one's.
    assert_eq!(found.len(), 4_998);
    let report = report(std::iter::once((TraceId([1; 16]), found.as_slice())));
    assert_eq!(report.groups.len(), 4_998);
}

proptest::proptest! {
    #[test]
    fn groups_hold_every_failure_whatever_the_order_of_traces(
        parts in proptest::collection::vec(proptest::collection::vec((0..9_u64, 0..3_usize, 0..50_u64), 0..6), 0..6),
    ) {
        let trace = |spans: &Vec<(u64, usize, u64)>| {
            let made = spans.iter().zip(1..).map(|((parent, what, from), number)| {
                let lean = failed(span(number, (*parent).min(number - 1), *from, from + 5));
                let event = exception(["A", "B", "C"][*what], &format!("broke {from}"), "");
                (lean, vec![event], vec![])
            });
            judged(made.collect(), &[])
        };
        let found: Vec<(TraceId, Vec<Failure>)> =
            parts.iter().zip(1_u8..).map(|(spans, number)| (TraceId([number; 16]), trace(spans))).collect();
        let whole = report(found.iter().map(|(id, failures)| (*id, failures.as_slice())));
        let back = report(found.iter().rev().map(|(id, failures)| (*id, failures.as_slice())));
        proptest::prop_assert_eq!(&whole, &back);
        proptest::prop_assert_eq!(whole.errors, whole.groups.iter().map(|group| group.count).sum::<u64>());
        proptest::prop_assert_eq!(whole.errors, whole.groups.iter().flat_map(|group| &group.trend).map(|n| u64::from(*n)).sum::<u64>());
        let told: u64 = whole.groups.iter().map(|group| group.count + group.passed_on).sum();
        proptest::prop_assert_eq!(told, parts.iter().map(|spans| spans.len() as u64).sum::<u64>());
    }
}

/// The cache that could not be reached was done without; 150 ms later something else went wrong.
#[test]
fn an_exception_is_not_the_name_of_a_failure_that_was_overcome_below() {
    let late = |message: &str| Event { time: millis(190), ..exception("KeyError", message, "") };
    let judged = |message: &str| {
        judged(
            vec![
                (failed(of_kind(Kind::SERVER, span(1, 0, 0, 200))), vec![late(message)], vec![]),
                (span(2, 1, 10, 40), vec![], vec![]),
                (failed(of_kind(Kind::CLIENT, span(3, 2, 15, 30))), vec![], vec![text("error.type", "Refused")]),
            ],
            &[],
        )
    };
    let kinds = |found: &[Failure]| found.iter().map(|one| one.key.kind.to_string()).collect::<Vec<_>>();
    assert_eq!(kinds(&judged("'total'")), ["Refused", "KeyError"]);
    // One that speaks of it is the same.
    assert_eq!(kinds(&judged("Refused by the cache")), ["KeyError"]);
}

#[test]
fn a_call_that_was_cancelled_is_counted_with_the_caller_that_lost_patience() {
    let found = judged(
        vec![
            (failed(of_kind(Kind::SERVER, span(1, 0, 0, 110))), vec![], vec![]),
            (failed(of_kind(Kind::CLIENT, span(2, 1, 10, 100))), vec![], vec![text("error.type", "DEADLINE_EXCEEDED")]),
            (failed(of_kind(Kind::SERVER, span(3, 2, 11, 101))), vec![], vec![text("error.type", "CANCELLED")]),
        ],
        &[],
    );
    let said: Vec<_> = found.iter().map(|one| (&*one.key.kind, one.span.map(|key| key.id), one.passed_on)).collect();
    assert_eq!(said, [("DEADLINE_EXCEEDED", Some(id(2)), 2)]);
}

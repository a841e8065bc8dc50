//! Trees of traces written by hand.

use super::{analysed, failed, id, millis, of_kind, span, sql};
use crate::analysis::slow_sql::Slow;
use crate::analysis::{Analysis, Clause, Says, Subject, Verdict};
use crate::model::{Kind, Nanos, StatusCode, Timestamp, TraceSpan};

/// The tree as text: one node a line, `?` for a missing parent, `*` where a cycle was cut.
fn drawn(analysis: &Analysis) -> Vec<String> {
    let line = |index: &u32| {
        let node = &analysis.nodes[*index as usize];
        let name = match node.subject {
            Subject::Span(span) => {
                let span = &analysis.trace.spans[span as usize];
                format!("{}{}", span.key.id.0[7], if node.cycle { "*" } else { "" })
            }
            Subject::Missing(id) => format!("{}?", id.0[7]),
        };
        format!("{}{name}", "  ".repeat(node.depth as usize))
    };
    analysis.order.iter().map(line).collect()
}

#[test]
fn children_hang_under_their_parent_in_order_of_start() {
    let analysis = analysed(vec![span(4, 2, 15, 18), span(1, 0, 0, 100), span(3, 1, 50, 60), span(2, 1, 10, 20)]);
    assert_eq!(drawn(&analysis), ["1", "  2", "    4", "  3"]);
    assert_eq!(analysis.nodes[1].descendants, 3);
    assert_eq!((analysis.start, analysis.end), (millis(0), millis(100)));
}

#[test]
fn orphans_wait_under_their_missing_parent() {
    let spans = vec![span(1, 0, 0, 100), span(2, 9, 10, 20), span(3, 9, 15, 30), span(4, 8, 5, 6)];
    let analysis = analysed(spans);
    assert_eq!(drawn(&analysis), ["1", "8?", "  4", "9?", "  2", "  3"]);
    let missing = &analysis.nodes[5];
    assert_eq!((missing.subject, missing.start, missing.end), (Subject::Missing(id(9)), millis(10), millis(30)));
    assert_eq!((missing.descendants, missing.failed, missing.slow), (2, false, None));
}

#[test]
fn the_two_sides_of_one_call_may_share_an_id() {
    let client = of_kind(Kind::CLIENT, span(2, 1, 10, 90));
    let server = of_kind(Kind::SERVER, span(2, 1, 20, 80));
    let analysis = analysed(vec![span(1, 0, 0, 100), client, server, span(3, 2, 30, 40)]);
    assert_eq!(drawn(&analysis), ["1", "  2", "    2", "      3"]);
    assert_eq!(analysis.nodes[2].parent, Some(1));
    assert_eq!(analysis.nodes[3].parent, Some(2));
}

#[test]
fn shared_ids_need_no_parent() {
    let client = of_kind(Kind::CLIENT, span(2, 0, 10, 90));
    let server = of_kind(Kind::SERVER, span(2, 0, 20, 80));
    assert_eq!(drawn(&analysed(vec![server, client])), ["2", "  2"]);
}

#[test]
fn cycles_are_cut_at_their_earliest_span() {
    let circle = vec![span(3, 2, 30, 40), span(1, 3, 10, 90), span(2, 1, 20, 50), span(4, 3, 31, 32)];
    assert_eq!(drawn(&analysed(circle)), ["1*", "  2", "    3", "      4"]);
    assert_eq!(drawn(&analysed(vec![span(1, 1, 0, 5), span(2, 1, 1, 2)])), ["1*", "  2"]);
    let (one, other) = (of_kind(Kind::CLIENT, span(1, 1, 0, 5)), of_kind(Kind::SERVER, span(1, 1, 1, 4)));
    assert_eq!(drawn(&analysed(vec![other, one])), ["1*", "  1"]);
}

#[test]
fn odd_times_are_drawn_without_length() {
    let without = |start, end, span| TraceSpan { start, end, ..span };
    let spans = vec![
        span(1, 0, 10, 100),
        span(2, 1, 50, 20),
        without(Timestamp(0), millis(70), span(3, 1, 0, 0)),
        without(Timestamp(0), Timestamp(0), span(4, 3, 0, 0)),
        without(millis(60), Timestamp(0), span(5, 1, 0, 0)),
    ];
    let analysis = analysed(spans);
    let times: Vec<_> = analysis.nodes.iter().map(|node| (node.start, node.end)).collect();
    let expected = [(10, 100), (50, 50), (10, 10), (10, 10), (60, 60)];
    assert_eq!(times, expected.map(|(start, end)| (millis(start), millis(end))));
    assert_eq!((analysis.start, analysis.end), (millis(10), millis(100)));
}

#[test]
fn covered_time_is_the_union_of_the_children_within_the_span() {
    let spans = vec![
        span(1, 0, 100, 200),
        span(2, 1, 90, 120),
        span(3, 1, 110, 130),
        span(4, 1, 150, 160),
        span(5, 1, 190, 300),
    ];
    let analysis = analysed(spans);
    let expected = [(100, 130), (150, 160), (190, 200)].map(|(from, to)| (millis(from), millis(to)));
    assert_eq!(analysis.covered_of(0), expected);
    assert_eq!(analysis.nodes[0].self_time, Nanos::from_millis(50));
}

#[test]
fn the_root_error_is_the_deepest_and_of_those_the_first_to_end() {
    let spans = vec![
        failed(span(1, 0, 0, 100)),
        failed(span(2, 1, 10, 90)),
        failed(span(3, 2, 20, 80)),
        failed(span(4, 2, 30, 40)),
        span(5, 4, 31, 32),
        failed(span(6, 1, 91, 92)),
    ];
    let analysis = analysed(spans);
    assert_eq!(analysis.errors, [0, 1, 2, 3, 5]);
    assert_eq!(analysis.root_error, Some(3));
    assert_eq!((analysis.nodes[0].failed_descendants, analysis.nodes[1].failed_descendants), (4, 2));
    assert_eq!(
        analysis.verdict.loudest(),
        Some(&Clause { node: 3, says: Says::FailedFirst { count: 5, finding: None } })
    );
}

#[test]
fn an_exception_counts_unless_the_span_says_it_is_ok() {
    let thrown = |number, status| TraceSpan { exceptions: 1, status, ..span(number, 1, 10, 20) };
    let spans =
        vec![span(1, 0, 0, 100), thrown(2, StatusCode::UNSET), thrown(3, StatusCode::OK), thrown(4, StatusCode::ERROR)];
    assert_eq!(analysed(spans).errors, [1, 3]);
}

#[test]
fn the_slow_statement_is_found_with_its_share() {
    let spans = vec![
        span(1, 0, 0, 2_310),
        span(2, 1, 30, 1_880),
        sql(3, 2, (36, 1_856), "SELECT * FROM patients WHERE id = $1"),
        sql(4, 1, (1_900, 2_050), "SELECT 1"),
    ];
    let analysis = analysed(spans);
    assert_eq!(analysis.slow, [2, 3]);
    assert_eq!(analysis.nodes[2].slow, Some(Slow::Absolute));
    assert_eq!(analysis.nodes[0].slow_descendants, 2);
    let duration = Nanos::from_millis(1_820);
    assert_eq!(
        analysis.verdict.loudest(),
        Some(&Clause { node: 2, says: Says::SlowSql { duration, percent: 79, count: 2 } })
    );
}

#[test]
fn repetition_is_the_verdict_where_nothing_is_worse() {
    let mut spans = vec![span(1, 0, 0, 700)];
    spans.extend((2..49).map(|n| sql(n, 1, (n * 10, n * 10 + 2), &format!("SELECT a FROM b WHERE id = {n}"))));
    let sum = Nanos::from_millis(94);
    assert_eq!(analysed(spans).verdict.loudest(), Some(&Clause { node: 1, says: Says::Repeated { count: 47, sum } }));
    assert_eq!(analysed(vec![span(1, 0, 0, 700)]).verdict.loudest(), None);
    assert_eq!(analysed(Vec::new()).verdict, Verdict::default());
}

#[test]
fn services_are_counted_most_first() {
    let of = |service: &str, number| TraceSpan { service: service.into(), ..span(number, 0, 1, 2) };
    let analysis = analysed(vec![of("b", 1), of("a", 2), of("c", 3), of("c", 4)]);
    assert_eq!(analysis.services, [("c".into(), 2), ("a".into(), 1), ("b".into(), 1)]);
}

/// As Go's database/sql has it: the span of the rows begins before that of the query ends.
#[test]
fn path_goes_through_a_call_that_ends_a_little_after_the_next_has_begun() {
    let micros = |from: u64, to: u64, span: TraceSpan| TraceSpan {
        start: millis(0).plus(Nanos(from * 1_000)),
        end: millis(0).plus(Nanos(to * 1_000)),
        ..span
    };
    let spans = vec![
        span(1, 0, 0, 402),
        micros(225, 401_900, sql(2, 1, (0, 0), "SELECT 1 FROM t")),
        micros(401_890, 401_960, sql(3, 1, (0, 0), "rows")),
    ];
    let analysis = analysed(spans);
    assert!(analysis.nodes[1].path_self > Nanos::from_millis(401), "{:?}", analysis.path);
    assert!(analysis.nodes[0].path_self < Nanos::from_millis(1));
    // Calls that truly run at the same time are no sequence.
    let analysis = analysed(vec![span(1, 0, 0, 100), span(2, 1, 0, 60), span(3, 1, 50, 100)]);
    assert_eq!([1, 2].map(|node| analysis.nodes[node].path_self), [Nanos::ZERO, Nanos::from_millis(50)]);
}

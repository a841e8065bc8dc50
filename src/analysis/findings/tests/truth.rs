//! What is said is true of the trace, word by word.

use super::*;
use crate::model::{Scope, Span, SpanId, SpanKey, TraceId};

fn why(spans: Vec<TraceSpan>, rule: Rule) -> Vec<String> {
    said(spans).into_iter().filter(|(of, _)| *of == rule).map(|(_, why)| why).collect()
}

/// What a call waited for that a service with another clock recorded is not what nobody recorded.
#[test]
fn call_whose_service_has_another_clock_is_not_said_to_have_waited_for_what_sent_no_spans() {
    let spans = vec![
        served(1, 0, (10_000, 10_100), "GET /a", "200"),
        http(2, 1, (10_010, 10_090), "GET b/x"),
        of_service("b", served(3, 2, (12_020, 12_080), "GET /x", "200")),
    ];
    let expected = "GET b/x waited 80 ms outside of the service it called, 80 % of the critical path";
    assert_eq!(why(spans, Rule::Dominant), [expected]);
}

/// Five of its 80 milliseconds lie before its parent began.
#[test]
fn span_that_nobody_waited_for_all_the_time_is_not_said_to_have_taken_less() {
    let spans = vec![
        served(1, 0, (1_000, 1_100), "GET /a", "200"),
        http(2, 1, (1_010, 1_090), "GET b/x"),
        of_service("b", served(3, 2, (1_005, 1_085), "GET /x", "200")),
    ];
    assert_eq!(why(spans, Rule::Dominant), ["GET /x held the trace up for 75 ms, 75 % of the trace"]);
}

/// The call to `y` ended 20 ms before that to `x`, though it began later.
#[test]
fn what_failed_first_is_what_ended_first_and_what_failed_beside_it_is_told_after() {
    let spans = vec![
        failed(served(1, 0, (0, 200), "GET /m", "500")),
        failed(http(2, 1, (10, 50), "GET x/a")),
        failed(http(3, 1, (15, 30), "GET y/b")),
    ];
    let expected =
        ["GET y/b failed first; 1 span above it failed too", "GET x/a failed too; 1 span above it failed too"];
    assert_eq!(why(spans.clone(), Rule::ErrorRoot), expected);
    // What a called service failed for is its own reason.
    let deeper = failed(of_service("x", served(4, 2, (11, 49), "GET /a", "500")));
    let spans = spans.into_iter().chain([deeper]).collect();
    let expected =
        ["GET y/b failed first; 1 span above it failed too", "GET /a failed too; 2 spans above it failed too"];
    assert_eq!(why(spans, Rule::ErrorRoot), expected);
}

/// Two messages of one trace, each with a failure of its own.
#[test]
fn of_two_units_that_failed_only_the_earliest_is_said_to_have_failed_first() {
    let message = |number: u64, from: u64, what: &str| {
        let worked = Kind::CONSUMER;
        let mut unit = failed(span(number, 1, from, from + 20));
        unit.key.kind = worked;
        vec![unit, failed(http(number + 1, number, (from + 5, from + 15), what))]
    };
    let root = [span(1, 0, 0, 200)];
    for [early, late] in [["GET x/a", "GET y/b"], ["GET y/b", "GET x/a"]] {
        let (one, other) = if early < late { (10, 100) } else { (100, 10) };
        let spans =
            root.iter().cloned().chain(message(2, one, "GET x/a")).chain(message(4, other, "GET y/b")).collect();
        let mut told = why(spans, Rule::ErrorRoot);
        told.sort_by_key(|why| why.contains(" too; "));
        assert_eq!(
            told,
            [
                format!("{early} failed first; 1 span above it failed too"),
                format!("{late} failed too; 1 span above it failed too")
            ]
        );
    }
}

/// The attempts are told of as a retry; what failed inside of them is a part of it.
#[test]
fn failures_within_attempts_that_were_made_again_are_not_told_once_more() {
    let attempt = |number: u64, from: u64| {
        vec![
            failed(http(number, 1, (from, from + 12), "POST bank/charge")),
            failed(of_service("bank", served(number + 1, number, (from + 1, from + 11), "POST /charge", "503"))),
        ]
    };
    let mut spans = vec![served(1, 0, (0, 100), "POST /checkout", "200")];
    spans.extend(attempt(10, 10));
    spans.extend(attempt(20, 40));
    spans.push(http(30, 1, (70, 82), "POST bank/charge"));
    assert!(why(spans.clone(), Rule::Swallowed).is_empty());
    assert_eq!(why(spans, Rule::Retry).len(), 1);
}

/// Its answer may have been another one each time.
#[test]
fn looking_for_work_again_and_again_is_no_duplicate() {
    let jobs = |n: u64| sql(10 + n, 1, (n * 2_000, n * 2_000 + 3), "SELECT * FROM jobs WHERE state = 'new'");
    let spans = std::iter::once(span(1, 0, 0, 60_000)).chain((0..30).map(jobs)).collect();
    assert!(why(spans, Rule::Duplicate).is_empty());
}

/// A call and its service often have one name.
#[test]
fn two_spans_of_one_name_are_told_apart_by_their_services() {
    let rpc = |span: TraceSpan| TraceSpan { category: Category::Rpc, label: "bank.Charge/Do".into(), ..span };
    let spans = vec![
        served(1, 0, (0, 1_100), "GET /to", "200"),
        rpc(of_kind(Kind::CLIENT, span(2, 1, 10, 1_010))),
        rpc(of_service("bank", of_kind(Kind::SERVER, span(3, 2, 15, 3_015)))),
    ];
    let own = spans[1].service.clone();
    let expected = format!(
        "bank.Charge/Do of bank goes on for 2.01 s after bank.Charge/Do of {own} ended: nobody waited for it, or clocks \
         differ"
    );
    assert_eq!(why(spans, Rule::Outlive), [expected]);
}

const ITEMS: &str = "SELECT * FROM items WHERE order_id = 7";

/// Says of each span which library wrote it.
struct Libraries(fn(SpanId) -> &'static str);

impl Evidence for Libraries {
    fn span(&self, key: SpanKey) -> Option<Span> {
        let scope = Scope { name: (self.0)(key.id).into(), ..Scope::default() };
        Some(Span { span_id: key.id, kind: key.kind, scope: Arc::new(scope), ..Span::default() })
    }

    fn sender(&self, _: TraceId, _: SpanId) -> Option<Span> {
        None
    }
}

/// What maps objects on tables and the driver each have a span of every call, one below the other, or both beside each other.
#[test]
fn calls_that_two_libraries_recorded_are_one_loop_and_no_duplicates() {
    let user = "SELECT * FROM users WHERE id = $1";
    let request = |parent_of_inner: fn(u64) -> u64, count: u64, statement: &str| -> Vec<TraceSpan> {
        let pair = |n: u64| {
            let from = 10 + n * 20;
            let outer = sql(100 + n, 1, (from, from + 18), statement);
            [outer, sql(200 + n, parent_of_inner(n), (from + 1, from + 17), statement)]
        };
        std::iter::once(served(1, 0, (0, 400), "GET /o", "200")).chain((0..count).flat_map(pair)).collect()
    };
    let two = Libraries(|id| if id < crate::analysis::tests::id(200) { "mapper" } else { "driver" });
    let one = Libraries(|_| "driver");
    let found = |spans: Vec<TraceSpan>, by: &dyn Evidence| -> Vec<(Rule, usize)> {
        let about = |finding: &Finding| matches!(finding.rule, Rule::NPlusOne | Rule::Scatter | Rule::Duplicate);
        findings(spans, by).into_iter().filter(about).map(|finding| (finding.rule, finding.nodes.len())).collect()
    };
    let below = |n: u64| 100 + n;
    assert_eq!(found(request(below, 6, user), &Nothing), [(Rule::NPlusOne, 6)]);
    assert_eq!(found(request(|_| 1, 6, user), &two), [(Rule::NPlusOne, 6)]);
    assert_eq!(found(request(|_| 1, 6, user), &Nothing), [(Rule::NPlusOne, 6)], "what the statements' screen says");
    assert_eq!(found(request(|_| 1, 6, user), &one), []);
    assert_eq!(found(request(below, 1, ITEMS), &Nothing), []);
    assert_eq!(found(request(|_| 1, 1, ITEMS), &two), []);
    assert_eq!(found(request(|_| 1, 1, ITEMS), &one), [(Rule::Duplicate, 2)]);
}

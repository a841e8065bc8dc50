//! What is said of traces written by hand, and what they would gain.

use super::{analysed, failed, of_kind, span, sql};
use crate::analysis::findings::{Finding, Rule, Severity};
use crate::analysis::{Clause, Gain, Says, foremost, what_if};
use crate::model::{Category, Kind, Nanos, TraceSpan};

/// The clauses about time, as text.
fn times(spans: Vec<TraceSpan>) -> Vec<String> {
    let line = |clause: &Clause| match clause.says {
        Says::Time { work, time, percent } => Some(format!("{work:?} {time} {percent} @{}", clause.node)),
        _ => None,
    };
    analysed(spans).verdict.clauses.iter().filter_map(line).collect()
}

fn call(kind: Kind, category: Category, label: &str, span: TraceSpan) -> TraceSpan {
    TraceSpan { category, label: label.into(), ..of_kind(kind, span) }
}

#[test]
fn the_time_of_the_path_is_told_by_sort_of_work() {
    let http = |kind, span| call(kind, Category::Http, "GET /x", span);
    let redis = |label: &str, span| call(Kind::CLIENT, Category::Database, label, span);
    let spans = vec![
        http(Kind::SERVER, span(1, 0, 0, 1_000)),
        sql(2, 1, (10, 510), "SELECT 1"),
        redis("redis GET a", span(3, 1, 510, 560)),
        redis("mongodb.find", span(4, 1, 560, 570)),
        redis("GET a", span(5, 1, 570, 580)),
        http(Kind::CLIENT, span(6, 1, 600, 750)),
        http(Kind::SERVER, span(7, 6, 620, 700)),
        call(Kind::PRODUCER, Category::Messaging, "send q", span(8, 1, 750, 760)),
        call(Kind::CLIENT, Category::Rpc, "a/B", span(9, 1, 760, 770)),
    ];
    let expected = [
        "Sql 500 ms 50 @1",
        "Unrecorded 230 ms 23 @0",
        "Own 110 ms 11 @6",
        "HttpOut 70 ms 7 @5",
        "Database(Some(\"redis\")) 50 ms 5 @2",
        "Database(Some(\"mongodb\")) 10 ms 1 @3",
        "Database(None) 10 ms 1 @4",
        "Messaging 10 ms 1 @7",
        "Rpc 10 ms 1 @8",
    ];
    assert_eq!(times(spans), expected);
}

/// In the request of 2.3 s the insurance service answers by twelve statements of its own: to the backend that is an answer.
#[test]
fn what_another_service_does_is_waiting_for_its_answer() {
    let of = |service: &str, span: TraceSpan| TraceSpan { service: service.into(), ..span };
    let http = |kind, span| call(kind, Category::Http, "GET /x", span);
    let inner = || {
        vec![
            http(Kind::CLIENT, span(6, 1, 1_900, 2_200)),
            of("insurance", http(Kind::SERVER, span(7, 6, 1_910, 2_190))),
            of("insurance", sql(8, 7, (1_910, 2_180), "SELECT b")),
            // Which asks back.
            of("insurance", http(Kind::CLIENT, span(9, 7, 2_180, 2_190))),
            http(Kind::SERVER, span(10, 9, 2_182, 2_188)),
        ]
    };
    let mut spans = vec![http(Kind::SERVER, span(1, 0, 0, 2_310)), sql(2, 1, (36, 1_856), "SELECT a")];
    spans.extend(inner());
    let expected = ["Sql 1.82 s 79 @1", "HttpOut 300 ms 13 @2", "Own 190 ms 8 @0"];
    assert_eq!(times(spans).iter().map(String::as_str).take(1).collect::<Vec<_>>(), expected[..1]);
    let mut spans = vec![http(Kind::SERVER, span(1, 0, 0, 2_310)), sql(2, 1, (36, 1_856), "SELECT a")];
    spans.extend(inner());
    assert!(times(spans).contains(&expected[1].to_owned()));
}

#[test]
fn a_gateway_that_hands_all_on_is_told_what_was_done_behind_it() {
    let of = |service: &str, span: TraceSpan| TraceSpan { service: service.into(), ..span };
    let http = |kind, span| call(kind, Category::Http, "GET /x", span);
    let spans = vec![
        of("gateway", http(Kind::SERVER, span(1, 0, 0, 1_000))),
        of("gateway", http(Kind::CLIENT, span(2, 1, 10, 990))),
        http(Kind::SERVER, span(3, 2, 20, 980)),
        sql(4, 3, (30, 970), "SELECT a"),
    ];
    assert_eq!(times(spans)[0], "Sql 940 ms 94 @3");
}

#[test]
fn short_gaps_are_own_code_and_long_ones_are_not_recorded() {
    let gap = |length: u64| vec![span(1, 0, 0, length + 20), span(2, 1, 0, 10), span(3, 1, length + 10, length + 20)];
    assert_eq!(times(gap(19)), ["Own 39 ms 100 @0"]);
    assert_eq!(times(gap(20)), ["Own 20 ms 50 @1", "Unrecorded 20 ms 50 @0"]);
    // Much is a gap wherever it is; a little at an end of a long span is its own, between two calls it is not.
    let at = |calls: [u64; 2]| vec![span(1, 0, 0, 2_310), span(2, 1, calls[0], calls[1])];
    assert_eq!(times(at([0, 2_209])), ["Own 2.31 s 100 @1"]);
    assert_eq!(times(at([101, 2_310])), ["Own 2.31 s 100 @1"]);
    assert_eq!(times(at([0, 1_810]))[1], "Unrecorded 500 ms 22 @0");
    assert_eq!(times([at([0, 1_000]), vec![span(3, 1, 1_101, 2_310)]].concat())[1], "Unrecorded 101 ms 4 @0");
    // A span without anything below says what it did.
    assert_eq!(times(vec![span(1, 0, 0, 5_000)]), ["Own 5 s 100 @0"]);
    // A parent that is missing says nothing.
    assert_eq!(times(vec![span(1, 9, 0, 5), span(2, 9, 6, 10)]), ["Own 9 ms 90 @0", "Unrecorded 1 ms 10 @2"]);
}

/// Of calls that are sent one after the other and run side by side only the last is on the path: of the time before it the
/// verdict said that nothing was recorded.
#[test]
fn time_in_which_other_calls_ran_is_not_unrecorded() {
    let calls = (0..12).map(|n| sql(10 + n, 1, (5 + n * 2, 55 + n * 2), "SELECT a"));
    let spans = [span(1, 0, 0, 100)].into_iter().chain(calls).collect();
    assert_eq!(times(spans), ["Sql 50 ms 50 @12", "Own 27 ms 27 @0", "Unrecorded 23 ms 23 @0"]);
}

#[test]
fn a_failure_is_said_first_and_what_costs_most_after_it() {
    let mut spans = vec![span(1, 0, 0, 1_000), failed(span(2, 1, 900, 910)), sql(3, 1, (100, 300), "SELECT slow")];
    let says = |spans: &[TraceSpan]| {
        let verdict = analysed(spans.to_vec()).verdict;
        let said: Vec<_> = verdict.clauses.iter().map(|clause| (clause.node, clause.says)).collect();
        said.into_iter().filter(|(_, says)| !matches!(says, Says::Time { .. })).collect::<Vec<_>>()
    };
    let slow = Says::SlowSql { duration: Nanos::from_millis(200), percent: 20, count: 1 };
    assert_eq!(says(&spans), [(1, Says::FailedFirst { count: 1, finding: None }), (2, slow)]);
    spans.extend((0..5).map(|n| sql(10 + n, 1, (400 + n * 60, 450 + n * 60), &format!("SELECT {n}"))));
    let repeated = Says::Repeated { count: 5, sum: Nanos::from_millis(250) };
    assert_eq!(says(&spans), [(1, Says::FailedFirst { count: 1, finding: None }), (3, repeated)]);
    assert_eq!(says(&[span(1, 0, 0, 9)]), []);
}

#[test]
fn work_is_told_of_the_longest_root() {
    let spans = vec![span(1, 0, 0, 10), sql(2, 1, (0, 10), "SELECT 1"), span(3, 0, 5, 60)];
    assert_eq!(times(spans), ["Own 55 ms 100 @2"]);
}

#[test]
fn what_is_gained_ends_where_another_call_becomes_the_last() {
    // Two calls side by side, then one after both.
    let spans =
        vec![span(1, 0, 0, 100), span(2, 1, 10, 50), span(3, 1, 10, 40), span(4, 1, 55, 90), span(5, 4, 60, 80)];
    let analysis = analysed(spans);
    let gain = |millis, held_up_by| Gain { gain: Nanos::from_millis(millis), held_up_by };
    let table: [(&[u32], [Gain; 2]); 7] = [
        (&[1], [gain(10, Some(2)), gain(10, Some(2))]),
        (&[2], [gain(0, None), gain(0, None)]),
        (&[1, 2], [gain(40, None), gain(20, None)]),
        (&[3], [gain(35, None), gain(17, None)]),
        (&[4], [gain(20, None), gain(10, None)]),
        (&[0], [gain(100, None), gain(50, None)]),
        (&[99], [gain(0, None), gain(0, None)]),
    ];
    for (nodes, expected) in table {
        let mut gains = what_if(&analysis, nodes);
        gains[1].gain = Nanos(gains[1].gain.0 / 1_000_000 * 1_000_000);
        assert_eq!(gains, expected, "{nodes:?}");
    }
}

#[test]
fn verdict_and_list_tell_of_the_same_finding() {
    use Severity::{Error, Info, Warn};
    let spans = [span(1, 0, 0, 1_000), span(2, 1, 10, 900)].into_iter();
    let spans = spans.chain((0..6).map(|call| sql(10 + call, 2, (20 + call * 130, 30 + call * 130), "SELECT a")));
    let analysis = analysed(spans.collect());
    let calls: Vec<u32> = (2..8).collect();
    let finding = |rule, severity, nodes: &[u32]| Finding {
        rule,
        severity,
        what: String::new(),
        why: String::new(),
        nodes: nodes.to_vec(),
        cost: Nanos(1),
        fingerprint: 0,
    };
    let dominant = || finding(Rule::Dominant, Warn, &[1]);
    let root = || finding(Rule::ErrorRoot, Error, &[0]);
    let cases = [
        ("nothing", vec![], None),
        ("only what failed", vec![root()], None),
        ("only what is worth knowing", vec![finding(Rule::Gap, Info, &[0])], None),
        ("calls that repeat, though they cost little", vec![finding(Rule::NPlusOne, Info, &calls)], Some(0)),
        ("the worst beside the failure", vec![root(), finding(Rule::Past, Warn, &[2]), dominant()], Some(1)),
        ("a span that took most, and something else", vec![dominant(), finding(Rule::Retry, Warn, &[2, 3])], Some(0)),
        ("a span that took most by the loop in it", vec![dominant(), finding(Rule::NPlusOne, Info, &calls)], Some(1)),
        ("by the pauses between attempts", vec![dominant(), finding(Rule::Retry, Warn, &calls)], Some(1)),
        ("and by a loop that is little of it", vec![dominant(), finding(Rule::NPlusOne, Info, &calls[..3])], Some(0)),
    ];
    for (what, findings, expected) in cases {
        assert_eq!(foremost(&analysis, &findings), expected, "{what}");
        let told = analysis.with_findings(findings, &crate::analysis::Thresholds::default());
        let found = told.verdict.clauses.iter().find(|clause| !matches!(clause.says, Says::Time { .. }));
        let found = found.filter(|clause| !matches!(clause.says, Says::FailedFirst { .. }));
        // Without any finding the tree is asked, which counts calls alone.
        if !told.findings.is_empty() {
            let node = expected.map(|place| told.findings[place].nodes[0]);
            assert_eq!(found.map(|clause| clause.node), node, "{what}: {found:?}");
        }
    }
}

/// What maps objects on tables has a span of the call that its driver has too.
#[test]
fn a_slow_call_that_two_libraries_recorded_is_one() {
    let spans = vec![span(1, 0, 0, 400), sql(2, 1, (10, 350), "SELECT 1"), sql(3, 2, (12, 348), "SELECT 1")];
    let analysis = analysed(spans);
    assert!(matches!(analysis.verdict.clauses[0].says, Says::SlowSql { count: 1, .. }), "{:?}", analysis.verdict);
}

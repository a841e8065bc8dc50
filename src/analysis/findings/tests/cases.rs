//! A table per rule.

use super::*;
use crate::model::{Attribute, Link, Span, SpanId, SpanKey, TraceId, Value};

const USER: &str = "SELECT * FROM users WHERE id = $1";

/// A request of `millis` with a handler below it, spans 1 and 2.
fn request(millis: u64) -> Vec<TraceSpan> {
    vec![served(1, 0, (0, millis), "GET /list", "200"), span(2, 1, 0, millis)]
}

fn with(mut spans: Vec<TraceSpan>, more: impl IntoIterator<Item = TraceSpan>) -> Vec<TraceSpan> {
    spans.extend(more);
    spans
}

/// So many calls below span 2, each of `long` milliseconds, one every `step`.
fn calls(count: u64, (step, long): (u64, u64), make: impl Fn(u64, (u64, u64)) -> TraceSpan) -> Vec<TraceSpan> {
    (0..count).map(|n| make(n, (1 + n * step, 1 + n * step + long))).collect()
}

fn users(count: u64, times: (u64, u64)) -> Vec<TraceSpan> {
    calls(count, times, |n, times| sql(10 + n, 2, times, USER))
}

#[track_caller]
fn check(cases: Vec<(&str, Vec<TraceSpan>, Option<Rule>)>, about: &[Rule]) {
    for (what, spans, expected) in cases {
        let found: Vec<Rule> = rules(spans).into_iter().filter(|rule| about.contains(rule)).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{what}");
    }
}

#[test]
fn like_calls_one_after_another_are_an_n_plus_one() {
    let n = Some(Rule::NPlusOne);
    let get = |n: u64, times| http(10 + n, 2, times, &format!("GET shop/items/{n}"));
    let post = |n: u64, times| http(10 + n, 2, times, &format!("POST shop/items/{n}"));
    let literal = |n: u64, times| sql(10 + n, 2, times, &format!("SELECT * FROM users WHERE id = {n}"));
    let table = |n: u64, times| sql(10 + n, 2, times, &format!("SELECT * FROM t{n}x WHERE id = $1"));
    let key = |n: u64, times| redis(10 + n, 2, times, &format!("redis GET user:{n}"));
    let work = |n: u64, (from, to)| TraceSpan { label: "work".into(), ..span(10 + n, 2, from, to) };
    let one_failed = |n: u64, times| {
        let call = sql(10 + n, 2, times, USER);
        if n == 3 { failed(call) } else { call }
    };
    let all_failed = |n: u64, times| failed(sql(10 + n, 2, times, USER));
    let with_one_overlap = |n: u64, (from, to)| sql(10 + n, 2, (from, if n == 4 { to + 3 } else { to }), USER);
    let begin = |n: u64, times| sql(10 + n, 2, times, "BEGIN");
    let cases = vec![
        ("five, one after another", with(request(200), users(5, (10, 8))), n),
        ("forty-seven", with(request(200), users(47, (3, 2))), n),
        ("values in the text", with(request(200), calls(9, (10, 8), literal)), n),
        ("keys of a cache", with(request(200), calls(9, (10, 8), key)), n),
        ("reads of a service", with(request(200), calls(9, (10, 8), get)), n),
        ("one of them failed", with(request(200), calls(9, (10, 8), one_failed)), n),
        ("twelve of which two overlap", with(request(200), calls(12, (10, 8), with_one_overlap)), n),
        ("only four", with(request(200), users(4, (10, 8))), None),
        ("all at once", with(request(200), users(12, (0, 8))), None),
        ("two at a time", with(request(200), users(12, (5, 9))), None),
        ("different statements", with(request(200), calls(9, (10, 8), table)), None),
        ("own work", with(request(200), calls(9, (10, 8), work)), None),
        ("writes to a service", with(request(200), calls(9, (10, 8), post)), None),
        ("the same failure again and again", with(request(200), calls(9, (10, 8), all_failed)), None),
        ("talk about transactions", with(request(200), calls(9, (10, 8), begin)), None),
        ("looking for work", with(request(60_000), users(9, (5_000, 8))), None),
        ("a batch", with(request(200), [sql(10, 2, (1, 9), "SELECT * FROM users WHERE id IN ($1, $2, $3, $4)")]), None),
    ];
    check(cases, &[Rule::NPlusOne, Rule::Scatter]);
}

#[test]
fn like_calls_from_many_places_of_a_request_are_found_too() {
    let scatter = Some(Rule::Scatter);
    let resolver = |n: u64, (from, to)| [span(100 + n, 2, from, to), sql(10 + n, 100 + n, (from, to), USER)];
    let many = |step: u64, long: u64| -> Vec<TraceSpan> {
        (0..9).flat_map(|n| resolver(n, (1 + n * step, 1 + n * step + long))).collect()
    };
    // Each place asks another service, which answers with one statement of its own.
    let elsewhere = (0..9).flat_map(|n| {
        let times = (1 + n * 10, 9 + n * 10);
        let call = http(100 + n, 2, times, "GET users/of");
        let serve = of_service("users", served(200 + n, 100 + n, times, "GET /of", "200"));
        [call, serve, of_service("users", sql(10 + n, 200 + n, times, USER))]
    });
    let driver = (0..9).flat_map(|n| {
        let times = (1 + n * 10, 9 + n * 10);
        [sql(100 + n, 2, times, USER), sql(200 + n, 100 + n, times, "SELECT 1 FROM rows")]
    });
    let cases = vec![
        ("resolvers one after another", with(request(200), many(10, 8)), scatter),
        ("resolvers at once", with(request(200), many(1, 50)), scatter),
        ("four of them", with(request(200), many(10, 8).into_iter().take(8)), None),
        ("nine requests with one statement each", with(request(200), elsewhere), Some(Rule::NPlusOne)),
        ("what a call is made of", with(request(200), driver), Some(Rule::NPlusOne)),
    ];
    check(cases, &[Rule::NPlusOne, Rule::Scatter]);
}

/// Spans whose SDK knows their start in whole milliseconds only overlap by up to one: these still follow each other.
#[test]
fn coarse_clocks_do_not_hide_an_n_plus_one() {
    let coarse = |count: u64| {
        (0..count).map(|n| {
            let (from, long) = (1_000 + n * 400, 390);
            let call = sql(10 + n, 2, (0, 0), USER);
            let start = crate::analysis::tests::millis(from / 1_000);
            TraceSpan { start, end: start.plus(crate::model::Nanos(long * 1_000)), ..call }
        })
    };
    check(vec![("0.4 ms each", with(request(50), coarse(30)), Some(Rule::NPlusOne))], &[Rule::NPlusOne, Rule::FanOut]);
}

#[test]
fn same_read_with_the_same_values_is_a_duplicate() {
    let dup = Some(Rule::Duplicate);
    let literal = "SELECT * FROM settings WHERE tenant = 7";
    let two =
        |first: &str, second: &str| with(request(100), [sql(10, 2, (10, 20), first), sql(11, 2, (40, 50), second)]);
    let keyed =
        |first: &str, second: &str| with(request(100), [redis(10, 2, (10, 20), first), redis(11, 2, (40, 50), second)]);
    let between = |statement: &str| with(two(literal, literal), [sql(12, 2, (25, 30), statement)]);
    let cases = vec![
        ("the same text", two(literal, literal), dup),
        ("no values at all", two("SELECT * FROM settings", "SELECT * FROM settings"), dup),
        ("the same key", keyed("redis GET session:a", "redis GET session:a"), dup),
        ("something else was written between", between("UPDATE users SET name = 'x' WHERE id = 1"), dup),
        ("other values", two(literal, "SELECT * FROM settings WHERE tenant = 8"), None),
        ("values that cannot be seen", two(USER, USER), None),
        ("written in between", between("UPDATE settings SET a = 1 WHERE tenant = 7"), None),
        (
            "key written in between",
            with(keyed("redis GET a", "redis GET a"), [redis(12, 2, (25, 30), "redis SET a 1")]),
            None,
        ),
        ("other keys", keyed("redis GET session:a", "redis GET session:b"), None),
        ("masked keys", keyed("redis GET ?", "redis GET ?"), None),
        ("an answer that changes", two("SELECT now() FROM t", "SELECT now() FROM t"), None),
        ("a lock", two("SELECT * FROM t WHERE a = 1 FOR UPDATE", "SELECT * FROM t WHERE a = 1 FOR UPDATE"), None),
        ("a health check", two("SELECT 1", "SELECT 1"), None),
        ("inserts", two("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"), None),
        (
            "of two services",
            {
                let mut spans = two(literal, literal);
                spans[3].service = "other".into();
                spans
            },
            None,
        ),
    ];
    check(cases, &[Rule::Duplicate]);
}

/// Whole spans by hand.
struct Whole(Vec<Span>);

impl Evidence for Whole {
    fn span(&self, key: SpanKey) -> Option<Span> {
        self.0.iter().find(|span| span.key() == key).cloned()
    }

    fn sender(&self, trace: TraceId, span: SpanId) -> Option<Span> {
        self.0.iter().find(|whole| whole.trace_id == trace && whole.span_id == span).cloned()
    }
}

fn carrying(number: u64, key: &str, value: Value) -> Span {
    let attributes = vec![Attribute { key: key.into(), value }];
    Span { span_id: crate::analysis::tests::id(number), kind: Kind::CLIENT, attributes, ..Span::default() }
}

#[test]
fn parameters_tell_duplicates_apart() {
    let spans = || with(request(100), users(3, (20, 10)));
    let given = |values: [i64; 3]| {
        let whole = (10_u64..).zip(values).map(|(n, value)| carrying(n, "db.query.parameter.0", Value::Int(value)));
        let found = findings(spans(), &Whole(whole.collect()));
        found
            .into_iter()
            .filter(|finding| finding.rule == Rule::Duplicate)
            .map(|finding| finding.nodes.len())
            .sum::<usize>()
    };
    assert_eq!([given([7, 8, 7]), given([7, 8, 9]), given([7, 7, 7])], [2, 0, 3]);
}

#[test]
fn calls_at_once_are_a_fan_out_and_nothing_worse() {
    let fan = Some(Rule::FanOut);
    let mixed = |n: u64, times| match n % 3 {
        0 => http(10 + n, 2, times, "GET a/b"),
        1 => redis(10 + n, 2, times, "redis GET x"),
        _ => sql(10 + n, 2, times, USER),
    };
    let cases = vec![
        ("all at once", with(request(200), users(12, (0, 50))), fan),
        ("staggered", with(request(200), users(12, (2, 50))), fan),
        ("of all sorts", with(request(200), calls(6, (1, 50), mixed)), fan),
        ("four at once", with(request(200), users(4, (0, 50))), None),
        ("one after another", with(request(200), users(12, (10, 10))), Some(Rule::NPlusOne)),
        ("never more than two", with(request(200), users(12, (5, 9))), None),
    ];
    check(cases, &[Rule::FanOut, Rule::NPlusOne, Rule::Scatter, Rule::Serial]);
}

#[test]
fn calls_one_after_another_that_might_run_side_by_side() {
    let serial = Some(Rule::Serial);
    let gets = |places: &[&str], pause: u64| -> Vec<TraceSpan> {
        let at = |n: u64| 1 + n * (100 + pause);
        (0..).zip(places).map(|(n, place)| http(10 + n, 2, (at(n), at(n) + 100), place)).collect()
    };
    let selects = |statement: [&str; 2]| [sql(10, 2, (1, 100), statement[0]), sql(11, 2, (100, 200), statement[1])];
    let places = ["GET a/x", "GET b/y", "GET c/z"];
    let cases = vec![
        ("three services", with(request(400), gets(&places, 1)), serial),
        ("two free statements", with(request(400), selects(["SELECT * FROM a", "SELECT * FROM b"])), serial),
        (
            "statements that may need each other",
            with(request(400), selects([USER, "SELECT * FROM b WHERE u = $1"])),
            None,
        ),
        ("writes", with(request(400), gets(&["POST a/x", "POST b/y"], 1)), None),
        ("work in between", with(request(900), gets(&places, 80)), None),
        (
            "side by side already",
            with(request(400), places.iter().zip(10..).map(|(l, n)| http(n, 2, (1, 100), l))),
            None,
        ),
        ("not worth it", with(request(90_000), [http(10, 2, (1, 5), places[0]), http(11, 2, (5, 9), places[1])]), None),
    ];
    check(cases, &[Rule::Serial]);
}

#[test]
fn call_made_again_after_it_failed_is_a_retry() {
    let retry = Some(Rule::Retry);
    let attempts = |count: u64, good: u64| {
        let call = |n: u64| http(10 + n, 2, (1 + n * 30, 21 + n * 30), "GET flaky/thing");
        (0..count).map(move |n| if n < good { failed(call(n)) } else { call(n) })
    };
    let loop_with_a_failure = (0..9).map(|n| {
        let call = sql(10 + n, 2, (1 + n * 10, 9 + n * 10), USER);
        if n == 4 { failed(call) } else { call }
    });
    let others = (0..3).map(|n| failed(http(10 + n, 2, (1 + n * 30, 21 + n * 30), &format!("GET flaky/thing/{n}"))));
    let at_once = (0..3).map(|n| failed(http(10 + n, 2, (1, 21 + n), "GET flaky/thing")));
    let cases = vec![
        ("failed once, then went well", with(request(200), attempts(2, 1)), retry),
        ("failed each time", with(request(200), attempts(4, 4)), retry),
        ("failed five times: no N+1", with(request(300), attempts(6, 5)), retry),
        ("all went well", with(request(200), attempts(3, 0)), None),
        ("one failure in a loop", with(request(200), loop_with_a_failure), Some(Rule::NPlusOne)),
        ("other things failed", with(request(200), others), None),
        ("failed at once", with(request(200), at_once), None),
    ];
    check(cases, &[Rule::Retry, Rule::NPlusOne]);
    let resent = vec![carrying(11, "http.request.resend_count", Value::Int(1))];
    let found = findings(with(request(200), attempts(2, 0)), &Whole(resent));
    assert!(found.iter().any(|finding| finding.rule == Rule::Retry), "{found:?}");
}

#[test]
fn one_span_that_takes_most_of_the_trace_and_gaps() {
    let cases = vec![
        ("a leaf", vec![served(1, 0, (0, 300), "GET /", "200"), span(2, 1, 10, 290)], Some(Rule::Dominant)),
        ("by itself", vec![span(1, 0, 0, 300), span(2, 1, 100, 110)], Some(Rule::Dominant)),
        ("alone", vec![span(1, 0, 0, 300)], None),
        ("short", vec![span(1, 0, 0, 40), span(2, 1, 10, 12)], Some(Rule::Gap)),
        ("a statement has its own rule", vec![span(1, 0, 0, 300), sql(2, 1, (5, 295), USER)], None),
        ("two halves", vec![span(1, 0, 0, 300), span(2, 1, 0, 149), span(3, 1, 149, 300)], Some(Rule::Dominant)),
        ("three parts", vec![span(1, 0, 0, 300), span(2, 1, 0, 99), span(3, 1, 99, 200), span(4, 1, 200, 300)], None),
        ("a gap", vec![span(1, 0, 0, 900), span(2, 1, 0, 390), span(3, 1, 500, 900)], Some(Rule::Gap)),
        ("a share of a short one", vec![span(1, 0, 0, 100), span(2, 1, 0, 35), span(3, 1, 65, 100)], Some(Rule::Gap)),
        ("a short one", vec![span(1, 0, 0, 100), span(2, 1, 0, 45), span(3, 1, 55, 100)], None),
    ];
    check(cases, &[Rule::Dominant, Rule::Gap]);
}

fn message(number: u64, parent: u64, kind: Kind, times: (u64, u64)) -> TraceSpan {
    let span = span(number, parent, times.0, times.1);
    TraceSpan { label: "process orders".into(), category: Category::Messaging, ..of_kind(kind, span) }
}

#[test]
fn message_that_waited_is_found_by_its_parent_and_by_its_link() {
    let sent = || vec![span(1, 0, 0, 50), message(2, 1, Kind::PRODUCER, (10, 20))];
    let received = |parent, at| message(3, parent, Kind::CONSUMER, (at, at + 30));
    let cases = vec![
        ("by its parent", with(sent(), [received(2, 500)]), Some(Rule::QueueWait)),
        ("at once", with(sent(), [received(2, 40)]), None),
        ("not sent as a message", with(vec![span(1, 0, 0, 50)], [received(1, 500)]), None),
    ];
    check(cases, &[Rule::QueueWait]);
    let linked = TraceSpan { links: 1, ..received(0, 900) };
    let link = |trace: [u8; 16], span: u64| Link {
        trace_id: trace.into(),
        span_id: crate::analysis::tests::id(span).0.into(),
        ..Link::default()
    };
    let whole = |link| Span {
        span_id: crate::analysis::tests::id(3),
        kind: Kind::CONSUMER,
        links: vec![link],
        ..Span::default()
    };
    let elsewhere = Span {
        trace_id: TraceId([9; 16]),
        span_id: crate::analysis::tests::id(77),
        end: crate::analysis::tests::millis(100),
        ..Span::default()
    };
    for (evidence, expected) in
        [(vec![whole(link([9; 16], 77)), elsewhere], Some("800 ms")), (vec![whole(link([9; 16], 77))], None)]
    {
        let found = findings(with(sent(), [linked.clone()]), &Whole(evidence));
        let why = found.iter().find(|finding| finding.rule == Rule::QueueWait).map(|finding| finding.why.as_str());
        assert_eq!(why.is_some_and(|why| why.contains(expected.unwrap_or("-"))), expected.is_some(), "{why:?}");
    }
}

#[test]
fn failure_is_told_once_and_where_it_began() {
    let error = Some(Rule::ErrorRoot);
    let swallowed = Some(Rule::Swallowed);
    let root = |status: &str| served(1, 0, (0, 100), "GET /x", status);
    let chain = || vec![failed(root("500")), failed(span(2, 1, 10, 90)), failed(span(3, 2, 20, 80))];
    let inner = |root: TraceSpan| vec![root, span(2, 1, 10, 90), failed(http(3, 2, (20, 80), "GET other/y"))];
    let other = |service: TraceSpan| with(inner(root("200")), [of_service("other", service)]);
    let page = vec![
        of_service("web", span(7, 0, 0, 100)),
        of_service("web", http(8, 7, (0, 100), "GET api/x")),
        TraceSpan { parent_id: Some(crate::analysis::tests::id(8)), ..failed(root("500")) },
    ];
    let worker =
        vec![root("200"), message(2, 1, Kind::PRODUCER, (10, 20)), failed(message(3, 2, Kind::CONSUMER, (30, 60)))];
    let cases = vec![
        ("a chain", chain(), error),
        ("answered 404, not marked", inner(root("404")), error),
        ("of a page in a browser", page, error),
        ("a worker's", worker, error),
        ("nothing above failed", inner(root("200")), swallowed),
        ("the other service failed", other(failed(served(4, 3, (30, 70), "GET /y", "503"))), swallowed),
        ("nothing failed", vec![root("200"), span(2, 1, 10, 90)], None),
    ];
    check(cases, &[Rule::ErrorRoot, Rule::Swallowed]);
    let deepest = findings(chain(), &Nothing);
    let error = deepest.iter().find(|finding| finding.rule == Rule::ErrorRoot).unwrap();
    assert_eq!(
        (error.what.as_str(), error.why.as_str()),
        ("span 3", "span 3 failed first; 2 spans above it failed too")
    );
}

#[test]
fn caller_that_lost_patience_is_the_cause_of_what_it_cancelled() {
    let exception = |number: u64, kind: Kind, message: &str| {
        let status = crate::model::Status { code: crate::model::StatusCode::ERROR, message: message.into() };
        Span { span_id: crate::analysis::tests::id(number), kind, status, ..Span::default() }
    };
    let spans = vec![
        failed(served(1, 0, (0, 500), "GET /slow", "504")),
        failed(sql(2, 1, (10, 500), "SELECT * FROM huge")),
        span(3, 1, 10, 600),
    ];
    let whole =
        vec![exception(1, Kind::SERVER, "context deadline exceeded"), exception(2, Kind::CLIENT, "context canceled")];
    let found = findings(spans, &Whole(whole));
    let error = found.iter().find(|finding| finding.rule == Rule::ErrorRoot).unwrap();
    assert_eq!(error.why, "GET /slow failed first: context deadline exceeded, while span 3 still ran");
}

#[test]
fn span_that_outlives_its_parent_by_more_than_clocks_explain() {
    let outlive = Some(Rule::Outlive);
    let cases = vec![
        ("goes on", vec![span(1, 0, 0, 100), span(2, 1, 10, 190)], outlive),
        ("begins later", vec![span(1, 0, 0, 100), span(2, 1, 150, 190)], outlive),
        ("by a clock's grain", vec![span(1, 0, 0, 100), span(2, 1, 10, 104)], None),
        ("a message", vec![message(1, 0, Kind::PRODUCER, (0, 10)), message(2, 1, Kind::CONSUMER, (20, 190))], None),
        ("ends with it", vec![span(1, 0, 0, 100), span(2, 1, 10, 100)], None),
    ];
    check(cases, &[Rule::Outlive]);
}

#[test]
fn spans_that_cannot_be_taken_at_their_word() {
    let odd = |change: fn(&mut TraceSpan)| {
        let mut odd = span(2, 1, 10, 90);
        change(&mut odd);
        vec![span(1, 0, 0, 100), odd]
    };
    let cases = vec![
        ("parent not here", vec![span(1, 0, 0, 100), span(2, 9, 10, 90)], Some(Rule::Integrity)),
        ("backwards", odd(|span| span.oddities.ends_before_start = true), Some(Rule::Integrity)),
        ("dropped", odd(|span| span.oddities.dropped = true), Some(Rule::Integrity)),
        ("circle", vec![span(1, 2, 0, 100), span(2, 1, 10, 90)], Some(Rule::Integrity)),
        ("sound", odd(|_| ()), None),
    ];
    check(cases, &[Rule::Integrity]);
}

#[test]
fn slow_statements_are_told_by_statement_and_the_worst_is_an_error() {
    let spans = |long: u64| with(request(2_000), [sql(10, 2, (10, 10 + long), USER), sql(11, 2, (1_000, 1_150), USER)]);
    let of = |long: u64| {
        let found = findings(spans(long), &Nothing);
        let slow = found.into_iter().find(|finding| finding.rule == Rule::SlowSql).unwrap();
        (slow.severity.name(), slow.nodes.len(), slow.why)
    };
    assert_eq!(of(50), ("warn", 1, "SELECT users is slow: 150 ms, limit 100 ms, 8 % of the trace".to_owned()));
    assert_eq!(of(600), ("error", 2, "twice SELECT users was slow: 750 ms in all, 600 ms at most".to_owned()));
}

#[test]
fn same_bug_has_one_fingerprint_in_every_trace() {
    let of = |count: u64, statement: &str| {
        let spans = with(
            request(400),
            calls(count, (10, 8), |n, times| sql(10 + n, 2, times, &statement.replace('#', &n.to_string()))),
        );
        findings(spans, &Nothing).iter().find(|finding| finding.rule == Rule::NPlusOne).unwrap().fingerprint
    };
    let users = "SELECT * FROM users WHERE id = #";
    assert_eq!(of(5, users), of(30, users));
    assert_ne!(of(5, users), of(5, "SELECT * FROM visits WHERE id = #"));
}

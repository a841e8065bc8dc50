//! What only whole spans tell: why something failed, and whose clocks run apart.

use std::sync::Arc;

use super::{failed, millis, of_kind, span};
use crate::analysis::findings::{Evidence, Rule};
use crate::analysis::{Analysis, Says, Skew, Thresholds, analyse_whole, wording};
use crate::model::{
    Attribute, Kind, Nanos, Resource, Span, SpanId, SpanKey, Status, StatusCode, Trace, TraceId, TraceSpan, Value,
};

fn text(key: &str, value: &str) -> Attribute {
    Attribute { key: key.into(), value: Value::Text(value.into()) }
}

/// Judges spans of which `whole` tells the rest, by number.
fn judged(spans: &[TraceSpan], adjusted: bool, whole: &dyn Fn(u64) -> Span) -> Analysis {
    let trace = Arc::new(Trace { spans: spans.to_vec(), ..Trace::default() });
    analyse_whole(trace, &Thresholds::default(), adjusted, &Told(whole))
}

/// Evidence by a span's number.
struct Told<'a>(&'a dyn Fn(u64) -> Span);

impl Evidence for Told<'_> {
    fn span(&self, key: SpanKey) -> Option<Span> {
        Some((self.0)(u64::from_be_bytes(key.id.0)))
    }

    fn sender(&self, _: TraceId, _: SpanId) -> Option<Span> {
        None
    }
}

fn status(message: &str) -> Span {
    Span { status: Status { code: StatusCode::ERROR, message: message.into() }, ..Span::default() }
}

#[test]
fn what_was_swallowed_is_not_why_the_trace_failed() {
    let tried = |deep| failed(span(4, deep, 20, 30));
    let swallowed = [failed(span(1, 0, 0, 100)), span(2, 1, 10, 40), span(3, 2, 15, 35), tried(3)];
    let root_error = |spans: &[TraceSpan]| judged(spans, false, &|_| Span::default()).root_error;
    // Alone it is all there is to go by.
    assert_eq!(root_error(&swallowed), Some(3));
    let mut spans = swallowed.to_vec();
    spans.push(failed(span(5, 1, 60, 90)));
    assert_eq!(root_error(&spans), Some(4));
    // Of those as deep the one that ended first.
    spans.push(failed(span(6, 1, 65, 85)));
    assert_eq!(root_error(&spans), Some(5));
}

#[test]
fn who_gave_up_waiting_failed_first_and_not_whom_that_cancelled() {
    let call = |span| of_kind(Kind::CLIENT, span);
    let spans = [
        failed(of_kind(Kind::SERVER, span(1, 0, 0, 1_000))),
        failed(call(span(2, 1, 10, 900))),
        failed(span(3, 2, 20, 899)),
        failed(call(span(4, 3, 30, 899))),
    ];
    let why = |number| match number {
        2 => status("upstream request timed out"),
        4 => status("Context Canceled"),
        _ => status(""),
    };
    let analysis = judged(&spans, false, &why);
    assert_eq!(analysis.root_error, Some(1));
    let first = analysis.verdict.loudest().unwrap();
    let Says::FailedFirst { count: 4, finding: Some(finding) } = first.says else { panic!("{first:?}") };
    assert_eq!((first.node, analysis.findings[finding].nodes[0]), (1, 1));
    // What failed by itself was not cancelled.
    assert_eq!(judged(&spans, false, &|_| status("it broke")).root_error, Some(3));
}

/// The list of patients: what dominates it is the loop, in which 47 queries are the reason.
#[test]
fn a_loop_of_queries_is_named_before_the_span_that_it_makes_long() {
    let mut spans = vec![of_kind(Kind::SERVER, span(1, 0, 0, 700)), span(2, 1, 10, 690)];
    spans.extend(
        (0..47).map(|n| super::sql(10 + n, 2, (20 + n * 14, 23 + n * 14), "SELECT * FROM insurance WHERE id = $1")),
    );
    let analysis = judged(&spans, false, &|_| Span::default());
    assert!(analysis.findings.iter().any(|finding| finding.rule == Rule::Dominant));
    assert!(matches!(analysis.verdict.clauses[0].says, Says::Repeated { count: 47, .. }), "{:?}", analysis.verdict);
}

/// A request that succeeds although nine calls below it failed: until now its verdict did not say a word of them.
#[test]
fn a_failure_that_went_no_further_is_the_last_word_of_the_verdict() {
    let calls = [of_kind(Kind::SERVER, span(1, 0, 0, 40)), failed(span(2, 1, 20, 30))];
    let analysis = judged(&calls, false, &|_| Span::default());
    let last = *analysis.verdict.clauses.last().unwrap();
    let said: String = wording::words(&analysis, &last).into_iter().map(|word| word.text).collect();
    assert_eq!((last.node, said.as_str()), (1, "✗ span 2 failed, but span 1 above it did not"));
    // It is not what stands out, and gives way to a failure that the request has.
    assert_eq!(analysis.verdict.loudest(), None);
    let [whole, below] = calls;
    let analysis = judged(&[failed(whole), below], false, &|_| Span::default());
    let found = |says| matches!(says, Says::Found(_));
    assert!(!analysis.verdict.clauses.iter().any(|clause| found(clause.says)), "{:?}", analysis.verdict);
}

#[test]
fn the_verdict_names_the_finding_that_matters_most() {
    let says = |spans: &[TraceSpan]| {
        let analysis = judged(spans, false, &|_| Span::default());
        analysis.verdict.loudest().map(|clause| (clause.node, clause.says))
    };
    // Nothing but where the time went is said of what is merely worth knowing.
    assert_eq!(says(&[span(1, 0, 0, 40), span(2, 1, 20, 60)]), None);
    let mut spans = vec![of_kind(Kind::SERVER, span(1, 0, 0, 800))];
    spans.push(super::sql(3, 1, (0, 500), "SELECT slow FROM t"));
    let duration = Nanos::from_millis(500);
    assert_eq!(says(&spans), Some((1, Says::SlowSql { duration, percent: 63, count: 1 })));
    spans.pop();
    spans.extend((10..57).map(|n| super::sql(n, 1, (n * 10, n * 10 + 9), &format!("SELECT a FROM b WHERE id = {n}"))));
    assert_eq!(says(&spans), Some((1, Says::Repeated { count: 47, sum: Nanos::from_millis(423) })));
    // A span that takes nearly everything by itself.
    let spans = [span(1, 0, 0, 1_000), span(2, 1, 10, 900)];
    assert!(matches!(says(&spans), Some((1, Says::Found(_)))), "{:?}", says(&spans));
}

fn on(host: &str, span: TraceSpan) -> TraceSpan {
    TraceSpan { service: host.into(), ..span }
}

/// Whole spans whose host is named by their number: even ones on `a`, odd ones on `b`.
fn hosts(number: u64) -> Span {
    let name = if number.is_multiple_of(2) { "a" } else { "b" };
    let resource = Resource { attributes: vec![text("host.name", name)], ..Resource::default() };
    Span { resource: Arc::new(resource), ..Span::default() }
}

fn skews(spans: &[TraceSpan], whole: &dyn Fn(u64) -> Span) -> Vec<(u32, i64)> {
    let analysis = judged(spans, false, whole);
    analysis.skews.iter().map(|Skew { node, shift }| (*node, *shift / 1_000_000)).collect()
}

#[test]
fn clocks_run_apart_where_the_order_is_impossible() {
    let root = || on("a", span(2, 0, 1_000, 1_100));
    let child = |start, end| on("b", span(3, 2, start, end));
    let skew = |child: TraceSpan| skews(&[root(), child], &hosts);
    assert_eq!(skew(child(500, 560)), [(1, 520)]);
    // What coarse clocks explain, and what is merely late, is no skew; nor is a child that outlives its parent.
    assert_eq!(skew(child(999, 1_050)), []);
    assert_eq!(skew(child(1_050, 1_200)), []);
    assert_eq!(skew(child(2_000, 2_100)), []);
    // A child that is longer is moved to the start of its parent.
    assert_eq!(skew(child(500, 800)), [(1, 500)]);
    // An answer was there before the request was served.
    let call = |kind: Kind| [of_kind(kind, root()), of_kind(Kind::SERVER, child(2_000, 2_060))];
    assert_eq!(skews(&call(Kind::CLIENT), &hosts), [(1, -980)]);
    assert_eq!(skews(&call(Kind::INTERNAL), &hosts), []);
    let [caller, served] = call(Kind::CLIENT);
    assert_eq!(skews(&[failed(caller), served], &hosts), []);
    // Who reads a message may do so whenever.
    assert_eq!(skews(&[of_kind(Kind::PRODUCER, root()), of_kind(Kind::CONSUMER, child(500, 560))], &hosts), []);
}

/// The server's clock is 90 ms behind: of the 100 ms in which the call seems to have waited for nobody 80 are the clock's.
#[test]
fn call_to_another_clock_is_not_said_to_have_waited_outside_of_what_it_called() {
    let waited = |from, to| {
        let call = of_kind(Kind::CLIENT, on("a", span(4, 2, 1_020, 1_180)));
        let spans = [on("a", span(2, 0, 1_000, 1_200)), call, of_kind(Kind::SERVER, on("b", span(3, 4, from, to)))];
        judged(&spans, false, &hosts).findings.iter().any(|finding| finding.rule == Rule::Dominant)
    };
    assert!(!waited(940, 1_080));
    // Where the order is possible, it is known.
    assert!(waited(1_030, 1_060));
}

#[test]
fn spans_of_one_host_share_its_clock() {
    let spans = [on("a", span(2, 0, 1_000, 1_100)), on("b", span(4, 2, 500, 560))];
    assert_eq!(skews(&spans, &hosts), []);
    // Without a word of hosts the service tells.
    assert_eq!(skews(&spans, &|_| Span::default()), [(1, 520)]);
    let alike = spans.map(|span| on("a", span));
    assert_eq!(skews(&alike, &|_| Span::default()), []);
}

#[test]
fn corrected_times_take_along_what_is_below_on_the_same_host() {
    let spans = [
        on("a", span(2, 0, 1_000, 1_100)),
        on("b", span(3, 2, 500, 560)),
        on("b", span(5, 3, 510, 520)),
        on("c", span(7, 5, 512, 514)),
        on("a", span(4, 3, 1_045, 1_050)),
    ];
    let raw = judged(&spans, false, &hosts);
    assert_eq!(raw.shifts.iter().map(|shift| shift / 1_000_000).collect::<Vec<_>>(), [0, 520, 520, 520, 0]);
    assert!(!raw.adjusted && raw.start == millis(500));
    let corrected = judged(&spans, true, &hosts);
    assert!(corrected.adjusted && corrected.skews == raw.skews);
    let starts: Vec<_> = corrected.nodes.iter().map(|node| node.start).collect();
    assert_eq!(starts, [1_000, 1_020, 1_030, 1_032, 1_045].map(millis));
    assert_eq!((corrected.start, corrected.end), (millis(1_000), millis(1_100)));
    // Where no clocks run apart nothing changes.
    let plain = [span(1, 0, 0, 10), span(2, 1, 1, 5)];
    assert_eq!(judged(&plain, true, &hosts), judged(&plain, false, &hosts));
}

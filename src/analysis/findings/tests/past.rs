//! A statement against its own past: calls far beyond what is usual, and near misses.

use super::*;
use crate::analysis::findings::across::{self, Digest, Found, Past};
use crate::analysis::findings::past::{Usual, judge, suspects};
use crate::model::{Nanos, TraceId};

const TASKS: &str = "SELECT * FROM tasks WHERE owner = $1";

/// A request with one call of `label` that takes so many milliseconds.
fn request(label: &str, millis: u64) -> Vec<TraceSpan> {
    vec![served(1, 0, (0, 1_000), "GET /tasks", "200"), sql(2, 1, (10, 10 + millis), label)]
}

fn digests(traces: Vec<Vec<TraceSpan>>) -> Vec<(TraceId, Digest)> {
    let thresholds = Thresholds::default();
    let digest = |(number, spans): (u128, Vec<TraceSpan>)| {
        let analysis = analysed(spans);
        let findings = judge_all(&analysis, &thresholds, &Nothing);
        Some((TraceId(number.to_be_bytes()), across::digest(&analysis, &thresholds, findings)?))
    };
    (1..).zip(traces).filter_map(digest).collect()
}

fn found(digests: &[(TraceId, Digest)]) -> Vec<Found> {
    let (found, _) =
        across::sum(digests.iter().map(|(trace, digest)| (*trace, digest)), Past::Whole, &Thresholds::default());
    found.into_iter().filter(|found| found.rule == Rule::Past).collect()
}

/// So many calls that take from three to nine milliseconds.
fn usual(count: u64) -> Vec<Vec<TraceSpan>> {
    (0..count).map(|call| request(TASKS, 3 + call % 7)).collect()
}

fn with(mut traces: Vec<Vec<TraceSpan>>, more: impl IntoIterator<Item = Vec<TraceSpan>>) -> Vec<Vec<TraceSpan>> {
    traces.extend(more);
    traces
}

/// What it is, the traces, and in how many the call is found.
type Case<'a> = (&'a str, Vec<Vec<TraceSpan>>, Option<u64>);

#[test]
fn a_call_far_beyond_what_its_statement_usually_takes_is_found_and_near_misses_are_not() {
    let failing = || {
        let mut spans = request(TASKS, 60);
        spans[1] = failed(spans[1].clone());
        spans
    };
    let in_turns = |count: u64| (0..count).map(|call| request(TASKS, if call % 5 == 0 { 60 } else { 4 })).collect();
    let cases: Vec<Case<'_>> = vec![
        ("one of many", with(usual(40), [request(TASKS, 60)]), Some(1)),
        ("two of many", with(usual(60), [request(TASKS, 60), request(TASKS, 80)]), Some(2)),
        ("of few", with(usual(20), [request(TASKS, 60)]), None),
        ("not by far", with(usual(40), [request(TASKS, 26)]), None),
        ("far, but a trifle", with((0..40).map(|_| request(TASKS, 1)).collect(), [request(TASKS, 19)]), None),
        ("now fast, now slow", in_turns(100), None),
        ("another statement", with(usual(40), [request("SELECT * FROM users WHERE id = $1", 60)]), None),
        ("it failed", with(usual(40), [failing()]), None),
        ("marked as slow anyhow", with(usual(40), [request(TASKS, 150)]), None),
        ("always as long", (0..40).map(|_| request(TASKS, 60)).collect(), None),
    ];
    for (what, traces, expected) in cases {
        let found = found(&digests(traces));
        assert_eq!(found.first().map(|found| found.traces), expected, "{what}: {found:?}");
    }
}

#[test]
fn a_finding_of_the_past_says_what_is_usual_and_leads_to_the_call() {
    let mut digests = digests(with(usual(40), [request(TASKS, 60)]));
    let one = found(&digests);
    assert_eq!(one[0].why, "SELECT tasks took 60 ms: of the 41 calls held half take up to 6 ms, 95 % up to 9 ms");
    assert_eq!((one[0].severity, one[0].cost, one[0].spans), (super::super::Severity::Warn, Nanos::from_millis(54), 1));
    assert_eq!(one[0].instances, [(TraceId(41_u128.to_be_bytes()), Some(sql(2, 1, (0, 1), TASKS).key))]);
    digests.reverse();
    assert_eq!(found(&digests), one);
}

#[test]
fn the_open_trace_is_told_the_same_of_its_own_calls() {
    let (analysis, thresholds) = (analysed(request(TASKS, 60)), Thresholds::default());
    let calls = suspects(&analysis, &thresholds);
    assert_eq!(calls.len(), 1);
    let mut durations: Vec<u64> = (0..40).map(|call| Nanos::from_millis(3 + call % 7).0).collect();
    durations.push(Nanos::from_millis(60).0);
    durations.sort_unstable();
    let usual = Usual::of(&durations, true, &thresholds).unwrap();
    let finding = judge(&analysis, &thresholds, &calls[0], &usual).unwrap();
    let across = found(&digests(with(self::usual(40), [request(TASKS, 60)])));
    assert_eq!(
        (&finding.why, finding.fingerprint, finding.cost),
        (&across[0].why, across[0].fingerprint, across[0].cost)
    );
    assert_eq!(finding.nodes, [1]);
    assert_eq!(Usual::of(&durations[..29], true, &thresholds), None);
}

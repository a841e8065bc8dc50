//! Generated traffic in which bugs were planted among look-alikes: all of them are found, and nothing else.

use std::collections::BTreeSet;

use super::*;
use crate::analysis::tests::{id, millis};

/// What is put below the handlers of a generated request. Every piece takes 80 ms.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Loop(u64),
    Resolvers(u64),
    FanOut(u64),
    Duplicate,
    Retry(u64),
    Waits,
    Different(u64),
    Few,
    Polls,
    Batch,
    Statements,
}

impl Piece {
    /// What is to be found of it.
    fn planted(self) -> Option<Rule> {
        match self {
            Self::Loop(count) if count >= 5 => Some(Rule::NPlusOne),
            Self::Resolvers(count) if count >= 5 => Some(Rule::Scatter),
            Self::FanOut(count) if count >= 5 => Some(Rule::FanOut),
            Self::Duplicate => Some(Rule::Duplicate),
            Self::Retry(_) => Some(Rule::Retry),
            Self::Waits => Some(Rule::Gap),
            _ => None,
        }
    }

    /// Its spans, below span `parent`, from `start` on; ids from `next` on. `which` tells pieces of a request apart.
    fn spans(self, (parent, next): (u64, u64), start: u64, which: u64) -> Vec<TraceSpan> {
        let table = format!("t{}", ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"][(which % 8) as usize]);
        let query = format!("SELECT * FROM {table} WHERE id = $1");
        let each = |count: u64, n: u64| {
            let step = 80 / count.max(1);
            (start + n * step, if n + 1 == count { start + 80 } else { start + (n + 1) * step })
        };
        match self {
            Self::Loop(count) => (0..count).map(|n| sql(next + n, parent, each(count, n), &query)).collect(),
            Self::Resolvers(count) => (0..count)
                .flat_map(|n| {
                    let (from, to) = each(count, n);
                    let resolver = TraceSpan { label: "resolve".into(), ..span(next + 100 + n, parent, from, to) };
                    [resolver, sql(next + n, next + 100 + n, (from, to), &query)]
                })
                .collect(),
            Self::FanOut(count) => (0..count).map(|n| sql(next + n, parent, (start, start + 80), &query)).collect(),
            Self::Duplicate => {
                let query = format!("SELECT * FROM {table} WHERE id = 7");
                (0..2).map(|n| sql(next + n, parent, each(2, n), &query)).collect()
            }
            Self::Retry(count) => (0..count)
                .map(|n| {
                    let call = http(next + n, parent, each(count, n), &format!("POST {table}/x"));
                    if n + 1 < count { failed(call) } else { call }
                })
                .collect(),
            Self::Waits => vec![span(next, parent, start, start + 10), span(next + 1, parent, start + 70, start + 80)],
            Self::Different(count) => (0..count)
                .map(|n| {
                    sql(
                        next + n,
                        parent,
                        each(count, n),
                        &query.replace(
                            "id",
                            &format!(
                                "c{}",
                                ["", "a", "b", "d", "e", "f", "g", "h", "i", "j", "k", "l"]
                                    .get(usize::try_from(n).unwrap())
                                    .unwrap()
                            ),
                        ),
                    )
                })
                .collect(),
            Self::Few => (0..4).map(|n| sql(next + n, parent, each(4, n), &query)).collect(),
            Self::Polls => Vec::new(),
            Self::Batch => vec![sql(next, parent, (start, start + 80), &query.replace("= $1", "IN ($1, $2, $3)"))],
            Self::Statements => ["BEGIN", "COMMIT", "BEGIN", "COMMIT", "BEGIN", "COMMIT"]
                .iter()
                .zip(0..)
                .map(|(word, n)| sql(next + n, parent, each(6, n), word))
                .collect(),
        }
    }
}

/// A request with these pieces, one after another, each below a handler of its own.
fn request(pieces: &[Piece]) -> Vec<TraceSpan> {
    let long = pieces.len() as u64 * 80;
    let mut spans = vec![served(1, 0, (0, long), "GET /mixed", "200")];
    for (n, piece) in (0_u64..).zip(pieces) {
        let (handler, start) = (10 + n, n * 80);
        spans.push(span(handler, 1, start, start + 80));
        spans.extend(piece.spans((handler, 10_000 * (n + 1)), start, n));
    }
    spans
}

fn piece() -> impl proptest::strategy::Strategy<Value = Piece> {
    use proptest::prelude::*;
    prop_oneof![
        (5_u64..40).prop_map(Piece::Loop),
        (5_u64..40).prop_map(Piece::Resolvers),
        (1_u64..12).prop_map(Piece::FanOut),
        (2_u64..5).prop_map(Piece::Retry),
        (2_u64..12).prop_map(Piece::Different),
        Just(Piece::Duplicate),
        Just(Piece::Waits),
        Just(Piece::Few),
        Just(Piece::Polls),
        Just(Piece::Batch),
        Just(Piece::Statements),
    ]
}

proptest::proptest! {
    /// Recall and precision of 1 on this traffic, rule by rule.
    #[test]
    fn what_was_planted_is_found_and_nothing_else(pieces in proptest::collection::vec(piece(), 3..8)) {
        let planted: BTreeSet<Rule> = pieces.iter().filter_map(|piece| piece.planted()).collect();
        let about = [
            Rule::NPlusOne, Rule::Scatter, Rule::FanOut, Rule::Duplicate, Rule::Retry, Rule::Gap, Rule::Serial,
            Rule::QueueWait, Rule::ErrorRoot, Rule::Swallowed, Rule::Outlive, Rule::Integrity,
        ];
        let found: BTreeSet<Rule> = rules(request(&pieces)).into_iter().filter(|rule| about.contains(rule)).collect();
        proptest::prop_assert_eq!(found, planted);
    }

    /// Any tree is judged, its findings name nodes that are there, and the order of the spans makes no difference.
    #[test]
    fn any_trace_is_judged_and_the_order_of_its_spans_makes_no_difference(
        raw in proptest::collection::vec((1_u64..40, 0_u64..40, 0_u64..300, 0_u64..300, 0_u8..6, 0_u8..4), 1..60),
        turn in 0_usize..60,
    ) {
        let make = |(number, parent, start, end, sort, label): &(u64, u64, u64, u64, u8, u8)| {
            let labels = ["SELECT a FROM b WHERE c = 1", "redis GET k:1", "GET h/p/3", "x"];
            let base = span(*number, *parent, *start, *end);
            let label = labels[usize::from(*label)];
            let kind = [Kind::CLIENT, Kind::SERVER, Kind::INTERNAL, Kind::PRODUCER, Kind::CONSUMER, Kind::CLIENT];
            let category = [Category::Sql, Category::Http, Category::Other, Category::Messaging, Category::Messaging, Category::Database];
            let made = TraceSpan { label: label.into(), category: category[usize::from(*sort)], ..of_kind(kind[usize::from(*sort)], base) };
            if (number + parent) % 5 == 0 { failed(made) } else { made }
        };
        let mut known = BTreeSet::new();
        let spans: Vec<TraceSpan> = raw.iter().map(make).filter(|span| known.insert(span.key)).collect();
        let judged = |spans: Vec<TraceSpan>| {
            let analysis: Analysis = analyse(Arc::new(Trace { spans, ..Trace::default() }), &Thresholds::default());
            let found = judge_all(&analysis, &Thresholds::default(), &Nothing);
            for finding in &found {
                assert!(!finding.nodes.is_empty() && !finding.why.is_empty() && !finding.what.is_empty());
                assert!(finding.nodes.iter().all(|node| (*node as usize) < analysis.nodes.len()));
            }
            found.into_iter().map(|finding| (finding.rule, finding.severity, finding.why, finding.cost, finding.fingerprint)).collect::<Vec<_>>()
        };
        let mut turned = spans.clone();
        turned.rotate_left(turn % spans.len());
        proptest::prop_assert_eq!(judged(spans), judged(turned));
    }
}

/// What is odd does not multiply: of each rule a trace has a hundred findings at most.
#[test]
fn trace_of_oddities_is_not_told_line_by_line() {
    let mut spans = vec![span(1, 0, 0, 10_000)];
    spans.extend((0..500).map(|n| TraceSpan { end: millis(20_000), ..span(10 + n, 1, 5, 6) }));
    assert!(spans.iter().any(|span| span.key.id == id(10)));
    assert_eq!(said(spans).iter().filter(|(rule, _)| *rule == Rule::Outlive).count(), 100);
}

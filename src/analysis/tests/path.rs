//! Critical paths of traces written by hand.

use super::{analysed, of_kind, span};
use crate::analysis::{Analysis, path};
use crate::model::{Kind, Nanos, Timestamp, TraceSpan};

/// The path as text: `span from-to` in milliseconds.
fn drawn(analysis: &Analysis) -> Vec<String> {
    let millis = |at: Timestamp| at.since(super::millis(0)).0 / 1_000_000;
    let line = |segment: &path::Segment| {
        let who = analysis.span(segment.node).map_or_else(|| "?".to_owned(), |span| span.key.id.0[7].to_string());
        format!("{who} {}-{}", millis(segment.from), millis(segment.to))
    };
    analysis.path.iter().map(line).collect()
}

/// Number, parent, start, end of a span.
type Row = (u64, u64, u64, u64);

fn spans(table: &[Row]) -> Vec<TraceSpan> {
    table.iter().map(|(number, parent, start, end)| span(*number, *parent, *start, *end)).collect()
}

#[test]
fn the_path_goes_through_what_ends_last() {
    let cases: [(&[Row], &[&str]); 9] = [
        (&[(1, 0, 0, 100)], &["1 0-100"]),
        (&[(1, 0, 0, 100), (2, 1, 10, 30), (3, 1, 40, 90)], &["1 0-10", "2 10-30", "1 30-40", "3 40-90", "1 90-100"]),
        // Of calls side by side only the one that is waited for longest.
        (&[(1, 0, 0, 100), (2, 1, 10, 80), (3, 1, 10, 90), (4, 1, 20, 60)], &["1 0-10", "3 10-90", "1 90-100"]),
        // What ended before the last one began is waited for too, also in the same moment.
        (&[(1, 0, 0, 100), (2, 1, 0, 50), (3, 1, 20, 60), (4, 1, 60, 100)], &["1 0-20", "3 20-60", "4 60-100"]),
        (&[(1, 0, 0, 100), (2, 1, 10, 90), (3, 2, 20, 30)], &["1 0-10", "2 10-20", "3 20-30", "2 30-90", "1 90-100"]),
        // A child counts as far as it lies within its parent, and so does what is below it.
        (&[(1, 0, 10, 100), (2, 1, 0, 150), (3, 2, 90, 140)], &["2 10-90", "3 90-100"]),
        (&[(1, 0, 0, 100), (2, 1, 100, 150), (3, 1, 200, 250)], &["1 0-100"]),
        // Of those that end together the longer one.
        (&[(1, 0, 0, 100), (2, 1, 50, 90), (3, 1, 20, 90), (4, 1, 90, 90)], &["1 0-20", "3 20-90", "1 90-100"]),
        // Each root has a path, and so has a parent that is missing.
        (
            &[(1, 0, 0, 50), (2, 0, 20, 80), (3, 9, 10, 30), (4, 9, 40, 60)],
            &["1 0-50", "3 10-30", "? 30-40", "4 40-60", "2 20-80"],
        ),
    ];
    for (table, expected) in cases {
        assert_eq!(drawn(&analysed(spans(table))), expected, "{table:?}");
    }
}

/// Start and length in microseconds.
fn fine(number: u64, parent: u64, start: u64, length: u64) -> TraceSpan {
    let mut span = span(number, parent, 0, 0);
    span.start = Timestamp(span.start.0 + start * 1_000);
    span.end = Timestamp(span.start.0 + length * 1_000);
    span
}

/// What Express sends: starts in whole milliseconds, lengths to the microsecond. The handler of errors begins "before" the
/// middleware ended that failed.
#[test]
fn calls_of_a_clock_of_milliseconds_follow_each_other() {
    let express = vec![
        fine(1, 0, 0, 139_100),
        fine(2, 1, 0, 349),
        fine(3, 1, 1_000, 128_700),
        fine(4, 3, 1_000, 128_650),
        fine(5, 1, 129_000, 9_590),
    ];
    let analysis = analysed(express.clone());
    assert_eq!(drawn(&analysis), ["2 0-0", "1 0-1", "4 1-129", "5 129-138", "1 138-139"]);
    let [none, half] = crate::analysis::what_if(&analysis, &[2]).map(|gain| gain.gain);
    assert_eq!((none, half), (Nanos(128_000_000), Nanos(128_000_000 - 128_700_000 / 2)));

    // Nothing of that is so where clocks are fine, what overlaps by more, or ends later than what began within it.
    let side_by_side =
        [(2, 1_001, 128_700, 129_000, 9_590), (2, 1_000, 129_000, 129_000, 9_590), (2, 1_000, 128_700, 129_000, 600)];
    let expected: [&[&str]; 3] = [&["1 0-129", "3 129-138"], &["1 0-129", "3 129-138"], &["1 0-1", "2 1-129"]];
    for ((number, start, length, next, rest), expected) in side_by_side.into_iter().zip(expected) {
        let spans = vec![fine(1, 0, 0, 139_000), fine(number, 1, start, length), fine(3, 1, next, rest)];
        assert_eq!(drawn(&analysed(spans)).get(..2).unwrap(), expected, "{start} {length} {rest}");
    }
}

#[test]
fn nobody_waits_for_who_reads_a_message() {
    let spans = |reader: Kind| {
        let sends = of_kind(Kind::PRODUCER, span(2, 1, 10, 60));
        vec![span(1, 0, 0, 100), sends, of_kind(reader, span(3, 2, 20, 50)), span(4, 3, 25, 30)]
    };
    assert_eq!(drawn(&analysed(spans(Kind::CONSUMER))), ["1 0-10", "2 10-60", "1 60-100"]);
    assert_eq!(drawn(&analysed(spans(Kind::SERVER))).len(), 7);
}

#[test]
fn each_node_says_how_much_of_the_path_it_is() {
    let analysis = analysed(spans(&[(1, 0, 0, 100), (2, 1, 10, 90), (3, 2, 20, 90), (4, 2, 30, 40)]));
    let shares: Vec<_> = analysis.nodes.iter().map(|node| (node.path, node.path_self)).collect();
    let millis = Nanos::from_millis;
    assert_eq!(shares, [(100, 20), (80, 10), (70, 70), (0, 0)].map(|(all, own)| (millis(all), millis(own))));
    assert_eq!(path::on_path(&analysis), [0, 1, 2]);
    assert_eq!(path::of_root(&analysis, 0).len(), 4);
    assert!(path::of_root(&analysis, 1).is_empty());
}

#[test]
fn depth_and_breadth_of_any_size_are_fine() {
    let deep: Vec<_> = (1..50_001).map(|n| span(n, n - 1, n, 200_000 - n)).collect();
    assert_eq!(analysed(deep).path.len(), 99_999);
    let mut wide = vec![span(1, 0, 0, 100_002)];
    wide.extend((2..100_002).map(|n| span(n, 1, n, n + 1)));
    assert_eq!(analysed(wide).path.len(), 100_001);
}

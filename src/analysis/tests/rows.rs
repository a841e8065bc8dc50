//! Rows of waterfalls written by hand.

use super::{analysed, failed, of_kind, span, sql};
use crate::analysis::{Analysis, Folds, Row, RowKind, find, flatten, group_label, reveal, row_of};
use crate::model::{Category, Kind, Nanos, TraceSpan};

/// The rows as text: guide by depth, `>` closed, `v` open, `\` last of its siblings.
fn drawn(analysis: &Analysis, folds: &Folds) -> Vec<String> {
    let line = |row: &Row| {
        let open = row.open.map_or(" ", |open| if open { "v" } else { ">" });
        let last = if row.last { "\\" } else { "|" };
        let text = match &row.kind {
            RowKind::Span => analysis.span(row.node).unwrap().key.id.0[7].to_string(),
            RowKind::Missing => "?".to_owned(),
            RowKind::Group { members, .. } => format!("{} x{}", group_label(analysis, row), members.len()),
        };
        format!("{}{last}{open}{text}", "  ".repeat(row.depth as usize))
    };
    flatten(analysis, folds).iter().map(line).collect()
}

/// A root with `count` statements that differ in their literal, and one other span between them.
fn repeated(count: u64) -> Vec<TraceSpan> {
    let mut spans = vec![span(1, 0, 0, 1_000), span(2, 1, 25, 27)];
    spans.extend((0..count).map(|n| sql(10 + n, 1, (10 + n * 10, 12 + n * 10), &format!("SELECT {n}"))));
    spans
}

#[test]
fn five_equal_siblings_are_one_row_and_four_are_not() {
    let folds = Folds::default();
    assert_eq!(drawn(&analysed(repeated(5)), &folds), ["\\v1", "  |>SELECT ? x5", "  \\ 2"]);
    assert_eq!(drawn(&analysed(repeated(4)), &folds).len(), 6);
}

#[test]
fn a_group_says_what_is_in_it() {
    let mut spans = repeated(5);
    spans[3] = failed(spans[3].clone());
    spans[4].end = super::millis(300);
    let rows = flatten(&analysed(spans), &Folds::default());
    let RowKind::Group { members, sum, covered, longest, start, end, path, failed, slow } = &rows[1].kind else {
        panic!("no group")
    };
    // The longest runs to 300 ms, beside the last; two are waited for before it began.
    assert_eq!(*path, Nanos::from_millis(274));
    assert_eq!((members.as_slice(), *failed, *slow), ([2, 3, 4, 5, 6].as_slice(), 1, 1));
    assert_eq!((*sum, *longest), (Nanos::from_millis(278), Nanos::from_millis(270)));
    // Two ran one after the other before it, two beside it.
    assert_eq!(*covered, Nanos::from_millis(274));
    assert_eq!((*start, *end), (super::millis(10), super::millis(300)));
}

#[test]
fn siblings_that_ran_side_by_side_did_not_take_more_than_all_of_the_trace() {
    let mut spans = vec![span(1, 0, 0, 100)];
    spans.extend((2..8).map(|n| sql(n, 1, (10 + n, 80 + n), "SELECT 1")));
    let analysis = analysed(spans);
    let rows = flatten(&analysis, &Folds::default());
    let RowKind::Group { sum, covered, .. } = &rows[1].kind else { panic!("no group") };
    assert_eq!((*sum, *covered), (Nanos::from_millis(420), Nanos::from_millis(75)));
}

#[test]
fn an_opened_group_shows_its_members_below_it() {
    let analysis = analysed(repeated(5));
    let mut folds = Folds::default();
    folds.opened.insert(flatten(&analysis, &folds)[1].key);
    let expected = ["\\v1", "  |vSELECT ? x5", "    | 10", "    | 11", "    | 12", "    | 13", "    \\ 14", "  \\ 2"];
    assert_eq!(drawn(&analysis, &folds), expected);
    let rows = flatten(&analysis, &folds);
    let parents: Vec<_> = rows.iter().map(|row| row.parent_row).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(1), Some(1), Some(1), Some(0)]);
}

#[test]
fn what_differs_below_is_not_equal() {
    let call = |n: u64| of_kind(Kind::CLIENT, TraceSpan { label: "GET /x".into(), ..span(n, 1, n, n + 5) });
    let mut spans = vec![span(1, 0, 0, 1_000)];
    spans.extend((10..16).map(call));
    let below = |n: u64| TraceSpan { label: "handler".into(), ..span(n + 20, n, n + 1, n + 2) };
    spans.extend((10..15).map(below));
    let folds = Folds::default();
    assert_eq!(drawn(&analysed(spans.clone()), &folds), ["\\v1", "  |>GET /x x5", "  \\ 15"]);
    // The key stays when all have their child, or none.
    let some = flatten(&analysed(spans.clone()), &folds)[1].key;
    assert_eq!(some, flatten(&analysed(spans[..7].to_vec()), &folds)[1].key);
}

#[test]
fn other_service_kind_or_category_is_not_equal() {
    let base = |n: u64| TraceSpan { label: "work".into(), ..span(n, 1, n, n + 1) };
    for other in [
        TraceSpan { service: "other".into(), ..base(14) },
        TraceSpan { category: Category::Http, ..base(14) },
        of_kind(Kind::CLIENT, base(14)),
        TraceSpan { label: "work 2".into(), ..base(14) },
    ] {
        let mut spans = vec![span(1, 0, 0, 100), other];
        spans.extend((10..14).map(base));
        assert_eq!(drawn(&analysed(spans), &Folds::default()).len(), 6);
    }
}

#[test]
fn folding_hides_what_is_below() {
    let analysis = analysed(vec![span(1, 0, 0, 100), span(2, 1, 10, 20), span(3, 2, 11, 12), span(4, 9, 30, 40)]);
    let mut folds = Folds::default();
    assert_eq!(drawn(&analysis, &folds), ["|v1", "  \\v2", "    \\ 3", "\\v?", "  \\ 4"]);
    folds.closed.insert(analysis.row_key(1).unwrap());
    assert_eq!(drawn(&analysis, &folds), ["|v1", "  \\>2", "\\v?", "  \\ 4"]);
    folds.closed.insert(analysis.row_key(4).unwrap());
    assert_eq!(drawn(&analysis, &folds), ["|v1", "  \\>2", "\\>?"]);
}

#[test]
fn revealing_opens_the_way_to_a_span() {
    let mut spans = repeated(6);
    spans.extend((0..6).map(|n| TraceSpan { label: "fetch".into(), ..span(30 + n, 10 + n, 11 + n * 10, 12 + n * 10) }));
    let analysis = analysed(spans);
    let mut folds = Folds::default();
    folds.closed.extend([analysis.row_key(0).unwrap(), analysis.row_key(4).unwrap()]);
    let target = 10;
    assert_eq!(analysis.nodes[target as usize].parent, Some(4));
    assert_eq!(row_of(&flatten(&analysis, &folds), analysis.row_key(target).unwrap()), None);
    reveal(&analysis, &mut folds, target);
    let rows = flatten(&analysis, &folds);
    assert!(row_of(&rows, analysis.row_key(target).unwrap()).is_some());
    assert!(folds.closed.is_empty());
    reveal(&analysis, &mut folds, 9_999);
}

#[test]
fn words_are_found_in_label_name_service_and_id() {
    let analysis = analysed(vec![sql(3, 1, (5, 6), "SELECT Größe FROM t"), span(1, 0, 0, 10), span(2, 9, 7, 8)]);
    let cases: [(&str, &[u32]); 8] = [
        ("größe", &[0]),
        ("select T", &[0]),
        ("span", &[1, 0, 2]),
        ("API", &[1, 0, 2]),
        ("0000000000000002", &[2]),
        ("0000000000000009", &[3]),
        ("nothing", &[]),
        ("  ", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(find(&analysis, text), expected, "{text}");
    }
}

#[test]
fn breadth_and_depth_of_any_size_are_fine() {
    let mut wide = vec![span(1, 0, 0, 1)];
    wide.extend((2..100_002).map(|n| span(n, 1, n, n + 1)));
    assert_eq!(flatten(&analysed(wide), &Folds::default()).len(), 100_001);
    let mut equal = vec![span(1, 0, 0, 1)];
    equal.extend((2..100_002).map(|n| sql(n, 1, (n, n + 1), "SELECT 1")));
    assert_eq!(flatten(&analysed(equal), &Folds::default()).len(), 2);
    let deep: Vec<_> = (1..10_001).map(|n| span(n, n - 1, n, 20_000 - n)).collect();
    let rows = flatten(&analysed(deep), &Folds::default());
    assert_eq!((rows.len(), rows[9_999].depth), (10_000, 9_999));
}

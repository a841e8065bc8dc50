//! What holds for the tree and the rows of any trace.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::{analysed, millis, of_kind, span};
use crate::analysis::{Analysis, Folds, RowKind, Says, find, flatten, path, reveal, row_of, what_if};
use crate::model::{Category, Kind, Nanos, StatusCode, Timestamp, TraceSpan};

/// Spans of few ids, so that cycles, shared ids, doubles and missing parents abound; times zero and reversed too.
fn spans() -> impl Strategy<Value = Vec<TraceSpan>> {
    let one = (1..12_u64, 0..14_u64, 0..5_i32, 0..20_u64, 0..20_u64, 0..3_i32, 0..3_usize);
    let one = one.prop_map(|(number, parent, kind, start, end, status, label)| TraceSpan {
        start: Timestamp(start),
        end: Timestamp(end),
        status: StatusCode(status),
        category: [Category::Sql, Category::Http, Category::Other][label],
        label: ["SELECT 1", "GET /", "work"][label].into(),
        ..of_kind(Kind(kind), span(number, parent, 0, 0))
    });
    prop::collection::vec(one, 0..30)
}

/// What a node says, with its parent, without indexes.
type Said = (String, Option<String>, String);

fn said(analysis: &Analysis) -> Vec<Said> {
    let line = |node: &u32| {
        let of = |node: u32| format!("{:?} {:?}", analysis.row_key(node), analysis.span(node));
        let place = &analysis.nodes[*node as usize];
        let rest = format!(
            "{:?}",
            (place.depth, place.descendants, place.failed_descendants, place.slow_descendants, place.start, place.end)
        );
        let path = (place.path, place.path_self);
        let rest = format!("{rest} {:?} {:?} {path:?}", place.cycle, analysis.covered_of(*node));
        (of(*node), place.parent.map(of), rest)
    };
    analysis.order.iter().map(line).collect()
}

/// A trace in which nothing runs at once: each step is later than the one before by so many milliseconds, and begins a span within the
/// one that runs or ends that.
fn sequential(steps: &[(bool, u64)]) -> Vec<TraceSpan> {
    let mut spans = vec![span(1, 0, 0, 0)];
    let (mut open, mut now) = (vec![0], 0);
    for (begins, later) in steps {
        now += later;
        let running = *open.last().unwrap();
        if *begins {
            let (id, parent) = (spans.len() as u64 + 1, running as u64 + 1);
            open.push(spans.len());
            spans.push(span(id, parent, now, now));
        } else if open.len() > 1 {
            open.pop();
            spans[running].end = millis(now);
        }
    }
    for running in open {
        spans[running].end = millis(now);
    }
    spans
}

proptest! {
    #[test]
    fn every_span_stands_in_the_tree_once(spans in spans()) {
        let count = spans.len();
        let analysis = analysed(spans);
        let distinct: HashSet<u32> = analysis.order.iter().copied().collect();
        prop_assert_eq!(distinct.len(), analysis.nodes.len());
        prop_assert_eq!(analysis.order.len(), analysis.nodes.len());
        let spans = analysis.order.iter().filter(|node| analysis.span(**node).is_some()).count();
        prop_assert_eq!(spans, count);
        for root in &analysis.roots {
            prop_assert_eq!(analysis.nodes[*root as usize].depth, 0);
        }
        for (index, node) in (0_u32..).zip(&analysis.nodes) {
            for child in analysis.children_of(index) {
                prop_assert_eq!(analysis.nodes[*child as usize].parent, Some(index));
                prop_assert_eq!(analysis.nodes[*child as usize].depth, node.depth + 1);
            }
        }
        let below: u32 = analysis.roots.iter().map(|root| analysis.nodes[*root as usize].descendants).sum();
        let roots = analysis.roots.iter().filter(|root| analysis.span(**root).is_some()).count();
        prop_assert_eq!(below as usize + roots, count);
    }

    #[test]
    fn own_and_covered_time_make_up_the_duration(spans in spans()) {
        let analysis = analysed(spans);
        for (index, node) in (0_u32..).zip(&analysis.nodes) {
            let mut total = node.self_time.0;
            let mut before = node.start;
            for (from, to) in analysis.covered_of(index) {
                prop_assert!(before <= *from && from < to && *to <= node.end);
                before = *to;
                total += to.since(*from).0;
            }
            prop_assert_eq!(total, node.duration().0);
            prop_assert!(analysis.start <= node.start && node.end <= analysis.end);
        }
    }

    #[test]
    fn own_times_of_what_runs_one_after_another_sum_up_to_the_root(steps in prop::collection::vec((any::<bool>(), 0_u64..9), 0..60)) {
        let analysis = analysed(sequential(&steps));
        let own: u64 = analysis.nodes.iter().map(|node| node.self_time.0).sum();
        prop_assert_eq!(own, analysis.duration().0);
        // And all of it is waited for.
        for (index, node) in (0_u32..).zip(&analysis.nodes) {
            prop_assert_eq!((node.path, node.path_self), (node.duration(), node.self_time), "{}", index);
        }
    }

    #[test]
    fn the_critical_path_covers_every_root_exactly(spans in spans()) {
        let analysis = analysed(spans);
        for root in &analysis.roots {
            let node = &analysis.nodes[*root as usize];
            let mut at = node.start;
            for segment in path::of_root(&analysis, *root) {
                prop_assert!(segment.from == at && segment.to > at);
                at = segment.to;
            }
            prop_assert_eq!(at, node.end);
        }
        let all: u64 = analysis.roots.iter().map(|root| path::of_root(&analysis, *root).len() as u64).sum();
        prop_assert_eq!(all, analysis.path.len() as u64);
    }

    #[test]
    fn what_is_on_the_path_is_on_it_with_all_above(spans in spans()) {
        let analysis = analysed(spans);
        for (index, node) in (0_u32..).zip(&analysis.nodes) {
            let below: u64 = analysis.children_of(index).iter().map(|child| analysis.nodes[*child as usize].path.0).sum();
            prop_assert_eq!(node.path.0, node.path_self.0 + below);
            prop_assert!(node.path <= node.duration());
            if let Some(parent) = node.parent {
                prop_assert!(node.path <= analysis.nodes[parent as usize].path);
            }
        }
    }

    #[test]
    fn less_time_gains_at_most_what_the_path_holds(spans in spans()) {
        let analysis = analysed(spans);
        for (index, node) in (0_u32..).zip(&analysis.nodes) {
            let [none, half] = what_if(&analysis, &[index]);
            prop_assert!(none.gain >= half.gain);
            prop_assert!(none.gain <= node.path, "{:?} of {:?}", none, node.path);
            // A root that takes no time is gained whole.
            if node.parent.is_none() {
                prop_assert_eq!(none.gain, node.duration());
            }
        }
        let all: Vec<u32> = analysis.children_of(0).to_vec();
        let together = what_if(&analysis, &all)[0].gain;
        prop_assert!(all.iter().all(|one| what_if(&analysis, &[*one])[0].gain <= together));
    }

    #[test]
    fn the_times_of_the_verdict_make_up_the_longest_root(spans in spans()) {
        let analysis = analysed(spans);
        let (mut sum, mut percent) = (0, 0);
        for clause in &analysis.verdict.clauses {
            prop_assert!((clause.node as usize) < analysis.nodes.len());
            if let Says::Time { time, percent: share, .. } = clause.says {
                sum += time.0;
                percent += u32::from(share);
            }
        }
        let longest = analysis.roots.iter().map(|root| analysis.nodes[*root as usize].duration()).max();
        prop_assert_eq!(analysis.verdict.whole, longest.unwrap_or_default());
        prop_assert!(sum <= analysis.verdict.whole.0);
        prop_assert!(analysis.verdict.whole == Nanos::ZERO || (96..=104).contains(&percent), "{}", percent);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(spans in spans(), seed in any::<u64>()) {
        let mut shuffled = spans.clone();
        shuffled.sort_by_key(|span| (span.start.0.wrapping_mul(seed | 1) ^ u64::from_be_bytes(span.key.id.0) ^ seed) % 97);
        let (one, other) = (analysed(spans), analysed(shuffled));
        prop_assert_eq!(said(&one), said(&other));
        let error = |analysis: &Analysis| analysis.root_error.map(|node| analysis.span(node).cloned());
        prop_assert_eq!(error(&one), error(&other));
        let keys = |analysis: &Analysis| flatten(analysis, &Folds::default()).iter().map(|row| row.key).collect::<Vec<_>>();
        prop_assert_eq!(keys(&one), keys(&other));
    }

    #[test]
    fn every_span_is_in_one_row_and_rows_hang_together(spans in spans()) {
        let analysis = analysed(spans);
        let rows = flatten(&analysis, &Folds::default());
        let mut last_below: BTreeMap<Option<u32>, usize> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let above = row.parent_row.map(|parent| &rows[parent as usize]);
            prop_assert_eq!(row.depth, above.map_or(0, |above| above.depth + 1));
            prop_assert!(above.is_none_or(|above| above.open == Some(true)));
            last_below.insert(row.parent_row, at);
            if let RowKind::Group { members, .. } = &row.kind {
                prop_assert!(members.len() >= 5);
                prop_assert_eq!(members[0], row.node);
            }
        }
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(row.last, last_below[&row.parent_row] == at);
        }
        let keys: HashSet<_> = rows.iter().filter(|row| matches!(row.kind, RowKind::Group { .. })).map(|row| row.key).collect();
        let groups = rows.iter().filter(|row| matches!(row.kind, RowKind::Group { .. })).count();
        prop_assert_eq!(keys.len(), groups);
    }

    #[test]
    fn what_is_revealed_has_a_row(spans in spans(), closed in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let analysis = analysed(spans);
        for node in 0..u32::try_from(analysis.nodes.len()).unwrap() {
            let mut folds = Folds::default();
            folds.closed.extend(closed.iter().map(|at| analysis.row_key(u32::try_from(at.index(analysis.nodes.len())).unwrap()).unwrap()));
            reveal(&analysis, &mut folds, node);
            let rows = flatten(&analysis, &folds);
            prop_assert!(row_of(&rows, analysis.row_key(node).unwrap()).is_some());
        }
        prop_assert_eq!(find(&analysis, "span").len(), analysis.trace.spans.len());
        prop_assert!(analysis.span(9_999).is_none() && analysis.row_key(9_999).is_none());
    }
}

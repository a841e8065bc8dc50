//! Two traces side by side, their spans matched by path.

use hashbrown::HashMap;

use super::vocabulary::{Operation, Vocabulary};
use crate::analysis::{Analysis, GROUP_AT_LEAST};
use crate::model::{Nanos, Timestamp};

/// Two traces in one tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pair {
    /// The spans of both, depth first, each before what stands below it.
    pub rows: Vec<PairRow>,
    /// How long the first took, and the second.
    pub durations: [Nanos; 2],
}

/// Spans of one or both traces that stand in the same place: the same operation, for the same time in order, below spans that
/// stand in the same place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairRow {
    /// What they do; without a service and a name where the span is not held.
    pub operation: Operation,
    /// How many rows it is indented by.
    pub depth: u32,
    /// In the first trace and in the second; at least one is there.
    pub strands: [Option<Strand>; 2],
}

/// What one of the two traces has in a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strand {
    /// The node of its (first) span.
    pub node: u32,
    /// How many spans: more than one where equal ones without children are many.
    pub count: u32,
    /// From the start of the trace to the start of the first.
    pub from: Nanos,
    /// From the start of the trace to the latest end.
    pub to: Nanos,
    /// The sum of their durations.
    pub sum: Nanos,
    /// How many of them failed.
    pub failed: u32,
}

impl PairRow {
    /// How much longer it takes in the second trace, in nanoseconds; `None` where one of them does not have it.
    #[must_use]
    pub fn change(&self) -> Option<i128> {
        let [Some(first), Some(second)] = &self.strands else { return None };
        Some(i128::from(second.sum.0) - i128::from(first.sum.0))
    }
}

/// Matches the spans of two traces by path: service and name (of a database call its statement without values) along the
/// ancestry, and of several equal ones below one parent the first with the first, the second with the second. Where one trace
/// has many equal ones without children, they are one row. O(n log n), no recursion.
#[must_use]
pub fn pair(first: &Analysis, second: &Analysis) -> Pair {
    let traces = [first, second];
    let mut words = Vocabulary::default();
    let numbers = traces.map(|analysis| -> Vec<Option<u32>> {
        let nodes = 0..u32::try_from(analysis.nodes.len()).unwrap_or(u32::MAX);
        nodes.map(|node| analysis.span(node).map(|span| words.operation_of(span))).collect()
    });
    let of = |side: usize, node: u32| numbers[side].get(node as usize).copied().flatten();
    let mut rows = Vec::new();
    let mut stack = Vec::new();
    hang(&mut stack, traces, &of, ([&first.roots, &second.roots], 0));
    while let Some(Place { operation, nodes, depth }) = stack.pop() {
        let strands = [0, 1].map(|side| strand(traces[side], &nodes[side]));
        let operation = operation.map(|number| words.operation(number)).unwrap_or_default();
        rows.push(PairRow { operation, depth, strands });
        let below = [0, 1].map(|side| match nodes[side].as_slice() {
            [node] => traces[side].children_of(*node),
            // Many in one row have no children, or there is none.
            _ => &[],
        });
        hang(&mut stack, traces, &of, (below, depth + 1));
    }
    Pair { rows, durations: traces.map(Analysis::duration) }
}

struct Place {
    operation: Option<u32>,
    nodes: [Vec<u32>; 2],
    depth: u32,
}

/// Puts what stands below a place on the stack, what began first on top.
fn hang(
    stack: &mut Vec<Place>,
    traces: [&Analysis; 2],
    of: &dyn Fn(usize, u32) -> Option<u32>,
    (below, depth): ([&[u32]; 2], u32),
) {
    let mut kinds: HashMap<Option<u32>, usize> = HashMap::new();
    let mut found: Vec<(Option<u32>, [Vec<u32>; 2])> = Vec::new();
    for (side, nodes) in below.into_iter().enumerate() {
        for node in nodes {
            let operation = of(side, *node);
            let at = *kinds.entry(operation).or_insert_with(|| {
                found.push((operation, [Vec::new(), Vec::new()]));
                found.len() - 1
            });
            found[at].1[side].push(*node);
        }
    }
    let mut places: Vec<Place> = Vec::new();
    for (operation, nodes) in found {
        let many = nodes.iter().any(|nodes| nodes.len() >= GROUP_AT_LEAST);
        let leaves = |side: usize| nodes[side].iter().all(|node| traces[side].children_of(*node).is_empty());
        if many && leaves(0) && leaves(1) {
            places.push(Place { operation, nodes, depth });
            continue;
        }
        for nth in 0..nodes[0].len().max(nodes[1].len()) {
            let one = |side: usize| nodes[side].get(nth).copied().into_iter().collect();
            places.push(Place { operation, nodes: [one(0), one(1)], depth });
        }
    }
    let begins = |place: &Place| {
        let start = |side: usize| place.nodes[side].first().map(|node| offset(traces[side], *node));
        start(0).into_iter().chain(start(1)).min().unwrap_or(Nanos::ZERO)
    };
    places.sort_by_key(begins);
    stack.extend(places.into_iter().rev());
}

fn offset(analysis: &Analysis, node: u32) -> Nanos {
    analysis.nodes.get(node as usize).map_or(Nanos::ZERO, |node| node.start.since(analysis.start))
}

fn strand(analysis: &Analysis, nodes: &[u32]) -> Option<Strand> {
    let first = *nodes.first()?;
    let members = || nodes.iter().filter_map(|node| analysis.nodes.get(*node as usize));
    let from = members().map(|node| node.start).min().unwrap_or(analysis.start);
    let to: Timestamp = members().map(|node| node.end).max().unwrap_or_default();
    let sum = members().fold(0_u64, |sum, node| sum.saturating_add(node.duration().0));
    let count = |wanted: usize| u32::try_from(wanted).unwrap_or(u32::MAX);
    Some(Strand {
        node: first,
        count: count(nodes.len()),
        from: from.since(analysis.start),
        to: to.since(analysis.start),
        sum: Nanos(sum),
        failed: count(members().filter(|node| node.failed).count()),
    })
}

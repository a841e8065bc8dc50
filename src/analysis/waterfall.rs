//! The visible rows of a waterfall: the tree, less what is folded, with equal siblings drawn together.

use std::collections::HashSet;

use hashbrown::HashMap;

use super::parents::number;
use super::shape::hash;
use super::statement;
use super::tree::{Analysis, Subject};
use crate::model::{Nanos, SpanId, SpanKey, Timestamp};

/// What a row stands for, whatever else arrives: selection and folds are kept by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    /// A span.
    Span(SpanKey),
    /// A parent that is not held.
    Missing(SpanId),
    /// Equal siblings below one parent (`None`: roots): the parent and a hash of service and label.
    Group(Option<SpanId>, u64),
}

/// What the reader folded and unfolded. Spans and missing parents are open, groups closed, until named here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folds {
    /// Spans and missing parents whose children are hidden.
    pub closed: HashSet<RowKey>,
    /// Groups whose members are shown.
    pub opened: HashSet<RowKey>,
}

/// One visible row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it stands for.
    pub key: RowKey,
    /// How to draw it.
    pub kind: RowKind,
    /// Its node; for a group its first member's.
    pub node: u32,
    /// The row it hangs on, by index; `None` at the top.
    pub parent_row: Option<u32>,
    /// How many rows it is indented by.
    pub depth: u32,
    /// Whether it is the last below its parent row.
    pub last: bool,
    /// `None`: nothing below it; otherwise whether what is below is shown.
    pub open: Option<bool>,
}

/// How a row is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    /// A span.
    Span,
    /// A parent that is not held.
    Missing,
    /// Five or more equal siblings in one row.
    Group {
        /// The members' nodes in order of start.
        members: Vec<u32>,
        /// The sum of their durations.
        sum: Nanos,
        /// How long at least one of them ran: less than the sum where they ran side by side.
        covered: Nanos,
        /// The longest of them.
        longest: Nanos,
        /// Earliest start.
        start: Timestamp,
        /// Latest end.
        end: Timestamp,
        /// How much of the critical path runs through them.
        path: Nanos,
        /// How many of them failed, or have something below them that did.
        failed: u32,
        /// How many of them are slow, or have something below them that is.
        slow: u32,
    },
}

/// How many equal siblings are drawn as one row.
pub const GROUP_AT_LEAST: usize = 5;

/// The visible rows of `analysis` in order.
///
/// Siblings are equal where service, label (of database spans: without its values), category and kind are, and the same
/// holds for everything below them. They need not be neighbours: the group stands where its first member would.
#[must_use]
pub fn flatten(analysis: &Analysis, folds: &Folds) -> Vec<Row> {
    flatten_where(analysis, folds, &|_| true)
}

/// The same with only the rows of nodes that are `kept`; those above a kept node must be kept too. Groups stay groups, of
/// the members that are left.
#[must_use]
pub fn flatten_where(analysis: &Analysis, folds: &Folds, kept: &dyn Fn(u32) -> bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut stack: Vec<Pending> = Vec::new();
    let siblings = |nodes: &[u32], parent| retain(siblings(analysis, nodes, parent), kept);
    hang(&mut stack, siblings(&analysis.roots, None), None, 0);
    while let Some(pending) = stack.pop() {
        let Pending { sibling, parent_row, depth, last } = pending;
        let this_row = Some(number(rows.len()));
        match sibling {
            Sibling::One(node) => {
                let Some(key) = analysis.row_key(node) else { continue };
                let children = analysis.children_of(node);
                let has_rows = children.iter().any(|child| kept(*child));
                let open = has_rows.then(|| !folds.closed.contains(&key));
                let missing = matches!(key, RowKey::Missing(_));
                let kind = if missing { RowKind::Missing } else { RowKind::Span };
                rows.push(Row { key, kind, node, parent_row, depth, last, open });
                if open == Some(true) {
                    hang(&mut stack, siblings(children, Some(node)), this_row, depth + 1);
                }
            }
            Sibling::Equal(key, members) => {
                let open = folds.opened.contains(&key);
                if open {
                    let each = members.iter().copied().map(Sibling::One).collect();
                    hang(&mut stack, each, this_row, depth + 1);
                }
                let node = members.first().copied().unwrap_or_default();
                let kind = group(analysis, members);
                rows.push(Row { key, kind, node, parent_row, depth, last, open: Some(open) });
            }
        }
    }
    rows
}

/// A row that is still to be written.
struct Pending {
    sibling: Sibling,
    parent_row: Option<u32>,
    depth: u32,
    last: bool,
}

/// One row's worth of siblings.
pub(super) enum Sibling {
    One(u32),
    Equal(RowKey, Vec<u32>),
}

/// The nodes to keep where everything but `nodes` is hidden: they and all that stands above them.
#[must_use]
pub fn with_ancestors(analysis: &Analysis, nodes: &[u32]) -> HashSet<u32> {
    let mut kept = HashSet::with_capacity(nodes.len() * 2);
    for node in nodes {
        let mut at = Some(*node);
        while let Some(node) = at.filter(|node| kept.insert(*node)) {
            at = analysis.nodes.get(node as usize).and_then(|node| node.parent);
        }
    }
    kept
}

fn retain(siblings: Vec<Sibling>, kept: &dyn Fn(u32) -> bool) -> Vec<Sibling> {
    let keep = |sibling| match sibling {
        Sibling::One(node) => kept(node).then_some(Sibling::One(node)),
        Sibling::Equal(key, mut members) => {
            members.retain(|member| kept(*member));
            (!members.is_empty()).then_some(Sibling::Equal(key, members))
        }
    };
    siblings.into_iter().filter_map(keep).collect()
}

fn hang(stack: &mut Vec<Pending>, siblings: Vec<Sibling>, parent_row: Option<u32>, depth: u32) {
    let from = stack.len();
    stack.extend(siblings.into_iter().map(|sibling| Pending { sibling, parent_row, depth, last: false }));
    if let Some(new) = stack.get_mut(from..) {
        new.reverse();
    }
    if let Some(last) = stack.get_mut(from) {
        last.last = true;
    }
}

/// The children of `parent` (`None`: the roots), equal ones together.
pub(super) fn siblings(analysis: &Analysis, nodes: &[u32], parent: Option<u32>) -> Vec<Sibling> {
    if nodes.len() < GROUP_AT_LEAST {
        return nodes.iter().copied().map(Sibling::One).collect();
    }
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for node in nodes {
        *counts.entry(analysis.likeness[*node as usize].whole).or_default() += 1;
    }
    let parent = parent.and_then(|node| analysis.row_key(node));
    let mut groups: HashMap<u64, usize> = HashMap::new();
    let mut alike: HashMap<u64, u32> = HashMap::new();
    let mut siblings: Vec<Sibling> = Vec::new();
    for node in nodes.iter().copied() {
        let likeness = analysis.likeness[node as usize];
        if counts.get(&likeness.whole).is_none_or(|count| *count < GROUP_AT_LEAST) {
            siblings.push(Sibling::One(node));
            continue;
        }
        let at = *groups.entry(likeness.whole).or_insert_with(|| {
            // The key must not change when the members' children arrive, so it says what the members are themselves;
            // a number keeps groups apart that differ only further down.
            let which = alike.entry(likeness.own).or_default();
            let key = RowKey::Group(parent.and_then(id_of), hash((likeness.own, parent, *which)));
            *which += 1;
            siblings.push(Sibling::Equal(key, Vec::new()));
            siblings.len() - 1
        });
        if let Some(Sibling::Equal(_, members)) = siblings.get_mut(at) {
            members.push(node);
        }
    }
    siblings
}

fn id_of(key: RowKey) -> Option<SpanId> {
    match key {
        RowKey::Span(key) => Some(key.id),
        RowKey::Missing(id) => Some(id),
        RowKey::Group(id, _) => id,
    }
}

fn group(analysis: &Analysis, members: Vec<u32>) -> RowKind {
    let (mut sum, mut longest, mut path, mut failed, mut slow) = (0_u64, Nanos::ZERO, 0_u64, 0, 0);
    let (mut start, mut end) = (Timestamp(u64::MAX), Timestamp(0));
    let (mut covered, mut reached) = (0_u64, Timestamp(0));
    for node in members.iter().map(|member| &analysis.nodes[*member as usize]) {
        sum = sum.saturating_add(node.duration().0);
        longest = longest.max(node.duration());
        path = path.saturating_add(node.path.0);
        covered = covered.saturating_add(node.end.since(node.start.max(reached)).0);
        reached = reached.max(node.end);
        (start, end) = (start.min(node.start), end.max(node.end));
        failed += u32::from(node.failed || node.failed_descendants > 0);
        slow += u32::from(node.slow.is_some() || node.slow_descendants > 0);
    }
    let (sum, covered, path) = (Nanos(sum), Nanos(covered), Nanos(path));
    RowKind::Group { members, sum, covered, longest, start, end, path, failed, slow }
}

/// The text of a group's row: its members' label where all have the same, otherwise the label without its values.
/// Of other rows, the label.
#[must_use]
pub fn group_label(analysis: &Analysis, row: &Row) -> String {
    let Some(first) = analysis.span(row.node) else { return String::new() };
    let differs = |member: &u32| analysis.span(*member).is_some_and(|span| span.label != first.label);
    match &row.kind {
        RowKind::Group { members, .. } if members.iter().any(differs) => {
            statement::normalise(first.category, &first.label).into_owned()
        }
        _ => first.label.as_ref().to_owned(),
    }
}

/// Opens whatever hides `node`: the nodes above it, and the groups that it and they are in.
pub fn reveal(analysis: &Analysis, folds: &mut Folds, node: u32) {
    let mut current = node;
    while let Some(place) = analysis.nodes.get(current as usize) {
        let all = place.parent.map_or(analysis.roots.as_slice(), |parent| analysis.children_of(parent));
        let whole = |node: u32| analysis.likeness[node as usize].whole;
        let alike = all.iter().filter(|other| whole(**other) == whole(current)).count();
        if alike >= GROUP_AT_LEAST {
            let groups = siblings(analysis, all, place.parent);
            let own = groups.into_iter().find_map(|sibling| match sibling {
                Sibling::Equal(key, members) if members.contains(&current) => Some(key),
                _ => None,
            });
            folds.opened.extend(own);
        }
        let Some(parent) = place.parent else { return };
        if let Some(key) = analysis.row_key(parent) {
            folds.closed.remove(&key);
        }
        current = parent;
    }
}

/// Where in `rows` a key stands; linear.
#[must_use]
pub fn row_of(rows: &[Row], key: RowKey) -> Option<usize> {
    rows.iter().position(|row| row.key == key)
}

/// The nodes whose label, name, service or id holds every word of `text` (case-insensitive), in order of the tree.
/// No words, no nodes.
#[must_use]
pub fn find(analysis: &Analysis, text: &str) -> Vec<u32> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let matches = |node: &u32| match analysis.nodes.get(*node as usize).map(|node| node.subject) {
        Some(Subject::Span(_)) => analysis.span(*node).is_some_and(|span| {
            let id = span.key.id.to_string();
            let texts = [&span.label, &span.name, &span.service].map(|text| text.to_lowercase());
            words.iter().all(|word| id == *word || texts.iter().any(|text| text.contains(word.as_str())))
        }),
        Some(Subject::Missing(id)) => words.iter().all(|word| id.to_string() == *word),
        None => false,
    };
    analysis.order.iter().copied().filter(matches).collect()
}

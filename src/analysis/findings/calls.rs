//! The calls of a trace: which spans leave their service, and which of them are alike.

use hashbrown::HashMap;

use super::words;
use crate::analysis::parents::number;
use crate::analysis::shape::hash;
use crate::analysis::tree::{Analysis, Subject};
use crate::model::{Category, Kind, TraceSpan};

/// The calls of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Per node: the same for spans that do the same, whatever the values, over all traces.
    pub(super) signatures: Vec<u64>,
    /// Per node: the span under which it is served: the nearest above it (or itself) that was entered from outside, or a root.
    pub(super) entries: Vec<u32>,
    /// Like calls of one parent, two at least, each group in order of start; in the order in which they begin in the tree.
    pub(super) groups: Vec<Group>,
}

/// Like calls of one parent.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The parent.
    pub(super) parent: u32,
    /// The calls in order of start.
    pub(super) members: Vec<u32>,
}

impl Calls {
    pub(super) fn of(analysis: &Analysis) -> Self {
        let signatures = signatures(analysis);
        let entries = entries(analysis);
        let mut calls: Vec<(u32, u64, u32)> = Vec::new();
        for (at, node) in (0..).zip(&analysis.order) {
            let Some(parent) = analysis.nodes[*node as usize].parent else { continue };
            if analysis.span(*node).is_some_and(is_call) {
                calls.push((parent, signatures[*node as usize], at));
            }
        }
        // Siblings stand in the order of the tree as they began.
        calls.sort_unstable();
        let alike = calls.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
        let mut groups: Vec<(u32, Group)> = alike
            .filter(|alike| alike.len() > 1)
            .map(|alike| {
                let members = alike.iter().map(|(_, _, at)| analysis.order[*at as usize]).collect();
                (alike[0].2, Group { parent: alike[0].0, members })
            })
            .collect();
        groups.sort_unstable_by_key(|(at, _)| *at);
        Self { signatures, entries, groups: groups.into_iter().map(|(_, group)| group).collect() }
    }
}

/// Whether a span is a call to something else: a database, another service.
pub(super) fn is_call(span: &TraceSpan) -> bool {
    match span.category {
        Category::Sql | Category::Database => !matches!(span.key.kind, Kind::SERVER | Kind::CONSUMER),
        Category::Http | Category::Rpc => span.key.kind == Kind::CLIENT,
        Category::Messaging | Category::Other => false,
    }
}

fn signatures(analysis: &Analysis) -> Vec<u64> {
    let mut patterns: HashMap<usize, u64> = HashMap::new();
    let of = |(node, likeness): (_, &crate::analysis::shape::Likeness)| {
        let Subject::Span(span) = node else { return hash("missing") };
        let span: &TraceSpan = &analysis.trace.spans[span as usize];
        if span.category != Category::Http {
            return likeness.own;
        }
        // The ids in a path are values too.
        let address = std::sync::Arc::as_ptr(&span.label).cast::<u8>().addr();
        let pattern = *patterns.entry(address).or_insert_with(|| hash(words::pattern(&span.label)));
        hash((&span.service, pattern, span.key.kind.0))
    };
    analysis.nodes.iter().map(|node| node.subject).zip(&analysis.likeness).map(of).collect()
}

fn entries(analysis: &Analysis) -> Vec<u32> {
    let mut entries: Vec<u32> = (0..number(analysis.nodes.len())).collect();
    for index in &analysis.order {
        let entered = analysis.span(*index).is_some_and(|span| matches!(span.key.kind, Kind::SERVER | Kind::CONSUMER));
        if let (false, Some(parent)) = (entered, analysis.nodes[*index as usize].parent) {
            entries[*index as usize] = entries[parent as usize];
        }
    }
    entries
}

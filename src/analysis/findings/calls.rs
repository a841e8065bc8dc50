//! The calls of a trace: which spans leave their service, and which of them are alike.

use hashbrown::HashMap;

use super::traits::{Traits, traits};
use super::words;
use crate::analysis::parents::number;
use crate::analysis::shape::hash;
use crate::analysis::tree::{Analysis, Subject};
use crate::model::{Category, TraceSpan};

/// The calls of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Per node: the same for spans that do the same, whatever the values, over all traces.
    pub(super) signatures: Vec<u64>,
    /// Per node: what the rules ask of it.
    pub(super) traits: Vec<Traits>,
    /// Per node: the span under which it is served: the nearest above it (or itself) that was entered from outside, or a root.
    pub(super) entries: Vec<u32>,
    /// Like calls of one parent, two at least, each group in order of start; parents in the order of the tree.
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
        let traits = traits(analysis, &signatures);
        let entries = entries(analysis, &traits);
        let groups = groups(analysis, &signatures, &traits);
        Self { signatures, traits, entries, groups }
    }

    /// Takes nodes out of the calls: they are a part of another one.
    pub(super) fn fold(&mut self, parts: &[u32]) {
        if parts.is_empty() {
            return;
        }
        for part in parts {
            if let Some(traits) = self.traits.get_mut(*part as usize) {
                *traits = traits.of_a_part();
            }
        }
        for group in &mut self.groups {
            group.members.retain(|member| self.traits[*member as usize].is_call());
        }
        self.groups.retain(|group| group.members.len() > 1);
    }
}

fn groups(analysis: &Analysis, signatures: &[u64], traits: &[Traits]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut calls: Vec<(u64, usize)> = Vec::new();
    for parent in analysis.order.iter().copied() {
        let children = analysis.children_of(parent);
        if children.len() < 2 {
            continue;
        }
        calls.clear();
        let own = children.iter().enumerate().filter(|(_, child)| traits[**child as usize].is_call());
        calls.extend(own.map(|(at, child)| (signatures[*child as usize], at)));
        calls.sort_unstable();
        let alike = calls.chunk_by(|one, other| one.0 == other.0).filter(|alike| alike.len() > 1);
        let mut own: Vec<(usize, Group)> = alike
            .map(|alike| {
                let members = alike.iter().map(|(_, at)| children[*at]).collect();
                (alike[0].1, Group { parent, members })
            })
            .collect();
        own.sort_unstable_by_key(|(at, _)| *at);
        groups.extend(own.into_iter().map(|(_, group)| group));
    }
    groups
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

fn entries(analysis: &Analysis, traits: &[Traits]) -> Vec<u32> {
    let mut entries: Vec<u32> = (0..number(analysis.nodes.len())).collect();
    for index in &analysis.order {
        if let (false, Some(parent)) = (traits[*index as usize].is_entered(), analysis.nodes[*index as usize].parent) {
            entries[*index as usize] = entries[parent as usize];
        }
    }
    entries
}

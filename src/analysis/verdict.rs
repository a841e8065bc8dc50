//! What an expert would say of a trace after a minute: what failed first, what costs most, where the time went.

use std::cmp::Reverse;

use super::path;
use super::tree::Analysis;
use super::waterfall::{Sibling, siblings};
use super::work::{Work, work};
use crate::model::{Category, Nanos};

/// What is to be said of a trace, clause by clause. The words are the view's.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Verdict {
    /// What stands out: the failure, then what matters most of the rest. Then where the time of the critical path went, the
    /// most first.
    pub clauses: Vec<Clause>,
    /// What the shares of time are of: the length of the critical path of the root that took longest.
    pub whole: Nanos,
}

/// One thing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The node that proves it.
    pub node: u32,
    /// What to say.
    pub says: Says,
}

/// What a clause says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Something failed, and this node failed first.
    FailedFirst {
        /// How many nodes failed in all.
        count: u32,
    },
    /// A database call is slow; the node is the one that takes most of the critical path.
    SlowSql {
        /// How long it took.
        duration: Nanos,
        /// Its share of the trace's duration in percent, rounded.
        percent: u8,
        /// How many calls are slow in all.
        count: u32,
    },
    /// The same call to somewhere else again and again below one parent; the node is the first of them.
    Repeated {
        /// How often.
        count: u32,
        /// The sum of their durations.
        sum: Nanos,
    },
    /// So much of the critical path is such work; the node holds the longest stretch of it.
    Time {
        /// What sort of work.
        work: Work,
        /// How long.
        time: Nanos,
        /// Its share of [`Verdict::whole`] in percent, rounded.
        percent: u8,
    },
}

impl Verdict {
    /// What stands out most; `None` where nothing does.
    #[must_use]
    pub fn loudest(&self) -> Option<&Clause> {
        self.clauses.first().filter(|clause| !matches!(clause.says, Says::Time { .. }))
    }
}

/// The verdict on a trace.
#[must_use]
pub fn verdict(analysis: &Analysis) -> Verdict {
    let count = |nodes: &[u32]| super::parents::number(nodes.len());
    let failed = analysis.root_error.map(|node| {
        let says = Says::FailedFirst { count: count(&analysis.errors) };
        Clause { node, says }
    });
    let (slow, repeated) = (slowest(analysis), most_repeated(analysis));
    let costly = match (slow, repeated) {
        (Some((time, slow)), Some((other, _))) if time >= other => Some(slow),
        (Some((_, slow)), None) => Some(slow),
        (_, repeated) => repeated.map(|(_, clause)| clause),
    };
    let (whole, times) = times(analysis);
    Verdict { clauses: failed.into_iter().chain(costly).chain(times).collect(), whole }
}

/// The slow call that takes most of the critical path, with how much; off it, the longest.
fn slowest(analysis: &Analysis) -> Option<(Nanos, Clause)> {
    let place = |node: u32| &analysis.nodes[node as usize];
    // The first of equals, as everywhere.
    let node = analysis.slow.iter().copied().rev().max_by_key(|node| (place(*node).path, place(*node).duration()))?;
    let duration = place(node).duration();
    let percent = percent(duration, analysis.duration());
    let says = Says::SlowSql { duration, percent, count: super::parents::number(analysis.slow.len()) };
    Some((place(node).path, Clause { node, says }))
}

/// The most expensive repetition, with how much of the critical path it takes.
fn most_repeated(analysis: &Analysis) -> Option<(Nanos, Clause)> {
    let parents = analysis.order.iter().map(|node| (analysis.children_of(*node), Some(*node)));
    let mut most: Option<(Nanos, Nanos, Clause)> = None;
    for (nodes, parent) in std::iter::once((analysis.roots.as_slice(), None)).chain(parents) {
        if nodes.len() < super::GROUP_AT_LEAST {
            continue;
        }
        for sibling in siblings(analysis, nodes, parent) {
            let Sibling::Equal(_, members) = sibling else { continue };
            let Some(first) = members.first().copied() else { continue };
            if analysis.span(first).is_none_or(|span| span.category == Category::Other) {
                continue;
            }
            let total = |of: &dyn Fn(&super::Node) -> Nanos| {
                let each = members.iter().map(|member| of(&analysis.nodes[*member as usize]).0);
                Nanos(each.fold(0, u64::saturating_add))
            };
            let (sum, path) = (total(&super::Node::duration), total(&|node| node.path));
            if most.is_none_or(|(longest, _, _)| sum > longest) {
                let says = Says::Repeated { count: super::parents::number(members.len()), sum };
                most = Some((sum, path, Clause { node: first, says }));
            }
        }
    }
    most.map(|(_, path, clause)| (path, clause))
}

/// Where the time of the longest root's critical path went, the most first; what is less than half a percent is left out.
fn times(analysis: &Analysis) -> (Nanos, Vec<Clause>) {
    struct Sum {
        work: Work,
        time: u64,
        longest: Nanos,
        node: u32,
    }
    let Some(root) = path::main_root(analysis) else { return (Nanos::ZERO, Vec::new()) };
    let whole = analysis.nodes[root as usize].duration();
    let mut sums: Vec<Sum> = Vec::new();
    for segment in path::of_root(analysis, root) {
        let (work, length) = (work(analysis, segment), segment.length());
        match sums.iter_mut().find(|sum| sum.work == work) {
            Some(sum) => {
                sum.time += length.0;
                if length > sum.longest {
                    (sum.longest, sum.node) = (length, segment.node);
                }
            }
            None => sums.push(Sum { work, time: length.0, longest: length, node: segment.node }),
        }
    }
    sums.sort_by_key(|sum| Reverse(sum.time));
    let clause = |sum: &Sum| {
        let (work, time) = (sum.work, Nanos(sum.time));
        let percent = percent(time, whole);
        (percent > 0).then_some(Clause { node: sum.node, says: Says::Time { work, time, percent } })
    };
    (whole, sums.iter().filter_map(clause).collect())
}

/// The share of `part` in `whole` in percent, rounded, at most 100; 0 of nothing.
#[must_use]
pub fn percent(part: Nanos, whole: Nanos) -> u8 {
    let (part, whole) = (u128::from(part.0), u128::from(whole.0));
    let percent = (part * 200 + whole).checked_div(whole * 2).unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

//! What an expert would say of a trace after a minute: what failed first, what costs most, where the time went.

use std::cmp::Reverse;

use super::findings::{Finding, Rule, Severity};
use super::parents::number;
use super::path;
use super::thresholds::Thresholds;
use super::tree::Analysis;
use super::waterfall::{Sibling, siblings};
use super::work::{Work, Works};
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
        /// What says why, by its place among [`Analysis::findings`].
        finding: Option<usize>,
    },
    /// Something else was found, this by its place among [`Analysis::findings`].
    Found(usize),
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

/// The verdict on a trace: by its findings where it has some, otherwise by what the tree tells.
#[must_use]
pub fn verdict(analysis: &Analysis, thresholds: &Thresholds) -> Verdict {
    let costly = if analysis.findings.is_empty() { costliest(analysis) } else { worst(analysis) };
    let (whole, times) = times(analysis, thresholds);
    let clauses = failure(analysis).into_iter().chain(costly).chain(times);
    Verdict { clauses: clauses.chain(swallowed(analysis)).collect(), whole }
}

/// What failed first and went no further: said last, for it is not why the request took long or failed.
fn swallowed(analysis: &Analysis) -> Option<Clause> {
    let place = |rule| analysis.findings.iter().position(|finding| finding.rule == rule);
    let swallowed = place(Rule::Swallowed).filter(|_| place(Rule::ErrorRoot).is_none())?;
    let node = analysis.findings.get(swallowed)?.nodes.first().copied()?;
    Some(Clause { node, says: Says::Found(swallowed) })
}

/// What failed first. Where findings tell, only what did not come to nothing: a failure that was swallowed is said of as one (see `swallowed`).
fn failure(analysis: &Analysis) -> Option<Clause> {
    let node = analysis.root_error?;
    let tells = |finding: &Finding| finding.rule == Rule::ErrorRoot;
    let own = analysis.findings.iter().position(|finding| tells(finding) && finding.nodes.first() == Some(&node));
    let finding = own.or_else(|| analysis.findings.iter().position(tells));
    let says = Says::FailedFirst { count: number(analysis.errors.len()), finding };
    (finding.is_some() || analysis.findings.is_empty()).then_some(Clause { node, says })
}

/// Of findings in the order of what matters the one that matters most beside the failure, by its place: the verdict and the row
/// of the list tell of the same. What is merely worth knowing does not matter, but for calls that repeat: on a developer's machine
/// they cost little, and elsewhere much. That one span takes most of the trace gives way to the loop within it.
#[must_use]
pub fn foremost(analysis: &Analysis, findings: &[Finding]) -> Option<usize> {
    let matters = |finding: &Finding| match finding.rule {
        Rule::ErrorRoot => false,
        Rule::SlowSql | Rule::NPlusOne | Rule::Scatter => true,
        _ => finding.severity > Severity::Info,
    };
    let first = findings.iter().position(matters)?;
    loop_of(analysis, findings, first).or(Some(first))
}

fn worst(analysis: &Analysis) -> Option<Clause> {
    let place = foremost(analysis, &analysis.findings)?;
    let finding = analysis.findings.get(place)?;
    let node = finding.nodes.first().copied()?;
    let says = match finding.rule {
        Rule::SlowSql => {
            return slowest(analysis).map(|(_, clause)| clause).or(Some(Clause { node, says: Says::Found(place) }));
        }
        Rule::NPlusOne | Rule::Scatter => {
            let each = finding.nodes.iter().filter_map(|node| analysis.nodes.get(*node as usize));
            let sum = Nanos(each.fold(0, |sum, node| node.duration().0.saturating_add(sum)));
            Says::Repeated { count: number(finding.nodes.len()), sum }
        }
        _ => Says::Found(place),
    };
    Some(Clause { node, says })
}

/// The calls that a span repeats all the time that it took by itself: what it does between them (making objects of the rows, waiting
/// before the next attempt) is part of the same loop, and goes with it.
fn loop_of(analysis: &Analysis, findings: &[Finding], dominant: usize) -> Option<usize> {
    let dominant = findings.get(dominant)?;
    let node = dominant.nodes.first().copied().filter(|_| dominant.rule == Rule::Dominant)?;
    let whole = analysis.nodes.get(node as usize)?.duration();
    let fills = |finding: &Finding| {
        let calls = || finding.nodes.iter().filter_map(|node| analysis.nodes.get(*node as usize));
        let below = calls().all(|call| call.parent == Some(node));
        let (from, to) = (calls().map(|call| call.start).min(), calls().map(|call| call.end).max());
        below && from.zip(to).is_some_and(|(from, to)| to.since(from).0 >= whole.0 / 2)
    };
    let is_loop = |finding: &Finding| matches!(finding.rule, Rule::NPlusOne | Rule::Retry);
    let loops = findings.iter().enumerate().filter(|(_, finding)| is_loop(finding));
    loops.filter(|(_, finding)| fills(finding)).max_by_key(|(_, finding)| finding.cost).map(|(place, _)| place)
}

/// The same from the tree alone: a slow call or a repetition, whichever takes more of the critical path.
fn costliest(analysis: &Analysis) -> Option<Clause> {
    match (slowest(analysis), most_repeated(analysis)) {
        (Some((time, slow)), Some((other, _))) if time >= other => Some(slow),
        (Some((_, slow)), None) => Some(slow),
        (_, repeated) => repeated.map(|(_, clause)| clause),
    }
}

/// The slow call that takes most of the critical path, with how much; off it, the longest.
fn slowest(analysis: &Analysis) -> Option<(Nanos, Clause)> {
    let place = |node: u32| &analysis.nodes[node as usize];
    // The first of equals, as everywhere.
    let node = analysis.slow.iter().copied().rev().max_by_key(|node| (place(*node).path, place(*node).duration()))?;
    let duration = place(node).duration();
    let percent = percent(duration, analysis.duration());
    let says = Says::SlowSql { duration, percent, count: slow_calls(analysis) };
    Some((place(node).path, Clause { node, says }))
}

/// How many calls are slow: one that several libraries recorded is one.
fn slow_calls(analysis: &Analysis) -> u32 {
    let told = analysis.findings.iter().filter(|finding| finding.rule == Rule::SlowSql);
    let told: usize = told.map(|finding| finding.nodes.len()).sum();
    let innermost = |node: &&u32| analysis.nodes[**node as usize].slow_descendants == 0;
    number(if told > 0 { told } else { analysis.slow.iter().filter(innermost).count() })
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
                let says = Says::Repeated { count: number(members.len()), sum };
                most = Some((sum, path, Clause { node: first, says }));
            }
        }
    }
    most.map(|(_, path, clause)| (path, clause))
}

/// Where the time of the longest root's critical path went, the most first; what is less than half a percent is left out.
fn times(analysis: &Analysis, thresholds: &Thresholds) -> (Nanos, Vec<Clause>) {
    struct Sum {
        work: Work,
        time: u64,
        longest: Nanos,
        node: u32,
    }
    let Some(root) = path::main_root(analysis) else { return (Nanos::ZERO, Vec::new()) };
    let whole = analysis.nodes[root as usize].duration();
    let mut sums: Vec<Sum> = Vec::new();
    let works = Works::of(analysis, root, thresholds);
    for segment in path::of_root(analysis, root) {
        works.each(segment, &mut |work, node, length| {
            // Another service's work stands for the call to it, as a whole.
            let weight = if node == segment.node { length } else { analysis.nodes[node as usize].path };
            match sums.iter_mut().find(|sum| sum.work == work) {
                Some(sum) => {
                    sum.time += length.0;
                    if weight > sum.longest {
                        (sum.longest, sum.node) = (weight, node);
                    }
                }
                None => sums.push(Sum { work, time: length.0, longest: weight, node }),
            }
        });
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

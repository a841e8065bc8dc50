//! What failed: the deepest failing spans, and failures that went no further.
//!
//! The deepest failing span is where it began, with one exception: who is cancelled because a caller lost patience fails
//! deeper than the caller, and later. Then the caller's time-out is the cause, and what still ran is the proof.

use std::cmp::Reverse;

use super::case::{Case, Instance, Told};
use super::words::many;
use super::{Rule, Severity};
use crate::analysis::errors::patience;
use crate::analysis::failure::reaching;
use crate::analysis::shape::hash;
use crate::model::{Category, Nanos, Span, StatusCode, lookup};

/// Causes of one trace that are told with their exceptions.
const TOLD: usize = 8;
/// Spans above a cancelled one that are asked whether they lost patience.
const UP: usize = 4;

/// Looks for what failed first.
pub(super) fn judge(case: &mut Case<'_>) {
    if case.analysis.errors.is_empty() {
        return;
    }
    let units = units(case);
    let tops = tops(case, &units);
    let failures = deepest(case).into_iter().map(|node| (u64::from(units[node as usize]), node));
    let reaches = reaching(case.analysis);
    let mut failed: Vec<(u32, Surfaced, Vec<Vec<u32>>)> = Vec::new();
    for mut failures in Case::grouped(failures.collect::<Vec<_>>()) {
        // As with the span that is said to have failed first.
        let rank = |node: &u32| (!reaches[*node as usize], case.node(*node).end, Reverse(case.node(*node).depth));
        failures.sort_by_key(rank);
        let Some(unit) = failures.first().map(|node| units[*node as usize]) else { continue };
        match surfaced(case, unit) {
            Some(surfaced) => failed.push((unit, surfaced, causes(case, &failures))),
            None => report_swallowed(case, &failures, &tops),
        }
    }
    let firsts = failed.iter().flat_map(|(_, _, causes)| causes).filter_map(|nodes| nodes.first().copied());
    let told: Vec<u32> = firsts.take(TOLD).collect();
    case.fetch(&told);
    // Of all that failed only what failed earliest failed first.
    let ended = |(_, _, causes): &(u32, Surfaced, Vec<Vec<u32>>)| {
        causes.iter().flatten().map(|node| case.node(*node).end).min()
    };
    failed.sort_by_key(ended);
    let mut first = None;
    for (unit, surfaced, causes) in failed {
        report_unit(case, (unit, surfaced), causes, (&told, &mut first));
    }
}

/// Per node: what it is a part of, and what tells whether the whole went well: the request that came first, the message that
/// is worked on, or else the root. The root of a page in a browser is not told how its requests went.
fn units(case: &Case<'_>) -> Vec<u32> {
    let mut units: Vec<u32> = vec![0; case.analysis.nodes.len()];
    for index in case.analysis.order.iter().copied() {
        let above = case.node(index).parent.filter(|parent| case.traits(*parent).is_span());
        let above = above.map(|parent| units[parent as usize]);
        let entered = |node: u32| case.traits(node).is_entered();
        units[index as usize] = match above {
            Some(unit) if !case.traits(index).is_consumer() && (entered(unit) || !entered(index)) => unit,
            _ => index,
        };
    }
    units
}

/// Failing spans without failing children, in order of start.
fn deepest(case: &Case<'_>) -> Vec<u32> {
    let is_telling = |node: &u32| !is_echo(case, *node);
    let is_deepest = |node: &&u32| {
        let failed = case.node(**node).failed_descendants;
        failed == 0
            || (failed as usize
                == case.analysis.children_of(**node).iter().filter(|child| is_echo(case, **child)).count())
    };
    let mut deepest: Vec<u32> = case.analysis.errors.iter().filter(is_deepest).copied().filter(is_telling).collect();
    deepest.sort_by_key(|node| case.node(*node).start);
    deepest
}

/// Whether a failing span only says again that its parent failed: ASGI servers have a span for each message they send, and the
/// one that sends the status 500 is marked.
fn is_echo(case: &Case<'_>, index: u32) -> bool {
    let node = case.node(index);
    let message = case.span(index).is_some_and(|span| span.name.ends_with(" http send"));
    message && node.failed && node.parent.is_some_and(|parent| case.node(parent).failed)
}

/// Per node: the highest failing span above it within its unit, or itself.
fn tops(case: &Case<'_>, units: &[u32]) -> Vec<Option<u32>> {
    let mut tops: Vec<Option<u32>> = vec![None; case.analysis.nodes.len()];
    for index in case.analysis.order.iter().copied() {
        let node = case.node(index);
        let above = node.parent.filter(|parent| units[*parent as usize] == units[index as usize]);
        let above = above.and_then(|parent| tops[parent as usize]);
        tops[index as usize] = above.or_else(|| node.failed.then_some(index));
    }
    tops
}

/// How a failure came out.
#[derive(Clone, Copy)]
enum Surfaced {
    /// The whole failed.
    Failed,
    /// The request was answered with a status from 400 on, and not marked.
    Answered(u16),
}

/// How a failure within `unit` came out; `None` where the whole went well: then it went no further.
fn surfaced(case: &Case<'_>, unit: u32) -> Option<Surfaced> {
    let status = http_status(case, unit);
    if case.node(unit).failed {
        return Some(Surfaced::Failed);
    }
    (status >= 400).then_some(Surfaced::Answered(status))
}

/// The status that an HTTP request was answered with; 0 where it is not known.
fn http_status(case: &Case<'_>, node: u32) -> u16 {
    let span = case.span(node).filter(|span| span.category == Category::Http);
    span.and_then(|span| span.remark.parse().ok()).unwrap_or_default()
}

/// What failed first within a unit, and each call beside it that failed for reasons of its own. What failed later of the same
/// service without calling anything says the same again: it goes with the first.
fn causes(case: &Case<'_>, failures: &[u32]) -> Vec<Vec<u32>> {
    let Some((first, others)) = failures.split_first() else { return Vec::new() };
    let service = |node: u32| case.span(node).map(|span| &span.service);
    let is_own = |node: &u32| {
        let traits = case.traits(*node);
        traits.is_call() || (traits.is_entered() && service(*node) != service(*first))
    };
    let (own, echoes): (Vec<u32>, Vec<u32>) = others.iter().copied().partition(is_own);
    let groups = Case::grouped(own.iter().map(|node| (case.place(*node), *node)));
    let same_place = |group: &Vec<u32>| group.first().is_some_and(|node| case.place(*node) == case.place(*first));
    let (alike, groups): (Vec<_>, Vec<_>) = groups.into_iter().partition(same_place);
    let nodes = std::iter::once(*first).chain(alike.into_iter().flatten()).chain(echoes).collect();
    std::iter::once(nodes).chain(groups).collect()
}

/// One finding for each cause; of those that say the same only the first.
fn report_unit(
    case: &mut Case<'_>,
    unit: (u32, Surfaced),
    causes: Vec<Vec<u32>>,
    (told, earliest): (&[u32], &mut Option<u64>),
) {
    let mut messages = Vec::new();
    for (place, nodes) in causes.into_iter().enumerate() {
        let Some(first) = nodes.first().copied() else { continue };
        let whole = if told.contains(&first) { case.whole(first) } else { None };
        let cause = whole.map(Cause::of).unwrap_or_default();
        if !cause.message.is_empty() && messages.contains(&cause.message) {
            continue;
        }
        messages.push(cause.message.clone());
        report(case, nodes, (unit, place == 0), (cause, &mut *earliest));
    }
}

/// `earliest` is what the failure is known by that was reported before all others: elsewhere the same one is told with it.
fn report(
    case: &mut Case<'_>,
    mut nodes: Vec<u32>,
    (unit, is_first): ((u32, Surfaced), bool),
    (cause, earliest): (Cause, &mut Option<u64>),
) {
    let (unit, surfaced) = unit;
    let Some(first) = nodes.first().copied() else { return };
    let impatient = if cause.is_cancelled() { impatient(case, first) } else { None };
    let (at, cause) = match impatient {
        Some((above, above_cause)) => {
            nodes.insert(0, above);
            (above, above_cause)
        }
        None => (first, cause),
    };
    let what = case.what(at);
    let same = hash((case.place(at), &cause.kind));
    let order = if *earliest.get_or_insert(same) == same { "first" } else { "too" };
    let mut why = match cause.text() {
        Some(text) => format!("{what} failed {order}: {text}"),
        None => format!("{what} failed {order}"),
    };
    let more = nodes.len() - 1 - usize::from(at != first);
    if cause.is_timeout() {
        let open: Vec<u32> = still_open(case, at);
        if let Some(running) = open.first() {
            why = format!("{why}, while {} still ran", case.what_beside(*running, at));
        }
        nodes.extend(open.into_iter().filter(|node| *node != first));
    }
    let above = failed_above(case, at);
    if above > 0 {
        why = format!("{why}; {} above it failed too", many(above, "span"));
    }
    if more > 0 {
        why = format!("{why}{} {more} elsewhere", if above > 0 { "," } else { ";" });
    }
    let severity = match surfaced {
        Surfaced::Failed => Severity::Error,
        Surfaced::Answered(status) => {
            why = format!("{why}; {} answered {status}", case.what(unit));
            if status >= 500 { Severity::Error } else { Severity::Warn }
        }
    };
    // The first cost the whole; what failed beside it only its own time, and so it is told after.
    let whole = case.node(unit).duration();
    let cost = if is_first { whole } else { whole.min(case.node(at).duration()) };
    case.found(Instance { rule: Rule::ErrorRoot, severity, nodes, cost, same }, |_| Told { what, why });
}

fn failed_above(case: &Case<'_>, node: u32) -> usize {
    let parents = std::iter::successors(case.node(node).parent, |node| case.node(*node).parent);
    parents.filter(|node| case.node(*node).failed).count()
}

/// The failing span above that lost patience, and what it said.
fn impatient(case: &mut Case<'_>, node: u32) -> Option<(u32, Cause)> {
    let parents = std::iter::successors(case.node(node).parent, |node| case.node(*node).parent);
    let failed: Vec<u32> = parents.filter(|node| case.node(*node).failed).take(UP).collect();
    case.fetch(&failed);
    failed.into_iter().find_map(|node| {
        let cause = Cause::of(case.whole(node)?);
        cause.is_timeout().then_some((node, cause))
    })
}

/// Children that had not ended when their parent did.
fn still_open(case: &Case<'_>, node: u32) -> Vec<u32> {
    let end = case.node(node).end.0.saturating_sub(case.thresholds.clock_grain.0);
    case.analysis.children_of(node).iter().copied().filter(|child| case.node(*child).end.0 >= end).collect()
}

/// Whether a failing span is an attempt that was made again, or failed below one and made it fail.
fn is_retried(case: &Case<'_>, node: u32) -> bool {
    let above = |node: &u32| case.node(*node).parent.filter(|parent| case.node(*parent).failed);
    std::iter::successors(Some(node), above).any(|node| case.claimed(node) == Some(Rule::Retry))
}

fn report_swallowed(case: &mut Case<'_>, failures: &[u32], tops: &[Option<u32>]) {
    let untold = failures.iter().filter(|node| !is_retried(case, **node));
    let groups = Case::grouped(untold.map(|node| (case.place(*node), *node)).collect::<Vec<_>>());
    for nodes in groups {
        let Some(first) = nodes.first().copied() else { continue };
        let top = tops[first as usize].unwrap_or(first);
        let Some(above) = case.node(top).parent else { continue };
        let (count, same) = (nodes.len(), case.place(first));
        let cost = Nanos(nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0)));
        let (rule, severity) = (Rule::Swallowed, Severity::Info);
        case.found(Instance { rule, severity, nodes, cost, same }, |case| {
            let what = case.what(first);
            let times = if count > 1 { format!(" {count} times") } else { String::new() };
            let why = format!("{what} failed{times}, but {} above it did not", case.what(above));
            Told { what, why }
        });
    }
}

/// What a failing span says of its failure.
#[derive(Default)]
struct Cause {
    /// The exception's type, without its modules.
    kind: String,
    message: String,
}

impl Cause {
    fn of(span: &Span) -> Self {
        let exception = span.events.iter().find(|event| event.name == *"exception");
        let attributes = exception.map_or(span.attributes.as_slice(), |event| event.attributes.as_slice());
        let text = |key: &str| match lookup(attributes, key) {
            Some(crate::model::Value::Text(text)) => one_line(&text.lossy()),
            _ => String::new(),
        };
        let kind = text("exception.type");
        let kind = kind.rsplit('.').next().unwrap_or_default().to_owned();
        let message = text("exception.message");
        let status = (span.status.code == StatusCode::ERROR).then(|| one_line(&span.status.message.lossy()));
        let message = if message.is_empty() { status.unwrap_or_default() } else { message };
        Self { kind, message }
    }

    fn text(&self) -> Option<String> {
        match (self.kind.is_empty(), self.message.is_empty()) {
            (true, true) => None,
            (true, false) => Some(self.message.clone()),
            (false, true) => Some(self.kind.clone()),
            (false, false) if self.message.starts_with(&self.kind) => Some(self.message.clone()),
            (false, false) => Some(format!("{}: {}", self.kind, self.message)),
        }
    }

    fn is_timeout(&self) -> bool {
        patience::is_timeout(&self.kind, &self.message)
    }

    fn is_cancelled(&self) -> bool {
        patience::is_cancelled(&self.kind, &self.message)
    }
}

/// The first line, not too long.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 100;
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().nth(LONGEST).is_none() {
        line.to_owned()
    } else {
        line.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

//! What failed: the deepest failing spans, and failures that went no further.
//!
//! The deepest failing span is where it began, with one exception: who is cancelled because a caller lost patience fails
//! deeper than the caller, and later. Then the caller's time-out is the cause, and what still ran is the proof.

use super::case::{Case, Instance};
use super::words::many;
use super::{Rule, Severity};
use crate::analysis::shape::hash;
use crate::model::{Kind, Nanos, Span, StatusCode, lookup};

/// Causes of one trace that are told with their exceptions.
const TOLD: usize = 8;
/// Spans above a cancelled one that are asked whether they lost patience.
const UP: usize = 4;

/// Looks for what failed first.
pub(super) fn judge(case: &mut Case<'_>) {
    if case.analysis.errors.is_empty() {
        return;
    }
    let tops = tops(case);
    let mut deepest: Vec<u32> = case.analysis.errors.clone();
    deepest.retain(|node| case.node(*node).failed_descendants == 0);
    deepest.sort_by_key(|node| (case.node(*node).start, *node));
    let places = deepest.iter().map(|node| {
        let top = tops[*node as usize].unwrap_or(*node);
        (hash((case.place(*node), is_swallowed(case, top))), *node)
    });
    for (at, nodes) in Case::grouped(places.collect::<Vec<_>>()).into_iter().enumerate() {
        let Some(first) = nodes.first().copied() else { continue };
        let top = tops[first as usize].unwrap_or(first);
        if !is_swallowed(case, top) {
            report(case, nodes, &tops, at < TOLD);
        } else if !nodes.iter().any(|node| case.claimed(*node) == Some(Rule::Retry)) {
            report_swallowed(case, nodes, top);
        }
    }
}

/// Per node: the highest failing span above it, or itself.
fn tops(case: &Case<'_>) -> Vec<Option<u32>> {
    let mut tops: Vec<Option<u32>> = vec![None; case.analysis.nodes.len()];
    for index in case.analysis.order.iter().copied() {
        let node = case.node(index);
        let above = node.parent.and_then(|parent| tops[parent as usize]);
        tops[index as usize] = above.or_else(|| node.failed.then_some(index));
    }
    tops
}

/// Whether a failure went no further: something above it went well, and it was no request of its own.
fn is_swallowed(case: &Case<'_>, top: u32) -> bool {
    let entered = matches!(case.kind(top), Some(Kind::SERVER | Kind::CONSUMER));
    !entered && case.node(top).parent.is_some_and(|parent| case.span(parent).is_some())
}

fn report(case: &mut Case<'_>, mut nodes: Vec<u32>, tops: &[Option<u32>], told: bool) {
    let Some(first) = nodes.first().copied() else { return };
    let whole = if told { case.whole(first) } else { None };
    let cause = whole.as_ref().map(Cause::of).unwrap_or_default();
    let impatient = if cause.is_cancelled() { impatient(case, first) } else { None };
    let (at, cause) = match impatient {
        Some((above, above_cause)) => {
            nodes.insert(0, above);
            (above, above_cause)
        }
        None => (first, cause),
    };
    let what = case.what(at);
    let above = failed_above(case, at);
    let mut why = match cause.text() {
        Some(text) => format!("{what} failed first: {text}"),
        None => format!("{what} failed first"),
    };
    if cause.is_timeout() {
        let open: Vec<u32> = still_open(case, at);
        if let Some(running) = open.first() {
            why = format!("{why}, while {} still ran", case.what(*running));
        }
        nodes.extend(open.into_iter().filter(|node| *node != first));
    }
    if above > 0 {
        why = format!("{why}; {} above it failed too", many(above, "span"));
    }
    let cost = case.node(tops[at as usize].unwrap_or(at)).duration();
    let same = hash((case.place(at), &cause.kind));
    case.found(Instance { rule: Rule::ErrorRoot, severity: Severity::Error, what, why, nodes, cost, same });
}

fn failed_above(case: &Case<'_>, node: u32) -> usize {
    let parents = std::iter::successors(case.node(node).parent, |node| case.node(*node).parent);
    parents.filter(|node| case.node(*node).failed).count()
}

/// The failing span above that lost patience, and what it said.
fn impatient(case: &mut Case<'_>, node: u32) -> Option<(u32, Cause)> {
    let parents = std::iter::successors(case.node(node).parent, |node| case.node(*node).parent);
    let failed: Vec<u32> = parents.filter(|node| case.node(*node).failed).take(UP).collect();
    failed.into_iter().find_map(|node| {
        let cause = Cause::of(&case.whole(node)?);
        cause.is_timeout().then_some((node, cause))
    })
}

/// Children that had not ended when their parent did.
fn still_open(case: &Case<'_>, node: u32) -> Vec<u32> {
    let end = case.node(node).end.0.saturating_sub(case.thresholds.clock_grain.0);
    case.analysis.children_of(node).iter().copied().filter(|child| case.node(*child).end.0 >= end).collect()
}

fn report_swallowed(case: &mut Case<'_>, nodes: Vec<u32>, top: u32) {
    let Some(first) = nodes.first().copied() else { return };
    let Some(parent) = case.node(top).parent else { return };
    let (what, above) = (case.what(first), case.what(parent));
    let why = match nodes.len() {
        1 => format!("{what} failed, and {above} went on as if nothing had happened"),
        count => format!("{what} failed {count} times, and {above} went on as if nothing had happened"),
    };
    let cost = Nanos(nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(case.node(*node).duration().0)));
    let same = case.place(first);
    case.found(Instance { rule: Rule::Swallowed, severity: Severity::Info, what, why, nodes, cost, same });
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

    fn says(&self, words: &[&str]) -> bool {
        let (kind, message) = (self.kind.to_lowercase(), self.message.to_lowercase());
        words.iter().any(|word| kind.contains(word) || message.contains(word))
    }

    fn is_timeout(&self) -> bool {
        self.says(&["timeout", "timed out", "time out", "deadline"])
    }

    fn is_cancelled(&self) -> bool {
        self.says(&["cancel", "abort"]) && !self.is_timeout()
    }
}

/// The first line, not too long.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 100;
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().nth(LONGEST).is_none() { line.to_owned() } else { line.chars().take(LONGEST - 1).chain(['…']).collect() }
}

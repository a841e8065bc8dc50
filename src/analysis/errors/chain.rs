//! Which failures of a trace are one that was passed on, and which span failed first.

use std::sync::Arc;

use hashbrown::HashMap;

use super::evidence::{self, Saying, bare_kind};
use super::groups::{Failure, GroupKey};
use super::message;
use super::patience;
use crate::analysis::{Analysis, Subject};
use crate::model::{Kind, LogRecord, Span, SpanId, SpanKey, StatusCode, Timestamp, TraceSpan};

/// Messages are kept up to so many characters.
const MAX_MESSAGE: usize = 400;

/// Clocks may be as coarse as this, in nanoseconds.
const GRAIN: u64 = 1_000_000;

/// The errors of a trace. `spans` are the whole spans that may have failed (others do no harm), `logs` those of the trace.
///
/// A span that only passes on what failed below it is counted with that failure: because it tells of the same exception
/// (type and message), because its stack trace names that one as the cause, because it tells of no exception at all while
/// something below it failed, or because it was thrown when the last call before it had failed: it only wraps that failure in
/// another name. Of several below, such a bare failure passes on the one that ended last. Where the first to
/// fail is bare and a span above it in the same service tells the exception, that is what the failure is called. An exception
/// that another span of the service records with the same stack trace, as Express' middlewares do beside each other, is the
/// same one; a retry, which has the same name, is not. What a consumer does does not fail its producer, and a span whose
/// status is OK passes on nothing. Nor is an exception the name of a failure below a span that did not fail, unless it speaks of
/// it: what went well in between had overcome it. Who was cancelled because a caller lost patience is counted with the caller.
#[must_use]
pub fn failures(analysis: &Analysis, spans: &[Span], logs: &[LogRecord]) -> Vec<Failure> {
    let whole: HashMap<SpanKey, &Span> = spans.iter().map(|span| (span.key(), span)).collect();
    let mut found = Finder::default();
    let mut reach: HashMap<u32, Reach> = HashMap::new();
    // The deepest first, of those the earliest: so children come before their parents, and what failed first before what
    // tells of it beside.
    let mut nodes = analysis.order.clone();
    nodes.sort_by_key(|node| std::cmp::Reverse(analysis.nodes[*node as usize].depth));
    for node in nodes {
        let Some(lean) = analysis.span(node) else {
            let below = reach.remove(&node);
            hand_up(&mut reach, analysis, node, below);
            continue;
        };
        if let Some(span) = whole.get(&lean.key) {
            for saying in evidence::of_span(span) {
                found.take(&mut reach, (node, analysis), &saying);
            }
        }
        let stops = lean.key.kind == Kind::CONSUMER || lean.status == StatusCode::OK;
        let below = reach.remove(&node).filter(|_| !stops);
        hand_up(&mut reach, analysis, node, below);
    }
    for log in logs {
        found.log(analysis, log);
    }
    found.failures
}

/// The failures below a node that it may pass on.
#[derive(Default)]
struct Reach {
    /// By what they say; of equal ones that which ended last.
    by_exception: HashMap<Identity, Below>,
    /// That which ended last.
    last: Option<Below>,
    /// Between that one and the node stands a span that did not fail.
    overcome: bool,
}

/// What has to be equal for an exception to be another one passed on: its type without modules, and its message.
type Identity = (String, String);

/// When it ended, its span, its place among the failures.
type Below = (Timestamp, SpanKey, usize);

impl Reach {
    fn add(&mut self, identity: Identity, below: Below) {
        let known = self.by_exception.entry(identity).or_insert(below);
        *known = (*known).max(below);
        self.is_last(Some(below), false);
    }

    fn is_last(&mut self, below: Option<Below>, overcome: bool) {
        if below > self.last {
            (self.last, self.overcome) = (below, overcome);
        }
    }

    /// The failure that a stack trace names as the cause of its own.
    fn cause(&self, stack: &str) -> Option<Below> {
        let named = self.by_exception.iter().filter(|(identity, _)| names(stack, identity));
        named.map(|(_, below)| *below).max()
    }
}

/// Whether a stack trace tells of an exception: `Caused by: java.lang.ArithmeticException: not a number`.
fn names(stack: &str, (kind, message): &Identity) -> bool {
    let line = message.lines().next().unwrap_or_default();
    !kind.is_empty() && !line.is_empty() && !stack.is_empty() && stack.contains(&format!("{kind}: {line}"))
}

/// The failure below that an exception of `node` wraps: that of the call which ended last before it was thrown. What failed
/// earlier, while another call went well since, was overcome.
fn wrapped(analysis: &Analysis, node: u32, saying: &Saying, below: &Reach) -> Option<usize> {
    let thrown = Timestamp(saying.at.0.saturating_add(GRAIN));
    let children = analysis.children_of(node).iter().map(|child| &analysis.nodes[*child as usize]);
    let last = children.filter(|child| child.end <= thrown).max_by_key(|child| (child.end, child.start))?;
    let (ended, _, at) = below.last.filter(|_| last.failed || last.failed_descendants > 0)?;
    (ended >= last.start && ended <= thrown).then_some(at)
}

/// Gives what lies below a node to its parent. The smaller is added to the greater, so that all of it costs O(n log n).
fn hand_up(reach: &mut HashMap<u32, Reach>, analysis: &Analysis, node: u32, below: Option<Reach>) {
    let Some(mut below) = below else { return };
    let Some(parent) = analysis.nodes[node as usize].parent else { return };
    below.overcome |= analysis.span(node).is_some() && !analysis.nodes[node as usize].failed;
    let above = reach.entry(parent).or_default();
    if above.by_exception.len() < below.by_exception.len() {
        std::mem::swap(above, &mut below);
    }
    above.is_last(below.last, below.overcome);
    for (identity, one) in below.by_exception {
        above.add(identity, one);
    }
}

#[derive(Default)]
struct Finder {
    failures: Vec<Failure>,
    /// Where each exception stands among the failures.
    by_exception: HashMap<Identity, usize>,
    /// By service and stack trace: where each exception stands, and the name of its span.
    by_stack: HashMap<(Arc<str>, String), (usize, Arc<str>)>,
    /// Which failure a span carries or passes on.
    by_span: HashMap<SpanId, usize>,
    /// Stack traces, in which logs may find their exception as a cause.
    stacks: Vec<(String, usize)>,
}

impl Finder {
    fn take(&mut self, reach: &mut HashMap<u32, Reach>, (node, analysis): (u32, &Analysis), saying: &Saying) {
        let Some(lean) = analysis.span(node) else { return };
        let below = reach.entry(node).or_default();
        let identity = saying.identity();
        let origin = if saying.exception {
            let same = below.by_exception.get(&identity).copied().or_else(|| below.cause(&saying.stack));
            same.map(|(_, _, at)| at)
                .or_else(|| self.beside(lean, saying))
                .or_else(|| self.not_another(below, saying).and_then(|below| self.named(below, lean, saying)))
                .or_else(|| wrapped(analysis, node, saying, self.not_another(below, saying)?))
        } else {
            below.last.map(|(_, _, at)| at).inspect(|at| self.answered(*at, lean, saying))
        };
        let at = origin.unwrap_or(self.failures.len());
        self.by_span.insert(lean.key.id, at);
        if saying.exception {
            self.by_exception.entry(identity.clone()).or_insert(at);
        }
        below.add(identity, (analysis.nodes[node as usize].end, lean.key, at));
        if !saying.stack.is_empty() {
            let key = (Arc::clone(&lean.service), saying.stack.clone());
            self.by_stack.entry(key).or_insert_with(|| (at, Arc::clone(&lean.name)));
            self.stacks.push((saying.stack.clone(), at));
        }
        match self.failures.get_mut(at) {
            Some(known) => {
                let cancelled = patience::is_cancelled(&known.key.kind, &known.message);
                if cancelled && patience::is_timeout(&saying.kind, &saying.message) {
                    let services = std::mem::take(&mut known.services);
                    *known =
                        Failure { passed_on: known.passed_on, logs: known.logs, services, ..failure(saying, lean) };
                }
                known.passed_on += 1;
                known.add_service(&lean.service);
            }
            None => self.failures.push(failure(saying, lean)),
        }
    }

    /// The same exception on a span beside, which is handed on without being below.
    fn beside(&self, lean: &TraceSpan, saying: &Saying) -> Option<usize> {
        if saying.stack.is_empty() {
            return None;
        }
        let (at, name) = self.by_stack.get(&(Arc::clone(&lean.service), saying.stack.clone()))?;
        (*name != lean.name).then_some(*at)
    }

    /// What failed below, unless that was overcome on the way and an exception says nothing of it.
    fn not_another<'r>(&self, below: &'r Reach, saying: &Saying) -> Option<&'r Reach> {
        let (_, _, at) = below.last?;
        let told = self.failures.get(at)?;
        let speaks_of = |text: &str| {
            let text = text.trim().trim_end_matches('…');
            !text.is_empty() && (saying.message.contains(text) || saying.stack.contains(text))
        };
        let speaks = speaks_of(&told.message) || speaks_of(bare_kind(&told.key.kind));
        (!below.overcome || speaks).then_some(below)
    }

    /// A failure below, in the same service, that nobody told the exception of: it gets the name.
    fn named(&mut self, below: &Reach, lean: &TraceSpan, saying: &Saying) -> Option<usize> {
        let (_, _, at) = below.last?;
        let bare = self.failures.get_mut(at).filter(|bare| !bare.exception && bare.key.service == lean.service)?;
        let named = failure(saying, lean);
        let mut key = (*named.key).clone();
        if !bare.answers {
            key.operation = Arc::clone(&bare.key.operation);
        }
        let span = if bare.answers { named.span } else { bare.span };
        // The example is read from the span that tells the exception.
        *bare = Failure { key: Arc::new(key), span, told: named.span, passed_on: bare.passed_on, ..named };
        Some(at)
    }

    /// What a server says failed, rather than the span inside it that merely reports the answer.
    fn answered(&mut self, at: usize, lean: &TraceSpan, saying: &Saying) {
        let Some(bare) = self.failures.get_mut(at) else { return };
        let kind = bare_kind(&saying.kind);
        if bare.answers && lean.key.kind == Kind::SERVER && bare.key.service == lean.service && *bare.key.kind == *kind
        {
            *bare = Failure { passed_on: bare.passed_on, ..failure(saying, lean) };
        }
    }

    /// A record that tells of a failure which is known already is counted with it.
    fn log(&mut self, analysis: &Analysis, log: &LogRecord) {
        let Some(saying) = evidence::of_log(log) else { return };
        let known = self.by_exception.get(&saying.identity()).copied();
        let beside = || log.span_id.and_then(|span| self.by_span.get(&span).copied());
        let known = if saying.exception { known.or_else(|| self.told(&saying)) } else { known.or_else(beside) };
        if let Some(failure) = known.and_then(|at| self.failures.get_mut(at)) {
            failure.logs += 1;
            return;
        }
        let lean = log.span_id.and_then(|id| {
            let of_id = |subject: &Subject| match subject {
                Subject::Span(index) => analysis.trace.spans.get(*index as usize).filter(|span| span.key.id == id),
                Subject::Missing(_) => None,
            };
            analysis.nodes.iter().find_map(|node| of_id(&node.subject))
        });
        let service = evidence::first(&log.resource.attributes, &["service.name"]);
        let service = match (service, lean) {
            (Some(name), Some(lean)) if *name == *lean.service => Arc::clone(&lean.service),
            (Some(name), _) => name.into(),
            (None, Some(lean)) => Arc::clone(&lean.service),
            (None, None) => "unknown_service".into(),
        };
        let scope = log.scope.name.lossy();
        let place = TraceSpan {
            service,
            name: lean.map_or_else(|| scope.into(), |lean| Arc::clone(&lean.name)),
            ..TraceSpan::default()
        };
        let span = lean.map(|lean| lean.key);
        self.by_exception.entry(saying.identity()).or_insert(self.failures.len());
        self.failures.push(Failure { span, told: span, ..failure(&saying, &place) });
    }

    /// The failure whose message a logged exception repeats with its causes behind it, or which names it as its cause.
    fn told(&self, saying: &Saying) -> Option<usize> {
        let (kind, message) = saying.identity();
        let longer = self.by_exception.iter().filter(|((known, start), _)| {
            *known == kind
                && !start.is_empty()
                && message.strip_prefix(start.as_str()).is_some_and(|rest| rest.starts_with(':'))
        });
        // The longest is the most exact one; of equal ones the first.
        let longer = longer.max_by_key(|((_, start), at)| (start.len(), std::cmp::Reverse(**at))).map(|(_, at)| *at);
        longer.or_else(|| {
            let identity = (kind, message);
            self.stacks.iter().find(|(stack, _)| names(stack, &identity)).map(|(_, at)| *at)
        })
    }
}

fn failure(saying: &Saying, lean: &TraceSpan) -> Failure {
    let key = GroupKey {
        pattern: message::pattern(&saying.message).into(),
        place: saying.place().into(),
        kind: clip(&saying.kind).into(),
        service: Arc::clone(&lean.service),
        operation: Arc::clone(&lean.name),
    };
    Failure {
        key: Arc::new(key),
        evidence: saying.evidence,
        exception: saying.exception,
        answers: lean.key.kind == Kind::INTERNAL && saying.kind.starts_with("HTTP "),
        message: clip(&saying.message).into(),
        at: saying.at,
        span: Some(lean.key),
        told: Some(lean.key),
        passed_on: 0,
        logs: 0,
        services: vec![Arc::clone(&lean.service)],
    }
}

/// The beginning of a text that may be of any length.
fn clip(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

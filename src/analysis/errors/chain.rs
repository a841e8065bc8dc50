//! Which failures of a trace are one that was passed on, and which span failed first.

use std::sync::Arc;

use hashbrown::HashMap;

use super::evidence::{self, Evidence, Saying};
use super::groups::{Failure, GroupKey};
use super::message;
use crate::analysis::{Analysis, Subject};
use crate::model::{Kind, LogRecord, Span, SpanId, SpanKey, StatusCode, Timestamp, lookup};

/// Messages are kept up to so many characters.
const MAX_MESSAGE: usize = 400;

/// The errors of a trace. `spans` are the whole spans that may have failed (others do no harm), `logs` those of the trace.
///
/// A span that only passes on what failed below it is counted with that failure: because it tells of the same exception
/// (type and message), or of none at all while something below it failed. Of several below, a bare failure passes on the
/// one that ended last. What a consumer does does not fail its producer, and a span whose status is OK passes on nothing.
#[must_use]
pub fn failures(analysis: &Analysis, spans: &[Span], logs: &[LogRecord]) -> Vec<Failure> {
    let whole: HashMap<SpanKey, &Span> = spans.iter().map(|span| (span.key(), span)).collect();
    let mut found = Finder::default();
    let mut reach: HashMap<u32, Reach> = HashMap::new();
    for node in analysis.order.iter().rev().copied() {
        let Some(lean) = analysis.span(node) else {
            let below = reach.remove(&node);
            hand_up(&mut reach, analysis, node, below);
            continue;
        };
        if let Some(span) = whole.get(&lean.key) {
            for saying in evidence::of_span(span) {
                found.take(&mut reach, (node, analysis), saying);
            }
        }
        let stops = lean.key.kind == Kind::CONSUMER || lean.status == StatusCode::OK;
        let below = reach.remove(&node).filter(|_| !stops);
        hand_up(&mut reach, analysis, node, below);
    }
    found.failures.reverse();
    let last = found.failures.len().saturating_sub(1);
    for at in found.by_exception.values_mut().chain(found.by_span.values_mut()) {
        *at = last - *at;
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
    by_exception: HashMap<(String, String), Below>,
    /// That which ended last.
    last: Option<Below>,
}

/// When it ended, its span, its place among the failures.
type Below = (Timestamp, SpanKey, usize);

impl Reach {
    fn add(&mut self, identity: (String, String), below: Below) {
        let known = self.by_exception.entry(identity).or_insert(below);
        *known = (*known).max(below);
        self.last = self.last.max(Some(below));
    }
}

/// Gives what lies below a node to its parent. The smaller is added to the greater, so that all of it costs O(n log n).
fn hand_up(reach: &mut HashMap<u32, Reach>, analysis: &Analysis, node: u32, below: Option<Reach>) {
    let Some(mut below) = below else { return };
    let Some(parent) = analysis.nodes[node as usize].parent else { return };
    let above = reach.entry(parent).or_default();
    if above.by_exception.len() < below.by_exception.len() {
        std::mem::swap(above, &mut below);
    }
    above.last = above.last.max(below.last);
    for (identity, one) in below.by_exception {
        above.add(identity, one);
    }
}

#[derive(Default)]
struct Finder {
    failures: Vec<Failure>,
    /// Where each exception stands among the failures.
    by_exception: HashMap<(String, String), usize>,
    /// Which failure a span carries or passes on.
    by_span: HashMap<SpanId, usize>,
}

impl Finder {
    fn take(&mut self, reach: &mut HashMap<u32, Reach>, (node, analysis): (u32, &Analysis), saying: Saying) {
        let Some(lean) = analysis.span(node) else { return };
        let below = reach.entry(node).or_default();
        let identity = saying.identity();
        let origin = if saying.exception { below.by_exception.get(&identity).copied() } else { below.last };
        if let Some((_, _, at)) = origin {
            let failure = &mut self.failures[at];
            failure.passed_on += 1;
            failure.add_service(&lean.service);
            self.by_span.insert(lean.key.id, at);
            return;
        }
        let at = self.failures.len();
        let key = GroupKey {
            pattern: message::pattern(&saying.message).into(),
            place: saying.place().into(),
            kind: clip(&saying.kind).into(),
            service: Arc::clone(&lean.service),
            operation: Arc::clone(&lean.name),
        };
        self.failures.push(Failure {
            key: Arc::new(key),
            evidence: saying.evidence,
            message: clip(&saying.message).into(),
            at: saying.at,
            span: Some(lean.key),
            passed_on: 0,
            logs: 0,
            services: vec![Arc::clone(&lean.service)],
        });
        below.add(identity.clone(), (analysis.nodes[node as usize].end, lean.key, at));
        self.by_exception.insert(identity, at);
        self.by_span.insert(lean.key.id, at);
    }

    /// A record that tells of a failure which is known already is counted with it.
    fn log(&mut self, analysis: &Analysis, log: &LogRecord) {
        let Some(saying) = evidence::of_log(log) else { return };
        let known = self.by_exception.get(&saying.identity()).copied();
        let beside = || log.span_id.and_then(|span| self.by_span.get(&span).copied());
        let known = if saying.exception { known } else { known.or_else(beside) };
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
        let key = GroupKey {
            pattern: message::pattern(&saying.message).into(),
            place: saying.place().into(),
            kind: clip(&saying.kind).into(),
            service: Arc::clone(&service),
            operation: lean.map_or_else(|| scope.into(), |lean| Arc::clone(&lean.name)),
        };
        self.by_exception.entry(saying.identity()).or_insert(self.failures.len());
        self.failures.push(Failure {
            key: Arc::new(key),
            evidence: Evidence::Log,
            message: clip(&saying.message).into(),
            at: saying.at,
            span: lean.map(|lean| lean.key),
            passed_on: 0,
            logs: 0,
            services: vec![service],
        });
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

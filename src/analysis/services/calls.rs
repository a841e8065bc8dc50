//! The entry spans of one trace, and who called whom in it.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::names::Names;
use super::{Peer, peer};
use crate::analysis::Thresholds;
use crate::analysis::tree::grown;
use crate::analysis::{Analysis, Node};
use crate::index::View;
use crate::model::{Category, Kind, Nanos, Span, SpanId, SpanKey, Timestamp, TraceId, TraceSpan};

/// What is kept of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceCalls {
    /// Its entry spans.
    pub entries: Vec<Entry>,
    /// Its calls.
    pub calls: Vec<Call>,
    /// Its earliest start; zero where no span has one.
    pub start: Timestamp,
    /// A root of it failed; where no root is held, an entry span.
    pub failed: bool,
    /// More than one service took part.
    pub crosses: bool,
}

/// A span by which a service was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number among [`Names`].
    pub operation: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Nanos,
    /// It failed.
    pub failed: bool,
}

/// One call over an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number among [`Names`].
    pub edge: u32,
    /// When the calling side ended; where that is not held, the called one.
    pub end: Timestamp,
    /// How long it took: by the calling side where that is held, otherwise by the called one.
    pub duration: Nanos,
    /// The time on the way and in queues: what the calling side took longer than the called one, or the time between sending
    /// and receiving. `None` where only one side is held, or their clocks do not agree.
    pub network: Option<Nanos>,
    /// Either side failed.
    pub failed: bool,
    /// Nobody answered (yet) who sends spans.
    pub unanswered: bool,
}

/// Links of a consumer that are followed into other traces.
const MAX_LINKS: usize = 16;

/// What is looked up of a trace for [`TraceCalls`].
#[derive(Debug)]
pub struct LookedUp {
    analysis: Analysis,
    spans: Vec<Span>,
}

/// Looks up what [`trace_calls`] needs of a trace; `None` where it is not held. Only calls whose other end has to be named are
/// read whole.
#[must_use]
pub fn look_up(view: &View, id: TraceId, thresholds: &Thresholds) -> Option<LookedUp> {
    let analysis = grown(Arc::new(view.trace(id)?), thresholds);
    let wanted: HashSet<SpanKey> = analysis.order.iter().filter_map(|node| names_peer(&analysis, *node)).collect();
    let spans = if wanted.is_empty() { Vec::new() } else { view.pick(id, &|key| wanted.contains(&key), &[]) };
    Some(LookedUp { analysis, spans })
}

impl LookedUp {
    /// The entry spans and calls of the trace. Messages that were sent in other traces are looked up in `view`.
    #[must_use]
    pub fn calls(&self, view: &View, names: &mut Names) -> TraceCalls {
        let sent = |trace: TraceId, id: SpanId| {
            let spans = view.trace(trace)?.spans;
            spans.iter().find(|span| span.key.id == id).map(|span| span.end)
        };
        trace_calls(&self.analysis, &self.spans, &sent, names)
    }
}

/// The span at a node, if its attributes are needed.
fn names_peer(analysis: &Analysis, node: u32) -> Option<SpanKey> {
    let span = analysis.span(node)?;
    let needed = match span.key.kind {
        Kind::CLIENT => answers(analysis, node).next().is_none(),
        Kind::PRODUCER | Kind::CONSUMER => true,
        _ => false,
    };
    needed.then_some(span.key)
}

/// The nodes below a call that take it up: serving spans, and spans of another service.
fn answers(analysis: &Analysis, node: u32) -> impl Iterator<Item = u32> + '_ {
    let caller = analysis.span(node);
    analysis.children_of(node).iter().copied().filter(move |child| {
        let other = analysis.span(*child).zip(caller);
        other.is_some_and(|(child, caller)| {
            matches!(child.key.kind, Kind::SERVER | Kind::CONSUMER) || child.service != caller.service
        })
    })
}

/// The same, from the whole spans of all calls (others do no harm). `sent` answers when the span with this id, in another
/// trace, ended.
#[must_use]
pub fn trace_calls(
    analysis: &Analysis,
    spans: &[Span],
    sent: &dyn Fn(TraceId, SpanId) -> Option<Timestamp>,
    names: &mut Names,
) -> TraceCalls {
    let of_others = |pair: &[TraceSpan]| matches!(pair, [one, next] if one.service != next.service);
    let crosses = analysis.trace.spans.windows(2).any(of_others);
    let mut reader = Reader {
        analysis,
        whole: spans.iter().map(|span| (span.key(), span)).collect(),
        sent,
        names,
        out: TraceCalls { start: analysis.start, crosses, ..TraceCalls::default() },
    };
    let mut has_root = false;
    for node in analysis.order.iter().copied() {
        let Some(span) = analysis.span(node) else { continue };
        let root = span.parent_id.is_none();
        let entry = matches!(span.key.kind, Kind::SERVER | Kind::CONSUMER);
        if root || entry {
            let failed = failed(analysis, node);
            if root && !std::mem::replace(&mut has_root, true) {
                reader.out.failed = false;
            }
            reader.out.failed |= failed && (root || !has_root);
            reader.entry(node, span, failed);
        }
        reader.node(node, span);
    }
    reader.out
}

fn failed(analysis: &Analysis, node: u32) -> bool {
    let answered_500 =
        |span: &TraceSpan| span.category == Category::Http && span.remark.len() == 3 && span.remark.starts_with('5');
    analysis.nodes[node as usize].failed || analysis.span(node).is_some_and(answered_500)
}

struct Reader<'a> {
    analysis: &'a Analysis,
    whole: HashMap<SpanKey, &'a Span>,
    sent: &'a dyn Fn(TraceId, SpanId) -> Option<Timestamp>,
    names: &'a mut Names,
    out: TraceCalls,
}

impl Reader<'_> {
    fn at(&self, node: u32) -> &Node {
        &self.analysis.nodes[node as usize]
    }

    fn entry(&mut self, node: u32, span: &TraceSpan, failed: bool) {
        let operation = self.names.operation(&span.service, &span.name);
        let (at, duration) = (self.at(node).start, self.at(node).duration());
        self.out.entries.push(Entry { operation, at, duration, failed });
    }

    fn node(&mut self, node: u32, span: &TraceSpan) {
        match span.key.kind {
            Kind::CLIENT => self.client(node, span),
            Kind::PRODUCER => self.producer(node, span),
            Kind::CONSUMER => self.consumer(node, span),
            _ => {}
        }
        // A service that was called by a span that does not say it calls.
        if let Some(caller) = self.at(node).parent.and_then(|parent| self.analysis.span(parent)) {
            let calls = matches!(caller.key.kind, Kind::CLIENT | Kind::PRODUCER);
            if !calls && span.key.kind != Kind::CONSUMER && caller.service != span.service {
                let failed = failed(self.analysis, node);
                let (end, duration) = (self.at(node).end, self.at(node).duration());
                self.call(
                    &peer::service(&caller.service),
                    &peer::service(&span.service),
                    Call { edge: 0, end, duration, network: None, failed, unanswered: false },
                );
            }
        }
    }

    fn client(&mut self, node: u32, span: &TraceSpan) {
        let from = peer::service(&span.service);
        let (end, duration) = (self.at(node).end, self.at(node).duration());
        let bad = failed(self.analysis, node);
        let answers: Vec<u32> = answers(self.analysis, node).collect();
        let bare = Call { edge: 0, end, duration, network: None, failed: bad, unanswered: answers.is_empty() };
        for answer in &answers {
            let Some(other) = self.analysis.span(*answer) else { continue };
            let served = self.at(*answer).duration();
            let network = (served <= duration).then(|| Nanos(duration.0 - served.0));
            let failed = bad || failed(self.analysis, *answer);
            self.call(&from, &peer::service(&other.service), Call { network, failed, ..bare });
        }
        let to = || peer::unanswered(span.category, self.whole.get(&span.key)?);
        if answers.is_empty()
            && let Some(to) = to()
        {
            // A database answers at once: it never sends spans.
            let unanswered = matches!(to, Peer::Silent(_));
            self.call(&from, &to, Call { unanswered, ..bare });
        }
    }

    fn producer(&mut self, node: u32, span: &TraceSpan) {
        let from = peer::service(&span.service);
        let failed = failed(self.analysis, node);
        let (end, duration) = (self.at(node).end, self.at(node).duration());
        let call = Call { edge: 0, end, duration, network: None, failed, unanswered: false };
        if let Some(queue) = self.whole.get(&span.key).and_then(|span| peer::destination(span)) {
            return self.call(&from, &queue, call);
        }
        let answers: Vec<u32> = answers(self.analysis, node).collect();
        for answer in answers {
            let Some(other) = self.analysis.span(answer) else { continue };
            let network = waited(end, self.at(answer).start);
            self.call(&from, &peer::service(&other.service), Call { network, ..call });
        }
    }

    /// What a consumer takes out of a queue, and how long that lay there since it was sent.
    fn consumer(&mut self, node: u32, span: &TraceSpan) {
        let to = peer::service(&span.service);
        let failed = failed(self.analysis, node);
        let (start, end, duration) = (self.at(node).start, self.at(node).end, self.at(node).duration());
        let Some(whole) = self.whole.get(&span.key).copied() else { return };
        let Some(queue) = peer::destination(whole) else { return };
        let parent = self
            .at(node)
            .parent
            .filter(|parent| self.analysis.span(*parent).is_some_and(|parent| parent.key.kind == Kind::PRODUCER));
        let mut sent: Vec<Timestamp> = parent.map(|parent| self.at(parent).end).into_iter().collect();
        if sent.is_empty() {
            let own = self.analysis.trace.id;
            let links = whole.links.iter().take(MAX_LINKS).filter_map(crate::model::Link::target);
            for (trace, id) in links {
                let here = || self.analysis.trace.spans.iter().find(|span| span.key.id == id).map(|span| span.end);
                sent.extend(if trace == own { here() } else { (self.sent)(trace, id) });
            }
        }
        // Of a batch the message that waited longest.
        let network = sent.into_iter().min().and_then(|sent| waited(sent, start));
        self.call(&queue, &to, Call { edge: 0, end, duration, network, failed, unanswered: false });
    }

    fn call(&mut self, from: &Peer, to: &Peer, call: Call) {
        let edge = self.names.edge(from.clone(), to.clone());
        self.out.calls.push(Call { edge, ..call });
    }
}

/// The time between sending and receiving; `None` where clocks do not agree.
fn waited(sent: Timestamp, received: Timestamp) -> Option<Nanos> {
    (sent.0 != 0 && received >= sent).then(|| received.since(sent))
}

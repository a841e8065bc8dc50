//! A message that waited: its consumer began long after it was sent.

use hashbrown::HashMap;

use super::case::{Case, Instance, Told};
use super::traits::Traits;
use super::{Rule, Severity};
use crate::model::{Nanos, SpanId, Timestamp};

/// Looks for messages that waited.
pub(super) fn judge(case: &mut Case<'_>) {
    let analysis = case.analysis;
    let consumers = case.nodes_where(Traits::is_consumer);
    if consumers.is_empty() {
        return;
    }
    let mut senders: HashMap<SpanId, u32> = HashMap::new();
    for node in case.nodes_where(Traits::is_producer) {
        senders.extend(analysis.span(node).map(|span| (span.key.id, node)));
    }
    let is_linked =
        |node: &&u32| case.span(**node).is_some_and(|span| span.links > 0) && sender_above(case, **node).is_none();
    let linked: Vec<u32> = consumers.iter().filter(is_linked).copied().collect();
    case.fetch(&linked);
    let mut waits: Vec<(u64, u32)> = Vec::new();
    let mut longest: HashMap<u32, (Nanos, Option<u32>)> = HashMap::new();
    for consumer in consumers {
        let Some((sent, sender)) = sent(case, consumer, &senders) else { continue };
        let wait = case.node(consumer).start.since(sent);
        if wait > case.thresholds.queue_wait {
            waits.push((case.place(consumer), consumer));
            longest.insert(consumer, (wait, sender));
        }
    }
    for nodes in Case::grouped(waits) {
        report(case, &nodes, &longest);
    }
}

/// The span above that sent a message, where it is one.
fn sender_above(case: &Case<'_>, consumer: u32) -> Option<u32> {
    case.node(consumer).parent.filter(|parent| case.traits(*parent).is_producer())
}

/// When the message was sent that a consumer works on, and where, if that is in this trace.
fn sent(case: &mut Case<'_>, consumer: u32, senders: &HashMap<SpanId, u32>) -> Option<(Timestamp, Option<u32>)> {
    if let Some(parent) = sender_above(case, consumer) {
        return Some((case.node(parent).end, Some(parent)));
    }
    if case.span(consumer)?.links == 0 {
        return None;
    }
    let links = case.whole(consumer)?.links.clone();
    let own = case.analysis.trace.id;
    // A batch waited as long as the message in it that was sent first.
    let sent = links.iter().filter_map(|link| {
        let (trace, span) = link.target()?;
        match senders.get(&span).filter(|_| trace == own) {
            Some(node) => Some((case.node(*node).end, Some(*node))),
            None => case.whole.sender(link).map(|span| (span.end, None)),
        }
    });
    sent.min_by_key(|(end, _)| *end)
}

fn report(case: &mut Case<'_>, consumers: &[u32], longest: &HashMap<u32, (Nanos, Option<u32>)>) {
    let wait = |node: &u32| longest.get(node).map_or(Nanos::ZERO, |(wait, _)| *wait);
    let Some(first) = consumers.iter().copied().rev().max_by_key(wait) else { return };
    let sum = Nanos(consumers.iter().fold(0_u64, |sum, node| sum.saturating_add(wait(node).0)));
    let with_senders = consumers.iter().flat_map(|node| {
        let sender = longest.get(node).and_then(|(_, sender)| *sender);
        [Some(*node), sender].into_iter().flatten()
    });
    let nodes: Vec<u32> = with_senders.collect();
    let (rule, severity, same) = (Rule::QueueWait, Severity::Info, case.place(first));
    case.found(Instance { rule, severity, nodes, cost: sum, same }, |case| {
        let what = case.what(first);
        let why = match consumers.len() {
            1 => format!("{what} began {} after its message was sent", wait(&first)),
            count => format!("{count} messages waited up to {} for {what}", wait(&first)),
        };
        Told { what, why }
    });
}

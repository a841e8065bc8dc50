//! Answers a request from an index.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::filter::Filter;
use super::protocol::{Ask, Reply, Wrong};
use super::{asserted, report};
use crate::analysis::Thresholds;
use crate::app::work::senders;
use crate::export::{Attribute, FoundTrace, Operation, Record, Service, Value, base64};
use crate::index::{Reader, UsedOperation, UsedValues, View};
use crate::model::{LogRecord, Span, TraceId};
use crate::otlp::encode;
use crate::query::{Hit, Hits};
use crate::run::clock;

/// Traces that are read from one view. Whoever reads the answer slowly must not keep a view: its memory is held with it.
const AT_ONCE: usize = 64;
/// Spans in one part of an answer.
const SPANS_AT_ONCE: usize = 2_000;

/// Spans to be asked about.
#[derive(Clone)]
pub(super) struct Held {
    /// Where they are.
    pub(super) reader: Reader,
    /// They were read from files: their order is that of their times, not that of their arrival.
    pub(super) filed: bool,
    /// What they are judged by.
    pub(super) thresholds: Thresholds,
}

/// Whom the answer is given to.
pub(super) trait Peer {
    /// Takes a part of it. Answers whether more is wanted.
    fn take(&mut self, reply: Reply) -> bool;

    /// Whether nobody waits for it any more.
    fn is_gone(&self) -> bool {
        false
    }
}

/// Answers `ask`, to the end or for as long as more is wanted.
pub(super) fn answer(held: &Held, ask: &Ask, peer: &mut dyn Peer) {
    let mut remark = None;
    let told = match ask {
        Ask::Query { filter, limit } => query(held, filter, *limit, peer),
        Ask::Services { limit } => Ok(records(services(&held.reader.view(), *limit), peer)),
        Ask::Operations { limit } => {
            let used = held.reader.view().operations(most(*limit)).into_iter();
            let operation = |UsedOperation { name, service, kind, spans }| Operation {
                operation: name,
                service,
                kind: kind.name().to_owned(),
                spans,
            };
            Ok(records(used.map(|used| Record::Operation(operation(used))), peer))
        }
        Ask::Attributes { key: None, limit } => {
            let keys = held.reader.view().keys(most(*limit)).into_iter();
            Ok(records(keys.map(|(attribute, spans)| Record::Attribute(Attribute { attribute, spans })), peer))
        }
        Ask::Attributes { key: Some(key), limit } => {
            let UsedValues { values, more, others } = held.reader.view().every_value(key, most(*limit));
            remark = left_out(more, others);
            Ok(records(values.into_iter().map(|(value, spans)| Record::Value(Value { value, spans })), peer))
        }
        Ask::Export { filter, limit } => whole(held, filter, *limit, peer),
        Ask::Report { filter, limit } => report::report(held, filter, *limit, peer),
        Ask::Assert { assertions, limit } => asserted::check(held, assertions, *limit, peer),
        Ask::Tail { .. } => Err(Wrong::new("a tail has no end")),
    };
    peer.take(told.map_or_else(Reply::Wrong, |partial| Reply::End { partial, remark }));
}

/// What is to be said of values that are not told.
fn left_out(more: u64, others: u64) -> Option<String> {
    let more = (more > 0).then(|| format!("{more} more values are in use"));
    let others = (others > 0).then(|| {
        format!("{others} times it is a list, a map, bytes or nothing, or one of too many values, which are not listed")
    });
    let remarks: Vec<String> = more.into_iter().chain(others).collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

pub(super) fn most(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

fn query(held: &Held, filter: &str, limit: Option<u64>, peer: &mut dyn Peer) -> Result<bool, Wrong> {
    let Hits { hits, partial } = find(held, filter, limit, peer)?;
    tell(held, &hits, None, peer);
    Ok(partial)
}

/// The traces that match, the latest first.
fn find(held: &Held, filter: &str, limit: Option<u64>, peer: &dyn Peer) -> Result<Hits, Wrong> {
    let filter = Filter::read(filter)?;
    let view = held.reader.view();
    let most = filter.most(limit);
    let cancelled = || peer.is_gone();
    let found = if held.filed {
        filter.find(&view, clock::now(), &cancelled)
    } else {
        filter.find_latest(&view, clock::now(), (most, &cancelled))
    };
    let Hits { hits, partial } = found;
    Ok(Hits { hits: newest_first(held, &view, hits, most), partial })
}

/// The whole traces that match.
fn whole(held: &Held, filter: &str, limit: Option<u64>, peer: &mut dyn Peer) -> Result<bool, Wrong> {
    let Hits { hits, partial } = find(held, filter, limit, peer)?;
    let traces: Vec<_> = hits.iter().rev().map(|hit| hit.trace).collect();
    whole_traces(&held.reader, &traces, &mut |view, spans, logs| {
        let mut logs = encode::logs(&logs);
        let senders = senders(view, &spans);
        let senders = if senders.is_empty() { String::new() } else { base64(&encode::spans(&senders)) };
        let many = spans.len().div_ceil(SPANS_AT_ONCE).max(1);
        (1..).zip(spans.chunks(SPANS_AT_ONCE)).all(|(number, spans)| {
            let (spans, logs, more) =
                (base64(&encode::spans(spans)), base64(&std::mem::take(&mut logs)), number < many);
            let senders = if more { String::new() } else { senders.clone() };
            peer.take(Reply::Spans { spans, logs, senders, more })
        })
    });
    Ok(partial)
}

/// Takes a trace, with what is held then, and says whether more are wanted.
pub(in crate::run) type EachTrace<'e> = &'e mut dyn FnMut(&View, Vec<Span>, Vec<LogRecord>) -> bool;

/// Reads traces whole and hands them to `each`, with what is held then, until it wants no more. One that has left meanwhile is left out.
pub(in crate::run) fn whole_traces(reader: &Reader, traces: &[TraceId], each: EachTrace<'_>) {
    for traces in traces.chunks(AT_ONCE) {
        let view = reader.view();
        for trace in traces {
            let Some(spans) = view.spans(*trace) else { continue };
            if !each(&view, spans, view.logs(*trace)) {
                return;
            }
        }
    }
}

/// The latest first, at most `most` of them.
pub(super) fn newest_first(held: &Held, view: &View, mut hits: Vec<Hit>, most: usize) -> Vec<Hit> {
    // They come by arrival, which a stable order keeps among equals.
    hits.reverse();
    if held.filed {
        hits.sort_by_cached_key(|hit| Reverse(view.figures(hit.trace).map(|figures| figures.start)));
    }
    hits.truncate(most);
    hits
}

/// What is said of a trace that offends an assertion.
pub(super) struct Offence<'a> {
    pub(super) assertion: &'a str,
    /// Why, by trace; of those of which there is something to say.
    pub(super) reasons: &'a HashMap<TraceId, String>,
}

/// Tells of these traces as they are by now; one that has left meanwhile is not told.
pub(super) fn tell(held: &Held, hits: &[Hit], offence: Option<&Offence<'_>>, peer: &mut dyn Peer) {
    for hits in hits.chunks(AT_ONCE) {
        let view = held.reader.view();
        let found = |hit: &Hit| {
            let mut found = FoundTrace::of(&view.trace(hit.trace)?, hit.matched)?;
            found.assertion = offence.map(|offence| offence.assertion.to_owned());
            found.why = offence.and_then(|offence| offence.reasons.get(&hit.trace).cloned());
            Some(found)
        };
        let found: Vec<FoundTrace> = hits.iter().filter_map(found).collect();
        drop(view);
        for found in found {
            if !peer.take(Reply::Record(Record::Trace(found))) {
                return;
            }
        }
    }
}

/// Never partial.
fn records(records: impl IntoIterator<Item = Record>, peer: &mut dyn Peer) -> bool {
    for record in records {
        if !peer.take(Reply::Record(record)) {
            break;
        }
    }
    false
}

fn services(view: &View, limit: Option<u64>) -> Vec<Record> {
    let known = &view.stats().services;
    let mut services: Vec<Service> = known
        .iter()
        .filter(|(_, health)| health.spans > 0)
        .map(|(name, health)| Service {
            service: name.to_string(),
            spans: health.spans,
            traces: health.traces,
            errors: health.errors,
        })
        .collect();
    services.sort_by_key(|service| Reverse(service.spans));
    services.truncate(most(limit));
    services.into_iter().map(Record::Service).collect()
}

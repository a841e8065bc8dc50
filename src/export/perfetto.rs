//! The Trace Event Format, which Perfetto and `chrome://tracing` open
//! (<https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>).
//!
//! A service is a process. Events of one thread must lie inside each other, which spans that run at once do not: each trace has as
//! many threads of a service as are needed for that, filled with the parent's first. Span events are instants, and where a call
//! crosses from one service to another a flow is drawn.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::value::{self, readable, service};
use crate::model::{Attribute, Span, SpanId, Value};

/// Numbers of services and threads so far, over all traces of a file.
#[derive(Debug, Default)]
pub(super) struct Threads {
    services: HashMap<String, u32>,
    /// The last number of a thread.
    last: u32,
    /// The last number of a flow.
    flows: u32,
}

/// A thread that is being filled.
struct Lane {
    tid: u32,
    /// When the spans end that are open on it, outermost first.
    open: Vec<u64>,
}

/// Where a span was put.
#[derive(Clone, Copy)]
struct Put {
    pid: u32,
    lane: usize,
    start: u64,
}

/// The events of a trace, which is in order of start, longer spans first.
pub(super) fn events(spans: &[Span], threads: &mut Threads) -> Vec<String> {
    let mut packing = Packing::default();
    let mut out = Vec::with_capacity(spans.len() * 2);
    for span in spans {
        let put = packing.put(span, threads, &mut out);
        let tid = packing.lanes[put.lane].tid;
        let end = span.end.0.max(span.start.0);
        let head = json!({
            "ph": "X", "name": readable(&span.name), "cat": span.kind.name(), "pid": put.pid, "tid": tid,
            "args": arguments(span),
        });
        out.push(timed(&head, &[("ts", span.start.0), ("dur", end - span.start.0)]));
        for event in &span.events {
            let head = json!({
                "ph": "i", "s": "t", "name": readable(&event.name), "pid": put.pid, "tid": tid,
                "args": of_attributes(&event.attributes),
            });
            out.push(timed(&head, &[("ts", event.time.0)]));
        }
        let parent = span.parent_id.and_then(|parent| packing.placed.get(&parent));
        if let Some(parent) = parent.filter(|parent| parent.pid != put.pid) {
            threads.flows += 1;
            let from = packing.lanes[parent.lane].tid;
            let at = span.start.0.max(parent.start);
            let (id, call) = (threads.flows, "call");
            let leaves = json!({ "ph": "s", "id": id, "name": call, "cat": call, "pid": parent.pid, "tid": from });
            let arrives =
                json!({ "ph": "f", "bp": "e", "id": id, "name": call, "cat": call, "pid": put.pid, "tid": tid });
            out.extend([timed(&leaves, &[("ts", at)]), timed(&arrives, &[("ts", at)])]);
        }
        packing.placed.insert(span.span_id, put);
    }
    out
}

#[derive(Default)]
struct Packing {
    lanes: Vec<Lane>,
    /// By service: lanes by the time at which they are free again.
    free: HashMap<u32, BinaryHeap<Reverse<(u64, usize)>>>,
    placed: HashMap<SpanId, Put>,
}

impl Packing {
    /// Finds room for a span: on its parent's thread if it fits into what is open there, else on one that is free, else on a new one.
    fn put(&mut self, span: &Span, threads: &mut Threads, out: &mut Vec<String>) -> Put {
        let pid = process(&service(&span.resource), threads, out);
        let (start, end) = (span.start.0, span.end.0.max(span.start.0));
        let parent = span.parent_id.and_then(|parent| self.placed.get(&parent)).filter(|put| put.pid == pid).copied();
        if let Some(put) = parent {
            let open = &mut self.lanes[put.lane].open;
            while open.len() > 1 && open.last().is_some_and(|open| *open <= start) {
                open.pop();
            }
            if open.last().is_some_and(|open| end <= *open && start < *open) {
                open.push(end);
                return Put { pid, lane: put.lane, start };
            }
        }
        let free = self.free.entry(pid).or_default();
        let lane = match free.peek() {
            Some(Reverse((at, lane))) if *at <= start => {
                let lane = *lane;
                free.pop();
                lane
            }
            _ => {
                threads.last += 1;
                let tid = threads.last;
                let name = format!("{} {}", readable(&span.name), span.trace_id);
                let head =
                    json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } });
                out.push(head.to_string());
                self.lanes.push(Lane { tid, open: Vec::new() });
                self.lanes.len() - 1
            }
        };
        free.push(Reverse((end, lane)));
        self.lanes[lane].open = vec![end];
        Put { pid, lane, start }
    }
}

fn process(service: &str, threads: &mut Threads, out: &mut Vec<String>) -> u32 {
    if let Some(pid) = threads.services.get(service) {
        return *pid;
    }
    let pid = u32::try_from(threads.services.len() + 1).unwrap_or(u32::MAX);
    threads.services.insert(service.to_owned(), pid);
    out.push(
        json!({ "ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": { "name": service } }).to_string(),
    );
    pid
}

/// An event with its times, in microseconds with the nanoseconds behind the point: exact in the file, if not in every program that
/// reads it.
fn timed(head: &Json, times: &[(&str, u64)]) -> String {
    let mut out = head.to_string();
    out.pop();
    for (name, nanos) in times {
        let _ = write!(out, ",\"{name}\":{}.{:03}", nanos / 1_000, nanos % 1_000);
    }
    out.push('}');
    out
}

fn arguments(span: &Span) -> Json {
    let mut out = Map::new();
    out.insert("trace_id".to_owned(), json!(span.trace_id.to_string()));
    out.insert("span_id".to_owned(), json!(span.span_id.to_string()));
    if let Some(parent) = span.parent_id {
        out.insert("parent_span_id".to_owned(), json!(parent.to_string()));
    }
    if span.status.code.0 != 0 {
        out.insert("status".to_owned(), json!(span.status.code.name()));
    }
    if !span.status.message.is_empty() {
        out.insert("status_message".to_owned(), json!(span.status.message.lossy()));
    }
    add(&span.attributes, &mut out);
    Json::Object(out)
}

fn of_attributes(attributes: &[Attribute]) -> Json {
    let mut out = Map::new();
    add(attributes, &mut out);
    Json::Object(out)
}

fn add(attributes: &[Attribute], out: &mut Map<String, Json>) {
    for Attribute { key, value } in attributes {
        let value = match value {
            Value::Bool(truth) => json!(truth),
            Value::Int(number) => json!(number),
            Value::Double(number) if number.is_finite() => json!(number),
            other => json!(value::text(other)),
        };
        out.insert(key.lossy().into_owned(), value);
    }
}

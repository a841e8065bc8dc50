//! Log records with a trace id, oldest first, within their share of the budget.
//!
//! They are kept whether their span is held or not: it may still come.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Attribute, LogRecord, TraceId, Value};

/// Records a page holds.
const PAGE: usize = 256;

/// Some records in order of arrival.
type Page = Vec<(TraceId, Arc<LogRecord>)>;

/// The records, as readers hold them too.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    pages: VecDeque<Arc<Page>>,
}

impl Logs {
    /// The records of a trace by time; in order of arrival where that is the same.
    pub(super) fn of(&self, trace: TraceId) -> Vec<LogRecord> {
        let all = self.pages.iter().flat_map(|page| page.iter());
        let mut records: Vec<_> = all.filter(|(id, _)| *id == trace).map(|(_, record)| (**record).clone()).collect();
        records.sort_by_key(LogRecord::at);
        records
    }

    /// Every record, in order of arrival.
    pub(super) fn each(&self, each: &mut dyn FnMut(&LogRecord)) {
        self.pages.iter().flat_map(|page| page.iter()).for_each(|(_, record)| each(record));
    }
}

/// The writer's side.
#[derive(Debug, Default)]
pub(super) struct LogStore {
    /// The records.
    pub(super) logs: Logs,
    /// Bytes of each page's records.
    sizes: VecDeque<usize>,
    /// Bytes of all.
    pub(super) bytes: usize,
    /// Records held.
    pub(super) held: u64,
    /// Records that left to make room.
    pub(super) evicted: u64,
}

impl LogStore {
    /// Keeps a record.
    pub(super) fn push(&mut self, record: LogRecord) {
        let bytes = size(&record);
        if self.logs.pages.back().is_none_or(|page| page.len() >= PAGE) {
            self.logs.pages.push_back(Arc::new(Vec::new()));
            self.sizes.push_back(0);
        }
        if let (Some(page), Some(size)) = (self.logs.pages.back_mut(), self.sizes.back_mut()) {
            Arc::make_mut(page).push((record.trace_id, Arc::new(record)));
            *size += bytes;
        }
        self.bytes += bytes;
        self.held += 1;
    }

    /// Lets the oldest go until at most `limit` bytes are held.
    pub(super) fn evict(&mut self, limit: usize) {
        while self.bytes > limit {
            let (Some(page), Some(size)) = (self.logs.pages.pop_front(), self.sizes.pop_front()) else { break };
            let count = page.len() as u64;
            self.bytes -= size;
            self.held -= count;
            self.evicted += count;
        }
    }
}

/// Bytes that a record takes, roughly. Its resource and scope are shared with its neighbours and counted in part.
fn size(record: &LogRecord) -> usize {
    let shared = record.resource.attributes.len() + record.scope.attributes.len();
    size_of::<LogRecord>()
        + 64
        + record.severity_text.as_bytes().len()
        + record.event_name.as_bytes().len()
        + value_size(&record.body)
        + attributes_size(&record.attributes)
        + shared * 8
        + (attributes_size(&record.resource.attributes) + attributes_size(&record.scope.attributes))
            / Arc::strong_count(&record.resource).max(1)
}

fn attributes_size(attributes: &[Attribute]) -> usize {
    let one = |attribute: &Attribute| {
        size_of::<Attribute>() + 32 + attribute.key.as_bytes().len() + value_size(&attribute.value)
    };
    attributes.iter().map(one).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.as_bytes().len() + 16,
        Value::Bytes(bytes) => bytes.len() + 16,
        Value::Array(values) => values.iter().map(|value| size_of::<Value>() + value_size(value)).sum(),
        Value::Map(attributes) => attributes_size(attributes),
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
    }
}

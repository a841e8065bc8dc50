//! Trees and waterfalls of small traces written by hand, and the laws that hold for any.

mod laws;
mod path;
mod rows;
mod trees;
mod verdicts;
mod wholes;

use std::sync::Arc;

use super::thresholds::Thresholds;
use super::{Analysis, analyse};
use crate::model::{Category, Kind, Nanos, SpanId, SpanKey, StatusCode, Timestamp, Trace, TraceSpan};

pub(super) fn id(number: u64) -> SpanId {
    SpanId(number.to_be_bytes())
}

/// A span of service `api` with times in milliseconds, see [`millis`]; parent 0 is none.
pub(super) fn span(number: u64, parent: u64, start: u64, end: u64) -> TraceSpan {
    TraceSpan {
        key: SpanKey { id: id(number), kind: Kind::INTERNAL },
        parent_id: (parent != 0).then(|| id(parent)),
        start: millis(start),
        end: millis(end),
        service: "api".into(),
        name: format!("span {number}").into(),
        label: format!("span {number}").into(),
        ..TraceSpan::default()
    }
}

pub(super) fn sql(number: u64, parent: u64, (start, end): (u64, u64), statement: &str) -> TraceSpan {
    TraceSpan {
        label: statement.into(),
        category: Category::Sql,
        ..of_kind(Kind::CLIENT, span(number, parent, start, end))
    }
}

pub(super) fn of_kind(kind: Kind, span: TraceSpan) -> TraceSpan {
    TraceSpan { key: SpanKey { kind, ..span.key }, ..span }
}

pub(super) fn failed(span: TraceSpan) -> TraceSpan {
    TraceSpan { status: StatusCode::ERROR, ..span }
}

/// Milliseconds after some moment.
pub(super) fn millis(count: u64) -> Timestamp {
    Timestamp(Nanos::from_secs(1_000).0 + Nanos::from_millis(count).0)
}

pub(super) fn analysed(spans: Vec<TraceSpan>) -> Analysis {
    analyse(Arc::new(Trace { spans, ..Trace::default() }), &Thresholds::default())
}

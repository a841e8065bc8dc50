//! One trace that was found, as scripts see it.

use std::collections::BTreeSet;

use jiff::Timestamp as Time;
use serde::{Deserialize, Serialize};

use crate::model::{Timestamp, Trace};
use crate::redact::Redactor;

/// A trace that was found. The order of the fields is that of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTrace {
    /// 32 hex digits.
    pub trace_id: String,
    /// `service.name` of the root span: the earliest without a parent; of the earliest span where the root is missing.
    pub root_service: String,
    /// The name of that span.
    pub root_operation: String,
    /// The earliest start of all its spans: RFC 3339 in UTC, with nine digits of the second.
    pub start: String,
    /// From there to the latest end.
    pub duration_ns: u64,
    /// How many spans are held of it.
    pub spans: u64,
    /// How many of them have the status error.
    pub errors: u64,
    /// The services that took part, in order of name.
    pub services: Vec<String>,
    /// How many spans matched; 0 where the filter is about traces as a whole.
    pub matched: u64,
    /// What was asserted and does not hold of it; only `assert` has this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<String>,
    /// Why it does not hold, where that can be said of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl FoundTrace {
    /// What is told of `trace`, in which `matched` spans matched; `None` where it has no span.
    #[must_use]
    pub fn of(trace: &Trace, matched: u32) -> Option<Self> {
        // Spans without a time come last: they can hardly be the first of anything.
        let rank = |start: Timestamp| start.0.wrapping_sub(1);
        let root = trace.spans.iter().min_by_key(|span| (span.parent_id.is_some(), rank(span.start), span.key))?;
        let (start, end) = trace.bounds();
        let services: BTreeSet<&str> = trace.spans.iter().map(|span| &*span.service).collect();
        Some(Self {
            trace_id: trace.id.to_string(),
            root_service: root.service.to_string(),
            root_operation: root.name.to_string(),
            start: rfc3339(start),
            duration_ns: end.since(start).0,
            spans: trace.spans.len() as u64,
            errors: trace.spans.iter().filter(|span| span.is_error()).count() as u64,
            services: services.into_iter().map(str::to_owned).collect(),
            matched: matched.into(),
            assertion: None,
            why: None,
        })
    }

    /// Without secrets.
    #[must_use]
    pub(super) fn masked(mut self, redactor: &Redactor) -> Self {
        self.root_service = redactor.text(&self.root_service).into_owned();
        self.root_operation = redactor.text(&self.root_operation).into_owned();
        self.why = self.why.map(|why| redactor.text(&why).into_owned());
        self.services.iter_mut().for_each(|service| *service = redactor.text(service).into_owned());
        self
    }
}

/// RFC 3339 in UTC; every time that OTLP can send has a year of four digits.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    Time::from_nanosecond(time.0.into()).map_or_else(|_| String::new(), |time| format!("{time:.9}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SpanId, SpanKey, StatusCode, TraceId, TraceSpan};

    fn span(id: u8, parent: Option<u8>, (start, end): (u64, u64), service: &str) -> TraceSpan {
        TraceSpan {
            key: SpanKey { id: SpanId([id; 8]), ..SpanKey::default() },
            parent_id: parent.map(|parent| SpanId([parent; 8])),
            start: Timestamp(start),
            end: Timestamp(end),
            service: service.into(),
            name: format!("span {id}").into(),
            ..TraceSpan::default()
        }
    }

    #[test]
    fn the_root_is_the_earliest_span_without_a_parent() {
        let spans = vec![
            span(1, Some(9), (5, 6), "b"),
            span(2, None, (8, 20), "a"),
            span(3, None, (7, 9), "b"),
            span(4, None, (0, 0), "c"),
        ];
        let trace = Trace { id: TraceId([7; 16]), spans, ..Trace::default() };
        let found = FoundTrace::of(&trace, 2).unwrap();
        assert_eq!((found.root_service.as_str(), found.root_operation.as_str()), ("b", "span 3"));
        assert_eq!(found.services, ["a", "b", "c"]);
        assert_eq!((found.spans, found.matched, found.duration_ns), (4, 2, 15));
        assert_eq!(found.trace_id, "07".repeat(16));
    }

    #[test]
    fn where_the_root_is_missing_the_earliest_span_stands_for_it() {
        let mut failed = span(2, Some(9), (3, 2), "b");
        failed.status = StatusCode::ERROR;
        let trace = Trace { spans: vec![span(1, Some(9), (5, 6), "a"), failed], ..Trace::default() };
        let found = FoundTrace::of(&trace, 0).unwrap();
        assert_eq!((found.root_operation.as_str(), found.errors, found.duration_ns), ("span 2", 1, 3));
        assert_eq!(FoundTrace::of(&Trace::default(), 0), None);
    }

    #[test]
    fn any_time_that_can_be_sent_is_written_in_full() {
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(rfc3339(Timestamp(1_763_700_000_010_000_001)), "2025-11-21T04:40:00.010000001Z");
        assert_eq!(rfc3339(Timestamp(u64::MAX)), "2554-07-21T23:34:33.709551615Z");
    }
}

//! Log records out of an `ExportLogsServiceRequest`.

use std::sync::Arc;

use super::check::{Form, check};
use super::decode::{attribute, each_field, merge_value, resource, scope};
use super::peek::service_name;
use super::reader::{Header, WireError};
use super::wire::{Broken, Occurrences, bytes_key, fixed32_key, fixed64_key, varint_key};
use crate::model::{LogRecord, Resource, Scope, SpanId, Timestamp, TraceId};

/// One log record of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct LogItem<'a> {
    /// `service.name` of its resource, not checked for UTF-8.
    pub service: Option<&'a [u8]>,
    /// The record; `None` where it names no valid trace, so that it cannot stand beside a span.
    pub record: Option<LogRecord>,
}

/// Tells `each` of every log record in `body`, in order. The whole body is checked first, so that nothing is told of
/// a broken one.
///
/// # Errors
/// Where the framing is broken.
pub fn read(body: &[u8], mut each: impl FnMut(LogItem<'_>)) -> Result<(), WireError> {
    check(body, Form::LogsRequest)
        .and_then(|()| Occurrences::new(body, 1).try_for_each(|outer| resource_logs(outer, &mut each)))
        .map_err(|broken| broken.within(body))
}

fn resource_logs(outer: &[u8], each: &mut impl FnMut(LogItem<'_>)) -> Result<(), Broken> {
    let header = Header::read(outer, Form::Resource)?;
    let service = service_name(&header.message);
    let resource = Arc::new(resource(&header.message, header.schema_url));
    for inner in Occurrences::new(outer, 2) {
        let header = Header::read(inner, Form::Scope)?;
        let scope = Arc::new(scope(&header.message, header.schema_url));
        for message in Occurrences::new(inner, 2) {
            each(LogItem { service, record: record(message, &resource, &scope) });
        }
    }
    Ok(())
}

/// The record in `message`, unless it names no valid trace.
fn record(message: &[u8], resource: &Arc<Resource>, scope: &Arc<Scope>) -> Option<LogRecord> {
    const TIME: u64 = fixed64_key(1);
    const SEVERITY: u64 = varint_key(2);
    const SEVERITY_TEXT: u64 = bytes_key(3);
    const BODY: u64 = bytes_key(5);
    const ATTRIBUTE: u64 = bytes_key(6);
    const DROPPED: u64 = varint_key(7);
    const FLAGS: u64 = fixed32_key(8);
    const SPAN_ID: u64 = bytes_key(10);
    const OBSERVED: u64 = fixed64_key(11);
    const EVENT_NAME: u64 = bytes_key(12);
    let trace_id = TraceId::from_slice(Occurrences::new(message, 9).last()?)?;
    let mut record =
        LogRecord { trace_id, resource: Arc::clone(resource), scope: Arc::clone(scope), ..LogRecord::default() };
    each_field(message, |key, cursor| {
        match key {
            TIME => record.time = Timestamp(cursor.fixed64()?),
            SEVERITY => record.severity = cursor.int32()?,
            SEVERITY_TEXT => record.severity_text = cursor.bytes()?.into(),
            BODY => merge_value(&mut record.body, cursor.bytes()?, 0),
            ATTRIBUTE => record.attributes.push(attribute(cursor.bytes()?)),
            DROPPED => record.dropped_attributes = cursor.uint32()?,
            FLAGS => record.flags = cursor.fixed32()?,
            SPAN_ID => record.span_id = SpanId::from_slice(cursor.bytes()?),
            OBSERVED => record.observed = Timestamp(cursor.fixed64()?),
            EVENT_NAME => record.event_name = cursor.bytes()?.into(),
            _ => return Ok(false),
        }
        Ok(true)
    });
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::{UNKNOWN, nested};
    use super::super::put::Writer;
    use super::*;

    /// A body with one log record that has the fields `record`.
    fn body(record: &[u8]) -> Vec<u8> {
        let mut out = Writer::default();
        let opens = [out.open(1), out.open(2)];
        out.delimited(2, record);
        opens.iter().rev().for_each(|open| out.close(open));
        out.finish()
    }

    fn records(body: &[u8]) -> Result<Vec<Option<LogRecord>>, WireError> {
        let mut records = Vec::new();
        read(body, |item| records.push(item.record))?;
        Ok(records)
    }

    #[test]
    fn records_without_a_valid_trace_id_are_told_without_content() {
        for (id, valid) in [(&[1; 16][..], true), (&[0; 16], false), (&[1; 15], false), (&[], false)] {
            let mut record = Writer::default();
            record.delimited(9, id);
            let records = records(&body(&record.finish())).unwrap();
            assert_eq!((records.len(), records[0].is_some()), (1, valid), "{id:?}");
        }
    }

    #[test]
    fn bodies_of_any_depth_and_text_that_is_not_utf8_are_read() {
        let mut record = Writer::default();
        record.delimited(9, &[1; 16]);
        record.delimited(3, &[0xff]);
        record.delimited(5, &nested(200_000, &UNKNOWN));
        let records = records(&body(&record.finish())).unwrap();
        assert_eq!(records[0].as_ref().unwrap().severity_text.as_bytes(), [0xff]);
    }

    #[test]
    fn nothing_is_told_of_a_broken_body() {
        let mut broken = body(&[]);
        broken.extend([0x0a, 1]);
        assert_eq!(records(&broken).unwrap_err().offset, broken.len() - 1);
        read(&broken, |_| panic!("told of a broken body")).unwrap_err();
    }
}

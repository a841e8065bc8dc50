//! The one-pass reader over OTLP protobuf bytes.
//!
//! Fields may come in any order, unknown ones are stepped over, and a message that occurs twice where it should
//! occur once is merged, as protobuf has it. Nothing is allocated unless a message has to be merged, or a value
//! goes on behind its innermost member at more than sixteen levels.

use std::borrow::Cow;

use super::check::{Form, check};
use super::wire::{Broken, Cursor, Occurrences, bytes_key, fixed32_key, fixed64_key, numbers, varint_key};
use super::{AttributeValue, Sink, SpanFields};

pub use super::wire::WireError;

/// Reads the spans of `body` into `sink`.
///
/// # Errors
/// Where the framing is broken; what the sink was told so far must then be forgotten.
pub fn read_spans(body: &[u8], sink: &mut impl Sink) -> Result<(), WireError> {
    request(body, sink).map_err(|broken| broken.within(body))
}

fn request(body: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    const RESOURCE_SPANS: u64 = bytes_key(1);
    let mut cursor = Cursor::new(body);
    while !cursor.is_empty() {
        match cursor.varint()? {
            RESOURCE_SPANS => resource_spans(cursor.bytes()?, sink)?,
            key => cursor.other(key, numbers(&[1]))?,
        }
    }
    Ok(())
}

fn resource_spans(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    // This finds every break between the members, at which they would end early below.
    let header = Header::read(message, Form::Resource)?;
    if header.members {
        sink.resource(&header.message, header.schema_url);
    }
    Occurrences::new(message, 2).try_for_each(|member| scope_spans(member, sink))
}

fn scope_spans(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    const SCOPE: u64 = bytes_key(1);
    const SPAN: u64 = bytes_key(2);
    const SCHEMA_URL: u64 = bytes_key(3);
    let (mut scope, mut schema_url) = (Cow::Borrowed(&[][..]), &[][..]);
    let (mut told, mut late) = (false, false);
    let mut cursor = Cursor::new(message);
    // Unlike a resource's, the members are many and not looked at before they are read: each look ahead would wait
    // for memory.
    while !cursor.is_empty() {
        match cursor.varint()? {
            SPAN => {
                if !told {
                    sink.scope(&scope, schema_url);
                    told = true;
                }
                let member = cursor.bytes()?;
                cursor.call_up(member.len());
                span(member, sink)?;
            }
            SCOPE => {
                let part = cursor.bytes()?;
                check(part, Form::Scope)?;
                merge(&mut scope, part);
                late |= told;
            }
            SCHEMA_URL => {
                schema_url = cursor.bytes()?;
                late |= told;
            }
            key => cursor.other(key, numbers(&[1, 2, 3]))?,
        }
    }
    if late {
        sink.amend_scope(&scope, schema_url);
    }
    Ok(())
}

/// What is said once for all members of a `ResourceSpans`, `ScopeSpans` and their like: these have in common
/// that field 1 is the resource or scope, 2 the members and 3 the schema url. Read ahead of the members, because
/// the schema url usually follows them.
pub(super) struct Header<'a> {
    pub(super) message: Cow<'a, [u8]>,
    pub(super) schema_url: &'a [u8],
    pub(super) members: bool,
}

impl<'a> Header<'a> {
    /// Reads it and checks the framing of everything but the members' insides.
    pub(super) fn read(outer: &'a [u8], form: Form) -> Result<Self, Broken> {
        const MESSAGE: u64 = bytes_key(1);
        const MEMBER: u64 = bytes_key(2);
        const SCHEMA_URL: u64 = bytes_key(3);
        let mut header = Self { message: Cow::Borrowed(&[]), schema_url: &[], members: false };
        let mut cursor = Cursor::new(outer);
        while !cursor.is_empty() {
            match cursor.varint()? {
                MEMBER => {
                    cursor.bytes()?;
                    header.members = true;
                }
                MESSAGE => {
                    let message = cursor.bytes()?;
                    check(message, form)?;
                    merge(&mut header.message, message);
                }
                SCHEMA_URL => header.schema_url = cursor.bytes()?,
                key => cursor.other(key, numbers(&[1, 2, 3]))?,
            }
        }
        Ok(header)
    }
}

/// Merges another occurrence of a message into the ones before. Protobuf defines merging such that the bytes one
/// after the other are the merged message.
fn merge<'a>(merged: &mut Cow<'a, [u8]>, message: &'a [u8]) {
    if merged.is_empty() {
        *merged = Cow::Borrowed(message);
    } else {
        merged.to_mut().extend_from_slice(message);
    }
}

const TRACE_ID: u64 = bytes_key(1);
const SPAN_ID: u64 = bytes_key(2);
const TRACE_STATE: u64 = bytes_key(3);
const PARENT_SPAN_ID: u64 = bytes_key(4);
const NAME: u64 = bytes_key(5);
const KIND: u64 = varint_key(6);
const START: u64 = fixed64_key(7);
const END: u64 = fixed64_key(8);
const ATTRIBUTE: u64 = bytes_key(9);
/// The same as it stands on the wire.
const ATTRIBUTE_BYTE: u8 = 9 << 3 | 2;
const DROPPED_ATTRIBUTES: u64 = varint_key(10);
const EVENT: u64 = bytes_key(11);
const DROPPED_EVENTS: u64 = varint_key(12);
const LINK: u64 = bytes_key(13);
const DROPPED_LINKS: u64 = varint_key(14);
const STATUS: u64 = bytes_key(15);
const FLAGS: u64 = fixed32_key(16);
const SPAN: u32 = numbers(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

fn span(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    sink.begin_span();
    let mut fields = SpanFields::default();
    let mut cursor = Cursor::new(usual_start(message, &mut fields));
    loop {
        // Attributes come in a row, and are most of a span.
        while let Some(member) = cursor.short_member(ATTRIBUTE_BYTE) {
            if !sink.known_attribute(member) {
                attribute(member, sink)?;
            }
        }
        if cursor.is_empty() {
            break;
        }
        match cursor.varint()? {
            ATTRIBUTE => any_attribute(cursor.bytes()?, sink)?,
            TRACE_ID => fields.trace_id = cursor.bytes()?,
            SPAN_ID => fields.span_id = cursor.bytes()?,
            PARENT_SPAN_ID => fields.parent_span_id = cursor.bytes()?,
            NAME => fields.name = cursor.bytes()?,
            KIND => fields.kind = cursor.int32()?,
            START => fields.start = cursor.fixed64()?,
            END => fields.end = cursor.fixed64()?,
            STATUS => status(cursor.bytes()?, &mut fields)?,
            FLAGS => fields.flags = cursor.fixed32()?,
            EVENT => {
                let event = cursor.bytes()?;
                check(event, Form::Event)?;
                sink.event(event);
            }
            LINK => {
                let link = cursor.bytes()?;
                check(link, Form::Link)?;
                sink.link(link);
            }
            TRACE_STATE => fields.trace_state = cursor.bytes()?,
            DROPPED_ATTRIBUTES => fields.dropped_attributes = cursor.uint32()?,
            DROPPED_EVENTS => fields.dropped_events = cursor.uint32()?,
            DROPPED_LINKS => fields.dropped_links = cursor.uint32()?,
            key => cursor.other(key, SPAN)?,
        }
    }
    sink.end_span(&fields);
    Ok(())
}

/// Reads what nearly every encoder writes first, each in its shortest form: the ids, the name, the kind and the times.
/// Answers what follows; any of it may be absent or elsewhere, and is read field by field then.
#[inline]
fn usual_start<'a>(message: &'a [u8], fields: &mut SpanFields<'a>) -> &'a [u8] {
    let mut rest = message;
    if let Some(([0x0a, 16, trace_id @ .., _, _, _, _, _, _, _, _, _, _], _)) = rest.split_first_chunk::<28>()
        && let Some(([0x12, 8, span_id @ ..], after)) = rest.get(18..).and_then(<[u8]>::split_first_chunk::<10>)
    {
        (fields.trace_id, fields.span_id, rest) = (trace_id, span_id, after);
    }
    if let Some(([0x22, 8, parent @ ..], after)) = rest.split_first_chunk::<10>() {
        (fields.parent_span_id, rest) = (parent, after);
    }
    if let [0x2a, length @ ..0x80, after @ ..] = rest
        && let Some((name, after)) = after.split_at_checked(usize::from(*length))
    {
        (fields.name, rest) = (name, after);
    }
    if let [0x30, kind @ ..0x80, after @ ..] = rest {
        (fields.kind, rest) = (i32::from(*kind), after);
    }
    if let Some(([0x39, start @ ..], after)) = rest.split_first_chunk::<9>() {
        (fields.start, rest) = (u64::from_le_bytes(*start), after);
    }
    if let Some(([0x41, end @ ..], after)) = rest.split_first_chunk::<9>() {
        (fields.end, rest) = (u64::from_le_bytes(*end), after);
    }
    rest
}

/// Reads a status into `fields`; where there are several, the fields of the later ones win, which is the merge.
fn status<'a>(message: &'a [u8], fields: &mut SpanFields<'a>) -> Result<(), Broken> {
    const MESSAGE: u64 = bytes_key(2);
    const CODE: u64 = varint_key(3);
    let mut cursor = Cursor::new(message);
    while !cursor.is_empty() {
        match cursor.varint()? {
            CODE => fields.status_code = cursor.int32()?,
            MESSAGE => fields.status_message = cursor.bytes()?,
            key => cursor.other(key, numbers(&[2, 3]))?,
        }
    }
    Ok(())
}

/// Tells of an attribute. Encoders write the key, then the value, and nothing else, both nearly always shorter than 128
/// bytes: that shape is recognised at a glance, which halves the time for a span; anything else is read field by
/// field. Values are told as they are found: a `Result` with one of them in it would go through memory in pieces that
/// the processor has to wait for.
#[expect(clippy::inline_always, reason = "called ten times a span, from one place")]
#[inline(always)]
fn attribute(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    match plain_pair(message) {
        Some((key, [TEXT_BYTE, length @ ..0x80, text @ ..])) if text.len() == usize::from(*length) => {
            sink.text_attribute(key, text, message);
        }
        Some((key, [INT_BYTE, number @ ..0x80])) => {
            sink.attribute(key, AttributeValue::Int(i64::from(*number)), message);
        }
        Some((key, [INT_BYTE, low @ 0x80..=0xff, high @ ..0x80])) => {
            let number = i64::from(low & 0x7f) | i64::from(*high) << 7;
            sink.attribute(key, AttributeValue::Int(number), message);
        }
        _ => any_attribute(message, sink)?,
    }
    Ok(())
}

/// Key and value of a `KeyValue` message that holds just these, in this order, each with a length of one byte.
#[inline]
fn plain_pair(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let [FIRST, length @ ..0x80, ref rest @ ..] = *message else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(length))?;
    let [SECOND, length @ ..0x80, ref value @ ..] = *rest else { return None };
    (value.len() == usize::from(length)).then_some((key, value))
}

/// The key bytes of fields 1 and 2 where they are strings or messages.
const FIRST: u8 = 0x0a;
const SECOND: u8 = 0x12;
/// The key bytes of a string and of a whole number in an `AnyValue`.
const TEXT_BYTE: u8 = 1 << 3 | 2;
const INT_BYTE: u8 = 3 << 3;

#[inline(never)]
fn any_attribute(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    let pair = Pair::read(message)?;
    if pair.values > 1 {
        return merged_attribute(message, sink);
    }
    sink.attribute(pair.key, value(pair.value)?, message);
    Ok(())
}

/// An attribute with several `value` fields, each of them whole: its value is all of them merged.
#[cold]
fn merged_attribute(message: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
    let mut merged = Cow::Borrowed(&[][..]);
    for part in Occurrences::new(message, 2) {
        check(part, Form::Value)?;
        merge(&mut merged, part);
    }
    sink.attribute(Pair::read(message)?.key, value(&merged)?, message);
    Ok(())
}

/// A `KeyValue`, its value's framing not yet checked.
pub(super) struct Pair<'a> {
    pub(super) key: &'a [u8],
    /// The last `value` field.
    pub(super) value: &'a [u8],
    /// How many `value` fields there are.
    pub(super) values: u32,
}

impl<'a> Pair<'a> {
    #[inline]
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Broken> {
        const KEY: u64 = bytes_key(1);
        const VALUE: u64 = bytes_key(2);
        const KEY_INDEX: u64 = varint_key(3);
        let mut pair = Self { key: &[], value: &[], values: 0 };
        let mut cursor = Cursor::new(message);
        while !cursor.is_empty() {
            match cursor.varint()? {
                KEY => pair.key = cursor.bytes()?,
                VALUE => {
                    pair.value = cursor.bytes()?;
                    pair.values = pair.values.saturating_add(1);
                }
                KEY_INDEX => drop(cursor.varint()?),
                key => cursor.other(key, numbers(&[1, 2, 3]))?,
            }
        }
        Ok(pair)
    }
}

/// The value in an `AnyValue` message; checks its framing to the full depth. The last field set is the value.
#[inline]
pub(super) fn value(message: &[u8]) -> Result<AttributeValue<'_>, Broken> {
    const TEXT: u64 = bytes_key(1);
    const BOOL: u64 = varint_key(2);
    const INT: u64 = varint_key(3);
    const DOUBLE: u64 = fixed64_key(4);
    const ARRAY: u64 = bytes_key(5);
    const MAP: u64 = bytes_key(6);
    const BYTES: u64 = bytes_key(7);
    /// An index into a string table that only profiles have; here it points nowhere.
    const TEXT_INDEX: u64 = varint_key(8);
    let mut value = AttributeValue::Empty;
    let mut cursor = Cursor::new(message);
    while !cursor.is_empty() {
        value = match cursor.varint()? {
            TEXT => AttributeValue::Text(cursor.bytes()?),
            INT => AttributeValue::Int(cursor.varint()?.cast_signed()),
            BOOL => AttributeValue::Bool(cursor.varint()? != 0),
            DOUBLE => AttributeValue::Double(cursor.double()?),
            ARRAY => {
                check(cursor.bytes()?, Form::Array)?;
                AttributeValue::Composite(message)
            }
            MAP => {
                check(cursor.bytes()?, Form::Map)?;
                AttributeValue::Composite(message)
            }
            BYTES => AttributeValue::Bytes(cursor.bytes()?),
            TEXT_INDEX => {
                cursor.varint()?;
                AttributeValue::Empty
            }
            key => {
                cursor.other(key, numbers(&[1, 2, 3, 4, 5, 6, 7, 8]))?;
                value
            }
        };
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::check::tests::{UNKNOWN, nested};
    use super::*;

    /// Writes down what it is told.
    #[derive(Default)]
    struct Diary(String);

    impl Diary {
        fn note(&mut self, what: &str, bytes: &[u8]) {
            write!(self.0, "{what} {} ", bytes.escape_ascii()).unwrap();
        }
    }

    impl Sink for Diary {
        fn resource(&mut self, message: &[u8], schema_url: &[u8]) {
            self.note("resource", message);
            self.note("url", schema_url);
        }

        fn scope(&mut self, message: &[u8], schema_url: &[u8]) {
            self.note("scope", message);
            self.note("url", schema_url);
        }

        fn amend_scope(&mut self, message: &[u8], schema_url: &[u8]) {
            self.note("amend", message);
            self.note("url", schema_url);
        }

        fn begin_span(&mut self) {
            self.0.push_str("begin ");
        }

        fn attribute(&mut self, key: &[u8], value: AttributeValue<'_>, _message: &[u8]) {
            write!(self.0, "{}={value:?} ", key.escape_ascii()).unwrap();
        }

        fn event(&mut self, message: &[u8]) {
            self.note("event", message);
        }

        fn link(&mut self, message: &[u8]) {
            self.note("link", message);
        }

        fn end_span(&mut self, fields: &SpanFields<'_>) {
            self.note("end", fields.name);
        }
    }

    /// Counts the composite attributes, events and links it is told of.
    struct Depth(usize);

    impl Sink for Depth {
        fn resource(&mut self, _: &[u8], _: &[u8]) {}
        fn scope(&mut self, _: &[u8], _: &[u8]) {}
        fn amend_scope(&mut self, _: &[u8], _: &[u8]) {}
        fn begin_span(&mut self) {}
        fn attribute(&mut self, _: &[u8], value: AttributeValue<'_>, _: &[u8]) {
            assert!(matches!(value, AttributeValue::Composite(_)));
            self.0 += 1;
        }
        fn event(&mut self, _: &[u8]) {
            self.0 += 1;
        }
        fn link(&mut self, _: &[u8]) {
            self.0 += 1;
        }
        fn end_span(&mut self, _: &SpanFields<'_>) {}
    }

    fn told(body: &[u8]) -> Result<String, WireError> {
        let mut diary = Diary::default();
        read_spans(body, &mut diary)?;
        Ok(diary.0)
    }

    /// A string, bytes or message field with a number below 16.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            out.push(length.to_le_bytes()[0] | 0x80);
            length >>= 7;
        }
        out.push(length.to_le_bytes()[0]);
        out.extend_from_slice(content);
        out
    }

    /// A body with one span that has the fields `span`.
    fn body(span: &[u8]) -> Vec<u8> {
        field(1, &field(2, &field(2, span)))
    }

    #[test]
    fn a_resource_is_told_before_spans_that_precede_it_and_a_scope_is_amended() {
        let scope = [field(2, &field(5, b"a")), field(3, b"s"), field(1, &field(1, b"lib"))].concat();
        let resource = [field(2, &scope), field(3, b"r"), field(1, &[0x10, 4])].concat();
        let expected = r"resource \x10\x04 url r scope  url  begin end a amend \n\x03lib url s ";
        assert_eq!(told(&field(1, &resource)).unwrap(), expected);
    }

    #[test]
    fn a_resource_sent_in_two_parts_is_told_merged() {
        let resource = [field(1, &[0x10, 4]), field(2, &field(2, &[])), field(1, &[0x10, 5])].concat();
        let told = told(&field(1, &resource)).unwrap();
        assert_eq!(told, r"resource \x10\x04\x10\x05 url  scope  url  begin end  ");
    }

    #[test]
    fn nothing_is_told_of_a_resource_and_scope_without_spans() {
        assert_eq!(told(&field(1, &field(1, &[0x10, 4]))).unwrap(), "");
        assert_eq!(told(&field(1, &field(2, &field(1, b"")))).unwrap(), "resource  url  ");
    }

    #[test]
    fn every_kind_of_value_is_told() {
        let long = "x".repeat(200);
        let cases: [(Vec<u8>, &str); 9] = [
            (vec![], "Empty"),
            (field(1, b"t"), "Text([116])"),
            (vec![0x10, 1], "Bool(true)"),
            (vec![0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "Int(-1)"),
            (vec![0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], "Double(1.5)"),
            (field(5, &[]), "Composite([42, 0])"),
            (field(7, b"b"), "Bytes([98])"),
            (vec![0x40, 3], "Empty"),
            ([field(1, long.as_bytes()), vec![0x10, 0]].concat(), "Bool(false)"),
        ];
        for (value, expected) in cases {
            let pair = [field(1, b"k"), field(2, &value)].concat();
            let told = told(&body(&field(9, &pair))).unwrap();
            assert_eq!(told, format!("resource  url  scope  url  begin k={expected} end  "));
        }
    }

    #[test]
    fn values_sent_in_parts_are_told_merged_if_each_part_is_whole() {
        let pair =
            |parts: [&[u8]; 2]| body(&field(9, &[field(1, b"k"), field(2, parts[0]), field(2, parts[1])].concat()));
        let array = field(5, &field(1, &[0x18, 1]));
        let merged = format!("k={:?} end", AttributeValue::Composite(&[&array[..], &array].concat()));
        assert!(told(&pair([&array, &array])).unwrap().contains(&merged));
        assert!(told(&pair([&[0x10, 1], &[]])).unwrap().contains("k=Bool(true) end"));
        assert!(told(&pair([&[0x0a, 2], b"ab"])).is_err());
    }

    #[test]
    fn text_that_is_not_utf8_is_told_as_it_came() {
        let pair = [field(1, b"k"), field(2, &field(1, &[0xff]))].concat();
        let told = told(&body(&[field(9, &pair), field(5, &[0xfe])].concat())).unwrap();
        assert!(told.ends_with(r"begin k=Text([255]) end \xfe "), "{told}");
    }

    #[test]
    fn an_error_says_where_in_the_body_it_is() {
        let mut cut = body(&field(5, b"name"));
        cut.truncate(cut.len() - 1);
        assert_eq!(told(&cut), Err(WireError { offset: 1, what: "a length runs past the end" }));
        let wrong = body(&[0x28, 1]);
        assert_eq!(told(&wrong), Err(WireError { offset: wrong.len() - 1, what: "a field has the wrong wire type" }));
    }

    #[test]
    fn attributes_events_and_links_may_nest_to_any_depth() {
        let pair = [field(1, b"k"), field(2, &nested(200_000, &UNKNOWN))].concat();
        let mut depth = Depth(0);
        let span = [field(9, &pair), field(11, &field(3, &pair)), field(13, &field(4, &pair))].concat();
        read_spans(&body(&span), &mut depth).unwrap();
        assert_eq!(depth.0, 3);
    }
}

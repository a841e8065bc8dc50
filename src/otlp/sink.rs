//! What the one-pass reader tells of a body, in the order of the bytes.

/// Receives the content of one `ExportTraceServiceRequest` (or `TracesData`, which is the same on the wire).
///
/// Order of calls: `resource` once before the spans of each `ResourceSpans`; `scope` once before the spans of
/// each `ScopeSpans`, and `amend_scope` after them where more of it came later; per span `begin_span`, then `attribute`, `event` and `link` in the order of the bytes, then
/// `end_span` with the fields that occur once. After an error in the body no further call is made, and what
/// was told of that body must be forgotten. All slices borrow from the body.
pub trait Sink {
    /// The resource of the spans that follow: the bytes of its message (empty where it is absent) and its
    /// schema url.
    fn resource(&mut self, message: &[u8], schema_url: &[u8]);

    /// The instrumentation scope of the spans that follow: the bytes of its message (empty where it is absent)
    /// and its schema url.
    fn scope(&mut self, message: &[u8], schema_url: &[u8]);

    /// The scope of the spans told since the last `scope` is this: parts of it stood behind them. Encoders write the
    /// schema url last, so senders that set one cause this for every scope.
    fn amend_scope(&mut self, message: &[u8], schema_url: &[u8]);

    /// A span begins.
    fn begin_span(&mut self);

    /// An attribute of the span comes: the bytes of its `KeyValue` message, not looked at yet. A sink that knows from
    /// the same bytes earlier what is in them takes it and answers true; else it is told by [`Self::attribute`].
    #[inline]
    fn known_attribute(&mut self, message: &[u8]) -> bool {
        let _ = message;
        false
    }

    /// An attribute of the span: key, value, and the bytes of the whole `KeyValue` message.
    fn attribute(&mut self, key: &[u8], value: AttributeValue<'_>, message: &[u8]);

    /// The same for a string.
    #[inline]
    fn text_attribute(&mut self, key: &[u8], text: &[u8], message: &[u8]) {
        self.attribute(key, AttributeValue::Text(text), message);
    }

    /// An event of the span: the bytes of its message, whose framing has been checked to its full depth.
    fn event(&mut self, message: &[u8]);

    /// A link of the span: the bytes of its message, whose framing has been checked to its full depth.
    fn link(&mut self, message: &[u8]);

    /// The span ends; `fields` holds all that occurs once. Where a field is repeated on the wire the last wins,
    /// as protobuf has it. The ids are not validated yet: their lengths are whatever was sent.
    fn end_span(&mut self, fields: &SpanFields<'_>);
}

/// The value of an attribute, borrowed. Composite values stay bytes of an `AnyValue` message, framing checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeValue<'a> {
    /// Nothing set, or the value is missing.
    Empty,
    /// A string, not checked for UTF-8.
    Text(&'a [u8]),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An array or a map: the bytes of the `AnyValue` message that holds it.
    Composite(&'a [u8]),
}

/// The fields of a span that occur once, borrowed from the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanFields<'a> {
    /// As sent; valid with 16 bytes, not all zero.
    pub trace_id: &'a [u8],
    /// As sent; valid with 8 bytes, not all zero.
    pub span_id: &'a [u8],
    /// As sent; empty for a root.
    pub parent_span_id: &'a [u8],
    /// W3C trace state.
    pub trace_state: &'a [u8],
    /// Flags, field 16.
    pub flags: u32,
    /// Its name.
    pub name: &'a [u8],
    /// Its kind's number.
    pub kind: i32,
    /// Start, Unix nanoseconds.
    pub start: u64,
    /// End, Unix nanoseconds.
    pub end: u64,
    /// Dropped attributes.
    pub dropped_attributes: u32,
    /// Dropped events.
    pub dropped_events: u32,
    /// Dropped links.
    pub dropped_links: u32,
    /// Status code's number.
    pub status_code: i32,
    /// Status message.
    pub status_message: &'a [u8],
}

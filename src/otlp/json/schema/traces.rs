//! Spans, and the envelopes they come in.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Field, Message, Names, Role, Scalar};

/// `ExportTraceServiceRequest`, also as Tempo (`batches`, `trace`) and Jaeger's `/api/v3` (`result`) wrap it.
pub(in super::super) static TRACES: Message = Message::new(
    Role::Carrier,
    &[
        Field::each("resourceSpans", 1, &RESOURCE_SPANS),
        Field::each("batches", 1, &RESOURCE_SPANS),
        Field::envelope("result", &TRACES),
        Field::envelope("trace", &TRACES),
    ],
);

static RESOURCE_SPANS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("resource", 1, &RESOURCE),
        Field::each("scopeSpans", 2, &SCOPE_SPANS),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        // The name before OTLP 0.15.
        Field::each("instrumentationLibrarySpans", 2, &SCOPE_SPANS),
    ],
);

static SCOPE_SPANS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("scope", 1, &SCOPE),
        Field::each("spans", 2, &SPAN),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        Field::one("instrumentationLibrary", 1, &SCOPE),
    ],
);

static SPAN: Message = Message::new(
    Role::Item,
    &[
        Field::scalar("traceId", 1, Scalar::Id),
        Field::scalar("spanId", 2, Scalar::Id),
        Field::scalar("traceState", 3, Scalar::Text),
        Field::scalar("parentSpanId", 4, Scalar::Id),
        Field::scalar("flags", 16, Scalar::Fixed32),
        Field::scalar("name", 5, Scalar::Text),
        Field::scalar("kind", 6, Scalar::Enum(&SPAN_KIND)),
        Field::scalar("startTimeUnixNano", 7, Scalar::Fixed64),
        Field::scalar("endTimeUnixNano", 8, Scalar::Fixed64),
        Field::each("attributes", 9, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 10, Scalar::Uint32),
        Field::each("events", 11, &EVENT),
        Field::scalar("droppedEventsCount", 12, Scalar::Uint32),
        Field::each("links", 13, &LINK),
        Field::scalar("droppedLinksCount", 14, Scalar::Uint32),
        Field::one("status", 15, &STATUS),
    ],
);

static EVENT: Message = Message::new(
    Role::Part,
    &[
        Field::scalar("timeUnixNano", 1, Scalar::Fixed64),
        Field::scalar("name", 2, Scalar::Text),
        Field::each("attributes", 3, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 4, Scalar::Uint32),
    ],
);

static LINK: Message = Message::new(
    Role::Part,
    &[
        Field::scalar("traceId", 1, Scalar::Id),
        Field::scalar("spanId", 2, Scalar::Id),
        Field::scalar("traceState", 3, Scalar::Text),
        Field::each("attributes", 4, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 5, Scalar::Uint32),
        Field::scalar("flags", 6, Scalar::Fixed32),
    ],
);

static STATUS: Message = Message::new(
    Role::Part,
    &[Field::scalar("message", 2, Scalar::Text), Field::scalar("code", 3, Scalar::Enum(&STATUS_CODE))],
);

static SPAN_KIND: Names =
    Names { prefix: "SPAN_KIND_", names: &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] };

static STATUS_CODE: Names = Names { prefix: "STATUS_CODE_", names: &["UNSET", "OK", "ERROR"] };

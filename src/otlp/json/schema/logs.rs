//! Log records.

use super::common::{ANY_VALUE, KEY_VALUE, RESOURCE, SCOPE};
use super::{Field, Message, Names, Role, Scalar};

/// `ExportLogsServiceRequest`.
pub(in super::super) static LOGS: Message =
    Message::new(Role::Carrier, &[Field::each("resourceLogs", 1, &RESOURCE_LOGS), Field::envelope("result", &LOGS)]);

static RESOURCE_LOGS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("resource", 1, &RESOURCE),
        Field::each("scopeLogs", 2, &SCOPE_LOGS),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        Field::each("instrumentationLibraryLogs", 2, &SCOPE_LOGS),
    ],
);

static SCOPE_LOGS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("scope", 1, &SCOPE),
        Field::each("logRecords", 2, &LOG_RECORD),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        Field::one("instrumentationLibrary", 1, &SCOPE),
    ],
);

static LOG_RECORD: Message = Message::new(
    Role::Item,
    &[
        Field::scalar("timeUnixNano", 1, Scalar::Fixed64),
        Field::scalar("observedTimeUnixNano", 11, Scalar::Fixed64),
        Field::scalar("severityNumber", 2, Scalar::Enum(&SEVERITY_NUMBER)),
        Field::scalar("severityText", 3, Scalar::Text),
        Field::one("body", 5, &ANY_VALUE),
        Field::each("attributes", 6, &KEY_VALUE),
        Field::scalar("droppedAttributesCount", 7, Scalar::Uint32),
        Field::scalar("flags", 8, Scalar::Fixed32),
        Field::scalar("traceId", 9, Scalar::Id),
        Field::scalar("spanId", 10, Scalar::Id),
        Field::scalar("eventName", 12, Scalar::Text),
    ],
);

static SEVERITY_NUMBER: Names = Names {
    prefix: "SEVERITY_NUMBER_",
    names: &[
        "UNSPECIFIED",
        "TRACE",
        "TRACE2",
        "TRACE3",
        "TRACE4",
        "DEBUG",
        "DEBUG2",
        "DEBUG3",
        "DEBUG4",
        "INFO",
        "INFO2",
        "INFO3",
        "INFO4",
        "WARN",
        "WARN2",
        "WARN3",
        "WARN4",
        "ERROR",
        "ERROR2",
        "ERROR3",
        "ERROR4",
        "FATAL",
        "FATAL2",
        "FATAL3",
        "FATAL4",
    ],
};

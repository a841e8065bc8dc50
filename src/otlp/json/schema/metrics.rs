//! Metrics. A data point is the item; a metric around it that has faults of its own still keeps its points.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Field, Kind, Message, Names, Role, Scalar};

/// `ExportMetricsServiceRequest`.
pub(in super::super) static METRICS: Message = Message::new(
    Role::Carrier,
    &[Field::each("resourceMetrics", 1, &RESOURCE_METRICS), Field::envelope("result", &METRICS)],
);

static RESOURCE_METRICS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("resource", 1, &RESOURCE),
        Field::each("scopeMetrics", 2, &SCOPE_METRICS),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        Field::each("instrumentationLibraryMetrics", 2, &SCOPE_METRICS),
    ],
);

static SCOPE_METRICS: Message = Message::new(
    Role::Carrier,
    &[
        Field::one("scope", 1, &SCOPE),
        Field::each("metrics", 2, &METRIC),
        Field::scalar("schemaUrl", 3, Scalar::Text),
        Field::one("instrumentationLibrary", 1, &SCOPE),
    ],
);

static METRIC: Message = Message::new(
    Role::Carrier,
    &[
        Field::scalar("name", 1, Scalar::Text),
        Field::scalar("description", 2, Scalar::Text),
        Field::scalar("unit", 3, Scalar::Text),
        Field::one("gauge", 5, &GAUGE),
        Field::one("sum", 7, &SUM),
        Field::one("histogram", 9, &HISTOGRAM),
        Field::one("exponentialHistogram", 10, &EXPONENTIAL_HISTOGRAM),
        Field::one("summary", 11, &SUMMARY),
        Field::each("metadata", 12, &KEY_VALUE),
    ],
);

static GAUGE: Message = Message::new(Role::Carrier, &[Field::each("dataPoints", 1, &NUMBER_POINT)]);

static SUM: Message = Message::new(
    Role::Carrier,
    &[
        Field::each("dataPoints", 1, &NUMBER_POINT),
        Field::scalar("aggregationTemporality", 2, Scalar::Enum(&TEMPORALITY)),
        Field::scalar("isMonotonic", 3, Scalar::Bool),
    ],
);

static HISTOGRAM: Message = Message::new(
    Role::Carrier,
    &[
        Field::each("dataPoints", 1, &HISTOGRAM_POINT),
        Field::scalar("aggregationTemporality", 2, Scalar::Enum(&TEMPORALITY)),
    ],
);

static EXPONENTIAL_HISTOGRAM: Message = Message::new(
    Role::Carrier,
    &[
        Field::each("dataPoints", 1, &EXPONENTIAL_POINT),
        Field::scalar("aggregationTemporality", 2, Scalar::Enum(&TEMPORALITY)),
    ],
);

static SUMMARY: Message = Message::new(Role::Carrier, &[Field::each("dataPoints", 1, &SUMMARY_POINT)]);

static NUMBER_POINT: Message = Message::new(
    Role::Item,
    &[
        Field::each("attributes", 7, &KEY_VALUE),
        Field::scalar("startTimeUnixNano", 2, Scalar::Fixed64),
        Field::scalar("timeUnixNano", 3, Scalar::Fixed64),
        Field::present("asDouble", 4, Scalar::Double),
        Field::present("asInt", 6, Scalar::Sfixed64),
        Field::each("exemplars", 5, &EXEMPLAR),
        Field::scalar("flags", 8, Scalar::Uint32),
    ],
);

static HISTOGRAM_POINT: Message = Message::new(
    Role::Item,
    &[
        Field::each("attributes", 9, &KEY_VALUE),
        Field::scalar("startTimeUnixNano", 2, Scalar::Fixed64),
        Field::scalar("timeUnixNano", 3, Scalar::Fixed64),
        Field::scalar("count", 4, Scalar::Fixed64),
        Field::present("sum", 5, Scalar::Double),
        Field::new("bucketCounts", 6, Kind::Packed(Scalar::Fixed64)),
        Field::new("explicitBounds", 7, Kind::Packed(Scalar::Double)),
        Field::each("exemplars", 8, &EXEMPLAR),
        Field::scalar("flags", 10, Scalar::Uint32),
        Field::present("min", 11, Scalar::Double),
        Field::present("max", 12, Scalar::Double),
    ],
);

static EXPONENTIAL_POINT: Message = Message::new(
    Role::Item,
    &[
        Field::each("attributes", 1, &KEY_VALUE),
        Field::scalar("startTimeUnixNano", 2, Scalar::Fixed64),
        Field::scalar("timeUnixNano", 3, Scalar::Fixed64),
        Field::scalar("count", 4, Scalar::Fixed64),
        Field::present("sum", 5, Scalar::Double),
        Field::scalar("scale", 6, Scalar::Sint32),
        Field::scalar("zeroCount", 7, Scalar::Fixed64),
        Field::one("positive", 8, &BUCKETS),
        Field::one("negative", 9, &BUCKETS),
        Field::scalar("flags", 10, Scalar::Uint32),
        Field::each("exemplars", 11, &EXEMPLAR),
        Field::present("min", 12, Scalar::Double),
        Field::present("max", 13, Scalar::Double),
        Field::scalar("zeroThreshold", 14, Scalar::Double),
    ],
);

static BUCKETS: Message = Message::new(
    Role::Part,
    &[Field::scalar("offset", 1, Scalar::Sint32), Field::new("bucketCounts", 2, Kind::Packed(Scalar::Uint64))],
);

static SUMMARY_POINT: Message = Message::new(
    Role::Item,
    &[
        Field::each("attributes", 7, &KEY_VALUE),
        Field::scalar("startTimeUnixNano", 2, Scalar::Fixed64),
        Field::scalar("timeUnixNano", 3, Scalar::Fixed64),
        Field::scalar("count", 4, Scalar::Fixed64),
        Field::scalar("sum", 5, Scalar::Double),
        Field::each("quantileValues", 6, &QUANTILE),
        Field::scalar("flags", 8, Scalar::Uint32),
    ],
);

static QUANTILE: Message = Message::new(
    Role::Part,
    &[Field::scalar("quantile", 1, Scalar::Double), Field::scalar("value", 2, Scalar::Double)],
);

static EXEMPLAR: Message = Message::new(
    Role::Part,
    &[
        Field::each("filteredAttributes", 7, &KEY_VALUE),
        Field::scalar("timeUnixNano", 2, Scalar::Fixed64),
        Field::present("asDouble", 3, Scalar::Double),
        Field::present("asInt", 6, Scalar::Sfixed64),
        Field::scalar("spanId", 4, Scalar::Id),
        Field::scalar("traceId", 5, Scalar::Id),
    ],
);

static TEMPORALITY: Names =
    Names { prefix: "AGGREGATION_TEMPORALITY_", names: &["UNSPECIFIED", "DELTA", "CUMULATIVE"] };

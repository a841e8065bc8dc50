//! Everything that an answer can be made of.

use serde::{Deserialize, Serialize};

use super::FoundTrace;
use crate::redact::Redactor;

/// The fields of a trace. Only those that offend an assertion have the last two.
const TRACE: [&str; 11] = [
    "trace_id",
    "root_service",
    "root_operation",
    "start",
    "duration_ns",
    "spans",
    "errors",
    "services",
    "matched",
    "assertion",
    "why",
];

/// One item of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A trace.
    Trace(FoundTrace),
    /// A service.
    Service(Service),
    /// A name of spans.
    Operation(Operation),
    /// A key of attributes.
    Attribute(Attribute),
    /// A value in use under a key.
    Value(Value),
    /// A service that a server knows, which does not count.
    KnownService(KnownService),
    /// A name of spans that a server knows.
    KnownOperation(KnownOperation),
}

/// A service that a server knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownService {
    /// Its name.
    pub service: String,
}

/// A name of spans that a server knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownOperation {
    /// The name.
    pub operation: String,
    /// The service that sends them.
    pub service: String,
    /// Their kind; empty where the server does not say.
    pub kind: String,
}

/// A service that sent spans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub service: String,
    /// Distinct spans it sent.
    pub spans: u64,
    /// Traces it took part in.
    pub traces: u64,
    /// How many of the spans have the status error.
    pub errors: u64,
}

/// Spans of one name, service and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The name.
    pub operation: String,
    /// The service that sends them.
    #[serde(default)]
    pub service: String,
    /// Their kind: `server`, `client` …
    #[serde(default)]
    pub kind: String,
    /// Spans that have all three.
    pub spans: u64,
}

/// A key of attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The key.
    pub attribute: String,
    /// Spans that carry it, themselves or in their scope or resource.
    pub spans: u64,
}

/// A value in use under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The value, as text.
    pub value: String,
    /// Spans that carry it.
    pub spans: u64,
}

impl Record {
    /// The names of its fields, in order.
    #[must_use]
    pub fn head(&self) -> &'static [&'static str] {
        match self {
            Self::Trace(FoundTrace { assertion: None, .. }) => TRACE.get(..TRACE.len() - 2).unwrap_or(&TRACE),
            Self::Trace(_) => &TRACE,
            Self::Service(_) => &["service", "spans", "traces", "errors"],
            Self::Operation(_) => &["operation", "service", "kind", "spans"],
            Self::Attribute(_) => &["attribute", "spans"],
            Self::Value(_) => &["value", "spans"],
            Self::KnownService(_) => &["service"],
            Self::KnownOperation(_) => &["operation", "service", "kind"],
        }
    }

    /// Its fields as text, in the order of [`Self::head`]; several services are parted by `;`.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        match self {
            Self::Trace(trace) => [
                trace.trace_id.clone(),
                trace.root_service.clone(),
                trace.root_operation.clone(),
                trace.start.clone(),
                trace.duration_ns.to_string(),
                trace.spans.to_string(),
                trace.errors.to_string(),
                trace.services.join(";"),
                trace.matched.to_string(),
            ]
            .into_iter()
            .chain(
                trace.assertion.iter().flat_map(|assertion| [assertion.clone(), trace.why.clone().unwrap_or_default()]),
            )
            .collect(),
            Self::Service(Service { service, spans, traces, errors }) => {
                vec![service.clone(), spans.to_string(), traces.to_string(), errors.to_string()]
            }
            Self::Operation(Operation { operation, service, kind, spans }) => {
                vec![operation.clone(), service.clone(), kind.clone(), spans.to_string()]
            }
            Self::KnownService(KnownService { service }) => vec![service.clone()],
            Self::KnownOperation(KnownOperation { operation, service, kind }) => {
                vec![operation.clone(), service.clone(), kind.clone()]
            }
            Self::Attribute(Attribute { attribute: name, spans }) | Self::Value(Value { value: name, spans }) => {
                vec![name.clone(), spans.to_string()]
            }
        }
    }

    /// Without secrets; values in use are those under `key`.
    #[must_use]
    pub fn masked(self, redactor: &Redactor, key: Option<&str>) -> Self {
        match self {
            Self::Trace(trace) => Self::Trace(trace.masked(redactor)),
            Self::Service(service) => {
                Self::Service(Service { service: redactor.text(&service.service).into_owned(), ..service })
            }
            Self::Operation(operation) => Self::Operation(Operation {
                operation: redactor.text(&operation.operation).into_owned(),
                service: redactor.text(&operation.service).into_owned(),
                ..operation
            }),
            Self::Value(Value { value, spans }) => {
                let value = redactor.value(key.unwrap_or_default(), &value).text.into_owned();
                Self::Value(Value { value, spans })
            }
            Self::KnownService(KnownService { service }) => {
                Self::KnownService(KnownService { service: redactor.text(&service).into_owned() })
            }
            Self::KnownOperation(KnownOperation { operation, service, kind }) => Self::KnownOperation(KnownOperation {
                operation: redactor.text(&operation).into_owned(),
                service: redactor.text(&service).into_owned(),
                kind,
            }),
            attribute @ Self::Attribute(_) => attribute,
        }
    }
}

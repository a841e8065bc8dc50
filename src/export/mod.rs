//! What leaves: records of what was found, whole traces, and the forms in which they are written for other programs.
//!
//! In: traces and counts, as the index tells of them; spans, judged anew where a form says more than was sent. Out: [`Record`]s, lines of JSON or CSV, and through an [`Exporter`] what
//! Jaeger, Perfetto, a Collector or a person reads. Names and order of the fields are a promise to scripts (README, "Without a
//! screen"); what a form cannot hold is told there too ("Files"). Must never know: the terminal, and how a table for a person looks.

mod base64;
mod compared;
mod csv;
mod exporter;
mod found;
mod jaeger;
mod json;
mod judged;
mod markdown;
mod mask;
mod otlp_json;
mod perfetto;
mod record;
pub mod report;
mod span_csv;
mod value;

pub use base64::{base64, from_base64};
pub use compared::Compared;
pub use csv::{csv_head, csv_line};
pub use exporter::{Exporter, TraceForm, Written};
pub use found::{FoundTrace, rfc3339};
pub use json::json_line;
pub use record::{Attribute, KnownOperation, KnownService, Operation, Record, Service, Value};

#[cfg(test)]
mod tests;

//! What leaves: records of what was found, and the forms in which they are written for other programs.
//!
//! In: traces and counts, as the index tells of them. Out: [`Record`]s, and lines of JSON or CSV. Names and order of the fields
//! are a promise to scripts (README, "Without a screen"). Must never know: the terminal, and how a table for a person looks.

mod csv;
mod found;
mod json;
mod record;

pub use csv::{csv_head, csv_line};
pub use found::FoundTrace;
pub use json::json_line;
pub use record::{Attribute, Operation, Record, Service, Value};

//! Semantic conventions: attribute names old and new, and what a span is by its attributes. One table.
//!
//! In: keys and values. Out: equivalent keys, canonical values, categories, labels. Must never know: anything but
//! model.

mod database;
mod http;
mod label;
mod names;

pub use database::{canonical_system, same_system, system_in_front};
pub use label::{Label, MAX_LABEL, describe, grpc_failure, is_asked, is_free, is_remark};
pub use names::{aliases, canonical_value, is_statement_key, logical, renames_values};

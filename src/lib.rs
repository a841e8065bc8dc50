//! tracefall: a trace explorer that lives in the terminal.

pub mod analysis;
pub mod app;
pub mod cli;
pub mod config;
pub mod index;
pub mod model;
pub mod otlp;
pub mod query;
pub mod redact;
pub mod semconv;
pub mod terminal;

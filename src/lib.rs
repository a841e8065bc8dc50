//! tracefall: a trace explorer that lives in the terminal.

pub mod model;
pub mod otlp;

//! tracefall: a trace explorer that lives in the terminal.

pub mod index;
pub mod model;
pub mod otlp;
pub mod redact;
pub mod semconv;
pub mod source;

//! A real Jaeger.

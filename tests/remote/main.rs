//! Servers that keep spans, asked over real sockets: recorded answers of two Jaegers, a Tempo, and bad days.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be built should fail loudly")]

mod bad_days;
mod fake;
mod follow;
mod grpc;
#[path = "../common/jaeger.rs"]
mod jaeger;
mod real;
mod recorded;
mod rounds;
mod tempo;
mod tls;

//! The demo: services that do not exist, sending telemetry as real ones do.
//!
//! In: a rate, a seed, a clock, and where the receiver listens. Out: OTLP over real connections, gRPC, and HTTP with
//! protobuf and JSON; or, for tests and pictures, the [`gallery`] of all stories. Must never know: the feed, the
//! index; it comes in by the front door like everyone else.

mod cast;
mod client;
mod events;
mod hospital;
mod json;
mod mix;
mod player;
mod recipes;
mod reel;
mod story;
mod tasks;

pub use mix::gallery;
pub use player::{Endpoints, Player};
pub use story::Story;

#[cfg(test)]
mod tests;

//! What several tests need: recorded exports, states to draw, ways to look at what was drawn.

#![allow(dead_code, reason = "each test crate uses its part of this")]

pub mod build;
pub mod fixtures;
pub mod paint;
pub mod states;

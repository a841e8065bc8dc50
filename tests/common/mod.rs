//! States to draw, built by hand, and ways to look at what was drawn.

#![allow(dead_code, reason = "each test crate uses its part of this")]

pub mod build;
pub mod paint;
pub mod states;

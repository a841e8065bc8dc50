//! What several tests need: recorded exports, states to draw, ways to look at what was drawn.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::allow_attributes,
    unreachable_pub,
    missing_docs,
    reason = "each test crate uses its part of this, and a test that cannot be built should fail loudly"
)]

pub mod build;
pub mod fixtures;
pub mod paint;
pub mod states;
pub mod svg;

//! Laws of the index: what goes in comes out, in any order, within any budget, and readers see whole batches only.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be fails the test")]

mod budget;
#[path = "../common/fixtures.rs"]
mod fixtures;
#[path = "../laws_otlp/generate.rs"]
mod generate;
#[path = "laws.rs"]
mod hot;
mod random;
#[path = "laws.rs"]
#[expect(clippy::duplicate_mod, reason = "the laws hold for both forms of rows")]
mod sealed;

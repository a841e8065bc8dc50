//! The services screen.

use std::sync::Arc;

use super::Progress;

/// What the survey says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServicesReport {
    /// Traces that the filter finds.
    pub traces: u64,
}

/// The screen.
#[derive(Clone, Debug, Default)]
pub struct ServicesScreen {
    /// How far its survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<ServicesReport>>,
}

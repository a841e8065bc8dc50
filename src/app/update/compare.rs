//! The compare screen.

use std::sync::Arc;

use super::say;
use super::window::Step;
use crate::app::{CompareReport, Effect, State};

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<CompareReport>) {
    state.compare.report = Some(report);
}

/// Moves the selection.
pub(super) fn go(state: &mut State, _: Step) {
    say(state, "there is no row");
}

/// Opens what is selected.
pub(super) fn open(state: &mut State, _: &mut Vec<Effect>) {
    say(state, "there is no row");
}

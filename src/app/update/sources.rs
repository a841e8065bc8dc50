//! The sources on the health screen: choosing one, pausing it, having it try again.

use super::act::scrolled;
use super::say;
use super::window::Step;
use crate::app::{Effect, State};
use crate::model::SourceHealth;

/// One step on the health screen: single rows go from source to source, then over the text below.
pub(super) fn go(state: &mut State, step: Step) {
    let (height, lines) = (state.viewport.scroll, state.viewport.scroll_lines);
    let last = state.health.sources.len().saturating_sub(1);
    let screen = &mut state.health_screen;
    screen.selected = match step {
        Step::Rows(1) if screen.scroll == 0 && screen.selected < last => return screen.selected += 1,
        Step::Rows(-1) if screen.scroll == 0 => return screen.selected = screen.selected.min(last).saturating_sub(1),
        Step::First => 0,
        _ => screen.selected,
    };
    screen.scroll = scrolled(screen.scroll, step, height, lines);
}

fn selected(state: &mut State) -> Option<SourceHealth> {
    let found = state.health.sources.get(state.health_screen.selected).or_else(|| state.health.sources.last()).cloned();
    if found.is_none() {
        say(state, "there is no source");
    }
    found
}

/// Pauses the selected source, or lets it go on.
pub(super) fn pause(state: &mut State, out: &mut Vec<Effect>) {
    let Some(source) = selected(state) else { return };
    let what = match (source.paused, source.doors.is_empty()) {
        (true, _) => "goes on",
        (false, true) => "is paused",
        (false, false) => "is paused: senders are told to retry",
    };
    say(state, format!("{} {what}", source.name));
    out.push(Effect::PauseSource(source.id, !source.paused));
}

/// Has the selected source try again at once what it waits to try.
pub(super) fn retry(state: &mut State, out: &mut Vec<Effect>) {
    let Some(source) = selected(state) else { return };
    if source.paused {
        return say(state, format!("{} is paused", source.name));
    }
    say(state, format!("{} is tried again", source.name));
    out.push(Effect::RetrySource(source.id));
}

//! The sources on the health screen: choosing one, pausing it, having it try again.

use super::act::scrolled;
use super::window::Step;
use super::{recall, say};
use crate::app::{Action, Effect, Item, Profile, Purpose, State};
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

/// Has sources do something.
pub(super) fn act(state: &mut State, action: Action, out: &mut Vec<Effect>) {
    match action {
        Action::PauseSource => pause(state, out),
        Action::RetrySource => retry(state, out),
        Action::SearchOn => search_on(state, out),
        _ => choose(state),
    }
}

fn selected(state: &mut State) -> Option<SourceHealth> {
    let found = state.health.sources.get(state.health_screen.selected).or_else(|| state.health.sources.last()).cloned();
    if found.is_none() {
        say(state, "there is no source");
    }
    found
}

/// Has every server leave off a search that goes on. Answers whether there was one.
pub(super) fn stop_searches(state: &mut State, out: &mut Vec<Effect>) -> bool {
    let goes_on = |source: &&SourceHealth| source.asked.as_ref().is_some_and(|asked| asked.is_narrowing());
    let those: Vec<Effect> =
        state.health.sources.iter().filter(goes_on).map(|source| Effect::StopSearch(source.id)).collect();
    let some = !those.is_empty();
    if some {
        say(state, "no more is asked for; what was found stays");
    }
    out.extend(those);
    some
}

/// Has every server that left something off go on with its search.
fn search_on(state: &mut State, out: &mut Vec<Effect>) {
    let can = |source: &&SourceHealth| {
        source.is_followed() && !source.paused && source.asked.as_ref().is_some_and(|asked| asked.can_go_on())
    };
    let those: Vec<Effect> =
        state.health.sources.iter().filter(can).map(|source| Effect::SearchOn(source.id)).collect();
    say(state, if those.is_empty() { "no server has left anything off" } else { "what was left off is asked for" });
    out.extend(those);
}

/// Lists the servers of the settings file, to be asked or left.
fn choose(state: &mut State) {
    let item = |server: &Profile| {
        let text = if is_asked(state, &server.name) {
            format!("● {}", server.place)
        } else {
            format!("○ {}", server.place)
        };
        Item { name: server.name.clone(), text, count: None }
    };
    let items: Vec<Item> = state.settings.profiles.iter().map(item).collect();
    if items.is_empty() {
        return say(state, "the settings file describes no servers: [sources.NAME] with jaeger or tempo");
    }
    recall::pick(state, Purpose::Server, items);
}

/// Asks a server of the settings file, or leaves it.
pub(super) fn toggle(state: &mut State, name: String, out: &mut Vec<Effect>) {
    state.overlay = None;
    out.push(if is_asked(state, &name) { Effect::Disconnect(name) } else { Effect::Connect(name) });
}

fn is_asked(state: &State, name: &str) -> bool {
    let is = |source: &&SourceHealth| source.name == name && source.doors.is_empty() && source.is_followed();
    state.health.sources.iter().any(|source| is(&source))
}

/// Pauses the selected source, or lets it go on.
fn pause(state: &mut State, out: &mut Vec<Effect>) {
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
fn retry(state: &mut State, out: &mut Vec<Effect>) {
    let Some(source) = selected(state) else { return };
    if source.paused {
        return say(state, format!("{} is paused", source.name));
    }
    say(state, format!("{} is tried again", source.name));
    out.push(Effect::RetrySource(source.id));
}

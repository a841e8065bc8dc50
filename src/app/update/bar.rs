//! The filter bar, and the search bar of a trace.

use std::sync::Arc;

use super::act::act;
use super::edit::{self, Edited};
use super::{jump, list, recall, say, trace, warn};
use crate::app::asked::{Reason, Request};
use crate::app::{Action, Effect, FilterBar, Key, KeyPress, Keymap, LibraryChange, Overlay, Screen, State};
use crate::model::{Health, Names};
use crate::query::{Query, ends_in_half_key, parse};

/// Edits the bar of the screen; health has none and leads to the list's.
pub(super) fn begin(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen == Screen::Health {
        state.screen = Screen::Traces;
    }
    let bar = edited(state);
    bar.editing = true;
    bar.before.clone_from(&bar.text);
    bar.cursor = bar.text.len();
    complete(state, out);
}

pub(super) fn edited(state: &mut State) -> &mut FilterBar {
    if state.screen == Screen::Trace { &mut state.find } else { &mut state.filter }
}

fn complete(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    bar.completions.clear();
    bar.chosen = 0;
    let (text, cursor) = (bar.text.clone(), bar.cursor);
    let names = state.health.sources.iter().map(|source| &source.names);
    let names = names.filter(|names| ***names != Names::default()).cloned().collect();
    out.push(Effect::Complete { text, cursor, names });
}

/// A key while editing.
pub(super) fn press(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    let held = key.ctrl || matches!(key.key, Key::Function(_));
    if let Some(action) = keymap.resolve(state.context(), key).filter(|_| held)
        && matches!(action, Action::Recall | Action::SaveFilter | Action::Values | Action::Language)
    {
        return act(state, action, out);
    }
    let (recalled, chosen) = (state.bar().recalled, state.bar().chosen);
    match key.key {
        Key::Enter => apply(state, out),
        Key::Esc => cancel(state, out),
        Key::Tab if key.shift => choose(state, -1),
        Key::Tab => {
            let chosen = edited(state).chosen;
            accept(state, chosen, out);
        }
        Key::Down if recalled > 0 => recall::step(state, false, out),
        // From the first of the proposals it goes on upwards into the past.
        Key::Up if recalled > 0 || chosen == 0 => recall::step(state, true, out),
        Key::Down => choose(state, 1),
        Key::Up => choose(state, -1),
        Key::Char('n') if key.ctrl => choose(state, 1),
        Key::Char('p') if key.ctrl => choose(state, -1),
        _ => {
            let bar = edited(state);
            match edit::press(&mut bar.text, &mut bar.cursor, key) {
                Edited::Text => {
                    bar.recalled = 0;
                    changed(state, out);
                }
                Edited::Cursor => complete(state, out),
                Edited::Nothing => {}
            }
        }
    }
}

/// Pasted text goes where text is typed; elsewhere it opens the bar, for what else could it be meant for.
pub(super) fn paste(state: &mut State, text: &str, out: &mut Vec<Effect>) {
    if let Some(Overlay::Palette(palette)) = &mut state.overlay {
        edit::insert(&mut palette.text, &mut palette.cursor, text);
        return super::palette::search(state);
    }
    if let Some(Overlay::Picker(picker)) = &mut state.overlay {
        edit::insert(&mut picker.text, &mut picker.cursor, text);
        return recall::search(picker);
    }
    if let Some(Overlay::Naming(naming)) = &mut state.overlay {
        edit::insert(&mut naming.text, &mut naming.cursor, text);
    }
    if let Some(Overlay::Save(dialog)) = &mut state.overlay {
        super::save::paste(dialog, text);
    }
    if state.overlay.is_some() {
        return;
    }
    if !state.bar().editing {
        begin(state, out);
    }
    let bar = edited(state);
    if edit::insert(&mut bar.text, &mut bar.cursor, text) == Edited::Text {
        changed(state, out);
    }
}

fn choose(state: &mut State, by: isize) {
    let bar = edited(state);
    let many = bar.completions.len();
    if many > 0 {
        bar.chosen = (bar.chosen + many).saturating_add_signed(by) % many;
    }
}

/// Puts a proposal in.
pub(super) fn accept(state: &mut State, index: usize, out: &mut Vec<Effect>) {
    let bar = edited(state);
    let Some(completion) = bar.completions.get(index).cloned() else {
        return say(state, "nothing to complete here");
    };
    let (from, to) = completion.replace;
    if from <= to && bar.text.is_char_boundary(from) && bar.text.is_char_boundary(to) {
        bar.text.replace_range(from..to, &completion.text);
        bar.cursor = from + completion.text.len();
        changed(state, out);
    }
}

/// The text has changed: reads it, and shows what it selects where it can be read.
pub(super) fn changed(state: &mut State, out: &mut Vec<Effect>) {
    complete(state, out);
    read(state, out);
}

/// Sources say how they are: where a server has told more names, more can be proposed.
pub(super) fn take_health(state: &mut State, health: Arc<Health>, out: &mut Vec<Effect>) {
    let names = |health: &Health| health.sources.iter().map(|source| Arc::clone(&source.names)).collect::<Vec<_>>();
    let more = state.bar().editing && names(&state.health) != names(&health);
    state.health = health;
    if more {
        let bar = edited(state);
        let chosen = bar.chosen;
        complete(state, out);
        edited(state).chosen = chosen;
    }
}

/// The proposals have come: with them it may show that what is typed is the beginning of no key.
pub(super) fn proposed(state: &mut State, out: &mut Vec<Effect>) {
    if edited(state).half_key {
        read(state, out);
    }
}

fn read(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    bar.half_key = false;
    match parse(&bar.text) {
        Ok(query) => {
            bar.error = None;
            // On the way to `minDuration=` nobody looks for the word `minDur`: the list would be empty until the `=`.
            if bar.editing && bar.cursor == bar.text.len() && ends_in_half_key(&bar.text, &bar.offered) {
                bar.half_key = true;
                return;
            }
            let other = query != *bar.query;
            bar.query = Arc::new(query);
            if other {
                run(state, out);
            }
        }
        Err(error) => bar.error = Some(error),
    }
}

fn run(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen != Screen::Trace {
        return list::ask(state, Reason::Filter, out);
    }
    if state.find.query.is_empty() {
        trace::forget_found(state, out);
    } else {
        trace::request(state, Request::Find, out);
    }
}

/// Enter: the text stands, and the keys go back to the rows.
fn apply(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    if let Some(error) = &bar.error {
        let text = error.to_string();
        return warn(state, text);
    }
    let half_key = bar.half_key;
    close(bar);
    let text = bar.text.trim().to_owned();
    if half_key {
        read(state, out);
    }
    if !text.is_empty() {
        recall::change(state, LibraryChange::Remember(text), out);
    }
    if state.screen == Screen::Trace && !state.find.query.is_empty() {
        if state.asked.trace.is_some() {
            state.asked.land_on_match = true;
            state.asked.stood = state.trace.as_ref().and_then(|trace| trace.selected);
        } else {
            jump::to_match_from_here(state, out);
        }
    }
}

fn close(bar: &mut FilterBar) {
    bar.editing = false;
    bar.completions.clear();
    bar.chosen = 0;
    bar.before.clear();
    bar.draft.clear();
    bar.offered.clear();
    bar.recalled = 0;
}

/// Puts text in the bar as if it had been typed and applied; a bar that is edited goes on being edited.
pub(super) fn put(state: &mut State, text: String, out: &mut Vec<Effect>) {
    if state.screen == Screen::Health {
        state.screen = Screen::Traces;
    }
    let bar = edited(state);
    bar.cursor = text.len();
    bar.text = text;
    bar.recalled = 0;
    if bar.editing {
        return changed(state, out);
    }
    read(state, out);
    apply(state, out);
}

/// Puts another filter in place of the list's.
pub(super) fn set(state: &mut State, query: Query, out: &mut Vec<Effect>) {
    let bar = &mut state.filter;
    bar.text.clone_from(&query.text);
    bar.cursor = bar.text.len();
    bar.query = Arc::new(query);
    bar.error = None;
    bar.half_key = false;
    close(bar);
    list::ask(state, Reason::Filter, out);
}

/// The keys go back to the rows; the text stays as far as it is valid.
pub(super) fn leave(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    if bar.editing {
        let half_key = bar.half_key;
        if bar.error.take().is_some() {
            bar.text.clone_from(&bar.query.text);
            bar.cursor = bar.text.len();
        }
        close(bar);
        if half_key {
            read(state, out);
        }
    }
}

fn cancel(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    bar.text = std::mem::take(&mut bar.before);
    bar.cursor = bar.text.len();
    close(bar);
    read(state, out);
}

/// Empties the bar.
pub(super) fn clear(state: &mut State, out: &mut Vec<Effect>) {
    let bar = edited(state);
    let selected = !bar.query.is_empty();
    *bar = FilterBar::default();
    if selected {
        run(state, out);
    }
    state.asked.land_on_match = false;
    if state.screen == Screen::Trace {
        trace::forget_found(state, out);
    }
}

/// A search is only worth an answer as long as it is what the bar says.
pub(super) fn is_current(state: &State, query: &Query) -> bool {
    **state.lit() == *query
}

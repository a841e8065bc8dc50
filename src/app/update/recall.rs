//! Earlier and saved filters, and the list they are chosen from.

use std::cmp::Reverse;
use std::sync::Arc;

use super::edit::{self, Edited};
use super::{bar, say, sources, values, warn};
use crate::app::{
    Effect, Item, Key, KeyPress, Library, LibraryChange, Naming, Overlay, Picker, Purpose, SavedFilter, State,
};
use crate::query::fuzzy;

/// Lists earlier and saved filters, the latest first.
pub(super) fn open(state: &mut State) {
    let Library { history, saved } = &*state.library;
    let saved = saved.iter().rev().map(|saved| (saved.name.clone(), saved.text.clone()));
    let earlier = history.iter().rev().map(|text| (String::new(), text.clone()));
    let items: Vec<Item> = saved.chain(earlier).map(|(name, text)| Item { name, text, count: None }).collect();
    if items.is_empty() {
        state.asked.recall = true;
        return say(state, "no filters yet: / sets one, and those you used are kept");
    }
    pick(state, Purpose::Filter, items);
}

/// What there is now; shown at once where the last key asked for it before it was known.
pub(super) fn take_library(state: &mut State, library: Arc<Library>, trouble: Option<String>) {
    state.library = library;
    if std::mem::take(&mut state.asked.recall) && state.overlay.is_none() {
        state.notice = None;
        open(state);
    }
    if let Some(trouble) = trouble {
        warn(state, trouble);
    }
}

/// Lists things to choose from.
pub(super) fn pick(state: &mut State, purpose: Purpose, items: Vec<Item>) {
    let found = (0..items.len()).collect();
    state.overlay = Some(Overlay::Picker(Picker { purpose, items, found, ..Picker::default() }));
}

/// Attributes came in, for a list that waits for them.
pub(super) fn take_keys(state: &mut State, keys: Vec<(String, u64)>) {
    if let Some(Overlay::Picker(picker)) = &mut state.overlay
        && picker.purpose == Purpose::Attribute
    {
        let item = |(text, count)| Item { name: String::new(), text, count: Some(count) };
        picker.items = keys.into_iter().map(item).collect();
        search(picker);
    }
}

/// A key while there is a list to choose from.
pub(super) fn press(state: &mut State, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Picker(picker)) = &mut state.overlay else { return };
    let many = picker.found.len();
    let up = key.key == Key::Up || (key.ctrl && key.key == Key::Char('p')) || (key.key == Key::Tab && key.shift);
    let on = key.ctrl && matches!(key.key, Key::Char('n' | 'r'));
    let down = matches!(key.key, Key::Down | Key::Tab) || on;
    match key.key {
        Key::Esc => state.overlay = None,
        Key::Enter => {
            let chosen = picker.chosen;
            choose(state, chosen, out);
        }
        Key::Delete => remove(state, out),
        Key::Char('x') if key.ctrl => remove(state, out),
        _ if up => picker.chosen = (picker.chosen + many).saturating_sub(1) % many.max(1),
        _ if down => picker.chosen = (picker.chosen + 1) % many.max(1),
        Key::Backspace if picker.text.is_empty() => state.overlay = None,
        _ => {
            if edit::press(&mut picker.text, &mut picker.cursor, key) == Edited::Text {
                search(picker);
            }
        }
    }
}

/// Finds anew after the text has changed.
pub(super) fn search(picker: &mut Picker) {
    let Picker { text, items, .. } = &*picker;
    let fits = |item: &Item| {
        let name = if item.name.is_empty() { None } else { fuzzy(text.trim(), &item.name).map(|score| score + 100) };
        name.max(fuzzy(text.trim(), &item.text))
    };
    let scored = (0..).zip(items).filter_map(|(index, item)| fits(item).map(|score| (score, index)));
    let mut scored: Vec<(i64, usize)> = scored.collect();
    scored.sort_by_key(|(score, index)| (Reverse(*score), *index));
    picker.found = scored.into_iter().map(|(_, index)| index).collect();
    picker.chosen = 0;
}

/// Takes what is found at `index`.
pub(super) fn choose(state: &mut State, index: usize, out: &mut Vec<Effect>) {
    let Some(Overlay::Picker(picker)) = &mut state.overlay else { return };
    let purpose = picker.purpose;
    let item = picker.found.get(index).and_then(|index| picker.items.get(*index)).cloned();
    let typed = picker.text.trim().to_owned();
    match (purpose, item) {
        (Purpose::Filter, Some(item)) => {
            state.overlay = None;
            bar::put(state, item.text, out);
        }
        (Purpose::Attribute, Some(item)) => values::start(state, item.text, out),
        // A key that was typed whole need not be among those that are listed.
        (Purpose::Attribute, None) if !typed.is_empty() => values::start(state, typed, out),
        (Purpose::Server, Some(item)) => sources::toggle(state, item.name, out),
        (_, None) => say(state, "nothing is called that"),
    }
}

fn remove(state: &mut State, out: &mut Vec<Effect>) {
    let Some(Overlay::Picker(picker)) = &mut state.overlay else { return };
    if picker.purpose != Purpose::Filter || picker.chosen >= picker.found.len() {
        return;
    }
    let index = picker.found.remove(picker.chosen);
    let item = picker.items.remove(index);
    picker.found.iter_mut().filter(|other| **other > index).for_each(|other| *other -= 1);
    picker.chosen = picker.chosen.min(picker.found.len().saturating_sub(1));
    if picker.items.is_empty() {
        state.overlay = None;
    }
    let Item { name, text, .. } = item;
    let saved = !name.is_empty();
    say(state, if saved { format!("deleted: {name}") } else { format!("forgotten: {text}") });
    change(state, if saved { LibraryChange::Unsave(name) } else { LibraryChange::Forget(text) }, out);
}

/// Changes the library here and in its file.
pub(super) fn change(state: &mut State, change: LibraryChange, out: &mut Vec<Effect>) {
    Arc::make_mut(&mut state.library).apply(&change);
    out.push(Effect::Library(change));
}

/// Asks for the name under which the filter is to be saved.
pub(super) fn name(state: &mut State) {
    let bar = state.bar();
    if bar.error.is_some() {
        return warn(state, "not saved: this is no filter yet");
    }
    if bar.query.is_empty() {
        return say(state, "no filter to save: / sets one");
    }
    let filter = bar.text.clone();
    let known = state.library.saved.iter().find(|saved| saved.text == filter);
    let text = known.map(|saved| saved.name.clone()).unwrap_or_default();
    state.overlay = Some(Overlay::Naming(Naming { cursor: text.len(), text, filter }));
}

/// A key while the name is typed.
pub(super) fn press_name(state: &mut State, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Naming(naming)) = &mut state.overlay else { return };
    match key.key {
        Key::Esc => state.overlay = None,
        Key::Enter if naming.text.trim().is_empty() => say(state, "a name is wanted; esc leaves it unsaved"),
        Key::Enter => {
            let Naming { text, filter, .. } = std::mem::take(naming);
            state.overlay = None;
            let name = text.trim().to_owned();
            say(state, format!("saved: {name}; {} finds it again", "ctrl-r"));
            change(state, LibraryChange::Save(SavedFilter { name, text: filter }), out);
        }
        _ => {
            edit::press(&mut naming.text, &mut naming.cursor, key);
        }
    }
}

/// Goes to an older or newer filter of the history while the bar is edited; beyond the newest stands what was typed.
pub(super) fn step(state: &mut State, older: bool, out: &mut Vec<Effect>) {
    let library = Arc::clone(&state.library);
    let bar = bar::edited(state);
    if bar.recalled == 0 {
        bar.draft.clone_from(&bar.text);
    }
    let mut at = bar.recalled;
    loop {
        at = if older { at + 1 } else { at.saturating_sub(1) };
        let text = match (at, library.history.len().checked_sub(at)) {
            (0, _) => Some(bar.draft.clone()),
            (_, Some(place)) => library.history.get(place).cloned(),
            (_, None) => None,
        };
        let Some(text) = text else { return say(state, "no earlier filter") };
        // What stands there already would look as if nothing had happened.
        if text != bar.text || at == 0 {
            bar.cursor = text.len();
            bar.text = text;
            bar.recalled = at;
            return bar::changed(state, out);
        }
    }
}

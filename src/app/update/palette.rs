//! The command palette.

use super::act::act;
use super::edit::{self, Edited};
use super::say;
use crate::app::{ACTIONS, Action, Context, Effect, Key, KeyPress, Overlay, Palette, State};
use crate::query::fuzzy;

/// Opens it with everything that can be done here.
pub(super) fn open(state: &mut State) {
    let found = find("", state.context());
    state.overlay = Some(Overlay::Palette(Palette { found, ..Palette::default() }));
}

/// A key while it is open.
pub(super) fn press(state: &mut State, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Palette(palette)) = &mut state.overlay else { return };
    let many = palette.found.len();
    let up = key.key == Key::Up || (key.ctrl && key.key == Key::Char('p')) || (key.key == Key::Tab && key.shift);
    let down = matches!(key.key, Key::Down | Key::Tab) || (key.ctrl && key.key == Key::Char('n'));
    match key.key {
        Key::Esc => state.overlay = None,
        Key::Enter => {
            let chosen = palette.chosen;
            run(state, chosen, out);
        }
        _ if up => palette.chosen = (palette.chosen + many).saturating_sub(1) % many.max(1),
        _ if down => palette.chosen = (palette.chosen + 1) % many.max(1),
        Key::Backspace if palette.text.is_empty() => state.overlay = None,
        _ => {
            if edit::press(&mut palette.text, &mut palette.cursor, key) == Edited::Text {
                search(state);
            }
        }
    }
}

/// Finds anew after the text has changed.
pub(super) fn search(state: &mut State) {
    let context = state.context();
    if let Some(Overlay::Palette(palette)) = &mut state.overlay {
        palette.found = find(&palette.text, context);
        palette.chosen = 0;
    }
}

/// Does what is found at `index`.
pub(super) fn run(state: &mut State, index: usize, out: &mut Vec<Effect>) {
    let Some(Overlay::Palette(palette)) = &state.overlay else { return };
    match palette.found.get(index).and_then(|found| ACTIONS.get(*found)) {
        Some(info) => {
            state.overlay = None;
            act(state, info.action, out);
        }
        None => say(state, "no command is called that"),
    }
}

/// Indexes into [`ACTIONS`] of what works in `context` and fits `text`, best first.
fn find(text: &str, context: Context) -> Vec<usize> {
    let text = text.trim();
    let here = (0..).zip(ACTIONS).filter(|(_, info)| info.works_in(context) && info.action != Action::Palette);
    let mut found: Vec<(i64, usize)> = here
        .filter_map(|(index, info)| {
            // A fit of the name is worth more than one of the description.
            let name = fuzzy(text, info.name).map(|score| score + 100);
            name.max(fuzzy(text, info.help)).map(|score| (score, index))
        })
        .collect();
    found.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    found.into_iter().map(|(_, index)| index).collect()
}

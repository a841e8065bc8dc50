//! Keys while something lies over the screen.

use super::act::{act, scrolled};
use super::window::Step;
use super::{chips, copy, findings, palette, recall, save, values};
use crate::app::{Action, Effect, Key, KeyPress, Keymap, Overlay, State};

/// A key goes to what lies on top.
pub(super) fn press(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    match &state.overlay {
        Some(Overlay::Palette(_)) => palette::press(state, key, out),
        Some(Overlay::Copy(_)) => pick(state, key, out),
        Some(Overlay::Picker(_)) => recall::press(state, key, out),
        Some(Overlay::Naming(_)) => recall::press_name(state, key, out),
        Some(Overlay::Save(_)) => save::press(state, key, out),
        Some(Overlay::Chips(_)) => chips::press(state, key, out),
        Some(Overlay::Values(_)) => values::press(state, keymap, key, out),
        Some(Overlay::Findings(_)) => findings::press(state, keymap, key, out),
        Some(Overlay::Language(_)) => state.overlay = None,
        Some(Overlay::Help { .. }) => help(state, keymap, key, out),
        None => {}
    }
}

fn help(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    let action = keymap.resolve(state.context(), key);
    if let Some(step) = action.and_then(Step::of) {
        return scroll(state, step);
    }
    state.overlay = None;
    // A key that was just read about does what was read.
    if let Some(action) = action
        && !matches!(action, Action::Help | Action::Back)
    {
        act(state, action, out);
    }
}

/// Scrolls help.
pub(super) fn scroll(state: &mut State, step: Step) {
    let (height, lines) = (state.viewport.scroll, state.viewport.scroll_lines);
    if let Some(Overlay::Help { scroll }) = &mut state.overlay {
        *scroll = scrolled(*scroll, step, height, lines);
    }
}

fn pick(state: &mut State, press: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Copy(items)) = &state.overlay else { return };
    let index = match press.key {
        Key::Esc => None,
        Key::Enter => Some(0),
        Key::Char(letter) if !press.ctrl && !press.alt => match items.iter().position(|item| item.key == letter) {
            Some(index) => Some(index),
            // The key that opened it takes the first: twice the same key is the shortest way.
            None if letter == 'y' => Some(0),
            None if letter == 'q' => None,
            None => return,
        },
        _ => return,
    };
    match index {
        Some(index) => copy::take(state, index, out),
        None => state.overlay = None,
    }
}

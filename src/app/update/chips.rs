//! The conditions of the filter one by one: off, on again, away.

use super::{bar, say};
use crate::app::{Effect, Key, KeyPress, Overlay, State};

/// Moves the keys to the conditions.
pub(super) fn open(state: &mut State) {
    if state.filter.chips().is_empty() {
        return say(state, "no conditions: / sets a filter");
    }
    state.overlay = Some(Overlay::Chips(0));
}

/// A key while they have the keys.
pub(super) fn press(state: &mut State, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Chips(chosen)) = &mut state.overlay else { return };
    let last = state.filter.chips().len().saturating_sub(1);
    let at = *chosen;
    match key.key {
        Key::Left | Key::Up | Key::Char('h' | 'k') => *chosen = at.checked_sub(1).unwrap_or(last),
        Key::Tab if key.shift => *chosen = at.checked_sub(1).unwrap_or(last),
        Key::Right | Key::Down | Key::Tab | Key::Char('l' | 'j') => *chosen = if at < last { at + 1 } else { 0 },
        Key::Home => *chosen = 0,
        Key::End => *chosen = last,
        Key::Enter | Key::Char(' ') => toggle(state, at, out),
        Key::Char('x' | '-') | Key::Delete | Key::Backspace => remove(state, at, out),
        Key::Char('/') => {
            state.overlay = None;
            bar::begin(state, out);
        }
        Key::Char(digit @ '1'..='9') => {
            let place = usize::try_from(digit.to_digit(10).unwrap_or(1)).unwrap_or(1) - 1;
            if place <= last {
                state.overlay = Some(Overlay::Chips(place));
                toggle(state, place, out);
            }
        }
        Key::Esc | Key::Char('c' | 'q') => state.overlay = None,
        _ => {}
    }
}

/// Switches a condition off or on.
pub(super) fn toggle(state: &mut State, place: usize, out: &mut Vec<Effect>) {
    if let Some(query) = state.filter.toggled(place) {
        bar::set(state, query, out);
    }
}

/// Takes a condition away.
pub(super) fn remove(state: &mut State, place: usize, out: &mut Vec<Effect>) {
    if let Some(query) = state.filter.removed(place) {
        bar::set(state, query, out);
    }
    let left = state.filter.chips().len();
    if let Some(Overlay::Chips(chosen)) = &mut state.overlay {
        *chosen = (*chosen).min(left.saturating_sub(1));
        if left == 0 {
            state.overlay = None;
        }
    }
}

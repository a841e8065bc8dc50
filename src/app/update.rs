//! State × what happened → state, effects.

use super::{Answer, Effect, Input, Keymap, State, Target};
use crate::index::View;
use crate::model::Timestamp;

/// A person pressed a key, pasted, or resized. Mouse inputs go through [`click`].
pub fn input(state: &mut State, keymap: &Keymap, input: &Input) -> Vec<Effect> {
    let _ = (state, keymap, input);
    Vec::new()
}

/// A person used the mouse on `target`; `twice`: it is the second click there in short time.
pub fn click(state: &mut State, mouse: super::Mouse, target: &Target, twice: bool) -> Vec<Effect> {
    let _ = (state, mouse, target, twice);
    Vec::new()
}

/// An answer came in.
pub fn answer(state: &mut State, answer: Answer) -> Vec<Effect> {
    let _ = (state, answer);
    Vec::new()
}

/// The index published something, or time has passed: asks for what has become stale (list, open trace, preview).
/// Called at most a few times a second.
pub fn tick(state: &mut State, view: &View, now: Timestamp) -> Vec<Effect> {
    let _ = (state, view, now);
    Vec::new()
}

/// Looks up the rows in sight, right before a frame is drawn. Cheap: only what is in sight.
pub fn refresh(state: &mut State, view: &View) {
    let _ = (state, view);
}

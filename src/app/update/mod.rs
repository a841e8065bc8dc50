//! State × what happened → state, effects.
//!
//! Each function changes what it is asked to and leaves the follow-up requests (preview, detail, what must be kept) to
//! `settle`, which compares what is on screen with what was asked for.

mod act;
mod answer;
mod attribute;
mod bar;
mod baseline;
mod chips;
mod clause;
mod compare;
mod copy;
mod detail;
mod edit;
mod errors;
mod findings;
mod heat;
mod jump;
mod link;
mod list;
mod marks;
mod mouse;
mod overlay;
mod page;
mod palette;
mod recall;
mod rows;
mod save;
mod services;
mod settle;
mod sources;
mod sql;
mod survey;
mod tick;
mod trace;
mod values;
mod what_if;
pub(super) mod window;

pub use answer::answer;
pub use mouse::click;
pub use tick::{refresh, tick};

use super::{Effect, Input, KeyPress, Keymap, Notice, State};
use crate::model::Nanos;

/// How long a notice stands.
const NOTICE: Nanos = Nanos::from_secs(4);

/// A person pressed a key, pasted, or resized. Mouse inputs go through [`click`].
pub fn input(state: &mut State, keymap: &Keymap, input: &Input) -> Vec<Effect> {
    let mut out = Vec::new();
    match input {
        Input::Key(key) => {
            // What was said was about the key before; the footer is wanted again.
            state.notice = None;
            state.asked.recall = false;
            press(state, keymap, *key, &mut out);
        }
        Input::Paste(text) => bar::paste(state, text, &mut out),
        Input::Resize(..) => {
            list::show_selected(state);
            trace::show_selected(state);
        }
        Input::Mouse(_) => {}
    }
    settle::settle(state, &mut out);
    out
}

fn press(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    if key == Keymap::INTERRUPT {
        act::act(state, super::Action::Quit, out);
    } else if state.overlay.is_some() {
        overlay::press(state, keymap, key, out);
    } else if state.bar().editing {
        bar::press(state, keymap, key, out);
    } else if let Some(action) = keymap.resolve(state.context(), key) {
        act::act(state, action, out);
    }
}

/// Says something in the footer.
fn say(state: &mut State, text: impl Into<String>) {
    state.notice = Some(Notice { text: text.into(), until: state.now.plus(NOTICE), alarming: false });
}

/// Says that something did not work.
fn warn(state: &mut State, text: impl Into<String>) {
    state.notice = Some(Notice { text: text.into(), until: state.now.plus(NOTICE), alarming: true });
}

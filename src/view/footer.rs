//! The last line: the keys that matter here, or what was just done.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::look::Role;
use super::pen::{Pen, Piece, cells};
use super::text;
use crate::app::{Action, ActionInfo, Context, Overlay, Purpose, Screen, State, footer};

/// A key with its word, the action it stands for, and where it stands from the left edge.
struct Hint {
    action: Action,
    key: String,
    word: Cow<'static, str>,
    at: u16,
}

impl Hint {
    fn width(&self) -> u16 {
        cells(text::width(&self.key) + 1 + text::width(&self.word))
    }
}

/// The hints that fit, from the left; the last two of the list (help and the way out) stay when others go.
fn hints(state: &State, width: u16) -> Vec<Hint> {
    let context = if super::layout::is_first(state) { Context::Everywhere } else { state.context() };
    let wanted = footer(context);
    let mut hints: Vec<Hint> = wanted.iter().filter_map(|action| hint(state, *action)).collect();
    let all = |hints: &[Hint]| -> u16 { hints.iter().map(|hint| hint.width() + 3).sum() };
    while all(&hints) > width && hints.len() > 2 {
        hints.remove(hints.len() - 3);
    }
    let mut at = 1;
    for hint in &mut hints {
        hint.at = at;
        at += hint.width() + 3;
    }
    hints
}

fn hint(state: &State, action: Action) -> Option<Hint> {
    let info = ActionInfo::of(action);
    let keys = &state.settings.keymap;
    let mut key = keys.keys(action).first()?.label();
    if action == Action::Up {
        key.push_str(&keys.keys(Action::Down).first()?.label());
    }
    let word = match action {
        Action::Open if state.sql.calls.is_some() && state.screen == Screen::Sql => Cow::Borrowed("its trace"),
        Action::Sort => Cow::Owned(format!("sort: {}", order(state))),
        Action::Follow => Cow::Owned(format!("follow {}", if state.list.follow { "on" } else { "off" })),
        Action::Pause if state.list.paused => Cow::Borrowed("resume"),
        Action::Unmask if state.unmasked => Cow::Borrowed("mask"),
        _ => Cow::Borrowed(info.hint_in(state.context())),
    };
    Some(Hint { action, key, word, at: 0 })
}

/// The hint in column `x` from the left edge.
pub(super) fn hint_at(state: &State, width: u16, x: u16) -> Option<Action> {
    if state.notice.is_some() || is_typing(state) {
        return None;
    }
    let hit = |hint: &&Hint| (hint.at..hint.at + hint.width()).contains(&x);
    hints(state, width).iter().find(hit).map(|hint| hint.action)
}

fn is_typing(state: &State) -> bool {
    state.overlay.is_some() || state.bar().editing
}

/// The keys of what lies over the screen, or of the bar that is edited, with what they do.
fn fixed(overlay: Option<&Overlay>) -> &'static [(&'static str, &'static str)] {
    match overlay {
        Some(Overlay::Help { .. }) => &[("↑↓", "scroll"), ("esc", "close")],
        Some(Overlay::Palette(_)) => &[("↑↓", "choose"), ("⏎", "do it"), ("esc", "close")],
        Some(Overlay::Language(_)) => &[("any key", "close")],
        Some(Overlay::Picker(picker)) if picker.purpose == Purpose::Filter => {
            &[("⏎", "use it"), ("↑↓", "choose"), ("^x", "delete"), ("esc", "close")]
        }
        Some(Overlay::Picker(picker)) if picker.purpose == Purpose::Server => {
            &[("⏎", "ask it, or leave it"), ("↑↓", "choose"), ("esc", "close")]
        }
        Some(Overlay::Picker(_)) => &[("⏎", "its values"), ("↑↓", "choose"), ("esc", "close")],
        Some(Overlay::Save(_)) => &[("⏎", "save"), ("tab", "form"), ("↑↓", "what"), ("esc", "close")],
        Some(Overlay::Naming(_)) => &[("⏎", "save"), ("esc", "leave it unsaved")],
        Some(Overlay::Chips(_)) => {
            &[("←→", "choose"), ("space", "off and on"), ("x", "remove"), ("/", "edit"), ("esc", "done")]
        }
        Some(Overlay::Values(_)) => {
            &[("⏎", "filter by it"), ("-", "exclude"), ("↑↓", "choose"), ("s", "sort"), ("esc", "close")]
        }
        Some(Overlay::Findings(_)) => {
            &[("↑↓", "choose"), ("⏎", "go to it, and on"), ("N", "back"), ("tab", "this trace, all"), ("esc", "close")]
        }
        Some(Overlay::Copy(_)) => &[("↑↓", ""), ("esc", "close")],
        None => &[
            ("⏎", "apply"),
            ("tab", "complete"),
            ("↓", "choose"),
            ("↑", "earlier"),
            ("^r", "find"),
            ("esc", "undo"),
            ("f1", "help"),
            ("^s", "save"),
        ],
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    let state = pen.state;
    if let Some(notice) = &state.notice {
        let (mark, role) = if notice.alarming { ("✗ ", Role::Error) } else { ("", Role::Good) };
        let pieces: [Piece<'_>; 2] = [(mark.into(), pen.style(role)), (notice.text.as_str().into(), pen.style(role))];
        pen.line((x, area.y), room, &pieces);
        return;
    }
    if is_typing(state) {
        let fixed = fixed(state.overlay.as_ref());
        let (accent, dim) = (pen.bold(Role::Accent), pen.style(Role::Dim));
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for (key, word) in fixed.iter().filter(|(_, word)| !word.is_empty()) {
            pieces.push(((*key).into(), accent));
            pieces.push((format!(" {word}   ").into(), dim));
        }
        pen.line((x, area.y), room, &pieces);
        return;
    }
    for hint in hints(state, area.width) {
        let at = area.x + hint.at;
        let room = area.right().saturating_sub(at);
        let used = pen.put((at, area.y), &hint.key, room, pen.bold(Role::Accent));
        pen.put((at + used + 1, area.y), &hint.word, room.saturating_sub(used + 1), pen.style(Role::Dim));
    }
}

/// By what the rows of the screen shown are ordered.
fn order(state: &State) -> &'static str {
    match state.screen {
        Screen::Sql => super::sql::order(state),
        Screen::Errors => super::errors::order(state),
        Screen::Services => super::services::order(state),
        Screen::Compare => super::compare::order(state),
        _ => super::list::order(state),
    }
}

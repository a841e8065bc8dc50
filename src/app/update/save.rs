//! Saving traces to a file: what, in which form, where.

use std::path::PathBuf;
use std::sync::Arc;

use super::edit::{self, Edited};
use super::{say, warn};
use crate::app::{Effect, Key, KeyPress, Overlay, SaveDialog, SaveRequest, SaveWhat, Saved, Screen, State};
use crate::export::TraceForm;
use crate::model::TraceId;

/// Letters of a trace's name in the name of a file.
const LETTERS: usize = 40;

/// Marks the selected trace, or takes its mark away.
pub(super) fn mark(state: &mut State) {
    let Some(trace) = state.list.selected else { return say(state, "no trace is selected") };
    let marked = &mut state.list.marked;
    if !marked.remove(&trace) {
        marked.insert(trace);
    }
    let text = match marked.len() {
        0 => "no trace is marked".to_owned(),
        1 => "1 trace is marked".to_owned(),
        many => format!("{many} traces are marked"),
    };
    say(state, text);
}

/// Opens the dialog: with the marked traces where some are, else the open or selected one.
pub(super) fn open(state: &mut State) {
    let open = state.trace.as_ref().map(|trace| trace.id).filter(|_| state.screen == Screen::Trace);
    let one = open.or(state.list.selected).map(|trace| SaveWhat::One(trace, name(state, trace)));
    let marked = Some(SaveWhat::Marked(state.list.marked.clone())).filter(|_| !state.list.marked.is_empty());
    let listed = !state.filter.query.is_empty() && !state.list.rows.is_empty();
    let listed = listed.then(|| SaveWhat::Listed(Arc::clone(&state.list.rows)));
    let all = (state.health.traces_held > 0).then_some(SaveWhat::Everything);
    let choices: Vec<SaveWhat> = match state.screen {
        Screen::Trace => one.into_iter().chain(marked).chain(listed).chain(all).collect(),
        _ => marked.into_iter().chain(one).chain(listed).chain(all).collect(),
    };
    if choices.is_empty() {
        return say(state, "there is no trace to save yet");
    }
    let mut dialog = SaveDialog { choices, ..SaveDialog::default() };
    propose(&mut dialog);
    state.overlay = Some(Overlay::Save(dialog));
}

/// A key while it is open.
pub(super) fn press(state: &mut State, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Save(dialog)) = &mut state.overlay else { return };
    // What is being written is told of wherever one has gone meanwhile.
    if key.key == Key::Esc {
        state.overlay = None;
        return;
    }
    if dialog.busy {
        return;
    }
    dialog.error = None;
    let many = dialog.choices.len().max(1);
    match key.key {
        Key::Enter => save(state, out),
        Key::Tab => {
            let forms = TraceForm::ALL;
            let at = forms.iter().position(|form| *form == dialog.form).unwrap_or_default();
            let by = if key.shift { forms.len() - 1 } else { 1 };
            dialog.form = forms[(at + by) % forms.len()];
            propose(dialog);
        }
        Key::Down => {
            dialog.chosen = (dialog.chosen + 1) % many;
            propose(dialog);
        }
        Key::Up => {
            dialog.chosen = (dialog.chosen + many - 1) % many;
            propose(dialog);
        }
        Key::Char('t') if key.ctrl => dialog.unmasked = !dialog.unmasked,
        _ => {
            if edit::press(&mut dialog.text, &mut dialog.cursor, key) == Edited::Text {
                dialog.typed = true;
            }
        }
    }
}

/// Text that was pasted into the path.
pub(super) fn paste(dialog: &mut SaveDialog, text: &str) {
    dialog.typed |= edit::insert(&mut dialog.text, &mut dialog.cursor, text) == Edited::Text;
}

fn save(state: &mut State, out: &mut Vec<Effect>) {
    let settings = Arc::clone(&state.settings);
    let Some(Overlay::Save(dialog)) = &mut state.overlay else { return };
    let Some(what) = dialog.choices.get(dialog.chosen).cloned() else { return };
    let path = dialog.text.trim();
    if path.is_empty() {
        dialog.error = Some("a path is wanted".to_owned());
        return;
    }
    let thresholds = settings.thresholds;
    let mask = (!dialog.unmasked).then_some(settings);
    let (form, path) = (dialog.form, PathBuf::from(path));
    out.push(Effect::Save(SaveRequest { what, form, path, mask, thresholds }));
    dialog.busy = true;
}

/// It was written, or not.
pub(super) fn saved(state: &mut State, result: Result<Saved, String>) {
    let waiting = matches!(&state.overlay, Some(Overlay::Save(dialog)) if dialog.busy);
    match result {
        Ok(Saved { path, traces, spans }) => {
            if waiting {
                state.overlay = None;
            }
            let many = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            say(state, format!("saved {} with {}: {path}", many(traces, "trace"), many(spans, "span")));
        }
        Err(why) => match &mut state.overlay {
            Some(Overlay::Save(dialog)) if dialog.busy => {
                dialog.busy = false;
                dialog.error = Some(why);
            }
            _ => warn(state, format!("not saved: {why}")),
        },
    }
}

/// Proposes a path, unless the person has typed one.
fn propose(dialog: &mut SaveDialog) {
    if dialog.typed {
        return;
    }
    let name = match dialog.choices.get(dialog.chosen) {
        Some(SaveWhat::One(_, name)) => name.as_str(),
        _ => "traces",
    };
    dialog.text = format!("{name}.{}", dialog.form.extension());
    dialog.cursor = dialog.text.len();
}

/// A name for a trace that a file can have: its service, and enough of its id.
fn name(state: &State, trace: TraceId) -> String {
    let page = state.list.page.iter().find(|page| page.row.trace == trace);
    let service = page.and_then(|page| page.summary.as_ref()).map(|summary| summary.root_service.to_string());
    let safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let service: String = service.unwrap_or_default().chars().filter(|letter| safe(*letter)).take(LETTERS).collect();
    let id: String = trace.to_string().chars().take(8).collect();
    let service = service.trim_start_matches('.');
    if service.is_empty() { format!("trace-{id}") } else { format!("{service}-{id}") }
}

//! The errors screen: selection, order, examples.

use std::cmp::Ordering;
use std::sync::Arc;

use super::window::Step;
use super::{say, survey, trace};
use crate::analysis::errors::{Detail, Example, Group};
use crate::app::{Effect, ErrorSort, ErrorsReport, ErrorsScreen, Screen, State, Told};

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<ErrorsReport>) {
    state.errors.report = Some(report);
    arrange(&mut state.errors, state.viewport.errors);
}

/// Orders the rows anew; the reader stays where they are.
fn arrange(screen: &mut ErrorsScreen, height: u16) {
    let Some(report) = &screen.report else { return };
    let mut order: Vec<usize> = (0..report.groups.len()).collect();
    // Groups come by count: what is equal stays so.
    order.sort_by(|one, other| {
        let order = compare(screen.sort, &report.groups[*one], &report.groups[*other]);
        if screen.ascending { order } else { order.reverse() }
    });
    let keys: Vec<_> = order.iter().map(|at| Arc::clone(&report.groups[*at].key)).collect();
    let old = std::mem::replace(&mut screen.keys, keys);
    screen.order = order;
    screen.table.take(&old, &screen.keys, height);
}

fn compare(by: ErrorSort, one: &Group, other: &Group) -> Ordering {
    match by {
        ErrorSort::Count => one.count.cmp(&other.count),
        ErrorSort::Last => one.last.cmp(&other.last),
        ErrorSort::First => one.first.cmp(&other.first),
        // As names are read.
        ErrorSort::Name => (&other.key.kind, &other.key.pattern).cmp(&(&one.key.kind, &one.key.pattern)),
    }
}

/// Orders by the next key, or turns the order round; goes to the top.
pub(super) fn sort(state: &mut State, turn: bool) {
    let by = if turn { state.errors.sort } else { state.errors.sort.next() };
    sort_by(state, by, turn && !state.errors.ascending);
}

/// Orders by `by` and goes to the top.
pub(super) fn sort_by(state: &mut State, by: ErrorSort, ascending: bool) {
    let height = state.viewport.errors;
    let screen = &mut state.errors;
    (screen.sort, screen.ascending) = (by, ascending);
    arrange(screen, height);
    select(state, 0);
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let height = state.viewport.errors;
    let at = state.errors.table.at(&state.errors.keys).unwrap_or(state.errors.table.offset);
    if state.errors.keys.is_empty() {
        return survey::nothing(state, "there is no error");
    }
    select(state, step.from(at, state.errors.keys.len(), height));
}

/// Selects the row at `index`.
pub(super) fn select(state: &mut State, index: usize) {
    let height = state.viewport.errors;
    let ErrorsScreen { table, keys, example, scroll, .. } = &mut state.errors;
    let before = table.selected.clone();
    table.select(keys, index, height);
    if table.selected != before {
        (*example, *scroll) = (None, 0);
    }
}

/// Chooses another example of the selected error.
pub(super) fn turn(state: &mut State, by: isize) {
    let Some((at, _)) = state.errors.chosen() else { return survey::nothing(state, "there is no error") };
    let examples = state.errors.selected().map(|group| group.examples.as_slice()).unwrap_or_default();
    let to = at.saturating_add_signed(by).min(examples.len().saturating_sub(1));
    let chosen = examples.get(to).map(|example| example.trace);
    if to == at {
        return say(state, if by < 0 { "this is the newest example" } else { "this is the oldest example kept" });
    }
    (state.errors.example, state.errors.scroll) = (chosen, 0);
}

/// Scrolls what is told of the selected error.
pub(super) fn scroll(state: &mut State, by: isize) {
    let lines = usize::try_from(state.viewport.errors_lines).unwrap_or(usize::MAX);
    let most = lines.saturating_sub(usize::from(state.viewport.errors_pane));
    let before = state.errors.scroll.min(most);
    state.errors.scroll = before.saturating_add_signed(by).min(most);
    if state.errors.scroll == before {
        say(state, if by < 0 { "this is the start" } else { "this is the end" });
    }
}

/// Opens the trace of the chosen example, on the span that failed first.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    let chosen = state.errors.chosen().map(|(_, example)| (example.trace, example.span));
    match chosen {
        Some((id, span)) => trace::open(state, id, span, out),
        None => survey::nothing(state, "there is no error"),
    }
}

/// Asks for the chosen example, where it is not there yet.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen != Screen::Errors {
        return;
    }
    let Some((_, example)) = state.errors.chosen() else { return };
    if state.asked.failure.as_ref() == Some(example) {
        return;
    }
    let (example, kind) = (example.clone(), state.errors.selected().map(|group| Arc::clone(&group.key.kind)));
    state.asked.failure = Some(example.clone());
    out.push(Effect::Failure { example, kind: kind.unwrap_or_default() });
}

/// An example came in.
pub(super) fn told(state: &mut State, example: Example, detail: Option<Arc<Detail>>) {
    if state.asked.failure.as_ref() == Some(&example) {
        state.errors.told = Some(Told { example, detail });
    }
}

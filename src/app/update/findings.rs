//! The findings pane: what it says, where the reader is in it, the walk through the instances of a finding.

use std::sync::Arc;

use super::window::Step;
use super::{rows, say, survey, trace};
use crate::analysis::{Analysis, foremost};
use crate::app::{
    Action, Effect, FindingsOf, FindingsPane, FindingsReport, Judged, Key, KeyPress, Keymap, Overlay, Screen, State,
    Table,
};

/// Shows the pane: of the open trace where that is on screen, otherwise of all traces.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    show(state, if state.screen == Screen::Trace { FindingsOf::Trace } else { FindingsOf::All }, out);
}

fn show(state: &mut State, of: FindingsOf, out: &mut Vec<Effect>) {
    state.overlay = Some(Overlay::Findings(of));
    state.findings.table = Table::default();
    state.findings.walked = None;
    select(state, of, 0);
    survey::shown(state, out);
}

fn select(state: &mut State, of: FindingsOf, index: usize) {
    let (keys, height) = (state.finding_keys(of), state.viewport.findings);
    state.findings.table.select(&keys, index, height);
}

/// Asks what there is to find in the open trace, where that is not known of what is shown.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    let Some(analysis) = state.trace.as_ref().and_then(|trace| trace.analysis.as_ref()) else { return };
    if state.asked.judged.as_ref().is_some_and(|asked| Arc::ptr_eq(asked, analysis)) {
        return;
    }
    state.asked.judged = Some(Arc::clone(analysis));
    out.push(Effect::Judge { analysis: Arc::clone(analysis) });
}

/// What was found in the open trace.
pub(super) fn judged(state: &mut State, of: &Arc<Analysis>, judged: Arc<Judged>, told: Arc<Analysis>) {
    let old = state.finding_keys(FindingsOf::Trace);
    let Some(trace) = &mut state.trace else { return };
    if trace.analysis.as_ref().is_none_or(|shown| !Arc::ptr_eq(shown, of)) {
        return;
    }
    trace.judged = Some(judged);
    if !Arc::ptr_eq(of, &told) {
        // The verdict may say more than before: what was chosen of it stays.
        let place = |clause: usize| {
            let chosen = of.verdict.clauses.get(clause)?;
            told.verdict.clauses.iter().position(|clause| clause.node == chosen.node && clause.says == chosen.says)
        };
        (trace.clause, trace.left_clause) = (trace.clause.and_then(place), trace.left_clause.and_then(place));
        // The row of the list says what the reader saw here.
        let rule = foremost(&told, &told.findings).and_then(|place| Some(told.findings.get(place)?.rule));
        state.list.marks.insert(trace.id, (told.trace.last_arrival, rule));
        state.asked.judged = Some(Arc::clone(&told));
        trace.analysis = Some(told);
    }
    arranged(state, FindingsOf::Trace, &old);
}

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<FindingsReport>) {
    let old = state.finding_keys(FindingsOf::All);
    state.findings.report = Some(report);
    arranged(state, FindingsOf::All, &old);
}

fn arranged(state: &mut State, of: FindingsOf, old: &[u64]) {
    if state.overlay != Some(Overlay::Findings(of)) {
        return;
    }
    let (new, height) = (state.finding_keys(of), state.viewport.findings);
    state.findings.table.take(old, &new, height);
}

/// A key while it is shown.
pub(super) fn press(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Findings(of)) = state.overlay else { return };
    match key.key {
        Key::Enter | Key::Char('n') => return walk(state, of, true, out),
        Key::Char('N') => return walk(state, of, false, out),
        Key::Tab => return turn(state, of, out),
        _ => {}
    }
    let action = keymap.resolve(state.context(), key);
    if let Some(step) = action.and_then(Step::of) {
        return go(state, step);
    }
    match action {
        Some(Action::Findings | Action::Back | Action::Quit) => state.overlay = None,
        Some(action @ (Action::Unmask | Action::Theme)) => super::act::act(state, action, out),
        _ => {
            say(state, "⏎ goes to the next span that proves it, N to the one before, tab: of which traces, esc closes");
        }
    }
}

/// Of all traces, or of the open one.
fn turn(state: &mut State, of: FindingsOf, out: &mut Vec<Effect>) {
    match of {
        FindingsOf::All if state.screen != Screen::Trace => {
            say(state, "these are the findings of all traces: open one to see its own");
        }
        FindingsOf::All => show(state, FindingsOf::Trace, out),
        FindingsOf::Trace => show(state, FindingsOf::All, out),
    }
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let Some(Overlay::Findings(of)) = state.overlay else { return };
    let (keys, height) = (state.finding_keys(of), state.viewport.findings);
    state.findings.table.go(&keys, step, height);
}

/// Selects a row; by a second click it is gone to.
pub(super) fn click(state: &mut State, row: usize, twice: bool, out: &mut Vec<Effect>) {
    let Some(Overlay::Findings(of)) = state.overlay else { return };
    select(state, of, row);
    if twice {
        walk(state, of, true, out);
    }
}

/// To the next instance of the selected finding, or the one before; round the end.
fn walk(state: &mut State, of: FindingsOf, forward: bool, out: &mut Vec<Effect>) {
    let keys = state.finding_keys(of);
    let Some(at) = state.findings.table.at(&keys) else {
        let known = match of {
            FindingsOf::Trace => state.judged().is_some(),
            FindingsOf::All => state.findings.report.is_some(),
        };
        return say(state, if known { "there is no finding to go to" } else { "a moment: still judging" });
    };
    let key = keys.get(at).copied().unwrap_or_default();
    let count = instances(state, of, at);
    if count == 0 {
        return say(state, "this finding has no span to go to");
    }
    let last = state.findings.walked.filter(|(walked, _)| *walked == key).map(|(_, place)| place);
    let place = match (last, forward) {
        (None, true) => 0,
        (None, false) => count - 1,
        (Some(last), true) => (last + 1) % count,
        (Some(last), false) => (last + count - 1) % count,
    };
    state.findings.walked = Some((key, place));
    let what = match of {
        FindingsOf::Trace => to_node(state, at, place, out),
        FindingsOf::All => to_trace(state, at, place, out),
    };
    say(state, format!("{what} {} of {count}", place + 1));
}

fn instances(state: &State, of: FindingsOf, at: usize) -> usize {
    match of {
        FindingsOf::Trace => {
            let finding = state.judged().and_then(|judged| judged.findings.get(*judged.by_cost.get(at)?));
            finding.map_or(0, |finding| finding.nodes.len())
        }
        FindingsOf::All => {
            let found = state.findings.report.as_ref().and_then(|report| report.rows.get(at));
            found.map_or(0, |found| found.instances.len())
        }
    }
}

fn to_node(state: &mut State, at: usize, place: usize, out: &mut Vec<Effect>) -> &'static str {
    let node =
        state.judged().and_then(|judged| judged.findings.get(*judged.by_cost.get(at)?)?.nodes.get(place).copied());
    let analysis = state.trace.as_ref().and_then(|trace| trace.analysis.clone());
    if let (Some(node), Some(analysis)) = (node, analysis) {
        rows::go_to_node(state, &analysis, node, out);
    }
    "span"
}

fn to_trace(state: &mut State, at: usize, place: usize, out: &mut Vec<Effect>) -> &'static str {
    let FindingsPane { report, .. } = &state.findings;
    let found = report.as_ref().and_then(|report| report.rows.get(at)?.instances.get(place).copied());
    if let Some((id, span)) = found {
        state.asked.land_exactly = span.is_some();
        trace::open(state, id, span, out);
    }
    "trace"
}

//! The compare screen, and the marks that part time into before and after.

use std::sync::Arc;

use super::window::{Step, showing};
use super::{attribute, say, survey, trace};
use crate::analysis::compare::{DifferenceKind, OperationRow};
use crate::app::{
    BasisKey, CompareLine, CompareReport, Effect, MarkReason, OperationSort, RowId, Screen, State, SurveyOf, TimeMark,
    parts, plain,
};
use crate::index::Launches;
use crate::model::Timestamp;

/// Lines kept in sight above and below the selected one: the head of its section is one of them.
const MARGIN: usize = 2;

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<CompareReport>) {
    let old = state.compare.report.replace(report);
    let Some(report) = state.compare.report.clone() else { return };
    let lines = report.lines(&state.compare);
    let at = position(state, &report, &lines);
    let Some(at) = at else {
        // What was selected has gone, or nothing was: the first row.
        let other = old.is_none_or(|old| old.ask != report.ask);
        let place = if other { 0 } else { state.compare.offset };
        let first = lines.iter().enumerate().skip(place).find_map(|(_, line)| report.id(*line));
        state.compare.selected = first.or_else(|| lines.iter().find_map(|line| report.id(*line)));
        if other {
            state.compare.offset = 0;
            return;
        }
        return show(state);
    };
    state.compare.offset = showing(at, state.compare.offset, state.viewport.scroll, lines.len(), MARGIN);
}

/// The line of the selected row.
fn position(state: &State, report: &CompareReport, lines: &[CompareLine]) -> Option<usize> {
    let selected = state.compare.selected.as_ref()?;
    lines.iter().position(|line| report.id(*line).as_ref() == Some(selected))
}

/// Brings the selected row into sight.
fn show(state: &mut State) {
    let Some(report) = state.compare.report.clone() else { return };
    let lines = report.lines(&state.compare);
    let height = state.viewport.scroll;
    if let Some(at) = position(state, &report, &lines) {
        state.compare.offset = showing(at, state.compare.offset, height, lines.len(), MARGIN);
    }
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let Some(report) = state.compare.report.clone() else { return say(state, "there is nothing to compare yet") };
    let lines = report.lines(&state.compare);
    let rows: Vec<usize> = (0..lines.len()).filter(|at| report.id(lines[*at]).is_some()).collect();
    if rows.is_empty() {
        return say(state, "there is no row");
    }
    let line = position(state, &report, &lines).unwrap_or(0);
    let at = rows.partition_point(|row| *row < line);
    let to = step.from(at, rows.len(), state.viewport.scroll);
    select(state, &report, &lines, rows.get(to).copied().unwrap_or(0));
    if to == 0 {
        state.compare.offset = 0;
    }
}

/// Selects the row on a line.
fn select(state: &mut State, report: &CompareReport, lines: &[CompareLine], at: usize) {
    if let Some(id) = lines.get(at).and_then(|line| report.id(*line)) {
        state.compare.selected = Some(id);
        state.compare.offset = showing(at, state.compare.offset, state.viewport.scroll, lines.len(), MARGIN);
    }
}

/// A click on a line; the second opens it.
pub(super) fn click(state: &mut State, line: usize, twice: bool, out: &mut Vec<Effect>) {
    let Some(report) = state.compare.report.clone() else { return };
    let lines = report.lines(&state.compare);
    select(state, &report, &lines, line);
    if twice {
        open(state, out);
    }
}

/// Scrolls by the wheel.
pub(super) fn scroll(state: &mut State, by: isize) {
    let Some(report) = state.compare.report.clone() else { return };
    let lines = report.lines(&state.compare).len();
    let most = lines.saturating_sub(usize::from(state.viewport.scroll));
    state.compare.offset = state.compare.offset.saturating_add_signed(by).min(most);
}

/// Opens what is selected: a value becomes a filter, an operation shows an example, a root operation is compared, a section
/// unfolds.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    match state.compare.selected.clone() {
        None => say(state, "there is no row"),
        Some(RowId::More(section)) => {
            state.compare.unfolded.push(section);
            let Some(report) = state.compare.report.clone() else { return };
            // The first of the rows that were hidden takes the place of the one that hid them.
            let lines = report.lines(&state.compare);
            let mut before = state.compare.clone();
            before.unfolded.pop();
            let folded = report.lines(&before);
            let place = folded.iter().position(|line| matches!(line, CompareLine::More(of, _) if *of == section));
            if let Some(place) = place {
                select(state, &report, &lines, place);
            }
        }
        Some(RowId::Operation(crate::app::Section::Requests, operation)) => {
            state.compare.root = Some(operation);
        }
        Some(RowId::Operation(section, operation)) => {
            let report = state.compare.report.clone();
            let rows = report.as_ref().map(|report| report.found.operations.iter());
            let row = rows.and_then(|mut rows| rows.find(|row| row.operation == operation));
            let _ = section;
            example(state, row, out);
        }
        Some(RowId::Attribute(..)) => filter(state, false, out),
        Some(RowId::Place(index)) => place(state, index, out),
    }
}

fn example(state: &mut State, row: Option<&OperationRow>, out: &mut Vec<Effect>) {
    match row.and_then(|row| row.example) {
        Some((id, span)) => trace::open(state, id, Some(span), out),
        None => say(state, "there is no example of it"),
    }
}

/// Opens the later of the two traces on the span of a row, or the earlier where only that has it.
fn place(state: &mut State, index: usize, out: &mut Vec<Effect>) {
    let report = state.compare.report.clone();
    let two = report.as_ref().and_then(|report| report.two.as_ref());
    let found = two.and_then(|two| {
        let row = two.pair.rows.get(index)?;
        let side = usize::from(row.strands[1].is_some());
        let analysis = two.traces.get(side)?;
        let span = analysis.span(row.strands[side]?.node).map(|span| span.key);
        Some((analysis.trace.id, span))
    });
    match found {
        Some((id, span)) => trace::open(state, id, span, out),
        None => say(state, "there is no row"),
    }
}

/// The selected value becomes a condition of the filter, or its opposite.
pub(super) fn filter(state: &mut State, negated: bool, out: &mut Vec<Effect>) {
    let Some(RowId::Attribute(key, value)) = state.compare.selected.clone() else {
        return say(state, "choose a value of an attribute: Enter filters by it, - leaves it out");
    };
    let mask = (!state.unmasked).then_some(&state.settings.redactor);
    if let Some(value) = &value
        && plain::masked(&key, value, mask) != *value
    {
        return say(state, "this value is masked: u shows it, then it can be a filter");
    }
    let condition = match &value {
        Some(value) => parts::pair(&key, value),
        None => beyond(state, &key),
    };
    match condition {
        Some(condition) => attribute::filter_by(state, &condition, negated, out),
        None => say(state, "a value like this cannot be a condition"),
    }
}

/// Of a quantity: beyond the baseline's median, on the side where the selection lies.
fn beyond(state: &State, key: &str) -> Option<String> {
    let rows = &state.compare.report.as_ref()?.found.differences.rows;
    let kind = rows.iter().find(|row| row.key == key).map(|row| &row.kind)?;
    let DifferenceKind::Quantity { medians, distance } = kind else { return None };
    let text = parts::pair(key, &medians[1].to_string())?;
    let sign = if *distance > 0.0 { ">" } else { "<" };
    let (name, number) = text.rsplit_once('=')?;
    Some(format!("{name}{sign}{number}"))
}

/// Compares the next of what could be compared.
pub(super) fn next(state: &mut State) {
    let bases = state.bases();
    if bases.is_empty() {
        return say(state, "nothing to compare yet: x marks traces, m sets a time mark, L shows the heat map");
    }
    if bases.len() == 1 {
        return say(
            state,
            "this is all that can be compared: x marks traces, m sets a time mark, L shows the heat map",
        );
    }
    let now = state.comparison().map(|ask| ask.basis.key());
    let at = bases.iter().position(|basis| Some(basis.key()) == now).unwrap_or(0);
    choose(state, bases.get((at + 1) % bases.len()).map(crate::app::Basis::key));
}

/// Compares this, and begins with its most common root operation.
pub(super) fn choose(state: &mut State, key: Option<BasisKey>) {
    state.compare.chosen = key;
    state.compare.root = None;
}

/// Parts time: now, or where traces come from files, when the selected one began.
pub(super) fn mark(state: &mut State) {
    let page = state.list.page.iter().find(|page| state.list.selected == Some(page.row.trace));
    let began = page.and_then(|page| page.summary.as_ref()).map(|summary| summary.start);
    let at = began.filter(|at| state.settings.filed && at.0 > 0).unwrap_or(state.now);
    mark_at(state, at);
}

/// Parts time at a moment.
pub(super) fn mark_at(state: &mut State, at: Timestamp) {
    state.add_mark(TimeMark { at, reason: MarkReason::Person });
    choose(state, Some(BasisKey::Since(at, true)));
    say(state, "a mark: 6 compares what comes after it with what was before");
}

/// Services began anew: each such moment parts time.
pub(super) fn launched(state: &mut State, launches: &Launches) {
    let seen = std::mem::replace(&mut state.asked.launches, launches.ever);
    for launch in launches.since(seen) {
        let service = Arc::clone(&launch.service);
        let reason = match &launch.version {
            Some(version) => MarkReason::Version(service, Arc::clone(version)),
            None => MarkReason::Restart(service),
        };
        state.add_mark(TimeMark { at: launch.at, reason });
    }
    let seen = std::mem::replace(&mut state.asked.withdrawn, launches.withdrawn_ever);
    for launch in launches.withdrawn_since(seen) {
        let of = |mark: &TimeMark| matches!(&mark.reason, MarkReason::Restart(service) if *service == launch.service);
        state.marks.retain(|mark| mark.at != launch.at || !of(mark));
    }
}

/// Orders operations by the next figure, or by the one before.
pub(super) fn sort(state: &mut State, back: bool) {
    for _ in 0..if back { 3 } else { 1 } {
        state.compare.sort = state.compare.sort.next();
    }
    let by = match state.compare.sort {
        OperationSort::Time => "how much of a trace's time they changed",
        OperationSort::Ratio => "how much longer or shorter they take",
        OperationSort::Calls => "how many more or fewer calls a trace",
        OperationSort::P95 => "their p95",
    };
    say(state, format!("operations by {by}"));
    show(state);
}

/// Asks again where what is to be compared is not what was last asked for.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    if state.screen != Screen::Compare {
        return;
    }
    let wanted = state.comparison();
    if wanted.as_ref() == state.compare.asked.as_deref() {
        return;
    }
    state.compare.asked = wanted.map(Arc::new);
    if state.compare.asked.is_some() {
        survey::ask(state, SurveyOf::Compare, out);
    } else {
        state.compare.report = None;
        state.compare.progress.generation = 0;
    }
}

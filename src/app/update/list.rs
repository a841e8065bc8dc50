//! The list of traces: selection, order, follow, pause.

use std::collections::HashMap;
use std::sync::Arc;

use super::window::{Step, keeping, showing};
use super::{say, survey, trace};
use crate::app::asked::Reason;
use crate::app::{Effect, List, ListRow, Sort, SortKey, State};
use crate::model::TraceId;

/// Rows kept in sight above and below the selected one.
const MARGIN: usize = 1;
/// More rows than a terminal has.
const NEAR: usize = 256;

/// Where the selected trace stands; looked for near the window first.
pub(super) fn selected(list: &List) -> Option<usize> {
    let trace = list.selected?;
    let mut near = list.rows.iter().enumerate().skip(list.offset).take(NEAR);
    let found = near.find(|(_, row)| row.trace == trace).map(|(index, _)| index);
    found.or_else(|| position(&list.rows, trace))
}

fn position(rows: &[ListRow], trace: TraceId) -> Option<usize> {
    rows.iter().position(|row| row.trace == trace)
}

/// Asks for the rows anew.
pub(super) fn ask(state: &mut State, reason: Reason, out: &mut Vec<Effect>) {
    // What the person changed outranks what the data changed until it has come back.
    if reason != Reason::Data || !state.list.searching {
        state.asked.list = reason;
    }
    if reason == Reason::Filter {
        (state.list.anew, state.list.so_far) = (true, false);
        survey::anew(state, out);
    }
    state.list.generation += 1;
    state.list.searching = true;
    out.push(Effect::List {
        generation: state.list.generation,
        query: Arc::clone(&state.filter.query),
        sort: state.list.sort,
        buckets: state.viewport.strip.max(1),
        heat: state.list.heat.map(|_| state.viewport.heat).filter(|(columns, rows)| *columns > 0 && *rows > 0),
    });
}

/// Moves the selection; follow mode ends where that leads to another trace.
pub(super) fn go(state: &mut State, step: Step) {
    let len = state.list.rows.len();
    if len == 0 {
        return say(state, if state.filter.query.is_empty() { "no traces yet" } else { "no trace matches the filter" });
    }
    let at = selected(&state.list).unwrap_or(state.list.offset);
    let to = step.from(at, len, state.viewport.list);
    if to != at {
        state.list.follow = false;
    }
    select(state, to);
}

/// Selects a row and brings it into sight.
pub(super) fn select(state: &mut State, index: usize) {
    let list = &mut state.list;
    if let Some(row) = list.rows.get(index) {
        list.selected = Some(row.trace);
        list.offset = showing(index, list.offset, state.viewport.list, list.rows.len(), MARGIN);
    }
}

/// Brings the selected row into sight.
pub(super) fn show_selected(state: &mut State) {
    if let Some(at) = selected(&state.list) {
        select(state, at);
    }
}

/// Scrolls by the wheel: the window moves, the selection stays in it.
pub(super) fn scroll(state: &mut State, rows: isize) {
    let height = usize::from(state.viewport.list).max(1);
    let len = state.list.rows.len();
    let most = len.saturating_sub(height);
    let offset = state.list.offset.saturating_add_signed(rows).min(most);
    if offset == state.list.offset {
        return;
    }
    state.list.offset = offset;
    state.list.follow = false;
    if let Some(at) = selected(&state.list) {
        let inside = at.clamp(offset, (offset + height - 1).min(len.saturating_sub(1)));
        state.list.selected = state.list.rows.get(inside).map(|row| row.trace);
    }
}

/// Opens the selected trace, on the span that matched where the filter found one.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    let row = selected(&state.list).and_then(|at| state.list.rows.get(at).copied());
    match row {
        Some(row) => trace::open(state, row.trace, row.first, out),
        None => say(state, "no trace is selected"),
    }
}

/// Orders by the next key.
pub(super) fn next_sort(state: &mut State, out: &mut Vec<Effect>) {
    let key = match state.list.sort.key {
        SortKey::Time | SortKey::Start => SortKey::Duration,
        SortKey::Duration => SortKey::Spans,
        SortKey::Spans => SortKey::Errors,
        SortKey::Errors if state.settings.filed => SortKey::Start,
        SortKey::Errors => SortKey::Time,
    };
    sort(state, Sort { key, ascending: false }, out);
}

/// Orders the list and goes to its top: what the order brings up is what was asked for.
pub(super) fn sort(state: &mut State, sort: Sort, out: &mut Vec<Effect>) {
    let key = if state.settings.filed && sort.key == SortKey::Time { SortKey::Start } else { sort.key };
    state.list.sort = Sort { key, ..sort };
    if sort != Sort::default() && std::mem::take(&mut state.list.follow) {
        say(state, "not following: only the newest-first order can");
    }
    ask(state, Reason::Order, out);
}

/// Follow mode on or off. On: newest first, not paused, the newest selected.
pub(super) fn toggle_follow(state: &mut State, out: &mut Vec<Effect>) {
    state.list.follow = !state.list.follow;
    if !state.list.follow {
        return say(state, "not following");
    }
    say(state, "following the newest trace");
    if state.list.sort == Sort::default() {
        select(state, 0);
    } else {
        sort(state, Sort::default(), out);
    }
    if state.list.paused {
        toggle_pause(state, out);
    }
}

/// Holds the list still, or lets in what has arrived since.
pub(super) fn toggle_pause(state: &mut State, out: &mut Vec<Effect>) {
    state.list.paused = !state.list.paused;
    state.list.waiting = 0;
    state.asked.paused_at = None;
    if state.list.paused {
        // An answer that is on its way would still move the rows.
        if state.list.searching && state.asked.list == Reason::Data {
            state.list.generation += 1;
            state.list.searching = false;
        }
        say(state, "paused: what arrives is kept and counted");
    } else {
        ask(state, Reason::Data, out);
        say(state, "resumed");
    }
}

/// Puts new rows in place of the old ones and keeps what the reader looks at where it is.
pub(super) fn take_rows(state: &mut State, rows: Arc<Vec<ListRow>>) {
    let reason = state.asked.list;
    let height = state.viewport.list;
    let list = &mut state.list;
    let old = std::mem::replace(&mut list.rows, rows);
    let len = list.rows.len();
    if len == 0 {
        list.selected = None;
        list.offset = 0;
    } else if list.follow || reason == Reason::Order || list.selected.is_none() {
        list.offset = 0;
        select(state, 0);
    } else if reason == Reason::Filter {
        let at = selected(list);
        list.offset = if at.is_some() { list.offset } else { 0 };
        select(state, at.unwrap_or(0));
    } else {
        let before = list.selected.and_then(|trace| position(&old, trace)).unwrap_or(list.offset);
        let in_sight = (list.offset..list.offset + usize::from(height).max(1)).contains(&before);
        let anchor = if in_sight { before } else { list.offset };
        let (stood, stands) = surviving(&old, &list.rows, anchor);
        list.offset = keeping(stood, stands, list.offset, height, len);
        if selected(list).is_none() {
            let (_, neighbour) = surviving(&old, &list.rows, before);
            list.selected = list.rows.get(neighbour).map(|row| row.trace);
        }
        if in_sight && let Some(at) = selected(list) {
            list.offset = showing(at, list.offset, height, len, 0);
        }
    }
}

/// The row at `at` of `old`, or the nearest one to it that is still there, below it first: where it stood, and where
/// it stands in `new`, which is not empty.
fn surviving(old: &[ListRow], new: &[ListRow], at: usize) -> (usize, usize) {
    let same_place = (at, at.min(new.len().saturating_sub(1)));
    let Some(row) = old.get(at) else { return same_place };
    if let Some(now) = position(new, row.trace) {
        return (at, now);
    }
    let places: HashMap<TraceId, usize> = new.iter().enumerate().map(|(index, row)| (row.trace, index)).collect();
    let find = |index: usize| old.get(index).and_then(|row| places.get(&row.trace)).map(|now| (index, *now));
    let below = (at + 1..old.len()).find_map(find);
    below.or_else(|| (0..at).rev().find_map(find)).unwrap_or(same_place)
}

//! The heat map on the list: cursor, brush, and what becomes of what is inside.

use std::sync::Arc;

use super::window::Step;
use super::{act, bar, compare, list, recall, say};
use crate::analysis::heat::{HeatBox, HeatMap};
use crate::app::asked::Reason;
use crate::app::{Action, BasisKey, Effect, HeatScreen, LibraryChange, Screen, State, parts};
use crate::model::Nanos;
use crate::query::{spell_duration, spell_moment};

/// Shows the heat map, or the list alone again.
pub(super) fn toggle(state: &mut State) {
    state.list.heat = match state.list.heat {
        Some(_) => None,
        None => Some(HeatScreen::default()),
    };
    state.screen = Screen::Traces;
}

/// Asks for the map where it is shown and not there, or of another size.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    let size = state.viewport.heat;
    let Some(heat) = &mut state.list.heat else { return };
    if size.0 > 0 && size.1 > 0 && heat.asked != Some(size) {
        heat.asked = Some(size);
        list::ask(state, Reason::Data, out);
    }
}

fn map(state: &State) -> Option<Arc<HeatMap>> {
    state.list.strip.heat.clone()
}

/// Moves the cursor by columns and rows (upwards: slower); `extends`: the brush grows with it.
pub(super) fn go(state: &mut State, (columns, rows): (i32, i32), extends: bool) {
    let Some(map) = map(state) else { return };
    let Some(heat) = &mut state.list.heat else { return };
    let from = heat.cell(&map);
    let step = |at: u16, by: i32, len: u16| {
        let to = (i32::from(at) + by).clamp(0, i32::from(len.saturating_sub(1)));
        u16::try_from(to).unwrap_or(0)
    };
    let to = (step(from.0, columns, map.columns), step(from.1, rows, map.rows));
    let place = |cell: (u16, u16)| (map.begins(cell.0), map.edge(cell.1));
    heat.cursor = Some(place(to));
    if extends || heat.extending {
        let anchor = *heat.anchor.get_or_insert_with(|| place(from));
        let corner = HeatScreen { cursor: Some(anchor), ..HeatScreen::default() }.cell(&map);
        heat.brush = Some(map.within(corner, to));
    } else {
        (heat.anchor, heat.brush) = (None, None);
    }
}

/// Columns and rows that an action moves the cursor by, and whether the brush grows with it.
pub(super) fn movement(action: Action) -> ((i32, i32), bool) {
    match action {
        Action::Earlier => ((-1, 0), false),
        Action::Later => ((1, 0), false),
        Action::GrowEarlier => ((-1, 0), true),
        Action::GrowLater => ((1, 0), true),
        Action::GrowUp => ((0, 1), true),
        Action::GrowDown => ((0, -1), true),
        _ => ((0, 0), false),
    }
}

/// One step of the keys that move elsewhere too.
pub(super) fn step(state: &mut State, step: Step) {
    let Some(map) = map(state) else { return };
    let (columns, rows) = (i32::from(map.columns), i32::from(map.rows));
    match step {
        Step::Rows(by) => go(state, (0, -i32::try_from(by).unwrap_or(0)), false),
        Step::Pages(by) => go(state, (0, -i32::try_from(by).unwrap_or(0) * (rows / 3).max(1)), false),
        Step::First => go(state, (-columns, 0), false),
        Step::Last => go(state, (columns, 0), false),
    }
}

/// Arrows draw the brush from here on, or no longer.
pub(super) fn extend(state: &mut State) {
    let Some(map) = map(state) else { return };
    let Some(heat) = &mut state.list.heat else { return };
    heat.extending = !heat.extending;
    if heat.extending {
        let cell = heat.cell(&map);
        heat.anchor = Some((map.begins(cell.0), map.edge(cell.1)));
        heat.brush = Some(map.within(cell, cell));
        say(state, "arrows draw a box; ⏎ makes it the filter, c compares it with the rest");
    }
}

/// The mouse goes down on a cell of text, which is two rows high, or is dragged there.
pub(super) fn drag(state: &mut State, (column, row): (u16, u16), begins: bool) {
    let Some(map) = map(state) else { return };
    let Some(heat) = &mut state.list.heat else { return };
    let place = |cell: (u16, u16)| (map.begins(cell.0), map.edge(cell.1));
    let here = (column.min(map.columns.saturating_sub(1)), row.min(map.rows.saturating_sub(1)));
    if begins {
        (heat.anchor, heat.brush) = (Some(place(here)), None);
    }
    heat.cursor = Some(place(here));
    let anchor = heat.anchor.unwrap_or_else(|| place(here));
    let corner = HeatScreen { cursor: Some(anchor), ..HeatScreen::default() }.cell(&map);
    let (low, high) = (corner.1.min(here.1), corner.1.max(here.1).saturating_add(1));
    heat.brush = Some(map.within((corner.0, low), (here.0, high.min(map.rows.saturating_sub(1)))));
}

/// Out of the brush, then out of the map.
pub(super) fn back(state: &mut State) {
    let Some(heat) = &mut state.list.heat else { return };
    if heat.brush.is_some() || heat.extending {
        (heat.brush, heat.anchor, heat.extending) = (None, None, false);
    } else {
        state.list.heat = None;
    }
}

/// What is inside becomes the filter.
pub(super) fn filter(state: &mut State, out: &mut Vec<Effect>) {
    let within = map(state).zip(state.list.heat).map(|(map, heat)| heat.within(&map));
    let Some(within) = within else { return say(state, "nothing is shown yet") };
    let mut query = (*state.filter.query).clone();
    for condition in conditions(&within) {
        match parts::and(&query, &condition, &format!("-{condition}")) {
            Some(more) => query = more,
            None => return say(state, format!("this cannot be a condition: {condition}")),
        }
    }
    state.list.heat = None;
    let text = query.text.clone();
    bar::set(state, query, out);
    recall::change(state, LibraryChange::Remember(text), out);
    say(state, "what was inside is the filter now: L shows the heat map of it");
}

/// A box in the filter language. It is about when traces began: `since` and `until` are about any span of theirs, so that long
/// traces that began before would get in.
fn conditions(within: &HeatBox) -> Vec<String> {
    let mut conditions = vec![
        format!("traceStart>={}", spell_moment(within.from)),
        format!("traceStart<{}", spell_moment(within.to.plus(Nanos(1)))),
    ];
    if within.least.0 > 0 {
        conditions.push(format!("traceDuration>={}", spell_duration(within.least)));
    }
    if within.most.0 < u64::MAX {
        conditions.push(format!("traceDuration<={}", spell_duration(within.most)));
    }
    conditions
}

/// What is inside is compared with the rest.
pub(super) fn compare(state: &mut State, out: &mut Vec<Effect>) {
    let within = map(state).zip(state.list.heat).map(|(map, heat)| heat.within(&map));
    let Some(within) = within else { return say(state, "nothing is shown yet") };
    state.compare.within = Some(within);
    compare::choose(state, Some(BasisKey::Within));
    act::show(state, Screen::Compare, out);
}

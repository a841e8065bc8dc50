//! The values of an attribute.

use std::cmp::Reverse;
use std::sync::Arc;

use super::window::{Step, showing};
use super::{attribute, recall, say};
use crate::app::{
    Action, Effect, Key, KeyPress, Keymap, Overlay, Purpose, State, ValueRow, ValueSort, ValueTable, Values,
};

/// Counts the values of the attribute that is selected or typed, or asks which.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    let key = if state.bar().editing { typed(state) } else { attribute::chosen(state).map(|(key, _)| key) };
    if let Some(key) = key {
        start(state, key, out);
    } else {
        recall::pick(state, Purpose::Attribute, Vec::new());
        out.push(Effect::Keys);
    }
}

/// The key of the condition that the cursor of the bar is in.
fn typed(state: &State) -> Option<String> {
    let bar = state.bar();
    let before = bar.text.get(..bar.cursor)?;
    let word = before.rsplit(char::is_whitespace).next()?;
    let key = word.split(['=', ':', '<', '>', '!', '~']).next()?;
    let key = key.trim_start_matches(['-', '@', '(', '{', '.']).trim_matches('"');
    let key = ["span.", "resource.", "event."].iter().find_map(|scope| key.strip_prefix(scope)).unwrap_or(key);
    (!key.is_empty()).then(|| key.to_owned())
}

/// Counts the values of an attribute.
pub(super) fn start(state: &mut State, key: String, out: &mut Vec<Effect>) {
    let key = match key.as_str() {
        "service" => "service.name".to_owned(),
        "operation" => "name".to_owned(),
        _ => key,
    };
    state.asked.values += 1;
    let generation = state.asked.values;
    out.push(Effect::Values { generation, key: key.clone(), query: Arc::clone(&state.filter.query) });
    state.overlay = Some(Overlay::Values(ValueTable { key, generation, ..ValueTable::default() }));
}

/// They came in.
pub(super) fn take(state: &mut State, generation: u64, values: Arc<Values>) {
    if let Some(Overlay::Values(table)) = &mut state.overlay
        && table.generation == generation
    {
        table.values = Some(values);
        order(table);
    }
}

fn order(table: &mut ValueTable) {
    let Some(values) = &table.values else { return };
    let mut order: Vec<usize> = (0..values.rows.len()).collect();
    // Rows come by count: what is equal stays in that order. Shares are compared without division.
    let share = |row: &ValueRow| u128::from(row.errors) * 1_000_000 / u128::from(row.spans.max(1));
    match table.sort {
        ValueSort::Count => {}
        ValueSort::Errors => order.sort_by_key(|index| Reverse(share(&values.rows[*index]))),
        ValueSort::Duration => order.sort_by_key(|index| Reverse(values.rows[*index].p95)),
        ValueSort::Value => order.sort_by(|one, other| values.rows[*one].value.cmp(&values.rows[*other].value)),
    }
    table.order = order;
    (table.chosen, table.offset) = (0, 0);
}

/// A key while they are shown.
pub(super) fn press(state: &mut State, keymap: &Keymap, key: KeyPress, out: &mut Vec<Effect>) {
    let Some(Overlay::Values(table)) = &mut state.overlay else { return };
    let chosen = table.chosen;
    match key.key {
        Key::Esc => return state.overlay = None,
        Key::Enter => return attribute::filter_by_value(state, chosen, false, out),
        Key::Char('-') => return attribute::filter_by_value(state, chosen, true, out),
        Key::Char('s') => {
            table.sort = match table.sort {
                ValueSort::Count => ValueSort::Errors,
                ValueSort::Errors => ValueSort::Duration,
                ValueSort::Duration => ValueSort::Value,
                ValueSort::Value => ValueSort::Count,
            };
            return order(table);
        }
        _ => {}
    }
    let action = keymap.resolve(state.context(), key);
    if let Some(step) = action.and_then(Step::of) {
        return go(state, step);
    }
    match action {
        Some(Action::Values | Action::Back | Action::Quit) => state.overlay = None,
        Some(Action::Unmask) => super::act::act(state, Action::Unmask, out),
        _ => say(state, "Enter filters by a value, - leaves it out, s sorts, esc closes"),
    }
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let height = state.viewport.scroll;
    if let Some(Overlay::Values(table)) = &mut state.overlay {
        table.chosen = step.from(table.chosen, table.order.len(), height);
        table.offset = showing(table.chosen, table.offset, height, table.order.len(), 1);
    }
}

/// Selects a row; by a second click it becomes a filter.
pub(super) fn click(state: &mut State, row: usize, twice: bool, out: &mut Vec<Effect>) {
    let Some(Overlay::Values(table)) = &mut state.overlay else { return };
    if row < table.order.len() {
        table.chosen = row;
        if twice {
            attribute::filter_by_value(state, row, false, out);
        }
    }
}

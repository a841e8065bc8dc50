//! From an attribute to the filter.

use super::{bar, recall, say};
use crate::app::{Cell, DetailFocus, Effect, LibraryChange, Overlay, Screen, State, parts, plain};
use crate::model::{Attribute, Value, lookup};
use crate::semconv;

/// The attribute that is selected in the detail pane.
pub(super) fn chosen(state: &State) -> Option<(String, Value)> {
    let detail = &state.trace.as_ref().filter(|_| state.screen == Screen::Trace)?.detail;
    let read = detail.span.as_ref().filter(|_| detail.focus == DetailFocus::Detail)?;
    let span = &read.span;
    let own = |attribute: &Attribute| (attribute.key.lossy().into_owned(), attribute.value.clone());
    match read.cells.get(detail.cell)? {
        Cell::Statement => {
            span.attributes.iter().find(|attribute| semconv::is_statement_key(&attribute.key.lossy())).map(own)
        }
        Cell::Attribute(index) => span.attributes.get(*index).map(own),
        Cell::Resource(index) => span.resource.attributes.get(*index).map(own),
        Cell::Scope(index) => span.scope.attributes.get(*index).map(own),
        // Of an exception its type is what is searched for.
        Cell::Event(index) => {
            let value = lookup(&span.events.get(*index)?.attributes, "exception.type")?;
            Some(("exception.type".to_owned(), value.clone()))
        }
        Cell::Link(_) | Cell::Log(_) => None,
    }
}

/// Adds the selected attribute to the filter of the list, or leaves out what has its value.
pub(super) fn add(state: &mut State, negated: bool, out: &mut Vec<Effect>) {
    let Some((key, value)) = chosen(state) else {
        return say(state, "choose an attribute: Enter filters by it, - leaves it out, F lists its values");
    };
    let mask = (!state.unmasked).then_some(&state.settings.redactor);
    let text = plain::text(&key, &value, None);
    if plain::masked(&key, &text, mask) != text {
        return say(state, "this value is masked: u shows it, then it can be a filter");
    }
    match parts::condition(&key, &value) {
        Some(condition) => filter_by(state, &condition, negated, out),
        None => say(state, "a value like this cannot be a condition: y copies it"),
    }
}

/// Adds a condition to the filter of the list, or its opposite, and shows the list.
pub(super) fn filter_by(state: &mut State, condition: &str, negated: bool, out: &mut Vec<Effect>) {
    let opposite = format!("-{condition}");
    let (wanted, other) = if negated { (opposite.as_str(), condition) } else { (condition, opposite.as_str()) };
    let Some(query) = parts::and(&state.filter.query, wanted, other) else {
        return say(state, "a value like this cannot be a condition: y copies it");
    };
    state.overlay = None;
    let from_trace = state.screen == Screen::Trace;
    state.screen = Screen::Traces;
    if query == *state.filter.query {
        return say(state, format!("in the filter already: {wanted}"));
    }
    let text = query.text.clone();
    bar::set(state, query, out);
    recall::change(state, LibraryChange::Remember(text), out);
    let back = if from_trace { "; 2 goes back to the trace" } else { "" };
    say(state, format!("filter: {wanted} added{back}"));
}

/// A condition made of a value that was counted.
pub(super) fn filter_by_value(state: &mut State, index: usize, negated: bool, out: &mut Vec<Effect>) {
    let Some(Overlay::Values(table)) = &state.overlay else { return };
    let values = table.values.as_ref();
    let row = values.and_then(|values| values.rows.get(*table.order.get(index)?));
    let Some(row) = row else { return say(state, "nothing is selected") };
    let mask = (!state.unmasked).then_some(&state.settings.redactor);
    if plain::masked(&table.key, &row.value, mask) != row.value {
        return say(state, "this value is masked: u shows it, then it can be a filter");
    }
    match parts::pair(&table.key, &row.value) {
        Some(condition) => filter_by(state, &condition, negated, out),
        None => say(state, "a value like this cannot be a condition"),
    }
}

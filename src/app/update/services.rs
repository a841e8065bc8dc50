//! The services screen: selection, order, folds, the map.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::window::Step;
use super::{attribute, say, survey};
use crate::analysis::services::Figures;
use crate::app::{Effect, ServiceRowKey, ServiceSort, ServicesReport, ServicesScreen, State, parts};

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<ServicesReport>) {
    let first = state.services.report.is_none();
    // Of a single service its operations are what is asked for.
    if let [only] = report.services.as_slice()
        && first
    {
        state.services.open.insert(Arc::clone(&only.name));
    }
    state.services.report = Some(report);
    arrange(&mut state.services, state.viewport.services);
}

/// Orders the rows anew; the reader stays where they are.
fn arrange(screen: &mut ServicesScreen, height: u16) {
    let Some(report) = &screen.report else { return };
    let in_order = |one: (&Arc<str>, &Figures), other: (&Arc<str>, &Figures)| {
        let order = compare(screen.sort, one, other);
        if screen.ascending { order } else { order.reverse() }
    };
    let mut services: Vec<_> = report.services.iter().collect();
    services.sort_by(|one, other| in_order((&one.name, &one.figures), (&other.name, &other.figures)));
    let mut rows = Vec::new();
    for service in services {
        rows.push(ServiceRowKey { service: Arc::clone(&service.name), operation: None });
        if !screen.open.contains(&service.name) {
            continue;
        }
        let mut operations: Vec<_> = service.operations.iter().collect();
        operations.sort_by(|one, other| in_order((&one.name, &one.figures), (&other.name, &other.figures)));
        let row =
            |name: &Arc<str>| ServiceRowKey { service: Arc::clone(&service.name), operation: Some(Arc::clone(name)) };
        rows.extend(operations.into_iter().map(|operation| row(&operation.name)));
    }
    let old = std::mem::replace(&mut screen.rows, rows);
    screen.table.take(&old, &screen.rows, height);
}

fn compare(by: ServiceSort, one: (&Arc<str>, &Figures), other: (&Arc<str>, &Figures)) -> Ordering {
    let share = |figures: &Figures| u128::from(figures.failed) * 1_000_000 / u128::from(figures.calls.max(1));
    let (name, other_name) = (one.0, other.0);
    let (one, other) = (one.1, other.1);
    match by {
        ServiceSort::Calls => one.calls.cmp(&other.calls),
        ServiceSort::Errors => share(one).cmp(&share(other)),
        ServiceSort::P50 => one.p50.cmp(&other.p50),
        ServiceSort::P95 => one.p95.cmp(&other.p95),
        ServiceSort::P99 => one.p99.cmp(&other.p99),
        // As names are read.
        ServiceSort::Name => other_name.cmp(name),
    }
}

/// Orders by the next key, or turns the order round; goes to the top.
pub(super) fn sort(state: &mut State, turn: bool) {
    let by = if turn { state.services.sort } else { state.services.sort.next() };
    sort_by(state, by, turn && !state.services.ascending);
}

/// Orders by `by` and goes to the top.
pub(super) fn sort_by(state: &mut State, by: ServiceSort, ascending: bool) {
    let height = state.viewport.services;
    let screen = &mut state.services;
    (screen.sort, screen.ascending) = (by, ascending);
    arrange(screen, height);
    select(state, 0);
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let height = state.viewport.services;
    let at = state.services.table.at(&state.services.rows).unwrap_or(state.services.table.offset);
    if state.services.rows.is_empty() {
        return survey::nothing(state, "there is no service");
    }
    select(state, step.from(at, state.services.rows.len(), height));
}

/// Selects the row at `index`.
pub(super) fn select(state: &mut State, index: usize) {
    let height = state.viewport.services;
    let ServicesScreen { table, rows, scroll, map, .. } = &mut state.services;
    let before = table.selected.clone();
    table.select(rows, index, height);
    if table.selected != before && !*map {
        *scroll = 0;
    }
}

/// Shows the operations of the selected service, or hides them; from an operation it leads to its service.
pub(super) fn fold(state: &mut State, open: bool) {
    let height = state.viewport.services;
    let screen = &mut state.services;
    let Some(row) = screen.table.selected.clone() else { return survey::nothing(state, "there is no service") };
    let is_open = screen.open.contains(&row.service);
    match (open, is_open, row.operation.is_some()) {
        (true, false, _) => {
            screen.open.insert(Arc::clone(&row.service));
            arrange(screen, height);
        }
        (true, true, false) => go(state, Step::Rows(1)),
        (true, true, true) => say(state, "enter filters by this operation"),
        (false, _, true) => {
            let service = ServiceRowKey { operation: None, ..row };
            if let Some(at) = screen.rows.iter().position(|row| *row == service) {
                select(state, at);
            }
        }
        (false, true, false) => {
            screen.open.remove(&row.service);
            arrange(screen, height);
        }
        (false, false, false) => say(state, "its operations are hidden already"),
    }
}

/// Shows the operations of all services, or hides them.
pub(super) fn fold_all(state: &mut State, open: bool) {
    let height = state.viewport.services;
    let screen = &mut state.services;
    let names = screen.report.iter().flat_map(|report| &report.services).map(|service| Arc::clone(&service.name));
    let wanted = if open { names.collect() } else { HashSet::new() };
    if screen.open == wanted {
        return say(state, if open { "all operations are shown" } else { "all operations are hidden" });
    }
    screen.open = wanted;
    let selected = screen.table.selected.clone();
    arrange(screen, height);
    // An operation that is hidden now leads to its service.
    if let Some(row) = selected.filter(|row| !open && row.operation.is_some()) {
        let service = ServiceRowKey { operation: None, ..row };
        if let Some(at) = screen.rows.iter().position(|row| *row == service) {
            select(state, at);
        }
    }
}

/// The map, or who calls the selected one.
pub(super) fn toggle_map(state: &mut State) {
    state.services.map = !state.services.map;
    state.services.scroll = 0;
}

/// Scrolls what stands below the rows.
pub(super) fn scroll(state: &mut State, by: isize) {
    let lines = usize::try_from(state.viewport.services_lines).unwrap_or(usize::MAX);
    let most = lines.saturating_sub(usize::from(state.viewport.services_pane));
    let before = state.services.scroll.min(most);
    state.services.scroll = before.saturating_add_signed(by).min(most);
    if state.services.scroll == before {
        say(state, if by < 0 { "this is the start" } else { "this is the end" });
    }
}

/// Filters the list by the selected service, and operation.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    let Some(row) = state.services.table.selected.clone() else { return survey::nothing(state, "there is no service") };
    let service = parts::pair("service.name", &row.service);
    let operation = row.operation.as_ref().map(|name| parts::pair("name", name));
    let condition = match (service, operation) {
        (Some(service), None) => service,
        (Some(service), Some(Some(operation))) => format!("({service} {operation})"),
        _ => return say(state, "a name like this cannot be a condition"),
    };
    attribute::filter_by(state, &condition, false, out);
}

//! The sql screen: selection, order, the calls of a statement.

use std::cmp::Ordering;
use std::sync::Arc;

use super::window::Step;
use super::{survey, trace};
use crate::analysis::statements::{Example, Statement};
use crate::app::screens::Calls;
use crate::app::{Effect, Formatted, SqlReport, SqlScreen, State, StatementSort, plain};
use crate::model::{SpanKey, TraceId};

/// What the survey says came in.
pub(super) fn take(state: &mut State, report: Arc<SqlReport>) {
    state.sql.report = Some(report);
    arrange(&mut state.sql, state.viewport.statements);
}

/// Orders the rows anew; the reader stays where it is.
fn arrange(sql: &mut SqlScreen, height: u16) {
    let Some(report) = &sql.report else { return };
    let (by, ascending) = (sql.sort, sql.ascending);
    let mut rows = report.rows.clone();
    // Rows come by total: what is equal stays so.
    rows.sort_by(|one, other| {
        let order = compare(by, one, other);
        if ascending { order } else { order.reverse() }
    });
    let keys: Vec<_> = rows.iter().map(|row| row.key()).collect();
    let old = std::mem::replace(&mut sql.keys, keys);
    sql.rows = rows;
    sql.table.take(&old, &sql.keys, height);
    if let Some(mut calls) = sql.calls.take() {
        // The calls of a statement that is there no longer are not shown either.
        if let Some(row) = sql.selected().filter(|row| row.key() == calls.of) {
            let keys = keys_of(&row.examples);
            calls.table.take(&calls.keys, &keys, height);
            calls.keys = keys;
            sql.calls = Some(calls);
        }
    }
}

fn compare(by: StatementSort, one: &Statement, other: &Statement) -> Ordering {
    match by {
        StatementSort::Total => one.total.cmp(&other.total),
        StatementSort::Calls => one.calls.cmp(&other.calls),
        StatementSort::CallsATrace => one.calls_a_trace().total_cmp(&other.calls_a_trace()),
        StatementSort::P95 => one.p95.cmp(&other.p95),
        StatementSort::Max => one.max.cmp(&other.max),
        StatementSort::Errors => one.errors.cmp(&other.errors),
    }
}

fn keys_of(examples: &[Example]) -> Vec<(TraceId, SpanKey)> {
    examples.iter().map(|call| (call.trace, call.span)).collect()
}

/// Orders by the next key, or turns the order round; goes to the top.
pub(super) fn sort(state: &mut State, turn: bool) {
    let by = if turn { state.sql.sort } else { state.sql.sort.next() };
    let ascending = turn && !state.sql.ascending;
    sort_by(state, by, ascending);
}

/// Orders by `by`.
pub(super) fn sort_by(state: &mut State, by: StatementSort, ascending: bool) {
    (state.sql.sort, state.sql.ascending, state.sql.calls) = (by, ascending, None);
    let height = state.viewport.statements;
    arrange(&mut state.sql, height);
    let SqlScreen { table, keys, .. } = &mut state.sql;
    table.select(keys, 0, height);
}

/// Moves the selection.
pub(super) fn go(state: &mut State, step: Step) {
    let height = state.viewport.statements;
    let sql = &mut state.sql;
    if sql.rows.is_empty() {
        return survey::nothing(state, "there is no statement");
    }
    match &mut sql.calls {
        Some(Calls { keys, table, .. }) => table.go(keys, step, height),
        None => sql.table.go(&sql.keys, step, height),
    }
}

/// Selects the row at `index` of those shown.
pub(super) fn select(state: &mut State, index: usize) {
    let height = state.viewport.statements;
    let sql = &mut state.sql;
    match &mut sql.calls {
        Some(Calls { keys, table, .. }) => table.select(keys, index, height),
        None => sql.table.select(&sql.keys, index, height),
    }
}

/// Lists the calls of the selected statement; of those, opens the trace of the selected one, on its span.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    if let Some(call) = state.sql.call() {
        let (id, span) = (call.trace, call.span);
        return trace::open(state, id, Some(span), out);
    }
    let Some(row) = state.sql.selected() else { return survey::nothing(state, "there is no statement") };
    let (of, keys) = (row.key(), keys_of(&row.examples));
    let mut calls = Calls { of, keys, table: crate::app::Table::default() };
    calls.table.select(&calls.keys, 0, state.viewport.statements);
    state.sql.calls = Some(calls);
}

/// Back from the calls to the statements; whether there was something to go back from.
pub(super) fn back(state: &mut State) -> bool {
    state.sql.calls.take().is_some()
}

/// Asks for the selected statement over lines, where it is not there yet.
pub(super) fn settle(state: &mut State, out: &mut Vec<Effect>) {
    let columns = state.viewport.statement_columns;
    if state.screen != crate::app::Screen::Sql || columns == 0 {
        return;
    }
    let Some(row) = state.sql.selected() else { return };
    let wanted = (row.key(), columns, state.unmasked);
    if state.asked.statement.as_ref() == Some(&wanted) {
        return;
    }
    let mask = (!state.unmasked).then_some(&state.settings.redactor);
    let text = plain::free(&row.text, mask).into_owned();
    out.push(Effect::Format { of: row.key(), category: row.category, text, columns });
    state.asked.statement = Some(wanted);
}

/// A statement over lines came in.
pub(super) fn take_formatted(state: &mut State, formatted: Formatted) {
    if state.asked.statement.as_ref().is_some_and(|(of, ..)| *of == formatted.of) {
        state.sql.formatted = Some(formatted);
    }
}

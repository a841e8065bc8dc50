//! The statements, ranked: table above, the selected statement below.

mod calls;
mod chart;
mod columns;
mod pane;

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use self::columns::{Column, Columns};
use super::format;
use super::layout;
use super::look::Role;
use super::pen::{Pen, Piece, cells, number, shown};
use super::text;
use super::trace::many;
use crate::analysis::statements::Statement;
use crate::app::{State, StatementSort, Target};
use crate::model::{Category, Nanos};

/// By what the rows are ordered, in a word or two.
pub(super) fn order(state: &State) -> &'static str {
    match (state.sql.sort, state.sql.ascending) {
        (StatementSort::Total, false) => "total",
        (StatementSort::Total, true) => "least total",
        (StatementSort::Calls, false) => "calls",
        (StatementSort::Calls, true) => "fewest calls",
        (StatementSort::CallsATrace, false) => "calls a trace",
        (StatementSort::CallsATrace, true) => "fewest a trace",
        (StatementSort::P95, false) => "p95",
        (StatementSort::P95, true) => "least p95",
        (StatementSort::Max, false) => "max",
        (StatementSort::Max, true) => "least max",
        (StatementSort::Errors, false) => "errors",
        (StatementSort::Errors, true) => "fewest errors",
    }
}

/// Answers where the cursor of the filter stands, where it is edited.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let counts = counts(pen);
    let (cursor, _) = super::survey::frame(pen, body, &counts);
    let areas = layout::sql(pen.state, body);
    if pen.state.sql.rows.is_empty() {
        nothing(pen, Rect { height: areas.rows.height + areas.heads.height, ..areas.heads });
        return cursor;
    }
    if pen.state.sql.calls.is_some() {
        calls::draw(pen, areas.heads, areas.rows);
    } else {
        heads(pen, areas.heads);
        rows(pen, areas.rows);
    }
    pane::draw(pen, &areas);
    cursor
}

/// What lies at `at`.
pub(super) fn hit(state: &State, body: Rect, at: Position) -> Target {
    let areas = layout::sql(state, body);
    if areas.heads.contains(at) && state.sql.calls.is_none() {
        let columns = Columns::of(areas.heads.width);
        return columns.at(at.x - areas.heads.x).map_or(Target::Nothing, Target::SortStatements);
    }
    if !areas.rows.contains(at) {
        return Target::Nothing;
    }
    let (offset, len) = match &state.sql.calls {
        Some(calls) => (calls.table.offset, calls.keys.len()),
        None => (state.sql.table.offset, state.sql.rows.len()),
    };
    let row = offset + usize::from(at.y - areas.rows.y);
    if row < len { Target::Row(row) } else { Target::Nothing }
}

fn counts(pen: &Pen<'_>) -> Vec<Piece<'static>> {
    let dim = pen.style(Role::Dim);
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    if let Some(report) = pen.state.sql.report.as_deref().filter(|report| report.calls > 0) {
        pieces.push((many(report.statements, "statement").into(), dim));
        pieces.push((format!(" · {}", many(report.calls, "call")).into(), dim));
        pieces.push((format!(" · {} in total", report.total).into(), dim));
        pieces.push((format!(" · {}", many(report.traces, "trace")).into(), dim));
        let shown = number(report.rows.len());
        if shown < report.statements {
            pieces.push((format!(" · the {} most expensive", format::count(shown)).into(), dim));
        }
    }
    pieces.extend(super::survey::progress(pen));
    pieces
}

fn nothing(pen: &mut Pen<'_>, area: Rect) {
    let state = pen.state;
    let progress = &state.sql.progress;
    let (what, why) = if state.sql.report.is_none() || (progress.running && progress.share < 1.0) {
        ("Reading statements …", "")
    } else if state.health.traces_held == 0 {
        ("No traces yet", "statements show here as spans of databases arrive")
    } else if state.filter.query.is_empty() {
        ("No database calls", "no span held says that it is one: it would carry db.system.name or db.query.text")
    } else {
        ("No database calls in the traces that match", "/ changes the filter")
    };
    super::trace::empty(pen, area, what, why);
}

fn heads(pen: &mut Pen<'_>, area: Rect) {
    let faint = pen.style(Role::Faint);
    let columns = Columns::of(area.width);
    pen.put((area.x + columns.text, area.y), "statement", columns.text_width, faint);
    let mark = if pen.state.sql.ascending { "▴" } else { "▾" };
    for (column, end) in columns.ends() {
        let mark = if column.sort() == Some(pen.state.sql.sort) { mark } else { "" };
        let name = match column {
            Column::P50 | Column::P95 => super::survey::percentile(pen.state, column.head()),
            _ => column.head().into(),
        };
        let head = format!("{name}{mark}");
        // The mark stands in the gap behind, so that heads stay above their figures.
        pen.put_right((area.x + end + cells(text::width(mark)), area.y), &head, column.width() + 1, faint);
    }
}

fn rows(pen: &mut Pen<'_>, area: Rect) {
    let sql = &pen.state.sql;
    let most = sql.rows.iter().map(|row| row.total).max().unwrap_or_default();
    let selected = sql.table.at(&sql.keys);
    for (at, y) in (sql.table.offset..).zip(area.top()..area.bottom()) {
        let Some(row) = sql.rows.get(at) else { break };
        self::row(pen, Rect { y, height: 1, ..area }, row, (selected == Some(at), most));
    }
}

/// What is to be noticed of a statement: its glyph and its colour.
fn mark(state: &State, row: &Statement) -> Option<(&'static str, Role)> {
    let slow = row.slower.is_some() || is_slow(state, row.p95);
    match (row.errors > 0, slow, row.repeated.is_some()) {
        (true, ..) => Some(("✗", Role::Error)),
        (_, true, _) => Some(("▲", Role::Slow)),
        (.., true) => Some(("≡", Role::Slow)),
        _ => None,
    }
}

fn is_slow(state: &State, duration: Nanos) -> bool {
    duration > state.settings.thresholds.slow_sql
}

/// A statement as a person knows it: commands of other stores with the name of their system.
pub(super) fn title(state: &State, row: &Statement) -> String {
    let text = shown(state, &row.text);
    if row.category == Category::Sql || row.system.is_empty() || text.starts_with(&*row.system) {
        text.into_owned()
    } else {
        format!("{} {text}", row.system)
    }
}

fn row(pen: &mut Pen<'_>, area: Rect, row: &Statement, (selected, most): (bool, Nanos)) {
    if selected {
        pen.select(area);
    }
    let columns = Columns::of(area.width);
    let mark = mark(pen.state, row);
    if let Some((glyph, role)) = mark {
        pen.put((area.x + 1, area.y), glyph, 1, pen.style(role));
    }
    let mut style = pen.style(mark.map_or(Role::Text, |(_, role)| role));
    if selected {
        style = style.add_modifier(Modifier::BOLD);
    }
    let title = text::visible(&title(pen.state, row)).into_owned();
    let title = text::cut_end(&title, usize::from(columns.text_width)).into_owned();
    pen.put((area.x + columns.text, area.y), &title, columns.text_width, style);
    for (column, end) in columns.ends() {
        let (figure, style) = figure(pen, column, row);
        pen.put_right((area.x + end, area.y), &figure, column.width(), style);
    }
    if let Some(x) = columns.bar {
        let halves = u128::from(row.total.0) * u128::from(columns::BAR) * 2 / u128::from(most.0.max(1));
        let halves = u16::try_from(halves).unwrap_or(0).max(u16::from(row.total.0 > 0));
        let role = mark.map_or(Role::Accent, |(_, role)| role);
        let colour = pen.style(role).fg;
        pen.thin((area.x + x, area.y), halves, colour.map_or_else(Style::new, |colour| Style::new().fg(colour)));
    }
    if selected {
        pen.calm(area);
    }
}

/// With a digit behind the point as long as that says something.
fn calls_a_trace(row: &Statement) -> String {
    let calls = row.calls_a_trace();
    if calls < 1_000.0 { format!("{calls:.1}") } else { format::count(row.calls / row.traces.max(1)) }
}

fn figure(pen: &Pen<'_>, column: Column, row: &Statement) -> (String, Style) {
    let (text, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let slow = |duration| if is_slow(pen.state, duration) { pen.style(Role::Slow) } else { text };
    match column {
        Column::Calls => (format::count(row.calls), text),
        Column::CallsATrace => {
            let style = if row.repeated.is_some() { pen.bold(Role::Slow) } else { dim };
            (calls_a_trace(row), style)
        }
        Column::Total => (row.total.to_string(), text.add_modifier(Modifier::BOLD)),
        Column::Share => {
            let all = pen.state.sql.report.as_ref().map_or(Nanos::ZERO, |report| report.total);
            (format::share(row.total, all), dim)
        }
        Column::P50 => (row.p50.to_string(), dim),
        Column::P95 => (row.p95.to_string(), slow(row.p95)),
        Column::Max => (row.max.to_string(), dim),
        Column::Rows => (row.rows.map_or_else(String::new, format::count), dim),
        Column::Errors if row.errors == 0 => (String::new(), dim),
        Column::Errors => (format::count(row.errors), pen.style(Role::Error)),
    }
}

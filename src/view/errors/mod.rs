//! The errors screen: one row for each error, and below it what is told of the selected one.

mod told;

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::format;
use super::layout;
use super::look::Role;
use super::pen::{Pen, Piece, number, shown};
use super::survey;
use super::text;
use super::trace::{empty, many};
use crate::analysis::errors::Group;
use crate::app::{ErrorSort, State};
use crate::model::Timestamp;

/// The columns of the table, from its left edge. A width of 0: not shown.
struct Columns {
    count: u16,
    service: u16,
    service_width: u16,
    error: u16,
    error_width: u16,
    last: u16,
    first: u16,
    trend: u16,
    trend_width: u16,
}

fn columns(width: u16) -> Columns {
    let wide = width >= 100;
    let count = 7;
    let service_width = if wide { 18 } else { 13 };
    let service = count + 2;
    let error = service + service_width + 2;
    let trend_width = match width {
        0..60 => 0,
        60..100 => 12,
        _ => 20,
    };
    let trend = width.saturating_sub(trend_width + 1);
    let last = trend.saturating_sub(if trend_width > 0 { 2 } else { 0 });
    let first = last.saturating_sub(7);
    let error_width = first.saturating_sub(7).saturating_sub(error);
    Columns { count, service, service_width, error, error_width, last, first, trend, trend_width }
}

/// Rows of the table and of the pane, and the lines that the pane's content takes.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u16, u32) {
    let areas = layout::table(layout::survey(state, body).rest);
    let pane = areas.pane.height.saturating_sub(1);
    let lines = told::lines(state, &jiff::tz::TimeZone::UTC, areas.pane.width).len();
    (areas.rows.height, pane, u32::try_from(lines).unwrap_or(u32::MAX))
}

/// Answers where the cursor of the filter stands, where it is edited.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let state = pen.state;
    let counts = counts(pen);
    let (cursor, area) = survey::frame(pen, body, &counts);
    let Some(report) = &state.errors.report else {
        empty(pen, area, "Reading …", "what failed in all traces is being put together");
        return cursor;
    };
    if report.groups.is_empty() {
        nothing(pen, area);
        return cursor;
    }
    let areas = layout::table(area);
    let columns = columns(areas.rows.width);
    heads(pen, areas.heads, &columns);
    let shown = state.errors.keys.len();
    let most = report.groups.iter().flat_map(|group| &group.trend).copied().max().unwrap_or(0);
    for (y, row) in (areas.rows.top()..areas.rows.bottom()).zip(state.errors.table.offset..shown) {
        if let Some(group) = state.errors.group(row) {
            let selected = state.errors.table.selected.as_ref() == Some(&group.key);
            let line = Rect { y, height: 1, ..areas.rows };
            self::row(pen, line, &columns, (group, selected, most));
        }
    }
    told::draw(pen, areas.pane);
    cursor
}

fn counts(pen: &Pen<'_>) -> Vec<Piece<'static>> {
    let dim = pen.style(Role::Dim);
    let Some(report) = &pen.state.errors.report else { return Vec::new() };
    let errors = many(report.errors, "error");
    let traces = format!(" in {} of {}", format::count(report.failed_traces), many(report.traces, "trace"));
    let sorts = format!(" · {} first", order(pen.state));
    let mut counts = vec![(errors.into(), dim), (traces.into(), dim), (sorts.into(), dim)];
    counts.extend(survey::progress(pen));
    counts
}

/// By what the rows are ordered.
pub(super) fn order(state: &State) -> &'static str {
    match (state.errors.sort, state.errors.ascending) {
        (ErrorSort::Count, false) => "most",
        (ErrorSort::Count, true) => "fewest",
        (ErrorSort::Last, false) => "latest",
        (ErrorSort::Last, true) => "longest silent",
        (ErrorSort::First, false) => "newest",
        (ErrorSort::First, true) => "oldest",
        (ErrorSort::Name, false) => "a to z",
        (ErrorSort::Name, true) => "z to a",
    }
}

fn nothing(pen: &mut Pen<'_>, area: Rect) {
    let state = pen.state;
    let traces = state.errors.report.as_ref().map_or(0, |report| report.traces);
    let (what, why) = match (traces, state.filter.query.is_empty()) {
        (0, true) => ("No traces yet".to_owned(), "1 says where to send them"),
        (0, false) => ("No trace matches the filter".to_owned(), "/ changes the filter"),
        (_, true) => (
            format!("No errors in {}", many(traces, "trace")),
            "spans with status error, recorded exceptions and error logs will stand here, grouped",
        ),
        (_, false) => (format!("No errors in the {} that match", many(traces, "trace")), "/ changes the filter"),
    };
    empty(pen, area, &what, why);
}

fn heads(pen: &mut Pen<'_>, area: Rect, columns: &Columns) {
    let (sort, ascending) = (pen.state.errors.sort, pen.state.errors.ascending);
    let head = |name: &str, key: ErrorSort| match (key == sort, ascending) {
        (false, _) => name.to_owned(),
        (true, true) => format!("{name}▴"),
        (true, false) => format!("{name}▾"),
    };
    let (faint, y) = (pen.style(Role::Faint), area.y);
    pen.put_right((area.x + columns.count, y), &head("count", ErrorSort::Count), columns.count, faint);
    pen.put((area.x + columns.service, y), "service", columns.service_width, faint);
    pen.put((area.x + columns.error, y), &head("error", ErrorSort::Name), columns.error_width, faint);
    pen.put_right((area.x + columns.first, y), &head("first", ErrorSort::First), 7, faint);
    pen.put_right((area.x + columns.last, y), &head("last", ErrorSort::Last), 7, faint);
    pen.put((area.x + columns.trend, y), "over time", columns.trend_width, faint);
}

/// The type without the modules it is in; `error` where the sender gave none.
fn kind(group: &Group) -> &str {
    let kind = &*group.key.kind;
    if kind.is_empty() {
        return if group.key.pattern.is_empty() { "error" } else { "" };
    }
    let is_path = kind.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$'));
    match kind.rsplit_once('.') {
        Some((_, name)) if is_path && !name.is_empty() => name,
        _ => kind.rsplit_once('/').map_or(kind, |(_, name)| name),
    }
}

fn row(pen: &mut Pen<'_>, area: Rect, columns: &Columns, (group, selected, most): (&Group, bool, u32)) {
    if selected {
        pen.select(area);
    }
    let (y, text) = (area.y, pen.style(Role::Text));
    pen.put_right((area.x + columns.count, y), &format::count(group.count), columns.count, text);
    let colour = Style::new().fg(pen.look.service(&group.key.service));
    pen.put((area.x + columns.service, y), "▌", 1, colour);
    let service = text::visible(&group.key.service);
    let service = text::cut_end(&service, usize::from(columns.service_width)).into_owned();
    pen.put((area.x + columns.service + 1, y), &service, columns.service_width, text);
    let kind = shown(pen.state, kind(group)).into_owned();
    let pattern = shown(pen.state, &group.key.pattern).into_owned();
    // A failure that says nothing is told by where it happened.
    let said = if pattern.is_empty() { format!("in {}", shown(pen.state, &group.key.operation)) } else { pattern };
    let gap = if kind.is_empty() { "" } else { "  " };
    let said_style = if kind.is_empty() { pen.style(Role::Error) } else { pen.style(Role::Dim) };
    let pieces: [Piece<'_>; 2] = [(kind.into(), pen.style(Role::Error)), (format!("{gap}{said}").into(), said_style)];
    pen.line((area.x + columns.error, y), columns.error_width, &pieces);
    let age = |at: Timestamp| format::age(pen.state.now.since(at));
    let (first, last) = (age(group.first), age(group.last));
    pen.put_right((area.x + columns.first, y), &first, 7, pen.style(Role::Dim));
    pen.put_right((area.x + columns.last, y), &last, 7, text);
    if selected {
        pen.calm(Rect { width: columns.trend, ..area });
        pen.unreverse(Rect { x: area.x + columns.trend, width: columns.trend_width, ..area });
    }
    if columns.trend_width > 0 {
        let styles = (pen.style(Role::Error), pen.style(Role::Faint));
        let values = squeezed(&group.trend, columns.trend_width);
        pen.spark_of((area.x + columns.trend, y), &values, u64::from(most), styles);
    }
}

/// Values over time in so many columns: neighbours added up.
pub(super) fn squeezed(values: &[u32], columns: u16) -> Vec<u64> {
    let columns = usize::from(columns).max(1);
    let mut out = vec![0_u64; columns];
    for (at, value) in values.iter().enumerate() {
        if let Some(sum) = out.get_mut(at * columns / values.len().max(1)) {
            *sum += u64::from(*value);
        }
    }
    out
}

/// The place of what is shown among all, for a rule line: empty where all of it is.
pub(super) fn place(offset: usize, height: u16, len: usize) -> String {
    let last = (offset + usize::from(height)).min(len);
    if len > usize::from(height) && height > 0 {
        format!("{}–{} of {}", offset + 1, last, format::count(number(len)))
    } else {
        String::new()
    }
}

/// The row of the table under the pointer.
pub(super) fn row_at(state: &State, body: Rect, at: Position) -> Option<usize> {
    let areas = layout::table(layout::survey(state, body).rest);
    let row = state.errors.table.offset + usize::from(at.y.checked_sub(areas.rows.y)?);
    (areas.rows.contains(at) && row < state.errors.keys.len()).then_some(row)
}

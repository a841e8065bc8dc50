//! The services screen: what each service and operation does, and who calls whom.

mod edges;
mod told;

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::errors::{place, squeezed};
use super::format;
use super::layout;
use super::look::Role;
use super::pen::{Pen, Piece, shown};
use super::survey;
use super::text;
use super::trace::{empty, many};
use crate::analysis::services::{Figures, Report};
use crate::app::{ServiceRowKey, ServiceSort, State};
use crate::model::Nanos;

/// The columns of the table, from its left edge. A width of 0: not shown.
struct Columns {
    name_width: u16,
    /// Where each ends; `None` where there is no room for it.
    calls: Option<u16>,
    rate: Option<u16>,
    errors: Option<u16>,
    p50: Option<u16>,
    p95: Option<u16>,
    p99: Option<u16>,
    trend: u16,
    trend_width: u16,
}

fn columns(width: u16) -> Columns {
    let trend_width = match width {
        0..100 => 0,
        _ => 20,
    };
    let trend = width.saturating_sub(trend_width + 1);
    let mut next = trend.saturating_sub(if trend_width > 0 { 2 } else { 0 });
    let figure = if width >= 100 { 10 } else { 9 };
    // From the right; the narrower it is, the fewer.
    let mut column = |least: u16, taken: u16| {
        let end = (width >= least).then_some(next);
        next = next.saturating_sub(if end.is_some() { taken } else { 0 });
        end
    };
    let p99 = column(64, figure);
    let p95 = column(0, figure);
    let p50 = column(64, figure);
    let errors = column(0, if width >= 100 { 9 } else { 7 });
    let rate = column(76, 9);
    let calls = column(48, 9);
    Columns {
        name_width: next.saturating_sub(if calls.is_some() { 0 } else { 3 }),
        calls,
        rate,
        errors,
        p50,
        p95,
        p99,
        trend,
        trend_width,
    }
}

/// Rows of the table and of the pane, and the lines that the pane's content takes.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u16, u32) {
    let areas = layout::table(layout::survey(state, body).rest);
    let pane = areas.pane.height.saturating_sub(1);
    let lines = edges::lines(state, areas.pane.width).len();
    (areas.rows.height, pane, u32::try_from(lines).unwrap_or(u32::MAX))
}

/// The row of the table under the pointer.
pub(super) fn row_at(state: &State, body: Rect, at: Position) -> Option<usize> {
    let areas = layout::table(layout::survey(state, body).rest);
    let row = state.services.table.offset + usize::from(at.y.checked_sub(areas.rows.y)?);
    (areas.rows.contains(at) && row < state.services.rows.len()).then_some(row)
}

/// Answers where the cursor of the filter stands, where it is edited.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let state = pen.state;
    let counts = counts(pen);
    let (cursor, area) = survey::frame(pen, body, &counts);
    let Some(report) = &state.services.report else {
        empty(pen, area, "Reading …", "what services do is being put together from all traces");
        return cursor;
    };
    if report.services.is_empty() {
        nothing(pen, area);
        return cursor;
    }
    let areas = layout::table(area);
    let columns = columns(areas.rows.width);
    heads(pen, areas.heads, &columns);
    let rows = state.services.rows.iter().skip(state.services.table.offset);
    let most = report.services.iter().flat_map(|service| &service.figures.trend).copied().max().unwrap_or(0);
    for (y, row) in (areas.rows.top()..areas.rows.bottom()).zip(rows) {
        if let Some(figures) = state.services.figures(row) {
            let line = Rect { y, height: 1, ..areas.rows };
            self::row(pen, line, &columns, (row, figures, most));
        }
    }
    edges::draw(pen, areas.pane);
    cursor
}

/// Success rate, traces a minute, share that crosses services: of the whole.
fn counts(pen: &Pen<'_>) -> Vec<Piece<'static>> {
    let dim = pen.style(Role::Dim);
    let Some(report) = pen.state.services.report.as_ref().filter(|report| report.traces > 0) else { return Vec::new() };
    let good = report.traces - report.failed;
    let role = if report.failed == 0 { Role::Good } else { Role::Text };
    let mut counts: Vec<Piece<'static>> = vec![
        (format!("{} %", share(good, report.traces)).into(), pen.style(role)),
        (format!(" of {} succeed", many(report.traces, "trace")).into(), dim),
    ];
    if let Some(rate) = a_minute(report.traces, report) {
        counts.push((format!(" · {rate}/min").into(), dim));
    }
    counts.push((format!(" · {} % cross services", share(report.crossing, report.traces)).into(), dim));
    counts.extend(survey::progress(pen));
    counts
}

/// How many a minute, where the traces lie far enough apart for that to say something.
fn a_minute(count: u64, report: &Report) -> Option<String> {
    const LEAST: u64 = 1_000_000_000;
    let long = report.to.since(report.from).0;
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    (long >= LEAST).then(|| format::rate(count as f64 * 60e9 / long as f64))
}

/// A share in percent without its sign.
pub(super) fn share(part: u64, whole: u64) -> String {
    format::share(Nanos(part), Nanos(whole))
}

/// By what the rows are ordered.
pub(super) fn order(state: &State) -> &'static str {
    match (state.services.sort, state.services.ascending) {
        (ServiceSort::Calls, false) => "most calls",
        (ServiceSort::Calls, true) => "fewest calls",
        (ServiceSort::Errors, false) => "most errors",
        (ServiceSort::Errors, true) => "fewest errors",
        (ServiceSort::P50, false) => "slowest p50",
        (ServiceSort::P50, true) => "fastest p50",
        (ServiceSort::P95, false) => "slowest p95",
        (ServiceSort::P95, true) => "fastest p95",
        (ServiceSort::P99, false) => "slowest p99",
        (ServiceSort::P99, true) => "fastest p99",
        (ServiceSort::Name, false) => "a to z",
        (ServiceSort::Name, true) => "z to a",
    }
}

fn nothing(pen: &mut Pen<'_>, area: Rect) {
    let state = pen.state;
    let (what, why) =
        match (state.services.report.as_ref().map_or(0, |report| report.traces), state.filter.query.is_empty()) {
            (0, true) => ("No traces yet", "1 says where to send them"),
            (0, false) => ("No trace matches the filter", "/ changes the filter"),
            (_, _) => ("No service was entered", "none of these traces holds a server, a consumer or a root span"),
        };
    empty(pen, area, what, why);
}

fn heads(pen: &mut Pen<'_>, area: Rect, columns: &Columns) {
    let (sort, ascending) = (pen.state.services.sort, pen.state.services.ascending);
    let percentile = |name| survey::percentile(pen.state, name);
    let head = |name: &str, key: ServiceSort| match (key == sort, ascending) {
        (false, _) => name.to_owned(),
        (true, true) => format!("{name}▴"),
        (true, false) => format!("{name}▾"),
    };
    let (faint, y) = (pen.style(Role::Faint), area.y);
    pen.put((area.x + 3, y), &head("service", ServiceSort::Name), columns.name_width, faint);
    let figures = [
        (columns.calls, head("calls", ServiceSort::Calls)),
        (columns.rate, "/min".to_owned()),
        (columns.errors, head("err %", ServiceSort::Errors)),
        (columns.p50, head(&percentile("p50"), ServiceSort::P50)),
        (columns.p95, head(&percentile("p95"), ServiceSort::P95)),
        (columns.p99, head(&percentile("p99"), ServiceSort::P99)),
    ];
    for (end, name) in figures {
        put(pen, (end, area), &name, faint);
    }
    pen.put((area.x + columns.trend, y), "calls over time", columns.trend_width, faint);
}

/// A figure, where there is room for its column.
fn put(pen: &mut Pen<'_>, (end, line): (Option<u16>, Rect), text: &str, style: Style) {
    if let Some(end) = end {
        pen.put_right((line.x + end, line.y), text, 9, style);
    }
}

fn row(pen: &mut Pen<'_>, area: Rect, columns: &Columns, (row, figures, most): (&ServiceRowKey, &Figures, u32)) {
    let state = pen.state;
    let selected = state.services.table.selected.as_ref() == Some(row);
    if selected {
        pen.select(area);
    }
    let (y, dim, plain) = (area.y, pen.style(Role::Dim), pen.style(Role::Text));
    let colour = Style::new().fg(pen.look.service(&row.service));
    let (name, at, style) = match &row.operation {
        None => {
            let mark = if state.services.open.contains(&row.service) { "▾" } else { "▸" };
            pen.put((area.x + 1, y), mark, 1, pen.style(Role::Faint));
            (&row.service, 3, plain)
        }
        Some(operation) => (operation, 5, dim),
    };
    pen.put((area.x + at, y), "▌", 1, colour);
    let shown = shown(state, name);
    let name = if shown.is_empty() { "(no name)".to_owned() } else { text::visible(&shown).into_owned() };
    pen.put((area.x + at + 1, y), &name, columns.name_width.saturating_sub(at), style);
    put(pen, (columns.calls, area), &format::count(figures.calls), plain);
    let rate = state.services.report.as_ref().and_then(|report| a_minute(figures.calls, report)).unwrap_or_default();
    put(pen, (columns.rate, area), &rate, dim);
    let failed =
        if figures.failed == 0 { "0".to_owned() } else { format!("✗ {}", share(figures.failed, figures.calls)) };
    let style = if figures.failed == 0 { dim } else { pen.style(Role::Error) };
    put(pen, (columns.errors, area), &failed, style);
    for (end, duration) in [(columns.p50, figures.p50), (columns.p95, figures.p95), (columns.p99, figures.p99)] {
        put(pen, (end, area), &duration.to_string(), plain);
    }
    if selected {
        pen.calm(Rect { width: columns.trend, ..area });
        pen.unreverse(Rect { x: area.x + columns.trend, width: columns.trend_width, ..area });
    }
    if columns.trend_width > 0 {
        let values = squeezed(&figures.trend, columns.trend_width);
        let most = if row.operation.is_some() { figures.trend.iter().copied().max().unwrap_or(0) } else { most };
        pen.spark_of(
            (area.x + columns.trend, y),
            &values,
            u64::from(most) * 2,
            (pen.style(Role::Key), pen.style(Role::Faint)),
        );
    }
}

//! What fits where, and what lies under the pointer: from the layout that is drawn.

use ratatui::layout::{Position, Rect};

use super::layout::{self, waterfall_columns};
use super::{
    compare, copy, detail, errors, filter, findings, footer, header, health, heat, help, list, palette, picker,
    services, sql, survey, trace, values, verdict, waterfall,
};
use crate::app::{Lines, Overlay, Screen, State, Target, TraceScreen, Viewport};

fn whole((columns, rows): (u16, u16)) -> Rect {
    Rect { x: 0, y: 0, width: columns, height: rows }
}

/// How much fits where on a terminal of `size` (columns, rows).
#[must_use]
pub fn viewport(state: &State, size: (u16, u16)) -> Viewport {
    let area = whole(size);
    let mut viewport = Viewport { columns: size.0, rows: size.1, ..Viewport::default() };
    if layout::too_small(area) {
        return viewport;
    }
    let frame = layout::frame(state, area);
    let body = frame.body;
    viewport.findings = findings::rows(frame.pane).height;
    let traces = layout::traces(state, body);
    viewport.list = traces.rows.height;
    viewport.preview = traces.preview.height.saturating_sub(1);
    viewport.strip = layout::strip_columns(traces.strip.width).0;
    // Known before it is shown, so that it can be asked for at once.
    viewport.heat = heat::size(Rect { height: layout::heat_height(body), ..body });
    let sql = layout::sql(state, body);
    viewport.statements = sql.rows.height;
    viewport.statement_columns = sql.statement.width;
    let areas = layout::trace(state, body);
    viewport.waterfall = areas.rows.height;
    viewport.detail = areas.detail.height.saturating_sub(1);
    viewport.detail_columns = detail::columns(areas.detail.width, areas.side);
    if state.screen == Screen::Trace
        && let Some(open) = &state.trace
    {
        let flow = detail::measure(state, open, areas.detail.width, areas.side);
        viewport.detail_lines = flow.lines;
        viewport.cells = neighbours(&flow.cells, open.detail.cell);
    }
    let (rows, lines) = match (&state.overlay, state.screen) {
        (Some(Overlay::Values(_)), _) => (values::rows(body).height, 0),
        (Some(Overlay::Help { .. }), _) => help::measure(state, body),
        (_, Screen::Compare) => compare::measure(state, body),
        (_, Screen::Health) => health::measure(state, body),
        _ => (0, 0),
    };
    if state.screen == Screen::Errors {
        (viewport.errors, viewport.errors_pane, viewport.errors_lines) = errors::measure(state, body);
    }
    if state.screen == Screen::Services {
        (viewport.services, viewport.services_pane, viewport.services_lines) = services::measure(state, body);
    }
    viewport.scroll = rows;
    viewport.scroll_lines = lines;
    viewport
}

fn neighbours(cells: &[Lines], chosen: usize) -> [Lines; 3] {
    let at = |index: Option<usize>| index.and_then(|index| cells.get(index)).copied().unwrap_or_default();
    [at(chosen.checked_sub(1)), at(Some(chosen)), at(chosen.checked_add(1))]
}

/// What lies at column and row `at` of a terminal of `size`.
#[must_use]
pub fn hit(state: &State, size: (u16, u16), at: (u16, u16)) -> Target {
    let area = whole(size);
    let at = Position { x: at.0, y: at.1 };
    if layout::too_small(area) || !area.contains(at) {
        return Target::Nothing;
    }
    let frame = layout::frame(state, area);
    match &state.overlay {
        Some(Overlay::Help { .. } | Overlay::Language(_) | Overlay::Naming(_) | Overlay::Save(_)) => {
            return Target::Nothing;
        }
        Some(Overlay::Picker(list)) => return picker::hit(frame.body, list, at),
        Some(Overlay::Values(table)) => return values::hit(frame.body, table, at),
        Some(Overlay::Findings(of)) => return findings::hit(state, frame.pane, *of, at),
        Some(Overlay::Chips(_)) => {
            return if state.screen == Screen::Traces { in_list(state, frame.body, at) } else { Target::Nothing };
        }
        Some(Overlay::Palette(found)) => return palette::hit(frame.body, found, at),
        Some(Overlay::Copy(copied)) => return copy::hit(frame.body, copied, at),
        None => {}
    }
    if frame.header.contains(at) {
        return header::tab_at(state, area.width, at.x).map_or(Target::Nothing, Target::Tab);
    }
    if frame.footer.contains(at) {
        return footer::hint_at(state, area.width, at.x).map_or(Target::Nothing, Target::Hint);
    }
    match (state.screen, &state.trace) {
        (Screen::Traces, _) if !layout::is_first(state) => in_list(state, frame.body, at),
        _ if state.survey().is_some() => in_survey(state, frame.body, at),
        (Screen::Trace, Some(open)) => in_trace(state, open, frame.body, at),
        _ => Target::Nothing,
    }
}

fn in_list(state: &State, body: Rect, at: Position) -> Target {
    let areas = layout::traces(state, body);
    let proposals = filter::proposals_area(&state.filter, areas.said, body);
    if proposals.contains(at) {
        let first = filter::first_proposal(&state.filter, proposals.height);
        return Target::Completion(first + usize::from(at.y - proposals.y));
    }
    if areas.said.contains(at)
        && let Some(chip) = filter::chip_at(state, areas.said, &list::matched(state), at.x)
    {
        return Target::Chip(chip);
    }
    if areas.filter.contains(at) || areas.said.contains(at) {
        return Target::Filter;
    }
    if areas.heat.contains(at) {
        return heat::hit(areas.heat, at);
    }
    if areas.heads.contains(at) {
        return list::head_at(areas.heads.width, at.x - areas.heads.x).map_or(Target::Nothing, Target::SortBy);
    }
    if areas.preview.contains(at) {
        return Target::Preview;
    }
    let row = state.list.offset + usize::from(at.y.saturating_sub(areas.rows.y));
    if areas.rows.contains(at) && row < state.list.rows.len() { Target::ListRow(row) } else { Target::Nothing }
}

fn in_survey(state: &State, body: Rect, at: Position) -> Target {
    let areas = layout::survey(state, body);
    let proposals = filter::proposals_area(&state.filter, areas.said, body);
    if proposals.contains(at) {
        let first = filter::first_proposal(&state.filter, proposals.height);
        return Target::Completion(first + usize::from(at.y - proposals.y));
    }
    if areas.said.contains(at)
        && let Some(chip) = filter::chip_at(state, areas.said, &survey::matched(state), at.x)
    {
        return Target::Chip(chip);
    }
    if areas.filter.contains(at) || areas.said.contains(at) {
        return Target::Filter;
    }
    let row = match state.screen {
        Screen::Compare => return compare::hit(state, body, at),
        Screen::Sql => return sql::hit(state, body, at),
        Screen::Errors => errors::row_at(state, body, at),
        Screen::Services => services::row_at(state, body, at),
        _ => return Target::Nothing,
    };
    match row {
        Some(row) => Target::Row(row),
        None if layout::table(areas.rest).pane.contains(at) => Target::TablePane,
        None => Target::Nothing,
    }
}

fn in_trace(state: &State, open: &TraceScreen, body: Rect, at: Position) -> Target {
    let areas = layout::trace(state, body);
    let Some(analysis) = &open.analysis else { return Target::Nothing };
    if areas.detail.contains(at) {
        if at.y == areas.detail.y {
            return Target::Detail(None);
        }
        let line = open.detail.scroll + usize::from(at.y - areas.detail.y - 1);
        return Target::Detail(detail::cell_at(state, open, (areas.detail, areas.side), (at.x, line)));
    }
    if areas.search.contains(at) {
        return Target::Filter;
    }
    if areas.verdict.contains(at) {
        let place = (areas.verdict.width, at.x - areas.verdict.x);
        return verdict::clause_at(state, analysis, place).map_or(Target::Nothing, Target::Clause);
    }
    let columns = waterfall_columns(areas.rows.width, false);
    let drawn = trace::waterfall(open, analysis);
    let bar = areas.rows.x + columns.bar;
    if areas.axis.contains(at) {
        let window = drawn.window(&columns);
        return match at.x.checked_sub(bar) {
            Some(column) if column < columns.bar_width => Target::Axis(window.moment(u64::from(column) * 8 + 4)),
            _ => Target::Nothing,
        };
    }
    let index = open.offset + usize::from(at.y.saturating_sub(areas.rows.y));
    let row = if areas.rows.contains(at) { open.rows.get(index) } else { None };
    let Some(row) = row else { return Target::Nothing };
    let (from, to) = waterfall::fold_columns(columns.name, row);
    let fold = row.open.is_some() && (from..=to).contains(&(at.x - areas.rows.x));
    Target::SpanRow { row: index, fold }
}

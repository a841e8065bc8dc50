//! Where everything stands: one set of functions for drawing, for what fits, and for what lies under the pointer.

use ratatui::layout::Rect;

use crate::app::{DetailFocus, Overlay, Screen, State};

/// From this width on, detail and preview stand at the right.
const WIDE: u16 = 160;

/// The lines of frame around a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) header: Rect,
    pub(super) warning: Rect,
    pub(super) body: Rect,
    /// What lies over the lower part of the screen, with its rule line.
    pub(super) pane: Rect,
    pub(super) footer: Rect,
}

/// The list of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traces {
    pub(super) filter: Rect,
    /// What was understood of the filter, or what is wrong with it.
    pub(super) said: Rect,
    pub(super) strip: Rect,
    /// The heat map, with its axes.
    pub(super) heat: Rect,
    pub(super) heads: Rect,
    pub(super) rows: Rect,
    /// With its rule line.
    pub(super) preview: Rect,
}

/// A screen about all traces that the filter finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) filter: Rect,
    /// What was understood of the filter, or what is wrong with it.
    pub(super) said: Rect,
    pub(super) rest: Rect,
}

/// The statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sql {
    pub(super) heads: Rect,
    pub(super) rows: Rect,
    /// The rule line above the selected statement.
    pub(super) rule: Rect,
    /// The statement over lines, and what is said of it.
    pub(super) statement: Rect,
    /// Its latency over time; of no width where there is no room.
    pub(super) chart: Rect,
}

/// One trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) title: Rect,
    pub(super) verdict: Rect,
    pub(super) search: Rect,
    pub(super) axis: Rect,
    pub(super) rows: Rect,
    /// With its rule line.
    pub(super) detail: Rect,
    /// The detail stands at the right.
    pub(super) side: bool,
}

/// Takes `height` rows from the top of `area`.
fn take(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    let taken = Rect { height, ..*area };
    area.y += height;
    area.height -= height;
    taken
}

/// Takes `height` rows from the bottom of `area`.
fn take_bottom(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    area.height -= height;
    Rect { y: area.y + area.height, height, ..*area }
}

/// Takes `width` columns from the right of `area`.
fn take_right(area: &mut Rect, width: u16) -> Rect {
    let width = width.min(area.width);
    area.width -= width;
    Rect { x: area.x + area.width, width, ..*area }
}

/// Whether there is room for anything at all.
pub(super) fn too_small(area: Rect) -> bool {
    area.width < 24 || area.height < 6
}

pub(super) fn frame(state: &State, area: Rect) -> Frame {
    let mut rest = area;
    let header = take(&mut rest, 1);
    let footer = take_bottom(&mut rest, 1);
    let warning = take(&mut rest, u16::from(state.settings.warning.is_some()));
    let height = match state.overlay {
        Some(Overlay::Findings(of)) => super::findings::height(state, of, rest.height),
        _ => 0,
    };
    let pane = take_bottom(&mut rest, height);
    Frame { header, warning, body: rest, pane, footer }
}

/// Whether the list has nothing to show because no span ever arrived.
pub(super) fn is_first(state: &State) -> bool {
    state.screen == Screen::Traces
        && state.list.rows.is_empty()
        && state.health.traces_held == 0
        && state.filter.text.is_empty()
        && !state.filter.editing
}

/// Whether there is something to say of the filter.
fn says(state: &State) -> bool {
    let bar = &state.filter;
    bar.editing || !bar.query.is_empty() || bar.error.is_some() || !bar.off.is_empty()
}

pub(super) fn survey(state: &State, body: Rect) -> Survey {
    let mut rest = body;
    let filter = take(&mut rest, 1);
    let said = take(&mut rest, u16::from(says(state)));
    Survey { filter, said, rest }
}

/// A table with what is told of its selected row: below it, and from [`WIDE`] on at its right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tabled {
    pub(super) heads: Rect,
    pub(super) rows: Rect,
    /// With its rule line.
    pub(super) pane: Rect,
}

pub(super) fn table(area: Rect) -> Tabled {
    let mut rest = area;
    let mut pane = Rect { height: 0, ..rest };
    if area.width >= WIDE {
        pane = take_right(&mut rest, area.width * 45 / 100);
        pane.x += 1;
        pane.width -= 1;
    } else if area.height >= 8 {
        pane = take_bottom(&mut rest, area.height * 58 / 100);
    }
    let heads = take(&mut rest, 1);
    Tabled { heads, rows: rest, pane }
}

pub(super) fn sql(state: &State, body: Rect) -> Sql {
    let mut rest = survey(state, body).rest;
    // A row of air where there are rows to spare.
    take(&mut rest, u16::from(body.height >= 30));
    if body.width >= WIDE {
        return sql_beside(rest);
    }
    let heads = take(&mut rest, 1);
    let height = if body.height >= 12 { (body.height * 2 / 5).clamp(6, 20) } else { 0 };
    let mut pane = take_bottom(&mut rest, height);
    let rule = take(&mut pane, 1);
    let width = match body.width {
        0..72 => 0,
        72..110 => 28,
        wide => (wide * 3 / 8).min(60),
    };
    let mut chart = take_right(&mut pane, width);
    chart.height = chart.height.min(8);
    pane.x += 2;
    pane.width = pane.width.saturating_sub(3);
    Sql { heads, rows: rest, rule, statement: pane, chart }
}

/// The statement beside the table: over lines, and its latency below it.
fn sql_beside(mut rest: Rect) -> Sql {
    // A column of air between the two.
    let width = rest.width * 42 / 100;
    let mut pane = take_right(&mut rest, width);
    pane.x += 1;
    pane.width -= 1;
    let heads = take(&mut rest, 1);
    let rule = take(&mut pane, 1);
    let height = if pane.height >= 16 { 8 } else { 0 };
    let chart = take_bottom(&mut pane, height);
    let statement = Rect { x: pane.x + 2, width: pane.width.saturating_sub(3), ..pane };
    Sql { heads, rows: rest, rule, statement, chart }
}

/// Lines of the heat map with its axes, where it is shown.
pub(super) fn heat_height(body: Rect) -> u16 {
    if body.height < 12 { 0 } else { body.height * 6 / 10 }
}

pub(super) fn traces(state: &State, body: Rect) -> Traces {
    let mut rest = body;
    let filter = take(&mut rest, 1);
    let said = take(&mut rest, u16::from(says(state)));
    let roomy = body.height >= 12;
    let hot = state.list.heat.is_some() && body.height >= 12;
    let shown = state.list.preview_shown && !state.list.rows.is_empty() && !hot;
    let strip = take(&mut rest, u16::from(roomy));
    let heat = take(&mut rest, if hot { heat_height(body) } else { 0 });
    let side = shown && body.width >= WIDE;
    let mut preview = Rect { height: 0, ..rest };
    if side {
        let width = body.width * 42 / 100;
        preview = take_right(&mut rest, width);
        // A column of air between list and preview.
        preview.x += 1;
        preview.width -= 1;
    }
    let heads = take(&mut rest, 1);
    if shown && !side && body.height >= 18 {
        preview = take_bottom(&mut rest, (body.height / 3).clamp(6, 20));
        // And a row of air below it where there are rows to spare.
        if body.height >= 30 {
            preview.height -= 1;
        }
    }
    Traces { filter, said, strip, heat, heads, rows: rest, preview }
}

pub(super) fn trace(state: &State, body: Rect) -> Trace {
    let mut rest = body;
    let title = take(&mut rest, 1);
    let verdict = take(&mut rest, u16::from(body.height >= 9));
    let open = state.trace.as_ref();
    let searches = state.find.editing || open.is_some_and(|trace| trace.found.is_some());
    let search = take(&mut rest, u16::from(searches));
    let focused = open.is_some_and(|trace| trace.detail.focus == DetailFocus::Detail);
    let side = body.width >= WIDE;
    let detail = if side {
        let width = body.width * 40 / 100;
        let mut detail = take_right(&mut rest, width);
        detail.x += 1;
        detail.width -= 1;
        detail
    } else {
        let height = detail_height(rest.height, focused);
        take_bottom(&mut rest, height)
    };
    let axis = take(&mut rest, 1);
    Trace { title, verdict, search, axis, rows: rest, detail, side }
}

/// Rows of the detail with its rule, of `height` rows for axis, waterfall and detail together. In a low terminal a
/// focused detail gets half of them.
fn detail_height(height: u16, focused: bool) -> u16 {
    let usual = match height {
        0..10 => 0,
        10..20 => 4 + (height - 10) / 5,
        _ => 6 + (height - 20) * 2 / 3,
    };
    let most = height / 2;
    if focused && height < 24 { usual.max(most) } else { usual.min(most) }
}

/// The columns of the waterfall, from its left edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaterfallColumns {
    pub(super) name: u16,
    pub(super) bar: u16,
    pub(super) bar_width: u16,
    /// Where durations end.
    pub(super) duration_end: u16,
    /// Where shares end; 0 where they are not shown.
    pub(super) share_end: u16,
    pub(super) remark: u16,
    pub(super) remark_width: u16,
}

pub(super) fn waterfall_columns(width: u16, small: bool) -> WaterfallColumns {
    let remark_width = if width >= 90 && !small { 6 } else { 0 };
    let share = if width >= 60 && !small { 6 } else { 0 };
    let duration = if width >= 30 { 10 } else { 0 };
    let right = duration + share + remark_width;
    let left = width.saturating_sub(right);
    let name = (left * 46 / 100).clamp(left.min(14), 64);
    let bar_width = left.saturating_sub(name + 1);
    let duration_end = left + duration;
    WaterfallColumns {
        name,
        bar: name,
        bar_width,
        duration_end,
        share_end: if share > 0 { duration_end + share - 1 } else { 0 },
        remark: duration_end + share,
        remark_width,
    }
}

/// The columns of the list of traces, from its left edge. A width of 0: not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListColumns {
    pub(super) age_end: u16,
    pub(super) service: u16,
    pub(super) service_width: u16,
    pub(super) operation: u16,
    pub(super) operation_width: u16,
    pub(super) duration_end: u16,
    pub(super) bar: u16,
    pub(super) bar_width: u16,
    pub(super) spans_end: u16,
    pub(super) errors_end: u16,
    pub(super) notes: u16,
    pub(super) notes_width: u16,
}

impl ListColumns {
    /// Where the name of the source stands, at the end of the operation's room, and how wide: where there is room for both.
    pub(super) fn source(&self) -> Option<(u16, u16)> {
        let width = match self.operation_width {
            0..18 => return None,
            18..28 => 6,
            _ => 9,
        };
        Some((self.operation + self.operation_width - width - 1, width))
    }
}

pub(super) fn list_columns(width: u16) -> ListColumns {
    let wide = width >= 100;
    let age_end = if wide { 6 } else { 5 };
    let service = age_end + 2;
    let service_width = (width / 8).clamp(if width >= 72 { 12 } else { 8 }, 20);
    let bar_width = if wide { 14 } else { 0 };
    let duration = if wide { 10 } else { 9 };
    let spans = match width {
        0..60 => 0,
        60..100 => 6,
        _ => 7,
    };
    let errors = if width >= 60 { 4 } else { 0 };
    let bar = if bar_width > 0 { bar_width + 2 } else { 0 };
    let notes_width = match width {
        0..72 => 0,
        72..100 => 16,
        _ => (width / 5).clamp(22, 44),
    };
    let gap = if wide { 2 } else { 1 };
    let notes = if notes_width > 0 { notes_width + gap } else { 0 };
    let operation = service + service_width + 2;
    let fixed = operation + duration + bar + spans + errors + notes;
    let operation_width = width.saturating_sub(fixed);
    let duration_end = operation + operation_width + duration - 1;
    let spans_end = duration_end + bar + spans;
    ListColumns {
        age_end,
        service,
        service_width,
        operation,
        operation_width,
        duration_end,
        bar: duration_end + 1,
        bar_width,
        spans_end,
        errors_end: spans_end + errors,
        notes: spans_end + errors + gap,
        notes_width,
    }
}

/// The columns of each of the strip's three sparklines, and the cells that each part takes with label and figure.
pub(super) fn strip_columns(width: u16) -> (u16, u16) {
    let part = width / 3;
    (part.saturating_sub(16).min(40), part)
}

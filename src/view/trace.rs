//! One trace: what it is, what stands out, its waterfall, the selected span.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::filter;
use super::format;
use super::layout::{self, waterfall_columns};
use super::look::Role;
use super::pen::{Pen, Piece, number, shown};
use super::verdict;
use super::waterfall::Waterfall;
use crate::analysis::{Analysis, Baseline};
use crate::app::{Action, KeyPress, TraceScreen};

/// Draws the screen.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let state = pen.state;
    let areas = layout::trace(state, body);
    let Some(open) = &state.trace else {
        empty(pen, body, "No trace is open", "choose one in the list (1) and press ⏎");
        return None;
    };
    let Some(analysis) = &open.analysis else {
        let (what, why) = if open.gone {
            ("This trace is not here", "it may have left to make room, or has not arrived; esc goes back")
        } else {
            ("Reading the trace …", "")
        };
        empty(pen, body, what, why);
        return None;
    };
    title(pen, areas.title, open, analysis);
    verdict::draw(pen, areas.verdict, analysis, open.clause);
    let cursor = filter::search(pen, areas.search, open);
    heads(pen, areas.axis, open, analysis, usize::from(areas.rows.height));
    filter::search_fault(pen, areas.axis);
    waterfall(open, analysis).draw(pen, areas.rows);
    super::detail::draw(pen, (areas.detail, areas.side), open, analysis);
    cursor
}

/// The waterfall as this screen draws it.
pub(super) fn waterfall<'a>(open: &'a TraceScreen, analysis: &'a Analysis) -> Waterfall<'a> {
    Waterfall {
        analysis,
        rows: &open.rows,
        offset: open.offset,
        selected: open.selected,
        found: open.found.as_ref(),
        judged: open.judged.as_deref(),
        zoom: open.zoom,
        path: open.path,
        small: false,
    }
}

/// A line or two in an otherwise empty pane.
pub(super) fn empty(pen: &mut Pen<'_>, area: Rect, what: &str, why: &str) {
    let y = area.y + area.height / 3;
    if y >= area.bottom() {
        return;
    }
    let x = area.x + area.width / 8;
    let room = area.right().saturating_sub(x);
    pen.put((x, y), what, room, pen.bold(Role::Text));
    if y + 1 < area.bottom() {
        pen.put((x, y + 1), why, room, pen.style(Role::Dim));
    }
}

fn title(pen: &mut Pen<'_>, area: Rect, open: &TraceScreen, analysis: &Analysis) {
    if area.height == 0 {
        return;
    }
    let dim = pen.style(Role::Dim);
    let root = analysis.roots.iter().find_map(|node| analysis.span(*node));
    let (label, service) =
        root.map_or((Cow::Borrowed("no root span yet"), ""), |span| (shown(pen.state, &span.label), &*span.service));
    let loud = if analysis.errors.is_empty() {
        if analysis.slow.is_empty() { Role::Text } else { Role::Slow }
    } else {
        Role::Error
    };
    let mut pieces: Vec<Piece<'_>> = vec![(label, pen.bold(Role::Text))];
    if !service.is_empty() {
        pieces.push(("  ".into(), dim));
        pieces.push((service.into(), ratatui::style::Style::new().fg(pen.look.service(service))));
    }
    pieces.push(("  ".into(), dim));
    pieces.push((analysis.duration().to_string().into(), pen.bold(loud)));
    if let Some(short) = root.and_then(|span| open.baselines.get(&span.key)).and_then(Baseline::short) {
        pieces.push((format!(" {short}").into(), dim));
    }
    pieces.extend(clocks(pen, analysis));
    let spans = number(analysis.trace.spans.len());
    let services = number(analysis.services.len());
    let errors = number(analysis.errors.len());
    pieces.push((format!("  {}", many(spans, "span")).into(), dim));
    pieces.push((format!(" · {}", many(services, "service")).into(), dim));
    let error_style = if errors > 0 { pen.style(Role::Error) } else { dim };
    pieces.push((format!(" · {}", many(errors, "error")).into(), error_style));
    pieces.push((format!(" · {}", format::time_of_day(analysis.start, &pen.look.zone)).into(), dim));
    if pen.state.now.since(open.last_arrival) < pen.state.settings.arriving {
        pieces.push(("  … still arriving".into(), pen.style(Role::Accent)));
    }
    if analysis.trace.truncated {
        pieces.push(("  not whole: it grew too large".into(), pen.style(Role::Slow)));
    }
    if !open.back.is_empty() {
        pieces.push(("  came by a link".into(), dim));
    }
    pen.whole((area.x + 1, area.y), area.width.saturating_sub(2), &pieces);
}

/// Whether clocks run apart, and what is done about it.
fn clocks(pen: &Pen<'_>, analysis: &Analysis) -> Option<Piece<'static>> {
    if analysis.skews.is_empty() {
        return None;
    }
    let key = pen.state.settings.keymap.keys(Action::AdjustClocks).first().map(KeyPress::label).unwrap_or_default();
    Some(if analysis.adjusted {
        (format!("  times corrected: {key} shows them as sent").into(), pen.style(Role::Accent))
    } else {
        (format!("  clocks run apart: {key} corrects").into(), pen.style(Role::Slow))
    })
}

/// `1 span`, `31,907 spans`.
pub(super) fn many(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", format::count(count))
}

fn heads(pen: &mut Pen<'_>, area: Rect, open: &TraceScreen, analysis: &Analysis, height: usize) {
    if area.height == 0 {
        return;
    }
    let faint = pen.style(Role::Faint);
    let columns = waterfall_columns(area.width, false);
    let mut used = pen.put((area.x + 1, area.y), "span", columns.name.saturating_sub(2), faint);
    let total = open.rows.len();
    if total > height {
        let last = (open.offset + height).min(total);
        let place = format!("  {}–{} of {}", open.offset + 1, last, format::count(number(total)));
        used += pen.put((area.x + 1 + used, area.y), &place, columns.name.saturating_sub(used + 2), faint);
    }
    if open.zoom.is_some() {
        let room = columns.name.saturating_sub(used + 2);
        pen.put((area.x + 1 + used, area.y), "  zoomed", room, pen.style(Role::Accent));
    }
    let window = waterfall(open, analysis).window(&columns);
    pen.axis((area.x + columns.bar, area.y), window, analysis.start);
    if let Some((from, to)) = pen.state.drag
        && let (Some(from), Some(to)) = (window.column(from.min(to)), window.column(from.max(to)))
    {
        let x = area.x + columns.bar + from;
        pen.select(Rect { x, width: to - from + 1, ..area });
    }
    if columns.duration_end > columns.bar + columns.bar_width {
        pen.put_right((area.x + columns.duration_end, area.y), "duration", 9, faint);
    }
    if columns.share_end > 0 {
        let head = if open.path { "path" } else { "%" };
        pen.put_right((area.x + columns.share_end, area.y), head, 4, faint);
    }
}

/// The node of the selected row: looked for among the rows in sight first.
pub(super) fn selected_node(open: &TraceScreen) -> Option<u32> {
    let key = open.selected?;
    let near = open.rows.iter().skip(open.offset).take(200);
    near.chain(open.rows.iter()).find(|row| row.key == key).map(|row| row.node)
}

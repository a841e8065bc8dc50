//! One trace: what it is, what stands out, its waterfall, the selected span.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::filter;
use super::format;
use super::layout::{self, waterfall_columns};
use super::look::Role;
use super::pen::{Pen, Piece, number, shown};
use super::waterfall::Waterfall;
use crate::analysis::{Analysis, Verdict, statement};
use crate::app::TraceScreen;
use crate::model::{Category, Nanos};

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
    verdict_line(pen, areas.verdict, analysis);
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
        zoom: open.zoom,
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

/// `1 span`, `31,907 spans`.
pub(super) fn many(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", format::count(count))
}

/// The loudest fact, as pieces; empty where nothing stands out. `short`: where it shares its line.
pub(super) fn verdict_pieces<'a>(pen: &Pen<'_>, analysis: &'a Analysis, short: bool) -> Vec<Piece<'a>> {
    let label = |node: u32| {
        let span = analysis.span(node);
        let (category, label) = span.map_or((Category::Other, ""), |span| (span.category, &*span.label));
        statement::summary(category, label)
    };
    let shown = |text: Cow<'a, str>| -> Cow<'a, str> { Cow::Owned(shown(pen.state, &text).into_owned()) };
    let (slow, failed) = (pen.bold(Role::Slow), pen.bold(Role::Error));
    let dim = pen.style(Role::Dim);
    match analysis.verdict {
        Verdict::Error { node, count } => {
            if short {
                return vec![(format!("✗ failed first: {}", shown(label(node))).into(), failed)];
            }
            let service = analysis.span(node).map_or("", |span| &*span.service);
            let mut pieces = vec![
                ("✗ failed first: ".into(), failed),
                (shown(label(node)), failed.add_modifier(Modifier::UNDERLINED)),
                (format!("  in {service}").into(), pen.style(Role::Text)),
            ];
            if count > 1 {
                pieces.push((format!("  · {count} spans failed").into(), dim));
            }
            pieces
        }
        Verdict::SlowSql { node, duration, percent, count } => {
            if short {
                return vec![(format!("▲ {percent} % is {}", shown(label(node))).into(), slow)];
            }
            let mut pieces = vec![
                (format!("▲ {percent} % is one statement: ").into(), slow),
                (shown(label(node)), slow.add_modifier(Modifier::UNDERLINED)),
                (format!(" {duration}").into(), slow),
            ];
            if count > 1 {
                pieces.push((format!("  · {count} calls are slow").into(), dim));
            }
            pieces
        }
        Verdict::Repeated { node, count, sum } => {
            let category = analysis.span(node).map_or(Category::Other, |span| span.category);
            let text = statement::normalise(category, &label(node)).into_owned();
            let share = format::share(sum, analysis.duration());
            vec![
                ("≡ the same call ".into(), slow),
                (format!("×{count}").into(), slow),
                (": ".into(), slow),
                (shown(text.into()), slow.add_modifier(Modifier::UNDERLINED)),
                (format!("  {sum} in all, {share} %").into(), dim),
            ]
        }
        Verdict::Nothing => Vec::new(),
    }
}

fn verdict_line(pen: &mut Pen<'_>, area: Rect, analysis: &Analysis) {
    if area.height == 0 {
        return;
    }
    let mut pieces = verdict_pieces(pen, analysis, false);
    if pieces.is_empty() {
        let dim = pen.style(Role::Dim);
        pieces.push(("nothing stands out".into(), dim));
        if let Some((label, own)) = longest_own(pen, analysis) {
            pieces.push((format!(" · most time of its own: {label} {own}").into(), dim));
        }
    }
    pen.line((area.x + 1, area.y), area.width.saturating_sub(2), &pieces);
}

/// The span with the most time of its own. Looked for in traces of a size where that costs nothing.
fn longest_own<'a>(pen: &Pen<'_>, analysis: &'a Analysis) -> Option<(Cow<'a, str>, Nanos)> {
    let spans = analysis.trace.spans.len();
    if spans > 2_000 {
        return None;
    }
    let node = analysis.order.iter().copied().max_by_key(|node| analysis.nodes[*node as usize].self_time)?;
    let label = shown(pen.state, &analysis.span(node)?.label).into_owned();
    Some((label.into(), analysis.nodes.get(node as usize)?.self_time))
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
        pen.put_right((area.x + columns.share_end, area.y), "%", 2, faint);
    }
}

/// The node of the selected row: looked for among the rows in sight first.
pub(super) fn selected_node(open: &TraceScreen) -> Option<u32> {
    let key = open.selected?;
    let near = open.rows.iter().skip(open.offset).take(200);
    near.chain(open.rows.iter()).find(|row| row.key == key).map(|row| row.node)
}

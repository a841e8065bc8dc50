//! The pane with all that is known of the selected span.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::flow::{self, Flow, Line};
use super::look::Role;
use super::pen::{Pen, Piece, shown};
use super::text;
use super::trace::selected_node;
use crate::analysis::{Analysis, Baseline, RowKind, group_label, slow_sql, statement};
use crate::app::{DetailFocus, Lines, SpanDetail, State, TraceScreen};
use crate::model::{Category, Nanos};

/// Members of a group that are listed.
const MEMBERS: usize = 200;

/// Columns that statements and JSON values are wrapped to in a pane of `width`.
pub(super) fn columns(width: u16, side: bool) -> u16 {
    let widths = flow::widths(width, side);
    if widths.right == 0 { widths.left.saturating_sub(2) } else { widths.left.min(widths.right.saturating_sub(2)) }
}

/// How long the content is and where its cells stand.
pub(super) struct Measured {
    pub(super) lines: u32,
    pub(super) cells: Vec<Lines>,
}

/// The span that is shown: the one read, where it is the selected one.
fn current(open: &TraceScreen) -> Option<&SpanDetail> {
    open.detail.span.as_deref()
}

pub(super) fn measure(state: &State, open: &TraceScreen, width: u16, side: bool) -> Measured {
    let Some(detail) = current(open) else { return Measured { lines: 0, cells: Vec::new() } };
    let flow = flow::flow(state, detail, flow::widths(width, side), &TimeZone::UTC);
    Measured { lines: u32::try_from(flow.len()).unwrap_or(u32::MAX), cells: flow.cells(detail.cells.len()) }
}

/// The cell at column `x` of the screen in line `line` of the content.
pub(super) fn cell_at(
    state: &State,
    open: &TraceScreen,
    (area, side): (Rect, bool),
    (x, line): (u16, usize),
) -> Option<usize> {
    let detail = current(open)?;
    let widths = flow::widths(area.width, side);
    let flow = flow::flow(state, detail, widths, &TimeZone::UTC);
    let block = flow.block();
    if line >= block {
        return flow.below.get(line - block)?.cell;
    }
    let right = widths.right > 0 && x >= area.x + separator(area.width);
    let column = if right { &flow.right } else { &flow.left };
    column.get(line)?.cell
}

/// Where the line between the two columns stands, from the left edge.
fn separator(width: u16) -> u16 {
    width * 42 / 100
}

pub(super) fn draw(pen: &mut Pen<'_>, (area, side): (Rect, bool), open: &TraceScreen, analysis: &Analysis) {
    if area.height == 0 {
        return;
    }
    let focused = open.detail.focus == DetailFocus::Detail;
    let title = title(pen, open, analysis);
    let rule = Rect { height: 1, ..area };
    let content = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let Some(detail) = current(open) else {
        pen.rule(rule, focused, &title, "");
        other(pen, content, open, analysis);
        return;
    };
    let flow = flow::flow(pen.state, detail, flow::widths(area.width, side), &pen.look.zone);
    let height = usize::from(content.height);
    let scroll = open.detail.scroll.min(flow.len().saturating_sub(1));
    let last = (scroll + height).min(flow.len());
    let place = if flow.len() > height { format!("{}–{last} of {}", scroll + 1, flow.len()) } else { String::new() };
    pen.rule(rule, focused, &title, &place);
    let chosen = focused.then_some(open.detail.cell);
    for (y, at) in (content.top()..content.bottom()).zip(scroll..) {
        row(pen, Rect { y, height: 1, ..content }, (&flow, at, side), chosen);
    }
}

/// One line of the pane: two columns with a faint line between them, or one.
fn row(pen: &mut Pen<'_>, area: Rect, (flow, at, side): (&Flow, usize, bool), chosen: Option<usize>) {
    let block = flow.block();
    let widths = flow::widths(area.width, side);
    if at >= block {
        if let Some(line) = flow.below.get(at - block) {
            put(pen, Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area }, line, chosen);
        }
        return;
    }
    let separator = separator(area.width);
    let left_width = if widths.right == 0 { area.width.saturating_sub(2) } else { separator.saturating_sub(2) };
    if let Some(line) = flow.left.get(at) {
        put(pen, Rect { x: area.x + 2, width: left_width, ..area }, line, chosen);
    }
    if widths.right > 0 {
        pen.put((area.x + separator, area.y), "│", 1, pen.style(Role::Faint));
        if let Some(line) = flow.right.get(at) {
            let x = area.x + separator + 2;
            put(pen, Rect { x, width: area.right().saturating_sub(x), ..area }, line, chosen);
        }
    }
}

fn put(pen: &mut Pen<'_>, area: Rect, line: &Line, chosen: Option<usize>) {
    if chosen.is_some() && line.cell == chosen {
        pen.select(area);
    }
    let pieces: Vec<Piece<'_>> = line
        .bits
        .iter()
        .map(|bit| (bit.text.as_str().into(), if bit.bold { pen.bold(bit.role) } else { pen.style(bit.role) }))
        .collect();
    pen.line((area.x, area.y), area.width, &pieces);
}

/// What it is, what is wrong with it, how long it took of itself, when it began.
fn title(pen: &Pen<'_>, open: &TraceScreen, analysis: &Analysis) -> Vec<Piece<'static>> {
    let Some(node) = selected_node(open) else { return Vec::new() };
    let (Some(place), Some(span)) = (analysis.nodes.get(node as usize), analysis.span(node)) else {
        return vec![("a parent that has not arrived".into(), pen.bold(Role::Text))];
    };
    let dim = pen.style(Role::Dim);
    let group = open.selected.and_then(|key| open.rows.iter().skip(open.offset).take(300).find(|row| row.key == key));
    if let Some(row) = group
        && let RowKind::Group { members, sum, longest, .. } = &row.kind
    {
        let label = group_label(analysis, row);
        let label = one_line(pen, &statement::summary(span.category, &label));
        let figures = format!("  sum {sum} · longest {longest}");
        return vec![(format!("≡ {label} ×{}", members.len()).into(), pen.bold(Role::Slow)), (figures.into(), dim)];
    }
    let label = match span.category {
        Category::Sql => statement::summary(span.category, &span.label),
        _ => (*span.label).into(),
    };
    let role = match (place.failed, place.slow.is_some()) {
        (true, _) => Role::Error,
        (false, true) => Role::Slow,
        (false, false) => Role::Text,
    };
    let mut title: Vec<Piece<'static>> = vec![(one_line(pen, &label).into(), pen.bold(role))];
    if place.failed {
        title.push((" ✗ failed".into(), pen.style(Role::Error)));
    }
    if let Some(slow) = place.slow {
        let thresholds = &pen.state.settings.thresholds;
        let why = slow_sql::explain(thresholds, slow, place.duration(), analysis.duration());
        title.push((format!(" ▲ {why}").into(), pen.style(Role::Slow)));
    }
    if let Some(short) = open.baselines.get(&span.key).and_then(Baseline::short) {
        title.push((format!("  {} {short}", place.duration()).into(), dim));
    }
    let after = place.start.since(analysis.start);
    title.push((format!("  self {}", place.self_time).into(), dim));
    // Beside a span that is on the path whole nothing is new.
    if place.path > Nanos::ZERO && place.path_self < place.self_time {
        title.push((format!(" · on the path {}", place.path_self).into(), dim));
    }
    let began = if after.0 == 0 { " · at the start".to_owned() } else { format!(" · {after} after start") };
    title.push((began.into(), dim));
    title.push(("  ".into(), dim));
    title.push((one_line(pen, &span.service).into(), Style::new().fg(pen.look.service(&span.service))));
    if let Some(skew) = analysis.skews.iter().find(|skew| skew.node == node) {
        let (by, which) = (Nanos(skew.shift.unsigned_abs()), if skew.shift < 0 { "ahead of" } else { "behind" });
        title.push((format!(" · its clock runs {by} {which} its parent's").into(), pen.style(Role::Slow)));
    }
    if place.cycle {
        title.push((" · its parents form a circle".into(), pen.style(Role::Slow)));
    }
    title
}

fn one_line(pen: &Pen<'_>, text: &str) -> String {
    let shown = shown(pen.state, text);
    text::cut_end(&text::visible(&shown), 60).into_owned()
}

/// What can be said of a row that is no span, or of a span that is still being read.
fn other(pen: &mut Pen<'_>, area: Rect, open: &TraceScreen, analysis: &Analysis) {
    let row = open.selected.and_then(|key| open.rows.iter().find(|row| row.key == key));
    let lines: Vec<String> = match row.map(|row| &row.kind) {
        Some(RowKind::Group { members, failed, slow, .. }) => group_lines(pen, members, analysis, (*failed, *slow)),
        Some(RowKind::Missing) => vec![
            "spans name this parent, but it is not held".to_owned(),
            "it may still arrive, was not sampled, or left to make room".to_owned(),
        ],
        Some(RowKind::Span) => vec!["reading …".to_owned()],
        None => Vec::new(),
    };
    let style = pen.style(Role::Dim);
    for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(open.detail.scroll)) {
        pen.put((area.x + 2, y), line, area.width.saturating_sub(3), style);
    }
}

/// A group: what it is, and its members one by one.
fn group_lines(pen: &Pen<'_>, members: &[u32], analysis: &Analysis, (failed, slow): (u32, u32)) -> Vec<String> {
    let mut lines = vec![
        format!("{} calls of the same kind below one parent, drawn as one; ⏎ unfolds them", members.len()),
        format!("{failed} failed · {slow} slow"),
        String::new(),
    ];
    lines.extend(members.iter().take(MEMBERS).filter_map(|member| {
        let (place, span) = (analysis.nodes.get(*member as usize)?, analysis.span(*member)?);
        let after = format!("+{}", place.start.since(analysis.start));
        Some(format!("{after:>10}{:>10}  {}", place.duration().to_string(), shown(pen.state, &span.label)))
    }));
    lines
}

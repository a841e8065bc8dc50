//! The selected statement: over lines, what is to be said of it, its latency over time.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::super::flow::role;
use super::super::format;
use super::super::layout;
use super::super::look::Role;
use super::super::pen::{Pen, Piece, cells, shown};
use super::super::text;
use super::{chart, mark, title};
use crate::analysis::statements::Statement;
use crate::app::{Highlighted, Token};

pub(super) fn draw(pen: &mut Pen<'_>, areas: &layout::Sql) {
    let Some(row) = pen.state.sql.selected().cloned() else { return };
    rule(pen, areas.rule, &row);
    let area = areas.statement;
    let said = said(pen, &row, area.width);
    // What is said of it stays in sight, below a line of air where there is one to spare.
    let kept = cells(said.len()).min(area.height / 2);
    let used = statement(pen, Rect { height: area.height - kept, ..area }, &row);
    let from = (used + 1).min(area.height - kept);
    for (line, y) in said.iter().zip(area.top() + from..area.bottom()) {
        pen.line((area.x, y), area.width, line);
    }
    let between = pen.state.sql.report.as_ref().map(|report| report.between).unwrap_or_default();
    chart::draw(pen, areas.chart, &row.over_time, between);
}

fn rule(pen: &mut Pen<'_>, area: Rect, row: &Statement) {
    let role = mark(pen.state, row).map_or(Role::Text, |(_, role)| role);
    let title = text::visible(&title(pen.state, row)).into_owned();
    let services: Vec<_> = row.services.iter().take(2).map(|(name, _)| text::visible(name).into_owned()).collect();
    let more = row.services.len().saturating_sub(2);
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    let system = if row.system.is_empty() { String::new() } else { format!("{} · ", text::visible(&row.system)) };
    let place = format!("  {system}{}{more}", services.join(", "));
    let room = usize::from(area.width).saturating_sub(text::width(&place) + 12);
    let title = text::cut_end(&title, room.max(12)).into_owned();
    let pieces: [Piece<'_>; 2] = [(title.into(), pen.bold(role)), (place.into(), pen.style(Role::Dim))];
    pen.rule(area, false, &pieces, "");
}

/// Answers how many rows it took.
fn statement(pen: &mut Pen<'_>, area: Rect, row: &Statement) -> u16 {
    let formatted = pen.state.sql.formatted.as_ref().filter(|formatted| formatted.of == row.key());
    // Until it has been formatted, as it stands.
    let lines: Highlighted = match formatted {
        Some(formatted) => Arc::clone(&formatted.lines),
        None => Arc::new(vec![vec![(Token::Plain, shown(pen.state, &row.text).into_owned())]]),
    };
    let height = usize::from(area.height);
    for (at, (line, y)) in lines.iter().zip(area.top()..area.bottom()).enumerate() {
        let hidden = lines.len() - at;
        if at + 1 == height && hidden > 1 {
            pen.put((area.x, y), &format!("… {hidden} lines more: y copies all"), area.width, pen.style(Role::Dim));
            break;
        }
        let pieces: Vec<Piece<'_>> =
            line.iter().map(|(token, text)| (text.as_str().into(), style(pen, *token))).collect();
        pen.line((area.x, y), area.width, &pieces);
    }
    cells(lines.len()).min(area.height)
}

fn style(pen: &Pen<'_>, token: Token) -> ratatui::style::Style {
    if token == Token::Keyword { pen.bold(Role::Keyword) } else { pen.style(role(token)) }
}

/// What is to be said of it in lines of `room` cells, the most telling first.
fn said(pen: &Pen<'_>, row: &Statement, room: u16) -> Vec<Vec<Piece<'static>>> {
    let (dim, slow, text) = (pen.style(Role::Dim), pen.style(Role::Slow), pen.style(Role::Text));
    let mut lines: Vec<Vec<Piece<'static>>> = Vec::new();
    if let Some(slower) = row.slower {
        let since = format::clock(slower.since, &pen.look.zone);
        let than = if room >= 60 { "slower than its own past" } else { "slower" };
        let line = format!("▲ {than}: p95 {}, was {} before {since}", slower.now, slower.before);
        lines.push(vec![(line.into(), slow)]);
    }
    if let Some((traces, most)) = row.repeated {
        let traces = super::many(traces, "trace");
        let line = format!("≡ up to {} × in a row below one span, in {traces}", format::count(u64::from(most)));
        lines.push(vec![(line.into(), slow)]);
    }
    let named = |label: &str| text::visible(&shown(pen.state, label)).into_owned();
    let mut who = |word: &str, counts: &[(Arc<str>, u64)], unit: &str| {
        let Some((first, count)) = counts.first() else { return };
        let more = counts.len() - 1;
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        let count = format!(" {}{unit}{more}", format::count(*count));
        lines.push(vec![(word.to_owned().into(), dim), (named(first).into(), text), (count.into(), dim)]);
    };
    who("called by ", &row.callers, " ×");
    let single = row.routes.first().is_some_and(|(_, count)| *count == 1);
    who("in ", &row.routes, if single { " trace" } else { " traces" });
    lines
}

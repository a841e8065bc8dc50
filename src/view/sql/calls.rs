//! The calls of one statement, slowest first.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::super::bar::log_halves;
use super::super::format;
use super::super::look::Role;
use super::super::pen::{Pen, number, shown};
use super::super::text;
use super::many;
use crate::analysis::statements::Example;

/// Where things stand: time of day, duration, bar, route, id of the trace.
const DURATION_END: u16 = 25;
const BAR: u16 = 27;

pub(super) fn draw(pen: &mut Pen<'_>, heads: Rect, area: Rect) {
    let sql = &pen.state.sql;
    let (Some(calls), Some(row)) = (&sql.calls, sql.selected()) else { return };
    let faint = pen.style(Role::Faint);
    pen.put((heads.x + 3, heads.y), "began", 12, faint);
    pen.put_right((heads.x + DURATION_END, heads.y), "took▾", 9, faint);
    let route = route(area.width);
    pen.put((heads.x + route, heads.y), "in", 8, faint);
    let shown = number(row.examples.len());
    let what = if shown < row.calls {
        format!("its {} slowest of {}", format::count(shown), many(row.calls, "call"))
    } else {
        format!("its {}", many(row.calls, "call"))
    };
    pen.put_right((heads.right() - 1, heads.y), &what, heads.width.saturating_sub(route + 4), pen.style(Role::Dim));
    let selected = calls.table.at(&calls.keys);
    for (at, y) in (calls.table.offset..).zip(area.top()..area.bottom()) {
        let Some(call) = row.examples.get(at) else { break };
        self::call(pen, Rect { y, height: 1, ..area }, call, selected == Some(at));
    }
}

/// Where the route begins.
fn route(width: u16) -> u16 {
    if width >= 100 { BAR + 16 } else { BAR }
}

fn call(pen: &mut Pen<'_>, area: Rect, call: &Example, selected: bool) {
    if selected {
        pen.select(area);
    }
    let (x, y) = (area.x, area.y);
    let slow = super::is_slow(pen.state, call.duration);
    let role = match (call.failed, slow) {
        (true, _) => Role::Error,
        (_, true) => Role::Slow,
        _ => Role::Text,
    };
    let glyph = match role {
        Role::Error => "✗",
        Role::Slow => "▲",
        _ => "",
    };
    pen.put((x + 1, y), glyph, 1, pen.style(role));
    pen.put((x + 3, y), &format::time_of_day(call.start, &pen.look.zone), 12, pen.style(Role::Dim));
    pen.put_right((x + DURATION_END, y), &call.duration.to_string(), 9, pen.bold(role));
    let route = route(area.width);
    if route > BAR {
        let colour = pen.style(if role == Role::Text { Role::Accent } else { role }).fg;
        let style = colour.map_or_else(Style::new, |colour| Style::new().fg(colour));
        pen.thin((x + BAR, y), log_halves(call.duration, 14), style);
    }
    let id = call.trace.to_string();
    let id_width = if area.width >= 100 { 33 } else { 9 };
    let label = text::visible(&shown(pen.state, &call.route)).into_owned();
    let mut style = pen.style(Role::Text);
    if selected {
        style = style.add_modifier(Modifier::BOLD);
    }
    let room = area.width.saturating_sub(route + id_width + 2);
    pen.put((x + route, y), &text::cut_end(&label, usize::from(room)), room, style);
    pen.put((x + area.width.saturating_sub(id_width), y), &id, id_width - 1, pen.style(Role::Dim));
    if selected {
        pen.calm(area);
    }
}

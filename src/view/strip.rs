//! The strip above the list: requests, errors and latency over time.

use ratatui::layout::Rect;

use super::format;
use super::layout::strip_columns;
use super::look::Role;
use super::pen::Pen;
use crate::model::Nanos;

/// The columns of a sparkline in which time marks lie.
fn marks(pen: &mut Pen<'_>, (x, y): (u16, u16), columns: u16) {
    let strip = &pen.state.list.strip;
    let second = Nanos::from_secs(1).0;
    let bucket = |at: u64| at / second / strip.seconds.max(1);
    let now = bucket(strip.until.0);
    let places = pen.state.marks.iter().filter_map(|mark| {
        let back = u16::try_from(now.checked_sub(bucket(mark.at.0))?).ok()?;
        columns.checked_sub(back + 1)
    });
    for column in places.collect::<Vec<u16>>() {
        pen.put((x + column, y), "│", 1, pen.style(Role::Accent));
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let strip = &pen.state.list.strip;
    let (columns, part) = strip_columns(area.width);
    let wide = |values: &[u32]| -> Vec<u64> { values.iter().copied().map(u64::from).collect() };
    let errors = strip.error_share > 0.0;
    let rate = format::rate(strip.rate);
    let share = format!("{:.1} %", strip.error_share * 100.0);
    let p95 = Nanos(strip.p95_all).to_string();
    let good = pen.look.style(Role::Accent).remove_modifier(ratatui::style::Modifier::BOLD);
    let parts: [(&str, Vec<u64>, String, ratatui::style::Style); 3] = [
        ("req/s", wide(&strip.requests), rate, good),
        ("errors", wide(&strip.errors), share, pen.style(Role::Error)),
        ("p95", strip.p95.clone(), p95, pen.style(Role::Dim)),
    ];
    let (dim, faint) = (pen.style(Role::Dim), pen.style(Role::Faint));
    for (at, (label, values, figure, style)) in (0_u16..).zip(parts) {
        let x = area.x + 1 + at * part;
        pen.put((x, area.y), label, 6, dim);
        pen.spark((x + 7, area.y), columns, &values, (style, faint));
        marks(pen, (x + 7, area.y), columns);
        let figure_style = match at {
            1 if errors => pen.style(Role::Error),
            1 => dim,
            _ => pen.style(Role::Text),
        };
        pen.put((x + 8 + columns, area.y), &figure, 7, figure_style);
    }
}

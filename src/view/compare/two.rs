//! Two traces side by side: one tree, two bars on one scale of time.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::bar::{Bar, Window};
use super::super::format;
use super::super::look::Role;
use super::super::pen::{Pen, Piece, shown};
use super::super::text;
use super::super::trace::many;
use crate::analysis::Analysis;
use crate::analysis::compare::{PairRow, Strand};
use crate::app::TwoTraces;
use crate::model::{Nanos, Timestamp};

/// Where things stand, from the left edge.
struct Columns {
    name: u16,
    bars: [u16; 2],
    bar: u16,
    durations: [u16; 2],
    change: u16,
}

fn columns(width: u16) -> Columns {
    let change = width.saturating_sub(1);
    let name = (width * 34 / 100).clamp(16, 52);
    let part = change.saturating_sub(name + 11) / 2;
    let bar = part.saturating_sub(11);
    let bars = [name + 1, name + 1 + part];
    Columns { name, bars, bar, durations: bars.map(|start| start + bar + 9), change }
}

/// A trace's root in a line: what, when, how long, how many spans.
fn side(pen: &mut Pen<'_>, area: Rect, (analysis, name, role): (&Analysis, &str, Role)) {
    let (dim, state) = (pen.style(Role::Dim), pen.state);
    let root = analysis.roots.iter().find_map(|node| analysis.span(*node));
    let label = root.map_or_else(|| "no root span yet".into(), |span| shown(state, &span.label));
    let spans = u64::try_from(analysis.trace.spans.len()).unwrap_or(u64::MAX);
    let errors = u64::try_from(analysis.errors.len()).unwrap_or(u64::MAX);
    let mut pieces: Vec<Piece<'_>> = vec![
        (format!("{name:<8}").into(), pen.style(role)),
        (format!("{:>8}", analysis.duration().to_string()).into(), pen.bold(Role::Text)),
        (format!("  {}  ", format::time_of_day(analysis.start, &pen.look.zone)).into(), dim),
        (label, pen.style(Role::Text)),
        (format!("  {}", many(spans, "span")).into(), dim),
    ];
    if errors > 0 {
        pieces.push((format!(" · ✗ {}", many(errors, "error")).into(), pen.style(Role::Error)));
    }
    pen.line((area.x + 1, area.y), area.width.saturating_sub(1), &pieces);
}

pub(super) fn head(pen: &mut Pen<'_>, area: Rect, two: &TwoTraces) {
    let line = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    let [first, second] = &two.traces;
    side(pen, line(0), (first, "earlier", Role::Dim));
    side(pen, line(1), (second, "later", Role::Accent));
    let columns = columns(area.width);
    let faint = pen.style(Role::Faint);
    let y = area.y + 3;
    let only = |side: usize| two.pair.rows.iter().filter(|row| row.strands[1 - side].is_none()).count();
    let (gone, new) = (only(0), only(1));
    let told = format!("{} in both, {new} new, {gone} gone", two.pair.rows.len() - gone - new);
    pen.put((area.x + 1, y - 1), &told, area.width, pen.style(Role::Dim));
    pen.put((area.x + 1, y), "span", columns.name, faint);
    let scale = two.pair.durations[0].max(two.pair.durations[1]);
    for (place, name) in columns.bars.into_iter().zip(["earlier", "later"]) {
        pen.put((area.x + place, y), name, columns.bar, faint);
        if columns.bar > 18 {
            pen.put_right((area.x + place + columns.bar, y), &scale.to_string(), 9, faint);
        }
    }
    pen.put_right((area.x + columns.change, y), "change", 9, faint);
}

pub(super) fn row(pen: &mut Pen<'_>, area: Rect, two: &TwoTraces, index: usize) {
    let Some(row) = two.pair.rows.get(index) else { return };
    let columns = columns(area.width);
    name(pen, area, &columns, row);
    let whole = two.pair.durations[0].max(two.pair.durations[1]);
    for (side, strand) in row.strands.iter().enumerate() {
        let Some(strand) = strand else { continue };
        let colour = pen.look.service(&row.operation.service);
        let colour = if strand.failed > 0 { pen.look.alarm(true) } else { colour };
        bar(pen, (area.x + columns.bars[side], area.y), (whole, columns.bar), (&two.traces[side], strand, colour));
        let style = if strand.failed > 0 { pen.style(Role::Error) } else { pen.style(Role::Text) };
        pen.put_right((area.x + columns.durations[side], area.y), &strand.sum.to_string(), 9, style);
    }
    let (told, role) = match (row.change(), row.strands[0].is_some()) {
        (None, true) => ("- gone".to_owned(), Role::Dim),
        (None, false) => ("+ new".to_owned(), Role::Accent),
        (Some(change), _) => {
            let size = Nanos(u64::try_from(change.unsigned_abs()).unwrap_or(u64::MAX));
            // What is a hundredth of the trace is worth a colour.
            let large = size.0 >= whole.0 / 100;
            match change {
                0 => ("=".to_owned(), Role::Faint),
                1.. => (format!("+{size}"), if large { Role::Slow } else { Role::Dim }),
                _ => (format!("-{size}"), if large { Role::Good } else { Role::Dim }),
            }
        }
    };
    pen.put_right((area.x + columns.change, area.y), &told, 10, pen.style(role));
}

fn name(pen: &mut Pen<'_>, area: Rect, columns: &Columns, row: &PairRow) {
    let operation = &row.operation;
    let indent = u16::try_from(row.depth.min(12)).unwrap_or(12) + 1;
    pen.put((area.x + indent, area.y), "▌", 1, Style::new().fg(pen.look.service(&operation.service)));
    let name =
        if operation.name.is_empty() { "a span that is not held".into() } else { shown(pen.state, &operation.name) };
    let counts = row.strands.map(|strand| strand.map_or(0, |strand| strand.count));
    let times = match counts {
        [one, other] if one.max(other) < 2 => String::new(),
        [0, count] | [count, 0] => format!(" ×{count}"),
        [one, other] if one == other => format!(" ×{one}"),
        [one, other] => format!(" ×{one} → ×{other}"),
    };
    let room = columns.name.saturating_sub(indent + 1);
    let both = row.strands.iter().all(Option::is_some);
    let style = pen.style(if both {
        Role::Text
    } else if row.strands[1].is_some() {
        Role::Accent
    } else {
        Role::Dim
    });
    let cut = usize::from(room).saturating_sub(text::width(&times));
    let name = text::cut_end(&text::visible(&name), cut).into_owned();
    let used = pen.put((area.x + indent + 1, area.y), &name, room, style);
    pen.put((area.x + indent + 1 + used, area.y), &times, room - used.min(room), pen.style(Role::Dim));
}

/// A bar on a scale that both traces share; of many spans, from the first to the last.
fn bar(
    pen: &mut Pen<'_>,
    at: (u16, u16),
    (whole, columns): (Nanos, u16),
    (analysis, strand, colour): (&Analysis, &Strand, ratatui::style::Color),
) {
    let window = Window { from: Timestamp(0), to: Timestamp(whole.0.max(1)), columns };
    let start = analysis.start;
    let covered: Vec<(Timestamp, Timestamp)> = if strand.count == 1 {
        let since = |at: Timestamp| Timestamp(at.since(start).0);
        analysis.covered_of(strand.node).iter().map(|(from, to)| (since(*from), since(*to))).collect()
    } else {
        Vec::new()
    };
    let bar =
        Bar { start: Timestamp(strand.from.0), end: Timestamp(strand.to.0), covered: &covered, colour, rest: None };
    pen.bar(at, window, &bar, Style::new());
}

//! The heat map: latency over time, two rows to a line, as dense as there are traces.

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::axis;
use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells};
use super::text;
use super::trace::many;
use crate::analysis::heat::HeatMap;
use crate::app::{HeatScreen, Target};
use crate::model::{Nanos, Timestamp};

/// Columns of the axis of durations.
const AXIS: u16 = 8;
/// Where no shades can be shown: from few to many.
const GLYPHS: [&str; 4] = ["░", "▒", "▓", "█"];
const PLAIN: [&str; 4] = [".", ":", "#", "@"];

/// Where the cells are: below a line that says what is inside, above the axis of time.
fn plot(area: Rect) -> Rect {
    let lines = area.height.saturating_sub(2);
    let left = AXIS.min(area.width);
    Rect { x: area.x + left, y: area.y + 1, width: area.width.saturating_sub(left + 1), height: lines }
}

/// How many columns and rows there are: two rows to a line.
pub(super) fn size(area: Rect) -> (u16, u16) {
    let plot = plot(area);
    if area.height < 5 || plot.width < 8 { (0, 0) } else { (plot.width, plot.height * 2) }
}

/// The cell under the pointer.
pub(super) fn hit(area: Rect, at: Position) -> Target {
    let plot = plot(area);
    if !plot.contains(at) {
        return Target::Nothing;
    }
    Target::Heat((at.x - plot.x, (plot.bottom() - 1 - at.y) * 2))
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let Some(heat) = pen.state.list.heat.filter(|_| area.height > 0) else { return };
    let plot = plot(area);
    let Some(map) = pen.state.list.strip.heat.clone().filter(|map| map.columns <= plot.width) else {
        return super::trace::empty(pen, area, "Counting …", "");
    };
    said(pen, area, &map, &heat);
    durations(pen, (area.x, plot), &map);
    let ink = Ink::new(&map, &heat);
    for line in 0..plot.height.min(map.rows / 2) {
        for column in 0..map.columns {
            let low = (map.rows / 2 - 1 - line) * 2;
            cell(pen, (plot.x + column, plot.y + line), &map, &ink, (column, low));
        }
    }
    times(pen, Rect { y: plot.bottom(), height: 1, ..plot }, &map);
}

/// What lies inside the brush, or under the cursor.
fn said(pen: &mut Pen<'_>, area: Rect, map: &HeatMap, heat: &HeatScreen) {
    let within = heat.within(map);
    let (dim, text) = (pen.style(Role::Dim), pen.style(Role::Text));
    let (inside, errors) = map.cells(&within).map_or((0, 0), |(one, other)| map.sum(one, other));
    let time = |at: Timestamp| format::time_of_day(at, &pen.look.zone).chars().take(8).collect::<String>();
    let most = if within.most.0 == u64::MAX { "more".to_owned() } else { within.most.to_string() };
    let what = if heat.brush.is_some() { "inside" } else { "here" };
    let mut pieces: Vec<Piece<'_>> = vec![
        ("latency  ".into(), pen.bold(Role::Text)),
        (format!("{} {what}", many(inside, "trace")).into(), text),
        (format!("  {} to {most}  {}–{}", within.least, time(within.from), time(within.to)).into(), dim),
    ];
    if errors > 0 {
        pieces.push((format!("  ✗ {}", many(errors, "error")).into(), pen.style(Role::Error)));
    }
    let outside = map.before + map.after;
    if outside > 0 {
        pieces.push((format!("  {} at other times", format::count(outside)).into(), dim));
    }
    pen.whole((area.x + 1, area.y), area.width.saturating_sub(2), &pieces);
}

/// Labels at 1, 10, 100 and so on.
fn durations(pen: &mut Pen<'_>, (x, plot): (u16, Rect), map: &HeatMap) {
    let faint = pen.style(Role::Faint);
    let mut decade = 1_u64;
    let mut free = plot.bottom();
    while let Some(next) = decade.checked_mul(10) {
        if decade >= map.bounds.0.0 && decade <= map.bounds.1.0 {
            let row = map.row(Nanos(decade));
            let y = plot.bottom().saturating_sub(1 + row / 2);
            if y >= plot.y && y < free {
                pen.put_right((x + AXIS - 1, y), &axis::label(Nanos(decade)), AXIS - 1, faint);
                free = y;
            }
        }
        decade = next;
    }
}

/// Times at both ends and between, and the marks.
fn times(pen: &mut Pen<'_>, area: Rect, map: &HeatMap) {
    const LABEL: u16 = 9;
    let faint = pen.style(Role::Faint);
    let step = (map.columns / 4).max(LABEL + 2);
    for column in (0..map.columns.saturating_sub(LABEL)).step_by(usize::from(step)) {
        let time: String = format::time_of_day(map.begins(column), &pen.look.zone).chars().take(8).collect();
        let used = pen.put((area.x + column, area.y), "╵", 1, faint);
        pen.put((area.x + column + used, area.y), &time, LABEL, faint);
    }
    let marks = pen.state.marks.iter().filter_map(|mark| map.column(mark.at)).collect::<Vec<u16>>();
    for column in marks {
        pen.put((area.x + column, area.y), "▴", 1, pen.style(Role::Accent));
    }
}

/// What cells are drawn with.
struct Ink {
    /// The largest count.
    most: u32,
    /// Cells of the brush: corners.
    brush: Option<((u16, u16), (u16, u16))>,
    cursor: (u16, u16),
}

impl Ink {
    fn new(map: &HeatMap, heat: &HeatScreen) -> Self {
        let most = map.counts.iter().copied().max().unwrap_or(0);
        let brush = heat.brush.and_then(|brush| map.cells(&brush));
        Self { most, brush, cursor: heat.cell(map) }
    }

    fn brushed(&self, (column, row): (u16, u16)) -> bool {
        self.brush.is_some_and(|(low, high)| (low.0..=high.0).contains(&column) && (low.1..=high.1).contains(&row))
    }

    /// How dense, 0 to 100: by the logarithm, so that a single trace is seen beside thousands.
    fn percent(&self, count: u32) -> u16 {
        if count == 0 {
            return 0;
        }
        let share = f64::from(count).ln_1p() / f64::from(self.most.max(1)).ln_1p();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = (30.0 + share * 70.0) as u16;
        percent.min(100)
    }
}

fn cell(pen: &mut Pen<'_>, at: (u16, u16), map: &HeatMap, ink: &Ink, (column, low): (u16, u16)) {
    if !pen.area.contains(at.into()) {
        return;
    }
    let halves =
        [low + 1, low].map(|row| (map.at(column, row), ink.brushed((column, row)), ink.cursor == (column, row)));
    if pen.look.ramp(false, 100).is_none() || pen.look.ascii {
        return plain(pen, at, ink, halves);
    }
    let colour = |((count, errors), brushed, cursor): ((u32, u32), bool, bool)| {
        if cursor {
            return pen.style(Role::Text).fg;
        }
        match ink.percent(count) {
            0 if brushed => pen.look.selection().bg,
            0 => None,
            percent => pen.look.ramp(errors > 0, percent),
        }
    };
    let (symbol, style) = match halves.map(colour) {
        [None, None] => return,
        [Some(upper), None] => ("▀", Style::new().fg(upper)),
        [None, Some(lower)] => ("▄", Style::new().fg(lower)),
        [Some(upper), Some(lower)] => ("▀", Style::new().fg(upper).bg(lower)),
    };
    pen.put(at, symbol, 1, style);
}

/// Both rows of a line as one glyph, where there are no shades.
fn plain(pen: &mut Pen<'_>, at: (u16, u16), ink: &Ink, halves: [((u32, u32), bool, bool); 2]) {
    let count: u32 = halves.iter().map(|((count, _), ..)| count).sum();
    let failed = halves.iter().any(|((_, errors), ..)| *errors > 0);
    let (brushed, cursor) = (halves.iter().any(|half| half.1), halves.iter().any(|half| half.2));
    let step = usize::from(ink.percent(count).saturating_sub(30)) * GLYPHS.len() / 71;
    let glyph = |step: usize| if pen.look.ascii { PLAIN.get(step) } else { GLYPHS.get(step) };
    let symbol = match count {
        0 if cursor => "+",
        0 => " ",
        _ => glyph(step).copied().unwrap_or("█"),
    };
    let mut style = pen.style(if failed { Role::Error } else { Role::Accent });
    if brushed || cursor {
        style = style.add_modifier(Modifier::REVERSED);
    }
    if cursor {
        style = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    }
    let width = cells(text::width(symbol));
    pen.put(at, symbol, width, style);
}

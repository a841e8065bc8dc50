//! The rows of the sections.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::format;
use super::super::look::Role;
use super::super::pen::{Pen, Piece, number, shown, shown_value};
use super::super::text;
use super::super::trace::many;
use crate::analysis::compare::{Difference, DifferenceKind, OperationRow, SIGNIFICANT, Side};
use crate::app::{CompareReport, OperationSort, Section};
use crate::model::Nanos;

/// A share that changed by less than this factor is not coloured.
const SAME: f64 = 1.2;

/// Where things stand, from the left edge. A width of 0: not shown.
pub(super) struct Columns {
    /// Columns of the name.
    name: u16,
    /// Ends of: how often, calls a trace, p50, p95, p99.
    n: u16,
    calls: u16,
    p50: u16,
    p95: u16,
    p99: u16,
    ratio: u16,
    ratio_width: u16,
    /// Of an attribute: where its name ends, the two bars begin, and the ends of difference, p and counts.
    key: u16,
    bars: [u16; 2],
    bar: u16,
    size: u16,
    p: u16,
    counts: u16,
}

impl Columns {
    pub(super) fn new(width: u16) -> Self {
        let wide = width >= 100;
        let ratio_width = if wide { 15 } else { 8 };
        let ratio = width.saturating_sub(ratio_width + 1);
        let figures = if width >= 72 { 19 } else { 0 };
        let p99 = if width >= 150 { ratio.saturating_sub(1) } else { 0 };
        let p95 = match (wide, p99) {
            (false, _) => 0,
            (true, 0) => ratio.saturating_sub(1),
            (true, p99) => p99 - figures,
        };
        let p50 = if p95 > 0 { p95 - figures } else { ratio.saturating_sub(1) };
        let calls = p50.saturating_sub(figures);
        let n = if wide { calls.saturating_sub(12) } else { 0 };
        let name = if wide { n.saturating_sub(12) } else { calls.saturating_sub(12) };
        let bar = if wide { 12 } else { 6 };
        let counts = width.saturating_sub(1);
        let p = counts.saturating_sub(if wide { 22 } else { 14 });
        let size = p.saturating_sub(8);
        let second = size.saturating_sub(bar + 12);
        let first = second.saturating_sub(bar + 7);
        Self {
            name,
            n,
            calls,
            p50,
            p95,
            p99,
            ratio,
            ratio_width,
            key: first.saturating_sub(2),
            bars: [first, second],
            bar,
            size,
            p,
            counts,
        }
    }
}

pub(super) fn title(
    pen: &mut Pen<'_>,
    area: Rect,
    columns: &Columns,
    (report, section, count): (&CompareReport, Section, usize),
) {
    let faint = pen.style(Role::Faint);
    let (x, y) = (area.x, area.y);
    let differences = &report.found.differences;
    let (name, more) = match section {
        Section::Requests => ("requests", " ⏎ compares another".to_owned()),
        Section::Operations => ("operations", format!(" by {}", by(pen.state.compare.sort))),
        Section::Statements => ("statements of one side", String::new()),
        Section::Attributes => {
            let tested = format::count(number(differences.tested));
            ("attributes", format!(" {} of {tested} beyond chance", format::count(number(differences.significant))))
        }
        Section::Two => ("", String::new()),
    };
    let room = if section == Section::Attributes { columns.key } else { columns.name };
    let pieces: [Piece<'_>; 2] = [(name.into(), pen.bold(Role::Text)), (more.into(), pen.style(Role::Dim))];
    pen.line((x + 1, y), room, &pieces);
    let Some(ask) = report.ask.as_ref().filter(|_| count > 0) else { return };
    let [selection, baseline] = ask.basis.names();
    if section == Section::Attributes {
        for (place, name) in columns.bars.into_iter().zip([selection, baseline]) {
            pen.put((x + place, y), name, columns.bar + 5, faint);
        }
        pen.put_right((x + columns.size, y), "diff", 6, faint);
        pen.put_right((x + columns.p, y), "p", 6, faint);
        pen.put_right((x + columns.counts, y), "traces", 12, faint);
        return;
    }
    let ends =
        [(columns.n, "n"), (columns.calls, "calls"), (columns.p50, "p50"), (columns.p95, "p95"), (columns.p99, "p99")];
    for (end, head) in ends.into_iter().filter(|(end, _)| *end > 0) {
        let head = match head {
            "calls" if section == Section::Requests => "".into(),
            "n" | "calls" => head.into(),
            _ => super::super::survey::percentile(pen.state, head),
        };
        pen.put_right((x + end, y), &head, 12, faint);
    }
    let way = format!("{baseline}→{selection}");
    let way = if text::width(&way) <= usize::from(columns.ratio_width) { way } else { "ratio".to_owned() };
    pen.put((x + columns.ratio + 1, y), &way, columns.ratio_width, faint);
}

pub(super) fn by(sort: OperationSort) -> &'static str {
    match sort {
        OperationSort::Time => "change",
        OperationSort::Ratio => "ratio",
        OperationSort::Calls => "calls",
        OperationSort::P95 => "p95",
    }
}

pub(super) fn nothing(pen: &mut Pen<'_>, area: Rect, (report, section): (&CompareReport, Section)) {
    let empty = report.found.chosen().is_none_or(|chosen| chosen.selection.n.min(chosen.baseline.n) == 0);
    let text = match section {
        Section::Statements | Section::Attributes if empty => "one side has no such request",
        Section::Statements => "both sides run the same statements",
        Section::Attributes => "every trace has the same",
        Section::Requests | Section::Operations | Section::Two => "none",
    };
    pen.put((area.x + 3, area.y), text, area.width.saturating_sub(3), pen.style(Role::Dim));
}

/// What was left out of the attributes, and why.
pub(super) fn note(pen: &mut Pen<'_>, area: Rect, report: &CompareReport) {
    let differences = &report.found.differences;
    let list = |names: &[String]| {
        let some: Vec<Cow<'_, str>> = names.iter().take(3).map(|name| shown(pen.state, name)).collect();
        let more = names.len().saturating_sub(some.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", some.join(", "))
    };
    let mut parts = Vec::new();
    if !differences.names.is_empty() {
        parts.push(format!("left out, nearly every trace has its own: {}", list(&differences.names)));
    }
    if !differences.crowded.is_empty() {
        parts.push(format!("too many values: {}", list(&differences.crowded)));
    }
    if differences.cut > 0 {
        parts.push(format!("{} looked at in part", many(differences.cut, "large trace")));
    }
    let text = parts.join(" · ");
    pen.put((area.x + 3, area.y), &text, area.width.saturating_sub(4), pen.style(Role::Dim));
}

pub(super) fn operation(
    pen: &mut Pen<'_>,
    area: Rect,
    columns: &Columns,
    (report, section, row): (&CompareReport, Section, &OperationRow),
) {
    let (x, y) = (area.x, area.y);
    let (text_style, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let chosen =
        section == Section::Requests && report.found.chosen().is_some_and(|chosen| chosen.operation == row.operation);
    if chosen {
        pen.put((x, y), "▸", 1, pen.bold(Role::Accent));
    }
    pen.put((x + 1, y), "▌", 1, Style::new().fg(pen.look.service(&row.operation.service)));
    let name = shown(pen.state, &row.operation.name).into_owned();
    let name = text::cut_end(&text::visible(&name), usize::from(columns.name.saturating_sub(2))).into_owned();
    let style = if row.is_small() { dim } else { text_style };
    pen.put((x + 2, y), &name, columns.name.saturating_sub(2), style);
    let (one, other) = (row.baseline, row.selection);
    let way = |from: String, to: String| if from == to { from } else { format!("{from} → {to}") };
    if columns.n > 0 {
        let n = format!("{}:{}", format::count(one.n), format::count(other.n));
        pen.put_right((x + columns.n, y), &n, 12, dim);
    }
    if columns.calls > columns.name && section != Section::Requests {
        let calls = way(calls(one), calls(other));
        let changed = (one.calls() - other.calls()).abs() >= 0.5;
        pen.put_right((x + columns.calls, y), &calls, 11, if changed { text_style } else { dim });
    }
    if columns.p50 > columns.calls {
        let figure = |side: Side, figure: Nanos| if side.n == 0 { "–".to_owned() } else { figure.to_string() };
        let p50 = way(figure(one, one.p50), figure(other, other.p50));
        pen.put_right((x + columns.p50, y), &p50, 17, style);
        if columns.p95 > 0 {
            let p95 = way(figure(one, one.p95), figure(other, other.p95));
            pen.put_right((x + columns.p95, y), &p95, 17, dim);
        }
        if columns.p99 > 0 {
            let p99 = way(figure(one, one.p99), figure(other, other.p99));
            pen.put_right((x + columns.p99, y), &p99, 17, dim);
        }
    }
    ratio(pen, (x + columns.ratio + 1, y), columns.ratio_width, row);
}

pub(super) fn calls(side: Side) -> String {
    let calls = side.calls();
    if calls >= 10.0 || (calls - calls.round()).abs() < 0.005 {
        format!("{calls:.0}")
    } else if calls >= 0.1 {
        format!("{calls:.1}")
    } else {
        format!("{calls:.2}")
    }
}

/// How many times as long it takes, and how far that is from the same.
fn ratio(pen: &mut Pen<'_>, (x, y): (u16, u16), room: u16, row: &OperationRow) {
    if row.is_new() || row.is_gone() {
        let (word, role) = if row.is_new() { ("+ new", Role::Accent) } else { ("- gone", Role::Dim) };
        pen.put((x, y), word, room, pen.style(role));
        return;
    }
    let Some(ratio) = row.ratio() else { return };
    let same = ratio < SAME && ratio > 1.0 / SAME;
    let role = if same || row.is_small() {
        Role::Dim
    } else if ratio > 1.0 {
        Role::Slow
    } else {
        Role::Good
    };
    let style = pen.style(role);
    let told = match ratio {
        ratio if ratio >= 9.95 => format!("×{ratio:.0}"),
        ratio if ratio >= 0.995 => format!("×{ratio:.1}"),
        ratio if ratio >= 0.01 => format!("×{ratio:.2}"),
        _ => "×<0.01".to_owned(),
    };
    let used = pen.put((x, y), &format!("{told:<6}"), room, style);
    if same {
        return;
    }
    let most = room.saturating_sub(used + 1) * 2;
    // Each doubling is a cell.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let halves = (ratio.max(1e-9).log2().abs() * 2.0).round() as u16;
    pen.thin((x + used, y), halves.clamp(1, most.max(1)), style);
}

pub(super) fn attribute(pen: &mut Pen<'_>, area: Rect, columns: &Columns, row: &Difference) {
    let (x, y) = (area.x, area.y);
    let (text_style, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let style = if row.is_significant() { text_style } else { dim };
    let value = match &row.kind {
        DifferenceKind::Value { value, .. } => Some(shown_value(pen.state, &row.key, value)),
        DifferenceKind::Quantity { .. } => None,
    };
    let key = shown(pen.state, &row.key).into_owned();
    let key_style = if row.is_significant() { pen.style(Role::Key) } else { dim };
    let mut pieces: Vec<Piece<'_>> = vec![(key.into(), key_style)];
    if let Some((value, masked)) = value {
        let value = if value.is_empty() { "\"\"".to_owned() } else { value.into_owned() };
        pieces.push(("=".into(), dim));
        pieces.push((value.into(), if masked { dim } else { style }));
    }
    pen.line((x + 1, y), columns.key, &pieces);
    match &row.kind {
        DifferenceKind::Value { counts, .. } => {
            for (side, share) in row.shares().into_iter().enumerate() {
                let at = x + columns.bars[side];
                let role = if side == 0 { Role::Accent } else { Role::Dim };
                bar(pen, (at, y), (share, columns.bar), pen.style(role));
                pen.put_right((at + columns.bar + 6, y), &format!("{:.0} %", share * 100.0), 5, style);
            }
            let size = format!("{:+.0}", row.size() * 100.0);
            pen.put_right((x + columns.size, y), &size, 6, style);
            let [one, other] =
                [0, 1].map(|side| format!("{}/{}", format::count(counts[side]), format::count(row.traces[side])));
            let told = format!("{one} {other}");
            let told = if text::width(&told) > usize::from(columns.counts - columns.p - 1) {
                format!("{} {}", format::count(counts[0]), format::count(counts[1]))
            } else {
                told
            };
            pen.put_right((x + columns.counts, y), &told, columns.counts - columns.p - 1, dim);
        }
        DifferenceKind::Quantity { medians, distance } => {
            for (side, median) in medians.iter().enumerate() {
                pen.put((x + columns.bars[side], y), &format!("~{}", quantity(*median)), columns.bar + 5, style);
            }
            pen.put_right((x + columns.size, y), &format!("D {distance:+.2}"), 8, style);
            let told = row.traces.map(format::count).join(" ");
            pen.put_right((x + columns.counts, y), &told, columns.counts - columns.p - 1, dim);
        }
    }
    pen.put_right((x + columns.p, y), &chance(row.corrected), 7, style);
}

/// A median, short.
pub(super) fn quantity(number: f64) -> String {
    let size = number.abs();
    if size >= 1e15 || (size > 0.0 && size < 0.001) {
        return format!("{number:.2e}");
    }
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.3}") }
}

pub(super) fn chance(p: f64) -> String {
    if p < 1e-9 {
        "<1e-9".to_owned()
    } else if p < SIGNIFICANT / 10.0 {
        format!("{p:.0e}")
    } else if p < 0.1 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}

/// A share as a line to half a cell; anything is seen.
fn bar(pen: &mut Pen<'_>, at: (u16, u16), (share, columns): (f64, u16), style: Style) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few columns")]
    let halves = (share.clamp(0.0, 1.0) * f64::from(columns) * 2.0).round() as u16;
    pen.thin(at, if share > 0.0 { halves.max(1) } else { 0 }, style);
}

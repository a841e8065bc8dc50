//! What is selected, in full: the whole name, and every figure of both sides.

use ratatui::layout::Rect;

use super::super::format;
use super::super::look::Role;
use super::super::pen::{Pen, Piece, shown, shown_value};
use super::super::trace::many;
use super::rows;
use crate::analysis::compare::{Difference, DifferenceKind, OperationRow, SMALL, Side};
use crate::app::{CompareReport, RowId};
use crate::model::Nanos;

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, report: &CompareReport) {
    let Some(id) = pen.state.compare.selected.clone().filter(|_| area.height > 0) else { return };
    match id {
        RowId::Operation(section, operation) => {
            let rows =
                if section == crate::app::Section::Requests { &report.found.roots } else { &report.found.operations };
            if let Some(row) = rows.iter().find(|row| row.operation == operation) {
                of_operation(pen, area, report, row);
            }
        }
        RowId::Attribute(..) => {
            let lines = report.lines(&pen.state.compare);
            let line = lines.iter().find(|line| report.id(**line).as_ref() == Some(&id));
            if let Some(crate::app::CompareLine::Attribute(index)) = line
                && let Some(row) = report.difference(*index)
            {
                of_attribute(pen, area, report, row);
            }
        }
        RowId::More(_) | RowId::Place(_) => pen.rule(Rect { height: 1, ..area }, false, &[], ""),
    }
}

fn of_operation(pen: &mut Pen<'_>, area: Rect, report: &CompareReport, row: &OperationRow) {
    let operation = &row.operation;
    let (dim, text) = (pen.style(Role::Dim), pen.style(Role::Text));
    let service = ratatui::style::Style::new().fg(pen.look.service(&operation.service));
    let title: [Piece<'_>; 2] =
        [(shown(pen.state, &operation.name), text), (format!("  {}", operation.service).into(), service)];
    pen.rule(Rect { height: 1, ..area }, false, &title, "");
    let names = report.ask.as_ref().map_or(["", ""], |ask| ask.basis.names());
    for (y, (name, side)) in (area.y + 1..area.bottom()).zip(names.into_iter().zip([row.selection, row.baseline])) {
        let Side { n, traces, total, p50, p95, p99, p95_within } = side;
        let mut pieces: Vec<Piece<'_>> = vec![(format!("{name:<8}").into(), dim)];
        if n == 0 {
            pieces.push((format!("never in {}", many(traces, "trace")).into(), dim));
        } else {
            let few = if n < SMALL { "▲" } else { " " };
            pieces.push((few.into(), pen.style(Role::Slow)));
            let often = format!("{:>6} in {}", format::count(n), format::count(traces));
            let calls = rows::calls(side);
            pieces.push((format!("{often} · {calls} a trace · p50 {p50}  p95 {p95}  p99 {p99}").into(), text));
            // So many as there are do not say it more exactly.
            pieces.push((p95_within.map_or_else(String::new, within).into(), dim));
            pieces.push((format!("  sum {total}").into(), dim));
        }
        pen.line((area.x + 1, y), area.width.saturating_sub(1), &pieces);
    }
}

/// Where a 95th percentile lies: ` (p95: 12 ms–15 ms)`, ` (p95: 12 ms or more)`.
fn within((from, to): (Nanos, Option<Nanos>)) -> String {
    match to {
        Some(to) if to == from => String::new(),
        Some(to) => format!(" (p95: {from}–{to})"),
        None => format!(" (p95: {from} or more)"),
    }
}

fn of_attribute(pen: &mut Pen<'_>, area: Rect, report: &CompareReport, row: &Difference) {
    let (dim, text) = (pen.style(Role::Dim), pen.style(Role::Text));
    let mut title: Vec<Piece<'_>> = vec![(shown(pen.state, &row.key), pen.style(Role::Key))];
    if let DifferenceKind::Value { value, .. } = &row.kind {
        title.push(("=".into(), dim));
        title.push((shown_value(pen.state, &row.key, value).0, text));
    }
    pen.rule(Rect { height: 1, ..area }, false, &title, "");
    let names = report.ask.as_ref().map_or(["", ""], |ask| ask.basis.names());
    let told = match &row.kind {
        DifferenceKind::Value { counts, .. } => {
            let side = |side: usize| {
                format!("{} of {} {}", format::count(counts[side]), format::count(row.traces[side]), names[side])
            };
            format!("{}, {}", side(0), side(1))
        }
        DifferenceKind::Quantity { medians, .. } => {
            let side = |side: usize| {
                format!(
                    "median {} of {} {}",
                    rows::quantity(medians[side]),
                    format::count(row.traces[side]),
                    names[side]
                )
            };
            format!("largest of a trace: {}, {}", side(0), side(1))
        }
    };
    let mut pieces: Vec<Piece<'_>> = vec![(told.into(), text)];
    if row.traces[0].min(row.traces[1]) < SMALL {
        pieces.push(("  ▲ few: little can be said".into(), pen.style(Role::Slow)));
    }
    pen.line((area.x + 1, area.y + 1), area.width.saturating_sub(1), &pieces);
    let test = match &row.kind {
        DifferenceKind::Value { .. } => "Fisher",
        DifferenceKind::Quantity { .. } => "Kolmogorov-Smirnov",
    };
    let tested = format::count(u64::try_from(report.found.differences.tested).unwrap_or(u64::MAX));
    let (raw, corrected) = (rows::chance(row.p), rows::chance(row.corrected));
    let verdict = if row.is_significant() { "not chance" } else { "may be chance" };
    let told = format!("{verdict}: p {raw} ({test}), {corrected} corrected for {tested} looked at");
    pen.put((area.x + 1, area.y + 2), &told, area.width.saturating_sub(1), dim);
}

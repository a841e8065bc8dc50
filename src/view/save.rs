//! The dialog that asks what is to be saved, in which form, and where.

use ratatui::layout::Rect;

use super::filter;
use super::look::Role;
use super::pen::{Pen, cells};
use super::picker;
use super::text;
use super::trace::many;
use crate::app::{SaveDialog, SaveWhat, TraceForm};

/// Cells before the values.
const NAMES: u16 = 9;

/// Draws it over the screen. Answers where the cursor stands.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, dialog: &SaveDialog) -> Option<(u16, u16)> {
    let error: Vec<String> =
        dialog.error.iter().flat_map(|why| text::wrap(why, usize::from(body.width.min(96)) - 16)).collect();
    let area = picker::panel(body, cells(error.len().max(1)) + 3);
    if area.height < 4 {
        return None;
    }
    picker::clear(pen, area);
    let (x, room) = (area.x + 1 + NAMES, area.width.saturating_sub(NAMES + 3));
    let (accent, plain, dim) = (pen.bold(Role::Accent), pen.style(Role::Text), pen.style(Role::Dim));
    let what = dialog.choices.get(dialog.chosen).map(|what| words(pen, what)).unwrap_or_default();
    let choice = if dialog.choices.len() > 1 { "  ↑↓" } else { "" };
    for (row, (name, value, hint)) in
        [("save", what.as_str(), choice), ("as", form(dialog.form), "  tab")].into_iter().enumerate()
    {
        let y = area.y + cells(row);
        pen.put((area.x + 1, y), name, NAMES, accent);
        let used = pen.put((x, y), value, room, plain);
        pen.put((x + used, y), hint, room.saturating_sub(used), dim);
    }
    let y = area.y + 2;
    pen.put((area.x + 1, y), "to", NAMES, accent);
    let cursor = filter::input(pen, Rect { x, y, width: room, height: 1 }, &dialog.text, dialog.cursor);
    let y = area.y + 3;
    if dialog.busy {
        pen.put((x, y), "writing …", room, dim);
    } else if error.is_empty() {
        let (word, style) = if dialog.unmasked {
            ("secrets leave as they are  ctrl-t masks them", pen.style(Role::Slow))
        } else {
            ("secrets are masked  ctrl-t leaves them as they are", dim)
        };
        pen.put((x, y), word, room, style);
    }
    for (y, line) in (y..area.bottom()).zip(&error) {
        pen.put((x, y), line, room, pen.style(Role::Error));
    }
    Some(cursor)
}

fn words(pen: &Pen<'_>, what: &SaveWhat) -> String {
    let count = |count: usize| many(u64::try_from(count).unwrap_or(u64::MAX), "trace");
    match what {
        SaveWhat::One(_, name) => format!("this trace ({name})"),
        SaveWhat::Marked(marked) => format!("what is marked: {}", count(marked.len())),
        SaveWhat::Listed(rows) => format!("what the filter finds: {}", count(rows.len())),
        SaveWhat::Everything => format!("everything: {}", many(pen.state.health.traces_held, "trace")),
    }
}

fn form(form: TraceForm) -> &'static str {
    match form {
        TraceForm::OtlpJson => "OTLP JSON lines: all but broken UTF-8",
        TraceForm::Otlp => "OTLP protobuf: nothing is lost",
        TraceForm::Jaeger => "Jaeger JSON",
        TraceForm::Perfetto => "Perfetto trace",
        TraceForm::Markdown => "Markdown",
        TraceForm::Csv => "CSV, a line a span",
    }
}

//! A list to choose from by typing, and the line in which a filter gets its name.

use ratatui::layout::{Position, Rect};

use super::filter;
use super::format;
use super::look::Role;
use super::pen::{Pen, cells, shown};
use super::text;
use crate::app::{Naming, Picker, Purpose, Target};

/// Entries shown at once.
const SHOWN: u16 = 14;

pub(super) fn panel(body: Rect, lines: u16) -> Rect {
    let width = body.width.saturating_sub(4).min(96);
    let height = (lines + 2).min(body.height);
    Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height).min(2), width, height }
}

fn area(body: Rect, picker: &Picker) -> Rect {
    panel(body, cells(picker.found.len()).clamp(1, SHOWN))
}

fn first(picker: &Picker, height: u16) -> usize {
    (picker.chosen + 1).saturating_sub(usize::from(height.saturating_sub(2)))
}

pub(super) fn clear(pen: &mut Pen<'_>, area: Rect) {
    pen.clear(area);
    let panel = pen.look.style(Role::Tab).remove_modifier(ratatui::style::Modifier::BOLD);
    pen.buffer.set_style(area.intersection(pen.area), panel);
}

/// Draws it over the screen. Answers where the cursor stands.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, picker: &Picker) -> Option<(u16, u16)> {
    let area = area(body, picker);
    if area.height < 2 {
        return None;
    }
    clear(pen, area);
    let mark = match picker.purpose {
        Purpose::Filter => "filters / ",
        Purpose::Attribute => "values of / ",
        Purpose::Server => "servers / ",
    };
    let mark = pen.put((area.x + 1, area.y), mark, area.width, pen.bold(Role::Accent));
    let input = Rect { x: area.x + 1 + mark, width: area.width.saturating_sub(mark + 2), height: 1, ..area };
    let cursor = filter::input(pen, input, &picker.text, picker.cursor);
    if picker.found.is_empty() {
        let text = match (picker.purpose, picker.items.is_empty()) {
            (Purpose::Attribute, true) => "looking for the attributes there are …",
            (Purpose::Attribute, false) => "no such attribute; ⏎ takes what is typed",
            (Purpose::Filter, _) => "no such filter",
            (Purpose::Server, _) => "no such server",
        };
        pen.put((area.x + 3, area.y + 1), text, area.width.saturating_sub(4), pen.style(Role::Dim));
    }
    let named = picker.items.iter().map(|item| text::width(&text::visible(&item.name))).max().unwrap_or(0);
    let named = if named > 0 { cells(named).min(24) + 2 } else { 0 };
    let rows = area.top() + 1..area.bottom().saturating_sub(1).max(area.top() + 1);
    let entries = picker.found.iter().enumerate().skip(first(picker, area.height));
    for (y, (place, index)) in rows.zip(entries) {
        let Some(item) = picker.items.get(*index) else { continue };
        if place == picker.chosen {
            pen.select(Rect { y, height: 1, ..area });
        }
        let count = item.count.map(format::count).unwrap_or_default();
        let x = area.x + 3;
        let end = area.right().saturating_sub(2);
        pen.put((x, y), &item.name, named.saturating_sub(2), pen.bold(Role::Text));
        let room = end.saturating_sub(x + named + cells(count.len()) + 1);
        let role = if item.name.is_empty() { Role::Text } else { Role::Dim };
        let line = shown(pen.state, &item.text).into_owned();
        pen.put((x + named, y), &line, room, pen.style(role));
        pen.put_right((end, y), &count, 16, pen.style(Role::Dim));
    }
    Some(cursor)
}

/// What lies under the pointer.
pub(super) fn hit(body: Rect, picker: &Picker, at: Position) -> Target {
    let area = area(body, picker);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    if !rows.contains(at) {
        return Target::Nothing;
    }
    let place = first(picker, area.height) + usize::from(at.y - rows.y);
    if place < picker.found.len() { Target::Item(place) } else { Target::Nothing }
}

/// Draws the line for the name of a filter. Answers where the cursor stands.
pub(super) fn name(pen: &mut Pen<'_>, body: Rect, naming: &Naming) -> Option<(u16, u16)> {
    let area = panel(body, 1);
    if area.height < 2 {
        return None;
    }
    clear(pen, area);
    let mark = pen.put((area.x + 1, area.y), "save as ", area.width, pen.bold(Role::Accent));
    let input = Rect { x: area.x + 1 + mark, width: area.width.saturating_sub(mark + 2), height: 1, ..area };
    let filter = shown(pen.state, &naming.filter).into_owned();
    pen.put((area.x + 1 + mark, area.y + 1), &filter, area.width.saturating_sub(mark + 2), pen.style(Role::Dim));
    Some(filter::input(pen, input, &naming.text, naming.cursor))
}

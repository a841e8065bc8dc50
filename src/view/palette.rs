//! The command palette: what is typed, and what is found by it.

use ratatui::layout::{Position, Rect};

use super::filter;
use super::look::Role;
use super::pen::{Pen, cells};
use crate::app::{ACTIONS, Palette, Target};

/// Commands shown at once.
const SHOWN: u16 = 12;

fn area(body: Rect, found: &Palette) -> Rect {
    let width = body.width.saturating_sub(4).min(72);
    let height = (cells(found.found.len()).min(SHOWN) + 2).min(body.height);
    let x = body.x + (body.width - width) / 2;
    Rect { x, y: body.y + (body.height - height).min(2), width, height }
}

fn first(found: &Palette, height: u16) -> usize {
    (found.chosen + 1).saturating_sub(usize::from(height.saturating_sub(2)))
}

/// Draws it over the screen. Answers where the cursor stands.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, found: &Palette) -> Option<(u16, u16)> {
    let area = area(body, found);
    if area.height < 2 {
        return None;
    }
    pen.clear(area);
    let panel = pen.look.style(Role::Tab).remove_modifier(ratatui::style::Modifier::BOLD);
    pen.buffer.set_style(area.intersection(pen.area), panel);
    let mark = pen.put((area.x + 1, area.y), ": ", 2, pen.bold(Role::Accent));
    let input = Rect { x: area.x + 1 + mark, width: area.width.saturating_sub(mark + 2), height: 1, ..area };
    let cursor = filter::input(pen, input, &found.text, found.cursor);
    if found.found.is_empty() {
        let text = if found.text.is_empty() { "type a command" } else { "no such command" };
        pen.put((area.x + 3, area.y + 1), text, area.width.saturating_sub(4), pen.style(Role::Dim));
    }
    let skip = first(found, area.height);
    let rows = area.top() + 1..area.bottom().saturating_sub(1).max(area.top() + 1);
    for (y, (place, index)) in rows.zip(found.found.iter().enumerate().skip(skip)) {
        let Some(info) = ACTIONS.get(*index) else { continue };
        if place == found.chosen {
            pen.select(Rect { y, height: 1, ..area });
        }
        let key = pen.state.settings.keymap.keys(info.action).first().map(crate::app::KeyPress::label);
        let room = area.width.saturating_sub(2);
        pen.put((area.x + 3, y), info.name, room.saturating_sub(2).min(18), pen.style(Role::Text));
        pen.put((area.x + 22, y), info.help, room.saturating_sub(28), pen.style(Role::Dim));
        pen.put_right((area.right().saturating_sub(1), y), &key.unwrap_or_default(), 6, pen.bold(Role::Accent));
    }
    Some(cursor)
}

/// What lies under the pointer.
pub(super) fn hit(body: Rect, found: &Palette, at: Position) -> Target {
    let area = area(body, found);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    if !rows.contains(at) {
        return Target::Nothing;
    }
    let place = first(found, area.height) + usize::from(at.y - rows.y);
    if place < found.found.len() { Target::Command(place) } else { Target::Nothing }
}

//! What panes draw with: styled text in cells, rule lines, and what may be shown of data.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::look::{Look, Role};
use super::text;
use crate::app::State;

/// A piece of a line.
pub(super) type Piece<'a> = (Cow<'a, str>, Style);

/// A buffer with what is needed to draw into it.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) look: &'a Look,
    pub(super) state: &'a State,
    /// Nothing is drawn outside of it, whatever is asked for.
    pub(super) area: Rect,
}

/// As many cells as fit into a column number.
pub(super) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// `text` as a column or row count of a slice.
pub(super) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Text of a sender without its secrets, unless they were asked for.
pub(super) fn shown<'a>(state: &State, text: &'a str) -> Cow<'a, str> {
    if state.unmasked { Cow::Borrowed(text) } else { state.settings.redactor.text(text) }
}

/// The value under `key` without its secrets, and whether something is masked.
pub(super) fn shown_value<'a>(state: &State, key: &str, text: &'a str) -> (Cow<'a, str>, bool) {
    if state.unmasked {
        return (Cow::Borrowed(text), false);
    }
    let masked = state.settings.redactor.value(key, text);
    (masked.text, masked.masked)
}

impl Pen<'_> {
    pub(super) fn style(&self, role: Role) -> Style {
        self.look.style(role)
    }

    pub(super) fn bold(&self, role: Role) -> Style {
        self.look.style(role).add_modifier(Modifier::BOLD)
    }

    /// Writes `text` and answers how many cells it took.
    pub(super) fn put(&mut self, (x, y): (u16, u16), text: &str, cells: u16, style: Style) -> u16 {
        if x < self.area.left() || y < self.area.top() || y >= self.area.bottom() {
            return 0;
        }
        let cells = cells.min(self.area.right().saturating_sub(x));
        text::put(self.buffer, (x, y), text, usize::from(cells), style)
    }

    /// Writes `text` so that it ends before column `end`.
    pub(super) fn put_right(&mut self, (end, y): (u16, u16), text: &str, room: u16, style: Style) {
        let width = cells(text::width(&text::visible(text))).min(room);
        self.put((end.saturating_sub(width), y), text, width, style);
    }

    /// Writes pieces one after the other and answers how many cells they took.
    pub(super) fn line(&mut self, (x, y): (u16, u16), room: u16, pieces: &[Piece<'_>]) -> u16 {
        let mut used = 0;
        for (text, style) in pieces {
            used += self.put((x.saturating_add(used), y), text, room.saturating_sub(used), *style);
        }
        used
    }

    /// Writes as many of the pieces, from the first, as fit whole; the first is cut if it must be.
    pub(super) fn whole(&mut self, (x, y): (u16, u16), room: u16, pieces: &[Piece<'_>]) -> u16 {
        let mut used = 0;
        for (text, style) in pieces {
            if used > 0 && text::width(&text::visible(text)) > usize::from(room.saturating_sub(used)) {
                break;
            }
            used += self.put((x.saturating_add(used), y), text, room.saturating_sub(used), *style);
        }
        used
    }

    /// A rule line with a title in it and a place (`1–13 of 42`) at its end. A pane that has the keys shows it in the accent
    /// colour.
    pub(super) fn rule(&mut self, area: Rect, focused: bool, title: &[Piece<'_>], place: &str) {
        if area.height == 0 {
            return;
        }
        let style = self.style(if focused { Role::Accent } else { Role::Faint });
        let line = "─".repeat(usize::from(area.width));
        self.put((area.x, area.y), &line, area.width, style);
        let indent = 3;
        let place_width = cells(text::width(place));
        let mut right = 3;
        if !place.is_empty() && area.width > place_width + 30 {
            right += place_width + 2;
            let x = area.right() - place_width - 4;
            self.put((x, area.y), &format!(" {place} "), place_width + 2, self.look.style(Role::Dim));
        }
        if title.is_empty() || area.width < 8 {
            return;
        }
        self.put((area.x + indent, area.y), " ", 1, style);
        let used = self.whole((area.x + indent + 1, area.y), area.width.saturating_sub(indent + right), title);
        self.put((area.x + indent + 1 + used, area.y), " ", 1, style);
    }

    /// Lays the style of a selected row over `area`.
    pub(super) fn select(&mut self, area: Rect) {
        self.buffer.set_style(area.intersection(self.area), self.look.selection());
    }

    /// Where a selected row is drawn in reverse, coloured text would become coloured background: takes the colours out of `area`.
    pub(super) fn calm(&mut self, area: Rect) {
        if self.look.selects_by_reverse() {
            self.buffer.set_style(
                area.intersection(self.area),
                Style::new().fg(ratatui::style::Color::Reset).remove_modifier(Modifier::DIM),
            );
        }
    }

    /// Takes the reverse out of `area` of a selected row, so that what is drawn there keeps its colours.
    pub(super) fn unreverse(&mut self, area: Rect) {
        if self.look.selects_by_reverse() {
            self.buffer.set_style(area.intersection(self.area), Style::new().remove_modifier(Modifier::REVERSED));
        }
    }

    /// Clears `area` for something that lies over the screen.
    pub(super) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
        self.buffer.set_style(area, self.look.base());
    }
}

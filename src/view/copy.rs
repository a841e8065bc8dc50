//! What can be copied here, each under a key.

use ratatui::layout::{Position, Rect};

use super::look::Role;
use super::pen::{Pen, cells};
use super::text;
use crate::app::{Copied, Target};

fn area(body: Rect, copied: &[Copied]) -> Rect {
    let height = (cells(copied.len()) + 1).min(body.height);
    Rect { y: body.bottom().saturating_sub(height), height, ..body }
}

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, copied: &[Copied]) {
    let area = area(body, copied);
    if area.height == 0 {
        return;
    }
    pen.clear(area);
    let title = [("copy".into(), pen.bold(Role::Text)), ("  to the clipboard".into(), pen.style(Role::Dim))];
    pen.rule(Rect { height: 1, ..area }, true, &title, "");
    let widest = copied.iter().map(|copied| text::width(&text::visible(&copied.what))).max().unwrap_or(0);
    let widest = cells(widest).min(area.width / 2);
    for (y, copied) in (area.top() + 1..area.bottom()).zip(copied) {
        let key = copied.key.to_string();
        pen.put((area.x + 2, y), &key, 2, pen.bold(Role::Accent));
        pen.put((area.x + 5, y), &copied.what, widest, pen.style(Role::Text));
        let x = area.x + 5 + widest + 2;
        // As long as anything of it is shown: a text may be a megabyte.
        let start: String = copied.text.chars().take(usize::from(area.width)).collect();
        pen.put((x, y), &start, area.right().saturating_sub(x + 1), pen.style(Role::Dim));
    }
}

/// What lies under the pointer.
pub(super) fn hit(body: Rect, copied: &[Copied], at: Position) -> Target {
    let area = area(body, copied);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if rows.contains(at) { Target::Copied(usize::from(at.y - rows.y)) } else { Target::Nothing }
}

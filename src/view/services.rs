//! The services screen.

use ratatui::layout::Rect;

use super::look::Role;
use super::pen::Pen;
use super::trace::many;

/// Answers where the cursor of the filter stands, where it is edited.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let (cursor, area) = super::survey::frame(pen, body, &[]);
    let traces = pen.state.services.report.as_ref().map_or(0, |report| report.traces);
    pen.put((area.x + 1, area.y), &many(traces, "trace"), area.width, pen.style(Role::Dim));
    cursor
}

//! The detail pane.

use super::act::scrolled;
use super::window::Step;
use super::{say, trace};
use crate::analysis::RowKey;
use crate::app::{Detail, DetailFocus, Lines, State, TraceScreen, Viewport};

/// Moves the keys to the pane, or back to the waterfall.
pub(super) fn toggle_focus(state: &mut State) {
    let Some(open) = &state.trace else { return };
    if open.detail.focus == DetailFocus::Detail {
        return trace::set_focus(state, DetailFocus::Waterfall);
    }
    // What is still being read will be there soon: over a slow line keys come several at a time.
    if open.analysis.is_some() && !matches!(open.selected, Some(RowKey::Span(_))) {
        return say(state, missing(open));
    }
    trace::set_focus(state, DetailFocus::Detail);
}

fn missing(trace: &TraceScreen) -> &'static str {
    match trace.selected {
        Some(RowKey::Span(_)) => "the detail is still being read",
        _ => "no detail here: this row is no span",
    }
}

/// Scrolls by the wheel.
pub(super) fn turn(state: &mut State, by: isize) {
    let Viewport { detail: height, detail_lines: lines, .. } = state.viewport;
    if let Some(detail) = state.trace.as_mut().map(|trace| &mut trace.detail) {
        detail.scroll = scrolled(detail.scroll, Step::Rows(by), height, lines);
    }
}

/// Scrolls by lines, or says that there are no more.
pub(super) fn scroll(state: &mut State, by: isize) {
    let Viewport { detail: height, detail_lines: lines, .. } = state.viewport;
    let Some(trace) = &mut state.trace else { return };
    if trace.detail.span.is_none() {
        let text = missing(trace);
        return say(state, text);
    }
    let scroll = scrolled(trace.detail.scroll, Step::Rows(by), height, lines);
    if scroll == trace.detail.scroll {
        return say(state, if by < 0 { "this is the top" } else { "this is the end" });
    }
    trace.detail.scroll = scroll;
}

/// Moves from one thing to copy or follow to the next; through one that is longer than the pane, by lines.
pub(super) fn go(state: &mut State, step: Step) {
    let viewport = state.viewport;
    let Some(detail) = state.trace.as_mut().map(|trace| &mut trace.detail) else { return };
    let cells = detail.span.as_ref().map_or(0, |span| span.cells.len());
    match step {
        Step::Rows(by) if by < 0 => up(detail, &viewport),
        Step::Rows(_) => down(detail, &viewport, cells),
        Step::Pages(by) => {
            let scroll = scrolled(detail.scroll, step, viewport.detail, viewport.detail_lines);
            if std::mem::replace(&mut detail.scroll, scroll) == scroll {
                say(state, if by < 0 { "this is the top" } else { "this is the end" });
            }
        }
        Step::First => (detail.cell, detail.scroll) = (0, 0),
        Step::Last => {
            detail.cell = cells.saturating_sub(1);
            detail.scroll = scrolled(detail.scroll, step, viewport.detail, viewport.detail_lines);
        }
    }
}

fn range(lines: Lines) -> Option<(usize, usize)> {
    let first = usize::try_from(lines.first).ok()?;
    let count = usize::try_from(lines.count).ok()?;
    (count > 0).then_some((first, first + count))
}

fn down(detail: &mut Detail, viewport: &Viewport, cells: usize) {
    let height = usize::from(viewport.detail).max(1);
    let [_, this, next] = viewport.cells.map(range);
    if let Some((first, end)) = this
        && end > detail.scroll + height
        && first < detail.scroll + height
    {
        detail.scroll += 1;
    } else if detail.cell + 1 < cells {
        detail.cell += 1;
        if let Some((first, end)) = next {
            let least = end.saturating_sub(height).min(first);
            detail.scroll = detail.scroll.clamp(least, first);
        }
    }
}

fn up(detail: &mut Detail, viewport: &Viewport) {
    let height = usize::from(viewport.detail).max(1);
    let [before, this, _] = viewport.cells.map(range);
    if let Some((first, end)) = this
        && first < detail.scroll
        && end > detail.scroll
    {
        detail.scroll -= 1;
    } else if let Some(cell) = detail.cell.checked_sub(1) {
        detail.cell = cell;
        if let Some((first, end)) = before {
            // Of a long one, its end is what comes next on the way up.
            let bottom = end.saturating_sub(height);
            detail.scroll = detail.scroll.clamp(bottom, first.max(bottom));
        }
    } else {
        detail.scroll = 0;
    }
}

//! What the screens about all traces have in common: the filter's lines at the top, and how far the survey is.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::filter;
use super::format;
use super::layout;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::trace::many;
use crate::app::{Progress, State};

/// Draws the filter with `counts` beside it and what was understood of it. Answers where the cursor stands where it is edited, and the
/// room that is left.
pub(super) fn frame(pen: &mut Pen<'_>, body: Rect, counts: &[Piece<'_>]) -> (Option<(u16, u16)>, Rect) {
    let areas = layout::survey(pen.state, body);
    let left_out = pen.state.survey().map_or(0, |of| pen.state.progress(of).left_out);
    // Where there is no room for both, what is missing is worth more than how much is there.
    let short = [(format!("~ without the oldest {}", format::count(left_out)).into(), pen.style(Role::Dim))];
    let counts = if left_out > 0 && body.width < 100 { &short[..] } else { counts };
    let cursor = filter::draw(pen, areas.filter, counts);
    filter::said(pen, areas.said, &matched(pen.state));
    (cursor, areas.rest)
}

/// The filter's proposals, over what is drawn already.
pub(super) fn proposals(pen: &mut Pen<'_>, body: Rect) {
    let said = layout::survey(pen.state, body).said;
    let proposals = filter::proposals_area(&pen.state.filter, said, body);
    filter::proposals(pen, &pen.state.filter, proposals);
}

/// How far the survey is, or what is left out of it; empty where all is there.
pub(super) fn matched(state: &State) -> String {
    let Some(progress) = state.survey().map(|of| state.progress(of)) else { return String::new() };
    if progress.running && progress.share < 1.0 && (progress.share > 0.0 || progress.revision == 0) {
        return format!("reading … {:.0} %", progress.share * 100.0);
    }
    match progress.left_out {
        0 => super::list::matched(state),
        left => format!("~ without the oldest {}, percentiles too", many(left, "trace")),
    }
}

/// The head of a percentile: with a mark where it is not of all that match.
pub(super) fn percentile<'h>(state: &State, head: &'h str) -> Cow<'h, str> {
    let partial = state.survey().is_some_and(|of| state.progress(of).left_out > 0);
    if partial { format!("~{head}").into() } else { head.into() }
}

/// The same beside the filter, where nothing is said below it.
pub(super) fn progress(pen: &Pen<'_>) -> Vec<Piece<'static>> {
    pen.state.survey().map_or_else(Vec::new, |of| progress_of(pen, pen.state.progress(of)))
}

/// How far a survey is, where it is not done, and what is left out of it.
pub(super) fn progress_of(pen: &Pen<'_>, progress: &Progress) -> Vec<Piece<'static>> {
    let dim = pen.style(Role::Dim);
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    if progress.running && progress.share < 1.0 && (progress.share > 0.0 || progress.revision == 0) {
        pieces.push((format!(" · reading {:.0} %", progress.share * 100.0).into(), pen.style(Role::Accent)));
    }
    if progress.left_out > 0 {
        let told = format!(" · ~ without the oldest {}, percentiles too", format::count(progress.left_out));
        pieces.push((told.into(), dim));
    }
    pieces
}

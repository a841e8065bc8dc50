//! The mouse.

use super::act::{self, act, scrolled};
use super::window::Step;
use super::{
    bar, chips, clause, compare, copy, detail, errors, findings, heat, list, overlay, palette, recall, services,
    settle, sql, survey, trace, values,
};
use crate::app::{Button, Context, DetailFocus, Effect, Mouse, MouseKind, Overlay, Sort, State, Target};
use crate::model::Timestamp;

/// Rows a turn of the wheel moves.
const WHEEL: isize = 3;

/// A person used the mouse on `target`; `twice`: it is the second click there in short time.
pub fn click(state: &mut State, mouse: Mouse, target: &Target, twice: bool) -> Vec<Effect> {
    let mut out = Vec::new();
    if matches!(mouse.kind, MouseKind::Down(_)) {
        state.notice = None;
    }
    match mouse.kind {
        MouseKind::Down(button) if matches!(target, Target::Chip(_)) => on_chip(state, target, button, &mut out),
        MouseKind::Down(Button::Left) if state.overlay.is_some() => on_overlay(state, target, twice, &mut out),
        MouseKind::Down(Button::Left) => down(state, target, twice, &mut out),
        MouseKind::Drag(Button::Left) => drag(state, target),
        MouseKind::Up(Button::Left) => drop_drag(state, target),
        MouseKind::WheelUp => wheel(state, target, -WHEEL),
        MouseKind::WheelDown => wheel(state, target, WHEEL),
        MouseKind::Down(_) | MouseKind::Drag(_) | MouseKind::Up(_) => {}
    }
    settle::settle(state, &mut out);
    out
}

/// Left switches it off and on, the other buttons take it away.
fn on_chip(state: &mut State, target: &Target, button: Button, out: &mut Vec<Effect>) {
    let Target::Chip(place) = *target else { return };
    if state.bar().editing {
        bar::leave(state, out);
    }
    match button {
        Button::Left => chips::toggle(state, place, out),
        Button::Middle | Button::Right => chips::remove(state, place, out),
    }
}

fn on_overlay(state: &mut State, target: &Target, twice: bool, out: &mut Vec<Effect>) {
    match target {
        Target::Item(index) => recall::choose(state, *index, out),
        Target::Value(row) => values::click(state, *row, twice, out),
        Target::Finding(row) => findings::click(state, *row, twice, out),
        Target::Findings => {}
        Target::Command(index) => palette::run(state, *index, out),
        Target::Copied(index) => copy::take(state, *index, out),
        _ => state.overlay = None,
    }
}

fn down(state: &mut State, target: &Target, twice: bool, out: &mut Vec<Effect>) {
    state.drag = None;
    if state.bar().editing && !matches!(target, Target::Filter | Target::Completion(_)) {
        bar::leave(state, out);
    }
    match *target {
        Target::Tab(screen) => act::show(state, screen, out),
        Target::ListRow(row) => {
            state.list.follow = false;
            list::select(state, row);
            if twice {
                list::open(state, out);
            }
        }
        Target::SortBy(key) => {
            let Sort { key: by, ascending } = state.list.sort;
            list::sort(state, Sort { key, ascending: by == key && !ascending }, out);
        }
        Target::Row(row) => survey::click(state, row, twice, out),
        Target::SortStatements(by) => {
            let ascending = state.sql.sort == by && !state.sql.ascending;
            sql::sort_by(state, by, ascending);
        }
        Target::Filter if !state.bar().editing => bar::begin(state, out),
        Target::Completion(index) => bar::accept(state, index, out),
        Target::SpanRow { row, fold } => {
            trace::set_focus(state, DetailFocus::Waterfall);
            trace::select(state, row);
            if fold || twice {
                trace::toggle(state, out);
            }
        }
        Target::CompareLine(line) => compare::click(state, line, twice, out),
        Target::Heat(cell) => heat::drag(state, cell, true),
        Target::Axis(_) if twice => trace::zoom_out(state),
        Target::Axis(at) => state.drag = Some((at, at)),
        Target::Detail(cell) => on_detail(state, cell, twice, out),
        Target::Clause(place) => clause::go_to(state, place, out),
        Target::Preview => list::open(state, out),
        Target::Hint(action) => act(state, action, out),
        Target::Filter
        | Target::Chip(_)
        | Target::Item(_)
        | Target::Value(_)
        | Target::Finding(_)
        | Target::Findings
        | Target::Command(_)
        | Target::Copied(_)
        | Target::TablePane
        | Target::Nothing => {}
    }
}

fn on_detail(state: &mut State, cell: Option<usize>, twice: bool, out: &mut Vec<Effect>) {
    let Some(detail) = state.trace.as_mut().map(|trace| &mut trace.detail) else { return };
    let Some(span) = &detail.span else { return };
    detail.focus = DetailFocus::Detail;
    if let Some(cell) = cell.filter(|cell| *cell < span.cells.len()) {
        detail.cell = cell;
        if twice {
            act(state, crate::app::Action::Open, out);
        }
    }
}

fn drag(state: &mut State, target: &Target) {
    if let Target::Heat(cell) = target {
        return heat::drag(state, *cell, false);
    }
    if let (Some((_, to)), Target::Axis(at)) = (&mut state.drag, target) {
        *to = *at;
    }
}

/// The button goes up: the stretch drawn over becomes the time shown.
fn drop_drag(state: &mut State, target: &Target) {
    if state.drag.is_some() {
        drag(state, target);
    }
    let Some((one, other)) = state.drag.take() else { return };
    let stretch: (Timestamp, Timestamp) = (one.min(other), one.max(other));
    if stretch.0 < stretch.1
        && let Some(trace) = &mut state.trace
    {
        trace.zoom = Some(stretch);
    }
}

/// The wheel scrolls what is under the pointer, and what lies over everything first.
fn wheel(state: &mut State, target: &Target, by: isize) {
    match state.overlay {
        Some(Overlay::Values(_)) => return values::go(state, Step::Rows(by)),
        Some(Overlay::Findings(_)) => return findings::go(state, Step::Rows(by)),
        None | Some(Overlay::Help { .. }) => {}
        Some(_) => return,
    }
    if state.overlay.is_some() {
        return overlay::scroll(state, Step::Rows(by));
    }
    match (target, state.context()) {
        (Target::Detail(_), _) => detail::turn(state, by),
        (Target::ListRow(_) | Target::SortBy(_) | Target::Nothing, Context::Traces | Context::Heat) => {
            list::scroll(state, by);
        }
        (Target::SpanRow { .. } | Target::Axis(_) | Target::Nothing, Context::Trace | Context::Detail) => {
            trace::scroll(state, by);
        }
        (_, Context::Compare) => compare::scroll(state, by),
        (Target::TablePane, Context::Errors) => errors::scroll(state, by),
        (Target::TablePane, Context::Services) => services::scroll(state, by),
        (Target::Row(_) | Target::Nothing, Context::Sql | Context::Errors | Context::Services) => {
            survey::go(state, Step::Rows(by));
        }
        (Target::Nothing, Context::Health) => {
            let (height, lines) = (state.viewport.scroll, state.viewport.scroll_lines);
            state.health_screen.scroll = scrolled(state.health_screen.scroll, Step::Rows(by), height, lines);
        }
        _ => {}
    }
}

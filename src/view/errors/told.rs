//! What is told of the selected error: its message, where it comes from, its stack with the application's frames first, and
//! examples.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::analysis::errors::{Evidence, Frame, Group};
use crate::app::State;
use crate::model::Timestamp;
use crate::view::flow::{Bits, bit, bold};
use crate::view::format;
use crate::view::look::Role;
use crate::view::pen::{Pen, Piece, number, shown};
use crate::view::text;
use crate::view::trace::many;

/// Lines of a message that are shown.
const MAX_MESSAGE: usize = 12;
/// Frames of libraries that are shown.
const MAX_LIBRARY: usize = 200;

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let state = pen.state;
    let Some(group) = state.errors.selected() else { return };
    let kind = if group.key.kind.is_empty() { "error" } else { &*group.key.kind };
    let kind = shown(state, kind).into_owned();
    let mut title: Vec<Piece<'_>> = vec![(kind.into(), pen.bold(Role::Error))];
    if let Some((at, example)) = state.errors.chosen() {
        let of = format!("  example {} of {}", at + 1, group.examples.len());
        title.push((of.into(), pen.style(Role::Dim)));
        let time = format::time_of_day(example.at, &pen.look.zone);
        title.push((format!(" · {time}").into(), pen.style(Role::Dim)));
        title.push((format!(" · {}", example.trace).into(), pen.style(Role::Faint)));
    }
    let lines = lines(state, &pen.look.zone, area.width);
    let rows = area.height - 1;
    let scroll = state.errors.scroll.min(lines.len().saturating_sub(usize::from(rows)));
    pen.rule(area, false, &title, &super::place(scroll, rows, lines.len()));
    for (y, line) in (area.y + 1..area.bottom()).zip(lines.iter().skip(scroll)) {
        let mut x = area.x + 1;
        for bit in line {
            let style = if bit.bold { pen.bold(bit.role) } else { pen.style(bit.role) };
            x += pen.put((x, y), &bit.text, area.right().saturating_sub(x), style);
        }
    }
}

/// All lines of it, for a pane of `width`.
pub(super) fn lines(state: &State, zone: &TimeZone, width: u16) -> Vec<Bits> {
    let Some(group) = state.errors.selected() else { return Vec::new() };
    let columns = usize::from(width.saturating_sub(2)).max(8);
    let mut lines = Vec::new();
    message(state, group, columns, &mut lines);
    facts(state, group, zone, &mut lines);
    stack(state, group, columns, &mut lines);
    examples(state, group, zone, &mut lines);
    lines
}

fn message(state: &State, group: &Group, columns: usize, lines: &mut Vec<Bits>) {
    let Some((_, example)) = state.errors.chosen() else { return };
    let told = state.errors.told.as_ref().filter(|told| told.example == *example);
    let whole = told.and_then(|told| told.detail.as_ref()).map(|detail| detail.message.trim());
    let message = whole.unwrap_or(&example.message);
    if message.is_empty() {
        let what = if group.key.kind.is_empty() { "the sender says no more than that it failed" } else { "no message" };
        return lines.push(vec![bit(what, Role::Dim)]);
    }
    let message = shown(state, message);
    // No more of it is laid out than could be shown.
    let most = message.char_indices().nth(columns * MAX_MESSAGE).map_or(message.len(), |(at, _)| at);
    let visible: Vec<String> = message
        .get(..most)
        .unwrap_or_default()
        .lines()
        .map(|line| text::visible(&line.replace('\t', "    ")).into_owned())
        .collect();
    let wrapped = text::wrap(&visible.join("\n"), columns);
    let more = wrapped.len() > MAX_MESSAGE || most < message.len();
    lines.extend(wrapped.into_iter().take(MAX_MESSAGE).map(|line| vec![bold(line, Role::Text)]));
    if more {
        lines.push(vec![bit("… enter opens the trace, where all of it is", Role::Dim)]);
    }
}

fn named(name: &str, rest: Bits) -> Bits {
    std::iter::once(bit(format!("{name:<10}"), Role::Dim)).chain(rest).collect()
}

fn facts(state: &State, group: &Group, zone: &TimeZone, lines: &mut Vec<Bits>) {
    let safe = |text: &str| text::visible(&shown(state, text)).into_owned();
    let mut origin = vec![bit(safe(&group.key.service), Role::Text)];
    origin.push(bit(format!(" · {}", safe(&group.key.operation)), Role::Text));
    if !group.key.place.is_empty() {
        origin.push(bit(format!(" · {}", safe(&group.key.place)), Role::Accent));
    }
    lines.push(named("origin", origin));
    let mut told: Vec<String> = Vec::new();
    for (count, evidence) in group.evidence.iter().zip(Evidence::ALL) {
        let what = match evidence {
            Evidence::Status => "span status error",
            Evidence::Event => "exception event, status unset",
            Evidence::Attribute => "attributes, status unset",
            Evidence::Log => "log record",
        };
        match count {
            0 => {}
            count if *count == group.count => told.push(what.to_owned()),
            count => told.push(format!("{what} ×{}", format::count(*count))),
        }
    }
    if group.passed_on > 0 {
        told.push(format!("passed on by {}", many(group.passed_on, "span")));
    }
    if group.logs > 0 {
        told.push(format!("{} beside", many(group.logs, "log record")));
    }
    lines.push(named("told by", vec![bit(told.join(" · "), Role::Text)]));
    let time = |at: Timestamp| format::time_of_day(at, zone).chars().take(8).collect::<String>();
    let seen = format!("{} – {}", time(group.first), time(group.last));
    let how = format!("  {} in {}", many(group.count, "error"), many(group.traces, "trace"));
    lines.push(named("seen", vec![bit(seen, Role::Text), bit(how, Role::Dim)]));
    if group.services.len() > 1 {
        let services = group.services.iter().map(|(name, count)| format!("{} {}", safe(name), format::count(*count)));
        lines.push(named("services", vec![bit(services.collect::<Vec<_>>().join(" · "), Role::Text)]));
    }
}

fn stack(state: &State, group: &Group, columns: usize, lines: &mut Vec<Bits>) {
    let Some((_, example)) = state.errors.chosen() else { return };
    let Some(told) = state.errors.told.as_ref().filter(|told| told.example == *example) else { return };
    lines.push(Vec::new());
    let Some(detail) = &told.detail else {
        return lines.push(vec![bit("this example has left the index to make room", Role::Dim)]);
    };
    let stack = &detail.stack;
    if stack.frames.is_empty() && stack.unread.is_empty() {
        let why = if group.evidence[0] == group.count { "no stack trace was recorded" } else { "no stack trace" };
        return lines.push(vec![bit(why, Role::Dim)]);
    }
    for line in stack.unread.iter().take(MAX_LIBRARY) {
        let line = text::visible(&shown(state, &line.replace('\t', "    "))).into_owned();
        lines.push(vec![bit(text::cut_end(&line, columns).into_owned(), Role::Dim)]);
    }
    let own: Vec<&Frame> = stack.frames.iter().filter(|frame| frame.own).collect();
    frames(state, &own, (columns, Role::Text), lines);
    let library: Vec<&Frame> = stack.frames.iter().filter(|frame| !frame.own).collect();
    if library.is_empty() {
        return;
    }
    let head = if own.is_empty() { "all of the stack is library code" } else { "libraries" };
    lines.push(vec![bit(format!("{head}: {}", many(number(library.len()), "frame")), Role::Faint)]);
    let most = library.len().min(MAX_LIBRARY);
    frames(state, &library[..most], (columns, Role::Dim), lines);
}

/// Frames one below the other; of a recursion one line with how often.
fn frames(state: &State, frames: &[&Frame], (columns, role): (usize, Role), lines: &mut Vec<Bits>) {
    let safe = |text: &str| text::visible(&shown(state, text)).into_owned();
    for same in frames.chunk_by(|one, other| one == other) {
        let Some(frame) = same.first() else { continue };
        let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
        let times = if same.len() > 1 { format!("  ×{}", same.len()) } else { String::new() };
        let place = format!("{}{line}{times}", safe(&frame.file));
        let function = safe(&frame.function);
        let gap = if function.is_empty() { "" } else { "  " };
        // Where there is no room for both, the way to the file is cut, not its name.
        let room = columns.saturating_sub(text::width(&function) + gap.len() + 2).max(columns / 2);
        let place = cut_start(&place, room);
        let room = columns.saturating_sub(text::width(&place) + gap.len() + 2);
        let function = text::cut_middle(&function, room).into_owned();
        let quiet = if role == Role::Text { Role::Dim } else { Role::Faint };
        lines.push(vec![bit(format!("  {function}{gap}"), role), bit(place, quiet)]);
        if !frame.code.is_empty() && role == Role::Text {
            let code = text::cut_end(&safe(&frame.code), columns.saturating_sub(6)).into_owned();
            lines.push(vec![bit(format!("      {code}"), Role::String)]);
        }
    }
}

/// The end of `text` in at most `cells` cells.
fn cut_start(text: &str, cells: usize) -> String {
    if text::width(text) <= cells || cells == 0 {
        return text.to_owned();
    }
    format!("…{}", text::take_end(text, cells - 1))
}

fn examples(state: &State, group: &Group, zone: &TimeZone, lines: &mut Vec<Bits>) {
    if group.examples.len() < 2 {
        return;
    }
    let chosen = state.errors.chosen().map(|(at, _)| at);
    lines.push(Vec::new());
    lines.push(vec![bit("newest traces: ←→ chooses, enter opens", Role::Faint)]);
    for (at, example) in group.examples.iter().enumerate() {
        let mark = if chosen == Some(at) { "▸ " } else { "  " };
        let time = format::time_of_day(example.at, zone);
        let message = text::visible(&shown(state, example.message.lines().next().unwrap_or_default())).into_owned();
        lines.push(vec![
            bit(mark, Role::Accent),
            bit(format!("{time}  "), Role::Dim),
            bit(format!("{}  ", example.trace), Role::Faint),
            bit(message, Role::Text),
        ]);
    }
}

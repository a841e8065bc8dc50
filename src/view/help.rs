//! The keys that work here, from the one list of actions.

use ratatui::layout::Rect;

use super::look::Role;
use super::pen::{Pen, cells};
use super::text;
use crate::app::{ACTIONS, ActionInfo, Context, State};

/// A line of help: a heading, or keys with what they do.
enum Line {
    Heading(&'static str),
    Keys(String, String),
}

fn lines(state: &State, body: Rect) -> Vec<Line> {
    let context = state.context();
    let (here, name) = match context {
        Context::Traces => (Context::Traces, "on the list"),
        Context::Heat => (Context::Heat, "in the heat map"),
        Context::Trace => (Context::Trace, "on a trace"),
        Context::Detail => (Context::Detail, "in the detail"),
        Context::Sql => (Context::Sql, "on statements"),
        Context::Errors => (Context::Errors, "on errors"),
        Context::Services => (Context::Services, "on services"),
        Context::Compare => (Context::Compare, "on a comparison"),
        Context::Health | Context::Everywhere => (Context::Health, "on health"),
    };
    let line = |info: &'static ActionInfo| {
        let keys = state.settings.keymap.keys(info.action);
        let keys: Vec<String> = keys.iter().map(crate::app::KeyPress::label).collect();
        keyed(&keys.join(" "), info.help, body)
    };
    let own = ACTIONS.iter().filter(|info| info.contexts.contains(&here));
    let everywhere = ACTIONS.iter().filter(|info| info.contexts.contains(&Context::Everywhere));
    let mut lines = vec![Line::Heading(name)];
    lines.extend(own.flat_map(line));
    lines.push(Line::Heading(""));
    lines.push(Line::Heading("everywhere"));
    lines.extend(everywhere.flat_map(line));
    lines.extend(keyed("^c", "end the program, also while typing", body));
    lines
}

/// Keys with what they do, over as many lines as that takes.
fn keyed(keys: &str, help: &str, body: Rect) -> Vec<Line> {
    let room = usize::from((body.width / columns(body)).saturating_sub(21));
    let parts = text::wrap(help, room).into_iter().enumerate();
    parts.map(|(at, part)| Line::Keys(if at == 0 { keys.to_owned() } else { String::new() }, part)).collect()
}

/// How many columns of lines there are.
fn columns(body: Rect) -> u16 {
    if body.width >= 110 { 2 } else { 1 }
}

/// Rows of help in sight, and how many there are.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u32) {
    let all = lines(state, body).len().div_ceil(usize::from(columns(body)));
    (body.height.saturating_sub(1), u32::try_from(all).unwrap_or(u32::MAX))
}

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, scroll: usize) {
    pen.clear(body);
    let lines = lines(pen.state, body);
    let columns = columns(body);
    let height = lines.len().div_ceil(usize::from(columns));
    let width = body.width / columns;
    let shown = usize::from(body.height.saturating_sub(1));
    let scroll = scroll.min(height.saturating_sub(shown));
    let place = if height > shown {
        format!("{}–{} of {height}", scroll + 1, (scroll + shown).min(height))
    } else {
        String::new()
    };
    let title = [
        ("keys".into(), pen.bold(Role::Text)),
        ("  every one of them can be changed in the config file".into(), pen.style(Role::Dim)),
    ];
    pen.rule(Rect { height: 1, ..body }, true, &title, &place);
    for column in 0..columns {
        let from = usize::from(column) * height;
        let part = lines.iter().skip(from).take(height).skip(scroll).take(shown);
        for (y, line) in (body.top() + 1..body.bottom()).zip(part) {
            let x = body.x + column * width;
            match line {
                Line::Heading(name) => {
                    pen.put((x + 2, y), name, width.saturating_sub(2), pen.style(Role::Dim));
                }
                Line::Keys(keys, help) => {
                    let keys_width = cells(text::width(keys)).min(14);
                    pen.put_right((x + 16, y), keys, keys_width, pen.bold(Role::Accent));
                    pen.put((x + 18, y), help, width.saturating_sub(20), pen.style(Role::Text));
                }
            }
        }
    }
}

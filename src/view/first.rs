//! Before the first span: where it listens, what to type, what else can be done, and what has just gone wrong.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::text;
use crate::app::{Action, State};
use crate::model::{Door, DoorState, SourceHealth};

/// A line of the screen.
type Line<'a> = Vec<Piece<'a>>;

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) {
    let width = body.width.saturating_sub(2).min(96);
    let lines = lines(pen, usize::from(width));
    let x = body.x + 1 + (body.width.saturating_sub(2) - width) * 2 / 3;
    let spare = usize::from(body.height).saturating_sub(lines.len());
    let top = body.y + u16::from(spare > 0);
    for (y, line) in (top..body.bottom()).zip(&lines) {
        pen.line((x, y), body.right().saturating_sub(x + 1), line);
    }
}

/// The open port of the first source whose name says so.
fn open_port(state: &State, name: &str) -> Option<u16> {
    let named = |source: &&SourceHealth| source.name.contains(name);
    let doors = state.health.sources.iter().filter(named).flat_map(|source| &source.doors);
    doors.filter(|door| door.state == DoorState::Open).map(|door| door.address.port()).next()
}

fn lines(pen: &Pen<'_>, width: usize) -> Vec<Line<'static>> {
    let state = pen.state;
    let (plain, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (grpc, http) = (open_port(state, "gRPC"), open_port(state, "HTTP"));
    let any = grpc.is_some() || http.is_some();
    let title = if any { "Waiting for the first span" } else { "No door is open" };
    let mut line = vec![(title.into(), pen.bold(Role::Text))];
    let open = addresses(state);
    if !open.is_empty() {
        line.push((format!("  listening on {open}").into(), dim));
    }
    lines.push(line);
    lines.push(Vec::new());
    lines.push(doors(pen, width, grpc, http));
    for source in &state.health.sources {
        for door in &source.doors {
            lines.extend(trouble(pen, source, door));
        }
    }
    lines.push(Vec::new());
    for (language, command) in &state.settings.recipes {
        let style = pen.style(Role::Accent);
        for (at, part) in text::wrap(command, width.saturating_sub(11)).into_iter().enumerate() {
            let head = if at == 0 { language.as_str() } else { "" };
            lines.push(vec![(format!("{head:<11}").into(), style), (part.into(), plain)]);
        }
    }
    lines.push(Vec::new());
    lines.push(keys(pen));
    for mishap in state.health.mishaps.iter().rev().take(3) {
        lines.push(Vec::new());
        let time: String = format::time_of_day(mishap.at, &pen.look.zone).chars().take(8).collect();
        let times = if mishap.count > 1 { format!("  ×{}", format::count(mishap.count)) } else { String::new() };
        lines.push(vec![(format!("▲ {time}  {}{times}:", mishap.what).into(), pen.style(Role::Slow))]);
        for part in text::wrap(&mishap.advice, width.saturating_sub(2)) {
            lines.push(vec![(format!("  {part}").into(), dim)]);
        }
    }
    lines
}

/// The addresses that are open, without their ports: `127.0.0.1 and [::1]`.
fn addresses(state: &State) -> String {
    let mut hosts: Vec<String> = Vec::new();
    for door in state.health.sources.iter().flat_map(|source| &source.doors) {
        let ip = door.address.ip();
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        if door.state == DoorState::Open && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts.join(" and ")
}

fn doors(pen: &Pen<'_>, width: usize, grpc: Option<u16>, http: Option<u16>) -> Line<'static> {
    let dim = pen.style(Role::Dim);
    let mut line: Line<'static> = Vec::new();
    for (name, port) in [("gRPC", grpc), ("HTTP", http)] {
        if let Some(port) = port {
            line.push((format!("{name}  ").into(), dim));
            line.push((format!("{port}   ").into(), pen.bold(Role::Good)));
        }
    }
    let usual = grpc == Some(4317) && http == Some(4318);
    let usual_words = if width >= 92 {
        "every OpenTelemetry SDK sends here by default; nothing to set"
    } else {
        "SDKs send here by default; nothing to set"
    };
    if usual {
        line.push((usual_words.into(), dim));
    } else if !line.is_empty() {
        line.push(("not the ports that SDKs send to by default: set the endpoint".into(), dim));
    }
    line
}

/// What is wrong with a door, and what to type instead.
fn trouble(pen: &Pen<'_>, source: &SourceHealth, door: &Door) -> Vec<Line<'static>> {
    let (error, dim) = (pen.style(Role::Error), pen.style(Role::Dim));
    let flag = if source.name.contains("gRPC") { "--grpc" } else { "--http" };
    let another = format!("  with another port: tracefall {flag} {}:0", host(door));
    match &door.state {
        DoorState::Busy { holder, .. } => {
            let who = holder.as_deref().unwrap_or("another program");
            let what = format!("✗ {} {} is taken by {who}; tried again until it is free", source.name, door.address);
            vec![vec![(what.into(), error)], vec![(another.into(), dim)]]
        }
        DoorState::Failed { error: why } => {
            let what = format!("✗ {} cannot listen on {}: {why}", source.name, door.address);
            vec![vec![(what.into(), error)], vec![(another.into(), dim)]]
        }
        DoorState::Opening | DoorState::Open => Vec::new(),
    }
}

fn host(door: &Door) -> String {
    let ip = door.address.ip();
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

fn keys(pen: &Pen<'_>) -> Line<'static> {
    let (accent, dim) = (pen.bold(Role::Accent), pen.style(Role::Dim));
    let mut line: Line<'static> = Vec::new();
    let demo = if pen.state.demo { "stop the demo" } else { "play the demo" };
    for (action, word) in [(Action::Copy, "copy these lines"), (Action::Demo, demo), (Action::ShowHealth, "health")] {
        let Some(key) = pen.state.settings.keymap.keys(action).first() else { continue };
        line.push((Cow::Owned(key.label()), accent));
        line.push((format!(" {word}   ").into(), dim));
    }
    line
}

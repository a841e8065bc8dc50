//! Before the first span: where it listens, what to type, what else can be done, and what has just gone wrong.

use std::borrow::Cow;
use std::net::SocketAddr;

use ratatui::layout::Rect;

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::text;
use crate::app::{Action, State};
use crate::model::{Door, DoorState, Reading, ReadingState, SourceHealth};

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
    let files = || state.health.sources.iter().filter_map(|source| source.reading.as_ref());
    let unread = |file: &Reading| matches!(file.state, ReadingState::Waiting | ReadingState::Reading);
    let title = match (any, state.settings.filed) {
        (true, _) => "Waiting for the first span",
        (false, true) if files().next().is_none() || files().any(unread) => "Reading",
        (false, true) => "There is no span in these files",
        (false, false) => "No door is open",
    };
    let mut line = vec![(title.into(), pen.bold(Role::Text))];
    let open = addresses(state);
    if !open.is_empty() {
        line.push((format!("  listening on {open}").into(), dim));
    }
    lines.push(line);
    lines.push(Vec::new());
    lines.push(doors(pen, width, [grpc, http, open_port(state, "Zipkin")]));
    lines.extend(troubles(pen, width));
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

fn doors(pen: &Pen<'_>, width: usize, ports: [Option<u16>; 3]) -> Line<'static> {
    let dim = pen.style(Role::Dim);
    let mut line: Line<'static> = Vec::new();
    for (name, port) in ["gRPC", "HTTP", "Zipkin"].into_iter().zip(ports) {
        if let Some(port) = port {
            line.push((format!("{name}  ").into(), dim));
            line.push((format!("{port}   ").into(), pen.bold(Role::Good)));
        }
    }
    let [grpc, http, zipkin] = ports;
    let usual = grpc == Some(4317) && http == Some(4318);
    let usual_words = match (zipkin, width) {
        (None, 92..) => "every OpenTelemetry SDK sends here by default; nothing to set",
        (None, _) | (_, 72..) => "SDKs send here by default; nothing to set",
        _ => "where SDKs send by default",
    };
    if usual {
        line.push((usual_words.into(), dim));
    } else if !line.is_empty() {
        line.push(("not the ports that SDKs send to by default: set the endpoint".into(), dim));
    }
    line
}

/// What is wrong with the doors, and what to type instead.
fn troubles(pen: &Pen<'_>, width: usize) -> Vec<Line<'static>> {
    let sources = &pen.state.health.sources;
    let mut words: Vec<String> = Vec::new();
    for source in sources {
        // Both loopback addresses of a port have the same fate nearly always: that is said once.
        let mut said: Vec<(String, String)> = Vec::new();
        for door in &source.doors {
            let Some(why) = trouble(door) else { continue };
            match said.iter_mut().find(|(_, known)| *known == why) {
                Some((addresses, _)) => *addresses = format!("{addresses} and {}", door.address),
                None => said.push((door.address.to_string(), why)),
            }
        }
        words.extend(said.into_iter().map(|(addresses, why)| format!("{} {addresses}: {why}", source.name)));
    }
    if words.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (error, dim, plain) = (pen.style(Role::Error), pen.style(Role::Dim), pen.style(Role::Text));
    for word in words {
        for (at, part) in text::wrap(&word, width.saturating_sub(2)).into_iter().enumerate() {
            let mark = if at == 0 { "✗ " } else { "  " };
            lines.push(vec![(mark.into(), error), (part.into(), error)]);
        }
    }
    lines.push(vec![("  on other ports: ".into(), dim), (instead(sources).into(), plain)]);
    lines
}

fn trouble(door: &Door) -> Option<String> {
    match &door.state {
        DoorState::Busy { holder, .. } => {
            let who = holder.as_deref().unwrap_or("another program");
            Some(format!("taken by {who}; tried again until it is free"))
        }
        DoorState::Failed { error } => Some(error.clone()),
        DoorState::Opening | DoorState::Open => None,
    }
}

/// The command that avoids the ports that cannot be had, and keeps the others where they were asked for.
fn instead(sources: &[SourceHealth]) -> String {
    let mut command = "tracefall".to_owned();
    for source in sources {
        let (flag, usual) = match source.name.as_str() {
            "OTLP/gRPC" => ("--grpc", 4317),
            "Zipkin" => ("--zipkin", 9411),
            _ => ("--http", 4318),
        };
        let Some(first) = source.doors.first() else { continue };
        let troubled = source.doors.iter().any(|door| trouble(door).is_some());
        let port = first.address.port();
        if !troubled && port == usual {
            // This door is there only where it is asked for.
            command.push_str(if flag == "--zipkin" { " --zipkin" } else { "" });
            continue;
        }
        let port = if troubled { port.checked_add(10_000).unwrap_or(0) } else { port };
        let ip = first.address.ip();
        let place = if ip.is_loopback() { port.to_string() } else { SocketAddr::new(ip, port).to_string() };
        command = format!("{command} {flag} {place}");
    }
    command
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, port: u16, state: &DoorState) -> SourceHealth {
        let door = |ip: &str| Door { address: SocketAddr::new(ip.parse().unwrap(), port), state: state.clone() };
        SourceHealth { name: name.to_owned(), doors: vec![door("127.0.0.1"), door("::1")], ..SourceHealth::default() }
    }

    #[test]
    fn another_port_is_proposed_once_for_each_door_that_cannot_be_had() {
        let busy = DoorState::Busy { holder: None, next_try: crate::model::Nanos(0) };
        let open = DoorState::Open;
        for (grpc, http, expected) in [
            ((4317, &busy), (4318, &open), "tracefall --grpc 14317"),
            ((4317, &busy), (4318, &busy), "tracefall --grpc 14317 --http 14318"),
            ((4317, &busy), (5318, &open), "tracefall --grpc 14317 --http 5318"),
            ((60_000, &busy), (4318, &open), "tracefall --grpc 0"),
        ] {
            let sources = [source("OTLP/gRPC", grpc.0, grpc.1), source("OTLP/HTTP", http.0, http.1)];
            assert_eq!(instead(&sources), expected);
        }
        let zipkin = |state| [source("OTLP/gRPC", 4317, &open), source("Zipkin", 9411, state)];
        assert_eq!(instead(&zipkin(&busy)), "tracefall --zipkin 19411");
        let all = [source("OTLP/gRPC", 4317, &busy), source("Zipkin", 9411, &open)];
        assert_eq!(instead(&all), "tracefall --grpc 14317 --zipkin");
    }
}

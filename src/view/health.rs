//! Health: what listens where, what came in, what was lost, how full memory is.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::text;
use super::trace::many;
use crate::app::State;
use crate::model::{Door, DoorState, RejectReason, ServiceHealth, Signal, SourceHealth};

type Line = Vec<Piece<'static>>;

/// Rows in sight, and how many there are.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u32) {
    let health = &state.health;
    let doors: usize = health.sources.iter().map(|source| source.doors.len().max(1)).sum();
    let rejected: usize = health.sources.iter().map(|source| source.rejected.len()).sum();
    let services = health.services.len();
    let mishaps = health.mishaps.len() * 2;
    // Headings and the lines about memory and losses are as many as `lines` writes.
    let all = doors + rejected + services + mishaps + 17;
    (body.height, u32::try_from(all).unwrap_or(u32::MAX))
}

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) {
    let lines = lines(pen, body.width);
    let height = usize::from(body.height);
    let scroll = pen.state.health_screen.scroll.min(lines.len().saturating_sub(height));
    for (y, line) in (body.top()..body.bottom()).zip(lines.iter().skip(scroll)) {
        pen.line((body.x + 1, y), body.width.saturating_sub(2), line);
    }
}

fn lines(pen: &Pen<'_>, width: u16) -> Vec<Line> {
    let state = pen.state;
    let health = &state.health;
    let faint = pen.style(Role::Faint);
    let head = |text: String| -> Line { vec![(text.into(), faint)] };
    let mut lines: Vec<Line> = Vec::new();
    lines.push(head(format!(
        "{:<12}{:<24}{:<12}{:>8}{:>14}{:>12}",
        "source", "address", "state", "spans/s", "accepted", "rejected"
    )));
    for source in &health.sources {
        source_lines(pen, source, &mut lines);
    }
    if health.sources.is_empty() {
        lines.push(vec![("nothing listens".into(), pen.style(Role::Dim))]);
    }
    lines.push(Vec::new());
    memory_lines(pen, width, &mut lines);
    lines.push(Vec::new());
    if !health.mishaps.is_empty() {
        lines.push(head("mistakes of senders, latest first".to_owned()));
        for mishap in health.mishaps.iter().rev() {
            let time: String = format::time_of_day(mishap.at, &pen.look.zone).chars().take(8).collect();
            let times = if mishap.count > 1 { format!("  ×{}", format::count(mishap.count)) } else { String::new() };
            lines.push(vec![(format!("▲ {time}  {}{times}", mishap.what).into(), pen.style(Role::Slow))]);
            lines.push(vec![(format!("            {}", mishap.advice).into(), pen.style(Role::Dim))]);
        }
        lines.push(Vec::new());
    }
    lines.push(head(format!(
        "{:<26}{:>12}{:>10}{:>9}{:>10}{:>10}{:>12}",
        "service", "spans", "traces", "errors", "slow SQL", "logs", "last"
    )));
    for (name, service) in &health.services {
        lines.push(service_line(pen, name, service));
    }
    lines
}

fn source_lines(pen: &Pen<'_>, source: &SourceHealth, lines: &mut Vec<Line>) {
    let (text, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let accepted: u64 = source.accepted.values().sum();
    let rejected: u64 = source.rejected.values().sum();
    let figures = |first: bool| -> Line {
        if !first {
            return Vec::new();
        }
        let rejected_style = if rejected > 0 { pen.style(Role::Slow) } else { dim };
        vec![
            (format!("{:>8}", format::count(source.spans_per_second)).into(), text),
            (format!("{:>14}", format::count(accepted)).into(), text),
            (format!("{:>12}", format::count(rejected)).into(), rejected_style),
        ]
    };
    if source.doors.is_empty() {
        let mut line: Line = vec![(format!("{:<48}", source.name).into(), text)];
        line.extend(figures(true));
        lines.push(line);
    }
    for (index, door) in source.doors.iter().enumerate() {
        let name = if index == 0 { source.name.as_str() } else { "" };
        let (state, style) = door_state(pen, door);
        let mut line: Line = vec![
            (format!("{name:<12}").into(), text),
            (format!("{:<24}", door.address.to_string()).into(), dim),
            (format!("{state:<12}").into(), style),
        ];
        line.extend(figures(index == 0));
        if let Some(why) = door_trouble(door) {
            line.push((format!("  {why}").into(), pen.style(Role::Error)));
        }
        lines.push(line);
    }
    let signals: Vec<String> = [Signal::Traces, Signal::Logs, Signal::Metrics]
        .iter()
        .filter_map(|signal| Some((signal, source.accepted.get(signal)?)))
        .map(|(signal, count)| format!("{} {}", format::count(*count), unit(*signal)))
        .collect();
    if signals.len() > 1 {
        lines.push(vec![(format!("{:<12}{}", "", signals.join(" · ")).into(), dim)]);
    }
    for reason in RejectReason::ALL {
        if let Some(count) = source.rejected.get(&reason) {
            let line = format!("{:<12}{} rejected: {}", "", format::count(*count), reason.words());
            lines.push(vec![(line.into(), pen.style(Role::Slow))]);
        }
    }
}

fn unit(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Logs => "log records",
        Signal::Metrics => "data points (counted, not kept)",
    }
}

fn door_state(pen: &Pen<'_>, door: &Door) -> (&'static str, Style) {
    match door.state {
        DoorState::Opening => ("○ opening", pen.style(Role::Dim)),
        DoorState::Open => ("● open", pen.style(Role::Good)),
        DoorState::Busy { .. } => ("✗ taken", pen.style(Role::Error)),
        DoorState::Failed { .. } => ("✗ failed", pen.style(Role::Error)),
    }
}

fn door_trouble(door: &Door) -> Option<String> {
    match &door.state {
        DoorState::Busy { holder, next_try } => {
            let who = holder.as_deref().unwrap_or("another program");
            Some(format!("{who} has it; next try in {next_try}"))
        }
        DoorState::Failed { error } => Some(error.clone()),
        DoorState::Opening | DoorState::Open => None,
    }
}

fn memory_lines(pen: &Pen<'_>, width: u16, lines: &mut Vec<Line>) {
    let health = &pen.state.health;
    let (text, dim, faint) = (pen.style(Role::Text), pen.style(Role::Dim), pen.style(Role::Faint));
    let percent = health.memory_percent();
    let columns = width.saturating_sub(50).clamp(8, 40);
    let filled = u16::try_from(u64::from(columns) * percent.min(100) / 100).unwrap_or(0);
    let full = if percent >= 90 { pen.style(Role::Slow) } else { pen.look.style(Role::Good) };
    lines.push(vec![
        (format!("{:<12}", "memory").into(), faint),
        ("━".repeat(usize::from(filled)).into(), full),
        ("─".repeat(usize::from(columns - filled)).into(), faint),
        (format!("  {percent} %").into(), text),
        (format!("  {} of {}", format::bytes(health.memory_used), format::bytes(health.memory_budget)).into(), dim),
    ]);
    let held =
        [many(health.traces_held, "trace"), many(health.spans_held, "span"), many(health.logs_held, "log record")];
    lines.push(vec![(format!("{:<12}", "held").into(), faint), (held.join(" · ").into(), text)]);
    let evicted = [
        many(health.traces_evicted, "trace"),
        many(health.spans_evicted, "span"),
        many(health.logs_evicted, "log record"),
    ];
    let left = health.traces_evicted + health.spans_evicted + health.logs_evicted;
    let (words, style) = if left == 0 {
        ("nothing: there has been room for everything".to_owned(), dim)
    } else {
        (evicted.join(" · "), text)
    };
    lines.push(vec![(format!("{:<12}", "made room").into(), faint), (words.into(), style)]);
    let duplicates = format!("{} came more than once and {} counted once", many(health.duplicates, "span"), "are");
    lines.push(vec![(format!("{:<12}", "repeated").into(), faint), (duplicates.into(), dim)]);
    let up = format::age(pen.state.now.since(health.started));
    lines.push(vec![(format!("{:<12}", "running for").into(), faint), (up.into(), dim)]);
}

fn service_line(pen: &Pen<'_>, name: &str, service: &ServiceHealth) -> Line {
    let (text, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let shown = text::visible(name);
    let shown = text::cut_middle(&shown, 23);
    let pad = 24_usize.saturating_sub(text::width(&shown));
    let figure = |count: u64, width: usize, style: Style| -> Piece<'static> {
        (format!("{:>width$}", format::count(count)).into(), style)
    };
    let alarm = |count: u64, role: Role| if count > 0 { pen.style(role) } else { dim };
    let since = pen.state.now.since(service.last_arrival);
    let last = if service.last_arrival.0 == 0 { "-".to_owned() } else { format!("{} ago", format::age(since)) };
    vec![
        ("▌ ".into(), Style::new().fg(pen.look.service(name))),
        (format!("{shown}{}", " ".repeat(pad)).into(), text),
        figure(service.spans, 12, text),
        figure(service.traces, 10, dim),
        figure(service.errors, 9, alarm(service.errors, Role::Error)),
        figure(service.slow_sql, 10, alarm(service.slow_sql, Role::Slow)),
        figure(service.logs, 10, dim),
        (format!("{last:>12}").into(), dim),
    ]
}

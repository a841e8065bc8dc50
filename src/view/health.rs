//! Health: what listens where, what came in, what was lost, how full memory is.

use ratatui::layout::Rect;
use ratatui::style::Style;

use jiff::tz::TimeZone;

use super::flow::{Bit, Bits, bit};
use super::format;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::text;
use super::trace::many;
use crate::app::State;
use crate::model::{Door, DoorState, Reading, ReadingState, RejectReason, ServiceHealth, Signal, SourceHealth};

/// A line: its pieces, and the service whose colour stands before them.
#[derive(Default)]
struct Line {
    bits: Bits,
    service: Option<String>,
}

/// Rows in sight, and how many there are.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u32) {
    let all = lines(state, &TimeZone::UTC, body.width).len() + state.health.services.len();
    (body.height, u32::try_from(all).unwrap_or(u32::MAX))
}

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) {
    let state = pen.state;
    let lines = lines(state, &pen.look.zone, body.width);
    let services = &state.health.services;
    let height = usize::from(body.height);
    let scroll = state.health_screen.scroll.min((lines.len() + services.len()).saturating_sub(height));
    // There may be thousands of services: those in sight are written.
    let services = services.iter().skip(scroll.saturating_sub(lines.len()));
    let services = services.map(|(name, service)| service_line(state, name, service));
    for (y, line) in (body.top()..body.bottom()).zip(lines.into_iter().skip(scroll).chain(services)) {
        let mut x = body.x + 1;
        if let Some(service) = &line.service {
            let colour = Style::new().fg(pen.look.service(service));
            pen.put((x, y), "▌", 1, colour);
            x += 2;
        }
        let pieces: Vec<Piece<'_>> =
            line.bits.iter().map(|bit| (bit.text.as_str().into(), pen.style(bit.role))).collect();
        pen.line((x, y), body.right().saturating_sub(x), &pieces);
    }
}

fn line(bits: Bits) -> Line {
    Line { bits, service: None }
}

fn one(text: impl Into<String>, role: Role) -> Line {
    line(vec![bit(text, role)])
}

/// A name in its column, then the rest.
fn named(name: &str, rest: Bits) -> Line {
    line(std::iter::once(bit(format!("{name:<12}"), Role::Dim)).chain(rest).collect())
}

/// All lines but those of the services, which come last.
fn lines(state: &State, zone: &TimeZone, width: u16) -> Vec<Line> {
    let health = &state.health;
    let columns = ("source", "address", "state", "spans/s", "accepted", "rejected");
    let (source, address, door, rate, accepted, rejected) = columns;
    let head = format!("{source:<12}{address:<22}{door:<11}{rate:>8}{accepted:>12}{rejected:>10}");
    let mut lines = vec![one(head, Role::Faint)];
    for source in &health.sources {
        source_lines(source, &mut lines);
    }
    if !health.sources.iter().any(|source| !source.doors.is_empty() || source.reading.is_some()) {
        lines.push(one("nothing listens", Role::Dim));
    }
    lines.push(Line::default());
    memory_lines(state, width, &mut lines);
    lines.push(Line::default());
    if !health.mishaps.is_empty() {
        lines.push(one("mistakes of senders, latest first", Role::Faint));
    }
    for mishap in health.mishaps.iter().rev() {
        let time: String = format::time_of_day(mishap.at, zone).chars().take(8).collect();
        let times = if mishap.count > 1 { format!("  ×{}", format::count(mishap.count)) } else { String::new() };
        lines.push(one(format!("▲ {time}  {}{times}", mishap.what), Role::Slow));
        for part in text::wrap(&mishap.advice, usize::from(width.saturating_sub(16))) {
            lines.push(one(format!("{:<12}{part}", ""), Role::Dim));
        }
    }
    if !health.mishaps.is_empty() {
        lines.push(Line::default());
    }
    let (service, spans, traces, errors) = ("service", "spans", "traces", "errors");
    let head = format!("{service:<24}{spans:>10}{traces:>8}{errors:>8}{:>9}{:>8}{:>9}", "slow SQL", "logs", "last");
    lines.push(one(head, Role::Faint));
    lines
}

fn source_lines(source: &SourceHealth, lines: &mut Vec<Line>) {
    let accepted: u64 = source.accepted.values().sum();
    let rejected: u64 = source.rejected.values().sum();
    let rejected_role = if rejected > 0 { Role::Slow } else { Role::Dim };
    let figures = [
        bit(format!("{:>8}", format::count(source.spans_per_second)), Role::Text),
        bit(format!("{:>12}", format::count(accepted)), Role::Text),
        bit(format!("{:>10}", format::count(rejected)), rejected_role),
    ];
    if let Some(reading) = &source.reading {
        file_lines(source, reading, &figures, lines);
    } else if source.doors.is_empty() {
        let name = bit(format!("{:<45}", source.name), Role::Text);
        lines.push(line(std::iter::once(name).chain(figures.clone()).collect()));
    }
    for (index, door) in source.doors.iter().enumerate() {
        let name = if index == 0 { source.name.as_str() } else { "" };
        let (state, role) = door_state(door);
        let mut bits = vec![
            bit(format!("{name:<12}"), Role::Text),
            bit(format!("{:<22}", door.address.to_string()), Role::Dim),
            bit(format!("{state:<11}"), role),
        ];
        if index == 0 {
            bits.extend(figures.clone());
        }
        lines.push(line(bits));
        if let Some(why) = door_trouble(door) {
            lines.push(named("", vec![bit(why, Role::Error)]));
        }
    }
    let signals: Vec<String> = [Signal::Traces, Signal::Logs, Signal::Metrics]
        .iter()
        .filter_map(|signal| Some((signal, source.accepted.get(signal)?)))
        .map(|(signal, count)| format!("{} {}", format::count(*count), unit(*signal)))
        .collect();
    if signals.len() > 1 {
        lines.push(named("", vec![bit(signals.join(" · "), Role::Dim)]));
    }
    for reason in RejectReason::ALL {
        if let Some(count) = source.rejected.get(&reason) {
            let text = format!("{} rejected: {}", format::count(*count), reason.words());
            lines.push(named("", vec![bit(text, Role::Slow)]));
        }
    }
}

/// A file: its name, how far it has been read, what is wrong in it.
fn file_lines(source: &SourceHealth, reading: &Reading, figures: &[Bit], lines: &mut Vec<Line>) {
    let (state, role) = match &reading.state {
        ReadingState::Waiting => ("○ waits".to_owned(), Role::Dim),
        ReadingState::Reading => (
            reading.percent().map_or_else(|| "reading".to_owned(), |percent| format!("{percent} % read")),
            Role::Accent,
        ),
        ReadingState::Following => ("● followed".to_owned(), Role::Good),
        ReadingState::Done => ("● read".to_owned(), Role::Good),
        ReadingState::Failed(_) => ("✗ unread".to_owned(), Role::Error),
    };
    // The end of a path says more than its beginning.
    let shown = text::visible(&source.name);
    let shown = text::cut_middle(&shown, 33);
    let pad = " ".repeat(34_usize.saturating_sub(text::width(&shown)));
    let mut bits = vec![bit(format!("{shown}{pad}"), Role::Text), bit(format!("{state:<11}"), role)];
    bits.extend(figures.iter().cloned());
    lines.push(line(bits));
    if let ReadingState::Failed(why) = &reading.state {
        lines.push(named("", vec![bit(text::visible(why).into_owned(), Role::Error)]));
    }
    if reading.faults > 0 {
        let latest = reading.latest_fault.as_deref().map(text::visible).unwrap_or_default();
        let words = format!("{} left out, the latest: {latest}", many(reading.faults, "broken piece"));
        lines.push(named("", vec![bit(words, Role::Slow)]));
    }
}

fn unit(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Logs => "log records",
        Signal::Metrics => "data points (counted, not kept)",
    }
}

fn door_state(door: &Door) -> (&'static str, Role) {
    match door.state {
        DoorState::Opening => ("○ opening", Role::Dim),
        DoorState::Open => ("● open", Role::Good),
        DoorState::Busy { .. } => ("✗ taken", Role::Error),
        DoorState::Failed { .. } => ("✗ failed", Role::Error),
    }
}

fn door_trouble(door: &Door) -> Option<String> {
    match &door.state {
        DoorState::Busy { holder, next_try } => {
            let who = holder.as_deref().unwrap_or("another program");
            Some(format!("{who} has {}; next try in {next_try}", door.address))
        }
        DoorState::Failed { error } => Some(error.clone()),
        DoorState::Opening | DoorState::Open => None,
    }
}

fn memory_lines(state: &State, width: u16, lines: &mut Vec<Line>) {
    let health = &state.health;
    let percent = health.memory_percent();
    let columns = width.saturating_sub(50).clamp(8, 40);
    let filled = u16::try_from(u64::from(columns) * percent.min(100) / 100).unwrap_or(0);
    let full = if percent >= 90 { Role::Slow } else { Role::Good };
    let sizes = format!("  {} of {}", format::bytes(health.memory_used), format::bytes(health.memory_budget));
    lines.push(named(
        "memory",
        vec![
            bit("━".repeat(usize::from(filled)), full),
            bit("─".repeat(usize::from(columns - filled)), Role::Faint),
            bit(format!("  {percent} %"), Role::Text),
            bit(sizes, Role::Dim),
        ],
    ));
    let counts = |traces: u64, spans: u64, logs: u64| {
        [many(traces, "trace"), many(spans, "span"), many(logs, "log record")].join(" · ")
    };
    let held = counts(health.traces_held, health.spans_held, health.logs_held);
    lines.push(named("held", vec![bit(held, Role::Text)]));
    let gone = health.traces_evicted + health.spans_evicted + health.logs_evicted;
    let evicted = if gone == 0 {
        bit("none: there has been room for everything", Role::Dim)
    } else {
        bit(counts(health.traces_evicted, health.spans_evicted, health.logs_evicted), Role::Slow)
    };
    lines.push(named("evicted", vec![evicted]));
    let twice = format!("{} came more than once, each counted once", many(health.duplicates, "span"));
    lines.push(named("duplicates", vec![bit(twice, Role::Dim)]));
    lines.push(named("running", vec![bit(format::age(state.now.since(health.started)), Role::Dim)]));
}

fn service_line(state: &State, name: &str, service: &ServiceHealth) -> Line {
    let shown = text::visible(name);
    let shown = text::cut_middle(&shown, 21);
    let pad = 22_usize.saturating_sub(text::width(&shown));
    let alarm = |count: u64, role: Role| if count > 0 { role } else { Role::Dim };
    let since = state.now.since(service.last_arrival);
    let last = if service.last_arrival.0 == 0 { "-".to_owned() } else { format!("{} ago", format::age(since)) };
    let figure = |count: u64, width: usize, role: Role| bit(format!("{:>width$}", format::count(count)), role);
    let bits = vec![
        bit(format!("{shown}{}", " ".repeat(pad)), Role::Text),
        figure(service.spans, 10, Role::Text),
        figure(service.traces, 8, Role::Dim),
        figure(service.errors, 8, alarm(service.errors, Role::Error)),
        figure(service.slow_sql, 9, alarm(service.slow_sql, Role::Slow)),
        figure(service.logs, 8, Role::Dim),
        bit(format!("{last:>9}"), Role::Dim),
    ];
    Line { bits, service: Some(name.to_owned()) }
}

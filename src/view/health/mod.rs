//! Health: what listens where, what came in, what was lost, how full memory is.

mod sources;

use ratatui::layout::Rect;
use ratatui::style::Style;

use jiff::tz::TimeZone;

use super::flow::{Bits, bit};
use super::format;
use super::look::Role;
use super::pen::{Pen, Piece};
use super::text;
use super::trace::many;
use crate::app::State;
use crate::model::ServiceHealth;

pub(super) use self::sources::until;

/// A line: its pieces, the service whose colour stands before them, and whether it is the first of the selected source.
#[derive(Default)]
struct Line {
    bits: Bits,
    service: Option<String>,
    selected: bool,
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
    // Before anything is scrolled, the selected source is in sight.
    let chosen = lines.iter().position(|line| line.selected).unwrap_or_default();
    let scroll = if scroll == 0 { (chosen + 3).saturating_sub(height) } else { scroll };
    // There may be thousands of services: those in sight are written.
    let services = services.iter().skip(scroll.saturating_sub(lines.len()));
    let services = services.map(|(name, service)| service_line(state, name, service));
    for (y, line) in (body.top()..body.bottom()).zip(lines.into_iter().skip(scroll).chain(services)) {
        let mut x = body.x + 1;
        if line.selected {
            pen.put((body.x, y), "▸", 1, pen.bold(Role::Accent));
        }
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
    Line { bits, ..Line::default() }
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
    let mut lines = sources::lines(state, zone, width);
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
    Line { bits, service: Some(name.to_owned()), selected: false }
}

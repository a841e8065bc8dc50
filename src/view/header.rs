//! The first line: where one is, which doors are open, how fast spans arrive, how full memory is.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::asked;
use super::format;
use super::health::until;
use super::look::Role;
use super::pen::{Pen, Piece, cells};
use super::text;
use crate::app::{Screen, State};
use crate::model::{Door, DoorState, Nanos, Reading, ReadingState};

/// How long a sender's mistake is pointed at.
const FRESH: Nanos = Nanos::from_secs(15);

const BRAND: &str = " tracefall ";
const TABS: [(Screen, &str, &str); 7] = [
    (Screen::Traces, "1", "Traces"),
    (Screen::Trace, "2", "Trace"),
    (Screen::Sql, "3", "SQL"),
    (Screen::Errors, "4", "Errors"),
    (Screen::Services, "5", "Services"),
    (Screen::Compare, "6", "Compare"),
    (Screen::Health, "8", "Health"),
];

/// How much room there is at the right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Wide,
    Narrow,
    Tight,
}

/// A part of what stands at the right.
type Gauge = (Cow<'static, str>, Role);

/// Each tab's text, and where it stands from the left edge. Where the names leave too little room for what stands at the
/// right, only the open one has its.
fn tabs(state: &State, width: u16) -> Vec<(Screen, String, u16)> {
    let named = place_tabs(state, true);
    let end = named.last().map_or(0, |(_, text, at)| at + cells(text.len()));
    let gauges: usize = gauges(state, Room::Wide).iter().map(|(text, _)| text::width(text)).sum();
    if width >= 100 && usize::from(end) + gauges + 3 <= usize::from(width) { named } else { place_tabs(state, false) }
}

fn place_tabs(state: &State, named: bool) -> Vec<(Screen, String, u16)> {
    let mut at = cells(BRAND.len()) + 1;
    let mut tabs = Vec::new();
    for (screen, key, name) in TABS {
        let open = screen == state.screen;
        let text = if named || open { format!(" {key} {name} ") } else { format!(" {key} ") };
        let width = cells(text.len());
        tabs.push((screen, text, at));
        at += width;
    }
    tabs
}

/// The tab in column `x` from the left edge.
pub(super) fn tab_at(state: &State, width: u16, x: u16) -> Option<Screen> {
    let hit = |(_, text, at): &&(Screen, String, u16)| (*at..at + cells(text.len())).contains(&x);
    tabs(state, width).iter().find(hit).map(|(screen, _, _)| *screen)
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let brand = pen.style(Role::Brand);
    let mut end = area.x + pen.put((area.x, area.y), BRAND, area.width, brand);
    for (screen, text, at) in tabs(pen.state, area.width) {
        let role = if screen == pen.state.screen { Role::Tab } else { Role::Dim };
        let room = area.width.saturating_sub(at);
        let used = pen.put((area.x + at, area.y), &text, room, pen.style(role));
        end = area.x + at + used;
    }
    let free = area.right().saturating_sub(end + 2);
    let width = |gauges: &[Gauge]| gauges.iter().map(|(text, _)| text::width(text)).sum::<usize>();
    let fits = |gauges: &[Gauge]| width(gauges) <= usize::from(free);
    let (own, narrower) = if area.width < 100 { (Room::Narrow, Room::Tight) } else { (Room::Wide, Room::Wide) };
    let mut gauges = gauges(pen.state, own);
    // What is well goes before what is not: doors that are open are where they always were.
    let is_told = |(text, role): &Gauge| !is_door(text) || *role == Role::Error;
    if !fits(&gauges) {
        gauges.retain(is_told);
    }
    if !fits(&gauges) {
        gauges = self::gauges(pen.state, narrower);
        gauges.retain(is_told);
    }
    let pieces: Vec<Piece<'_>> = gauges.into_iter().map(|(text, role)| (text, pen.style(role))).collect();
    let width: usize = pieces.iter().map(|(text, _)| text::width(text)).sum();
    let mut from = 0;
    let mut left = width;
    // What does not fit is left out from the left: memory is the last to go.
    while left > usize::from(free) && from < pieces.len() {
        left -= pieces.get(from).map_or(0, |(text, _)| text::width(text));
        from += 1;
    }
    let x = area.right().saturating_sub(cells(left) + 1);
    pen.line((x, area.y), cells(left), pieces.get(from..).unwrap_or_default());
}

/// Whether a piece is the number of a door.
fn is_door(text: &str) -> bool {
    text.trim_end().bytes().all(|byte| byte.is_ascii_digit())
}

/// The first source that does not answer, and when it is tried again; or else how many a person paused.
fn troubled_source(state: &State, room: Room) -> Option<Gauge> {
    let sources = &state.health.sources;
    let mut troubled =
        sources.iter().filter(|source| !source.paused).filter_map(|source| Some((source, source.trouble()?)));
    if let Some((source, (_, next_try))) = troubled.next() {
        let name = text::visible(&source.name);
        let (most, says, tries) = match room {
            Room::Wide => (16, ": error", ", next try "),
            Room::Narrow => (16, "", ", again "),
            Room::Tight => (8, "", ", "),
        };
        let name = text::cut_end(&name, most).into_owned();
        let next = next_try.map_or_else(String::new, |at| format!("{tries}{}", until(at, state.now)));
        let more = troubled.count();
        let more = if more > 0 { format!(" +{more}") } else { String::new() };
        return Some((format!("✗ {name}{says}{next}{more}  ").into(), Role::Error));
    }
    let paused = sources.iter().filter(|source| source.paused).count();
    (paused > 0).then(|| (format!("‖ {paused} paused  ").into(), Role::Slow))
}

/// How far a search has come that asks a server for one part of the time after the other. The list says it below the filter.
fn narrowing(state: &State, room: Room) -> Option<Gauge> {
    const NAME: usize = 16;
    let servers = asked::servers(state).find(|(_, asked)| asked.is_narrowing());
    let (source, asked) = servers.filter(|_| state.screen != Screen::Traces)?;
    let name = text::visible(&source.name);
    let name = text::cut_end(&name, NAME);
    let open = asked.progress.open;
    let text = match room {
        Room::Wide => format!("{name}: {}  ", asked::progress(asked)),
        Room::Narrow | Room::Tight => format!("{name}: {open} to go  "),
    };
    Some((text.into(), Role::Accent))
}

/// How far files have been read, and whether all they hold could be kept.
fn files(state: &State) -> Vec<Gauge> {
    /// Cells of the bar.
    const BAR: u64 = 10;
    let health = &state.health;
    let files: Vec<&Reading> = health.sources.iter().filter_map(|source| source.reading.as_ref()).collect();
    let mut pieces: Vec<Gauge> = Vec::new();
    let of = |wanted: fn(&ReadingState) -> bool| files.iter().filter(|file| wanted(&file.state)).count();
    let failed = of(|state| matches!(state, ReadingState::Failed(_)));
    let faults: u64 = files.iter().map(|file| file.faults).sum();
    if failed > 0 || faults > 0 {
        let text = if failed > 0 { "✗ unread: see 8  " } else { "▲ broken lines: see 8  " };
        pieces.push((text.into(), if failed > 0 { Role::Error } else { Role::Slow }));
    }
    if !files.is_empty() && health.traces_evicted > 0 {
        let text = format!("▲ {} traces left: --memory  ", format::count(health.traces_evicted));
        pieces.push((text.into(), Role::Slow));
    }
    if of(|state| matches!(state, ReadingState::Waiting | ReadingState::Reading)) > 0 {
        let read: u64 = files.iter().map(|file| file.read).sum();
        let total: Option<u64> = files.iter().map(|file| file.total).sum();
        let dim = Role::Dim;
        if let Some(total) = total.filter(|total| *total > 0) {
            let filled = (read.saturating_mul(BAR) / total).min(BAR);
            let cells = |count: u64, cell: &str| cell.repeat(usize::try_from(count).unwrap_or(0));
            pieces.push((cells(filled, "━").into(), Role::Accent));
            pieces.push((cells(BAR - filled, "─").into(), Role::Faint));
            pieces.push((format!(" {} of {}  ", format::bytes(read), format::bytes(total)).into(), dim));
        } else {
            pieces.push((format!("reading {}  ", format::bytes(read)).into(), dim));
        }
    }
    pieces
}

fn gauges(state: &State, room: Room) -> Vec<Gauge> {
    let health = &state.health;
    let dim = Role::Dim;
    let mut pieces: Vec<Gauge> = Vec::new();
    if state.demo {
        pieces.push(("demo  ".into(), Role::Accent));
    }
    pieces.extend(files(state));
    // A sender is making a mistake now: what it is stands on the health screen, and before the first span right below.
    let latest = health.mishaps.iter().max_by_key(|mishap| mishap.at);
    let fresh = latest.is_some_and(|mishap| state.now.since(mishap.at) < FRESH);
    if fresh && state.screen != Screen::Health && !super::layout::is_first(state) {
        pieces.push(("▲ refused: see 8  ".into(), Role::Slow));
    }
    pieces.extend(troubled_source(state, room));
    pieces.extend(narrowing(state, room));
    let doors: Vec<&Door> = health.sources.iter().flat_map(|source| &source.doors).collect();
    let troubled = |door: &&&Door| matches!(door.state, DoorState::Busy { .. } | DoorState::Failed { .. });
    if !doors.is_empty() {
        let (mark, role) = if doors.iter().any(|door| troubled(&door)) {
            ("✗ ", Role::Error)
        } else if doors.iter().any(|door| door.state == DoorState::Open) {
            ("● ", Role::Good)
        } else {
            ("○ ", Role::Dim)
        };
        pieces.push((mark.into(), role));
    }
    let mut ports: Vec<(u16, bool)> = Vec::new();
    for door in &doors {
        let bad = troubled(&door);
        match ports.iter_mut().find(|(port, _)| *port == door.address.port()) {
            Some((_, known)) => *known |= bad,
            None => ports.push((door.address.port(), bad)),
        }
    }
    for (port, bad) in ports.into_iter().take(4) {
        pieces.push((format!("{port} ").into(), if bad { Role::Error } else { Role::Dim }));
    }
    pieces.push((format!("{}/s ", format::count(health.spans_per_second)).into(), Role::Text));
    let percent = health.memory_percent();
    let role = if percent >= 90 { Role::Slow } else { Role::Dim };
    pieces.push((format!("{percent} %").into(), role));
    if percent >= 90 {
        pieces.push((" full".into(), dim));
    }
    pieces
}

//! The sources on the health screen: how each stands, what came of it, what was refused.

use jiff::tz::TimeZone;

use super::{Line, line, named, one};
use crate::app::State;
use crate::model::{
    Dependency, Door, DoorState, Reading, ReadingState, RejectReason, Signal, SourceHealth, Standing, Timestamp,
};
use crate::view::asked;
use crate::view::flow::{Bit, Bits, bit};
use crate::view::format;
use crate::view::look::Role;
use crate::view::pen::number;
use crate::view::text;
use crate::view::trace::many;

/// Columns of a name with the gap behind it.
const NAME: usize = 12;
/// Columns of an address with the gap behind it.
const ADDRESS: usize = 22;

/// The table of sources with its head.
pub(super) fn lines(state: &State, zone: &TimeZone, width: u16) -> Vec<Line> {
    let (source, address, door, rate, accepted, rejected) =
        ("source", "address", "state", "spans/s", "accepted", "rejected");
    let head = format!("{source:<NAME$}{address:<ADDRESS$}{door:<13}{rate:>7}{accepted:>12}{rejected:>10}");
    let mut lines = vec![one(head, Role::Faint)];
    let sources = &state.health.sources;
    let selected = state.health_screen.selected.min(sources.len().saturating_sub(1));
    for (place, source) in sources.iter().enumerate() {
        let first = lines.len();
        let table = Table { source, now: state.now, zone, width };
        table.doors(&mut lines);
        table.words(&mut lines);
        if let Some(line) = lines.get_mut(first) {
            line.selected = place == selected;
        }
    }
    let is_one = |source: &SourceHealth| {
        !source.doors.is_empty() || source.reading.is_some() || source.standing != Standing::Idle
    };
    if !sources.iter().any(is_one) {
        lines.push(one("nothing listens", Role::Dim));
    }
    lines
}

/// The time until a moment, as words: `in 4 s`, `now`.
pub(in crate::view) fn until(moment: Timestamp, now: Timestamp) -> String {
    let left = moment.since(now);
    let seconds = left.0.div_ceil(1_000_000_000);
    if seconds == 0 { "now".to_owned() } else { format!("in {}", crate::model::Nanos::from_secs(seconds)) }
}

struct Table<'a> {
    source: &'a SourceHealth,
    now: Timestamp,
    zone: &'a TimeZone,
    width: u16,
}

impl Table<'_> {
    /// A line for each door, or one where there is none.
    fn doors(&self, lines: &mut Vec<Line>) {
        let source = self.source;
        let accepted: u64 = source.accepted.values().sum();
        let rejected: u64 = source.rejected.values().sum();
        let rejected_role = if rejected > 0 { Role::Slow } else { Role::Dim };
        let figures = [
            bit(format!("{:>7}", format::count(source.spans_per_second)), Role::Text),
            bit(format!("{:>12}", format::count(accepted)), Role::Text),
            bit(format!("{:>10}", format::count(rejected)), rejected_role),
        ];
        if let Some(reading) = &source.reading {
            self.file(reading, &figures, lines);
        } else if source.doors.is_empty() {
            let mut bits = self.place(true, &source.place, self.standing());
            bits.extend(figures.clone());
            lines.push(line(bits));
        }
        for (index, door) in source.doors.iter().enumerate() {
            let state = if source.paused { ("‖ paused", Role::Slow) } else { door_state(door) };
            let mut bits = self.place(index == 0, &door.address.to_string(), state);
            if index == 0 {
                bits.extend(figures.clone());
            }
            lines.push(line(bits));
            if let Some(why) = door_trouble(door) {
                lines.push(named("", vec![bit(why, Role::Error)]));
            }
        }
    }

    /// A file: its name, how far it has been read, what is wrong in it.
    fn file(&self, reading: &Reading, figures: &[Bit], lines: &mut Vec<Line>) {
        let (state, role) = match &reading.state {
            _ if self.source.paused => ("‖ paused".to_owned(), Role::Slow),
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
        let columns = NAME + ADDRESS;
        let shown = text::visible(&self.source.name);
        let shown = text::cut_middle(&shown, columns - 1);
        let pad = " ".repeat(columns.saturating_sub(text::width(&shown)));
        let mut bits = vec![bit(format!("{shown}{pad}"), Role::Text), bit(format!("{state:<13}"), role)];
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

    /// Name, address and state.
    fn place(&self, first: bool, place: &str, (state, role): (&str, Role)) -> Bits {
        let fit = |given: &str, columns: usize| {
            let given = text::visible(given);
            let given = text::cut_middle(&given, columns - 1);
            format!("{given}{}", " ".repeat(columns.saturating_sub(text::width(&given))))
        };
        let name = if first { fit(&self.source.name, NAME) } else { " ".repeat(NAME) };
        vec![bit(name, Role::Text), bit(fit(place, ADDRESS), Role::Dim), bit(format!("{state:<13}"), role)]
    }

    fn standing(&self) -> (&'static str, Role) {
        if self.source.paused {
            return ("‖ paused", Role::Slow);
        }
        match self.source.standing {
            Standing::Idle => ("", Role::Dim),
            Standing::Connecting => ("○ connecting", Role::Dim),
            Standing::Ok => ("● ok", Role::Good),
            Standing::Error { .. } => ("✗ error", Role::Error),
            Standing::Ended => ("○ ended", Role::Dim),
        }
    }

    /// What else there is to say of it, in lines below.
    fn words(&self, lines: &mut Vec<Line>) {
        let source = self.source;
        if let Some((error, next_try)) = source.trouble() {
            let next = next_try.map_or_else(String::new, |at| format!("; next try {}", until(at, self.now)));
            self.wrapped(&format!("{error}{next}"), Role::Error, lines);
        } else if let Some((at, error)) = &source.last_error {
            let time: String = format::time_of_day(*at, self.zone).chars().take(8).collect();
            self.wrapped(&format!("last error {time}: {error}"), Role::Dim, lines);
        }
        if let Some(asked) = &source.asked {
            self.wrapped(&format!("asked for {}{}", asked::extent(asked), asked::parts(asked)), Role::Dim, lines);
            if asked.is_narrowing() {
                self.wrapped(&format!("narrowing the time: {}", asked::progress(asked)), Role::Accent, lines);
            }
            if let Some(caveat) = asked::caveat(asked, self.now) {
                self.wrapped(&caveat, Role::Slow, lines);
            }
        }
        for note in &source.notes {
            self.wrapped(note, Role::Slow, lines);
        }
        self.names(lines);
        let told: Vec<String> = self.signals().into_iter().chain(self.times()).collect();
        if !told.is_empty() {
            lines.push(named("", vec![bit(told.join(" · "), Role::Dim)]));
        }
        for reason in RejectReason::ALL {
            if let Some(count) = source.rejected.get(&reason) {
                let text = format!("{} rejected: {}", format::count(*count), reason.words());
                lines.push(named("", vec![bit(text, Role::Slow)]));
            }
        }
    }

    /// What the server calls things, and who calls whom.
    fn names(&self, lines: &mut Vec<Line>) {
        const CALLS: usize = 6;
        let names = &self.source.names;
        let counted =
            [(names.services.len(), "service"), (names.operations.len(), "operation"), (names.tags.len(), "attribute")];
        let told = counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| many(number(*count), what));
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            self.wrapped(&format!("knows {}", told.join(" · ")), Role::Dim, lines);
        }
        // The busiest first.
        let mut calls: Vec<&Dependency> = names.dependencies.iter().collect();
        calls.sort_by_key(|call| std::cmp::Reverse(call.calls));
        let shown = calls.iter().take(CALLS);
        let shown = shown.map(|call| format!("{} → {} {}", call.parent, call.child, format::count(call.calls)));
        let shown: Vec<String> = shown.collect();
        if !shown.is_empty() {
            let more = calls.len().saturating_sub(CALLS);
            let more = if more > 0 { format!(" · {more} more") } else { String::new() };
            self.wrapped(&format!("calls of its last day: {}{more}", shown.join(" · ")), Role::Dim, lines);
        }
    }

    fn wrapped(&self, words: &str, role: Role, lines: &mut Vec<Line>) {
        let room = usize::from(self.width).saturating_sub(NAME + 2).max(8);
        let words = text::visible(words);
        lines.extend(text::wrap(&words, room).into_iter().take(3).map(|part| named("", vec![bit(part, role)])));
    }

    /// What came in by signal, where it is more than one.
    fn signals(&self) -> Vec<String> {
        let signals: Vec<String> = [Signal::Traces, Signal::Logs, Signal::Metrics]
            .iter()
            .filter_map(|signal| Some((signal, self.source.accepted.get(signal)?)))
            .map(|(signal, count)| format!("{} {}", format::count(*count), unit(*signal)))
            .collect();
        if signals.len() > 1 { signals } else { Vec::new() }
    }

    fn times(&self) -> Vec<String> {
        let latency = self.source.latency.map(|latency| format!("answers in {latency}"));
        let last = self.source.last_arrival.map(|at| format!("last data {} ago", format::age(self.now.since(at))));
        latency.into_iter().chain(last).collect()
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

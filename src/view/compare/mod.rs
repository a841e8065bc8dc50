//! The compare screen: what is compared with what, and below it what differs, in sections.

mod detail;
mod rows;
mod two;

use jiff::tz::TimeZone;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use self::rows::Columns;
use super::format;
use super::layout;
use super::look::Role;
use super::pen::{Pen, Piece, cells, number, shown};
use super::text;
use super::trace::{empty, many};
use crate::analysis::compare::{SMALL, Side};
use crate::app::{Action, Basis, CompareAsk, CompareLine, CompareReport, MarkReason, State, Target, TimeMark};
use crate::model::Timestamp;

/// Lines of the two sides with their heads.
const HEAD: u16 = 4;

/// Lines of what is selected, with its rule.
const DETAIL: u16 = 3;

/// Where things are.
struct Areas {
    /// The two sides.
    head: Rect,
    /// What differs.
    rows: Rect,
    /// What is selected, in full.
    detail: Rect,
}

fn areas(state: &State, body: Rect) -> Areas {
    let rest = layout::survey(state, body).rest;
    let head = HEAD.min(rest.height);
    let two = state.compare.asked.as_ref().is_some_and(|ask| ask.two().is_some());
    let detail = if two || rest.height < HEAD + DETAIL + 6 { 0 } else { DETAIL };
    let rows = Rect { y: rest.y + head, height: rest.height - head - detail, ..rest };
    Areas { head: Rect { height: head, ..rest }, rows, detail: Rect { y: rows.bottom(), height: detail, ..rest } }
}

/// Rows in sight, and how many there are.
pub(super) fn measure(state: &State, body: Rect) -> (u16, u32) {
    let lines = state.compare.report.as_ref().map_or(0, |report| report.lines(&state.compare).len());
    (areas(state, body).rows.height, u32::try_from(lines).unwrap_or(u32::MAX))
}

/// What operations are ordered by.
pub(super) fn order(state: &State) -> &'static str {
    rows::by(state.compare.sort)
}

/// What lies under the pointer.
pub(super) fn hit(state: &State, body: Rect, at: Position) -> Target {
    let area = areas(state, body).rows;
    let Some(report) = state.compare.report.as_ref().filter(|_| area.contains(at)) else { return Target::Nothing };
    let line = state.compare.offset + usize::from(at.y - area.y);
    if line < report.lines(&state.compare).len() { Target::CompareLine(line) } else { Target::Nothing }
}

/// Answers where the cursor of the filter stands, where it is edited.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let counts = super::survey::progress(pen);
    let (cursor, rest) = super::survey::frame(pen, body, &counts);
    let state = pen.state;
    let Some(ask) = &state.compare.asked else {
        nothing(pen, rest);
        return cursor;
    };
    let Areas { head, rows, detail } = areas(state, body);
    let report = state.compare.report.as_ref().filter(|report| report.ask.as_ref() == Some(ask));
    let Some(report) = report.or(state.compare.report.as_ref()).filter(|report| report.ask.is_some()) else {
        empty(pen, rest, "Reading …", "");
        return cursor;
    };
    if let Some(two) = &report.two {
        two::head(pen, head, two);
    } else if ask.two().is_some() && report.ask.as_ref() == Some(ask) {
        empty(
            pen,
            rest,
            "One of the two traces has left to make room",
            "x on the list marks others, c compares something else",
        );
        return cursor;
    } else {
        sides(pen, head, ask, report);
    }
    lines(pen, rows, report);
    detail::draw(pen, detail, report);
    cursor
}

fn lines(pen: &mut Pen<'_>, area: Rect, report: &CompareReport) {
    let screen = &pen.state.compare;
    let lines = report.lines(screen);
    if lines.is_empty() {
        let running = screen.progress.running;
        let (what, why) = if running {
            ("Reading …", "")
        } else {
            ("Nothing on one side", "c compares something else; x, m and L say what")
        };
        return empty(pen, area, what, why);
    }
    let columns = Columns::new(area.width);
    for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(screen.offset)) {
        let place = Rect { y, height: 1, ..area };
        let id = report.id(*line);
        let selected = id.is_some() && id == screen.selected;
        if selected {
            pen.select(place);
        }
        match *line {
            CompareLine::Gap => {}
            CompareLine::Title(section, count) => rows::title(pen, place, &columns, (report, section, count)),
            CompareLine::Nothing(section) => rows::nothing(pen, place, (report, section)),
            CompareLine::Note => rows::note(pen, place, report),
            CompareLine::Operation(section, index) => {
                if let Some(row) = report.operation(section, index) {
                    rows::operation(pen, place, &columns, (report, section, row));
                }
            }
            CompareLine::Attribute(index) => {
                if let Some(row) = report.difference(index) {
                    rows::attribute(pen, place, &columns, row);
                }
            }
            CompareLine::More(_, count) => {
                let text = format!("{} more: ⏎ shows them", format::count(number(count)));
                pen.put((place.x + 3, y), &text, place.width.saturating_sub(3), pen.style(Role::Dim));
            }
            CompareLine::Place(index) => {
                if let Some(two) = &report.two {
                    two::row(pen, place, two, index);
                }
            }
        }
        if selected {
            pen.calm(place);
        }
    }
}

/// What there is to choose from, where nothing was chosen.
fn nothing(pen: &mut Pen<'_>, area: Rect) {
    let key = |action: Action| {
        let keys = pen.state.settings.keymap.keys(action);
        keys.first().map_or_else(|| ":".to_owned(), crate::app::KeyPress::label)
    };
    let ways = [
        (
            key(Action::Mark),
            "on the list marks traces: they are compared with the rest;",
            "of two, the waterfalls stand side by side",
        ),
        (
            key(Action::TimeMark),
            "marks a moment: what comes after is compared with what was before;",
            "a restart or a new version of a service sets a mark by itself",
        ),
        (
            key(Action::HeatMap),
            "on the list shows latency over time:",
            "what you draw a box around is compared with the rest",
        ),
        (key(Action::Filter), "filters: what it finds is compared with all else that is held", ""),
    ];
    let (x, mut y) = (area.x + area.width / 10, area.y + area.height / 5);
    let room = area.right().saturating_sub(x);
    pen.put((x, y), "Nothing to compare yet", room, pen.bold(Role::Text));
    y += 1;
    pen.put((x, y), "Say what is to be compared:", room, pen.style(Role::Dim));
    for (key, what, more) in ways {
        y += 2;
        pen.put((x, y), &key, 3, pen.bold(Role::Accent));
        pen.put((x + 3, y), what, room.saturating_sub(3), pen.style(Role::Text));
        if !more.is_empty() {
            y += 1;
            pen.put((x + 3, y), more, room.saturating_sub(3), pen.style(Role::Dim));
        }
    }
}

/// What is compared with what, in words.
fn compared(state: &State, ask: &CompareAsk, zone: &TimeZone) -> String {
    let time = |at: Timestamp| format::time_of_day(at, zone).chars().take(8).collect::<String>();
    match &ask.basis {
        Basis::Marked(traces) => format!("{} marked, with the rest", many(number(traces.len()), "trace")),
        Basis::Within(within) => {
            let most = if within.most.0 == u64::MAX { "more".to_owned() } else { within.most.to_string() };
            let (from, to) = (time(within.from), time(within.to));
            format!("inside {from}–{to}, {} to {most}, with the rest", within.least)
        }
        Basis::Since(mark, _) => format!("after {}{}, with before", time(mark.at), reason(state, mark)),
        Basis::Filter(_) => "what the filter finds, with all else held".to_owned(),
    }
}

/// Why there is a time mark.
pub(super) fn reason(state: &State, mark: &TimeMark) -> String {
    match &mark.reason {
        MarkReason::Person => String::new(),
        MarkReason::Restart(service) => format!(" (restart of {})", shown(state, service)),
        MarkReason::Version(service, version) => format!(" ({} {})", shown(state, service), shown(state, version)),
    }
}

fn sides(pen: &mut Pen<'_>, area: Rect, ask: &CompareAsk, report: &CompareReport) {
    let state = pen.state;
    let (dim, faint) = (pen.style(Role::Dim), pen.style(Role::Faint));
    let mut title: Vec<Piece<'_>> = vec![(compared(state, ask, &pen.look.zone).into(), pen.bold(Role::Text))];
    let bases = state.bases();
    if bases.len() > 1 {
        let at = bases.iter().position(|basis| basis.key() == ask.basis.key()).unwrap_or(0) + 1;
        title.push((format!("  {at} of {}, c: next", bases.len()).into(), dim));
    }
    pen.line((area.x + 1, area.y), area.width.saturating_sub(1), &title);
    let Some(chosen) = report.found.chosen() else {
        let [selection, baseline] = report.sides;
        let text = format!("{} on one side, {} on the other", many(selection, "trace"), many(baseline, "trace"));
        pen.put((area.x + 1, area.y + 1), &text, area.width, dim);
        return;
    };
    let operation = &chosen.operation;
    let used = pen.put((area.x + 1, area.y + 1), "▌", 1, Style::new().fg(pen.look.service(&operation.service)));
    let wide = area.width >= 100;
    let figures = area.x + if wide { 48 } else { 30 };
    let name = shown(state, &operation.name).into_owned();
    let name = text::cut_end(&text::visible(&name), usize::from(figures - area.x - 3)).into_owned();
    pen.put((area.x + 1 + used, area.y + 1), &name, figures - area.x - 3, pen.style(Role::Text));
    for (at, head) in (0_u16..).zip(["traces", "p50", "p95", "p99"]) {
        let head = if at == 0 { head.into() } else { super::survey::percentile(state, head) };
        pen.put_right((figures + 9 + at * 9, area.y + 1), &head, 9, faint);
    }
    let histogram = figures + 38;
    let room = area.right().saturating_sub(histogram + 1);
    let of_all = [report.sides[0], report.sides[1]];
    for (line, name) in (0_u16..).zip(ask.basis.names()) {
        let side = if line == 0 { chosen.selection } else { chosen.baseline };
        let role = if line == 0 { Role::Accent } else { Role::Dim };
        let y = area.y + 2 + line;
        let of = of_all[usize::from(line)];
        let mut pieces: Vec<Piece<'_>> = vec![(format!("{name:<8}").into(), pen.style(role))];
        let left = report.left_out[usize::from(line)];
        if left > 0 {
            pieces.push((format!("▲ without the oldest {}", format::count(left)).into(), pen.style(Role::Slow)));
        } else if side.n < SMALL {
            let few = if wide { "▲ few: little can be said" } else { "▲ few" };
            pieces.push((few.into(), pen.style(Role::Slow)));
        } else if of > side.n {
            pieces.push((format!("of {} in all", format::count(of)).into(), dim));
        }
        pen.line((area.x + 1, y), figures - area.x - 1, &pieces);
        side_figures(pen, (figures, y), side);
        if let Some(counts) = report.found.histogram.get(usize::from(line)).filter(|_| room >= 8) {
            let columns = room.min(cells(counts.len()));
            let counts: Vec<u64> = squeezed(counts, columns);
            pen.spark((histogram, y), columns, &counts, (pen.style(role), faint));
        }
    }
}

/// As many steps as there are columns: neighbours added up.
fn squeezed(counts: &[u32], columns: u16) -> Vec<u64> {
    let columns = usize::from(columns).max(1);
    let mut sums = vec![0_u64; columns.min(counts.len())];
    let all = sums.len().max(1);
    for (at, count) in counts.iter().enumerate() {
        if let Some(sum) = sums.get_mut(at * all / counts.len().max(1)) {
            *sum += u64::from(*count);
        }
    }
    sums
}

fn side_figures(pen: &mut Pen<'_>, (x, y): (u16, u16), side: Side) {
    let (text, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    pen.put_right((x + 9, y), &format::count(side.n), 9, text);
    for (at, figure) in (1_u16..).zip([side.p50, side.p95, side.p99]) {
        let figure = if side.n == 0 { "–".to_owned() } else { figure.to_string() };
        pen.put_right((x + 9 + at * 9, y), &figure, 8, if at == 1 { text } else { dim });
    }
}

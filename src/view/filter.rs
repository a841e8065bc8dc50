//! The filter bar, what was understood of it, and its proposals; on a trace the search.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::asked;
use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells, number};
use super::text;
use crate::app::{Action, FilterBar, KeyPress, Overlay, State, TraceScreen};
use crate::query::ParseError;

/// Proposals shown at once.
const PROPOSALS: usize = 8;

/// Draws an input with its cursor in sight. Answers where the cursor stands.
pub(super) fn input(pen: &mut Pen<'_>, area: Rect, typed: &str, cursor: usize) -> (u16, u16) {
    let room = usize::from(area.width.saturating_sub(1));
    let before = typed.get(..cursor).unwrap_or(typed);
    let before_shown = text::visible(before).into_owned();
    let width = text::width(&before_shown);
    let style = pen.style(Role::Text);
    if width <= room {
        pen.put((area.x, area.y), typed, area.width, style);
        return (area.x + cells(width), area.y);
    }
    // The end of what stands before the cursor is what is being typed.
    let tail = text::take_end(&before_shown, room);
    let used = pen.put((area.x, area.y), tail, area.width, style);
    (area.x + used, area.y)
}

/// The line of the filter. `counts` stand at its right where there is room for them, the last of them only where there is for all.
pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, counts: &[Piece<'_>]) -> Option<(u16, u16)> {
    if area.height == 0 {
        return None;
    }
    let bar = &pen.state.filter;
    let mark = pen.put((area.x + 1, area.y), "/ ", area.width, pen.bold(Role::Accent));
    let x = area.x + 1 + mark;
    let typed = text::width(&text::visible(&bar.text));
    let wanted = if bar.text.is_empty() && !bar.editing { text::width(EXAMPLE) } else { typed };
    let free = usize::from(area.right().saturating_sub(x));
    // What was typed goes before the counts.
    let width = |counts: &[Piece<'_>]| counts.iter().map(|(text, _)| text::width(text)).sum::<usize>();
    let fit = |counts: &[Piece<'_>]| width(counts) + 3 + typed < free;
    let counts = match counts.split_last() {
        Some(((last, _), rest)) if last.starts_with(" · ") && !fit(counts) => rest,
        _ => counts,
    };
    let (counts_width, with_counts) = (width(counts), fit(counts));
    let room = if with_counts { cells(free - counts_width - 2) } else { cells(free) };
    let input_area = Rect { x, width: room, ..area };
    let mut cursor = None;
    if bar.editing {
        cursor = Some(input(pen, input_area, &bar.text, bar.cursor));
    } else if bar.text.is_empty() {
        let example = if usize::from(room) > wanted { EXAMPLE } else { SHORT_EXAMPLE };
        pen.put((x, area.y), example, room, pen.style(Role::Faint));
    } else {
        let line = format!(" {} ", bar.text);
        pen.put((x.saturating_sub(1), area.y), &line, room + 1, pen.style(Role::Tab));
    }
    if with_counts {
        // Beside the filter where that leaves air, at the right otherwise.
        let used = cells(wanted).max(4) + 3;
        let right = area.right().saturating_sub(cells(counts_width) + 1);
        let at = if bar.editing { right } else { (x + used).min(right) };
        pen.line((at, area.y), area.right().saturating_sub(at), counts);
    }
    cursor
}

const EXAMPLE: &str = "service=… minDuration=200ms key=value -exclude words";
/// While what is typed may become a key, what was found before it stays.
const HALF_KEY: &str = "… a key, or ⏎ to look for the word";
const SHORT_EXAMPLE: &str = "filter";
const LEGEND: &str = "⇡ asked of the server too";

/// What was understood, condition by condition, or what is wrong, below the filter's line.
pub(super) fn said(pen: &mut Pen<'_>, area: Rect, matched: &str) {
    if area.height == 0 {
        return;
    }
    let bar = &pen.state.filter;
    if let Some(error) = &bar.error {
        return fault(pen, area, (bar, error));
    }
    let x = area.x + 3;
    let room = area.right().saturating_sub(x);
    let (dim, text_style) = (pen.style(Role::Dim), pen.style(Role::Text));
    let chips = bar.chips();
    let mut end = x;
    if chips.is_empty() {
        end += pen.put((x, area.y), "everything", room, dim);
    }
    let chosen = chosen(pen.state);
    let placed = placed(pen.state, area, (matched, chosen));
    for Placed { place, at, words } in &placed {
        let Some(chip) = chips.get(*place) else { continue };
        let line = Rect { x: *at, y: area.y, width: cells(text::width(words)), height: 1 };
        let style = if chip.on { pen.look.style(Role::Tab) } else { dim.add_modifier(Modifier::CROSSED_OUT) };
        pen.put((*at, area.y), words, line.width, style.remove_modifier(Modifier::BOLD));
        if chosen == Some(*place) {
            pen.select(line);
            pen.buffer.set_style(line.intersection(pen.area), Modifier::BOLD | Modifier::UNDERLINED);
        }
        end = line.right();
    }
    let more = chips.len() - placed.len();
    if more > 0 {
        end += 1 + pen.put((end + 1, area.y), &format!("+{more}"), 4, dim);
    }
    if bar.half_key {
        pen.put((end + 2, area.y), HALF_KEY, area.right().saturating_sub(end + 2), dim);
    } else if !matched.is_empty() {
        end += 2 + pen.put((end + 2, area.y), matched, area.right().saturating_sub(end + 2), text_style);
    }
    // What the glyph before a condition means, where there is room for it.
    let marked = placed.iter().any(|chip| chip.words.contains(asked::THERE));
    let room = area.right().saturating_sub(end + 3);
    if marked && chosen.is_none() && usize::from(room) >= text::width(LEGEND) {
        pen.put((end + 3, area.y), LEGEND, room, dim);
    }
}

/// Where the chosen condition is applied, in words below it.
pub(super) fn place(pen: &mut Pen<'_>, said: Rect) {
    let state = pen.state;
    let chip = chosen(state).and_then(|chosen| state.filter.chips().into_iter().nth(chosen)).filter(|chip| chip.on);
    let Some(words) = chip.and_then(|chip| asked::place(state, chip.index)) else { return };
    let line = Rect { y: said.y + 1, height: 1, ..said };
    pen.clear(line);
    pen.put((line.x + 3, line.y), &words, line.width.saturating_sub(3), pen.style(Role::Text));
}

/// A caret below the place of the mistake, and what was expected there.
fn fault(pen: &mut Pen<'_>, area: Rect, (bar, error): (&FilterBar, &ParseError)) {
    let x = area.x + 3;
    let room = area.right().saturating_sub(x);
    let before: String = bar.text.chars().take(error.column).collect();
    let column = cells(text::width(&text::visible(&before))).min(room.saturating_sub(20));
    let style = pen.style(Role::Error);
    let used = pen.put((x + column, area.y), "^ ", room.saturating_sub(column), style);
    pen.put((x + column + used, area.y), &error.expected, room.saturating_sub(column + used), style);
}

/// The condition that has the keys.
fn chosen(state: &State) -> Option<usize> {
    match state.overlay {
        Some(Overlay::Chips(chosen)) => Some(chosen),
        _ => None,
    }
}

/// A condition as it stands on its line.
struct Placed {
    place: usize,
    at: u16,
    words: String,
}

/// Where the conditions stand: as many as leave room for what is said behind them. While one of them is chosen, they have
/// the line for themselves, and it is in sight.
fn placed(state: &State, area: Rect, (matched, chosen): (&str, Option<usize>)) -> Vec<Placed> {
    const MORE: u16 = 4;
    let chips = state.filter.chips();
    let words = |chip: &crate::app::Chip| {
        let words = text::visible(&chip.words);
        let mark = if chip.on { asked::mark(state, chip.index) } else { "○".to_owned() };
        if mark.is_empty() { format!(" {words} ") } else { format!(" {mark} {words} ") }
    };
    let all: Vec<String> = chips.iter().map(words).collect();
    let kept = if chosen.is_some() { 0 } else { cells(text::width(matched)) + 2 };
    let room = usize::from(area.width.saturating_sub(kept + MORE + 3));
    let wide =
        |from: usize, to: usize| all.iter().take(to + 1).skip(from).map(|words| text::width(words) + 1).sum::<usize>();
    let fits = |from: &usize| chosen.is_none_or(|chosen| wide(*from, chosen) <= room);
    let first = (0..all.len()).find(fits).or(chosen).unwrap_or_default();
    let (start, mut placed) = (area.x + 2, Vec::new());
    let mut used = 0;
    for (place, words) in all.iter().enumerate().skip(first) {
        let free = room.saturating_sub(used);
        if free < 6 || placed.len() > 1 && text::width(words) > free {
            break;
        }
        let words = text::cut_end(words, free).into_owned();
        let at = start + cells(used);
        used += text::width(&words) + 1;
        placed.push(Placed { place, at, words });
    }
    placed
}

/// The condition in column `x` of the screen.
pub(super) fn chip_at(state: &State, area: Rect, matched: &str, x: u16) -> Option<usize> {
    let bar = &state.filter;
    if bar.error.is_some() {
        return None;
    }
    let chips = placed(state, area, (matched, chosen(state)));
    let hit = |chip: &&Placed| (chip.at..chip.at + cells(text::width(&chip.words))).contains(&x);
    chips.iter().find(hit).map(|chip| chip.place)
}

/// Where the proposals lie: below the filter, as wide as they need.
pub(super) fn proposals_area(bar: &FilterBar, below: Rect, screen: Rect) -> Rect {
    let count = bar.completions.len().min(PROPOSALS);
    if !bar.editing || count == 0 {
        return Rect::default();
    }
    let widest = |proposal: &crate::query::Completion| {
        text::width(&text::visible(&proposal.text)) + proposal.count.map_or(0, |count| format::count(count).len() + 2)
    };
    let width = bar.completions.iter().map(widest).max().unwrap_or_default() + 2;
    let start = bar.completions.first().map_or(0, |proposal| proposal.replace.0);
    let before = bar.text.get(..start).unwrap_or_default();
    let width = cells(width).clamp(12, 60).min(screen.width.saturating_sub(2));
    let x = (below.x + 2 + cells(text::width(&text::visible(before)))).min(screen.right().saturating_sub(width));
    let y = below.y + 1;
    let height = cells(count).min(screen.bottom().saturating_sub(y + 1));
    Rect { x, y, width, height }
}

/// First proposal in sight.
pub(super) fn first_proposal(bar: &FilterBar, height: u16) -> usize {
    (bar.chosen + 1).saturating_sub(usize::from(height))
}

/// Draws the proposals over what lies below the filter.
pub(super) fn proposals(pen: &mut Pen<'_>, bar: &FilterBar, area: Rect) {
    if area.height == 0 {
        return;
    }
    pen.clear(area);
    pen.buffer.set_style(area.intersection(pen.area), pen.look.style(Role::Tab).remove_modifier(Modifier::BOLD));
    let first = first_proposal(bar, area.height);
    for (y, (index, proposal)) in (area.top()..area.bottom()).zip(bar.completions.iter().enumerate().skip(first)) {
        if index == bar.chosen {
            pen.select(Rect { y, height: 1, ..area });
        }
        let count = proposal.count.map(format::count).unwrap_or_default();
        let room = area.width.saturating_sub(cells(count.len()) + 2);
        let style = ratatui::style::Style::new();
        pen.put((area.x + 1, y), &proposal.text, room, style);
        pen.put_right((area.right().saturating_sub(1), y), &count, area.width, pen.style(Role::Dim));
    }
}

/// The line of the search in a trace. Answers where its cursor stands.
pub(super) fn search(pen: &mut Pen<'_>, area: Rect, open: &TraceScreen) -> Option<(u16, u16)> {
    if area.height == 0 {
        return None;
    }
    let bar = &pen.state.find;
    let by_filter = !bar.editing && open.found.as_ref().is_some_and(|found| found.by_filter);
    let mark = if by_filter { "filter " } else { "/ " };
    let mark = pen.put((area.x + 1, area.y), mark, area.width, pen.bold(Role::Accent));
    let x = area.x + 1 + mark;
    let said = search_said(open, bar);
    let hidden = if open.alone { "only matches · " } else { "" };
    let said = if by_filter && area.width >= 100 { format!("{said}{}", ways(pen.state, open.alone)) } else { said };
    let width = cells(text::width(&said) + text::width(hidden));
    let room = area.right().saturating_sub(x + width + 3);
    let mut cursor = None;
    if bar.editing {
        cursor = Some(input(pen, Rect { x, width: room, ..area }, &bar.text, bar.cursor));
    } else {
        let text = open.found.as_ref().map_or("", |found| found.query.text.as_str());
        pen.put((x, area.y), text, room, pen.style(Role::Match));
    }
    let pieces: [Piece<'_>; 2] = [(hidden.into(), pen.style(Role::Accent)), (said.into(), pen.style(Role::Dim))];
    pen.line((area.right().saturating_sub(width + 1), area.y), width, &pieces);
    cursor
}

/// The keys that go through what matches and show it alone.
fn ways(state: &State, alone: bool) -> String {
    let key = |action| state.settings.keymap.keys(action).first().map(KeyPress::label).unwrap_or_default();
    let show = if alone { "shows the rest" } else { "hides the rest" };
    format!(" · {} next · {} {show}", key(Action::NextMatch), key(Action::OnlyMatches))
}

/// What is wrong with the search, below its line.
pub(super) fn search_fault(pen: &mut Pen<'_>, area: Rect) {
    let bar = &pen.state.find;
    if let Some(error) = bar.error.as_ref().filter(|_| area.height > 0) {
        pen.clear(area);
        fault(pen, area, (bar, error));
    }
}

/// `3 of 12`.
fn search_said(open: &TraceScreen, bar: &FilterBar) -> String {
    if bar.error.is_some() {
        return String::new();
    }
    if bar.half_key {
        return HALF_KEY.to_owned();
    }
    let Some(found) = &open.found else { return "search in this trace".to_owned() };
    let total = found.nodes.len();
    if total == 0 {
        return "nothing matches".to_owned();
    }
    let selected = super::trace::selected_node(open);
    let place = selected.and_then(|node| found.nodes.iter().position(|other| *other == node));
    match place {
        Some(place) => format!("{} of {}", place + 1, format::count(number(total))),
        None => format!("{} match", format::count(number(total))),
    }
}

//! The list of traces with its filter, its strip and its preview.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::asked;
use super::filter;
use super::format;
use super::layout::{self, ListColumns, list_columns};
use super::look::Role;
use super::pen::{Pen, Piece, cells, number, shown};
use super::text;
use super::trace::many;
use super::verdict;
use super::waterfall::Waterfall;
use crate::analysis::findings::Rule;
use crate::analysis::{Analysis, Note, Row, notes, statement};
use crate::app::{Page, SortKey, State};
use crate::model::{Category, Signal, TraceSummary};

/// How long a new row is marked.
const NEW: crate::model::Nanos = crate::model::Nanos::from_secs(1);

/// The order in a word or two.
pub(super) fn order(state: &State) -> &'static str {
    let sort = state.list.sort;
    match (sort.key, sort.ascending) {
        (SortKey::Time | SortKey::Start, false) => "newest",
        (SortKey::Time | SortKey::Start, true) => "oldest",
        (SortKey::Duration, false) => "slowest",
        (SortKey::Duration, true) => "fastest",
        (SortKey::Spans, false) => "most spans",
        (SortKey::Spans, true) => "fewest spans",
        (SortKey::Errors, false) => "most errors",
        (SortKey::Errors, true) => "fewest errors",
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, body: Rect) -> Option<(u16, u16)> {
    let state = pen.state;
    let areas = layout::traces(state, body);
    let counts = counts(pen);
    let cursor = filter::draw(pen, areas.filter, &counts);
    filter::said(pen, areas.said, &matched(state));
    super::strip::draw(pen, areas.strip);
    super::heat::draw(pen, areas.heat);
    heads(pen, areas.heads);
    if state.list.rows.is_empty() {
        nothing(pen, areas.rows);
    }
    let columns = list_columns(areas.rows.width);
    for page in &state.list.page {
        let Some(place) = page.index.checked_sub(state.list.offset) else { continue };
        if place < usize::from(areas.rows.height) {
            row(pen, Rect { y: areas.rows.y + cells(place), height: 1, ..areas.rows }, &columns, page);
        }
    }
    preview(pen, areas.preview);
    filter::place(pen, areas.said);
    let proposals = filter::proposals_area(&state.filter, areas.said, body);
    filter::proposals(pen, &state.filter, proposals);
    cursor
}

/// `12 of 2,148 traces match`, and what is to be known of the servers that gave them.
pub(super) fn matched(state: &State) -> String {
    let told = asked::told(state);
    let parts = [found(state, told.is_empty()), told];
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" · ")
}

/// `roomy`: nothing else stands there.
fn found(state: &State, roomy: bool) -> String {
    if state.filter.query.is_empty() {
        return String::new();
    }
    let found = number(state.list.rows.len());
    // What is held is told a little later than what is found.
    let held = state.health.traces_held.max(found);
    let found = format::count(found);
    if state.list.anew {
        return if state.list.so_far { format!("searching … {found} so far") } else { "searching …".to_owned() };
    }
    let rate = if roomy && state.list.follow && !state.list.paused && state.list.strip.recent > 0.0 {
        format!(" · {}/s", format::rate(state.list.strip.recent))
    } else {
        String::new()
    };
    format!("{found} of {} match{rate}", many(held, "trace"))
}

fn counts(pen: &Pen<'_>) -> Vec<Piece<'static>> {
    let state = pen.state;
    let (dim, accent) = (pen.style(Role::Dim), pen.style(Role::Accent));
    let health = &state.health;
    let mut pieces: Vec<Piece<'static>> = vec![
        (many(health.traces_held, "trace").into(), dim),
        (format!(" · {}", many(health.spans_held, "span")).into(), dim),
        (format!(" · {} first", order(state)).into(), dim),
    ];
    // Where the reader is not at the top, what comes in comes in above.
    if state.list.offset > 0 {
        pieces.push((format!(" · {} above", format::count(number(state.list.offset))).into(), dim));
    }
    if state.list.paused {
        pieces.push((" · ".into(), dim));
        pieces.push((format!("paused, {} waiting", format::count(number(state.list.waiting))).into(), accent));
    } else if state.list.follow {
        pieces.push((" · following".into(), dim));
    }
    // Servers give a part of what they hold.
    let mut servers = asked::servers(state);
    if let Some((source, asked_of)) = servers.next() {
        let more = servers.count();
        let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
        let asked = format!(" · {}: {}{more}", text::visible(&source.name), asked::extent(asked_of));
        // Under a filter it stands below, in more words.
        let partial = asked_of.is_partial() && state.filter.query.is_empty();
        let on = if asked_of.can_go_on() { " ▲ r for more" } else { " ▲ there may be more" };
        pieces.push((asked.into(), dim));
        if partial {
            pieces.push((on.into(), pen.style(Role::Slow)));
        }
    }
    pieces
}

/// Where the list names sources: traces came from several, not all of which are doors of the receiver.
fn source_column(state: &State, columns: &ListColumns) -> Option<(u16, u16)> {
    let gave =
        || state.health.sources.iter().filter(|source| source.accepted.get(&Signal::Traces).is_some_and(|n| *n > 0));
    let told = gave().count() > 1 && gave().any(|source| source.doors.is_empty());
    columns.source().filter(|_| told)
}

fn heads(pen: &mut Pen<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let columns = list_columns(area.width);
    let sort = pen.state.list.sort;
    let mark = |key: SortKey| match (key == sort.key, sort.ascending) {
        (false, _) => "",
        (true, true) => "▴",
        (true, false) => "▾",
    };
    let faint = pen.style(Role::Faint);
    let y = area.y;
    let time = if pen.state.settings.filed { SortKey::Start } else { SortKey::Time };
    let head = |name: &str, key: SortKey| format!("{name}{}", mark(key));
    pen.put_right((area.x + columns.age_end, y), &head("age", time), columns.age_end, faint);
    pen.put((area.x + columns.service, y), "service", columns.service_width, faint);
    pen.put((area.x + columns.operation, y), "root operation", columns.operation_width, faint);
    if let Some((x, width)) = source_column(pen.state, &columns) {
        pen.put((area.x + x, y), "source", width, faint);
    }
    pen.put_right((area.x + columns.duration_end, y), &head("duration", SortKey::Duration), 10, faint);
    if columns.bar_width > 0 {
        let x = area.x + columns.bar;
        pen.put((x, y), "1ms", 3, faint);
        pen.put((x + columns.bar_width / 2 - 2, y), "100ms", 5, faint);
        pen.put_right((x + columns.bar_width, y), "10s", 3, faint);
    }
    if columns.spans_end > columns.duration_end {
        pen.put_right((area.x + columns.spans_end, y), &head("spans", SortKey::Spans), 7, faint);
        // The mark stands in the gap behind: before it there is none.
        pen.put((area.x + columns.errors_end.saturating_sub(3), y), &head("err", SortKey::Errors), 4, faint);
    }
    pen.put((area.x + columns.notes, y), "notes", columns.notes_width, faint);
}

/// The column head in column `x` from the left edge of the list.
pub(super) fn head_at(width: u16, x: u16) -> Option<SortKey> {
    let columns = list_columns(width);
    let ranges = [
        (0, columns.age_end, SortKey::Time),
        (columns.duration_end.saturating_sub(9), columns.bar + columns.bar_width, SortKey::Duration),
        (columns.spans_end.saturating_sub(6), columns.spans_end, SortKey::Spans),
        (columns.errors_end.saturating_sub(4), columns.errors_end, SortKey::Errors),
    ];
    ranges.into_iter().find(|(from, to, _)| (*from..*to).contains(&x)).map(|(_, _, key)| key)
}

fn nothing(pen: &mut Pen<'_>, area: Rect) {
    let state = pen.state;
    let (what, why) = if state.list.searching {
        ("Searching …".to_owned(), "")
    } else if state.filter.query.is_empty() {
        ("No traces yet".to_owned(), "they show here as they arrive")
    } else if state.health.traces_held == 0 {
        ("No traces yet".to_owned(), "the filter is applied as they arrive; esc clears it")
    } else {
        let held = many(state.health.traces_held, "trace");
        (format!("Nothing matches among {held}"), "/ changes the filter, esc clears it")
    };
    super::trace::empty(pen, area, &what, why);
}

fn row(pen: &mut Pen<'_>, area: Rect, columns: &ListColumns, page: &Page) {
    let selected = pen.state.list.selected == Some(page.row.trace);
    if selected {
        pen.select(area);
    }
    let y = area.y;
    let Some(summary) = &page.summary else {
        let dim = pen.style(Role::Dim);
        let text = format!("{} has left to make room", page.row.trace);
        pen.put((area.x + columns.service, y), &text, area.width.saturating_sub(columns.service), dim);
        return;
    };
    let filed = pen.state.settings.filed;
    let since = pen.state.now.since(if filed { summary.start } else { summary.first_arrival });
    let fresh = since < NEW && !selected && !filed;
    let age = format::age(since);
    let age_style = if fresh { pen.style(Role::Accent) } else { pen.style(Role::Dim) };
    pen.put_right((area.x + columns.age_end, y), &age, columns.age_end, age_style);
    if pen.state.list.marked.contains(&page.row.trace) {
        pen.put((area.x, y), "•", 1, pen.style(Role::Match));
    }
    let colour = Style::new().fg(pen.look.service(&summary.root_service));
    pen.put((area.x + columns.service, y), "▌", 1, colour);
    let service = text::visible(&summary.root_service);
    let service = text::cut_end(&service, usize::from(columns.service_width)).into_owned();
    pen.put((area.x + columns.service + 1, y), &service, columns.service_width, pen.style(Role::Text));
    let mut room = columns.operation_width;
    if let Some((x, width)) = source_column(pen.state, columns) {
        room = x.saturating_sub(columns.operation);
        let source = pen.state.health.sources.get(usize::from(summary.source.0));
        let name = text::visible(source.map_or("", |source| &source.name)).into_owned();
        let dim = pen.style(Role::Dim);
        pen.put((area.x + x, y), &text::cut_end(&name, usize::from(width)), width, dim);
    }
    operation(pen, (area.x + columns.operation, y), room, (page, summary, selected));
    figures(pen, area, columns, summary);
    if selected {
        pen.calm(Rect { width: columns.bar, ..area });
        pen.unreverse(Rect { x: area.x + columns.bar, width: columns.bar_width, ..area });
        let end = columns.bar + columns.bar_width;
        pen.calm(Rect { x: area.x + end, width: area.width.saturating_sub(end), ..area });
    }
}

fn operation(
    pen: &mut Pen<'_>,
    (x, y): (u16, u16),
    room: u16,
    (page, summary, selected): (&Page, &TraceSummary, bool),
) {
    let label = shown(pen.state, &summary.root_label).into_owned();
    let role = if summary.has_root { Role::Text } else { Role::Dim };
    let label = if summary.has_root { label } else { format!("… {label}") };
    let mut style = pen.style(role);
    if selected {
        style = style.add_modifier(Modifier::BOLD);
    }
    let room = room.saturating_sub(1);
    let matched = matched_pieces(pen, page, (room, text::width(&text::visible(&label))));
    let tail: usize = matched.iter().map(|(text, _)| text::width(text)).sum();
    let used = pen.put((x, y), &label, room.saturating_sub(cells(tail)), style);
    pen.line((x + used, y), room.saturating_sub(used), &matched);
}

/// Which span matched first, where there is room for it, and how many did. `label`: the width of what stands before it.
fn matched_pieces(pen: &Pen<'_>, page: &Page, (room, label): (u16, usize)) -> Vec<Piece<'static>> {
    /// Less of a name says nothing.
    const LEAST: usize = 10;
    let style = pen.style(Role::Match);
    let many = page.row.matched;
    let first =
        page.first.as_ref().map(|first| shown(pen.state, first)).map(|first| text::visible(&first).into_owned());
    let count = if many > 1 { format!(" ×{}", format::count(u64::from(many))) } else { String::new() };
    if let Some(first) = first {
        let first = statement::summary(Category::Sql, &first).into_owned();
        // The trace's own line keeps half of the room.
        let own = label.min(usize::from(room) / 2);
        let free = usize::from(room).saturating_sub(own + 3 + text::width(&count));
        if free >= LEAST {
            let first = text::cut_end(&first, free).into_owned();
            return vec![(" › ".into(), pen.style(Role::Dim)), (first.into(), style), (count.into(), style)];
        }
    }
    // A number alone would look like a part of the name.
    let worded = (label + 12 <= usize::from(room)).then(|| format!("  {} match", format::count(u64::from(many))));
    if many > 1 { vec![(worded.unwrap_or(count).into(), style)] } else { Vec::new() }
}

fn figures(pen: &mut Pen<'_>, area: Rect, columns: &ListColumns, summary: &TraceSummary) {
    let y = area.y;
    let found = pen.state.list.marks.get(&summary.id).and_then(|(_, rule)| *rule);
    let mut notes = notes(summary, &pen.state.settings.thresholds);
    // After what failed comes what the verdict says.
    notes.sort_by_key(|note| !matches!(note, Note::Error { .. }) && found.is_none_or(|rule| !tells(note, rule)));
    let failed = summary.errors > 0;
    let slow = notes.iter().any(|note| matches!(note, Note::SlowSql { .. }));
    let (style, line) = match (failed, slow) {
        (true, _) => (pen.style(Role::Error), pen.look.alarm(true)),
        (false, true) => (pen.bold(Role::Slow), pen.look.alarm(false)),
        (false, false) => (pen.style(Role::Text), pen.look.service(&summary.root_service)),
    };
    let duration = summary.duration();
    // Without notes the colour would be the only sign.
    let mark = match (columns.notes_width, failed, slow) {
        (0, true, _) => "✗ ",
        (0, false, true) => "▲ ",
        _ => "",
    };
    pen.put_right((area.x + columns.duration_end, y), &format!("{mark}{duration}"), 10, style);
    if columns.bar_width > 0 {
        let halves = super::bar::log_halves(duration, columns.bar_width);
        pen.thin((area.x + columns.bar, y), halves, Style::new().fg(line));
    }
    if columns.spans_end > columns.duration_end {
        let spans = format::count(u64::from(summary.spans));
        pen.put_right((area.x + columns.spans_end, y), &spans, 7, pen.style(Role::Dim));
        if failed {
            let errors = format::count(u64::from(summary.errors));
            pen.put_right((area.x + columns.errors_end, y), &errors, 4, pen.style(Role::Error));
        }
    }
    if columns.notes_width > 0 {
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for note in &notes {
            note_pieces(pen, note, &mut pieces);
        }
        // What was found, once the trace was judged.
        if let Some(rule) = found.filter(|rule| !notes.iter().any(|note| tells(note, *rule))) {
            let used: usize = pieces.iter().map(|(text, _)| text::width(text)).sum();
            let room = usize::from(columns.notes_width).saturating_sub(used);
            pieces.extend(found_mark(rule, !pieces.is_empty(), room).map(|mark| (mark.into(), pen.style(Role::Dim))));
        }
        if pieces.is_empty() && pen.state.is_arriving(summary) {
            pieces.push(("… still arriving".into(), pen.style(Role::Dim)));
        }
        pen.line((area.x + columns.notes, y), columns.notes_width, &pieces);
    }
}

/// Whether a note says what a rule finds.
fn tells(note: &Note, rule: Rule) -> bool {
    match note {
        Note::Error { .. } => rule == Rule::ErrorRoot,
        Note::SlowSql { .. } => rule == Rule::SlowSql,
        Note::Repeated { .. } => rule == Rule::NPlusOne,
    }
}

/// The mark of a finding: the glyph alone where there is no room for the words, nothing where it has none either. What stands
/// before it matters more.
fn found_mark(rule: Rule, follows: bool, room: usize) -> Option<String> {
    let glyph = format!("{}{}", if follows { "  " } else { "" }, super::findings::PROOF);
    let words = format!("{glyph} {}", super::findings::remark(rule));
    [words, glyph].into_iter().find(|mark| text::width(mark) <= room)
}

fn note_pieces(pen: &Pen<'_>, note: &Note, pieces: &mut Vec<Piece<'static>>) {
    let state = pen.state;
    let gap: &str = if pieces.is_empty() { "" } else { "  " };
    let piece: Piece<'static> = match note {
        Note::Error { text, .. } => {
            let text = text.as_deref().map_or(Cow::Borrowed("error"), |text| shown(state, text));
            (format!("{gap}✗ {text}").into(), pen.style(Role::Error))
        }
        Note::SlowSql { duration, .. } => (format!("{gap}▲ SQL {duration}").into(), pen.style(Role::Slow)),
        Note::Repeated { count, label } => {
            let label = statement::summary(Category::Sql, label);
            let label = shown(state, &label);
            (format!("{gap}≡ ×{count} {label}").into(), pen.style(Role::Slow))
        }
    };
    pieces.push(piece);
}

/// The row of the span that the verdict names. Looked for among the first, as a preview shows few.
fn loudest_row(analysis: &Analysis, rows: &[Row]) -> Option<usize> {
    let node = analysis.verdict.loudest()?.node;
    rows.iter().take(2_000).position(|row| row.node == node)
}

fn preview(pen: &mut Pen<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let state = pen.state;
    let wanted = |id| state.list.follow || state.list.selected == Some(id);
    let preview = state.list.preview.as_ref().filter(|preview| wanted(preview.id));
    let Some(preview) = preview else {
        pen.rule(Rect { height: 1, ..area }, false, &[], "");
        return;
    };
    let analysis = &preview.analysis;
    let root = analysis.roots.iter().find_map(|node| analysis.span(*node));
    let label = root.map_or(Cow::Borrowed("no root span yet"), |span| shown(state, &span.label));
    let label = text::visible(&label).into_owned();
    let label = text::cut_end(&label, usize::from(area.width / 2)).into_owned();
    let mut title: Vec<Piece<'_>> = vec![(label.into(), pen.bold(Role::Text))];
    let loud = match (analysis.errors.is_empty(), analysis.slow.is_empty()) {
        (false, _) => Role::Error,
        (true, false) => Role::Slow,
        (true, true) => Role::Dim,
    };
    title.push((format!("  {}", analysis.duration()).into(), pen.style(loud)));
    let verdict = verdict::short(pen, analysis);
    if !verdict.is_empty() {
        title.push(("  ".into(), pen.style(Role::Dim)));
        title.extend(verdict);
    }
    let more = preview.rows.len().saturating_sub(usize::from(area.height - 1));
    let place = if more > 0 { format!("{} more", format::count(number(more))) } else { String::new() };
    pen.rule(Rect { height: 1, ..area }, false, &title, &place);
    // The loudest span is in sight, with what led to it above.
    let height = usize::from(area.height - 1);
    let loudest = loudest_row(analysis, &preview.rows).unwrap_or(0);
    let offset = if loudest < height { 0 } else { (loudest + 2).saturating_sub(height) };
    let waterfall = Waterfall {
        analysis,
        rows: &preview.rows,
        offset,
        selected: None,
        found: None,
        judged: None,
        zoom: None,
        path: false,
        small: true,
    };
    let rows = Rect { y: area.y + 1, height: area.height - 1, width: area.width.saturating_sub(1), ..area };
    waterfall.draw(pen, rows);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::ListRow;

    #[test]
    fn no_more_match_than_are_held() {
        let mut state = State::new(crate::app::Settings::default());
        state.filter.query = crate::query::parse("error=true").unwrap().into();
        let row = ListRow { trace: crate::model::TraceId([1; 16]), matched: 1, first: None };
        state.list.rows = Arc::new(vec![row; 27]);
        // What is held was told before two more came.
        Arc::make_mut(&mut state.health).traces_held = 25;
        assert_eq!(matched(&state), "27 of 27 traces match");
    }
}

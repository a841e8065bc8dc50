//! The values of an attribute: how many spans carry each, how many of those failed, how long they took.

use ratatui::layout::{Position, Rect};

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells, number, shown_value};
use super::text;
use super::trace::{empty, many};
use crate::app::{Target, ValueRow, ValueSort, ValueTable, Values};

/// The columns, from the left edge: where the value's room ends, and where each figure ends.
struct Columns {
    value: u16,
    count: u16,
    share: u16,
    bar: u16,
    bar_width: u16,
    errors: u16,
    p95: u16,
}

fn columns(width: u16) -> Columns {
    let bar_width = if width >= 100 { 20 } else { 0 };
    let p95 = width.saturating_sub(2);
    let errors = p95.saturating_sub(11);
    let bar = errors.saturating_sub(9 + bar_width);
    let share = bar.saturating_sub(if bar_width > 0 { 2 } else { 0 });
    let count = share.saturating_sub(8);
    Columns { value: count.saturating_sub(12), count, share, bar, bar_width, errors, p95 }
}

/// Rows of values in sight.
pub(super) fn rows(body: Rect) -> Rect {
    let head = 2.min(body.height);
    Rect { y: body.y + head, height: body.height - head, ..body }
}

/// Draws it in place of the screen.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, table: &ValueTable) {
    pen.clear(body);
    let (text, dim) = (pen.bold(Role::Text), pen.style(Role::Dim));
    let mut title: Vec<Piece<'_>> = vec![(table.key.as_str().into(), text)];
    if let Some(values) = &table.values {
        title.extend(over(values).map(|part| (part.into(), dim)));
    }
    let area = rows(body);
    let (len, height) = (table.order.len(), usize::from(area.height));
    let last = (table.offset + height).min(len);
    let place = if len > height { format!("{}–{last} of {len}", table.offset + 1) } else { String::new() };
    pen.rule(Rect { height: 1, ..body }, true, &title, &place);
    let Some(values) = &table.values else { return empty(pen, area, "Counting …", "") };
    if values.rows.is_empty() && values.others.is_none() {
        return empty(pen, area, &format!("No span carries {}", table.key), "esc closes; F asks for another attribute");
    }
    let columns = columns(body.width);
    heads(pen, Rect { y: body.y + 1, height: 1, ..body }, &columns, table.sort);
    let carry = carrying(values);
    let most = values.rows.iter().map(|row| row.spans).max().unwrap_or(1);
    let shown = table.order.iter().enumerate().skip(table.offset);
    for (y, (place, index)) in (area.top()..area.bottom()).zip(shown) {
        let Some(row) = values.rows.get(*index) else { continue };
        let line = Rect { y, height: 1, ..area };
        if place == table.chosen {
            pen.select(line);
        }
        let (value, masked) = shown_value(pen.state, &table.key, &row.value);
        let role = if masked { Role::Dim } else { Role::Text };
        let value = if row.value.is_empty() { "\"\"".to_owned() } else { value.into_owned() };
        let value = text::cut_end(&text::visible(&value), usize::from(columns.value.saturating_sub(2))).into_owned();
        pen.put((line.x + 2, y), &value, columns.value, pen.style(role));
        figures(pen, line, &columns, (row, carry, most));
        if place == table.chosen {
            pen.calm(line);
        }
    }
    let below = area.y + cells(len.saturating_sub(table.offset));
    if let Some(others) = values.others.as_ref().filter(|_| below < area.bottom()) {
        let line = Rect { y: below, height: 1, ..area };
        pen.put((line.x + 2, below), "all others", columns.value, pen.style(Role::Dim));
        figures(pen, line, &columns, (others, carry, most));
    }
}

/// How many spans carry a value.
fn carrying(values: &Values) -> u64 {
    values.rows.iter().chain(&values.others).map(|row| row.spans).sum()
}

/// Over what was counted, and what was found: the second where there is room for it.
fn over(values: &Values) -> [String; 2] {
    let (traces, told) = (many(values.traces, "trace"), format::count(number(values.rows.len())));
    let different = if values.others.is_some() {
        format!("more than {told} values")
    } else {
        many(number(values.rows.len()), "value")
    };
    let carry = format!(" · {different} on {} of {}", format::count(carrying(values)), many(values.spans, "span"));
    let of = if values.filter.is_empty() { "all that is held" } else { "what the filter matches" };
    [format!("  in {of}: {traces}"), carry]
}

fn heads(pen: &mut Pen<'_>, area: Rect, columns: &Columns, sort: ValueSort) {
    let faint = pen.style(Role::Faint);
    let head = |name: &str, key: ValueSort| format!("{name}{}", if key == sort { "▾" } else { "" });
    pen.put((area.x + 2, area.y), &head("value", ValueSort::Value), columns.value, faint);
    pen.put_right((area.x + columns.count, area.y), &head("spans", ValueSort::Count), 8, faint);
    pen.put_right((area.x + columns.share, area.y), "%", 2, faint);
    pen.put_right((area.x + columns.errors, area.y), &head("err %", ValueSort::Errors), 8, faint);
    pen.put_right((area.x + columns.p95, area.y), &head("p95", ValueSort::Duration), 8, faint);
}

fn figures(pen: &mut Pen<'_>, area: Rect, columns: &Columns, (row, all, most): (&ValueRow, u64, u64)) {
    let y = area.y;
    let (dim, text) = (pen.style(Role::Dim), pen.style(Role::Text));
    let part = |part: u64, whole: u64| format::share(crate::model::Nanos(part), crate::model::Nanos(whole));
    pen.put_right((area.x + columns.count, y), &format::count(row.spans), 11, text);
    pen.put_right((area.x + columns.share, y), &part(row.spans, all), 5, dim);
    if columns.bar_width > 0 {
        let halves = u64::from(columns.bar_width) * 2 * row.spans.min(most) / most.max(1);
        pen.thin((area.x + columns.bar, y), u16::try_from(halves.max(1)).unwrap_or(1), pen.style(Role::Key));
    }
    let errors = if row.errors == 0 { "0".to_owned() } else { format!("✗ {}", part(row.errors, row.spans)) };
    let style = if row.errors == 0 { dim } else { pen.style(Role::Error) };
    pen.put_right((area.x + columns.errors, y), &errors, 8, style);
    pen.put_right((area.x + columns.p95, y), &row.p95.to_string(), 9, text);
}

/// What lies under the pointer.
pub(super) fn hit(body: Rect, table: &ValueTable, at: Position) -> Target {
    let area = rows(body);
    let row = table.offset + usize::from(at.y.saturating_sub(area.y));
    if area.contains(at) && row < table.order.len() { Target::Value(row) } else { Target::Nothing }
}

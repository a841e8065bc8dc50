//! The findings pane, over the lower part of a screen.

use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::format;
use super::look::Role;
use super::pen::{Pen, Piece, cells, number, shown};
use super::text;
use super::trace::{empty, many};
use crate::analysis::findings::{Rule, Severity};
use crate::app::{FindingRow, FindingsOf, State, Target};

/// The glyph of a row of the waterfall that proves a finding.
pub(super) const PROOF: &str = "◆";

/// The columns, from the left edge: where each begins, or ends if it is a figure.
struct Columns {
    rule: u16,
    what: u16,
    what_width: u16,
    why: u16,
    why_width: u16,
    /// 0 where it is not shown.
    traces: u16,
    cost: u16,
}

impl Columns {
    fn of(width: u16, of: FindingsOf) -> Self {
        let cost = width.saturating_sub(2);
        let traces = if of == FindingsOf::All { cost.saturating_sub(10) } else { 0 };
        let end = if traces > 0 { traces.saturating_sub(8) } else { cost.saturating_sub(10) };
        let (rule, what) = (3, 19);
        // What it is about stands in the reason too: it has a column of its own where there is room.
        let what_width = if width >= 110 { 24 } else { 0 };
        let why = what + if what_width > 0 { what_width + 2 } else { 0 };
        Self { rule, what, what_width, why, why_width: end.saturating_sub(why), traces, cost }
    }
}

/// How many rows it takes of a screen that is `height` rows high, with its rule: of one trace no more than it needs.
pub(super) fn height(state: &State, of: FindingsOf, height: u16) -> u16 {
    let most = (height * 2 / 5).clamp(6.min(height), 16);
    match of {
        FindingsOf::All => most,
        FindingsOf::Trace => most.min(cells(state.finding_rows(of)).saturating_add(3).max(6)),
    }
}

/// Rows of findings in sight.
pub(super) fn rows(pane: Rect) -> Rect {
    // Rule and heads above, the reason of the selected one below.
    let (head, foot) = (2.min(pane.height), u16::from(pane.height >= 6));
    Rect { y: pane.y + head, height: pane.height.saturating_sub(head + foot), ..pane }
}

/// Draws it.
pub(super) fn draw(pen: &mut Pen<'_>, pane: Rect, of: FindingsOf) {
    pen.clear(pane);
    let state = pen.state;
    let area = rows(pane);
    let len = state.finding_rows(of);
    let offset = state.findings.table.offset;
    let last = (offset + usize::from(area.height)).min(len);
    let place =
        if len > usize::from(area.height) { format!("{}–{last} of {len}", offset + 1) } else { String::new() };
    let title = title(pen, of, len);
    pen.rule(Rect { height: 1, ..pane }, true, &title, &place);
    if len == 0 {
        return nothing(pen, Rect { y: pane.y + 1, height: pane.height.saturating_sub(1), ..pane }, of);
    }
    let columns = Columns::of(pane.width, of);
    heads(pen, Rect { y: pane.y + 1, height: 1, ..pane }, &columns);
    let keys = state.finding_keys(of);
    let selected = state.findings.table.at(&keys);
    for (at, y) in (offset..len).zip(area.top()..area.bottom()) {
        if let Some(found) = state.finding_row(of, at) {
            row(pen, Rect { y, height: 1, ..area }, &columns, (&found, selected == Some(at)));
        }
    }
    if let Some(found) = selected.and_then(|at| state.finding_row(of, at))
        && pane.height >= 6
    {
        let why = text::visible(&shown(state, &found.why)).into_owned();
        let worst = if found.traces > 1 { "at worst: " } else { "" };
        let y = pane.bottom() - 1;
        let pieces: [Piece<'_>; 2] = [(worst.into(), pen.style(Role::Dim)), (why.into(), pen.style(Role::Text))];
        pen.line((pane.x + columns.rule, y), pane.width.saturating_sub(columns.rule + 1), &pieces);
    }
}

fn title(pen: &Pen<'_>, of: FindingsOf, len: usize) -> Vec<Piece<'static>> {
    let (text, dim) = (pen.bold(Role::Text), pen.style(Role::Dim));
    let mut title: Vec<Piece<'static>> = vec![(many(number(len), "finding").into(), text)];
    let whose = match of {
        FindingsOf::Trace => "  in this trace, what costs most first".to_owned(),
        FindingsOf::All => match pen.state.findings.report.as_deref() {
            Some(report) => {
                let traces = many(report.traces, "trace");
                let cut = if report.all > number(len) {
                    format!(", of {}", format::count(report.all))
                } else {
                    String::new()
                };
                format!("{cut}  in {traces}, what costs most first")
            }
            None => String::new(),
        },
    };
    title.push((whose.into(), dim));
    if of == FindingsOf::All {
        title.extend(super::survey::progress_of(pen, &pen.state.findings.progress));
    }
    title
}

/// An empty pane says why it is empty.
fn nothing(pen: &mut Pen<'_>, area: Rect, of: FindingsOf) {
    let state = pen.state;
    let progress = &state.findings.progress;
    let (what, why) = match of {
        FindingsOf::Trace if state.judged().is_none() => ("Judging the trace …", ""),
        FindingsOf::Trace => {
            ("Nothing to find fault with in this trace", "tab shows what was found in all traces, esc closes")
        }
        FindingsOf::All if state.findings.report.is_none() || (progress.running && progress.share < 1.0) => {
            ("Judging the traces …", "")
        }
        FindingsOf::All if state.health.traces_held == 0 => {
            ("No traces yet", "what is wrong with them is found as they arrive")
        }
        FindingsOf::All if state.filter.query.is_empty() => {
            ("Nothing to find fault with", "no failure, no slow statement, no N+1 in any trace; esc closes")
        }
        FindingsOf::All => ("Nothing to find fault with in the traces that match", "/ changes the filter, esc closes"),
    };
    empty(pen, area, what, why);
}

fn heads(pen: &mut Pen<'_>, area: Rect, columns: &Columns) {
    let faint = pen.style(Role::Faint);
    let y = area.y;
    pen.put((area.x + columns.rule, y), "rule", 8, faint);
    if columns.what_width > 0 {
        pen.put((area.x + columns.what, y), "what", columns.what_width, faint);
    }
    pen.put((area.x + columns.why, y), "why", columns.why_width, faint);
    if columns.traces > 0 {
        pen.put_right((area.x + columns.traces, y), "traces", 7, faint);
    }
    pen.put_right((area.x + columns.cost, y), "cost", 8, faint);
}

fn role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warn => Role::Slow,
        Severity::Info => Role::Text,
    }
}

/// The glyph of a rule: that of the waterfall, where it has one.
fn glyph(rule: Rule) -> &'static str {
    match rule {
        Rule::ErrorRoot => "✗",
        Rule::SlowSql | Rule::Past => "▲",
        Rule::NPlusOne => "≡",
        _ => PROOF,
    }
}

fn row(pen: &mut Pen<'_>, area: Rect, columns: &Columns, (found, selected): (&FindingRow<'_>, bool)) {
    if selected {
        pen.select(area);
    }
    let (text, dim) = (pen.style(Role::Text), pen.style(Role::Dim));
    let mut style = pen.style(role(found.severity));
    if selected {
        style = style.add_modifier(Modifier::BOLD);
    }
    let y = area.y;
    pen.put((area.x + 1, y), glyph(found.rule), 1, style);
    pen.put((area.x + columns.rule, y), found.rule.name(), columns.what - columns.rule - 1, style);
    let cut = |text: &str, width: u16| {
        text::cut_end(&text::visible(&shown(pen.state, text)), usize::from(width)).into_owned()
    };
    let (what, why) = (cut(&found.what, columns.what_width), cut(&found.why, columns.why_width));
    pen.put((area.x + columns.what, y), &what, columns.what_width, style);
    pen.put((area.x + columns.why, y), &why, columns.why_width, if columns.what_width > 0 { dim } else { text });
    if columns.traces > 0 {
        pen.put_right((area.x + columns.traces, y), &format::count(found.traces), 7, text);
    }
    let cost = if found.cost.0 == 0 { "–".to_owned() } else { found.cost.to_string() };
    pen.put_right((area.x + columns.cost, y), &cost, cells(9), if found.cost.0 == 0 { dim } else { text });
    if selected {
        pen.calm(area);
    }
}

/// What lies under the pointer.
pub(super) fn hit(state: &State, pane: Rect, of: FindingsOf, at: Position) -> Target {
    let area = rows(pane);
    let row = state.findings.table.offset + usize::from(at.y.saturating_sub(area.y));
    match (area.contains(at) && row < state.finding_rows(of), pane.contains(at)) {
        (true, _) => Target::Finding(row),
        // A click on rule or heads is not meant to close it.
        (false, true) => Target::Findings,
        (false, false) => Target::Nothing,
    }
}

/// A word beside a row of the waterfall that proves a finding.
pub(super) fn remark(rule: Rule) -> &'static str {
    match rule {
        Rule::Past => "slower than usual",
        Rule::NPlusOne => "N+1",
        Rule::Scatter => "N+1 over many places",
        Rule::Duplicate => "asked again",
        Rule::FanOut => "many at once",
        Rule::Serial => "one after another",
        Rule::Dominant => "most of the trace",
        Rule::Gap => "gap",
        Rule::Retry => "retry",
        Rule::QueueWait => "waited",
        Rule::Swallowed => "went no further",
        Rule::Outlive => "outlives its parent",
        Rule::ErrorRoot | Rule::SlowSql | Rule::Integrity => "",
    }
}

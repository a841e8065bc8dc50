//! The waterfall: tree, service, name, bar, duration, share. Only rows in sight are touched.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::bar::{Bar, Window};
use super::findings::{PROOF, remark};
use super::format;
use super::layout::{WaterfallColumns, waterfall_columns};
use super::look::Role;
use super::pen::{Pen, cells, shown};
use super::text;
use crate::analysis::findings::Rule;
use crate::analysis::{Analysis, Row, RowKey, RowKind, Skew, group_label};
use crate::app::{Found, Judged};
use crate::model::{Nanos, Timestamp};

/// Cells a name keeps however deep it stands.
const NAME_AT_LEAST: u16 = 12;

/// Members of a group between which gaps are looked for.
const GAPS: usize = 512;

/// What is drawn, and how.
pub(super) struct Waterfall<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) rows: &'a [Row],
    pub(super) offset: usize,
    pub(super) selected: Option<RowKey>,
    pub(super) found: Option<&'a Found>,
    /// What was found in the trace: rows that prove something are marked.
    pub(super) judged: Option<&'a Judged>,
    pub(super) zoom: Option<(Timestamp, Timestamp)>,
    /// Only the critical path is shown: shares are of it, and its bars stand out.
    pub(super) path: bool,
    /// The preview: no shares, no remarks, no marks.
    pub(super) small: bool,
}

/// What a row says, whatever it stands for.
struct Said {
    start: Timestamp,
    end: Timestamp,
    duration: Nanos,
    /// The part of the trace's time that this is.
    covered: Nanos,
    /// How much of the critical path runs through it.
    path: Nanos,
    failed: bool,
    slow: bool,
    group: bool,
    /// Failed and slow spans hidden below.
    hidden: (u32, u32),
}

impl Waterfall<'_> {
    pub(super) fn window(&self, columns: &WaterfallColumns) -> Window {
        let (from, to) = self.zoom.unwrap_or((self.analysis.start, self.analysis.end));
        Window { from, to, columns: columns.bar_width }
    }

    pub(super) fn draw(&self, pen: &mut Pen<'_>, area: Rect) {
        let columns = waterfall_columns(area.width, self.small);
        for (y, index) in (area.top()..area.bottom()).zip(self.offset..self.rows.len()) {
            let row_area = Rect { y, height: 1, ..area };
            if let Some(row) = self.rows.get(index) {
                self.row(pen, row_area, &columns, row);
            }
        }
    }

    fn said(&self, row: &Row) -> Option<Said> {
        let node = self.analysis.nodes.get(row.node as usize)?;
        Some(match &row.kind {
            RowKind::Group { sum, covered, start, end, path, failed, slow, .. } => Said {
                start: *start,
                end: *end,
                duration: *sum,
                covered: *covered,
                path: *path,
                failed: *failed > 0,
                slow: *slow > 0,
                group: true,
                hidden: (0, 0),
            },
            RowKind::Span | RowKind::Missing => {
                let folded = row.open == Some(false);
                Said {
                    start: node.start,
                    end: node.end,
                    duration: node.duration(),
                    covered: node.duration(),
                    path: node.path,
                    failed: node.failed,
                    slow: node.slow.is_some(),
                    group: false,
                    hidden: if folded { (node.failed_descendants, node.slow_descendants) } else { (0, 0) },
                }
            }
        })
    }

    fn row(&self, pen: &mut Pen<'_>, area: Rect, columns: &WaterfallColumns, row: &Row) {
        let Some(said) = self.said(row) else { return };
        let selected = self.selected == Some(row.key);
        if selected {
            pen.select(area);
        }
        let dimmed = self.found.is_some_and(|found| !matches(found, row));
        let at = area.x + self.guides(pen, area, columns.name, row);
        self.name(pen, (at, area.y), area.x + columns.name, (row, &said, dimmed, selected));
        // What is slow or failed must not be overlooked, whatever was looked for: of it only the name is dimmed.
        let dimmed = dimmed && !said.failed && !said.slow;
        self.bar(pen, (area.x + columns.bar, area.y), columns, (row, &said, dimmed));
        self.figures(pen, area, columns, (row, &said, dimmed));
        if selected {
            let end = columns.bar + columns.bar_width;
            pen.calm(Rect { width: columns.bar, ..area });
            pen.unreverse(Rect { x: area.x + columns.bar, width: columns.bar_width, ..area });
            pen.calm(Rect { x: area.x + end, width: area.width.saturating_sub(end), ..area });
        }
    }

    /// Tree guides, fold mark and service bar. Answers where the name begins.
    fn guides(&self, pen: &mut Pen<'_>, area: Rect, name_width: u16, row: &Row) -> u16 {
        let step: u16 = if name_width >= 36 { 3 } else { 2 };
        let faint = pen.style(Role::Faint);
        let most = name_width.saturating_sub(NAME_AT_LEAST + 3) / step;
        let depth = u16::try_from(row.depth).unwrap_or(u16::MAX);
        let levels = depth.min(most);
        // From the row itself upwards: each level has its own column, as long as there are columns.
        let mut level = levels;
        let mut at = Some(row);
        while level > 0 {
            let Some(here) = at else { break };
            let x = area.x + 1 + step * (level - 1);
            let own = level == levels;
            let mark = match (own, here.last) {
                (true, true) => "└─",
                (true, false) => "├─",
                (false, true) => "  ",
                (false, false) => "│ ",
            };
            pen.put((x, area.y), mark, 2, faint);
            at = here.parent_row.and_then(|parent| self.rows.get(parent as usize));
            level -= 1;
        }
        let fold = match row.open {
            Some(true) => "▾",
            Some(false) => "▸",
            None => "",
        };
        let fold_x = area.x + if levels == 0 { 1 } else { 2 + step * (levels - 1) };
        pen.put((fold_x, area.y), fold, 1, pen.style(Role::Dim));
        if depth > levels {
            let mark = format!("…{depth}");
            pen.put((area.x, area.y), &mark, cells(text::width(&mark)).min(name_width), pen.style(Role::Dim));
        }
        let bar = if levels == 0 { step } else { 1 + step * levels };
        if let Some(span) = self.analysis.span(row.node) {
            let colour = pen.look.service(&span.service);
            pen.put((area.x + bar, area.y), "▌", 1, Style::new().fg(colour));
        }
        bar + 1
    }

    fn name(
        &self,
        pen: &mut Pen<'_>,
        (x, y): (u16, u16),
        end: u16,
        (row, said, dimmed, selected): (&Row, &Said, bool, bool),
    ) {
        let room = end.saturating_sub(x + 1);
        let emphasis = if selected { Modifier::BOLD } else { Modifier::empty() };
        let (mark, style) = self.mark(pen, said, (dimmed, matches!(row.kind, RowKind::Missing)));
        let style = style.add_modifier(emphasis);
        let rule = self.proves(row);
        let mut used = match rule.filter(|_| mark.is_empty()) {
            Some(_) => pen.put((x, y), PROOF, room, pen.style(Role::Dim)),
            None => pen.put((x, y), mark, room, style),
        };
        let (failed, slow) = said.hidden;
        let tail = match &row.kind {
            RowKind::Group { members, .. } => format!(" ×{}", format::count(super::pen::number(members.len()))),
            _ if self.skew(row).is_some() => self.skew(row).unwrap_or_default(),
            _ if failed > 0 => format!(" ✗{failed}"),
            _ if slow > 0 => format!(" ▲{slow}"),
            _ => String::new(),
        };
        let label = self.label(row);
        let label = shown(pen.state, &label);
        let label = text::visible(&label);
        let tail_width = cells(text::width(&tail));
        let label = text::cut_end(&label, usize::from(room.saturating_sub(used + tail_width)));
        used += pen.put((x + used, y), &label, room.saturating_sub(used), style);
        let tail_style = match (failed, slow) {
            _ if row.kind == RowKind::Span && self.skew(row).is_some() => pen.style(Role::Slow),
            (1.., _) => pen.style(Role::Error),
            (0, 1..) => pen.style(Role::Slow),
            _ => style,
        };
        used += pen.put((x + used, y), &tail, room.saturating_sub(used), tail_style);
        // A word more where there is room for all of it.
        let remark = rule.map_or("", remark);
        if !remark.is_empty() && usize::from(room.saturating_sub(used)) > text::width(remark) + 1 {
            pen.put((x + used + 2, y), remark, room.saturating_sub(used + 2), pen.style(Role::Dim));
        }
    }

    /// The rule that a row proves, if it does; of a group, what its first member proves.
    fn proves(&self, row: &Row) -> Option<Rule> {
        self.judged?.marks.get(&row.node).copied()
    }

    /// How far the clock of a row's span runs apart from its parent's, where it does.
    fn skew(&self, row: &Row) -> Option<String> {
        let skew = self.analysis.skews.iter().find(|skew| skew.node == row.node)?;
        Some(format!(" clock {}", skew_text(skew)))
    }

    fn label(&self, row: &Row) -> Cow<'_, str> {
        match (&row.kind, row.key) {
            (RowKind::Missing, RowKey::Missing(id)) => Cow::Owned(format!("parent {id} has not arrived")),
            (RowKind::Group { .. }, _) => Cow::Owned(group_label(self.analysis, row)),
            _ => self.analysis.span(row.node).map_or(Cow::Borrowed(""), |span| Cow::Borrowed(&*span.label)),
        }
    }

    /// The glyph before the name, and the name's style.
    fn mark(&self, pen: &Pen<'_>, said: &Said, (dimmed, missing): (bool, bool)) -> (&'static str, Style) {
        let mark = match (said.failed, said.slow, said.group) {
            (true, _, _) => "✗",
            (false, true, _) => "▲",
            (false, false, true) => "≡",
            _ => "",
        };
        let role = match (said.failed, said.slow || said.group) {
            _ if dimmed || missing => Role::Dim,
            (true, _) => Role::Error,
            (false, true) => Role::Slow,
            (false, false) if self.found.is_some() => Role::Match,
            _ => Role::Text,
        };
        (mark, pen.style(role))
    }

    fn bar(
        &self,
        pen: &mut Pen<'_>,
        at: (u16, u16),
        columns: &WaterfallColumns,
        (row, said, dimmed): (&Row, &Said, bool),
    ) {
        let service = self.analysis.span(row.node).map(|span| pen.look.service(&span.service));
        let faint = pen.style(Role::Faint).fg.unwrap_or(Color::Reset);
        let colour = match (said.failed, said.slow || said.group) {
            _ if dimmed => faint,
            (true, _) => pen.look.alarm(true),
            (false, true) => pen.look.alarm(false),
            (false, false) => service.unwrap_or(faint),
        };
        let busy;
        let covered = match &row.kind {
            RowKind::Group { members, .. } => {
                busy = self.idle(members);
                busy.as_slice()
            }
            RowKind::Span if self.path => {
                busy = self.waiting(row.node);
                busy.as_slice()
            }
            RowKind::Span => self.analysis.covered_of(row.node),
            RowKind::Missing => &[],
        };
        let rest = self.path.then_some(faint);
        let bar = Bar { start: said.start, end: said.end, covered, colour, rest };
        let emphasis = if self.path && !dimmed { Style::new().bold() } else { Style::new() };
        pen.bar(at, self.window(columns), &bar, emphasis);
    }

    /// When the trace did not wait for a span itself, but for one below it: its bar is bright only where it is the path, so that
    /// the bright parts of all rows follow each other from beginning to end.
    fn waiting(&self, node: u32) -> Vec<(Timestamp, Timestamp)> {
        let below = self.analysis.children_of(node).iter().filter_map(|child| self.analysis.nodes.get(*child as usize));
        let mut waiting: Vec<(Timestamp, Timestamp)> = Vec::new();
        for child in below.filter(|child| child.path > Nanos::ZERO) {
            match waiting.last_mut() {
                Some(last) if last.1 >= child.start => last.1 = last.1.max(child.end),
                _ => waiting.push((child.start, child.end)),
            }
        }
        waiting
    }

    /// The gaps between the members of a group: nothing ran there, so they are drawn dark. Only groups of a size where that costs
    /// nothing are looked at.
    fn idle(&self, members: &[u32]) -> Vec<(Timestamp, Timestamp)> {
        let mut gaps = Vec::new();
        let mut reached: Option<Timestamp> = None;
        let members = members.iter().take(GAPS).filter_map(|member| self.analysis.nodes.get(*member as usize));
        for node in members.filter(|node| !self.path || node.path > Nanos::ZERO) {
            if let Some(end) = reached
                && node.start > end
            {
                gaps.push((end, node.start));
            }
            reached = Some(reached.map_or(node.end, |end| end.max(node.end)));
        }
        gaps
    }

    fn figures(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        columns: &WaterfallColumns,
        (row, said, dimmed): (&Row, &Said, bool),
    ) {
        let role = match (said.failed, said.slow) {
            _ if dimmed => Role::Dim,
            (true, _) => Role::Error,
            (false, true) => Role::Slow,
            _ if self.small => Role::Dim,
            _ => Role::Text,
        };
        let style = if said.slow && !dimmed { pen.bold(role) } else { pen.style(role) };
        let y = area.y;
        let figures = columns.bar + columns.bar_width;
        if !self.small && said.path > Nanos::ZERO && columns.duration_end > figures {
            pen.put((area.x + figures + 1, y), "━", 1, pen.style(Role::Path));
        }
        if !matches!(row.kind, RowKind::Missing) && columns.duration_end > figures {
            let room = (columns.duration_end - figures).saturating_sub(2);
            pen.put_right((area.x + columns.duration_end, y), &said.duration.to_string(), room, style);
        }
        if columns.share_end > 0 {
            let of = if self.path { said.path } else { said.covered };
            let share = format::share(of, self.analysis.duration());
            pen.put_right((area.x + columns.share_end, y), &share, 5, pen.style(Role::Dim));
        }
        if columns.remark_width > 0
            && let Some(span) = self.analysis.span(row.node)
        {
            let room = columns.remark_width.saturating_sub(1);
            let remark = text::visible(&span.remark).into_owned();
            let remark = text::cut_end(&remark, usize::from(room));
            pen.put((area.x + columns.remark + 1, y), &remark, room, pen.style(Role::Dim));
        }
    }
}

/// By how much a clock is off: `+7.2 s` runs ahead, `-310 ms` behind.
pub(super) fn skew_text(skew: &Skew) -> String {
    // What must be taken away is what it runs ahead.
    let sign = if skew.shift < 0 { '+' } else { '-' };
    format!("{sign}{}", Nanos(skew.shift.unsigned_abs()))
}

/// Whether a row, or a member of its group, is among what was found.
fn matches(found: &Found, row: &Row) -> bool {
    match &row.kind {
        RowKind::Group { members, .. } => members.iter().any(|member| found.set.contains(member)),
        RowKind::Span | RowKind::Missing => found.set.contains(&row.node),
    }
}

/// Where on a row of the waterfall the fold mark stands: its first and last column from the left edge.
pub(super) fn fold_columns(name_width: u16, row: &Row) -> (u16, u16) {
    let step: u16 = if name_width >= 36 { 3 } else { 2 };
    let most = name_width.saturating_sub(NAME_AT_LEAST + 3) / step;
    let levels = u16::try_from(row.depth).unwrap_or(u16::MAX).min(most);
    let mark = if levels == 0 { 1 } else { 2 + step * (levels - 1) };
    (mark.saturating_sub(1), mark + 1)
}

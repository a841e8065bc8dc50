//! A trace as Markdown, for a ticket: the verdict, the tree with its critical path, what was found, its statements, what failed first.

use std::fmt::Write as _;

use super::found::rfc3339;
use super::judged::Judged;
use crate::analysis::errors::{Detail, Failure, Frame};
use crate::analysis::figures::count;
use crate::analysis::findings::across::Found;
use crate::analysis::{Analysis, Folds, Row, RowKind, flatten, group_label, statement, wording};
use crate::model::Category;
use crate::redact::Redactor;

/// Rows of the tree; a person reads no more.
const ROWS: usize = 500;
/// Bytes of it: the whole has to go through a terminal, and they take about 74 KB.
const TREE: usize = 30_000;
/// Findings that are told.
const FINDINGS: usize = 25;
/// Statements that are quoted.
const STATEMENTS: usize = 10;
/// Frames of a stack trace.
const FRAMES: usize = 10;
/// Letters of a statement, a message or a stack trace.
const LETTERS: usize = 2_000;
/// Letters of what stands in a line with others.
const SHORT: usize = 200;
/// Letters of what the verdict is about, as on screen.
const SUBJECT: usize = 60;
/// Levels that rows are indented by.
const DEEPEST: u32 = 40;

/// A trace and what is to be said of it; `redactor` masks secrets once more in what was put together of several parts.
pub(super) fn trace(judged: &Judged, redactor: Option<&Redactor>) -> String {
    let analysis = &judged.analysis;
    let rows = flatten(analysis, &Folds::default());
    let mut page = Page { out: String::new(), redactor };
    page.head(analysis, &rows);
    page.verdict(analysis);
    page.tree(analysis, &rows);
    page.findings(analysis);
    page.statements(judged);
    if let Some((failure, detail)) = &judged.failure {
        page.failure(failure, detail, &judged.status);
    }
    page.out
}

/// What was found in several traces, of which each was told by itself: the same in many of them is one, with a count.
pub(super) fn together((found, all): (&[Found], u64), traces: u64, redactor: Option<&Redactor>) -> String {
    let mut page = Page { out: String::new(), redactor };
    if found.is_empty() {
        return page.out;
    }
    let _ = writeln!(page.out, "## Findings of these {} traces\n", count(traces));
    page.out.push_str(
        "| finding | rule | traces | spans | cost | why, where it costs most |\n|---|---|---:|---:|---:|---|\n",
    );
    for one in found.iter().take(FINDINGS) {
        let (severity, rule, why) = (one.severity.name(), one.rule.name(), page.cell(&one.why));
        let (traces, spans) = (count(one.traces), count(one.spans));
        let cost = if one.cost.0 == 0 { String::new() } else { one.cost.to_string() };
        let _ = writeln!(page.out, "| {severity} | {rule} | {traces} | {spans} | {cost} | {why} |");
    }
    page.out.push('\n');
    page.more(usize::try_from(all).unwrap_or(usize::MAX), FINDINGS, "findings");
    page.out
}

/// What is written, and what masks it.
pub(super) struct Page<'a> {
    pub(super) out: String,
    pub(super) redactor: Option<&'a Redactor>,
}

impl Page<'_> {
    fn head(&mut self, analysis: &Analysis, rows: &[Row]) {
        let root = rows.iter().find_map(|row| analysis.span(row.node));
        let (service, label) = root.map_or(("", String::new()), |root| {
            (&*root.service, statement::summary(root.category, &root.label).into_owned())
        });
        let (service, label) = (self.cell(service), self.cell(&label));
        let duration = analysis.duration();
        let _ = writeln!(self.out, "## {service} {label}: {duration}\n");
        let (id, begun) = (analysis.trace.id, rfc3339(analysis.start));
        let (spans, services, failed) = (analysis.trace.spans.len(), analysis.services.len(), analysis.errors.len());
        self.out.push_str("| trace | start | spans | services | errors |\n|---|---|---:|---:|---:|\n");
        let _ = writeln!(self.out, "| `{id}` | {begun} | {spans} | {services} | {failed} |\n");
    }

    /// In the words of the screen.
    fn verdict(&mut self, analysis: &Analysis) {
        let (mut text, mut before) = (String::new(), None);
        for clause in &analysis.verdict.clauses {
            text.push_str(wording::lead(analysis, before, clause));
            for word in wording::words(analysis, clause) {
                let longest = if word.subject { SUBJECT } else { SHORT };
                text.push_str(&escaped(&self.cut(&word.text, longest)));
            }
            before = Some(clause);
        }
        if !text.is_empty() {
            let _ = writeln!(self.out, "> {text}\n");
        }
    }

    /// A line a row: whether it is on the critical path, after how long it began, how long it took, where, what.
    fn tree(&mut self, analysis: &Analysis, rows: &[Row]) {
        let mut tree = String::new();
        let mut told = 0;
        for row in rows.iter().take(ROWS) {
            if tree.len() >= TREE {
                break;
            }
            self.row(analysis, row, &mut tree);
            told += 1;
        }
        if rows.len() > told {
            let _ = writeln!(tree, "… {} more", count((rows.len() - told) as u64));
        }
        let path = if analysis.path.is_empty() { "" } else { " (`━`: on the critical path)" };
        let _ = writeln!(self.out, "**Tree**{path}\n");
        self.fenced("text", &tree, usize::MAX);
    }

    fn row(&self, analysis: &Analysis, row: &Row, out: &mut String) {
        let Some(node) = analysis.nodes.get(row.node as usize) else { return };
        let (start, took, path, failed, slow) = match &row.kind {
            RowKind::Group { sum, start, path, failed, slow, .. } => (*start, *sum, *path, *failed > 0, *slow > 0),
            _ => (node.start, node.duration(), node.path, node.failed, node.slow.is_some()),
        };
        let on_path = if path.0 > 0 { "━" } else { " " };
        let (after, took) = (start.since(analysis.start).to_string(), took.to_string());
        let indent = "  ".repeat(row.depth.min(DEEPEST) as usize);
        let _ = write!(out, "{on_path} {after:>9} {took:>9}  {indent}");
        if let RowKind::Group { members, .. } = &row.kind {
            let _ = write!(out, "×{} ", count(members.len() as u64));
        }
        match analysis.span(row.node) {
            Some(span) => {
                let label = group_label(analysis, row);
                let label = self.cut(&statement::summary(span.category, &label), SHORT);
                let _ = write!(out, "{} {label}", self.cut(&span.service, SUBJECT));
            }
            None => out.push_str("(a parent that is not held)"),
        }
        if let RowKind::Group { longest, .. } = &row.kind {
            let _ = write!(out, "  in all, {longest} at most");
        }
        out.push_str(if failed { "  ✗ ERROR" } else { "" });
        out.push_str(if slow { "  ▲ slow" } else { "" });
        out.push('\n');
    }

    fn findings(&mut self, analysis: &Analysis) {
        if analysis.findings.is_empty() {
            return;
        }
        self.out.push_str("| finding | rule | why |\n|---|---|---|\n");
        for finding in analysis.findings.iter().take(FINDINGS) {
            let (severity, rule, why) = (finding.severity.name(), finding.rule.name(), self.cell(&finding.why));
            let _ = writeln!(self.out, "| {severity} | {rule} | {why} |");
        }
        self.out.push('\n');
        self.more(analysis.findings.len(), FINDINGS, "findings");
    }

    fn statements(&mut self, judged: &Judged) {
        let all = &judged.statements;
        for row in all.rows.iter().take(STATEMENTS) {
            let (calls, total) = (count(row.calls), row.total);
            let most = if row.calls > 1 { format!(" in all, {} at most", row.max) } else { String::new() };
            let _ = writeln!(self.out, "**Statement** ×{calls}, {total}{most}\n");
            let language = if row.category == Category::Sql { "sql" } else { "text" };
            self.fenced(language, &row.text, LETTERS);
        }
        self.more(usize::try_from(all.statements).unwrap_or(usize::MAX), STATEMENTS, "statements");
    }

    /// Type and message, then the application's own frames; where none is known as its own, the first of all.
    fn failure(&mut self, failure: &Failure, detail: &Detail, status: &str) {
        let (service, operation) = (self.cell(&failure.key.service), self.cell(&failure.key.operation));
        let _ = writeln!(self.out, "**First error** in {service} {operation}\n");
        let (kind, message) = (failure.key.kind.trim(), detail.message.trim());
        // `gRPC CANCELLED` with `CANCELLED: by the caller`, which is not said twice.
        let (before, last) = kind.rsplit_once(' ').unwrap_or(("", kind));
        let text = match (kind.is_empty() || message.is_empty(), message.starts_with(last)) {
            (false, true) => format!("{before} {message}"),
            (false, false) => format!("{kind}: {message}"),
            _ => format!("{kind}{message}"),
        };
        let mut text = self.masked(text.trim_start());
        let stack = &detail.stack;
        let any_own = stack.frames.iter().any(|frame| frame.own);
        for frame in stack.frames.iter().filter(|frame| frame.own || !any_own).take(FRAMES) {
            let _ = write!(text, "\n  at {}", self.cut(&place(frame), SHORT));
        }
        for line in stack.unread.iter().take(FRAMES) {
            let _ = write!(text, "\n  {}", self.cut(line, SHORT));
        }
        let status = self.cut(status.trim().lines().next().unwrap_or_default(), SHORT);
        if !status.is_empty() && !text.contains(&status) {
            let _ = write!(text, "\nstatus: {status}");
        }
        if !text.trim().is_empty() {
            self.fenced("text", text.trim(), LETTERS);
        }
    }

    pub(super) fn more(&mut self, there: usize, told: usize, what: &str) {
        if there > told {
            let _ = writeln!(self.out, "… and {} more {what}\n", count((there - told) as u64));
        }
    }

    fn masked(&self, text: &str) -> String {
        self.redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text).into_owned())
    }

    /// In one line, without secrets and without control characters.
    fn cut(&self, text: &str, longest: usize) -> String {
        // A statement may be a megabyte; a secret that is cut in two still is one.
        let start: String = text.chars().take(LETTERS * 8).collect();
        let shown = self.masked(&start);
        let clean = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
        let mut letters = shown.chars().map(clean);
        let kept: String = letters.by_ref().take(longest).collect();
        if letters.next().is_none() {
            return kept;
        }
        kept.chars().take(longest - 1).chain(['…']).collect()
    }

    /// The same, so that it means nothing to Markdown.
    pub(super) fn cell(&self, text: &str) -> String {
        escaped(&self.cut(text, SHORT))
    }

    /// The value of an attribute likewise.
    pub(super) fn value(&self, key: &str, value: &str) -> String {
        match self.redactor {
            Some(redactor) => self.cell(&redactor.value(key, value).text),
            None => self.cell(value),
        }
    }

    /// Text in a fence that nothing in it can close.
    fn fenced(&mut self, language: &str, text: &str, most: usize) {
        let clean =
            |letter: char| if letter.is_control() && letter != '\n' && letter != '\t' { '\u{fffd}' } else { letter };
        let text = self.masked(text);
        let mut letters = text.chars().filter(|letter| *letter != '\r').map(clean);
        let mut kept: String = letters.by_ref().take(most).collect();
        if letters.next().is_some() {
            kept.push('…');
        }
        let longest = kept.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let _ = writeln!(self.out, "{fence}{language}\n{}\n{fence}\n", kept.trim_end());
    }
}

/// `get_user (app/users.py:17)`.
fn place(frame: &Frame) -> String {
    let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
    match (frame.function.is_empty(), frame.file.is_empty()) {
        (false, false) => format!("{} ({}{line})", frame.function, frame.file),
        (false, true) => frame.function.clone(),
        (true, _) => format!("{}{line}", frame.file),
    }
}

/// Text that means nothing to Markdown.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '$') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

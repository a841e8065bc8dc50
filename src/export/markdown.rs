//! A trace as Markdown, for a ticket: what it was, its tree, what failed, its slowest statements.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::found::rfc3339;
use super::value::{self, readable, service};
use crate::model::{Nanos, Span, SpanId, StatusCode, Timestamp};
use crate::semconv::is_statement_key;

/// Rows of the tree; a person reads no more.
const ROWS: usize = 500;
/// Statements that are quoted.
const STATEMENTS: usize = 5;
/// Failures that are quoted.
const FAILURES: usize = 10;
/// Letters of a statement, message or stack trace.
const LETTERS: usize = 4_000;

/// A trace, in order of start.
pub(super) fn trace(spans: &[Span]) -> String {
    let Some(first) = spans.first() else { return String::new() };
    let start = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let end = spans.iter().map(|span| span.end).max().unwrap_or_default();
    let root = spans.iter().find(|span| span.parent_id.is_none()).unwrap_or(first);
    let services: HashSet<String> = spans.iter().map(|span| service(&span.resource)).collect();
    let failed = spans.iter().filter(|span| span.status.code == StatusCode::ERROR).count();
    let mut out =
        format!("## {} {}: {}\n\n", cell(&service(&root.resource)), cell(&readable(&root.name)), end.since(start));
    let _ = writeln!(out, "| trace | start | spans | services | errors |\n|---|---|---:|---:|---:|");
    let (id, begun) = (first.trace_id, rfc3339(start));
    let _ = writeln!(out, "| `{id}` | {begun} | {} | {} | {failed} |\n", spans.len(), services.len());
    fenced(&mut out, "text", &tree(spans, start));
    failures(spans, &mut out);
    statements(spans, &mut out);
    out
}

/// A line a span: after how long it began, how long it took, where, what.
fn tree(spans: &[Span], start: Timestamp) -> String {
    let held: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let mut children: HashMap<SpanId, Vec<usize>> = HashMap::new();
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        match span.parent_id.filter(|parent| held.contains(parent) && *parent != span.span_id) {
            Some(parent) => children.entry(parent).or_default().push(at),
            None => stack.push((at, 0)),
        }
    }
    stack.reverse();
    let mut shown = vec![false; spans.len()];
    let (mut out, mut rows) = (String::new(), 0);
    // Those in a circle of parents hang from nothing: they come last.
    let mut rest = 0..spans.len();
    while rows < ROWS {
        let Some((at, depth)) = stack.pop().or_else(|| rest.find(|at| !shown[*at]).map(|at| (at, 0))) else { break };
        if std::mem::replace(&mut shown[at], true) {
            continue;
        }
        rows += 1;
        row(&spans[at], depth, start, &mut out);
        let below = children.get(&spans[at].span_id).into_iter().flatten().rev();
        stack.extend(below.map(|child| (*child, depth + 1)));
    }
    if rows < spans.len() {
        let _ = writeln!(out, "… {} more", spans.len() - rows);
    }
    out
}

fn row(span: &Span, depth: usize, start: Timestamp, out: &mut String) {
    let (after, took) = (span.start.since(start).to_string(), span.end.since(span.start).to_string());
    let mark = if span.status.code == StatusCode::ERROR { "  ERROR" } else { "" };
    let indent = "  ".repeat(depth.min(40));
    let _ = writeln!(out, "{after:>9} {took:>9}  {indent}{} {}{mark}", service(&span.resource), readable(&span.name));
}

fn failures(spans: &[Span], out: &mut String) {
    let failed = spans.iter().filter(|span| span.status.code == StatusCode::ERROR);
    for (told, span) in failed.enumerate() {
        if told == FAILURES {
            let _ = writeln!(out, "… and more errors\n");
            return;
        }
        let _ = writeln!(out, "**Error** in {} {}", cell(&service(&span.resource)), cell(&readable(&span.name)));
        let mut text = span.status.message.lossy().into_owned();
        for event in span.events.iter().filter(|event| event.name == *"exception") {
            let part = |key: &str| crate::model::lookup(&event.attributes, key).map(value::text).unwrap_or_default();
            let _ = write!(text, "\n{}: {}", part("exception.type"), part("exception.message"));
            let _ = write!(text, "\n{}", part("exception.stacktrace"));
        }
        out.push('\n');
        if !text.trim().is_empty() {
            fenced(out, "text", text.trim());
        }
    }
}

fn statements(spans: &[Span], out: &mut String) {
    let mut found: Vec<(Nanos, String)> = Vec::new();
    for span in spans {
        let statement = span.attributes.iter().find(|attribute| is_statement_key(&attribute.key.lossy()));
        let text = statement.map(|attribute| value::text(&attribute.value)).filter(|text| !text.trim().is_empty());
        found.extend(text.map(|text| (span.end.since(span.start), text)));
    }
    found.sort_by_key(|(took, _)| Reverse(*took));
    for (took, text) in found.iter().take(STATEMENTS) {
        let _ = writeln!(out, "**Statement**, {took}\n");
        fenced(out, "sql", text);
    }
}

/// Text in a fence that nothing in it can close.
fn fenced(out: &mut String, language: &str, text: &str) {
    let clean =
        |letter: char| if letter.is_control() && letter != '\n' && letter != '\t' { '\u{fffd}' } else { letter };
    let mut kept: String =
        text.chars().filter(|letter| *letter != '\r').take(LETTERS.max(ROWS * 200)).map(clean).collect();
    if kept.len() < text.len() && text.chars().count() > kept.chars().count() + text.matches('\r').count() {
        kept.push('…');
    }
    let longest = kept.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}{language}\n{}\n{fence}\n", kept.trim_end());
}

/// Text that means nothing to Markdown.
pub(super) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

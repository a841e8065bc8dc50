//! Why a trace failed: which span failed first, what it says of it, and whether it was only given up on.

use std::cmp::Reverse;
use std::sync::Arc;

use super::tree::Analysis;
use super::whole::{Whole, text};
use crate::model::Span;

/// What the span that failed first says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Type and message of its exception, or else its status message, on one line; empty where it says nothing.
    pub text: Arc<str>,
    /// It gave up waiting. What it waited for need not have failed.
    pub timed_out: bool,
    /// What was still running below it when it gave up, the longest first.
    pub still_open: Vec<u32>,
}

/// The longest text that is kept, in letters.
const LONGEST: usize = 200;

/// The span that failed first, as far as the tree tells: a failing span with nothing failing below it; rather one whose failure
/// reached the top than one that was swallowed on the way; of those the deepest, then the one that ended first.
pub(super) fn first(analysis: &Analysis) -> Option<u32> {
    if analysis.errors.is_empty() {
        return None;
    }
    let place = |node: &u32| &analysis.nodes[*node as usize];
    // Parents come before their children in the order of the tree. A parent that is missing says nothing of itself.
    let mut reaches = vec![true; analysis.nodes.len()];
    for index in &analysis.order {
        if let Some(parent) = place(index).parent {
            let passes = place(&parent).failed || analysis.span(parent).is_none();
            reaches[*index as usize] = passes && reaches[parent as usize];
        }
    }
    let lowest = analysis.errors.iter().filter(|node| place(node).failed_descendants == 0);
    let rank = |node: &&u32| (!reaches[**node as usize], Reverse(place(node).depth), place(node).end);
    lowest.min_by_key(rank).copied()
}

/// Reads what the span that failed first says of it. Where it was cancelled because one above it gave up waiting, that one is
/// what failed first.
pub(super) fn read(analysis: &mut Analysis, whole: &mut Whole<'_>) {
    let Some(first) = analysis.root_error else { return };
    let said = said(analysis, whole, first);
    let (node, said) = above_that_gave_up(analysis, whole, first, &said).unwrap_or((first, said));
    let timed_out = is_timeout(analysis, node, &said);
    let still_open = if timed_out { still_open(analysis, node, first) } else { Vec::new() };
    analysis.root_error = Some(node);
    analysis.failure = Failure { text: said.into(), timed_out, still_open };
}

/// The lowest span above a cancelled one that gave up waiting, and what it says.
fn above_that_gave_up(analysis: &Analysis, whole: &mut Whole<'_>, cancelled: u32, said: &str) -> Option<(u32, String)> {
    let remark = |node: u32| analysis.span(node).map_or("", |span| &*span.remark);
    if !has_any(said, &["cancel", "context done", "aborterror"]) && !matches!(remark(cancelled), "CANCELLED" | "499") {
        return None;
    }
    let mut at = analysis.nodes.get(cancelled as usize)?.parent;
    while let Some(node) = at {
        let place = analysis.nodes.get(node as usize)?;
        if place.failed {
            let said = self::said(analysis, whole, node);
            if is_timeout(analysis, node, &said) {
                return Some((node, said));
            }
        }
        at = place.parent;
    }
    None
}

fn is_timeout(analysis: &Analysis, node: u32, said: &str) -> bool {
    let remark = analysis.span(node).map_or("", |span| &*span.remark);
    matches!(remark, "DEADLINE_EXCEEDED" | "504" | "408")
        || has_any(said, &["timeout", "timed out", "time out", "deadline exceeded", "deadline_exceeded", "etimedout"])
}

fn has_any(text: &str, parts: &[&str]) -> bool {
    let text = text.to_lowercase();
    parts.iter().any(|part| text.contains(part))
}

/// The children of `node` that had not ended when it did, and the one that leads to `cancelled`; the longest first.
fn still_open(analysis: &Analysis, node: u32, cancelled: u32) -> Vec<u32> {
    let place = |node: u32| &analysis.nodes[node as usize];
    let mut led = None;
    let mut at = Some(cancelled);
    while let Some(here) = at.filter(|here| *here != node) {
        led = Some(here);
        at = place(here).parent;
    }
    let end = place(node).end;
    let children = analysis.children_of(node).iter().copied();
    let mut open: Vec<u32> = children.filter(|child| place(*child).end > end || Some(*child) == led).collect();
    open.sort_by_key(|child| Reverse(place(*child).duration()));
    open
}

/// Type and message of what a span's last exception says, or its attributes, or else its status message.
fn said(analysis: &Analysis, whole: &mut Whole<'_>, node: u32) -> String {
    let Some(span) = whole.span(analysis, node) else { return String::new() };
    let exception = span.events.iter().rev().find(|event| event.name == *"exception");
    let part = |key| exception.and_then(|event| text(&event.attributes, key)).or_else(|| text(&span.attributes, key));
    let kind = part("exception.type").or_else(|| text(&span.attributes, "error.type"));
    let message = part("exception.message").or_else(|| status_message(span));
    let said = match (kind, message) {
        (Some(kind), Some(message)) if message.starts_with(&kind) => message,
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (kind, message) => kind.or(message).unwrap_or_default(),
    };
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > LONGEST {
        return line.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    line
}

fn status_message(span: &Span) -> Option<String> {
    let message = span.status.message.lossy();
    (!message.trim().is_empty()).then(|| message.into_owned())
}

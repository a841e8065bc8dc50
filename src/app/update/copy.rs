//! What can be copied, and copying it. Secrets stay masked unless they are shown.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{list, say, warn};
use crate::analysis::RowKey;
use crate::app::plain;
use crate::app::{Basis, Cell, Copied, DetailFocus, Effect, MarkReason, Overlay, RowId, Screen, SpanDetail, State};
use crate::export::{Compared, rfc3339};
use crate::model::{Span, TraceId, lookup};
use crate::redact::Redactor;
use crate::semconv;

/// What a trace as Markdown is called.
const MARKDOWN: &str = "trace as Markdown";

/// Lists what can be copied here; copies it at once where it is only one thing.
pub(super) fn open(state: &mut State, out: &mut Vec<Effect>) {
    let items = items(state);
    match items.len() {
        0 => say(state, "nothing to copy here"),
        1 => {
            state.overlay = Some(Overlay::Copy(items));
            take(state, 0, out);
        }
        _ => state.overlay = Some(Overlay::Copy(items)),
    }
}

/// Copies the thing at `index` of the overlay.
pub(super) fn take(state: &mut State, index: usize, out: &mut Vec<Effect>) {
    let Some(Overlay::Copy(mut items)) = state.overlay.take() else { return };
    if index < items.len() {
        let Copied { what, text, markdown, .. } = items.swap_remove(index);
        out.push(match markdown {
            Some(trace) => {
                let mask = (!state.unmasked).then(|| Arc::clone(&state.settings));
                Effect::Markdown { trace, mask }
            }
            None => Effect::Copy { what, text },
        });
    }
}

/// It was copied, or not.
pub(super) fn copied(state: &mut State, result: Result<String, String>) {
    match result {
        Ok(what) => say(state, format!("copied: {what}")),
        Err(why) => warn(state, format!("not copied: {why}")),
    }
}

/// A trace was written as Markdown, or not.
pub(super) fn markdown(state: &mut State, text: Result<String, String>, out: &mut Vec<Effect>) {
    match text {
        Ok(text) => out.push(Effect::Copy { what: MARKDOWN.to_owned(), text }),
        Err(why) => warn(state, format!("not copied: {why}")),
    }
}

fn items(state: &State) -> Vec<Copied> {
    let mask = (!state.unmasked).then_some(&state.settings.redactor);
    match state.screen {
        Screen::Trace => of_trace(state, mask),
        Screen::Errors => of_error(state, mask),
        Screen::Services => of_service(state),
        Screen::Compare => of_comparison(state, mask),
        Screen::Sql if state.sql.selected().is_some() => of_sql(state, mask),
        Screen::Traces if list::selected(&state.list).is_some() => of_list(state, mask),
        _ => of_recipes(state),
    }
}

fn of_sql(state: &State, mask: Option<&Redactor>) -> Vec<Copied> {
    let Some(row) = state.sql.selected() else { return Vec::new() };
    let mut items = vec![item('s', "statement", plain::free(&row.text, mask))];
    if let Some(call) = state.sql.call() {
        items.push(item('t', "trace id", call.trace.to_string()));
        items.push(item('i', "span id", call.span.id.to_string()));
    }
    items
}

/// The comparison, and the row that is selected.
fn of_comparison(state: &State, mask: Option<&Redactor>) -> Vec<Copied> {
    let Some((report, ask)) =
        state.compare.report.as_ref().and_then(|report| report.ask.as_ref().map(|ask| (report, ask)))
    else {
        return Vec::new();
    };
    let mut items = Vec::new();
    match &state.compare.selected {
        Some(RowId::Operation(_, operation)) => items.push(item('o', "operation", plain::free(&operation.name, mask))),
        Some(RowId::Attribute(key, Some(value))) => {
            let value = plain::masked(key, value, mask);
            items.push(item('a', key, value.clone()));
            items.push(item('k', &format!("{key}=…"), format!("{key}={value}")));
        }
        _ => {}
    }
    let (what, names) = (compared(&ask.basis), ask.basis.names());
    let two = report.two.as_ref().map(|two| &two.pair);
    let told = Compared { what: &what, names, left_out: report.left_out, found: &report.found, two };
    items.push(item('m', "comparison as Markdown", told.markdown(mask)));
    items
}

/// What is compared with what, in words that hold elsewhere too.
fn compared(basis: &Basis) -> String {
    match basis {
        Basis::Marked(traces) if traces.len() == 2 => format!("{} and {}", traces[0], traces[1]),
        Basis::Marked(traces) => format!("{} marked traces and the rest", traces.len()),
        Basis::Within(within) => {
            let (from, to) = (rfc3339(within.from), rfc3339(within.to));
            let most = if within.most.0 == u64::MAX { "more".to_owned() } else { within.most.to_string() };
            format!("Traces from {from} to {to} of {} to {most}, and the rest", within.least)
        }
        Basis::Since(mark, _) => {
            let why = match &mark.reason {
                MarkReason::Person => String::new(),
                MarkReason::Restart(service) => format!(" (restart of {service})"),
                MarkReason::Version(service, version) => format!(" ({service} {version})"),
            };
            format!("After {}{why} and before", rfc3339(mark.at))
        }
        Basis::Filter(filter) => format!("{} and all else", filter.text),
    }
}

fn item(key: char, what: &str, text: impl Into<String>) -> Copied {
    Copied { key, what: what.to_owned(), text: text.into(), markdown: None }
}

fn as_markdown(trace: TraceId) -> Copied {
    let text = "verdict, tree, findings, statements, first error";
    Copied { markdown: Some(trace), ..item('m', MARKDOWN, text) }
}

fn of_list(state: &State, mask: Option<&Redactor>) -> Vec<Copied> {
    let Some(id) = state.list.selected else { return Vec::new() };
    let mut items = vec![item('t', "trace id", id.to_string()), as_markdown(id)];
    let page = state.list.page.iter().find(|page| page.row.trace == id);
    if let Some(summary) = page.and_then(|page| page.summary.as_ref()) {
        items.push(item('o', "operation", plain::free(&summary.root_label, mask)));
        items.push(item('n', "service name", summary.root_service.to_string()));
    }
    if !state.filter.text.is_empty() {
        items.push(item('f', "filter", state.filter.text.clone()));
    }
    items
}

/// What the selected error says, with its stack trace as sent, and where it happened.
fn of_error(state: &State, mask: Option<&Redactor>) -> Vec<Copied> {
    let Some((group, (_, example))) = state.errors.selected().zip(state.errors.chosen()) else { return Vec::new() };
    let told = state.errors.told.as_ref().filter(|told| told.example == *example);
    let detail = told.and_then(|told| told.detail.as_deref());
    let message = plain::free(detail.map_or(&*example.message, |detail| detail.message.as_str()), mask);
    let kind = plain::free(&group.key.kind, mask);
    let gap = if kind.is_empty() || message.is_empty() { "" } else { ": " };
    let head = format!("{kind}{gap}{message}");
    let stack = detail.map(|detail| plain::free(&detail.text, mask)).filter(|stack| !stack.is_empty());
    let whole = match &stack {
        // Most stack traces begin or end with type and message.
        Some(stack) if stack.contains(&*message) => stack.clone().into_owned(),
        Some(stack) => format!("{head}\n{stack}"),
        None => head.clone(),
    };
    let mut items = vec![item('x', "exception", whole), item('m', "message", head)];
    items.push(item('t', "trace id", example.trace.to_string()));
    items.extend(example.span.map(|span| item('i', "span id", span.id.to_string())));
    items.push(item('n', "service name", group.key.service.to_string()));
    items
}

fn of_service(state: &State) -> Vec<Copied> {
    let Some(row) = &state.services.table.selected else { return Vec::new() };
    let mut items = vec![item('n', "service name", row.service.to_string())];
    items.extend(row.operation.as_ref().map(|name| item('o', "operation", name.to_string())));
    items
}

/// The lines that let an application send here: all that set its environment together, and each by itself.
fn of_recipes(state: &State) -> Vec<Copied> {
    let recipes = &state.settings.recipes;
    let exports: Vec<&str> =
        recipes.iter().map(|(_, command)| command.as_str()).filter(|command| command.starts_with("export ")).collect();
    let mut items = Vec::new();
    if !exports.is_empty() {
        items.push(item('e', "environment lines", exports.join("\n")));
    }
    for (key, (language, command)) in ('1'..='9').zip(recipes) {
        items.push(item(key, &format!("{language} line"), command.clone()));
    }
    items
}

fn of_trace(state: &State, mask: Option<&Redactor>) -> Vec<Copied> {
    let Some(trace) = &state.trace else { return Vec::new() };
    let detail = trace.detail.span.as_deref();
    let mut items = Vec::new();
    if let Some(detail) = detail {
        if trace.detail.focus == DetailFocus::Detail {
            items.extend(of_cell(detail, trace.detail.cell, mask));
        }
        items.extend(statement(&detail.span, mask).map(|text| item('s', "statement", text)));
    }
    items.push(item('t', "trace id", trace.id.to_string()));
    items.push(as_markdown(trace.id));
    if let Some(RowKey::Span(key)) = trace.selected {
        items.push(item('i', "span id", key.id.to_string()));
    }
    if let Some(SpanDetail { span, .. }) = detail {
        items.push(item('n', "span name", plain::free(&span.name.lossy(), mask)));
        items.extend(exception(span, mask).map(|text| item('x', "exception", text)));
        if !span.attributes.is_empty() {
            items.push(item('A', "all attributes", plain::lines(&span.attributes, mask)));
        }
    }
    items
}

/// The statement of a database span.
fn statement(span: &Span, mask: Option<&Redactor>) -> Option<String> {
    let is_statement = |key: &str| semconv::is_statement_key(key);
    let found = span.attributes.iter().find(|attribute| is_statement(&attribute.key.lossy()))?;
    Some(plain::text(&found.key.lossy(), &found.value, mask))
}

/// Type, message and stack trace of the first exception.
fn exception(span: &Span, mask: Option<&Redactor>) -> Option<String> {
    let event = span.events.iter().find(|event| event.name == "exception")?;
    let part = |key| lookup(&event.attributes, key).map(|value| plain::text(key, value, mask)).unwrap_or_default();
    let mut text = part("exception.type");
    let message = part("exception.message");
    if !message.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{message}", if text.is_empty() { "" } else { ": " });
    }
    let stack = part("exception.stacktrace");
    if !stack.is_empty() {
        let _ = write!(text, "\n{stack}");
    }
    Some(text.trim_start().to_owned()).filter(|text| !text.is_empty())
}

fn of_cell(detail: &SpanDetail, cell: usize, mask: Option<&Redactor>) -> Vec<Copied> {
    let span = &detail.span;
    let attributes = match detail.cells.get(cell) {
        Some(Cell::Attribute(index)) => span.attributes.get(*index),
        Some(Cell::Resource(index)) => span.resource.attributes.get(*index),
        Some(Cell::Scope(index)) => span.scope.attributes.get(*index),
        Some(Cell::Event(index)) => {
            let event = span.events.get(*index);
            return event
                .map(|event| item('a', "event", lines_of(&event.name.lossy(), &event.attributes, mask)))
                .into_iter()
                .collect();
        }
        Some(Cell::Link(index)) => {
            let target = span.links.get(*index).and_then(crate::model::Link::target);
            return target.map(|(trace, _)| item('a', "linked trace id", trace.to_string())).into_iter().collect();
        }
        Some(Cell::Log(index)) => {
            let log = detail.logs.get(*index);
            return log
                .map(|log| item('a', "log record", lines_of(&plain::text("", &log.body, mask), &log.attributes, mask)))
                .into_iter()
                .collect();
        }
        Some(Cell::Statement) | None => None,
    };
    let Some(attribute) = attributes else { return Vec::new() };
    let key = attribute.key.lossy();
    let value = plain::text(&key, &attribute.value, mask);
    vec![item('a', &key, value.clone()), item('k', &format!("{key}=…"), format!("{key}={value}"))]
}

fn lines_of(head: &str, attributes: &[crate::model::Attribute], mask: Option<&Redactor>) -> String {
    let lines = plain::lines(attributes, mask);
    if lines.is_empty() { head.to_owned() } else { format!("{head}\n{lines}") }
}

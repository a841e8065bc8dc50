//! The filter language on one screen, with examples of what is held.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::look::Role;
use super::pen::{Pen, shown_value};
use super::text;
use crate::app::Samples;
use crate::query::{braced_value, key_text, parse, quote, value_text};

/// What is typed and what it finds; without the first it is a heading.
type Line<'a> = (Cow<'a, str>, &'static str);

fn lines<'a>(pen: &Pen<'_>, samples: &'a Samples) -> Vec<Line<'a>> {
    let service = value_text(samples.service.as_deref().unwrap_or("checkout"));
    let operation = samples.operation.as_deref().unwrap_or("GET /cart");
    let start: String = operation.chars().take_while(|letter| letter.is_alphanumeric()).collect();
    let start = if start.is_empty() { "GET".to_owned() } else { start };
    let shown = samples.pairs.iter().filter(|(key, value)| !shown_value(pen.state, key, value).1);
    let mut pairs = shown.map(|(key, value)| (key.as_str(), value.as_str()));
    let (key, value) = pairs.next().unwrap_or(("http.route", "/cart"));
    let pair = format!("{}={}", key_text(key), value_text(value));
    let (other, other_value) = pairs.next().unwrap_or(("http.request.method", "GET"));
    let other_pair = format!("{}={}", key_text(other), value_text(other_value));
    let braced = braced_pair(key, value);
    vec![
        ("".into(), "one span must have all of it"),
        (format!("service={service} error=true").into(), "equal; a space between two means and"),
        (pair.into(), "any attribute, by old or new name"),
        (format!("operation={}", value_text(operation)).into(), "the span's own name"),
        ("minDuration=200ms maxDuration=2s".into(), "how long it took; also duration>1s"),
        ("kind=server status=error".into(), "its kind, its status; also source="),
        ("http.status_code>=500".into(), "numbers: > >= < <=; != is not equal"),
        (format!("operation:{start}*").into(), "contains; * stands for anything"),
        (format!("operation=~\"{start}.*\"").into(), "a regular expression for all of it"),
        ("timeout \"connection refused\"".into(), "anywhere in the span's text"),
        (format!("-{other_pair}").into(), "not"),
        ("(error=true OR duration>1s)".into(), "one of them"),
        ("".into(), "other spans of its trace, and the trace itself"),
        (format!("root.service={service}").into(), "also parent. child. any. none."),
        ("traceDuration>1s lookback=15m".into(), "also since= until= limit=, or an id"),
        ("".into(), "TraceQL stands in braces"),
        (braced.into(), "also span. resource. event. link."),
        ("{ kind=server } >> { status=error }".into(), "below; > child  < parent  ~ sibling"),
        ("{ status=error } | count() > 2".into(), "also p95(duration), by(), select()"),
    ]
}

/// In no scope: that of the example may be the resource's, and is not told.
fn braced_pair(key: &str, value: &str) -> String {
    let value = braced_value(value);
    let plain = format!("{{ .{key} = {value} }}");
    if parse(&plain).is_ok() { plain } else { format!("{{ .{} = {value} }}", quote(key)) }
}

/// Draws it in place of the screen.
pub(super) fn draw(pen: &mut Pen<'_>, body: Rect, samples: &Samples) {
    pen.clear(body);
    let title = [
        ("the filter language".into(), pen.bold(Role::Text)),
        ("  examples from what is held · any key closes".into(), pen.style(Role::Dim)),
    ];
    pen.rule(Rect { height: 1, ..body }, true, &title, "");
    let lines = lines(pen, samples);
    let column = (body.width * 54 / 100).min(66);
    for (y, (example, what)) in (body.top() + 1..body.bottom()).zip(&lines) {
        if example.is_empty() {
            pen.put((body.x + 2, y), what, body.width.saturating_sub(3), pen.style(Role::Dim));
            continue;
        }
        let example = text::visible(example).into_owned();
        let example = text::cut_end(&example, usize::from(column.saturating_sub(5))).into_owned();
        pen.put((body.x + 4, y), &example, column, pen.style(Role::Key));
        let x = body.x + column;
        pen.put((x, y), what, body.right().saturating_sub(x + 1), pen.style(Role::Text));
    }
}

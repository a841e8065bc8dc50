//! Events, links, logs, what made the span, and its numbers.

use super::value::value_text;
use super::{Build, Line, bit, section};
use crate::model::{Attribute, LogRecord, Nanos, Timestamp, hex};
use crate::view::format;
use crate::view::look::Role;
use crate::view::pen::shown;
use crate::view::text;

impl Build<'_> {
    /// Events, links, logs, what made the span, and its numbers.
    pub(super) fn sections(&self) -> Vec<Line> {
        let span = self.span();
        let whole = self.widths.whole;
        let mut lines = section("events", self.events());
        lines.extend(section("links", self.links()));
        lines.extend(section("logs", self.logs()));
        let resource = self.attributes(&span.resource.attributes, &self.places.resource, whole);
        lines.extend(section("resource", resource));
        let mut scope = Vec::new();
        if !span.scope.name.is_empty() {
            let name = format!("{} {}", span.scope.name.lossy(), span.scope.version.lossy());
            scope.extend(self.wrapped(name.trim_end(), whole, Role::Text, None));
        }
        scope.extend(self.attributes(&span.scope.attributes, &self.places.scope, whole));
        lines.extend(section("scope", scope));
        lines.extend(section("span", self.numbers()));
        lines
    }

    fn after_start(&self, at: Timestamp) -> String {
        let start = self.span().start;
        if at < start { format!("-{}", start.since(at)) } else { format!("+{}", at.since(start)) }
    }

    fn events(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, event) in self.span().events.iter().enumerate() {
            let cell = self.places.events.get(index).copied().flatten();
            let exception = event.name == *"exception";
            let name = shown(self.state, &event.name.lossy()).into_owned();
            let time = format!("{:>9}  ", self.after_start(event.time));
            let role = if exception { Role::Error } else { Role::Text };
            lines.push(Line { bits: vec![bit(time, Role::Dim), bit(name, role)], cell });
            // An exception's own attributes stand at the top.
            let rest: Vec<Attribute> = event
                .attributes
                .iter()
                .filter(|own| !(exception && own.key.lossy().starts_with("exception.")))
                .cloned()
                .collect();
            let places = vec![cell; rest.len()];
            let inner = self.attributes(&rest, &places, self.widths.whole.saturating_sub(11));
            lines.extend(inner.into_iter().map(|line| indented(line, 11)));
            lines.extend(dropped(event.dropped_attributes, "attributes"));
        }
        lines.extend(dropped(self.span().dropped_events, "events"));
        lines
    }

    fn links(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, link) in self.span().links.iter().enumerate() {
            let cell = self.places.links.get(index).copied().flatten();
            let bits = if let Some((trace, span)) = link.target() {
                vec![bit("→ ", Role::Accent), bit(format!("trace {trace}  span {span}"), Role::Text)]
            } else {
                let (trace, span) = (id(&link.trace_id), id(&link.span_id));
                let ids = format!("trace {trace}  span {span}: no valid ids");
                vec![bit("✗ ", Role::Error), bit(ids, Role::Dim)]
            };
            lines.push(Line { bits, cell });
            if !link.trace_state.is_empty() {
                let state = format!("trace state {}", link.trace_state.lossy());
                let room = self.widths.whole.saturating_sub(4);
                lines.extend(self.wrapped(&state, room, Role::Dim, cell).into_iter().map(|line| indented(line, 4)));
            }
            let places = vec![cell; link.attributes.len()];
            let inner = self.attributes(&link.attributes, &places, self.widths.whole.saturating_sub(4));
            lines.extend(inner.into_iter().map(|line| indented(line, 4)));
            lines.extend(dropped(link.dropped_attributes, "attributes"));
        }
        lines.extend(dropped(self.span().dropped_links, "links"));
        lines
    }

    fn logs(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, log) in self.detail.logs.iter().enumerate() {
            let cell = self.places.logs.get(index).copied().flatten();
            let (severity, role) = severity(log);
            let time = format!("{:>9}  ", self.after_start(log.at()));
            let body = value_text(&log.body);
            let room = self.widths.whole.saturating_sub(19).max(8);
            let body = self.wrapped(&body, room, Role::Text, cell);
            for (at, mut line) in body.into_iter().enumerate() {
                let head = if at == 0 {
                    vec![bit(time.clone(), Role::Dim), bit(format!("{severity:<7} "), role)]
                } else {
                    vec![bit(" ".repeat(19), Role::Dim)]
                };
                line.bits.splice(0..0, head);
                lines.push(line);
            }
            let places = vec![cell; log.attributes.len()];
            let inner = self.attributes(&log.attributes, &places, self.widths.whole.saturating_sub(19));
            lines.extend(inner.into_iter().map(|line| indented(line, 19)));
        }
        lines
    }

    /// The time in the zone, and to the nanosecond as it was sent.
    fn moment(&self, at: Timestamp) -> String {
        format!("{}  ({} ns)", format::date_and_time(at, self.zone), at.0)
    }

    /// By how much the span's times are shifted on screen, where clocks run apart and are corrected.
    fn corrected_by(&self) -> Option<i64> {
        let open = self.state.trace.as_ref()?;
        let analysis = open.analysis.as_ref().filter(|analysis| analysis.adjusted)?;
        let key = self.span().key();
        let place = analysis.trace.spans.iter().position(|span| span.key == key)?;
        analysis.shifts.get(place).copied().filter(|shift| *shift != 0)
    }

    fn numbers(&self) -> Vec<Line> {
        let span = self.span();
        let mut pairs: Vec<(&str, String)> = vec![
            ("trace id", span.trace_id.to_string()),
            ("span id", span.span_id.to_string()),
            ("parent id", span.parent_id.map_or_else(|| "none".to_owned(), |id| id.to_string())),
        ];
        if let Some(odd) = &span.odd_parent {
            pairs.push(("odd parent", format!("{} is not a valid id", id(odd))));
        }
        let source = self.state.health.sources.get(usize::from(span.source.0));
        if let Some(source) = source {
            pairs.push(("source", text::visible(&source.name).into_owned()));
        }
        pairs.push(("kind", format!("{} ({})", span.kind.name(), span.kind.0)));
        pairs.push(("status", format!("{} ({})", span.status.code.name(), span.status.code.0)));
        if !span.status.message.is_empty() {
            pairs.push(("message", shown(self.state, &span.status.message.lossy()).into_owned()));
        }
        pairs.push(("flags", format!("{:#x}", span.flags)));
        if !span.trace_state.is_empty() {
            pairs.push(("trace state", shown(self.state, &span.trace_state.lossy()).into_owned()));
        }
        pairs.push(("start", self.moment(span.start)));
        pairs.push(("end", self.moment(span.end)));
        if let Some(shift) = self.corrected_by() {
            let moved = |at: Timestamp| Timestamp(at.0.saturating_add_signed(shift));
            pairs
                .push(("corrected", format!("{} to {}", self.moment(moved(span.start)), self.moment(moved(span.end)))));
        }
        if span.end < span.start {
            let before = Nanos(span.start.0 - span.end.0);
            pairs.push(("odd", format!("it ends {before} before it starts")));
        }
        if !span.resource.schema_url.is_empty() {
            pairs.push(("schema", span.resource.schema_url.lossy().into_owned()));
        }
        let mut lines: Vec<Line> = Vec::new();
        for (key, value) in pairs {
            let room = self.widths.whole.saturating_sub(13);
            for (at, line) in self.wrapped(&value, room, Role::Text, None).into_iter().enumerate() {
                let head = bit(format!("{:<13}", if at == 0 { key } else { "" }), Role::Key);
                lines.push(Line { bits: std::iter::once(head).chain(line.bits).collect(), cell: None });
            }
        }
        lines.extend(dropped(span.dropped_attributes, "attributes"));
        lines.extend(dropped(span.resource.dropped_attributes, "attributes of the resource"));
        lines
    }
}

fn dropped(count: u32, what: &str) -> Option<Line> {
    let text = format!("the sender dropped {count} {what}");
    (count > 0).then(|| Line { bits: vec![bit(text, Role::Slow)], cell: None })
}

fn indented(mut line: Line, by: usize) -> Line {
    line.bits.insert(0, bit(" ".repeat(by), Role::Dim));
    line
}

fn severity(log: &LogRecord) -> (String, Role) {
    let role = match log.severity {
        17.. => Role::Error,
        13..=16 => Role::Slow,
        1..=8 => Role::Dim,
        _ => Role::Text,
    };
    let name = match log.severity {
        21.. => "FATAL",
        17..=20 => "ERROR",
        13..=16 => "WARN",
        9..=12 => "INFO",
        5..=8 => "DEBUG",
        1..=4 => "TRACE",
        _ => "LOG",
    };
    let text = log.severity_text.lossy();
    let text = text::visible(&text);
    if text.is_empty() { (name.to_owned(), role) } else { (text::cut_end(&text, 7).to_uppercase(), role) }
}

/// An id as it came, which may be of any length.
fn id(bytes: &[u8]) -> String {
    hex(bytes.get(..32).unwrap_or(bytes))
}

//! What the detail pane says of a span, as one flow of lines: made for drawing, for measuring, and for the pointer.
//!
//! In: a span with its logs and formatted texts. Out: lines of pieces with roles. Must never know: colours, cells of a screen.

mod sections;
mod value;

use jiff::tz::TimeZone;
use value::{bounded, lines_visible, plain, value_text};

use super::look::Role;
use super::pen::{cells, shown, shown_value};
use super::text;
use crate::app::{Cell, Highlighted, Lines, SpanDetail, State, Token};
use crate::model::{Attribute, Span, StatusCode, Value, lookup};
use crate::semconv;

/// A piece of a line: its text, what it is, and whether it is bold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bit {
    pub(super) text: String,
    pub(super) role: Role,
    pub(super) bold: bool,
}

pub(super) type Bits = Vec<Bit>;

/// One line of one column, and the cell it belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) bits: Bits,
    pub(super) cell: Option<usize>,
}

/// The whole content: a block of two columns (the second may be empty), then lines over the whole width.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Flow {
    pub(super) left: Vec<Line>,
    pub(super) right: Vec<Line>,
    pub(super) below: Vec<Line>,
}

/// How wide the columns are. `right` is 0 where there is one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Widths {
    pub(super) left: u16,
    pub(super) right: u16,
    pub(super) whole: u16,
}

/// The columns of a pane of `width`. In a pane at the side there is one.
pub(super) fn widths(width: u16, side: bool) -> Widths {
    let whole = width.saturating_sub(3);
    if side || width < 64 {
        return Widths { left: whole, right: 0, whole };
    }
    let left = width * 42 / 100;
    Widths { left: left.saturating_sub(3), right: width.saturating_sub(left + 3), whole }
}

impl Flow {
    /// How many lines the block of two columns takes.
    pub(super) fn block(&self) -> usize {
        self.left.len().max(self.right.len())
    }

    /// How many lines there are in all.
    pub(super) fn len(&self) -> usize {
        self.block() + self.below.len()
    }

    /// Where each cell stands.
    pub(super) fn cells(&self, count: usize) -> Vec<Lines> {
        let mut places = vec![Lines::default(); count];
        let block = self.block();
        let below = self.below.iter().enumerate().map(|(at, line)| (at + block, line));
        let all = self.left.iter().enumerate().chain(self.right.iter().enumerate()).chain(below);
        for (at, line) in all {
            let Some(place) = line.cell.and_then(|cell| places.get_mut(cell)) else { continue };
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            if place.count == 0 {
                place.first = at;
            }
            // What is told of it a second time further down is not where the eye goes.
            if at <= place.first + place.count {
                place.count = at - place.first + 1;
            }
        }
        places
    }
}

pub(super) fn bit(text: impl Into<String>, role: Role) -> Bit {
    Bit { text: text.into(), role, bold: false }
}

pub(super) fn bold(text: impl Into<String>, role: Role) -> Bit {
    Bit { text: text.into(), role, bold: true }
}

/// Which number each selectable thing has, by kind and index.
struct Places {
    statement: Option<usize>,
    attributes: Vec<Option<usize>>,
    events: Vec<Option<usize>>,
    links: Vec<Option<usize>>,
    logs: Vec<Option<usize>>,
    resource: Vec<Option<usize>>,
    scope: Vec<Option<usize>>,
}

impl Places {
    fn of(detail: &SpanDetail) -> Self {
        let span = &detail.span;
        let none = |count: usize| vec![None; count];
        let mut places = Self {
            statement: None,
            attributes: none(span.attributes.len()),
            events: none(span.events.len()),
            links: none(span.links.len()),
            logs: none(detail.logs.len()),
            resource: none(span.resource.attributes.len()),
            scope: none(span.scope.attributes.len()),
        };
        for (number, cell) in detail.cells.iter().enumerate() {
            let place = match cell {
                Cell::Statement => Some(&mut places.statement),
                Cell::Attribute(index) => places.attributes.get_mut(*index),
                Cell::Event(index) => places.events.get_mut(*index),
                Cell::Link(index) => places.links.get_mut(*index),
                Cell::Log(index) => places.logs.get_mut(*index),
                Cell::Resource(index) => places.resource.get_mut(*index),
                Cell::Scope(index) => places.scope.get_mut(*index),
            };
            if let Some(place) = place {
                *place = Some(number);
            }
        }
        places
    }
}

/// The flow's builder.
struct Build<'a> {
    state: &'a State,
    detail: &'a SpanDetail,
    widths: Widths,
    zone: &'a TimeZone,
    places: Places,
}

/// The content of the pane; times are told in `zone`.
pub(super) fn flow(state: &State, detail: &SpanDetail, widths: Widths, zone: &TimeZone) -> Flow {
    let build = Build { state, detail, widths, zone, places: Places::of(detail) };
    let mut left = build.exceptions();
    left.extend(build.statement());
    left.extend(build.facts());
    let right_width = if widths.right == 0 { widths.whole } else { widths.right };
    let attributes = build.attributes(&detail.span.attributes, &build.places.attributes, right_width);
    let mut below = Vec::new();
    let mut flow = if widths.right == 0 {
        below.extend(section("attributes", attributes));
        Flow { left, ..Flow::default() }
    } else {
        Flow { left, right: attributes, below: Vec::new() }
    };
    below.extend(build.sections());
    flow.below = below;
    flow
}

/// Lines below a heading; nothing where there are none.
fn section(name: &str, lines: Vec<Line>) -> Vec<Line> {
    if lines.is_empty() {
        return lines;
    }
    let mut all = vec![Line::default(), Line { bits: vec![bit(name, Role::Dim)], cell: None }];
    all.extend(lines);
    all
}

impl Build<'_> {
    fn span(&self) -> &Span {
        &self.detail.span
    }

    /// Text over lines of at most `width` cells.
    fn wrapped(&self, text: &str, width: u16, role: Role, cell: Option<usize>) -> Vec<Line> {
        let (text, more) = bounded(text);
        let shown = shown(self.state, text);
        let mut lines: Vec<Line> = text::wrap(&lines_visible(&shown), usize::from(width.max(8)))
            .into_iter()
            .map(|part| Line { bits: vec![bit(part, role)], cell })
            .collect();
        if more > 0 {
            lines.push(Line { bits: vec![bit(format!("… {more} bytes more; copying takes all"), Role::Dim)], cell });
        }
        lines
    }

    /// What was thrown: type, message, stack trace.
    fn exceptions(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let width = self.widths.left;
        for (index, event) in self.span().events.iter().enumerate().filter(|(_, event)| event.name == *"exception") {
            let cell = self.places.events.get(index).copied().flatten();
            let of = |key: &str| lookup(&event.attributes, key).map(plain).unwrap_or_default();
            let (sort, message, stack) = (of("exception.type"), of("exception.message"), of("exception.stacktrace"));
            let sort = if sort.is_empty() { "exception".to_owned() } else { sort };
            let mut title = self.wrapped(&format!("✗ {sort}"), width, Role::Error, cell);
            title.iter_mut().flat_map(|line| &mut line.bits).for_each(|bit| bit.bold = true);
            lines.extend(title);
            if !message.is_empty() {
                lines.extend(self.wrapped(&message, width, Role::Text, cell));
            }
            if !stack.is_empty() {
                lines.push(Line { bits: Vec::new(), cell });
                lines.extend(self.wrapped(stack.trim_end(), width, Role::Dim, cell));
            }
            lines.push(Line::default());
        }
        lines
    }

    fn statement(&self) -> Vec<Line> {
        let cell = self.places.statement;
        let known = self.detail.highlighted.iter().find(|(key, _)| semconv::is_statement_key(key));
        let attribute = self.span().attributes.iter().rev().find(|own| semconv::is_statement_key(&own.key.lossy()));
        let mut lines = match (known, attribute) {
            (Some((key, highlighted)), _) if self.may_show(key, highlighted) => highlighted_lines(highlighted, 0, cell),
            (_, Some(attribute)) => {
                let key = attribute.key.lossy();
                let text = plain(&attribute.value);
                let (text, _) = shown_value(self.state, &key, &text);
                self.wrapped(&text, self.widths.left, Role::Text, cell)
            }
            _ => return Vec::new(),
        };
        lines.push(Line::default());
        lines
    }

    /// Whether formatted text may be shown as it is: where something in it must be masked and is not, the plain value is shown.
    fn may_show(&self, key: &str, highlighted: &Highlighted) -> bool {
        if self.state.unmasked {
            return true;
        }
        let text: String = highlighted.iter().flatten().map(|(_, text)| text.as_str()).collect::<Vec<_>>().concat();
        !shown_value(self.state, key, &text).1 || text.contains(crate::redact::MASK)
    }

    /// Where it ran and how it ended, in a few dim lines.
    fn facts(&self) -> Vec<Line> {
        let span = self.span();
        let width = self.widths.left;
        let mut lines = Vec::new();
        if span.status.code == StatusCode::ERROR && !span.status.message.is_empty() {
            lines.extend(self.wrapped(&format!("✗ {}", span.status.message.lossy()), width, Role::Error, None));
        }
        let of = |keys: &[&str]| {
            let value = keys.iter().find_map(|key| lookup(&span.attributes, key).map(|value| (*key, plain(value))));
            value
                .map(|(key, value)| shown_value(self.state, key, &value).0.into_owned())
                .filter(|value| !value.is_empty())
        };
        let host = of(&["server.address", "net.peer.name", "net.peer.ip"]);
        let port = of(&["server.port", "net.peer.port"]);
        let host = host.map(|host| match port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        });
        let database = [of(&["db.system.name", "db.system"]), of(&["db.namespace", "db.name"])];
        let mut place: Vec<String> = database.into_iter().flatten().collect();
        // An address by itself would not say whose it is.
        place.extend(host.map(|host| if place.is_empty() { format!("peer {host}") } else { host }));
        if !place.is_empty() {
            lines.extend(self.wrapped(&place.join(" · "), width, Role::Dim, None));
        }
        let name = span.name.lossy();
        // The name of many database spans is their statement, which stands above.
        let told = attributes_say(span, &name);
        let name = if told { String::new() } else { format!("{name} · ") };
        // Unset says nothing: neither success nor failure.
        let status = match span.status.code {
            StatusCode::UNSET => String::new(),
            code => format!(" · status {}", code.name()),
        };
        let kind = format!("{name}{}{status}", span.kind.name());
        lines.extend(self.wrapped(&kind, width, Role::Dim, None));
        lines
    }

    fn attributes(&self, attributes: &[Attribute], places: &[Option<usize>], width: u16) -> Vec<Line> {
        let widest = attributes.iter().map(|own| text::width(&text::visible(&own.key.lossy()))).max().unwrap_or(0);
        let key_width = cells(widest).min(width * 2 / 5).min(28);
        let mut lines = Vec::new();
        for (index, attribute) in attributes.iter().enumerate() {
            let cell = places.get(index).copied().flatten();
            lines.extend(self.attribute(attribute, cell, (key_width, width)));
        }
        lines
    }

    fn attribute(&self, attribute: &Attribute, cell: Option<usize>, (key_width, width): (u16, u16)) -> Vec<Line> {
        let key = attribute.key.lossy();
        let key_shown = shown(self.state, &key);
        let key_text = text::visible(&key_shown);
        let fits = text::width(&key_text) <= usize::from(key_width);
        let pad = usize::from(key_width).saturating_sub(text::width(&key_text)) + 2;
        let room = width.saturating_sub(key_width + 2).max(8);
        let highlighted = self.detail.highlighted.iter().find(|(own, _)| *own == *key);
        let json = highlighted
            .filter(|(own, lines)| !semconv::is_statement_key(own) && lines.len() > 1 && self.may_show(own, lines));
        if let Some((_, json)) = json {
            let mut lines = vec![Line { bits: vec![bit(key_text, Role::Key)], cell }];
            lines.extend(highlighted_lines(json, 2, cell));
            return lines;
        }
        let text = value_text(&attribute.value);
        let (start, more) = bounded(&text);
        let (value, masked) = shown_value(self.state, &key, start);
        let role = if masked || attribute.value == Value::Empty { Role::Dim } else { Role::Text };
        let mut values = text::wrap(&lines_visible(&value), usize::from(room));
        if masked
            && let Some(last) = values.last_mut()
            && last == crate::redact::MASK
        {
            last.push_str(" masked");
        }
        if more > 0 {
            values.push(format!("… {more} bytes more; copying takes all"));
        }
        let mut lines: Vec<Line> = Vec::new();
        if !fits {
            lines.push(Line { bits: vec![bit(key_text.as_ref(), Role::Key)], cell });
        }
        let blank = " ".repeat(usize::from(key_width) + 2);
        for (index, value) in values.into_iter().enumerate() {
            let head = if index == 0 && fits {
                bit(format!("{key_text}{}", " ".repeat(pad)), Role::Key)
            } else {
                bit(blank.clone(), Role::Key)
            };
            lines.push(Line { bits: vec![head, bit(value, role)], cell });
        }
        lines
    }
}

/// Whether an attribute already says what the name says.
fn attributes_say(span: &Span, name: &str) -> bool {
    span.attributes.iter().any(|own| matches!(&own.value, Value::Text(text) if *text == *name))
}

fn highlighted_lines(highlighted: &Highlighted, indent: usize, cell: Option<usize>) -> Vec<Line> {
    let line = |tokens: &Vec<(Token, String)>| {
        let mut bits = Vec::with_capacity(tokens.len() + 1);
        if indent > 0 {
            bits.push(bit(" ".repeat(indent), Role::Dim));
        }
        bits.extend(tokens.iter().map(|(token, text)| match token {
            Token::Keyword => bold(text.as_str(), Role::Keyword),
            token => bit(text.as_str(), role(*token)),
        }));
        Line { bits, cell }
    };
    highlighted.iter().map(line).collect()
}

pub(super) fn role(token: Token) -> Role {
    match token {
        Token::Plain => Role::Text,
        Token::Keyword => Role::Keyword,
        Token::Text => Role::String,
        Token::Number => Role::Number,
        Token::Comment => Role::Comment,
        Token::Operator => Role::Operator,
        Token::Name => Role::Name,
        Token::Parameter => Role::Parameter,
    }
}

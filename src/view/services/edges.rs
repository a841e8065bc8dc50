//! Who calls the selected service and whom it calls; or the map of all of them, as text.

use std::collections::HashSet;

use ratatui::layout::Rect;

use super::{place, share, told};
use crate::analysis::services::{Edge, Peer, Report};
use crate::app::State;
use crate::view::flow::{Bits, bit, bold};
use crate::view::format;
use crate::view::look::Role;
use crate::view::pen::{Pen, Piece, number, shown};
use crate::view::text;
use crate::view::trace::many;

/// Nodes that the map shows.
const MOST_NODES: usize = 15;

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let state = pen.state;
    let dim = pen.style(Role::Dim);
    let mut title: Vec<Piece<'_>> = Vec::new();
    if state.services.map {
        title.push(("map".into(), pen.bold(Role::Text)));
        title.push(("  M goes back to the selected service".into(), dim));
    } else if let Some(row) = &state.services.table.selected {
        let service = shown(state, &row.service).into_owned();
        title.push((service.into(), pen.bold(Role::Text)));
        title.push(("  who calls it, whom it calls".into(), dim));
    }
    let lines = lines(state, area.width);
    let rows = area.height - 1;
    let scroll = state.services.scroll.min(lines.len().saturating_sub(usize::from(rows)));
    pen.rule(area, false, &title, &place(scroll, rows, lines.len()));
    for (y, line) in (area.y + 1..area.bottom()).zip(lines.iter().skip(scroll)) {
        let mut x = area.x + 1;
        for bit in line {
            let style = if bit.bold { pen.bold(bit.role) } else { pen.style(bit.role) };
            x += pen.put((x, y), &bit.text, area.right().saturating_sub(x), style);
        }
    }
}

/// All lines of it, for a pane of `width`.
pub(super) fn lines(state: &State, width: u16) -> Vec<Bits> {
    let Some(report) = &state.services.report else { return Vec::new() };
    let columns = usize::from(width.saturating_sub(2));
    if state.services.map {
        let mut lines = map(state, report, columns);
        told::all(state, columns, &mut lines);
        return lines;
    }
    let Some(row) = &state.services.table.selected else { return Vec::new() };
    let (callers, callees) = state.services.edges(&row.service);
    let mut lines = vec![heads(columns)];
    section(state, ("← called by", &callers, |edge| &edge.from), columns, &mut lines);
    section(state, ("→ calls", &callees, |edge| &edge.to), columns, &mut lines);
    if report.pending > 0 {
        let waiting = format!("{} younger than 10 s without an answer yet", many(report.pending, "call"));
        lines.push(vec![bit(waiting, Role::Faint)]);
    }
    told::of_service(state, &row.service, columns, &mut lines);
    lines
}

/// Cells that the figures of an edge take, from its right end.
const FIGURES: usize = 8 + 8 + 10 + 10 + 20;
/// The same where there is little room.
const FEW: usize = 8 + 8 + 10 + 10;

pub(super) fn figures(columns: usize) -> usize {
    if columns >= FIGURES + 24 { FIGURES } else { FEW }
}

fn heads(columns: usize) -> Bits {
    let name = columns.saturating_sub(figures(columns));
    let mut line =
        vec![bit(format!("{:name$}{:>8}{:>8}{:>10}{:>10}", "", "calls", "err %", "p50", "p95"), Role::Faint)];
    if figures(columns) == FIGURES {
        line.push(bit(format!("{:>20}", "network p50 · p95"), Role::Faint));
    }
    line
}

type End = fn(&Edge) -> &Peer;

fn section(state: &State, (title, edges, end): (&str, &[&Edge], End), columns: usize, lines: &mut Vec<Bits>) {
    if edges.is_empty() {
        let nobody = if title.starts_with('←') { "nobody who sends spans" } else { "nobody" };
        return lines.push(vec![bit(format!("{title:<13}"), Role::Dim), bit(nobody, Role::Dim)]);
    }
    lines.push(vec![bit(title, Role::Dim)]);
    for edge in edges {
        lines.push(line(state, end(edge), edge, columns));
    }
}

fn line(state: &State, peer: &Peer, edge: &Edge, columns: usize) -> Bits {
    let room = columns.saturating_sub(figures(columns));
    let (mut line, used) = name(state, peer, room.saturating_sub(3));
    line.insert(0, bit("  ", Role::Text));
    line.push(bit(" ".repeat(room.saturating_sub(used + 2)), Role::Text));
    line.push(bit(format!("{:>8}", format::count(edge.calls)), Role::Text));
    let failed = if edge.failed == 0 { "0".to_owned() } else { format!("✗ {}", share(edge.failed, edge.calls)) };
    line.push(bit(format!("{failed:>8}"), if edge.failed == 0 { Role::Dim } else { Role::Error }));
    line.push(bit(format!("{:>10}{:>10}", edge.p50, edge.p95), Role::Text));
    if figures(columns) == FIGURES {
        let network = edge.network.map(|(_, p50, p95)| format!("{p50} · {p95}")).unwrap_or_default();
        line.push(bit(format!("{network:>20}"), Role::Dim));
    }
    line
}

/// A node's name and what it is, in at most `room` cells, and how many it took.
fn name(state: &State, peer: &Peer, room: usize) -> (Bits, usize) {
    let name = text::visible(&shown(state, peer.name())).into_owned();
    let what = if peer.what().is_empty() { String::new() } else { format!("  {}", peer.what()) };
    let what = if room >= text::width(&what) + 8 { what } else { String::new() };
    let name = text::cut_end(&name, room.saturating_sub(text::width(&what))).into_owned();
    let used = text::width(&name) + text::width(&what);
    let role = if matches!(peer, Peer::Silent(_)) { Role::Slow } else { Role::Dim };
    (vec![bit(name, Role::Text), bit(what, role)], used)
}

/// Who calls whom, from the services that nobody calls downwards. What was shown above is not shown again.
fn map(state: &State, report: &Report, columns: usize) -> Vec<Bits> {
    if report.edges.is_empty() {
        return vec![vec![bit("no service calls another, and none calls a database", Role::Dim)]];
    }
    let mut nodes: Vec<(&Peer, u64)> = Vec::new();
    for edge in &report.edges {
        for end in [&edge.from, &edge.to] {
            match nodes.iter_mut().find(|(node, _)| *node == end) {
                Some((_, calls)) => *calls += edge.calls,
                None => nodes.push((end, edge.calls)),
            }
        }
    }
    let all = nodes.len();
    nodes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    nodes.truncate(MOST_NODES);
    let shown: HashSet<&Peer> = nodes.iter().map(|(node, _)| *node).collect();
    let edges: Vec<&Edge> =
        report.edges.iter().filter(|edge| shown.contains(&edge.from) && shown.contains(&edge.to)).collect();
    let called = |node: &Peer| edges.iter().any(|edge| edge.to == *node && edge.from != *node);
    let mut drawing = Drawing { state, edges: &edges, seen: HashSet::new(), lines: Vec::new(), columns };
    // First those that nobody calls; what is left after that calls itself in a circle.
    for (node, _) in nodes.iter().filter(|(node, _)| !called(node)).chain(&nodes) {
        if !drawing.seen.contains(node) {
            drawing.root(node);
        }
    }
    let mut lines = drawing.lines;
    if all > MOST_NODES {
        lines.push(vec![bit(
            format!("without the {} with the fewest calls", many(number(all - MOST_NODES), "node")),
            Role::Faint,
        )]);
    }
    lines
}

struct Drawing<'a> {
    state: &'a State,
    edges: &'a [&'a Edge],
    seen: HashSet<&'a Peer>,
    lines: Vec<Bits>,
    columns: usize,
}

impl<'a> Drawing<'a> {
    fn root(&mut self, node: &'a Peer) {
        let (mut line, _) = name(self.state, node, self.columns);
        if let Some(first) = line.first_mut() {
            *first = bold(first.text.clone(), Role::Text);
        }
        self.lines.push(line);
        self.below(node, "");
    }

    /// The calls of a node. A map has at most [`MOST_NODES`] nodes, and each is gone into once: so deep it is at most.
    fn below(&mut self, node: &'a Peer, indent: &str) {
        self.seen.insert(node);
        let calls: Vec<&'a Edge> = self.edges.iter().copied().filter(|edge| edge.from == *node).collect();
        for (at, edge) in calls.iter().enumerate() {
            let last = at + 1 == calls.len();
            let seen = self.seen.contains(&edge.to);
            self.edge(edge, &format!("{indent}{}", if last { " └▸ " } else { " ├▸ " }), seen);
            if !seen {
                self.below(&edge.to, &format!("{indent}{}", if last { "    " } else { " │  " }));
            }
        }
    }

    fn edge(&mut self, edge: &'a Edge, guide: &str, seen: bool) {
        let mut tail = vec![bit(format!("  {}", format::count(edge.calls)), Role::Dim)];
        if edge.failed > 0 {
            tail.push(bit(format!("  ✗ {} %", share(edge.failed, edge.calls)), Role::Error));
        }
        tail.push(bit(format!("  p95 {}", edge.p95), Role::Dim));
        if let Some((_, _, p95)) = edge.network {
            tail.push(bit(format!("  network {p95}"), Role::Dim));
        }
        if seen {
            tail.push(bit("  (above)", Role::Faint));
        }
        let tail_width: usize = tail.iter().map(|bit| text::width(&bit.text)).sum();
        let room = self.columns.saturating_sub(text::width(guide) + tail_width).max(12);
        let (name, _) = name(self.state, &edge.to, room);
        let mut line = vec![bit(guide, Role::Faint)];
        line.extend(name);
        line.extend(tail);
        self.lines.push(line);
    }
}

//! Who calls whom as servers tell it: of their last day, not of the traces that the filter finds.

use super::edges::figures;
use crate::app::State;
use crate::model::{Dependency, SourceHealth};
use crate::view::flow::{Bits, bit};
use crate::view::format;
use crate::view::look::Role;
use crate::view::pen::{number, shown};
use crate::view::text;
use crate::view::trace::many;

/// Calls that are shown of each server.
const MOST: usize = 15;

/// Calls from and to a service, below what is held of it.
pub(super) fn of_service(state: &State, service: &str, columns: usize, lines: &mut Vec<Bits>) {
    let room = columns.saturating_sub(figures(columns));
    each(state, lines, |call| {
        let (arrow, other) = match (&*call.parent == service, &*call.child == service) {
            (true, _) => ("→ ", &call.child),
            (false, true) => ("← ", &call.parent),
            (false, false) => return None,
        };
        let other = name(state, other, room.saturating_sub(4));
        let gap = " ".repeat(room.saturating_sub(4 + text::width(&other)));
        let calls = format!("{:>8}", format::count(call.calls));
        Some(vec![bit(format!("  {arrow}"), Role::Dim), bit(other + &gap, Role::Text), bit(calls, Role::Text)])
    });
}

/// All calls, below the map.
pub(super) fn all(state: &State, columns: usize, lines: &mut Vec<Bits>) {
    each(state, lines, |call| {
        let calls = format!("  {}", format::count(call.calls));
        let room = columns.saturating_sub(text::width(&calls) + 5);
        let parent = name(state, &call.parent, room / 2);
        let child = name(state, &call.child, room.saturating_sub(text::width(&parent)));
        let [arrow, calls] = [bit(" → ", Role::Faint), bit(calls, Role::Dim)];
        Some(vec![bit(format!("  {parent}"), Role::Text), arrow, bit(child, Role::Text), calls])
    });
}

/// A section for each server that tells of calls of which `line` makes lines, the busiest first.
fn each(state: &State, lines: &mut Vec<Bits>, line: impl Fn(&Dependency) -> Option<Bits>) {
    for SourceHealth { name: source, names, .. } in &state.health.sources {
        let mut calls: Vec<&Dependency> = names.dependencies.iter().collect();
        calls.sort_by(|one, other| other.calls.cmp(&one.calls).then_with(|| one.cmp(other)));
        let told: Vec<Bits> = calls.into_iter().filter_map(&line).collect();
        if told.is_empty() {
            continue;
        }
        let source = name(state, source, 30);
        lines.push(vec![bit(source, Role::Accent), bit(" says, of all calls of its last day", Role::Dim)]);
        let left_out = told.len().saturating_sub(MOST);
        lines.extend(told.into_iter().take(MOST));
        if left_out > 0 {
            let words = format!("  and {} with fewer", many(number(left_out), "call"));
            lines.push(vec![bit(words, Role::Faint)]);
        }
    }
}

fn name(state: &State, name: &str, room: usize) -> String {
    text::cut_end(&text::visible(&shown(state, name)), room).into_owned()
}

//! A comparison as Markdown, for a ticket: what was compared with what, how long it took, what differs.

use std::fmt::Write as _;

use super::markdown::Page;
use crate::analysis::compare::{Comparison, Difference, DifferenceKind, OperationRow, Pair, SIGNIFICANT, SMALL, Side};
use crate::analysis::figures::count;
use crate::model::Nanos;
use crate::redact::Redactor;

/// Rows of a table; a person reads no more.
const ROWS: usize = 25;
/// Rows of two traces side by side.
const PLACES: usize = 200;

/// A comparison and what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// What is compared with what, in words.
    pub what: &'a str,
    /// The names of selection and baseline.
    pub names: [&'a str; 2],
    /// Of either, the traces that are not in it for want of room.
    pub left_out: [u64; 2],
    /// What was found.
    pub found: &'a Comparison,
    /// Two traces side by side, the earlier first; then nothing was found besides.
    pub two: Option<&'a Pair>,
}

impl Compared<'_> {
    /// As Markdown; `redactor` masks secrets.
    #[must_use]
    pub fn markdown(&self, redactor: Option<&Redactor>) -> String {
        let mut page = Page { out: String::new(), redactor };
        let what = page.cell(self.what);
        let _ = writeln!(page.out, "## {what}\n");
        if let Some(pair) = self.two {
            places(&mut page, pair);
            return page.out;
        }
        let Some(chosen) = self.found.chosen() else {
            page.out.push_str("Nothing on one side.\n");
            return page.out;
        };
        self.sides(&mut page, chosen);
        self.operations(&mut page, &self.found.operations);
        self.statements(&mut page);
        self.attributes(&mut page);
        page.out
    }

    fn sides(&self, page: &mut Page<'_>, chosen: &OperationRow) {
        let (service, name) = (page.cell(&chosen.operation.service), page.cell(&chosen.operation.name));
        let _ = writeln!(page.out, "Requests: {service} {name}\n");
        page.out.push_str("| side | traces | p50 | p95 | p95 lies in | p99 |\n|---|---:|---:|---:|---|---:|\n");
        for ((name, left), side) in self.names.iter().zip(self.left_out).zip([chosen.selection, chosen.baseline]) {
            let few = if side.n < SMALL { " (few)" } else { "" };
            let part = if left > 0 { format!(" (without the oldest {})", count(left)) } else { String::new() };
            let (n, within) = (count(side.n), within(side));
            let Side { p50, p95, p99, .. } = side;
            let _ = writeln!(page.out, "| {name}{few}{part} | {n} | {p50} | {p95} | {within} | {p99} |");
        }
        page.out.push('\n');
    }

    /// How each operation changed, from the baseline to the selection.
    fn operations(&self, page: &mut Page<'_>, rows: &[OperationRow]) {
        if rows.is_empty() {
            return;
        }
        let [selection, baseline] = self.names;
        let _ = writeln!(
            page.out,
            "| operation ({baseline} → {selection}) | n | calls a trace | p50 | p95 | p99 | ratio |"
        );
        page.out.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
        for row in rows.iter().take(ROWS) {
            let name = page.cell(&row.operation.name);
            let (from, to) = (row.baseline, row.selection);
            let n = way(count(from.n), &count(to.n));
            let calls = way(format!("{:.1}", from.calls()), &format!("{:.1}", to.calls()));
            let figure = |side: Side, figure: Nanos| if side.n == 0 { "–".to_owned() } else { figure.to_string() };
            let [p50, p95, p99] = [[from.p50, to.p50], [from.p95, to.p95], [from.p99, to.p99]]
                .map(|[one, other]| way(figure(from, one), &figure(to, other)));
            let ratio = match row.ratio() {
                _ if row.is_new() => "new".to_owned(),
                _ if row.is_gone() => "gone".to_owned(),
                Some(ratio) => format!("×{ratio:.2}"),
                None => String::new(),
            };
            let few = if row.is_small() { " (few)" } else { "" };
            let _ = writeln!(page.out, "| {name} | {n}{few} | {calls} | {p50} | {p95} | {p99} | {ratio} |");
        }
        page.out.push('\n');
        page.more(rows.len() + self.found.more_operations, ROWS, "operations");
    }

    fn statements(&self, page: &mut Page<'_>) {
        let rows: Vec<&OperationRow> = self.found.statements().collect();
        for row in rows.iter().take(ROWS) {
            let side = if row.is_new() { self.names[0] } else { self.names[1] };
            let (text, n) = (page.cell(&row.operation.name), count(row.selection.n.max(row.baseline.n)));
            let _ = writeln!(page.out, "- statement only {side}, {n} times: {text}");
        }
        if !rows.is_empty() {
            page.out.push('\n');
        }
        page.more(rows.len(), ROWS, "statements of one side");
    }

    fn attributes(&self, page: &mut Page<'_>) {
        let rows = &self.found.differences.rows;
        let told: Vec<&Difference> = rows.iter().filter(|row| row.is_significant()).collect();
        if told.is_empty() {
            let _ = writeln!(page.out, "No attribute differs beyond chance (corrected p < {SIGNIFICANT}).");
            return;
        }
        let [selection, baseline] = self.names;
        let _ = writeln!(
            page.out,
            "| attribute | {selection} | {baseline} | difference | p (corrected) |\n|---|---:|---:|---:|---:|"
        );
        for row in told.iter().take(ROWS) {
            let p = if row.corrected < 1e-9 { "<1e-9".to_owned() } else { format!("{:.1e}", row.corrected) };
            let key = page.cell(&row.key);
            let [one, other] = row.traces.map(count);
            let _ = match &row.kind {
                DifferenceKind::Value { value, counts } => {
                    let value = page.value(&row.key, value);
                    let [one_with, other_with] = counts.map(count);
                    let points = row.size() * 100.0;
                    writeln!(
                        page.out,
                        "| {key}={value} | {one_with}/{one} | {other_with}/{other} | {points:+.0} points | {p} |"
                    )
                }
                DifferenceKind::Quantity { medians: [here, there], distance } => {
                    writeln!(page.out, "| {key} | ~{here} of {one} | ~{there} of {other} | D {distance:+.2} | {p} |")
                }
            };
        }
        page.out.push('\n');
        page.more(told.len(), ROWS, "attributes");
    }
}

/// Both figures, or the one that they are.
fn way(from: String, to: &str) -> String {
    if from == to { from } else { format!("{from} → {to}") }
}

fn within(side: Side) -> String {
    match side.p95_within {
        Some((from, Some(to))) => format!("{from} to {to}"),
        Some((from, None)) => format!("{from} or more"),
        None => String::new(),
    }
}

/// Two traces as one tree.
fn places(page: &mut Page<'_>, pair: &Pair) {
    let [earlier, later] = pair.durations;
    let _ = writeln!(page.out, "| span | earlier | later | change |\n|---|---:|---:|---:|");
    let _ = writeln!(
        page.out,
        "| the trace | {earlier} | {later} | {} |",
        change(Some(i128::from(later.0) - i128::from(earlier.0)), true)
    );
    for row in pair.rows.iter().take(PLACES) {
        let indent = "· ".repeat(row.depth.min(12) as usize);
        let name = if row.operation.name.is_empty() {
            "(a span that is not held)".to_owned()
        } else {
            page.cell(&row.operation.name)
        };
        let [one, other] = row.strands.map(|strand| match strand {
            Some(strand) if strand.count > 1 => format!("{} in {}", strand.sum, count(u64::from(strand.count))),
            Some(strand) => strand.sum.to_string(),
            None => "–".to_owned(),
        });
        let change = change(row.change(), row.strands[0].is_some());
        let _ = writeln!(page.out, "| {indent}{name} | {one} | {other} | {change} |");
    }
    page.out.push('\n');
    page.more(pair.rows.len(), PLACES, "spans");
}

fn change(change: Option<i128>, earlier: bool) -> String {
    match change {
        None if earlier => "gone".to_owned(),
        None => "new".to_owned(),
        Some(0) => "=".to_owned(),
        Some(change) => {
            let size = Nanos(u64::try_from(change.unsigned_abs()).unwrap_or(u64::MAX));
            format!("{}{size}", if change > 0 { '+' } else { '-' })
        }
    }
}

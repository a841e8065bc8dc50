//! A report: what a set of traces has to say, for scripts and for tickets.
//!
//! The names of the fields are a promise (README, "Without a screen"): fields are added, never renamed. Lengths of time are in
//! nanoseconds, times RFC 3339 in UTC, shares 0 to 1.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::json;
use super::markdown;
use crate::model::Nanos;
use crate::redact::Redactor;

/// What is said of a set of traces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Traces it is about.
    pub traces: u64,
    /// Distinct spans in them.
    pub spans: u64,
    /// Traces that match and are not in it, for want of room: the oldest.
    pub left_out: u64,
    /// What stands out, the worst first.
    pub findings: Vec<Finding>,
    /// Normalised statements, those that took most time first.
    pub statements: Vec<Statement>,
    /// Groups of errors, the most frequent first.
    pub errors: Vec<Failure>,
    /// Operations of services by their entry spans, the busiest first.
    pub services: Vec<Operation>,
}

/// Something that stands out; the same in several traces is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule: `nplus1`, `slow-sql` …
    pub rule: String,
    /// `error`, `warn` or `info`.
    pub severity: String,
    /// What it is about: a statement, an operation.
    pub what: String,
    /// Why, in one line.
    pub why: String,
    /// How often it was found: once in each trace that has it.
    pub count: u64,
    /// In how many traces.
    pub traces: u64,
    /// How many spans prove it.
    pub spans: u64,
    /// What it costs, where it costs time.
    pub cost_ns: u64,
    /// Where to look.
    pub examples: Vec<Place>,
}

/// A span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its trace, in hex.
    pub trace_id: String,
    /// Its id, in hex.
    pub span_id: String,
}

/// A normalised statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The database: `postgresql`, `redis` …; empty where no span says.
    pub system: String,
    /// The statement without its values.
    pub statement: String,
    /// Calls.
    pub calls: u64,
    /// Traces with calls.
    pub traces: u64,
    /// The sum of their durations.
    pub total_ns: u64,
    /// Half of the calls took at most this long.
    pub p50_ns: u64,
    /// 95 of 100 calls took at most this long.
    pub p95_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// Calls that failed.
    pub errors: u64,
}

/// A group of errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The type of exception or error; empty where no span says.
    pub r#type: String,
    /// The message without its values.
    pub message: String,
    /// The service and operation where it began.
    pub origin: String,
    /// How often.
    pub count: u64,
    /// In how many traces.
    pub traces: u64,
    /// The services it was seen in.
    pub services: Vec<String>,
    /// When first.
    pub first_seen: String,
    /// When last.
    pub last_seen: String,
    /// Where to look.
    pub examples: Vec<Place>,
}

/// An operation of a service, by its entry spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Entry spans.
    pub calls: u64,
    /// Of those, how many failed.
    pub errors: u64,
    /// Half took at most this long.
    pub p50_ns: u64,
    /// 95 of 100 took at most this long.
    pub p95_ns: u64,
    /// 99 of 100 took at most this long.
    pub p99_ns: u64,
}

impl Report {
    /// Without secrets.
    #[must_use]
    pub fn masked(mut self, redactor: &Redactor) -> Self {
        let mask = |text: &mut String| {
            let masked = redactor.text(text).into_owned();
            *text = masked;
        };
        for finding in &mut self.findings {
            mask(&mut finding.what);
            mask(&mut finding.why);
        }
        self.statements.iter_mut().for_each(|statement| mask(&mut statement.statement));
        for failure in &mut self.errors {
            mask(&mut failure.message);
            mask(&mut failure.origin);
        }
        self.services.iter_mut().for_each(|service| mask(&mut service.operation));
        self
    }

    /// As one object of JSON, on one line.
    #[must_use]
    pub fn json(&self) -> String {
        json::line(self)
    }

    /// As Markdown, for a ticket.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {} traces, {} spans\n", self.traces, self.spans);
        if self.left_out > 0 {
            let _ = writeln!(out, "\nWithout the oldest {} traces.", self.left_out);
        }
        self.findings_as_markdown(&mut out);
        self.statements_as_markdown(&mut out);
        self.errors_as_markdown(&mut out);
        self.services_as_markdown(&mut out);
        out
    }

    fn findings_as_markdown(&self, out: &mut String) {
        out.push_str("\n## Findings\n\n");
        if self.findings.is_empty() {
            out.push_str("None.\n");
        }
        for finding in &self.findings {
            let Finding { severity, rule, why, traces, .. } = finding;
            let _ = write!(out, "- **{severity}** `{rule}`: {}", cell(why));
            if *traces > 1 {
                let _ = write!(out, " (in {traces} traces)");
            }
            if let Some(Place { trace_id, span_id }) = finding.examples.first() {
                // A parent that is not held has no span.
                let of = if span_id.is_empty() { String::new() } else { format!("span `{span_id}` of ") };
                let _ = write!(out, "; see {of}trace `{trace_id}`");
            }
            out.push('\n');
        }
    }

    fn statements_as_markdown(&self, out: &mut String) {
        out.push_str("\n## Statements\n\n");
        if self.statements.is_empty() {
            return out.push_str("No call to a database.\n");
        }
        out.push_str("| statement | system | calls | traces | total | p50 | p95 | max | errors |\n");
        out.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
        for one in &self.statements {
            let [total, p50, p95, max] = [one.total_ns, one.p50_ns, one.p95_ns, one.max_ns].map(Nanos);
            let (statement, system) = (cell(&one.statement), cell(&one.system));
            let (calls, traces, errors) = (one.calls, one.traces, one.errors);
            let _ = writeln!(
                out,
                "| {statement} | {system} | {calls} | {traces} | {total} | {p50} | {p95} | {max} | {errors} |"
            );
        }
    }

    fn errors_as_markdown(&self, out: &mut String) {
        out.push_str("\n## Errors\n\n");
        if self.errors.is_empty() {
            return out.push_str("None.\n");
        }
        out.push_str("| error | message | where | count | traces | first seen | last seen |\n");
        out.push_str("|---|---|---|---:|---:|---|---|\n");
        for one in &self.errors {
            let [kind, message, origin] = [&one.r#type, &one.message, &one.origin].map(|text| cell(text));
            let Failure { count, traces, first_seen, last_seen, .. } = one;
            let _ =
                writeln!(out, "| {kind} | {message} | {origin} | {count} | {traces} | {first_seen} | {last_seen} |");
        }
    }

    fn services_as_markdown(&self, out: &mut String) {
        out.push_str("\n## Services\n\n");
        if self.services.is_empty() {
            return out.push_str("No entry span.\n");
        }
        out.push_str(
            "| service | operation | calls | errors | p50 | p95 | p99 |\n|---|---|---:|---:|---:|---:|---:|\n",
        );
        for one in &self.services {
            let [p50, p95, p99] = [one.p50_ns, one.p95_ns, one.p99_ns].map(Nanos);
            let (service, operation, calls, errors) = (cell(&one.service), cell(&one.operation), one.calls, one.errors);
            let _ = writeln!(out, "| {service} | {operation} | {calls} | {errors} | {p50} | {p95} | {p99} |");
        }
    }
}

/// Letters of a text in a table.
const LETTERS: usize = 400;

/// Text that means nothing to Markdown, on one line and of a length that a table bears.
fn cell(text: &str) -> String {
    let words =
        text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let mut kept: String = line.chars().take(LETTERS).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    markdown::escaped(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_breaks_neither_table_nor_code() {
        let statement = "SELECT `a|b`\nFROM t\u{1b}[31m";
        let report = Report {
            statements: vec![Statement { statement: statement.into(), ..Statement::default() }],
            errors: vec![Failure { message: "a|b\n# no heading".into(), ..Failure::default() }],
            ..Report::default()
        };
        let text = report.markdown();
        assert!(!text.contains('\u{1b}'));
        for line in text.lines().filter(|line| line.contains("SELECT") || line.contains("heading")) {
            assert!(line.starts_with('|') && line.ends_with('|'), "{line}");
            let bars = line.replace("\\|", "").matches('|').count();
            assert!(bars == 10 || bars == 8, "{line}");
        }
    }
}

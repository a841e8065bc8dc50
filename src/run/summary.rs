//! What arrived, in all, and what became of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::analysis;
use crate::analysis::Thresholds;
use crate::index::View;
use crate::model::SourceHealth;
use crate::view::visible;

/// What arrived since the start.
#[derive(Serialize)]
pub(super) struct Summary {
    services: BTreeMap<String, Service>,
    rejected: BTreeMap<&'static str, u64>,
    held: Count,
    evicted: Count,
    duplicates: u64,
}

#[derive(Default, Serialize)]
struct Service {
    spans: u64,
    traces: u64,
    errors: u64,
    slow_sql: u64,
    logs: u64,
    metrics: u64,
}

#[derive(Serialize)]
struct Count {
    spans: u64,
    traces: u64,
}

impl Summary {
    pub(super) fn of(view: &View, sources: &[SourceHealth], thresholds: &Thresholds) -> Self {
        let stats = view.stats();
        let mut services: BTreeMap<String, Service> = stats
            .services
            .iter()
            .map(|(name, known)| {
                let service = Service {
                    spans: known.spans,
                    traces: known.traces,
                    errors: known.errors,
                    slow_sql: known.slow_sql,
                    logs: known.logs,
                    metrics: known.metrics,
                };
                (name.to_owned(), service)
            })
            .collect();
        for (name, count) in slow_by_share(view, thresholds) {
            services.entry(name).or_default().slow_sql += count;
        }
        let mut rejected = BTreeMap::new();
        for (reason, count) in sources.iter().flat_map(|source| &source.rejected) {
            *rejected.entry(reason.name()).or_default() += count;
        }
        Self {
            services,
            rejected,
            held: Count { spans: stats.spans, traces: stats.traces },
            evicted: Count { spans: stats.spans_evicted, traces: stats.traces_evicted },
            duplicates: stats.duplicates,
        }
    }
}

/// Database spans that are slow only by their share of their trace, per service. Whether they are is not known before the trace
/// is whole, so they are counted here, over what is held.
fn slow_by_share(view: &View, thresholds: &Thresholds) -> BTreeMap<String, u64> {
    let mut slow = BTreeMap::new();
    for id in view.traces() {
        let Some(summary) = view.figures(id) else { continue };
        let longest = summary.badges.longest_db.as_ref().map(|(longest, _)| *longest);
        if longest.is_none_or(|longest| longest < thresholds.slow_sql_floor) {
            continue;
        }
        let Some(trace) = view.trace(id) else { continue };
        let whole = summary.duration();
        for span in &trace.spans {
            let judged = analysis::slow_sql::judge(thresholds, span.category, span.duration(), whole);
            if judged == Some(analysis::slow_sql::Slow::Share) {
                *slow.entry(span.service.to_string()).or_default() += 1;
            }
        }
    }
    slow
}

impl Summary {
    /// Writes it to a file, as one line of JSON.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        fs::write(file, format!("{}\n", serde_json::to_string(self)?))
    }

    /// Prints it, as one line of JSON or for a person.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
            return out.flush();
        }
        if self.services.is_empty() {
            writeln!(out, "nothing arrived")?;
        }
        for (name, service) in &self.services {
            let Service { spans, traces, errors, slow_sql, logs, metrics } = service;
            let name = visible(name);
            writeln!(
                out,
                "{name}: {} in {}, {}, {slow_sql} slow SQL, {}, {}",
                many(*spans, "span"),
                many(*traces, "trace"),
                many(*errors, "error"),
                many(*logs, "log"),
                many(*metrics, "metric"),
            )?;
        }
        for (reason, count) in &self.rejected {
            writeln!(out, "rejected {count}: {reason}")?;
        }
        if self.evicted.spans > 0 {
            writeln!(out, "evicted {} spans in {} traces", self.evicted.spans, self.evicted.traces)?;
        }
        out.flush()
    }
}

/// `1 span`, `7 spans`.
fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

//! `tracefall listen`: the same doors without a screen.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::signals::Signals;
use super::wiring::{self, Wiring};
use super::{clock, log};
use crate::analysis::slow_sql::Thresholds;
use crate::analysis::{self, Note};
use crate::config::Settings;
use crate::index::View;
use crate::model::{DoorState, Nanos, SourceHealth, Timestamp, TraceId, TraceSummary};
use crate::redact::Redactor;
use crate::source::Source as _;

/// A trace that gained no span for this long is told.
const QUIET: Nanos = Nanos::from_millis(1_500);
/// Characters of a name or statement that are shown.
const LONGEST: usize = 80;

/// Receives until `duration` is over, or Ctrl-C or SIGTERM; then prints what arrived.
pub(super) fn listen(settings: &Settings, duration: Option<Nanos>, json: bool) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    log::start();
    runtime.block_on(async {
        let Wiring { indexer, receiver, feed, board } =
            wiring::wire(settings, settings.grpc.clone(), settings.http.clone())?;
        let mut signals = Signals::new()?;
        announce(&board.sources(clock::now()), settings.exposure().as_deref());
        let receiving = tokio::spawn(receiver.run(feed));
        let redactor = wiring::redactor(settings)?;
        let mut teller =
            Teller { told: HashMap::new(), thresholds: wiring::thresholds(settings), redactor, revision: 0 };
        let over = tokio::time::sleep(Duration::from_nanos(duration.map_or(u64::MAX / 4, |duration| duration.0)));
        tokio::pin!(over);
        let mut look_up = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                _ = signals.next() => break,
                () = &mut over => break,
                _ = look_up.tick(), if !json => teller.tell(&indexer.reader.view(), Some(clock::now()))?,
            }
        }
        receiving.abort();
        let _ = receiving.await;
        let reader = indexer.reader.clone();
        // Everything that was acknowledged is in the index once the thread has ended.
        tokio::task::spawn_blocking(move || indexer.thread.join()).await.ok();
        let view = reader.view();
        if !json {
            teller.tell(&view, None)?;
        }
        let summary = Summary::of(&view, &board.sources(clock::now()), &wiring::thresholds(settings));
        print(&summary, json)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Says on standard error where it listens, for people and for scripts that asked for port 0.
fn announce(sources: &[SourceHealth], warning: Option<&str>) {
    let mut err = io::stderr();
    for source in sources {
        for door in &source.doors {
            let line = match &door.state {
                DoorState::Open => format!("listening {} {}", source.name, door.address),
                DoorState::Opening => continue,
                DoorState::Busy { holder, .. } => {
                    let holder = holder.as_ref().map_or_else(String::new, |holder| format!(" by {holder}"));
                    format!("{} {} is taken{holder}; it is tried again", source.name, door.address)
                }
                DoorState::Failed { error } => format!("{} {} cannot be had: {error}", source.name, door.address),
            };
            let _ = writeln!(err, "{line}");
        }
    }
    if let Some(warning) = warning {
        let _ = writeln!(err, "warning: {warning}");
    }
}

/// Prints a line for each trace once it has gone quiet, and again when it has grown since.
struct Teller {
    told: HashMap<TraceId, u32>,
    thresholds: Thresholds,
    redactor: Redactor,
    revision: u64,
}

impl Teller {
    /// With a time: only traces that have gone quiet; without one: all that are left.
    fn tell(&mut self, view: &View, now: Option<Timestamp>) -> Result<()> {
        let mut out = io::stdout().lock();
        let mut waiting = false;
        let changed = view.changed_since(self.revision).unwrap_or_else(|| view.traces().collect());
        for id in changed {
            let Some(summary) = view.summary(id) else { continue };
            if now.is_some_and(|now| now.since(summary.last_arrival) < QUIET) {
                waiting = true;
            } else if self.told.insert(id, summary.spans) != Some(summary.spans) {
                writeln!(out, "{}", self.line(&summary))?;
            }
        }
        if !waiting {
            self.revision = view.revision();
            self.told.retain(|id, _| view.summary(*id).is_some());
        }
        out.flush()?;
        Ok(())
    }

    fn line(&self, summary: &TraceSummary) -> String {
        let notes = analysis::notes(summary, &self.thresholds);
        let notes: String = notes.iter().map(|note| format!("  {}", self.note(note))).collect();
        format!(
            "{}  {:>9}  {}  {}  {} spans{notes}",
            summary.id,
            summary.duration(),
            self.shown(&summary.root_service),
            self.shown(&summary.root_label),
            summary.spans,
        )
    }

    fn note(&self, note: &Note) -> String {
        match note {
            Note::Error { count, text } => {
                format!("✗ {count} errors {}", text.as_ref().map_or_else(String::new, |text| self.shown(text)))
            }
            Note::SlowSql { duration, label, .. } => format!("▲ SQL {duration} {}", self.shown(label)),
            Note::Repeated { count, label } => format!("≡ ×{count} {}", self.shown(label)),
        }
    }

    /// Without secrets and without control characters: neither reaches the terminal. Long text loses its end.
    fn shown(&self, text: &str) -> String {
        let masked = self.redactor.text(text);
        let visible = masked.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
        visible.take(LONGEST).collect()
    }
}

/// What arrived since the start.
#[derive(Serialize)]
struct Summary {
    services: BTreeMap<String, Service>,
    rejected: BTreeMap<&'static str, u64>,
    evicted: Evicted,
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
struct Evicted {
    spans: u64,
    traces: u64,
}

impl Summary {
    fn of(view: &View, sources: &[SourceHealth], thresholds: &Thresholds) -> Self {
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
                (name.clone(), service)
            })
            .collect();
        for (name, count) in slow_by_share(view, thresholds) {
            services.entry(name).or_default().slow_sql += count;
        }
        let mut rejected = BTreeMap::new();
        for (reason, count) in sources.iter().flat_map(|source| &source.rejected) {
            *rejected.entry(reason.name()).or_default() += count;
        }
        Self { services, rejected, evicted: Evicted { spans: stats.spans_evicted, traces: stats.traces_evicted } }
    }
}

/// Database spans that are slow only by their share of their trace, per service. Whether they are is not known before the trace
/// is whole, so they are counted here, over what is held.
fn slow_by_share(view: &View, thresholds: &Thresholds) -> BTreeMap<String, u64> {
    let mut slow = BTreeMap::new();
    for id in view.traces() {
        let Some(summary) = view.summary(id) else { continue };
        let longest = summary.badges.longest_db.as_ref().map(|(longest, _)| *longest);
        if longest.is_none_or(|longest| longest < thresholds.relative_floor) {
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

fn print(summary: &Summary, json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(summary)?)?;
        return Ok(());
    }
    if io::stdout().is_terminal() && summary.services.is_empty() {
        writeln!(out, "nothing arrived")?;
    }
    for (name, service) in &summary.services {
        let Service { spans, traces, errors, slow_sql, logs, metrics } = service;
        let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
        writeln!(
            out,
            "{name}: {spans} spans in {traces} traces, {errors} errors, {slow_sql} slow SQL, {logs} logs, {metrics} metrics"
        )?;
    }
    for (reason, count) in &summary.rejected {
        writeln!(out, "rejected {count}: {reason}")?;
    }
    if summary.evicted.spans > 0 {
        writeln!(out, "evicted {} spans in {} traces", summary.evicted.spans, summary.evicted.traces)?;
    }
    Ok(())
}

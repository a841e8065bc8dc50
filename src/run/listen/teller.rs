//! A line for each trace.

use std::collections::HashMap;
use std::io::{self, Write as _};

use crate::analysis::Thresholds;
use crate::analysis::{self, Note};
use crate::index::View;
use crate::model::{Nanos, Timestamp, TraceId, TraceSummary};
use crate::redact::Redactor;
use crate::view::visible;

/// A trace that gained no span for this long is told.
const QUIET: Nanos = Nanos::from_millis(1_500);
/// Characters of a name or statement that are shown.
const LONGEST: usize = 80;

/// Prints a line for each trace once it has gone quiet, and again when it has grown since.
pub(super) struct Teller {
    told: HashMap<TraceId, u32>,
    thresholds: Thresholds,
    redactor: Redactor,
    revision: u64,
}

impl Teller {
    pub(super) fn new(thresholds: Thresholds, redactor: Redactor) -> Self {
        Self { told: HashMap::new(), thresholds, redactor, revision: 0 }
    }

    /// With a time: only traces that have gone quiet; without one: all that are left.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(super) fn tell(&mut self, view: &View, now: Option<Timestamp>) -> io::Result<()> {
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
            self.told.retain(|id, _| view.figures(*id).is_some());
        }
        out.flush()?;
        Ok(())
    }

    fn line(&self, summary: &TraceSummary) -> String {
        let mut line = format!(
            "{}  {:>9}  {}  {}  {} {}",
            summary.id,
            summary.duration(),
            self.shown(&summary.root_service),
            self.shown(&summary.root_label),
            summary.spans,
            if summary.spans == 1 { "span" } else { "spans" },
        );
        for note in analysis::notes(summary, &self.thresholds) {
            line.push_str("  ");
            line.push_str(&self.note(&note));
        }
        line
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

    /// Without secrets, and with control characters made visible: neither reaches the terminal. Long text loses its end.
    fn shown(&self, text: &str) -> String {
        visible(&self.redactor.text(text)).chars().take(LONGEST).collect()
    }
}

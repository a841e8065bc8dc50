//! Looks up what others of a span's kind took.

use std::borrow::Cow;
use std::sync::Arc;

use super::desk::Means;
use crate::analysis::findings::{Finding, past};
use crate::analysis::statement::normalise;
use crate::analysis::{Analysis, Baseline, Kin, Thresholds};
use crate::app::Answer;
use crate::index::{Block, Place, Rows, ValueRef, View};
use crate::model::{Nanos, SpanKey, Timestamp, TraceId, TraceSpan, lookup};

/// Durations looked at of a kind: the newest.
const MOST: usize = 1_000_000;
/// Durations kept of all kinds together, where the last alone has no more: 8 MiB, which no budget counts.
const KEPT: usize = MOST;
/// How long a kind's durations are good enough, though more spans have come.
const GOOD: Nanos = Nanos::from_secs(10);

/// Statements of one trace whose past is looked up: those of its longest calls.
const STATEMENTS_A_TRACE: usize = 8;

/// The attributes under which statements stand.
const STATEMENTS: &[&str] = &["db.query.text", "db.statement"];

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct BaselineRequest<'a> {
    pub(super) analysis: &'a Analysis,
    /// Places among the spans of the trace.
    pub(super) spans: &'a [u32],
    pub(super) now: Timestamp,
}

/// The durations of kinds that were looked up lately.
#[derive(Debug, Default)]
pub(super) struct Baselines {
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    kin: Kin,
    revision: u64,
    at: Timestamp,
    /// In order.
    durations: Vec<u64>,
    partial: bool,
}

impl Baselines {
    /// Compares each span with all of its kind. `None` once it is no longer wanted.
    pub(super) fn answer(
        &mut self,
        view: &View,
        request: &BaselineRequest<'_>,
        cancelled: &dyn Fn() -> bool,
    ) -> Option<Answer> {
        let trace = &request.analysis.trace;
        let mut found: Vec<(SpanKey, Baseline)> = Vec::new();
        for span in request.spans.iter().filter_map(|span| trace.spans.get(*span as usize)) {
            let (kin, before) = kin(view, trace.id, span);
            let known = self.known(view, (kin, &before, span), request.now, cancelled)?;
            let baseline = Baseline::new(span.duration(), &known.durations, known.kin.clone(), known.partial);
            found.push((span.key, baseline));
        }
        Some(Answer::Baselines { trace: trace.id, found })
    }

    /// What the calls of a span's statement usually take, of all that is held; `None` where that is not known, or they are too few.
    pub(super) fn usual(&mut self, (trace, key): (TraceId, SpanKey), means: &Means<'_>) -> Option<past::Usual> {
        let Means { view, now, thresholds, cancelled, .. } = *means;
        let lean = view.trace(trace)?;
        let span = lean.spans.iter().find(|span| span.key == key)?;
        let (kin, before) = kin(view, trace, span);
        let known = self.known(view, (kin, &before, span), now, cancelled)?;
        past::Usual::of(&known.durations, true, thresholds)
    }

    /// Whether a trace has calls whose statement's past is worth a look.
    pub(super) fn has_suspects(analysis: &Analysis, thresholds: &Thresholds) -> bool {
        !past::suspects(analysis, thresholds).is_empty()
    }

    /// The statements of a trace that took far longer than they usually do. So many that are not known are looked up; of
    /// others nothing is said. `None` once it is no longer wanted.
    pub(super) fn slower(&mut self, analysis: &Analysis, means: &Means<'_>, looks: &mut usize) -> Option<Vec<Finding>> {
        let Means { view, now, thresholds, cancelled, .. } = *means;
        let mut found = Vec::new();
        for calls in past::suspects(analysis, thresholds).into_iter().take(STATEMENTS_A_TRACE) {
            let span = calls.first().and_then(|call| analysis.span(call.node));
            let Some(span) = span else { continue };
            let (kin, before) = kin(view, analysis.trace.id, span);
            if self.place(view, &kin, now).is_none() {
                let Some(left) = looks.checked_sub(1) else { continue };
                *looks = left;
            }
            let known = self.known(view, (kin, &before, span), now, cancelled)?;
            let usual = past::Usual::of(&known.durations, true, thresholds);
            found.extend(usual.and_then(|usual| past::judge(analysis, thresholds, &calls, &usual)));
        }
        Some(found)
    }

    /// Where a kind is that was looked up lately.
    fn place(&self, view: &View, kin: &Kin, now: Timestamp) -> Option<usize> {
        let fresh = |known: &Known| known.revision == view.revision() || now.since(known.at) < GOOD;
        self.known.iter().position(|known| known.kin == *kin && fresh(known))
    }

    fn known(
        &mut self,
        view: &View,
        (kin, before, span): (Kin, &str, &TraceSpan),
        now: Timestamp,
        cancelled: &dyn Fn() -> bool,
    ) -> Option<&Known> {
        if let Some(place) = self.place(view, &kin, now) {
            return self.known.get(place);
        }
        self.known.retain(|known| known.kin != kin);
        let (durations, partial) = durations(view, (&kin, before, span), cancelled)?;
        self.known.push(Known { kin, revision: view.revision(), at: now, durations, partial });
        let mut kept: usize = self.known.iter().map(|known| known.durations.len()).sum();
        while kept > KEPT && self.known.len() > 1 {
            kept -= self.known.remove(0).durations.len();
        }
        self.known.last()
    }
}

/// What a span is compared by, and for a statement what its label has before the text that was sent.
fn kin(view: &View, trace: TraceId, span: &TraceSpan) -> (Kin, String) {
    let service = Arc::clone(&span.service);
    let operation = || Kin::Operation(Arc::clone(&service), Arc::clone(&span.name), span.key.kind);
    if !span.category.is_database() {
        return (operation(), String::new());
    }
    let whole = view.span(trace, span.key);
    let sent = whole.as_ref().and_then(|whole| STATEMENTS.iter().find_map(|key| lookup(&whole.attributes, key)));
    let text = match sent {
        Some(crate::model::Value::Text(text)) => text.lossy(),
        _ => return (operation(), String::new()),
    };
    // Labels of other stores than SQL have the system or the operation in front.
    let Some(before) = before(&span.label, &text) else { return (operation(), String::new()) };
    let statement = normalise(span.category, &sent_label(&before, &text)).into_owned();
    (Kin::Statement(service, statement.into()), before)
}

/// What stands in a label before the first word of the text it was made from.
fn before(label: &str, text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    label.find(first).and_then(|at| label.get(..at)).map(str::to_owned)
}

fn sent_label<'t>(before: &str, text: &'t str) -> Cow<'t, str> {
    if before.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{before}{text}")) }
}

/// The durations of all of a kind, in order, and whether there are more.
fn durations(
    view: &View,
    (kin, before, span): (&Kin, &str, &TraceSpan),
    cancelled: &dyn Fn() -> bool,
) -> Option<(Vec<u64>, bool)> {
    let mut found: Vec<u64> = Vec::new();
    for block in view.blocks() {
        if cancelled() {
            return None;
        }
        let rows = rows(block, kin, before, span);
        if rows.is_empty() {
            continue;
        }
        let durations = block.durations();
        found.extend(rows.iter().filter_map(|row| durations.get(row as usize).copied()));
        if found.len() > MOST {
            found.truncate(MOST);
            return Some((in_order(found), true));
        }
    }
    Some((in_order(found), false))
}

/// They stay for a while: room for more would be held for nothing.
fn in_order(mut durations: Vec<u64>) -> Vec<u64> {
    durations.sort_unstable();
    durations.shrink_to_fit();
    durations
}

fn rows(block: Block<'_>, kin: &Kin, before: &str, span: &TraceSpan) -> Rows {
    match kin {
        Kin::Operation(service, name, kind) => {
            let rows = block.select_service(&|text| *text == **service);
            if rows.is_empty() {
                return rows;
            }
            let rows = block.narrow_name(rows, &|text| *text == **name);
            if rows.is_empty() { rows } else { rows.and(&block.select_kind(*kind)) }
        }
        Kin::Statement(service, statement) => {
            let rows = block.select_service(&|text| *text == **service);
            if rows.is_empty() {
                return rows;
            }
            let same = |value: ValueRef<'_>| match value {
                ValueRef::Text(text) => normalise(span.category, &sent_label(before, text)) == **statement,
                _ => false,
            };
            rows.and(&block.select_attribute(STATEMENTS, &[Place::Span], &same))
        }
    }
}

//! What traces have to say: the surveys that the screens show, as values for scripts.

use std::sync::Arc;

use super::answer::{Held, Peer, most};
use super::filter::Filter;
use super::protocol::{Reply, Wrong};
use crate::analysis::findings::across::Found;
use crate::analysis::services::{Figures, ServiceRow};
use crate::analysis::{errors, statements};
use crate::app::work::{Desk, Means};
use crate::app::{Answer, Effect, Report as Survey, SurveyOf, Surveyed};
use crate::export::report::{Failure, Finding, Operation, Place, Report, Statement};
use crate::export::rfc3339;
use crate::index::View;
use crate::model::{SpanKey, TraceId};
use crate::query::Query;
use crate::run::clock;

/// Places that are named as examples of one thing.
const EXAMPLES: usize = 3;

/// Tells of the traces that match, at most `limit` things of each sort; answers whether the search was cut short.
///
/// # Errors
/// What to answer where the filter cannot be read.
pub(super) fn report(held: &Held, filter: &str, limit: Option<u64>, peer: &mut dyn Peer) -> Result<bool, Wrong> {
    let query = Arc::new(Filter::read(filter)?.whole());
    let view = held.reader.view();
    let mut told = Report::default();
    for of in [SurveyOf::Findings, SurveyOf::Sql, SurveyOf::Errors, SurveyOf::Services] {
        let Some(surveyed) = survey((held, &view), &query, of, &*peer) else { return Ok(true) };
        told.left_out = told.left_out.max(surveyed.left_out);
        match surveyed.report {
            Survey::Findings(found) => {
                told.traces = found.traces;
                told.findings = found.rows.iter().take(most(limit)).map(finding).collect();
            }
            Survey::Sql(found) => {
                told.statements = found.rows.iter().take(most(limit)).map(|row| statement(row)).collect();
            }
            Survey::Errors(found) => told.errors = found.groups.iter().take(most(limit)).map(failure).collect(),
            Survey::Services(found) => told.services = operations(&found.services, most(limit)),
            Survey::Compare(_) => {}
        }
    }
    told.spans = spans(&view, &query);
    peer.take(Reply::Report(Box::new(told)));
    Ok(false)
}

/// `None` where nobody waits for it any more.
fn survey((held, view): (&Held, &View), query: &Arc<Query>, of: SurveyOf, peer: &dyn Peer) -> Option<Surveyed> {
    let means = Means {
        view,
        now: clock::now(),
        thresholds: &held.thresholds,
        highlight: &|_, _, _| Arc::default(),
        cancelled: &|| peer.is_gone(),
    };
    let effect = Effect::Survey { generation: 0, query: Arc::clone(query), of, compare: None };
    match Desk::default().work(&effect, &means, &mut |_| ()) {
        Some(Answer::Surveyed(surveyed)) => Some(surveyed),
        _ => None,
    }
}

/// Distinct spans of the traces that match.
fn spans(view: &View, query: &Query) -> u64 {
    if query.is_empty() {
        return view.stats().spans;
    }
    let hits = crate::query::run(query, view, clock::now(), &|| false).hits;
    hits.iter().filter_map(|hit| view.figures(hit.trace)).map(|figures| u64::from(figures.spans)).sum()
}

fn place((trace, span): (TraceId, Option<SpanKey>)) -> Place {
    Place { trace_id: trace.to_string(), span_id: span.map(|span| span.id.to_string()).unwrap_or_default() }
}

fn finding(found: &Found) -> Finding {
    Finding {
        rule: found.rule.name().to_owned(),
        severity: found.severity.name().to_owned(),
        what: found.what.clone(),
        why: found.why.clone(),
        traces: found.traces,
        spans: found.spans,
        count: found.traces,
        cost_ns: found.cost.0,
        examples: found.instances.iter().take(EXAMPLES).copied().map(place).collect(),
    }
}

fn statement(row: &statements::Statement) -> Statement {
    Statement {
        system: row.system.as_ref().to_owned(),
        statement: row.text.as_ref().to_owned(),
        calls: row.calls,
        traces: row.traces,
        total_ns: row.total.0,
        p50_ns: row.p50.0,
        p95_ns: row.p95.0,
        max_ns: row.max.0,
        errors: row.errors,
    }
}

fn failure(group: &errors::Group) -> Failure {
    let key = &group.key;
    let origin = [&key.service, &key.operation].map(AsRef::as_ref).join(" ");
    Failure {
        r#type: key.kind.as_ref().to_owned(),
        message: key.pattern.as_ref().to_owned(),
        origin: origin.trim().to_owned(),
        count: group.count,
        traces: group.traces,
        services: group.services.iter().map(|(service, _)| service.as_ref().to_owned()).collect(),
        first_seen: rfc3339(group.first),
        last_seen: rfc3339(group.last),
        examples: group.examples.iter().take(EXAMPLES).map(|one| place((one.trace, one.span))).collect(),
    }
}

/// The operations of all services, the busiest first.
fn operations(services: &[ServiceRow], most: usize) -> Vec<Operation> {
    let of = |service: &ServiceRow| -> Vec<Operation> {
        let one = |name: &str, figures: &Figures| Operation {
            service: service.name.as_ref().to_owned(),
            operation: name.to_owned(),
            calls: figures.calls,
            errors: figures.failed,
            p50_ns: figures.p50.0,
            p95_ns: figures.p95.0,
            p99_ns: figures.p99.0,
        };
        service.operations.iter().map(|operation| one(&operation.name, &operation.figures)).collect()
    };
    let mut all: Vec<Operation> = services.iter().flat_map(of).collect();
    all.sort_by(|one, other| {
        (other.calls, &one.service, &one.operation).cmp(&(one.calls, &other.service, &other.operation))
    });
    all.truncate(most);
    all
}

//! What services do, of many traces.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calls::{Call, Entry, TraceCalls};
use super::names::{Names, Peer};
use crate::analysis::errors::{TREND, bucket};
use crate::model::{Nanos, Timestamp, percentile};

/// A call that nobody answered this long after it ended is one to something that sends no spans.
const PATIENCE: Nanos = Nanos::from_secs(10);

/// What services do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The services: most calls first.
    pub services: Vec<ServiceRow>,
    /// Who calls whom: most calls first.
    pub edges: Vec<Edge>,
    /// Traces that were looked at.
    pub traces: u64,
    /// Of those, how many failed at their root.
    pub failed: u64,
    /// Of those, in how many more than one service took part.
    pub crossing: u64,
    /// When the earliest of them began, but for a few far from all others.
    pub from: Timestamp,
    /// When the latest of them began, likewise.
    pub to: Timestamp,
    /// Calls that nobody has answered yet: too young to be told.
    pub pending: u64,
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRow {
    /// Its name.
    pub name: Arc<str>,
    /// Of all its operations.
    pub figures: Figures,
    /// Its operations: most calls first.
    pub operations: Vec<OperationRow>,
}

/// An operation of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRow {
    /// The name of its entry spans.
    pub name: Arc<str>,
    /// What they did.
    pub figures: Figures,
}

/// How often, how well, how fast. Percentiles are exact, by nearest rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Entry spans.
    pub calls: u64,
    /// Of those, how many failed.
    pub failed: u64,
    /// Half of them took at most this.
    pub p50: Nanos,
    /// 95 of 100.
    pub p95: Nanos,
    /// 99 of 100.
    pub p99: Nanos,
    /// The sum of their durations.
    pub total: Nanos,
    /// How many began in each of 40 equal parts of [`Report::from`] to [`Report::to`].
    pub trend: Vec<u32>,
}

/// Calls from one to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Who calls.
    pub from: Peer,
    /// Who is called.
    pub to: Peer,
    /// How often.
    pub calls: u64,
    /// How often one side failed.
    pub failed: u64,
    /// Half of the calls took at most this.
    pub p50: Nanos,
    /// 95 of 100.
    pub p95: Nanos,
    /// Of how many calls both sides are held, and the 50th and 95th percentile of the time on the way and in queues.
    pub network: Option<(u64, Nanos, Nanos)>,
}

/// Sums up what was kept of traces. The outcome does not depend on their order. At `now`, calls that nobody answered are told
/// as calls to something that sends no spans once they are ten seconds old.
#[must_use]
pub fn report<'a>(traces: impl Iterator<Item = &'a TraceCalls> + Clone, names: &Names, now: Timestamp) -> Report {
    let mut report = Report { from: Timestamp(u64::MAX), ..Report::default() };
    for trace in traces.clone() {
        report.traces += 1;
        report.failed += u64::from(trace.failed);
        report.crossing += u64::from(trace.crosses);
        if trace.start.0 != 0 {
            (report.from, report.to) = (report.from.min(trace.start), report.to.max(trace.start));
        }
    }
    (report.from, report.to) = window(traces.clone().map(|trace| trace.start), (report.from, report.to));
    let mut entries: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    let mut calls: BTreeMap<u32, Vec<Call>> = BTreeMap::new();
    for trace in traces {
        for entry in &trace.entries {
            entries.entry(entry.operation).or_default().push(*entry);
        }
        for call in &trace.calls {
            if call.unanswered && now.since(call.end) < PATIENCE {
                report.pending += 1;
            } else {
                calls.entry(call.edge).or_default().push(*call);
            }
        }
    }
    report.services = services(&entries, names, (report.from, report.to));
    report.edges =
        calls.into_iter().filter_map(|(edge, calls)| Some(self::edge(names.edge_of(edge)?, &calls))).collect();
    report.edges.sort_by(|one, other| {
        other.calls.cmp(&one.calls).then_with(|| (&one.from, &one.to).cmp(&(&other.from, &other.to)))
    });
    report
}

/// The name of an operation, and its entry spans.
type Operation<'a> = (&'a Arc<str>, &'a Vec<Entry>);

/// The stretch of time that rates and trends are told of: all of it, unless a few traces of a hundred lie far from the
/// others, by a clock that is wrong.
fn window(starts: impl Iterator<Item = Timestamp>, (first, last): (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    /// So many times longer than what most of them take.
    const FAR: u64 = 20;
    const LEAST: usize = 20;
    let mut starts: Vec<Timestamp> = starts.filter(|start| start.0 != 0).collect();
    starts.sort_unstable();
    let aside = starts.len().div_ceil(50);
    let core = starts.get(aside).copied().zip(starts.iter().rev().nth(aside).copied());
    match core.filter(|_| starts.len() >= LEAST) {
        Some((from, to)) if last.since(first).0 / FAR > to.since(from).0 => (from, to),
        _ => (first.min(last), last),
    }
}

fn services(entries: &BTreeMap<u32, Vec<Entry>>, names: &Names, whole: (Timestamp, Timestamp)) -> Vec<ServiceRow> {
    let mut by_service: BTreeMap<&Arc<str>, Vec<Operation<'_>>> = BTreeMap::new();
    for (number, entries) in entries {
        if let Some((service, operation)) = names.operation_of(*number) {
            by_service.entry(service).or_default().push((operation, entries));
        }
    }
    let row = |(name, operations): (&Arc<str>, Vec<Operation<'_>>)| {
        let figures = figures(operations.iter().flat_map(|(_, entries)| entries.iter()), whole);
        let one = |(name, entries): &(&Arc<str>, &Vec<Entry>)| OperationRow {
            name: Arc::clone(name),
            figures: self::figures(entries.iter(), whole),
        };
        let mut operations: Vec<OperationRow> = operations.iter().map(one).collect();
        operations
            .sort_by(|one, other| other.figures.calls.cmp(&one.figures.calls).then_with(|| one.name.cmp(&other.name)));
        ServiceRow { name: Arc::clone(name), figures, operations }
    };
    let mut services: Vec<ServiceRow> = by_service.into_iter().map(row).collect();
    services.sort_by(|one, other| other.figures.calls.cmp(&one.figures.calls).then_with(|| one.name.cmp(&other.name)));
    services
}

fn figures<'a>(entries: impl Iterator<Item = &'a Entry>, whole: (Timestamp, Timestamp)) -> Figures {
    let mut figures = Figures { trend: vec![0; TREND], ..Figures::default() };
    let mut durations: Vec<u64> = Vec::new();
    for entry in entries {
        figures.calls += 1;
        figures.failed += u64::from(entry.failed);
        figures.total = Nanos(figures.total.0.saturating_add(entry.duration.0));
        durations.push(entry.duration.0);
        if let Some(bucket) = figures.trend.get_mut(bucket(entry.at, whole)) {
            *bucket = bucket.saturating_add(1);
        }
    }
    durations.sort_unstable();
    figures.p50 = at_most(&durations, 50);
    figures.p95 = at_most(&durations, 95);
    figures.p99 = at_most(&durations, 99);
    figures
}

fn edge((from, to): &(Peer, Peer), calls: &[Call]) -> Edge {
    let sorted = |values: &mut dyn Iterator<Item = u64>| {
        let mut values: Vec<u64> = values.collect();
        values.sort_unstable();
        values
    };
    let durations = sorted(&mut calls.iter().map(|call| call.duration.0));
    let network = sorted(&mut calls.iter().filter_map(|call| call.network).map(|time| time.0));
    let count = network.len() as u64;
    Edge {
        from: from.clone(),
        to: to.clone(),
        calls: calls.len() as u64,
        failed: calls.iter().filter(|call| call.failed).count() as u64,
        p50: at_most(&durations, 50),
        p95: at_most(&durations, 95),
        network: (count > 0).then(|| (count, at_most(&network, 50), at_most(&network, 95))),
    }
}

/// Zero of none.
fn at_most(sorted: &[u64], percent: usize) -> Nanos {
    percentile(sorted, percent).map_or(Nanos::ZERO, Nanos)
}

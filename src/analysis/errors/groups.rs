//! Failures of many traces, put together where they are the same one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::errors::Evidence;
use crate::model::{SpanKey, Timestamp, TraceId};

/// What makes failures the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The exception's type, `error.type`, `HTTP 503`; empty where the sender gave none.
    pub kind: Arc<str>,
    /// The message without its values: [`super::pattern`].
    pub pattern: Arc<str>,
    /// The service that failed first.
    pub service: Arc<str>,
    /// The name of the span that failed first; of a log without its span the scope's.
    pub operation: Arc<str>,
    /// The application's frame nearest to where it happened, without its line; empty where there is no stack.
    pub place: Arc<str>,
}

/// One error of a trace: what failed first, and how far that was passed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What it is the same as.
    pub key: Arc<GroupKey>,
    /// How it was told.
    pub evidence: Evidence,
    /// It tells of an exception, not merely that something failed.
    pub exception: bool,
    /// It is no more than a report of the answer (`HTTP 503`) from inside the server.
    pub answers: bool,
    /// What it says, up to 400 characters.
    pub message: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// The span that failed first; `None` for a log whose span is not held.
    pub span: Option<SpanKey>,
    /// The span that tells the exception: mostly the same one.
    pub told: Option<SpanKey>,
    /// How many spans above it tell of the same.
    pub passed_on: u32,
    /// How many log records tell of the same.
    pub logs: u32,
    /// The services that tell of it, its own first.
    pub services: Vec<Arc<str>>,
}

impl Failure {
    /// Where it can be read whole.
    #[must_use]
    pub fn example(&self, trace: TraceId) -> Example {
        let (message, evidence) = (Arc::clone(&self.message), self.evidence);
        Example { trace, span: self.span, told: self.told, at: self.at, message, evidence }
    }

    pub(super) fn add_service(&mut self, service: &Arc<str>) {
        if !self.services.contains(service) {
            self.services.push(Arc::clone(service));
        }
    }
}

/// Buckets of a trend.
pub const TREND: usize = 40;

/// Examples that a group keeps: the newest, one for each trace.
const EXAMPLES: usize = 12;

/// One failure of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its trace.
    pub trace: TraceId,
    /// The span that failed first.
    pub span: Option<SpanKey>,
    /// The span that tells the exception: mostly the same one.
    pub told: Option<SpanKey>,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub message: Arc<str>,
    /// How it was told.
    pub evidence: Evidence,
}

/// Failures that are the same one.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub key: Arc<GroupKey>,
    /// How many there are.
    pub count: u64,
    /// How many spans passed one of them on.
    pub passed_on: u64,
    /// How many log records told of one of them beside its span.
    pub logs: u64,
    /// In how many traces.
    pub traces: u64,
    /// How many were told in which way; see [`Evidence::ALL`].
    pub evidence: [u64; 4],
    /// The earliest.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// The services that tell of them, with in how many failures; most first.
    pub services: Vec<(Arc<str>, u64)>,
    /// How many fell into each of [`TREND`] equal parts of [`Report::from`] to [`Report::to`].
    pub trend: Vec<u32>,
    /// The newest.
    pub examples: Vec<Example>,
}

/// What is breaking, of some traces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The groups: most failures first, then the latest.
    pub groups: Vec<Group>,
    /// Failures in all: the sum of the groups.
    pub errors: u64,
    /// Traces that were looked at.
    pub traces: u64,
    /// Of those, how many hold a failure.
    pub failed_traces: u64,
    /// The earliest failure.
    pub from: Timestamp,
    /// The latest.
    pub to: Timestamp,
}

/// Puts the failures of traces together. The outcome does not depend on the order of the traces.
#[must_use]
pub fn report<'a>(traces: impl Iterator<Item = (TraceId, &'a [Failure])> + Clone) -> Report {
    let mut report = Report { from: Timestamp(u64::MAX), ..Report::default() };
    for (_, failures) in traces.clone() {
        report.traces += 1;
        report.failed_traces += u64::from(!failures.is_empty());
        report.errors += failures.len() as u64;
        for failure in failures {
            (report.from, report.to) = (report.from.min(failure.at), report.to.max(failure.at));
        }
    }
    if report.errors == 0 {
        report.from = Timestamp::default();
        return report;
    }
    let mut groups: BTreeMap<Arc<GroupKey>, Building> = BTreeMap::new();
    for (trace, failures) in traces {
        for failure in failures {
            groups.entry(Arc::clone(&failure.key)).or_default().add(trace, failure, (report.from, report.to));
        }
    }
    report.groups = groups.into_iter().map(|(key, building)| building.finish(key)).collect();
    report.groups.sort_by_key(|group| Reverse((group.count, group.last)));
    report
}

#[derive(Default)]
struct Building {
    count: u64,
    passed_on: u64,
    logs: u64,
    evidence: [u64; 4],
    times: Option<(Timestamp, Timestamp)>,
    services: BTreeMap<Arc<str>, u64>,
    trend: Vec<u32>,
    traces: hashbrown::HashSet<TraceId>,
    examples: Vec<Example>,
}

impl Building {
    fn add(&mut self, trace: TraceId, failure: &Failure, whole: (Timestamp, Timestamp)) {
        self.count += 1;
        self.passed_on += u64::from(failure.passed_on);
        self.logs += u64::from(failure.logs);
        self.traces.insert(trace);
        for (count, evidence) in self.evidence.iter_mut().zip(Evidence::ALL) {
            *count += u64::from(evidence == failure.evidence);
        }
        let (first, last) = self.times.unwrap_or((failure.at, failure.at));
        self.times = Some((first.min(failure.at), last.max(failure.at)));
        for service in &failure.services {
            *self.services.entry(Arc::clone(service)).or_default() += 1;
        }
        self.trend.resize(TREND, 0);
        if let Some(bucket) = self.trend.get_mut(bucket(failure.at, whole)) {
            *bucket = bucket.saturating_add(1);
        }
        self.example(failure.example(trace));
    }

    /// Keeps the newest, one for each trace.
    fn example(&mut self, example: Example) {
        let rank = |one: &Example| (one.at, one.trace, one.span);
        match self.examples.iter_mut().find(|known| known.trace == example.trace) {
            Some(known) if rank(known) < rank(&example) => *known = example,
            Some(_) => return,
            None => self.examples.push(example),
        }
        self.examples.sort_by_key(|example| Reverse(rank(example)));
        self.examples.truncate(EXAMPLES);
    }

    fn finish(self, key: Arc<GroupKey>) -> Group {
        let mut services: Vec<_> = self.services.into_iter().collect();
        services.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let (first, last) = self.times.unwrap_or_default();
        Group {
            key,
            count: self.count,
            passed_on: self.passed_on,
            logs: self.logs,
            traces: self.traces.len() as u64,
            evidence: self.evidence,
            first,
            last,
            services,
            trend: self.trend,
            examples: self.examples,
        }
    }
}

/// Which of [`TREND`] equal parts of `whole` a moment falls into.
pub(in crate::analysis) fn bucket(at: Timestamp, (from, to): (Timestamp, Timestamp)) -> usize {
    let (into, long) = (u128::from(at.since(from).0), u128::from(to.since(from).0));
    let part = (into * TREND as u128).checked_div(long).unwrap_or(TREND as u128);
    usize::try_from(part).unwrap_or(TREND).min(TREND - 1)
}

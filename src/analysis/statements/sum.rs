//! Digests → the table.

use std::cmp::Reverse;
use std::sync::Arc;

use hashbrown::HashMap;

use super::digest::{Call, Digest, NOBODY, Names};
use super::{Example, Statement, Statements, past, percentile};
use crate::model::{Category, Nanos, Timestamp, TraceId};

/// Statements that are given: the most expensive ones.
pub const MOST_ROWS: usize = 1_000;
/// Calls that are given of each.
pub const MOST_EXAMPLES: usize = 200;
/// Stretches of [`Statement::over_time`].
const STRETCHES: usize = 32;
/// Callers and routes that are given.
const MOST_CALLERS: usize = 8;

/// The calls of a statement in one trace, of its digest those from one place to another.
type Part<'d> = (TraceId, &'d Digest, (u32, u32));

fn calls_of<'d>((_, digest, (from, to)): &Part<'d>) -> &'d [Call] {
    digest.calls.get(*from as usize..*to as usize).unwrap_or_default()
}

/// Sums up the digests of these traces. The same digests in another order give the same.
pub fn sum<'d>(digests: impl Iterator<Item = (TraceId, &'d Digest)>, names: &Names) -> Statements {
    let mut parts: HashMap<(u32, u32), Vec<Part<'_>>> = HashMap::new();
    let mut all = Statements { between: (Timestamp(u64::MAX), Timestamp(0)), ..Statements::default() };
    for (trace, digest) in digests {
        all.traces += 1;
        let mut from = 0;
        for alike in digest.calls.chunk_by(|one, next| one.of == next.of) {
            let to = from + u32::try_from(alike.len()).unwrap_or(u32::MAX);
            parts.entry(alike[0].of).or_default().push((trace, digest, (from, to)));
            from = to;
            for call in alike {
                all.calls += 1;
                if !call.within {
                    all.total.0 = all.total.0.saturating_add(call.duration.0);
                }
                if call.start.0 > 0 {
                    all.between = (all.between.0.min(call.start), all.between.1.max(call.start));
                }
            }
        }
    }
    if all.between.0 > all.between.1 {
        all.between = Default::default();
    }
    all.statements = parts.len() as u64;
    let mut parts: Vec<_> = parts.into_iter().map(|(key, parts)| (total(&parts), key, parts)).collect();
    parts.sort_by_cached_key(|(total, (statement, system), _)| {
        (Reverse(*total), names.text(*statement), names.text(*system))
    });
    parts.truncate(MOST_ROWS);
    let row = |((statement, system), parts): ((u32, u32), Vec<_>)| {
        let row = row(parts, names, ((statement, system), all.between));
        Arc::new(Statement { text: names.text(statement), system: names.text(system), ..row })
    };
    all.rows = parts.into_iter().map(|(_, key, parts)| row((key, parts))).collect();
    all
}

fn total(parts: &[Part<'_>]) -> Nanos {
    let calls = parts.iter().flat_map(calls_of);
    Nanos(calls.fold(0_u64, |sum, call| sum.saturating_add(call.duration.0)))
}

fn row(mut parts: Vec<Part<'_>>, names: &Names, (of, between): ((u32, u32), (Timestamp, Timestamp))) -> Statement {
    parts.sort_by_key(|(trace, ..)| *trace);
    let first = parts.first().and_then(|part| calls_of(part).first());
    let mut row = Statement {
        category: first.map_or(Category::Sql, |call| call.category),
        traces: parts.len() as u64,
        total: total(&parts),
        ..Statement::default()
    };
    let (mut services, mut callers, mut routes) = (Counted::default(), Counted::default(), Counted::default());
    let mut calls: Vec<past::Timed> = Vec::new();
    for (part, number) in parts.iter().zip(0_u32..) {
        let (trace, digest, _) = part;
        routes.add(digest.route, 1);
        let (route, note) = (names.text(digest.route), digest.note(of));
        row.rows = match (row.rows, note.rows) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        if note.repeated > 0 {
            let (traces, most) = row.repeated.unwrap_or_default();
            row.repeated = Some((traces + 1, most.max(note.repeated)));
        }
        for call in calls_of(part) {
            row.errors += u64::from(call.failed);
            services.add(call.service, 1);
            if call.caller != NOBODY {
                callers.add(call.caller, 1);
            }
            calls.push((call.start.0, call.duration.0, number));
            row.examples.push(Example {
                trace: *trace,
                span: call.span,
                start: call.start,
                duration: call.duration,
                failed: call.failed,
                route: Arc::clone(&route),
            });
        }
        keep_slowest(&mut row.examples, MOST_EXAMPLES * 8);
    }
    keep_slowest(&mut row.examples, 0);
    row.calls = calls.len() as u64;
    calls.sort_unstable();
    row.slower = past::slower(&calls);
    row.over_time = over_time(&calls, between);
    let mut durations: Vec<u64> = calls.into_iter().map(|(_, duration, _)| duration).collect();
    row.p50 = percentile(&mut durations, 50);
    row.p95 = percentile(&mut durations, 95);
    row.max = percentile(&mut durations, 100);
    row.services = services.named(names);
    row.callers = callers.named(names);
    row.routes = routes.named(names);
    row
}

/// Once there are more than `room`, keeps the slowest, slowest first.
fn keep_slowest(examples: &mut Vec<Example>, room: usize) {
    if examples.len() > room {
        examples.sort_unstable_by_key(|call| (Reverse(call.duration), call.start, call.trace, call.span));
        examples.truncate(MOST_EXAMPLES);
    }
}

fn over_time(calls: &[past::Timed], (from, to): (Timestamp, Timestamp)) -> Vec<Option<Nanos>> {
    let length = u128::from(to.since(from).0) + 1;
    let mut rest = calls;
    let mut scratch: Vec<u64> = Vec::new();
    (1..=STRETCHES as u128)
        .map(|stretch| {
            let end = u128::from(from.0) + length * stretch / STRETCHES as u128;
            let inside = rest.partition_point(|(start, ..)| u128::from(*start) < end);
            let (these, later) = rest.split_at(inside);
            rest = later;
            scratch.clear();
            scratch.extend(these.iter().map(|(_, duration, _)| *duration));
            (!these.is_empty()).then(|| percentile(&mut scratch, 95))
        })
        .collect()
}

/// Names with counts.
#[derive(Default)]
struct Counted(HashMap<u32, u64>);

impl Counted {
    fn add(&mut self, name: u32, count: u32) {
        *self.0.entry(name).or_default() += u64::from(count);
    }

    fn named(self, names: &Names) -> Vec<(Arc<str>, u64)> {
        let mut named: Vec<_> = self.0.into_iter().map(|(name, count)| (names.text(name), count)).collect();
        named.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        named.truncate(MOST_CALLERS);
        named
    }
}

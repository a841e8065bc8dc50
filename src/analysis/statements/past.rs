//! Whether a statement is slower than it was.

use super::percentile;
use crate::model::{Nanos, Timestamp};

/// A statement's latency before and after a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slower {
    /// Since when.
    pub since: Timestamp,
    /// 95th percentile before.
    pub before: Nanos,
    /// 95th percentile since.
    pub now: Nanos,
}

/// Calls before and since that are needed to say anything: of fewer a 95th percentile is the chance of one call.
const LEAST_BEFORE: usize = 20;
const LEAST_SINCE: usize = 10;
/// Traces that the calls since must be of: those within one have more in common than the database.
const LEAST_TRACES: usize = 5;
/// How much more it has to be, as a ratio in percent and as a time.
const RATIO: u64 = 150;
const AT_LEAST: Nanos = Nanos::from_millis(5);
/// Share of the calls since that are beyond what was the 95th percentile, in percent: by chance it would be 5.
const BEYOND: usize = 25;
/// Moments that are tried: after so many parts of all calls.
const PARTS: usize = 12;

/// A call: start, duration, number of its trace.
pub(super) type Timed = (u64, u64, u32);

/// How many calls, from the first, are needed for [`LEAST_TRACES`] traces; more than there are where there are fewer.
fn first_traces<'c>(calls: impl ExactSizeIterator<Item = &'c Timed>) -> usize {
    let mut met: Vec<u32> = Vec::with_capacity(LEAST_TRACES);
    let most = calls.len();
    for (at, (.., trace)) in calls.enumerate() {
        if !met.contains(trace) {
            met.push(*trace);
        }
        if met.len() == LEAST_TRACES {
            return at + 1;
        }
    }
    most + 1
}

/// Whether the later calls are slower, `calls` (start, duration, number of the trace) being in order of start. Of all moments that qualify, the one
/// at which most changes.
pub(super) fn slower(calls: &[Timed]) -> Option<Slower> {
    let mut scratch: Vec<u64> = Vec::with_capacity(calls.len());
    let mut best: Option<(u64, Slower)> = None;
    let (early, late) = (first_traces(calls.iter()), first_traces(calls.iter().rev()));
    for part in 1..PARTS {
        let at = calls.len() * part / PARTS;
        let (before, since) = calls.split_at(at);
        let few = before.len() < early || since.len() < late;
        if few || before.len() < LEAST_BEFORE || since.len() < LEAST_SINCE {
            continue;
        }
        let mut p95 = |of: &[Timed]| {
            scratch.clear();
            scratch.extend(of.iter().map(|(_, duration, _)| *duration));
            percentile(&mut scratch, 95)
        };
        let (was, now) = (p95(before), p95(since));
        let ratio = now.0.saturating_mul(100) / was.0.max(1);
        let beyond = since.iter().filter(|(_, duration, _)| *duration > was.0).count();
        let qualifies =
            ratio >= RATIO && now.0.saturating_sub(was.0) >= AT_LEAST.0 && beyond * 100 >= since.len() * BEYOND;
        // The nearer to the change, the more of the calls since are beyond.
        let score = ratio.saturating_mul((beyond * 100 / since.len()) as u64);
        if qualifies && best.is_none_or(|(most, _)| score > most) {
            let since = Timestamp(since.first().map_or(0, |(start, ..)| *start));
            best = Some((score, Slower { since, before: was, now }));
        }
    }
    best.map(|(_, slower)| slower)
}

//! Searches and orders the list, and counts what the strip shows.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::analysis::heat::HeatMap;
use crate::app::{Answer, ListRow, Sort, SortKey, Strip};
use crate::index::{Outline, View};
use crate::model::{Nanos, Timestamp, percentile_of_unsorted};
use crate::query::{Query, run};

/// The lengths of time a bucket of the strip may have, in seconds.
const BUCKETS: [u64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];

/// Over so many seconds the rate of what comes in is told.
const RECENT: u64 = 10;

/// Looking a trace up costs as much as walking past so many.
const FEW: u64 = 8;

/// What [`list`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ListRequest<'a> {
    /// Comes back with the answer.
    pub generation: u64,
    /// The filter.
    pub query: &'a Query,
    /// The order.
    pub sort: Sort,
    /// How many buckets the strip has.
    pub buckets: u16,
    /// How many columns and rows the heat map has, where it is shown.
    pub heat: Option<(u16, u16)>,
    /// Now: the right end of the strip.
    pub now: Timestamp,
}

/// Searches and orders the list; stops early, with what it has, once `cancelled` says so.
#[must_use]
pub fn list(view: &View, request: &ListRequest<'_>, cancelled: &dyn Fn() -> bool) -> Answer {
    let hits = run(request.query, view, request.now, cancelled);
    answer(view, request, outlined(view, hits.hits), hits.partial)
}

/// With what they are ordered and counted by; those that have left are not among them.
pub(super) fn outlined(view: &View, hits: Vec<ListRow>) -> impl Iterator<Item = (Outline, ListRow)> {
    // Hits are in the order of the view's own list: where they are many, one walk over it meets them all.
    let few = hits.len() as u64 * FEW < view.stats().traces;
    let mut all = view.outlines();
    hits.into_iter().filter_map(move |hit| {
        let found = if few {
            view.outline(hit.trace)
        } else {
            all.find(|(id, _)| *id == hit.trace).map(|(_, outline)| outline)
        };
        found.map(|outline| (outline, hit))
    })
}

/// Orders and counts what was found, which comes oldest first. There may be millions: nothing is gathered twice, and the
/// list takes the place of the hits it is made from.
pub(super) fn answer(
    view: &View,
    request: &ListRequest<'_>,
    hits: impl Iterator<Item = (Outline, ListRow)>,
    partial: bool,
) -> Answer {
    let (key, ascending) = (request.sort.key, request.sort.ascending);
    let mut strip = Counter::new(request);
    let mut weights: Vec<(u64, u32)> = Vec::new();
    let mut rows: Vec<ListRow> = hits
        .map(|(outline, hit)| {
            strip.add(&outline);
            if key != SortKey::Time {
                weights.push((weight(key, &outline), u32::try_from(weights.len()).unwrap_or(u32::MAX)));
            }
            hit
        })
        .collect();
    match (key, ascending) {
        (SortKey::Time, true) => {}
        (SortKey::Time, false) => rows.reverse(),
        (_, true) => weights.sort_unstable(),
        // Newest first among equals.
        (_, false) => weights.sort_unstable_by_key(|weight| Reverse(*weight)),
    }
    if key != SortKey::Time {
        rows = weights.iter().filter_map(|(_, place)| rows.get(*place as usize).copied()).collect();
    }
    let (generation, revision) = (request.generation, view.revision());
    Answer::Listed { generation, revision, rows: Arc::new(rows), strip: strip.finish(), partial }
}

fn weight(key: SortKey, outline: &Outline) -> u64 {
    match key {
        SortKey::Time => 0,
        SortKey::Start => outline.start.0,
        SortKey::Duration => outline.duration.0,
        SortKey::Spans => outline.spans.into(),
        SortKey::Errors => outline.errors.into(),
    }
}

/// Gathers what the strip shows. Traces count where they began to arrive: the times that senders give may be anything.
struct Counter {
    /// In seconds.
    now: u64,
    /// When the first began to arrive, in seconds.
    oldest: Option<u64>,
    strip: Strip,
    /// By column.
    durations: Vec<Vec<u64>>,
    recent: usize,
    /// Size of the heat map, and what it is made of.
    heat: Option<((u16, u16), Vec<Outline>)>,
}

const SECOND: u64 = Nanos::from_secs(1).0;

impl Counter {
    fn new(request: &ListRequest<'_>) -> Self {
        let columns = usize::from(request.buckets.max(1));
        let until = request.now;
        let strip = Strip { until, requests: vec![0; columns], errors: vec![0; columns], ..Strip::default() };
        let durations = vec![Vec::new(); columns];
        let heat = request.heat.map(|size| (size, Vec::new()));
        Self { now: request.now.0 / SECOND, oldest: None, strip, durations, recent: 0, heat }
    }

    /// Counts a trace; the oldest comes first.
    fn add(&mut self, outline: &Outline) {
        let second = outline.first_arrival.0 / SECOND;
        if self.oldest.is_none() {
            self.begin(second);
        }
        if let Some((_, outlines)) = &mut self.heat {
            outlines.push(*outline);
        }
        self.recent += usize::from(self.now.saturating_sub(second) < RECENT);
        let back = (self.now / self.strip.seconds).saturating_sub(second / self.strip.seconds);
        let column = usize::try_from(back).ok().and_then(|back| self.durations.len().checked_sub(back + 1));
        let Some(column) = column else { return };
        self.strip.requests[column] += 1;
        self.strip.errors[column] += u32::from(outline.errors > 0);
        self.durations[column].push(outline.duration.0);
    }

    /// Settles how long a bucket is: everything from `oldest` on is to fit.
    fn begin(&mut self, oldest: u64) {
        let (now, oldest) = (self.now, oldest.min(self.now));
        // Buckets begin at whole multiples of their length, so that a trace stays in its bucket as time goes on.
        let needed = |seconds: &u64| now / seconds - oldest / seconds < self.durations.len() as u64;
        self.strip.seconds = BUCKETS.iter().find(|seconds| needed(seconds)).or(BUCKETS.last()).copied().unwrap_or(1);
        self.oldest = Some(oldest);
    }

    fn finish(mut self) -> Strip {
        if self.oldest.is_none() {
            self.begin(self.now);
        }
        let Self { now, oldest, mut strip, mut durations, recent, heat } = self;
        strip.heat = heat.map(|(size, outlines)| Arc::new(HeatMap::of(&outlines, size, strip.until)));
        strip.p95 = durations.iter_mut().map(|durations| percentile_95(durations)).collect();
        let mut all = durations.concat();
        strip.p95_all = percentile_95(&mut all);
        let columns = durations.len() as u64;
        let elapsed = (now - oldest.unwrap_or(now) + 1).min(strip.seconds.saturating_mul(columns));
        strip.recent = ratio(recent, usize::try_from(RECENT).unwrap_or(1));
        strip.rate = ratio(all.len(), usize::try_from(elapsed).unwrap_or(usize::MAX));
        let failed: usize = strip.errors.iter().map(|errors| *errors as usize).sum();
        strip.error_share = ratio(failed, all.len());
        strip
    }
}

/// 0 where there is none.
fn percentile_95(values: &mut [u64]) -> u64 {
    percentile_of_unsorted(values, 95).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(now: u64, buckets: u16, traces: &[(u64, u32, u64)]) -> Strip {
        let query = Query::default();
        let now = Timestamp(now * SECOND);
        let request = ListRequest { generation: 1, query: &query, sort: Sort::default(), buckets, heat: None, now };
        let mut counter = Counter::new(&request);
        for (second, errors, millis) in traces {
            counter.add(&Outline {
                first_arrival: Timestamp(second * SECOND),
                errors: *errors,
                duration: Nanos::from_millis(*millis),
                ..Outline::default()
            });
        }
        counter.finish()
    }

    #[test]
    fn the_strip_counts_requests_errors_and_latency_per_bucket() {
        let strip = counted(103, 4, &[(100, 0, 10), (102, 1, 30), (102, 0, 20), (103, 0, 40)]);
        assert_eq!(
            (strip.seconds, strip.requests.as_slice(), strip.errors.as_slice()),
            (1, &[1, 0, 2, 1][..], &[0, 0, 1, 0][..])
        );
        let millis = |p95: u64| Nanos(p95).0 / Nanos::from_millis(1).0;
        assert_eq!(strip.p95.iter().map(|p95| millis(*p95)).collect::<Vec<_>>(), [10, 0, 30, 40]);
        assert_eq!((strip.rate, strip.error_share, millis(strip.p95_all)), (1.0, 0.25, 40));
    }

    #[test]
    fn buckets_grow_until_everything_held_fits() {
        assert_eq!(counted(1_000, 10, &[(999, 0, 1)]).seconds, 1);
        assert_eq!(counted(1_000, 10, &[(985, 0, 1)]).seconds, 2);
        assert_eq!(counted(1_000, 10, &[(1, 0, 1)]).seconds, 120);
        let old = counted(1_800_000_000, 10, &[(1, 0, 1), (1_800_000_000, 0, 1)]);
        assert_eq!((old.seconds, old.requests.iter().sum::<u32>()), (86_400, 1));
        assert_eq!(counted(1_000, 0, &[(5_000, 0, 1)]).requests, [1]);
        assert_eq!(
            counted(0, 3, &[]),
            Strip { seconds: 1, requests: vec![0; 3], errors: vec![0; 3], p95: vec![0; 3], ..Strip::default() }
        );
    }
}

//! What was found: a table, the promises, and a line of JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::flood::{Door, Told};
use crate::steady::Trend;
use crate::walk::{Pressed, Sort};

/// What the program takes beside its budget: itself, its threads, bodies that are being read, frames, and what a reader still
/// looks at while it is replaced.
const BASE: u64 = 64 << 20;
/// Memory may exceed the budget by this share: the allocator rounds up, and does not give back all at once.
const SHARE: f64 = 0.25;
/// Of the rate asked for, the share that must have been reached for the run to say anything.
const REACHED: f64 = 0.9;

/// What the program under test says when it ends.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    held: Count,
    evicted: Count,
    duplicates: u64,
    rejected: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Count {
    spans: u64,
    traces: u64,
}

/// A flood through one door, or through both.
pub(crate) struct Phase {
    pub(crate) ways: &'static [Door],
    pub(crate) told: Told,
    /// Of all threads of the program under test.
    pub(crate) cpu: Duration,
    pub(crate) keys: Vec<Pressed>,
}

/// All that was found.
pub(crate) struct Report {
    pub(crate) budget: u64,
    /// The longest that 99 of 100 keys may wait for their frame.
    pub(crate) within: Duration,
    pub(crate) rate: u64,
    pub(crate) length: Duration,
    /// Memory before the first span.
    pub(crate) base: u64,
    pub(crate) peak: u64,
    pub(crate) samples: Vec<u64>,
    pub(crate) soak: bool,
    pub(crate) verbose: bool,
    pub(crate) phases: Vec<Phase>,
    pub(crate) left: Summary,
}

impl Phase {
    fn name(&self) -> String {
        self.ways.iter().map(|way| way.name()).collect::<Vec<_>>().join(" + ")
    }

    /// Spans a second that were acknowledged, over the time that they were made in.
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    fn rate(&self, length: Duration) -> f64 {
        self.told.acknowledged as f64 / self.told.took.max(length).as_secs_f64()
    }

    /// Nanoseconds of CPU a span.
    fn cost(&self) -> u64 {
        u64::try_from(self.cpu.as_nanos() / u128::from(self.told.acknowledged.max(1))).unwrap_or(u64::MAX)
    }
}

/// The time that `percent` of these keys did not exceed.
fn percentile<'a>(keys: impl Iterator<Item = &'a Pressed>, percent: usize) -> Duration {
    let mut times: Vec<_> = keys.map(|key| key.time).collect();
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100);
    rank.checked_sub(1).and_then(|place| times.get(place)).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Report {
    fn keys(&self) -> impl Iterator<Item = &Pressed> {
        self.phases.iter().flat_map(|phase| &phase.keys)
    }

    fn sum(&self, pick: impl Fn(&Told) -> u64) -> u64 {
        self.phases.iter().map(|phase| pick(&phase.told)).sum()
    }

    /// Spans that were acknowledged, and neither held nor counted as evicted. Negative: more is there than was acknowledged.
    fn lost(&self) -> i128 {
        let taken = self.sum(|told| told.acknowledged) - self.sum(|told| told.rejected);
        i128::from(taken) - i128::from(self.left.held.spans) - i128::from(self.left.evicted.spans)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a budget"
    )]
    fn allowed(&self) -> u64 {
        (self.budget as f64 * (1.0 + SHARE)) as u64 + BASE
    }

    fn trend(&self) -> Option<Trend> {
        self.soak.then(|| Trend::of(&self.samples)).flatten()
    }

    /// Each promise in words, and whether it was kept.
    fn promises(&self) -> Vec<(String, bool)> {
        let (unsaid, broken) = (self.sum(|told| told.unsaid), self.sum(|told| told.broken));
        let unshown = self.keys().filter(|key| key.time >= crate::terminal::PATIENCE).count();
        let slowest = percentile(self.keys(), 99);
        let wanted = REACHED * f64::from(u32::try_from(self.rate).unwrap_or(u32::MAX));
        let least = self.phases.iter().map(|phase| phase.rate(self.length)).fold(f64::INFINITY, f64::min);
        let mut promises = vec![
            (format!("the rate was reached: {least:.0} of {} spans/s", self.rate), least >= wanted),
            (format!("nothing acknowledged is lost: {} spans", self.lost()), self.lost() == 0),
            (format!("every sender got its answer: {broken} did not"), broken == 0),
            (format!("who is refused is told when to come again: {unsaid} were not"), unsaid == 0),
            (
                format!(
                    "memory within 1.25 x {:.0} MiB + {:.0} MiB: peak {:.1} MiB",
                    mebibytes(self.budget),
                    mebibytes(BASE),
                    mebibytes(self.peak)
                ),
                self.peak <= self.allowed(),
            ),
            (format!("every key is shown: {unshown} were not"), unshown == 0 && self.keys().next().is_some()),
            (
                format!("key to frame below {} ms: p99 {} ms", self.within.as_millis(), millis(slowest)),
                slowest < self.within && self.keys().next().is_some(),
            ),
        ];
        if self.soak {
            let words = self.trend().map_or_else(
                || "too short to tell".to_owned(),
                |trend| format!("last third {:+.1} %, line {:+.1} %", trend.thirds * 100.0, trend.rise * 100.0),
            );
            promises.push((format!("memory is flat: {words}"), self.trend().is_some_and(Trend::is_flat)));
        }
        promises
    }

    /// Whether all promises were kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.promises().iter().all(|(_, kept)| *kept)
    }

    /// Prints it.
    pub(crate) fn print(&self) -> Result<()> {
        println!(
            "{} spans/s for {:?} a row into {:.0} MiB; {:.1} MiB resident before the first span",
            self.rate,
            self.length,
            mebibytes(self.budget),
            mebibytes(self.base)
        );
        let head = ["over", "sent", "acknowledged", "retries", "spans/s", "CPU a span", "keys", "p50", "p99", "worst"];
        println!("\n{}", line(&head.map(str::to_owned)));
        for phase in &self.phases {
            let keys = || phase.keys.iter();
            let time = |percent| format!("{} ms", millis(percentile(keys(), percent)));
            println!(
                "{}",
                line(&[
                    phase.name(),
                    phase.told.sent.to_string(),
                    phase.told.acknowledged.to_string(),
                    phase.told.retried.to_string(),
                    format!("{:.0}", phase.rate(self.length)),
                    format!("{} ns", phase.cost()),
                    phase.keys.len().to_string(),
                    time(50),
                    time(99),
                    time(100),
                ])
            );
        }
        self.print_keys();
        let Summary { held, evicted, duplicates, rejected } = &self.left;
        println!(
            "\nheld {} spans in {} traces, evicted {} in {}",
            held.spans, held.traces, evicted.spans, evicted.traces
        );
        println!("duplicates {duplicates}, refused {rejected:?}\n");
        for (words, kept) in self.promises() {
            println!("{} {words}", if kept { "kept  " } else { "BROKEN" });
        }
        println!("\n{}", serde_json::to_string(&self.json())?);
        Ok(())
    }

    fn print_keys(&self) {
        println!();
        for sort in Sort::ALL {
            let of = || self.keys().filter(|key| key.sort == sort);
            let [p50, p99, worst] = [50, 99, 100].map(|percent| millis(percentile(of(), percent)));
            println!("{:<16} {:>6} keys, p50 {p50} ms, p99 {p99} ms, worst {worst} ms", sort.name(), of().count());
        }
        if self.verbose {
            let mut keys: Vec<_> = self.keys().collect();
            keys.sort_by_key(|key| std::cmp::Reverse(key.time));
            for key in keys.iter().take(12) {
                println!("  {} ms  {} ({})", millis(key.time), key.key, key.sort.name());
            }
            let every = self.samples.len().div_ceil(32).max(1);
            let curve: Vec<_> = self.samples.iter().step_by(every).map(|bytes| (bytes >> 20).to_string()).collect();
            println!("resident, MiB: {}", curve.join(" "));
        }
    }

    fn json(&self) -> Value {
        let door = |phase: &Phase| {
            json!({
                "over": phase.name(), "sent": phase.told.sent, "acknowledged": phase.told.acknowledged,
                "retried": phase.told.retried, "spans_per_second": phase.rate(self.length).round(),
                "cpu_ns_per_span": phase.cost(), "keys": phase.keys.len(),
                "key_to_frame_p50_ms": millis(percentile(phase.keys.iter(), 50)),
                "key_to_frame_p99_ms": millis(percentile(phase.keys.iter(), 99)),
            })
        };
        let mut all = json!({
            "kept": self.is_kept(), "rate": self.rate, "seconds": self.length.as_secs_f64(),
            "budget": self.budget, "base": BASE, "resident_before": self.base, "resident_peak": self.peak,
            "resident_allowed": self.allowed(),
            "sent": self.sum(|told| told.sent), "acknowledged": self.sum(|told| told.acknowledged),
            "rejected": self.sum(|told| told.rejected), "retried": self.sum(|told| told.retried),
            "held": self.left.held.spans, "evicted": self.left.evicted.spans,
            "lost": i64::try_from(self.lost()).unwrap_or(i64::MAX),
            "key_to_frame_p50_ms": millis(percentile(self.keys(), 50)),
            "key_to_frame_p99_ms": millis(percentile(self.keys(), 99)),
            "doors": self.phases.iter().map(door).collect::<Vec<_>>(),
        });
        if let (Some(trend), Some(all)) = (self.trend(), all.as_object_mut()) {
            all.insert("resident_last_third".to_owned(), json!(trend.thirds));
            all.insert("resident_rise".to_owned(), json!(trend.rise));
        }
        all
    }
}

fn line(cells: &[String; 10]) -> String {
    let widths = [12, 11, 13, 8, 9, 11, 6, 9, 9, 9];
    let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
    padded.concat()
}

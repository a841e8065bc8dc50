//! What is sent when: stories at a rate, cut into exports as SDKs make them. Pure; the time is handed in.

use std::collections::BTreeMap;
use std::mem;

use super::cast::{EVERYONE, Service};
use super::mix;
use crate::model::{LogRecord, Nanos, Span, Timestamp};
use crate::source::random::Random;

/// How often a service exports what has ended.
const PERIOD: Nanos = Nanos::from_millis(200);

/// Spans a service sends in one export at most, as the SDKs' batch processors do.
const LARGEST: usize = 512;

/// When time jumps further than this (the machine slept), what lies between is skipped and not made up for.
/// The same where it was set back.
const JUMP: Nanos = Nanos::from_secs(10);

/// One export of one service: spans or log records.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Export {
    pub(super) service: Service,
    pub(super) telemetry: Telemetry,
}

/// What is in an export.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Telemetry {
    Spans(Vec<Span>),
    Logs(Vec<LogRecord>),
}

/// The traffic of the demo from its start on. The same seed and rate give the same exports, however often it is
/// asked.
#[derive(Debug)]
pub(super) struct Reel {
    random: Random,
    /// Nanoseconds between two stories on average.
    interval: u64,
    /// When the next story begins, and its number.
    next: (Timestamp, usize),
    /// The end of the last period that was exported.
    done: Timestamp,
    spans: BTreeMap<Service, Vec<Span>>,
    logs: BTreeMap<Service, Vec<LogRecord>>,
}

impl Reel {
    /// Traffic from `start` on: `rate` stories a second, between one in 1,000 seconds and 10,000 a second.
    pub(super) fn new(seed: u64, rate: f64, start: Timestamp) -> Self {
        let rate = if rate.is_finite() { rate.clamp(0.001, 10_000.0) } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1e5 and 1e12")]
        let interval = (1e9 / rate) as u64;
        let (random, next) = (Random::new(seed), (start, 0));
        Self { random, interval, next, done: start, spans: BTreeMap::new(), logs: BTreeMap::new() }
    }

    /// When it has something to send next, at the earliest.
    pub(super) fn wakes(&self) -> Timestamp {
        self.done.plus(PERIOD)
    }

    /// What is to be sent up to `now`, in order.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Export> {
        if now.since(self.done) > JUMP || self.done.since(now) > JUMP {
            self.done = now;
            self.next.0 = now;
        }
        let mut exports = Vec::new();
        while self.wakes() <= now {
            self.done = self.wakes();
            self.tell();
            self.export(&mut exports);
        }
        exports
    }

    /// Tells the stories that begin before the end of the period.
    fn tell(&mut self) {
        while self.next.0 <= self.done {
            let (start, number) = self.next;
            let story = mix::story(&mut self.random, number, start);
            for span in story.spans {
                let service = service_of(&span.resource);
                self.spans.entry(service).or_default().push(span);
            }
            for record in story.logs {
                let service = service_of(&record.resource);
                self.logs.entry(service).or_default().push(record);
            }
            let pause = self.interval / 2 + self.random.between(0, self.interval);
            self.next = (start.plus(Nanos(pause)), number + 1);
        }
    }

    /// Takes what has ended by the end of the period, children before their parents, a batch for each service.
    fn export(&mut self, exports: &mut Vec<Export>) {
        let done = self.done;
        for service in EVERYONE {
            let spans = self.spans.entry(service).or_default();
            let (mut ended, running): (Vec<_>, Vec<_>) =
                mem::take(spans).into_iter().partition(|span| span.end <= done);
            *spans = running;
            ended.sort_by_key(|span| (span.end, std::cmp::Reverse(span.start)));
            for batch in ended.chunks(LARGEST) {
                exports.push(Export { service, telemetry: Telemetry::Spans(batch.to_vec()) });
            }
            let logs = self.logs.entry(service).or_default();
            let (written, later): (Vec<_>, Vec<_>) =
                mem::take(logs).into_iter().partition(|record| record.time <= done);
            *logs = later;
            for batch in written.chunks(LARGEST) {
                exports.push(Export { service, telemetry: Telemetry::Logs(batch.to_vec()) });
            }
        }
    }
}

fn service_of(resource: &crate::model::Resource) -> Service {
    let name = crate::model::lookup(&resource.attributes, "service.name");
    let is = |service: &Service| matches!(name, Some(crate::model::Value::Text(text)) if *text == *service.name());
    EVERYONE.into_iter().find(is).unwrap_or(EVERYONE[0])
}

//! When services began anew: another process of one sends, or another version of it.
//!
//! Nothing of this is looked at per span. A resource is looked at once for each segment whose dictionary it enters. Only for a while
//! after a launch each body's resources are looked at: where a process from before still works, the service did not begin anew but
//! grew, and the launch is taken back.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::model::Timestamp;
use crate::otlp::{AttributeValue, peek};

/// Launches that are kept: the latest.
const MOST: usize = 200;
/// Services that are watched.
const SERVICES: usize = 4096;
/// Processes of one service that are told apart; of one that has more, new ones say nothing.
const PROCESSES: usize = 64;
/// Another process of a service within this time of the last launch belongs to that: workers of one server start together.
const TOGETHER: u64 = 5_000_000_000;

/// For how long after a launch processes from before are looked for.
const DOUBT: u64 = 300_000_000_000;

/// A service began anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The service.
    pub service: Arc<str>,
    /// Its version, where it is one that was not seen before.
    pub version: Option<Arc<str>>,
    /// When the first of its spans that came with it began; where they do not say, when they came.
    pub at: Timestamp,
}

/// The latest launches, the last one last, and how many there were in all. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launches {
    latest: Arc<Vec<Launch>>,
    /// In all.
    pub ever: u64,
    /// Those that turned out to be none: the latest.
    withdrawn: Arc<Vec<Launch>>,
    /// How many those are in all.
    pub withdrawn_ever: u64,
}

impl Launches {
    /// Those since there were `seen` in all, as far as they are kept.
    pub fn since(&self, seen: u64) -> impl Iterator<Item = &Launch> {
        last(&self.latest, self.ever.saturating_sub(seen))
    }

    /// Those that turned out to be none since there were `seen` of these.
    pub fn withdrawn_since(&self, seen: u64) -> impl Iterator<Item = &Launch> {
        last(&self.withdrawn, self.withdrawn_ever.saturating_sub(seen))
    }
}

/// The last so many.
fn last(list: &[Launch], count: u64) -> impl Iterator<Item = &Launch> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    list.iter().skip(list.len().saturating_sub(count))
}

fn keep(list: &mut Arc<Vec<Launch>>, launch: Launch) {
    let list = Arc::make_mut(list);
    list.push(launch);
    list.drain(..list.len().saturating_sub(MOST));
}

/// What is known of each service.
#[derive(Debug, Default)]
pub(super) struct Watch {
    services: HashMap<Box<[u8]>, Known>,
    launches: Launches,
    /// Launches that may be none.
    doubts: Vec<Doubt>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Default)]
struct Known {
    processes: HashSet<u64>,
    versions: HashSet<u64>,
    last: Timestamp,
}

/// A launch without another version: another process is there, and it is not known yet whether those from before have gone.
#[derive(Debug)]
struct Doubt {
    launch: Launch,
    /// As its resources say it.
    service: Box<[u8]>,
    /// The processes from before.
    before: HashSet<u64>,
}

/// What tells a process of a service from others.
struct Told<'a> {
    service: &'a [u8],
    version: Option<&'a [u8]>,
    process: Option<u64>,
}

fn told(resource: &[u8]) -> Told<'_> {
    let mut told = Told { service: b"unknown_service", version: None, process: None };
    let mut hasher = DefaultHasher::new();
    for (key, value, _) in peek::resource_attributes(resource) {
        match (key, value) {
            (b"service.name", AttributeValue::Text(name)) => told.service = name,
            (b"service.version", AttributeValue::Text(version)) => told.version = Some(version),
            (b"service.instance.id", AttributeValue::Text(id)) => {
                (key, id).hash(&mut hasher);
                told.process = Some(hasher.finish());
            }
            (b"process.pid", AttributeValue::Int(pid)) => {
                (key, pid).hash(&mut hasher);
                told.process = Some(hasher.finish());
            }
            _ => {}
        }
    }
    told
}

impl Watch {
    /// A resource came that had not been seen for a while. `came` says when the first span of a service began that came with it,
    /// `began` when the first of its own did: one body may tell of the time before a launch and of that after it.
    pub(super) fn notice(
        &mut self,
        resource: &[u8],
        came: impl FnOnce(&[u8]) -> Timestamp,
        began: impl FnOnce() -> Option<Timestamp>,
    ) {
        let Told { service, version, process } = told(resource);
        if version.is_none() && process.is_none() {
            return;
        }
        let full = self.services.len() >= SERVICES;
        let hash = |value: &[u8]| self.hasher.hash_one(value);
        let Some(known) = self.services.get_mut(service) else {
            if !full {
                let known = Known {
                    processes: process.into_iter().collect(),
                    versions: version.map(hash).into_iter().collect(),
                    last: came(service),
                };
                self.services.insert(service.into(), known);
            }
            return;
        };
        let other_version = version.filter(|version| {
            known.versions.len() < PROCESSES && known.versions.insert(hash(version)) && known.versions.len() > 1
        });
        let other_process = process.is_some_and(|process| {
            known.processes.len() < PROCESSES && known.processes.insert(process) && known.processes.len() > 1
        });
        if other_version.is_none() && !other_process {
            return;
        }
        let at = began().unwrap_or_else(|| came(service));
        let together = at.0.abs_diff(known.last.0) < TOGETHER;
        known.last = known.last.max(at);
        if together && other_version.is_none() {
            return;
        }
        let text = |bytes: &[u8]| -> Arc<str> { String::from_utf8_lossy(bytes).into() };
        let launch = Launch { service: text(service), version: other_version.map(text), at };
        if launch.version.is_none() {
            let before = known.processes.iter().copied().filter(|one| Some(*one) != process).collect();
            self.doubts.push(Doubt { launch: launch.clone(), service: service.into(), before });
            self.doubts.drain(..self.doubts.len().saturating_sub(MOST));
        }
        keep(&mut self.launches.latest, launch);
        self.launches.ever += 1;
    }

    /// Whether bodies are to be looked at.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// An `ExportTraceServiceRequest` came: where it is of a process from before a launch, and that still works, the launch was none.
    pub(super) fn look(&mut self, body: &[u8]) {
        for (resource, last) in peek::resources(body) {
            let Told { service, process, .. } = told(resource);
            let launches = &mut self.launches;
            self.doubts.retain(|doubt| {
                if *doubt.service != *service {
                    return true;
                }
                let since = last.saturating_sub(doubt.launch.at.0);
                let works = since >= TOGETHER && process.is_some_and(|process| doubt.before.contains(&process));
                if works && since <= DOUBT {
                    keep(&mut launches.withdrawn, doubt.launch.clone());
                    launches.withdrawn_ever += 1;
                }
                !works && since <= DOUBT
            });
        }
    }

    /// The launches so far.
    pub(super) fn publish(&self) -> Launches {
        self.launches.clone()
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        let processes = |all: &HashSet<u64>| all.len() * 16;
        let known: usize = self.services.values().map(|known| processes(&known.processes)).sum();
        let doubts: usize = self.doubts.iter().map(|doubt| 256 + processes(&doubt.before)).sum();
        self.services.len() * 256 + known + doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TraceNotes;
    use crate::index::{Options, open};
    use crate::model::{Attribute, Resource, SourceId, Span, SpanId, TraceId, Value};
    use crate::otlp::encode;

    fn resource(pid: i64, version: &str) -> Vec<u8> {
        let pair = |key: &str, value| Attribute { key: key.into(), value };
        let attributes = vec![
            pair("service.name", Value::Text("shop".into())),
            pair("process.pid", Value::Int(pid)),
            pair("service.version", Value::Text(version.into())),
        ];
        encode::resource(&Resource { attributes, ..Resource::default() })
    }

    fn launched(resources: &[(i64, &str, u64)]) -> Vec<(Option<String>, u64)> {
        let mut watch = Watch::default();
        for (pid, version, second) in resources {
            watch.notice(&resource(*pid, version), |_| Timestamp(second * 1_000_000_000), || None);
        }
        let launches = watch.publish();
        let told = |launch: &Launch| (launch.version.as_deref().map(str::to_owned), launch.at.0 / 1_000_000_000);
        launches.since(0).map(told).collect()
    }

    #[test]
    fn another_process_is_a_restart_and_another_version_says_so() {
        let all = [(1, "a", 0), (1, "a", 10), (2, "a", 20), (3, "b", 30), (3, "b", 40), (1, "a", 50)];
        assert_eq!(launched(&all), [(None, 20), (Some("b".to_owned()), 30)]);
    }

    /// A body with a span of that process that began in that second.
    fn body(pid: i64, second: u64) -> Vec<u8> {
        let pair = |key: &str, value| Attribute { key: key.into(), value };
        let attributes = vec![
            pair("service.name", Value::Text("shop".into())),
            pair("process.pid", Value::Int(pid)),
            pair("service.version", Value::Text("a".into())),
        ];
        let span = Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([1; 8]),
            start: Timestamp(second * 1_000_000_000),
            resource: Arc::new(Resource { attributes, ..Resource::default() }),
            ..Span::default()
        };
        encode::spans(&[span])
    }

    #[test]
    fn a_service_that_grows_did_not_begin_anew() {
        // The second of what processes 1 and 2 send after 2 came at second 100, and whether the launch stands.
        let cases: [(&[(i64, u64)], bool); 5] = [
            (&[], true),
            // What was left in the queue of the process that ended.
            (&[(2, 101), (1, 99), (1, 104)], true),
            (&[(2, 101), (2, 200)], true),
            (&[(2, 101), (1, 105)], false),
            // Long afterwards it is another matter.
            (&[(2, 401), (1, 500)], true),
        ];
        for (bodies, stands) in cases {
            let mut watch = Watch::default();
            for (pid, second) in [(1, 0), (2, 100)] {
                watch.notice(&resource(pid, "a"), |_| Timestamp(second * 1_000_000_000), || None);
            }
            assert!(watch.is_in_doubt());
            for (pid, second) in bodies {
                watch.look(&body(*pid, *second));
            }
            let launches = watch.publish();
            assert_eq!((launches.ever, launches.withdrawn_since(0).count()), (1, usize::from(!stands)), "{bodies:?}");
        }
    }

    #[test]
    fn another_version_is_a_launch_though_the_old_one_still_works() {
        let mut watch = Watch::default();
        for (pid, version, second) in [(1, "a", 0), (2, "b", 100)] {
            watch.notice(&resource(pid, version), |_| Timestamp(second * 1_000_000_000), || None);
        }
        assert!(!watch.is_in_doubt());
        watch.look(&body(1, 150));
        assert_eq!(watch.publish().withdrawn_since(0).count(), 0);
    }

    #[test]
    fn workers_that_start_together_are_one_launch() {
        assert_eq!(launched(&[(1, "a", 100), (2, "a", 101), (3, "a", 102)]), []);
        assert_eq!(launched(&[(1, "a", 100), (2, "a", 120), (3, "a", 121)]), [(None, 120)]);
    }

    #[test]
    fn a_service_with_a_process_for_each_request_is_not_launched_each_time() {
        let many: Vec<(i64, &str, u64)> = (0..500_i64).map(|pid| (pid, "a", 60 * pid.unsigned_abs())).collect();
        assert_eq!(launched(&many).len(), PROCESSES - 1);
    }

    #[test]
    fn only_new_launches_are_told() {
        let mut watch = Watch::default();
        for pid in 0..3_i64 {
            watch.notice(&resource(pid, "a"), |_| Timestamp(pid.unsigned_abs() * 60_000_000_000), || None);
        }
        let launches = watch.publish();
        assert_eq!((launches.ever, launches.since(1).count(), launches.since(2).count()), (2, 1, 0));
    }

    /// The mark stood where the first span of the service began, of whichever version.
    #[test]
    fn a_body_that_tells_of_two_versions_says_when_the_second_began() {
        let span = |number: u8, version: &str| {
            let pair = |key: &str, value: &str| Attribute { key: key.into(), value: Value::Text(value.into()) };
            let attributes = vec![pair("service.name", "shop"), pair("service.version", version)];
            Span {
                trace_id: TraceId([number; 16]),
                span_id: SpanId([number; 8]),
                resource: Arc::new(Resource { attributes, ..Resource::default() }),
                start: Timestamp(u64::from(number) * 1_000_000_000),
                ..Span::default()
            }
        };
        let (mut writer, reader) = open(Options::new(u64::MAX), TraceNotes::default());
        let body = encode::spans(&[span(1, "a"), span(2, "a"), span(40, "b"), span(30, "b")]);
        writer.insert_spans(SourceId(0), &body, Timestamp(99)).unwrap();
        writer.publish();
        let view = reader.view();
        let launches: Vec<_> = view.stats().launches.since(0).collect();
        let expected = Launch { service: "shop".into(), version: Some("b".into()), at: Timestamp(30_000_000_000) };
        assert_eq!(launches, [&expected]);
    }
}

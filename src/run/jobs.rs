//! The worker threads: everything heavy that the screen asks for. Of each kind only the latest request counts, so a queue never
//! grows, and a search is cancelled by the next one.

use std::collections::VecDeque;
use std::io;
use std::mem::{Discriminant, discriminant};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use super::clock;
use crate::analysis::slow_sql::Thresholds;
use crate::app::{Answer, Effect, work};
use crate::index::Reader;
use crate::view::Highlighter;

/// The workers, from outside. Dropping it ends them after what they are at.
pub(super) struct Jobs {
    searches: Arc<Lane>,
    readings: Arc<Lane>,
    latest_search: Arc<AtomicU64>,
}

impl Jobs {
    /// Starts the workers; they put what they find into `answers`.
    pub(super) fn start(reader: &Reader, thresholds: Thresholds, answers: &mpsc::Sender<Answer>) -> io::Result<Self> {
        let (searches, readings) = (Arc::new(Lane::default()), Arc::new(Lane::default()));
        let latest_search = Arc::new(AtomicU64::new(0));
        for (name, lane) in [("search", &searches), ("reading", &readings)] {
            let worker = Worker {
                reader: reader.clone(),
                thresholds,
                highlighter: Highlighter::default(),
                latest_search: Arc::clone(&latest_search),
            };
            let (lane, answers) = (Arc::clone(lane), answers.clone());
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                while let Some(effect) = lane.take() {
                    let Some(answer) = worker.work(effect) else { continue };
                    if answers.blocking_send(answer).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(Self { searches, readings, latest_search })
    }

    /// Queues a request, in place of one of its kind that waits.
    pub(super) fn push(&self, effect: Effect) {
        if let Effect::List { generation, .. } = &effect {
            self.latest_search.store(*generation, Ordering::Release);
            self.searches.push(effect);
        } else {
            self.readings.push(effect);
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.searches.close();
        self.readings.close();
    }
}

struct Worker {
    reader: Reader,
    thresholds: Thresholds,
    highlighter: Highlighter,
    latest_search: Arc<AtomicU64>,
}

impl Worker {
    fn work(&self, effect: Effect) -> Option<Answer> {
        let view = self.reader.view();
        Some(match effect {
            Effect::List { generation, query, sort, buckets } => {
                let cancelled = || self.latest_search.load(Ordering::Acquire) != generation;
                let request = work::ListRequest { generation, query: &query, sort, buckets, now: clock::now() };
                work::list(&view, &request, &cancelled)
            }
            Effect::Open { generation, trace, folds, find } => {
                let request =
                    work::OpenRequest { generation, trace, folds: &folds, find: find.as_deref(), now: clock::now() };
                work::open(&view, &request, &self.thresholds)
            }
            Effect::Preview { trace } => return work::preview(&view, trace, &self.thresholds),
            Effect::Flatten { generation, analysis, folds } => work::flatten(generation, &analysis, &folds),
            Effect::Find { generation, analysis, query } => {
                work::find((&view, clock::now()), generation, &analysis, &query)
            }
            Effect::Detail { trace, span, columns, mask } => {
                let highlight = |language, text: &str, columns| self.highlighter.highlight(language, text, columns);
                let mask = mask.as_ref().map(|settings| &settings.redactor);
                work::detail(&view, &work::DetailRequest { trace, span, columns, mask }, &highlight)
            }
            Effect::Complete { text, cursor } => work::complete(&view, text, cursor),
            Effect::Copy { .. } | Effect::Keep(_) | Effect::Demo(_) | Effect::Quit => return None,
        })
    }
}

/// A queue in which each kind of request has one place.
#[derive(Default)]
struct Lane {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<(Discriminant<Effect>, Effect)>,
    closed: bool,
}

impl Lane {
    fn push(&self, effect: Effect) {
        let kind = discriminant(&effect);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.jobs.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, place)) => *place = effect,
            None => waiting.jobs.push_back((kind, effect)),
        }
        self.changed.notify_one();
    }

    /// The next job; `None` when the lane is closed.
    fn take(&self) -> Option<Effect> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if waiting.closed {
                return None;
            }
            if let Some((_, effect)) = waiting.jobs.pop_front() {
                return Some(effect);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_only_the_latest_request_waits() {
        let lane = Lane::default();
        let complete = |text: &str| Effect::Complete { text: text.to_owned(), cursor: 0 };
        lane.push(complete("a"));
        lane.push(Effect::Quit);
        lane.push(complete("ab"));
        assert!(matches!(lane.take(), Some(Effect::Complete { text, .. }) if text == "ab"));
        assert!(matches!(lane.take(), Some(Effect::Quit)));
        lane.close();
        assert!(lane.take().is_none());
    }
}

//! The worker threads: everything heavy that the screen asks for. Of each kind only the latest request counts, so a queue never
//! grows, and a search is cancelled by the next one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem::{Discriminant, discriminant};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use super::clock;
use crate::analysis::Thresholds;
use crate::app::{Answer, Effect, work};
use crate::index::{Reader, View};
use crate::view::Highlighter;

/// The workers, from outside. Dropping it ends them after what they are at.
pub(super) struct Jobs {
    searches: Arc<Lane>,
    readings: Arc<Lane>,
    counts: Arc<Lane>,
    surveys: Arc<Lane>,
    latest_search: Arc<AtomicU64>,
    latest_count: Arc<AtomicU64>,
    latest_survey: Arc<AtomicU64>,
}

impl Jobs {
    /// Starts the workers; they put what they find into `answers`.
    pub(super) fn start(reader: &Reader, thresholds: Thresholds, answers: &mpsc::Sender<Answer>) -> io::Result<Self> {
        let [searches, readings, counts, surveys] = [(); 4].map(|()| Arc::new(Lane::default()));
        let [latest_search, latest_count, latest_survey] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
        for (name, lane) in [("search", &searches), ("reading", &readings), ("counting", &counts), ("survey", &surveys)]
        {
            let worker = Worker {
                reader: reader.clone(),
                thresholds,
                highlighter: Highlighter::default(),
                latest_search: Arc::clone(&latest_search),
                latest_count: Arc::clone(&latest_count),
                latest_survey: Arc::clone(&latest_survey),
                desk: RefCell::default(),
                answers: answers.clone(),
            };
            let (lane, answers) = (Arc::clone(lane), answers.clone());
            let heavy = name != "reading";
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                if heavy {
                    step_back();
                }
                while let Some(effect) = lane.take() {
                    let Some(answer) = worker.work(&effect) else { continue };
                    if answers.blocking_send(answer).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(Self { searches, readings, counts, surveys, latest_search, latest_count, latest_survey })
    }

    /// Queues a request, in place of one of its kind that waits.
    pub(super) fn push(&self, effect: Effect) {
        match &effect {
            Effect::List { generation, .. } => {
                self.latest_search.store(*generation, Ordering::Release);
                self.searches.push(effect);
            }
            Effect::Values { generation, .. } => {
                self.latest_count.store(*generation, Ordering::Release);
                self.counts.push(effect);
            }
            Effect::Baseline { .. } | Effect::Judge { .. } | Effect::Mark(_) => self.counts.push(effect),
            Effect::Survey { generation, .. } => {
                self.latest_survey.store(*generation, Ordering::Release);
                self.surveys.push(effect);
            }
            _ => self.readings.push(effect),
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.searches.close();
        self.readings.close();
        self.counts.close();
        self.surveys.close();
        // What is being counted would otherwise be waited for by nobody, but go on.
        self.latest_count.store(u64::MAX, Ordering::Release);
        self.latest_survey.store(u64::MAX, Ordering::Release);
    }
}

/// Has this thread step back behind all others: what looks at everything held would otherwise have keys and senders wait
/// where cores are few. Only Linux has this for one thread.
#[cfg(target_os = "linux")]
fn step_back() {
    const BEHIND: i32 = 5;
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::warn!(%error, "searches go on at the priority of the screen");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

struct Worker {
    reader: Reader,
    thresholds: Thresholds,
    highlighter: Highlighter,
    latest_search: Arc<AtomicU64>,
    latest_count: Arc<AtomicU64>,
    latest_survey: Arc<AtomicU64>,
    /// What is kept from one piece of work to the next.
    desk: RefCell<work::Desk>,
    /// Where what was found so far goes.
    answers: mpsc::Sender<Answer>,
}

impl Worker {
    /// Whether so much has left the index since `view` was taken that holding on to it costs too much memory: what was found
    /// by then is shown, and the next search begins anew.
    fn is_left_behind(&self, view: &View) -> bool {
        const SHARE: u64 = 10;
        let (then, now) = (view.stats(), self.reader.view());
        now.stats().spans_evicted.saturating_sub(then.spans_evicted) > then.spans / SHARE
    }

    fn work(&self, effect: &Effect) -> Option<Answer> {
        let view = self.reader.view();
        let stop = |latest: &AtomicU64, generation: u64| latest.load(Ordering::Acquire) != generation;
        let cancelled = || match effect {
            Effect::List { generation, .. } => stop(&self.latest_search, *generation) || self.is_left_behind(&view),
            Effect::Survey { generation, .. } => stop(&self.latest_survey, *generation),
            Effect::Values { generation, .. } => stop(&self.latest_count, *generation),
            _ => false,
        };
        let means = work::Means {
            view: &view,
            now: clock::now(),
            thresholds: &self.thresholds,
            highlight: &|language, text, columns| self.highlighter.highlight(language, text, columns),
            cancelled: &cancelled,
        };
        let mut so_far = |answer| {
            // Nobody listens any more at the end only.
            let _ = self.answers.blocking_send(answer);
        };
        self.desk.borrow_mut().work(effect, &means, &mut so_far)
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
        let complete = |text: &str| Effect::Complete { text: text.to_owned(), cursor: 0, names: Vec::new() };
        lane.push(complete("a"));
        lane.push(Effect::Quit);
        lane.push(complete("ab"));
        assert!(matches!(lane.take(), Some(Effect::Complete { text, .. }) if text == "ab"));
        assert!(matches!(lane.take(), Some(Effect::Quit)));
        lane.close();
        assert!(lane.take().is_none());
    }
}

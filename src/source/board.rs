//! What the sources say of themselves: doors, counts, and the mistakes of their senders. Written by the
//! sources, read at each frame.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::{
    Asked, Door, DoorState, Mishap, Names, Nanos, Progress, Reading, Receipt, RejectReason, SearchState, Signal,
    SourceHealth, SourceId, Standing, Timestamp,
};

/// Mishaps kept; older ones are forgotten.
const MISHAPS: usize = 32;
/// Notes kept of each source.
const NOTES: usize = 4;

/// The sources' state, shared. Every method takes a short lock and does no I/O.
#[derive(Debug, Default)]
pub struct Board {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sources: Vec<Entry>,
    mishaps: VecDeque<Noted>,
    /// Senders that are sources of their own, whatever door they come through.
    guests: BTreeMap<SocketAddr, SourceId>,
    revision: u64,
}

#[derive(Debug, Default)]
struct Entry {
    health: SourceHealth,
    rate: Rate,
    control: watch::Sender<Control>,
    lossy: bool,
}

/// What a person wants of a source. Its task follows it through [`Board::control`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Take and fetch nothing.
    pub paused: bool,
    /// How often it was asked to try at once; a task waiting for its next try wakes up when it rises.
    pub retries: u64,
    /// How often it was asked to leave off a search that goes on.
    pub stops: u64,
    /// How often it was asked to go on with a search that was left off.
    pub onwards: u64,
}

/// A sender that is a source of its own: [`Board::introduce`].
#[derive(Debug)]
pub struct Guest {
    board: Arc<Board>,
    peer: SocketAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.board.lock().guests.remove(&self.peer);
    }
}

#[derive(Debug)]
struct Noted {
    key: String,
    mishap: Mishap,
}

/// A mistake to be shown. Two with the same `what` and `advice` are the same mistake, whoever makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What arrived and where, without control characters: `POST / over HTTP/1.1 arrived at 4317`.
    pub what: String,
    /// What is wrong and what to set instead.
    pub advice: String,
    /// Who sent it.
    pub peer: SocketAddr,
}

impl Board {
    /// Makes a source known under `name`, with the doors it has or wants.
    pub fn register(&self, name: &str, doors: Vec<Door>) -> SourceId {
        let mut inner = self.change();
        let id = SourceId(u16::try_from(inner.sources.len()).unwrap_or(u16::MAX));
        let health = SourceHealth { id, name: name.to_owned(), doors, ..SourceHealth::default() };
        inner.sources.push(Entry { health, ..Entry::default() });
        id
    }

    /// Says where a source is: a URL without secrets, a file.
    pub fn set_place(&self, source: SourceId, place: &str) {
        self.change_source(source, |health| place.clone_into(&mut health.place));
    }

    /// Says what a source is asked, and which part of the filter is applied where. What was noted of earlier answers goes.
    pub fn set_asked(&self, source: SourceId, asked: Asked) {
        self.change_source(source, |health| {
            health.asked = Some(Arc::new(asked));
            health.notes.clear();
        });
    }

    /// Says that a source is asked for nothing any more.
    pub fn unset_asked(&self, source: SourceId) {
        self.change_source(source, |health| {
            health.asked = None;
            health.notes.clear();
        });
    }

    /// Says how far a search has come.
    pub fn set_progress(&self, source: SourceId, progress: Progress, state: SearchState) {
        self.change_source(source, |health| {
            if let Some(asked) = health.asked.as_mut() {
                let asked = Arc::make_mut(asked);
                (asked.progress, asked.state) = (progress, state);
            }
        });
    }

    /// Notes what a source said or did that a person should know, though it answered. Each is noted once.
    pub fn note(&self, source: SourceId, note: &str) {
        self.change_source(source, |health| {
            if !health.notes.iter().any(|known| known == note) {
                health.notes.push(note.to_owned());
                health.notes.drain(..health.notes.len().saturating_sub(NOTES));
            }
        });
    }

    /// Says what a source calls things.
    pub fn set_names(&self, source: SourceId, names: Arc<Names>) {
        self.change_source(source, |health| health.names = names);
    }

    /// Has a source leave off a search that takes many requests; what it found stays.
    pub fn stop_search(&self, source: SourceId) {
        self.command(source, |control| control.stops += 1);
    }

    /// Has a source go on with a search that was left off, or came to the end of its requests.
    pub fn search_on(&self, source: SourceId) {
        self.command(source, |control| control.onwards += 1);
    }

    /// Says where a source's own page of a trace is, before the trace's id.
    pub fn set_page(&self, source: SourceId, page: Option<String>) {
        self.change_source(source, |health| health.page = page);
    }

    /// Says how a source stands.
    pub fn set_standing(&self, source: SourceId, standing: Standing, now: Timestamp) {
        self.change_source(source, |health| {
            if let Standing::Error { error, .. } = &standing {
                health.last_error = Some((now, error.clone()));
            }
            health.standing = standing;
        });
    }

    /// Says how long a source took for its latest answer.
    pub fn set_latency(&self, source: SourceId, latency: Nanos) {
        self.change_source(source, |health| health.latency = Some(latency));
    }

    /// Pauses a source, or lets it go on.
    pub fn pause(&self, source: SourceId, paused: bool) {
        self.change_source(source, |health| health.paused = paused);
        self.command(source, |control| control.paused = paused);
    }

    /// Has a source try at once what it waits to try again.
    pub fn retry(&self, source: SourceId) {
        self.command(source, |control| control.retries += 1);
    }

    /// What a person wants of a source, now and from now on; `None` where there is no such source.
    #[must_use]
    pub fn control(&self, source: SourceId) -> Option<watch::Receiver<Control>> {
        self.lock().sources.get(usize::from(source.0)).map(|entry| entry.control.subscribe())
    }

    /// Says that what comes from `peer` is of this source, whatever door it comes through, until the answer is dropped.
    pub fn introduce(self: &Arc<Self>, peer: SocketAddr, source: SourceId) -> Guest {
        self.lock().guests.insert(peer, source);
        Guest { board: Arc::clone(self), peer }
    }

    /// Which source comes from there, where that is known.
    #[must_use]
    pub fn guest(&self, peer: SocketAddr) -> Option<SourceId> {
        self.lock().guests.get(&peer).copied()
    }

    /// Says that what a source gives lacks things that were sent, before it gives anything.
    pub fn set_lossy(&self, source: SourceId) {
        if let Some(entry) = self.change().sources.get_mut(usize::from(source.0)) {
            entry.lossy = true;
        }
    }

    /// Whether that was said.
    #[must_use]
    pub fn is_lossy(&self, source: SourceId) -> bool {
        self.lock().sources.get(usize::from(source.0)).is_some_and(|entry| entry.lossy)
    }

    /// Whether a person paused it.
    #[must_use]
    pub fn is_paused(&self, source: SourceId) -> bool {
        self.lock().sources.get(usize::from(source.0)).is_some_and(|entry| entry.health.paused)
    }

    fn change_source(&self, source: SourceId, change: impl FnOnce(&mut SourceHealth)) {
        if let Some(entry) = self.change().sources.get_mut(usize::from(source.0)) {
            change(&mut entry.health);
        }
    }

    fn command(&self, source: SourceId, change: impl FnOnce(&mut Control)) {
        if let Some(entry) = self.lock().sources.get(usize::from(source.0)) {
            entry.control.send_modify(change);
        }
    }

    /// What a source is called; `None` where there is no such source.
    #[must_use]
    pub fn name(&self, source: SourceId) -> Option<String> {
        self.lock().sources.get(usize::from(source.0)).map(|entry| entry.health.name.clone())
    }

    /// Sets the state of the door at `address`.
    pub fn set_door(&self, source: SourceId, address: SocketAddr, state: DoorState) {
        let mut inner = self.change();
        let Some(entry) = inner.sources.get_mut(usize::from(source.0)) else { return };
        match entry.health.doors.iter_mut().find(|door| door.address == address) {
            Some(door) => door.state = state,
            None => entry.health.doors.push(Door { address, state }),
        }
    }

    /// Counts what became of a body of `source`.
    pub fn count(&self, source: SourceId, signal: Signal, receipt: &Receipt, now: Timestamp) {
        let mut inner = self.change();
        let Some(entry) = inner.sources.get_mut(usize::from(source.0)) else { return };
        entry.health.last_arrival = Some(now);
        if receipt.accepted > 0 {
            *entry.health.accepted.entry(signal).or_default() += receipt.accepted;
        }
        for (reason, count) in &receipt.rejected {
            *entry.health.rejected.entry(*reason).or_default() += count;
        }
        if signal == Signal::Traces {
            entry.rate.add(receipt.accepted, now);
        }
    }

    /// Counts one body (or request) that `source` refused whole.
    pub fn reject(&self, source: SourceId, reason: RejectReason) {
        let mut inner = self.change();
        let Some(entry) = inner.sources.get_mut(usize::from(source.0)) else { return };
        *entry.health.rejected.entry(reason).or_default() += 1;
    }

    /// Changes what is known of how far a file has been read.
    pub fn reading(&self, source: SourceId, change: impl FnOnce(&mut Reading)) {
        let mut inner = self.change();
        let Some(entry) = inner.sources.get_mut(usize::from(source.0)) else { return };
        change(entry.health.reading.get_or_insert_default());
    }

    /// Notes a sender's mistake. The same mistake again moves to the end and counts up.
    pub fn mishap(&self, note: &Note, now: Timestamp) {
        let key = format!("{}\n{}", note.what, note.advice);
        let mut inner = self.change();
        let known = inner.mishaps.iter().position(|noted| noted.key == key);
        let count = known.and_then(|at| inner.mishaps.remove(at)).map_or(0, |noted| noted.mishap.count) + 1;
        if inner.mishaps.len() >= MISHAPS {
            inner.mishaps.pop_front();
        }
        let what = format!("{} from {}", note.what, note.peer);
        inner.mishaps.push_back(Noted { key, mishap: Mishap { at: now, what, advice: note.advice.clone(), count } });
    }

    /// The state of every source, in order of its id.
    #[must_use]
    pub fn sources(&self, now: Timestamp) -> Vec<SourceHealth> {
        let inner = self.lock();
        let health =
            |entry: &Entry| SourceHealth { spans_per_second: entry.rate.per_second(now), ..entry.health.clone() };
        inner.sources.iter().map(health).collect()
    }

    /// The latest mistakes of senders, newest last; at most 32.
    #[must_use]
    pub fn mishaps(&self) -> Vec<Mishap> {
        self.lock().mishaps.iter().map(|noted| noted.mishap.clone()).collect()
    }

    /// Rises with every change, so that a reader can tell whether there is anything new.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.lock().revision
    }

    fn change(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        inner.revision += 1;
        inner
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts per second of the clock: the last full second is the rate.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    second: u64,
    running: u64,
    full: u64,
}

impl Rate {
    fn add(&mut self, count: u64, now: Timestamp) {
        let second = now.0 / 1_000_000_000;
        if second != self.second {
            self.full = if second == self.second + 1 { self.running } else { 0 };
            self.second = second;
            self.running = 0;
        }
        self.running += count;
    }

    fn per_second(self, now: Timestamp) -> u64 {
        match (now.0 / 1_000_000_000).saturating_sub(self.second) {
            0 => self.full,
            1 => self.running,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(path: &str, port: u16) -> Note {
        Note { what: format!("POST {path}"), advice: "no".to_owned(), peer: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    #[test]
    fn repeated_mishaps_are_merged_by_count_and_stay_bounded() {
        let board = Board::default();
        board.mishap(&note("/a", 1), Timestamp(1));
        board.mishap(&note("/b", 2), Timestamp(2));
        board.mishap(&note("/a", 3), Timestamp(3));
        let mishaps = board.mishaps();
        assert_eq!(mishaps.len(), 2);
        assert_eq!(mishaps[1].what, "POST /a from 127.0.0.1:3");
        assert_eq!((mishaps[1].count, mishaps[1].at), (2, Timestamp(3)));
        for turn in 0..100 {
            board.mishap(&note(&format!("/{turn}"), 9), Timestamp(9));
        }
        assert_eq!(board.mishaps().len(), MISHAPS);
    }

    #[test]
    fn rate_is_that_of_the_last_full_second() {
        let board = Board::default();
        let source = board.register("x", Vec::new());
        let second = |s: u64| Timestamp(s * 1_000_000_000 + 5);
        let take = |count| Receipt { accepted: count, ..Receipt::default() };
        board.count(source, Signal::Traces, &take(7), second(10));
        board.count(source, Signal::Traces, &take(3), second(10));
        let rate = |s| board.sources(second(s))[0].spans_per_second;
        assert_eq!([rate(10), rate(11), rate(12)], [0, 10, 0]);
        board.count(source, Signal::Traces, &take(1), second(11));
        assert_eq!([rate(11), rate(12), rate(13)], [10, 1, 0]);
    }

    #[test]
    fn what_a_person_wants_reaches_the_task_and_the_screen() {
        let board = Board::default();
        let source = board.register("prod", Vec::new());
        let mut control = board.control(source).unwrap();
        assert_eq!((*control.borrow_and_update(), board.is_paused(source)), (Control::default(), false));
        board.pause(source, true);
        assert!(control.has_changed().unwrap() && control.borrow_and_update().paused && board.is_paused(source));
        board.retry(source);
        board.pause(source, false);
        assert_eq!(*control.borrow_and_update(), Control { paused: false, retries: 1, ..Control::default() });
        board.pause(SourceId(7), true);
        assert!(board.control(SourceId(7)).is_none());
    }

    #[test]
    fn last_error_stays_after_its_source_is_well_again() {
        let board = Board::default();
        let source = board.register("prod", Vec::new());
        let error = Standing::Error { error: "timed out".to_owned(), next_try: Some(Timestamp(9)) };
        board.set_standing(source, error, Timestamp(4));
        let health = |board: &Board| board.sources(Timestamp(5)).swap_remove(0);
        assert_eq!(health(&board).trouble(), Some(("timed out", Some(Timestamp(9)))));
        board.set_standing(source, Standing::Ok, Timestamp(6));
        assert_eq!(
            (health(&board).trouble(), health(&board).last_error),
            (None, Some((Timestamp(4), "timed out".to_owned())))
        );
    }

    #[test]
    fn counts_go_to_their_source_and_unknown_sources_are_ignored() {
        let board = Board::default();
        let first = board.register("a", Vec::new());
        let second = board.register("b", Vec::new());
        board.reject(second, RejectReason::Overload);
        board.reject(SourceId(9), RejectReason::Overload);
        let sources = board.sources(Timestamp(0));
        assert!(sources[usize::from(first.0)].rejected.is_empty());
        assert_eq!(sources[usize::from(second.0)].rejected[&RejectReason::Overload], 1);
    }
}

//! Work in many pieces, as on the blocks of an index, shared out among threads, and taken note of in order.
//!
//! In: how many pieces of work there are, and what does one. Out: what came of each, one after the other, on the thread
//! that asks. That thread does work too where nothing is ready for it, so it waits for no more than pieces that others have
//! begun, and a helper that gets no time holds up one piece alone. Must never know: what the work is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// Threads that look at one view, at most: a search is not worth the whole machine.
const MOST: usize = 4;
/// Rows for which one more thread is worth it.
const WORTH: u64 = 200_000;
/// Pieces a helper may be ahead of what was taken note of.
const AHEAD: usize = 16;

/// How many threads look at so many rows where no other number is asked for: no more than there are cores.
pub(super) fn threads(rows: u64) -> usize {
    let worth = usize::try_from(rows / WORTH).unwrap_or(MOST).min(MOST);
    if worth < 2 {
        return 1;
    }
    thread::available_parallelism().map_or(1, usize::from).min(worth)
}

/// What is to be done, by number.
#[derive(Debug)]
pub struct Queue {
    next: AtomicUsize,
    count: usize,
    ended: AtomicBool,
}

impl Queue {
    /// So many pieces.
    #[must_use]
    pub fn new(count: usize) -> Self {
        // The first is for the thread that asks: it is to be there soon.
        Self { next: AtomicUsize::new(1), count, ended: AtomicBool::new(false) }
    }

    /// A piece that nobody has begun.
    fn claim(&self) -> Option<usize> {
        let place =
            if self.ended.load(Ordering::Relaxed) { None } else { Some(self.next.fetch_add(1, Ordering::Relaxed)) };
        place.filter(|place| *place < self.count)
    }
}

/// What comes of the pieces of a queue, in order. Dropping it ends the helpers after what they are at.
#[derive(Debug)]
pub struct Crew<'q, T> {
    queue: &'q Queue,
    found: Receiver<(usize, T)>,
    /// Found before it was due.
    early: Vec<(usize, T)>,
    due: usize,
}

impl<'q, T: Send> Crew<'q, T> {
    /// Starts so many helpers, each of which calls `help` once, with a way to get pieces and a way to hand over what came
    /// of them. Where a thread cannot be started, the others do its work.
    pub fn new<'s, 'e, H>(scope: &'s Scope<'s, 'e>, queue: &'q Queue, (helpers, help): (usize, &'s H)) -> Self
    where
        'q: 's,
        T: 's,
        H: Fn(&Share<'q, T>) + Sync,
    {
        let (give, found) = sync_channel(AHEAD * helpers.max(1));
        for _ in 0..helpers {
            let share = Share { queue, give: give.clone() };
            let started = thread::Builder::new().name("helping".to_owned()).spawn_scoped(scope, move || help(&share));
            if started.is_err() {
                break;
            }
        }
        Self { queue, found, early: Vec::new(), due: 0 }
    }

    /// What came of the next piece; `None` after the last. `own` does a piece on this thread.
    pub fn next(&mut self, own: &dyn Fn(usize) -> T) -> Option<T> {
        let due = self.due;
        if due >= self.queue.count {
            return None;
        }
        self.due += 1;
        if due == 0 {
            return Some(own(0));
        }
        loop {
            self.early.extend(self.found.try_iter());
            if let Some(at) = self.early.iter().position(|(place, _)| *place == due) {
                return Some(self.early.swap_remove(at).1);
            }
            if let Some(place) = self.queue.claim() {
                self.early.push((place, own(place)));
            } else {
                // Somebody has begun it.
                self.early.push(self.found.recv().ok()?);
            }
        }
    }
}

impl<T> Drop for Crew<'_, T> {
    fn drop(&mut self) {
        // Whoever waits to hand something over is told by the channel.
        self.queue.ended.store(true, Ordering::Relaxed);
    }
}

/// What a helper works through.
#[derive(Debug)]
pub struct Share<'q, T> {
    queue: &'q Queue,
    give: SyncSender<(usize, T)>,
}

impl<T> Share<'_, T> {
    /// Whether anybody waits for what is done.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.queue.ended.load(Ordering::Relaxed)
    }

    /// Does pieces until there are none left, or nobody wants them.
    pub fn work(&self, own: impl Fn(usize) -> T) {
        while let Some(place) = self.queue.claim() {
            if self.give.send((place, own(place))).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(count: usize, helpers: usize, wanted: usize) -> Vec<usize> {
        let queue = Queue::new(count);
        let help = |share: &Share<'_, usize>| share.work(|place| place * 3);
        thread::scope(|scope| {
            let mut crew = Crew::new(scope, &queue, (helpers, &help));
            std::iter::from_fn(|| crew.next(&|place| place * 3)).take(wanted).collect()
        })
    }

    #[test]
    fn what_comes_of_pieces_is_in_order_whoever_did_them() {
        for helpers in [0, 1, 3] {
            for count in [0, 1, 2, 500] {
                let expected: Vec<usize> = (0..count).map(|place| place * 3).collect();
                assert_eq!(all(count, helpers, usize::MAX), expected, "{count} pieces, {helpers} helpers");
            }
        }
    }

    #[test]
    fn helpers_end_where_nobody_wants_the_rest() {
        assert_eq!(all(100_000, 3, 5), [0, 3, 6, 9, 12]);
    }

    #[test]
    fn few_rows_are_not_worth_a_thread() {
        assert_eq!(threads(WORTH), 1);
        assert!((1..=MOST).contains(&threads(u64::MAX)));
    }
}

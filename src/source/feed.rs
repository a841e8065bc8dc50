//! The one queue between the sources and the thread that fills the index, bounded in bytes and in count.
//! Full means that the sender is told to retry; nothing waits in front of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Board, Note};
use crate::model::{Receipt, RejectReason, Signal, SourceId, Timestamp};

/// How long a sender is asked to wait when there is no room.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Deliveries that may wait ahead of all others.
const AHEAD: usize = 8;
/// The share of the queue's budget that these have for themselves, as a divisor.
const AHEAD_SHARE: usize = 8;

/// Tells the time; sources have no clock of their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A body on its way to the index.
#[derive(Debug)]
pub struct Delivery {
    /// Where it came from.
    pub source: SourceId,
    /// What it carries.
    pub signal: Signal,
    /// An `Export…ServiceRequest` in protobuf, not compressed.
    pub body: Bytes,
    /// Items that were refused before (malformed spans of a JSON body); they are added to the receipt.
    pub refused: Receipt,
}

/// Why a delivery did not reach the index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue's budget is spent.
    #[error("no room at the moment")]
    Overload {
        /// When to try again.
        retry_after: Duration,
    },
    /// The body's framing is broken; nothing of it was kept.
    #[error("{0}")]
    Broken(String),
    /// Nobody reads the queue any more: the program is ending.
    #[error("the index is closed")]
    Closed,
}

/// The sources' end of the queue. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    /// Nothing: there is something ahead.
    queue: SyncSender<Option<Item>>,
    ahead: SyncSender<Item>,
    budget: Arc<Budget>,
    /// Of what goes ahead.
    ahead_budget: Arc<Budget>,
    aside: Arc<AtomicUsize>,
    board: Arc<Board>,
    clock: Clock,
}

/// The index's end of the queue, for one blocking thread.
#[derive(Debug)]
pub struct FeedReceiver {
    queue: Receiver<Option<Item>>,
    ahead: Receiver<Item>,
    budget: Arc<Budget>,
    ahead_budget: Arc<Budget>,
    aside: Arc<AtomicUsize>,
}

/// A delivery that waits for its answer. Dropped without one, its sender is told that the program is ending.
/// Its bytes count against the budget for as long as it lives.
pub struct Item {
    delivery: Delivery,
    reply: oneshot::Sender<Result<Receipt, String>>,
    board: Arc<Board>,
    clock: Clock,
    held: Reservation,
}

/// A new queue that holds at most `bytes` bytes in at most `items` deliveries.
pub fn feed(bytes: usize, items: usize, clock: Clock) -> (Feed, FeedReceiver) {
    let (sender, receiver) = sync_channel(items.max(1));
    let (ahead_sender, ahead) = sync_channel(AHEAD);
    let budget = Arc::new(Budget { limit: bytes, used: AtomicUsize::new(0) });
    let ahead_budget = Arc::new(Budget { limit: bytes / AHEAD_SHARE, used: AtomicUsize::new(0) });
    let aside = Arc::new(AtomicUsize::new(0));
    let feed = Feed {
        queue: sender,
        ahead: ahead_sender,
        budget: Arc::clone(&budget),
        ahead_budget: Arc::clone(&ahead_budget),
        aside: Arc::clone(&aside),
        board: Arc::new(Board::default()),
        clock,
    };
    (feed, FeedReceiver { queue: receiver, ahead, budget, ahead_budget, aside })
}

impl Feed {
    /// Queues a body and waits for what became of it. Once queued it is taken in even where this future is
    /// dropped. The receipt (and a broken body) is counted on the board; a refusal for lack of room is
    /// the caller's to count.
    ///
    /// # Errors
    /// Where there is no room, the body is broken, or nobody reads the queue any more.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Receipt, Refused> {
        let mut held = self.reservation();
        held.grow(delivery.body.len())?;
        self.deliver_held(delivery, held).await
    }

    /// As [`Self::deliver`], for a body whose bytes are reserved already.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    pub async fn deliver_held(&self, delivery: Delivery, held: Reservation) -> Result<Receipt, Refused> {
        let (item, answer) = self.item(delivery, held);
        self.queue.try_send(Some(item)).map_err(|error| refused(&error))?;
        answered(answer).await
    }

    /// As [`Self::deliver`], ahead of all that waits: for the little that a person waits for. It has a part of the budget for itself;
    /// a body that is larger than that waits in its turn.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    pub async fn deliver_ahead(&self, delivery: Delivery) -> Result<Receipt, Refused> {
        if delivery.body.len() > self.ahead_budget.limit {
            return self.deliver(delivery).await;
        }
        let mut held = Reservation { budget: Arc::clone(&self.ahead_budget), bytes: 0 };
        held.grow(delivery.body.len())?;
        let (item, answer) = self.item(delivery, held);
        self.ahead.try_send(item).map_err(|error| refused(&error))?;
        // Where the queue is full nobody sleeps at its other end.
        let _ = self.queue.try_send(None);
        answered(answer).await
    }

    fn item(&self, delivery: Delivery, held: Reservation) -> (Item, Reply) {
        let (reply, answer) = oneshot::channel();
        (Item { delivery, reply, board: Arc::clone(&self.board), clock: Arc::clone(&self.clock), held }, answer)
    }

    /// An empty reservation on the queue's budget.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        Reservation { budget: Arc::clone(&self.budget), bytes: 0 }
    }

    /// Bytes the queue may hold.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget.limit
    }

    /// Bytes reserved or queued now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.budget.used() + self.ahead_budget.used()
    }

    /// Nothing yet, of what a source holds beside the queue.
    #[must_use]
    pub fn aside(&self) -> Aside {
        Aside { total: Arc::clone(&self.aside), bytes: 0 }
    }

    /// Where sources say how they are.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Notes a sender's mistake.
    pub fn mishap(&self, note: &Note) {
        self.board.mishap(note, (self.clock)());
    }
}

/// What becomes of a delivery.
type Reply = oneshot::Receiver<Result<Receipt, String>>;

async fn answered(answer: Reply) -> Result<Receipt, Refused> {
    match answer.await {
        Ok(result) => result.map_err(Refused::Broken),
        Err(_) => Err(Refused::Closed),
    }
}

fn refused<T>(error: &TrySendError<T>) -> Refused {
    match error {
        TrySendError::Full(_) => Refused::Overload { retry_after: RETRY_AFTER },
        TrySendError::Disconnected(_) => Refused::Closed,
    }
}

impl FeedReceiver {
    /// The next delivery, or none within `patience`.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] where none came, [`RecvTimeoutError::Disconnected`] where every source is
    /// gone.
    pub fn next(&self, patience: Duration) -> Result<Item, RecvTimeoutError> {
        loop {
            if let Ok(item) = self.ahead.try_recv() {
                return Ok(item);
            }
            match self.queue.recv_timeout(patience) {
                Ok(Some(item)) => return Ok(item),
                // A call: there is something ahead.
                Ok(None) => {}
                Err(RecvTimeoutError::Timeout) => return Err(RecvTimeoutError::Timeout),
                Err(ended @ RecvTimeoutError::Disconnected) => return self.ahead.try_recv().map_err(|_none| ended),
            }
        }
    }

    /// Bytes reserved or queued now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.budget.used() + self.ahead_budget.used()
    }

    /// Bytes that sources hold beside the queue.
    #[must_use]
    pub fn aside(&self) -> usize {
        self.aside.load(Ordering::Acquire)
    }

    /// The next delivery if one is waiting.
    #[must_use]
    pub fn try_next(&self) -> Option<Item> {
        loop {
            if let Ok(item) = self.ahead.try_recv() {
                return Some(item);
            }
            if let Some(item) = self.queue.try_recv().ok()? {
                return Some(item);
            }
        }
    }
}

impl Item {
    /// What was delivered.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Answers the sender, counts the outcome for its source, and frees the bytes. `Err` says in words what
    /// is broken in the body.
    pub fn reply(self, result: Result<Receipt, String>) {
        let Self { delivery: Delivery { source, signal, refused, body }, reply, board, clock, held } = self;
        let result = result.map(|mut receipt| {
            refused.rejected.iter().for_each(|(reason, count)| receipt.reject(*reason, *count));
            receipt
        });
        match &result {
            Ok(receipt) => board.count(source, signal, receipt, clock()),
            Err(_) => board.reject(source, RejectReason::MalformedBody),
        }
        // The room is free before the sender learns of it and comes again.
        drop((body, held));
        // A sender that has left needs no answer.
        let _ = reply.send(result);
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Feed").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Item").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }
}

/// Bytes that a source holds beside the queue, as a document that can only be read whole: whoever holds the spans gives way to it.
/// Given back when dropped.
#[derive(Debug)]
pub struct Aside {
    total: Arc<AtomicUsize>,
    bytes: usize,
}

impl Aside {
    /// Says how many bytes are held now.
    pub fn set(&mut self, bytes: usize) {
        self.total.fetch_add(bytes, Ordering::AcqRel);
        self.total.fetch_sub(self.bytes, Ordering::AcqRel);
        self.bytes = bytes;
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Bytes of the queue's budget that are spoken for; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Reservation {
    /// Takes `more` bytes.
    ///
    /// # Errors
    /// Where the budget is spent; what is held already stays held.
    pub fn grow(&mut self, more: usize) -> Result<(), Refused> {
        let limit = self.budget.limit;
        let take = |used: usize| used.checked_add(more).filter(|sum| *sum <= limit);
        match self.budget.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) {
            Ok(_) => {
                self.bytes += more;
                Ok(())
            }
            Err(_) => Err(Refused::Overload { retry_after: RETRY_AFTER }),
        }
    }

    /// Gives back all but `bytes` bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        let back = self.bytes.saturating_sub(bytes);
        self.budget.used.fetch_sub(back, Ordering::AcqRel);
        self.bytes -= back;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(size: usize) -> Delivery {
        Delivery {
            source: SourceId(0),
            signal: Signal::Traces,
            body: Bytes::from(vec![0; size]),
            refused: Receipt::default(),
        }
    }

    fn queue(bytes: usize, items: usize) -> (Feed, FeedReceiver) {
        feed(bytes, items, Arc::new(|| Timestamp(5)))
    }

    const FULL: Refused = Refused::Overload { retry_after: RETRY_AFTER };

    #[test]
    fn reservations_never_exceed_the_budget_and_come_back() {
        let (feed, _queue) = queue(10, 1);
        let (mut one, mut two) = (feed.reservation(), feed.reservation());
        assert_eq!(one.grow(6), Ok(()));
        assert_eq!(two.grow(5), Err(FULL));
        assert_eq!(two.grow(usize::MAX), Err(FULL));
        assert_eq!(two.grow(4), Ok(()));
        one.shrink_to(9);
        assert_eq!(feed.held(), 10);
        one.shrink_to(1);
        assert_eq!(feed.held(), 5);
        drop((one, two));
        assert_eq!(feed.held(), 0);
    }

    #[tokio::test]
    async fn queue_is_bounded_in_bytes_and_in_count() {
        let (by_bytes, _queue) = queue(10, 8);
        assert_eq!(by_bytes.deliver(delivery(11)).await, Err(FULL));
        let (by_count, _queue) = queue(100, 1);
        let first = tokio::spawn({
            let feed = by_count.clone();
            async move { feed.deliver(delivery(1)).await }
        });
        while by_count.held() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(by_count.deliver(delivery(1)).await, Err(FULL));
        first.abort();
    }

    #[tokio::test]
    async fn what_a_person_waits_for_goes_ahead_of_what_waits_and_has_room_where_there_is_none() {
        let (feed, queue) = queue(80, 2);
        for source in [1, 2] {
            let (feed, delivery) = (feed.clone(), Delivery { source: SourceId(source), ..delivery(40) });
            tokio::spawn(async move { feed.deliver(delivery).await });
            while queue.held() < usize::from(source) * 40 {
                tokio::task::yield_now().await;
            }
        }
        let ahead = tokio::spawn({
            let (feed, delivery) = (feed.clone(), Delivery { source: SourceId(3), ..delivery(10) });
            async move { feed.deliver_ahead(delivery).await }
        });
        while queue.held() < 90 {
            tokio::task::yield_now().await;
        }
        let order: Vec<u16> = std::iter::from_fn(|| queue.try_next()).map(|item| item.delivery().source.0).collect();
        assert_eq!(order, [3, 1, 2]);
        assert_eq!(ahead.await.unwrap(), Err(Refused::Closed));
        // Too large for that: in its turn.
        let index = std::thread::spawn(move || {
            queue.next(Duration::from_secs(20)).unwrap().reply(Ok(Receipt::default()));
        });
        assert_eq!(feed.deliver_ahead(delivery(11)).await, Ok(Receipt::default()));
        index.join().unwrap();
    }

    #[test]
    fn who_sleeps_at_the_queue_is_woken_by_what_goes_ahead() {
        let (feed, queue) = queue(80, 2);
        let asleep = std::thread::spawn(move || queue.next(Duration::from_secs(60)).map(|item| item.delivery().source));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refused = runtime.block_on(feed.deliver_ahead(Delivery { source: SourceId(3), ..delivery(10) }));
        assert_eq!(asleep.join().unwrap(), Ok(SourceId(3)));
        assert_eq!(refused, Err(Refused::Closed));
    }

    #[tokio::test]
    async fn receipt_carries_what_was_refused_before_and_is_counted_once() {
        let (feed, queue) = queue(100, 8);
        let source = feed.board().register("x", Vec::new());
        let mut body = delivery(10);
        body.refused.reject(RejectReason::MalformedSpan, 2);
        let index = std::thread::spawn(move || {
            let patience = Duration::from_secs(20);
            queue.next(patience).unwrap().reply(Ok(Receipt { accepted: 3, ..Receipt::default() }));
            queue.next(patience).unwrap().reply(Err("broken".to_owned()));
            drop(queue.next(patience).unwrap());
        });
        let receipt = feed.deliver(body).await.unwrap();
        assert_eq!(receipt.rejected, [(RejectReason::MalformedSpan, 2)]);
        assert_eq!(feed.deliver(delivery(1)).await, Err(Refused::Broken("broken".to_owned())));
        assert_eq!(feed.deliver(delivery(1)).await, Err(Refused::Closed));
        index.join().unwrap();
        assert_eq!(feed.deliver(delivery(1)).await, Err(Refused::Closed));
        let health = feed.board().sources(Timestamp(5)).swap_remove(usize::from(source.0));
        assert_eq!(health.accepted[&Signal::Traces], 3);
        let reasons = [(RejectReason::MalformedSpan, 2), (RejectReason::MalformedBody, 1)];
        assert_eq!(health.rejected.into_iter().collect::<Vec<_>>(), reasons);
        assert_eq!((health.last_arrival, feed.held()), (Some(Timestamp(5)), 0));
    }
}

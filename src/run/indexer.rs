//! The thread that fills the index.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::clock;
use crate::index::{Reader, Summary, Writer};
use crate::model::{Signal, SourceId, TraceId};
use crate::source::{Board, FeedReceiver, Item};

/// How long what was taken in may stay unseen by readers.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
/// How often the thread looks up when nothing arrives, to see which traces are to be kept.
const LOOK_UP: Duration = Duration::from_millis(500);

/// What the thread does before it takes a delivery in: nothing, but in tests of what happens when it cannot keep up.
pub type Gate = Box<dyn FnMut() + Send>;

/// The gate of a program that is not tested: it always stands open.
pub(super) fn no_gate() -> Gate {
    Box::new(|| {})
}

/// The running thread, from outside.
pub(super) struct Indexer {
    /// Gives views of the index.
    pub(super) reader: Reader,
    /// Changes with each publication.
    pub(super) published: watch::Receiver<u64>,
    /// Traces that must stay; replaced as a whole.
    pub(super) keep: Arc<Mutex<Option<Vec<TraceId>>>>,
    /// Ends, after a last publication, when the last feed is dropped.
    pub(super) thread: JoinHandle<()>,
}

/// Starts the thread. What is held gives way to what waits in `queue`, so that both together take at most `memory` bytes.
pub(super) fn start<S: Summary>(
    writer: Writer<S>,
    reader: Reader,
    queue: FeedReceiver,
    (memory, gate): (u64, Gate),
    board: Arc<Board>,
) -> io::Result<Indexer> {
    let keep = Arc::new(Mutex::new(None));
    let (publish, published) = watch::channel(0);
    let work =
        Work { writer, keep: Arc::clone(&keep), publish, unseen: None, memory, gate, board, named: BTreeSet::new() };
    let thread = thread::Builder::new().name("indexer".to_owned()).spawn(move || work.run(&queue))?;
    Ok(Indexer { reader, published, keep, thread })
}

struct Work<S: Summary> {
    writer: Writer<S>,
    keep: Arc<Mutex<Option<Vec<TraceId>>>>,
    publish: watch::Sender<u64>,
    /// Since when there is something readers have not seen.
    unseen: Option<Instant>,
    /// Bytes for the index, what waits for it, and what sources hold beside that, together; the index keeps a quarter of it in any case.
    memory: u64,
    gate: Gate,
    /// Knows the names of sources.
    board: Arc<Board>,
    /// The sources whose names the index has been told.
    named: BTreeSet<SourceId>,
}

impl<S: Summary> Work<S> {
    fn run(mut self, queue: &FeedReceiver) {
        loop {
            let patience = self.unseen.map_or(LOOK_UP, |since| PUBLISH_EVERY.saturating_sub(since.elapsed()));
            match queue.next(patience) {
                Ok(item) => {
                    (self.gate)();
                    let queued = (queue.held() as u64).min(self.memory / 4);
                    let aside = (queue.aside() as u64).min(self.memory / 2);
                    self.writer.set_budget(self.memory - queued - aside);
                    self.take_in(item);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.unseen.is_some_and(|since| since.elapsed() >= PUBLISH_EVERY) {
                self.publish();
            }
            let keep = self.keep.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(traces) = keep {
                self.writer.keep(&traces);
            }
        }
        self.publish();
    }

    #[expect(clippy::disallowed_methods, reason = "run is the room that reads clocks")]
    fn take_in(&mut self, item: Item) {
        let (now, delivery) = (clock::now(), item.delivery());
        let (source, body) = (delivery.source, &delivery.body);
        if self.named.insert(source) {
            self.writer.set_lossy(source, self.board.is_lossy(source));
            self.writer.name_source(source, &self.board.name(source).unwrap_or_default());
        }
        let result = match delivery.signal {
            Signal::Traces => self.writer.insert_spans(source, body, now),
            Signal::Logs => self.writer.insert_logs(source, body, now),
            Signal::Metrics => self.writer.count_metrics(source, body, now),
        };
        if let Err(error) = &result {
            tracing::warn!(%error, signal = delivery.signal.name(), "a body was refused");
        }
        item.reply(result.map_err(|error| error.to_string()));
        self.unseen.get_or_insert_with(Instant::now);
    }

    fn publish(&mut self) {
        self.unseen = None;
        if self.writer.publish() {
            self.publish.send_modify(|count| *count += 1);
        }
    }
}

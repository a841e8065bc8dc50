//! Files: OTLP as JSON (a request on each line, or one in all), as protobuf in length-prefixed frames or bare, as Collectors and
//! Tempo write it; Jaeger's JSON; Zipkin's JSON and protobuf; plain, gzip or zstd.
//!
//! In: names of files. Out: their requests, one after the other, into the feed, and what in them could not be read. What a file
//! is shows in its first bytes, never in its name. A broken piece costs only itself.

mod bare;
mod bracket;
mod fault;
mod frames;
mod input;
mod lines;
mod open;
mod piece;
mod shape;
mod whole;
mod zstd;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;

pub use fault::{Fault, FileError, Place};

use self::open::{How, Opened};
use self::piece::Piece;
use super::{Board, Delivery, Feed, Refused, Source};
use crate::model::{Reading, ReadingState, Receipt, RejectReason, SourceId};

/// Pieces that are read ahead of the index.
const AHEAD: usize = 4;
/// How long the index is left alone where it has no room: it is being filled from elsewhere too.
const PAUSE: Duration = Duration::from_millis(20);

/// Hears of each fault as it is found.
pub type Tell = Arc<dyn Fn(&Fault) + Send + Sync>;

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that a line, a frame, or a request on its way to the index may have.
    pub piece: usize,
    /// Bytes that a document over many lines may have, or one that is a whole file.
    pub document: usize,
}

/// Files that are read to their end, in order; all at once where they are followed.
pub struct Files {
    opened: Vec<Opened>,
    limits: Limits,
    follow: bool,
    tell: Tell,
}

impl Files {
    /// Opens them all; `-` is standard input.
    ///
    /// # Errors
    /// Where one cannot be opened.
    pub fn open(paths: &[PathBuf], limits: Limits, tell: Tell) -> Result<Self, FileError> {
        let opened = paths.iter().map(Opened::open).collect::<Result<_, _>>()?;
        Ok(Self { opened, limits, follow: false, tell })
    }

    /// Reads on as they grow, without an end.
    #[must_use]
    pub fn followed(mut self, follow: bool) -> Self {
        self.follow = follow;
        self
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Files").field("opened", &self.opened.len()).finish_non_exhaustive()
    }
}

impl Source for Files {
    type Error = FileError;

    /// Ends once all that could be read is in the index. On the board each file is a source of its own.
    ///
    /// # Errors
    /// Where a file cannot be read at all, or nothing in it is of any form: the first of them, once the others were read.
    async fn run(self, feed: Feed) -> Result<(), FileError> {
        let Self { opened, limits, follow, tell } = self;
        let files: Vec<_> = opened
            .into_iter()
            .map(|opened| {
                let path = opened.path().to_owned();
                let source = feed.board().register(&path.display().to_string(), Vec::new());
                let told = Told { path, tell: Arc::clone(&tell), board: Arc::clone(feed.board()), source };
                told.reading(|reading| reading.total = opened.total());
                file((opened, limits, follow), told, &feed)
            })
            .collect();
        let mut outcome = Ok(());
        if follow {
            for ended in join_all(files).await {
                outcome = outcome.and(ended);
            }
        } else {
            for file in files {
                outcome = outcome.and(file.await);
            }
        }
        outcome
    }
}

/// Reads one file, and says on the board how far it has come.
async fn file((opened, limits, follow): (Opened, Limits, bool), told: Told, feed: &Feed) -> Result<(), FileError> {
    told.reading(|reading| reading.state = ReadingState::Reading);
    let read = Arc::clone(&opened.read);
    let (pieces, mut ready) = mpsc::channel(AHEAD);
    let (of_file, aside) = (told.clone(), feed.aside());
    let reading = tokio::task::spawn_blocking(move || {
        opened.read(How { limits, follow, told: &of_file, pieces: &pieces, aside })
    });
    let mut good = 0;
    let mut control = told.board.control(told.source);
    while let Some(piece) = ready.recv().await {
        // What is read ahead waits, and with it the file.
        if let Some(control) = &mut control
            && control.wait_for(|control| !control.paused).await.is_err()
        {
            return Err(FileError::Ended);
        }
        if piece.lossy && good == 0 {
            told.board.set_lossy(told.source);
        }
        good += u64::from(deliver(feed, piece, &told).await?);
        let read = read.load(Ordering::Relaxed);
        told.reading(|reading| reading.read = read);
    }
    let seen = reading.await.map_err(|_lost| FileError::Ended)?;
    let ended = match seen {
        Ok(seen) if seen > 0 && good == 0 => Err(FileError::Unknown { path: told.path.clone() }),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    told.reading(|reading| {
        reading.read = read.load(Ordering::Relaxed);
        reading.state = match &ended {
            Ok(()) => ReadingState::Done,
            Err(error) => ReadingState::Failed(error.to_string()),
        };
    });
    ended
}

/// Hands a piece over. Answers whether it was taken.
async fn deliver(feed: &Feed, piece: Piece, told: &Told) -> Result<bool, FileError> {
    let Piece { place, signal, protobuf, refused, lossy: _ } = piece;
    let (body, source) = (protobuf, told.source);
    loop {
        let delivery = Delivery { source, signal, body: body.clone(), refused: refused.clone() };
        return match feed.deliver(delivery).await {
            Ok(receipt) => {
                told.refused(place, &receipt);
                Ok(true)
            }
            Err(Refused::Closed) => Err(FileError::Ended),
            Err(Refused::Overload { .. }) if body.len() <= feed.budget() => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(refused) => {
                told.fault(place, refused.to_string());
                Ok(false)
            }
        };
    }
}

/// Whom to tell of a file's faults.
#[derive(Clone)]
struct Told {
    path: PathBuf,
    tell: Tell,
    board: Arc<Board>,
    source: SourceId,
}

impl Told {
    fn fault(&self, place: Place, what: String) {
        let fault = Fault { path: self.path.clone(), place, what };
        self.reading(|reading| {
            reading.faults += 1;
            reading.latest_fault = Some(format!("{}: {}", fault.place, fault.what));
        });
        (self.tell)(&fault);
    }

    fn refused(&self, place: Place, receipt: &Receipt) {
        for (reason, count) in &receipt.rejected {
            let what = if *reason == RejectReason::MalformedSpan { "items" } else { "spans" };
            self.fault(place, format!("{count} {what} left out: {}", reason.words()));
        }
    }

    fn caught_up(&self) {
        self.reading(|reading| reading.state = ReadingState::Following);
    }

    fn reading(&self, change: impl FnOnce(&mut Reading)) {
        self.board.reading(self.source, change);
    }
}

#[cfg(test)]
mod tests;

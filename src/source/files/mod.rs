//! Files of OTLP: JSON, a request on each line or one in all, and protobuf in length-prefixed frames; plain or gzip.
//!
//! In: names of files. Out: their requests, one after the other, into the feed, and what in them could not be read. What a file
//! is shows in its first bytes, never in its name. A broken piece costs only itself.

mod bracket;
mod fault;
mod frames;
mod lines;
mod open;
mod piece;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

pub use fault::{Fault, FileError, Place};

use self::open::Opened;
use self::piece::Piece;
use super::{Delivery, Feed, Refused, Source};
use crate::model::{Receipt, RejectReason, SourceId};

/// Pieces that are read ahead of the index.
const AHEAD: usize = 4;

/// Hears of each fault as it is found.
pub type Tell = Arc<dyn Fn(&Fault) + Send + Sync>;

/// Files that are read to their end, in order.
pub struct Files {
    opened: Vec<Opened>,
    limit: usize,
    tell: Tell,
}

impl Files {
    /// Opens them all; `-` is standard input. Of what is read no piece may have more than `limit` bytes.
    ///
    /// # Errors
    /// Where one cannot be opened.
    pub fn open(paths: &[PathBuf], limit: usize, tell: Tell) -> Result<Self, FileError> {
        let opened = paths.iter().map(Opened::open).collect::<Result<_, _>>()?;
        Ok(Self { opened, limit, tell })
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Files").field("opened", &self.opened.len()).finish_non_exhaustive()
    }
}

impl Source for Files {
    type Error = FileError;

    /// Ends once all that could be read is in the index.
    ///
    /// # Errors
    /// Where a file cannot be read at all, or nothing in it is OTLP.
    async fn run(self, feed: Feed) -> Result<(), FileError> {
        let source = feed.board().register("files", Vec::new());
        for opened in self.opened {
            let path = opened.path().to_owned();
            let told = Told { path: path.clone(), tell: Arc::clone(&self.tell) };
            let (pieces, mut read) = mpsc::channel(AHEAD);
            let (limit, of_file) = (self.limit, told.clone());
            let reading = tokio::task::spawn_blocking(move || opened.read(limit, &of_file, &pieces));
            let mut good = 0;
            while let Some(piece) = read.recv().await {
                good += u64::from(deliver(&feed, source, piece, &told).await?);
            }
            let seen = reading.await.map_err(|_lost| FileError::Ended)??;
            if seen > 0 && good == 0 {
                return Err(FileError::Unknown { path });
            }
        }
        Ok(())
    }
}

/// Hands a piece over. Answers whether it was OTLP.
async fn deliver(feed: &Feed, source: SourceId, piece: Piece, told: &Told) -> Result<bool, FileError> {
    let Piece { place, signal, protobuf, refused } = piece;
    let delivery = Delivery { source, signal, body: Bytes::from(protobuf), refused };
    match feed.deliver(delivery).await {
        Ok(receipt) => {
            told.refused(place, &receipt);
            Ok(true)
        }
        Err(Refused::Closed) => Err(FileError::Ended),
        Err(refused) => {
            told.fault(place, refused.to_string());
            Ok(false)
        }
    }
}

/// Whom to tell of a file's faults.
#[derive(Clone)]
struct Told {
    path: PathBuf,
    tell: Tell,
}

impl Told {
    fn fault(&self, place: Place, what: String) {
        (self.tell)(&Fault { path: self.path.clone(), place, what });
    }

    fn refused(&self, place: Place, receipt: &Receipt) {
        for (reason, count) in &receipt.rejected {
            let what = if *reason == RejectReason::MalformedSpan { "items" } else { "spans" };
            self.fault(place, format!("{count} {what} left out: {}", reason.words()));
        }
    }
}

#[cfg(test)]
mod tests;

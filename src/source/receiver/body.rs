//! Bodies: read with a limit, paid for as they come, unpacked away from the threads that serve sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::inflate::{Coding, inflate};
use super::refusal::{Refusal, RefusalKind};
use crate::source::{Feed, Refused, Reservation};

/// The largest buffer that is set up on a sender's word alone.
const TRUSTED_HINT: usize = 1 << 20;
/// Up to here gzip is undone on the spot: it is done before another thread would have begun.
const SMALL: usize = 4096;

/// Bytes a second that a body has to bring on average: what is there of it takes room that other senders need.
const LEAST_PACE: u64 = 4096;

/// A body, and the bytes of the feed's budget that it takes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) room: Reservation,
}

/// How bodies are read: shared by all connections of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) feed: Feed,
    /// Bytes of one body.
    pub(super) limit: usize,
    /// How long it may stand still, and how far it may fall behind [`LEAST_PACE`].
    pub(super) stall: Duration,
    /// As many bodies are unpacked at once.
    pub(super) workers: Arc<Semaphore>,
}

impl Reading {
    /// Reads `body` to its end. `check` sees what is there after each piece, and may refuse the rest.
    pub(super) async fn read(
        &self,
        body: &mut Incoming,
        limit: usize,
        mut check: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<Held, Refusal> {
        let hint = usize::try_from(hyper::body::Body::size_hint(body).lower()).unwrap_or(usize::MAX);
        let mut room = self.feed.reservation();
        let mut gathered = Gathered::Nothing;
        let begun = Instant::now();
        loop {
            let patience = Instant::now() + self.stall;
            let frame = match timeout_at(patience.min(begun + self.allowed(gathered.bytes().len())), body.frame()).await
            {
                Err(_) => return Err(Refusal::new(RefusalKind::Stalled, "the body came too slowly and was given up")),
                Ok(None) => return Ok(Held { bytes: gathered.finish(), room }),
                Ok(Some(Err(error))) => {
                    return Err(Refusal::new(RefusalKind::BrokenOff, format!("the body broke off: {error}")));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(piece) = frame.into_data() else { continue };
            if gathered.bytes().len() + piece.len() > limit {
                return Err(Refusal::too_large(self.limit));
            }
            room.grow(piece.len())?;
            gathered.push(piece, hint.min(limit).min(TRUSTED_HINT));
            check(gathered.bytes())?;
        }
    }

    /// How long a body of which `bytes` are there may have taken.
    fn allowed(&self, bytes: usize) -> Duration {
        self.stall + Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / LEAST_PACE)
    }

    /// Decompresses a body; what it took compressed is given back.
    pub(super) async fn unpack(&self, held: Held, coding: Coding) -> Result<Held, Refusal> {
        let limit = self.limit;
        let mut room = self.feed.reservation();
        match coding {
            Coding::Identity if held.bytes.len() > limit => Err(Refusal::too_large(limit)),
            Coding::Identity => Ok(held),
            Coding::Gzip | Coding::Deflate if held.bytes.len() <= SMALL => {
                let bytes = inflate(coding, &held.bytes, limit, &mut room)?;
                Ok(Held { bytes, room })
            }
            _ => {
                self.blocking(move || {
                    let bytes = inflate(coding, &held.bytes, limit, &mut room)?;
                    Ok(Held { bytes, room })
                })
                .await
            }
        }
    }

    /// Runs `work` on a thread of its own, a few at once. It runs to its end even where the sender has left.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let closed = || Refusal::from(Refused::Closed);
        let permit = Arc::clone(&self.workers).acquire_owned().await.map_err(|_closed| closed())?;
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        task.await.map_err(|_lost| closed())?
    }
}

/// Pieces of a body. One that came in a single piece is never copied.
enum Gathered {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes,
        }
    }

    fn push(&mut self, piece: Bytes, hint: usize) {
        match self {
            Self::Nothing => *self = Self::One(piece),
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(hint.max(first.len() + piece.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&piece);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&piece),
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

//! What the lanes share: the server, and the way of what it gives.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::model::{Nanos, Receipt, Signal, SourceId, Standing, Timestamp};
use crate::source::remote::{Flavor, Found, Remote, RemoteError, Server};
use crate::source::{Clock, Control, Delivery, Feed, Refused};

/// The first pause after a failure; each further one is twice as long, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// A server, and where what it gives goes.
pub(super) struct Link {
    pub(super) source: SourceId,
    pub(super) server: Server,
    pub(super) flavor: Flavor,
    pub(super) clock: Clock,
    pub(super) feed: Feed,
    pub(super) control: watch::Receiver<Control>,
    /// Once it was found out what the server speaks; not while it does not answer.
    pub(super) remote: watch::Sender<Option<Remote>>,
}

/// How much of a hurry there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A person waits for it: it goes ahead of all that waits for the index.
    Now,
    /// In its turn.
    Turn,
}

impl Link {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn stands(&self, standing: Standing) {
        self.feed.board().set_standing(self.source, standing, self.now());
    }

    /// Notes what a person should know.
    pub(super) fn note(&self, note: &str) {
        self.feed.board().note(self.source, note);
    }

    pub(super) fn took(&self, begun: Timestamp) {
        self.feed.board().set_latency(self.source, self.now().since(begun));
    }

    /// Finds out what the server speaks, unless that is known. Answers whether it was found out just now, too.
    pub(super) async fn connect(&self) -> Result<(Remote, bool), RemoteError> {
        let known = self.remote.borrow().clone();
        if let Some(remote) = known {
            return Ok((remote, false));
        }
        self.stands(Standing::Connecting);
        let remote = Remote::connect(self.server.clone(), self.flavor).await?;
        self.feed.board().set_page(self.source, remote.page());
        if remote.is_lossy() {
            self.feed.board().set_lossy(self.source);
        }
        self.remote.send_replace(Some(remote.clone()));
        Ok((remote, true))
    }

    /// The server, as soon as it answers; nothing once the program ends.
    pub(super) async fn connected(&self) -> Option<Remote> {
        self.remote.subscribe().wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Waits while a person has it paused. Answers what is wanted of it then; nothing once the program ends.
    pub(super) async fn unpaused(&self, control: &mut watch::Receiver<Control>) -> Option<Control> {
        control.wait_for(|control| !control.paused).await.ok().map(|control| *control)
    }

    /// Feeds what was found. Where there is no room it waits: nothing is lost by it, and nobody waits for this one. What the server
    /// warns of is noted.
    pub(super) async fn deliver(&self, found: Found, urgency: Urgency) {
        for warning in &found.warnings {
            self.note(warning);
        }
        // A body may take half of what may wait.
        let most = (self.feed.budget() / 2).max(1);
        for body in found.bodies {
            let mut refused = body.refused.clone();
            for part in body.parts(most) {
                self.feed_one(part, std::mem::take(&mut refused), urgency).await;
            }
        }
    }

    async fn feed_one(&self, body: Bytes, refused: Receipt, urgency: Urgency) {
        loop {
            let (body, refused) = (body.clone(), refused.clone());
            let delivery = Delivery { source: self.source, signal: Signal::Traces, body, refused };
            let fed = match urgency {
                Urgency::Now => self.feed.deliver_ahead(delivery).await,
                Urgency::Turn => self.feed.deliver(delivery).await,
            };
            match fed {
                Err(Refused::Overload { retry_after }) => tokio::time::sleep(retry_after).await,
                Ok(_) | Err(Refused::Broken(_) | Refused::Closed) => return,
            }
        }
    }
}

/// The pause after the last of so many failures in a row.
pub(super) fn pause_after(failures: u32, error: &RemoteError) -> Duration {
    let pause = SHORTEST.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST);
    if error.is_passing() { pause } else { LONGEST }
}

pub(super) fn nanos(length: Duration) -> Nanos {
    Nanos(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
}

//! Follows a server: asks it for what a person looks for, again and again, and feeds what comes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::{Flavor, Found, Remote, RemoteError, Server};
use crate::model::{Nanos, Receipt, Signal, SourceId, Standing, Timestamp, TraceId};
use crate::query::pushdown::{Ask, Pushdown, Search, push_down};
use crate::query::{Query, spell_duration};
use crate::source::{Clock, Control, Delivery, Feed, Refused, Source};

/// Time between two questions for what is new.
const POLL: Duration = Duration::from_secs(5);
/// Spans reach a server's store late: the time that was asked for last is asked for again, so far back.
const OVERLAP: Nanos = Nanos::from_secs(60);
/// The first pause after a failure; each further one is twice as long, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Requests that one search may take, where the filter asks for more than the server gives at once.
const REQUESTS: u32 = 64;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// The filter in force.
    pub query: Arc<Query>,
    /// The trace that is open, which may still grow.
    pub open: Option<TraceId>,
}

/// A server that is followed. Made by [`Follower::new`], which makes it known on the board; everything else happens while it
/// [runs](Source::run).
pub struct Follower {
    source: SourceId,
    server: Server,
    flavor: Flavor,
    wish: watch::Receiver<Wish>,
    clock: Clock,
}

impl Follower {
    /// Puts the server on the board of `feed`, as `name`.
    pub fn new(
        (name, feed): (&str, &Feed),
        (server, flavor): (Server, Flavor),
        wish: watch::Receiver<Wish>,
        clock: Clock,
    ) -> Self {
        let source = feed.board().register(name, Vec::new());
        feed.board().set_place(source, &server.to_string());
        feed.board().set_standing(source, Standing::Connecting, clock());
        Self { source, server, flavor, wish, clock }
    }

    /// Under which number its spans arrive.
    #[must_use]
    pub fn source(&self) -> SourceId {
        self.source
    }
}

impl Source for Follower {
    type Error = std::convert::Infallible;

    async fn run(self, feed: Feed) -> Result<(), Self::Error> {
        let Some(control) = feed.board().control(self.source) else { return Ok(()) };
        Session { follower: self, feed, control, remote: None, last: None, failures: 0 }.run().await;
        Ok(())
    }
}

/// What was asked last, and when.
struct Last {
    query: Arc<Query>,
    at: Timestamp,
}

struct Session {
    follower: Follower,
    feed: Feed,
    control: watch::Receiver<Control>,
    remote: Option<Remote>,
    last: Option<Last>,
    failures: u32,
}

impl Session {
    /// Until nobody wishes for anything any more.
    async fn run(mut self) {
        loop {
            if self.control.wait_for(|control| !control.paused).await.is_err() {
                return;
            }
            self.control.mark_unchanged();
            let wish = self.follower.wish.borrow_and_update().clone();
            // What takes long gives way to another wish, to a pause, and to another try.
            let (mut wishes, mut controls) = (self.follower.wish.clone(), self.control.clone());
            let outcome = tokio::select! {
                outcome = self.ask(&wish) => Some(outcome),
                changed = wishes.changed() => if changed.is_err() { return } else { None },
                changed = controls.changed() => if changed.is_err() { return } else { None },
            };
            let rest = match outcome {
                None => continue,
                Some(Ok(())) => {
                    self.failures = 0;
                    POLL
                }
                Some(Err(error)) => self.failed(&error),
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                changed = self.follower.wish.changed() => if changed.is_err() { return },
                changed = self.control.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Says so, and when it is tried again. What was loaded stays.
    fn failed(&mut self, error: &RemoteError) -> Duration {
        let pause = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        let pause = if error.is_passing() { pause } else { LONGEST };
        self.failures = self.failures.saturating_add(1);
        // It may be another one when it comes back.
        self.remote = None;
        let now = (self.follower.clock)();
        let next_try = Some(now.plus(Nanos(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX))));
        self.stands(Standing::Error { error: error.to_string(), next_try });
        pause
    }

    fn stands(&self, standing: Standing) {
        self.feed.board().set_standing(self.follower.source, standing, (self.follower.clock)());
    }

    async fn remote(&mut self) -> Result<Remote, RemoteError> {
        if let Some(remote) = &self.remote {
            return Ok(remote.clone());
        }
        self.stands(Standing::Connecting);
        let remote = Remote::connect(self.follower.server.clone(), self.follower.flavor).await?;
        self.feed.board().set_page(self.follower.source, remote.page());
        self.remote = Some(remote.clone());
        // Whatever was asked before, the one that answers now may never have heard of it.
        self.last = None;
        Ok(remote)
    }

    /// Asks once for all that is wished for.
    async fn ask(&mut self, wish: &Wish) -> Result<(), RemoteError> {
        let remote = self.remote().await?;
        let now = (self.follower.clock)();
        let told = push_down(&wish.query, remote.abilities(), now);
        let same = self.last.as_ref().filter(|last| last.query == wish.query);
        let since = same.map(|last| Timestamp(last.at.0.saturating_sub(OVERLAP.0)));
        if since.is_none() {
            self.feed.board().set_asked(self.follower.source, &asked(&wish.query, &told));
        }
        if let Some(open) = wish.open {
            self.fetch(&remote, open).await?;
        }
        match told.ask {
            Ask::Trace(id) if wish.open == Some(id) => {}
            Ask::Trace(id) => self.fetch(&remote, id).await?,
            Ask::Search(search) => {
                let start = since.map_or(search.start, |since| since.max(search.start));
                let most = if told.assumed.limit.is_some() { 0 } else { REQUESTS };
                self.search(&remote, Search { start, ..search }, most).await?;
            }
        }
        self.stands(Standing::Ok);
        self.last = Some(Last { query: Arc::clone(&wish.query), at: now });
        Ok(())
    }

    async fn search(&self, remote: &Remote, search: Search, most: u32) -> Result<(), RemoteError> {
        let mut rounds = remote.rounds(search, most);
        let mut begun = (self.follower.clock)();
        while let Some(found) = rounds.next().await {
            let found = found?;
            let now = (self.follower.clock)();
            self.feed.board().set_latency(self.follower.source, now.since(begun));
            self.deliver(found).await;
            begun = (self.follower.clock)();
        }
        Ok(())
    }

    /// Feeds a trace, whole, where the server has it.
    async fn fetch(&self, remote: &Remote, id: TraceId) -> Result<(), RemoteError> {
        let begun = (self.follower.clock)();
        let Some(found) = remote.trace(id, None).await? else { return Ok(()) };
        self.feed.board().set_latency(self.follower.source, (self.follower.clock)().since(begun));
        self.deliver(found).await;
        Ok(())
    }

    /// Feeds what was found. Where there is no room it waits: nothing is lost by it, and nobody waits for this one.
    async fn deliver(&self, found: Found) {
        // A body may take half of what may wait.
        let most = (self.feed.budget() / 2).max(1);
        for body in found.bodies {
            let mut refused = body.refused.clone();
            for part in body.parts(most) {
                self.feed_one(part, std::mem::take(&mut refused)).await;
            }
        }
    }

    async fn feed_one(&self, body: Bytes, refused: Receipt) {
        loop {
            let (body, refused) = (body.clone(), refused.clone());
            let delivery = Delivery { source: self.follower.source, signal: Signal::Traces, body, refused };
            match self.feed.deliver(delivery).await {
                Err(Refused::Overload { retry_after }) => tokio::time::sleep(retry_after).await,
                Ok(_) | Err(Refused::Broken(_) | Refused::Closed) => return,
            }
        }
    }
}

/// What the server is asked, and what of the filter is applied here, for a person.
fn asked(query: &Query, told: &Pushdown) -> String {
    let Pushdown { ask, pushed, local, assumed } = told;
    let mut out = match ask {
        Ask::Trace(_) => "one trace".to_owned(),
        Ask::Search(search) if assumed.limit.is_some() => format!("{} traces", search.limit),
        Ask::Search(search) => format!("up to {} traces", search.limit),
    };
    if let Some(lookback) = assumed.lookback {
        let _ = write!(out, " of the last {}", spell_duration(lookback));
    }
    let parts = |list: &[usize]| {
        let text = |part: &usize| query.part_at(*part).and_then(|(from, to)| query.text.get(from..to));
        list.iter().filter_map(text).collect::<Vec<_>>().join(" ")
    };
    for (who, list) in [("asked there", pushed), ("applied here", local)] {
        if !list.is_empty() {
            let _ = write!(out, "; {who}: {}", parts(list));
        }
    }
    out
}

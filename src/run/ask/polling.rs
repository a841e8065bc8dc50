//! Follows servers that keep spans: every few seconds they are asked for what began lately.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::elsewhere::connect;
use super::fetch::Fetch;
use super::filter::Filter;
use crate::config::{self, Settings};
use crate::index::Reader;
use crate::model::{Nanos, SourceId, Timestamp};
use crate::query::pushdown;
use crate::run::clock;
use crate::source::remote::{Found, Remote};

/// How long a server is left alone between two polls.
const PAUSE: Duration = Duration::from_secs(3);
/// The same after it failed again and again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Spans that began so long before a poll are asked for again: they come late, and servers take their time to show them.
const OVERLAP: Nanos = Nanos::from_secs(60);
/// Requests in one poll.
const MOST: u32 = 16;

/// Servers that are followed.
pub(super) struct Polling {
    fetch: Fetch,
    servers: Vec<(String, SourceId, Remote)>,
    filter: Filter,
    /// Traces that began before are not looked for.
    begun: Timestamp,
}

impl Polling {
    /// Connects to all of them.
    ///
    /// # Errors
    /// Where one of them does not answer.
    pub(super) async fn start(settings: &Settings, remotes: &[config::Remote], filter: Filter) -> Result<Self> {
        let fetch = Fetch::open(settings)?;
        let mut servers = Vec::new();
        for remote in remotes {
            let server = connect(remote).await?;
            fetch.say(&remote.name, &format!("asked every {PAUSE:?} for traces from now on"));
            servers.push((remote.name.clone(), fetch.source(&remote.name, &server), server));
        }
        Ok(Self { fetch, servers, filter, begun: clock::now() })
    }

    /// What came so far.
    pub(super) fn reader(&self) -> Reader {
        self.fetch.reader()
    }

    /// Polls without end. A server that fails is asked again, after longer and longer pauses, and what is wrong is said once.
    pub(super) async fn run(self) {
        let polls = self.servers.iter().map(|server| self.follow(server));
        futures_util::future::join_all(polls).await;
    }

    async fn follow(&self, server: &(String, SourceId, Remote)) {
        let mut pause = PAUSE;
        loop {
            match self.poll(server).await {
                Ok(()) => pause = PAUSE,
                Err(error) => {
                    self.fetch.say(&server.0, &format!("{error:#}; it is asked again"));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn poll(&self, (name, source, server): &(String, SourceId, Remote)) -> Result<()> {
        let now = clock::now();
        let down = self.filter.pushed_down(None, server.abilities(), now);
        match down.ask {
            pushdown::Ask::Trace(id) => {
                let found: Option<Found> = server.trace(id, None).await?;
                self.fetch.take(name, *source, found.unwrap_or_default()).await
            }
            pushdown::Ask::Search(mut search) => {
                let lately = Timestamp(now.0.saturating_sub(OVERLAP.0)).max(self.begun);
                search.start = search.start.max(lately);
                let mut rounds = server.rounds(search, MOST);
                while let Some(found) = rounds.next().await {
                    self.fetch.take(name, *source, found?).await.context("what it answers cannot be taken in")?;
                }
                if rounds.is_capped() {
                    self.fetch.say(name, "more traces begin than it shows at once; narrow the filter");
                }
                Ok(())
            }
        }
    }
}

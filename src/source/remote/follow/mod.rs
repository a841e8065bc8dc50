//! Follows a server: asks it for what a person looks for, again and again, and feeds what comes.
//!
//! Three lanes go on side by side, so that none waits for another: the search (which also finds out whether the server is there),
//! the trace that is open, and the names for proposals.

mod link;
mod names;
mod open;
mod search;

use std::sync::Arc;

use tokio::sync::watch;

use self::link::Link;
use super::{Flavor, Server};
use crate::model::{SourceId, Standing, TraceId};
use crate::query::Query;
use crate::source::{Clock, Feed, Source};

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// The filter in force.
    pub query: Arc<Query>,
    /// The trace that is open, which may still grow.
    pub open: Option<TraceId>,
    /// The attribute whose values are wanted for proposals.
    pub values_of: Option<String>,
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
        Self::again((source, feed), (server, flavor), wish, clock)
    }

    /// Follows a server that is on the board already and was left.
    pub fn again(
        (source, feed): (SourceId, &Feed),
        (server, flavor): (Server, Flavor),
        wish: watch::Receiver<Wish>,
        clock: Clock,
    ) -> Self {
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
        let Self { source, server, flavor, wish, clock } = self;
        let Some(control) = feed.board().control(source) else { return Ok(()) };
        let link = Link { source, server, flavor, clock, feed, control, remote: watch::Sender::default() };
        // Each ends once nobody wishes for anything any more.
        tokio::select! {
            () = search::run(&link, wish.clone()) => {}
            () = open::run(&link, wish.clone()) => {}
            () = names::run(&link, wish) => {}
        }
        Ok(())
    }
}

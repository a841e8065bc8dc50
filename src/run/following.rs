//! The servers that are followed while the screen is shown.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{clock, remotes};
use crate::app::State;
use crate::config::Settings;
use crate::source::remote::{Follower, Wish};
use crate::source::{Feed, Source as _};

/// All of them. Dropping it ends them.
pub(super) struct Following {
    wish: watch::Sender<Wish>,
    tasks: JoinSet<()>,
}

impl Following {
    /// Makes the servers of the settings known; each is asked from now on.
    ///
    /// # Errors
    /// Where an address cannot be read, or a secret is not where it should be.
    pub(super) fn start(settings: &Settings, feed: &Feed) -> Result<Self> {
        let (wish, wished) = watch::channel(Wish::default());
        let mut tasks = JoinSet::new();
        for remote in &settings.remotes {
            let server = remotes::server(remote)?;
            let follower = Follower::new((&remote.name, feed), server, wished.clone(), clock::clock());
            let feed = feed.clone();
            tasks.spawn(async move {
                let Ok(()) = follower.run(feed).await;
            });
        }
        Ok(Self { wish, tasks })
    }

    /// Has them look for what is on the screen.
    pub(super) fn look_for(&self, state: &State) {
        if self.tasks.is_empty() {
            return;
        }
        let open = state.trace.as_ref().map(|trace| trace.id);
        let query = &state.filter.query;
        self.wish.send_if_modified(|wish| {
            let changed = wish.query != *query || wish.open != open;
            if changed {
                *wish = Wish { query: Arc::clone(query), open };
            }
            changed
        });
    }
}

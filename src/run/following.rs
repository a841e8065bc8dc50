//! The servers that are followed while the screen is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::{clock, remotes};
use crate::app::{Profile, State};
use crate::config::{self, RemoteKind, Settings};
use crate::model::{SourceId, Standing};
use crate::query::key_at;
use crate::source::remote::{Follower, Wish};
use crate::source::{Feed, Source as _};

/// All of them. Dropping it ends them.
pub(super) struct Following {
    wish: watch::Sender<Wish>,
    tasks: JoinSet<()>,
    feed: Feed,
    /// The servers that may be asked by name.
    profiles: Vec<config::Remote>,
    /// Those that are asked or were, by name.
    known: BTreeMap<String, (SourceId, AbortHandle)>,
}

impl Following {
    /// Makes the servers of the settings known; each is asked from now on.
    ///
    /// # Errors
    /// Where an address cannot be read, or a secret is not where it should be.
    pub(super) fn start(settings: &Settings, feed: &Feed) -> Result<Self> {
        let wish = watch::Sender::default();
        let (profiles, feed) = (settings.profiles.clone(), feed.clone());
        let mut following = Self { wish, tasks: JoinSet::new(), feed, profiles, known: BTreeMap::new() };
        for remote in &settings.remotes {
            following.follow(remote)?;
        }
        Ok(following)
    }

    /// Asks a server of the settings file from now on. Answers what was done.
    ///
    /// # Errors
    /// Where the settings describe none of that name, or its secrets are not where they should be.
    pub(super) fn connect(&mut self, name: &str) -> Result<String> {
        let profile = self.profiles.iter().find(|profile| profile.name == name).cloned();
        let profile = profile.with_context(|| format!("the settings file describes no server {name}"))?;
        if self.known.get(name).is_some_and(|(_, task)| !task.is_finished()) {
            bail!("{name} is asked already");
        }
        self.follow(&profile)?;
        Ok(format!("{name} is asked from now on"))
    }

    /// Asks it no more; what it gave stays. Answers what was done.
    ///
    /// # Errors
    /// Where it is not asked.
    pub(super) fn disconnect(&self, name: &str) -> Result<String> {
        let (source, task) = self.known.get(name).with_context(|| format!("{name} is not asked"))?;
        task.abort();
        let board = self.feed.board();
        board.set_standing(*source, Standing::Ended, clock::now());
        board.unset_asked(*source);
        Ok(format!("{name} is asked no more; what it gave stays"))
    }

    fn follow(&mut self, remote: &config::Remote) -> Result<()> {
        let server = remotes::server(remote)?;
        let (wish, clock) = (self.wish.subscribe(), clock::clock());
        let follower = match self.known.get(&remote.name) {
            Some((source, _)) => Follower::again((*source, &self.feed), server, wish, clock),
            None => Follower::new((&remote.name, &self.feed), server, wish, clock),
        };
        let (source, feed) = (follower.source(), self.feed.clone());
        // Of those that ended nothing is to be heard.
        while self.tasks.try_join_next().is_some() {}
        let task = self.tasks.spawn(async move {
            let Ok(()) = Box::pin(follower.run(feed)).await;
        });
        self.known.insert(remote.name.clone(), (source, task));
        Ok(())
    }

    /// Has them look for what is on the screen.
    pub(super) fn look_for(&self, state: &State) {
        if self.tasks.is_empty() {
            return;
        }
        let open = state.trace.as_ref().map(|trace| trace.id);
        let query = &state.filter.query;
        let bar = state.bar();
        let values_of = if bar.editing { key_at(&bar.text, bar.cursor) } else { None };
        self.wish.send_if_modified(|wish| {
            let changed = wish.query != *query || wish.open != open || wish.values_of != values_of;
            if changed {
                *wish = Wish { query: Arc::clone(query), open, values_of };
            }
            changed
        });
    }
}

/// A server of the settings file, as it is shown.
pub(super) fn profile(remote: &config::Remote) -> Profile {
    let kind = match remote.kind {
        RemoteKind::Jaeger => "Jaeger",
        RemoteKind::Tempo => "Tempo",
    };
    let place = config::Address::from(remote.url.as_str());
    Profile { name: remote.name.clone(), place: format!("{kind} at {}", place.place()) }
}

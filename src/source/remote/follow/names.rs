//! The lane of names: what the server calls its services, operations and attributes, and who calls whom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::watch;

use super::Wish;
use super::link::Link;
use crate::model::{Names, Nanos};
use crate::source::remote::{Remote, RemoteError};

/// Time between two questions for names: they seldom change.
const AGAIN: Duration = Duration::from_secs(300);
/// How far back calls between services are counted.
const CALLS_OF: Nanos = Nanos::from_secs(24 * 3_600);
/// Names of one kind that are kept.
const MOST: usize = 2_000;
/// Services whose operations are asked for.
const SERVICES: usize = 50;
/// Requests under way at the same time.
const AT_ONCE: usize = 2;
/// Attributes whose values are kept.
const ATTRIBUTES: usize = 50;

/// Until nobody wishes for anything any more.
pub(super) async fn run(link: &Link, mut wish: watch::Receiver<Wish>) {
    let mut control = link.control.clone();
    let mut names = Names::default();
    while link.unpaused(&mut control).await.is_some() {
        tokio::select! {
            () = learn(link, &mut wish, &mut names) => return,
            paused = control.wait_for(|control| control.paused) => if paused.is_err() { return },
        }
    }
}

/// Asks for all names from time to time, and for values when they are wanted. Ends with the program.
async fn learn(link: &Link, wish: &mut watch::Receiver<Wish>, names: &mut Names) {
    while let Some(remote) = link.connected().await {
        *names = Names { values: std::mem::take(&mut names.values), ..all(link, &remote).await };
        publish(link, names);
        let again = tokio::time::sleep(AGAIN);
        let mut again = std::pin::pin!(again);
        loop {
            let wanted = wish.borrow_and_update().values_of.clone();
            if let Some(key) = wanted.filter(|key| !names.values.contains_key(key))
                && let Ok(values) = values(&remote, names, &key).await
            {
                if names.values.len() >= ATTRIBUTES {
                    names.values.pop_first();
                }
                names.values.insert(key, values);
                publish(link, names);
            }
            tokio::select! {
                () = &mut again => break,
                changed = wish.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn publish(link: &Link, names: &Names) {
    link.feed.board().set_names(link.source, Arc::new(names.clone()));
}

/// What it does not tell is not missed enough to call the server broken.
async fn all(link: &Link, remote: &Remote) -> Names {
    let heard = |fault: RemoteError| tracing::debug!(%fault, "a server did not tell its names");
    let mut services = remote.services().await.map_err(heard).unwrap_or_default();
    services.truncate(MOST);
    let asked: Vec<String> = services.iter().take(SERVICES).cloned().collect();
    let asked = stream::iter(asked).map(|service| async move { remote.operations(&service).await.unwrap_or_default() });
    let found: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let operations: BTreeSet<String> = found.into_iter().flatten().map(|operation| operation.name).collect();
    let mut tags = remote.tags().await.map_err(heard).unwrap_or_default();
    tags.truncate(MOST);
    let mut dependencies = remote.dependencies(link.now(), CALLS_OF).await.map_err(heard).unwrap_or_default();
    dependencies.sort_unstable();
    dependencies.truncate(MOST);
    Names { services, operations: operations.into_iter().take(MOST).collect(), tags, dependencies, ..Names::default() }
}

/// The values of an attribute in whatever scope the server knows it.
async fn values(remote: &Remote, names: &Names, key: &str) -> Result<Vec<String>, RemoteError> {
    let is_of = |tag: &&String| tag.split_once('.').is_some_and(|(_, name)| name == key);
    let mut all = BTreeSet::new();
    for tag in names.tags.iter().filter(is_of) {
        all.extend(remote.tag_values(tag).await?.into_iter().map(|value| value.value));
    }
    Ok(all.into_iter().take(MOST).collect())
}

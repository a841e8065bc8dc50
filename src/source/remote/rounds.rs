//! A search in rounds: where a server's limit came before the end, the time is split and each part asked for itself.
//!
//! Servers order what they find as they like, and some cut off the newest; so nothing is concluded from what came about what did
//! not. A part of the time is done when its answer stays below the limit.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::error::RemoteError;
use super::found::{Found, Seen};
use super::{Protocol, Remote, legacy, tempo, v3};
use crate::model::{Progress, Timestamp, TraceId};
use crate::query::pushdown::Search;

/// Requests under way at the same time.
const AT_ONCE: usize = 4;

/// A part of the time that is shorter is not split further, in nanoseconds.
const SHORTEST: u64 = 1_000;

/// Traces that one request asks for at most: some servers give no more however many are wanted, and do not say so.
const MOST: u32 = 500;

/// A search under way. Each round is a few requests; dropping it, between rounds or within one, ends it.
#[derive(Debug)]
pub struct Rounds {
    remote: Remote,
    /// To be asked, the next last.
    open: Vec<Search>,
    /// What is being asked. Left here where that was broken off.
    asking: Vec<Search>,
    /// What had no answer.
    failed: Vec<Search>,
    /// The end of what may be missing and cannot be asked for any more.
    lost: Option<Timestamp>,
    /// Traces that came, and when the first of their spans that came began.
    seen: BTreeMap<TraceId, Timestamp>,
    asked: u32,
    most: u32,
    begun: bool,
    /// Of the parts of the time the newest are asked for alone, until they are known.
    newest_first: bool,
    /// The server answers with other times than it is asked for: to split them leads nowhere.
    heedless: bool,
}

impl Rounds {
    pub(super) fn new(remote: Remote, search: Search, most: u32) -> Self {
        Self {
            remote,
            open: vec![Search { limit: search.limit.min(MOST), ..search }],
            asking: Vec::new(),
            failed: Vec::new(),
            lost: None,
            seen: BTreeMap::new(),
            asked: 0,
            most,
            begun: false,
            newest_first: false,
            heedless: false,
        }
    }

    /// Where a number of the newest is wanted: nothing else is asked for until these are known.
    #[must_use]
    pub fn newest_first(mut self, newest_first: bool) -> Self {
        self.newest_first = newest_first;
        self
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let open = self.left().count();
        let until = self.left().map(|part| part.end).chain(self.lost).max().unwrap_or_default();
        let newest = self.seen.values().copied().max().unwrap_or_default();
        Progress { traces: self.seen.len(), asked: self.asked, open, until, newest }
    }

    /// What is still to be asked for.
    fn left(&self) -> impl Iterator<Item = &Search> {
        self.open.iter().chain(&self.asking).chain(&self.failed)
    }

    /// Whether there may be more than what was found: requests ran out or failed, or a part of the time could not be split further.
    #[must_use]
    pub fn is_capped(&self) -> bool {
        self.begun && (self.lost.is_some() || self.left().next().is_some())
    }

    /// How many of the traces that came are newer than all that may still come.
    #[must_use]
    pub fn settled(&self) -> usize {
        let until = self.progress().until;
        self.seen.values().filter(|first| until.0 == 0 || **first > until).count()
    }

    /// Lets it make `more` requests, beginning with those that failed or were broken off.
    pub fn go_on(&mut self, more: u32) {
        self.newest_first = false;
        self.most = self.asked.saturating_add(more);
        let (failed, asking) = (std::mem::take(&mut self.failed), std::mem::take(&mut self.asking));
        self.open.extend(failed.into_iter().chain(asking));
        self.open.sort_by_key(|search| search.end);
    }

    /// What the next few requests find; nothing once there is no more to be asked. Traces that came before may come again. What goes
    /// wrong after the first round is a warning. Where it is broken off, [`go_on`](Self::go_on) asks again for what was under way.
    ///
    /// # Errors
    /// Where the first round has no answer at all.
    pub async fn next(&mut self) -> Option<Result<Found, RemoteError>> {
        if !self.begun {
            return Some(self.first().await);
        }
        let left = usize::try_from(self.most.saturating_sub(self.asked)).unwrap_or_default();
        let end = self.open.last().map(|part| part.end);
        let newest = self.open.iter().rev().take_while(|part| !self.newest_first || Some(part.end) == end);
        let count = newest.count().min(left).min(AT_ONCE);
        if count == 0 {
            return None;
        }
        self.asking = self.open.split_off(self.open.len() - count);
        let found = self.ask(self.asking.clone()).await;
        self.asking.clear();
        Some(Ok(found.unwrap_or_else(|fault| Found { warnings: vec![fault.to_string()], ..Found::default() })))
    }

    /// The first round: every service, where the server has to be told one.
    pub(super) async fn first(&mut self) -> Result<Found, RemoteError> {
        let search = self.open.pop().unwrap_or_default();
        self.begun = true;
        let searches = if self.remote.protocol == Protocol::Tempo {
            return self.first_of_tempo(&search).await;
        } else if search.service.is_some() || self.remote.abilities.any_service() {
            vec![search]
        } else {
            let services = self.remote.services().await?;
            let of = |service: String| Search { service: Some(service), ..search.clone() };
            services.into_iter().map(of).collect()
        };
        self.ask(searches).await
    }

    /// The first round at a Tempo, which takes a search over so much time and no more. How much it tells when it is asked for more.
    async fn first_of_tempo(&mut self, search: &Search) -> Result<Found, RemoteError> {
        let longest = self.remote.tempo.longest();
        let (first, later) = in_pieces(search, longest);
        self.open = later;
        let found = self.ask(first).await;
        if self.remote.tempo.longest() >= longest {
            return found;
        }
        self.failed.clear();
        let (first, later) = in_pieces(search, self.remote.tempo.longest());
        self.open = later;
        self.ask(first).await
    }

    /// Asks all of these. An error only where all fail.
    async fn ask(&mut self, searches: Vec<Search>) -> Result<Found, RemoteError> {
        let remote = self.remote.clone();
        let asked = stream::iter(searches).map(|search| {
            let remote = remote.clone();
            async move { (one(&remote, &search).await, search) }
        });
        let mut asked = std::pin::pin!(asked.buffered(AT_ONCE));
        let (mut all, mut answered, mut fault, mut parts) = (Found::default(), false, None, Vec::new());
        while let Some((answer, search)) = asked.next().await {
            self.asked += 1;
            match answer {
                Ok(mut found) => {
                    answered = true;
                    if std::mem::take(&mut found.capped) {
                        self.split(&search, &mut found, &mut parts);
                    }
                    all.join(found);
                }
                Err(error) => {
                    let of = search.service.as_deref().map(|service| format!("{service}: ")).unwrap_or_default();
                    all.warn(format!("{of}{error}"));
                    self.failed.push(search);
                    fault = fault.or(Some(error));
                }
            }
        }
        self.open.extend(parts);
        self.open.sort_by_key(|search| search.end);
        if self.heedless {
            self.lost = self.open.drain(..).map(|part| part.end).max().max(self.lost);
        }
        for (id, seen) in &all.traces {
            self.seen.entry(*id).and_modify(|first| *first = (*first).min(seen.first)).or_insert(seen.first);
        }
        match fault {
            Some(fault) if !answered => Err(fault),
            _ => Ok(all),
        }
    }

    /// Parts of the search's time, where its answer was cut short, if it can be parted.
    fn split(&mut self, search: &Search, found: &mut Found, parts: &mut Vec<Search>) {
        // A trace that began before and goes on is within too.
        let outside = |seen: &&Seen| seen.first > search.end || seen.last < search.start;
        if 2 * found.traces.values().filter(outside).count() >= found.traces.len().max(1) {
            found.warn("the server does not heed the time it is asked for".to_owned());
            self.heedless = true;
            self.lost = self.lost.max(Some(search.end));
            return;
        }
        let length = search.end.0.saturating_sub(search.start.0);
        if length < 2 * SHORTEST {
            self.lost = self.lost.max(Some(search.end));
            return;
        }
        // Where half of what came began is a better place than the middle, for load is not even; unless all of that lies close
        // together: then the server keeps one end of the time, and says nothing of the rest of it.
        let mut starts: Vec<u64> = found.traces.values().map(|seen| seen.first.0).collect();
        starts.sort_unstable();
        let middle = search.start.0 + length / 2;
        let apart = |at: &u64| *at > search.start.0 + SHORTEST && *at + SHORTEST < search.end.0;
        let spread = starts.last().zip(starts.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
        let wide = |_: &u64| spread > length / 4;
        let at = starts.get(starts.len() / 2).copied().filter(apart).filter(wide).unwrap_or(middle);
        parts.push(Search { end: Timestamp(at), ..search.clone() });
        parts.push(Search { start: Timestamp(at), ..search.clone() });
    }
}

/// The same search in pieces of the time, none longer than `longest`: those for the first round, the newest of them first, and those
/// for later rounds, in order of time.
fn in_pieces(search: &Search, longest: u64) -> (Vec<Search>, Vec<Search>) {
    const FIRST: usize = 32;
    // A year of hours. What is left then is one piece more.
    const PIECES: usize = 9_000;
    let (mut pieces, mut end) = (Vec::new(), search.end);
    while end.0.saturating_sub(search.start.0) > longest && pieces.len() < PIECES {
        let start = Timestamp(end.0 - longest);
        pieces.push(Search { start, end, ..search.clone() });
        end = start;
    }
    pieces.push(Search { end, ..search.clone() });
    let mut later = pieces.split_off(pieces.len().min(FIRST));
    later.reverse();
    (pieces, later)
}

async fn one(remote: &Remote, search: &Search) -> Result<Found, RemoteError> {
    match (&remote.grpc, remote.protocol) {
        (Some(grpc), _) => grpc.search(search).await,
        (None, Protocol::Legacy) => legacy::search(&remote.http, search).await,
        (None, Protocol::Tempo) => tempo::search(&remote.http, search, &remote.tempo).await,
        (None, _) => v3::search(&remote.http, search).await,
    }
}

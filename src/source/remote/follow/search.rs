//! The lane of the search: it keeps what the list shows up to date, and says how the server stands.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Wish;
use super::link::{Link, Urgency, nanos, pause_after};
use crate::model::{Asked, Nanos, Progress, SearchState, Standing, Timestamp};
use crate::query::Query;
use crate::query::pushdown::{Ask, Pushdown, Search, push_down};
use crate::source::Control;
use crate::source::remote::{Remote, RemoteError, Rounds};

/// Time between two questions for what is new.
const POLL: Duration = Duration::from_secs(5);
/// How long a filter stands still before it is asked for.
const STILL: Duration = Duration::from_millis(250);
/// Spans reach a server's store late: the time that was asked for last is asked for again, so far back.
const OVERLAP: Nanos = Nanos::from_secs(60);
/// The same where not all of it came, at most.
const BEHIND: Nanos = Nanos::from_secs(600);
/// Requests that one search may take, where the filter names a limit or a time: then all of it is looked for, part by part.
const REQUESTS: u32 = 256;
/// The same where it names neither: until the newest are known to be that.
const FEW_REQUESTS: u32 = 32;
/// Requests that a look for what is new may take.
const POLL_REQUESTS: u32 = 16;

/// What was asked last, and when.
struct Last {
    query: Arc<Query>,
    at: Timestamp,
}

struct Lane<'a> {
    link: &'a Link,
    last: Option<Last>,
    failures: u32,
    /// Something was asked for already.
    begun: bool,
    /// The search of what was asked last, which may go on.
    rounds: Option<Rounds>,
    /// How often a person had it go on so far.
    onwards: u64,
}

/// Until nobody wishes for anything any more.
pub(super) async fn run(link: &Link, mut wish: watch::Receiver<Wish>) {
    let mut lane = Lane { link, last: None, failures: 0, begun: false, rounds: None, onwards: 0 };
    let mut control = link.control.clone();
    while let Some(now) = link.unpaused(&mut control).await {
        if lane.begun && !still(&mut wish).await {
            return;
        }
        lane.begun = true;
        let query = Arc::clone(&wish.borrow_and_update().query);
        let disturbs = |control: &Control| control.paused || control.retries != now.retries;
        let wakes = |control: &Control| disturbs(control) || control.onwards != now.onwards;
        // What takes long gives way to another wish, to a pause, and to another try.
        let outcome = tokio::select! {
            outcome = lane.ask(&query, now) => Some(outcome),
            other = wish.wait_for(|wish| wish.query != query) => if other.is_err() { return } else { None },
            other = control.wait_for(disturbs) => if other.is_err() { return } else { None },
        };
        let rest = match outcome {
            None => {
                lane.broken_off();
                continue;
            }
            Some(Ok(())) => {
                lane.failures = 0;
                POLL
            }
            Some(Err(error)) => lane.failed(&error),
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            other = wish.wait_for(|wish| wish.query != query) => if other.is_err() { return },
            other = control.wait_for(wakes) => {
                let Ok(other) = other else { return };
                if other.retries != now.retries {
                    // All of it once more: also what was left off before.
                    lane.last = None;
                }
            }
        }
    }
}

/// Waits until a filter that is being typed has stood still for a moment: a server is not asked letter by letter. Answers whether
/// anybody wishes for anything any more.
async fn still(wish: &mut watch::Receiver<Wish>) -> bool {
    loop {
        let query = Arc::clone(&wish.borrow_and_update().query);
        tokio::select! {
            () = tokio::time::sleep(STILL) => return true,
            other = wish.wait_for(|wish| wish.query != query) => if other.is_err() { return false },
        }
    }
}

impl Lane<'_> {
    /// Says so, and when it is tried again. What was loaded stays.
    fn failed(&mut self, error: &RemoteError) -> Duration {
        self.broken_off();
        let pause = pause_after(self.failures, error);
        self.failures = self.failures.saturating_add(1);
        // It may be another one when it comes back.
        self.link.remote.send_replace(None);
        let next_try = Some(self.link.now().plus(nanos(pause)));
        self.link.stands(Standing::Error { error: error.to_string(), next_try });
        pause
    }

    /// What goes on with it later begins with what was under way.
    fn broken_off(&self) {
        if let Some(rounds) = &self.rounds {
            self.link.feed.board().set_progress(self.link.source, rounds.progress(), SearchState::Stopped);
        }
    }

    /// Asks once.
    async fn ask(&mut self, query: &Arc<Query>, control: Control) -> Result<(), RemoteError> {
        let (remote, anew) = self.link.connect().await?;
        if anew {
            // Whatever was asked before, the one that answers now may never have heard of it.
            self.last = None;
        }
        let now = self.link.now();
        let told = push_down(query, remote.abilities(), now);
        let same = self.last.as_ref().filter(|last| last.query == *query);
        let since = same.map(|last| Timestamp(last.at.0.saturating_sub(OVERLAP.0)));
        if since.is_none() {
            self.rounds = None;
            self.link.feed.board().set_asked(self.link.source, asked(query, &told));
        }
        let mut at = now;
        let onwards = std::mem::replace(&mut self.onwards, control.onwards) != control.onwards;
        match (&told.ask, since) {
            (Ask::Trace(id), _) => {
                let begun = self.link.now();
                if let Some(found) = remote.trace(*id, None).await? {
                    self.link.took(begun);
                    self.link.deliver(found, Urgency::Turn).await;
                }
                self.link.feed.board().set_progress(self.link.source, Progress::default(), SearchState::Complete);
            }
            (Ask::Search(search), None) => {
                let plain = told.assumed.limit.is_some() && told.assumed.lookback.is_some();
                let rounds = remote.rounds(search.clone(), if plain { FEW_REQUESTS } else { REQUESTS });
                // Where nothing is left to be sorted out here, as many of the newest are enough.
                let wanted = plain || told.assumed.limit.is_none() && told.local.is_empty();
                let enough = wanted.then_some(search.limit).and_then(|limit| usize::try_from(limit).ok());
                self.rounds = Some(rounds.newest_first(wanted));
                self.search(enough, plain, control).await?;
            }
            (Ask::Search(_), Some(_)) if onwards && self.rounds.is_some() => {
                self.rounds.iter_mut().for_each(|rounds| rounds.go_on(REQUESTS));
                self.search(None, false, control).await?;
                // What is new was not looked for.
                self.last = Some(Last { query: Arc::clone(query), at: since.unwrap_or(now).plus(OVERLAP) });
                return Ok(());
            }
            (Ask::Search(search), Some(since)) => {
                let start = since.max(search.start);
                if !self.poll(&remote, Search { start, ..search.clone() }).await? {
                    at = since.plus(OVERLAP).max(Timestamp(now.0.saturating_sub(BEHIND.0)));
                }
            }
        }
        self.link.stands(Standing::Ok);
        self.last = Some(Last { query: Arc::clone(query), at });
        Ok(())
    }

    /// Looks for all that the filter asks for, until there is no more, there is `enough`, or a person has it leave off. `plain`: the
    /// filter says neither how many nor of which time, so that enough is not all.
    async fn search(&mut self, enough: Option<usize>, plain: bool, control: Control) -> Result<(), RemoteError> {
        let Some(rounds) = &mut self.rounds else { return Ok(()) };
        let board = self.link.feed.board();
        let mut stops = self.link.control.clone();
        let mut begun = self.link.now();
        let state = loop {
            let found = tokio::select! {
                found = rounds.next() => found,
                stopped = stops.wait_for(|now| now.stops != control.stops) => match stopped {
                    Ok(_) => break SearchState::Stopped,
                    Err(_) => return Ok(()),
                },
            };
            let Some(found) = found else {
                break if rounds.is_capped() { SearchState::Capped } else { SearchState::Complete };
            };
            let found = found?;
            self.link.took(begun);
            board.set_progress(self.link.source, rounds.progress(), SearchState::Running);
            // It answers, although there is more to come.
            self.link.stands(Standing::Ok);
            self.link.deliver(found, Urgency::Turn).await;
            if enough.is_some_and(|enough| rounds.settled() >= enough) {
                break if plain && rounds.is_capped() { SearchState::Capped } else { SearchState::Complete };
            }
            begun = self.link.now();
        };
        board.set_progress(self.link.source, rounds.progress(), state);
        if state == SearchState::Complete {
            self.rounds = None;
        }
        Ok(())
    }

    /// Looks for what is new. Answers whether all of it came.
    async fn poll(&self, remote: &Remote, search: Search) -> Result<bool, RemoteError> {
        let mut rounds = remote.rounds(search, POLL_REQUESTS);
        let (mut begun, mut warned) = (self.link.now(), false);
        while let Some(found) = rounds.next().await {
            let found = found?;
            self.link.took(begun);
            warned |= !found.warnings.is_empty();
            self.link.deliver(found, Urgency::Turn).await;
            begun = self.link.now();
        }
        let whole = !rounds.is_capped();
        if !whole && !warned {
            self.link.note("more traces begin than it gives at once: some of the new ones are missing");
        }
        Ok(whole)
    }
}

/// What the server is asked, and what of the filter is applied here.
fn asked(query: &Query, told: &Pushdown) -> Asked {
    let Pushdown { ask, pushed, local, assumed } = told;
    let (one, limit) = match ask {
        Ask::Trace(_) => (true, 1),
        Ask::Search(search) => (false, search.limit),
    };
    Asked {
        filter: query.text.clone(),
        there: pushed.clone(),
        here: local.clone(),
        one,
        limit,
        limit_assumed: assumed.limit.is_some(),
        lookback: assumed.lookback,
        ..Asked::default()
    }
}

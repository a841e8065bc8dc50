//! Fetches traces from servers into an index of this program.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use super::answer::Held;
use super::filter::Filter;
use crate::analysis::Thresholds;
use crate::config::Settings;
use crate::export::rfc3339;
use crate::index;
use crate::model::{Nanos, Signal, SourceId, Timestamp, TraceId};
use crate::query::pushdown::{self, Assumed};
use crate::run::{clock, indexer, wiring};
use crate::source::remote::{Found, Progress, Remote, Rounds};
use crate::source::{self, Delivery, Feed};
use crate::view::visible;

/// Requests that are made at most for an answer that need not be whole.
const MOST: u32 = 256;
/// Requests that are made at most where all traces are wanted.
const MOST_FOR_ALL: u32 = 1_000;
/// Bodies that wait for the index.
const WAITING: usize = 16;
/// Traces that a server is asked for where nothing says how many.
const USUAL: u32 = 100;

/// What is to be fetched.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// As many traces; `None`: as many as is usual.
    pub(super) most: Option<u32>,
    /// Which of them does not matter otherwise.
    pub(super) newest: bool,
    /// All of them, and `most` at once: half of them are as good as none.
    pub(super) all: bool,
}

/// An index that is being filled from servers.
pub(super) struct Fetch {
    feed: Feed,
    indexer: indexer::Indexer,
    thresholds: Thresholds,
    /// What was said already.
    said: Mutex<BTreeSet<String>>,
}

impl Fetch {
    /// An empty one.
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        // One body is on its way at a time, and how large it may be the server's description says.
        let (feed, queue) = source::feed(usize::MAX / 2, WAITING, clock::clock());
        let indexer = wiring::index(settings, queue, feed.board(), indexer::no_gate())?;
        Ok(Self { feed, indexer, thresholds: wiring::thresholds(settings)?, said: Mutex::default() })
    }

    /// Makes a server known by its name.
    pub(super) fn source(&self, name: &str, server: &Remote) -> SourceId {
        let source = self.feed.board().register(name, Vec::new());
        if server.is_lossy() {
            self.feed.board().set_lossy(source);
        }
        source
    }

    /// What is held so far.
    pub(super) fn reader(&self) -> index::Reader {
        self.indexer.reader.clone()
    }

    /// Fetches what is wanted from one server; what is to be said of that goes to standard error.
    ///
    /// # Errors
    /// Where there is no answer, or only a part of one where all is wanted.
    pub(super) async fn fetch(&self, (name, source): (&str, SourceId), server: &Remote, wanted: &Wanted) -> Result<()> {
        let of = || format!("the source {name}");
        let down = wanted.filter.pushed_down(wanted.most, server.abilities(), clock::now());
        let search = match down.ask {
            pushdown::Ask::Trace(id) => {
                let found = server.trace(id, None).await.with_context(of)?;
                return self.take(name, source, found.unwrap_or_default()).await;
            }
            pushdown::Ask::Search(search) => search,
        };
        if let Some(assumed) = assumed(down.assumed) {
            self.say(name, &format!("{assumed}; since=, lookback= and limit= ask for others"));
        }
        // What other servers gave is not of this one.
        let others: HashSet<TraceId> = self.hits(wanted, Timestamp(0)).collect();
        let enough = wanted.most.unwrap_or(USUAL);
        let most = if wanted.all { MOST_FOR_ALL } else { MOST };
        let mut rounds =
            server.rounds(search, most).newest_first(!wanted.all && wanted.newest && down.local.is_empty());
        let mut progress = Shown::default();
        while let Some(found) = rounds.next().await {
            self.take(name, source, found.with_context(of)?).await?;
            progress.show(name, rounds.progress());
            // The newest are wanted, and servers give them in any order.
            let since = if wanted.newest { rounds.progress().until } else { Timestamp(0) };
            let hits = self.hits(wanted, since).filter(|hit| !others.contains(hit)).count();
            if !wanted.all && u32::try_from(hits).is_ok_and(|hits| hits >= enough) {
                progress.clear();
                self.tell_rest(name, wanted.most.is_some(), &rounds);
                return Ok(());
            }
        }
        progress.clear();
        self.finish(name, wanted, &rounds)
    }

    /// Delivers what was found, and says what the server says of it.
    pub(super) async fn take(&self, name: &str, source: SourceId, found: Found) -> Result<()> {
        for warning in &found.warnings {
            self.say(name, warning);
        }
        for body in found.bodies {
            let delivery = Delivery { source, signal: Signal::Traces, body: body.protobuf, refused: body.refused };
            let receipt = self.feed.deliver(delivery).await.with_context(|| format!("the source {name}"))?;
            let refused = receipt.rejected_total();
            if refused > 0 {
                self.say(name, &format!("{refused} spans of its answer cannot be taken"));
            }
        }
        Ok(())
    }

    /// The traces that match here and began later. What came last may not be seen yet, which costs a request more.
    fn hits(&self, wanted: &Wanted, since: Timestamp) -> impl Iterator<Item = TraceId> {
        let view = self.indexer.reader.view();
        let hits = wanted.filter.find(&view, clock::now(), &|| false).hits.into_iter().map(|hit| hit.trace);
        hits.filter(move |hit| view.summary(*hit).is_some_and(|summary| since.0 == 0 || summary.start > since))
    }

    /// Says where the answer may lack something.
    fn finish(&self, name: &str, wanted: &Wanted, rounds: &Rounds) -> Result<()> {
        if wanted.all && rounds.is_capped() {
            let what =
                "not all traces could be fetched, so nothing can be said of them; narrow the time with lookback=";
            bail!("the source {name}: {what}");
        }
        self.tell_rest(name, false, rounds);
        Ok(())
    }

    /// Says of which time there may be more, unless as many of the newest came as are wanted.
    fn tell_rest(&self, name: &str, enough: bool, rounds: &Rounds) {
        let Progress { until, newest, .. } = rounds.progress();
        match rounds.is_capped() && !enough {
            false => {}
            true if until < newest => self.say(
                name,
                &format!("all that began after {} came; of the time before there may be more", rfc3339(until)),
            ),
            true => {
                let what =
                    "its limit came before the sort: there may be more, also newer ones; narrow the filter or the time";
                self.say(name, what);
            }
        }
    }

    /// Says something about a server on standard error, once; that it cannot be written is nobody's loss.
    pub(super) fn say(&self, name: &str, what: &str) {
        let line = format!("tracefall: {}: {}", visible(name), visible(what));
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// What was fetched, all of it to be seen.
    ///
    /// # Errors
    /// Where the index broke.
    pub(super) async fn end(self) -> Result<Held> {
        let Self { feed, indexer, thresholds, .. } = self;
        // The thread ends once everything is in.
        drop(feed);
        let thread = indexer.thread;
        if tokio::task::spawn_blocking(move || thread.join().is_err()).await? {
            bail!("the index broke while the traces were fetched");
        }
        wiring::tell_left(&indexer.reader.view(), "fetched");
        Ok(Held { reader: indexer.reader, filed: true, thresholds })
    }
}

/// What was assumed of a filter that leaves it open.
fn assumed(assumed: Assumed) -> Option<String> {
    let limit = assumed.limit.map(|limit| format!("{limit} traces"));
    let lookback = assumed.lookback.map(|ago| {
        if ago == Nanos::from_secs(3_600) { "of the last hour".to_owned() } else { format!("of the last {ago}") }
    });
    match (limit, lookback) {
        (Some(limit), Some(lookback)) => Some(format!("{limit} {lookback}")),
        (Some(one), None) => Some(format!("at most {one}")),
        (None, Some(one)) => Some(format!("traces {one}")),
        (None, None) => None,
    }
}

/// How far it has come, in a line of its own that is written over; only where a person sees it.
#[derive(Default)]
struct Shown {
    rounds: u32,
}

impl Shown {
    fn show(&mut self, name: &str, progress: Progress) {
        self.rounds += 1;
        let Progress { traces, asked, open, .. } = progress;
        if open > 0 && io::stderr().is_terminal() {
            let name = visible(name);
            let _ =
                write!(io::stderr(), "\r{name}: {traces} traces, {asked} requests, {open} parts of the time to go  ");
        }
    }

    fn clear(&self) {
        if self.rounds > 1 && io::stderr().is_terminal() {
            let _ = write!(io::stderr(), "\r{:78}\r", "");
        }
    }
}

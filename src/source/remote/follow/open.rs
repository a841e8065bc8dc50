//! The lane of the trace that is open: it is fetched whole at once, whatever else is on its way, and again while it grows.

use std::time::Duration;

use tokio::sync::watch;

use super::Wish;
use super::link::{Link, Urgency, pause_after};
use crate::model::{Nanos, Timestamp, TraceId};
use crate::source::Control;
use crate::source::remote::{Found, RemoteError};

/// Time between two looks at a trace that grows.
const AGAIN: Duration = Duration::from_secs(5);
/// A trace that began a span within this time may still be at work.
const YOUNG: Nanos = Nanos::from_secs(60);
/// Looks at which an older trace must have been the same to be taken for complete.
const STEADY: u32 = 2;

/// Until nobody wishes for anything any more.
pub(super) async fn run(link: &Link, mut wish: watch::Receiver<Wish>) {
    let mut control = link.control.clone();
    loop {
        let open = wish.borrow_and_update().open;
        let Some(id) = open else {
            if wish.wait_for(|wish| wish.open.is_some()).await.is_err() {
                return;
            }
            continue;
        };
        let Some(now) = link.unpaused(&mut control).await else { return };
        let disturbs = |control: &Control| control.paused || control.retries != now.retries;
        tokio::select! {
            () = watched(link, id) => return,
            other = wish.wait_for(|wish| wish.open != open) => if other.is_err() { return },
            other = control.wait_for(disturbs) => if other.is_err() { return },
        }
    }
}

/// Fetches the trace until it is complete, then rests. Ends with the program.
async fn watched(link: &Link, id: TraceId) {
    let (mut growth, mut failures) = (Growth::default(), 0);
    while let Some(remote) = link.connected().await {
        let begun = link.now();
        let rest = match remote.trace(id, None).await {
            Ok(found) => {
                failures = 0;
                link.took(begun);
                let grew = growth.look(found.as_ref(), link.now());
                if let Some(found) = found.filter(|_| grew) {
                    link.deliver(found, Urgency::Now).await;
                }
                if growth.complete {
                    return std::future::pending().await;
                }
                AGAIN
            }
            Err(error) => {
                link.note(&told(id, &error));
                failures += 1;
                pause_after(failures, &error)
            }
        };
        tokio::time::sleep(rest).await;
    }
}

/// Whether a trace still grows.
#[derive(Debug, Default)]
struct Growth {
    spans: Option<u64>,
    same: u32,
    complete: bool,
}

impl Growth {
    /// Takes in what the server has of it now. Answers whether that is news.
    fn look(&mut self, found: Option<&Found>, now: Timestamp) -> bool {
        let spans = found.map_or(0, Found::spans);
        let last = found.and_then(|found| found.traces.values().map(|seen| seen.last).max());
        let news = self.spans != Some(spans);
        self.same = if news { 0 } else { self.same + 1 };
        self.spans = Some(spans);
        self.complete = self.same >= STEADY && last.is_none_or(|last| now.since(last) > YOUNG);
        news
    }
}

fn told(id: TraceId, error: &RemoteError) -> String {
    format!("the open trace {id} did not come: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::remote::Seen;

    #[test]
    fn a_trace_is_looked_at_until_it_has_been_the_same_for_a_while_and_is_no_longer_young() {
        let minute = |minute: u64| Timestamp(minute * 60_000_000_000 + 1);
        let found = |spans| {
            let seen = Seen { first: minute(9), last: minute(10), spans };
            Found { traces: [(TraceId([1; 16]), seen)].into(), ..Found::default() }
        };
        let mut growth = Growth::default();
        let mut look = |spans, now| (growth.look(Some(&found(spans)), minute(now)), growth.complete);
        assert_eq!(look(3, 10), (true, false));
        for _ in 0..5 {
            assert_eq!(look(3, 10), (false, false));
        }
        assert_eq!(look(4, 12), (true, false));
        assert_eq!([look(4, 12), look(4, 12)], [(false, false), (false, true)]);
        // One that the server does not have.
        let mut none = Growth::default();
        assert!(none.look(None, minute(1)) && !none.look(None, minute(1)) && !none.complete);
        none.look(None, minute(1));
        assert!(none.complete);
    }
}

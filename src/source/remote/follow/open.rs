//! The lane of the trace that is open: it is fetched whole at once, whatever else is on its way, and again while it grows.

use std::time::Duration;

use tokio::sync::watch;

use super::Wish;
use super::link::{Link, Urgency, pause_after};
use crate::model::{Nanos, TraceId};
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
    let (mut known, mut steady, mut failures) = (None, 0, 0);
    while let Some(remote) = link.connected().await {
        let begun = link.now();
        let rest = match remote.trace(id, None).await {
            Ok(found) => {
                failures = 0;
                link.took(begun);
                let spans = found.as_ref().map(Found::spans);
                steady = if spans == known { steady + 1 } else { 0 };
                known = spans;
                let last = found.as_ref().and_then(|found| found.traces.values().map(|seen| seen.last).max());
                if let Some(found) = found.filter(|_| steady == 0) {
                    link.deliver(found, Urgency::Now).await;
                }
                if steady >= STEADY && last.is_none_or(|last| link.now().since(last) > YOUNG) {
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

fn told(id: TraceId, error: &RemoteError) -> String {
    format!("the open trace {id} did not come: {error}")
}

//! Searches in rounds, against servers with limits of their own mind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracefall::model::{Timestamp, TraceId};
use tracefall::query::pushdown::Search;
use tracefall::source::remote::{Remote, Rounds};

use crate::fake::{Asked, Fake, Reply, json, reply, span};

const SECOND: u64 = 1_000_000_000;

/// How a server cuts off.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keeps {
    Newest,
    Oldest,
    Middle,
    /// It ignores the time that it is asked for.
    All,
}

fn moment(asked: &Asked, name: &str) -> u64 {
    let moment: jiff::Timestamp = asked.parameter(name).unwrap().parse().unwrap();
    u64::try_from(moment.as_nanosecond()).unwrap()
}

fn search(asked: &Asked, starts: &[u64], keeps: Keeps) -> Reply {
    let limit: usize = asked.parameter("query.num_traces").unwrap().parse().unwrap();
    let time = moment(asked, "query.start_time_min")..moment(asked, "query.start_time_max");
    let mut found: Vec<usize> =
        (0..starts.len()).filter(|place| keeps == Keeps::All || time.contains(&starts[*place])).collect();
    found.sort_by_key(|place| match keeps {
        Keeps::Newest | Keeps::All => u64::MAX - starts[*place],
        Keeps::Oldest => starts[*place],
        Keeps::Middle => starts[*place].abs_diff(starts[starts.len() / 2]),
    });
    found.truncate(limit);
    let spans: Vec<String> = found.iter().map(|place| span("s", *place as u64 + 1, starts[*place])).collect();
    json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, spans.join(",")))
}

async fn serving(starts: Vec<u64>, keeps: Keeps) -> Remote {
    let starts = Arc::new(starts);
    let fake = Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        "/api/v3/traces" => search(asked, &starts, keeps),
        _ => reply(404, "", ""),
    })
    .await;
    fake.connect().await.unwrap()
}

async fn all(rounds: &mut Rounds) -> (BTreeSet<TraceId>, Vec<String>) {
    let (mut traces, mut warnings) = (BTreeSet::new(), Vec::new());
    while let Some(found) = rounds.next().await {
        let found = found.unwrap();
        traces.extend(found.traces.into_keys());
        warnings.extend(found.warnings);
    }
    (traces, warnings)
}

fn hour(limit: u32) -> Search {
    Search { start: Timestamp(10_000 * SECOND), end: Timestamp(13_600 * SECOND), limit, ..Search::default() }
}

#[tokio::test]
async fn a_limit_hides_nothing_for_long_whatever_it_cuts_off() {
    // Load comes in bursts: half of it in ten seconds.
    let even = (0..150).map(|turn| (10_001 + 23 * turn) * SECOND);
    let burst = (0..150).map(|turn| 13_500 * SECOND + turn * 66_000_000);
    let starts: Vec<u64> = even.chain(burst).collect();
    for keeps in [Keeps::Newest, Keeps::Oldest, Keeps::Middle] {
        let remote = serving(starts.clone(), keeps).await;
        let one = remote.search(&hour(20)).await.unwrap();
        assert!(one.capped && one.traces.len() == 20, "{keeps:?}");
        let mut rounds = remote.rounds(hour(20), 200);
        let (traces, warnings) = all(&mut rounds).await;
        assert_eq!((traces.len(), warnings.len(), rounds.is_capped()), (300, 0, false), "{keeps:?}");
        let progress = rounds.progress();
        assert!(progress.traces == 300 && progress.open == 0 && progress.asked < 100, "{keeps:?}: {progress:?}");
    }
}

#[tokio::test]
async fn rounds_end_when_requests_run_out_and_say_so() {
    let remote = serving((0..1_000).map(|turn| (10_001 + 3 * turn) * SECOND).collect(), Keeps::Newest).await;
    let mut rounds = remote.rounds(hour(20), 10);
    let (traces, _) = all(&mut rounds).await;
    assert!(rounds.is_capped() && rounds.progress().asked <= 10 && rounds.progress().open > 0);
    assert!(traces.len() >= 20);
    // It goes on where it was left off.
    rounds.go_on(1_000);
    all(&mut rounds).await;
    assert_eq!((rounds.progress().traces, rounds.is_capped()), (1_000, false));
}

#[tokio::test]
async fn what_fails_or_is_broken_off_is_missing_until_it_is_asked_for_again() {
    let searches = AtomicUsize::new(0);
    let starts: Vec<u64> = (0..100).map(|turn| (10_001 + 30 * turn) * SECOND).collect();
    let fake = Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        "/api/v3/traces" => match searches.fetch_add(1, Ordering::Relaxed) {
            1 => reply(503, "", "upstream is down"),
            5 => Reply::Silence,
            _ => search(asked, &starts, Keeps::Newest),
        },
        _ => reply(404, "", ""),
    })
    .await;
    let mut rounds = fake.connect().await.unwrap().rounds(hour(20), 1_000);
    let mut warnings = Vec::new();
    while let Ok(Some(found)) = tokio::time::timeout(Duration::from_millis(300), rounds.next()).await {
        warnings.extend(found.unwrap().warnings);
    }
    assert!(warnings.iter().any(|warning| warning.contains("503")), "{warnings:?}");
    assert!(rounds.is_capped() && rounds.progress().open > 0 && rounds.progress().until.0 > 0);
    rounds.go_on(1_000);
    all(&mut rounds).await;
    assert_eq!((rounds.progress().traces, rounds.is_capped(), rounds.progress().open), (100, false, 0));
}

#[tokio::test]
async fn many_at_one_moment_are_not_split_for_ever() {
    let remote = serving(vec![12_000 * SECOND; 50], Keeps::Newest).await;
    let mut rounds = remote.rounds(hour(20), 1_000);
    let (traces, _) = all(&mut rounds).await;
    assert!(rounds.is_capped() && rounds.progress().asked < 200, "{:?}", rounds.progress());
    assert_eq!(traces.len(), 20);
}

#[tokio::test]
async fn a_server_that_ignores_the_time_is_asked_no_more() {
    let remote = serving((0..100).map(|turn| (13_000 + turn) * SECOND).collect(), Keeps::All).await;
    let mut rounds = remote.rounds(hour(20), 1_000);
    let (_, warnings) = all(&mut rounds).await;
    assert!(rounds.is_capped() && rounds.progress().asked < 50, "{:?}", rounds.progress());
    assert!(warnings.iter().any(|warning| warning.contains("does not heed the time")), "{warnings:?}");
}

#[tokio::test]
async fn each_service_is_asked_and_split_by_itself() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["busy","idle"]}"#),
        "/api/v3/traces" if asked.parameter("query.service_name").as_deref() == Some("busy") => {
            search(asked, &(0..50).map(|turn| (11_000 + turn) * SECOND).collect::<Vec<_>>(), Keeps::Newest)
        }
        "/api/v3/traces" => reply(404, "", r#"{"error":{"message":"No traces found"}}"#),
        _ => reply(404, "", ""),
    })
    .await;
    let mut rounds = fake.connect().await.unwrap().rounds(hour(20), 100);
    let (traces, _) = all(&mut rounds).await;
    assert_eq!((traces.len(), rounds.is_capped()), (50, false));
    let idle = fake.paths().iter().filter(|path| path.contains("service_name=idle")).count();
    assert_eq!(idle, 1);
}

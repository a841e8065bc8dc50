//! A server that is followed: what is looked for is asked again and again, and fed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracefall::model::{
    Asked, Dependency, Nanos, Receipt, SearchState, SourceHealth, SourceId, Standing, Timestamp, TraceId,
};
use tracefall::query::parse;
use tracefall::source::remote::{Flavor, Follower, Wish};
use tracefall::source::{self, Feed, Source as _};

use crate::fake::{Fake, Reply, json, reply, span};

const NOW: u64 = 1_800_000_000_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn wish(filter: &str, open: Option<TraceId>) -> Wish {
    Wish { query: Arc::new(parse(filter).unwrap()), open, values_of: None }
}

/// A follower at work, and what comes of it.
struct Following {
    feed: Feed,
    source: SourceId,
    wish: watch::Sender<Wish>,
    /// Sources and sizes of bodies that were fed.
    fed: mpsc::Receiver<(SourceId, usize)>,
}

impl Following {
    fn start(fake: &Fake, first: Wish) -> Self {
        let clock: source::Clock = Arc::new(|| Timestamp(NOW));
        let (feed, queue) = source::feed(1 << 20, 16, Arc::clone(&clock));
        let (send, fed) = mpsc::channel(4096);
        std::thread::spawn(move || {
            while let Ok(item) = queue.next(PATIENCE) {
                let _ = send.blocking_send((item.delivery().source, item.delivery().body.len()));
                item.reply(Ok(Receipt::default()));
            }
        });
        let (wish, wished) = watch::channel(first);
        let follower = Follower::new(("prod", &feed), (fake.server(), Flavor::Jaeger), wished, clock);
        let source = follower.source();
        tokio::spawn(follower.run(feed.clone()));
        Self { feed, source, wish, fed }
    }

    async fn next(&mut self) -> (SourceId, usize) {
        tokio::time::timeout(PATIENCE, self.fed.recv()).await.unwrap().unwrap()
    }

    /// Once it stands like this; the board tells nobody, so it is looked at again and again.
    async fn stands(&self, wanted: impl Fn(&Standing) -> bool) -> SourceHealth {
        self.is(|health| wanted(&health.standing)).await
    }

    /// Once the search for this filter has ended.
    async fn searched(&self, filter: &str) -> SourceHealth {
        let ended = |asked: &Asked| asked.filter == filter && asked.state != SearchState::Running;
        self.is(|health| health.asked.as_deref().is_some_and(ended)).await
    }

    async fn is(&self, wanted: impl Fn(&SourceHealth) -> bool) -> SourceHealth {
        let look = async {
            loop {
                let health = self.feed.board().sources(Timestamp(NOW)).remove(usize::from(self.source.0));
                if wanted(&health) {
                    return health;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap()
    }
}

async fn jaeger(up: Arc<AtomicBool>) -> Fake {
    Fake::start(move |asked| match asked.bare() {
        _ if !up.load(Ordering::Relaxed) => reply(500, "text/plain", "out of order"),
        "/api/v3/services" => json(r#"{"services":["pay"]}"#),
        "/api/v3/traces" => json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("pay", 1, NOW))),
        path if path.starts_with("/api/v3/traces/") => {
            json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("pay", 2, NOW)))
        }
        _ => reply(404, "", ""),
    })
    .await
}

#[tokio::test]
async fn what_is_looked_for_is_asked_and_fed_and_another_wish_at_once() {
    let fake = jaeger(Arc::new(AtomicBool::new(true))).await;
    let mut following = Following::start(&fake, Wish::default());
    let (source, bytes) = following.next().await;
    assert_eq!((source, bytes > 0), (following.source, true));
    let health = following.searched("").await;
    let asked = health.asked.unwrap();
    assert_eq!((health.name.as_str(), asked.limit, asked.limit_assumed), ("prod", 100, true));
    assert_eq!((asked.lookback, asked.state), (Some(Nanos::from_secs(3_600)), SearchState::Complete));
    assert_eq!(health.page, Some(format!("http://{}/trace/", fake.address)));
    assert!(health.latency.is_some());

    following.wish.send_replace(wish("service=pay error=true lookback=2h", None));
    following.next().await;
    let asked = fake.asked.lock().unwrap().iter().rfind(|asked| asked.bare() == "/api/v3/traces").cloned().unwrap();
    assert_eq!(asked.parameter("query.service_name").as_deref(), Some("pay"));
    let health = following.searched("service=pay error=true lookback=2h").await;
    let asked = health.asked.unwrap();
    assert_eq!((&asked.there[..], &asked.here[..], asked.lookback), (&[0, 2][..], &[1][..], None));
    assert_eq!(asked.filter, "service=pay error=true lookback=2h");
}

#[tokio::test]
async fn an_open_trace_is_fetched_whole() {
    let fake = jaeger(Arc::new(AtomicBool::new(true))).await;
    let id = TraceId::from_hex(&format!("{:032x}", 2)).unwrap();
    let mut following = Following::start(&fake, wish("", Some(id)));
    following.next().await;
    following.next().await;
    assert!(fake.paths().iter().any(|path| path.starts_with(&format!("/api/v3/traces/{id}"))), "{:?}", fake.paths());
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_and_at_once_when_a_person_asks() {
    let up = Arc::new(AtomicBool::new(false));
    let fake = jaeger(Arc::clone(&up)).await;
    let mut following = Following::start(&fake, Wish::default());
    let health = following.stands(|standing| matches!(standing, Standing::Error { .. })).await;
    let (error, next_try) = health.trouble().unwrap();
    assert!(error.contains("out of order") || error.contains("500"), "{error}");
    assert!(next_try.is_some_and(|at| at > Timestamp(NOW)));
    up.store(true, Ordering::Relaxed);
    following.feed.board().retry(following.source);
    following.next().await;
    following.stands(|standing| *standing == Standing::Ok).await;
}

#[tokio::test]
async fn a_paused_server_is_not_asked() {
    let fake = jaeger(Arc::new(AtomicBool::new(true))).await;
    let mut following = Following::start(&fake, Wish::default());
    following.next().await;
    following.stands(|standing| *standing == Standing::Ok).await;
    following.feed.board().pause(following.source, true);
    // What was on its way may still arrive there.
    let asked = || fake.paths().iter().any(|path| path.contains("operation_name=later"));
    following.wish.send_replace(wish("service=pay operation=later", None));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!asked());
    following.feed.board().pause(following.source, false);
    following.next().await;
    assert!(asked());
}

/// Traces that began one a second until now, of which the oldest come first, and never more than the limit. After `answers` searches
/// there is silence.
async fn crowded(traces: u64, answers: usize) -> Fake {
    let searches = AtomicUsize::new(0);
    Fake::start(move |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["pay"]}"#),
        "/api/v3/traces" if searches.fetch_add(1, Ordering::Relaxed) >= answers => Reply::Silence,
        "/api/v3/traces" => {
            let time = |name: &str| -> u64 {
                let moment: jiff::Timestamp = asked.parameter(name).unwrap().parse().unwrap();
                moment.as_nanosecond().try_into().unwrap()
            };
            let within = time("query.start_time_min")..time("query.start_time_max");
            let limit: usize = asked.parameter("query.num_traces").unwrap().parse().unwrap();
            let begun = (0..traces).map(|number| (number + 1, NOW - (traces - number) * 1_000_000_000));
            let found = begun.filter(|(_, at)| within.contains(at)).take(limit);
            let spans: Vec<_> = found.map(|(number, at)| span("pay", number, at)).collect();
            json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, spans.join(",")))
        }
        path if path.starts_with("/api/v3/traces/") => {
            json(format!(r#"{{"result":{{"resourceSpans":[{}]}}}}"#, span("pay", 2, NOW)))
        }
        _ => reply(404, "", ""),
    })
    .await
}

#[tokio::test]
async fn a_capped_answer_narrows_the_time_by_itself_where_the_filter_says_how_much_is_wanted() {
    for (filter, state, traces) in [
        // All of that hour.
        ("lookback=1h", SearchState::Complete, 1_500..=1_500),
        ("lookback=1h limit=1000", SearchState::Complete, 1_000..=1_500),
        // As many of the newest as are wanted, although the server gives the oldest.
        ("limit=50", SearchState::Complete, 50..=1_499),
        // What is applied here only may be true of any of them.
        ("limit=50 error=true", SearchState::Complete, 1_500..=1_500),
        // As many of the newest as is usual, and that there is more is said.
        ("", SearchState::Capped, 100..=1_499),
        ("service=pay", SearchState::Capped, 100..=1_499),
    ] {
        let fake = crowded(1_500, usize::MAX).await;
        let following = Following::start(&fake, wish(filter, None));
        let asked = following.searched(filter).await.asked.unwrap();
        assert_eq!(asked.state, state, "{filter}: {asked:?}");
        assert!(traces.contains(&asked.progress.traces), "{filter}: {asked:?}");
        // Where there is more it is known from when on, and that nothing newer is missing.
        let whole = asked.whole_since().is_some_and(|since| since < Timestamp(NOW - 100_000_000_000));
        assert!(state == SearchState::Complete || whole && asked.can_go_on(), "{filter}: {asked:?}");
    }
}

#[tokio::test]
async fn a_search_goes_on_where_it_was_left_off() {
    let fake = crowded(1_500, usize::MAX).await;
    let following = Following::start(&fake, wish("", None));
    let asked = following.searched("").await.asked.unwrap();
    let (before, requests) = (asked.progress.traces, asked.progress.asked);
    assert!(asked.can_go_on() && before < 1_500, "{asked:?}");
    following.feed.board().search_on(following.source);
    let complete =
        |health: &SourceHealth| health.asked.as_ref().is_some_and(|asked| asked.state == SearchState::Complete);
    let asked = following.is(complete).await.asked.unwrap();
    assert_eq!((asked.progress.traces, asked.can_go_on()), (1_500, false), "{asked:?}");
    // It was not begun anew.
    assert!(asked.progress.asked > requests && asked.progress.asked < 60, "{asked:?}");
}

#[tokio::test]
async fn a_person_has_a_search_leave_off_and_what_was_found_stays() {
    let fake = crowded(400, 2).await;
    let following = Following::start(&fake, wish("lookback=1h", None));
    let narrows = |health: &SourceHealth| health.asked.as_ref().is_some_and(|asked| asked.is_narrowing());
    let health = following.is(narrows).await;
    assert_eq!(health.standing, Standing::Ok);
    following.feed.board().stop_search(following.source);
    let asked = following.searched("lookback=1h").await.asked.unwrap();
    assert!(
        asked.state == SearchState::Stopped && asked.progress.traces >= 100 && asked.progress.open > 0,
        "{asked:?}"
    );
}

#[tokio::test]
async fn the_trace_that_is_opened_waits_for_no_search_and_no_search_is_begun_anew_by_it() {
    let fake = crowded(400, 1).await;
    let mut following = Following::start(&fake, wish("lookback=1h", None));
    let narrows = |health: &SourceHealth| health.asked.as_ref().is_some_and(|asked| asked.is_narrowing());
    following.is(narrows).await;
    following.next().await;
    let searches = || fake.paths().iter().filter(|path| path.starts_with("/api/v3/traces?")).count();
    let before = searches();
    let id = TraceId::from_hex(&format!("{:032x}", 2)).unwrap();
    following.wish.send_replace(wish("lookback=1h", Some(id)));
    following.next().await;
    assert!(fake.paths().iter().any(|path| path.starts_with(&format!("/api/v3/traces/{id}"))), "{:?}", fake.paths());
    assert!(searches() <= before.max(3), "{:?}", fake.paths());
}

#[tokio::test]
async fn what_the_server_calls_things_is_learned() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["pay","gateway"]}"#),
        "/api/v3/operations" => json(r#"{"operations":[{"name":"POST /pay","spanKind":"server"}]}"#),
        "/api/dependencies" => json(r#"{"data":[{"parent":"gateway","child":"pay","callCount":7}],"errors":null}"#),
        "/api/v3/traces" => json(r#"{"result":{"resourceSpans":[]}}"#),
        _ => reply(404, "", ""),
    })
    .await;
    let following = Following::start(&fake, Wish::default());
    let names = following.is(|health| !health.names.services.is_empty()).await.names;
    assert_eq!(
        (&names.services[..], &names.operations[..]),
        (&["gateway".into(), "pay".into()][..], &["POST /pay".into()][..])
    );
    let call = Dependency { parent: "gateway".into(), child: "pay".into(), calls: 7 };
    assert_eq!(names.dependencies, [call]);
}

#[tokio::test]
async fn what_a_server_warns_of_is_noted() {
    let fake = Fake::start(|asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["pay","broken"]}"#),
        "/api/v3/traces" if asked.parameter("query.service_name").as_deref() == Some("broken") => {
            reply(500, "text/plain", "no storage")
        }
        "/api/v3/traces" => json(r#"{"result":{"resourceSpans":[]}}"#),
        _ => reply(404, "", ""),
    })
    .await;
    let following = Following::start(&fake, Wish::default());
    let health = following.searched("").await;
    assert_eq!(health.standing, Standing::Ok);
    assert!(health.notes[0].starts_with("broken: ") && health.notes[0].contains("no storage"), "{:?}", health.notes);
}

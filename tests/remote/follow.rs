//! A server that is followed: what is looked for is asked again and again, and fed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracefall::model::{Nanos, Receipt, SearchState, SourceId, Standing, Timestamp, TraceId};
use tracefall::query::parse;
use tracefall::source::remote::{Flavor, Follower, Wish};
use tracefall::source::{self, Feed, Source as _};

use crate::fake::{Fake, json, reply, span};

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
        let (send, fed) = mpsc::channel(64);
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
    async fn stands(&self, wanted: impl Fn(&Standing) -> bool) -> tracefall::model::SourceHealth {
        let look = async {
            loop {
                let health = self.feed.board().sources(Timestamp(NOW)).remove(usize::from(self.source.0));
                if wanted(&health.standing) {
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
    let health = following.stands(|standing| *standing == Standing::Ok).await;
    let asked = health.asked.unwrap();
    assert_eq!((health.name.as_str(), asked.limit, asked.limit_assumed), ("prod", 100, true));
    assert_eq!((asked.lookback, asked.state), (Some(Nanos::from_secs(3_600)), SearchState::Complete));
    assert_eq!(health.page, Some(format!("http://{}/trace/", fake.address)));
    assert!(health.latency.is_some());

    following.wish.send_replace(wish("service=pay error=true lookback=2h", None));
    following.next().await;
    let asked = fake.asked.lock().unwrap().iter().rfind(|asked| asked.bare() == "/api/v3/traces").cloned().unwrap();
    assert_eq!(asked.parameter("query.service_name").as_deref(), Some("pay"));
    let health = following.stands(|standing| *standing == Standing::Ok).await;
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
    let before = fake.paths().len();
    following.wish.send_replace(wish("service=pay", None));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.paths().len(), before);
    following.feed.board().pause(following.source, false);
    following.next().await;
}

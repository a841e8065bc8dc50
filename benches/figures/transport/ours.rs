//! Our doors, with the index behind them, wired as `run` does it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tracefall::analysis::TraceNotes;
use tracefall::index::Writer;
use tracefall::model::Timestamp;
use tracefall::source::receiver::{Protocol, Receiver, ReceiverConfig};
use tracefall::source::{FeedReceiver, Source as _, feed};

use super::{Way, runtime, send, spent};
use crate::{BODY, clock, ours};

const PUBLISH_EVERY: Duration = Duration::from_millis(50);

/// One round with a new index: CPU time a span of doors and index, ns.
pub(super) fn round(way: Way, bodies: &[Bytes]) -> f64 {
    let spans = bodies.len() * BODY;
    let doors = runtime("doors");
    let (feed, queue) = feed(256 << 20, 4096, Arc::new(time));
    let (writer, reader) = ours::open();
    let indexer = thread::Builder::new().name("indexer".to_owned()).spawn(move || index(writer, &queue)).unwrap();
    let any = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let config = ReceiverConfig { grpc: any.clone(), http: any, ..ReceiverConfig::default() };
    let receiver = Receiver::bind(config, &feed);
    let wanted = if way == Way::Http { Protocol::Http } else { Protocol::Grpc };
    let address = receiver.doors().find(|(protocol, _)| *protocol == wanted).unwrap().1.address;
    doors.spawn(receiver.run(feed));
    let spent = spent(&["doors", "indexer"], spans, || {
        send(way, address, bodies);
        // Taken in and acknowledged: being published belongs to it.
        while reader.view().stats().spans < spans as u64 {
            thread::sleep(Duration::from_millis(5));
        }
    });
    drop(doors);
    indexer.join().unwrap();
    spent
}

/// What the thread of the index does.
fn index(mut writer: Writer<TraceNotes>, queue: &FeedReceiver) {
    let mut published = clock::now();
    loop {
        match queue.next(PUBLISH_EVERY.saturating_sub(published.elapsed())) {
            Ok(item) => {
                let delivery = item.delivery();
                let result = writer.insert_spans(delivery.source, &delivery.body, time());
                item.reply(result.map_err(|error| error.to_string()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if published.elapsed() >= PUBLISH_EVERY {
            writer.publish();
            published = clock::now();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "stands in for the room that reads clocks")]
fn time() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_nanos() as u64)
}

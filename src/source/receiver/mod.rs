//! The embedded OTLP receiver: gRPC and HTTP, each on both ports, protobuf and JSON; and a door for Zipkin senders where it is
//! asked for.
//!
//! In: connections. Out: bodies of OTLP protobuf into the feed; answers to their senders once the index has them;
//! on the board, how the doors stand, what was refused, and what senders did wrong.

mod body;
mod config;
mod connection;
mod cors;
mod diagnose;
mod grpc;
mod holder;
mod http;
mod inflate;
mod listen;
mod refusal;
mod reply;
mod zipkin;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use config::{Limits, ReceiverConfig, on_loopback};
pub use cors::Origins;

use self::body::Reading;
use self::connection::Shared;
use self::diagnose::Urls;
use self::listen::{Keeper, Place};
use super::{Feed, Source};
use crate::model::{Door, SourceId};

/// The two protocols of OTLP, each with a port of its own that speaks the other as well, and Zipkin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/gRPC, at home on 4317.
    Grpc,
    /// OTLP/HTTP, at home on 4318.
    Http,
    /// Zipkin v2, at home on 9411. Its port takes OTLP as well.
    Zipkin,
}

impl Protocol {
    /// Its name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "OTLP/gRPC",
            Self::Http => "OTLP/HTTP",
            Self::Zipkin => "Zipkin",
        }
    }
}

/// A receiver whose sockets listen already, where they could be had.
#[derive(Debug)]
pub struct Receiver {
    config: ReceiverConfig,
    gates: Vec<Gate>,
}

/// The addresses of one protocol.
#[derive(Debug)]
struct Gate {
    protocol: Protocol,
    source: SourceId,
    places: Vec<Place>,
}

impl Gate {
    fn open(protocol: Protocol, addresses: &[SocketAddr], feed: &Feed) -> Self {
        let places = listen::open(addresses);
        let doors = places.iter().map(Place::door).collect();
        let source = feed.board().register(protocol.name(), doors);
        Self { protocol, source, places }
    }

    fn url(&self) -> Option<String> {
        self.places.first().map(|place| Urls::of(place.address))
    }
}

impl Receiver {
    /// Opens the doors, so that connections are queued from now on, and makes them known on the feed's board:
    /// OTLP/gRPC and OTLP/HTTP, in this order, and Zipkin's where there is one. A door that cannot be opened is no error: it is tried again
    /// while the receiver runs.
    #[must_use]
    pub fn bind(config: ReceiverConfig, feed: &Feed) -> Self {
        let asked_for =
            [(Protocol::Grpc, &config.grpc), (Protocol::Http, &config.http), (Protocol::Zipkin, &config.zipkin)];
        let asked_for = asked_for.into_iter().filter(|(_, addresses)| !addresses.is_empty());
        let gates = asked_for.map(|(protocol, addresses)| Gate::open(protocol, addresses, feed)).collect();
        Self { config, gates }
    }

    /// The doors as they stood when they were opened.
    pub fn doors(&self) -> impl Iterator<Item = (Protocol, Door)> {
        self.gates.iter().flat_map(|gate| gate.places.iter().map(|place| (gate.protocol, place.door())))
    }

    fn shared(&self, feed: Feed) -> Shared {
        let of = |wanted| self.gates.iter().find(|gate| gate.protocol == wanted).and_then(Gate::url);
        let usual = |port| Urls::of(SocketAddr::from(([127, 0, 0, 1], port)));
        let urls = Urls {
            grpc: of(Protocol::Grpc).unwrap_or_else(|| usual(4317)),
            http: of(Protocol::Http).unwrap_or_else(|| usual(4318)),
            zipkin: of(Protocol::Zipkin),
        };
        let Limits { body, stall, idle, .. } = self.config.limits;
        let workers = available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 8);
        // A body may be there twice for a moment, compressed and not: one that the budget can never hold is
        // refused for good, not told to retry for ever.
        let limit = body.min(feed.budget() / 2);
        let reading = Reading { limit, stall, workers: Arc::new(Semaphore::new(workers)), feed };
        Shared { reading, origins: self.config.origins.clone(), urls, idle }
    }
}

impl Source for Receiver {
    type Error = Infallible;

    /// Serves until it is dropped; open connections end with it.
    async fn run(self, feed: Feed) -> Result<(), Infallible> {
        let shared = Arc::new(self.shared(feed));
        let limits = self.config.limits;
        let permits = Arc::new(Semaphore::new(limits.connections));
        let mut keepers = JoinSet::new();
        for Gate { protocol, source, places } in self.gates {
            for place in places {
                let (shared, permits) = (Arc::clone(&shared), Arc::clone(&permits));
                keepers.spawn(Keeper { shared, permits, limits, source, protocol }.keep(place));
            }
        }
        while keepers.join_next().await.is_some() {}
        Ok(())
    }
}

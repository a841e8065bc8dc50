//! Plays the demo through the receiver's doors.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::receiver::Protocol;
use super::super::{Board, Clock, Control};
use super::cast::EVERYONE;
use super::client;
use super::reel::Reel;
use crate::model::{DoorState, SourceHealth, SourceId};

/// Exports that may wait at a service. What comes when that many wait is dropped, as SDKs do.
const WAITING: usize = 64;

/// The longest sleep; the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Where the receiver listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoints {
    /// For OTLP/gRPC.
    pub grpc: SocketAddr,
    /// For OTLP/HTTP.
    pub http: SocketAddr,
}

impl Endpoints {
    /// The first open door of each protocol; since every door speaks both, one is enough. `None` where all are
    /// closed.
    #[must_use]
    pub fn of(sources: &[SourceHealth]) -> Option<Self> {
        let open = |protocol: Protocol| {
            let source = sources.iter().find(|source| source.name == protocol.name())?;
            let door = source.doors.iter().find(|door| door.state == DoorState::Open)?;
            Some(reachable(door.address))
        };
        let (grpc, http) = (open(Protocol::Grpc), open(Protocol::Http));
        Some(Self { grpc: grpc.or(http)?, http: http.or(grpc)? })
    }
}

/// An address to connect to, for one that is listened on: `0.0.0.0` is no destination.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Plays stories until it is dropped.
pub struct Player {
    endpoints: Endpoints,
    rate: f64,
    seed: u64,
    clock: Clock,
    control: Option<watch::Receiver<Control>>,
    own: Option<Own>,
}

/// What the demo is on the board: what it sends is told apart by it.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) board: Arc<Board>,
    pub(super) source: SourceId,
}

impl Player {
    /// Plays `rate` requests a second on average through `endpoints`. The same seed gives the same requests, but for
    /// their times, which are the clock's.
    #[must_use]
    pub fn new(endpoints: Endpoints, rate: f64, seed: u64, clock: Clock) -> Self {
        Self { endpoints, rate, seed, clock, control: None, own: None }
    }

    /// Makes what it sends known as that of `source`, and has it send nothing while a person wants that paused.
    #[must_use]
    pub fn of_source(self, board: &Arc<Board>, source: SourceId) -> Self {
        let own = Some(Own { board: Arc::clone(board), source });
        Self { control: board.control(source), own, ..self }
    }

    fn is_paused(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.borrow().paused)
    }

    /// Plays. Never ends by itself; dropping the future closes all connections.
    pub async fn run(self) {
        let mut exporters = JoinSet::new();
        let queues: BTreeMap<_, _> = EVERYONE
            .into_iter()
            .map(|service| {
                let (queue, waiting) = mpsc::channel(WAITING);
                exporters.spawn(client::export((service, self.own.clone()), self.endpoints, waiting));
                (service, queue)
            })
            .collect();
        let mut reel = Reel::new(self.seed, self.rate, (self.clock)());
        loop {
            let wait = Duration::from_nanos(reel.wakes().since((self.clock)()).0);
            sleep(wait.min(LONGEST_SLEEP)).await;
            for export in reel.due((self.clock)()) {
                if !self.is_paused()
                    && let Some(queue) = queues.get(&export.service)
                    && queue.try_send(export.telemetry).is_err()
                {
                    tracing::debug!(service = export.service.name(), "the demo dropped an export");
                }
            }
        }
    }
}

impl std::fmt::Debug for Player {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Player").field("endpoints", &self.endpoints).field("rate", &self.rate).finish_non_exhaustive()
    }
}

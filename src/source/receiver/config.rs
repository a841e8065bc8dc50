//! What a receiver is told: where to listen, how much to take, whom to trust.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::cors::Origins;

/// How a receiver is set up.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Addresses of the OTLP/gRPC door. Several with port 0 share one free port where that can be had.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of the OTLP/HTTP door.
    pub http: Vec<SocketAddr>,
    /// Addresses of the door for Zipkin senders; none where it is not wanted.
    pub zipkin: Vec<SocketAddr>,
    /// How much is taken, and for how long is waited.
    pub limits: Limits,
    /// Web pages that may send.
    pub origins: Origins,
}

/// How much a receiver takes, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one body, measured after decompression. At most half of the feed's budget counts.
    pub body: usize,
    /// Connections open at once, over all doors.
    pub connections: usize,
    /// How long a connection may be silent before its first request is complete, and between requests over
    /// HTTP/1. Longer than the minute at which SDKs send metrics.
    pub idle: Duration,
    /// How long a body may stand still, and how far it may fall behind a slow line's pace (4 KiB a second).
    pub stall: Duration,
    /// The first pause before a door that could not be opened is tried again; doubles up to
    /// [`Self::retry_cap`].
    pub retry: Duration,
    /// The longest pause between two tries.
    pub retry_cap: Duration,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            grpc: on_loopback(4317),
            http: on_loopback(4318),
            zipkin: Vec::new(),
            limits: Limits::default(),
            origins: Origins::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 << 20,
            connections: 1024,
            idle: Duration::from_secs(120),
            stall: Duration::from_secs(30),
            retry: Duration::from_secs(1),
            retry_cap: Duration::from_secs(15),
        }
    }
}

/// Both loopback addresses at `port`: many SDKs resolve `localhost` to `::1` first.
#[must_use]
pub fn on_loopback(port: u16) -> Vec<SocketAddr> {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
        .into_iter()
        .map(|ip| SocketAddr::new(ip, port))
        .collect()
}

//! What every way to run has in common: the index, the receiver, the thread between them.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use super::clock;
use super::indexer::{self, Gate, Indexer};
use crate::analysis::{Amount, TABLE, Thresholds, TraceNotes, Unit};
use crate::app::{Keymap, KeymapError};
use crate::config::{self, Settings};
use crate::index;
use crate::redact::{Redactor, RuleError, Rules};
use crate::source::receiver::{Limits, Origins, Receiver, ReceiverConfig};
use crate::source::{self, Board, Feed, FeedReceiver, files};

/// Deliveries that may wait for the index at once.
const WAITING: usize = 4096;
/// Bytes that may wait for the index even where a quarter of the memory budget is less. A body may take half of what may wait.
const LEAST: usize = 16 << 20;

/// The parts of the program that run whether or not there is a screen.
pub(super) struct Wiring {
    /// The index with its thread.
    pub(super) indexer: Indexer,
    /// The receiver: its doors are open already.
    pub(super) receiver: Receiver,
    /// Where sources deliver.
    pub(super) feed: Feed,
    /// Where sources say how they are.
    pub(super) board: Arc<Board>,
}

/// The thresholds that the settings ask for.
pub(super) fn thresholds(settings: &Settings) -> Result<Thresholds> {
    let mut thresholds = Thresholds { slow_sql: settings.slow_sql, ..Thresholds::default() };
    for (name, text) in &settings.thresholds {
        let place = || settings.places.of_key(&format!("thresholds.{name}"));
        let row = Thresholds::row(name).ok_or_else(|| {
            let known: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            anyhow!("{}: there is no such threshold; there are {}", place(), known.join(", "))
        })?;
        let (amount, expected) = match row.unit {
            Unit::Time => (config::parse_duration(text).map(Amount::Time), "a length of time, such as 100ms or 1.5s"),
            Unit::Percent => {
                let share = text.trim_end_matches('%').trim().parse().ok().filter(|share| *share <= 100);
                (share.map(Amount::Percent), "a share in percent, such as 20")
            }
            Unit::Count => (text.parse().ok().map(Amount::Count), "a number, such as 5"),
        };
        let amount = amount.ok_or_else(|| anyhow!("{}: {text:?} is not {expected}", place()))?;
        thresholds.set(name, amount);
    }
    Ok(thresholds)
}

/// How much of a file is read at once: a document that has no lines may be as long as a quarter of what may be held:
/// what is made of it takes twice as much again.
pub(super) fn file_limits(settings: &Settings) -> files::Limits {
    let piece = usize::try_from(settings.max_body).unwrap_or(usize::MAX / 2);
    let document = usize::try_from(settings.memory / 4).unwrap_or(usize::MAX / 2);
    files::Limits { piece, document: document.max(piece) }
}

/// The masks that the settings ask for.
pub(super) fn redactor(settings: &Settings) -> Result<Redactor> {
    let config::Redact { off, keys, patterns } = settings.redact.clone();
    Redactor::new(&Rules { off, keys, patterns }).map_err(|error| {
        let key = match &error {
            RuleError::Pattern { .. } => "redact.patterns",
            RuleError::Key(_) => "redact.keys",
        };
        anyhow!("{}: {error}", settings.places.of_key(key))
    })
}

/// The keys that the settings ask for.
pub(super) fn keymap(settings: &Settings) -> Result<Keymap> {
    Keymap::with(&settings.keys).map_err(|error| {
        let action = match &error {
            KeymapError::UnknownAction(action)
            | KeymapError::Fixed(action)
            | KeymapError::UnknownKey { action, .. } => action,
            KeymapError::Twice { second, .. } => *second,
        };
        anyhow!("{}: {error}", settings.places.of_key(&format!("keys.{action}")))
    })
}

/// A warning where somebody beyond this machine can send to a door as it is now.
pub(super) fn exposure(board: &Board) -> Option<String> {
    let sources = board.sources(clock::now());
    let doors = sources.iter().flat_map(|source| &source.doors);
    config::exposure(doors.map(|door| door.address))
}

/// Opens an index and has it filled with what comes through `queue`.
pub(super) fn index(settings: &Settings, queue: FeedReceiver, board: &Arc<Board>, gate: Gate) -> Result<Indexer> {
    let notes = TraceNotes::new(thresholds(settings)?);
    let (writer, reader) = index::open(index::Options::new(settings.memory), notes);
    Ok(indexer::start(writer, reader, queue, (settings.memory, gate), Arc::clone(board))?)
}

/// Says on standard error how many traces left for want of room, of those that came `first` (fetched, read): what is answered
/// is without them.
pub(super) fn tell_left(view: &index::View, first: &str) {
    let evicted = view.stats().traces_evicted;
    if evicted > 0 {
        let what = "did not fit into memory and are left out; give it more with --memory";
        let _ = writeln!(io::stderr(), "tracefall: the {evicted} traces {first} first {what}");
    }
}

/// Opens index and doors. From here on senders are answered as soon as the receiver runs.
/// With `free` the doors are on any ports that are free.
pub(super) fn wire(settings: &Settings, free: bool, gate: Gate) -> Result<Wiring> {
    let at = |addresses: &[SocketAddr]| -> Vec<SocketAddr> {
        let port = |address: &SocketAddr| if free { 0 } else { address.port() };
        addresses.iter().map(|address| SocketAddr::new(address.ip(), port(address))).collect()
    };
    let body = usize::try_from(settings.max_body).unwrap_or(usize::MAX);
    let limit = usize::try_from(settings.memory / 4).unwrap_or(usize::MAX);
    let (feed, queue) = source::feed(limit.max(LEAST.min(body.saturating_mul(2))), WAITING, clock::clock());
    let indexer = index(settings, queue, feed.board(), gate)?;
    let config = ReceiverConfig {
        grpc: at(&settings.grpc),
        http: at(&settings.http),
        zipkin: at(&settings.zipkin),
        limits: Limits { body, ..Limits::default() },
        origins: Origins { more: settings.cors_origins.clone() },
    };
    let board = Arc::clone(feed.board());
    let receiver = Receiver::bind(config, &feed);
    Ok(Wiring { indexer, receiver, feed, board })
}

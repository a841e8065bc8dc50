//! Doors of its own, for a command that listens for a time.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread;

use anyhow::Result;
use tokio::task::JoinHandle;

use super::answer::Held;
use crate::config::Settings;
use crate::run::listen::{Doors, Mistakes};
use crate::run::wiring::{self, Wiring};
use crate::run::{clock, indexer};
use crate::source::{Board, Source as _};

/// Doors that are open, and what arrived through them.
pub(super) struct Listening {
    /// What arrived.
    pub(super) held: Held,
    receiving: JoinHandle<()>,
    indexing: thread::JoinHandle<()>,
    board: Arc<Board>,
    doors: Doors,
    mistakes: Mistakes,
}

impl Listening {
    /// Opens the doors; says on standard error how they stand.
    pub(super) fn start(settings: &Settings) -> Result<Self> {
        let Wiring { indexer, receiver, feed, board } = wiring::wire(settings, false, indexer::no_gate())?;
        if let Some(warning) = wiring::exposure(&board) {
            let _ = writeln!(io::stderr(), "warning: {warning}");
        }
        let receiving = tokio::spawn(async move {
            let _ = receiver.run(feed).await;
        });
        let held = Held { reader: indexer.reader, filed: false, thresholds: wiring::thresholds(settings)? };
        let (doors, mistakes) = (Doors::default(), Mistakes::default());
        let mut listening = Self { held, receiving, indexing: indexer.thread, board, doors, mistakes };
        listening.tell();
        Ok(listening)
    }

    /// Says what is new about doors and senders.
    pub(super) fn tell(&mut self) {
        self.doors.tell(&self.board.sources(clock::now()));
        self.mistakes.tell(&self.board.mishaps());
    }

    /// Closes the doors. Everything that was acknowledged is held then.
    pub(super) async fn end(mut self) -> Held {
        self.receiving.abort();
        let _ = self.receiving.await;
        tokio::task::spawn_blocking(move || self.indexing.join()).await.ok();
        self.doors.tell(&self.board.sources(clock::now()));
        self.mistakes.tell(&self.board.mishaps());
        self.held
    }
}

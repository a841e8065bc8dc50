//! Finds the spans that a command asks about: in a running program, in files, in servers that keep them, or at doors of its own.

use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::runtime::Runtime;

use super::answer::{Held, Peer, answer};
use super::client::Client;
use super::elsewhere::{self, Given};
use super::faults::Faults;
use super::listening::Listening;
use super::protocol::{Ask, Reply};
use crate::cli::Whom;
use crate::config::Settings;
use crate::export::Record;
use crate::model::Nanos;
use crate::run::signals::Signals;
use crate::run::{clock, indexer, wiring};
use crate::source::files::{Fault, Files, Tell};
use crate::source::{self, Source as _};

/// How often it is looked whether there is something to say about the doors.
const LOOK_UP: Duration = Duration::from_millis(500);
/// The exit code of a program that an interrupt ended, as shells count.
const INTERRUPTED: u8 = 130;
/// Requests that wait for the index while files are read.
const WAITING: usize = 16;

/// Who answers, and the runtime that hears signals until all is said.
pub(super) struct Answerer {
    who: Who,
    _runtime: Option<Runtime>,
}

enum Who {
    /// This program.
    Here(Held),
    /// Another one.
    There(Client),
    /// Servers, which have told already what they know.
    Told(Vec<Record>),
}

impl Answerer {
    /// The one that the command line asks for.
    pub(super) fn of(settings: &Settings, files: &[PathBuf], whom: &Whom, ask: &Ask) -> Result<Self> {
        let remotes = elsewhere::meant(settings, !files.is_empty() || whom.is_named())?;
        if !remotes.is_empty() {
            let (given, runtime) = elsewhere::asked(settings, remotes, ask)?;
            let who = match given {
                Given::Spans(held) => Who::Here(held),
                Given::Names(records) => Who::Told(records),
            };
            return Ok(Self { who, _runtime: Some(runtime) });
        }
        if !files.is_empty() {
            // Of a file in place of a filter or a key the command line did not know that it is one.
            if whom.is_named() {
                bail!("where files are read, neither --for nor --pid can be given");
            }
            let (held, runtime) = read(settings, files)?;
            return Ok(Self { who: Who::Here(held), _runtime: Some(runtime) });
        }
        if let Some(duration) = whom.duration {
            let (held, runtime) = listen(settings, duration)?;
            return Ok(Self { who: Who::Here(held), _runtime: Some(runtime) });
        }
        match Client::connect(whom.pid)? {
            Some(client) => Ok(Self { who: Who::There(client), _runtime: None }),
            None => bail!(
                "no tracefall runs that could be asked; name files or a server (--jaeger URL), or listen with --for 30s"
            ),
        }
    }

    /// Asks, and hands what is answered to `peer`.
    pub(super) fn ask(&mut self, ask: &Ask, peer: &mut dyn Peer) -> Result<()> {
        match &mut self.who {
            Who::Here(held) => {
                answer(held, ask, peer);
                Ok(())
            }
            Who::There(client) => client.ask(ask, peer),
            Who::Told(records) => {
                let more = records.drain(..).all(|record| peer.take(Reply::Record(record)));
                if more {
                    peer.take(Reply::End { partial: false, remark: None });
                }
                Ok(())
            }
        }
    }
}

pub(super) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Reads files to their end.
fn read(settings: &Settings, paths: &[PathBuf]) -> Result<(Held, Runtime)> {
    let faults = Arc::new(Faults::default());
    let tell: Tell = {
        let faults = Arc::clone(&faults);
        Arc::new(move |fault: &Fault| faults.tell(fault))
    };
    let limit = usize::try_from(settings.max_body).unwrap_or(usize::MAX / 2);
    let files = Files::open(paths, wiring::file_limits(settings), tell)?;
    let (feed, queue) = source::feed(limit.saturating_mul(2), WAITING, clock::clock());
    let indexer = wiring::index(settings, queue, feed.board(), indexer::no_gate())?;
    let runtime = runtime()?;
    runtime.block_on(files.run(feed))?;
    // The feed went with the files: the thread ends once everything is in.
    if indexer.thread.join().is_err() {
        bail!("the index broke while the files were read");
    }
    faults.sum_up();
    wiring::tell_left(&indexer.reader.view(), "read");
    Ok((Held { reader: indexer.reader, filed: true, thresholds: wiring::thresholds(settings)? }, runtime))
}

/// Listens until the time is over, or a signal says that it is enough. Another signal ends the program.
fn listen(settings: &Settings, duration: Nanos) -> Result<(Held, Runtime)> {
    let runtime = runtime()?;
    let held = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut listening = Listening::start(settings)?;
        let mut look_up = tokio::time::interval(LOOK_UP);
        let over = tokio::time::sleep(Duration::from_nanos(duration.0));
        tokio::pin!(over);
        loop {
            tokio::select! {
                _ = signals.next() => break,
                () = &mut over => break,
                _ = look_up.tick() => listening.tell(),
            }
        }
        tokio::spawn(async move {
            let code = signals.next().await;
            process::exit(i32::from(if code == 0 { INTERRUPTED } else { code }));
        });
        anyhow::Ok(listening.end().await)
    })?;
    Ok((held, runtime))
}

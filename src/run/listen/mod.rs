//! `tracefall listen`: the same doors without a screen.
//!
//! One thread writes standard output and nothing waits for it: whoever reads too slowly does not keep senders from being
//! answered, nor signals from being heard.

mod doors;
mod mistakes;
mod teller;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::oneshot;

pub(super) use self::doors::Doors;
pub(super) use self::mistakes::Mistakes;
use self::teller::Teller;
use super::signals::Signals;
use super::summary::Summary;
use super::wiring::{self, Wiring};
use super::{ask, clock, indexer, log};
use crate::analysis::Thresholds;
use crate::config::Settings;
use crate::index::Reader;
use crate::model::Nanos;
use crate::source::{self, Board, Source as _};
use crate::terminal;

/// How often it is looked whether there is something to tell.
const LOOK_UP: Duration = Duration::from_millis(500);
/// The exit code of a program that an interrupt ended, as shells count.
const INTERRUPTED: u8 = 130;

/// Receives until `duration` is over, or Ctrl-C or SIGTERM; then prints what arrived. A second signal ends it without.
pub(super) fn listen(settings: &Settings, duration: Option<Nanos>, json: bool) -> Result<ExitCode> {
    let redactor = wiring::redactor(settings)?;
    // Not needed here, but a mistake in the settings is told by every way to run.
    wiring::keymap(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    terminal::install_panic_hook(log::start(), source::is_contained);
    let code = runtime.block_on(async {
        let Wiring { indexer, receiver, feed, board } = wiring::wire(settings, false, indexer::no_gate())?;
        let mut signals = Signals::new()?;
        // Open before anybody can read below that the doors are.
        let _asked = ask::open(&indexer.reader, wiring::thresholds(settings)?).inspect_err(|error| {
            let _ = writeln!(io::stderr(), "this one cannot be asked by `tracefall query`: {error}");
        });
        let mut doors = Doors::default();
        doors.tell(&board.sources(clock::now()));
        if let Some(warning) = wiring::exposure(&board) {
            let _ = writeln!(io::stderr(), "warning: {warning}");
        }
        let receiving = tokio::spawn(receiver.run(feed));
        let thresholds = wiring::thresholds(settings)?;
        let teller = (!json).then(|| Teller::new(thresholds, redactor));
        let (end, mut told) =
            Output { reader: indexer.reader, board, doors, mistakes: Mistakes::default(), teller, thresholds }
                .start()?;
        let over = tokio::time::sleep(Duration::from_nanos(duration.map_or(u64::MAX / 4, |duration| duration.0)));
        tokio::select! {
            _ = signals.next() => {}
            () = over => {}
            result = &mut told => return finished(result),
        }
        receiving.abort();
        let _ = receiving.await;
        // Everything that was acknowledged is in the index once the thread has ended.
        tokio::task::spawn_blocking(move || indexer.thread.join()).await.ok();
        drop(end);
        tokio::select! {
            result = told => finished(result),
            code = signals.next() => Ok(ExitCode::from(if code == 0 { INTERRUPTED } else { code })),
        }
    });
    runtime.shutdown_background();
    code
}

/// What the end of the output means: a reader that has seen enough (`| head`) is no failure.
fn finished(result: Result<io::Result<()>, oneshot::error::RecvError>) -> Result<ExitCode> {
    match result? {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// All that is written while it runs and when it ends.
struct Output {
    reader: Reader,
    board: Arc<Board>,
    doors: Doors,
    mistakes: Mistakes,
    /// None with `--json`.
    teller: Option<Teller>,
    thresholds: Thresholds,
}

impl Output {
    /// Starts writing, on a thread of its own, until the sender is dropped; then comes the summary, and the answer.
    fn start(mut self) -> io::Result<(mpsc::SyncSender<()>, oneshot::Receiver<io::Result<()>>)> {
        let (end, ended) = mpsc::sync_channel(0);
        let (done, told) = oneshot::channel();
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            // Nobody waits for it any more after a second signal.
            let _ = done.send(self.write(&ended));
        })?;
        Ok((end, told))
    }

    fn write(&mut self, ended: &mpsc::Receiver<()>) -> io::Result<()> {
        while ended.recv_timeout(LOOK_UP) == Err(RecvTimeoutError::Timeout) {
            self.doors.tell(&self.board.sources(clock::now()));
            self.mistakes.tell(&self.board.mishaps());
            if let Some(teller) = &mut self.teller {
                teller.tell(&self.reader.view(), Some(clock::now()))?;
            }
        }
        let view = self.reader.view();
        let sources = self.board.sources(clock::now());
        self.doors.tell(&sources);
        self.mistakes.tell(&self.board.mishaps());
        if let Some(teller) = &mut self.teller {
            teller.tell(&view, None)?;
        }
        Summary::of(&view, &sources, &self.thresholds).print(self.teller.is_none())
    }
}

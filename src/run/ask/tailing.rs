//! `tracefall tail`: one thread writes, this one hears signals. Whoever reads too slowly does not keep the program from ending.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::oneshot;

use super::answer::Peer as _;
use super::client::Client;
use super::collect::Collected;
use super::elsewhere;
use super::filter::Filter;
use super::gather::runtime;
use super::listening::Listening;
use super::polling::Polling;
use super::print::Printer;
use super::protocol::{Ask, Reply};
use super::tail::Tail;
use crate::cli;
use crate::config::Settings;
use crate::export::Record;
use crate::index::Reader;
use crate::run::signals::Signals;
use crate::run::{clock, wiring};

/// How often it is looked whether there is something to tell.
const LOOK_UP: Duration = Duration::from_millis(200);
/// How long the thread that writes may take to end, before the program ends without it.
const GRACE: Duration = Duration::from_millis(500);

/// Follows until it is enough: by a signal, a number of traces, a time, or the end of the program that is asked.
pub(in crate::run) fn tail(settings: &Settings, tail: &cli::Tail) -> Result<ExitCode> {
    let mut collected = Collected::new(Printer::new(tail.output.form, wiring::redactor(settings)?, None));
    collected.live = true;
    collected.most = tail.limit.unwrap_or(u64::MAX);
    if let Err(wrong) = Filter::read(&tail.filter) {
        collected.take(Reply::Wrong(wrong));
        return collected.finish();
    }
    // With a server, a time says how long that is followed.
    let timed = tail.whom.duration.is_some();
    let remotes = elsewhere::meant(settings, tail.whom.pid.is_some() || timed && settings.remotes_from_environment)?;
    let client = if timed || !remotes.is_empty() { None } else { Client::connect(tail.whom.pid)? };
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let (stop, found) = (Arc::clone(&collected.stop), Arc::clone(&collected.found));
        let mut listening = None;
        let told = if let Some(client) = client {
            asked(client, tail.filter.clone(), collected)?
        } else if !remotes.is_empty() {
            let filter = Filter::read(&tail.filter).map_err(|wrong| anyhow::anyhow!(wrong.message))?;
            let polling = tokio::select! {
                polling = Polling::start(settings, remotes, filter) => polling?,
                _ = signals.next() => return Ok(ExitCode::from(1)),
            };
            let told = followed(polling.reader(), &tail.filter, collected)?;
            tokio::spawn(polling.run());
            told
        } else {
            if tail.whom.duration.is_none() {
                let _ = writeln!(io::stderr(), "no tracefall runs that could be asked: listening here");
            }
            let doors = listening.insert(Listening::start(settings)?);
            followed(doors.held.reader.clone(), &tail.filter, collected)?
        };
        let over = tail.whom.duration.map_or(Duration::MAX, |duration| Duration::from_nanos(duration.0));
        wait(&mut signals, listening, told, (over, stop, found)).await
    });
    runtime.shutdown_background();
    code
}

async fn wait(
    signals: &mut Signals,
    mut listening: Option<Listening>,
    mut told: oneshot::Receiver<Result<ExitCode>>,
    (over, stop, found): (Duration, Arc<AtomicBool>, Arc<AtomicU64>),
) -> Result<ExitCode> {
    let mut look_up = tokio::time::interval(LOOK_UP);
    let over = tokio::time::sleep(over);
    tokio::pin!(over);
    loop {
        tokio::select! {
            result = &mut told => return result?,
            _ = signals.next() => break,
            () = &mut over => break,
            _ = look_up.tick() => if let Some(listening) = &mut listening { listening.tell() },
        }
    }
    stop.store(true, Ordering::Release);
    match tokio::time::timeout(GRACE, told).await {
        Ok(result) => result?,
        Err(_) => Ok(if found.load(Ordering::Acquire) > 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }),
    }
}

type Told = oneshot::Receiver<Result<ExitCode>>;

/// Writes what a running program tells.
fn asked(mut client: Client, filter: String, mut collected: Collected) -> io::Result<Told> {
    on_a_thread(move || {
        client.ask(&Ask::Tail { filter }, &mut collected)?;
        collected.finish()
    })
}

/// Writes what arrives here; at the end also what has not gone quiet yet.
fn followed(reader: Reader, filter: &str, mut collected: Collected) -> Result<Told> {
    let mut tail = match Filter::read(filter) {
        Ok(filter) => Tail::new(filter, &reader.view()),
        Err(_) => anyhow::bail!("the filter is wrong"),
    };
    let told = on_a_thread(move || {
        let mut more = true;
        while more {
            let last = collected.is_gone();
            let now = clock::now();
            let step = if last { tail.rest(&reader.view(), now) } else { tail.step(&reader.view(), now) };
            if last {
                collected.stop.store(false, Ordering::Release);
            }
            more = step.into_iter().all(|found| collected.take(Reply::Record(Record::Trace(found)))) && !last;
            if more {
                thread::sleep(LOOK_UP);
            }
        }
        collected.finish()
    });
    Ok(told?)
}

fn on_a_thread(work: impl FnOnce() -> Result<ExitCode> + Send + 'static) -> io::Result<Told> {
    let (done, told) = oneshot::channel();
    thread::Builder::new().name("output".to_owned()).spawn(move || {
        // Nobody waits for it any more where the program is ending.
        let _ = done.send(work());
    })?;
    Ok(told)
}

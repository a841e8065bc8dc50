//! The wiring: runtime, threads, queues, frame clock, signals.
//!
//! In: what the user typed. Out: a running program and its exit code. The only room that reads the wall clock and the only one
//! that knows all others. Must never contain: rules of the domain, layout.

mod ask;
mod browser;
mod clock;
mod files;
mod following;
mod health;
mod heap;
mod indexer;
mod jobs;
mod listen;
mod log;
mod looks;
mod recipes;
mod remotes;
mod saving;
mod screen;
mod shelf;
mod signals;
mod summary;
mod target;
mod wiring;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::{Cli, Command};
use crate::config::{self, Overrides};

pub use heap::settle_heap;
pub use indexer::Gate;

/// Runs the program as `cli` says.
///
/// # Errors
/// Where the settings cannot be used or the terminal does not obey; the message is for a person.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    run_gated(cli, indexer::no_gate())
}

/// As [`run`], with a gate that every delivery waits for before the index takes it in: it makes the index as slow as a test
/// needs it. `listen` has none.
///
/// # Errors
/// As [`run`].
pub fn run_gated(cli: &Cli, gate: Gate) -> Result<ExitCode> {
    let settings = config::resolve(&cli.overrides)?;
    files::allow_many();
    let plain = screen::Start { summary: cli.summary.clone(), ..screen::Start::default() };
    let show = |start: screen::Start| screen::show(&settings, &start, gate);
    match &cli.command {
        None => show(plain),
        Some(Command::Demo { rate, seed }) => {
            show(screen::Start { demo: Some(screen::Demo { rate: *rate, seed: *seed }), ..plain })
        }
        Some(Command::Open { files, follow }) => {
            let files = screen::Filed { paths: files.clone(), follow: *follow, listen: doors_are_asked_for(cli) };
            show(screen::Start { files: Some(files), ..plain })
        }
        Some(Command::Jaeger(_) | Command::Tempo(_)) => {
            let nothing = screen::Filed { paths: Vec::new(), follow: false, listen: doors_are_asked_for(cli) };
            show(screen::Start { files: Some(nothing), ..plain })
        }
        Some(Command::Listen { .. }) if cli.summary.is_some() => {
            bail!("`listen` prints its summary: --summary is for the screen, --json makes it one line of JSON");
        }
        Some(_) if cli.summary.is_some() => bail!("--summary is for the screen"),
        Some(Command::Listen { duration, json }) => listen::listen(&settings, *duration, *json),
        Some(Command::Query(query)) => ask::query(&settings, query),
        Some(Command::Tail(tail)) => ask::tail(&settings, tail),
        Some(Command::Services(names)) => ask::services(&settings, names),
        Some(Command::Operations(names)) => ask::operations(&settings, names),
        Some(Command::Attributes(attributes)) => ask::attributes(&settings, attributes),
        Some(Command::Assert(assert)) => ask::assert(&settings, assert),
        Some(Command::Export(export)) => ask::export(&settings, export),
        Some(Command::Report(report)) => ask::report(&settings, report),
        Some(Command::Completions(completions)) => print(&completions.script()),
        Some(Command::Man(man)) => print(&man.page()?),
    }
}

/// Whether the command line says where to listen.
fn doors_are_asked_for(cli: &Cli) -> bool {
    let Overrides { grpc, http, zipkin, .. } = &cli.overrides;
    grpc.is_some() || http.is_some() || zipkin.is_some()
}

/// Prints what was generated. Who has seen enough of it is no failure.
fn print(bytes: &[u8]) -> Result<ExitCode> {
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

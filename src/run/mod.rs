//! The wiring: runtime, threads, queues, frame clock, signals.
//!
//! In: what the user typed. Out: a running program and its exit code. The only room that reads the wall clock and the only one
//! that knows all others. Must never contain: rules of the domain, layout.

mod clock;
mod files;
mod health;
mod indexer;
mod jobs;
mod listen;
mod log;
mod looks;
mod recipes;
mod screen;
mod signals;
mod wiring;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::config;

/// Runs the program as `cli` says.
///
/// # Errors
/// Where the settings cannot be used or the terminal does not obey; the message is for a person.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let settings = config::resolve(&cli.overrides)?;
    files::allow_many();
    match cli.command {
        None => screen::show(&settings, None),
        Some(Command::Demo { rate, seed }) => screen::show(&settings, Some(screen::Demo { rate, seed })),
        Some(Command::Listen { duration, json }) => listen::listen(&settings, duration, json),
    }
}

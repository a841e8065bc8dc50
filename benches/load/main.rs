//! Load and soak: does tracefall keep its promises while far more arrives than it can hold?
//!
//! ```console
//! cargo run --release --example load                 # 100,000 spans a second, a minute over gRPC and a minute over HTTP
//! cargo run --release --example load -- --soak       # 20,000 a second under names that never come back, for an hour
//! ```
//!
//! This process makes the spans, sends them, and sits at a terminal: it starts tracefall as a second process in a
//! pseudo-terminal, presses keys there, and waits for the frame that shows what a key did. When the flood is over it leaves the
//! screen, reads the summary that the program writes, and holds it against what senders were told. It prints a table, a verdict
//! for each promise, and one line of JSON, and ends with 1 where a promise is broken. It needs Linux (`/proc`).

#![expect(clippy::print_stdout, reason = "a program that prints its findings")]

mod flood;
mod process;
mod report;
mod steady;
mod terminal;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use tracefall::config::{parse_duration, parse_size};

use self::flood::{Door, Flood, Order};
use self::process::Watch;
use self::report::{Phase, Report, Summary};
use self::terminal::Program;
use self::walk::Walk;

/// Set for the process that plays the program under test: this very binary, as `tracefall` itself.
const UNDER_TEST: &str = "TRACEFALL_LOAD_UNDER_TEST";

/// Traces between two turns of the names in a soak: some 240 services a second, so that whatever tells names apart, up to a
/// limit, reaches it early.
const TURNOVER: u64 = 40;

/// Floods tracefall, and holds it to its promises.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// How long each door is flooded [default: 60s; with --soak both at once, for 1h]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Spans a second [default: 100000; with --soak 20000]
    #[arg(long)]
    rate: Option<u64>,
    /// The budget of the program under test [default: 256MiB; with --soak 64MiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Services, span names, statements and attribute keys turn over without end, and memory has to stay flat
    #[arg(long)]
    soak: bool,
    /// The program under test, instead of the one this was built with
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// The longest that 99 of 100 keys may wait for their frame; more on a machine that others use meanwhile
    #[arg(long, default_value = "50ms", value_name = "DURATION", value_parser = duration)]
    within: Duration,
    /// Also print the slowest keys, and how memory went
    #[arg(long)]
    verbose: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let nanos = parse_duration(text).ok_or_else(|| "expected a length of time, such as 30s or 5m".to_owned())?;
    Ok(Duration::from_nanos(nanos.0))
}

fn main() -> Result<ExitCode> {
    if std::env::var_os(UNDER_TEST).is_some() {
        return tracefall::run::run(&tracefall::cli::Cli::read());
    }
    let arguments = Arguments::parse();
    let report = run(&arguments)?;
    report.print()?;
    Ok(if report.is_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(arguments: &Arguments) -> Result<Report> {
    let soak = arguments.soak;
    let memory = arguments.memory.as_deref().unwrap_or(if soak { "64MiB" } else { "256MiB" });
    let budget = parse_size(memory).context("--memory: expected a size, such as 256MiB")?;
    let rate = arguments.rate.unwrap_or(if soak { 20_000 } else { 100_000 }).max(1);
    let length = arguments.duration.unwrap_or_else(|| Duration::from_secs(if soak { 3600 } else { 60 }));
    let mut program = Program::start(arguments.program.clone(), memory)?;
    let doors = program.doors()?;
    let watch = Watch::start(program.pid()?);
    let base = watch.resident()?;
    let mut walk = Walk::new(soak);
    let order = Order { rate, length, doors, turnover: if soak { TURNOVER } else { 0 } };
    let mut phases = Vec::new();
    let ways: &[&[Door]] = if soak { &[&[Door::Grpc, Door::Http]] } else { &[&[Door::Grpc], &[Door::Http]] };
    for (number, ways) in (0..).zip(ways) {
        let before = watch.cpu()?;
        let flood = Flood::start(&order, ways, number)?;
        while !flood.is_over() {
            walk.round(&mut program)?;
        }
        let told = flood.end()?;
        let cpu = watch.cpu()?.saturating_sub(before);
        phases.push(Phase { ways, told, cpu, keys: walk.take() });
    }
    let peak = watch.peak()?;
    let samples = watch.stop();
    let left: Summary = program.end()?;
    let within = arguments.within;
    Ok(Report { budget, within, rate, length, base, peak, samples, soak, verbose: arguments.verbose, phases, left })
}

#[expect(clippy::disallowed_methods, reason = "times are what is measured")]
fn now() -> Instant {
    Instant::now()
}

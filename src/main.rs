//! The program: parse, run, print the error, choose the exit code.

use std::io::Write as _;
use std::process::ExitCode;

use tracefall::cli::Cli;
use tracefall::run;

fn main() -> ExitCode {
    let cli = Cli::read();
    run::settle_heap();
    run::run(&cli).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "tracefall: {error:#}");
        ExitCode::from(2)
    })
}

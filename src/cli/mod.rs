//! What the user typed, nothing of it resolved.
//!
//! In: arguments and environment. Out: a [`Cli`]. Must never know: files, sockets, threads.

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{self, Overrides};
use crate::model::Nanos;

/// A trace explorer that lives in the terminal.
///
/// Start it beside the service you work on: every OpenTelemetry SDK sends to localhost:4317 (gRPC) or :4318 (HTTP) by default.
#[derive(Clone, Debug, Parser)]
#[command(version, about, long_about, max_term_width = 100)]
pub struct Cli {
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
    /// When the screen is left, write what arrived, what is held and what was evicted to this file, as one line of JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// What to do instead of showing the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done beside showing the screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Receive without a screen: a line per trace, and at the end a summary of what arrived
    Listen {
        /// Stop after this long, such as 30s (otherwise: on Ctrl-C or SIGTERM)
        #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
        duration: Option<Nanos>,
        /// Print the summary as one line of JSON, the last on standard output, and nothing else there
        #[arg(long)]
        json: bool,
    },
    /// See it at work without an app: live traffic through the real receiver, on free ports
    Demo {
        /// Requests a second
        #[arg(long, default_value_t = 4.0, value_parser = rate)]
        rate: f64,
        /// The same seed plays the same requests
        #[arg(long, default_value_t = 42)]
        seed: u64,
    },
}

fn duration(text: &str) -> Result<Nanos, String> {
    config::parse_duration(text).ok_or_else(|| "expected a length of time, such as 30s or 5m".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate <= 1000.0);
    rate.ok_or_else(|| "expected a number above 0 and up to 1000".to_owned())
}

impl Cli {
    /// Reads the arguments. Ends the program where they are wrong (exit code 2) or ask for help or the version (0).
    #[must_use]
    pub fn read() -> Self {
        let show = |path: Option<PathBuf>| {
            path.map_or_else(|| "nowhere: there is no home directory".to_owned(), |path| path.display().to_string())
        };
        let paths = format!("Settings: {}\nLog:      {}", show(config::config_file()), show(config::log_file()));
        let with_paths = |command: clap::Command| command.after_help(paths.clone());
        let matches = with_paths(Self::command()).mut_subcommands(with_paths).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_subcommand() {
        for line in ["tracefall --grpc 1 listen --for 2s", "tracefall listen --for 2s --grpc 1"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.overrides.grpc.as_deref(), Some("1"), "{line}");
            assert!(matches!(cli.command, Some(Command::Listen { duration: Some(Nanos(2_000_000_000)), json: false })));
        }
    }

    #[test]
    fn odd_rates_are_refused() {
        for rate in ["0", "-1", "NaN", "1e9", "x"] {
            assert!(Cli::try_parse_from(["tracefall", "demo", "--rate", rate]).is_err(), "{rate}");
        }
    }
}

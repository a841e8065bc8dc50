//! What the user typed, nothing of it resolved.
//!
//! In: arguments and environment. Out: a [`Cli`]. Must never know: files, sockets, threads.

mod ask;
mod assert;
mod export;
mod generate;
mod hyphen;
mod remote;
mod report;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use ask::{Attributes, Form, Names, Output, Query, Tail, Whom};
pub use assert::{Assert, Bound, NoFinding};
pub use export::{Export, SaveForm};
pub use generate::{Completions, Man};
pub use remote::Urls;
pub use report::{Report, ReportForm};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{self, Overrides};
use crate::model::Nanos;

/// A trace explorer that lives in the terminal.
///
/// Start it beside the service you work on: every OpenTelemetry SDK sends to localhost:4317 (gRPC) or :4318 (HTTP) by default.
#[derive(Clone, Debug, Parser)]
#[command(version, about, long_about, max_term_width = 100, subcommand_precedence_over_arg = true)]
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
    /// Find traces: in a running tracefall, in files, or in what arrives
    ///
    /// Exit code 0 where a trace was found, 1 where none was, 2 where something is wrong.
    Query(Query),
    /// Show traces that match as they arrive in a running tracefall; where none runs, at doors of its own
    ///
    /// A trace is shown once it has been quiet for a second, and again where it has grown since.
    Tail(Tail),
    /// The services that sent spans
    Services(Names),
    /// The names of spans
    Operations(Names),
    /// The keys of attributes, or the values in use under one
    Attributes(Attributes),
    /// Check traces, as in CI
    ///
    /// Exit code 0 where everything holds, 1 where something does not (the traces that offend are shown), 2 where something is
    /// wrong, or there is no trace to check.
    Assert(Assert),
    /// Write whole traces as OTLP, for Jaeger, for Perfetto, as Markdown or CSV: of a running tracefall, of files, or of what arrives
    ///
    /// Exit code 0 where a trace was written, 1 where there was none, 2 where something is wrong.
    Export(Export),
    /// Say what traces have to say: findings, statements, errors, services; of a running tracefall, of files, or of what arrives
    ///
    /// Exit code 0 where there was a trace, 1 where there was none, 2 where something is wrong.
    Report(Report),
    /// Show what files hold: OTLP, Jaeger, Zipkin and Tempo, as JSON or protobuf, plain, gzip or zstd
    ///
    /// Nothing is listened for unless --grpc or --http say where.
    Open {
        /// The files; `-` is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Read on as they grow
        #[arg(short, long)]
        follow: bool,
    },
    /// Show what a Jaeger keeps, or whatever speaks its API; nothing is listened for unless --grpc or --http say where
    Jaeger(Urls),
    /// Show what a Tempo keeps; nothing is listened for unless --grpc or --http say where
    Tempo(Urls),
    /// A completion script for a shell, on standard output
    Completions(Completions),
    /// The manual page, on standard output
    Man(Man),
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
        let command = with_paths(Self::command()).mut_subcommands(with_paths);
        Self::from_arguments(command, std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    fn from_arguments(command: clap::Command, arguments: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command.try_get_matches_from(hyphen::mark(arguments))?;
        let mut cli = Self::from_arg_matches(&matches)?;
        remote::settle(&mut cli, &matches);
        let files = match &mut cli.command {
            Some(Command::Query(query)) => files_of(&mut query.filter, &mut query.files),
            Some(Command::Attributes(attributes)) => {
                let key = attributes.key.take_if(|key| names_file(key));
                let mut files: Vec<PathBuf> = key.into_iter().map(PathBuf::from).collect();
                files.append(&mut attributes.files);
                files.append(&mut attributes.more_files);
                attributes.files = files;
                return Ok(cli);
            }
            Some(Command::Assert(assert)) => &mut assert.files,
            Some(Command::Export(export)) => files_of(&mut export.filter, &mut export.files),
            Some(Command::Report(report)) => files_of(&mut report.filter, &mut report.files),
            _ => return Ok(cli),
        };
        for file in files {
            *file = hyphen::path(file);
        }
        Ok(cli)
    }
}

/// Whether what stands where another thing may stand is a file, or standard input.
fn names_file(text: &str) -> bool {
    text == "-" || Path::new(text).is_file()
}

/// The files of a command whose filter may be left out: without one the first file stands in its place.
fn files_of<'a>(filter: &mut String, files: &'a mut Vec<PathBuf>) -> &'a mut Vec<PathBuf> {
    if names_file(filter) {
        files.insert(0, std::mem::take(filter).into());
    }
    files
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

    /// Its value may be left out, which must not make a value of the subcommand.
    #[test]
    fn zipkin_stands_with_and_without_an_address() {
        let cases: [(&[&str], &str, bool); 5] = [
            (&["--zipkin"], "9411", false),
            (&["--zipkin", "listen"], "9411", true),
            (&["listen", "--zipkin"], "9411", true),
            (&["--zipkin", "19411", "listen"], "19411", true),
            (&["listen", "--zipkin=0.0.0.0:9411"], "0.0.0.0:9411", true),
        ];
        for (line, address, listens) in cases {
            let cli = Cli::try_parse_from(std::iter::once(&"tracefall").chain(line)).unwrap();
            assert_eq!(cli.overrides.zipkin.as_deref(), Some(address), "{line:?}");
            assert_eq!(matches!(cli.command, Some(Command::Listen { .. })), listens, "{line:?}");
        }
    }

    #[test]
    fn filter_may_begin_with_a_hyphen_between_options_on_either_side() {
        let filter = "-http.route=/health";
        let lines: [&[&str]; 5] = [
            &["query", filter, "-o", "json", "--limit", "3"],
            &["query", "-o", "json", "--limit=3", filter],
            &["query", "--limit", "3", filter, "-ojson"],
            &["--memory", "1GiB", "query", "--output=json", filter, "--limit", "3"],
            &["query", "--limit", "3", "-o=json", "--", filter],
        ];
        for line in lines {
            let line = ["tracefall"].iter().chain(line).map(OsString::from);
            let cli = Cli::from_arguments(Cli::command(), line).unwrap();
            let Some(Command::Query(query)) = cli.command else { panic!("{:?}", cli.command) };
            assert_eq!((query.filter.as_str(), query.limit, query.output.form), (filter, Some(3), Form::Json));
            assert!(query.files.is_empty());
        }
        let line = ["tracefall", "query", "-o", "csv", "--", "--x"].iter().map(OsString::from);
        let Some(Command::Query(query)) = Cli::from_arguments(Cli::command(), line).unwrap().command else { panic!() };
        assert_eq!((query.filter.as_str(), query.output.form), ("--x", Form::Csv));
        let line = ["tracefall", "assert", "--none", "-operation:x", "-error=true"].iter().map(OsString::from);
        let Some(Command::Assert(assert)) = Cli::from_arguments(Cli::command(), line).unwrap().command else {
            panic!()
        };
        assert_eq!(
            (&assert.none[..], &assert.filters[..]),
            (&["-operation:x".to_owned()][..], &["-error=true".to_owned()][..])
        );
    }

    #[test]
    fn odd_rates_are_refused() {
        for rate in ["0", "-1", "NaN", "1e9", "x"] {
            assert!(Cli::try_parse_from(["tracefall", "demo", "--rate", rate]).is_err(), "{rate}");
        }
    }
}

//! What is asked without a screen: of a running tracefall, of files, or of what arrives in a given time.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::duration;
use crate::model::Nanos;

/// `tracefall query`.
#[derive(Clone, Debug, Args)]
pub struct Query {
    /// What to find, as typed into the filter bar; it may begin with `-`; everything where there is none. What names a file is
    /// taken for one
    #[arg(value_name = "FILTER", value_parser = super::hyphen::text, default_value = "")]
    pub filter: String,
    /// Traces in files instead: OTLP, Jaeger, Zipkin or Tempo, plain, gzip or zstd; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// At most this many traces, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
    /// In which form.
    #[command(flatten)]
    pub output: Output,
}

/// `tracefall tail`.
#[derive(Clone, Debug, Args)]
pub struct Tail {
    /// What to look out for, as typed into the filter bar; everything where there is none
    #[arg(value_name = "FILTER", value_parser = super::hyphen::text, default_value = "")]
    pub filter: String,
    /// End after this many traces
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
    /// In which form.
    #[command(flatten)]
    pub output: Output,
}

/// `tracefall services` and `tracefall operations`.
#[derive(Clone, Debug, Args)]
pub struct Names {
    /// Traces in files, as for `query`
    #[arg(value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// At most this many, the most used
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
    /// In which form.
    #[command(flatten)]
    pub output: Output,
}

/// `tracefall attributes`.
#[derive(Clone, Debug, Args)]
pub struct Attributes {
    /// Show the values in use under this key instead of the keys. What names a file is taken for one
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
    /// Traces in files, as for `query`
    #[arg(value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// The same, as `assert` takes them
    #[arg(long = "file", value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub more_files: Vec<PathBuf>,
    /// At most this many, the most used
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
    /// In which form.
    #[command(flatten)]
    pub output: Output,
}

/// Who is asked where no files are named: the running tracefall, unless one of these says otherwise.
#[derive(Clone, Debug, Default, Args)]
pub struct Whom {
    /// Listen for this long, such as 30s, and answer from what arrived (otherwise: a running tracefall is asked)
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Nanos>,
    /// Ask the tracefall with this process id, where several run
    #[arg(long, value_name = "PID", conflicts_with = "duration")]
    pub pid: Option<u32>,
}

impl Whom {
    /// Whether it says where the spans are.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.duration.is_some() || self.pid.is_some()
    }
}

/// In which form it is answered.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Output {
    /// What to write
    #[arg(short = 'o', long = "output", value_name = "FORM", value_enum, default_value_t)]
    pub form: Form,
}

/// The forms of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Columns for a person
    #[default]
    Table,
    /// One array of objects
    Json,
    /// An object on each line
    Jsonl,
    /// Comma-separated values with a head (RFC 4180)
    Csv,
}

//! `tracefall export`: whole traces for other programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Whom;

/// `tracefall export`.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// Which traces, as typed into the filter bar; all of them where there is none. What names a file is taken for one
    #[arg(value_name = "FILTER", value_parser = super::hyphen::text, default_value = "")]
    pub filter: String,
    /// Traces in files instead, as for `query`; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// What to write
    #[arg(short = 'o', long = "output", value_name = "FORM", value_enum, default_value_t)]
    pub form: SaveForm,
    /// Write to this file, which appears once it is whole (otherwise: to standard output)
    #[arg(long, value_name = "PATH")]
    pub to: Option<PathBuf>,
    /// Replace the file if there is one already
    #[arg(long, requires = "to")]
    pub force: bool,
    /// Leave secrets as they are
    #[arg(long)]
    pub unmasked: bool,
    /// At most this many traces, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
}

/// The forms in which whole traces are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SaveForm {
    /// OTLP as JSON, a request on each line: all but text that is not UTF-8
    #[default]
    OtlpJson,
    /// OTLP as protobuf, each request behind four bytes of length: nothing is lost
    Otlp,
    /// What Jaeger's UI downloads and uploads
    Jaeger,
    /// The Trace Event Format, for Perfetto
    Perfetto,
    /// For a ticket
    #[value(alias = "md")]
    Markdown,
    /// A line a span (RFC 4180)
    Csv,
}

//! `tracefall report`: what a set of traces has to say.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Whom;

/// `tracefall report`.
#[derive(Clone, Debug, Args)]
pub struct Report {
    /// Which traces, as typed into the filter bar; all of them where there is none. What names a file is taken for one
    #[arg(value_name = "FILTER", value_parser = super::hyphen::text, default_value = "")]
    pub filter: String,
    /// Traces in files instead, as for `query`; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["duration", "pid"])]
    pub files: Vec<PathBuf>,
    /// What to write
    #[arg(short = 'o', long = "output", value_name = "FORM", value_enum, default_value_t)]
    pub form: ReportForm,
    /// At most this many findings, statements, errors and operations each (otherwise: 20 as Markdown, all as JSON)
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Leave secrets as they are
    #[arg(long)]
    pub unmasked: bool,
    /// Who is asked.
    #[command(flatten)]
    pub whom: Whom,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// For a ticket
    #[default]
    #[value(name = "md", alias = "markdown")]
    Markdown,
    /// One object of JSON
    Json,
}

//! The commands that ask once.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::answer::Peer as _;
use super::collect::{Collected, complaint};
use super::exported::Exported;
use super::filter::Filter;
use super::gather::Answerer;
use super::print::Printer;
use super::protocol::{Ask, Assertion, Reply};
use super::reported::Reported;
use crate::analysis::findings::Rule;
use crate::cli::{self, Output, Whom};
use crate::config::Settings;
use crate::export::{Exporter, TraceForm};
use crate::run::target::Target;
use crate::run::wiring;

/// Findings, statements, errors and operations each in a report that a person reads.
const MOST_TO_READ: u64 = 20;

/// `tracefall query`.
pub(in crate::run) fn query(settings: &Settings, query: &cli::Query) -> Result<ExitCode> {
    let ask = Ask::Query { filter: query.filter.clone(), limit: query.limit };
    once(settings, &ask, &query.files, (&query.whom, query.output))
}

/// `tracefall services`.
pub(in crate::run) fn services(settings: &Settings, names: &cli::Names) -> Result<ExitCode> {
    once(settings, &Ask::Services { limit: names.limit }, &names.files, (&names.whom, names.output))
}

/// `tracefall operations`.
pub(in crate::run) fn operations(settings: &Settings, names: &cli::Names) -> Result<ExitCode> {
    once(settings, &Ask::Operations { limit: names.limit }, &names.files, (&names.whom, names.output))
}

/// `tracefall attributes`.
pub(in crate::run) fn attributes(settings: &Settings, attributes: &cli::Attributes) -> Result<ExitCode> {
    let ask = Ask::Attributes { key: attributes.key.clone(), limit: attributes.limit };
    once(settings, &ask, &attributes.files, (&attributes.whom, attributes.output))
}

/// `tracefall assert`.
pub(in crate::run) fn assert(settings: &Settings, assert: &cli::Assert) -> Result<ExitCode> {
    if let Some(file) = assert.filters.iter().find(|filter| std::path::Path::new(filter).is_file()) {
        bail!("{file} is a file, and stands where a filter is expected: --file {file}");
    }
    let each = assert.filters.iter().map(|filter| Assertion::Each { filter: filter.clone() });
    let none = assert.none.iter().map(|filter| Assertion::None { filter: filter.clone() });
    let finding = |cli::NoFinding { rules, filter }: &cli::NoFinding| {
        if let Some(rule) = rules.iter().find(|name| Rule::named(name).is_none()) {
            bail!("--no-finding: there is no rule {rule}; {}", super::asserted::known_rules());
        }
        Ok(Assertion::NoFinding { rules: rules.clone(), filter: filter.clone() })
    };
    let findings = assert.no_finding.iter().map(finding).collect::<Result<Vec<_>>>()?;
    let most = [(50, &assert.max_p50), (95, &assert.max_p95), (99, &assert.max_p99)];
    let most = most.into_iter().flat_map(|(percent, bounds)| {
        let most = move |cli::Bound { filter, most }: &cli::Bound| Assertion::Most {
            filter: filter.clone(),
            percent,
            most: most.0,
        };
        bounds.iter().map(most)
    });
    let ask = Ask::Assert { assertions: each.chain(none).chain(findings).chain(most).collect(), limit: assert.limit };
    once(settings, &ask, &assert.files, (&assert.whom, assert.output))
}

/// `tracefall export`.
pub(in crate::run) fn export(settings: &Settings, export: &cli::Export) -> Result<ExitCode> {
    let ask = Ask::Export { filter: export.filter.clone(), limit: export.limit };
    if let Err(wrong) = Filter::read(&export.filter) {
        let mut collected = Collected::new(Printer::new(cli::Form::Table, wiring::redactor(settings)?, None));
        collected.take(Reply::Wrong(wrong));
        return collected.finish();
    }
    let redactor = if export.unmasked { None } else { Some(wiring::redactor(settings)?) };
    let target = match &export.to {
        Some(path) => Target::new(path, export.force)?,
        None => Target::stdout(),
    };
    let exporter = Exporter::new(target, form(export.form), redactor).judging(wiring::thresholds(settings)?);
    let mut exported = Exported::new(exporter);
    Answerer::of(settings, &export.files, &export.whom, &ask)?.ask(&ask, &mut exported)?;
    exported.finish()
}

/// `tracefall report`.
pub(in crate::run) fn report(settings: &Settings, report: &cli::Report) -> Result<ExitCode> {
    if let Err(wrong) = Filter::read(&report.filter) {
        bail!(complaint(&wrong.message, wrong.filter.as_deref(), wrong.column));
    }
    // What a person reads is short unless more is asked for; a script gets all of it.
    let limit = report.limit.or_else(|| (report.form == cli::ReportForm::Markdown).then_some(MOST_TO_READ));
    let ask = Ask::Report { filter: report.filter.clone(), limit };
    let redactor = if report.unmasked { None } else { Some(wiring::redactor(settings)?) };
    let mut reported = Reported::new(report.form, redactor);
    Answerer::of(settings, &report.files, &report.whom, &ask)?.ask(&ask, &mut reported)?;
    reported.finish()
}

fn form(form: cli::SaveForm) -> TraceForm {
    match form {
        cli::SaveForm::OtlpJson => TraceForm::OtlpJson,
        cli::SaveForm::Otlp => TraceForm::Otlp,
        cli::SaveForm::Jaeger => TraceForm::Jaeger,
        cli::SaveForm::Perfetto => TraceForm::Perfetto,
        cli::SaveForm::Markdown => TraceForm::Markdown,
        cli::SaveForm::Csv => TraceForm::Csv,
    }
}

fn once(settings: &Settings, ask: &Ask, files: &[PathBuf], (whom, output): (&Whom, Output)) -> Result<ExitCode> {
    let key = match ask {
        Ask::Attributes { key, .. } => key.clone(),
        _ => None,
    };
    let mut collected = Collected::new(Printer::new(output.form, wiring::redactor(settings)?, key));
    // A slip in a filter is told at once, not after files were read or half a minute was waited.
    if let Some(wrong) = filters(ask).into_iter().find_map(|filter| Filter::read(filter).err()) {
        collected.take(Reply::Wrong(wrong));
        return collected.finish();
    }
    Answerer::of(settings, files, whom, ask)?.ask(ask, &mut collected)?;
    collected.finish()
}

fn filters(ask: &Ask) -> Vec<&str> {
    match ask {
        Ask::Query { filter, .. } | Ask::Tail { filter } | Ask::Export { filter, .. } | Ask::Report { filter, .. } => {
            vec![filter]
        }
        Ask::Assert { assertions, .. } => assertions
            .iter()
            .map(|assertion| match assertion {
                Assertion::Each { filter }
                | Assertion::None { filter }
                | Assertion::NoFinding { filter, .. }
                | Assertion::Most { filter, .. } => &**filter,
            })
            .collect(),
        Ask::Services { .. } | Ask::Operations { .. } | Ask::Attributes { .. } => Vec::new(),
    }
}

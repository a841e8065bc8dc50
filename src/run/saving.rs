//! Saves traces to a file, on a thread that may take its time.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::ask::whole_traces;
use super::target::Target;
use crate::app::work::senders;
use crate::app::{SaveRequest, SaveWhat, Saved, TraceForm};
use crate::export::Exporter;
use crate::index::Reader;
use crate::model::TraceId;

/// Writes what was asked for. Answers what was written, or why nothing was, in words.
pub(super) fn save(reader: &Reader, request: &SaveRequest) -> Result<Saved, String> {
    written(reader, request).map_err(|error| format!("{error:#}"))
}

fn written(reader: &Reader, request: &SaveRequest) -> Result<Saved> {
    let path = at_home(&request.path);
    let redactor = request.mask.as_ref().map(|settings| settings.redactor.clone());
    let mut exporter = Exporter::new(Target::new(&path, false)?, request.form, redactor).judging(request.thresholds);
    let mut failed: Option<io::Error> = None;
    whole_traces(reader, &traces(reader, &request.what), &mut |view, spans, logs| {
        if request.form == TraceForm::Markdown {
            exporter.senders(senders(view, &spans));
        }
        failed = exporter.trace(spans, logs).err();
        failed.is_none()
    });
    let unwritten = || format!("cannot write {}", path.display());
    if let Some(error) = failed {
        return Err(error).with_context(unwritten);
    }
    let (target, written) = exporter.end().with_context(unwritten)?;
    if written.traces == 0 {
        bail!("what was to be saved has left to make room");
    }
    target.keep()?;
    Ok(Saved { path: path.display().to_string(), traces: written.traces, spans: written.spans })
}

/// Which traces, by first arrival.
fn traces(reader: &Reader, what: &SaveWhat) -> Vec<TraceId> {
    match what {
        SaveWhat::One(trace, _) => vec![*trace],
        SaveWhat::Marked(marked) => reader.view().traces().filter(|trace| marked.contains(trace)).collect(),
        SaveWhat::Listed(rows) => rows.iter().rev().map(|row| row.trace).collect(),
        SaveWhat::Everything => reader.view().traces().collect(),
    }
}

fn at_home(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

//! A trace as Markdown, to be copied.

use crate::analysis::Thresholds;
use crate::app::{Answer, Settings, TraceForm};
use crate::export::Exporter;
use crate::index::View;
use crate::model::TraceId;

/// Writes a trace as `tracefall export` does; the redactor of `mask` masks secrets.
#[must_use]
pub fn markdown(view: &View, trace: TraceId, mask: Option<&Settings>, thresholds: &Thresholds) -> Answer {
    let Some(spans) = view.spans(trace) else { return Answer::Markdown(Err("the trace is not held".to_owned())) };
    let redactor = mask.map(|settings| settings.redactor.clone());
    let mut exporter = Exporter::new(Vec::new(), TraceForm::Markdown, redactor).judging(*thresholds);
    let written = exporter.trace(spans, view.logs(trace)).and_then(|()| exporter.end());
    Answer::Markdown(match written {
        Ok((text, _)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => Err(error.to_string()),
    })
}

//! A trace as Markdown, to be copied.

use crate::analysis::Thresholds;
use crate::app::{Answer, Settings, TraceForm};
use crate::export::Exporter;
use crate::index::View;
use crate::model::{Kind, Span, SpanKey, TraceId};

/// Senders that are looked up for one trace.
const SENDERS: usize = 64;

/// The spans of other traces that sent the messages which these work on.
#[must_use]
pub fn senders(view: &View, spans: &[Span]) -> Vec<Span> {
    let consumers = spans.iter().filter(|span| span.kind == Kind::CONSUMER);
    let targets =
        consumers.flat_map(|span| span.links.iter().filter_map(move |link| Some((span.trace_id, link.target()?))));
    let others = targets.filter(|(own, (trace, _))| own != trace).take(SENDERS);
    others.filter_map(|(_, (trace, id))| view.span(trace, SpanKey { id, kind: Kind::PRODUCER })).collect()
}

/// Writes a trace as `tracefall export` does; the redactor of `mask` masks secrets.
#[must_use]
pub fn markdown(view: &View, trace: TraceId, mask: Option<&Settings>, thresholds: &Thresholds) -> Answer {
    let Some(spans) = view.spans(trace) else { return Answer::Markdown(Err("the trace is not held".to_owned())) };
    let redactor = mask.map(|settings| settings.redactor.clone());
    let mut exporter = Exporter::new(Vec::new(), TraceForm::Markdown, redactor).judging(*thresholds);
    exporter.senders(senders(view, &spans));
    let written = exporter.trace(spans, view.logs(trace)).and_then(|()| exporter.end());
    Answer::Markdown(match written {
        Ok((text, _)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => Err(error.to_string()),
    })
}

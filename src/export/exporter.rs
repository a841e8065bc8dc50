//! Whole traces, written one after the other in the form that was asked for.

use std::io::{self, Write};

use super::mask::Mask;
use super::{jaeger, judged, markdown, otlp_json, perfetto, span_csv};
use crate::analysis::Thresholds;
use crate::analysis::findings::across::{self, Past};
use crate::model::{LogRecord, Span, TraceId};
use crate::otlp::encode;
use crate::redact::Redactor;

/// Spans of a line or frame: no more, so that whoever reads it needs little memory at once.
const TOGETHER: usize = 1_000;

/// The forms in which whole traces leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TraceForm {
    /// OTLP/JSON, a request on each line.
    #[default]
    OtlpJson,
    /// OTLP protobuf, each request behind its length: four bytes, big-endian.
    Otlp,
    /// What Jaeger's UI downloads and uploads.
    Jaeger,
    /// The Trace Event Format, for Perfetto and `chrome://tracing`.
    Perfetto,
    /// For a ticket.
    Markdown,
    /// A line a span.
    Csv,
}

impl TraceForm {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::OtlpJson, Self::Otlp, Self::Jaeger, Self::Perfetto, Self::Markdown, Self::Csv];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OtlpJson => "otlp-json",
            Self::Otlp => "otlp",
            Self::Jaeger => "jaeger",
            Self::Perfetto => "perfetto",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
        }
    }

    /// How names of such files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::OtlpJson => "otlp.jsonl",
            Self::Otlp => "otlp.pb",
            Self::Jaeger => "jaeger.json",
            Self::Perfetto => "perfetto.json",
            Self::Markdown => "md",
            Self::Csv => "csv",
        }
    }
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Traces.
    pub traces: u64,
    /// Their spans.
    pub spans: u64,
}

/// Writes traces. What was written is whole only once [`Self::end`] has come back.
#[derive(Debug)]
pub struct Exporter<W: Write> {
    out: W,
    form: TraceForm,
    /// Masks secrets; `None`: they leave as they are.
    redactor: Option<Redactor>,
    /// When something is worth a word.
    thresholds: Thresholds,
    threads: perfetto::Threads,
    /// Spans that wait for others of their line or frame.
    waiting: Vec<Span>,
    /// Of the next trace: who sent it messages.
    senders: Vec<Span>,
    /// What was found in each trace, by the form that says it of all together.
    found: Vec<(TraceId, across::Digest)>,
    written: Written,
    begun: bool,
}

impl<W: Write> Exporter<W> {
    /// Writes to `out`, with secrets masked by `redactor` if there is one.
    pub fn new(out: W, form: TraceForm, redactor: Option<Redactor>) -> Self {
        let (threads, written) = (perfetto::Threads::default(), Written::default());
        let thresholds = Thresholds::default();
        Self {
            out,
            form,
            redactor,
            thresholds,
            threads,
            waiting: Vec::new(),
            senders: Vec::new(),
            found: Vec::new(),
            written,
            begun: false,
        }
    }

    /// With other thresholds than the usual ones, for the forms that judge.
    #[must_use]
    pub fn judging(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// Of the next trace: the spans of other traces that sent the messages which it works on. Without them nobody can tell how long
    /// these waited.
    pub fn senders(&mut self, senders: Vec<Span>) {
        self.senders = senders;
    }

    /// Writes a trace: its spans, longest first among those that start together, in order of start; and its log records, which only
    /// OTLP has a place for, and Markdown where they tell of an error.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn trace(&mut self, mut spans: Vec<Span>, mut logs: Vec<LogRecord>) -> io::Result<()> {
        if let Some(redactor) = &self.redactor {
            let mut mask = Mask::new(redactor);
            for span in &mut spans {
                mask.span(span);
            }
            for log in &mut logs {
                mask.log(log);
            }
        }
        self.begin()?;
        let senders = std::mem::take(&mut self.senders);
        let first = self.written.traces == 0;
        self.written.traces += 1;
        self.written.spans += spans.len() as u64;
        match self.form {
            TraceForm::OtlpJson | TraceForm::Otlp => {
                self.waiting.append(&mut spans);
                if self.waiting.len() >= TOGETHER {
                    self.flush_spans()?;
                }
                logs.chunks(TOGETHER).try_for_each(|logs| self.logs(logs))
            }
            TraceForm::Jaeger => {
                self.out.write_all(if first { b"" } else { b"," })?;
                serde_json::to_writer(&mut self.out, &jaeger::trace(&spans)).map_err(io::Error::from)
            }
            TraceForm::Perfetto => {
                let events = perfetto::events(&spans, &mut self.threads);
                let comma = if first { "" } else { "," };
                write!(self.out, "{comma}\n{}", events.join(",\n"))
            }
            TraceForm::Markdown => {
                let judged = judged::judged((&spans, &senders), &logs, &self.thresholds).map_err(io::Error::other)?;
                let Some(judged) = judged else { return Ok(()) };
                let analysis = &judged.analysis;
                let found = across::digest(analysis, &self.thresholds, analysis.findings.clone());
                self.found.extend(found.map(|found| (analysis.trace.id, found)));
                self.out.write_all(markdown::trace(&judged, self.redactor.as_ref()).as_bytes())
            }
            TraceForm::Csv => spans.iter().try_for_each(|span| self.out.write_all(span_csv::line(span).as_bytes())),
        }
    }

    /// Ends what was begun, and answers how much there was.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end(mut self) -> io::Result<(W, Written)> {
        self.begin()?;
        self.flush_spans()?;
        match self.form {
            TraceForm::Jaeger => {
                self.out.write_all(b"],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n")?;
            }
            TraceForm::Perfetto => self.out.write_all(b"\n]}\n")?,
            TraceForm::Markdown if self.written.traces > 1 => {
                let found = self.found.iter().map(|(trace, found)| (*trace, found));
                let (found, all) = across::sum(found, Past::Part(&mut |_, _| None), &self.thresholds);
                let text = markdown::together((&found, all), self.written.traces, self.redactor.as_ref());
                self.out.write_all(text.as_bytes())?;
            }
            TraceForm::OtlpJson | TraceForm::Otlp | TraceForm::Markdown | TraceForm::Csv => {}
        }
        self.out.flush()?;
        Ok((self.out, self.written))
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        match self.form {
            TraceForm::Jaeger => self.out.write_all(b"{\"data\":["),
            TraceForm::Perfetto => self.out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":["),
            TraceForm::Csv => self.out.write_all(span_csv::HEAD.as_bytes()),
            TraceForm::OtlpJson | TraceForm::Otlp | TraceForm::Markdown => Ok(()),
        }
    }

    fn flush_spans(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.chunks(TOGETHER).try_for_each(|spans| match self.form {
            TraceForm::Otlp => self.frame(&encode::spans(spans)),
            _ => self.out.write_all(otlp_json::spans(spans).as_bytes()),
        })
    }

    fn logs(&mut self, logs: &[LogRecord]) -> io::Result<()> {
        match self.form {
            TraceForm::Otlp => self.frame(&encode::logs(logs)),
            _ => self.out.write_all(otlp_json::logs(logs).as_bytes()),
        }
    }

    fn frame(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(body)
    }
}

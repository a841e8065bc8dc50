//! Takes whole traces in and writes them in the form that was asked for.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use super::answer::Peer;
use super::collect::complaint;
use super::protocol::Reply;
use crate::export::{Exporter, from_base64};
use crate::model::{LogRecord, Span};
use crate::otlp::{decode, logs};
use crate::run::target::Target;

/// What becomes of the traces of an answer.
pub(super) struct Exported {
    exporter: Exporter<Target>,
    /// Of the trace that is not whole yet.
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    wrong: Option<String>,
    unwritten: Option<io::Error>,
}

impl Exported {
    pub(super) fn new(exporter: Exporter<Target>) -> Self {
        Self { exporter, spans: Vec::new(), logs: Vec::new(), wrong: None, unwritten: None }
    }

    /// Ends the output, which appears now if it is a file. Answers the exit code: 0 where there was a trace, otherwise 1, and then no
    /// file appears.
    ///
    /// # Errors
    /// Where the request was refused, or it cannot be written for another reason than that its reader has left.
    pub(super) fn finish(self) -> Result<ExitCode> {
        if let Some(wrong) = self.wrong {
            bail!(wrong);
        }
        let ended = self.unwritten.map_or_else(|| self.exporter.end(), Err);
        match ended {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(error) => Err(error).context("the traces cannot be written"),
            Ok((_, written)) if written.traces == 0 => Ok(ExitCode::from(1)),
            Ok((target, written)) => {
                if let Some(path) = target.keep()? {
                    let (traces, spans) = (written.traces, written.spans);
                    let path = path.display();
                    let _ = writeln!(io::stderr(), "{traces} traces with {spans} spans are in {path}");
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn spans(&mut self, [spans, logs, senders]: [&str; 3], more: bool) -> Result<()> {
        let odd = "the answer is odd";
        let read = |text: &str| decode::spans(&from_base64(text).context(odd)?).context(odd);
        self.spans.extend(read(spans)?);
        logs::read(&from_base64(logs).context(odd)?, |item| self.logs.extend(item.record)).context(odd)?;
        if !more {
            self.exporter.senders(read(senders)?);
            let (spans, logs) = (std::mem::take(&mut self.spans), std::mem::take(&mut self.logs));
            self.unwritten = self.exporter.trace(spans, logs).err();
        }
        Ok(())
    }
}

impl Peer for Exported {
    fn take(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Spans { spans, logs, senders, more } => {
                if let Err(error) = self.spans([&spans, &logs, &senders], more) {
                    self.wrong = Some(format!("{error:#}"));
                }
                self.wrong.is_none() && self.unwritten.is_none()
            }
            Reply::Wrong(wrong) => {
                self.wrong = Some(complaint(&wrong.message, wrong.filter.as_deref(), wrong.column));
                false
            }
            Reply::End { partial, .. } => {
                if partial {
                    self.wrong = Some("the search was cut short".to_owned());
                }
                false
            }
            Reply::Hello { .. } | Reply::Record(_) | Reply::Report(_) | Reply::Verdict { .. } => true,
        }
    }
}

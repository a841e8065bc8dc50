//! Takes a report in and writes it in the form that was asked for.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::answer::Peer;
use super::collect::complaint;
use super::protocol::Reply;
use crate::cli::ReportForm;
use crate::export::report::Report;
use crate::redact::Redactor;
use crate::view::visible;

/// What becomes of a report.
pub(super) struct Reported {
    form: ReportForm,
    redactor: Option<Redactor>,
    report: Option<Report>,
    wrong: Option<String>,
}

impl Reported {
    pub(super) fn new(form: ReportForm, redactor: Option<Redactor>) -> Self {
        Self { form, redactor, report: None, wrong: None }
    }

    /// Writes it. Answers the exit code: 0 where there was a trace, otherwise 1.
    ///
    /// # Errors
    /// Where the request was refused, or standard output cannot be written for another reason than that its reader has left.
    pub(super) fn finish(self) -> Result<ExitCode> {
        if let Some(wrong) = self.wrong {
            bail!(wrong);
        }
        let report = self.report.unwrap_or_default();
        let report = match &self.redactor {
            Some(redactor) => report.masked(redactor),
            None => report,
        };
        let text = match self.form {
            ReportForm::Json => format!("{}\n", report.json()),
            ReportForm::Markdown => report.markdown(),
        };
        let mut out = io::stdout();
        let written = if out.is_terminal() {
            text.lines().try_for_each(|line| writeln!(out, "{}", visible(line)))
        } else {
            out.write_all(text.as_bytes())
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ if report.traces == 0 => Ok(ExitCode::from(1)),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Peer for Reported {
    fn take(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Report(report) => self.report = Some(*report),
            Reply::Wrong(wrong) => {
                self.wrong = Some(complaint(&wrong.message, wrong.filter.as_deref(), wrong.column));
                return false;
            }
            Reply::End { partial, .. } => {
                if partial {
                    self.wrong = Some("the search was cut short".to_owned());
                }
                return false;
            }
            Reply::Hello { .. } | Reply::Record(_) | Reply::Spans { .. } | Reply::Verdict { .. } => {}
        }
        true
    }
}

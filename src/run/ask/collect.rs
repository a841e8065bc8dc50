//! Takes an answer in: prints what was found, and keeps what the exit code depends on.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Result, bail};

use super::answer::Peer;
use super::print::Printer;
use super::protocol::{Reply, Wrong};
use crate::view::visible;

/// What a command makes of the answer it gets.
pub(super) struct Collected {
    printer: Printer,
    /// Every record is wanted by somebody at once.
    pub(super) live: bool,
    /// End after so many records.
    pub(super) most: u64,
    /// Set from outside: no more is wanted.
    pub(super) stop: Arc<AtomicBool>,
    /// How many records were printed, to be seen from outside.
    pub(super) found: Arc<AtomicU64>,
    failed: u64,
    judged: bool,
    wrong: Option<String>,
    unwritten: Option<io::Error>,
}

impl Collected {
    pub(super) fn new(printer: Printer) -> Self {
        Self {
            printer,
            live: false,
            most: u64::MAX,
            stop: Arc::default(),
            found: Arc::default(),
            failed: 0,
            judged: false,
            wrong: None,
            unwritten: None,
        }
    }

    fn reply(&mut self, reply: Reply) -> io::Result<bool> {
        match reply {
            Reply::Record(record) => {
                self.printer.record(record)?;
                self.found.store(self.printer.printed(), Ordering::Release);
                if self.live {
                    self.printer.flush()?;
                }
                return Ok(self.printer.printed() < self.most);
            }
            Reply::Verdict { assertion, holds, why } => {
                self.judged = true;
                self.failed += u64::from(!holds);
                // What was said so far comes first where both go to one terminal.
                self.printer.flush()?;
                let (word, colon) = (if holds { "holds" } else { "FAILS" }, if why.is_empty() { "" } else { ": " });
                let _ = writeln!(io::stderr(), "{word}  {}{colon}{}", visible(&assertion), visible(&why));
            }
            Reply::Wrong(Wrong { message, filter, column }) => {
                self.wrong = Some(complaint(&message, filter.as_deref(), column));
                return Ok(false);
            }
            Reply::End { partial, remark } => {
                if let Some(remark) = remark {
                    self.printer.flush()?;
                    let _ = writeln!(io::stderr(), "tracefall: {}", visible(&remark));
                }
                if partial {
                    self.wrong = Some("the search was cut short".to_owned());
                }
                return Ok(false);
            }
            Reply::Hello { .. } | Reply::Spans { .. } | Reply::Report(_) => {}
        }
        Ok(true)
    }

    /// Ends the output. Answers the exit code: 0 found (or all holds), 1 none (or something does not).
    ///
    /// # Errors
    /// Where the request was refused, or standard output cannot be written for another reason than that its reader has left.
    pub(super) fn finish(mut self) -> Result<ExitCode> {
        if let Some(wrong) = self.wrong {
            let _ = self.printer.end();
            bail!(wrong);
        }
        let written = self.unwritten.map_or_else(|| self.printer.end(), Err);
        match written {
            // Who has seen enough, as with `| head`, has found something.
            Err(error) if error.kind() == ErrorKind::BrokenPipe && !self.judged => return Ok(ExitCode::SUCCESS),
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
        let good = if self.judged { self.failed == 0 } else { self.printer.printed() > 0 };
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

impl Peer for Collected {
    fn take(&mut self, reply: Reply) -> bool {
        match self.reply(reply) {
            Ok(more) => more && !self.is_gone(),
            Err(error) => {
                self.unwritten = Some(error);
                false
            }
        }
    }

    fn is_gone(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// What is wrong with a request, and where: below the filter stands a caret.
pub(super) fn complaint(message: &str, filter: Option<&str>, column: Option<usize>) -> String {
    let message = visible(message);
    let (Some(filter), Some(column)) = (filter, column) else { return message.into_owned() };
    let before: String = filter.chars().take(column).collect();
    let blank = " ".repeat(unicode_width::UnicodeWidthStr::width(&*visible(&before)));
    format!("the filter is wrong at column {}: {message}\n  {}\n  {blank}^", column + 1, visible(filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_fault() {
        let text = complaint("expected a value", Some("日\u{1b} a="), Some(4));
        assert_eq!(text, "the filter is wrong at column 5: expected a value\n  日␛ a=\n       ^");
        assert_eq!(complaint("no\u{7}", None, None), "no␇");
    }
}

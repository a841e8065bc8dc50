//! Writes an answer to standard output, in the form that was asked for.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use super::table;
use crate::cli::Form;
use crate::export::{Record, csv_head, csv_line, json_line};
use crate::redact::Redactor;
use crate::view::visible;

/// Writes records. Nothing else comes to standard output.
pub(super) struct Printer {
    form: Form,
    out: BufWriter<Stdout>,
    redactor: Redactor,
    /// What the texts belong to, where texts are printed.
    key: Option<String>,
    /// Standard output is a terminal.
    terminal: bool,
    colours: bool,
    printed: u64,
}

impl Printer {
    pub(super) fn new(form: Form, redactor: Redactor, key: Option<String>) -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let colours = terminal && set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb");
        Self { form, out: BufWriter::new(out), redactor, key, terminal, colours, printed: 0 }
    }

    /// How many records were printed.
    pub(super) fn printed(&self) -> u64 {
        self.printed
    }

    /// Prints a record, without secrets.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(super) fn record(&mut self, record: Record) -> io::Result<()> {
        let record = record.masked(&self.redactor, self.key.as_deref());
        let first = self.printed == 0;
        self.printed += 1;
        match self.form {
            Form::Table => {
                if first {
                    writeln!(self.out, "{}", table::head(&record, self.colours))?;
                }
                writeln!(self.out, "{}", table::line(&record, self.colours))
            }
            Form::Json => write!(self.out, "{}{}", if first { "[\n" } else { ",\n" }, json_line(&record)),
            Form::Jsonl => writeln!(self.out, "{}", json_line(&record)),
            Form::Csv => {
                if first {
                    writeln!(self.out, "{}", csv_head(&record))?;
                }
                let line = csv_line(&record);
                if self.terminal { writeln!(self.out, "{}", visible(&line)) } else { writeln!(self.out, "{line}") }
            }
        }
    }

    /// Hands on what was printed so far.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the output.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match (self.form, self.printed) {
            (Form::Json, 0) => writeln!(self.out, "[]")?,
            (Form::Json, _) => writeln!(self.out, "\n]")?,
            _ => {}
        }
        self.out.flush()
    }
}

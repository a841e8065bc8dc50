//! Records as lines of a table, for a person.

use std::fmt::Write as _;

use crossterm::style::Stylize as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::export::{Attribute, FoundTrace, KnownOperation, KnownService, Operation, Record, Service, Value};
use crate::model::Nanos;
use crate::view::visible;

/// Cells that the name of a service gets, where others follow it.
const SERVICE: usize = 20;
/// Cells of a name or text, after which it is cut.
const LONGEST: usize = 120;

/// The names of the columns for records like this one.
pub(super) fn head(record: &Record, colours: bool) -> String {
    let head = match record {
        Record::Trace(_) => format!(
            "{:32}  {:24}  {:>9}  {:>6}  {:>6}  {:>7}  {:SERVICE$}  OPERATION",
            "TRACE ID", "START", "DURATION", "SPANS", "ERRORS", "MATCHED", "SERVICE"
        ),
        Record::Service(_) => format!("{:>10}  {:>10}  {:>10}  SERVICE", "SPANS", "TRACES", "ERRORS"),
        Record::Operation(_) => format!("{:>10}  {:11}  {:SERVICE$}  OPERATION", "SPANS", "KIND", "SERVICE"),
        Record::Attribute(_) => format!("{:>10}  ATTRIBUTE", "SPANS"),
        Record::Value(_) => format!("{:>10}  VALUE", "SPANS"),
        Record::KnownService(_) => "SERVICE".to_owned(),
        Record::KnownOperation(_) => format!("{:11}  {:SERVICE$}  OPERATION", "KIND", "SERVICE"),
    };
    if colours { head.dim().to_string() } else { head }
}

/// The line of a record. No control character of the data is in it.
pub(super) fn line(record: &Record, colours: bool) -> String {
    match record {
        Record::Trace(trace) => of_trace(trace, colours),
        Record::Service(Service { service, spans, traces, errors }) => {
            format!("{spans:>10}  {traces:>10}  {}  {}", failed(*errors, 10, colours), shown(service, LONGEST))
        }
        Record::Operation(Operation { operation, service, kind, spans }) => {
            format!("{spans:>10}  {:11}  {}  {}", visible(kind), padded(service, SERVICE), shown(operation, LONGEST))
        }
        Record::KnownService(KnownService { service }) => shown(service, LONGEST),
        Record::KnownOperation(KnownOperation { operation, service, kind }) => {
            format!("{:11}  {}  {}", visible(kind), padded(service, SERVICE), shown(operation, LONGEST))
        }
        Record::Attribute(Attribute { attribute: name, spans }) | Record::Value(Value { value: name, spans }) => {
            format!("{spans:>10}  {}", shown(name, LONGEST))
        }
    }
}

fn of_trace(trace: &FoundTrace, colours: bool) -> String {
    let FoundTrace { trace_id, root_service, root_operation, start, duration_ns, spans, errors, matched, .. } = trace;
    // Milliseconds are enough for a person.
    let (second, fraction) = start.split_once('.').unwrap_or((start, "000"));
    let start = format!("{second}.{}Z", fraction.chars().take(3).collect::<String>());
    let mut line = format!(
        "{:32}  {:24}  {:>9}  {spans:>6}  {}  {matched:>7}  ",
        visible(trace_id),
        visible(&start),
        Nanos(*duration_ns).to_string(),
        failed(*errors, 6, colours),
    );
    let _ = write!(line, "{}  {}", padded(root_service, SERVICE), shown(root_operation, LONGEST));
    if let Some(why) = &trace.why {
        let why = format!("    {}", visible(why));
        let _ = write!(line, "\n{}", if colours { why.dim().to_string() } else { why });
    }
    line
}

/// A number of errors, which stands out where there are any.
fn failed(errors: u64, cells: usize, colours: bool) -> String {
    let text = format!("{errors:>cells$}");
    if colours && errors > 0 { text.red().to_string() } else { text }
}

/// As many cells of `text`.
fn padded(text: &str, cells: usize) -> String {
    let text = shown(text, cells);
    let blank = cells.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blank))
}

/// At most so many cells of `text`, with everything that a terminal would act upon made visible.
fn shown(text: &str, cells: usize) -> String {
    let text = visible(text);
    if text.width() <= cells {
        return text.into_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used >= cells {
            break;
        }
        out.push(letter);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_wide_names_are_cut_to_their_cells() {
        assert_eq!(shown("日本語のサービス", 20), "日本語のサービス");
        assert_eq!(shown("日本語のサービス", 9), "日本語の…");
        assert_eq!(shown("a\u{1b}[2J", 9), "a␛[2J");
        assert!(shown(&"x".repeat(500), LONGEST).width() <= LONGEST);
    }

    #[test]
    fn colours_are_for_errors_and_only_where_they_are_wanted() {
        let service = |errors| Record::Service(Service { service: "a\u{1b}b".to_owned(), spans: 1, traces: 1, errors });
        assert!(!line(&service(1), false).contains('\u{1b}'));
        assert!(!line(&service(0), true).contains('\u{1b}'));
        assert!(line(&service(1), true).contains('\u{1b}'));
    }
}

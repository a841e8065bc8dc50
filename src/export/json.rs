//! Records as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::Record;

/// A record as an object on one line. What a terminal might act upon is escaped: not only what JSON asks for but also DEL, the
/// control characters of Latin-1 and those that turn the reading direction. It means the same.
#[must_use]
pub fn json_line(record: &Record) -> String {
    match record {
        Record::Trace(trace) => line(trace),
        Record::Service(service) => line(service),
        Record::Operation(operation) => line(operation),
        Record::Attribute(attribute) => line(attribute),
        Record::Value(value) => line(value),
        Record::KnownService(service) => line(service),
        Record::KnownOperation(operation) => line(operation),
    }
}

/// A value as an object on one line, as [`json_line`] writes it.
pub(super) fn line(value: &impl Serialize) -> String {
    // Text and numbers can always be written.
    let text = serde_json::to_string(value).unwrap_or_default();
    if text.is_ascii() && !text.contains('\u{7f}') {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_odd(letter) {
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Whether a terminal or an editor might act upon it; outside of strings JSON has none of these.
fn is_odd(letter: char) -> bool {
    matches!(letter, '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::super::Operation;
    use super::*;

    #[test]
    fn what_a_terminal_acts_upon_is_escaped_and_means_the_same() {
        let operation = "a\u{1b}[2J\u{9b}2J\u{7f}\n\"\u{202e}ü\u{1f600}".to_owned();
        let record = Operation { operation: operation.clone(), service: String::new(), kind: String::new(), spans: 1 };
        let line = json_line(&Record::Operation(record));
        assert!(!line.chars().any(char::is_control) && !line.contains('\u{202e}') && line.contains('ü'), "{line}");
        let read: Operation = serde_json::from_str(&line).unwrap();
        assert_eq!(read.operation, operation);
    }
}

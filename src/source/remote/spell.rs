//! How values are written in requests, and what was answered on a screen.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

use crate::model::{Nanos, Timestamp};

/// Characters of what a server said that are shown.
const SHOWN: usize = 200;

/// All but unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a path or of a query (RFC 3986, 2.1): all but unreserved characters escaped.
pub(super) fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// The text that was escaped.
pub(super) fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A path with a query.
pub(super) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut out = path.to_owned();
    for (place, (name, value)) in query.iter().enumerate() {
        let _ = write!(out, "{}{name}={}", if place == 0 { '?' } else { '&' }, escape(value));
    }
    out
}

/// A moment as RFC 3339 has it, to the nanosecond.
pub(super) fn rfc3339(moment: Timestamp) -> String {
    let known = jiff::Timestamp::from_nanosecond(i128::from(moment.0));
    known.map_or_else(|_| "2262-04-11T23:47:16Z".to_owned(), |known| known.to_string())
}

/// A length of time as Go reads it.
pub(super) fn go_duration(length: Nanos) -> String {
    if length.0.is_multiple_of(1_000) { format!("{}us", length.0 / 1_000) } else { format!("{}ns", length.0) }
}

/// Text on one line, without what moves a cursor, and not long.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(|symbol: char| symbol.is_whitespace() || symbol.is_control()).filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.chars().count() > SHOWN {
            return out.chars().take(SHOWN).chain("…".chars()).collect();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_as_servers_read_them() {
        assert_eq!(with_query("/a", &[("b", "x y&é".to_owned()), ("c", String::new())]), "/a?b=x%20y%26%C3%A9&c=");
        assert_eq!(unescape("x%20y%2"), "x y%2");
        assert_eq!(rfc3339(Timestamp(1_795_237_119_734_488_123)), "2026-11-21T04:58:39.734488123Z");
        assert_eq!((go_duration(Nanos(1_500_000)), go_duration(Nanos(1))), ("1500us".to_owned(), "1ns".to_owned()));
        assert_eq!(printable("a\n\u{1b}[2Jb\t c"), "a [2Jb c");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), SHOWN + 1);
    }
}

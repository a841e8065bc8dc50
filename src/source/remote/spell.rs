//! How values are written in requests, and what was answered on a screen.

use std::fmt::Write as _;

use crate::model::{Nanos, Timestamp};

/// Characters of what a server said that are shown.
const SHOWN: usize = 200;

/// A part of a path or of a query (RFC 3986, 2.1): all but unreserved characters escaped.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The text that was escaped.
pub(super) fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |place: usize| after.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        let escaped = (*first == b'%').then(|| digit(0).zip(digit(1))).flatten();
        let byte = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path with a query.
pub(super) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut out = path.to_owned();
    for (place, (name, value)) in query.iter().enumerate() {
        let _ = write!(out, "{}{name}={}", if place == 0 { '?' } else { '&' }, escape(value));
    }
    out
}

/// Base64 in its standard alphabet, padded (RFC 4648, 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group.iter_mut().zip(chunk).for_each(|(place, byte)| *place = *byte);
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            out.push(if place <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
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
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(rfc3339(Timestamp(1_795_237_119_734_488_123)), "2026-11-21T04:58:39.734488123Z");
        assert_eq!((go_duration(Nanos(1_500_000)), go_duration(Nanos(1))), ("1500us".to_owned(), "1ns".to_owned()));
        assert_eq!(printable("a\n\u{1b}[2Jb\t c"), "a [2Jb c");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), SHOWN + 1);
    }
}

//! Commands of stores without SQL: their own words stay, what they were called with becomes `?`.

use std::borrow::Cow;

/// Stores whose commands are words: the first is the command, the second its key, what follows are values.
const WORDY: &[&str] = &["redis", "valkey", "keydb", "dragonfly", "memcached"];

/// From how many characters on a word of letters and digits is an id rather than a name.
const LONG: usize = 12;

/// `label` (which begins with the name of its system, as labels of databases do) without values.
///
/// `redis SET patient:17 x` is `redis SET patient:? ?`. In documents and other languages strings and numbers are masked,
/// the keys of a document stay (without quotes where they need none), and a list of values is one `[?]`.
pub(super) fn command(label: &str) -> Cow<'_, str> {
    let mut words = label.split_ascii_whitespace();
    let system = words.next().unwrap_or_default();
    let out = if WORDY.iter().any(|wordy| system.eq_ignore_ascii_case(wordy)) {
        let Some(name) = words.next() else { return Cow::Borrowed(label) };
        wordy(system, name, words)
    } else {
        document(label)
    };
    if out == label { Cow::Borrowed(label) } else { Cow::Owned(out) }
}

fn wordy<'a>(system: &str, name: &str, mut arguments: impl Iterator<Item = &'a str>) -> String {
    let mut out = format!("{system} {name}");
    if let Some(key) = arguments.next() {
        out.push(' ');
        mask_key(key, &mut out);
    }
    if arguments.next().is_some() {
        out.push_str(" ?");
    }
    out
}

/// A key with the parts of it that look like ids as `?`: `patient:?`, `session:?:cart`.
fn mask_key(key: &str, out: &mut String) {
    if key.starts_with(['"', '\'', '{', '[']) {
        out.push('?');
        return;
    }
    for part in key.split_inclusive([':', '/', '|', ',']) {
        let name = part.trim_end_matches([':', '/', '|', ',']);
        out.push_str(if is_id(name) { "?" } else { name });
        out.push_str(part.strip_prefix(name).unwrap_or_default());
    }
}

/// Whether a word is an id: it begins with a digit, or is long and has digits, or is long and hexadecimal.
fn is_id(word: &str) -> bool {
    let digits = || word.bytes().any(|byte| byte.is_ascii_digit());
    let starts = word.trim_start_matches('-').starts_with(|symbol: char| symbol.is_ascii_digit());
    starts || word.len() >= LONG && (digits() || word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Masks strings and numbers in text of any form, in one pass.
fn document(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    let mut rest = label;
    // Where the list of nothing but values begins that is open.
    let mut list: Option<usize> = None;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => string_length(rest.as_bytes()),
            _ if is_word(first) => rest.find(|symbol| !is_word(symbol)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        match first {
            '"' | '\'' => match key(piece, rest) {
                Some(key) => {
                    list = None;
                    out.push_str(key);
                }
                None => out.push('?'),
            },
            '?' => out.push('?'),
            '[' => {
                out.push('[');
                list = Some(out.len());
            }
            ']' => {
                if let Some(from) =
                    list.take().filter(|from| out.get(*from..).is_some_and(|inside| inside.contains('?')))
                {
                    out.truncate(from);
                    out.push('?');
                }
                out.push(']');
            }
            ',' | ' ' => out.push(first),
            _ if is_word(first) && is_id(piece) => out.push('?'),
            _ => {
                list = None;
                out.push_str(piece);
            }
        }
    }
    out
}

fn is_word(symbol: char) -> bool {
    symbol.is_alphanumeric() || matches!(symbol, '_' | '-' | '$' | '.')
}

/// The key of a document that a quoted text is, where a colon follows: without its quotes where it is a plain name.
fn key<'a>(quoted: &'a str, after: &str) -> Option<&'a str> {
    if !after.trim_start_matches(' ').starts_with(':') {
        return None;
    }
    let quote = quoted.chars().next()?;
    let name = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let plain = name.starts_with(|symbol: char| symbol.is_alphabetic() || matches!(symbol, '_' | '$'))
        && name.chars().all(is_word)
        && !is_id(name);
    Some(if plain { name } else { quoted })
}

/// How long the quoted text is that `rest` begins with; an escaped quote does not end it, nor does a doubled one of SQL's
/// kind.
fn string_length(rest: &[u8]) -> usize {
    let Some(quote) = rest.first() else { return 0 };
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        if *byte == b'\\' || (*quote == b'\'' && byte == quote && rest.get(at + 1) == Some(quote)) {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    rest.len()
}

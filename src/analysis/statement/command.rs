//! Commands of stores without SQL: their own words stay, what they were called with becomes `?`.

use std::borrow::Cow;

/// Stores whose commands are words: the first is the command, the second its key, what follows are values.
const WORDY: &[&str] = &["redis", "valkey", "keydb", "dragonfly", "memcached"];

/// From how many characters on a word of letters and digits is an id rather than a name.
const LONG: usize = 12;

/// `label` (which begins with the name of its system, as labels of databases do) without values.
///
/// `redis SET patient:17 x` is `redis SET patient:? ?`. In documents and other languages strings and numbers are masked,
/// the keys of a document stay (without quotes where they need none), and a list of values is one `[?]`. Of the documents
/// of a list each form stays once: how many were inserted does not say another command.
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
    let mut lists: Vec<List> = Vec::new();
    let mut last = 0;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => string_length(rest.as_bytes()),
            _ if is_word(first) => rest.find(|symbol| !is_word(symbol)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        if matches!(first, ',' | ']')
            && let Some(list) = lists.last_mut().filter(|list| first == ']' || list.depth == 0)
        {
            list.end_element(&mut out);
        }
        // What stands directly before the cut may have been something else.
        if piece != "…" {
            last = out.len();
        }
        match first {
            '"' | '\'' => out.push_str(key(piece, rest).unwrap_or("?")),
            _ if is_word(first) && is_id(piece) => out.push('?'),
            _ => out.push_str(piece),
        }
        match (first, lists.last_mut()) {
            ('[', _) => lists.push(List { element: out.len(), ..List::default() }),
            (']', _) => drop(lists.pop()),
            ('{' | '(', Some(list)) => list.depth += 1,
            ('}' | ')', Some(list)) => list.depth = list.depth.saturating_sub(1),
            _ => {}
        }
    }
    if label.ends_with('…') {
        // From the innermost list out: what one leaves of a document, the next may have as a whole.
        let mut kept = None;
        for list in lists.iter().rev() {
            kept = out.get(..kept.unwrap_or(last)).and_then(|out| list.begun_again(out)).or(kept);
        }
        if let Some(end) = kept {
            out.truncate(end);
            out.push('…');
        }
    }
    out
}

/// So many different elements of a list are remembered; more stay as they are.
const FORMS: usize = 8;

/// A list that is open.
#[derive(Debug, Default)]
struct List {
    /// Where the element begins in the output, with the comma before it.
    element: usize,
    /// Brackets of other kinds that are open within the element.
    depth: usize,
    /// Where the different elements before it begin and end.
    forms: Vec<(usize, usize)>,
}

impl List {
    /// Takes the element that ends here back where the list has one of its form.
    fn end_element(&mut self, out: &mut String) {
        let element = (self.element, out.len());
        if self.forms.iter().any(|form| bare(out, *form) == bare(out, element)) {
            out.truncate(self.element);
        } else if self.forms.len() < FORMS {
            self.forms.push(element);
        }
        (self.element, self.depth) = (out.len(), 0);
    }

    /// Where the element begins that `out` ends with, if it begins as one before it: a text cut off there says no more.
    fn begun_again(&self, out: &str) -> Option<usize> {
        let begun = bare(out, (self.element, out.len()));
        self.forms.iter().any(|form| bare(out, *form).starts_with(begun)).then_some(self.element)
    }
}

/// An element without the comma and the blanks around it.
fn bare(out: &str, (from, end): (usize, usize)) -> &str {
    out.get(from..end).unwrap_or_default().trim_start_matches([',', ' ']).trim_end()
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

//! What could be typed next.

use std::cmp::Reverse;
use std::collections::HashMap;

use fuzzy_matcher::FuzzyMatcher;

use super::fuzzy::matcher;
use super::terms::{key_text, quote, value_text};
use crate::index::View;
use crate::semconv;

/// A proposal for the filter bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is put in place of `replace`.
    pub text: String,
    /// The bytes of the filter's text it replaces: start and end.
    pub replace: (usize, usize),
    /// How many spans carry it, where that is known.
    pub count: Option<u64>,
}

/// How many keys and values of the index are looked at.
const CONSIDERED: usize = 1_000;

/// What the language itself offers, in the order of use.
const OWN_KEYS: [&str; 8] =
    ["service=", "operation=", "minDuration=", "maxDuration=", "error=true", "kind=", "status=", "duration>"];

/// Proposals for the word at `cursor` (in bytes), best first; at most `limit`.
#[must_use]
pub fn complete(text: &str, cursor: usize, view: &View, limit: usize) -> Vec<Completion> {
    let word = Word::at(text, cursor);
    let candidates = match word.key {
        None => keys(view),
        Some(ref key) => values(view, key),
    };
    let replace = (word.start, word.end);
    let matcher = matcher();
    let score = |candidate: Candidate| {
        let score = matcher.fuzzy_match(&candidate.name, &word.typed)?;
        Some((score, candidate))
    };
    let mut scored: Vec<(i64, Candidate)> = candidates.into_iter().filter_map(score).collect();
    // Stable: what answers equally well stays in the order it was offered in.
    scored.sort_by_key(|(score, candidate)| (Reverse(*score), Reverse(candidate.own)));
    let completion = |(_, candidate): (i64, Candidate)| {
        let text = match (&word.key, candidate.own) {
            (None, false) => format!("{}=", key_text(&candidate.name)),
            (Some(_), false) if word.quoted => quote(&candidate.name),
            (Some(_), false) => value_text(&candidate.name),
            (_, true) => candidate.name,
        };
        Completion { text, replace, count: candidate.count }
    };
    let already_there = |completion: &Completion| text.get(word.start..word.end) == Some(completion.text.as_str());
    scored.into_iter().map(completion).filter(|completion| !already_there(completion)).take(limit).collect()
}

struct Candidate {
    name: String,
    count: Option<u64>,
    /// A word of the language, to be typed as it is.
    own: bool,
}

fn own(names: &[&str]) -> Vec<Candidate> {
    names.iter().map(|name| Candidate { name: (*name).to_owned(), count: None, own: true }).collect()
}

fn counted(names: Vec<(String, u64)>) -> impl Iterator<Item = Candidate> {
    names.into_iter().map(|(name, count)| Candidate { name, count: Some(count), own: false })
}

fn keys(view: &View) -> Vec<Candidate> {
    let mut candidates = own(&OWN_KEYS);
    candidates.extend(counted(view.keys(CONSIDERED)));
    candidates
}

fn values(view: &View, key: &str) -> Vec<Candidate> {
    match key {
        "service" => counted(view.values("service.name", CONSIDERED)).collect(),
        "operation" | "name" => counted(view.values("name", CONSIDERED)).collect(),
        "error" => own(&["true", "false"]),
        "kind" | "span.kind" => own(&["server", "client", "internal", "producer", "consumer", "unspecified"]),
        "status" | "span.status" => own(&["error", "ok", "unset"]),
        "duration" | "minDuration" | "maxDuration" => own(&["10ms", "50ms", "100ms", "500ms", "1s", "5s"]),
        _ => {
            let key = key.strip_prefix('@').filter(|key| !key.is_empty()).unwrap_or(key);
            let mut counts: HashMap<String, u64> = HashMap::new();
            for (value, count) in semconv::aliases(key).into_iter().flat_map(|key| view.values(key, CONSIDERED)) {
                *counts.entry(value).or_default() += count;
            }
            let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
            counts.sort_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
            counted(counts).collect()
        }
    }
}

/// The part of the filter that is being typed.
struct Word {
    /// The key whose value is typed; `None`: the key itself, or a bare word.
    key: Option<String>,
    /// What of it stands before the cursor, without its quote.
    typed: String,
    /// It began with a quote.
    quoted: bool,
    start: usize,
    end: usize,
}

impl Word {
    /// Reads from the left, because whether a space separates depends on the quotes before it.
    fn at(text: &str, cursor: usize) -> Self {
        let (mut start, mut key, mut key_end) = (0, None, None);
        let (mut in_quotes, mut escaped, mut end) = (false, false, text.len());
        let mut is_start = true;
        for (at, symbol) in text.char_indices() {
            let before_cursor = at < cursor;
            if symbol.is_whitespace() && !in_quotes {
                if !before_cursor {
                    end = at;
                    break;
                }
                (start, key, key_end, is_start) = (at + symbol.len_utf8(), None, None, true);
                continue;
            }
            // Quotes open only where a key or a value begins; elsewhere they are letters.
            let opens = symbol == '"' && (is_start || key_end == Some(at));
            in_quotes = if in_quotes { symbol != '"' || escaped } else { opens };
            escaped = in_quotes && symbol == '\\' && !escaped;
            if before_cursor && !in_quotes && key.is_none() && at > start && matches!(symbol, '=' | ':' | '<' | '>') {
                key =
                    text.get(start..at).map(|key| key.trim_start_matches('-').trim_end_matches('!').trim_matches('"'));
                key_end = Some(at + 1);
            } else if before_cursor && key_end == Some(at) && symbol == '=' {
                key_end = Some(at + 1);
            }
            is_start = is_start && symbol == '-';
        }
        let sign = usize::from(text.get(start..).is_some_and(|word| word.starts_with('-')));
        let start = key_end.unwrap_or(start + sign).min(end);
        let typed = text.get(start..cursor.min(end)).unwrap_or_default();
        let unquoted = typed.strip_prefix('"').unwrap_or(typed);
        let marked = if key.is_none() { unquoted.strip_prefix('@').unwrap_or(unquoted) } else { unquoted };
        let quoted = typed.starts_with('"');
        let key = key.map(str::to_owned);
        Self { key, typed: marked.trim_end_matches('"').to_owned(), quoted, start, end }
    }
}

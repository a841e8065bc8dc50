//! What could be typed next.

mod elsewhere;
mod word;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use fuzzy_matcher::FuzzyMatcher;

use self::word::{Mode, Prefix, Word};
use super::field::{Field, Type};
use super::fuzzy::matcher;
use super::parse::is_plain_name;
use super::print::{braced_value, key_text, quote, value_text};
use super::{Relation, Scope};
use crate::index::View;
use crate::model::Names;
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
    /// Where it is a value from the data: its attribute, as typed without quotes, and the value itself.
    pub value: Option<(String, String)>,
}

/// How many keys and values of the index are looked at.
const CONSIDERED: usize = 1_000;

/// What the language itself offers for a span, in the order of use.
const SPAN_KEYS: [&str; 10] = [
    "service=",
    "operation=",
    "minDuration=",
    "maxDuration=",
    "error=true",
    "kind=",
    "status=",
    "duration>",
    "statusMessage:",
    "source=",
];

/// What it offers for the whole search.
const OTHER_KEYS: [&str; 16] = [
    "traceDuration>",
    "traceStart>=",
    "lookback=",
    "since=",
    "until=",
    "limit=",
    "rootName=",
    "rootServiceName=",
    "root.",
    "parent.",
    "child.",
    "any.",
    "none.",
    "span:",
    "event:name=",
    "span:childCount>",
];

/// What it offers within braces.
const BRACED_KEYS: [&str; 24] = [
    "duration > ",
    "name = ",
    "status = ",
    "kind = ",
    "span.",
    "resource.",
    "event.",
    "link.",
    "instrumentation.",
    "parent.",
    "statusMessage =~ ",
    "traceDuration > ",
    "rootName = ",
    "rootServiceName = ",
    "childCount > ",
    "event:name = ",
    "event:timeSinceStart > ",
    "trace:id = ",
    "span:id = ",
    "span:source = ",
    "link:traceID = ",
    "instrumentation:name = ",
    "instrumentation:version = ",
    "nestedSetParent < 0",
];

/// What it offers after `|`.
const STAGES: [&str; 11] = [
    "count() > ",
    "avg(duration) > ",
    "max(duration) > ",
    "min(duration) > ",
    "sum(duration) > ",
    "p95(duration) > ",
    "p50(duration) > ",
    "p99(duration) > ",
    "by(",
    "select(",
    "coalesce()",
];

const DURATIONS: [&str; 6] = ["10ms", "50ms", "100ms", "500ms", "1s", "5s"];

/// Proposals for the word at `cursor` (in bytes), best first; at most `limit`.
#[must_use]
pub fn complete(text: &str, cursor: usize, view: &View, limit: usize) -> Vec<Completion> {
    complete_with(text, cursor, (view, &[]), limit)
}

/// As [`complete`], with what servers call things: what only they know comes after what is held here.
#[must_use]
pub fn complete_with(
    text: &str,
    cursor: usize,
    (view, names): (&View, &[Arc<Names>]),
    limit: usize,
) -> Vec<Completion> {
    let word = Word::at(text, cursor);
    let mut candidates = match &word.key {
        None => keys(view, &word),
        Some(key) => values(view, key, word.mode),
    };
    elsewhere::add(&mut candidates, &word, names);
    let replace = (word.start, word.end);
    let matcher = matcher();
    let score = |candidate: Candidate| {
        let score = matcher.fuzzy_match(&candidate.name, &word.typed)?;
        Some((score, candidate))
    };
    let mut scored: Vec<(i64, Candidate)> = candidates.into_iter().filter_map(score).collect();
    // Stable: what answers equally well stays in the order it was offered in.
    scored.sort_by_key(|(score, candidate)| (Reverse(*score), Reverse(candidate.own)));
    let completion = |(_, candidate): (i64, Candidate)| Completion {
        text: typed(&word, &candidate),
        replace,
        count: candidate.count,
        value: word.key.as_ref().filter(|_| !candidate.own).map(|key| (key.replace('"', ""), candidate.name.clone())),
    };
    let already_there = |completion: &Completion| text.get(word.start..word.end) == Some(completion.text.as_str());
    scored.into_iter().map(completion).filter(|completion| !already_there(completion)).take(limit).collect()
}

/// The attribute whose value is typed at `cursor`, without scope and relation.
#[must_use]
pub fn key_at(text: &str, cursor: usize) -> Option<String> {
    Word::at(text, cursor).key.map(|key| bare_key(&key).to_owned()).filter(|key| !key.is_empty())
}

/// A key without what stands before it: relation, scope, mark and quotes.
fn bare_key(key: &str) -> &str {
    let relation = Relation::WITH_PREFIX.iter().find_map(|relation| key.strip_prefix(relation.prefix()));
    let key = relation.unwrap_or(key);
    let key = key.strip_prefix(['@', '.']).unwrap_or(key);
    let scoped = Scope::WITH_PREFIX.iter().find_map(|scope| key.strip_prefix(scope.prefix()));
    scoped.unwrap_or(key).trim_matches('"')
}

/// Whether `text` ends in a word that is the beginning of a key: one of the language, or one of `offered`, which were
/// proposed for what was typed shortly before. As it stands it would be a word to look for.
#[must_use]
pub fn ends_in_half_key(text: &str, offered: &[Completion]) -> bool {
    let word = Word::at(text, text.len());
    if word.mode != Mode::Bare || word.key.is_some() || word.quoted {
        return false;
    }
    if word.typed.is_empty() {
        return word.prefix != Prefix::None;
    }
    let begins = |key: &str| key.strip_prefix(word.typed.as_str()).is_some_and(|rest| !rest.is_empty());
    let own = match word.prefix {
        Prefix::None => [&SPAN_KEYS[..], &OTHER_KEYS[..]].concat(),
        Prefix::Relation => SPAN_KEYS.to_vec(),
        Prefix::Scope => Vec::new(),
    };
    let offered = offered.iter().filter(|offered| offered.value.is_none() && offered.replace.0 == word.start);
    own.into_iter().any(begins)
        || offered.into_iter().any(|offered| begins(offered.text.trim_start_matches(['@', '"'])))
}

struct Candidate {
    name: String,
    count: Option<u64>,
    /// A word of the language, to be typed as it is.
    own: bool,
}

/// A candidate as it must be typed where the word stands.
fn typed(word: &Word, candidate: &Candidate) -> String {
    let name = &candidate.name;
    match (&word.key, candidate.own, word.mode) {
        (_, true, Mode::Fields) => name.split(' ').next().unwrap_or_default().to_owned(),
        (_, true, _) => name.clone(),
        (_, _, Mode::Fields) if word.prefix == Prefix::Scope => plain_or_quoted(name),
        (_, _, Mode::Fields) => format!(".{}", plain_or_quoted(name)),
        (None, _, Mode::Bare) if word.prefix == Prefix::Scope => format!("{}=", plain_or_quoted(name)),
        (None, _, Mode::Bare) => format!("{}=", key_text(name)),
        (None, _, _) if word.prefix == Prefix::Scope => format!("{} = ", plain_or_quoted(name)),
        (None, ..) => format!(".{} = ", plain_or_quoted(name)),
        (Some(_), _, Mode::Bare) if !word.quoted => value_text(name),
        (Some(_), ..) if !word.quoted => braced_value(name),
        (Some(_), ..) => quote(name),
    }
}

fn plain_or_quoted(name: &str) -> String {
    if is_plain_name(name) && !name.contains(':') { name.to_owned() } else { quote(name) }
}

fn own(names: &[&str]) -> Vec<Candidate> {
    names.iter().map(|name| Candidate { name: (*name).to_owned(), count: None, own: true }).collect()
}

fn counted(names: Vec<(String, u64)>) -> impl Iterator<Item = Candidate> {
    names.into_iter().map(|(name, count)| Candidate { name, count: Some(count), own: false })
}

fn keys(view: &View, word: &Word) -> Vec<Candidate> {
    let mut candidates = match (word.mode, word.prefix) {
        (Mode::Stage, _) => return own(&STAGES),
        (_, Prefix::Scope) => Vec::new(),
        (Mode::Bare, Prefix::Relation) => own(&SPAN_KEYS),
        (Mode::Bare, Prefix::None) => own(&[&SPAN_KEYS[..], &OTHER_KEYS[..]].concat()),
        (_, Prefix::Relation) => own(&["span.", "resource."]),
        (_, Prefix::None) => own(&BRACED_KEYS),
    };
    candidates.extend(counted(view.keys(CONSIDERED)));
    candidates
}

fn values(view: &View, key: &str, mode: Mode) -> Vec<Candidate> {
    let relation = Relation::WITH_PREFIX.iter().find_map(|relation| key.strip_prefix(relation.prefix()));
    let key = relation.unwrap_or(key);
    match key {
        "limit" => return own(&["20", "50", "100", "500", "1000"]),
        "lookback" | "since" | "until" if mode == Mode::Bare => return own(&["5m", "15m", "1h", "6h", "24h", "2d"]),
        "minDuration" | "maxDuration" => return own(&DURATIONS),
        "count()" => return own(&["1", "5", "10", "20", "100"]),
        _ if mode == Mode::Stage && key.contains("duration") => return own(&DURATIONS),
        _ if mode == Mode::Stage => return Vec::new(),
        _ => {}
    }
    let field = if mode == Mode::Bare { Field::bare(key).or_else(|| Field::scoped(key)) } else { Field::braced(key) };
    let named = |name: &str| counted(view.values(name, CONSIDERED)).collect();
    match field {
        Some(Field::Service | Field::RootService) => named("service.name"),
        Some(Field::Name | Field::RootName) => named("name"),
        Some(Field::Source) => counted(view.source_counts()).collect(),
        Some(field) => match field.values() {
            Type::Truth => own(&["true", "false"]),
            Type::Kind => own(&["server", "client", "internal", "producer", "consumer", "unspecified"]),
            Type::Status => own(&["error", "ok", "unset"]),
            Type::Time => own(&DURATIONS),
            Type::Number => own(&["0", "1", "5", "10"]),
            _ => Vec::new(),
        },
        None => attribute_values(view, key, mode),
    }
}

fn attribute_values(view: &View, key: &str, mode: Mode) -> Vec<Candidate> {
    let key = match (key.strip_prefix('@').filter(|key| !key.is_empty()), mode) {
        (Some(marked), _) => marked,
        (None, Mode::Bare) => {
            Scope::WITH_PREFIX.iter().find_map(|scope| key.strip_prefix(scope.prefix())).unwrap_or(key)
        }
        (None, _) => {
            let scoped = Scope::WITH_PREFIX.iter().find_map(|scope| key.strip_prefix(scope.prefix()));
            scoped.or_else(|| key.strip_prefix('.')).unwrap_or(key)
        }
    };
    let key = key.trim_matches('"');
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (value, count) in semconv::aliases(key).into_iter().flat_map(|key| view.values(key, CONSIDERED)) {
        *counts.entry(value).or_default() += count;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
    counted(counts).collect()
}

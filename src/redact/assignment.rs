//! Secrets by the name before them: `password=…`, `"apiKey": "…"`, `pwd = '…'`.

use std::ops::Range;

use regex::Regex;

use super::key::Keys;

/// A name and a sign.
const NAME: &str = concat!(r#"([A-Za-z][A-Za-z0-9_.\-]{0,63})\\?["'`\]]?"#, r#"([ \t]*(?:=>|<>|!=|[=:])[ \t]*)"#,);

/// A value: quoted, quoted with escaped quotes (JSON in a string), or bare. The closing
/// quote may be missing where a long text was cut.
const VALUE: &str = concat!(
    r#"^(?:\\"(?P<escaped>[^"\\]+)(?:\\"|\z)|"(?P<double>(?:[^"\\]|\\.)+)(?:"|\z)|'(?P<single>(?:[^'\\]|\\.)+)(?:'|\z)"#,
    r#"|(?:(?i:bearer|basic|token)[ \t]+)?(?P<bare>[^\s&;,"'\\)\]}]+))"#,
);

/// Finds values by the names before them.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    name: Regex,
    value: Regex,
}

impl Finder {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self { name: Regex::new(NAME)?, value: Regex::new(VALUE)? })
    }

    /// Where values of secret keys stand in `text`.
    pub(super) fn find(&self, text: &str, keys: &Keys) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut done = 0;
        for captures in self.name.captures_iter(text) {
            let (Some(whole), Some(key), Some(sign)) = (captures.get(0), captures.get(1), captures.get(2)) else {
                continue;
            };
            if whole.end() < done || !keys.is_secret(key.as_str()) {
                continue;
            }
            let rest = text.get(whole.end()..).unwrap_or_default();
            if let Some(value) = self.value_at(rest, sign.as_str(), keys) {
                done = whole.end() + value.end;
                found.push(whole.end() + value.start..done);
            }
        }
        found
    }

    /// The secret that `rest`, the text behind `sign`, begins with.
    fn value_at(&self, rest: &str, sign: &str, keys: &Keys) -> Option<Range<usize>> {
        let captures = self.value.captures(rest)?;
        let quoted = ["escaped", "double", "single"].iter().find_map(|name| captures.name(name));
        let bare = || captures.name("bare").filter(|bare| is_bare_secret(bare.as_str(), sign == "=", keys));
        quoted.or_else(bare).map(|value| value.range())
    }
}

/// Whether a value without quotes is one rather than a placeholder, a column or a word of a sentence. `tight`: it
/// follows an equals sign without a blank, as in a connection string.
fn is_bare_secret(value: &str, tight: bool, keys: &Keys) -> bool {
    if is_placeholder(value, keys) {
        return false;
    }
    tight || (value.chars().count() >= 4 && value.chars().any(|c| c.is_ascii_digit()))
}

fn is_placeholder(value: &str, keys: &Keys) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut chars = value.chars();
    let sign = chars.next();
    let rest = chars.as_str();
    match sign {
        Some('?' | '<' | '*' | '[' | '{') => true,
        Some('%') => rest.starts_with('(') || matches!(rest, "s" | "d"),
        Some(':' | '@') => is_name(rest.trim_start_matches(':')),
        Some('$') => rest.starts_with('{') || rest.chars().all(|c| c.is_ascii_digit()) || keys.is_secret(rest),
        _ => {
            let lower = value.to_ascii_lowercase();
            matches!(lower.as_str(), "null" | "none" | "nil" | "undefined" | "true" | "false")
                || value.contains('(')
                || value.rsplit_once('.').is_some_and(|(_, column)| keys.is_secret(column))
        }
    }
}

//! Filters that begin with `-`, between options on either side.
//!
//! To clap `-http.route=/health` is `-h`, and so are most exclusions some cluster of short options. Only this program knows that
//! the short options of its commands are few and stand alone, so what begins with a single `-` and is none of them is marked
//! before clap sees it, with a character that no argument can hold, and the mark is taken off as the value is read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The commands that take filters.
const COMMANDS: [&str; 5] = ["query", "tail", "assert", "export", "report"];
/// Their short options: by themselves, or with a form right behind.
const SHORT: [&str; 3] = ["-h", "-V", "-o"];
const FORMS: [&str; 10] =
    ["table", "json", "jsonl", "csv", "otlp-json", "otlp", "jaeger", "perfetto", "markdown", "md"];
/// Not to be had in an argument: the system ends them with it.
const MARK: char = '\0';

/// The arguments with every one marked that is a filter and looks like options.
pub(super) fn mark(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut takes_filters = false;
    let mut marked = |argument: OsString| {
        let Some(text) = argument.to_str() else { return argument };
        takes_filters |= COMMANDS.contains(&text);
        if takes_filters && is_filter(text) { format!("{MARK}{text}").into() } else { argument }
    };
    arguments.map(&mut marked).collect()
}

fn is_filter(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-') else { return false };
    let form = || rest.strip_prefix('o').map(|form| form.strip_prefix('=').unwrap_or(form));
    !rest.is_empty() && !rest.starts_with('-') && !SHORT.contains(&text) && !form().is_some_and(|f| FORMS.contains(&f))
}

/// As it was typed.
pub(super) fn plain(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// A value that may be marked.
#[expect(clippy::unnecessary_wraps, reason = "the form that clap asks for")]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(plain(text).to_owned())
}

/// The name of a file, which may be marked.
pub(super) fn path(path: &Path) -> PathBuf {
    path.to_str().map_or_else(|| path.to_owned(), |text| PathBuf::from(plain(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_option_is_a_filter() {
        for filter in ["-http.route=/health", "-error=true", "-operation:x", "-o:x", "-(a OR b)", "-x", "-\"a b\""] {
            assert!(is_filter(filter), "{filter}");
        }
        for option in ["-o", "-ojson", "-o=csv", "-h", "-V", "--limit", "--limit=3", "--", "-", "service=pay", ""] {
            assert!(!is_filter(option), "{option}");
        }
        let marked = mark(["tracefall", "-h", "query", "-h", "-x"].into_iter().map(OsString::from));
        assert_eq!(marked, ["tracefall", "-h", "query", "-h", "\0-x"]);
    }
}

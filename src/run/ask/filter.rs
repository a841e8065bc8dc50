//! A filter as the commands use it: the only place here that runs one.

use std::collections::{HashMap, HashSet};

use super::protocol::Wrong;
use crate::index::View;
use crate::model::{Nanos, TraceId};
use crate::query::{self, Hit, Hits, Query};

/// A filter that was read.
pub(super) struct Filter {
    query: Query,
}

impl Filter {
    /// Reads it.
    ///
    /// # Errors
    /// What to answer where the text is not a filter.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let query = query::parse(text).map_err(|error| Wrong {
            message: error.expected,
            filter: Some(text.to_owned()),
            column: Some(error.column),
        })?;
        Ok(Self { query })
    }

    /// The traces that match, by first arrival, oldest first; stops early once `cancelled` says so.
    pub(super) fn find(&self, view: &View, cancelled: &dyn Fn() -> bool) -> Hits {
        query::run(&self.query, view, cancelled)
    }

    /// Which of these traces match.
    pub(super) fn find_among(&self, view: &View, traces: &HashSet<TraceId>) -> Vec<Hit> {
        let mut hits = self.find(view, &|| false).hits;
        hits.retain(|hit| traces.contains(&hit.trace));
        hits
    }

    /// How long the spans of a hit took that matched; of a trace that matches as a whole, how long it took.
    pub(super) fn durations(&self, view: &View, hit: &Hit) -> Vec<Nanos> {
        let Some(trace) = view.trace(hit.trace) else { return Vec::new() };
        if hit.matched == 0 {
            let (start, end) = trace.bounds();
            return vec![end.since(start)];
        }
        let by_key: HashMap<_, _> = trace.spans.iter().map(|span| (span.key, span.duration())).collect();
        let matching = query::matching_spans(&self.query, view, hit.trace);
        matching.into_iter().filter_map(|key| by_key.get(&key).copied()).collect()
    }
}

/// What stands before the pipeline of `text`, if it has one: which spans it is about.
pub(super) fn before_pipeline(text: &str) -> Option<&str> {
    let (mut open, mut quote, mut escaped) = (0_u32, None, false);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if let Some(end) = quote {
            let ends = letter == end && !escaped;
            escaped = letter == '\\' && !escaped && end != '`';
            quote = (!ends).then_some(end);
            continue;
        }
        match letter {
            '"' | '`' => quote = Some(letter),
            '{' | '(' => open += 1,
            '}' | ')' => open = open.saturating_sub(1),
            // The second of two is taken as well.
            '|' if open == 0 && letters.next_if(|(_, next)| *next == '|').is_none() && stands_alone(text, at) => {
                return text.get(..at).map(str::trim);
            }
            _ => {}
        }
    }
    None
}

/// Whether the `|` there is no part of a word, as in `name=~a|b`: it follows a blank or a bracket.
fn stands_alone(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|before| before.is_whitespace() || matches!(before, '}' | ')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipeline_is_found_where_it_begins() {
        let cases = [
            ("{ span.db.query.text != nil } | count() < 20", Some("{ span.db.query.text != nil }")),
            ("{ a || b } || { c }|avg(duration) > 2s", Some("{ a || b } || { c }")),
            ("service=pay | by(name) | count() < 3", Some("service=pay")),
            ("{ name = \"a } | b\" } | count() < 2", Some("{ name = \"a } | b\" }")),
            ("{ name = `\\` } | count() < 2", Some("{ name = `\\` }")),
            ("service=~a|b error=true", None),
            ("a || b", None),
            ("(a | b)", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(before_pipeline(text), expected, "{text}");
        }
    }
}

//! A filter as the commands use it: the only place here that runs one.

use std::collections::HashMap;

use super::protocol::Wrong;
use crate::index::View;
use crate::model::{Nanos, Timestamp, TraceId};
use crate::query::pushdown::{Abilities, Pushdown, push_down};
use crate::query::{self, Hit, Hits, Query, Says, Term};

/// A filter that was read.
pub(super) struct Filter {
    /// Without its limit.
    query: Query,
    /// The limit in its text.
    limit: Option<u32>,
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
        let (limits, terms): (Vec<Term>, Vec<Term>) =
            query.terms.iter().cloned().partition(|term| matches!(term.says, Says::Limit(_)));
        let limit = limits.iter().filter_map(|term| if let Says::Limit(most) = term.says { Some(most) } else { None });
        let limit = limit.min();
        let query = if limit.is_some() { Query::of(terms, query.stages, query.hints) } else { query };
        Ok(Self { query, limit })
    }

    /// The query with its limit.
    pub(super) fn whole(self) -> Query {
        let limit = self.limit.map(|most| Term { says: Says::Limit(most), at: (0, 0) });
        let terms = self.query.terms.iter().cloned().chain(limit).collect();
        Query::of(terms, self.query.stages, self.query.hints)
    }

    /// What stands before its pipeline, if it has one: which spans it is about.
    pub(super) fn before_pipeline(&self) -> Option<Self> {
        let has_one = !self.query.stages.is_empty();
        has_one.then(|| Self { query: Query::of(self.query.terms.clone(), Vec::new(), Vec::new()), limit: None })
    }

    /// As many traces as the filter and `limit` allow, which means the same.
    pub(super) fn most(&self, limit: Option<u64>) -> usize {
        let own = self.limit.map(u64::from).into_iter().chain(limit).min();
        own.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
    }

    /// The traces that match, by first arrival, oldest first; stops early once `cancelled` says so. On this thread alone:
    /// whoever asks from outside takes no cores from a screen and from senders.
    pub(super) fn find(&self, view: &View, now: Timestamp, cancelled: &dyn Fn() -> bool) -> Hits {
        query::run_with(1, &self.query, (view, now), cancelled)
    }

    /// What a server is asked for at most so many traces; without a number, for as many as is usual.
    pub(super) fn pushed_down(&self, most: Option<u32>, abilities: Abilities, now: Timestamp) -> Pushdown {
        let limit = most.map(|most| Term { says: Says::Limit(most), at: (0, 0) });
        let terms = self.query.terms.iter().cloned().chain(limit).collect();
        push_down(&Query::of(terms, self.query.stages.clone(), self.query.hints.clone()), abilities, now)
    }

    /// The latest `most` of them by first arrival: the search ends when they are found.
    pub(super) fn find_latest(&self, view: &View, now: Timestamp, (most, cancelled): Latest<'_>) -> Hits {
        let Ok(most) = u32::try_from(most) else { return self.find(view, now, cancelled) };
        let limit = Term { says: Says::Limit(most), at: (0, 0) };
        let terms = self.query.terms.iter().cloned().chain([limit]).collect();
        let limited = Query::of(terms, self.query.stages.clone(), self.query.hints.clone());
        query::run_with(1, &limited, (view, now), cancelled)
    }

    /// Which of these traces match. The cost does not grow with what is held.
    pub(super) fn find_among(&self, view: &View, now: Timestamp, traces: &[TraceId]) -> Vec<Hit> {
        query::evaluate_traces(&self.query, view, now, traces)
    }

    /// How long the spans of a hit took that matched; of a trace that matches as a whole, how long it took.
    pub(super) fn durations(&self, view: &View, now: Timestamp, hit: &Hit) -> Vec<Nanos> {
        let Some(trace) = view.trace(hit.trace) else { return Vec::new() };
        if hit.matched == 0 {
            let (start, end) = trace.bounds();
            return vec![end.since(start)];
        }
        let by_key: HashMap<_, _> = trace.spans.iter().map(|span| (span.key, span.duration())).collect();
        let matching = query::matching_spans(&self.query, view, now, hit.trace);
        matching.into_iter().filter_map(|key| by_key.get(&key).copied()).collect()
    }
}

/// How many, and whether it was cancelled.
type Latest<'a> = (usize, &'a dyn Fn() -> bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_in_the_text_and_beside_it_means_the_same() {
        for (text, beside, most) in [
            ("error=true limit=5", None, 5),
            ("error=true", Some(5), 5),
            ("limit=5", Some(3), 3),
            ("limit=3", Some(5), 3),
            ("error=true", None, usize::MAX),
        ] {
            assert_eq!(Filter::read(text).unwrap().most(beside), most, "{text}");
        }
    }

    #[test]
    fn what_a_pipeline_is_about_stands_before_it() {
        let before = |text: &str| Filter::read(text).unwrap().before_pipeline().map(|about| about.query.text);
        let spans = "{ span.db.query.text != nil }";
        assert_eq!(
            before(&format!("{spans} | count() < 20")).map(|text| text.replace(' ', "")),
            Some(spans.replace(' ', ""))
        );
        assert_eq!(before("error=true"), None);
        assert_eq!(before(spans), None);
    }
}

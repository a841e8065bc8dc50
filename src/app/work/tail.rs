//! The list kept up to date: of what is held only what has changed is looked at again.

use std::collections::HashSet;

use super::list::{ListRequest, answer, outlined};
use crate::app::{Answer, ListRow, parts};
use crate::index::{Outline, View};
use crate::model::TraceId;
use crate::query::{Hits, Query, evaluate_traces, run, run_pages};

/// Matches that are remembered. Where there are more, most of what is held matches, and all of it is searched anew.
const MOST: usize = 200_000;
/// Changed traces beyond which a search of everything costs less than looking at each.
const MANY: usize = 50_000;
/// Matches up to which what was found so far is handed over while the search goes on: more fill no screen.
const SO_FAR: usize = 10_000;

/// What the last search found, kept between two searches with one filter.
#[derive(Debug, Default)]
pub struct Tail {
    /// The filter of the last search.
    query: Option<Query>,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    revision: u64,
    /// How many traces had left by then.
    evicted: u64,
    /// By first arrival, oldest first.
    rows: Vec<(Outline, ListRow)>,
}

impl Tail {
    /// As [`super::list()`], by what was found before where that is of the same filter: then only traces that have changed
    /// since are looked at, and the cost does not grow with what is held. Of a filter that is new, what was found so far
    /// goes to `so_far`, newest first, as soon as there is something.
    #[must_use]
    pub fn list(
        &mut self,
        view: &View,
        request: &ListRequest<'_>,
        cancelled: &dyn Fn() -> bool,
        so_far: &mut dyn FnMut(Answer),
    ) -> Answer {
        let query = request.query;
        let new = self.query.replace(query.clone()).is_none_or(|last| last != *query);
        let known = self.known.take().filter(|_| !new).and_then(|known| known.brought_up_to(view, request));
        if let Some(known) = known {
            let rows = known.rows.clone();
            self.known = Some(known);
            return answer(view, request, rows.into_iter(), false);
        }
        let hits = if new && !query.is_empty() {
            paged(view, request, cancelled, so_far)
        } else {
            run(query, view, request.now, cancelled)
        };
        let partial = hits.partial;
        let kept = !(partial || query.is_empty() || parts::moves_by_itself(query)) && hits.hits.len() <= MOST;
        if !kept {
            return answer(view, request, outlined(view, hits.hits), partial);
        }
        let rows: Vec<_> = outlined(view, hits.hits).collect();
        self.known =
            Some(Known { revision: view.revision(), evicted: view.stats().traces_evicted, rows: rows.clone() });
        answer(view, request, rows.into_iter(), partial)
    }
}

/// Searches everything and hands over what was found on the way.
fn paged(view: &View, request: &ListRequest<'_>, cancelled: &dyn Fn() -> bool, so_far: &mut dyn FnMut(Answer)) -> Hits {
    let mut all = Hits::default();
    // Each time twice as many: what was shown before counts among them, and a page takes its time to be drawn.
    let mut next = 0;
    run_pages(request.query, view, request.now, cancelled, &mut |page| {
        all.partial |= page.partial;
        all.hits.extend(page.hits);
        if !page.last && all.hits.len() >= next && all.hits.len() <= SO_FAR {
            next = (all.hits.len() * 2).max(1);
            let oldest_first = all.hits.iter().rev().copied().collect();
            so_far(answer(view, request, outlined(view, oldest_first), true));
        }
    });
    all.hits.reverse();
    all
}

impl Known {
    /// With what has changed since; `None` where that is not known or too much.
    fn brought_up_to(mut self, view: &View, request: &ListRequest<'_>) -> Option<Self> {
        if self.revision == view.revision() {
            return Some(self);
        }
        let changed = view.changed_since(self.revision).filter(|changed| changed.len() <= MANY)?;
        self.drop_evicted(view);
        let again: HashSet<TraceId> = changed.iter().copied().collect();
        self.rows.retain(|(_, hit)| !again.contains(&hit.trace));
        let hits = evaluate_traces(request.query, view, request.now, &changed);
        self.join(view, hits);
        self.revision = view.revision();
        Some(self)
    }

    /// Puts hits in, which are in order of first arrival, too.
    fn join(&mut self, view: &View, hits: Vec<ListRow>) {
        let number = |hit: &ListRow| view.number_of(hit.trace);
        let mut old = std::mem::take(&mut self.rows);
        let mut tail: Vec<(Outline, ListRow)> = Vec::new();
        // From the newest on: what is new mostly stands at the end, and what is behind it is set aside in reverse.
        for hit in hits.into_iter().rev() {
            let Some(outline) = view.outline(hit.trace) else { continue };
            let at = old.partition_point(|(_, other)| number(other) < number(&hit));
            tail.extend(old.drain(at..).rev());
            tail.push((outline, hit));
        }
        old.extend(tail.into_iter().rev());
        self.rows = old;
    }

    /// Takes out what has left. Which those are is not told, so each is asked for where any have.
    fn drop_evicted(&mut self, view: &View) {
        let evicted = view.stats().traces_evicted;
        if std::mem::replace(&mut self.evicted, evicted) != evicted {
            self.rows.retain(|(_, hit)| view.number_of(hit.trace).is_some());
        }
    }
}

//! The list kept up to date: of what is held only what has changed is looked at again.

use std::collections::HashSet;

use super::list::{ListRequest, answer, list};
use crate::app::{Answer, ListRow, parts};
use crate::index::{Outline, View};
use crate::model::TraceId;
use crate::query::{Query, evaluate_traces, run};

/// Matches that are remembered. Where there are more, most of what is held matches, and all of it is searched anew.
const MOST: usize = 200_000;
/// Changed traces beyond which a search of everything costs less than looking at each.
const MANY: usize = 50_000;

/// What the last search found, kept between two searches with one filter.
#[derive(Debug, Default)]
pub struct Tail {
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    query: Query,
    revision: u64,
    /// How many traces had left when those that left were last taken out.
    evicted: u64,
    /// By first arrival, oldest first: the trace's number, its figures, the hit.
    rows: Vec<(u64, Outline, ListRow)>,
}

impl Tail {
    /// As [`list`], by what was found before where that is of the same filter: then only traces that have changed since are
    /// looked at, and the cost does not grow with what is held.
    #[must_use]
    pub fn list(&mut self, view: &View, request: &ListRequest<'_>, cancelled: &dyn Fn() -> bool) -> Answer {
        if request.query.is_empty() || parts::moves_by_itself(request.query) {
            self.known = None;
            return list(view, request, cancelled);
        }
        let known = self.known.take().filter(|known| known.query == *request.query);
        let known = known.and_then(|known| known.brought_up_to(view, request));
        let known = match known {
            Some(known) => known,
            None => match Known::searched(view, request, cancelled) {
                Some(known) => known,
                None => return list(view, request, cancelled),
            },
        };
        let rows = known.rows.iter().map(|(_, outline, hit)| (*outline, *hit)).collect();
        if known.rows.len() <= MOST {
            self.known = Some(known);
        }
        answer(view, request, rows, false)
    }
}

impl Known {
    /// Searches everything; `None` where that was cancelled.
    fn searched(view: &View, request: &ListRequest<'_>, cancelled: &dyn Fn() -> bool) -> Option<Self> {
        let hits = run(request.query, view, request.now, cancelled);
        if hits.partial {
            return None;
        }
        let rows = hits.hits.into_iter().filter_map(|hit| line(view, hit)).collect();
        let evicted = view.stats().traces_evicted;
        Some(Self { query: request.query.clone(), revision: view.revision(), evicted, rows })
    }

    /// With what has changed since; `None` where that is not known or too much.
    fn brought_up_to(mut self, view: &View, request: &ListRequest<'_>) -> Option<Self> {
        if self.revision == view.revision() {
            return Some(self);
        }
        let changed = view.changed_since(self.revision).filter(|changed| changed.len() <= MANY)?;
        self.drop_evicted(view);
        let again: HashSet<TraceId> = changed.iter().copied().collect();
        self.rows.retain(|(_, _, hit)| !again.contains(&hit.trace));
        let hits = evaluate_traces(request.query, view, request.now, &changed);
        self.rows.extend(hits.into_iter().filter_map(|hit| line(view, hit)));
        // Two runs in order: sorting joins them.
        self.rows.sort_by_key(|(number, ..)| *number);
        self.revision = view.revision();
        Some(self)
    }

    /// Takes out what has left: the oldest at once, others when so many have left that looking at all is worth it.
    fn drop_evicted(&mut self, view: &View) {
        let evicted = view.stats().traces_evicted;
        let left = usize::try_from(evicted.saturating_sub(self.evicted)).unwrap_or(usize::MAX);
        if left == 0 {
            return;
        }
        if left > self.rows.len() / 8 {
            self.evicted = evicted;
            return self.rows.retain(|(_, _, hit)| view.number_of(hit.trace).is_some());
        }
        let gone = self.rows.iter().position(|(_, _, hit)| view.number_of(hit.trace).is_some());
        self.rows.drain(..gone.unwrap_or(self.rows.len()));
    }
}

fn line(view: &View, hit: ListRow) -> Option<(u64, Outline, ListRow)> {
    Some((view.number_of(hit.trace)?, view.outline(hit.trace)?, hit))
}

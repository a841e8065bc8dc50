//! What is known of a server that is asked: what for, how far that has come, and what it calls things.

use std::collections::BTreeMap;

use super::{Nanos, Timestamp};

/// What a server is asked, which part of the filter is applied where, and how far the search has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The filter it was asked for, as it is typed.
    pub filter: String,
    /// Parts of the filter that the server applies; they are applied again here.
    pub there: Vec<usize>,
    /// Parts that are applied here only.
    pub here: Vec<usize>,
    /// One trace is asked for by its id: neither limit nor time matter.
    pub one: bool,
    /// At most so many traces in one answer.
    pub limit: u32,
    /// The filter names no limit.
    pub limit_assumed: bool,
    /// Where the filter names no time: how far back it was searched.
    pub lookback: Option<Nanos>,
    /// How far the search has come.
    pub progress: Progress,
    /// Where that ends.
    pub state: SearchState,
}

/// How far a search has come that asks for one part of the time after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Different traces found so far.
    pub traces: usize,
    /// Requests made.
    pub asked: u32,
    /// Parts of the time that are still to be asked for.
    pub open: usize,
    /// What began then or earlier may be missing: the latest end of a part of which not all came. Zero where all came.
    pub until: Timestamp,
    /// All that came began then or earlier.
    pub newest: Timestamp,
}

/// What there is to say of a search's completeness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchState {
    /// It is under way.
    #[default]
    Running,
    /// All that the server has came, or as much of the newest as the filter asks for.
    Complete,
    /// There may be more: the server's limit came first, and no more is asked for.
    Capped,
    /// There may be more: a person stopped it.
    Stopped,
}

impl Asked {
    /// Whether more of the search is to come, which takes several requests.
    #[must_use]
    pub fn is_narrowing(&self) -> bool {
        self.state == SearchState::Running && self.progress.open > 0
    }

    /// Whether there are parts of the time that it can go on with.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        self.is_partial() && self.progress.open > 0
    }

    /// The moment before which there may be more, where everything newer is known to have come.
    #[must_use]
    pub fn whole_since(&self) -> Option<Timestamp> {
        let Progress { until, newest, .. } = self.progress;
        (until.0 > 0 && until < newest).then_some(until)
    }

    /// Whether there may be traces that it did not find.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        matches!(self.state, SearchState::Capped | SearchState::Stopped)
    }
}

/// What a server calls things: for proposals while a filter is typed, and who calls whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Its services, sorted.
    pub services: Vec<String>,
    /// The names of its spans, sorted.
    pub operations: Vec<String>,
    /// The keys of its attributes with their scope (`span.http.route`), where it tells them.
    pub tags: Vec<String>,
    /// Values of attributes by key without scope, as far as they were asked for.
    pub values: BTreeMap<String, Vec<String>>,
    /// Which services called each other, sorted.
    pub dependencies: Vec<Dependency>,
}

/// How often one service called another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Who called.
    pub parent: String,
    /// Who was called.
    pub child: String,
    /// How often.
    pub calls: u64,
}

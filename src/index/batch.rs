//! The rows of one body, grouped by trace while they are read.
//!
//! A trace's figures are sums and extremes over its rows. They are taken here, where a row's fields are at hand, so that
//! afterwards each trace is looked up and changed once a body. Knows nothing of the trace table.

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};

use super::chunk::mark;
use super::interner::hash;
use super::segment::RowRef;
use super::twins::Filter;
use crate::model::{Kind, SpanId, SpanKey, StatusCode, TraceId};

/// Counters of [`Figures::crowds`].
const CROWDS: usize = 8;

/// Which of the [`Figures::crowds`] the calls below `parent` are in.
#[inline]
pub(super) fn crowd(parent: SpanId) -> usize {
    usize::from(parent.0[7] ^ parent.0[3]) % CROWDS
}

/// What is summed up over some rows of a trace, or over all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// Ordinal of the row that stands for the trace in the list; zero while there is none.
    pub(super) root: u64,
    /// By what `root` goes before others: whether it has a parent, and its start less one, so that none comes last.
    pub(super) root_rank: (bool, u64),
    /// Earliest start of spans that have one; the greatest number while there is none.
    pub(super) start: u64,
    /// Latest end of spans that have a start.
    pub(super) end: u64,
    /// Of the span ids.
    pub(super) filter: Filter,
    /// How many calls have a parent whose id falls into each of eight ways: below one parent there are at most as many.
    pub(super) crowds: [u8; CROWDS],
    /// Distinct spans.
    pub(super) spans: u32,
    /// Of these, with status error.
    pub(super) errors: u32,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            root: 0,
            root_rank: (true, u64::MAX),
            start: u64::MAX,
            end: 0,
            filter: Filter::default(),
            crowds: [0; CROWDS],
            spans: 0,
            errors: 0,
        }
    }
}

/// A row as the figures of its trace need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) key: SpanKey,
    pub(super) parent: Option<SpanId>,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) status: StatusCode,
    /// See [`mark`].
    pub(super) marks: u8,
    /// Bytes it takes, roughly.
    pub(super) cost: u32,
}

impl Facts {
    /// Those of a row that is in its columns.
    pub(super) fn of(row: RowRef<'_>, cost: u32) -> Self {
        let (chunk, at) = (row.chunk, row.row);
        Self {
            key: row.key(),
            parent: row.parent(),
            start: chunk.start[at],
            end: chunk.end[at],
            status: row.status(),
            marks: chunk.marks[at],
            cost,
        }
    }
}

/// Whether the hook may make something of a row by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notable {
    No,
    /// It is a long call: see [`super::Summary::minds`].
    Long,
    /// It failed, or has events.
    Surely,
}

/// Whether a row's span is a call to a database or, as a client, over HTTP, as far as its marks tell. Never false for
/// one that is.
pub(super) fn is_call(row: RowRef<'_>) -> bool {
    row.chunk.marks[row.row] & mark::CALL != 0
}

impl Notable {
    /// By how a span ended, its [`mark`]s and whether it is long; see [`super::Summary::least`].
    #[inline]
    fn of(status: StatusCode, marks: u8, long: bool) -> Self {
        if status == StatusCode::ERROR || marks & (mark::EVENTS | mark::ERROR_TYPE) != 0 {
            Self::Surely
        } else if long && marks & mark::CALL != 0 {
            Self::Long
        } else {
            Self::No
        }
    }
}

/// A row of which the hook may make something by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    pub(super) ordinal: u64,
    /// Nanoseconds it took.
    pub(super) duration: u64,
    pub(super) notable: Notable,
    /// Place of the one before it of the same group, plus one; zero for the first.
    before: u32,
}

/// Rows of one trace and one service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) trace_id: TraceId,
    /// `service.name` as a word.
    pub(super) service: u32,
    /// Ordinal of its first row.
    pub(super) first: u64,
    /// Ordinal of its last row: the others are found by [`super::chunk::Chunk::prev`].
    pub(super) last: u64,
    /// Bytes its rows take, roughly.
    pub(super) cost: u64,
    /// Two of its rows fall on the same bit of the filter: they may be the same span.
    pub(super) doubtful: bool,
    /// Place of the last [`Noted`] of its rows, plus one; zero where there is none.
    pub(super) noted: u32,
    /// Which span `figures.root` is.
    pub(super) root_key: SpanKey,
    pub(super) figures: Figures,
}

impl Group {
    /// Without rows.
    pub(super) fn new(trace_id: TraceId, service: u32, first: u64) -> Self {
        let root_key = SpanKey { id: SpanId::default(), kind: Kind(0) };
        let figures = Figures::default();
        Self { trace_id, service, first, last: first, cost: 0, doubtful: false, noted: 0, root_key, figures }
    }

    /// Those of its rows, last to first, that are in `noted`.
    pub(super) fn noted<'n>(&self, noted: &'n [Noted]) -> impl Iterator<Item = &'n Noted> + use<'n> {
        let at = |place: u32| noted.get((place as usize).checked_sub(1)?);
        std::iter::successors(at(self.noted), move |row| at(row.before))
    }

    /// Takes note of a row, in `noted` too where it may be worth it. Rows that take `least` nanoseconds are long.
    #[inline]
    pub(super) fn add(&mut self, ordinal: u64, row: &Facts, least: u64, noted: &mut Vec<Noted>) {
        self.last = ordinal;
        self.cost += u64::from(row.cost);
        let duration = row.end.saturating_sub(row.start);
        let notable = Notable::of(row.status, row.marks, duration >= least);
        if notable != Notable::No {
            noted.push(Noted { ordinal, duration, notable, before: self.noted });
            self.noted = super::chunk::narrow(noted.len());
        }
        let figures = &mut self.figures;
        self.doubtful |= figures.filter.add(row.key.id);
        figures.spans += 1;
        figures.errors += u32::from(row.status == StatusCode::ERROR);
        if row.start != 0 {
            figures.start = figures.start.min(row.start);
            figures.end = figures.end.max(row.end).max(row.start);
        }
        if let Some(parent) = row.parent.filter(|_| row.marks & mark::CALL != 0) {
            let count = &mut figures.crowds[crowd(parent)];
            *count = count.saturating_add(1);
        }
        let rank = (row.parent.is_some(), row.start.wrapping_sub(1));
        if figures.root == 0 || (rank, row.key) < (figures.root_rank, self.root_key) {
            (figures.root_rank, figures.root, self.root_key) = (rank, ordinal, row.key);
        }
    }
}

/// A row that is in its columns and not yet in its trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Place of its group.
    pub(super) group: u32,
    /// Bytes it takes, roughly.
    pub(super) cost: u32,
}

/// The rows of a body.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In order of their first row.
    pub(super) groups: Vec<Group>,
    /// In order of their ordinals, without a gap.
    pub(super) rows: Vec<Pending>,
    /// Some of them; each group has a list of its own through it.
    pub(super) noted: Vec<Noted>,
    /// There is a trace with more than one group.
    siblings: bool,
    /// Places of groups.
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Where the row before went.
    last: usize,
}

impl Batch {
    /// Without rows; keeps its room.
    pub(super) fn clear(&mut self) {
        self.groups.clear();
        self.rows.clear();
        self.noted.clear();
        self.places.clear();
        self.siblings = false;
        self.last = 0;
    }

    /// Adds the row that follows; answers how many rows before it the last of its group is, zero for the first.
    #[inline]
    pub(super) fn add(&mut self, of: (TraceId, u32), ordinal: u64, row: &Facts, least: u64) -> u32 {
        let place = match self.groups.get(self.last) {
            Some(group) if (group.trace_id, group.service) == of => self.last,
            _ => self.place(of, ordinal),
        };
        self.last = place;
        self.rows.push(Pending { group: super::chunk::narrow(place), cost: row.cost });
        let Self { groups, noted, .. } = self;
        let group = &mut groups[place];
        let back = ordinal - group.last;
        group.add(ordinal, row, least, noted);
        u32::try_from(back).unwrap_or(0)
    }

    fn place(&mut self, of: (TraceId, u32), ordinal: u64) -> usize {
        let Self { groups, places, hasher, .. } = self;
        let mut sibling = false;
        let found = places.find(hash(hasher, &of.0.0), |place| {
            let group = &groups[*place as usize];
            let same = group.trace_id == of.0;
            sibling |= same;
            same && group.service == of.1
        });
        if let Some(place) = found {
            return *place as usize;
        }
        self.siblings |= sibling;
        let place = groups.len();
        groups.push(Group::new(of.0, of.1, ordinal));
        let rehash = |place: &u32| hash(hasher, &groups[*place as usize].trace_id.0);
        places.insert_unique(hash(hasher, &of.0.0), super::chunk::narrow(place), rehash);
        place
    }

    /// Those of the groups' traces, by their `numbers`, of which rows of several services take turns.
    pub(super) fn tangled(&self, numbers: &[u64]) -> HashSet<u64> {
        let (mut tangled, mut lasts) = (HashSet::new(), HashMap::new());
        for (number, group) in numbers.iter().zip(&self.groups).filter(|_| self.siblings) {
            let last = lasts.entry(*number).or_insert(0);
            if group.first < *last {
                tangled.insert(*number);
            }
            *last = group.last.max(*last);
        }
        tangled
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Group>()
            + self.rows.capacity() * 8
            + self.places.capacity() * 5
            + self.noted.capacity() * size_of::<Noted>()
    }
}

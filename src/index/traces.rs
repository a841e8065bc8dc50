//! The table of traces: pages in order of first arrival, copied on write.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::Figures;
use super::cold::ColdPage;
use super::directory::Directory;
use super::interner::hash;
use super::outline::Outline;
use super::room::fit;
use super::services::ServiceSet;
use crate::model::{Badges, SourceId, Timestamp, TraceId, TraceSummary};
use hashbrown::{DefaultHashBuilder, HashTable};

/// Traces a page holds. A publication copies each page whose traces changed, so pages are not large.
const PAGE: u64 = 256;

/// The newest pages, which stay as they are unless asked otherwise: traces that are still under way are here.
pub(super) const WARM_PAGES: usize = 32;

/// Pages that are asked to rest with a publication, and old ones that are asked again.
const COOLED: usize = 128;
const REVISITED: usize = 16;

/// What is known of a trace. Numbers are given in order of first arrival and never again.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks")]
pub(super) struct TraceRow {
    pub(super) id: TraceId,
    pub(super) number: u64,
    /// Ordinal of its latest row: the head of the chain of its rows.
    pub(super) head: u64,
    /// When its first span arrived.
    pub(super) first_arrival: Timestamp,
    /// When its latest span arrived.
    pub(super) last_arrival: Timestamp,
    /// The publication by which it last changed.
    pub(super) revision: u64,
    /// Bytes its rows take, roughly.
    pub(super) cost: u64,
    /// What its rows come to.
    pub(super) figures: Figures,
    /// Spans with a parent that is not held.
    pub(super) orphans: u32,
    /// Services that took part, by their number in [`super::services::Services`].
    pub(super) services: ServiceSet,
    /// The way its first span came in.
    pub(super) source: SourceId,
    /// Spans of it were refused because it grew too large.
    pub(super) truncated: bool,
    /// It is on the list of those to settle.
    pub(super) touched: bool,
    /// Its figures must be worked out anew from its rows.
    pub(super) stale: bool,
    /// Its span ids are in [`super::twins::Twins`].
    pub(super) large: bool,
    /// It has left the index.
    pub(super) gone: bool,
    /// What stands out in it; most traces have nothing that does.
    pub(super) badges: Option<Arc<Badges>>,
}

impl TraceRow {
    /// What the list is ordered and counted by.
    pub(super) fn outline(&self) -> Outline {
        let Figures { start, end, spans, errors, .. } = self.figures;
        Outline::new(self.first_arrival, (start, end), spans, errors)
    }

    /// The line for the list, without what is read from the rows: the root's texts and, unless the trace is large, the
    /// orphans.
    pub(super) fn line(&self) -> TraceSummary {
        let figures = &self.figures;
        TraceSummary {
            id: self.id,
            has_root: figures.root != 0 && !figures.root_rank.0,
            start: Timestamp(if figures.start == u64::MAX { 0 } else { figures.start }),
            end: Timestamp(figures.end),
            first_arrival: self.first_arrival,
            last_arrival: self.last_arrival,
            spans: figures.spans,
            errors: figures.errors,
            services: u32::try_from(self.services.len()).unwrap_or(u32::MAX),
            orphans: self.orphans,
            badges: self.badges.as_deref().cloned().unwrap_or_default(),
            source: self.source,
            ..TraceSummary::default()
        }
    }
}

/// Some traces that arrived one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct TracePage {
    /// The latest publication that changed one of them.
    revision: u64,
    /// In order of number; dense unless some left. Empty while they are cold.
    rows: Vec<TraceRow>,
    /// The same at rest.
    cold: Option<Box<ColdPage>>,
}

impl TracePage {
    #[inline]
    fn place(&self, number: u64) -> Option<usize> {
        let dense = usize::try_from(number % PAGE).ok()?;
        if self.rows.get(dense).is_some_and(|row| row.number == number) {
            return Some(dense);
        }
        self.rows.binary_search_by_key(&number, |row| row.number).ok()
    }

    fn get(&self, number: u64) -> Option<Cow<'_, TraceRow>> {
        if let Some(cold) = &self.cold {
            return cold.get(number).map(Cow::Owned);
        }
        self.rows.get(self.place(number)?).filter(|row| !row.gone).map(Cow::Borrowed)
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = Cow<'_, TraceRow>> {
        let cold = self.cold.iter().flat_map(|cold| cold.iter()).map(Cow::Owned);
        self.rows.iter().filter(|row| !row.gone).map(Cow::Borrowed).chain(cold)
    }

    fn ids(&self) -> impl DoubleEndedIterator<Item = TraceId> {
        let cold = self.cold.iter().flat_map(|cold| cold.ids());
        self.rows.iter().filter(|row| !row.gone).map(|row| row.id).chain(cold)
    }

    fn outlines(&self) -> impl Iterator<Item = (TraceId, Outline)> {
        let cold = self.cold.iter().flat_map(|cold| cold.outlines());
        self.rows.iter().filter(|row| !row.gone).map(|row| (row.id, row.outline())).chain(cold)
    }

    /// How many rows it has, those that left included.
    fn len(&self) -> usize {
        self.rows.len() + self.cold.as_ref().map_or(0, |cold| cold.len())
    }

    /// Makes the rows ones that can be changed; answers the bytes of the page they were in.
    fn thaw(&mut self) -> usize {
        let Some(cold) = self.cold.take() else { return 0 };
        self.rows = cold.iter().collect();
        cold.bytes()
    }
}

/// The pages, as readers hold them too.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    /// Those before it have left.
    first: u64,
    /// Each has the traces of `PAGE` numbers.
    pages: VecDeque<Arc<TracePage>>,
}

impl Pages {
    #[inline]
    fn page(&self, number: u64) -> Option<usize> {
        let place = usize::try_from((number / PAGE).checked_sub(self.first)?).ok()?;
        (place < self.pages.len()).then_some(place)
    }

    /// A trace by its number.
    #[inline]
    pub(super) fn get(&self, number: u64) -> Option<Cow<'_, TraceRow>> {
        self.pages[self.page(number)?].get(number)
    }

    /// The id of a trace by its number.
    #[inline]
    pub(super) fn id(&self, number: u64) -> Option<TraceId> {
        let page = &self.pages[self.page(number)?];
        match &page.cold {
            Some(cold) => cold.id(number),
            None => page.rows.get(page.place(number)?).filter(|row| !row.gone).map(|row| row.id),
        }
    }

    /// Every trace in order of first arrival.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Cow<'_, TraceRow>> {
        self.pages.iter().flat_map(|page| page.iter())
    }

    /// The id of every trace in order of first arrival.
    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = TraceId> {
        self.pages.iter().flat_map(|page| page.ids())
    }

    /// Every trace in outline, in order of first arrival.
    pub(super) fn outlines(&self) -> impl Iterator<Item = (TraceId, Outline)> {
        self.pages.iter().flat_map(|page| page.outlines())
    }

    /// Those that changed after a publication.
    pub(super) fn changed_since(&self, revision: u64) -> impl Iterator<Item = Cow<'_, TraceRow>> {
        let pages = self.pages.iter().filter(move |page| page.revision > revision);
        pages.flat_map(|page| page.iter()).filter(move |row| row.revision > revision)
    }
}

/// A number from its low half, where `next` is the number that comes next.
pub(super) fn full(low: u64, next: u64) -> u64 {
    let newest = next.wrapping_sub(1);
    newest.wrapping_sub((newest.wrapping_sub(low)) & 0xffff_ffff)
}

/// The low half of a number.
pub(super) fn low_half(number: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
    let low = number as u32;
    low
}

/// A hash for a table from half of one.
fn spread(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}

/// What the lists of a screen take for a trace: a row of 32 bytes, twice while a new list takes the place of the one before.
/// They are made of what is held here and grow with it, so they are paid for here.
const LISTED: usize = 64;

/// The writer's table.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The traces.
    pub(super) pages: Pages,
    /// Half of the hash of a trace's id and the low half of its number, for the writer. The hash stands here so that the
    /// table grows without a look at the traces.
    index: HashTable<(u32, u32)>,
    /// The hash of `index`.
    hasher: DefaultHashBuilder,
    /// Numbers by id, for readers.
    pub(super) directory: Directory,
    /// The first number that is not in `directory` yet.
    filed: u64,
    /// The number the next trace gets.
    pub(super) next: u64,
    /// Traces held.
    pub(super) held: u64,
    /// `directory` may have entries of traces that left.
    some_left: bool,
    /// Those that changed since the last publication.
    pub(super) touched: Vec<u64>,
    /// Rows in pages, those of traces that left included.
    rows: usize,
    /// Of these, in cold pages.
    cold_rows: usize,
    /// Bytes of cold pages.
    cold_bytes: usize,
    /// The newest pages, which stay as they are.
    warm: usize,
    /// Pages before this one were asked to rest when they became old.
    cooled: u64,
    /// The one of them that was asked again last.
    revisited: usize,
}

impl Traces {
    /// A table whose newest `warm` pages stay as they are.
    pub(super) fn new(warm: usize) -> Self {
        Self { warm, ..Self::default() }
    }

    /// The number of a trace that is held.
    pub(super) fn find(&self, id: TraceId) -> Option<u64> {
        let tag = self.tag(id);
        let number = |low: u32| full(u64::from(low), self.next);
        let is_it = |(other, low): &(u32, u32)| *other == tag && self.pages.id(number(*low)) == Some(id);
        self.index.find(spread(tag), is_it).map(|(_, low)| number(*low))
    }

    fn tag(&self, id: TraceId) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
        let tag = hash(&self.hasher, &id.0) as u32;
        tag
    }

    /// The number of a trace, which begins now if it is not held.
    pub(super) fn find_or_begin(&mut self, id: TraceId, source: SourceId, now: Timestamp) -> u64 {
        if let Some(number) = self.find(id) {
            return number;
        }
        let number = self.next;
        self.next += 1;
        let row = Self::blank(id, number, source, now);
        if self.pages.pages.is_empty() {
            self.pages.first = number / PAGE;
        }
        if self.pages.page(number).is_none() {
            self.pages.pages.push_back(Arc::default());
        }
        if let Some(page) = self.pages.pages.back_mut() {
            Arc::make_mut(page).rows.push(row);
        }
        self.rows += 1;
        self.held += 1;
        let tag = self.tag(id);
        self.index.insert_unique(spread(tag), (tag, low_half(number)), |(tag, _)| spread(*tag));
        number
    }

    pub(super) fn blank(id: TraceId, number: u64, source: SourceId, now: Timestamp) -> TraceRow {
        TraceRow {
            id,
            number,
            head: 0,
            first_arrival: now,
            last_arrival: now,
            revision: 0,
            cost: 0,
            figures: Figures::default(),
            orphans: 0,
            services: ServiceSet::default(),
            source,
            truncated: false,
            touched: false,
            stale: false,
            large: false,
            gone: false,
            badges: None,
        }
    }

    /// A trace to change. It is on the list of those to settle from now on.
    pub(super) fn change(&mut self, number: u64) -> Option<&mut TraceRow> {
        let page = self.pages.page(number)?;
        let page = Arc::make_mut(&mut self.pages.pages[page]);
        if page.cold.is_some() {
            self.cold_bytes -= page.thaw();
            self.cold_rows -= page.rows.len();
        }
        let place = page.place(number)?;
        let row = &mut page.rows[place];
        if row.gone {
            return None;
        }
        if !row.touched {
            row.touched = true;
            self.touched.push(number);
        }
        Some(row)
    }

    /// Ends a change: the row is as the publication `revision` shows it.
    pub(super) fn settle(&mut self, number: u64, revision: u64) {
        let Some(page) = self.pages.page(number) else { return };
        let page = Arc::make_mut(&mut self.pages.pages[page]);
        page.revision = revision;
        if let Some(place) = page.place(number) {
            page.rows[place].touched = false;
            page.rows[place].revision = revision;
        }
    }

    /// Makes new traces known to readers.
    pub(super) fn file(&mut self) {
        let Self { directory, pages, filed, next, some_left, .. } = self;
        let fresh = (*filed..*next).filter_map(|number| Some((pages.id(number)?, number)));
        if *filed < *next {
            let all = !*some_left;
            *some_left &= !directory.add(fresh, |entry| all || pages.id(full(entry, *next)).is_some());
        }
        self.filed = self.next;
    }

    /// Lets a trace go.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(id) = self.pages.id(number) else { return };
        let entry = (self.tag(id), low_half(number));
        let found = self.index.find_entry(spread(entry.0), |other| *other == entry);
        if let Ok(entry) = found {
            entry.remove();
        }
        self.some_left = true;
        if let Some(row) = self.change(number) {
            row.gone = true;
            row.badges = None;
            self.held -= 1;
        }
    }

    /// Has pages rest whose traces began long ago: those that just became old, and some of all, round and round, because
    /// those that get late spans come back.
    pub(super) fn cool(&mut self) {
        let old = self.pages.pages.len().saturating_sub(self.warm.max(1));
        let from = usize::try_from(self.cooled.saturating_sub(self.pages.first)).unwrap_or(old).min(old);
        let to = old.min(from + COOLED);
        (from..to).for_each(|place| self.cool_page(place));
        self.cooled = self.pages.first + to as u64;
        for _ in 0..REVISITED.min(from) {
            self.revisited = if self.revisited + 1 < from { self.revisited + 1 } else { 0 };
            self.cool_page(self.revisited);
        }
    }

    fn cool_page(&mut self, place: usize) {
        let page = &self.pages.pages[place];
        let Some(cold) = ColdPage::of(&page.rows).filter(|_| page.cold.is_none()) else { return };
        self.cold_rows += cold.len();
        self.cold_bytes += cold.bytes();
        let revision = page.revision;
        self.pages.pages[place] = Arc::new(TracePage { revision, rows: Vec::new(), cold: Some(Box::new(cold)) });
    }

    /// Gives back the room of pages whose traces mostly left.
    pub(super) fn compact(&mut self) {
        for page in &mut self.pages.pages {
            let live = page.rows.iter().filter(|row| !row.gone).count();
            if page.cold.is_none() && live * 2 <= page.rows.len() {
                self.rows -= page.rows.len() - live;
                let page = Arc::make_mut(page);
                page.rows.retain(|row| !row.gone);
                fit(&mut page.rows);
            }
        }
        while self.pages.pages.front().is_some_and(|page| page.len() == 0) {
            self.pages.pages.pop_front();
            self.pages.first += 1;
        }
        self.touched.retain(|number| self.pages.id(*number).is_some());
        if self.index.capacity() > 4 * self.index.len() + 64 {
            self.index.shrink_to_fit(|(tag, _)| spread(*tag));
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        (self.rows - self.cold_rows) * size_of::<TraceRow>()
            + self.cold_bytes
            + self.rows * 24
            + self.pages.pages.len() * 64
            + self.index.capacity() * 10
            + self.directory.bytes()
            + usize::try_from(self.held).unwrap_or_default() * LISTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_forgets_traces_that_left() {
        let (mut traces, mut held) = (Traces::default(), VecDeque::new());
        let begin = |traces: &mut Traces, held: &mut VecDeque<u64>, count: u64| {
            for _ in 0..count {
                let id = TraceId((u128::from(traces.next) << 64 | 1).to_be_bytes());
                held.push_back(traces.find_or_begin(id, SourceId::default(), Timestamp(1)));
            }
            traces.file();
        };
        for _ in 0..500 {
            begin(&mut traces, &mut held, 300);
            // Then some leave, a few come, and again many: when runs are merged, none has left since the last time.
            while held.len() > 300 {
                held.pop_front().into_iter().for_each(|number| traces.remove(number));
            }
            begin(&mut traces, &mut held, 1);
        }
        let entries: usize = traces.directory.runs.iter().map(|run| run.len()).sum();
        assert!(entries < 2_000, "{entries} entries for {} traces", traces.held);
    }
}

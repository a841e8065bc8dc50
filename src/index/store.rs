//! All rows that are held, from the oldest closed segment to the chunk that is being filled.

use std::sync::Arc;

use super::batch::{Batch, Figures};
use super::chain::{Chain, Found, Place};
use super::chunk::Chunk;
use super::dictionary::Dictionary;
use super::intake::Intake;
use super::sealed::Depth;
use super::segment::{RowRef, Segment, is_set, set};
use super::spare::Spare;
use super::traces::low_half;
use crate::model::{Receipt, SourceId, Timestamp};
use crate::otlp::reader::{WireError, read_spans};

/// Rows after which a segment is closed, whatever the budget.
const SEGMENT_ROWS: u64 = 2 << 20;

/// The largest body that is read, so that offsets fit.
const MAX_BODY: usize = 256 << 20;

/// A chunk that is not frozen yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) chunk: Chunk,
    /// As [`super::segment::Piece::dead`].
    pub(super) dead: Vec<u64>,
}

/// A segment that takes no more rows.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) segment: Arc<Segment>,
    /// Bytes held by it.
    pub(super) bytes: usize,
    /// When the last of its spans had come.
    pub(super) last_arrival: Timestamp,
}

/// The rows.
#[derive(Debug)]
pub(super) struct Store {
    /// Oldest first.
    pub(super) closed: Vec<Closed>,
    /// The segment that takes rows: its frozen part.
    pub(super) current: Segment,
    /// What it takes to fill it.
    pub(super) dictionary: Dictionary,
    /// Its rows that are not frozen; never empty, the last is being filled.
    pub(super) drafts: Vec<Draft>,
    /// Bytes of the current segment's pieces.
    pub(super) piece_bytes: usize,
    /// Bytes of all closed segments.
    pub(super) closed_bytes: usize,
    /// Bytes after which a segment is closed.
    segment_budget: usize,
    /// Pieces before this ordinal are sealed or about to be.
    pub(super) settled: u64,
    /// The rows of the latest body by trace; kept for its room.
    pub(super) batch: Batch,
    /// Chunks to be filled again.
    pub(super) spare: Spare,
}

/// Where a body began, to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    /// Ordinal of its first row.
    pub(super) first: u64,
    drafts: usize,
    rows: usize,
    fill: super::chunk::Fill,
}

impl Store {
    pub(super) fn new(segment_budget: usize) -> Self {
        Self {
            closed: Vec::new(),
            current: Segment::new(1),
            dictionary: Dictionary::new(segment_budget / 4),
            drafts: vec![Draft { chunk: Chunk { base: 1, ..Chunk::default() }, dead: Vec::new() }],
            piece_bytes: 0,
            closed_bytes: 0,
            segment_budget,
            settled: 1,
            batch: Batch::default(),
            spare: Spare::new(segment_budget),
        }
    }

    /// The ordinal that the next row will have. Ordinals begin at 1.
    pub(super) fn next(&self) -> u64 {
        self.drafts.last().map_or(self.current.end, |draft| draft.chunk.base + draft.chunk.rows() as u64)
    }

    /// Ordinal of the oldest row held.
    pub(super) fn floor(&self) -> u64 {
        self.closed.first().map_or(self.current.base, |closed| closed.segment.base)
    }

    /// Notes where a body begins.
    pub(super) fn begin(&self) -> Begin {
        let chunk = self.drafts.last().map(|draft| &draft.chunk);
        Begin {
            first: self.next(),
            drafts: self.drafts.len(),
            rows: chunk.map_or(0, Chunk::rows),
            fill: chunk.map(Chunk::fill).unwrap_or_default(),
        }
    }

    /// Forgets all rows since `begin`.
    pub(super) fn roll_back(&mut self, begin: &Begin) {
        self.drafts.truncate(begin.drafts);
        if let Some(draft) = self.drafts.last_mut() {
            draft.chunk.cut_rows(begin.rows);
            draft.chunk.cut(begin.fill);
            draft.dead.truncate(begin.rows.div_ceil(64));
            if let Some(word) = draft.dead.get_mut(begin.rows / 64) {
                *word &= (1 << (begin.rows % 64)) - 1;
            }
        }
    }

    /// Reads a body into drafts and `batch`. Rows that take `least` nanoseconds are notable.
    ///
    /// # Errors
    /// Where its framing is broken; nothing of it is left then.
    pub(super) fn read(&mut self, source: SourceId, body: &[u8], least: u64) -> Result<Receipt, WireError> {
        if body.len() > MAX_BODY {
            return Err(WireError { offset: MAX_BODY, what: "the body is larger than 256 MiB" });
        }
        let begin = self.begin();
        self.batch.clear();
        let Self { dictionary, drafts, batch, spare, .. } = self;
        let mut intake = Intake::new(dictionary, drafts, batch, spare, (source, least));
        let outcome = read_spans(body, &mut intake);
        let receipt = intake.finish();
        if let Err(error) = outcome {
            self.roll_back(&begin);
            return Err(error);
        }
        self.dictionary.sync(&mut self.current);
        Ok(receipt)
    }

    /// A row that is not frozen yet, and whether it no longer counts.
    #[inline]
    fn drafted(&self, ordinal: u64) -> Option<(RowRef<'_>, bool)> {
        let draft = self.drafts.iter().rev().find(|draft| draft.chunk.base <= ordinal)?;
        let row = usize::try_from(ordinal - draft.chunk.base).ok().filter(|row| *row < draft.chunk.rows())?;
        Some((RowRef { segment: &self.current, chunk: &draft.chunk, row }, is_set(&draft.dead, row)))
    }

    /// The row with this ordinal, and whether it no longer counts. Thawed to `depth` where it is sealed.
    pub(super) fn row(&self, ordinal: u64, depth: Depth) -> Option<(Found<'_>, bool)> {
        match self.drafted(ordinal) {
            Some((row, dead)) => Some((Found::hot(row), dead)),
            None => self.segment(ordinal)?.found(ordinal, depth),
        }
    }

    /// Where a link with this ordinal leads.
    fn place(&self, ordinal: u64) -> Option<Place<'_>> {
        match self.drafted(ordinal) {
            Some((row, dead)) => Some(Place::Row { segment: row.segment, chunk: row.chunk, row: row.row, dead }),
            None => self.segment(ordinal)?.place(ordinal),
        }
    }

    fn segment(&self, ordinal: u64) -> Option<&Segment> {
        if ordinal >= self.current.base {
            return Some(&self.current);
        }
        let place = self.closed.partition_point(|closed| closed.segment.base <= ordinal).checked_sub(1)?;
        Some(&self.closed[place].segment)
    }

    /// The chunk of a row that is not frozen yet.
    pub(super) fn draft(&mut self, ordinal: u64) -> Option<(&mut Chunk, usize)> {
        let draft = self.drafts.iter_mut().rev().find(|draft| draft.chunk.base <= ordinal)?;
        let row = usize::try_from(ordinal - draft.chunk.base).ok()?;
        Some((&mut draft.chunk, row))
    }

    /// Takes a row out of account.
    pub(super) fn bury(&mut self, ordinal: u64) {
        if let Some(draft) = self.drafts.iter_mut().rev().find(|draft| draft.chunk.base <= ordinal) {
            set(&mut draft.dead, usize::try_from(ordinal - draft.chunk.base).unwrap_or(usize::MAX));
        } else if ordinal >= self.current.base {
            self.current.bury(ordinal);
        } else if let Some(place) = self.closed.partition_point(|closed| closed.segment.base <= ordinal).checked_sub(1)
        {
            Arc::make_mut(&mut self.closed[place].segment).bury(ordinal);
        }
    }

    /// The rows of a trace (by the low half of its number) that count, from its head on; latest first but for those of
    /// sealed blocks, where later starts come first.
    pub(super) fn chain<'s>(&'s self, from: (u32, u64), depth: Depth) -> Chain<'s, impl Fn(u64) -> Option<Place<'s>>> {
        let floor = self.floor();
        Chain::new(move |ordinal| (ordinal >= floor).then(|| self.place(ordinal))?, from, depth)
    }

    /// The same from a row of the trace on.
    pub(super) fn chain_at<'s>(
        &'s self,
        from: (u32, u64),
        depth: Depth,
    ) -> Chain<'s, impl Fn(u64) -> Option<Place<'s>>> {
        let floor = self.floor();
        Chain::exact(move |ordinal| (ordinal >= floor).then(|| self.place(ordinal))?, from, depth)
    }

    /// The rows of a group, last to first: each is found from the one after it.
    pub(super) fn walk(&self, last: u64, rows: u32) -> impl Iterator<Item = (u64, Found<'_>)> {
        let mut at = last;
        (0..rows).map_while(move |_| {
            let ordinal = at;
            let (found, _) = self.row(ordinal, Depth::Light)?;
            let row = found.get();
            at = ordinal - u64::from(row.chunk.prev[row.row]);
            Some((ordinal, found))
        })
    }

    /// The row that stands for a trace in the list.
    pub(super) fn root(&self, number: u64, figures: &Figures) -> Option<Found<'_>> {
        let place = self.place(figures.root).filter(|_| figures.root >= self.floor())?;
        super::chain::root(place, (low_half(number), figures.root_rank.0), Depth::Light)
    }

    /// Takes a row out of account that is not kept: it is in no chain.
    pub(super) fn refuse(&mut self, ordinal: u64) {
        self.bury(ordinal);
        if let Some((chunk, row)) = self.draft(ordinal) {
            chunk.prev[row] = 0;
        }
    }

    /// Says which traces the rows from `first` on belong to, by the low half of their numbers.
    pub(super) fn set_traces(&mut self, first: u64, numbers: impl Iterator<Item = u32>) {
        let drafts = self.drafts.iter_mut().flat_map(|draft| {
            let from = usize::try_from(first.saturating_sub(draft.chunk.base)).unwrap_or(usize::MAX);
            draft.chunk.trace.iter_mut().skip(from)
        });
        for (trace, number) in drafts.zip(numbers) {
            *trace = number;
        }
    }

    /// Freezes full drafts, and the one that is being filled too where `all` says so.
    pub(super) fn freeze(&mut self, all: bool) {
        let keep = usize::from(!all && self.drafts.last().is_none_or(|draft| !draft.chunk.is_full()));
        let count = self.drafts.len() - keep;
        if count == 0 || (keep == 0 && self.drafts.iter().all(|draft| draft.chunk.rows() == 0)) {
            return;
        }
        let mut open = Draft::default();
        if let Some(last) = self.drafts.last().filter(|_| keep == 0) {
            open.chunk = self.spare.after(&last.chunk);
        }
        let frozen: Vec<Draft> = self.drafts.drain(..count).collect();
        for mut draft in frozen {
            if draft.chunk.rows() > 0 {
                draft.chunk.freeze();
                self.current.push(draft.chunk, draft.dead, self.settled);
            }
        }
        if keep == 0 {
            self.drafts.push(open);
        }
        self.piece_bytes = self.current.pieces.iter().map(super::segment::Piece::bytes).sum();
    }

    /// Whether it is time to close the current segment.
    pub(super) fn is_segment_full(&self) -> bool {
        self.next() - self.current.base >= SEGMENT_ROWS || self.current_bytes() >= self.segment_budget
    }

    /// Closes the current segment and begins the next. `last_arrival` is when the last span came.
    pub(super) fn close_segment(&mut self, last_arrival: Timestamp) {
        self.freeze(true);
        let next = self.next();
        let mut segment = std::mem::replace(&mut self.current, Segment::new(next));
        segment.close();
        self.dictionary = Dictionary::new(self.segment_budget / 4);
        self.drafts = vec![Draft { chunk: Chunk { base: next, ..Chunk::default() }, dead: Vec::new() }];
        let bytes = self.piece_bytes + segment.dictionary_bytes();
        self.piece_bytes = 0;
        self.closed_bytes += bytes;
        self.closed.push(Closed { segment: Arc::new(segment), bytes, last_arrival });
    }

    /// Lets go of the oldest closed segment.
    pub(super) fn drop_oldest(&mut self) {
        if !self.closed.is_empty() {
            self.closed_bytes -= self.closed.remove(0).bytes;
        }
    }

    fn current_bytes(&self) -> usize {
        let drafts: usize = self.drafts.iter().map(|draft| draft.chunk.bytes() + draft.dead.capacity() * 8).sum();
        drafts
            + self.piece_bytes
            + self.current.dictionary_bytes()
            + self.dictionary.bytes()
            + self.batch.bytes()
            + self.spare.bytes()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.closed_bytes + self.current_bytes()
    }
}

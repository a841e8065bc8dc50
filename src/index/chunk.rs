//! A run of rows in columns.
//!
//! The writer fills a chunk, then freezes it behind an `Arc`. Rows have ordinals that only grow: a chunk holds those
//! from `base` on, so small chunks can be joined without any reference to a row changing.

use super::room::fit;
use super::word::Word;

/// Rows after which a chunk is full.
pub(super) const CHUNK_ROWS: usize = 8192;

/// Bytes of text after which a chunk is full, so that offsets fit into a [`Word`].
pub(super) const CHUNK_TEXT: usize = 16 << 20;

/// Bits of [`Chunk::marks`].
pub(super) mod mark {
    /// It has events: worth a look for exceptions.
    pub(crate) const EVENTS: u8 = 1;
    /// It has an attribute `error.type`.
    pub(crate) const ERROR_TYPE: u8 = 2;
    /// The summary hook called it a slow database span.
    pub(crate) const SLOW: u8 = 4;
    /// Attributes beyond the shape stand in a last word as a message.
    pub(crate) const MORE: u8 = 8;
    /// It has extras.
    pub(crate) const EXTRAS: u8 = 16;
    /// By its attribute keys and kind it may be a call to a database or, as a client, over HTTP.
    pub(crate) const CALL: u8 = 32;
}

/// The columns. All row columns have the same length.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// Ordinal of the first row.
    pub(super) base: u64,
    /// The low half of the trace's number.
    pub(super) trace: Vec<u32>,
    /// Span id.
    pub(super) span_id: Vec<[u8; 8]>,
    /// Parent's span id; zero for none.
    pub(super) parent: Vec<[u8; 8]>,
    /// Start in nanoseconds.
    pub(super) start: Vec<u64>,
    /// End in nanoseconds, as sent.
    pub(super) end: Vec<u64>,
    /// How many ordinals before it the previous row of its trace is; zero where there is none.
    pub(super) prev: Vec<u32>,
    /// Service, name and kind: place among the segment's operations.
    pub(super) operation: Vec<u32>,
    /// The attribute keys in order: place among the segment's shapes.
    pub(super) shape: Vec<u32>,
    /// Resource, scope and source: place among the segment's origins.
    pub(super) origin: Vec<u32>,
    /// Trace flags.
    pub(super) flags: Vec<u32>,
    /// Status code; [`ODD_STATUS`] where the number stands in the extras.
    pub(super) status: Vec<u8>,
    /// See [`mark`].
    pub(super) marks: Vec<u8>,
    /// Where its values begin in `words`.
    pub(super) values_at: Vec<u32>,
    /// Attribute values of all rows, row by row.
    pub(super) words: Vec<Word>,
    /// Numbers that do not fit into a word.
    pub(super) wide: Vec<u64>,
    /// Texts that are not in the dictionary, and other bytes, each after its length.
    pub(super) text: Vec<u8>,
    /// Rows that have something few rows have, ascending, and where it begins in `extras`.
    pub(super) extra_rows: Vec<(u32, u32)>,
    /// What few rows have: see [`super::extras`].
    pub(super) extras: Vec<u8>,
    /// Least and greatest start, least and greatest duration; set when frozen.
    pub(super) bounds: Bounds,
}

/// Marks a status code that is none of the usual ones.
pub(super) const ODD_STATUS: u8 = 255;

/// What a selection can skip a whole chunk by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    pub(super) start: (u64, u64),
    pub(super) duration: (u64, u64),
}

/// How full the arenas of a chunk were: what to cut back to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fill {
    pub(super) words: usize,
    pub(super) wide: usize,
    pub(super) text: usize,
    pub(super) extra_rows: usize,
    pub(super) extras: usize,
}

/// Gives room back where it is worth copying what there is.
fn trim<T>(list: &mut Vec<T>) {
    if list.capacity() - list.len() > list.len() / 8 + 64 {
        fit(list);
    }
}

/// Appends bytes. The few of most texts in two pieces of a fixed size that overlap: a call for any number of them takes
/// twice as long.
#[inline]
fn copy(bytes: &[u8], into: &mut Vec<u8>) {
    let end = into.len() + bytes.len();
    match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>(), bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail), ..) if bytes.len() <= 32 => {
            into.extend_from_slice(head);
            into.truncate(end - 16);
            into.extend_from_slice(tail);
        }
        (None, None, Some(head), Some(tail)) => {
            into.extend_from_slice(head);
            into.truncate(end - 8);
            into.extend_from_slice(tail);
        }
        _ => into.extend_from_slice(bytes),
    }
}

/// A length as a column has it. Chunks are cut long before it could not fit.
pub(super) fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Chunk {
    /// An empty chunk with room for about as many rows and bytes as `like` has.
    pub(super) fn like(base: u64, like: &Self) -> Self {
        let rows = (like.rows() * 2).clamp(64, CHUNK_ROWS);
        // With some room to spare, less than what is worth giving back: growing copies all that is there, as does that.
        let share = |length: usize| match length {
            0 => 0,
            length => length * rows / like.rows().max(1) / 32 * 33 + 64,
        };
        Self {
            base,
            trace: Vec::with_capacity(rows),
            span_id: Vec::with_capacity(rows),
            parent: Vec::with_capacity(rows),
            start: Vec::with_capacity(rows),
            end: Vec::with_capacity(rows),
            prev: Vec::with_capacity(rows),
            operation: Vec::with_capacity(rows),
            shape: Vec::with_capacity(rows),
            origin: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            status: Vec::with_capacity(rows),
            marks: Vec::with_capacity(rows),
            values_at: Vec::with_capacity(rows),
            words: Vec::with_capacity(share(like.words.len())),
            wide: Vec::with_capacity(share(like.wide.len())),
            text: Vec::with_capacity(share(like.text.len()).min(CHUNK_TEXT)),
            extra_rows: Vec::with_capacity(share(like.extra_rows.len())),
            extras: Vec::with_capacity(share(like.extras.len()).min(CHUNK_TEXT)),
            bounds: Bounds::default(),
        }
    }

    /// How many rows it has.
    #[inline]
    pub(super) fn rows(&self) -> usize {
        self.span_id.len()
    }

    /// Whether another row belongs into the next chunk.
    pub(super) fn is_full(&self) -> bool {
        self.rows() >= CHUNK_ROWS || self.text.len() >= CHUNK_TEXT || self.extras.len() >= CHUNK_TEXT
    }

    /// The words of a row.
    #[inline]
    pub(super) fn values(&self, row: usize) -> &[Word] {
        let start = self.values_at[row] as usize;
        let end = self.values_at.get(row + 1).map_or(self.words.len(), |end| *end as usize);
        &self.words[start..end]
    }

    /// How full the arenas are.
    #[inline]
    pub(super) fn fill(&self) -> Fill {
        Fill {
            words: self.words.len(),
            wide: self.wide.len(),
            text: self.text.len(),
            extra_rows: self.extra_rows.len(),
            extras: self.extras.len(),
        }
    }

    /// Cuts the arenas back.
    pub(super) fn cut(&mut self, fill: Fill) {
        self.words.truncate(fill.words);
        self.wide.truncate(fill.wide);
        self.text.truncate(fill.text);
        self.extra_rows.truncate(fill.extra_rows);
        self.extras.truncate(fill.extras);
    }

    /// Cuts the rows from `rows` on.
    pub(super) fn cut_rows(&mut self, rows: usize) {
        self.trace.truncate(rows);
        self.span_id.truncate(rows);
        self.parent.truncate(rows);
        self.start.truncate(rows);
        self.end.truncate(rows);
        self.prev.truncate(rows);
        self.operation.truncate(rows);
        self.shape.truncate(rows);
        self.origin.truncate(rows);
        self.flags.truncate(rows);
        self.status.truncate(rows);
        self.marks.truncate(rows);
        self.values_at.truncate(rows);
    }

    /// Bytes after their length, at an offset that was answered by [`Self::push_bytes`].
    #[inline]
    pub(super) fn bytes_at(&self, at: u32) -> &[u8] {
        let rest = self.text.get(at as usize..).unwrap_or_default();
        match rest {
            [length, rest @ ..] if *length < 255 => rest.get(..usize::from(*length)),
            [_, a, b, c, d, rest @ ..] => rest.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// Appends bytes after their length.
    #[inline]
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> u32 {
        let at = narrow(self.text.len());
        match u8::try_from(bytes.len()) {
            Ok(length) if length < 255 => self.text.push(length),
            _ => {
                self.text.push(255);
                self.text.extend_from_slice(&narrow(bytes.len()).to_le_bytes());
            }
        }
        copy(bytes, &mut self.text);
        at
    }

    /// Appends a number that does not fit into a word.
    pub(super) fn push_wide(&mut self, number: u64) -> u32 {
        self.wide.push(number);
        narrow(self.wide.len() - 1)
    }

    /// The extras of a row; empty where it has none.
    pub(super) fn extras(&self, row: usize) -> &[u8] {
        if self.marks.get(row).is_some_and(|marks| marks & mark::EXTRAS == 0) {
            return &[];
        }
        let Ok(place) = self.extra_rows.binary_search_by_key(&narrow(row), |(row, _)| *row) else {
            return &[];
        };
        let end = self.extra_rows.get(place + 1).map_or(self.extras.len(), |(_, at)| *at as usize);
        self.extras.get(self.extra_rows[place].1 as usize..end).unwrap_or_default()
    }

    /// How long a row took; zero where it ends before it starts.
    #[inline]
    pub(super) fn duration(&self, row: usize) -> u64 {
        self.end[row].saturating_sub(self.start[row])
    }

    /// Settles what is known only once all rows are there, and gives room back.
    pub(super) fn freeze(&mut self) {
        let none = (u64::MAX, 0);
        let widen = |(least, most): (u64, u64), value: u64| (value.min(least), value.max(most));
        let times = self.start.iter().zip(&self.end);
        let (start, duration) = times.fold((none, none), |(starts, durations), (start, end)| {
            (widen(starts, *start), widen(durations, end.saturating_sub(*start)))
        });
        self.bounds = if self.rows() == 0 { Bounds::default() } else { Bounds { start, duration } };
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.rows() < CHUNK_ROWS {
            fit(&mut self.trace);
            fit(&mut self.span_id);
            fit(&mut self.parent);
            fit(&mut self.start);
            fit(&mut self.end);
            fit(&mut self.prev);
            fit(&mut self.operation);
            fit(&mut self.shape);
            fit(&mut self.origin);
            fit(&mut self.flags);
            fit(&mut self.status);
            fit(&mut self.marks);
            fit(&mut self.values_at);
        }
        trim(&mut self.words);
        trim(&mut self.wide);
        trim(&mut self.text);
        trim(&mut self.extra_rows);
        trim(&mut self.extras);
    }

    /// Takes all rows away and keeps the room.
    pub(super) fn clear(&mut self, base: u64) {
        self.base = base;
        self.bounds = Bounds::default();
        self.cut_rows(0);
        self.cut(Fill::default());
    }

    /// Appends the rows of the chunk that follows this one.
    pub(super) fn append(&mut self, next: &Self) {
        let rows = narrow(self.rows());
        let fill = self.fill();
        let (text, wide, words) = (narrow(fill.text), narrow(fill.wide), narrow(fill.words));
        self.trace.extend_from_slice(&next.trace);
        self.span_id.extend_from_slice(&next.span_id);
        self.parent.extend_from_slice(&next.parent);
        self.start.extend_from_slice(&next.start);
        self.end.extend_from_slice(&next.end);
        self.prev.extend_from_slice(&next.prev);
        self.operation.extend_from_slice(&next.operation);
        self.shape.extend_from_slice(&next.shape);
        self.origin.extend_from_slice(&next.origin);
        self.flags.extend_from_slice(&next.flags);
        self.status.extend_from_slice(&next.status);
        self.marks.extend_from_slice(&next.marks);
        self.values_at.extend(next.values_at.iter().map(|at| at + words));
        self.words.extend(next.words.iter().map(|word| word.moved(text, wide)));
        self.wide.extend_from_slice(&next.wide);
        self.text.extend_from_slice(&next.text);
        let extras = narrow(fill.extras);
        self.extra_rows.extend(next.extra_rows.iter().map(|(row, at)| (row + rows, at + extras)));
        self.extras.extend_from_slice(&next.extras);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let row = 4 + 8 + 8 + 8 + 8 + 4 + 4 + 4 + 4 + 4 + 1 + 1 + 4;
        self.span_id.capacity() * row
            + self.words.capacity() * 4
            + self.wide.capacity() * 8
            + self.text.capacity()
            + self.extra_rows.capacity() * 8
            + self.extras.capacity()
            + size_of::<Self>()
    }
}

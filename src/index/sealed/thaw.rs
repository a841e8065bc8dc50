//! Rows of a sealed block as a chunk again.

use std::ops::Range;

use super::super::Rows;
use super::super::chunk::{Chunk, ODD_STATUS, mark, narrow};
use super::super::word::Word;
use super::cells::{Arena, arena_of, with_offset};
use super::pack::FRAME;
use super::pages::Unpacked;
use super::seal::{NOWHERE, unfold};
use super::{Class, Layout, Sealed, start_of};

/// How much of rows is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::index) enum Depth {
    /// What is in fixed columns: ids, parents, times, operation, origin, status, marks. No values, no events.
    Light,
    /// All.
    Whole,
}

/// The layouts of some rows: of each how many come before, and of each row its layout.
struct Spread {
    before: Vec<u32>,
    layouts: Vec<u32>,
}

/// How many rows before a row its parent stands, by how that is folded; wraps where it stands behind it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a block has fewer rows")]
fn distance_of(folded: u64) -> u32 {
    unfold(folded) as u32
}

impl Sealed {
    /// Rows as a chunk whose rows have the same ordinals as here. Each row's link leads to the one before it in its
    /// trace.
    pub(in crate::index) fn thaw(&self, rows: Range<usize>, depth: Depth) -> Chunk {
        let rows = rows.start.min(self.rows())..rows.end.min(self.rows());
        let mut chunk = Chunk { base: self.base + rows.start as u64, ..Chunk::default() };
        self.thaw_runs(&rows, &mut chunk);
        self.thaw_parents(&rows, &mut chunk);
        chunk.span_id.extend_from_slice(&self.span_ids[rows.clone()]);
        let classes = self.class.read(&self.arena, rows.clone());
        for class in &classes {
            let class = self.class_at(*class);
            chunk.operation.push(class.operation);
            chunk.shape.push(self.layouts[class.layout as usize].shape);
            chunk.origin.push(class.origin);
            chunk.flags.push(class.flags);
            chunk.status.push(class.status);
            chunk.marks.push(class.marks);
        }
        if depth == Depth::Light {
            chunk.values_at.resize(rows.len(), 0);
            // Odd status codes stand among the extras.
            if chunk.status.contains(&ODD_STATUS) {
                self.thaw_extras(&rows, &mut chunk);
            }
            return chunk;
        }
        self.thaw_values(&rows, &classes, &mut chunk);
        self.thaw_extras(&rows, &mut chunk);
        chunk
    }

    /// All rows with what links them to others, and nothing else: ids, parents, times, operations.
    pub(in crate::index) fn kin(&self) -> Chunk {
        let rows = 0..self.rows();
        let mut chunk = Chunk { base: self.base, ..Chunk::default() };
        self.thaw_runs(&rows, &mut chunk);
        self.thaw_parents(&rows, &mut chunk);
        chunk.span_id.extend_from_slice(&self.span_ids);
        let classes = self.class.read(&self.arena, rows);
        chunk.operation.extend(classes.into_iter().map(|class| self.class_at(class).operation));
        chunk
    }

    /// A class of [`Self::classes`].
    pub(super) fn class_at(&self, place: u32) -> &Class {
        &self.classes[place as usize]
    }

    fn thaw_runs(&self, rows: &Range<usize>, chunk: &mut Chunk) {
        let from = self.rank_from(rows.start);
        let gaps = self.gaps.read(&self.arena, from.0..rows.end);
        let durations = self.durations.read(&self.arena, rows.clone());
        for column in [&mut chunk.start, &mut chunk.end] {
            column.reserve(rows.len());
        }
        let mut rank = from.1;
        for (trace, own, first_rank, before) in self.runs_within(rows.clone()) {
            for row in own.start.max(from.0)..own.end.min(rows.end) {
                // The rank of the first row is known.
                let gap = if row == from.0 { 0 } else { gaps[row - from.0] };
                rank = if row == own.start { first_rank } else { rank.wrapping_add(gap) };
                if row < rows.start {
                    continue;
                }
                let back = match (row - own.start, before) {
                    (0, 0) => 0,
                    (0, before) => u32::try_from(self.base + row as u64 - before).unwrap_or_default(),
                    _ => 1,
                };
                chunk.trace.push(trace);
                chunk.prev.push(back);
                chunk.start.push(start_of(rank));
                chunk.end.push(start_of(rank).wrapping_add(durations[row - rows.start]));
            }
        }
        let odd = self.backward.partition_point(|(row, _)| (*row as usize) < rows.start);
        for (row, end) in self.backward.iter().skip(odd).take_while(|(row, _)| (*row as usize) < rows.end) {
            chunk.end[*row as usize - rows.start] = *end;
        }
    }

    /// The nearest row at or before `row` whose rank is known, and that rank.
    fn rank_from(&self, row: usize) -> (usize, u64) {
        let frame = row / FRAME;
        (frame * FRAME, self.frame_ranks.get(frame).copied().unwrap_or_default())
    }

    /// When a row starts.
    pub(in crate::index) fn start(&self, row: usize) -> u64 {
        let mut chunk = Chunk::default();
        self.thaw_runs(&(row..row + 1), &mut chunk);
        chunk.start.first().copied().unwrap_or_default()
    }

    /// When rows start.
    pub(super) fn starts(&self, rows: Range<usize>) -> Vec<u64> {
        let mut chunk = Chunk::default();
        self.thaw_runs(&rows, &mut chunk);
        chunk.start
    }

    /// The place of a row's operation.
    pub(in crate::index) fn operation(&self, row: usize) -> u32 {
        self.class_at(self.class.get(&self.arena, row)).operation
    }

    /// A row's span id.
    pub(in crate::index) fn span_id(&self, row: usize) -> [u8; 8] {
        self.span_ids[row]
    }

    /// The parents' ids of all rows; zero for none.
    pub(in crate::index) fn parent_ids(&self) -> Vec<[u8; 8]> {
        let mut chunk = Chunk::default();
        self.thaw_parents(&(0..self.rows()), &mut chunk);
        chunk.parent
    }

    /// Of each row among these the row of its parent in the same trace, [`NOWHERE`] where there is none; rows may be their
    /// own parent.
    pub(in crate::index) fn parent_rows(&self, among: &Rows) -> Vec<u32> {
        let mut parents = vec![NOWHERE; self.rows()];
        let mut frame = [0; FRAME];
        let frames = among.words().chunks(FRAME / 64).zip(parents.chunks_mut(FRAME));
        for ((bits, parents), first) in frames.zip((0..).step_by(FRAME)) {
            if bits.iter().all(|word| *word == 0) {
                continue;
            }
            let codes = self.parents.frame(&self.arena, first, &mut frame);
            for ((row, parent), code) in (narrow(first)..).zip(parents).zip(codes) {
                let found = row.wrapping_sub(distance_of(code.wrapping_sub(2)));
                *parent = if *code < 2 { NOWHERE } else { found };
            }
        }
        parents
    }

    /// Calls `each` with the rows among these whose parent has a row in the same trace, and that row; see
    /// [`Self::parent_rows`].
    pub(in crate::index) fn each_parent_row(&self, among: &Rows, each: &mut impl FnMut(u32, u32)) {
        let mut frame = [0; FRAME];
        for (bits, first) in among.words().chunks(FRAME / 64).zip((0..).step_by(FRAME)) {
            if bits.iter().all(|word| *word == 0) {
                continue;
            }
            let codes = self.parents.frame(&self.arena, first, &mut frame);
            for (bits, (codes, first)) in bits.iter().zip(codes.chunks(64).zip((narrow(first)..).step_by(64))) {
                let mut rest = *bits;
                while rest != 0 {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    if let Some(code) = codes.get(bit as usize).copied().filter(|code| *code >= 2) {
                        let row = first + bit;
                        each(row, row.wrapping_sub(distance_of(code - 2)));
                    }
                }
            }
        }
    }

    /// The ids of all rows.
    pub(in crate::index) fn span_ids(&self) -> &[[u8; 8]] {
        &self.span_ids
    }

    /// The rows that name a parent, as bits.
    pub(in crate::index) fn with_parent(&self) -> Vec<u64> {
        self.parents.within(&self.arena, (1, u64::MAX))
    }

    /// The ids of parents that have no row in the same trace, by row.
    pub(in crate::index) fn odd_parents(&self) -> &[(u32, [u8; 8])] {
        &self.odd_parents
    }

    /// The traces in which rows share an id, by the low halves of their numbers.
    pub(in crate::index) fn sharing(&self) -> &[u32] {
        &self.sharing
    }

    fn thaw_parents(&self, rows: &Range<usize>, chunk: &mut Chunk) {
        chunk.parent.reserve(rows.len());
        let mut odd = self.odd_parents.partition_point(|(row, _)| (*row as usize) < rows.start);
        for (row, code) in rows.clone().zip(self.parents.read(&self.arena, rows.clone())) {
            chunk.parent.push(match code {
                0 => [0; 8],
                1 => {
                    odd += 1;
                    self.odd_parents.get(odd - 1).map_or([0; 8], |(_, id)| *id)
                }
                code => {
                    let distance = isize::try_from(unfold(code - 2)).unwrap_or_default();
                    let parent = row.checked_sub_signed(distance);
                    parent.and_then(|parent| self.span_ids.get(parent)).copied().unwrap_or_default()
                }
            });
        }
    }

    fn spread(&self, first: usize, classes: &[u32]) -> Spread {
        let count = self.layouts.len();
        let entry = first / self.counts_every.max(1);
        let mut before: Vec<u32> = self.counts.iter().skip(entry * count).take(count).copied().collect();
        before.resize(count, 0);
        for class in self.class.read(&self.arena, entry * self.counts_every..first) {
            before[self.class_at(class).layout as usize] += 1;
        }
        Spread { before, layouts: classes.iter().map(|class| self.class_at(*class).layout).collect() }
    }

    fn thaw_values(&self, rows: &Range<usize>, classes: &[u32], chunk: &mut Chunk) {
        let spread = self.spread(rows.start, classes);
        let mut counts = vec![0_usize; self.layouts.len()];
        spread.layouts.iter().for_each(|layout| counts[*layout as usize] += 1);
        let mut open: Vec<Unpacked> = Vec::new();
        open.resize_with(self.streams.len(), Unpacked::default);
        // The words of each layout, column by column.
        let mut words: Vec<Vec<Word>> = vec![Vec::new(); self.layouts.len()];
        for (layout, count) in counts.iter().copied().enumerate().filter(|(_, count)| *count > 0) {
            let before = spread.before[layout] as usize;
            let Layout { first_column, columns, .. } = self.layouts[layout];
            for column in first_column..first_column + columns {
                let from = words[layout].len();
                let column = &self.columns[column as usize];
                words[layout].extend(column.read(&self.arena, before..before + count));
                self.thaw_contents(column, before, (&mut words[layout][from..], &mut open, chunk));
            }
        }
        let mut taken = vec![0_usize; self.layouts.len()];
        for layout in spread.layouts.iter().map(|layout| *layout as usize) {
            chunk.values_at.push(narrow(chunk.words.len()));
            let columns = self.layouts[layout].columns as usize;
            let own = (0..columns).map(|column| words[layout][column * counts[layout] + taken[layout]]);
            chunk.words.extend(own);
            taken[layout] += 1;
        }
    }

    /// Copies what the words of a column stand for into the chunk, and points them at it.
    fn thaw_contents(
        &self,
        column: &super::Column,
        before: usize,
        (words, open, chunk): (&mut [Word], &mut [Unpacked], &mut Chunk),
    ) {
        if words.iter().all(|word| arena_of(*word) == Arena::None) {
            return;
        }
        let (strings, numbers) = column.offsets(&self.arena, 0..before);
        let mut string = column.strings_from as usize + strings;
        let wide = words.iter().filter(|word| arena_of(**word) == Arena::Wide).count();
        let number = column.wide_from as usize + numbers;
        let mut wide = self.wide.read(&self.arena, number..number + wide).into_iter();
        let stream = self.streams.get(column.stream as usize).map(|(_, stream)| *stream).unwrap_or_default();
        let page = &mut open[column.stream as usize];
        for word in words {
            match arena_of(*word) {
                Arena::None => {}
                Arena::Wide => *word = with_offset(*word, chunk.push_wide(wide.next().unwrap_or_default())),
                Arena::String => {
                    if page.get(string).is_none() {
                        stream.unpack(self.store(), string, page);
                    }
                    *word = with_offset(*word, chunk.push_bytes(page.get(string).unwrap_or_default()));
                    string += 1;
                }
            }
        }
    }

    fn thaw_extras(&self, rows: &Range<usize>, chunk: &mut Chunk) {
        if !chunk.marks.iter().any(|marks| marks & mark::EXTRAS != 0) {
            return;
        }
        let first = self.extra_rows.partition(&self.arena, |row| (row as usize) < rows.start);
        let mut page = Unpacked::default();
        for place in first..self.extra_rows.len() {
            let row = self.extra_rows.get(&self.arena, place) as usize;
            if row >= rows.end {
                break;
            }
            if page.get(place).is_none() {
                self.extras.unpack(self.store(), place, &mut page);
            }
            chunk.extra_rows.push((narrow(row - rows.start), narrow(chunk.extras.len())));
            chunk.extras.extend_from_slice(page.get(place).unwrap_or_default());
        }
    }
}

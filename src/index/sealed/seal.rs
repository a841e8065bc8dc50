//! Seals chunks.

use hashbrown::HashMap;

use super::super::chunk::{Bounds, Chunk, narrow};
use super::super::paged::Paged;
use super::super::room::{fit, settle};
use super::super::segment::{Shape, is_set, keys_of};
use super::super::word::{Slot, Word};
use super::cells::{Arena, Column, arena_of, without_offset};
use super::extra::ExtraKeys;
use super::pack::{Bits, FRAME, Frames};
use super::pages::{Page, StreamWriter};
use super::runs::{Run, Runs};
use super::{Class, Layout, Sealed, rank};

/// Stands for the messages of attributes that have no place in a shape.
pub(super) const BEYOND: u32 = u32::MAX;

/// Says of a row that it is not in the block.
pub(in crate::index) const NOWHERE: u32 = u32::MAX;

/// A chunk to seal, and which of its rows no longer count.
pub(in crate::index) type Part<'a> = (&'a Chunk, &'a [u64]);

/// A row on its way into the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    trace: u32,
    rank: u64,
    span_id: [u8; 8],
    part: u32,
    row: u32,
}

/// What a block is made of while it is being made.
struct Sealing<'a> {
    parts: &'a [Part<'a>],
    /// The live rows in their new order.
    rows: Vec<Source>,
    sealed: Sealed,
}

/// Seals chunks that follow each other, the first of which begins at `base`. Answers also, for each ordinal from there
/// on, which row it became ([`NOWHERE`] where it was dead).
pub(in crate::index) fn seal(base: u64, parts: &[Part<'_>], shapes: &Paged<Shape>) -> (Sealed, Vec<u32>) {
    let mut rows = Vec::new();
    for (part, (chunk, dead)) in (0..).zip(parts) {
        let live = (0..chunk.rows()).filter(|row| !is_set(dead, *row));
        rows.extend(live.map(|row| Source {
            trace: chunk.trace[row],
            rank: rank(chunk.start[row]),
            span_id: chunk.span_id[row],
            part,
            row: narrow(row),
        }));
    }
    rows.sort_unstable();
    let mut sealing = Sealing { parts, rows, sealed: Sealed { base, ..Sealed::default() } };
    let places = sealing.places(base);
    sealing.times();
    sealing.identities();
    sealing.classes();
    sealing.values(shapes);
    sealing.extras();
    sealing.sealed.hot_bytes = hot_bytes(parts);
    sealing.sealed.shrink();
    (sealing.sealed, places)
}

fn hot_bytes(parts: &[Part<'_>]) -> u32 {
    let bytes: usize = parts.iter().map(|(chunk, _)| chunk.bytes()).sum();
    let rows: usize = parts.iter().map(|(chunk, _)| chunk.rows()).sum();
    narrow(bytes / rows.max(1))
}

impl Sealing<'_> {
    fn chunk(&self, source: Source) -> (&Chunk, usize) {
        (self.parts[source.part as usize].0, source.row as usize)
    }

    /// Which row each ordinal became.
    fn places(&self, base: u64) -> Vec<u32> {
        let end = self.parts.last().map_or(base, |(chunk, _)| chunk.base + chunk.rows() as u64);
        let mut places = vec![NOWHERE; usize::try_from(end - base).unwrap_or_default()];
        for (place, source) in (0..).zip(&self.rows) {
            let at = self.parts[source.part as usize].0.base - base + u64::from(source.row);
            places[usize::try_from(at).unwrap_or_default()] = place;
        }
        places
    }

    /// Runs, starts, durations.
    fn times(&mut self) {
        let mut before = self.links_out();
        let mut runs: Vec<Run> = Vec::new();
        let (mut gaps, mut durations) = (Vec::new(), Vec::new());
        let mut bounds = Bounds { start: (u64::MAX, 0), duration: (u64::MAX, 0) };
        let mut last = 0;
        for (place, source) in (0..).zip(&self.rows) {
            let (chunk, row) = self.chunk(*source);
            if runs.last().is_none_or(|run| run.trace != source.trace) {
                let before = before.remove(&source.trace).unwrap_or_default();
                runs.push(Run { trace: source.trace, first: place, rank: source.rank, before });
                last = source.rank;
            }
            gaps.push(source.rank - last);
            last = source.rank;
            let (start, duration) = (chunk.start[row], chunk.duration(row));
            durations.push(duration);
            bounds.start = (bounds.start.0.min(start), bounds.start.1.max(start));
            bounds.duration = (bounds.duration.0.min(duration), bounds.duration.1.max(duration));
            if chunk.end[row] < start {
                self.sealed.backward.push((place, chunk.end[row]));
            }
        }
        // Traces of which all rows here are dead go on before this block all the same.
        runs.extend(before.into_iter().map(|(trace, before)| Run { trace, first: 0, rank: 0, before }));
        runs.sort_by_key(|run| run.trace);
        let mut first = narrow(self.rows.len());
        let is_empty = |run: &Run| self.rows.get(run.first as usize).is_none_or(|row| row.trace != run.trace);
        for run in runs.iter_mut().rev() {
            first = if is_empty(run) { first } else { run.first };
            run.first = first;
        }
        let arena = &mut self.sealed.arena;
        self.sealed.runs = Runs::put(&runs, arena);
        self.sealed.gaps = Frames::put(&gaps, arena);
        self.sealed.durations = Frames::put(&durations, arena);
        self.sealed.frame_ranks = self.rows.iter().step_by(FRAME).map(|source| source.rank).collect();
        self.sealed.bounds = if self.rows.is_empty() { Bounds::default() } else { bounds };
    }

    /// For each trace the link that leads out of the block: to its latest row before it.
    fn links_out(&self) -> HashMap<u32, u64> {
        let base = self.sealed.base;
        let mut links = HashMap::new();
        for (chunk, _) in self.parts {
            let back = chunk.prev.iter().enumerate().filter(|(_, back)| **back != 0);
            for (row, back) in back {
                let target = (chunk.base + row as u64).saturating_sub(u64::from(*back));
                if target < base && target > 0 {
                    let link = links.entry(chunk.trace[row]).or_insert(target);
                    *link = target.max(*link);
                }
            }
        }
        links
    }

    /// Span ids and parents.
    fn identities(&mut self) {
        let mut parents = Vec::with_capacity(self.rows.len());
        let mut places: HashMap<[u8; 8], usize> = HashMap::new();
        let mut first = 0;
        for run in self.rows.chunk_by(|one, other| one.trace == other.trace) {
            places.clear();
            // From the end, so that the first of several with an id is found.
            places.extend(run.iter().enumerate().rev().map(|(place, source)| (source.span_id, place)));
            if places.len() < run.len() {
                self.sealed.sharing.extend(run.first().map(|source| source.trace));
            }
            for (place, source) in run.iter().enumerate() {
                let (chunk, row) = self.chunk(*source);
                let parent = chunk.parent[row];
                parents.push(match places.get(&parent) {
                    _ if parent == [0; 8] => 0,
                    Some(other) => 2 + fold(place.cast_signed() - other.cast_signed()),
                    None => {
                        self.sealed.odd_parents.push((narrow(first + place), parent));
                        1
                    }
                });
            }
            first += run.len();
        }
        self.sealed.parents = Frames::put(&parents, &mut self.sealed.arena);
        self.sealed.span_ids = self.rows.iter().map(|source| source.span_id).collect();
    }

    /// Classes and layouts.
    fn classes(&mut self) {
        let mut classes: HashMap<Class, u32> = HashMap::new();
        let mut layouts: HashMap<(u32, u32), u32> = HashMap::new();
        let mut column = Vec::with_capacity(self.rows.len());
        let mut list = Vec::new();
        for source in &self.rows {
            let (chunk, row) = self.chunk(*source);
            let (shape, columns) = (chunk.shape[row], narrow(chunk.values(row).len()));
            let layout = *layouts.entry((shape, columns)).or_insert_with(|| {
                list.push(Layout { shape, rows: 0, first_column: 0, columns });
                narrow(list.len() - 1)
            });
            list[layout as usize].rows += 1;
            let class = Class {
                operation: chunk.operation[row],
                origin: chunk.origin[row],
                flags: chunk.flags[row],
                layout,
                status: chunk.status[row],
                marks: chunk.marks[row],
            };
            column.push(*classes.entry(class).or_insert_with(|| {
                self.sealed.classes.push(class);
                narrow(self.sealed.classes.len() - 1)
            }));
        }
        self.sealed.class = Bits::put(&column, &mut self.sealed.arena);
        self.sealed.layouts = list;
        self.count(&column);
    }

    /// Notes how many rows of each layout come before every so many rows: a quarter of a byte a row at most.
    fn count(&mut self, column: &[u32]) {
        let layouts = self.sealed.layouts.len();
        let every = (layouts * 16).next_power_of_two().max(1024);
        let mut counts = vec![0; layouts];
        for (place, class) in column.iter().enumerate() {
            if place % every == 0 {
                self.sealed.counts.extend_from_slice(&counts);
            }
            counts[self.sealed.classes[*class as usize].layout as usize] += 1;
        }
        self.sealed.counts_every = every;
    }

    /// The attribute values.
    fn values(&mut self, shapes: &Paged<Shape>) {
        let mut members: Vec<Vec<Source>> = vec![Vec::new(); self.sealed.layouts.len()];
        let column = self.sealed.class.read(&self.sealed.arena, 0..self.rows.len());
        for (source, class) in self.rows.iter().zip(column) {
            members[self.sealed.classes[class as usize].layout as usize].push(*source);
        }
        let mut streams: Vec<(u32, StreamWriter)> = Vec::new();
        let mut by_key: HashMap<u32, usize> = HashMap::new();
        let mut wide: Vec<u64> = Vec::new();
        let mut table: Vec<Word> = Vec::new();
        for (layout, members) in members.iter().enumerate() {
            let keys = keys_of(shapes, self.sealed.layouts[layout].shape);
            self.sealed.layouts[layout].first_column = narrow(self.sealed.columns.len());
            self.turn(members, self.sealed.layouts[layout].columns as usize, &mut table);
            for (place, words) in table.chunks_exact_mut(members.len().max(1)).enumerate() {
                let key = keys.get(place).copied().unwrap_or(BEYOND);
                let stream = *by_key.entry(key).or_insert_with(|| {
                    streams.push((key, StreamWriter::default()));
                    streams.len() - 1
                });
                let writer = &mut streams[stream].1;
                let from = (narrow(stream), narrow(writer.len()), narrow(wide.len()));
                for (source, word) in members.iter().zip(words.iter_mut()) {
                    let chunk = self.parts[source.part as usize].0;
                    match arena_of(*word) {
                        Arena::String => writer.push(string(chunk, *word)),
                        Arena::Wide => wide.push(number(chunk, *word)),
                        Arena::None => {}
                    }
                    *word = without_offset(*word);
                }
                self.sealed.columns.push(Column::put(words, from, &mut self.sealed.arena));
            }
        }
        let Sealed { arena, pages, streams: list, wide: numbers, .. } = &mut self.sealed;
        list.extend(streams.into_iter().map(|(key, writer)| (key, writer.finish(arena, pages))));
        *numbers = Frames::put(&wide, arena);
    }

    /// The words of rows with as many columns each, column by column. The rows stand anywhere, so each is gone to once.
    fn turn(&self, members: &[Source], columns: usize, table: &mut Vec<Word>) {
        table.clear();
        table.resize(members.len() * columns, Word(0));
        for (at, source) in members.iter().enumerate() {
            let (chunk, row) = self.chunk(*source);
            for (column, word) in table.chunks_exact_mut(members.len()).zip(chunk.values(row)) {
                column[at] = *word;
            }
        }
    }

    fn extras(&mut self) {
        let (mut rows, mut writer, mut keys) = (Vec::new(), StreamWriter::default(), ExtraKeys::default());
        for (place, source) in (0..).zip(&self.rows) {
            let (chunk, row) = self.chunk(*source);
            let extras = chunk.extras(row);
            if !extras.is_empty() {
                rows.push(place);
                writer.push(extras);
                keys.add(extras);
            }
        }
        let Sealed { arena, pages, extra_rows, extras, extra_keys, .. } = &mut self.sealed;
        *extra_rows = Bits::put(&rows, arena);
        *extras = writer.finish(arena, pages);
        *extra_keys = keys;
    }
}

/// Small for distances that are small either way.
fn fold(distance: isize) -> u64 {
    (distance << 1 ^ distance >> (isize::BITS - 1)).cast_unsigned() as u64
}

/// The distance again.
pub(super) fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
}

fn string(chunk: &Chunk, word: Word) -> &[u8] {
    match word.slot() {
        Slot::Text(at) | Slot::Bytes(at) | Slot::Message(at) => chunk.bytes_at(at),
        _ => &[],
    }
}

fn number(chunk: &Chunk, word: Word) -> u64 {
    match word.slot() {
        Slot::Int(at) | Slot::Double(at) => chunk.wide.get(at as usize).copied().unwrap_or_default(),
        _ => 0,
    }
}

impl Sealed {
    fn shrink(&mut self) {
        fit(&mut self.arena);
        settle(self.pages.iter_mut().map(Page::packed));
        fit(&mut self.pages);
        fit(&mut self.classes);
        fit(&mut self.span_ids);
        fit(&mut self.odd_parents);
        fit(&mut self.sharing);
        fit(&mut self.frame_ranks);
        fit(&mut self.backward);
        fit(&mut self.layouts);
        fit(&mut self.columns);
        fit(&mut self.streams);
        fit(&mut self.counts);
    }
}

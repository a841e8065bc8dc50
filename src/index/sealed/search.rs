//! Selections on attribute values, without thawing rows: each distinct word is asked about once a column, each page of
//! strings is unpacked once.

use super::super::Rows;
use super::super::chunk::narrow;
use super::super::sieve::Sieve;
use super::super::word::{Slot, Word};
use super::cells::{Arena, Column, arena_of};
use super::pack::{FRAME, passing};
use super::pages::Unpacked;
use super::seal::BEYOND;
use super::{Layout, Sealed};

/// A value, where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::index) enum Cell<'a> {
    /// The word is all.
    Plain(Word),
    /// A number that did not fit into the word.
    Wide(Word, u64),
    /// What the word stands for; it is UTF-8.
    Text(Word, &'a str),
    /// What the word stands for.
    Bytes(Word, &'a [u8]),
    /// The messages of all attributes that have no place in the shape.
    Beyond(&'a [u8]),
}

/// What is known of values that pass.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::index) struct Sought<'p> {
    /// Texts have this in them, see [`super::super::block::part_of`]; empty: nothing is known of them.
    pub(in crate::index) part: &'p str,
    /// Only texts pass.
    pub(in crate::index) texts: bool,
    /// All pass.
    pub(in crate::index) any: bool,
}

/// Takes a cell of a row.
type EachCell<'e> = &'e mut dyn FnMut(u32, Cell<'_>);

/// Rows of one layout that follow each other.
struct Slice<'s> {
    /// How many were looked at.
    taken: usize,
    columns: Vec<Cells<'s>>,
}

/// The cells of some rows in a column.
struct Cells<'s> {
    column: &'s Column,
    words: Vec<Word>,
    /// How many rows of the layout come before the end of these.
    end: usize,
    /// Places of the next string and the next wide number.
    string: usize,
    number: usize,
}

impl Slice<'_> {
    /// Goes on to other rows of the layout, which come after these.
    fn go_on(&mut self, arena: &[u32], rows: std::ops::Range<usize>) {
        self.taken = 0;
        for cells in &mut self.columns {
            let (strings, numbers) = cells.column.offsets(arena, cells.end..rows.start);
            cells.string += strings;
            cells.number += numbers;
            cells.words = cells.column.read(arena, rows.clone());
            cells.end = rows.end;
        }
    }
}

/// Asks about the cells of columns.
struct Search<'s> {
    sealed: &'s Sealed,
    /// An unpacked page of each stream: columns ask for strings in the order they stand in.
    open: Vec<Unpacked>,
    /// What texts that pass have in them; `None`: nothing is known of them.
    sieve: Option<Sieve<'s>>,
    sought: &'s Sought<'s>,
    test: &'s mut dyn FnMut(Cell<'_>) -> bool,
}

impl Sealed {
    /// Rows with a value that passes in one of the columns that `wanted` names, by shape and number of values.
    pub(in crate::index) fn select_values(
        &self,
        sought: &Sought<'_>,
        wanted: &mut dyn FnMut(u32, u32) -> Vec<u32>,
        test: &mut dyn FnMut(Cell<'_>) -> bool,
    ) -> Rows {
        let mut open = Vec::new();
        open.resize_with(self.streams.len(), Default::default);
        let mut search = Search { sealed: self, open, sieve: Sieve::new(sought.part), sought, test };
        let mut found: Vec<Vec<u64>> = Vec::with_capacity(self.layouts.len());
        for layout in &self.layouts {
            let mut bits = Vec::new();
            for place in wanted(layout.shape, layout.columns) {
                search.column(layout, &self.columns[(layout.first_column + place) as usize], &mut bits);
            }
            found.push(bits);
        }
        self.spread_out(&found)
    }

    /// Rows from bits by layout and place among its rows.
    fn spread_out(&self, found: &[Vec<u64>]) -> Rows {
        let set: Vec<usize> =
            found.iter().map(|bits| bits.iter().map(|word| word.count_ones() as usize).sum()).collect();
        if set.iter().zip(&self.layouts).all(|(set, layout)| *set == 0 || *set == layout.rows as usize) {
            return self.select_class(&mut |class| set[class.layout as usize] > 0);
        }
        // Layouts none of whose rows pass share bits that are all clear.
        let clear = vec![0; self.rows().div_ceil(64)];
        let passing: Vec<&[u64]> =
            found.iter().zip(&set).map(|(bits, set)| if *set == 0 { &clear[..] } else { &bits[..] }).collect();
        let mut words = vec![0; self.rows().div_ceil(64)];
        let layouts: Vec<usize> = self.classes.iter().map(|class| class.layout as usize).collect();
        let mut frame = [0; FRAME];
        let every = self.counts_every.max(FRAME);
        for (entry, from) in (0..self.rows()).step_by(every).enumerate() {
            // How many rows of each layout come before: where none of those here has a bit set, they are passed over.
            let before = |entry: usize| self.counts.iter().skip(entry * found.len()).take(found.len());
            let mut taken: Vec<usize> = before(entry).map(|count| *count as usize).collect();
            taken.resize(found.len(), 0);
            let mut ends = before(entry + 1).map(|count| *count as usize);
            if !found.iter().zip(&taken).any(|(bits, from)| any_set(bits, *from..ends.next().unwrap_or(usize::MAX))) {
                continue;
            }
            for first in (from..(from + every).min(self.rows())).step_by(FRAME) {
                let classes = self.class.frame(&self.arena, first, &mut frame);
                for (word, classes) in words[first / 64..].iter_mut().zip(classes.chunks(64)) {
                    let mut bits = 0;
                    for (at, class) in classes.iter().enumerate() {
                        let layout = layouts[*class as usize];
                        let place = taken[layout];
                        taken[layout] = place + 1;
                        bits |= (passing[layout][place / 64] >> (place % 64) & 1) << at;
                    }
                    *word = bits;
                }
            }
        }
        Rows::from_words(words)
    }

    /// Calls `each` with the class of every row.
    pub(in crate::index) fn each_row_class(&self, each: &mut dyn FnMut(u32, &super::Class)) {
        let mut frame = [0; FRAME];
        for first in (0..self.rows()).step_by(FRAME) {
            for (row, class) in (first..).zip(self.class.frame(&self.arena, first, &mut frame)) {
                each(narrow(row), self.class_at(*class));
            }
        }
    }

    /// Gives each row that has none yet (0) what its class comes to; each class is asked once.
    pub(in crate::index) fn map_class(&self, value: &mut dyn FnMut(&super::Class) -> u32, of: &mut [u32]) {
        let values: Vec<u32> = self.classes.iter().map(value).collect();
        let mut frame = [0; FRAME];
        for (of, first) in of.chunks_mut(FRAME).zip((0..self.rows()).step_by(FRAME)) {
            for (of, class) in of.iter_mut().zip(self.class.frame(&self.arena, first, &mut frame)) {
                if *of == 0 {
                    *of = values[*class as usize];
                }
            }
        }
    }

    /// Calls `each` with the cells of the columns that `wanted` names, by shape and number of values, and their rows, which
    /// are among some, in order.
    pub(in crate::index) fn each_cell(
        &self,
        among: &Rows,
        wanted: &mut dyn FnMut(u32, u32) -> Vec<u32>,
        each: &mut dyn FnMut(u32, Cell<'_>),
    ) {
        let wanted: Vec<Vec<u32>> = self.layouts.iter().map(|layout| wanted(layout.shape, layout.columns)).collect();
        if wanted.iter().all(Vec::is_empty) {
            return;
        }
        let layouts: Vec<usize> = self.classes.iter().map(|class| class.layout as usize).collect();
        let mut open = Vec::new();
        open.resize_with(self.streams.len(), Unpacked::default);
        let mut slices: Vec<Slice<'_>> =
            self.layouts.iter().zip(&wanted).map(|(layout, wanted)| self.slice(layout, wanted)).collect();
        let mut frame = [0; FRAME];
        let every = self.counts_every.max(FRAME);
        for (entry, from) in (0..self.rows()).step_by(every).enumerate() {
            let until = (from + every).min(self.rows());
            if !among.has_any(narrow(from)..narrow(until)) {
                continue;
            }
            for (place, slice) in slices.iter_mut().enumerate() {
                let before = |entry: usize| self.counts.get(entry * self.layouts.len() + place).copied();
                let rows = before(entry).unwrap_or_default()..before(entry + 1).unwrap_or(self.layouts[place].rows);
                slice.go_on(&self.arena, rows.start as usize..rows.end as usize);
            }
            for first in (from..until).step_by(FRAME) {
                for (row, class) in (narrow(first)..).zip(self.class.frame(&self.arena, first, &mut frame)) {
                    let slice = &mut slices[layouts[*class as usize]];
                    if slice.columns.is_empty() {
                        continue;
                    }
                    let at = slice.taken;
                    slice.taken += 1;
                    for cells in &mut slice.columns {
                        self.cell(cells, at, (among.has(row), row), (&mut open, &mut *each));
                    }
                }
            }
        }
    }

    /// The columns of a layout that are wanted, before its first row.
    fn slice(&self, layout: &Layout, wanted: &[u32]) -> Slice<'_> {
        let columns = wanted.iter().map(|column| {
            let column = &self.columns[(layout.first_column + column) as usize];
            let (string, number) = (column.strings_from as usize, column.wide_from as usize);
            Cells { column, words: Vec::new(), end: 0, string, number }
        });
        Slice { taken: 0, columns: columns.collect() }
    }

    /// Gives the next cell of a column if its row is wanted.
    #[inline]
    fn cell(
        &self,
        cells: &mut Cells<'_>,
        at: usize,
        (wanted, row): (bool, u32),
        (open, each): (&mut [Unpacked], EachCell<'_>),
    ) {
        let Some(word) = cells.words.get(at).copied() else { return };
        match arena_of(word) {
            Arena::None if wanted => each(row, Cell::Plain(word)),
            Arena::None => {}
            Arena::Wide => {
                let at = cells.number;
                cells.number += 1;
                if wanted {
                    let wide = self.wide.read(&self.arena, at..at + 1);
                    each(row, Cell::Wide(word, wide.first().copied().unwrap_or_default()));
                }
            }
            Arena::String => {
                let at = cells.string;
                cells.string += 1;
                let stream = self.streams.get(cells.column.stream as usize);
                let Some((key, stream)) = stream.filter(|_| wanted) else { return };
                let page = &mut open[cells.column.stream as usize];
                if !page.has(at) {
                    stream.unpack(self.store(), at, page);
                }
                let bytes = page.get(at).unwrap_or_default();
                match page.text(at) {
                    _ if *key == BEYOND => each(row, Cell::Beyond(bytes)),
                    Some(text) => each(row, Cell::Text(word, text)),
                    None => each(row, Cell::Bytes(word, bytes)),
                }
            }
        }
    }

    /// Counts the cells of columns; see [`Self::select_values`]. Rows among `dead` are left out.
    pub(in crate::index) fn count_words(
        &self,
        dead: &[u64],
        wanted: &mut dyn FnMut(u32) -> Option<u32>,
        count: &mut dyn FnMut(Word),
    ) {
        let columns: Vec<Option<Vec<Word>>> = self
            .layouts
            .iter()
            .map(|layout| {
                let place = wanted(layout.shape).filter(|place| *place < layout.columns)?;
                let column = &self.columns[(layout.first_column + place) as usize];
                Some(column.read(&self.arena, 0..layout.rows as usize))
            })
            .collect();
        let mut taken = vec![0_usize; self.layouts.len()];
        let mut frame = [0; FRAME];
        for first in (0..self.rows()).step_by(FRAME) {
            for (row, class) in (first..).zip(self.class.frame(&self.arena, first, &mut frame)) {
                let layout = self.class_at(*class).layout as usize;
                let place = taken[layout];
                taken[layout] += 1;
                let word = columns[layout].as_ref().and_then(|words| words.get(place));
                if let Some(word) = word.filter(|_| !super::super::segment::is_set(dead, row)) {
                    count(*word);
                }
            }
        }
    }
}

/// Whether some bit near these places is set: words are looked at as wholes.
fn any_set(bits: &[u64], places: std::ops::Range<usize>) -> bool {
    let end = places.end.div_ceil(64).min(bits.len());
    !places.is_empty() && bits.get(places.start / 64..end).is_some_and(|words| words.iter().any(|word| *word != 0))
}

fn set(bits: &mut [u64], place: usize) {
    bits[place / 64] |= 1 << (place % 64);
}

/// Sets the bits of the places, from `first` on, that pass.
#[inline]
fn mark(bits: &mut [u64], (first, places): (usize, &[u32]), passes: impl Fn(u32) -> bool) {
    for (word, places) in bits[first / 64..].iter_mut().zip(places.chunks(64)) {
        *word |= passing(places, &passes);
    }
}

fn set_all(bits: &mut [u64], count: usize) {
    bits[..count / 64].fill(u64::MAX);
    if !count.is_multiple_of(64) {
        bits[count / 64] |= u64::MAX >> (64 - count % 64);
    }
}

impl Search<'_> {
    /// Sets the bits of a layout's rows that pass.
    fn column(&mut self, layout: &Layout, column: &Column, bits: &mut Vec<u64>) {
        let (arena, rows) = (&self.sealed.arena, layout.rows as usize);
        bits.resize(rows.div_ceil(64), 0);
        if self.sought.any && self.sealed.streams.get(column.stream as usize).is_some_and(|(key, _)| *key != BEYOND) {
            return set_all(bits, rows);
        }
        let Some(list) = column.distinct(arena) else {
            if !self.sought.texts || column.unlisted().is_some_and(|tag| Word(tag).is_text()) {
                for (place, word) in column.read(arena, 0..rows).into_iter().enumerate() {
                    if (self.test)(Cell::Plain(word)) {
                        set(bits, place);
                    }
                }
            }
            return;
        };
        if let [word] = list[..]
            && arena_of(word) == Arena::String
        {
            return self.strings((column, word), rows, bits);
        }
        let answers: Vec<bool> =
            list.iter().map(|word| arena_of(*word) == Arena::None && (self.test)(Cell::Plain(*word))).collect();
        if list.iter().any(|word| arena_of(*word) != Arena::None) {
            return self.mixed(column, (&list, &answers), rows, bits);
        }
        match answers.iter().filter(|passes| **passes).count() {
            0 => {}
            all if all == list.len() => set_all(bits, rows),
            1 => {
                let only = answers.iter().position(|passes| *passes).map_or(0, narrow);
                column.each_place(arena, rows, &mut |first, places| mark(bits, (first, places), |place| place == only));
            }
            _ => column.each_place(arena, rows, &mut |first, places| {
                mark(bits, (first, places), |place| answers[place as usize]);
            }),
        }
    }

    /// The same where all values are strings.
    fn strings(&mut self, (column, word): (&Column, Word), rows: usize, bits: &mut [u64]) {
        let Some((key, _)) = self.sealed.streams.get(column.stream as usize) else { return };
        let sifts = self.sieve.is_some() && *key != BEYOND && matches!(word.slot(), Slot::Text(_));
        let from = column.strings_from as usize;
        let mut place = from;
        while place < from + rows {
            self.open(column, place);
            let page = &self.open[column.stream as usize];
            let end = page.end().min(from + rows).max(place + 1);
            if sifts {
                let sifted = page.sifted();
                let before = sifted.partition_point(|other| *other < place);
                let few: Vec<usize> = sifted[before..].iter().copied().take_while(|other| *other < end).collect();
                for place in few {
                    if self.string(column, place, word) {
                        set(bits, place - from);
                    }
                }
            } else {
                for place in place..end {
                    if self.string(column, place, word) {
                        set(bits, place - from);
                    }
                }
            }
            place = end;
        }
    }

    /// The same where values are of several kinds.
    fn mixed(&mut self, column: &Column, (list, answers): (&[Word], &[bool]), rows: usize, bits: &mut [u64]) {
        let arena = &self.sealed.arena;
        let (mut string, mut number) = (column.strings_from as usize, column.wide_from as usize);
        // Texts before this one are known not to pass.
        let mut next = 0;
        let sifted = self.sifted_alone(list, answers);
        column.each_place(arena, rows, &mut |first, places| {
            if let Some(texts) = &sifted {
                let equal = |text: &u32| places.iter().filter(|place| *place == text).count();
                let count: usize = texts.iter().map(equal).sum();
                if count > 0 && string >= next {
                    next = self.next_text(column, string);
                }
                if string + count <= next {
                    string += count;
                    return;
                }
            }
            for (at, listed) in places.iter().enumerate() {
                let word = list[*listed as usize];
                let passes = match arena_of(word) {
                    Arena::None => answers[*listed as usize],
                    Arena::Wide => {
                        number += 1;
                        !self.sought.texts && {
                            let wide = self.sealed.wide.read(arena, number - 1..number);
                            (self.test)(Cell::Wide(word, wide.first().copied().unwrap_or_default()))
                        }
                    }
                    Arena::String => {
                        string += 1;
                        let is_text = matches!(word.slot(), Slot::Text(_));
                        if is_text && string > next {
                            next = self.next_text(column, string - 1);
                        }
                        !(is_text && string <= next) && self.string(column, string - 1, word)
                    }
                };
                if passes {
                    set(bits, first + at);
                }
            }
        });
    }

    /// The places in a list of what is text and sifted, where nothing else in it can pass.
    fn sifted_alone(&self, list: &[Word], answers: &[bool]) -> Option<Vec<u32>> {
        let wide = list.iter().any(|word| arena_of(*word) == Arena::Wide);
        if self.sieve.is_none() || answers.contains(&true) || wide && !self.sought.texts {
            return None;
        }
        let strings = (0..).zip(list).filter(|(_, word)| arena_of(**word) == Arena::String);
        strings.map(|(place, word)| matches!(word.slot(), Slot::Text(_)).then_some(place)).collect()
    }

    /// Opens the page with a text: the place of the first that may pass from it on, or one past the page.
    fn next_text(&mut self, column: &Column, place: usize) -> usize {
        self.open(column, place);
        let is_beyond = self.sealed.streams.get(column.stream as usize).is_none_or(|(key, _)| *key == BEYOND);
        if self.sieve.is_none() || is_beyond {
            return place;
        }
        let page = &self.open[column.stream as usize];
        let sifted = page.sifted();
        sifted.get(sifted.partition_point(|other| *other < place)).copied().unwrap_or_else(|| page.end())
    }

    /// Unpacks the page with a string, unless it is open. What stands beyond the shapes is not sifted.
    fn open(&mut self, column: &Column, place: usize) {
        let Some((key, stream)) = self.sealed.streams.get(column.stream as usize) else { return };
        let page = &mut self.open[column.stream as usize];
        if !page.has(place) {
            let sieve = self.sieve.as_mut().filter(|_| *key != BEYOND);
            stream.unpack_sifted(self.sealed.store(), place, (sieve, page));
        }
    }

    fn string(&mut self, column: &Column, place: usize, word: Word) -> bool {
        self.open(column, place);
        let Some((key, stream)) = self.sealed.streams.get(column.stream as usize) else { return false };
        let page = &mut self.open[column.stream as usize];
        if *key == BEYOND {
            return (self.test)(Cell::Beyond(page.get(place).unwrap_or_default()));
        }
        if self.sieve.is_some() {
            if !matches!(word.slot(), Slot::Text(_)) {
                // Messages may hold numbers, which are spelled otherwise: the sieve says nothing of them.
                if page.get(place).is_none() {
                    stream.unpack(self.sealed.store(), place, page);
                }
            } else if page.sifted().binary_search(&place).is_err() {
                return false;
            }
        }
        match page.text(place) {
            Some(text) => (self.test)(Cell::Text(word, text)),
            None => (self.test)(Cell::Bytes(word, page.get(place).unwrap_or_default())),
        }
    }
}

//! Selections on fixed columns, without thawing rows.

use super::super::Rows;
use super::super::extras::{self, Extra};
use super::super::rows::kept;
use super::super::sieve::Sieve;
use super::pack::{FRAME, passing};
use super::{Class, Sealed};

/// Bits of the values that pass, 64 a word.
#[inline]
fn mark<T: Copy>(values: &[T], into: &mut Vec<u64>, passes: impl Fn(T) -> bool) {
    into.extend(values.chunks(64).map(|values| passing(values, &passes)));
}

/// Rows of a frame that are quicker read one by one than all together.
const FEW: u32 = 12;

impl Sealed {
    /// Rows whose class passes; asked once for each.
    pub(in crate::index) fn select_class(&self, test: &mut dyn FnMut(&Class) -> bool) -> Rows {
        let passes: Vec<bool> = self.classes.iter().map(test).collect();
        if !passes.contains(&true) {
            return Rows::none(self.rows());
        }
        let mut words = Vec::with_capacity(self.rows().div_ceil(64));
        let mut frame = [0; FRAME];
        for first in (0..self.rows()).step_by(FRAME) {
            mark(self.class.frame(&self.arena, first, &mut frame), &mut words, |class| passes[class as usize]);
        }
        Rows::from_words(words)
    }

    /// Of these rows those whose class passes; asked once for each.
    pub(in crate::index) fn narrow_class(&self, rows: &Rows, test: &mut dyn FnMut(&Class) -> bool) -> Rows {
        let passes: Vec<bool> = self.classes.iter().map(test).collect();
        if !passes.contains(&true) {
            return Rows::none(self.rows());
        }
        let mut words = Vec::with_capacity(self.rows().div_ceil(64) + 1);
        let mut frame = [0; FRAME];
        for (among, first) in rows.words().chunks(FRAME / 64).zip((0..).step_by(FRAME)) {
            if among.iter().map(|word| word.count_ones()).sum::<u32>() <= FEW {
                words.extend((first..).step_by(64).zip(among).map(|(first, among)| {
                    kept(*among, |bit| passes[self.class.get(&self.arena, first + bit) as usize])
                }));
                continue;
            }
            mark(self.class.frame(&self.arena, first, &mut frame), &mut words, |class| passes[class as usize]);
        }
        Rows::from_words(words).and(rows)
    }

    /// Something of each class, by its place.
    pub(in crate::index) fn by_class<T>(&self, of: impl Fn(&Class) -> T) -> Vec<T> {
        self.classes.iter().map(of).collect()
    }

    /// The place of a row's class.
    pub(in crate::index) fn class_of(&self, row: usize) -> usize {
        self.class.get(&self.arena, row) as usize
    }

    /// The shape of a class's rows.
    pub(in crate::index) fn shape_of(&self, class: &Class) -> u32 {
        self.layouts[class.layout as usize].shape
    }

    /// Calls `each` with a class and how many rows of it are not among `dead`.
    pub(in crate::index) fn each_class(&self, dead: &[u64], each: &mut dyn FnMut(&Class, u64)) {
        let mut counts = vec![0; self.classes.len()];
        let mut frame = [0; FRAME];
        for first in (0..self.rows()).step_by(FRAME) {
            for (row, class) in (first..).zip(self.class.frame(&self.arena, first, &mut frame)) {
                counts[*class as usize] += u64::from(!super::super::segment::is_set(dead, row));
            }
        }
        self.classes.iter().zip(counts).for_each(|(class, count)| each(class, count));
    }

    /// The durations of all rows.
    pub(in crate::index) fn durations(&self) -> Vec<u64> {
        self.durations.read(&self.arena, 0..self.rows())
    }

    /// Calls `each` with these rows, in order, and the duration of each.
    pub(in crate::index) fn each_duration(&self, rows: &Rows, each: &mut dyn FnMut(u32, u64)) {
        let mut frame = [0; FRAME];
        for (bits, first) in rows.words().chunks(FRAME / 64).zip((0..self.rows()).step_by(FRAME)) {
            if bits.iter().all(|word| *word == 0) {
                continue;
            }
            let durations = self.durations.frame(&self.arena, first, &mut frame);
            let first = super::super::chunk::narrow(first);
            for row in rows.within(first..first + super::super::chunk::narrow(durations.len())) {
                each(row, durations[(row - first) as usize]);
            }
        }
    }

    /// Rows whose duration is within `least..=most`.
    pub(in crate::index) fn select_duration(&self, least: u64, most: u64) -> Rows {
        Rows::from_words(self.durations.within(&self.arena, (least, most)))
    }

    /// Rows that start within `from..=to`.
    pub(in crate::index) fn select_start(&self, from: u64, to: u64) -> Rows {
        let mut words = Vec::with_capacity(self.rows().div_ceil(64));
        for first in (0..self.rows()).step_by(FRAME) {
            let starts = self.starts(first..(first + FRAME).min(self.rows()));
            mark(&starts, &mut words, |start| (from..=to).contains(&start));
        }
        Rows::from_words(words)
    }

    /// Rows of traces that pass, by the low half of their number.
    pub(in crate::index) fn select_trace(&self, test: &mut dyn FnMut(u32) -> bool) -> Rows {
        let mut words = vec![0; self.rows().div_ceil(64)];
        self.each_run(&mut |trace, rows| {
            if !rows.is_empty() && test(trace) {
                rows.for_each(|row| words[row / 64] |= 1 << (row % 64));
            }
        });
        Rows::from_words(words)
    }

    /// Rows whose extras pass; those without are not asked about.
    pub(in crate::index) fn select_extras(&self, test: &mut dyn FnMut(&[u8]) -> bool) -> Rows {
        self.select_extras_with("", test)
    }

    /// The same where all that pass have `part` in them, see [`super::super::block::part_of`].
    pub(in crate::index) fn select_extras_with(&self, part: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> Rows {
        let mut words = vec![0; self.rows().div_ceil(64)];
        let sieve = Sieve::new(part);
        let sifts = sieve.is_some();
        let mut ask = |place: usize, extras: &[u8]| {
            if test(extras) {
                let row = self.extra_rows.get(&self.arena, place) as usize;
                words[row / 64] |= 1 << (row % 64);
            }
        };
        self.extras.each_page(self.store(), sieve, &mut |page| {
            if sifts {
                page.sifted().iter().for_each(|place| ask(*place, page.get(*place).unwrap_or_default()));
            } else {
                let (first, strings) = page.strings();
                (first..).zip(strings).for_each(|(place, extras)| ask(place, extras));
            }
        });
        Rows::from_words(words)
    }

    /// Rows with such an event, by its message, if events may have attributes under one of `keys`.
    pub(in crate::index) fn select_events(&self, keys: &[&str], test: &mut dyn FnMut(&[u8]) -> bool) -> Rows {
        self.select_extra((Extra::Event, self.extra_keys.events_may_have(keys)), test)
    }

    /// Rows with such a link, by its message, if links may have attributes under one of `keys`.
    pub(in crate::index) fn select_links(&self, keys: &[&str], test: &mut dyn FnMut(&[u8]) -> bool) -> Rows {
        self.select_extra((Extra::Link, self.extra_keys.links_may_have(keys)), test)
    }

    fn select_extra(&self, (wanted, any): (Extra, bool), test: &mut dyn FnMut(&[u8]) -> bool) -> Rows {
        if !any {
            return Rows::none(self.rows());
        }
        self.select_extras(&mut |row| extras::iter(row).any(|(extra, bytes)| extra == wanted && test(bytes)))
    }

    /// Calls `each` with the extras of every row that has some, if events or links may have attributes under the key.
    pub(in crate::index) fn each_extras(&self, (wanted, key): (Extra, &str), each: &mut dyn FnMut(u32, &[u8])) {
        let any = match wanted {
            Extra::Link => self.extra_keys.links_may_have(&[key]),
            _ => self.extra_keys.events_may_have(&[key]),
        };
        if !any {
            return;
        }
        self.extras.each_page(self.store(), None, &mut |page| {
            let (first, strings) = page.strings();
            for (place, extras) in (first..).zip(strings) {
                each(self.extra_rows.get(&self.arena, place), extras);
            }
        });
    }
}

//! Numbers of a column, row by row, where the words are all there is to know of them: no string is unpacked.

use super::super::Rows;
use super::super::chunk::narrow;
use super::super::word::Word;
use super::cells::{Arena, Column, arena_of};
use super::pack::FRAME;
use super::seal::BEYOND;
use super::search::Cell;
use super::{Layout, Sealed};

/// The cells of a column that need no text, and how many of them were taken.
#[derive(Default)]
struct Plain {
    words: Vec<Word>,
    wide: Vec<u64>,
    taken: usize,
    taken_wide: usize,
}

impl Sealed {
    /// Whether each layout has one column at most under what `wanted` names, none of them for what is beyond its shape.
    pub(in crate::index) fn is_single(&self, wanted: &mut dyn FnMut(u32, u32) -> Vec<u32>) -> bool {
        self.layouts.iter().all(|layout| match wanted(layout.shape, layout.columns)[..] {
            [] => true,
            [place] => {
                let column = &self.columns[(layout.first_column + place) as usize];
                self.streams.get(column.stream as usize).is_none_or(|(key, _)| *key != BEYOND)
            }
            _ => false,
        })
    }

    /// The same as [`Self::each_cell`] where each layout has one column at most and no cell needs text: answers whether it is
    /// so, otherwise nothing is given.
    pub(in crate::index) fn each_plain(
        &self,
        among: &Rows,
        wanted: &mut dyn FnMut(u32, u32) -> Vec<u32>,
        each: &mut impl FnMut(u32, Cell<'_>),
    ) -> bool {
        if !self.is_single(wanted) {
            return false;
        }
        let mut columns: Vec<Plain> = Vec::with_capacity(self.layouts.len());
        for layout in &self.layouts {
            let place = wanted(layout.shape, layout.columns).first().copied();
            let column = place.and_then(|place| self.columns.get((layout.first_column + place) as usize));
            let Some(plain) = column.map_or_else(|| Some(Plain::default()), |column| self.plain(layout, column)) else {
                return false;
            };
            columns.push(plain);
        }
        let layouts: Vec<usize> = self.classes.iter().map(|class| class.layout as usize).collect();
        let mut frame = [0; FRAME];
        for (bits, first) in among.words().chunks(FRAME / 64).zip((0..self.rows()).step_by(FRAME)) {
            let classes = self.class.frame(&self.arena, first, &mut frame);
            for (place, class) in classes.iter().enumerate() {
                let column = &mut columns[layouts[*class as usize]];
                let at = column.taken;
                column.taken = at + 1;
                let Some(word) = column.words.get(at).copied() else { continue };
                let is_meant = bits.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1);
                if arena_of(word) == Arena::Wide {
                    let wide = column.wide.get(column.taken_wide).copied().unwrap_or_default();
                    column.taken_wide += 1;
                    if is_meant {
                        each(narrow(first + place), Cell::Wide(word, wide));
                    }
                } else if is_meant {
                    each(narrow(first + place), Cell::Plain(word));
                }
            }
        }
        true
    }

    /// By row: what a whole number makes of its value in the column that `wanted` names, `none` where it has none or `whole` says
    /// none. `None` where some layout has several such columns, or one whose words are not all there is to its values.
    pub(in crate::index) fn wholes(
        &self,
        wanted: &mut dyn FnMut(u32, u32) -> Vec<u32>,
        none: i64,
        whole: &mut dyn FnMut(Word) -> Option<i64>,
    ) -> Option<Vec<i64>> {
        if !self.is_single(wanted) {
            return None;
        }
        // All columns one after the other. Rows without one take theirs from a stretch of none at the beginning.
        let mut all = vec![none; self.rows()];
        let mut next = vec![0];
        let mut slots = Vec::with_capacity(self.layouts.len());
        for layout in &self.layouts {
            let place = wanted(layout.shape, layout.columns).first().copied();
            let Some(column) = place.and_then(|place| self.columns.get((layout.first_column + place) as usize)) else {
                slots.push(0);
                continue;
            };
            slots.push(next.len());
            next.push(all.len());
            let count = layout.rows as usize;
            if let Some(list) = column.distinct(&self.arena) {
                if list.iter().any(|word| arena_of(*word) != Arena::None) {
                    return None;
                }
                let list: Vec<i64> = list.into_iter().map(|word| whole(word).unwrap_or(none)).collect();
                column.each_place(&self.arena, count, &mut |_, places| {
                    all.extend(places.iter().map(|place| list.get(*place as usize).copied().unwrap_or(none)));
                });
            } else {
                if column.unlisted().is_none_or(|tag| arena_of(Word(tag)) != Arena::None) {
                    return None;
                }
                let words = column.read(&self.arena, 0..count);
                all.extend(words.into_iter().map(|word| whole(word).unwrap_or(none)));
            }
        }
        let slots: Vec<usize> = self.classes.iter().map(|class| slots[class.layout as usize]).collect();
        let mut numbers = Vec::with_capacity(self.rows());
        let mut frame = [0; FRAME];
        for first in (0..self.rows()).step_by(FRAME) {
            for class in self.class.frame(&self.arena, first, &mut frame) {
                let next = &mut next[slots[*class as usize]];
                numbers.push(all.get(*next).copied().unwrap_or(none));
                *next += 1;
            }
        }
        Some(numbers)
    }

    /// The cells of a column whose cells need no text.
    fn plain(&self, layout: &Layout, column: &Column) -> Option<Plain> {
        let rows = layout.rows as usize;
        let is_text = match column.distinct(&self.arena) {
            Some(list) => list.iter().any(|word| arena_of(*word) == Arena::String),
            None => column.unlisted().is_none_or(|tag| arena_of(Word(tag)) == Arena::String),
        };
        if is_text {
            return None;
        }
        let wide = column.offsets(&self.arena, 0..rows).1;
        let from = column.wide_from as usize;
        Some(Plain {
            words: column.read(&self.arena, 0..rows),
            wide: self.wide.read(&self.arena, from..from + wide),
            ..Plain::default()
        })
    }
}

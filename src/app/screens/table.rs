//! Where a reader is in a table whose rows change under them: by identity, never by place.

use crate::app::update::window::{Step, keeping, showing};

/// Rows kept in sight above and below the selected one.
const MARGIN: usize = 1;

/// Selection and window of a table. `K` is what a row is known by.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<K> {
    /// The selected row.
    pub selected: Option<K>,
    /// The first row shown.
    pub offset: usize,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { selected: None, offset: 0 }
    }
}

impl<K: Clone + PartialEq> Table<K> {
    /// Where the selected row stands among `rows`.
    #[must_use]
    pub fn at(&self, rows: &[K]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        rows.iter().position(|row| row == selected)
    }

    /// Selects a row and brings it into a window of `height`.
    pub(in crate::app) fn select(&mut self, rows: &[K], index: usize, height: u16) {
        if let Some(row) = rows.get(index) {
            self.selected = Some(row.clone());
            self.offset = showing(index, self.offset, height, rows.len(), MARGIN);
        }
    }

    /// Moves the selection.
    pub(in crate::app) fn go(&mut self, rows: &[K], step: Step, height: u16) {
        let at = self.at(rows).unwrap_or(self.offset);
        self.select(rows, step.from(at, rows.len(), height), height);
    }

    /// New rows are there: the selected row stays selected and on its line; where it has gone, the one in its place is taken.
    pub(in crate::app) fn take(&mut self, old: &[K], new: &[K], height: u16) {
        let before = self.at(old).unwrap_or(self.offset);
        match self.at(new) {
            Some(now) => {
                self.offset = keeping(before, now, self.offset, height, new.len());
                self.select(new, now, height);
            }
            None => self.select(new, before.min(new.len().saturating_sub(1)), height),
        }
        if new.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_on_its_line_and_a_row_that_left_is_replaced_by_the_one_in_its_place() {
        let mut table = Table::default();
        let old: Vec<u32> = (0..20).collect();
        table.select(&old, 7, 5);
        assert_eq!((table.selected, table.offset), (Some(7), 4));
        let new: Vec<u32> = (3..20).collect();
        table.take(&old, &new, 5);
        assert_eq!((table.selected, table.offset), (Some(7), 1));
        let without: Vec<u32> = new.iter().copied().filter(|row| *row != 7).collect();
        table.take(&new, &without, 5);
        assert_eq!(table.selected, Some(8));
        table.go(&without, Step::Last, 5);
        assert_eq!((table.selected, table.offset), (Some(19), 11));
        table.take(&without, &[], 5);
        assert_eq!(table, Table::default());
    }
}

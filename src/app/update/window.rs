//! Where a window over rows stands.

use crate::app::Action;

/// One movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Step {
    Rows(isize),
    Pages(isize),
    First,
    Last,
}

impl Step {
    /// What an action moves by, where it is a movement.
    pub(in crate::app) fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::Up => Self::Rows(-1),
            Action::Down => Self::Rows(1),
            Action::PageUp => Self::Pages(-1),
            Action::PageDown => Self::Pages(1),
            Action::First => Self::First,
            Action::Last => Self::Last,
            _ => return None,
        })
    }

    /// Where it leads from row `at` of `len`; a page is one row less than the window's `height`.
    pub(in crate::app) fn from(self, at: usize, len: usize, height: u16) -> usize {
        let page = usize::from(height).saturating_sub(1).max(1).cast_signed();
        let last = len.saturating_sub(1);
        match self {
            Self::Rows(rows) => at.saturating_add_signed(rows).min(last),
            Self::Pages(pages) => at.saturating_add_signed(page.saturating_mul(pages)).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// The offset nearest to `offset` at which `row` of `len` is in a window of `height` rows, with `margin` rows above and
/// below it where there are any.
pub(in crate::app) fn showing(row: usize, offset: usize, height: u16, len: usize, margin: usize) -> usize {
    let height = usize::from(height).max(1);
    let margin = margin.min((height - 1) / 2);
    let most = row.saturating_sub(margin);
    let least = (row + margin + 1).saturating_sub(height);
    offset.clamp(least, most.max(least)).min(len.saturating_sub(height))
}

/// The offset after the rows changed such that what stood in row `before` stands in row `after`: on the same line.
pub(in crate::app) fn keeping(before: usize, after: usize, offset: usize, height: u16, len: usize) -> usize {
    (offset + after).saturating_sub(before).min(len.saturating_sub(usize::from(height).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_as_little_as_it_can() {
        // row, offset, height, rows, margin → offset
        let table = [
            (0, 0, 10, 100, 2, 0),
            (7, 0, 10, 100, 2, 0),
            (8, 0, 10, 100, 2, 1),
            (99, 0, 10, 100, 2, 90),
            (11, 10, 10, 100, 2, 9),
            (50, 0, 1, 100, 2, 50),
            (50, 0, 0, 100, 2, 50),
            (3, 50, 10, 5, 2, 0),
            (0, 9, 3, 0, 1, 0),
        ];
        for (row, offset, height, len, margin, expected) in table {
            assert_eq!(showing(row, offset, height, len, margin), expected, "row {row} from {offset} by {height}");
        }
    }

    #[test]
    fn steps_stop_at_the_ends() {
        assert_eq!(Step::Rows(-1).from(0, 5, 3), 0);
        assert_eq!(Step::Pages(1).from(0, 5, 3), 2);
        assert_eq!(Step::Pages(9).from(0, 5, 3), 4);
        assert_eq!(Step::Last.from(0, 0, 3), 0);
    }
}

//! Which figures of a statement fit where.

use crate::app::StatementSort;

/// Cells of the bar beside the total.
pub(super) const BAR: u16 = 10;

/// A figure of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Calls,
    CallsATrace,
    Total,
    Share,
    P50,
    P95,
    Max,
    Rows,
    Errors,
}

impl Column {
    pub(super) fn head(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::CallsATrace => "/trace",
            Self::Total => "total",
            Self::Share => "%",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::Max => "max",
            Self::Rows => "rows",
            Self::Errors => "err",
        }
    }

    /// Cells that it takes with the gap before it.
    pub(super) fn width(self) -> u16 {
        match self {
            Self::Calls | Self::CallsATrace | Self::Rows => 8,
            Self::Total | Self::P50 | Self::P95 | Self::Max => 9,
            Self::Share | Self::Errors => 6,
        }
    }

    /// The order that its head stands for.
    pub(super) fn sort(self) -> Option<StatementSort> {
        match self {
            Self::Calls => Some(StatementSort::Calls),
            Self::CallsATrace => Some(StatementSort::CallsATrace),
            Self::Total => Some(StatementSort::Total),
            Self::P95 => Some(StatementSort::P95),
            Self::Max => Some(StatementSort::Max),
            Self::Errors => Some(StatementSort::Errors),
            Self::Share | Self::P50 | Self::Rows => None,
        }
    }
}

/// The columns in a width: where the statement stands, which figures are shown and where the bar is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) text: u16,
    pub(super) text_width: u16,
    /// Where the bar begins, where it is shown.
    pub(super) bar: Option<u16>,
    shown: Vec<Column>,
}

impl Columns {
    pub(super) fn of(width: u16) -> Self {
        use Column as C;
        let shown: &[C] = match width {
            0..48 => &[C::Total, C::P95],
            48..72 => &[C::Calls, C::Total, C::P95],
            72..100 => &[C::Calls, C::CallsATrace, C::Total, C::P95, C::Errors],
            100..116 => &[C::Calls, C::CallsATrace, C::Total, C::P50, C::P95, C::Errors],
            116..130 => &[C::Calls, C::CallsATrace, C::Total, C::Share, C::P50, C::P95, C::Max, C::Errors],
            _ => &[C::Calls, C::CallsATrace, C::Total, C::Share, C::P50, C::P95, C::Max, C::Rows, C::Errors],
        };
        let text = 3;
        let bar = if width >= 100 { BAR + 1 } else { 0 };
        let figures: u16 = shown.iter().map(|column| column.width()).sum::<u16>() + bar + 1;
        let text_width = width.saturating_sub(text + figures);
        let mut columns = Self { text, text_width, bar: None, shown: shown.to_vec() };
        let total = columns.ends().find(|(column, _)| *column == C::Total).map(|(_, end)| end);
        columns.bar = total.filter(|_| bar > 0).map(|end| end + 1);
        columns
    }

    /// The figures, and where each ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Column, u16)> + '_ {
        let wide = self.shown.contains(&Column::P50);
        let mut at = self.text + self.text_width;
        let mut bar = 0;
        self.shown.iter().map(move |column| {
            at += column.width() + std::mem::take(&mut bar);
            if wide && *column == Column::Total {
                bar = BAR + 1;
            }
            (*column, at)
        })
    }

    /// The order that the head in column `x` stands for.
    pub(super) fn at(&self, x: u16) -> Option<StatementSort> {
        let hit = |(column, end): &(Column, u16)| (end.saturating_sub(column.width())..=*end).contains(&x);
        self.ends().find(hit).and_then(|(column, _)| column.sort())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_end_within_the_width_and_leave_room_for_the_statement() {
        for width in 0..300 {
            let columns = Columns::of(width);
            let last = columns.ends().last().map(|(_, end)| end);
            assert!(width < 40 || last.is_some_and(|end| end < width), "{width}: {last:?}");
            assert!(width < 60 || columns.text_width >= 25, "{width}: {}", columns.text_width);
        }
        let columns = Columns::of(120);
        let p95 = columns.ends().find(|(column, _)| *column == Column::P95).map_or(0, |(_, end)| end);
        assert_eq!(columns.at(p95), Some(StatementSort::P95));
        assert_eq!(columns.at(0), None);
    }
}

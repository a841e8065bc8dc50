//! The heat map on the list: where the reader is in it.

use crate::analysis::heat::{HeatBox, HeatMap};
use crate::model::{Nanos, Timestamp};

/// The heat map, where it is shown. The cursor and the brush are kept as times and durations: columns move on while traces
/// arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeatScreen {
    /// The cell of the cursor; `None` before it moved for the first time.
    pub cursor: Option<(Timestamp, Nanos)>,
    /// The corner that the brush was begun at.
    pub anchor: Option<(Timestamp, Nanos)>,
    /// Arrows draw the brush larger, without shift.
    pub extending: bool,
    /// What is brushed.
    pub brush: Option<HeatBox>,
    /// How many columns and rows were last asked for.
    pub asked: Option<(u16, u16)>,
}

impl HeatScreen {
    /// The cursor's cell: column and row. At first the latest column, at its slowest trace.
    #[must_use]
    pub fn cell(&self, map: &HeatMap) -> (u16, u16) {
        let last = map.columns.saturating_sub(1);
        let Some((at, duration)) = self.cursor else {
            let filled = |column: &u16| (0..map.rows).any(|row| map.at(*column, row).0 > 0);
            let column = (0..map.columns).rev().find(filled).unwrap_or(last);
            let row = (0..map.rows).rev().find(|row| map.at(column, *row).0 > 0).unwrap_or(0);
            return (column, row);
        };
        let column = map.column(at).unwrap_or(if at < map.from { 0 } else { last });
        (column, map.row(duration))
    }

    /// The brush; without one, the cursor's cell.
    #[must_use]
    pub fn within(&self, map: &HeatMap) -> HeatBox {
        let cell = self.cell(map);
        self.brush.unwrap_or_else(|| map.within(cell, cell))
    }
}

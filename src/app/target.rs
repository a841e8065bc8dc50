//! What the mouse can hit.

use super::{Screen, SortKey, StatementSort};
use crate::model::Timestamp;

/// What lies under the mouse pointer; the view computes it from the same geometry it draws by.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The tab of a screen.
    Tab(Screen),
    /// A row of the list, by index in [`super::List::rows`].
    ListRow(usize),
    /// What stands below or beside the rows of a screen about all traces.
    TablePane,
    /// A column head of the list.
    SortBy(SortKey),
    /// A row of a screen about all traces, by its place in the table.
    Row(usize),
    /// A column head of the statements.
    SortStatements(StatementSort),
    /// The filter bar.
    Filter,
    /// A proposal of the filter bar.
    Completion(usize),
    /// A condition of the filter, by its place among [`super::FilterBar::chips`].
    Chip(usize),
    /// An entry of a list to choose from, by index in [`super::Picker::found`].
    Item(usize),
    /// A value of an attribute, by index in [`super::ValueTable::order`].
    Value(usize),
    /// A row of the findings pane, by its place.
    Finding(usize),
    /// The findings pane, beside its rows.
    Findings,
    /// A row of the waterfall, by index in [`super::TraceScreen::rows`]; the triangle before its name was hit if `fold`.
    SpanRow {
        /// The row.
        row: usize,
        /// Folds and unfolds instead of selecting.
        fold: bool,
    },
    /// A line of the comparison, from its top.
    CompareLine(usize),
    /// A cell of the heat map: column, and the lower of the two rows that stand in its line.
    Heat((u16, u16)),
    /// A point in time on the waterfall's time axis.
    Axis(Timestamp),
    /// The detail pane; the cell there, by index in [`super::SpanDetail::cells`], if there is one.
    Detail(Option<usize>),
    /// A clause of the verdict, by its place among [`crate::analysis::Verdict::clauses`].
    Clause(usize),
    /// The preview.
    Preview,
    /// A key hint in the footer.
    Hint(super::Action),
    /// An entry of the palette, by index in [`super::Palette::found`].
    Command(usize),
    /// Something that can be copied, by index.
    Copied(usize),
    /// Nothing in particular, on the screen or on what lies over it.
    Nothing,
}

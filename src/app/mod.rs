//! Everything a person can do, with no terminal in sight.
//!
//! In: [`Input`]s and [`Answer`]s to [`Effect`]s. Out: [`State`], which the view draws, and further effects, which `run`
//! carries out by [`work`]. `update` and [`State`] are the only place where what is on screen changes. Must never know: ratatui,
//! crossterm, tokio, clocks (the time is handed in).

mod action;
mod asked;
mod effect;
mod filters;
mod input;
mod keymap;
mod parts;
mod plain;
mod save;
mod screens;
mod sort;
mod state;
mod target;
mod update;
pub mod work;

/// The forms in which traces are saved.
pub use crate::export::TraceForm;
pub use action::{ACTIONS, Action, ActionInfo, Context, footer};
pub use effect::{Answer, Effect, Language, Showing, Token};
pub use filters::{
    Chip, FilterBar, Found, Item, Library, LibraryChange, Naming, OffChip, Picker, Purpose, Samples, SavedFilter,
    ValueRow, ValueSort, ValueTable, Values,
};
pub use input::{Button, Input, Key, KeyPress, Mouse, MouseKind, UnknownKey};
pub use keymap::{Keymap, KeymapError};
pub use save::{SaveDialog, SaveRequest, SaveWhat, Saved};
pub use screens::{
    Basis, BasisKey, Calls, Cell, CompareAsk, CompareLine, CompareReport, CompareScreen, Detail, DetailFocus,
    ErrorSort, ErrorsReport, ErrorsScreen, FindingRow, FindingsOf, FindingsPane, FindingsReport, Formatted, HeatScreen,
    Highlighted, Judged, MarkReason, OperationSort, Progress, Report, RowId, Section, ServiceRowKey, ServiceSort,
    ServicesReport, ServicesScreen, SpanDetail, SqlReport, SqlScreen, StatementSort, SurveyOf, Surveyed, Table,
    TimeMark, Told, TraceScreen, TwoTraces, is_listed,
};
pub use sort::{Sort, SortKey};
pub use state::{
    Copied, HealthScreen, Lines, List, ListRow, Notice, Overlay, Page, Palette, Preview, Profile, Screen, Settings,
    State, Strip, Viewport,
};
pub use target::Target;
pub use update::{answer, click, input, refresh, tick};

//! All that is on screen, and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::asked::Asked;
use super::filters::{FilterBar, Library, Naming, Picker, Samples, ValueTable};
use super::save::SaveDialog;
use super::screens::{
    CompareScreen, DetailFocus, ErrorsScreen, FindingsOf, FindingsPane, HeatScreen, ServicesScreen, SqlScreen,
    TimeMark, TraceScreen,
};
use super::sort::{Sort, SortKey};
use super::{Context, Keymap};
use crate::analysis::Thresholds;
use crate::analysis::findings::Rule;
use crate::analysis::heat::HeatMap;
use crate::analysis::{Analysis, Row};
use crate::model::{Health, Nanos, SpanKey, Timestamp, TraceId, TraceSummary};
use crate::query::{Hit, Query};
use crate::redact::Redactor;

/// Everything the view needs, beside nothing: it draws from `&State` alone.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with a key of its own")]
pub struct State {
    /// What does not change by keys.
    pub settings: Arc<Settings>,
    /// The time of the frame to be drawn.
    pub now: Timestamp,
    /// How much fits where, computed by the view from the terminal's size before each update.
    pub viewport: Viewport,
    /// The screen shown.
    pub screen: Screen,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// The filter bar.
    pub filter: FilterBar,
    /// The list of traces.
    pub list: List,
    /// The open trace.
    pub trace: Option<TraceScreen>,
    /// The screen that the open trace was opened from: `esc` leads back there.
    pub opened_from: Screen,
    /// The statements.
    pub sql: SqlScreen,
    /// The errors.
    pub errors: ErrorsScreen,
    /// The services.
    pub services: ServicesScreen,
    /// The comparison.
    pub compare: CompareScreen,
    /// Moments that part time into before and after, in order.
    pub marks: Vec<TimeMark>,
    /// The findings pane.
    pub findings: FindingsPane,
    /// The health screen.
    pub health_screen: HealthScreen,
    /// State of sources, index and memory.
    pub health: Arc<Health>,
    /// A short message in the footer.
    pub notice: Option<Notice>,
    /// Secrets are shown as they are.
    pub unmasked: bool,
    /// The demo is playing.
    pub demo: bool,
    /// Light theme instead of dark (or the other way round, where the settings start with light).
    pub theme_flipped: bool,
    /// The program is about to end.
    pub quitting: bool,
    /// The search bar of the trace screen; what it found is in [`TraceScreen::found`].
    pub find: FilterBar,
    /// The stretch of time axis that the mouse is being drawn over.
    pub drag: Option<(Timestamp, Timestamp)>,
    /// Earlier and saved filters.
    pub library: Arc<Library>,
    /// What was asked for and has not come back.
    pub(super) asked: Asked,
}

impl State {
    /// The state at the start: the list of traces, following; where they come from files, ordered by start.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut list = List { follow: !settings.filed, preview_shown: true, ..List::default() };
        if settings.filed {
            list.sort.key = SortKey::Start;
        }
        Self {
            settings: Arc::new(settings),
            now: Timestamp::default(),
            viewport: Viewport::default(),
            screen: Screen::default(),
            overlay: None,
            filter: FilterBar::default(),
            list,
            trace: None,
            opened_from: Screen::default(),
            sql: SqlScreen::default(),
            errors: ErrorsScreen::default(),
            services: ServicesScreen::default(),
            compare: CompareScreen::default(),
            marks: Vec::new(),
            findings: FindingsPane::default(),
            health_screen: HealthScreen::default(),
            health: Arc::default(),
            notice: None,
            unmasked: false,
            demo: false,
            theme_flipped: false,
            quitting: false,
            find: FilterBar::default(),
            drag: None,
            library: Arc::default(),
            asked: Asked::default(),
        }
    }

    /// Whether more of a trace is to be expected: it has just grown beyond what came first, or what it hangs from is missing
    /// and an SDK at its defaults, which sends every five seconds, may still bring it.
    #[must_use]
    pub fn is_arriving(&self, summary: &TraceSummary) -> bool {
        const NEXT_BATCH: Nanos = Nanos::from_secs(6);
        let silent = self.now.since(summary.last_arrival);
        let incomplete = !summary.has_root || summary.orphans > 0;
        let grew = summary.last_arrival > summary.first_arrival;
        (incomplete && silent < NEXT_BATCH) || (grew && silent < self.settings.arriving)
    }

    /// Whether the selected span is still being read: until it is there, its pane is empty.
    #[must_use]
    pub fn awaits_detail(&self) -> bool {
        let open = self.trace.as_ref().filter(|_| self.screen == Screen::Trace);
        open.is_some_and(|open| open.detail.span.is_none()) && self.asked.detail.is_some()
    }

    /// Where the keys go, beneath what lies over the screen.
    #[must_use]
    pub fn context(&self) -> Context {
        match self.screen {
            Screen::Traces if self.list.heat.is_some() => Context::Heat,
            Screen::Traces => Context::Traces,
            Screen::Sql => Context::Sql,
            Screen::Errors => Context::Errors,
            Screen::Services => Context::Services,
            Screen::Compare => Context::Compare,
            Screen::Health => Context::Health,
            Screen::Trace => match &self.trace {
                Some(trace) if trace.detail.focus == DetailFocus::Detail => Context::Detail,
                _ => Context::Trace,
            },
        }
    }

    /// What lights up in the open trace: the search in it, or else the filter of the list.
    #[must_use]
    pub fn lit(&self) -> &Arc<Query> {
        if self.find.query.is_empty() { &self.filter.query } else { &self.find.query }
    }

    /// The bar that is edited where the screen is shown: the search of a trace, otherwise the filter of the list.
    #[must_use]
    pub fn bar(&self) -> &FilterBar {
        if self.screen == Screen::Trace { &self.find } else { &self.filter }
    }
}

/// What was set before the start.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// When something is worth a word.
    pub thresholds: Thresholds,
    /// What must not be shown.
    pub redactor: Redactor,
    /// A trace that grew within this time is still arriving.
    pub arriving: Nanos,
    /// Shown at the top of the screen as long as it runs: an address beyond loopback is listened on.
    pub warning: Option<String>,
    /// The SDK lines that the first screen shows and `y` copies there: language and command.
    pub recipes: Vec<(String, String)>,
    /// The traces come from files: their order is that of their times, not that of their arrival.
    pub filed: bool,
    /// The servers that the settings file describes.
    pub profiles: Vec<Profile>,
    /// Which key does what; footer, help and palette name the keys from it.
    pub keymap: Keymap,
}

/// A server that the settings file describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// What it is and where, without what is secret.
    pub place: String,
}

/// How much fits where, in rows. Zero where a pane is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewport {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Rows of the list of traces.
    pub list: u16,
    /// Rows of the preview's waterfall.
    pub preview: u16,
    /// Rows of the waterfall.
    pub waterfall: u16,
    /// Rows of the detail pane.
    pub detail: u16,
    /// Columns of the detail pane's text.
    pub detail_columns: u16,
    /// Rows of the findings pane.
    pub findings: u16,
    /// Rows of the health screen or of help: whichever is shown.
    pub scroll: u16,
    /// Rows of the errors.
    pub errors: u16,
    /// Rows of what is told of the selected error.
    pub errors_pane: u16,
    /// Lines that it takes; 0: not known.
    pub errors_lines: u32,
    /// Rows of the services.
    pub services: u16,
    /// Rows of what stands below or beside them.
    pub services_pane: u16,
    /// Lines that it takes; 0: not known.
    pub services_lines: u32,
    /// Rows of the statements, or of the calls of one.
    pub statements: u16,
    /// Columns that a statement is wrapped to below them.
    pub statement_columns: u16,
    /// Columns of the strip's sparklines.
    pub strip: u16,
    /// Columns and rows of the heat map, of which two fit into a line.
    pub heat: (u16, u16),
    /// Lines that the whole content of the detail pane takes; 0: not known.
    pub detail_lines: u32,
    /// Where in those lines the cell before the selected one stands, the selected one, and the one after.
    pub cells: [Lines; 3],
    /// Lines that the whole content of the health screen or of help takes; 0: not known.
    pub scroll_lines: u32,
}

/// A run of lines of a pane's content, seen or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The first, from 0.
    pub first: u32,
    /// How many; 0: not known.
    pub count: u32,
}

/// Which screen is shown. The numbers are the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Screen {
    /// 1: the list of traces.
    #[default]
    Traces,
    /// 2: one trace.
    Trace,
    /// 3: the statements, ranked.
    Sql,
    /// 4: the errors, grouped.
    Errors,
    /// 5: the services and their operations.
    Services,
    /// 6: what differs.
    Compare,
    /// 8: health.
    Health,
}

/// What lies over a screen and takes the keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys that work here, scrolled by so many rows.
    Help {
        /// First row shown.
        scroll: usize,
    },
    /// The filter language on one screen, with examples of what is held.
    Language(Arc<Samples>),
    /// A list to choose from by typing: earlier and saved filters, or attributes.
    Picker(Picker),
    /// The name under which the filter is to be saved.
    Naming(Naming),
    /// What is to be saved to a file, and where.
    Save(SaveDialog),
    /// The keys go to the filter's conditions: the one at this place of [`FilterBar::chips`] is chosen.
    Chips(usize),
    /// The values of an attribute.
    Values(ValueTable),
    /// The findings pane, over the lower part of the screen.
    Findings(FindingsOf),
    /// The command palette.
    Palette(Palette),
    /// What can be copied here: key, what, and the text; chosen by its key.
    Copy(Vec<Copied>),
}

/// Something that can be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The key that copies it.
    pub key: char,
    /// What it is: `trace id`.
    pub what: String,
    /// The text; where it is still to be written, what of it there is to say.
    pub text: String,
    /// The trace that is to be written as Markdown first.
    pub markdown: Option<TraceId>,
}

/// The command palette.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    /// What is typed.
    pub text: String,
    /// Where the cursor is in it, in bytes.
    pub cursor: usize,
    /// Indexes into [`super::ACTIONS`], best first.
    pub found: Vec<usize>,
    /// Which of `found` is chosen.
    pub chosen: usize,
}

/// The list of traces.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with a key of its own")]
pub struct List {
    /// Every trace that matches, in the order shown.
    pub rows: Arc<Vec<ListRow>>,
    /// The selected trace.
    pub selected: Option<TraceId>,
    /// Traces that the person marked.
    pub marked: HashSet<TraceId>,
    /// Index in `rows` of the first row shown.
    pub offset: usize,
    /// The newest trace stays selected while traces arrive.
    pub follow: bool,
    /// The list stands still; what arrives is kept and counted.
    pub paused: bool,
    /// Traces that arrived while paused.
    pub waiting: usize,
    /// The order.
    pub sort: Sort,
    /// The search on its way, or the latest that came back.
    pub generation: u64,
    /// A search is on its way.
    pub searching: bool,
    /// It was asked for by the person, not by what arrived: what is shown is not what is wanted.
    pub anew: bool,
    /// The rows are what that search has found so far.
    pub so_far: bool,
    /// The revision of the index that `rows` was made from.
    pub revision: u64,
    /// The rows in sight, looked up in the index for this frame.
    pub page: Vec<Page>,
    /// What first matches do that were looked up, by trace and span: see [`Page::first`].
    pub firsts: HashMap<(TraceId, SpanKey), Option<Arc<str>>>,
    /// What else was found in traces that have been in sight: when their latest span had arrived then, and what costs most.
    pub marks: HashMap<TraceId, (Timestamp, Option<Rule>)>,
    /// The preview is shown where there is room.
    pub preview_shown: bool,
    /// The selected trace's waterfall.
    pub preview: Option<Preview>,
    /// Requests, errors and latency over time, for the rows shown.
    pub strip: Strip,
    /// The heat map is shown.
    pub heat: Option<HeatScreen>,
}

/// A row of the list.
pub type ListRow = Hit;

/// A row in sight.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its place in [`List::rows`].
    pub index: usize,
    /// The row.
    pub row: ListRow,
    /// What the index says of it now; `None`: it has left the index.
    pub summary: Option<TraceSummary>,
    /// What the first span does that matches the filter, where it is not the root.
    pub first: Option<Arc<str>>,
}

/// The waterfall of the selected trace beside the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The trace.
    pub id: TraceId,
    /// When its latest span had arrived.
    pub last_arrival: Timestamp,
    /// The tree.
    pub analysis: Arc<Analysis>,
    /// Its rows.
    pub rows: Arc<Vec<Row>>,
}

/// Requests, errors and latency over time. One bucket per column of the strip, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// How much time a bucket holds, in seconds.
    pub seconds: u64,
    /// When it was counted: within the last bucket.
    pub until: Timestamp,
    /// Traces that began in each bucket.
    pub requests: Vec<u32>,
    /// Of those, how many hold an error.
    pub errors: Vec<u32>,
    /// 95th percentile of their durations, in nanoseconds; 0 where there is none.
    pub p95: Vec<u64>,
    /// Traces a second over the last ten seconds.
    pub recent: f64,
    /// Traces a second over the whole strip.
    pub rate: f64,
    /// Share of them with an error, 0 to 1.
    pub error_share: f64,
    /// 95th percentile over the whole strip, in nanoseconds.
    pub p95_all: u64,
    /// The heat map, where it was asked for.
    pub heat: Option<Arc<HeatMap>>,
}

/// The health screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthScreen {
    /// First row shown.
    pub scroll: usize,
    /// The source chosen, by its place; sources never leave.
    pub selected: usize,
}

/// A short message in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// When it goes.
    pub until: Timestamp,
    /// Something did not work.
    pub alarming: bool,
}

//! The screens, drawn at many sizes from states built by hand.

mod common;

use std::sync::Arc;

use common::build::{self, Maker};
use common::{paint, states};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tracefall::analysis::{Analysis, Row};
use tracefall::app::{
    Action, Copied, DetailFocus, Found, Item, Naming, Notice, OffChip, Overlay, Palette, Picker, Purpose, Samples,
    SaveDialog, SaveWhat, Screen, Sort, SortKey, State, Target, TraceForm, ValueRow, ValueTable, Values,
};
use tracefall::model::{Health, Nanos, Progress, Reading, ReadingState, SearchState, SourceHealth, Timestamp};
use tracefall::query::{Completion, ParseError, Query, parse};
use tracefall::view::{self, Colours};

const SMALL: (u16, u16) = (80, 24);
const USUAL: (u16, u16) = (120, 40);
const SIZES: [(u16, u16); 2] = [SMALL, USUAL];

fn snap(name: &str, state: &State, size: (u16, u16)) {
    let look = paint::look("dark", Colours::True);
    let buffer = paint::draw(state, &look, size);
    let shown = format!("{}\n---- styles\n{}", paint::as_text(&buffer), paint::as_styles(&buffer, look.base()));
    insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), shown);
}

/// Picks the row that is selected.
type Choice = fn(&Analysis, &Row) -> bool;

/// Traces with their names, and which row is selected of each.
fn gallery() -> [(&'static str, Arc<Analysis>, Choice); 4] {
    fn starts(analysis: &Analysis, row: &Row, start: &str) -> bool {
        analysis.span(row.node).is_some_and(|span| span.label.starts_with(start))
    }
    [
        ("one", build::patient(), |analysis, row| starts(analysis, row, "SELECT * FROM patients")),
        ("many", build::many_queries(), |analysis, row| starts(analysis, row, "SELECT * FROM patient_ins")),
        ("errors", build::errors(), |analysis, row| starts(analysis, row, "POST https")),
        ("hostile", build::hostile(), |analysis, row| starts(analysis, row, "SELECT")),
    ]
}

#[test]
fn the_first_screen() {
    for size in SIZES.into_iter().chain([(60, 16), (200, 60)]) {
        snap("first", &states::empty(), size);
    }
}

#[test]
fn the_list_with_each_preview() {
    for (name, analysis, _) in gallery() {
        for size in SIZES {
            snap(&format!("traces-{name}"), &states::traces(Arc::clone(&analysis), size), size);
        }
    }
    for size in [(60, 16), (200, 60)] {
        snap("traces", &states::traces(build::patient(), size), size);
    }
}

#[test]
fn the_list_without_anything_that_matches() {
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        state.filter.text = "service=pay minDuration=2s".into();
        state.filter.query = Arc::new(parse("service=pay minDuration=2s").expect("a filter"));
        state.list.rows = Arc::default();
        state.list.page.clear();
        snap("traces-empty", &state, size);
    }
}

#[test]
fn each_trace() {
    for (name, analysis, choose) in gallery() {
        for size in SIZES {
            snap(&format!("trace-{name}"), &states::trace(Arc::clone(&analysis), size, choose), size);
        }
    }
    let patient = |size| states::trace(build::patient(), size, states::labelled("SELECT * FROM patients"));
    for size in [(60, 16), (200, 60)] {
        snap("trace", &patient(size), size);
    }
    snap("trace-deep", &states::trace(build::deep(), USUAL, states::labelled("level 3 ")), USUAL);
}

#[test]
fn a_trace_that_is_not_there() {
    let mut state = states::trace(build::patient(), SMALL, |_, _| false);
    if let Some(open) = state.trace.as_mut() {
        open.analysis = None;
        open.gone = true;
    }
    snap("trace-empty", &state, SMALL);
    state.trace = None;
    snap("trace-none", &state, SMALL);
}

#[test]
fn health() {
    for size in SIZES {
        snap("health", &states::health(), size);
        snap("health-sources", &states::health_sources(), size);
        snap("traces-sources", &states::traces_of_sources(build::patient(), size), size);
    }
    let mut state = states::empty();
    state.screen = Screen::Health;
    for size in SIZES {
        snap("health-empty", &state, size);
    }
}

#[test]
fn what_lies_over_a_screen() {
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        state.overlay = Some(Overlay::Help { scroll: 0 });
        snap("help", &state, size);
        let palette = Palette { text: "th".into(), cursor: 2, found: vec![11, 42, 12], chosen: 1 };
        state.overlay = Some(Overlay::Palette(palette));
        snap("palette", &state, size);
        let copied = |key, what: &str, text: &str| Copied { key, what: what.into(), text: text.into(), markdown: None };
        state.overlay = Some(Overlay::Copy(vec![
            copied('t', "trace id", "01010101010101010101010101010101"),
            copied('q', "statement", "SELECT *\nFROM patients\u{1b}[2J"),
        ]));
        snap("copy", &state, size);
    }
}

/// The list under a filter, with a condition that is switched off, and what matched first where that is told.
fn filtered(mut state: State, query: Query, size: (u16, u16)) -> State {
    state.filter.text.clone_from(&query.text);
    state.filter.query = Arc::new(query);
    state.filter.off = vec![OffChip { text: "error=true".into(), place: 1 }];
    state.viewport = view::viewport(&state, size);
    state.list.page.truncate(usize::from(state.viewport.list));
    for (place, page) in (0..).zip(&mut state.list.page) {
        page.row.matched = place % 4 + 1;
        page.first = (place % 3 < 2).then(|| "SELECT * FROM patients WHERE id = $1".into());
    }
    state
}

#[test]
fn the_list_under_a_filter_and_its_conditions() {
    let filtered = |size| {
        let query = parse("service=hmis-backend minDuration=100ms").expect("a filter");
        filtered(states::traces(build::patient(), size), query, size)
    };
    for size in SIZES {
        let mut state = filtered(size);
        snap("filtered", &state, size);
        state.overlay = Some(Overlay::Chips(1));
        snap("filtered-conditions", &state, size);
    }
    let state = filtered(USUAL);
    assert_eq!(view::hit(&state, USUAL, (4, 2)), Target::Chip(0));
    assert_eq!(view::hit(&state, USUAL, (30, 2)), Target::Chip(1));
    assert_eq!(view::hit(&state, USUAL, (100, 2)), Target::Filter);
}

#[test]
fn a_server_that_is_down_is_in_the_header_however_long_its_name_and_narrow_the_screen() {
    let mut state = states::traces_of_sources(build::patient(), SMALL);
    let mut health = (*state.health).clone();
    for source in health.sources.iter_mut().filter(|source| source.trouble().is_some()) {
        source.name = "jaeger.internal:16686".to_owned();
    }
    state.health = Arc::new(health);
    let shown = paint::as_text(&paint::draw(&state, &paint::look("dark", Colours::True), SMALL));
    assert!(shown.lines().next().is_some_and(|line| line.contains("✗ jaeger.…, in 8 s")), "{shown}");
}

#[test]
fn which_part_of_the_filter_goes_to_which_server_and_how_far_they_have_come() {
    let query = parse("service=pay error=true lookback=24h limit=500").expect("a filter");
    let narrowing = (Progress { traces: 1_240, asked: 17, open: 3, ..Progress::default() }, SearchState::Running);
    let capped = (Progress { traces: 500, asked: 1, ..Progress::default() }, SearchState::Capped);
    let ago = |seconds: u64| Timestamp(states::NOW.0 - seconds * 1_000_000_000);
    let part = Progress { traces: 500, asked: 256, open: 7, until: ago(312), newest: ago(2) };
    let two: [&[usize]; 2] = [&[0, 2], &[0, 1, 2]];
    for size in SIZES {
        let shown = |servers: &[&[usize]], progress| {
            let mut state = states::traces_of_sources(build::patient(), size);
            state.health = Arc::new(states::asked_of(&state.health, &query, servers, progress));
            let mut state = filtered(state, query.clone(), size);
            state.filter.off.clear();
            state
        };
        snap("elsewhere-narrowing", &shown(&two[..1], narrowing), size);
        snap("elsewhere-part", &shown(&two[..1], (part, SearchState::Capped)), size);
        snap("elsewhere-stopped", &shown(&two[..1], (part, SearchState::Stopped)), size);
        // Without a filter there is no line of its own for that.
        let mut state = states::traces_of_sources(build::patient(), size);
        let whole = Query::default();
        state.health = Arc::new(states::asked_of(&state.health, &whole, &[&[]], (part, SearchState::Capped)));
        snap("elsewhere-usual", &state, size);
        let mut state = shown(&two, capped);
        snap("elsewhere", &state, size);
        state.overlay = Some(Overlay::Chips(1));
        snap("elsewhere-conditions", &state, size);
        let server = |name: &str, text: &str| Item { name: name.into(), text: text.into(), count: None };
        let items =
            vec![server("prod", "● Jaeger at jaeger.example.com"), server("grafana", "○ Tempo at localhost:3200")];
        state.overlay =
            Some(Overlay::Picker(Picker { purpose: Purpose::Server, items, found: vec![0, 1], ..Picker::default() }));
        snap("elsewhere-servers", &state, size);
    }
}

#[test]
fn what_the_filter_matches_in_a_trace() {
    for size in SIZES {
        let mut state = states::trace(build::patient(), size, states::labelled("SELECT * FROM patients"));
        state.filter.query = Arc::new(parse("db.system=postgresql").expect("a filter"));
        let open = state.trace.as_mut().expect("a trace");
        let analysis = open.analysis.clone().expect("a tree");
        let nodes = tracefall::analysis::find(&analysis, "select");
        let query = Arc::clone(&state.filter.query);
        let set = Arc::new(nodes.iter().copied().collect());
        let nodes = Arc::new(nodes);
        open.found = Some(Found { by_filter: true, query, set, nodes: Arc::clone(&nodes) });
        snap("trace-matches", &state, size);
        let open = state.trace.as_mut().expect("a trace");
        let kept = tracefall::analysis::with_ancestors(&analysis, &nodes);
        open.rows = Arc::new(tracefall::analysis::flatten_where(&analysis, &open.folds, &|node| kept.contains(&node)));
        open.alone = true;
        snap("trace-only-matches", &state, size);
    }
}

#[test]
fn the_critical_path_and_a_clause_that_is_chosen() {
    for size in SIZES {
        let mut state = states::trace(build::beside(), size, states::labelled("GET rates"));
        snap("trace-beside", &state, size);
        let open = state.trace.as_mut().expect("a trace");
        let analysis = open.analysis.clone().expect("a tree");
        let on_path = |node: u32| analysis.nodes[node as usize].path > Nanos::ZERO;
        open.rows = Arc::new(tracefall::analysis::flatten_where(&analysis, &open.folds, &on_path));
        open.path = true;
        snap("trace-path", &state, size);
        state.trace.as_mut().expect("a trace").clause = Some(3);
        snap("trace-clause", &state, size);
    }
}

#[test]
fn clocks_that_run_apart() {
    for (name, adjusted) in [("trace-clocks", false), ("trace-clocks-corrected", true)] {
        for size in SIZES {
            snap(name, &states::trace(build::clocks(adjusted), size, states::labelled("charge")), size);
        }
    }
}

#[test]
fn the_values_of_an_attribute() {
    let row = |value: &str, spans, errors, millis| ValueRow {
        value: value.into(),
        spans,
        errors,
        p95: Nanos::from_millis(millis),
    };
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        let mut rows = vec![
            row("/api/v1/patients/{id}", 12_480, 37, 2_310),
            row("/tasks", 4_102, 0, 48),
            row("/api/v1/\u{1b}[2Jpatients", 310, 310, 212),
            row("", 3, 0, 1),
        ];
        rows.extend((0..40).map(|number| row(&format!("/assets/{number}"), 2, 0, number)));
        let order: Vec<usize> = (0..rows.len()).collect();
        let others = Some(row("", 1_207, 2, 90));
        let values = Values { filter: "error=true".into(), traces: 214, spans: 21_300, rows, others };
        let mut table =
            ValueTable { key: "http.route".into(), values: Some(Arc::new(values)), order, ..ValueTable::default() };
        state.overlay = Some(Overlay::Values(table.clone()));
        snap("values", &state, size);
        (table.chosen, table.offset) = (43, 30);
        state.overlay = Some(Overlay::Values(table));
        snap("values-end", &state, size);
        state.overlay = Some(Overlay::Values(ValueTable { key: "tenant".into(), ..ValueTable::default() }));
        snap("values-counting", &state, size);
    }
}

#[test]
fn the_statements_and_the_calls_of_one() {
    for size in SIZES {
        snap("sql-empty", &states::statements("empty", 0, size), size);
        snap("sql-usual", &states::statements("usual", 0, size), size);
        snap("sql-long", &states::statements("usual", 2, size), size);
        snap("sql-hostile", &states::statements("hostile", 0, size), size);
        snap("sql-hostile-long", &states::statements("hostile", 1, size), size);
        snap("sql-calls", &states::statement_calls("usual", 0, size), size);
        snap("sql-calls-hostile", &states::statement_calls("hostile", 1, size), size);
    }
}

#[test]
fn what_was_found() {
    for size in SIZES {
        snap("findings-trace", &states::findings("trace", &build::many_queries(), size), size);
        snap("findings-failed", &states::findings("trace", &build::errors(), size), size);
        snap("findings-hostile", &states::findings("trace", &build::hostile(), size), size);
        snap("findings-judging", &states::findings("judging", &build::patient(), size), size);
        snap("findings-all", &states::findings("all", &build::patient(), size), size);
        snap("findings-none", &states::findings("none", &build::patient(), size), size);
    }
}

#[test]
fn what_is_to_be_saved_and_where() {
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        let trace = state.list.rows[0].trace;
        state.list.marked.extend([trace]);
        let choices = vec![SaveWhat::One(trace, "hmis-backend-5b8efff7".into()), SaveWhat::Everything];
        let text = "hmis-backend-5b8efff7.otlp.jsonl".to_owned();
        let dialog = SaveDialog { choices, cursor: text.len(), text, ..SaveDialog::default() };
        state.overlay = Some(Overlay::Save(dialog.clone()));
        snap("save", &state, size);
        let error = Some("cannot write hmis-backend-5b8efff7.perfetto.json: No space left on device".to_owned());
        let form = TraceForm::Perfetto;
        state.overlay = Some(Overlay::Save(SaveDialog { chosen: 1, form, error, ..dialog }));
        snap("save-failed", &state, size);
    }
}

#[test]
fn files_that_are_read() {
    let file = |name: &str, reading: Reading| SourceHealth {
        name: name.into(),
        reading: Some(reading),
        ..SourceHealth::default()
    };
    let done = Reading { read: 700, total: Some(700), state: ReadingState::Done, ..Reading::default() };
    let broken = Reading {
        faults: 2,
        latest_fault: Some("line 17: not JSON at byte 3: expected a value\u{1b}[2J".into()),
        read: 40 << 20,
        total: Some(1 << 30),
        state: ReadingState::Reading,
    };
    let failed = Reading { state: ReadingState::Failed("there are no traces in it".into()), ..done.clone() };
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        let mut settings = (*state.settings).clone();
        settings.filed = true;
        state.settings = Arc::new(settings);
        state.list.sort.key = SortKey::Start;
        let sources = vec![
            file("traces.jsonl", done.clone()),
            file("/var/lib/a/long/path/to/recordings/checkout-2026-11-21.otlp.jsonl.gz", broken.clone()),
            file("notes\u{1b}[2J.txt", failed.clone()),
            file("standard input", Reading::default()),
        ];
        let health = (*state.health).clone();
        state.health = Arc::new(Health { sources, traces_evicted: 1_234, ..health });
        snap("files", &state, size);
        state.screen = Screen::Health;
        snap("files-health", &state, size);
    }
}

#[test]
fn filters_to_choose_from_and_the_language() {
    let item = |name: &str, text: &str| Item { name: name.into(), text: text.into(), count: None };
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        let items = vec![
            item("slow patients", "service=hmis-backend minDuration=1s"),
            item("", "error=true lookback=1h"),
            item("", "{ span.db.system.name = \"postgresql\" && duration > 100ms } | count() > 20"),
        ];
        let picker =
            Picker { text: "s".into(), cursor: 1, items, found: vec![0, 2, 1], chosen: 1, ..Picker::default() };
        state.overlay = Some(Overlay::Picker(picker));
        snap("filters", &state, size);
        state.overlay =
            Some(Overlay::Naming(Naming { text: "slow".into(), cursor: 4, filter: "minDuration=1s".into() }));
        snap("filters-name", &state, size);
        let samples = Samples {
            service: Some("hmis-backend".into()),
            operation: Some("GET /api/v1/patients/{id}".into()),
            pairs: vec![
                ("http.route".into(), "/api/v1/patients/{id}".into()),
                ("tenant_id".into(), "tenant_demo".into()),
            ],
        };
        state.overlay = Some(Overlay::Language(Arc::new(samples)));
        snap("language", &state, size);
    }
}

#[test]
fn the_filter_while_it_is_typed() {
    for size in SIZES {
        let mut state = states::traces(build::patient(), size);
        state.filter.editing = true;
        state.filter.text = "service=hm".into();
        state.filter.cursor = 10;
        let proposal = |text: &str, count| Completion { text: text.into(), replace: (8, 10), count, value: None };
        state.filter.completions = vec![proposal("hmis-backend", Some(21_660)), proposal("hm-\u{1b}[2J", None)];
        snap("filter-typed", &state, size);
        state.filter.completions.clear();
        state.filter.text = "service=hm minDuration=fast".into();
        state.filter.cursor = 27;
        state.filter.error = Some(ParseError { column: 23, expected: "a length of time such as 100ms".into() });
        snap("filter-wrong", &state, size);
    }
}

#[test]
fn searching_in_a_trace() {
    let mut state = states::trace(build::patient(), SMALL, states::labelled("redis GET patient"));
    let open = state.trace.as_mut().expect("a trace");
    let analysis = open.analysis.clone().expect("read");
    let nodes: Vec<u32> = tracefall::analysis::find(&analysis, "redis");
    let query = Arc::new(parse("redis").expect("a filter"));
    open.found =
        Some(Found { by_filter: false, query, set: Arc::new(nodes.iter().copied().collect()), nodes: Arc::new(nodes) });
    snap("trace-search", &state, SMALL);
    state.find.editing = true;
    state.find.text = "service=pay minDuration=fast".into();
    state.find.cursor = state.find.text.len();
    state.find.error = Some(ParseError { column: 24, expected: "a length of time such as 100ms".into() });
    snap("trace-search-wrong", &state, SMALL);
}

#[test]
fn the_detail_with_the_keys_and_a_zoom() {
    let mut state = states::trace(build::errors(), USUAL, states::labelled("POST https"));
    let open = state.trace.as_mut().expect("a trace");
    open.detail.focus = DetailFocus::Detail;
    open.detail.cell = 2;
    let at = |millis: u64| build::START.plus(Nanos::from_millis(millis));
    open.zoom = Some((at(30), at(60)));
    state.notice = Some(Notice { text: "trace id copied".into(), until: states::NOW, alarming: false });
    snap("trace-focus", &state, USUAL);
}

#[test]
fn a_warning_stands_at_the_top_and_a_pause_is_said() {
    let mut state = states::traces(build::patient(), SMALL);
    let mut settings = (*state.settings).clone();
    settings.warning = Some("listening beyond this machine on 0.0.0.0:4317".into());
    state.settings = Arc::new(settings);
    state.list.paused = true;
    state.list.waiting = 1_234;
    state.list.sort = Sort { key: SortKey::Duration, ascending: false };
    snap("traces-paused", &state, SMALL);
}

#[test]
fn without_colours_glyphs_tell_the_same() {
    let state = states::trace(build::patient(), SMALL, states::labelled("SELECT * FROM patients"));
    for (name, colours) in [("none", Colours::None), ("ansi", Colours::Ansi), ("indexed", Colours::Indexed)] {
        let look = paint::look("dark", colours);
        let buffer = paint::draw(&state, &look, SMALL);
        let shown = format!("{}\n---- styles\n{}", paint::as_text(&buffer), paint::as_styles(&buffer, look.base()));
        insta::assert_snapshot!(format!("trace-{name}"), shown);
        let text = paint::as_text(&buffer);
        assert!(text.contains('▲') && text.contains('≡') && text.contains('█'));
        assert_eq!(text.contains('░'), colours != Colours::Indexed);
    }
}

#[test]
fn where_only_ascii_can_be_drawn_nothing_else_is() {
    let mut look = paint::look("dark", Colours::Ansi);
    look.ascii = true;
    for state in every_state(USUAL) {
        let buffer = paint::draw(&state, &look, USUAL);
        assert!(paint::as_text(&buffer).is_ascii());
    }
    let state = states::trace(build::patient(), SMALL, states::labelled("SELECT * FROM patients"));
    insta::assert_snapshot!("trace-ascii", paint::as_text(&paint::draw(&state, &look, SMALL)));
}

#[test]
fn a_trace_of_a_hundred_thousand_spans_draws_only_what_is_in_sight() {
    let mut state = states::trace(build::huge(), USUAL, states::labelled("nightly"));
    state.trace.as_mut().expect("a trace").offset = 50_000;
    snap("trace-huge", &state, USUAL);
}

#[test]
fn a_click_lands_on_what_is_drawn_there() {
    let size = USUAL;
    let state = states::traces(build::patient(), size);
    let buffer = paint::draw(&state, &paint::look("dark", Colours::True), size);
    let find = |buffer: &Buffer, text: &str| -> (u16, u16) {
        let at = (0..size.1).find_map(|y| {
            let row = paint::row_text(buffer, y);
            let before = row.get(..row.find(text)?)?.chars().count();
            Some((u16::try_from(before).ok()?, y))
        });
        at.unwrap_or_else(|| panic!("{text} is not on screen"))
    };
    let hit = |text: &str| view::hit(&state, size, find(&buffer, text));
    assert_eq!(hit("8 Health"), Target::Tab(Screen::Health));
    assert_eq!(hit("service=…"), Target::Filter);
    assert_eq!(hit("duration"), Target::SortBy(SortKey::Duration));
    assert_eq!(hit("spans err"), Target::SortBy(SortKey::Spans));
    assert_eq!(hit("documentLoad"), Target::ListRow(1));
    assert_eq!(hit("tenant_middleware"), Target::Preview);
    assert_eq!(hit("quit"), Target::Hint(Action::Quit));
    let state = states::trace(build::patient(), size, states::labelled("SELECT * FROM patients"));
    let buffer = paint::draw(&state, &paint::look("dark", Colours::True), size);
    let hit = |text: &str| view::hit(&state, size, find(&buffer, text));
    assert_eq!(hit("tenant_middleware"), Target::SpanRow { row: 3, fold: false });
    assert_eq!(hit("▾ ▌GET"), Target::SpanRow { row: 0, fold: true });
    assert_eq!(hit("▾ ▌PatientService"), Target::SpanRow { row: 5, fold: true });
    assert_eq!(hit("net.peer.name"), Target::Detail(Some(4)));
    assert!(matches!(hit("500ms"), Target::Axis(at) if at > build::START));
}

/// The frame of a trace of any size costs the same, because only rows in sight are touched. The bound is far above what is
/// needed, for slow machines and unoptimised builds.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test that compares costs")]
fn a_frame_of_a_huge_trace_costs_little_more_than_one_of_a_small_trace() {
    let cost = |state: &State| {
        let look = paint::look("dark", Colours::True);
        let one = || {
            let started = std::time::Instant::now();
            let _ = view::viewport(state, (200, 60));
            paint::draw(state, &look, (200, 60));
            started.elapsed()
        };
        (0..9).map(|_| one()).min().unwrap_or_default()
    };
    let mut huge = states::trace(build::huge(), (200, 60), states::labelled("nightly"));
    huge.trace.as_mut().expect("a trace").offset = 50_000;
    let small = states::trace(build::patient(), (200, 60), states::labelled("SELECT * FROM patients"));
    let (huge, small) = (cost(&huge), cost(&small));
    eprintln!("huge {huge:?} small {small:?}");
    assert!(huge < small * 12, "{huge:?} for the huge trace, {small:?} for the small one");
}

/// Every kind of state there is a builder for.
fn every_state(size: (u16, u16)) -> Vec<State> {
    let mut all = vec![states::empty(), states::health()];
    for (_, analysis, choose) in gallery() {
        all.push(states::traces(Arc::clone(&analysis), size));
        all.push(states::trace(analysis, size, choose));
    }
    all.push(states::trace(build::deep(), size, |_, row| row.depth == 40));
    for kind in ["empty", "usual", "hostile"] {
        all.push(states::statements(kind, 1, size));
    }
    all.push(states::statement_calls("hostile", 1, size));
    all
}

/// A name that may hold anything.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", any::<String>(), "[\\x00-\\x20\u{200b}-\u{202e}表👩‍👧é]{0,20}"]
}

fn any_trace() -> impl Strategy<Value = Arc<Analysis>> {
    let span = (name(), name(), 0_usize..20, 0_u64..3_000_000, 0_u64..3_000_000, any::<bool>());
    proptest::collection::vec(span, 0..40).prop_map(|spans| {
        let mut make = Maker::new(9);
        let mut ids = Vec::new();
        for (service, label, parent, from, long, failed) in spans {
            let parent = ids.get(parent).copied();
            ids.push(make.span(parent, &service, &label, (from, long)));
            if failed {
                make.failed().remark(&label);
            }
        }
        make.analysis()
    })
}

/// Draws into the middle of a larger buffer and looks at every cell of it.
fn holds_the_laws(state: &State, look: &view::Look, (columns, rows): (u16, u16)) -> Result<(), TestCaseError> {
    let all = Rect::new(0, 0, columns + 4, rows + 4);
    let mut buffer = Buffer::filled(all, ratatui::buffer::Cell::new("?"));
    let area = Rect::new(2, 2, columns, rows);
    let cursor = view::draw(state, look, area, &mut buffer);
    prop_assert!(cursor.is_none_or(|at| area.contains(at)));
    for y in 0..all.height {
        for x in 0..all.width {
            let symbol = buffer[(x, y)].symbol();
            prop_assert!(!symbol.chars().any(char::is_control), "{symbol:?} at {x},{y}");
            let inside = area.contains(ratatui::layout::Position { x, y });
            prop_assert!(inside || symbol == "?", "{symbol:?} outside at {x},{y}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_drawn_outside_and_no_control_character_anywhere(
        analysis in any_trace(),
        columns in prop_oneof![0_u16..4, 0_u16..60, 60_u16..240],
        rows in prop_oneof![0_u16..4, 0_u16..20, 20_u16..70],
        (screen, overlay, chosen) in (0_u8..3, 0_u8..4, 0_usize..40),
        (offset, scroll, cell) in (0_usize..50, 0_usize..60, 0_usize..12),
        (typed, editing, theme_flipped, ascii) in (name(), any::<bool>(), any::<bool>(), any::<bool>()),
        colours in prop_oneof![Just(Colours::True), Just(Colours::Indexed), Just(Colours::Ansi), Just(Colours::None)],
        click in (0_u16..250, 0_u16..80),
    ) {
        let size = (columns, rows);
        let mut state = if screen == 1 && !analysis.nodes.is_empty() {
            let wanted = u32::try_from(chosen % analysis.nodes.len()).unwrap_or(0);
            states::trace(Arc::clone(&analysis), size, move |_, row| row.node == wanted)
        } else {
            states::traces(Arc::clone(&analysis), size)
        };
        state.screen = [Screen::Traces, Screen::Trace, Screen::Health][usize::from(screen)];
        if let Some(open) = state.trace.as_mut() {
            open.offset = offset;
            open.detail.scroll = scroll;
            open.detail.cell = cell;
            open.detail.focus = if editing { DetailFocus::Detail } else { DetailFocus::Waterfall };
        }
        state.overlay = match overlay {
            1 => Some(Overlay::Help { scroll }),
            2 => Some(Overlay::Palette(Palette { text: typed.clone(), cursor: typed.len(), found: vec![1, 2, 99], chosen })),
            3 => Some(Overlay::Copy(vec![Copied { key: 'x', what: typed.clone(), text: typed.clone(), markdown: None }])),
            _ => None,
        };
        state.filter.editing = editing;
        state.filter.cursor = typed.len();
        let proposal = Completion { text: typed.clone(), replace: (0, 0), count: Some(3), value: None };
        state.filter.completions = vec![proposal];
        state.filter.text = typed;
        state.theme_flipped = theme_flipped;
        let mut look = paint::look("dark", colours);
        look.ascii = ascii;
        holds_the_laws(&state, &look, size)?;
        let _ = (view::viewport(&state, size), view::hit(&state, size, click));
    }
}

/// Writes pictures in a terminal's language into the folder that `TRACEFALL_DUMP` names; for looking at them.
#[test]
fn screens_can_be_looked_at() {
    let Ok(folder) = std::env::var("TRACEFALL_DUMP") else { return };
    let write = |name: &str, state: &State, theme: &str, colours, size| {
        let buffer = paint::draw(state, &paint::look(theme, colours), size);
        std::fs::write(format!("{folder}/{name}.ans"), paint::as_ansi(&buffer)).expect("written");
    };
    let select = states::labelled("SELECT * FROM patients");
    for size in [(120, 36), (80, 24), (200, 60), (60, 16)] {
        let name = |what: &str| format!("{what}-{}x{}", size.0, size.1);
        let dark = |what: &str, state: &State| write(&name(what), state, "dark", Colours::True, size);
        dark("traces", &states::traces(build::patient(), size));
        dark("trace", &states::trace(build::patient(), size, &select));
        dark("errors", &states::trace(build::errors(), size, states::labelled("POST https")));
        dark("many", &states::trace(build::many_queries(), size, states::labelled("SELECT * FROM patient_ins")));
        dark("hostile", &states::trace(build::hostile(), size, states::labelled("SELECT")));
        dark("deep", &states::trace(build::deep(), size, states::labelled("level 3 ")));
        dark("first", &states::empty());
        dark("health", &states::health());
    }
    let size = (120, 36);
    let traces = states::traces(build::patient(), size);
    let trace = states::trace(build::patient(), size, &select);
    for (name, theme, colours) in [
        ("light", "light", Colours::True),
        ("none", "dark", Colours::None),
        ("ansi", "dark", Colours::Ansi),
        ("indexed", "dark", Colours::Indexed),
    ] {
        write(&format!("traces-{name}"), &traces, theme, colours, size);
        write(&format!("trace-{name}"), &trace, theme, colours, size);
    }
}

//! What differs, from the keys to the screen: before and after a change, what is inside a box of the heat map, two traces.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::VecDeque;
use std::sync::Arc;

use common::build::{START, text};
use common::{paint, states};
use tracefall::analysis::Thresholds;
use tracefall::analysis::TraceNotes;
use tracefall::analysis::compare::DifferenceKind;
use tracefall::app::work::{Desk, Means};
use tracefall::app::{
    self, Basis, Button, CompareReport, Effect, Highlighted, Input, KeyPress, Keymap, MarkReason, Mouse, MouseKind,
    Screen, State, Target,
};
use tracefall::index::{self, Options, Reader, Writer};
use tracefall::model::{
    Attribute, Kind, Nanos, Resource, SourceId, Span, SpanId, Status, StatusCode, Timestamp, TraceId, Value,
};
use tracefall::otlp::encode;
use tracefall::view::{self, Colours, Look};

const SECOND: u64 = Nanos::from_secs(1).0;
const MS: u64 = 1_000_000;
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// The program without its terminal: what is asked for is worked on at once.
struct Program {
    state: State,
    writer: Writer<TraceNotes>,
    reader: Reader,
    desk: Desk,
    size: (u16, u16),
    now: Timestamp,
    traces: u64,
    /// What was copied last.
    copied: Option<String>,
}

/// A hospital's backend at one state of its code.
#[derive(Clone, Copy)]
struct Version {
    name: &'static str,
    pid: i64,
    /// Milliseconds that the patient's row takes.
    query: u64,
    /// Queries for insurances.
    insurances: u64,
}

const OLD: Version = Version { name: "1.9.1", pid: 4711, query: 1_820, insurances: 12 };
const NEW: Version = Version { name: "1.9.2", pid: 4812, query: 13, insurances: 1 };

impl Program {
    fn new(size: (u16, u16)) -> Self {
        let (writer, reader) = index::open(Options::new(64 << 20), TraceNotes::default());
        let mut state = states::empty();
        state.now = START;
        let mut program =
            Self { state, writer, reader, desk: Desk::default(), size, now: START, traces: 0, copied: None };
        program.tick();
        program
    }

    fn measure(&mut self) {
        self.state.viewport = view::viewport(&self.state, self.size);
    }

    /// A second later, with what has come.
    fn tick(&mut self) {
        self.now = self.now.plus(Nanos::from_secs(1));
        self.writer.publish();
        self.measure();
        let effects = app::tick(&mut self.state, &self.reader.view(), self.now);
        self.carry_out(effects);
        let held = self.reader.view().stats().traces;
        let health = tracefall::model::Health { traces_held: held, ..(*self.state.health).clone() };
        self.state.health = Arc::new(health);
        while app::refresh(&mut self.state, &self.reader.view()) {}
        self.measure();
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut effects: VecDeque<_> = effects.into();
        while let Some(effect) = effects.pop_front() {
            if let Effect::Copy { text, .. } = &effect {
                self.copied = Some(text.clone());
            }
            let highlight = |_, _: &str, _| Highlighted::default();
            let view = self.reader.view();
            let means = Means {
                view: &view,
                now: self.now,
                thresholds: &Thresholds::default(),
                highlight: &highlight,
                cancelled: &|| false,
            };
            if let Some(answer) = self.desk.work(&effect, &means, &mut |_| ()) {
                effects.extend(app::answer(&mut self.state, answer));
                self.measure();
            }
        }
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split_whitespace() {
            let presses: Vec<KeyPress> = match word.strip_prefix('\'') {
                Some(typed) => typed.chars().map(|letter| letter.to_string().parse().unwrap()).collect(),
                None => vec![word.parse().unwrap()],
            };
            for key in presses {
                self.measure();
                let effects = app::input(&mut self.state, &Keymap::default(), &Input::Key(key));
                self.carry_out(effects);
            }
        }
        while app::refresh(&mut self.state, &self.reader.view()) {}
        self.measure();
        self
    }

    fn mouse(&mut self, kind: MouseKind, (column, row): (u16, u16)) {
        let target = view::hit(&self.state, self.size, (column, row));
        let effects = app::click(&mut self.state, Mouse { column, row, kind }, &target, false);
        self.carry_out(effects);
    }

    fn insert(&mut self, spans: &[Span]) {
        self.writer.insert_spans(SourceId(0), &encode::spans(spans), self.now).unwrap();
    }

    /// So many requests a second for a patient, one after the other, and as many of another route.
    fn requests(&mut self, count: u64, version: Version) -> &mut Self {
        for _ in 0..count {
            let patient = self.patient(version);
            self.insert(&patient);
            let health = self.request("GET /health", version, 1 + self.traces % 3, &[]);
            self.insert(&health);
            self.tick();
        }
        self
    }

    fn patient(&mut self, version: Version) -> Vec<Span> {
        let id = format!("p{}", self.traces);
        let query = version.query + self.traces % 7;
        let attributes = [text("http.route", "/patients/{id}"), text("patient.id", &id)];
        let mut spans = self.request("GET /patients/{id}", version, query + 9 + version.insurances * 24, &attributes);
        let root = spans[0].clone();
        let mut child = |name: &str, statement: &str, from: u64, millis: u64| {
            let start = root.start.plus(Nanos::from_millis(from));
            let number = u8::try_from(spans.len() + 1).unwrap();
            spans.push(Span {
                span_id: SpanId([number; 8]),
                parent_id: Some(root.span_id),
                name: name.into(),
                kind: Kind::CLIENT,
                start,
                end: start.plus(Nanos::from_millis(millis)),
                attributes: vec![text("db.system.name", "postgresql"), text("db.query.text", statement)],
                ..root.clone()
            });
        };
        child("SELECT", "SELECT * FROM patients WHERE id = $1", 2, query);
        for insurance in 0..version.insurances {
            let statement = format!("SELECT plan FROM insurance WHERE id = {insurance}");
            child("SELECT", &statement, 3 + query + insurance * 24, 24);
        }
        spans
    }

    fn request(&mut self, name: &str, version: Version, millis: u64, attributes: &[Attribute]) -> Vec<Span> {
        self.traces += 1;
        let number = |key: &str, number: i64| Attribute { key: key.into(), value: Value::Int(number) };
        let resource = Resource {
            attributes: vec![
                text("service.name", "hmis-backend"),
                text("service.version", version.name),
                number("process.pid", version.pid),
            ],
            ..Resource::default()
        };
        vec![Span {
            trace_id: TraceId(u128::from(self.traces).to_be_bytes()),
            span_id: SpanId([1; 8]),
            name: name.into(),
            kind: Kind::SERVER,
            start: self.now,
            end: self.now.plus(Nanos::from_millis(millis)),
            attributes: attributes.to_vec(),
            resource: Arc::new(resource),
            ..Span::default()
        }]
    }

    fn report(&self) -> &CompareReport {
        assert_eq!(self.state.screen, Screen::Compare);
        self.state.compare.report.as_ref().unwrap()
    }

    fn drawn(&self) -> String {
        paint::as_text(&paint::draw(&self.state, &paint::look("dark", Colours::True), self.size))
    }

    fn snap(&self, name: &str) {
        let (columns, rows) = self.size;
        let look = paint::look("dark", Colours::True);
        let buffer = paint::draw(&self.state, &look, self.size);
        let shown = format!("{}\n---- styles\n{}", paint::as_text(&buffer), paint::as_styles(&buffer, look.base()));
        assert!(!shown.contains('\u{1b}'), "{name}: an escape sequence reaches the terminal");
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), shown);
    }
}

#[test]
fn after_the_index_was_added_the_route_takes_a_hundredth_of_the_time() {
    for size in SIZES {
        let mut program = Program::new(size);
        program.requests(24, OLD).press("m").requests(26, NEW).press("6");
        let report = program.report();
        let chosen = report.found.roots.iter().find(|row| &*row.operation.name == "GET /patients/{id}").unwrap();
        assert_eq!((chosen.selection.n, chosen.baseline.n), (26, 24));
        assert!(chosen.selection.p50 < Nanos::from_millis(60) && chosen.baseline.p50 > Nanos::from_secs(2));
        assert!(
            matches!(&report.ask.as_ref().unwrap().basis, Basis::Since(mark, _) if mark.reason == MarkReason::Person)
        );
        let found = &program.report().found;
        assert_eq!(&*found.chosen().unwrap().operation.name, "GET /patients/{id}");
        let statement = |name: &str| found.operations.iter().find(|row| row.operation.name.contains(name)).unwrap();
        let insurance = statement("FROM insurance");
        assert!((insurance.baseline.calls() - 12.0).abs() < 1e-9 && (insurance.selection.calls() - 1.0).abs() < 1e-9);
        assert!(statement("FROM patients").ratio().unwrap() < 0.02);
        let significant: Vec<&str> =
            found.differences.rows.iter().take(found.differences.significant).map(|row| row.key.as_str()).collect();
        assert!(significant.contains(&"service.version"), "{significant:?}");
        assert!(!significant.contains(&"patient.id") && found.differences.names == ["patient.id"]);
        program.snap("compare-usual");
    }
}

#[test]
fn a_new_version_of_a_service_sets_a_mark_by_itself() {
    let mut program = Program::new((120, 40));
    program.requests(5, OLD).requests(5, NEW);
    let marks: Vec<_> = program.state.marks.iter().map(|mark| mark.reason.clone()).collect();
    assert_eq!(marks, [MarkReason::Version("hmis-backend".into(), "1.9.2".into())]);
    program.press("6");
    assert_eq!(program.report().sides, [10, 10]);
    assert!(program.drawn().contains("(hmis-backend 1.9.2), with before"));
}

#[test]
fn what_is_compared_follows_what_arrives() {
    let mut program = Program::new((120, 40));
    program.requests(3, OLD).press("m").requests(2, NEW).press("6");
    assert_eq!(program.report().sides, [4, 6]);
    program.requests(4, NEW);
    assert_eq!(program.report().sides, [12, 6]);
}

#[test]
fn what_is_inside_a_box_of_the_heat_map_becomes_the_filter() {
    for size in SIZES {
        let mut program = Program::new(size);
        program.requests(12, OLD).press("L");
        program.snap("heat-usual");
        // From the latest slow request to the left and down, but not to the quick ones.
        program.press("shift-left shift-left shift-left shift-left shift-left shift-left shift-left shift-left");
        let (map, heat) = (program.state.list.strip.heat.clone().unwrap(), program.state.list.heat.unwrap());
        let (low, high) = map.cells(&heat.brush.unwrap()).unwrap();
        let inside = map.sum(low, high).0;
        assert!(inside >= 1, "{}", program.drawn());
        program.snap("heat-brushed");
        program.press("enter");
        assert_eq!(program.state.list.rows.len() as u64, inside, "{}", program.state.filter.text);
        assert!(program.state.list.heat.is_none());
        program.snap("heat-filtered");
    }
}

/// A box is about when traces began: a long one that began before it and has spans in it stays out.
#[test]
fn a_trace_that_only_reaches_into_a_box_is_not_in_it() {
    let mut program = Program::new((120, 40));
    let long = program.request("nightly", OLD, 9_000, &[]);
    let late = Span {
        span_id: SpanId([2; 8]),
        parent_id: Some(long[0].span_id),
        start: long[0].start.plus(Nanos::from_secs(8)),
        ..long[0].clone()
    };
    program.insert(&[long, vec![late]].concat());
    program.requests(10, OLD).press("L end shift-left shift-left shift-left");
    let (map, heat) = (program.state.list.strip.heat.clone().unwrap(), program.state.list.heat.unwrap());
    let (mut low, mut high) = map.cells(&heat.brush.unwrap()).unwrap();
    (low.1, high.1) = (0, map.rows - 1);
    program.press("shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up");
    program.press("shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up shift-up");
    program.press("enter");
    let ids: Vec<TraceId> = program.state.list.rows.iter().map(|row| row.trace).collect();
    assert!(!ids.is_empty() && !ids.contains(&TraceId(1_u128.to_be_bytes())), "{}", program.state.filter.text);
    assert!(ids.len() as u64 <= map.sum(low, high).0);
}

#[test]
fn more_instances_are_no_restart_and_another_one_instead_is() {
    const GROWN: Version = Version { pid: 5_000, ..OLD };
    let restarts = |program: &Program| {
        let is = |reason: &MarkReason| *reason == MarkReason::Restart("hmis-backend".into());
        program.state.marks.iter().filter(|mark| is(&mark.reason)).count()
    };
    for (grows, stands) in [(true, 0), (false, 1)] {
        let mut program = Program::new((120, 40));
        program.requests(8, OLD).requests(1, GROWN);
        assert_eq!(restarts(&program), 1);
        for _ in 0..8 {
            program.requests(1, GROWN).requests(u64::from(grows), OLD);
        }
        assert_eq!(restarts(&program), stands, "grows: {grows}");
    }
}

#[test]
fn percentiles_that_are_not_of_all_traces_say_so_on_each_screen() {
    for size in SIZES {
        let mut program = Program::new(size);
        program.requests(3, OLD).press("m").requests(3, NEW);
        for screen in ["3", "5", "6"] {
            program.press(screen);
            assert!(!program.drawn().contains("~p95"), "{}", program.drawn());
            let state = &mut program.state;
            for progress in [&mut state.sql.progress, &mut state.services.progress, &mut state.compare.progress] {
                progress.left_out = 1_234;
            }
            let drawn = program.drawn();
            let told = if size.0 < 100 { "without the oldest" } else { "without the oldest 1,234, percentiles too" };
            assert!(drawn.contains("~p95") && drawn.contains(told), "{drawn}");
            let state = &mut program.state;
            for progress in [&mut state.sql.progress, &mut state.services.progress, &mut state.compare.progress] {
                progress.left_out = 0;
            }
        }
        let report = program.state.compare.report.as_mut().unwrap();
        Arc::make_mut(report).left_out = [0, 1_234];
        let drawn = program.drawn();
        assert!(drawn.contains("before  ▲ without the oldest"), "{drawn}");
    }
}

#[test]
fn a_comparison_is_copied_as_markdown_without_secrets() {
    let mut program = Program::new((120, 40));
    program.requests(24, OLD).press("m");
    for _ in 0..24 {
        let mut patient = program.patient(NEW);
        patient[0].attributes.push(text("user.password", "hunter2"));
        program.insert(&patient);
        program.tick();
    }
    program.press("6 y");
    let Some(app::Overlay::Copy(items)) = &program.state.overlay else { panic!("nothing to copy") };
    let markdown = &items.iter().find(|item| item.key == 'm').unwrap().text;
    assert!(!markdown.contains("hunter2"), "{markdown}");
    insta::assert_snapshot!("compared", markdown);
    program.press("esc 1").requests(1, OLD).press("g x j j x 6 c c y");
    insta::assert_snapshot!("compared-two", program.copied.unwrap());
}

#[test]
fn a_box_is_drawn_with_the_mouse_and_compared_with_the_rest() {
    let mut program = Program::new((120, 40));
    program.requests(12, OLD).press("L");
    let at = |program: &Program, wanted: fn(u16, u16) -> bool| {
        let cells = (0..40_u16).flat_map(|row| (0..120_u16).map(move |column| (column, row)));
        let mut heat = cells.filter(|at| matches!(view::hit(&program.state, program.size, *at), Target::Heat(_)));
        heat.find(|(column, row)| wanted(*column, *row)).unwrap()
    };
    // The upper half of the map: the slow ones.
    let from = at(&program, |_, _| true);
    program.mouse(MouseKind::Down(Button::Left), from);
    program.mouse(MouseKind::Drag(Button::Left), (118, from.1 + 6));
    program.mouse(MouseKind::Up(Button::Left), (118, from.1 + 6));
    program.press("c");
    let report = program.report();
    assert_eq!(report.sides, [12, 12], "{}", program.drawn());
    assert!(matches!(report.ask.as_ref().unwrap().basis, Basis::Within(_)));
    assert_eq!(report.found.roots.len(), 1, "the other route is none of the selection");
}

#[test]
fn two_marked_traces_stand_side_by_side() {
    for size in SIZES {
        let mut program = Program::new(size);
        program.requests(1, OLD).requests(1, NEW);
        // The newest first: a route that is not wanted stands between.
        program.press("g j x j j x 6");
        let two = program.report().two.as_ref().unwrap();
        assert!(two.pair.durations[0] > two.pair.durations[1], "the earlier one stands first");
        let counts: Vec<_> =
            two.pair.rows.iter().map(|row| row.strands.map(|strand| strand.map_or(0, |strand| strand.count))).collect();
        assert_eq!(counts, [[1, 1], [1, 1], [12, 1]]);
        program.snap("compare-two");
        program.press("j enter");
        assert_eq!(program.state.screen, Screen::Trace);
    }
}

#[test]
fn a_filter_is_compared_with_all_else_and_a_value_becomes_one() {
    let mut program = Program::new((120, 40));
    program.requests(30, OLD).requests(10, NEW);
    program.press("/ 'service.version=1.9.2 enter 6");
    let report = program.report();
    assert_eq!((report.sides, report.traces), ([20, 60], 80));
    assert!(matches!(report.ask.as_ref().unwrap().basis, Basis::Filter(_)));
    let row = report.found.differences.rows.iter().find(|row| row.key == "process.pid" && row.size() > 0.0).unwrap();
    assert!(matches!(&row.kind, DifferenceKind::Value { value, .. } if value == "4812"));
    program.state.compare.selected = Some(app::RowId::Attribute("process.pid".into(), Some("4812".into())));
    program.press("enter");
    assert_eq!((program.state.screen, program.state.filter.text.contains("process.pid=4812")), (Screen::Traces, true));
}

#[test]
fn without_anything_to_compare_it_says_what_there_is() {
    for size in SIZES {
        let mut program = Program::new(size);
        program.press("6");
        program.snap("compare-empty");
        program.press("1 L");
        program.snap("heat-empty");
        program.press("esc").requests(2, OLD).press("6 c");
        assert!(program.state.notice.as_ref().unwrap().text.starts_with("nothing to compare yet"));
    }
}

/// Names, values and times that mean harm.
fn hostile(program: &mut Program) {
    let bad = "\u{1b}[2J\u{202e}evil\u{0}\n表表表 e\u{301}".repeat(9);
    for number in 0..24_u64 {
        let mut spans =
            program.request(&bad, OLD, number * number * 40, &[text(&bad, &bad), text("a", "\u{1b}]0;x\u{7}")]);
        let root = spans[0].clone();
        let failed = Status { code: StatusCode::ERROR, ..Status::default() };
        let statement = [text("db.system.name", "\u{9b}31m"), text("db.query.text", &bad)];
        spans.push(Span {
            span_id: SpanId([2; 8]),
            parent_id: Some(root.span_id),
            status: if number % 2 == 0 { failed } else { Status::default() },
            attributes: [&statement[..], &[text("b", &number.to_string())]].concat(),
            start: if number == 3 { Timestamp(u64::MAX) } else { root.start },
            end: if number == 4 { Timestamp(0) } else { root.end },
            ..root.clone()
        });
        program.insert(&spans);
        program.tick();
    }
}

#[test]
fn hostile_traces_are_compared_like_any_other() {
    for size in SIZES {
        let mut program = Program::new(size);
        hostile(&mut program);
        program.press("L");
        program.snap("heat-hostile");
        program.press("esc g x j x j x 6");
        program.snap("compare-hostile");
        program.press("G enter");
    }
}

#[test]
fn without_colours_and_without_unicode_a_heat_map_is_seen() {
    let mut program = Program::new((80, 24));
    program.requests(12, OLD).press("L shift-left shift-left shift-up");
    let look = Look::new("dark", Colours::None, true, jiff::tz::TimeZone::UTC);
    let buffer = paint::draw(&program.state, &look, (80, 24));
    let drawn = paint::as_text(&buffer);
    assert!(drawn.is_ascii(), "{drawn}");
    insta::assert_snapshot!(
        "heat-plain-80x24",
        format!("{drawn}\n---- styles\n{}", paint::as_styles(&buffer, look.base()))
    );
}

#[test]
fn the_screen_fits_any_size() {
    let mut program = Program::new((120, 40));
    program.requests(6, OLD).press("m").requests(6, NEW).press("6");
    for size in [(24, 6), (30, 8), (47, 13), (72, 20), (99, 30), (200, 60)] {
        program.size = size;
        program.press("j k 1 L left right shift-up esc esc 6");
        let _ = program.drawn();
    }
    assert!(program.now.0 > START.0 + 12 * SECOND && MS > 0);
}

//! What is breaking and which service is to blame, of the recorded exports of real services: reviewed by hand.
#![expect(clippy::unwrap_used, clippy::format_push_string, reason = "a test fails by panicking")]

mod common;

use std::io::Read as _;
use std::path::Path;

use common::build::START;
use common::fixtures::frames;
use common::{paint, states};
use tracefall::analysis::Thresholds;
use tracefall::analysis::TraceNotes;
use tracefall::analysis::errors::{self, Evidence, Failure, Report};
use tracefall::analysis::services::{self, Figures, Names, Peer, TraceCalls};
use tracefall::app::work::{Desk, Means};
use tracefall::app::{self, Effect, Highlighted, Input, Key, KeyPress, Keymap, State};
use tracefall::index::{Options, View, Writer, open};
use tracefall::model::{Dependency, Nanos, Signal, SourceHealth, SourceId, TraceId};
use tracefall::otlp::json::to_protobuf;
use tracefall::view::{self, Colours};

/// Name, files of spans, files of logs.
const FIXTURES: [(&str, &str, &[&str]); 4] = [
    ("python", "hmis-python-grpc.otlp.pb", &[]),
    ("node", "recipe-node-browser.traces.jsonl.gz", &["recipe-node-browser.logs.jsonl.gz"]),
    ("go", "gateway-go.traces.pb.gz", &[]),
    ("java", "billing-java.traces.pb.gz", &["billing-java.logs.pb.gz"]),
];

/// The lines of a gzipped file.
fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn bodies(name: &str, signal: Signal) -> Vec<Vec<u8>> {
    if name.contains(".jsonl") {
        lines(name).iter().map(|line| to_protobuf(signal, line.as_bytes()).unwrap().protobuf).collect()
    } else {
        frames(name)
    }
}

/// An index of the spans and log records in these files.
fn index(traces: &[&str], logs: &[&str]) -> (Writer<TraceNotes>, View) {
    let (mut writer, reader) = open(Options::new(512 << 20), TraceNotes::default());
    for body in traces.iter().flat_map(|name| bodies(name, Signal::Traces)) {
        writer.insert_spans(SourceId(0), &body, START).unwrap();
    }
    for body in logs.iter().flat_map(|name| bodies(name, Signal::Logs)) {
        writer.insert_logs(SourceId(0), &body, START).unwrap();
    }
    writer.publish();
    let view = reader.view();
    (writer, view)
}

fn failures(view: &View) -> Vec<(TraceId, Vec<Failure>)> {
    view.traces().map(|id| (id, errors::read(view, id, &view.logs(id), &Thresholds::default()))).collect()
}

fn report(found: &[(TraceId, Vec<Failure>)]) -> Report {
    errors::report(found.iter().map(|(id, failures)| (*id, failures.as_slice())))
}

fn written(view: &View, report: &Report) -> String {
    let mut out = format!("{} errors in {} of {} traces\n", report.errors, report.failed_traces, report.traces);
    for group in &report.groups {
        let key = &group.key;
        out.push_str(&format!("\n{:>4} {:?} · {}\n", group.count, &*key.kind, key.pattern));
        out.push_str(&format!("     {} · {} · {}\n", key.service, key.operation, key.place));
        let told: Vec<String> = Evidence::ALL
            .iter()
            .zip(group.evidence)
            .filter(|(_, count)| *count > 0)
            .map(|(evidence, count)| format!("{} {count}", evidence.name()))
            .collect();
        out.push_str(&format!(
            "     {} traces, {}; passed on by {}, {} logs; {:?}\n",
            group.traces,
            told.join(", "),
            group.passed_on,
            group.logs,
            group.services
        ));
        let example = &group.examples[0];
        let detail = errors::detail(view, example, &key.kind).unwrap();
        assert!(detail.message.trim().starts_with(example.message.trim_end_matches('…').trim()));
        let own = detail.stack.frames.iter().filter(|frame| frame.own).count();
        out.push_str(&format!("     {} frames, {own} own\n", detail.stack.frames.len()));
    }
    out
}

fn figures(figures: &Figures) -> String {
    let Figures { calls, failed, p50, p95, p99, .. } = figures;
    format!("{calls:>5} {failed:>4} ✗  p50 {p50}, p95 {p95}, p99 {p99}")
}

fn service_table(report: &services::Report) -> String {
    let (failed, crossing) = (report.failed, report.crossing);
    let mut out = format!("{} traces, {failed} failed, {crossing} cross services\n\n", report.traces);
    for service in &report.services {
        out.push_str(&format!("{} {}\n", figures(&service.figures), service.name));
        for operation in service.operations.iter().take(12) {
            let name = view::visible(&operation.name).chars().take(60).collect::<String>();
            out.push_str(&format!("{}     {name}\n", figures(&operation.figures)));
        }
    }
    let peer = |peer: &Peer| format!("{} {}", peer.name(), peer.what()).trim_end().to_owned();
    out.push('\n');
    for edge in &report.edges {
        let network = edge.network.map_or_else(String::new, |(n, p50, p95)| format!(", network {p50} {p95} of {n}"));
        let (from, to) = (peer(&edge.from), peer(&edge.to));
        out.push_str(&format!(
            "{from} > {to}: {} ✗ {}, p50 {}, p95 {}{network}\n",
            edge.calls, edge.failed, edge.p50, edge.p95
        ));
    }
    out
}

#[test]
fn traces_that_columns_do_not_suspect_have_no_errors() {
    for (name, traces, logs) in FIXTURES {
        let (_writer, view) = index(&[traces], logs);
        let mut telling = errors::TellingLogs::default();
        telling.update(&view);
        let suspects = errors::suspects(&view, &telling);
        for (id, failures) in failures(&view) {
            assert!(suspects.contains(&id) || failures.is_empty(), "{name} {id}: {failures:?}");
        }
    }
}

#[test]
fn the_services_of_real_programs() {
    for (name, traces, _) in FIXTURES {
        let (_writer, view) = index(&[traces], &[]);
        let mut names = Names::default();
        let read = |id| Some(services::look_up(&view, id, &Thresholds::default())?.calls(&view, &mut names));
        let mut calls: Vec<TraceCalls> = view.traces().filter_map(read).collect();
        let report = services::report(calls.iter(), &names, START);
        calls.reverse();
        assert_eq!(services::report(calls.iter(), &names, START), report, "{name}: the order of traces matters");
        insta::assert_snapshot!(format!("services_{name}"), service_table(&report));
    }
}

/// The program without its terminal: what is asked for is worked on at once.
struct Program {
    state: State,
    view: View,
    desk: Desk,
    size: (u16, u16),
}

impl Program {
    fn new(view: &View, size: (u16, u16)) -> Self {
        let mut state = states::empty();
        state.now = START;
        let mut program = Self { state, view: view.clone(), desk: Desk::default(), size };
        program.measure();
        let effects = app::tick(&mut program.state, &program.view, START);
        program.carry_out(effects);
        program
    }

    fn measure(&mut self) {
        self.state.viewport = view::viewport(&self.state, self.size);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut effects: std::collections::VecDeque<_> = effects.into();
        while let Some(effect) = effects.pop_front() {
            let highlight = |_, _: &str, _| Highlighted::default();
            let means = Means {
                view: &self.view,
                now: START,
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

    fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.measure();
            let press = Input::Key(KeyPress { key: *key, ctrl: false, alt: false, shift: false });
            let effects = app::input(&mut self.state, &Keymap::default(), &press);
            self.carry_out(effects);
            self.measure();
        }
    }

    fn drawn(&self) -> String {
        let look = paint::look("dark", Colours::True);
        paint::as_text(&paint::draw(&self.state, &look, self.size))
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

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

#[test]
fn both_screens_of_nothing_of_usual_and_of_hostile_traces() {
    let empty = index(&[], &[]).1;
    let usual = index(&[FIXTURES[1].1], FIXTURES[1].2).1;
    let hostile = index(&[FIXTURES[2].1], &[]).1;
    for size in SIZES {
        for (name, view) in [("empty", &empty), ("usual", &usual), ("hostile", &hostile)] {
            let mut program = Program::new(view, size);
            program.press(&[Key::Char('4')]);
            program.snap(&format!("errors-{name}"));
            program.press(&[Key::Char('5')]);
            program.snap(&format!("services-{name}"));
            program.press(&[Key::Right, Key::Down, Key::Char('M')]);
            program.snap(&format!("services-{name}-map"));
        }
    }
}

/// On a narrow terminal the figures ran into each other, and services had no names.
#[test]
fn services_have_names_on_a_narrow_terminal() {
    let usual = index(&[FIXTURES[1].1], FIXTURES[1].2).1;
    for size in [(40, 12), (50, 14), (66, 14)] {
        let mut program = Program::new(&usual, size);
        program.press(&[Key::Char('5')]);
        program.snap("services-narrow");
    }
}

/// A log record may come long after the spans of its trace were read.
#[test]
fn a_log_that_arrives_after_its_trace_was_read_is_told_of() {
    let (mut writer, reader) = open(Options::new(512 << 20), TraceNotes::default());
    for body in bodies("billing-java.traces.pb.gz", Signal::Traces) {
        writer.insert_spans(SourceId(0), &body, START).unwrap();
    }
    writer.publish();
    let mut program = Program::new(&reader.view(), SIZES[1]);
    program.press(&[Key::Char('4')]);
    let counted = |program: &Program| {
        let report = program.state.errors.report.as_ref().unwrap();
        (report.errors, report.groups.iter().map(|group| group.logs).sum::<u64>())
    };
    let before = counted(&program);
    for body in bodies("billing-java.logs.pb.gz", Signal::Logs) {
        writer.insert_logs(SourceId(0), &body, START).unwrap();
    }
    writer.publish();
    program.view = reader.view();
    let effects = app::tick(&mut program.state, &program.view, START.plus(Nanos::from_secs(60)));
    program.carry_out(effects);
    let found = failures(&program.view);
    let expected = report(&found);
    let logs = expected.groups.iter().map(|group| group.logs).sum::<u64>();
    assert_eq!(counted(&program), (expected.errors, logs));
    assert_ne!(counted(&program), before);
}

#[test]
fn no_errors_are_told_as_such() {
    let view = index(&[FIXTURES[0].1], &[]).1;
    let mut program = Program::new(&view, (120, 40));
    program.press(&[Key::Char('/')]);
    let effects = app::input(&mut program.state, &Keymap::default(), &Input::Paste("none.error=true".into()));
    program.carry_out(effects);
    program.press(&[Key::Enter, Key::Char('4')]);
    assert!(program.drawn().contains("No errors in the "), "{}", program.drawn());
}

#[test]
fn enter_on_an_error_opens_its_trace_on_the_span_and_esc_leads_back() {
    let (_writer, view) = index(&[FIXTURES[1].1], FIXTURES[1].2);
    let mut program = Program::new(&view, (120, 40));
    program.press(&[Key::Char('4'), Key::Down]);
    let (_, example) = program.state.errors.chosen().unwrap();
    let (trace, span) = (example.trace, example.span.unwrap());
    program.press(&[Key::Enter]);
    let open = program.state.trace.as_ref().unwrap();
    assert_eq!(open.id, trace);
    assert_eq!(open.selected, Some(tracefall::analysis::RowKey::Span(span)));
    program.press(&[Key::Esc]);
    assert_eq!(program.state.screen, app::Screen::Errors);
    program.press(&[Key::Right]);
    assert_ne!(program.state.errors.chosen().unwrap().1.trace, trace);
    assert!(program.state.errors.told.as_ref().unwrap().detail.is_some());
}

#[test]
fn what_a_server_tells_of_calls_stands_below_what_is_held_with_its_name() {
    let (_writer, view) = index(&[FIXTURES[0].1], &[]);
    for size in SIZES {
        let mut program = Program::new(&view, size);
        let call = |parent: &str, child: &str, calls| Dependency { parent: parent.into(), child: child.into(), calls };
        let names = tracefall::model::Names {
            dependencies: vec![
                call("admin", "hmis-backend", 41),
                call("hmis-backend", "hmis-insurance", 9_041),
                call("mobile\u{1b}[31m", "hmis-backend", 120_500),
                call("pay", "ledger", 7),
            ],
            ..tracefall::model::Names::default()
        };
        let prod = SourceHealth { name: "prod".into(), names: names.into(), ..SourceHealth::default() };
        let mut health = (*program.state.health).clone();
        health.sources.push(prod);
        program.state.health = health.into();
        program.press(&[Key::Char('5')]);
        program.snap("services-told");
        program.press(&[Key::Char('M'), Key::Char('J'), Key::Char('J'), Key::Char('J')]);
        program.snap("services-told-map");
    }
}

#[test]
fn orders_folds_and_filters_of_services() {
    let (_writer, view) = index(&[FIXTURES[1].1], &[]);
    let mut program = Program::new(&view, (120, 40));
    program.press(&[Key::Char('5')]);
    let services = program.state.services.rows.len();
    program.press(&[Key::Char(']')]);
    assert!(program.state.services.rows.len() > services);
    for _ in 0..6 {
        program.press(&[Key::Char('s')]);
        let rows = &program.state.services.rows;
        let named: std::collections::BTreeSet<_> = rows.iter().collect();
        assert_eq!(named.len(), rows.len());
    }
    program.press(&[Key::Char('['), Key::Char('g'), Key::Right, Key::Down]);
    let row = program.state.services.table.selected.clone().unwrap();
    assert!(row.operation.is_some());
    let calls = program.state.services.figures(&row).unwrap().calls;
    program.press(&[Key::Enter]);
    assert_eq!(program.state.screen, app::Screen::Traces);
    assert!(program.state.filter.text.contains(&*row.service), "{}", program.state.filter.text);
    let found = program.state.list.rows.len() as u64;
    assert!(found > 0 && found <= calls, "{found} traces, {calls} calls: {}", program.state.filter.text);
}

#[test]
fn the_errors_of_real_services() {
    for (name, traces, logs) in FIXTURES {
        let (_writer, view) = index(&[traces], logs);
        let mut found = failures(&view);
        let whole = report(&found);
        assert_eq!(whole.errors, whole.groups.iter().map(|group| group.count).sum::<u64>());
        found.reverse();
        assert_eq!(report(&found), whole, "{name}: the order of traces matters");
        insta::assert_snapshot!(format!("errors_{name}"), written(&view, &whole));
    }
}

//! What keys and mouse do: start, keys, what is there then. Effects are carried out at once, on traces made by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not there fails the test")]

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use tracefall::analysis::Thresholds;
use tracefall::analysis::compare::{Comparison, Operation, OperationRow, Side};
use tracefall::analysis::findings::{Nothing, across, judge_all};
use tracefall::analysis::heat::HeatMap;
use tracefall::analysis::{
    Analysis, Baseline, Kin, RowKey, analyse, errors, flatten, path, services, statements, what_if,
};
use tracefall::app::{
    self, ACTIONS, Action, Answer, Button, Cell, CompareReport, Context, DetailFocus, Effect, FindingsOf,
    FindingsReport, Formatted, Input, Judged, Key, KeyPress, Keymap, Library, Lines, Mouse, MouseKind, Overlay, Page,
    Profile, Report, SaveWhat, Screen, Settings, Showing, Sort, SortKey, SpanDetail, State, StatementSort, Strip,
    SurveyOf, Surveyed, Target, TraceScreen, ValueRow, Values, Viewport, work,
};
use tracefall::index::Outline;
use tracefall::model::{
    Asked, Attribute, Category, Health, Kind, Link, Nanos, Progress, SearchState, SourceHealth, SourceId, Span, SpanId,
    SpanKey, Standing, StatusCode, Timestamp, Trace, TraceId, TraceSpan, TraceSummary, Value,
};
use tracefall::query::{Completion, Hit};

const MS: u64 = 1_000_000;

/// A program without terminal and index: `run` with hand-made traces.
struct Bench {
    state: State,
    keymap: Keymap,
    traces: Vec<Trace>,
    done: Vec<Effect>,
    /// Answers come at once; otherwise they pile up in `done` as effects.
    prompt: bool,
}

fn trace_id(number: u64) -> TraceId {
    TraceId((u128::from(number) + 1).to_be_bytes())
}

fn key_of(number: u64) -> SpanKey {
    SpanKey { id: SpanId((number + 1).to_be_bytes()), kind: Kind::INTERNAL }
}

/// A span by number, its parent's number, start and length in ms; `!` in the label fails it, `SQL` makes it a statement.
fn span(number: u64, parent: Option<u64>, start: u64, length: u64, label: &str) -> TraceSpan {
    TraceSpan {
        key: key_of(number),
        parent_id: parent.map(|number| key_of(number).id),
        start: Timestamp(1_000_000 * MS + start * MS),
        end: Timestamp(1_000_000 * MS + (start + length) * MS),
        status: if label.contains('!') { StatusCode::ERROR } else { StatusCode::UNSET },
        service: "shop".into(),
        name: label.into(),
        label: label.into(),
        category: if label.contains("SQL") { Category::Sql } else { Category::Other },
        ..TraceSpan::default()
    }
}

/// root ─ auth ─ check, load ─ SQL (slow), SQL ×6 (grouped, one fails), pay! ─ card! and a missing parent's child.
fn shop(number: u64) -> Trace {
    let mut spans = vec![
        span(0, None, 0, 1000, "GET /cart"),
        span(1, Some(0), 1, 10, "auth"),
        span(2, Some(1), 2, 5, "check"),
        span(3, Some(0), 20, 500, "load"),
        span(4, Some(3), 21, 400, "SQL select cart"),
        span(5, Some(0), 600, 60, "pay!"),
        span(6, Some(5), 610, 40, "card!"),
        span(7, Some(99), 700, 10, "stray"),
    ];
    spans.extend((0..6).map(|item| span(10 + item, Some(3), 430 + item * 10, 5, "SQL select item")));
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.key));
    Trace { id: trace_id(number), spans, last_arrival: Timestamp(1), truncated: false }
}

/// What a survey says here.
fn surveyed(generation: u64, of: SurveyOf, traces: &[Trace]) -> Surveyed {
    let report = match of {
        SurveyOf::Sql => Report::Sql(Arc::new(statements(traces))),
        SurveyOf::Errors => Report::Errors(Arc::new(failures(traces))),
        SurveyOf::Services => Report::Services(Arc::new(calls(traces))),
        SurveyOf::Compare => Report::Compare(Arc::default()),
        SurveyOf::Findings => Report::Findings(Arc::new(found(traces))),
    };
    Surveyed { generation, revision: 1, share: 1.0, left_out: 0, report }
}

fn found(traces: &[Trace]) -> FindingsReport {
    let digest = |trace: &Trace| {
        let analysis = analyse(Arc::new(trace.clone()), &Thresholds::default());
        let findings = judge_all(&analysis, &Thresholds::default(), &Nothing);
        Some((trace.id, across::digest(&analysis, &Thresholds::default(), findings)?))
    };
    let digests: Vec<_> = traces.iter().filter_map(digest).collect();
    let (rows, all) = across::sum(
        digests.iter().map(|(trace, digest)| (*trace, digest)),
        across::Past::Whole,
        &Thresholds::default(),
    );
    FindingsReport::of(traces.len() as u64, rows, all)
}

/// Fifty spans are of the same kind as each of these.
fn baselines(analysis: &Analysis, spans: &[u32]) -> Answer {
    let kin = Kin::Operation("shop".into(), "GET".into(), Kind::SERVER);
    let all: Vec<u64> = (1..=50).map(|n| n * 20 * MS).collect();
    let of = |place: &u32| {
        let span = &analysis.trace.spans[*place as usize];
        (span.key, Baseline::new(span.duration(), &all, kin.clone(), false))
    };
    Answer::Baselines { trace: analysis.trace.id, found: spans.iter().map(of).collect() }
}

/// Four errors that happen in every fourth trace each.
fn failures(traces: &[Trace]) -> errors::Report {
    let failure = |trace: &Trace| {
        let kind = ["Busy", "Gone", "Late", "Lost"][usize::from(trace.id.0[15] % 4)];
        let span = trace.spans.first().map(|span| span.key);
        errors::Failure {
            key: Arc::new(errors::GroupKey { kind: kind.into(), pattern: "no".into(), ..errors::GroupKey::default() }),
            evidence: errors::Evidence::Status,
            exception: true,
            answers: false,
            message: "no".into(),
            at: trace.last_arrival,
            span,
            told: span,
            passed_on: 0,
            logs: 0,
            services: vec!["shop".into()],
        }
    };
    let found: Vec<_> = traces.iter().map(|trace| (trace.id, vec![failure(trace)])).collect();
    errors::report(found.iter().map(|(trace, failures)| (*trace, failures.as_slice())))
}

/// The services of the traces, and some more.
fn calls(traces: &[Trace]) -> services::Report {
    let mut names = services::Names::default();
    let mut calls = |trace: &Trace| {
        let analysis = analyse(Arc::new(trace.clone()), &Thresholds::default());
        services::trace_calls(&analysis, &[], &|_, _| None, &mut names)
    };
    let mut all: Vec<_> = traces.iter().map(&mut calls).collect();
    for service in ["bank", "mail", "stock"] {
        let operation = names.operation(&service.into(), &"POST /".into());
        let entry = services::Entry { operation, at: Timestamp(1), duration: Nanos(1), failed: true };
        all.push(services::TraceCalls { entries: vec![entry], ..services::TraceCalls::default() });
    }
    services::report(all.iter(), &names, Timestamp(1))
}

fn statements(traces: &[Trace]) -> statements::Statements {
    let names = std::sync::Mutex::<statements::Names>::default();
    let digest = |trace: &Trace| {
        let (id, trace) = (trace.id, Arc::new(trace.clone()));
        Some((id, statements::digest(&trace, &Thresholds::default(), &names, &mut |_| statements::Said::default())?))
    };
    let digests: Vec<_> = traces.iter().filter_map(digest).collect();
    statements::sum(digests.iter().map(|(trace, digest)| (*trace, digest)), &names.into_inner().unwrap())
}

impl Bench {
    fn new(traces: u64) -> Self {
        let settings = Settings {
            thresholds: Thresholds::default(),
            recipes: vec![
                ("Python".to_owned(), "opentelemetry-instrument uvicorn app:app".to_owned()),
                ("other".to_owned(), "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318".to_owned()),
            ],
            ..Settings::default()
        };
        let mut state = State::new(settings);
        state.viewport = Viewport {
            columns: 120,
            rows: 36,
            list: 10,
            preview: 8,
            waterfall: 8,
            detail: 6,
            detail_columns: 60,
            scroll: 20,
            statements: 10,
            errors: 10,
            errors_pane: 8,
            errors_lines: 20,
            services: 10,
            services_pane: 8,
            services_lines: 20,
            statement_columns: 60,
            strip: 40,
            ..Viewport::default()
        };
        let traces = (0..traces).map(shop).collect();
        let mut bench = Self { state, keymap: Keymap::default(), traces, done: Vec::new(), prompt: true };
        bench.arrive();
        bench
    }

    /// A search as `tick` asks for one when the index has changed.
    fn arrive(&mut self) {
        self.state.list.revision += 1;
        let rows = self.rows();
        let generation = self.state.list.generation;
        let answer = Answer::Listed { generation, revision: 1, rows, strip: Strip::default(), partial: false };
        self.answer(answer);
        // As `refresh` does from the index.
        let summary =
            TraceSummary { root_label: "GET /cart".into(), root_service: "shop".into(), ..TraceSummary::default() };
        let page = |(index, row): (usize, &Hit)| Page { index, row: *row, summary: Some(summary.clone()), first: None };
        self.state.list.page = self.state.list.rows.iter().enumerate().take(10).map(page).collect();
    }

    fn rows(&self) -> Arc<Vec<Hit>> {
        let hit = |trace: &Trace| Hit { trace: trace.id, matched: 0, first: None };
        let matches = |trace: &&Trace| {
            let terms = &self.state.filter.query.terms;
            terms.is_empty() || trace.id.0[15].is_multiple_of(2)
        };
        Arc::new(self.traces.iter().rev().filter(matches).map(hit).collect())
    }

    fn answer(&mut self, answer: Answer) {
        let effects = app::answer(&mut self.state, answer);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.done.push(effect.clone());
            if self.prompt
                && let Some(answer) = self.work(effect)
            {
                self.answer(answer);
            }
        }
    }

    fn held(&self, id: TraceId) -> Option<&Trace> {
        self.traces.iter().find(|trace| trace.id == id)
    }

    fn work(&self, effect: Effect) -> Option<Answer> {
        let judge = |trace: &Trace| Arc::new(analyse(Arc::new(trace.clone()), &Thresholds::default()));
        Some(match effect {
            Effect::List { generation, .. } => {
                let (revision, rows) = (self.state.list.revision, self.rows());
                Answer::Listed { generation, revision, rows, strip: Strip::default(), partial: false }
            }
            Effect::Open { generation, trace, folds, find, showing } => {
                let analysis = self.held(trace).map(judge);
                let found = find.zip(analysis.as_ref()).map(|(query, analysis)| matching(analysis, &query.text));
                let alone = found.as_deref().filter(|_| showing.matches);
                let rows = |analysis: &Arc<Analysis>| {
                    let path = showing.path.then(|| path::on_path(analysis));
                    rows_of(work::flatten(0, analysis, &folds, path.as_deref().or(alone)))
                };
                let rows = analysis.as_ref().map(rows);
                let rows = rows.unwrap_or_default();
                Answer::Opened { generation, trace, analysis, rows, found }
            }
            Effect::Preview { trace } => {
                let analysis = judge(self.held(trace)?);
                let rows = Arc::new(flatten(&analysis, &tracefall::analysis::Folds::default()));
                Answer::Previewed { trace, analysis, rows }
            }
            Effect::Flatten { generation, analysis, folds, only } => {
                work::flatten(generation, &analysis, &folds, only.as_ref().map(|only| only.as_slice()))
            }
            Effect::Find { generation, analysis, query } => {
                let nodes = matching(&analysis, &query.text);
                Answer::Found { generation, query, nodes }
            }
            Effect::Detail { trace, span, .. } => Answer::Detailed { trace, span, detail: Some(Self::detail(span)) },
            Effect::Complete { text, .. } => Answer::Completed { text, completions: Vec::new() },
            Effect::Values { generation, .. } => {
                let row = |value: &str, spans| ValueRow { value: value.into(), spans, ..ValueRow::default() };
                let rows = vec![row("GET", 12), row("POST it", 3), row("PUT", 1)];
                Answer::Values { generation, values: Arc::new(Values { rows, ..Values::default() }) }
            }
            Effect::Baseline { analysis, spans } => baselines(&analysis, &spans),
            Effect::Format { of, .. } => Answer::Formatted(Formatted { of, lines: Arc::default() }),
            Effect::Failure { example, .. } => Answer::Failure { example, detail: Some(Arc::default()) },
            Effect::Survey { generation, of, .. } => Answer::Surveyed(surveyed(generation, of, &self.traces)),
            Effect::Judge { analysis } => judged(&analysis),
            Effect::WhatIf { analysis, nodes } => {
                let gains = what_if(&analysis, &nodes);
                Answer::Gained { analysis, nodes: nodes.len(), gains }
            }
            Effect::Keys => Answer::Keys(vec![("http.method".into(), 16), ("tenant".into(), 2)]),
            Effect::Samples => Answer::Samples(Arc::default()),
            Effect::Copy { what, .. } | Effect::Browse(what) => Answer::Copied(Ok(what)),
            Effect::Demo(play) => Answer::Demo(Ok(play)),
            Effect::Markdown { trace, mask } => {
                let masked = if mask.is_some() { "masked" } else { "plain" };
                Answer::Markdown(Ok(format!("{masked} {trace}")))
            }
            Effect::Save(request) => self.save(&request),
            _ => return None,
        })
    }

    fn save(&self, request: &app::SaveRequest) -> Answer {
        Answer::Saved(match &request.what {
            _ if request.path.ends_with("taken") => Err("taken is there already".into()),
            SaveWhat::Marked(marked) => Ok(saved(request, marked.len())),
            SaveWhat::Listed(rows) => Ok(saved(request, rows.len())),
            SaveWhat::One(..) => Ok(saved(request, 1)),
            SaveWhat::Everything => Ok(saved(request, self.traces.len())),
        })
    }

    fn detail(key: SpanKey) -> Arc<SpanDetail> {
        let text = |key: &str, value: &str| Attribute { key: key.into(), value: Value::Text(value.into()) };
        let link = |trace: u64, span: u64| Link {
            trace_id: trace_id(trace).0.into(),
            span_id: key_of(span).id.0.into(),
            ..Link::default()
        };
        // The span "auth" links to "card!" of trace 0, "check" to a trace that is not held.
        let links = match key {
            key if key == key_of(1) => vec![link(0, 6)],
            key if key == key_of(2) => vec![link(9_999, 0)],
            _ => Vec::new(),
        };
        let cells = [Cell::Statement, Cell::Attribute(0), Cell::Attribute(1)];
        let cells = cells.into_iter().chain((0..links.len()).map(Cell::Link)).collect();
        let span = Span {
            span_id: key.id,
            kind: key.kind,
            attributes: vec![text("db.statement", "SELECT 1"), text("user.password", "hunter2")],
            links,
            ..Span::default()
        };
        Arc::new(SpanDetail { span, cells, ..SpanDetail::default() })
    }

    /// Presses keys given by their config names; words in quotes are typed.
    fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split_whitespace() {
            let presses: Vec<KeyPress> = match word.strip_prefix('\'') {
                Some(typed) => typed.trim_end_matches('\'').chars().map(|c| KeyPress::plain(Key::Char(c))).collect(),
                None => vec![word.parse().unwrap()],
            };
            for key in presses {
                let effects = app::input(&mut self.state, &self.keymap, &Input::Key(key));
                self.carry_out(effects);
            }
        }
        self
    }

    fn click(&mut self, kind: MouseKind, target: &Target, twice: bool) -> &mut Self {
        let mouse = Mouse { column: 0, row: 0, kind };
        let effects = app::click(&mut self.state, mouse, target, twice);
        self.carry_out(effects);
        self
    }

    /// What a person sees, in a line.
    fn seen(&self) -> String {
        let State { screen, list, trace, overlay, .. } = &self.state;
        let overlay = match overlay {
            None => "",
            Some(Overlay::Help { .. }) => " help",
            Some(Overlay::Palette(_)) => " palette",
            Some(Overlay::Copy(_)) => " copy",
            Some(Overlay::Language(_)) => " language",
            Some(Overlay::Picker(_)) => " picker",
            Some(Overlay::Naming(_)) => " naming",
            Some(Overlay::Save(_)) => " save",
            Some(Overlay::Chips(_)) => " chips",
            Some(Overlay::Values(_)) => " values",
            Some(Overlay::Findings(FindingsOf::Trace)) => " findings",
            Some(Overlay::Findings(FindingsOf::All)) => " all findings",
        };
        match screen {
            Screen::Sql => {
                let sql = &self.state.sql;
                let text = sql.selected().map_or("-", |row| &*row.text);
                let calls = sql.calls.as_ref().map_or_else(String::new, |calls| {
                    let at = calls.table.at(&calls.keys).map_or_else(|| "-".to_owned(), |at| at.to_string());
                    format!(" call {at} of {}", calls.keys.len())
                });
                format!("sql {text} of {}{calls}{overlay}", sql.rows.len())
            }
            Screen::Errors => format!("errors{overlay}"),
            Screen::Services => format!("services{overlay}"),
            Screen::Compare => format!("compare{overlay}"),
            Screen::Health => format!("health{overlay}"),
            Screen::Traces => {
                let at = list.selected.and_then(|id| list.rows.iter().position(|row| row.trace == id));
                let follow = if list.follow { " follow" } else { "" };
                let at = at.map_or_else(|| "-".to_owned(), |at| at.to_string());
                format!("list {at} of {} from {}{follow}{overlay}", list.rows.len(), list.offset)
            }
            Screen::Trace => {
                let Some(trace) = trace else { return "no trace".to_owned() };
                let at = trace.rows.iter().position(|row| Some(row.key) == trace.selected);
                let label = at.map_or_else(|| "-".to_owned(), |at| label(trace, at));
                let focus = if trace.detail.focus == DetailFocus::Detail { " detail" } else { "" };
                format!("trace {label} of {}{focus}{overlay}", trace.rows.len())
            }
        }
    }

    fn notice(&self) -> &str {
        self.state.notice.as_ref().map_or("", |notice| &notice.text)
    }
}

/// As the worker judges the open trace, without evidence.
fn judged(analysis: &Arc<Analysis>) -> Answer {
    let findings = judge_all(analysis, &Thresholds::default(), &Nothing);
    let (of, told) = (Arc::clone(analysis), Arc::clone(analysis));
    Answer::Judged { of, judged: Arc::new(Judged::of(findings)), told }
}

fn label(trace: &TraceScreen, row: usize) -> String {
    let analysis = trace.analysis.as_ref().unwrap();
    let row = &trace.rows[row];
    let label = match row.key {
        RowKey::Missing(_) => "missing".to_owned(),
        _ => analysis.span(row.node).unwrap().label.to_string(),
    };
    if matches!(row.key, RowKey::Group(..)) { format!("[{label}]") } else { label }
}

fn rows_of(answer: Answer) -> Arc<Vec<tracefall::analysis::Row>> {
    match answer {
        Answer::Flattened { rows, .. } => rows,
        other => panic!("{other:?}"),
    }
}

fn matching(analysis: &Analysis, text: &str) -> Vec<u32> {
    tracefall::analysis::find(analysis, text)
}

#[test]
fn keys_move_and_change_screens() {
    let mut failures = Vec::new();
    for (keys, expected) in [
        ("", "list 0 of 30 from 0 follow"),
        ("k", "list 0 of 30 from 0 follow"),
        ("j", "list 1 of 30 from 0"),
        ("down down up", "list 1 of 30 from 0"),
        ("pagedown", "list 9 of 30 from 1"),
        ("pagedown ctrl-d", "list 18 of 30 from 10"),
        ("G", "list 29 of 30 from 20"),
        ("end ctrl-b", "list 20 of 30 from 19"),
        ("G g", "list 0 of 30 from 0"),
        ("j f", "list 0 of 30 from 0 follow"),
        ("f", "list 0 of 30 from 0"),
        ("s", "list 0 of 30 from 0"),
        ("j j S", "list 0 of 30 from 0"),
        ("tab", "trace card! of 10"),
        ("tab tab", "trace card! of 10"),
        ("tab tab tab tab tab tab tab", "sql SQL select cart of 2"),
        ("2 shift-tab", "list 0 of 30 from 0 follow"),
        ("3 shift-tab", "trace card! of 10"),
        ("3 tab tab tab", "compare"),
        ("6 tab", "health"),
        ("3 4 5 6", "compare"),
        ("4 esc", "list 0 of 30 from 0 follow"),
        ("8 tab", "list 0 of 30 from 0 follow"),
        ("shift-tab", "health"),
        ("8 1", "list 0 of 30 from 0 follow"),
        ("2", "trace card! of 10"),
        ("enter", "trace card! of 10"),
        ("enter esc", "list 0 of 30 from 0 follow"),
        ("8 esc", "list 0 of 30 from 0 follow"),
        ("8 / esc", "list 0 of 30 from 0 follow"),
        ("?", "list 0 of 30 from 0 follow help"),
        ("? j esc", "list 0 of 30 from 0 follow"),
        ("? ?", "list 0 of 30 from 0 follow"),
        ("? 8", "health"),
        (": esc", "list 0 of 30 from 0 follow"),
        (": 'health' enter", "health"),
        (":", "list 0 of 30 from 0 follow palette"),
        ("y", "list 0 of 30 from 0 follow copy"),
        ("y esc", "list 0 of 30 from 0 follow"),
    ] {
        let mut bench = Bench::new(30);
        bench.press(keys);
        if bench.seen() != expected {
            failures.push(format!("after {keys}: {} ({})", bench.seen(), bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn keys_walk_the_waterfall() {
    let mut failures = Vec::new();
    // The rows: GET /cart, auth, check, load, SQL select cart, [SQL select item], pay!, card!, missing, stray.
    for (keys, expected) in [
        ("g", "trace GET /cart of 10"),
        ("g j j", "trace check of 10"),
        ("G", "trace stray of 10"),
        ("g enter", "trace GET /cart of 3"),
        ("g enter enter", "trace GET /cart of 10"),
        ("g left", "trace GET /cart of 3"),
        ("g left right", "trace GET /cart of 10"),
        ("g right", "trace auth of 10"),
        ("g j j h", "trace auth of 10"),
        ("g j j h h", "trace auth of 9"),
        ("g [", "trace GET /cart of 6"),
        ("g j j [", "trace auth of 6"),
        ("g [ ]", "trace GET /cart of 10"),
        ("g ] ", "trace GET /cart of 16"),
        ("g s", "trace SQL select cart of 10"),
        ("g e", "trace card! of 10"),
        ("g e e", "trace pay! of 10"),
        ("g e E", "trace pay! of 10"),
        ("g e E E", "trace card! of 10"),
        ("g j j [ e", "trace card! of 7"),
        ("/ 'select' enter", "trace SQL select cart of 10"),
        ("/ 'select' enter n", "trace SQL select item of 16"),
        ("/ 'select' enter N", "trace SQL select item of 16"),
        ("/ 'stray' enter", "trace stray of 10"),
        ("/ 'stray' enter esc", "trace stray of 10"),
        ("/ 'stray' enter esc esc", "list 0 of 3 from 0 follow"),
        ("g d", "trace GET /cart of 10 detail"),
        ("g d esc", "trace GET /cart of 10"),
        ("g d d", "trace GET /cart of 10"),
        ("g z esc", "trace GET /cart of 10"),
        ("g z esc esc", "list 0 of 3 from 0 follow"),
    ] {
        let mut bench = Bench::new(3);
        bench.press("enter").press(keys);
        if bench.seen() != expected {
            failures.push(format!("after {keys}: {} ({})", bench.seen(), bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn keys_walk_the_verdict_and_the_path() {
    let mut failures = Vec::new();
    // The clauses: card! failed first; SQL select cart is slow; time: SQL, own code (load), nothing recorded (GET /cart).
    for (keys, expected) in [
        ("g tab", "trace GET /cart of 12 clause 0"),
        ("g tab enter", "trace card! of 12"),
        ("g tab tab enter", "trace SQL select cart of 12"),
        ("g tab tab enter enter", "trace SQL select cart of 12"),
        ("g tab enter tab", "trace card! of 12 clause 1"),
        ("g tab tab shift-tab enter", "trace card! of 12"),
        ("g tab j enter", "trace auth of 10"),
        ("g tab esc", "trace GET /cart of 12"),
        ("g tab esc esc", "list 0 of 3 from 0 follow"),
        ("g d tab enter", "trace card! of 12"),
        ("g [ tab tab enter", "trace SQL select cart of 9"),
        ("g p", "trace GET /cart of 10"),
        ("g p p", "trace GET /cart of 12"),
        ("g p esc", "trace GET /cart of 12"),
        ("g j j j p", "trace auth of 10"),
        ("g / 'side' enter H p", "trace load of 10"),
        ("g p / 'side' enter", "trace side of 12"),
        ("g p e", "trace card! of 10"),
    ] {
        let mut bench = Bench::new(3);
        // Beside the longer statement nothing waits for this one; nor for what `auth` checks, as something else ends later.
        bench.traces[2].spans.extend([span(50, Some(3), 30, 20, "side"), span(51, Some(1), 1, 7, "longer")]);
        bench.press("enter").press(keys);
        let clause = bench.state.trace.as_ref().and_then(|trace| trace.clause);
        let clause = clause.map_or_else(String::new, |clause| format!(" clause {clause}"));
        let seen = format!("{}{clause}", bench.seen());
        if seen != expected {
            failures.push(format!("after {keys}: {seen} ({})", bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn what_would_be_gained_is_said() {
    for (keys, expected) in [
        ("g s w", "if it took no time: 400 ms less (40 %); half: 200 ms less"),
        ("g s j w", "if they took no time: 30 ms less (3 %); half: 15 ms less"),
        ("G w", "if it took no time: 10 ms less (1 %); half: 5 ms less"),
    ] {
        let mut bench = Bench::new(3);
        bench.press("enter").press(keys);
        assert_eq!(bench.notice(), expected, "{keys}");
    }
    let mut bench = Bench::new(1);
    bench.traces[0].spans.extend([span(50, Some(0), 530, 60, "SQL hunter2"), span(51, Some(0), 540, 55, "beside")]);
    bench.press("enter / 'beside' enter w");
    assert_eq!(bench.notice(), "if it took no time: 5 ms less (1 %); half: 5 ms less; then SQL hunter2 is waited for");
    bench.press("k w");
    assert_eq!(bench.notice(), "nothing would be gained: the trace does not wait for it");
}

#[test]
fn rows_that_arrive_move_nothing_under_the_reader() {
    let mut bench = Bench::new(30);
    bench.press("j j j j j");
    let selected = bench.state.list.selected;
    for number in 30..45 {
        bench.traces.push(shop(number));
        bench.arrive();
        let list = &bench.state.list;
        let at = list.rows.iter().position(|row| Some(row.trace) == selected).unwrap();
        assert_eq!((list.selected, at - list.offset), (selected, 5));
    }
    bench.press("f");
    assert_eq!(bench.seen(), "list 0 of 45 from 0 follow");
    bench.traces.push(shop(45));
    bench.arrive();
    assert_eq!(bench.state.list.selected, Some(trace_id(45)));
}

#[test]
fn a_selected_trace_that_leaves_hands_over_to_its_neighbour() {
    let mut bench = Bench::new(30);
    bench.press("j j j");
    bench.traces.remove(26);
    bench.arrive();
    assert_eq!((bench.seen().as_str(), bench.state.list.selected), ("list 3 of 29 from 0", Some(trace_id(25))));
    bench.press("G");
    bench.traces.remove(0);
    bench.arrive();
    assert_eq!((bench.seen().as_str(), bench.state.list.selected), ("list 27 of 28 from 18", Some(trace_id(1))));
    bench.traces.clear();
    bench.arrive();
    assert_eq!(bench.seen(), "list - of 0 from 0");
    assert!(bench.state.list.preview.is_none());
}

#[test]
fn a_growing_trace_keeps_selection_folds_and_place() {
    let mut bench = Bench::new(1);
    bench.press("enter g j j j left");
    assert_eq!(bench.seen(), "trace load of 8");
    bench.traces[0].spans.insert(1, span(50, Some(0), 0, 1, "early"));
    bench.traces[0].last_arrival = Timestamp(2);
    let (generation, id) = bench.state.trace.as_ref().map(|trace| (trace.generation, trace.id)).unwrap();
    let folds = bench.state.trace.as_ref().unwrap().folds.clone();
    let answer =
        bench.work(Effect::Open { generation, trace: id, folds, find: None, showing: Showing::default() }).unwrap();
    let line = |bench: &Bench| {
        let trace = bench.state.trace.as_ref().unwrap();
        trace.rows.iter().position(|row| Some(row.key) == trace.selected).unwrap() - trace.offset
    };
    let before = line(&bench);
    bench.answer(answer);
    assert_eq!((bench.seen().as_str(), line(&bench)), ("trace load of 9", before));
}

#[test]
fn the_selection_of_a_folded_group_stays_at_the_group() {
    let mut bench = Bench::new(1);
    bench.press("enter g j j j j j");
    assert_eq!(bench.seen(), "trace [SQL select item] of 10");
    bench.press("right right right");
    assert_eq!(bench.seen(), "trace SQL select item of 16");
    bench.press("left left");
    assert_eq!(bench.seen(), "trace [SQL select item] of 10");
}

#[test]
fn links_lead_to_their_span_and_back() {
    let mut bench = Bench::new(3);
    bench.press("enter g j");
    assert_eq!(bench.seen(), "trace auth of 10");
    bench.press("L");
    assert_eq!((bench.seen().as_str(), bench.state.trace.as_ref().unwrap().id), ("trace card! of 10", trace_id(0)));
    bench.press("B");
    assert_eq!((bench.seen().as_str(), bench.state.trace.as_ref().unwrap().id), ("trace auth of 10", trace_id(2)));
    bench.press("j L");
    assert_eq!((bench.seen().as_str(), bench.notice()), ("trace check of 10", "the linked trace is not held here"));
    assert_eq!(bench.state.trace.as_ref().unwrap().id, trace_id(2));
    bench.press("k d j j j enter");
    assert_eq!((bench.seen().as_str(), bench.state.trace.as_ref().unwrap().id), ("trace card! of 10", trace_id(0)));
    bench.press("esc");
    assert_eq!(bench.seen(), "trace auth of 10");
}

#[test]
fn copies_are_masked_unless_secrets_are_shown() {
    let copied = |keys: &str| {
        let mut bench = Bench::new(1);
        bench.press(keys);
        bench.done.iter().rev().find_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text.clone()),
            _ => None,
        })
    };
    let id = trace_id(0).to_string();
    assert_eq!(copied("y t").as_ref(), Some(&id));
    assert_eq!(copied("y y").as_ref(), Some(&id));
    assert_eq!(copied("enter g y s").unwrap(), "SELECT 1");
    assert_eq!(copied("enter g y i").unwrap(), key_of(0).id.to_string());
    assert!(!copied("enter g y A").unwrap().contains("hunter2"));
    assert!(copied("enter g u y A").unwrap().contains("user.password=hunter2"));
    assert!(!copied("enter g d j j y a").unwrap().contains("hunter2"));
    assert_eq!(copied("enter g u d j j y a").unwrap(), "hunter2");
    assert_eq!(copied("y m").unwrap(), format!("masked {id}"));
    assert_eq!(copied("enter g y m").unwrap(), format!("masked {id}"));
    assert_eq!(copied("enter g u y m").unwrap(), format!("plain {id}"));
    assert_eq!(copied("y esc"), None);
    let mut empty = Bench::new(0);
    empty.press("y y");
    assert!(matches!(empty.done.last(), Some(Effect::Copy { text, .. }) if text.starts_with("export OTEL_")));
}

#[test]
fn the_filter_bar_takes_every_key_but_the_interrupt() {
    let mut bench = Bench::new(9);
    bench.press("/ 'q?:1s'");
    assert_eq!((bench.state.filter.text.as_str(), bench.seen().as_str()), ("q?:1s", "list 0 of 4 from 0 follow"));
    bench.press("esc");
    assert_eq!((bench.state.filter.text.as_str(), bench.state.filter.editing), ("", false));
    assert_eq!(bench.seen(), "list 0 of 9 from 0 follow");
    assert!(!bench.state.quitting);
    bench.press("/ ctrl-c");
    assert!(bench.state.quitting);
    assert!(matches!(bench.done.last(), Some(Effect::Quit)));
    for keys in [": ctrl-c", "? ctrl-c", "y ctrl-c", "8 ctrl-c", "enter ctrl-c", "q", "enter q", "8 q", "? q"] {
        let mut bench = Bench::new(9);
        bench.press(keys);
        assert!(bench.state.quitting, "{keys}");
    }
}

#[test]
fn paste_types_into_the_bar() {
    let mut bench = Bench::new(3);
    let effects = app::input(&mut bench.state, &bench.keymap, &Input::Paste("a\nb\u{1b}".to_owned()));
    bench.carry_out(effects);
    assert_eq!((bench.state.filter.editing, bench.state.filter.text.as_str()), (true, "a b"));
}

#[test]
fn pause_holds_the_rows_and_resume_lets_them_in() {
    let mut bench = Bench::new(5);
    bench.press("space");
    assert!(bench.state.list.paused);
    bench.traces.push(shop(5));
    bench.press("space");
    assert_eq!((bench.state.list.paused, bench.seen().as_str()), (false, "list 0 of 6 from 0 follow"));
}

#[test]
fn answers_to_older_requests_are_dropped() {
    let mut bench = Bench::new(3);
    bench.prompt = false;
    bench.done.clear();
    bench.press("enter");
    let first = bench.done.iter().find(|effect| matches!(effect, Effect::Open { .. })).cloned().unwrap();
    bench.press("esc j enter");
    let second = bench.done.iter().rfind(|effect| matches!(effect, Effect::Open { .. })).cloned().unwrap();
    let (late, right) = (bench.work(first).unwrap(), bench.work(second).unwrap());
    bench.answer(right);
    bench.answer(late);
    let trace = bench.state.trace.as_ref().unwrap();
    assert_eq!((trace.id, trace.analysis.as_ref().unwrap().trace.id), (trace_id(1), trace_id(1)));
}

/// The trace was shown from the preview, the reader had moved on, and when all of it had come stood on the match again.
#[test]
fn who_moves_before_the_trace_has_come_stays_there() {
    let mut bench = Bench::new(1);
    bench.prompt = false;
    let trace = bench.traces[0].clone();
    // The filter is met by the root.
    bench.state.filter.query = Arc::new(tracefall::query::parse("http.method=GET").unwrap());
    let first = Some(trace.spans[0].key);
    bench.state.list.rows = Arc::new(vec![Hit { trace: trace.id, matched: 1, first }]);
    bench.done.clear();
    bench.press("enter G");
    let moved = bench.seen();
    let open = bench.done.iter().find(|effect| matches!(effect, Effect::Open { .. })).cloned().unwrap();
    let Some(Answer::Opened { generation, trace, analysis, rows, .. }) = bench.work(open) else { panic!("an answer") };
    bench.answer(Answer::Opened { generation, trace, analysis, rows, found: Some(vec![0]) });
    assert_eq!(bench.seen(), moved);
    // Who asks goes there.
    bench.press("n");
    assert_ne!(bench.seen(), moved);
}

/// Over a slow line several keys come at once: the one for the detail was refused, those behind it went to the waterfall.
#[test]
fn keys_reach_the_detail_before_it_is_read() {
    let mut bench = Bench::new(1);
    bench.prompt = false;
    bench.done.clear();
    bench.press("enter d j -");
    assert_eq!(bench.seen(), "trace card! of 10 detail");
    assert!(bench.notice().starts_with("choose an attribute"), "{}", bench.notice());
    let detail = bench.done.iter().find(|effect| matches!(effect, Effect::Detail { .. })).cloned().unwrap();
    let read = bench.work(detail).unwrap();
    bench.answer(read);
    bench.press("j");
    assert_eq!(bench.seen(), "trace card! of 10 detail");
    assert_eq!(bench.state.trace.as_ref().unwrap().detail.cell, 1);
}

#[test]
fn the_mouse_reaches_everything() {
    let down = MouseKind::Down(Button::Left);
    let mut bench = Bench::new(30);
    bench.click(down, &Target::ListRow(3), false);
    assert_eq!(bench.seen(), "list 3 of 30 from 0");
    bench.click(MouseKind::WheelDown, &Target::ListRow(3), false);
    assert_eq!(bench.seen(), "list 3 of 30 from 3");
    bench.click(MouseKind::WheelDown, &Target::ListRow(3), false);
    assert_eq!(bench.seen(), "list 6 of 30 from 6");
    bench.click(down, &Target::SortBy(SortKey::Duration), false);
    assert_eq!(bench.state.list.sort, Sort { key: SortKey::Duration, ascending: false });
    bench.click(down, &Target::SortBy(SortKey::Duration), false);
    assert!(bench.state.list.sort.ascending);
    bench.click(down, &Target::ListRow(0), true);
    assert_eq!(bench.seen(), "trace card! of 10");
    bench.click(down, &Target::SpanRow { row: 0, fold: true }, false);
    assert_eq!(bench.seen(), "trace GET /cart of 3");
    let (early, late) = (Timestamp(1_000_100 * MS), Timestamp(1_000_300 * MS));
    bench.click(down, &Target::Axis(late), false);
    bench.click(MouseKind::Drag(Button::Left), &Target::Axis(early), false);
    bench.click(MouseKind::Up(Button::Left), &Target::Nothing, false);
    assert_eq!(bench.state.trace.as_ref().unwrap().zoom, Some((early, late)));
    bench.click(down, &Target::Axis(early), true);
    assert_eq!(bench.state.trace.as_ref().unwrap().zoom, None);
    bench.click(down, &Target::Detail(Some(1)), false);
    assert_eq!(bench.state.trace.as_ref().unwrap().detail.cell, 1);
    bench.click(down, &Target::Tab(Screen::Health), false);
    assert_eq!(bench.seen(), "health");
    bench.click(down, &Target::Hint(Action::Help), false);
    bench.click(down, &Target::Nothing, false);
    assert_eq!(bench.seen(), "health");
    bench.click(down, &Target::Filter, false);
    assert!(bench.state.filter.editing);
    bench.click(down, &Target::ListRow(1), false);
    assert!(!bench.state.filter.editing);
}

#[test]
fn sources_are_chosen_paused_and_tried_again_by_key() {
    let mut bench = Bench::new(1);
    let source = |id: u16, name: &str| SourceHealth { id: SourceId(id), name: name.into(), ..SourceHealth::default() };
    let health = Health { sources: vec![source(0, "demo"), source(1, "prod")], ..Health::default() };
    bench.state.health = Arc::new(health.clone());
    let pressed = |bench: &mut Bench, keys: &str| {
        bench.done.clear();
        bench.press(keys);
        let effects =
            bench.done.iter().filter(|effect| matches!(effect, Effect::PauseSource(..) | Effect::RetrySource(_)));
        (format!("{:?}", effects.collect::<Vec<_>>()), bench.notice().to_owned())
    };
    let said = |effects: &str, notice: &str| (effects.to_owned(), notice.to_owned());
    assert_eq!(pressed(&mut bench, "8 j space"), said("[PauseSource(SourceId(1), true)]", "prod is paused"));
    assert_eq!(pressed(&mut bench, "r"), said("[RetrySource(SourceId(1))]", "prod is tried again"));
    assert_eq!(pressed(&mut bench, "k k r"), said("[RetrySource(SourceId(0))]", "demo is tried again"));
    bench.state.health =
        Arc::new(Health { sources: vec![SourceHealth { paused: true, ..source(0, "demo") }], ..health });
    assert_eq!(pressed(&mut bench, "r"), said("[]", "demo is paused"));
    assert_eq!(pressed(&mut bench, "p"), said("[PauseSource(SourceId(0), false)]", "demo goes on"));
    bench.state.health = Arc::default();
    assert_eq!(pressed(&mut bench, "p"), said("[]", "there is no source"));
}

#[test]
fn a_search_that_narrows_is_stopped_by_esc_before_anything_else() {
    let mut bench = Bench::new(1);
    let asked = |state, open| {
        let progress = Progress { traces: 7, asked: 3, open, ..Progress::default() };
        Some(Arc::new(Asked { progress, state, ..Asked::default() }))
    };
    let source = |id: u16, asked| SourceHealth { id: SourceId(id), asked, ..SourceHealth::default() };
    let narrowing = [
        source(0, asked(SearchState::Running, 0)),
        source(1, asked(SearchState::Running, 2)),
        source(2, asked(SearchState::Complete, 0)),
    ];
    bench.press("/ e r r o r = t r u e enter");
    bench.state.health = Arc::new(Health { sources: narrowing.to_vec(), ..Health::default() });
    bench.done.clear();
    bench.press("esc");
    let stopped: Vec<_> = bench.done.iter().filter(|effect| matches!(effect, Effect::StopSearch(_))).collect();
    assert_eq!(format!("{stopped:?}"), "[StopSearch(SourceId(1))]");
    assert_eq!(bench.state.filter.text, "error=true");
    bench.state.health = Arc::default();
    bench.press("esc");
    assert_eq!(bench.state.filter.text, "");
}

#[test]
fn servers_of_the_settings_file_are_asked_and_left_by_name() {
    let mut bench = Bench::new(1);
    bench.press("C");
    assert!(bench.notice().contains("describes no servers"), "{}", bench.notice());
    let profile = |name: &str| Profile { name: name.into(), place: format!("Jaeger at {name}.example") };
    let profiles = vec![profile("prod"), profile("staging")];
    bench.state.settings = Arc::new(Settings { profiles, ..Settings::clone(&bench.state.settings) });
    let source = |standing| SourceHealth { name: "prod".into(), standing, ..SourceHealth::default() };
    for (standing, keys, expected) in [
        (Standing::Ended, "C enter", "Connect(\"prod\")"),
        (Standing::Ok, "C enter", "Disconnect(\"prod\")"),
        (Standing::Ok, "8 C s t enter", "Connect(\"staging\")"),
    ] {
        bench.state.health = Arc::new(Health { sources: vec![source(standing)], ..Health::default() });
        bench.done.clear();
        bench.press(keys);
        let wanted = |effect: &&Effect| matches!(effect, Effect::Connect(_) | Effect::Disconnect(_));
        let done: Vec<_> = bench.done.iter().filter(wanted).map(|effect| format!("{effect:?}")).collect();
        assert_eq!(done, [expected]);
    }
}

#[test]
fn marked_traces_are_kept_until_their_marks_are_taken_away() {
    let mut bench = Bench::new(3);
    let kept = |bench: &Bench| {
        let kept = bench.done.iter().rev().find_map(|effect| match effect {
            Effect::Keep(traces) => Some(traces.clone()),
            _ => None,
        });
        kept.unwrap_or_default()
    };
    let first = bench.state.list.selected.unwrap();
    bench.press("x j j");
    assert!(kept(&bench).contains(&first) && bench.state.list.selected != Some(first));
    bench.press("k k x j");
    assert!(!kept(&bench).contains(&first));
}

#[test]
fn a_trace_is_shown_on_the_page_of_the_server_where_it_lives() {
    let mut bench = Bench::new(2);
    let id = bench.state.list.selected.unwrap();
    bench.press("o");
    assert_eq!(bench.notice(), "no server is asked that has a page of this trace");
    let source = SourceHealth { page: Some("https://jaeger.example.com/trace/".into()), ..SourceHealth::default() };
    bench.state.health = Arc::new(Health { sources: vec![source], ..Health::default() });
    bench.press("o");
    assert_eq!(bench.notice(), format!("copied: https://jaeger.example.com/trace/{id}"));
    bench.state.notice = None;
    bench.press("enter o");
    assert_eq!(bench.notice(), format!("copied: https://jaeger.example.com/trace/{id}"));
}

#[test]
fn detail_steps_through_what_is_longer_than_the_pane() {
    let mut bench = Bench::new(1);
    bench.press("enter g d");
    bench.state.viewport.detail_lines = 30;
    bench.state.viewport.cells = [Lines::default(), Lines { first: 0, count: 8 }, Lines { first: 8, count: 2 }];
    bench.press("j j");
    let detail = |bench: &Bench| bench.state.trace.as_ref().map(|t| (t.detail.cell, t.detail.scroll)).unwrap();
    assert_eq!(detail(&bench), (0, 2));
    bench.press("j");
    assert_eq!(detail(&bench), (1, 4));
    bench.press("G");
    assert_eq!(detail(&bench), (2, 24));
    bench.press("J");
    assert_eq!((detail(&bench), bench.notice()), ((2, 24), "this is the end"));
    bench.press("K g");
    assert_eq!(detail(&bench), (0, 0));
}

const EVERY: [Context; 9] = [
    Context::Heat,
    Context::Traces,
    Context::Trace,
    Context::Detail,
    Context::Sql,
    Context::Errors,
    Context::Services,
    Context::Compare,
    Context::Health,
];

/// The compare screen with a report on it.
fn compared(bench: &mut Bench) -> &mut Bench {
    bench.press("x m 6");
    let side = |n: u64, millis: u64| Side { n, traces: n, p50: Nanos::from_millis(millis), ..Side::default() };
    let operation = |name: &str| Operation { service: "shop".into(), name: name.into(), ..Operation::default() };
    let row = |name: &str| OperationRow {
        operation: operation(name),
        selection: side(30, 10),
        baseline: side(40, 20),
        example: None,
    };
    let names: Vec<OperationRow> = (0..20).map(|number| row(&format!("work {number}"))).collect();
    let found = Comparison { roots: names.clone(), root: Some(0), operations: names, ..Comparison::default() };
    let report = CompareReport {
        traces: 70,
        ask: bench.state.compare.asked.clone(),
        sides: [30, 40],
        found,
        ..CompareReport::default()
    };
    let generation = bench.state.compare.progress.generation;
    let report = Report::Compare(Arc::new(report));
    bench.answer(Answer::Surveyed(Surveyed { generation, revision: 1, share: 1.0, left_out: 0, report }));
    bench.state.viewport.scroll = 12;
    bench.press("j j j j")
}

/// The heat map with a few traces on it.
fn heated(bench: &mut Bench) -> &mut Bench {
    bench.press("L");
    let start = Timestamp(1_000_000 * MS);
    let outline = |number: u64| Outline {
        first_arrival: start,
        start: Timestamp(start.0 + number * 1_000 * MS),
        duration: Nanos::from_millis(1 + number * number),
        spans: 1,
        errors: 0,
    };
    let outlines: Vec<Outline> = (0..30).map(outline).collect();
    bench.state.list.strip.heat = Some(Arc::new(HeatMap::of(&outlines, (40, 20), start)));
    bench.press("left left left down down down down shift-left")
}

/// A start in which everything has something to do.
fn busy(context: Context) -> Bench {
    let mut bench = Bench::new(30);
    bench.press("j j j j j j j j j j j j");
    match context {
        Context::Sql => bench.press("3 enter j j j j j j j j j j j j"),
        Context::Errors => bench.press("4 j"),
        Context::Services => bench.press("5 j"),
        Context::Compare => compared(&mut bench),
        Context::Heat => heated(&mut bench),
        Context::Health => bench.press("8 j j j"),
        Context::Trace => bench.press("enter g j j"),
        Context::Detail => bench.press("enter g d j"),
        Context::Traces | Context::Everywhere => &mut bench,
    };
    bench.state.notice = None;
    bench.done.clear();
    bench
}

#[test]
fn every_key_that_help_lists_does_something_or_says_why_not() {
    let mut failures = Vec::new();
    for context in EVERY {
        for info in ACTIONS.iter().filter(|info| info.works_in(context)) {
            for key in info.keys {
                let mut bench = busy(context);
                assert_eq!(bench.keymap.resolve(context, *key), Some(info.action));
                let before = format!("{:?}", bench.state);
                bench.press(&key.to_string());
                let acted = format!("{:?}", bench.state) != before || !bench.done.is_empty();
                if !acted {
                    failures.push(format!("{key} ({}) did nothing in {context:?}", info.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn with_nothing_held_every_key_is_answered_too() {
    let navigation = [Action::Up, Action::PageUp, Action::First];
    for info in ACTIONS.iter().filter(|info| info.works_in(Context::Traces) && !navigation.contains(&info.action)) {
        let mut bench = Bench::new(0);
        bench.done.clear();
        let before = format!("{:?}", bench.state);
        bench.press(&info.keys[0].to_string());
        let acted = format!("{:?}", bench.state) != before || !bench.done.is_empty();
        assert!(acted, "{} did nothing on the empty list", info.name);
    }
}

#[derive(Clone, Debug)]
enum Doing {
    Key(KeyPress),
    Paste(String),
    Mouse(MouseKind, Target, bool),
    Resize(u16, u16),
    Trace(u64),
    Leave(usize),
    Grow(usize),
    Work(usize),
    Health,
}

fn any_key() -> impl Strategy<Value = KeyPress> {
    let bound: Vec<KeyPress> = ACTIONS.iter().flat_map(|info| info.keys).copied().collect();
    let typed = prop::sample::select("aé👩‍💻 =\"-<>(){}".chars().collect::<Vec<_>>());
    prop_oneof![
        6 => prop::sample::select(bound),
        1 => typed.prop_map(|letter| KeyPress::plain(Key::Char(letter))),
        1 => prop::sample::select(vec![Key::Backspace, Key::Delete, Key::Enter, Key::Esc]).prop_map(KeyPress::plain),
    ]
}

fn any_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..40_usize).prop_map(Target::ListRow),
        (0..40_usize, any::<bool>()).prop_map(|(row, fold)| Target::SpanRow { row, fold }),
        any::<u64>().prop_map(|at| Target::Axis(Timestamp(at))),
        prop::option::of(0..9_usize).prop_map(Target::Detail),
        (0..9_usize).prop_map(Target::Clause),
        (0..9_usize).prop_map(Target::Completion),
        (0..9_usize).prop_map(Target::Command),
        (0..9_usize).prop_map(Target::Copied),
        prop::sample::select(ACTIONS.iter().map(|info| info.action).filter(|a| *a != Action::Quit).collect::<Vec<_>>())
            .prop_map(Target::Hint),
        prop::sample::select(vec![
            Target::Tab(Screen::Traces),
            Target::Tab(Screen::Trace),
            Target::Tab(Screen::Sql),
            Target::Tab(Screen::Errors),
            Target::Tab(Screen::Services),
            Target::Tab(Screen::Compare),
            Target::Tab(Screen::Health),
            Target::SortBy(SortKey::Errors),
            Target::Filter,
            Target::Preview,
            Target::TablePane,
            Target::Nothing,
        ]),
        (0..40_usize).prop_map(Target::Row),
    ]
}

fn any_doing() -> impl Strategy<Value = Doing> {
    let kinds = vec![
        MouseKind::Down(Button::Left),
        MouseKind::Down(Button::Right),
        MouseKind::Drag(Button::Left),
        MouseKind::Up(Button::Left),
        MouseKind::WheelUp,
        MouseKind::WheelDown,
    ];
    prop_oneof![
        12 => any_key().prop_map(Doing::Key),
        4 => (prop::sample::select(kinds), any_target(), any::<bool>()).prop_map(|(k, t, twice)| Doing::Mouse(k, t, twice)),
        1 => ".{0,8}".prop_map(Doing::Paste),
        2 => (0..200_u16, 0..40_u16).prop_map(|(columns, rows)| Doing::Resize(columns, rows)),
        2 => (0..200_u64).prop_map(Doing::Trace),
        1 => any::<usize>().prop_map(Doing::Leave),
        1 => any::<usize>().prop_map(Doing::Grow),
        3 => any::<usize>().prop_map(Doing::Work),
        1 => Just(Doing::Health),
    ]
}

impl Bench {
    fn live(&mut self, doing: Doing) {
        match doing {
            Doing::Key(key) => {
                let effects = app::input(&mut self.state, &self.keymap, &Input::Key(key));
                self.carry_out(effects);
            }
            Doing::Paste(text) => {
                let effects = app::input(&mut self.state, &self.keymap, &Input::Paste(text));
                self.carry_out(effects);
            }
            Doing::Mouse(kind, target, twice) => {
                self.click(kind, &target, twice);
            }
            Doing::Resize(columns, rows) => {
                let viewport = &mut self.state.viewport;
                (viewport.columns, viewport.rows) = (columns, rows);
                (viewport.list, viewport.waterfall) = (rows / 2, rows / 2);
                (viewport.detail, viewport.preview, viewport.detail_columns) = (rows / 4, rows / 4, columns);
                let effects = app::input(&mut self.state, &self.keymap, &Input::Resize(columns, rows));
                self.carry_out(effects);
            }
            Doing::Trace(number) if self.held(trace_id(number)).is_none() => {
                self.traces.push(shop(number));
                self.arrive();
            }
            Doing::Leave(index) if !self.traces.is_empty() => {
                self.traces.remove(index % self.traces.len());
                self.arrive();
            }
            Doing::Grow(index) => {
                let open = self.state.trace.as_ref().map(|trace| trace.id);
                if let Some(trace) = self.traces.iter_mut().find(|trace| Some(trace.id) == open) {
                    let number = 100 + u64::try_from(index % 50).unwrap();
                    if trace.spans.iter().all(|span| span.key != key_of(number)) {
                        trace.spans.push(span(number, Some(number % 7), 800 + number, 3, "late"));
                    }
                    trace.last_arrival.0 += 1;
                }
            }
            // An answer that took its time: to a request made at any time before.
            Doing::Work(index) if !self.done.is_empty() => {
                let effect = self.done[index % self.done.len()].clone();
                if let Some(answer) = self.work(effect) {
                    self.answer(answer);
                }
            }
            Doing::Health => self.answer(Answer::Health(Arc::new(Health::default()))),
            Doing::Trace(_) | Doing::Leave(_) | Doing::Work(_) => {}
        }
        if self.done.len() > 60 {
            self.done.drain(..30);
        }
    }

    fn check(&self) {
        let State { list, trace, viewport, .. } = &self.state;
        assert!(list.offset == 0 || list.offset < list.rows.len(), "the list's window is beyond its rows");
        assert_eq!(list.rows.is_empty(), list.selected.is_none());
        if let Some(trace) = trace {
            assert!(trace.offset == 0 || trace.offset < trace.rows.len(), "the waterfall's window is beyond its rows");
            for row in trace.rows.iter() {
                assert!((row.node as usize) < trace.analysis.as_ref().unwrap().nodes.len(), "a row of another tree");
            }
        }
        assert!(self.state.screen != Screen::Trace || trace.is_some());
        let _ = viewport;
    }

    /// After a movement by keys, what is selected is in sight.
    fn check_sight(&self) {
        let State { list, trace, viewport, screen, .. } = &self.state;
        let in_sight = |at: usize, offset: usize, height: u16| at >= offset && at < offset + usize::from(height).max(1);
        if *screen == Screen::Traces
            && let Some(at) = list.rows.iter().position(|row| Some(row.trace) == list.selected)
        {
            assert!(in_sight(at, list.offset, viewport.list), "{at} from {} by {}", list.offset, viewport.list);
        }
        if self.state.context() == Context::Trace
            && let Some(trace) = trace
            && let Some(at) = trace.rows.iter().position(|row| Some(row.key) == trace.selected)
        {
            assert!(
                in_sight(at, trace.offset, viewport.waterfall),
                "{at} from {} by {}",
                trace.offset,
                viewport.waterfall
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_state_stays_whole(
        doings in prop::collection::vec((any_doing(), any::<bool>()), 1..120),
        traces in 0..20_u64,
    ) {
        let mut bench = Bench::new(traces);
        for (doing, prompt) in doings {
            bench.prompt = prompt;
            bench.live(doing);
            bench.check();
            let moves = ["up", "down", "pageup", "pagedown"];
            if bench.state.overlay.is_none() && !bench.state.bar().editing {
                bench.press(moves[bench.done.len() % moves.len()]);
                bench.check_sight();
            }
        }
    }
}

#[test]
fn the_demo_plays_among_other_traces_only_when_asked_twice() {
    let played = |traces: u64, keys: &str| {
        let mut bench = Bench::new(traces);
        bench.press(keys);
        bench.state.demo
    };
    assert!(played(0, "d"));
    assert!(!played(3, "d"));
    assert!(played(3, "d d"));
    assert!(!played(3, "d d d"));
}

#[test]
fn a_resize_keeps_what_is_selected_in_sight() {
    let mut bench = Bench::new(30);
    bench.press("j j j j j j j j");
    bench.live(Doing::Resize(80, 8));
    bench.check_sight();
    bench.press("enter G");
    bench.live(Doing::Resize(80, 4));
    bench.check_sight();
}

#[test]
fn keys_of_another_action_can_be_given_in_the_config() {
    let mut bench = Bench::new(3);
    let overrides = HashMap::from([("quit", "x")]);
    let overrides = overrides.into_iter().map(|(name, key)| (name.to_owned(), vec![key.to_owned()])).collect();
    bench.keymap = Keymap::with(&overrides).unwrap();
    bench.press("q");
    assert!(!bench.state.quitting);
    bench.press("x");
    assert!(bench.state.quitting);
}

#[test]
fn notices_go_after_a_while() {
    let mut bench = Bench::new(0);
    bench.press("n j");
    assert_eq!(bench.notice(), "no traces yet");
    let view = tracefall::index::View::default();
    app::tick(&mut bench.state, &view, Timestamp(Nanos::from_secs(60).0));
    assert_eq!(bench.notice(), "");
}

#[test]
fn a_notice_gives_the_footer_back_at_the_next_key() {
    let mut bench = Bench::new(3);
    bench.press("space");
    assert_eq!(bench.notice(), "paused: what arrives is kept and counted");
    bench.press("j");
    assert_eq!(bench.notice(), "");
}

#[test]
fn a_filter_that_holds_for_the_root_opens_at_what_tells_most() {
    let opened = |span: u64| {
        let mut bench = Bench::new(1);
        let hit = Hit { trace: trace_id(0), matched: 1, first: Some(key_of(span)) };
        let (generation, rows) = (bench.state.list.generation, Arc::new(vec![hit]));
        bench.answer(Answer::Listed { generation, revision: 1, rows, strip: Strip::default(), partial: false });
        bench.press("enter");
        bench.seen()
    };
    let mut unfiltered = Bench::new(1);
    unfiltered.press("enter");
    assert_eq!(opened(0), unfiltered.seen());
    assert_ne!(opened(1), unfiltered.seen());
}

#[test]
fn the_demo_does_not_mix_in_where_a_filter_hides_the_traces() {
    let mut bench = Bench::new(0);
    bench.state.health = Arc::new(Health { traces_held: 3, ..Default::default() });
    bench.press("d");
    assert!(!bench.state.demo);
}

#[test]
fn a_trace_is_still_arriving_while_it_grows_or_what_it_hangs_from_may_come() {
    let second = |count: u64| Timestamp(Nanos::from_secs(count).0);
    let mut state = State::new(Settings { arriving: Nanos::from_secs(1), ..Settings::default() });
    let summary = |has_root: bool, first: u64, last: u64| TraceSummary {
        has_root,
        first_arrival: second(first),
        last_arrival: second(last),
        ..TraceSummary::default()
    };
    for (now, summary, expected) in [
        (10, summary(true, 10, 10), false),
        (11, summary(true, 10, 11), true),
        (13, summary(true, 10, 11), false),
        (14, summary(false, 10, 10), true),
        (20, summary(false, 10, 10), false),
        (14, TraceSummary { orphans: 1, ..summary(true, 10, 10) }, true),
    ] {
        state.now = second(now);
        assert_eq!(state.is_arriving(&summary), expected, "at {now}: {summary:?}");
    }
}

#[test]
fn what_the_filter_matches_is_lit_in_the_open_trace_and_can_be_shown_alone() {
    let mut failures = Vec::new();
    for (keys, expected, found) in [
        ("enter", "trace card! of 10", 7),
        ("enter g n", "trace SQL select cart of 10", 7),
        ("enter g H", "trace GET /cart of 4", 7),
        ("enter H H", "trace GET /cart of 10", 7),
        ("enter g H esc", "trace GET /cart of 10", 7),
        ("enter g H n n", "trace SQL select item of 10", 7),
        ("enter H e e", "trace pay! of 10", 7),
        ("enter / 'stray' enter", "trace stray of 10", 1),
        ("enter / 'stray' enter H", "trace stray of 2", 1),
        ("enter / 'stray' enter H esc", "trace stray of 10", 7),
        ("enter esc", "list 0 of 1 from 0 follow", 7),
        ("enter esc / ctrl-u enter 2", "trace card! of 10", 0),
        ("enter esc / ctrl-u 'pay' enter 2", "trace card! of 10", 1),
    ] {
        let mut bench = Bench::new(3);
        bench.press("/ 'select' enter").press(keys);
        let open = bench.state.trace.as_ref().unwrap();
        let lit = open.found.as_ref().map_or(0, |found| found.nodes.len());
        if (bench.seen().as_str(), lit) != (expected, found) {
            failures.push(format!("after {keys}: {} with {lit} ({})", bench.seen(), bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// What the filter says, conditions that are off in brackets.
fn filter(bench: &Bench) -> String {
    let bar = &bench.state.filter;
    let off: Vec<_> = bar.off.iter().map(|off| format!("[{}]", off.text)).collect();
    format!("{} {}", bar.text, off.join(" ")).trim().to_owned()
}

#[test]
fn conditions_are_made_from_data_switched_off_and_taken_away() {
    let mut failures = Vec::new();
    for (keys, seen, expected) in [
        ("enter g d enter", "list 0 of 1 from 0 follow", "db.statement=\"SELECT 1\""),
        ("enter g d -", "list 0 of 1 from 0 follow", "-db.statement=\"SELECT 1\""),
        ("enter g d enter 2 -", "list 0 of 1 from 0 follow", "-db.statement=\"SELECT 1\""),
        ("enter g d enter 2 enter", "list 0 of 1 from 0 follow", "db.statement=\"SELECT 1\""),
        ("enter g d j j enter", "trace GET /cart of 10 detail", ""),
        ("enter g d j j u enter", "list 0 of 1 from 0 follow", "user.password=hunter2"),
        ("F", "list 0 of 3 from 0 follow picker", ""),
        ("F 'tena' enter", "list 0 of 3 from 0 follow values", ""),
        ("F 'met' enter j enter", "list 0 of 1 from 0 follow", "http.method=\"POST it\""),
        ("F 'met' enter -", "list 0 of 1 from 0 follow", "-http.method=GET"),
        ("F 'met' enter s s s G enter", "list 0 of 1 from 0 follow", "http.method=PUT"),
        ("F 'nobody.has.it' enter esc", "list 0 of 3 from 0 follow", ""),
        ("enter g d F", "trace GET /cart of 10 detail values", ""),
        ("enter g d F esc", "trace GET /cart of 10 detail", ""),
        ("/ 'tenant=a' ctrl-t enter", "list 0 of 1 from 0 follow", "tenant=a tenant=GET"),
        ("c", "list 0 of 3 from 0 follow", ""),
        ("/ 'error=true' space 'kind=server' enter c", "list 0 of 1 from 0 follow chips", "error=true kind=server"),
        (
            "/ 'error=true' space 'kind=server' enter c space",
            "list 0 of 1 from 0 follow chips",
            "kind=server [error=true]",
        ),
        (
            "/ 'error=true' space 'kind=server' enter c space right space esc",
            "list 0 of 3 from 0 follow",
            "[error=true] [kind=server]",
        ),
        (
            "/ 'error=true' space 'kind=server' enter c space space esc",
            "list 0 of 1 from 0 follow",
            "error=true kind=server",
        ),
        ("/ 'error=true' space 'kind=server' enter c 2 x esc", "list 0 of 1 from 0 follow", "error=true"),
        ("/ 'error=true' space 'kind=server' enter c x x", "list 0 of 3 from 0 follow", ""),
        ("/ 'error=true' enter c space esc esc", "list 0 of 3 from 0 follow", ""),
        ("f1", "list 0 of 3 from 0 follow language", ""),
        ("/ f1 esc esc", "list 0 of 3 from 0 follow", ""),
    ] {
        let mut bench = Bench::new(3);
        bench.press(keys);
        if (bench.seen().as_str(), filter(&bench).as_str()) != (seen, expected) {
            failures.push(format!("after {keys}: {} with {} ({})", bench.seen(), filter(&bench), bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn earlier_and_saved_filters_come_back() {
    let mut failures = Vec::new();
    let used = "/ 'error=true' enter / ctrl-u 'kind=server' enter / ctrl-u enter";
    for (keys, text, overlay) in [
        ("/ up", "kind=server", false),
        ("/ up up", "error=true", false),
        ("/ up up up", "error=true", false),
        ("/ up up down", "kind=server", false),
        ("/ 'x' up up down down", "x", false),
        ("/ up up enter", "error=true", false),
        ("/ up esc", "", false),
        ("ctrl-r 'err' enter", "error=true", false),
        ("/ ctrl-r enter", "kind=server", false),
        ("/ ctrl-r enter esc", "", false),
        ("ctrl-r delete delete", "", false),
        ("ctrl-s", "", false),
        ("/ up ctrl-s", "kind=server", true),
        ("/ up ctrl-s 'mine' enter ctrl-u esc ctrl-r 'mine' enter", "kind=server", false),
        ("/ up enter ctrl-s 'mine' enter esc ctrl-r 'mine' delete esc", "", false),
        ("8 ctrl-r enter", "kind=server", false),
    ] {
        let mut bench = Bench::new(3);
        bench.press(used).press(keys);
        let shown = bench.state.overlay.is_some();
        if (bench.state.filter.text.as_str(), shown) != (text, overlay) {
            failures.push(format!("after {keys}: {} {shown} ({})", bench.state.filter.text, bench.notice()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

fn saved(request: &app::SaveRequest, traces: usize) -> app::Saved {
    let traces = u64::try_from(traces).unwrap();
    let how = if request.mask.is_some() { "masked" } else { "as it is" };
    let path = format!("{} as {} {how}", request.path.display(), request.form.name());
    app::Saved { path, traces, spans: 7 * traces }
}

#[test]
fn traces_are_marked_and_saved_in_the_form_that_was_chosen() {
    let mut failures = Vec::new();
    let one = "-00000000.otlp.jsonl";
    for (keys, said, open) in [
        ("W enter", format!("saved 1 trace with 7 spans: {{}}{one} as otlp-json masked"), false),
        ("W esc", String::new(), false),
        ("x", "1 trace is marked".to_owned(), false),
        ("x x", "no trace is marked".to_owned(), false),
        ("x down x W enter", "saved 2 traces with 14 spans: traces.otlp.jsonl as otlp-json masked".to_owned(), false),
        ("x down x W down tab enter", String::new(), false),
        ("W ctrl-u 'mine' tab tab enter", "saved 1 trace with 7 spans: mine as jaeger masked".to_owned(), false),
        ("W ctrl-u 'a' shift-tab enter", "saved 1 trace with 7 spans: a as csv masked".to_owned(), false),
        ("W ctrl-t ctrl-u 'a' enter", "saved 1 trace with 7 spans: a as otlp-json as it is".to_owned(), false),
        ("W ctrl-u 'taken' enter", String::new(), true),
        ("W ctrl-u enter", String::new(), true),
        (
            "W ctrl-u 'taken' enter ctrl-u 'b' enter",
            "saved 1 trace with 7 spans: b as otlp-json masked".to_owned(),
            false,
        ),
        (
            "/ 'error=true' enter W down ctrl-u 'c' enter",
            "saved 1 trace with 7 spans: c as otlp-json masked".to_owned(),
            false,
        ),
        ("enter W ctrl-u 'd' enter", "saved 1 trace with 7 spans: d as otlp-json masked".to_owned(), false),
    ] {
        let mut bench = Bench::new(3);
        bench.press(keys);
        let notice = bench.notice();
        let fits = match said.split_once("{}") {
            Some((before, after)) => notice.starts_with(before) && notice.ends_with(after),
            None => said.is_empty() || notice == said,
        };
        if !fits || bench.state.overlay.is_some() != open {
            failures.push(format!("after {keys}: {notice} {:?}", bench.state.overlay));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// On the way to a key every letter was searched for as a word, and the list was empty until the `=`.
#[test]
fn the_beginning_of_a_key_is_not_searched_for_while_it_is_typed() {
    let cases = [
        ("/ 'minDur'", "", true),
        ("/ 'minDuration=1ms'", "minDuration=1ms", false),
        ("/ 'minDur' enter", "minDur", false),
        ("/ 'minDur' esc", "", false),
        ("/ 'timeout'", "timeout", false),
        ("/ 'kind=server' space 'minD'", "kind=server", true),
        ("/ 'kind=server' space '-root.'", "kind=server", true),
        ("/ 'kind=server' space 'root.serv'", "kind=server", true),
        ("/ '(kind=server' space 'OR' space 'serv'", "", false),
        ("/ '\"minDur\"'", "\"minDur\"", false),
        ("/ 'minDur' left", "minDur", false),
    ];
    for (keys, query, half) in cases {
        let mut bench = Bench::new(30);
        bench.press(keys);
        let bar = &bench.state.filter;
        assert_eq!((bar.query.text.trim(), bar.half_key), (query, half), "{keys}");
    }
}

#[test]
fn the_beginning_of_a_key_of_the_data_is_known_by_what_was_proposed() {
    let mut bench = Bench::new(30);
    bench.press("/");
    bench.prompt = false;
    let tenant = |from, to| Completion { text: "tenant=".into(), replace: (from, to), count: Some(2), value: None };
    bench.answer(Answer::Completed { text: String::new(), completions: vec![tenant(0, 0)] });
    bench.press("'ten'");
    assert_eq!((bench.state.filter.query.text.as_str(), bench.state.filter.half_key), ("", true));
    bench.answer(Answer::Completed { text: "ten".into(), completions: vec![tenant(0, 3)] });
    assert!(bench.state.filter.half_key);
    bench.press("'d'");
    assert_eq!((bench.state.filter.query.text.as_str(), bench.state.filter.half_key), ("tend", false));
    bench.press("backspace backspace");
    assert!(bench.state.filter.half_key);
    // It has left the index meanwhile: then it is a word.
    bench.answer(Answer::Completed { text: "te".into(), completions: Vec::new() });
    assert_eq!((bench.state.filter.query.text.as_str(), bench.state.filter.half_key), ("te", false));
}

#[test]
fn statements_are_ordered_listed_and_lead_to_their_spans() {
    let mut failures = Vec::new();
    for (keys, expected) in [
        ("3", "sql SQL select cart of 2"),
        ("3 j", "sql SQL select item of 2"),
        ("3 j j", "sql SQL select item of 2"),
        ("3 s", "sql SQL select item of 2"),
        ("3 s S", "sql SQL select cart of 2"),
        ("3 s s s s s s", "sql SQL select cart of 2"),
        ("3 enter", "sql SQL select cart of 2 call 0 of 4"),
        ("3 enter j j j j", "sql SQL select cart of 2 call 3 of 4"),
        ("3 enter j esc", "sql SQL select cart of 2"),
        ("3 enter enter", "trace SQL select cart of 10"),
        ("3 enter j enter esc", "sql SQL select cart of 2 call 1 of 4"),
        ("3 enter enter esc esc esc", "list 0 of 4 from 0 follow"),
        ("3 y", "sql SQL select cart of 2"),
        ("3 enter y", "sql SQL select cart of 2 call 0 of 4 copy"),
        ("1 enter 3 esc", "list 0 of 4 from 0 follow"),
    ] {
        let mut bench = Bench::new(4);
        let seen = bench.press(keys).seen();
        if seen != expected {
            failures.push(format!("{keys:?}: {seen}, not {expected}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let mut bench = Bench::new(4);
    bench.press("3 y");
    assert!(bench.done.iter().any(|effect| matches!(effect, Effect::Copy { text, .. } if text == "SQL select cart")));
    assert_eq!(bench.state.sql.formatted.as_ref().map(|formatted| &*formatted.of.text), Some("SQL select cart"));
    let mut empty = Bench::new(0);
    assert_eq!(empty.press("3 j enter y").seen(), "sql - of 0 copy");
}

#[test]
fn the_mouse_selects_orders_and_opens_statements() {
    let mut bench = Bench::new(4);
    let left = MouseKind::Down(Button::Left);
    bench.press("3").click(left, &Target::Row(1), false);
    assert_eq!(bench.seen(), "sql SQL select item of 2");
    bench.click(left, &Target::SortStatements(StatementSort::Max), false);
    assert_eq!(bench.seen(), "sql SQL select cart of 2");
    bench.click(left, &Target::SortStatements(StatementSort::Max), false);
    assert_eq!(bench.seen(), "sql SQL select item of 2");
    bench.click(left, &Target::Row(1), true).click(left, &Target::Row(2), true);
    assert_eq!(bench.seen(), "trace SQL select cart of 10");
    bench.press("esc").click(MouseKind::WheelUp, &Target::Row(0), false);
    assert_eq!(bench.seen(), "sql SQL select cart of 2 call 0 of 4");
}

#[test]
fn findings_of_a_trace_are_walked_through_span_by_span() {
    let mut bench = Bench::new(3);
    bench.press("enter i");
    assert!(bench.seen().ends_with("findings"), "{}", bench.seen());
    let rules: Vec<&str> = (0..bench.state.finding_rows(FindingsOf::Trace))
        .filter_map(|at| Some(bench.state.finding_row(FindingsOf::Trace, at)?.rule.name()))
        .collect();
    assert_eq!(rules.first(), Some(&"slow-sql"), "{rules:?}");
    let loops = rules.iter().position(|rule| *rule == "nplus1").unwrap();
    bench.press(&"down ".repeat(loops));
    for (key, said) in [("enter", "span 1 of 6"), ("enter", "span 2 of 6"), ("N", "span 1 of 6"), ("N", "span 6 of 6")]
    {
        bench.press(key);
        assert_eq!(bench.notice(), said);
        assert!(bench.seen().starts_with("trace SQL select item"), "{}", bench.seen());
    }
    bench.press("esc");
    assert!(!bench.seen().contains("findings"), "{}", bench.seen());
}

#[test]
fn finding_in_many_traces_is_walked_through_trace_by_trace() {
    let mut bench = Bench::new(3);
    bench.press("i");
    assert!(bench.seen().ends_with("all findings"), "{}", bench.seen());
    let row = bench.state.finding_row(FindingsOf::All, 0).unwrap();
    assert_eq!((row.rule.name(), row.traces), ("slow-sql", 3));
    bench.press("enter");
    assert_eq!(bench.notice(), "trace 1 of 3");
    assert!(bench.seen().starts_with("trace SQL select cart"), "{}", bench.seen());
    let first = bench.state.trace.as_ref().unwrap().id;
    bench.press("enter");
    assert_ne!(bench.state.trace.as_ref().unwrap().id, first);
    // Of the open one, and back.
    bench.press("tab");
    assert!(bench.seen().ends_with(" findings") && !bench.seen().contains("all"), "{}", bench.seen());
    bench.press("tab tab tab esc esc");
    assert!(bench.seen().starts_with("list"), "{}", bench.seen());
}

#[test]
fn pane_without_findings_says_so_and_closes() {
    let mut bench = Bench::new(0);
    bench.press("i enter");
    assert_eq!(bench.notice(), "there is no finding to go to");
    bench.press("i");
    assert!(!bench.seen().contains("findings"), "{}", bench.seen());
    // It gives way to the mouse beside it.
    bench.press("i").click(MouseKind::Down(Button::Left), &Target::Findings, false);
    assert!(bench.seen().contains("findings"));
    bench.click(MouseKind::Down(Button::Left), &Target::Nothing, false);
    assert!(!bench.seen().contains("findings"));
}

#[test]
fn a_span_is_compared_with_all_of_its_kind() {
    let mut bench = Bench::new(3);
    bench.press("enter");
    let short = |bench: &Bench, id| {
        let open = bench.state.trace.as_ref().unwrap();
        open.baselines.get(&key_of(id)).and_then(Baseline::short)
    };
    assert_eq!(short(&bench, 0).as_deref(), Some("p98 of 50"));
    assert_eq!(short(&bench, 1), None);
    bench.press("g j b");
    assert_eq!(short(&bench, 1).as_deref(), Some("p0 of 50"));
    assert_eq!(
        bench.notice(),
        "10 ms: slower than 0 of the 50 spans GET of shop; half take up to 500 ms, 95 % up to 960 ms"
    );
}

/// Filters are read from their file beside the screen: a key may come before they have.
#[test]
fn earlier_filters_that_come_after_the_key_are_shown_then() {
    let mut bench = Bench::new(1);
    let library = |texts: &[&str]| {
        let history = texts.iter().map(|text| (*text).to_owned()).collect();
        Answer::Library(Arc::new(Library { history, ..Default::default() }), None)
    };
    bench.press("ctrl-r");
    assert!(bench.notice().starts_with("no filters yet"), "{}", bench.notice());
    bench.answer(library(&[]));
    assert!(bench.notice().starts_with("no filters yet") && bench.state.overlay.is_none(), "{}", bench.notice());
    bench.answer(library(&["error=true"]));
    assert!(matches!(&bench.state.overlay, Some(Overlay::Picker(picker)) if picker.items.len() == 1));
    // Another key in between, and nothing comes up by itself.
    let mut bench = Bench::new(1);
    bench.press("ctrl-r j").answer(library(&["error=true"]));
    assert!(bench.state.overlay.is_none());
}
